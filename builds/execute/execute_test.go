package execute

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/buildstest"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/profiles"
)

// planner plans a profile of the module.
func planner(m *buildstest.Module, yaml string) *plan.Planner {
	m.T.Helper()
	file, err := profiles.Load("mintmark.yaml", []byte("version: 1\nproject: fx\n"+yaml))
	if err != nil {
		m.T.Fatal(err)
	}
	selected, err := file.Select(nil, nil)
	if err != nil {
		m.T.Fatal(err)
	}
	g := buildstest.Goroot(m.T)
	return &plan.Planner{
		File: file, Selected: selected, Source: &m.Source, Version: "1.2.3", Tag: m.Source.Tag(), Go: g.Toolchain.Version, Deps: true,
		Loader: &plan.Loader{Goroot: g, Place: m.Place, Settings: toolchain.Settings{GOPROXY: "off", GOSUMDB: "off"}, Dir: m.Dir, Kind: m.Source.Kind},
	}
}

func TestNoHeader(t *testing.T) {
	if name, err := header(filepath.Join(t.TempDir(), "fx.so")); err == nil {
		t.Errorf("header %s, and there is none", name)
	}
}

// TestBuild builds a unit with two programs in two places, and once wrongly.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles")
	}
	f := buildstest.New(t, buildstest.Sample())
	// No repository here.
	planned, err := planner(f, fmt.Sprintf("main: ./cmd/...\nprofiles:\n  release: {platforms: [%s/%s], buildvcs: false}\n", runtime.GOOS, runtime.GOARCH)).Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u := planned.Units[0]
	site := &Local{Label: "first", Goroot: buildstest.Goroot(t), Place: f.Place, Dir: f.Dir, Out: filepath.Join(t.TempDir(), "a b"), Kind: fact.SourceGit, Version: "v1.2.3"}
	made, err := site.Build(t.Context(), u, Pace{P: 2})
	if err != nil {
		t.Fatal(err)
	}
	built, cost := made.Products, made.Cost
	if len(built) != 2 || built[0].Main.Binary != "a" || built[1].Main.Binary != "b" || cost.CPU <= 0 {
		t.Errorf("built %v, cost %v", built, cost)
	}
	for _, b := range built {
		if out, err := exec.Command(b.Path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", b.Path, err, out)
		}
	}

	// Room for garbage changes neither an action ID nor a byte.
	roomy := site.Apart(t.TempDir(), "")
	if env := roomy.command(u, Pace{P: 1, Room: 1 << 30}).Env; !slices.Contains(env, "GOGC=400") || !slices.Contains(env, "GOMEMLIMIT=1073741824") {
		t.Errorf("environment %q", env)
	}
	if slices.ContainsFunc(site.command(u, Pace{P: 1}).Env, func(kv string) bool { return strings.HasPrefix(kv, "GOGC=") }) {
		t.Error("room that nobody gave")
	}
	again, err := roomy.Build(t.Context(), u, Pace{P: 1, Room: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	for i := range built {
		x, errX := os.ReadFile(built[i].Path)
		y, errY := os.ReadFile(again.Products[i].Path)
		if errX != nil || errY != nil || len(x) == 0 || !bytes.Equal(x, y) {
			t.Errorf("%s and %s differ: %v, %v", built[i].Path, again.Products[i].Path, errX, errY)
		}
	}
	if d := actions.Compare(made.Actions, again.Actions); len(made.Actions) == 0 || len(d) > 0 {
		t.Errorf("%d actions: %v", len(made.Actions), d)
	}

	f.Write("lib/lib.go", "package lib\n\nfunc Do(s string) { nonsense(); more() }\n")
	f.Write("cmd/b/main.go", "package main\n\nfunc main() { wrong() }\n")
	site.Out = t.TempDir()
	_, err = site.Build(t.Context(), u, Pace{P: 1})
	if err == nil {
		t.Fatal("nonsense compiles")
	}
	text := err.Error()
	for _, want := range []string{u.ID() + " (first build): go build: exit status 1\n", "lib/lib.go:3:21: undefined: nonsense", "undefined: more", "cmd/b/main.go:3:15: undefined: wrong"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if strings.Contains(text, f.Dir) {
		t.Errorf("a path of this machine: %s", text)
	}

	// A module source has another directory, or none; slashes stay.
	site.Dir, site.Kind = "", fact.SourceModule
	_, err = site.Build(t.Context(), u, Pace{P: 1})
	if err == nil || !strings.Contains(err.Error(), "example.com/fx/cmd/a@v1.2.3") {
		t.Errorf("got %v", err)
	}
}
