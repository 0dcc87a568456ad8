package gobin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// goCommand runs the go command with nothing of the user's settings but the
// build cache, and returns its standard output.
func goCommand(t testing.TB, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off", "GOEXPERIMENT=", "CGO_ENABLED=0", "PWD="+dir)
	cmd.Env = append(cmd.Env, env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// platforms are the formats a Go program can have.
var platforms = []struct {
	name   string // GOOS/GOARCH
	format Format
}{
	{"linux/amd64", ELF}, {"linux/arm", ELF}, {"linux/mips", ELF}, {"linux/s390x", ELF},
	{"darwin/arm64", MachO}, {"darwin/amd64", MachO},
	{"windows/amd64", PE}, {"windows/386", PE},
	{"wasip1/wasm", Wasm}, {"aix/ppc64", XCOFF}, {"plan9/amd64", Plan9},
}

var built struct {
	sync.Mutex
	dir   string
	files map[string][]byte
}

// fixture builds a small program for a platform, once per test run, and
// returns the binary. It does not import fmt, to keep the builds small.
func fixture(t testing.TB, platform string, args ...string) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	built.Lock()
	defer built.Unlock()
	key := platform + " " + strings.Join(args, " ")
	if b := built.files[key]; b != nil {
		return b
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.com/fixture\n\ngo 1.24\n")
	write("main.go", "package main\n\nvar value = \"none\"\n\nfunc main() { println(\"hello\", value) }\n")
	goos, goarch, _ := strings.Cut(platform, "/")
	out := filepath.Join(dir, "fixture.bin")
	goCommand(t, dir, []string{"GOOS=" + goos, "GOARCH=" + goarch}, append(append([]string{"build", "-trimpath", "-o", out}, args...), ".")...)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if built.files == nil {
		built.files = map[string][]byte{}
	}
	built.files[key] = b
	return b
}

// onDisk writes b to a file and returns its path.
func onDisk(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
