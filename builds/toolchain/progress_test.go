package toolchain

import (
	"bytes"
	"strings"
	"testing"
)

// TestWithoutProgress: forty modules that were fetched are no reason.
func TestWithoutProgress(t *testing.T) {
	const in = "go: downloading example.com/a v1.0.0\ngo: downloading example.com/b v1.0.0 (checksum)\ngo: example.com/c@v1.0.0: reading the proxy: 403 Forbidden\n\tserver response: no\ngo: switching to go1.26.1\n# example.com/a\n./a.go:1:1: undefined: x\n"
	const want = "go: example.com/c@v1.0.0: reading the proxy: 403 Forbidden\n\tserver response: no\n# example.com/a\n./a.go:1:1: undefined: x\n"
	if got := withoutProgress(in); got != want {
		t.Errorf("got %q", got)
	}
}

// TestLines: each line is told once, whole, and as soon as it ends.
func TestLines(t *testing.T) {
	var got []string
	l := &lines{told: func(s string) { got = append(got, s) }}
	for _, s := range []string{"a", "b\nc", "", "\n\nd"} {
		if n, err := l.Write([]byte(s)); n != len(s) || err != nil {
			t.Error(n, err)
		}
	}
	if strings.Join(got, "|") != "ab|c|" {
		t.Errorf("%q", got)
	}
	if l.Write(bytes.Repeat([]byte("x"), 200<<10)); len(l.rest) > 64<<10 {
		t.Error("a line without end is kept")
	}
}
