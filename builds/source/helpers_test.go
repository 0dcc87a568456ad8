package source_test

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
)

// tools are the git and the go command that run the tests, and go's build cache.
var tools = sync.OnceValues(func() (map[string]string, error) {
	m := map[string]string{}
	var err error
	if m["git"], err = exec.LookPath("git"); err != nil {
		return nil, err
	}
	out, err := exec.Command("go", "env", "GOROOT", "GOCACHE").Output()
	if err != nil {
		return nil, err
	}
	goroot, cache, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	m["go"] = (&toolchain.Goroot{Dir: goroot}).Go()
	m["cache"] = strings.TrimSpace(cache)
	return m, nil
})

func tool(t *testing.T, name string) string {
	t.Helper()
	m, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	return m[name]
}

// repo is a repository made by a test.
type repo struct {
	t    *testing.T
	dir  string
	home string
	date int // of the next commit, seconds
	env  []string
}

// fresh are the files of a repository that git init has just made, without hooks.
var fresh = sync.OnceValues(func() (fstest.MapFS, error) {
	m, err := tools()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mintmark-source-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(m["git"], "-c", "init.defaultBranch=main", "init", "--quiet", "--template=")
	cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1"}
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("git init: %w\n%s", err, out)
	}
	all := fstest.MapFS{}
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		file := &fstest.MapFile{Mode: d.Type()}
		if !d.IsDir() {
			file.Data, err = os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		}
		all[name] = file
		return err
	})
	return all, err
})

const program = "package main\n\nfunc main() {}\n"

func newRepo(t *testing.T) *repo {
	t.Helper()
	// A name that quoting trips over.
	r := &repo{t: t, dir: filepath.Join(t.TempDir(), "a 'repo'"), home: place(t).Home, date: 1767323045}
	r.env = []string{
		"HOME=" + r.home, "PATH=" + filepath.Dir(tool(t, "git")) + ":/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.com",
	}
	files, err := fresh()
	if err == nil {
		err = os.CopyFS(r.dir, files)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// at is the same repository seen from another work tree.
func (r *repo) at(dir string) *repo {
	other := *r
	other.dir = dir
	return &other
}

func (r *repo) git(args ...string) string {
	r.t.Helper()
	return r.feed("", args...)
}

// feed runs a git command that reads a text.
func (r *repo) feed(text string, args ...string) string {
	r.t.Helper()
	out, err := r.try(text, args...)
	if err != nil {
		r.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(out)
}

// fails runs a git command that must fail.
func (r *repo) fails(args ...string) {
	r.t.Helper()
	if out, err := r.try("", args...); err == nil {
		r.t.Fatalf("git %q did not fail\n%s", args, out)
	}
}

// try runs a git command that reads a text and may fail.
func (r *repo) try(text string, args ...string) (string, error) {
	cmd := exec.Command(tool(r.t, "git"), args...)
	cmd.Dir, cmd.Stdin = r.dir, strings.NewReader(text)
	date := fmt.Sprintf("@%d +0100", r.date)
	cmd.Env = append(r.env[:len(r.env):len(r.env)], "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r *repo) write(name, data string) *repo {
	r.t.Helper()
	name = filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		r.t.Fatal(err)
	}
	return r
}

// module writes a module with one program.
func (r *repo) module(dir, path string, more ...string) *repo {
	r.t.Helper()
	return r.write(filepath.Join(dir, "go.mod"), "module "+path+"\n\ngo 1.21\n"+strings.Join(more, "\n")+"\n").write(filepath.Join(dir, "main.go"), program)
}

func (r *repo) commit() string {
	r.t.Helper()
	r.git("add", "--all")
	// Maintenance would be two more processes, with nothing to do.
	r.git("-c", "maintenance.auto=false", "commit", "--quiet", "--allow-empty", "-m", "commit at "+fmt.Sprint(r.date))
	r.date += 3600
	return r.git("rev-parse", "HEAD")
}

// tag makes lightweight tags of HEAD, however many by one process.
func (r *repo) tag(names ...string) *repo {
	r.t.Helper()
	var refs strings.Builder
	for _, n := range names {
		fmt.Fprintf(&refs, "create refs/tags/%s\x00HEAD\x00", n)
	}
	r.feed(refs.String(), "update-ref", "--stdin", "-z")
	return r
}

func (r *repo) config(t *testing.T, dir string) source.Config {
	t.Helper()
	work := t.TempDir()
	return source.Config{Dir: filepath.Join(r.dir, dir), Git: tool(t, "git"), Env: r.env, Work: work}
}

func (r *repo) open(dir string) (*source.Repo, error) {
	r.t.Helper()
	return source.Open(r.t.Context(), r.config(r.t, dir))
}

func (r *repo) mustOpen(dir string) *source.Repo {
	r.t.Helper()
	s, err := r.open(dir)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// checkout makes a private copy of HEAD.
func (r *repo) checkout(s *source.Repo, snapshot bool) string {
	r.t.Helper()
	dir, err := s.Checkout(r.t.Context(), filepath.Join(r.t.TempDir(), "private copy"), snapshot)
	if err != nil {
		r.t.Fatal(err)
	}
	return dir
}

// elsewhere makes the private clone of a rebuilder, and of that the copy that is
// built; it is given back.
func (r *repo) elsewhere(s *source.Repo, want source.Built) string {
	r.t.Helper()
	work := r.t.TempDir()
	clone := filepath.Join(work, "clone")
	if err := source.CloneAt(r.t.Context(), tool(r.t, "git"), r.env, r.dir, want, clone, r.t.TempDir()); err != nil {
		r.t.Fatal(err)
	}
	c, err := source.Open(r.t.Context(), source.Config{Dir: filepath.Join(clone, s.Dir), Git: tool(r.t, "git"), Env: r.env, Work: r.t.TempDir(), OneTag: !want.Stamped})
	if err != nil {
		r.t.Fatal(err)
	}
	if c.Version != s.Version {
		r.t.Errorf("a rebuilder's clone is version %s, not %s", c.Version, s.Version)
	}
	copied := filepath.Join(work, "copy")
	if _, err := c.Checkout(r.t.Context(), copied, false); err != nil {
		r.t.Fatal(err)
	}
	return copied
}

func place(t *testing.T) *toolchain.Place {
	t.Helper()
	dir := t.TempDir()
	p := &toolchain.Place{
		Home: filepath.Join(dir, "home"), Tmp: filepath.Join(dir, "tmp"), Empty: filepath.Join(dir, "empty"),
		GoCache: tool(t, "cache"), ModCache: filepath.Join(dir, "mod"), Git: tool(t, "git"),
		TimeZone: "UTC", Language: "C", Umask: -1,
	}
	if err := p.Make(); err != nil {
		t.Fatal(err)
	}
	return p
}

// stamp is what go writes into a binary built in dir.
type stamp struct{ version, revision, time, modified string }

// build lets the running go command build the program in dir, in the
// environment of a real build.
func build(t *testing.T, dir string) stamp {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program.exe")
	p := place(t)
	_, err := toolchain.Run(context.Background(), toolchain.Command{
		Path: tool(t, "go"), Args: []string{"build", "-buildvcs=true", "-trimpath", "-ldflags=-s -w", "-o", out, "."}, Dir: dir,
		Env:     p.Env([]string{"GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH, "CGO_ENABLED=0"}, "off"),
		Confine: p.Confine(filepath.Dir(out)),
	})
	if err != nil {
		t.Fatal(err)
	}
	bi, err := buildinfo.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	s := stamp{version: bi.Main.Version}
	for _, kv := range bi.Settings {
		switch kv.Key {
		case "vcs.revision":
			s.revision = kv.Value
		case "vcs.time":
			s.time = kv.Value
		case "vcs.modified":
			s.modified = kv.Value
		}
	}
	return s
}

// checkStamp holds what the real go command stamps into the program in dir
// against what it should; an empty field is not compared. With -short nothing is
// built, and what this package says is still compared by whoever calls it.
func checkStamp(t *testing.T, what, dir string, want stamp) {
	t.Helper()
	if testing.Short() {
		return
	}
	got := build(t, dir)
	for _, field := range [][2]string{{got.version, want.version}, {got.revision, want.revision}, {got.time, want.time}, {got.modified, want.modified}} {
		if field[1] != "" && field[0] != field[1] {
			t.Errorf("%s: go stamps %+v, want %+v", what, got, want)
			return
		}
	}
}

// files are the contents below dir without .git, by slash-separated name.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == ".git" {
				return filepath.SkipDir
			}
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.Type()&os.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			m[rel] = "-> " + target
			return err
		}
		data, err := os.ReadFile(path)
		m[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
