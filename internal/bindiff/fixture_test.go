package bindiff

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// variant is one build of the fixture program.
type variant struct {
	dir   string            // name of the directory with the source; "" is "src"
	files map[string]string // changed or added files of the source
	env   []string
	args  []string
	git   []string // git commands, run in order before the build; none means no repository
	tool  string   // the go command; "" is the one on the PATH
	after func(dir string)
	edit  func(t *testing.T, binary []byte) []byte
	post  func(t *testing.T, path string) // like edit, on the file
}

// files of the fixture: two packages and a dependency, none of which imports
// more than the runtime.
func fixtureFiles() map[string]string {
	return map[string]string{
		"go.mod":          "module example.com/app\n\ngo 1.23\n\nrequire example.com/Dep v1.0.0\n",
		"main.go":         mainSource,
		"lib/lib.go":      "package lib\n\n//go:noinline\nfunc Name() string { return \"lib\" }\n",
		"data.txt":        "the first line\nthe second line\nthe third and last line\n",
		".gitignore":      "ignored\n",
		"replaced/go.mod": "module example.com/Dep\n\ngo 1.23\n",
		"replaced/dep.go": depSource,
	}
}

const mainSource = `package main

import (
	_ "embed"

	"example.com/Dep"
	"example.com/app/lib"
)

//go:embed data.txt
var data string

var version = "dev"

func main() { println(lib.Name(), version, dep.Name(), data) }
`

const depSource = "package dep\n\n//go:noinline\nfunc Name() string { return \"dep\" }\n"

// proxy makes a module proxy directory with example.com/Dep v1.0.0 and v1.0.1.
func proxy(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "example.com", "!dep", "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mod := "module example.com/Dep\n\ngo 1.23\n"
	for _, v := range []string{"v1.0.0", "v1.0.1"} {
		var buf bytes.Buffer
		z := zip.NewWriter(&buf)
		for name, text := range map[string]string{"go.mod": mod, "dep.go": depSource} {
			w, err := z.Create("example.com/Dep@" + v + "/" + name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		err := errors.Join(z.Close(),
			os.WriteFile(filepath.Join(dir, v+".zip"), buf.Bytes(), 0o644),
			os.WriteFile(filepath.Join(dir, v+".mod"), []byte(mod), 0o644),
			os.WriteFile(filepath.Join(dir, v+".info"), []byte(`{"Version":"`+v+`"}`), 0o644))
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// workshop builds variants; it holds what they share.
type workshop struct {
	proxy, modcache string
	tool            string // the go command of builds that name none; "" is the one on the PATH

	dir  string            // of the builds that are kept
	kept map[string]string // binaries by platform, tool and flags
}

func newWorkshop(t testing.TB) *workshop {
	return &workshop{proxy: proxy(t), modcache: filepath.Join(t.TempDir(), "mod"), dir: t.TempDir(), kept: map[string]string{}}
}

func run(t testing.TB, dir string, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// env is the environment of builds in a directory.
func (w *workshop) env(dir string) []string {
	return append(os.Environ(), "GOENV=off", "GOTOOLCHAIN=local", "GOWORK=off", "GOEXPERIMENT=", "CGO_ENABLED=0",
		"GOPROXY=file://"+filepath.ToSlash(w.proxy), "GONOSUMDB=*", "GONOSUMCHECK=1", "GOMODCACHE="+w.modcache,
		"GOFLAGS=-mod=mod -modcacherw", "PWD="+dir,
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
}

// unchanged reports whether a variant is the fixture as it is, whose binary has
// nothing of where it was built.
func (v variant) unchanged() bool {
	return slices.Contains(v.args, "-trimpath") && v.dir == "" && v.files == nil && v.env == nil && v.git == nil && v.after == nil && v.edit == nil && v.post == nil
}

// build builds a variant for a platform and returns the path of the binary. That
// of the unchanged fixture, one side of every third pair, is built once for each
// set of flags: who changes it copies it.
func (w *workshop) build(t *testing.T, platform string, v variant) string {
	t.Helper()
	if !v.unchanged() {
		return w.buildIn(t, t.TempDir(), platform, v)
	}
	key := fmt.Sprintf("%s %s %q", platform, v.tool, v.args)
	if w.kept[key] == "" {
		top := filepath.Join(w.dir, strconv.Itoa(len(w.kept)))
		w.kept[key] = w.buildIn(t, top, platform, v)
	}
	return w.kept[key]
}

// buildIn builds a variant in a directory.
func (w *workshop) buildIn(t *testing.T, top, platform string, v variant) string {
	t.Helper()
	name := v.dir
	if name == "" {
		name = "src"
	}
	dir := filepath.Join(top, name)
	files := fixtureFiles()
	for n, text := range v.files {
		files[n] = text
	}
	for n, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(n))
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	goos, goarch, _ := strings.Cut(platform, "/")
	env := append(w.env(dir), v.env...)
	// go.sum must be there before a commit.
	run(t, dir, append(env, "GOOS=", "GOARCH="), "go", "mod", "tidy")
	for _, c := range v.git {
		run(t, dir, env, "git", strings.Fields(c)...)
	}
	if v.after != nil {
		v.after(dir)
	}
	out := filepath.Join(top, "out")
	args := append([]string{"build", "-o", out}, v.args...)
	if !strings.HasSuffix(args[len(args)-1], ".go") {
		if v.git == nil {
			args = append(args, "-buildvcs=false")
		}
		args = append(args, ".")
	}
	tool := v.tool
	if tool == "" {
		tool = w.tool
	}
	if tool == "" {
		tool = "go"
	}
	run(t, dir, append(env, "GOOS="+goos, "GOARCH="+goarch), tool, args...)
	if v.post != nil {
		v.post(t, out)
	}
	if v.edit != nil {
		b, err := os.ReadFile(out)
		if err == nil {
			err = os.WriteFile(out, v.edit(t, b), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}
