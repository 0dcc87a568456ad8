package source_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/memo"
)

// counted is a git command that notes what it is asked; calls tells and forgets.
func counted(t *testing.T) (git string, calls func() []string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: needs a shell script")
	}
	dir := t.TempDir()
	git, log := filepath.Join(dir, "git"), filepath.Join(dir, "log")
	script := fmt.Sprintf("#!/bin/sh\necho \"$*\" >>'%s'\nexec '%s' \"$@\"\n", log, tool(t, "git"))
	if err := os.WriteFile(git, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return git, func() []string {
		data, _ := os.ReadFile(log)
		os.Remove(log)
		return strings.Split(strings.TrimSpace(string(data)), "\n")
	}
}

func ran(calls []string, command string) int {
	n := 0
	for _, c := range calls {
		if strings.Contains(" "+c+" ", " "+command+" ") {
			n++
		}
	}
	return n
}

// How many processes it takes does not depend on the number of files or tags.
func TestProcesses(t *testing.T) {
	r := newRepo(t)
	r.module("", "example.com/m").write(".gitattributes", "* text\n").write("a/.gitattributes", "* text\n").module("sub", "example.com/m/sub").commit()
	for i := range 20 {
		r.tag(fmt.Sprintf("v1.0.%d", i), fmt.Sprintf("sub/v1.0.%d", i))
	}
	git, calls := counted(t)
	for _, dir := range []string{"", "sub"} {
		cfg := r.config(t, dir)
		cfg.Git, cfg.Work = git, filepath.Dir(git) // the one place where it can write its log
		s, err := source.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if s.Version != "v1.0.19" || len(s.Tags) != 20 {
			t.Errorf("%s: %s, %d tags", dir, s.Version, len(s.Tags))
		}
		if got := calls(); len(got) > 7 { // one of them asks what git was told not to look at
			t.Errorf("%d git processes:\n%s", len(got), strings.Join(got, "\n"))
		}
		if _, err := s.Checkout(t.Context(), filepath.Join(t.TempDir(), "copy"), false); err != nil {
			t.Fatal(err)
		}
		if got := calls(); len(got) > 2 {
			t.Errorf("%d git processes for a checkout:\n%s", len(got), strings.Join(got, "\n"))
		}
	}
}

// What git said of a commit once is true for ever; what is asked of another
// commit, or with other tags, is asked.
func TestKnownCommit(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.module("", "example.com/m").commit()
	r.tag("v1.2.3")
	r.commit()
	git, calls := counted(t)
	known := &memo.Store{Dir: filepath.Join(t.TempDir(), "known"), Secret: []byte("0123456789abcdef")}
	open := func(full bool) *source.Repo {
		t.Helper()
		cfg := r.config(t, "")
		cfg.Git, cfg.Work, cfg.Known = git, filepath.Dir(git), known
		if full {
			cfg.Known = &memo.Store{Dir: known.Dir, Secret: known.Secret, Full: true}
		}
		s, err := source.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Hash(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	check := func(what string, s *source.Repo, version string, walks, archives int) {
		t.Helper()
		got := calls()
		if !strings.HasPrefix(s.Version, version) || ran(got, "--merged="+s.Commit) != walks || ran(got, "archive") != archives {
			t.Errorf("%s: %s, %d walks, %d archives", what, s.Version, ran(got, "--merged="+s.Commit), ran(got, "archive"))
		}
		// What is remembered is what would be found.
		if plain := r.mustOpen(""); plain.Version != s.Version {
			t.Errorf("%s: %s, without memory %s", what, s.Version, plain.Version)
		} else if err := plain.Hash(t.Context()); err != nil || plain.Sum != s.Sum {
			t.Errorf("%s: %s, without memory %s, %v", what, s.Sum, plain.Sum, err)
		}
	}
	check("first", open(false), "v1.2.4-0.", 1, 1)
	check("again", open(false), "v1.2.4-0.", 0, 0)
	check("full", open(true), "v1.2.4-0.", 1, 1)
	r.git("tag", "v1.3.0", "HEAD~1")
	check("another tag below", open(false), "v1.3.1-0.", 1, 1)
	r.git("tag", "-d", "v1.3.0")
	check("the tag removed", open(false), "v1.2.4-0.", 0, 0)
	r.git("checkout", "--quiet", "--orphan", "elsewhere")
	r.commit()
	r.tag("v9.0.0")
	r.git("checkout", "--quiet", "main")
	check("a tag elsewhere", open(false), "v1.2.4-0.", 1, 0)
	r.git("tag", "-f", "v1.2.3")
	check("the tag moved here", open(false), "v1.2.3", 0, 1)
	r.write("more.txt", "more\n").commit()
	r.git("tag", "-f", "v1.2.3")
	check("the same version, other files", open(false), "v1.2.3", 0, 1)
}

// What was found out where a repository gives its objects the names of others is
// not believed elsewhere.
func TestKnownOfALiar(t *testing.T) {
	t.Parallel()
	honest := newRepo(t)
	honest.module("", "example.com/m").write("data.txt", "good\n").commit()
	honest.tag("v1.2.3")
	honest.commit()
	dir := filepath.Join(t.TempDir(), "clone")
	honest.git("clone", "--quiet", "--no-hardlinks", honest.dir, dir)
	liar := honest.at(dir)
	liar.lie(liar.git("rev-parse", "HEAD:data.txt"), "blob", "evil\n")
	liar.git("checkout", "--quiet", "HEAD", "--", ".")
	known := &memo.Store{Dir: filepath.Join(t.TempDir(), "known"), Secret: []byte("0123456789abcdef")}
	open := func(r *repo, known *memo.Store, hashed bool) *source.Repo {
		t.Helper()
		cfg := r.config(t, "")
		cfg.Known, cfg.Hashed = known, hashed
		s, err := source.Open(t.Context(), cfg)
		if err == nil {
			err = s.Hash(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	lied := open(liar, known, false)
	want := open(honest, nil, false)
	if lied.Tree != want.Tree || lied.Sum == want.Sum {
		t.Fatalf("it does not lie: %s %s, %s %s", lied.Tree, lied.Sum, want.Tree, want.Sum)
	}
	for _, hashed := range []bool{false, true} {
		got := open(honest, known, hashed)
		if got.Sum != want.Sum || got.Identity() == lied.Identity() || got.Files() == lied.Files() {
			t.Errorf("hashed %v: %s is remembered, %s is right; %q and %q", hashed, got.Sum, want.Sum, got.Identity(), lied.Identity())
		}
	}
}

// The identity stands for everything that a checkout holds.
func TestIdentity(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.module("", "example.com/m").write("data/x.txt", "one\n").module("sub", "example.com/m/sub").commit()
	id := r.mustOpen("").Identity()
	if id == "" || r.mustOpen("sub").Identity() == id {
		t.Errorf("identity %q", id)
	}
	r.git("commit", "--quiet", "--allow-empty", "-m", "the same files")
	if got := r.mustOpen("").Identity(); got != id {
		t.Errorf("the same tree: %q, %q", got, id)
	}
	r.write("data/x.txt", "two\n").commit()
	if got := r.mustOpen("").Identity(); got == id || got == "" {
		t.Errorf("another tree: %q", got)
	}
	// Nothing is known of files that are not in the commit.
	r.symlink("x.txt", "data/link").symlink("../data", "sub/data").commit()
	if r.mustOpen("").Identity() == "" {
		t.Error("links within the commit")
	}
	for name, target := range map[string]string{"a": "/etc/passwd", "b": "../outside", "sub/c": "../../outside", "d": "sub/data/../../../outside"} {
		before := r.git("rev-parse", "HEAD")
		r.symlink(target, name).commit()
		if got := r.mustOpen("").Identity(); got != "" {
			t.Errorf("%s -> %s: %q", name, target, got)
		}
		r.git("reset", "--quiet", "--hard", before)
	}
	for replace, inside := range map[string]bool{"./sub": true, "./sub/../sub": false, "../outside": false, "/outside": false} {
		r.module("", "example.com/m", "replace example.com/lib => "+replace).commit()
		if got := r.mustOpen("").Identity(); (got != "") != inside {
			t.Errorf("replaced by %s: %q", replace, got)
		}
	}
	r.module("", "example.com/m").module("sub", "example.com/m/sub", "replace example.com/m => ../").commit()
	if r.mustOpen("sub").Identity() == "" {
		t.Error("replaced by a directory of the commit")
	}

	m := source.Source{Kind: fact.SourceModule, ModulePath: "example.com/m", Version: "v1.0.0"}
	if m.Identity() != "" {
		t.Error("a module without a hash")
	}
	m.Sum = "h1:x="
	if m.Identity() != "module example.com/m@v1.0.0 h1:x=" {
		t.Error(m.Identity())
	}
}

// A path with line ends in it is told apart all the same.
func TestStrangeNames(t *testing.T) {
	r := newRepo(t)
	r.module("", "example.com/m").module("two\nlines", "example.com/m/lines").write("odd\tname\n/.gitattributes", "* filter=lfs\n").commit()
	r.tag("v1.0.0")
	s := r.mustOpen("two\nlines")
	if s.Dir != "two\nlines" || s.ModulePath != "example.com/m/lines" {
		t.Errorf("%q, %s", s.Dir, s.ModulePath)
	}
	if len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "odd\tname\n/.gitattributes") {
		t.Errorf("notes %q", s.Notes)
	}
}

// The cache directory may be on another file system than the repository.
func TestOtherFileSystem(t *testing.T) {
	r := newRepo(t)
	r.module("", "example.com/m").commit()
	r.tag("v1.0.0")
	s := r.mustOpen("")
	dir := ""
	for _, other := range []string{"/dev/shm", "/var/tmp"} { // either may be where tests have their files
		d, err := os.MkdirTemp(other, "mintmark-test-")
		if err != nil {
			continue
		}
		t.Cleanup(func() { os.RemoveAll(d) })
		if err := os.Link(filepath.Join(r.dir, "go.mod"), filepath.Join(d, "go.mod")); err != nil {
			dir = d
		}
	}
	if dir == "" {
		t.Skip("SKIPPED: no second file system here")
	}
	copied, err := s.Checkout(t.Context(), filepath.Join(dir, "copy"), false)
	if err != nil {
		t.Fatal(err)
	}
	if got := build(t, copied); got.version != "v1.0.0" || got.modified != "false" {
		t.Errorf("go stamps %+v", got)
	}
}
