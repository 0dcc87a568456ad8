package recovery

import (
	"fmt"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/goflags"
)

// TestLinkInputs: the action ID that is computed for other flags is what a link
// with these flags has.
func TestLinkInputs(t *testing.T) {
	g := hostGo(t)
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module example.com/tool\n\ngo 1.24\n", "main.go": "package main\n\nvar v string\n\nfunc main() { println(v) }\n"})
	r := testRecipe(g, testPlace(t, ""), dir, t.TempDir())
	r.vcs = false
	if _, err := r.build(t.Context(), "first", goflags.Flag{}); err != nil {
		t.Fatal(err)
	}
	in, err := r.inputs(t.Context(), "first", goflags.Flag{})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"", "-s", "-s -w", "-w -s", "-s -w -X main.v=1", "-s -w -X=main.v=1", "-X 'main.v=a b' -w", "-w -X main.none="} {
		flags, err := goflags.Split(text)
		if err != nil {
			t.Fatal(err)
		}
		flag, err := candidate{Flags: flags}.flag()
		if err != nil {
			t.Fatal(err)
		}
		made, err := r.build(t.Context(), fmt.Sprint(i), flag)
		if err != nil {
			t.Fatal(err)
		}
		f, err := gobin.Open(made.Path)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if got := in.ActionID(flags); got != f.BuildIDParts()[0] {
			t.Errorf("%q: computed %s, linked %s", text, got, f.BuildIDParts()[0])
		}
	}
	if got := in.Ignored([]string{"-s", "-X", "main.v=1", "-X=runtime.x=2", "-X", "example.com/gone.v=a.b=c"}); len(got) != 1 || got[0] != "example.com/gone.v" {
		t.Errorf("ignored: %q", got)
	}
	r.claim.Package = "example.com/other"
	if _, err := r.inputs(t.Context(), "first", goflags.Flag{}); err == nil {
		t.Error("another package was found")
	}
	if _, err := newLinkInputs([]string{"salt", "link\n", "rest"}); err == nil {
		t.Error("a link without flags was read")
	}
}
