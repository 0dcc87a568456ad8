package startup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// built are the programs that tests have linked so far, by name and settings:
// each once, however many tests there are.
var built struct {
	sync.Mutex
	dir   string
	paths map[string]string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// build links the fixture with some variables set ("pause=20ms") and returns its
// path. The file is everybody's: who wants to change it copies it.
func build(t testing.TB, name string, set ...string) string {
	t.Helper()
	return buildFor(t, name, nil, set...)
}

func buildFor(t testing.TB, name string, env []string, set ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	built.Lock()
	defer built.Unlock()
	key := fmt.Sprintf("%q %q %q", name, env, set)
	if path, ok := built.paths[key]; ok {
		return path
	}
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "mintmark-startup-")
		if err != nil {
			t.Fatal(err)
		}
		built.dir, built.paths = dir, map[string]string{}
	}
	out := filepath.Join(built.dir, strconv.Itoa(len(built.paths)), name)
	if err := os.Mkdir(filepath.Dir(out), 0o755); err != nil {
		t.Fatal(err)
	}
	flags := "-s -w"
	for _, s := range set {
		flags += " -X main." + s
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags="+flags, "-o", out, "./testdata/fixture")
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	cmd.Env = append(cmd.Env, env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, b)
	}
	built.paths[key] = out
	return out
}

// start is a launch of the fixture with some arguments.
func start(t testing.TB, path, ready string, args ...string) *launch {
	t.Helper()
	r, err := ParseReady(ready)
	if err != nil {
		t.Fatal(err)
	}
	return &launch{
		path: path, args: append([]string{"fixture"}, args...), ready: r, timeout: 30 * time.Second,
		capture: true, work: t.TempDir(),
	}
}

func wantError(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}
