package compare

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
)

// The two places share no directory, and no circumstance that can be varied.
func TestPlacesShareNothing(t *testing.T) {
	run, cache := t.TempDir(), t.TempDir()
	first := First(filepath.Join(run, "first"), filepath.Join(cache, "first"), "/usr/bin/git")
	fresh := Second(filepath.Join(run, "second"), "", "/usr/bin/git")
	kept := Second(filepath.Join(run, "second"), filepath.Join(cache, "second"), "/usr/bin/git")
	for _, second := range []*toolchain.Place{fresh, kept} {
		shareNothing(t, first, second)
	}
	// What is kept is modules, nothing else.
	if strings.HasPrefix(fresh.ModCache, cache) || !strings.HasPrefix(kept.ModCache, cache) {
		t.Errorf("modules in %s and %s", fresh.ModCache, kept.ModCache)
	}
	for _, dir := range []string{kept.Home, kept.Tmp, kept.GoCache, kept.Empty} {
		if !strings.HasPrefix(dir, run) {
			t.Errorf("%s outlives the release", dir)
		}
	}
}

func shareNothing(t *testing.T, first, second *toolchain.Place) {
	t.Helper()
	a := []string{first.Home, first.Tmp, first.GoCache, first.ModCache, first.Empty}
	b := []string{second.Home, second.Tmp, second.GoCache, second.ModCache, second.Empty}
	for i, x := range a {
		for j, y := range b {
			if x == y || strings.HasPrefix(x, y+"/") || strings.HasPrefix(y, x+"/") {
				t.Errorf("%s and %s", x, y)
			}
			if i == j && len(x) == len(y) {
				t.Errorf("%s and %s have the same length", x, y)
			}
		}
	}
	if first.TimeZone == second.TimeZone || first.Language == second.Language || first.MaxProcs == second.MaxProcs || first.Umask == second.Umask ||
		second.Hostname == "" || first.Hostname != "" || first.OtherUser == second.OtherUser {
		t.Errorf("%+v\n%+v", first, second)
	}
	// What differs is found out when they are used; these are meant to.
	env := map[string]string{}
	for _, kv := range first.Env(nil, "off") {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	for _, kv := range second.Env(nil, "off") {
		name, value, _ := strings.Cut(kv, "=")
		if c := fact.Circumstance(name); slices.Contains(fact.Variables(), c) && c != fact.Path && env[name] == value {
			t.Errorf("%s is %s in both", name, value)
		}
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	put := func(name, data string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	a, same, longer, other, empty := put("a", "12345"), put("same", "12345"), put("longer", "123456"), put("other", "12344"), put("empty", "")
	if v, err := Check(t.Context(), a, same, bindiff.Known{}); err != nil || v.Verdict != fact.Identical || v.Diff != nil || v.Reason != "" {
		t.Errorf("equal files: %+v, %v", v, err)
	}
	for _, f := range []string{longer, other, empty} {
		for _, pair := range [][2]string{{a, f}, {f, a}} {
			if v, err := Check(t.Context(), pair[0], pair[1], bindiff.Known{}); err != nil || v.Verdict != fact.Different || v.Diff == nil {
				t.Errorf("%s: %+v, %v", filepath.Base(f), v, err)
			}
		}
	}
	// What could not be compared is never identical.
	for _, pair := range [][2]string{{a, filepath.Join(dir, "missing")}, {filepath.Join(dir, "missing"), a}} {
		v, err := Check(t.Context(), pair[0], pair[1], bindiff.Known{})
		if !errors.Is(err, fs.ErrNotExist) || v.Verdict != fact.Unchecked || v.Reason == "" {
			t.Errorf("missing file: %+v, %v", v, err)
		}
	}
	if v, err := Check(t.Context(), a, dir, bindiff.Known{}); err == nil || v.Verdict != fact.Unchecked {
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
