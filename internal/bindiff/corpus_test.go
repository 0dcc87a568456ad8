package bindiff

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin"
)

var (
	trim    = []string{"-trimpath"}
	gitInit = []string{"init -q", "add .", "commit -q -m one"}
)

func with(list []string, more ...string) []string { return append(slices.Clone(list), more...) }

// flip changes one byte in the middle of a section.
func flip(name string) func(*testing.T, []byte) []byte {
	return func(t *testing.T, b []byte) []byte {
		f, err := gobin.Parse(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		s := f.Section(name)
		if s == nil {
			t.Fatalf("no section %s", name)
		}
		b[s.Offset+s.Size/2] ^= 0x20
		return b
	}
}

// The corpus: pairs of builds that differ in one thing.
var corpus = []struct {
	name       string
	a, b       variant
	want       string
	confidence Confidence
	also       []string // further causes that may be certain
	linuxOnly  bool
}{
	{"directory", variant{dir: "one"}, variant{dir: "two"}, "build-path", Certain, nil, false},
	{"directory of another length", variant{dir: "one"}, variant{dir: "another"}, "build-path", Certain, nil, true},
	{"trimpath", variant{args: trim}, variant{}, "build-path", Certain, nil, true},
	{"ldflags spelling", variant{args: with(trim, "-ldflags=-s -w")}, variant{args: with(trim, "-ldflags=-w -s")}, "flag-spelling", Certain, nil, false},
	{"dead -X", variant{args: with(trim, "-ldflags=-X main.missing=1")}, variant{args: with(trim, "-ldflags=-X main.missing=2")}, "flag-spelling", Certain, nil, false},
	{"comment in main", variant{args: trim}, variant{args: trim, files: map[string]string{"main.go": fixtureFiles()["main.go"] + "\n// the end\n"}}, "main-package-comment-only", Likely, nil, false},
	{"tags", variant{args: trim}, variant{args: with(trim, "-tags=extra")}, "build-tags", Certain, nil, false},
	{"order of tags", variant{args: with(trim, "-tags=aa,bb")}, variant{args: with(trim, "-tags=bb,aa")}, "build-tags", Certain, nil, true},
	{"GOAMD64", variant{args: trim}, variant{args: trim, env: []string{"GOAMD64=v3"}}, "microarchitecture", Certain, nil, true},
	{"godebug line", variant{args: trim}, variant{args: trim, files: map[string]string{"go.mod": fixtureFiles()["go.mod"] + "\ngodebug panicnil=1\n"}}, "godebug-default", Certain, nil, true},
	{"CGO_ENABLED", variant{args: trim}, variant{args: trim, env: []string{"CGO_ENABLED=1"}}, "cgo-enabled", Certain, nil, true},
	{"strip", variant{args: trim}, variant{args: with(trim, "-ldflags=-s -w")}, "strip-flags", Certain, nil, false},
	{"stamp missing", variant{args: trim, git: gitInit}, variant{args: with(trim, "-buildvcs=false"), git: gitInit}, "vcs-missing", Certain, nil, false},
	{"dirty", variant{args: trim, git: gitInit}, variant{args: trim, git: gitInit, after: func(dir string) {
		_ = os.WriteFile(filepath.Join(dir, "untracked"), nil, 0o644) // the comparison notices if it failed
	}}, "vcs-dirty", Certain, nil, true},
	{"other commit", variant{args: trim, git: gitInit}, variant{args: trim, git: with(gitInit, "commit -q --allow-empty -m two")}, "vcs-revision", Certain, nil, true},
	{"tag", variant{args: trim, git: gitInit}, variant{args: trim, git: with(gitInit, "tag v1.2.3")}, "version-stamp", Certain, nil, true},
	{"file instead of package", variant{args: trim}, variant{args: with(trim, "-buildvcs=false", "main.go")}, "package-path", Certain, nil, true},
	{"dependency", variant{args: trim}, variant{args: trim, files: map[string]string{"go.mod": strings.Replace(fixtureFiles()["go.mod"], "v1.0.0", "v1.0.1", 1)}}, "module-version", Certain, nil, true},
	{"replace", variant{args: trim}, variant{args: trim, files: map[string]string{"go.mod": fixtureFiles()["go.mod"] + "\nreplace example.com/Dep => ./replaced\n"}}, "replace-path", Certain, nil, true},
	{"ldflags value", variant{args: []string{"-ldflags=-X main.version=1 -s"}}, variant{args: []string{"-ldflags=-X main.version=2 -s"}}, "ldflags-value", Certain, []string{"build-path"}, true},
	{"edited", variant{args: trim}, variant{args: trim, edit: flip(".gopclntab")}, "strip-tool", Certain, nil, true},
	{"source", variant{args: trim}, variant{args: trim, files: map[string]string{"lib/lib.go": strings.ReplaceAll(fixtureFiles()["lib/lib.go"], `"lib"`, `"LIB"`)}}, "source", Likely, nil, false},
}

func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	w := newWorkshop(t)
	for _, c := range corpus {
		for _, platform := range []string{"linux/amd64", "darwin/arm64", "windows/amd64"} {
			if c.linuxOnly && platform != "linux/amd64" {
				continue
			}
			t.Run(c.name+" "+platform, func(t *testing.T) {
				a, b := w.build(t, platform, c.a), w.build(t, platform, c.b)
				d, err := Compare(t.Context(), a, b)
				if err != nil {
					t.Fatal(err)
				}
				if d.Equal || len(d.Findings) == 0 {
					t.Fatalf("no finding: %+v", d)
				}
				checkFindings(t, d, c.want, c.confidence, c.also)
				// The other way round, the same.
				r, err := Compare(t.Context(), b, a)
				if err != nil {
					t.Fatal(err)
				}
				checkFindings(t, r, c.want, c.confidence, c.also)
				if r.DifferentBytes != d.DifferentBytes || r.FirstOffset != d.FirstOffset {
					t.Errorf("not symmetrical: %+v and %+v", d, r)
				}
			})
		}
	}
}

func checkFindings(t *testing.T, d *Diff, want string, confidence Confidence, also []string) {
	t.Helper()
	top := d.Findings[0]
	if len(also) > 0 { // several are certain: the one wanted has to be among them
		for _, f := range d.Findings {
			if f.Cause == want {
				top = f
			}
		}
	}
	if top.Cause != want || top.Confidence != confidence || len(top.Evidence) == 0 || top.Remedy == "" {
		t.Errorf("finding %+v, want %s, %s\nall of it: %+v", top, want, confidence, d)
	}
	for _, f := range d.Findings {
		if f.Confidence == Certain && f.Cause != want && !slices.Contains(also, f.Cause) {
			t.Errorf("%s is called certain: %q", f.Cause, f.Evidence)
		}
		if !slices.Contains(Causes(), f.Cause) {
			t.Errorf("cause %q is not listed", f.Cause)
		}
	}
	if len(d.Notes) > 0 {
		t.Errorf("notes: %q", d.Notes)
	}
	if (want == "flag-spelling" || want == "main-package-comment-only") && d.UnexplainedBytes != 0 {
		t.Errorf("%d bytes unexplained", d.UnexplainedBytes)
	}
}

// TestTwins: what must not matter gives equal files, so no finding.
func TestTwins(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	w := newWorkshop(t)
	for _, platform := range []string{"linux/amd64", "darwin/arm64", "windows/amd64"} {
		a := w.build(t, platform, variant{dir: "one", args: trim})
		b := w.build(t, platform, variant{dir: "two", args: trim, env: []string{"TZ=Asia/Tokyo", "GOMAXPROCS=1"}})
		d, err := Compare(t.Context(), a, b)
		if err != nil || !d.Equal || d.FirstOffset != -1 || len(d.Findings)+len(d.Sections)+len(d.Notes) > 0 {
			t.Errorf("%s: %+v, %v", platform, d, err)
		}
	}
}

// TestModuleCache varies the module cache, the vendor directory and GOROOT,
// which need more than another build of the same workshop.
func TestModuleCache(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	w, x := newWorkshop(t), newWorkshop(t)
	build := func(w *workshop, v variant) string { return w.build(t, "linux/amd64", v) }
	compare := func(a, b string) *Diff {
		d, err := Compare(t.Context(), a, b)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	// Without -trimpath the build directories differ too.
	checkFindings(t, compare(build(w, variant{}), build(x, variant{})), "modcache-path", Certain, []string{"build-path"})

	plain := build(w, variant{args: trim})
	vendored := build(w, variant{args: with(trim, "-mod=vendor"), after: func(dir string) {
		cmd := exec.Command("go", "mod", "vendor")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "GONOSUMDB=*", "GOMODCACHE="+w.modcache)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go mod vendor: %v\n%s", err, out)
		}
	}})
	checkFindings(t, compare(plain, vendored), "vendoring", Likely, nil)

	link := filepath.Join(t.TempDir(), "goroot")
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(strings.TrimSpace(string(out)), link); err != nil {
		t.Skip("no symbolic links")
	}
	checkFindings(t, compare(build(w, variant{}), build(w, variant{env: []string{"GOROOT=" + link}})), "goroot-path", Certain, []string{"build-path"})
}

func TestToolchain(t *testing.T) {
	const other = "go1.25.5"
	if testing.Short() || runtime.GOOS != "linux" || runtime.Version() == other {
		t.Skip("builds a program with another toolchain, on Linux")
	}
	// The toolchain comes from the user's module cache or proxy.
	cmd := exec.Command("go", "version")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN="+other)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("no toolchain %s: %v\n%s", other, err, out)
	}
	w := newWorkshop(t)
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot := filepath.Join(strings.TrimSpace(string(out)), "golang.org", "toolchain@v0.0.1-"+other+".linux-"+runtime.GOARCH)
	if _, err := os.Stat(goroot); err != nil {
		t.Skipf("%s is not where it was expected: %v", other, err)
	}
	a := w.build(t, "linux/amd64", variant{args: trim})
	b := w.build(t, "linux/amd64", variant{args: trim, tool: filepath.Join(goroot, "bin", "go")})
	d, err := Compare(t.Context(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	checkFindings(t, d, "toolchain-version", Certain, nil)
}

// TestSignature: a Mach-O file that was signed again differs nowhere else.
func TestSignature(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	w := newWorkshop(t)
	a := w.build(t, "darwin/arm64", variant{args: trim})
	b := w.build(t, "darwin/arm64", variant{args: trim, edit: flip("(code signature)")})
	d, err := Compare(t.Context(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	checkFindings(t, d, "code-signature", Certain, nil)
	if d.DifferentBytes != 1 || d.UnexplainedBytes != 0 {
		t.Errorf("%+v", d)
	}
}
