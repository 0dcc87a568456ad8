package execute

import "testing"

// TestImportPaths: what -v says is told from what is wrong.
func TestImportPaths(t *testing.T) {
	const in = "internal/goarch\nexample.com/a/b\n# example.com/a/b\n./a.go:3:1: undefined: x\ngo: no such tool\nmain.go:1:1\nexample.com/c\n"
	const want = "# example.com/a/b\n./a.go:3:1: undefined: x\ngo: no such tool\nmain.go:1:1\n"
	if got := withoutPaths(in); got != want {
		t.Errorf("%q", got)
	}
}
