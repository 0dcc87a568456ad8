package compare

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(name, data string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	a, same, longer, other, empty := put("a", "12345"), put("same", "12345"), put("longer", "123456"), put("other", "12344"), put("empty", "")
	if v, err := Files(t.Context(), []string{a, same}, bindiff.Known{}); err != nil || v.Verdict != fact.Identical || v.Diff != nil || v.Reason != "" {
		t.Errorf("equal files: %+v, %v", v, err)
	}
	for _, f := range []string{longer, other, empty} {
		for _, pair := range [][2]string{{a, f}, {f, a}} {
			if v, err := Files(t.Context(), pair[:], bindiff.Known{}); err != nil || v.Verdict != fact.Different || v.Diff == nil {
				t.Errorf("%s: %+v, %v", filepath.Base(f), v, err)
			}
		}
	}
	// Any number of files, of which one is another.
	for i := range 3 {
		paths := []string{a, same, same}
		paths[i] = other
		if v, err := Files(t.Context(), paths, bindiff.Known{}); err != nil || v.Verdict != fact.Different || v.Diff == nil || v.Other != max(1, i) {
			t.Errorf("%d of three: %+v, %v", i, v, err)
		}
	}
	if v, err := Files(t.Context(), []string{a, same, same}, bindiff.Known{}); err != nil || v.Verdict != fact.Identical {
		t.Errorf("three equal files: %+v, %v", v, err)
	}
	if v, err := Files(t.Context(), []string{a}, bindiff.Known{}); err != nil || v.Verdict != fact.Unchecked || v.Reason == "" {
		t.Errorf("one file: %+v, %v", v, err)
	}
	// What could not be compared is never identical.
	for _, pair := range [][2]string{{a, filepath.Join(dir, "missing")}, {filepath.Join(dir, "missing"), a}} {
		v, err := Files(t.Context(), pair[:], bindiff.Known{})
		if !errors.Is(err, fs.ErrNotExist) || v.Verdict != fact.Unchecked || v.Reason == "" {
			t.Errorf("missing file: %+v, %v", v, err)
		}
	}
	if v, err := Files(t.Context(), []string{a, dir}, bindiff.Known{}); err == nil || v.Verdict != fact.Unchecked {
		t.Errorf("a directory: %+v, %v", v, err)
	}
}

// TestDocumented: docs/causes.md explains what only a rebuild can show.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "causes.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []fact.Cause{Nondeterministic, ActionInputs} {
		if !strings.Contains(string(text), "### `"+string(c)+"`\n") {
			t.Errorf("docs/causes.md has no section %s", c)
		}
	}
}
