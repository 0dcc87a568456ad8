package plan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/buildstest"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/memo"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
)

func memory(t *testing.T) *memo.Store {
	t.Helper()
	return &memo.Store{Dir: filepath.Join(t.TempDir(), "known"), Secret: []byte("0123456789abcdef")}
}

// proxy is a module proxy in a directory.
type proxy struct {
	t   *testing.T
	dir string
	sum strings.Builder // go.sum of everything in it
}

func (p *proxy) url() string {
	slash := filepath.ToSlash(p.dir)
	if runtime.GOOS == "windows" {
		slash = "/" + slash
	}
	return "file://" + slash
}

func (p *proxy) write(name, data string) {
	p.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(data), 0o644)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *proxy) add(path, version string, files map[string]string) {
	p.t.Helper()
	base := filepath.Join(p.dir, filepath.FromSlash(path), "@v", version)
	p.write(base+".info", fmt.Sprintf(`{"Version":%q,"Time":"2026-01-02T03:04:05Z"}`, version))
	p.write(base+".mod", files["go.mod"])
	src := p.t.TempDir()
	for name, data := range files {
		p.write(filepath.Join(src, filepath.FromSlash(name)), data)
	}
	f, err := os.Create(base + ".zip")
	if err != nil {
		p.t.Fatal(err)
	}
	if err := errors.Join(modzip.CreateFromDir(f, module.Version{Path: path, Version: version}, src), f.Close()); err != nil {
		p.t.Fatal(err)
	}
	h1, err := dirhash.HashZip(base+".zip", dirhash.Hash1)
	if err != nil {
		p.t.Fatal(err)
	}
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(base + ".mod") })
	if err != nil {
		p.t.Fatal(err)
	}
	fmt.Fprintf(&p.sum, "%s %s %s\n%s %s/go.mod %s\n", path, version, h1, path, version, modSum)
}

// withDependency is a module that needs example.com/dep, which needs a module
// of which only the go.mod counts.
func withDependency(t *testing.T) (*fixture, *proxy) {
	t.Helper()
	p := &proxy{t: t, dir: t.TempDir()}
	p.add("example.com/unused", "v1.1.0", map[string]string{"go.mod": "module example.com/unused\n\ngo 1.16\n", "unused.go": "package unused\n"})
	p.add("example.com/dep", "v1.0.0", map[string]string{
		"go.mod": "module example.com/dep\n\ngo 1.16\n\nrequire example.com/unused v1.1.0\n",
		"dep.go": "package dep\n\nimport _ \"strings\"\n\nvar Version string\n", "sub/more.go": "package sub\n",
	})
	f := newFixture(t, map[string]string{
		"go.mod":          "module example.com/fx\n\ngo 1.16\n\nrequire example.com/dep v1.0.0\n",
		"go.sum":          p.sum.String(),
		"cmd/a/main.go":   "package main\n\nimport _ \"example.com/dep\"\n\nvar version string\n\nfunc main() {}\n",
		"cmd/a/tagged.go": "//go:build extra\n\npackage main\n\nimport _ \"example.com/dep/sub\"\n",
		"cmd/b/main.go":   "package main\n\nfunc main() {}\n",
		"README.md":       "read\n",
	})
	t.Cleanup(func() { buildstest.Writable(f.Place.ModCache) })
	return f, p
}

// lister is a loader for the fixture; with away, its checkout is not there,
// and asking for it fails.
func lister(f *fixture, p *proxy, known *memo.Store, away bool) *Loader {
	g := buildstest.Goroot(f.T)
	g.Toolchain.Module, g.Toolchain.Sum = "golang.org/toolchain@v0.0.1-test", "h1:test="
	l := &Loader{Goroot: g, Place: f.Place, Settings: toolchain.Settings{GOPROXY: p.url(), GOSUMDB: "off"}, Dir: f.Dir, Kind: f.Source.Kind, Known: known, Source: "git abc "}
	if away {
		l.Dir = filepath.Join(f.T.TempDir(), "not there")
		l.Ready = func(context.Context) error { return errAsked }
	}
	return l
}

var errAsked = errors.New("go has to be asked")

func TestListRemembered(t *testing.T) {
	f, p := withDependency(t)
	known := memory(t)
	env, flags := []string{"GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0"}, []string{"-trimpath"}
	list := func(l *Loader, env, flags []string, deps bool, patterns ...string) ([]*Package, error) {
		return l.List(t.Context(), env, flags, patterns, deps)
	}
	for _, deps := range []bool{true, false} {
		want, err := list(lister(f, p, known, false), env, flags, deps, "./cmd/a")
		if err != nil {
			t.Fatal(err)
		}
		away := lister(f, p, known, true)
		got, err := list(away, env, flags, deps, "./cmd/a")
		if err != nil {
			t.Fatalf("deps %v: %v", deps, err)
		}
		// The same, seen from the other checkout.
		for i, pkg := range want {
			if rel, err := filepath.Rel(f.Dir, pkg.Dir); err == nil && filepath.IsLocal(rel) {
				pkg.Dir = filepath.Join(away.Dir, rel)
			}
			if pkg.Binary() != got[i].Binary() {
				t.Errorf("binary %s, then %s", pkg.Binary(), got[i].Binary())
			}
			pkg.Target, got[i].Target = "", ""
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("deps %v: got %d packages, want %d", deps, len(got), len(want))
		}
		if deps != slices.ContainsFunc(got, func(p *Package) bool { return p.ImportPath == "example.com/dep" && p.DepOnly }) {
			t.Errorf("deps %v: %v", deps, got)
		}
	}
	// What it depends on is all in the key.
	for name, ask := range map[string]func(l *Loader) error{
		"toolchain": func(l *Loader) error {
			l.Goroot.Toolchain.Sum = "h1:other="
			_, err := list(l, env, flags, true, "./cmd/a")
			return err
		},
		"source": func(l *Loader) error {
			l.Source = "git abd "
			_, err := list(l, env, flags, true, "./cmd/a")
			return err
		},
		"no source": func(l *Loader) error {
			l.Source = ""
			_, err := list(l, env, flags, true, "./cmd/a")
			return err
		},
		"full": func(l *Loader) error {
			l.Known = &memo.Store{Dir: known.Dir, Secret: known.Secret, Full: true}
			_, err := list(l, env, flags, true, "./cmd/a")
			return err
		},
		"platform": func(l *Loader) error {
			_, err := list(l, []string{"GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0"}, flags, true, "./cmd/a")
			return err
		},
		"tags":    func(l *Loader) error { _, err := list(l, env, []string{"-tags=extra"}, true, "./cmd/a"); return err },
		"mod":     func(l *Loader) error { _, err := list(l, env, []string{"-mod=readonly"}, true, "./cmd/a"); return err },
		"pattern": func(l *Loader) error { _, err := list(l, env, flags, true, "./cmd/a", "./cmd/b"); return err },
	} {
		if err := ask(lister(f, p, known, true)); !errors.Is(err, errAsked) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

// A remembered answer counts while all it says has been fetched is there.
func TestListFetched(t *testing.T) {
	f, p := withDependency(t)
	known := memory(t)
	env := []string{"GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0"}
	list := func(away bool) error {
		_, err := lister(f, p, known, away).List(t.Context(), env, nil, []string{"./cmd/a"}, true)
		return err
	}
	download := filepath.Join(f.Place.ModCache, "cache", "download", "example.com")
	for _, name := range []string{
		filepath.Join(f.Place.ModCache, "example.com", "dep@v1.0.0"),
		filepath.Join(download, "dep", "@v", "v1.0.0.zip"),
		filepath.Join(download, "dep", "@v", "v1.0.0.ziphash"),
		filepath.Join(download, "dep", "@v", "v1.0.0.mod"),
		filepath.Join(download, "dep", "@v", "v1.0.0.info"),
		filepath.Join(download, "unused", "@v", "v1.1.0.mod"),
		f.Place.ModCache,
	} {
		if err := list(false); err != nil {
			t.Fatal(err)
		}
		if err := list(true); err != nil {
			t.Fatalf("not remembered: %v", err)
		}
		buildstest.Writable(f.Place.ModCache)
		if err := os.RemoveAll(name); err != nil {
			t.Fatal(err)
		}
		if err := list(true); !errors.Is(err, errAsked) {
			t.Errorf("without %s: %v", name, err)
		}
		buildstest.Writable(f.Place.ModCache)
		if err := os.RemoveAll(f.Place.ModCache); err != nil {
			t.Fatal(err)
		}
	}
}

// Errors are not remembered, nor what is said of files outside of the source.
func TestListNotRemembered(t *testing.T) {
	f, p := withDependency(t)
	outside := newFixture(t, map[string]string{"go.mod": "module example.com/outside\n\ngo 1.16\n", "o.go": "package outside\n"})
	f.Write("cmd/c/main.go", "package main\n\nimport _ \"example.com/nowhere\"\n\nfunc main() {}\n")
	f.Write("cmd/d/main.go", "package main\n\nimport _ \"example.com/outside\"\n\nfunc main() {}\n")
	f.Write("cmd/e/main.go", "package main\n\nfunc main() {}\n")
	f.Write("cmd/e/other.go", "package other\n")
	f.Write("go.mod", "module example.com/fx\n\ngo 1.16\n\nrequire example.com/dep v1.0.0\nrequire example.com/outside v0.0.0\nreplace example.com/outside => \""+filepath.ToSlash(outside.Dir)+"\"\n")
	known := memory(t)
	env := []string{"GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0"}
	for _, tt := range []struct {
		pattern string
		deps    bool
		fails   bool
	}{{"./cmd/c", true, true}, {"./cmd/nothing", false, true}, {"./cmd/e", false, true}, {"./cmd/e", true, true}, {"./cmd/d", true, false}, {"example.com/dep", false, false}} {
		_, err := lister(f, p, known, false).List(t.Context(), env, nil, []string{tt.pattern}, tt.deps)
		if (err != nil) != tt.fails {
			t.Errorf("%s: %v", tt.pattern, err)
		}
		if _, err := lister(f, p, known, true).List(t.Context(), env, nil, []string{tt.pattern}, tt.deps); !errors.Is(err, errAsked) {
			t.Errorf("%s is remembered: %v", tt.pattern, err)
		}
	}
}

// The go command prints paths without symbolic links; packages are found below
// the loader's own spelling all the same.
func TestListThroughLink(t *testing.T) {
	f, p := withDependency(t)
	known := memory(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(f.Dir, link); err != nil {
		t.Skip("SKIPPED: no symbolic links here:", err)
	}
	for _, source := range []string{"git abc ", ""} {
		l := lister(f, p, known, false)
		l.Dir, l.Source = link, source
		pkgs, err := l.List(t.Context(), nil, nil, []string{"./cmd/a"}, false)
		if err != nil || len(pkgs) != 1 || pkgs[0].Dir != filepath.Join(link, "cmd", "a") {
			t.Errorf("%v, %v", pkgs, err)
		}
	}
	if _, err := lister(f, p, known, true).List(t.Context(), nil, nil, []string{"./cmd/a"}, false); err != nil {
		t.Errorf("not remembered: %v", err)
	}
}

// A plan of a known source needs no checkout, and is the same.
func TestPlanRemembered(t *testing.T) {
	f, p := withDependency(t)
	f.Write("perf.pgo", buildstest.CPUProfile("main.main", "runtime.main"))
	f.Write("cmd/a/default.pgo", buildstest.CPUProfile("main.other", "runtime.main"))
	f.deps = false
	known := memory(t)
	yaml := func(more string) string {
		return head + "main: ./cmd/...\nprofiles:\n  release:\n    platforms: [linux/amd64, linux/arm64]\n    archive: tar.gz\n    files: [README.md, cmd/*/main.go]\n" + more
	}
	plan := func(yaml string, away bool) (string, error) {
		pl := f.planner(yaml)
		pl.Loader = lister(f, p, known, away)
		plan, err := pl.Plan(t.Context())
		if err != nil {
			return "", err
		}
		if len(plan.Units[0].PGO) == 0 || len(plan.Units[0].Files) != 3 {
			t.Errorf("PGO %v, files %v", plan.Units[0].PGO, plan.Units[0].Files)
		}
		return plan.ID()
	}
	for _, more := range []string{"", "    pgo: perf.pgo\n"} {
		want, err := plan(yaml(more), false)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := plan(yaml(more), true); got != want || err != nil {
			t.Errorf("plan %s, %v, want %s", got, err, want)
		}
	}
	// Problems are found anew each time.
	for _, more := range []string{"    pgo: missing.pgo\n", "    overrides:\n      - {platforms: [linux], files: [missing]}\n"} {
		if _, err := plan(yaml(more), false); err == nil {
			t.Errorf("%s: no problem", more)
		}
		if _, err := plan(yaml(more), true); !errors.Is(err, errAsked) {
			t.Errorf("%s: %v", more, err)
		}
	}
}
