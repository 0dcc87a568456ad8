package source

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func TestParsePointer(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	good := "version https://git-lfs.github.com/spec/v1\noid sha256:" + sum + "\nsize 12\n"
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{good, true},
		{strings.Replace(good, "oid", "ext-0-x sha256:1\noid", 1), true},
		{good + "x", false},
		{strings.Replace(good, "12", "-1", 1), false},
		{strings.Replace(good, "sha256", "md5", 1), false},
		{"binary", false},
		{"", false},
		{good + strings.Repeat("x y\n", 1000), false},
	} {
		got, size, ok := parsePointer([]byte(tt.text))
		if ok != tt.ok || ok && (got != sum || size != 12) {
			t.Errorf("%q: %s %d %v", tt.text, got, size, ok)
		}
	}
}

func FuzzPointer(f *testing.F) {
	sum := sha256.Sum256(nil)
	f.Add([]byte(fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%x\nsize 0\n", sum)))
	f.Fuzz(func(t *testing.T, blob []byte) {
		sum, size, ok := parsePointer(blob)
		if !ok {
			return
		}
		if b, err := hex.DecodeString(sum); err != nil || len(b) != 32 || size < 0 {
			t.Errorf("%q: %s %d", blob, sum, size)
		}
	})
}
