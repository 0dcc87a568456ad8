package execute

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/host"
)

// TestCircumstances: what is said to be different between two places is what
// their commands have, and nothing that only is meant to be there.
func TestCircumstances(t *testing.T) {
	out := t.TempDir()
	site := func(name string, change func(*Local)) *Local {
		dir := filepath.Join(out, name)
		s := &Local{
			Goroot: &toolchain.Goroot{Dir: filepath.Join(dir, "go")}, Dir: filepath.Join(dir, "src"), Out: out, Kind: fact.SourceGit,
			Place:  &toolchain.Place{Home: dir, Tmp: dir, GoCache: dir, ModCache: dir, Git: "/usr/bin/git", TimeZone: "UTC", Language: "C"},
			Origin: fact.Circumstances{fact.GitClone: dir},
		}
		if change != nil {
			change(s)
		}
		return s
	}
	unit := &plan.Unit{Profile: "p", Platform: "linux/amd64", Env: []string{"CGO_ENABLED=0"}, Flags: []string{"-buildvcs=true"}, Mains: []fact.Main{{Package: "x"}}}
	compare := func(u *plan.Unit, a, b *Local) fact.Compared {
		var both []fact.Circumstances
		for _, s := range []*Local{a, b} {
			both = append(both, s.circumstances(u, s.command(u, Pace{P: 1}), host.Identify()))
		}
		return fact.Compare([][]fact.Circumstances{both})
	}
	has := func(what string, list []string, c fact.Circumstance, want bool) {
		t.Helper()
		if slices.Contains(list, string(c)) != want {
			t.Errorf("%s: %q in %q: want %t", what, c, list, want)
		}
	}

	got := compare(unit, site("one", nil), site("two", nil))
	for _, c := range []fact.Circumstance{fact.Home, fact.TmpDir, fact.GoCache, fact.GoModCache, fact.Goroot, fact.Directory, fact.GitClone} {
		has("two places", got.Varied, c, true)
	}
	for _, c := range []fact.Circumstance{fact.TimeZone, fact.Language, fact.User, fact.GoMaxProcs, fact.Path, fact.Git, fact.HostName, fact.Kernel, fact.Machine, fact.FileSystem} {
		has("two places", got.Shared, c, true)
	}
	for _, list := range [][]string{got.Varied, got.Attempted, got.Shared} {
		has("a unit without cgo", list, fact.CCompiler, false)
		has("a git clone", list, fact.ModuleZip, false)
	}
	// Each of them follows from what the place is like.
	for c, change := range map[fact.Circumstance]func(*Local){
		fact.TimeZone:   func(s *Local) { s.Place.TimeZone = "Asia/Kathmandu" },
		fact.Language:   func(s *Local) { s.Place.Language = "C.UTF-8" },
		fact.User:       func(s *Local) { s.Place.OtherUser = true },
		fact.GoMaxProcs: func(s *Local) { s.Place.MaxProcs = 3 },
	} {
		has("changed", compare(unit, site("one", nil), site("two", change)).Varied, c, true)
	}
	asked := compare(unit, site("one", nil), site("two", func(s *Local) { s.Place.Hostname = "other" }))
	has("a host name that was asked for", asked.Attempted, fact.HostName, true)

	// A module from the proxy: no clone, no git, one zip.
	zip := func(s *Local) { s.Kind, s.Origin = fact.SourceModule, fact.Circumstances{fact.ModuleZip: "h1:x"} }
	got = compare(unit, site("one", zip), site("two", zip))
	has("a module", got.Shared, fact.ModuleZip, true)
	for _, c := range []fact.Circumstance{fact.GitClone, fact.Git} {
		has("a module", slices.Concat(got.Varied, got.Attempted, got.Shared), c, false)
	}
	cgo := *unit
	cgo.Env = []string{"CGO_ENABLED=1", "CC=gcc"}
	has("cgo", compare(&cgo, site("one", nil), site("two", nil)).Shared, fact.CCompiler, true)
}
