package startup

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// build links the fixture with some variables set ("pause=20ms") and returns its path.
func build(t testing.TB, name string, set ...string) string {
	t.Helper()
	return buildFor(t, name, nil, set...)
}

func buildFor(t testing.TB, name string, env []string, set ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	out := filepath.Join(t.TempDir(), name)
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

func hint(err error) string {
	for ; err != nil; err = unwrap(err) {
		if h, ok := err.(interface{ Hint() string }); ok {
			return h.Hint()
		}
	}
	return ""
}

func unwrap(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return nil
}

func wantError(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}
