package diff

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// TestReleases compares a published release with copies of it: identical only
// when every file is, the ones about the release included.
func TestReleases(t *testing.T) {
	golden := filepath.Join("..", "..", "checksums", "testdata", "golden")
	copied := func() string {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(golden)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, c := range []struct {
		name   string
		change func(dir string) error
		file   bool // compare the two release.json only
		want   fact.Verdict
	}{
		{"nothing", func(string) error { return nil }, false, fact.Identical},
		{"checksums", func(dir string) error { return os.WriteFile(filepath.Join(dir, "checksums.txt"), []byte("x"), 0o644) }, false, fact.Different},
		{"signature", func(dir string) error { return os.Remove(filepath.Join(dir, "provenance.sigstore.json")) }, false, fact.Different},
		{"extra file", func(dir string) error { return os.WriteFile(filepath.Join(dir, "extra"), nil, 0o644) }, false, fact.Different},
		{"manifests alone", func(dir string) error {
			for _, name := range []string{"checksums.txt", "release.json"} {
				if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, "kept-"+name)); err != nil {
					return err
				}
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				return err
			}
			for _, e := range entries {
				if e.Name() != "kept-release.json" {
					if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
						return err
					}
				}
			}
			return os.Rename(filepath.Join(dir, "kept-release.json"), filepath.Join(dir, "release.json"))
		}, true, fact.Unchecked},
	} {
		a, b := copied(), copied()
		if err := c.change(b); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if c.file {
			a, b = filepath.Join(a, "release.json"), filepath.Join(b, "release.json")
		}
		r, err := Compare(t.Context(), a, b, t.TempDir())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if r.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", c.name, r.Verdict, c.want, r.Files)
		}
	}
}
