package bindiff

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestBounded: values of any length are shown in bounded sentences, with their
// lengths and the place where they part.
func TestBounded(t *testing.T) {
	long := strings.Repeat("0123456789", 7000)
	other := long[:65000] + "X" + long[65001:]
	for _, c := range []struct {
		a, b string
		want []string
	}{
		{"1", "2", []string{`x: "1" in A, "2" in B`}},
		{"", "2", []string{`x: absent in A, "2" in B`}},
		{long, other, []string{"(70000 bytes)", "first differ at byte 65000", "789X123"}},
		{long, long + "!", []string{"(70000 bytes)", "(70001 bytes)", "first differ at byte 70000", `9!" (70001`}},
		{long, "short", []string{"(70000 bytes)", `"short" in B`, "byte 0"}},
		{strings.Repeat("ü", 5000), strings.Repeat("ü", 4999) + "ö", []string{"(10000 bytes)", "byte 9999"}},
	} {
		got := change("x", c.a, c.b)
		if len(got) > maxEvidence || !utf8.ValidString(got) {
			t.Errorf("%d bytes: %q", len(got), got)
		}
		for _, w := range c.want {
			if !strings.Contains(got, w) {
				t.Errorf("%q does not say %q", got, w)
			}
		}
	}
	if got := bounded([]string{"short", long}); got[0] != "short" || len(got[1]) > maxEvidence+40 || !strings.Contains(got[1], "(70000 bytes)") {
		t.Errorf("%q", got)
	}
	a, b := "A: CC "+long, "B: CC "+other
	for _, line := range []string{a, b} {
		got := Excerpt(line, []string{a, b, "A: y"})
		if len(got) > maxEvidence || !strings.HasPrefix(got, line[:6]) || !strings.Contains(got, "(70006 bytes)") {
			t.Errorf("%q", got)
		}
	}
	if got := Excerpt(b, []string{a, b}); !strings.Contains(got, "X") {
		t.Errorf("%q does not show where it differs", got)
	}
	for _, line := range []string{"", "A", "A: short"} {
		if got := Excerpt(line, []string{line, "", "B"}); got != line {
			t.Errorf("%q became %q", line, got)
		}
	}
}

func TestKnown(t *testing.T) {
	for _, c := range []struct {
		known  Known
		blames inputs
		want   bool
	}{
		{Known{}, ofSource, false},
		{Known{Source: true}, ofSource, true},
		{Known{Source: true}, ofSource | ofFlags, false}, // the flags may be it
		{AllKnown(), ofSource | ofFlags | ofEnvironment | ofToolchain, true},
		{AllKnown(), 0, false}, // an edit after the link, a directory
	} {
		if got := c.known.excludes(c.blames); got != c.want {
			t.Errorf("%+v, %b: %v", c.known, c.blames, got)
		}
	}
	for _, c := range []struct {
		known Known
		want  string
		not   string
	}{
		{Known{}, "compare the source trees, the toolchains, the flags and the environments of the builds", "known to be the same"},
		{Known{Source: true, Toolchain: true}, "compare the flags and the environments of the builds", "source"},
		{Known{Source: true, Toolchain: true, Flags: true}, "compare the environments of the builds", "flags"},
		{AllKnown(), "are known to be the same", "compare"},
	} {
		if got := c.known.compareRest(); !strings.Contains(got, c.want) || strings.Contains(got, c.not) {
			t.Errorf("%+v: %q", c.known, got)
		}
	}
}
