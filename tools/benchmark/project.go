package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// project is a program to build.
type project struct {
	name, module, version string
	mains                 []string
	platforms             []string
	main, large           string            // files of the package that changes: of package main, and of the largest package of the module
	files                 map[string]string // of projects that are made here
	rows                  []string          // names
	coldPairs             int
	loopCPU               float64 // seconds of a cold loop on the machine of docs/reports/benchmarks.md: only for telling how long it will take
}

var eight = "linux/amd64 linux/arm64 linux/arm/6 linux/arm/7 linux/ppc64le darwin/arm64 windows/amd64 freebsd/amd64"

// fortyEight are all platforms that need no cgo, and some variants.
var fortyEight = eight + ` linux/386 linux/loong64 linux/mips linux/mips64 linux/mips64le linux/mipsle linux/ppc64 linux/riscv64
 linux/s390x linux/arm/5 linux/mips/softfloat linux/mipsle/softfloat linux/amd64/v2 linux/amd64/v3 aix/ppc64 darwin/amd64
 dragonfly/amd64 freebsd/386 freebsd/arm freebsd/arm64 illumos/amd64 js/wasm wasip1/wasm netbsd/386
 netbsd/amd64 netbsd/arm netbsd/arm64 openbsd/386 openbsd/amd64 openbsd/arm openbsd/arm64 openbsd/ppc64
 openbsd/riscv64 plan9/386 plan9/amd64 plan9/arm solaris/amd64 windows/386 windows/arm64 linux/amd64/v4`

// projects are those that are measured by default, in this order.
func projects() []project {
	all := []string{"cold", "memory", "idle", "actions", "first", "same", "main", "large", "warm", "warm-main", "overhead", "plan"}
	return []project{
		{name: "fzf", module: "github.com/junegunn/fzf", version: "v0.65.2", mains: []string{"./"}, platforms: strings.Fields(eight),
			main: "main.go", large: "src/core.go", rows: all, coldPairs: 2, loopCPU: 140},
		{name: "yq", module: "github.com/mikefarah/yq/v4", version: "v4.54.1", mains: []string{"./"}, platforms: strings.Fields(eight),
			main: "yq.go", large: "pkg/yqlib/lib.go", rows: all, coldPairs: 1, loopCPU: 500},
		{name: "age", module: "filippo.io/age", version: "v1.3.1", mains: []string{"./cmd/age", "./cmd/age-keygen"}, platforms: strings.Fields(eight),
			main: "cmd/age/age.go", large: "age.go", rows: all, coldPairs: 2, loopCPU: 170},
		{name: "growth", module: "example.com/least", version: "v1.0.0", mains: []string{"./"}, platforms: strings.Fields(fortyEight),
			main: "main.go", large: "main.go", rows: []string{"platforms", "profiles"}, coldPairs: 1, loopCPU: 300, files: least()},
		{name: "tool", module: self, rows: []string{"mage", "compile"}, coldPairs: 2, loopCPU: 50},
	}
}

// quickProject is small enough for a test.
func quickProject() project {
	return project{name: "quick", module: "example.com/least", version: "v1.0.0", mains: []string{"./"}, platforms: []string{"linux/amd64"},
		main: "main.go", large: "main.go", coldPairs: 1, loopCPU: 5, files: least(),
		rows: []string{"cold", "memory", "idle", "actions", "first", "same", "main", "large", "warm", "warm-main", "overhead", "plan"}}
}

// least is a program that needs the runtime alone.
func least() map[string]string {
	return map[string]string{
		"go.mod":  "module example.com/least\n\ngo 1.26.0\n",
		"main.go": "package main\n\nfunc main() { println(\"least\") }\n",
	}
}

// binaries is how many files a complete build of the project makes.
func (p *project) binaries() int { return len(p.mains) * len(p.platforms) }

// sources are the project's checkouts, one for each side. They hold the same
// commits: whoever makes them again makes the same.
type sources struct {
	p    *project
	from string // directory of the unpacked module; "" for files
	dirs map[string]string
	n    int // changes so far
}

// checkout makes the repository of one side, or returns the one that was made.
func (b *bench) checkout(ctx context.Context, s *sources, side string) (string, error) {
	if dir := s.dirs[side]; dir != "" {
		return dir, nil
	}
	if s.n > 0 {
		return "", fmt.Errorf("%s: a checkout for %s after the first change", s.p.name, side)
	}
	dir := filepath.Join(b.work, s.p.name, "src-"+side)
	if s.p.files != nil {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		for name, text := range s.p.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				return "", err
			}
		}
	} else if err := copyTree(s.from, dir); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"remote", "add", "origin", "https://example.com/nowhere.git"}, // GoReleaser wants one to be named
		{"add", "-A", "-f"},
		{"commit", "-q", "-m", "as published"},
		{"tag", s.p.version},
	} {
		if err := b.git(ctx, dir, 0, args...); err != nil {
			return "", err
		}
	}
	s.dirs[side] = dir
	return dir, nil
}

// change makes the same new commit in all checkouts and moves the tag to it:
// the file as published, and an assignment that no earlier change had.
func (b *bench) change(ctx context.Context, s *sources, file string) error {
	s.n++
	for _, dir := range s.dirs {
		published := []byte(s.p.files[file])
		if s.p.files == nil {
			var err error
			if published, err = os.ReadFile(filepath.Join(s.from, filepath.FromSlash(file))); err != nil {
				return err
			}
		}
		n := strconv.Itoa(s.n)
		text := string(published) + "\nconst changed" + n + " = " + n + "\n\nvar change" + n + " int\n\nfunc init() { change" + n + " += changed" + n + " }\n"
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(file)), []byte(text), 0o644); err != nil {
			return err
		}
		if err := b.git(ctx, dir, s.n, "commit", "-q", "-a", "-m", "change "+n); err != nil {
			return err
		}
		if err := b.git(ctx, dir, s.n, "tag", "-f", s.p.version); err != nil {
			return err
		}
	}
	return nil
}

// fetch finds the project's source and downloads all of its modules.
func (b *bench) fetch(ctx context.Context, p *project) (*sources, error) {
	s := &sources{p: p, dirs: map[string]string{}}
	if p.files != nil || p.module == self {
		return s, nil
	}
	out, err := b.output(ctx, b.work, b.userEnv("GO111MODULE=on"), b.goCmd, "mod", "download", "-json", p.module+"@"+p.version)
	if err != nil {
		return nil, err
	}
	var m struct{ Dir string }
	if err := json.Unmarshal(out, &m); err != nil || m.Dir == "" {
		return nil, fmt.Errorf("go mod download %s@%s gave no directory: %s", p.module, p.version, out)
	}
	s.from = m.Dir
	dir, err := b.checkout(ctx, s, "hand")
	if err != nil {
		return nil, err
	}
	_, err = b.output(ctx, dir, b.userEnv(), b.goCmd, "mod", "download")
	return s, err
}

// copyTree copies files and directories, and makes what was read-only writable.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
}
