package exact

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"testing"
)

func TestSpellings(t *testing.T) {
	hexOK := func(s string) bool { _, ok := Hex(s); return ok }
	stdOK := func(s string) bool { _, ok := Base64(base64.StdEncoding, s); return ok }
	rawOK := func(s string) bool { _, ok := Base64(base64.RawURLEncoding, s); return ok }
	numberOK := func(s string) bool { _, ok := Decimal(s); return ok }
	for _, c := range []struct {
		what string
		ok   func(string) bool
		good []string
		bad  []string
	}{
		{"hex", hexOK, []string{"", "00", "a1ff"}, []string{"A1", "a1fF", "a", "0x", " 00", "00\n", "g0"}},
		{"base64", stdOK, []string{"", "AA==", "AAA=", "AAAA", "+/+/"}, []string{"AB==", "AA=", "AA", "A\nA==", "AA==\n", "\r\nAAAA", "-_-_", "AAB="}},
		{"raw base64", rawOK, []string{"", "AA", "AAA", "-_-_"}, []string{"AB", "AA==", "A\nA", "AAAA\r", "+/+/"}},
		{"decimal", numberOK, []string{"0", "7", "-1", "9223372036854775807"}, []string{"", "+1", "01", "-0", "00", " 1", "1_0", "0x1", "9223372036854775808", "1.0", "1e3"}},
	} {
		for _, s := range c.good {
			if !c.ok(s) {
				t.Errorf("%s: %q is refused", c.what, s)
			}
		}
		for _, s := range c.bad {
			if c.ok(s) {
				t.Errorf("%s: %q is read", c.what, s)
			}
		}
	}
}

func FuzzSpellings(f *testing.F) {
	for _, s := range []string{"a1ff", "A1", "AA==", "AB==", "-_-_", "A\nA==", "+1", "-0", "12"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if b, ok := Hex(s); ok && hex.EncodeToString(b) != s {
			t.Errorf("hex %q", s)
		}
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			if b, ok := Base64(enc, s); ok && enc.EncodeToString(b) != s {
				t.Errorf("base64 %q", s)
			}
		}
		if n, ok := Decimal(s); ok && strconv.FormatInt(n, 10) != s {
			t.Errorf("decimal %q", s)
		}
	})
}
