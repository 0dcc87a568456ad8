package source_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

// proxy is a GOPROXY directory made by the test.
type proxy struct {
	t   *testing.T
	dir string
}

func newProxy(t *testing.T) *proxy { return &proxy{t, t.TempDir()} }

func (p *proxy) add(path, version, info, gomod string) *proxy {
	p.t.Helper()
	base := filepath.Join(p.dir, filepath.FromSlash(path), "@v", version)
	src := p.t.TempDir()
	put := func(name, data string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	put(base+".info", info)
	put(base+".mod", gomod)
	put(filepath.Join(src, "go.mod"), gomod)
	put(filepath.Join(src, "main.go"), program)
	f, err := os.Create(base + ".zip")
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	if err := modzip.CreateFromDir(f, module.Version{Path: path, Version: version}, src); err != nil {
		p.t.Fatal(err)
	}
	return p
}

func (p *proxy) fetcher() *toolchain.Fetcher {
	dir := filepath.ToSlash(p.dir)
	if runtime.GOOS == "windows" {
		dir = "/" + dir
	}
	f := &toolchain.Fetcher{Go: tool(p.t, "go"), Place: place(p.t), Settings: toolchain.Settings{
		GOPROXY: "file://" + dir, GOSUMDB: "sum.golang.org", GONOSUMDB: "example.com",
	}}
	cleanCache(p.t, f.Place.ModCache)
	return f
}

func TestFetchModule(t *testing.T) {
	p := newProxy(t)
	const hash = "0123456789abcdef0123456789abcdef01234567"
	p.add("example.com/m", "v1.2.3", `{"Version":"v1.2.3","Time":"2026-01-02T03:04:05Z","Origin":{"VCS":"git","Hash":"`+hash+`","Ref":"refs/tags/v1.2.3"}}`,
		"module example.com/m\n\ngo 1.23\n\ntoolchain go1.25.1\n")
	p.add("example.com/m", "v1.2.4-0.20260102030405-0123456789ab", `{"Version":"v1.2.4-0.20260102030405-0123456789ab","Time":"2026-01-02T04:04:05+01:00"}`, "module example.com/m\n\ngo 1.22.1\n")
	f := p.fetcher()
	s, dir, err := source.FetchModule(t.Context(), f, "example.com/m@v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if s.Kind != fact.SourceModule || s.ModulePath != "example.com/m" || s.Version != "v1.2.3" || s.Commit != hash || s.Tag() != "v1.2.3" ||
		s.Go != "go1.25.1" || s.GoLine != "1.23" || !strings.HasPrefix(s.Sum, "h1:") || !s.CommitTime.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("got %+v", s)
	}
	if s.SumDB || !slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, "exempt from the checksum database") }) {
		t.Errorf("SumDB %v, notes %q", s.SumDB, s.Notes)
	}
	if want := filepath.Join(f.Place.ModCache, source.CacheDir("example.com/m", "v1.2.3")); dir != want {
		t.Errorf("dir %s, want %s", dir, want)
	}
	if files(t, dir)["main.go"] != program {
		t.Error("the module is not there")
	}
	s, _, err = source.FetchModule(t.Context(), f, "example.com/m@v1.2.4-0.20260102030405-0123456789ab")
	if err != nil || s.Commit != "0123456789ab" || len(s.Tags) > 0 || s.Tag() != "" || s.CommitTime.Format(time.RFC3339) != "2026-01-02T03:04:05Z" {
		t.Errorf("pseudo-version: %+v, %v", s, err)
	}
}

func TestFetchModuleIncompatible(t *testing.T) {
	p := newProxy(t)
	base := filepath.Join(p.dir, "example.com", "old", "@v", "v2.0.0+incompatible")
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		t.Fatal(err)
	}
	src := t.TempDir()
	for name, data := range map[string]string{
		base + ".info": `{"Version":"v2.0.0+incompatible","Time":"2020-01-02T03:04:05Z"}`, base + ".mod": "module example.com/old\n", filepath.Join(src, "main.go"): program,
	} {
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	z, err := os.Create(base + ".zip")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if err := modzip.CreateFromDir(z, module.Version{Path: "example.com/old", Version: "v2.0.0+incompatible"}, src); err != nil {
		t.Fatal(err)
	}
	s, _, err := source.FetchModule(t.Context(), p.fetcher(), "example.com/old@v2.0.0+incompatible")
	if err != nil || s.Tag() != "v2.0.0" || s.Version != "v2.0.0+incompatible" {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestFetchModuleRefuses(t *testing.T) {
	p := newProxy(t)
	info := func(v string) string { return `{"Version":"` + v + `","Time":"2026-01-02T03:04:05Z"}` }
	p.add("example.com/replace", "v1.0.0", info("v1.0.0"), "module example.com/replace\n\nreplace example.com/x => example.com/y v1.0.0\n")
	p.add("example.com/local", "v1.0.0", info("v1.0.0"), "module example.com/local\n\nreplace example.com/x => ../x\n")
	p.add("example.com/exclude", "v1.0.0", info("v1.0.0"), "module example.com/exclude\n\nexclude example.com/x v1.0.0\n")
	p.add("example.com/timeless", "v1.0.0", `{"Version":"v1.0.0"}`, "module example.com/timeless\n")
	p.add("example.com/m", "v1.0.0", info("v1.0.0"), "module example.com/m\n")
	f := p.fetcher()
	for _, tt := range []struct{ arg, want string }{
		{"example.com/m", "exact version"},
		{"example.com/m@", "exact version"},
		{"example.com/m@latest", "exact version"},
		{"example.com/m@main", "exact version"},
		{"example.com/m@v1", "exact version"},
		{"example.com/m@v1.0", "exact version"},
		{"example.com/m@1.0.0", "exact version"},
		{"example.com/m@v1.0.0+meta", "exact version"},
		{"example.com/m@v1.0.0@v1.0.0", "exact version"},
		{"@v1.0.0", "malformed"},
		{"-x@v1.0.0", "malformed"},
		{"./m@v1.0.0", "malformed"},
		{"example.com/m@v2.0.0", "should be v0 or v1"},
		{"example.com/missing@v1.0.0", "example.com/missing@v1.0.0"},
		{"example.com/m@v1.0.1", "example.com/m@v1.0.1"},
		{"example.com/replace@v1.0.0", "replace or exclude"},
		{"example.com/local@v1.0.0", "replace or exclude"},
		{"example.com/exclude@v1.0.0", "replace or exclude"},
		{"example.com/timeless@v1.0.0", "does not say when"},
	} {
		s, _, err := source.FetchModule(t.Context(), f, tt.arg)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %+v, %v; want %s", tt.arg, s, err, tt.want)
			continue
		}
		if fault.Hint(err) == "" && tt.want != "does not say when" {
			t.Errorf("%s: no hint: %v", tt.arg, err)
		}
	}
	// A module whose checksum cannot be looked up is refused, not taken as it is.
	f.Settings.GONOSUMDB, f.Settings.GOSUMDB = "", "sum.golang.org http://127.0.0.1:9" // nobody answers there
	if _, _, err := source.FetchModule(t.Context(), &toolchain.Fetcher{Go: f.Go, Place: place(t), Settings: f.Settings}, "example.com/m@v1.0.0"); err == nil {
		t.Error("a module was taken without a checksum")
	}
}
