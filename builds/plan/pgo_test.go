package plan

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/buildstest"
)

// cpuProfile is a profile of one stack, the innermost function first.
// TestPGOFreshness: functions are looked for in the planned packages, by the
// linker's names, over all units that the profile optimises.
func TestPGOFreshness(t *testing.T) {
	if testing.Short() {
		t.Skip("loads the standard library")
	}
	f := newFixture(t, buildstest.Sample())
	f.Write("cmd/a/a_linux.go", "package main\n\nfunc onLinux() {}\n")
	f.Write("cmd/a/a_windows.go", "package main\n\nfunc onWindows() {}\n")
	f.Write("cmd/a/a_darwin.go", "package main\n\nfunc onDarwin() {}\n")
	for _, c := range []struct {
		hot   string
		share float64
	}{
		{"main.main", 1}, {"main.gone", 0}, {"main.onLinux", 1}, {"main.onWindows.func1", 1}, {"main.onDarwin", 0}, {"runtime.mallocgc", 1}, {"runtime.memmove", 1}, {"runtime.goneLongAgo", 0}, {"example.com/elsewhere.F", 0},
	} {
		caller := "main.main"
		if c.hot == caller {
			caller = "main.onLinux" // what calls itself in one place is not counted
		}
		f.Write("cpu.pgo", buildstest.CPUProfile(c.hot, caller))
		pl := f.planner(head + "main: ./cmd/a\nprofiles:\n  release: {platforms: [linux/amd64, windows/amd64], pgo: cpu.pgo}\n  off: {platforms: [linux/arm64], pgo: off}\n")
		pl.Deps = true
		if _, err := pl.Plan(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := pl.PGOFreshness(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("%+v, %v", all, err)
		}
		got := all[0]
		if math.Abs(got.Share-c.share) > 1e-9 || got.Path != "cpu.pgo" || !slices.Equal(got.Units, []string{"release linux/amd64", "release windows/amd64"}) || got.Stale() != (c.share == 0) {
			t.Errorf("%s: %+v", c.hot, got)
		}
		if c.share == 0 && (len(got.Gone) != 1 || !strings.Contains(got.Gone[0].Function, c.hot)) {
			t.Errorf("%s: gone %+v", c.hot, got.Gone)
		}
	}
}
