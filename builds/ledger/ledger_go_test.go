package ledger

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/actions"
)

// TestMain lets the test binary stand in for a compiler that is not
// deterministic: as -toolexec, which cmd/go leaves out of its action IDs.
func TestMain(m *testing.M) {
	if pkg := os.Getenv("MINTMARK_TEST_PERTURB"); pkg != "" && len(os.Args) > 1 {
		os.Exit(perturb(pkg, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// perturb runs a tool, and appends a byte to what the compiler or the packer
// leaves of the package.
func perturb(pkg string, args []string) int {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return 1
	}
	tool := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	if os.Getenv("TOOLEXEC_IMPORTPATH") != pkg || tool != "compile" || slices.Contains(args, "-V=full") {
		return 0
	}
	i := slices.Index(args, "-o")
	f, err := os.OpenFile(args[i+1], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return 1
	}
	defer f.Close()
	if _, err := f.WriteString("\n"); err != nil {
		return 1
	}
	return 0
}

// goBench builds a real module with the real go command in two places.
type goBench struct {
	t         *testing.T
	src, work string
	toolchain string // "" for the one on PATH
	cfg       Config
	perturbed string // package that the second place compiles differently
	n         int
}

func newGoBench(t *testing.T, toolchain string) *goBench {
	t.Helper()
	b := &goBench{t: t, src: t.TempDir(), work: t.TempDir(), toolchain: toolchain}
	b.cfg = Config{Dir: t.TempDir(), Toolchain: "tc", Sum: "h1:abc=", Secret: secret, Run: "r"}
	b.write("go.mod", "module example.com/m\n\ngo 1.21\n")
	b.write("main.go", "package main\n\nimport \"example.com/m/lib\"\n\nfunc main() { println(lib.X()) }\n")
	b.write("lib/lib.go", "package lib\n\nimport \"example.com/m/low\"\n\nfunc X() int { return low.Y() + 1 }\n")
	b.write("low/low.go", "package low\n\nfunc Y() int { return 1 }\n")
	return b
}

func (b *goBench) write(name, text string) {
	b.t.Helper()
	name = filepath.Join(b.src, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// build runs go build with a build cache and returns its action graph and binary.
func (b *goBench) build(cache string, args ...string) (actions.Graph, []byte) {
	b.t.Helper()
	b.n++
	out := filepath.Join(b.t.TempDir(), "out.exe")
	cmd := exec.Command("go", append(append([]string{"build", "-trimpath", "-debug-actiongraph=" + out + ".json", "-o", out}, args...), ".")...)
	cmd.Dir = b.src
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOCACHE="+cache)
	if b.toolchain != "" {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+b.toolchain)
	}
	if len(args) > 0 {
		cmd.Env = append(cmd.Env, "MINTMARK_TEST_PERTURB="+b.perturbed)
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("%v\n%s", err, text)
	}
	g, err := actions.Load(out + ".json")
	if err != nil {
		b.t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		b.t.Fatal(err)
	}
	return g, data
}

// release builds in both places, the second one seeded, and records.
func (b *goBench) release() (Counts, *Recorder, []string) {
	b.t.Helper()
	l, err := Open(b.cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	cacheA := filepath.Join(b.work, "first")
	cacheB, err := os.MkdirTemp(b.work, "second")
	if err != nil {
		b.t.Fatal(err)
	}
	rec := l.NewRecorder(cacheA, cacheB)
	u := Unit{ID: "u", Platform: runtime.GOOS + "/" + runtime.GOARCH, Unprovable: func(string) bool { return false }}
	g1, bin1 := b.build(cacheA)
	if err := rec.Seed(b.t.Context(), u, g1); err != nil {
		b.t.Fatal(err)
	}
	var args []string
	if b.perturbed != "" {
		exe, err := os.Executable()
		if err != nil {
			b.t.Fatal(err)
		}
		args = []string{"-toolexec=" + exe}
	}
	g2, bin2 := b.build(cacheB, args...)
	if err := rec.Record(b.t.Context(), u, g1, g2); err != nil {
		b.t.Fatal(err)
	}
	if b.perturbed == "" && !bytes.Equal(bin1, bin2) {
		b.t.Error("the binaries differ")
	}
	var compiled []string
	for _, a := range g2.Compiles() {
		if a.Executed {
			compiled = append(compiled, a.Package)
		}
	}
	t, _ := rec.Counts("u")
	return t, rec, compiled
}

// TestGoCommands: seeded caches work with the go command of old and new
// toolchains, and only what is not proven runs.
func TestGoCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds")
	}
	for _, toolchain := range []string{"", "go1.21.13", "go1.27.3"} {
		t.Run("toolchain "+toolchain, func(t *testing.T) {
			if toolchain != "" {
				cmd := exec.Command("go", "version")
				cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN="+toolchain)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Skipf("%s cannot be had: %s", toolchain, out)
				}
			}
			b := newGoBench(t, toolchain)
			counts, _, compiled := b.release()
			if counts.Executed != len(compiled) || len(compiled) < 10 || len(counts.Proven) != 0 || counts.Links != 1 {
				t.Errorf("first release: %+v, %d compiled", counts, len(compiled))
			}
			all := len(compiled)
			counts, rec, compiled := b.release()
			if len(compiled) != 0 || counts.Proven[2] != all || counts.Executed+counts.Again != 0 {
				t.Errorf("nothing changed: %+v, compiled %q", counts, compiled)
			}
			if n := len(rec.Claims("example.com/m")); n != all-3 {
				t.Errorf("%d claims of %d actions", n, all)
			}
			b.write("main.go", "package main\n\nimport \"example.com/m/lib\"\n\nfunc main() { println(lib.X() + 1) }\n")
			counts, _, compiled = b.release()
			if !slices.Equal(compiled, []string{"example.com/m"}) || counts.Executed != 1 || counts.Proven[2] != all-1 {
				t.Errorf("main changed: %+v, compiled %q", counts, compiled)
			}
		})
	}
}

// TestNondeterministicCompiler: a compiler that writes something else at any
// one package is caught there, by name, and that package is never proven.
func TestNondeterministicCompiler(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds")
	}
	warm := newGoBench(t, "")
	warm.release() // std is compiled once for all cases
	for _, c := range []struct {
		pkg     string
		follows []string // compiled in the second place since their input differs
	}{
		{"example.com/m/low", []string{"example.com/m", "example.com/m/lib", "example.com/m/low"}},
		{"example.com/m/lib", []string{"example.com/m", "example.com/m/lib"}},
		{"example.com/m", []string{"example.com/m"}},
		{"internal/goarch", nil}, // the first of all
	} {
		t.Run(c.pkg, func(t *testing.T) {
			b := newGoBench(t, "")
			b.perturbed = c.pkg
			if err := os.CopyFS(filepath.Join(b.work, "first"), os.DirFS(filepath.Join(warm.work, "first"))); err != nil {
				t.Fatal(err)
			}
			if c.follows != nil { // what is proven of std spares compiling it
				if err := os.CopyFS(b.cfg.Dir, os.DirFS(warm.cfg.Dir)); err != nil {
					t.Fatal(err)
				}
				b.write("low/low.go", "package low\n\nfunc Y() int { return 2 }\n")
				b.write("lib/lib.go", "package lib\n\nimport \"example.com/m/low\"\n\nfunc X() int { return low.Y() + 2 }\n")
				b.write("main.go", "package main\n\nimport \"example.com/m/lib\"\n\nfunc main() { println(lib.X() + 2) }\n")
			}
			releases := 2
			if c.follows == nil { // all of std is compiled each time
				releases = 1
			}
			for i := range releases {
				counts, rec, compiled := b.release()
				disputes := rec.Disputes()
				if len(disputes) != 1 || disputes[0].Package != c.pkg || disputes[0].Outputs[0] == disputes[0].Outputs[1] {
					t.Fatalf("release %d: disputes %v", i, disputes)
				}
				if !slices.Contains(compiled, c.pkg) {
					t.Errorf("release %d: the package was proven: %+v", i, counts)
				}
				if i > 0 && c.follows != nil && !slices.Equal(compiled, c.follows) {
					t.Errorf("release %d: compiled %q, want %q", i, compiled, c.follows)
				}
				for _, claim := range rec.Claims("nothing of ours") {
					if claim.Package == c.pkg {
						t.Errorf("release %d: claims %s", i, claim.Package)
					}
				}
			}
		})
	}
}
