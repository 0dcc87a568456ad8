package toolchain

import "testing"

// TestWithoutProgress: forty modules that were fetched are no reason.
func TestWithoutProgress(t *testing.T) {
	const in = "go: downloading example.com/a v1.0.0\ngo: downloading example.com/b v1.0.0 (checksum)\ngo: example.com/c@v1.0.0: reading the proxy: 403 Forbidden\n\tserver response: no\ngo: switching to go1.26.1\n# example.com/a\n./a.go:1:1: undefined: x\n"
	const want = "go: example.com/c@v1.0.0: reading the proxy: 403 Forbidden\n\tserver response: no\n# example.com/a\n./a.go:1:1: undefined: x\n"
	if got := withoutProgress(in); got != want {
		t.Errorf("got %q", got)
	}
}
