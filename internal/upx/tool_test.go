package upx

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/upx/upxtest"
)

func findTool(t testing.TB) *Tool {
	t.Helper()
	tool, err := Find(t.Context(), Config{Path: upxtest.Path(t)})
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

// fixture builds a small program and returns its path, in a directory of its own.
func fixture(t testing.TB, env ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module example.com/fixture\n\ngo 1.24\n",
		"main.go": "package main\n\nfunc main() { println(\"hello\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "fixture.bin")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off", "GOEXPERIMENT=", "CGO_ENABLED=0", "PWD="+dir)
	cmd.Env = append(cmd.Env, env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, b)
	}
	return out
}

// read returns a file's bytes.
func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func onlyFiles(t testing.TB, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func equalFiles(t testing.TB, a, b string) bool {
	t.Helper()
	return bytes.Equal(read(t, a), read(t, b))
}
