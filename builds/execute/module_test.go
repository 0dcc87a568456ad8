package execute

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/mintmark/mintmark/builds/buildstest"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/memo"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

// TestBuildModule fetches a module with a PGO profile and builds it twice,
// offline, in two places.
func TestBuildModule(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles")
	}
	files := buildstest.Sample()
	files["perf/cpu.pgo"] = buildstest.CPUProfile("example.com/fx/lib.hot", "main.main")
	f := buildstest.New(t, files)
	proxy := t.TempDir()
	base := filepath.Join(proxy, "example.com", "fx", "@v", "v1.2.3")
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		t.Fatal(err)
	}
	for ext, data := range map[string]string{".info": `{"Version":"v1.2.3","Time":"2026-01-02T03:04:05Z"}`, ".mod": files["go.mod"]} {
		if err := os.WriteFile(base+ext, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(base), "list"), []byte("v1.2.3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	z, err := os.Create(base + ".zip")
	if err != nil {
		t.Fatal(err)
	}
	if err := modzip.CreateFromDir(z, module.Version{Path: "example.com/fx", Version: "v1.2.3"}, f.Dir); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	slash := filepath.ToSlash(proxy)
	if runtime.GOOS == "windows" {
		slash = "/" + slash
	}
	settings := toolchain.Settings{GOPROXY: "file://" + slash, GOSUMDB: "off"}
	t.Cleanup(func() { buildstest.Writable(f.Place.ModCache) })
	src, dir, err := source.FetchModule(t.Context(), &toolchain.Fetcher{Go: buildstest.Goroot(t).Go(), Place: f.Place, Settings: settings}, "example.com/fx@v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	f.Source, f.Dir = *src, dir
	pl := planner(f, fmt.Sprintf("main: ./cmd/...\nprofiles:\n  release: {platforms: [%s/%s], pgo: perf/cpu.pgo}\n", runtime.GOOS, runtime.GOARCH))
	pl.Loader.Settings = settings
	planned, err := pl.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u := planned.Units[0]
	var binaries [2][]byte
	for i, name := range []string{"first", "second"} {
		place, loader := f.Place, pl.Loader
		if i == 1 {
			other := buildstest.New(t, nil)
			place = other.Place
			t.Cleanup(func() { buildstest.Writable(place.ModCache) })
			loader = &plan.Loader{Goroot: buildstest.Goroot(t), Place: place, Settings: toolchain.Settings{GOPROXY: f.Place.Proxy(), GOSUMDB: "off"}, Kind: fact.SourceModule}
		}
		if err := loader.FetchInstall(t.Context(), u, src.Version); err != nil {
			t.Fatal(err)
		}
		site := &Local{Label: name, Goroot: buildstest.Goroot(t), Place: place, Dir: filepath.Join(place.ModCache, source.CacheDir(src.ModulePath, src.Version)),
			Out: t.TempDir(), Kind: fact.SourceModule, Version: src.Version}
		made, err := site.Build(t.Context(), u, Pace{P: 2})
		if err != nil {
			t.Fatal(err)
		}
		built := made.Products
		if len(built) != 2 {
			t.Fatalf("built %v", built)
		}
		bi, err := buildinfo.ReadFile(built[0].Path)
		if err != nil {
			t.Fatal(err)
		}
		set := map[string]string{}
		for _, kv := range bi.Settings {
			set[kv.Key] = kv.Value
		}
		if bi.Main.Version != "v1.2.3" || bi.Main.Sum != src.Sum || set["-pgo"] != "cpu.pgo" {
			t.Errorf("%s: %+v", name, bi)
		}
		if binaries[i], err = os.ReadFile(built[0].Path); err != nil {
			t.Fatal(err)
		}
		// go install, too, links nothing that is there.
		kept := &Linked{Dir: filepath.Join(t.TempDir(), "linked"), Known: &memo.Store{Dir: t.TempDir(), Secret: []byte("of a test")}}
		p := buildOnce(t, site, u)
		if err := kept.keep(site, u, p.sums); err != nil {
			t.Fatal(err)
		}
		site.Out = filepath.Join(t.TempDir(), "out")
		if !kept.take(t.Context(), site, u) {
			t.Fatal("nothing was kept")
		}
		if again := buildOnce(t, site, u); len(again.executed) > 0 || !again.same(p) {
			t.Errorf("%s: ran again: %q", name, again.executed)
		}
	}
	if !bytes.Equal(binaries[0], binaries[1]) {
		t.Error("the two builds differ")
	}
}
