package source_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fault"
)

// TestExport: the files of a commit come out as they are in it, whatever attributes
// say in it or beside it, and a link that leads out of it is refused.
func TestExport(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.module("", "example.com/m")
	want := map[string]string{
		"a.txt": "a\n", "b.md": "$Format:%H$\n", "c.c": "$Id$\n", "nested/go.mod": "module example.com/nested\n", "nested/x": "x",
		".gitattributes": "*.txt text eol=crlf\n*.md export-ignore export-subst\n*.c ident\n",
	}
	// Before git knows the attributes, so that the commit has what stands here.
	for _, name := range []string{"a.txt", "b.md", "c.c", "nested/go.mod", "nested/x", ".gitattributes"} {
		r.write(name, want[name])
		r.git("add", "-A")
	}
	r.write(".git/info/attributes", "* export-ignore\n")
	r.git("commit", "--quiet", "-m", "x")
	repo := r.mustOpen("")
	got := map[string]string{}
	err := repo.Export(t.Context(), func(list []source.File) error {
		for _, f := range list {
			rc, size, err := f.Open()
			if err != nil {
				return err
			}
			data, err := io.ReadAll(rc)
			rc.Close()
			if err != nil || int64(len(data)) != size {
				t.Errorf("%s: %d of %d bytes, %v", f.Name, len(data), size, err)
			}
			got[f.Name] = string(data)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range want {
		if got[name] != content {
			t.Errorf("%s: %q, want %q", name, got[name], content)
		}
	}
	if len(got) != len(want)+2 || got["go.mod"] == "" || got["main.go"] == "" {
		t.Errorf("%q", got)
	}
	if err := os.Symlink("../elsewhere", filepath.Join(r.dir, "out")); err != nil {
		t.Skip(err)
	}
	r.commit()
	err = r.mustOpen("").Export(t.Context(), func([]source.File) error { return nil })
	if err == nil || !strings.Contains(err.Error(), `out: is a link to "../elsewhere"`) || fault.Hint(err) == "" {
		t.Errorf("%v", err)
	}
}
