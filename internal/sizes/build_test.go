package sizes

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var built struct {
	sync.Mutex
	dir   string
	files map[string]string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// goroot is where a toolchain is; the test is skipped when it cannot be had.
func goroot(t testing.TB, version string) string {
	t.Helper()
	cmd := exec.Command("go", "env", "GOROOT")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN="+version)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Skipf("no toolchain %s: %v\n%s", version, err, out)
	}
	return strings.TrimSpace(string(out))
}

// build is one build of the fixture.
type build struct {
	toolchain string // "local" or exact
	platform  string // GOOS/GOARCH
	strip     bool
	flags     string // further flags of go build
}

func (b build) String() string { return b.toolchain + " " + b.platform + " " + b.flags }

// fixture builds the fixture once per test run and returns the path.
func fixture(t testing.TB, b build) string {
	t.Helper()
	return program(t, "fixture", b)
}

// program is the same for the program in a directory of testdata.
func program(t testing.TB, dir string, b build) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	built.Lock()
	defer built.Unlock()
	key := b.String()
	if b.strip {
		key += " stripped"
	}
	if dir != "fixture" {
		key += " " + dir
	}
	if p, ok := built.files[key]; ok {
		return p
	}
	if built.dir == "" {
		tmp, err := os.MkdirTemp("", "mintmark-sizes-")
		if err != nil {
			t.Fatal(err)
		}
		built.dir, built.files = tmp, map[string]string{}
	}
	version := b.toolchain
	if version != "local" {
		goroot(t, version)
	}
	out := filepath.Join(built.dir, strings.NewReplacer("/", "_", " ", "_", "=", "_").Replace(key))
	args := []string{"build", "-trimpath", "-buildvcs=false", "-o", out}
	if b.strip {
		args = append(args, "-ldflags=-s -w")
	}
	args = append(args, strings.Fields(b.flags)...)
	goos, goarch, _ := strings.Cut(b.platform, "/")
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = filepath.Join("testdata", dir)
	if dir == "embeds" || dir == "grown" {
		cmd.Dir = filepath.Join(built.dir, dir+".src")
		if err := makeEmbeds(cmd.Dir, dir == "grown"); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN="+version, "GOWORK=off", "GOEXPERIMENT=", "CGO_ENABLED=0", "GOPROXY=off", "GOOS="+goos, "GOARCH="+goarch)
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build (%s): %v\n%s", key, err, msg)
	}
	built.files[key] = out
	return out
}

// analyzed analyses a file and checks the invariant.
func analyzed(t testing.TB, path string, opts Options) *Breakdown {
	t.Helper()
	l, err := Analyze(context.Background(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if l.Packed == "" && l.Size != st.Size() {
		t.Fatalf("%s: %d bytes analysed of %d", path, l.Size, st.Size())
	}
	return l
}
