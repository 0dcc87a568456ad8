// Package buildstest has a small module for the tests of the rooms that plan and
// build. Only tests import it.
package buildstest

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/pgo"
)

// Host is the go command that runs the tests: GOROOT, GOVERSION and GOCACHE.
var Host = sync.OnceValues(func() ([]string, error) {
	out, err := exec.Command("go", "env", "GOROOT", "GOVERSION", "GOCACHE").Output()
	return strings.Split(strings.TrimSpace(string(out)), "\n"), err
})

// Module is a module in a directory, and a place to build it in, which has the
// build cache of the tests themselves.
type Module struct {
	T      *testing.T
	Dir    string // of the module
	Top    string // of the repository, if the module is below it
	Place  *toolchain.Place
	Source source.Source
}

// New writes the files of a module, by slash-separated name.
func New(t *testing.T, files map[string]string) *Module {
	t.Helper()
	m := &Module{T: t, Dir: filepath.Join(t.TempDir(), "a checkout")}
	for name, data := range files {
		m.Write(name, data)
	}
	env, err := Host()
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	m.Place = &toolchain.Place{
		Home: filepath.Join(tmp, "home"), Tmp: filepath.Join(tmp, "tmp"), Empty: filepath.Join(tmp, "empty"),
		GoCache: env[2], ModCache: filepath.Join(tmp, "mod"), TimeZone: "UTC", Language: "C", Umask: -1,
	}
	if err := m.Place.Make(); err != nil {
		t.Fatal(err)
	}
	m.Source = source.Source{
		Kind: fact.SourceGit, ModulePath: "example.com/fx", Version: "v1.2.3", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Commit: strings.Repeat("c", 40),
		CommitTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Tags: []string{"v1.2.3"}, GoLine: "1.23",
	}
	return m
}

// Write writes a file of the module.
func (m *Module) Write(name, data string) {
	m.T.Helper()
	name = filepath.Join(m.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		m.T.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		m.T.Fatal(err)
	}
}

// At is the module for files of another directory.
func (m *Module) At(dir string) *Module {
	other := *m
	other.Dir = dir
	return &other
}

// Goroot is the toolchain of the tests themselves.
func Goroot(t *testing.T) *toolchain.Goroot {
	t.Helper()
	env, err := Host()
	if err != nil {
		t.Fatal(err)
	}
	return &toolchain.Goroot{Dir: env[0], Toolchain: &toolchain.Toolchain{Toolchain: fact.Toolchain{Version: env[1], Host: runtime.GOOS + "/" + runtime.GOARCH}}}
}

// Main is the file of each program of [Sample].
const Main = "package main\n\nimport \"example.com/fx/lib\"\n\nvar version = \"none\"\n\nconst fixed = \"x\"\n\nfunc main() { lib.Do(version + fixed) }\n"

// Sample are the files of the module example.com/fx with two programs.
func Sample() map[string]string {
	return map[string]string{
		"go.mod":        "module example.com/fx\n\ngo 1.23\n",
		"lib/lib.go":    "package lib\n\nvar Name string\n\nvar Computed = Do(\"x\")\n\nfunc Do(s string) string { return s + Name }\n",
		"cmd/a/main.go": Main, "cmd/b/main.go": Main,
		"cmd/a/README.md": "a", "README.md": "x", "LICENSE": "x", "docs/x.md": "x",
		"unused/u.go": "package unused\n\nvar Name string\n",
	}
}

// Writable makes a module cache removable: its directories are read-only.
func Writable(dir string) {
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(path, 0o755)
		}
		return nil
	})
}

// CPUProfile is a profile of the optimiser with one stack.
func CPUProfile(stack ...string) string {
	p := pgo.Profile{Kinds: []string{"samples/count", "cpu/nanoseconds"}, Period: 10_000_000}
	var frames []pgo.Frame
	for _, name := range stack {
		frames = append(frames, pgo.Frame{Function: name, File: "x.go", StartLine: 3, Line: 4})
	}
	p.Stacks = []pgo.Stack{{Frames: frames, Values: []int64{100, 1_000_000_000}}}
	return string(p.Encode())
}
