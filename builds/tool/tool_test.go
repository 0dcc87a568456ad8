package tool

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/buildstest"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/memo"
	"golang.org/x/mod/sumdb/dirhash"
)

// bench is a module proxy in a directory, with a program in a module that needs
// another module, and what fetches it.
type bench struct {
	Config
	t     *testing.T
	known Known
	proxy string
	built int
}

const neededMod = "module example.com/needed\n\ngo 1.21\n"

const program = `package main

import (
	"os"

	"example.com/needed"
)

func main() {
	println(needed.Word)
	if len(os.Args) > 1 {
		if err := os.WriteFile(os.Args[1], nil, 0o644); err != nil {
			os.Exit(3)
		}
	}
}
`

func newBench(t *testing.T) *bench {
	b := &bench{t: t, proxy: t.TempDir()}
	sum := b.serveNeeded("built from what was pinned")
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(neededMod)), nil })
	if err != nil {
		t.Fatal(err)
	}
	b.known = Known{Name: "prog", Module: "example.com/prog", Version: "v1.2.3", Package: "./cmd/prog", Go: "go1.21.0"}
	b.known.Sum = b.serve("example.com/prog", "v1.2.3", map[string]string{
		"go.mod":           "module example.com/prog\n\ngo 1.21\n\nrequire example.com/needed v1.0.0\n",
		"go.sum":           "example.com/needed v1.0.0 " + sum + "\nexample.com/needed v1.0.0/go.mod " + modSum + "\n",
		"cmd/prog/main.go": program,
	})
	host, err := buildstest.Host()
	if err != nil {
		t.Fatal(err)
	}
	b.Config = Config{
		Fetcher: &toolchain.Fetcher{
			Go: filepath.Join(host[0], "bin", exe("go")), Place: buildstest.New(t, nil).Place,
			Settings: toolchain.Settings{GOPROXY: toolchain.FileProxy(b.proxy), GOSUMDB: "off"},
		},
		Goroot: buildstest.Goroot(t), GoCache: host[2], Cache: filepath.Join(t.TempDir(), "tools"),
		Known: &memo.Store{Dir: filepath.Join(t.TempDir(), "known"), Secret: []byte("secret")}, Confined: new(confine.Log),
		Said: func(string) { b.built++ },
	}
	t.Cleanup(func() { buildstest.Writable(b.Fetcher.Place.ModCache) })
	return b
}

func (b *bench) serveNeeded(word string) string {
	return b.serve("example.com/needed", "v1.0.0", map[string]string{"go.mod": neededMod, "a.go": "package needed\n\nconst Word = \"" + word + "\"\n"})
}

// serve has the proxy give a module, and returns its h1.
func (b *bench) serve(path, version string, files map[string]string) string {
	b.t.Helper()
	dir := filepath.Join(b.proxy, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	name := filepath.Join(dir, version+".zip")
	f, err := os.Create(name)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	for name, data := range files {
		out, err := w.Create(path + "@" + version + "/" + name)
		if err == nil {
			_, err = io.WriteString(out, data)
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	for ext, data := range map[string]string{".mod": files["go.mod"], ".info": `{"Version":"` + version + `","Time":"2026-01-02T03:04:05Z"}`} {
		if err := os.WriteFile(filepath.Join(dir, version+ext), []byte(data), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	sum, err := dirhash.HashZip(name, dirhash.Hash1)
	if err != nil {
		b.t.Fatal(err)
	}
	return sum
}

// fetch is what a run does. It has a private directory of its own, and a new module cache.
func (b *bench) fetch() (*Program, error) {
	b.Work = b.t.TempDir()
	place := *b.Fetcher.Place
	place.ModCache = filepath.Join(b.Work, "modules")
	b.Fetcher.Place = &place
	b.t.Cleanup(func() { buildstest.Writable(b.Work) })
	return Fetch(b.t.Context(), b.Config, b.known)
}

// says runs a program in a directory of its own.
func (b *bench) says(p *Program, args ...string) (string, error) {
	res, err := toolchain.Run(b.t.Context(), p.Command(b.t.TempDir(), args...))
	return strings.TrimSpace(string(res.Stderr)), err
}

// only is the one kept program.
func (b *bench) only() string {
	b.t.Helper()
	found, err := filepath.Glob(filepath.Join(b.Cache, "prog-v1.2.3-*", exe("prog")))
	if err != nil || len(found) != 1 {
		b.t.Fatalf("kept: %q, %v", found, err)
	}
	return found[0]
}

func TestFetch(t *testing.T) {
	b := newBench(t)
	get := func(when string, built int) *Program {
		t.Helper()
		p, err := b.fetch()
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if out, err := b.says(p, "written"); err != nil || out != "built from what was pinned" {
			t.Errorf("%s: it says %q, %v", when, out, err)
		}
		if b.built != built {
			t.Errorf("%s: built %d times, want %d", when, b.built, built)
		}
		return p
	}
	p := get("first", 1)
	if got, want := p.String(), "prog v1.2.3 "+b.known.Sum; got != want {
		t.Errorf("it is recorded as %q, want %q", got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(p.Path), "modcache")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if state := b.Confined.State(); state.Held() {
		if _, err := b.says(p, filepath.Join(b.t.TempDir(), "elsewhere")); err == nil {
			t.Error("it could write into a directory that is not its own")
		}
	}
	if err := os.RemoveAll(b.proxy); err != nil {
		t.Fatal(err)
	}
	get("kept, without a network", 1)

	if err := os.WriteFile(b.only(), []byte("#!/bin/sh\necho built from what was pinned >&2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if p, err := b.fetch(); err == nil {
		t.Errorf("a program that somebody put into the cache was taken: %v", p)
	}

	b = newBench(t)
	get("first", 1)
	if err := os.WriteFile(b.only(), []byte("altered"), 0o755); err != nil {
		t.Fatal(err)
	}
	get("altered", 2)
	b.Known = &memo.Store{Dir: b.Known.Dir, Secret: []byte("another")}
	get("with another secret", 3)
	b.Known = nil
	get("without a secret", 4)
}

func TestFetchRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		change     func(b *bench)
	}{
		{"another module of that version", "and mintmark takes no other than h1:", func(b *bench) {
			b.serve("example.com/prog", "v1.2.3", map[string]string{"go.mod": "module example.com/prog\n", "cmd/prog/main.go": "package main\n\nfunc main() { println(1) }\n"})
		}},
		{"another module that it needs", "checksum mismatch", func(b *bench) { b.serveNeeded("altered") }},
		{"an old toolchain", "it is built with go1.999 or newer", func(b *bench) { b.known.Go = "go1.999" }},
		{"no such version", "module example.com/prog@v1.2.4", func(b *bench) { b.known.Version = "v1.2.4" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			tt.change(b)
			if _, err := b.fetch(); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "prog v1.2.") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if kept, _ := filepath.Glob(filepath.Join(b.Cache, "prog-*")); len(kept) > 0 {
				t.Errorf("kept: %q", kept)
			}
		})
	}
}
