package execute

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/toolchain"
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
