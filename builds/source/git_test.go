package source_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fault"
)

func TestOpenErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(t *testing.T, r *repo) (dir string)
		want string
	}{
		{"no repository", func(t *testing.T, r *repo) string {
			if err := os.RemoveAll(filepath.Join(r.dir, ".git")); err != nil {
				t.Fatal(err)
			}
			return ""
		}, "not a git repository"},
		{"no commit", func(t *testing.T, r *repo) string { r.module("", "example.com/m"); return "" }, "no commit yet"},
		{"no go.mod", func(t *testing.T, r *repo) string { r.write("README", "x").commit(); return "" }, "go.mod: no go.mod in the commit"},
		{"go.mod is not committed", func(t *testing.T, r *repo) string {
			r.write("README", "x").commit()
			r.module("", "example.com/m")
			return ""
		}, "no go.mod in the commit"},
		{"go.mod elsewhere", func(t *testing.T, r *repo) string {
			r.module("", "example.com/m").write("sub/x", "").commit()
			return "sub"
		}, "sub/go.mod: no go.mod in the commit"},
		{"go.mod broken", func(t *testing.T, r *repo) string { r.write("go.mod", "modul example.com/m\n").commit(); return "" }, "unknown directive: modul"},
		{"shallow", func(t *testing.T, r *repo) string {
			r.module("", "example.com/m").commit()
			r.commit()
			dir := filepath.Join(t.TempDir(), "shallow")
			r.git("clone", "--quiet", "--depth=1", "file://"+r.dir, dir)
			r.dir = dir
			return ""
		}, "shallow clone"},
		{"bare", func(t *testing.T, r *repo) string {
			r.module("", "example.com/m").commit()
			dir := filepath.Join(t.TempDir(), "bare.git")
			r.git("clone", "--quiet", "--bare", r.dir, dir)
			r.dir = dir
			return ""
		}, "without a work tree"},
		{"inside .git", func(t *testing.T, r *repo) string { r.module("", "example.com/m").commit(); return ".git/objects" }, "without a work tree"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t)
			dir := tt.make(t, r)
			_, err := r.open(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || fault.Hint(err) == "" {
				t.Errorf("got %v (hint %q), want %s", err, fault.Hint(err), tt.want)
			}
		})
	}
	r := newRepo(t)
	if _, err := r.open("missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
	r.module("", "example.com/m").commit()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.Open(ctx, r.config(t, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A user who trusts somebody else's repository can build it, although a build
// reads nobody's settings.
func TestOtherOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can give a repository to another user")
	}
	r := newRepo(t)
	r.module("", "example.com/m").commit()
	r.tag("v1.0.0")
	err := filepath.WalkDir(r.dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, 12345, 12345))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.open(""); err == nil || !strings.Contains(err.Error(), "another user") || !strings.Contains(fault.Hint(err), "safe.directory") {
		t.Errorf("got %v (%s)", err, fault.Hint(err))
	}
	r.env = append(r.env, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0="+r.dir)
	s := r.mustOpen("")
	if err := s.Hash(t.Context()); err != nil {
		t.Error(err)
	}
	if got := build(t, r.checkout(s, false)); got.version != "v1.0.0" {
		t.Errorf("go stamps %+v", got)
	}
}

// A .git file instead of a directory makes cmd/go stamp nothing, silently. The
// private checkout is the same everywhere.
func TestKindsOfWorkTrees(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.module("", "example.com/m").write("data/x.txt", "one\ntwo\n").commit()
	r.tag("v1.2.3")
	r.commit()
	want := r.mustOpen("")
	if err := want.Hash(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := r.checkout(want, false)
	wantStamp, wantFiles := stamp{want.Version, want.Commit, want.CommitTime.Format(time.RFC3339), "false"}, files(t, dir)
	checkStamp(t, "a plain clone", dir, wantStamp)

	tmp := t.TempDir()
	r.git("worktree", "add", "--quiet", "--detach", filepath.Join(tmp, "worktree"))
	r.git("clone", "--quiet", "--separate-git-dir="+filepath.Join(tmp, "elsewhere.git"), r.dir, filepath.Join(tmp, "separate"))
	r.git("clone", "--quiet", "--shared", r.dir, filepath.Join(tmp, "shared"))
	r.git("clone", "--quiet", "--no-local", r.dir, filepath.Join(tmp, "packed"))
	super := newRepo(t)
	super.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", r.dir, "sub")
	super.commit()
	for name, dir := range map[string]string{
		"worktree": filepath.Join(tmp, "worktree"), "separate": filepath.Join(tmp, "separate"), "shared": filepath.Join(tmp, "shared"),
		"packed": filepath.Join(tmp, "packed"), "submodule": filepath.Join(super.dir, "sub"),
	} {
		other := r.at(dir)
		fi, err := os.Lstat(filepath.Join(dir, ".git"))
		if err != nil || fi.IsDir() != (name == "packed" || name == "shared") {
			t.Errorf("%s: .git is a directory: %v, %v", name, fi != nil && fi.IsDir(), err)
		}
		s := other.mustOpen("")
		if err := s.Hash(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s.Version != want.Version || s.Commit != want.Commit || s.Tree != want.Tree || s.Sum != want.Sum || s.Dir != "" || len(s.Dirty) > 0 || s.ModulePath != want.ModulePath {
			t.Errorf("%s: %+v\nwant %+v", name, s.Source, want.Source)
		}
		dir := other.checkout(s, false)
		if got := files(t, dir); !maps.Equal(got, wantFiles) {
			t.Errorf("%s: files %q, want %q", name, got, wantFiles)
		}
		checkStamp(t, name, dir, wantStamp)
	}
}

// A module below the top of a submodule, a symbolic link to the directory, a
// path through "..": the same source.
func TestWaysToADirectory(t *testing.T) {
	r := newRepo(t)
	r.module("", "example.com/m").module("a b/c", "example.com/m/c").commit()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(r.dir, "a b", "c"), link); err != nil {
		t.Skip("SKIPPED: no symbolic links here:", err)
	}
	for _, dir := range []string{filepath.Join(r.dir, "a b", "c"), link, filepath.Join(r.dir, "a b", "..", "a b", "c") + "/"} {
		s := r.at(dir).mustOpen("")
		if s.Dir != "a b/c" || s.ModulePath != "example.com/m/c" {
			t.Errorf("%s: dir %q, module %s", dir, s.Dir, s.ModulePath)
		}
		if got := r.checkout(s, false); !strings.HasSuffix(filepath.ToSlash(got), "/private copy/a b/c") {
			t.Errorf("checkout in %s", got)
		}
	}
}

// Nothing that the user has set changes a byte of a checkout, or runs.
func TestUserSettingsDoNotCount(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.module("", "example.com/m")
	r.write("unix.txt", "a\nb\n").write("dos.txt", "a\r\nb\r\n").write("mixed.txt", "a\r\nb\n")
	r.write("forced.bat", "a\nb\n").write("sub/x.crlf", "a\nb\n").write("id.txt", "$Id$\n")
	r.write(".gitattributes", "*.bat text eol=crlf\nid.txt ident\n*.txt filter=evil\n").write("sub/.gitattributes", "*.crlf eol=crlf\n")
	r.commit()
	r.tag("v1.0.0")
	s := r.mustOpen("")
	if err := s.Hash(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := files(t, r.checkout(s, false))
	if want["unix.txt"] != "a\nb\n" || want["dos.txt"] != "a\r\nb\r\n" || want["mixed.txt"] != "a\r\nb\n" ||
		want["forced.bat"] != "a\r\nb\r\n" || want["sub/x.crlf"] != "a\r\nb\r\n" || !strings.HasPrefix(want["id.txt"], "$Id: ") {
		t.Errorf("got %q", want)
	}
	if !slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, ".gitattributes names a filter") }) {
		t.Errorf("notes: %q", s.Notes)
	}

	trap := filepath.Join(t.TempDir(), "something-ran")
	hook := "#!/bin/sh\necho hook $0 >>'" + trap + "'\n"
	tmpl := t.TempDir()
	for _, dir := range []string{filepath.Join(r.dir, ".git", "hooks"), filepath.Join(tmpl, "hooks")} {
		for _, name := range []string{"post-checkout", "post-merge", "reference-transaction", "post-index-change", "pre-auto-gc", "fsmonitor-watchman"} {
			at := r.at(dir)
			at.write(name, hook)
			if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	evil := "tr a-z A-Z; echo filter >>'" + trap + "'"
	settings := [][2]string{
		{"core.autocrlf", "true"}, {"core.eol", "crlf"}, {"core.safecrlf", "false"},
		{"core.attributesFile", filepath.Join(r.home, "attributes")}, {"core.excludesFile", filepath.Join(r.home, "ignore")},
		{"filter.evil.smudge", evil}, {"filter.evil.clean", "cat"}, {"filter.evil.required", "true"},
		{"init.templateDir", tmpl}, {"core.hooksPath", filepath.Join(tmpl, "hooks")}, {"core.pager", "false"},
		{"color.ui", "always"}, {"column.ui", "always"}, {"tag.sort", "-version:refname"}, {"log.showSignature", "true"}, {"log.excludeDecoration", "refs/tags/*"},
		{"status.showUntrackedFiles", "no"}, {"status.relativePaths", "true"}, {"status.branch", "true"}, {"format.pretty", "fuller"}, {"diff.external", "false"},
		{"user.useConfigOnly", "true"}, {"submodule.recurse", "true"}, {"fetch.prune", "true"}, {"remote.pushDefault", "nowhere"}, {"clone.defaultRemoteName", "elsewhere"},
		{"checkout.defaultRemote", "x"}, {"core.quotePath", "true"}, {"core.fileMode", "false"}, {"core.symlinks", "false"}, {"tar.umask", "077"},
	}
	r.at(r.home).write("attributes", "* text eol=crlf filter=evil export-ignore\n").write("ignore", "*.go\n")
	for _, local := range []bool{false, true} {
		scope := "--global"
		if local {
			scope = "--local"
			r.write(".git/info/attributes", "* eol=crlf export-ignore export-subst\n")
		}
		for _, kv := range settings {
			r.git("config", scope, kv[0], kv[1])
		}
		os.Remove(trap) // what the test's own git commands ran
		got := r.mustOpen("")
		got.Dirty = nil // under these settings the tree may well look changed
		if err := got.Hash(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got.Version != "v1.0.0" || got.Tree != s.Tree || got.Sum != s.Sum || !slices.Equal(got.Tags, s.Tags) {
			t.Errorf("%s: %+v\nwant %+v", scope, got.Source, s.Source)
		}
		dir := r.checkout(got, false)
		if data, err := os.ReadFile(trap); err == nil {
			t.Errorf("%s: something ran: %s", scope, data)
		}
		if got := files(t, dir); !maps.Equal(got, want) {
			t.Errorf("%s: files %q\nwant %q", scope, got, want)
		}
		if _, err := os.Stat(filepath.Join(dir, ".git", "hooks")); err == nil {
			t.Errorf("%s: the copy has hooks", scope)
		}
		checkStamp(t, scope, dir, stamp{version: "v1.0.0", modified: "false"})
	}
}

// What a git hook finds in its environment must not lead elsewhere.
func TestGitVariables(t *testing.T) {
	t.Parallel()
	other := newRepo(t)
	other.module("", "example.com/other").commit()
	r := newRepo(t)
	r.module("", "example.com/m").commit()
	r.tag("v1.0.0")
	want := r.mustOpen("").Source
	git := filepath.Join(other.dir, ".git")
	for _, kv := range []string{
		"GIT_DIR=" + git, "GIT_WORK_TREE=" + other.dir, "GIT_INDEX_FILE=" + filepath.Join(git, "index"), "GIT_COMMON_DIR=" + git,
		"GIT_OBJECT_DIRECTORY=" + filepath.Join(git, "objects"), "GIT_NAMESPACE=x", "GIT_PREFIX=sub/", "GIT_SHALLOW_FILE=" + filepath.Join(git, "HEAD"),
		"GIT_QUARANTINE_PATH=/nowhere", "GIT_ATTR_SOURCE=HEAD", "GIT_CONFIG_PARAMETERS='core.bare=true'", "GIT_CONFIG=/nowhere", "GIT_REPLACE_REF_BASE=refs/x/",
		"GIT_TRACE=1", "GIT_TRACE_SETUP=1", "GIT_LITERAL_PATHSPECS=1", "GIT_REFLOG_ACTION=x", "GIT_DEFAULT_HASH=sha256", "GIT_EXTERNAL_DIFF=false",
		"LC_ALL=de_DE.UTF-8", "LANGUAGE=de", "GIT_GRAFT_FILE=/nowhere", "GIT_NO_REPLACE_OBJECTS=",
	} {
		one := *r
		one.env = append(slices.Clone(r.env), kv)
		s, err := source.Open(t.Context(), one.config(t, ""))
		if err != nil {
			t.Errorf("%s: %v", kv, err)
			continue
		}
		if s.Commit != want.Commit || s.ModulePath != want.ModulePath || s.Version != want.Version || len(s.Dirty) > 0 {
			t.Errorf("%s: %+v", kv, s.Source)
		}
		if err := s.Hash(t.Context()); err != nil {
			t.Errorf("%s: %v", kv, err)
		}
	}
}

// Replacements and grafts are private views of a history.
func TestPrivateViewsOfHistory(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.module("", "example.com/m").commit()
	first := r.git("rev-parse", "HEAD")
	r.git("checkout", "--quiet", "--orphan", "unrelated")
	tagged := r.commit()
	r.tag("v1.5.0")
	r.git("checkout", "--quiet", "main")
	head := r.commit()
	want := r.mustOpen("").Source

	replacement := r.git("commit-tree", "-m", "fake", "-p", tagged, "HEAD^{tree}")
	r.git("replace", head, replacement)
	s := r.mustOpen("")
	if s.Version != want.Version || s.Tree != want.Tree || !s.CommitTime.Equal(want.CommitTime) {
		t.Errorf("with a replacement: %+v\nwant %+v", s.Source, want)
	}
	checkStamp(t, "with a replacement", r.checkout(s, false), stamp{version: want.Version})
	r.git("replace", "-d", head)

	r.write(".git/info/grafts", first+" "+tagged+"\n")
	s = r.mustOpen("")
	if s.Version != want.Version {
		t.Errorf("with a graft: %s, want %s", s.Version, want.Version)
	}
	checkStamp(t, "with a graft", r.checkout(s, false), stamp{version: want.Version})
}

// Files whose line endings in the commit contradict .gitattributes look
// modified to git at times; the stamp must not depend on when it looks.
func TestUnnormalisedFilesAreClean(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	t.Parallel()
	r := newRepo(t)
	r.module("", "example.com/m").write("dos.txt", "a\r\nb\r\n").commit()
	// Attributes that come after the file was added leave it as it is.
	r.write(".gitattributes", "* text=auto\n*.txt text\n")
	r.git("add", ".gitattributes")
	r.git("commit", "--quiet", "-m", "attributes")
	r.tag("v1.0.0")
	s := r.mustOpen("")
	for range 3 {
		checkStamp(t, "unnormalised", r.checkout(s, false), stamp{version: "v1.0.0", modified: "false"})
	}
}

func TestCheckoutIsPrivate(t *testing.T) {
	r := newRepo(t)
	r.module("", "example.com/m").write("x.txt", "one\n").commit()
	r.tag("v1.0.0", "v0.9.0", "other")
	s := r.mustOpen("")
	before := files(t, r.dir)
	dir := r.checkout(s, false)
	if err := os.WriteFile(filepath.Join(dir, "x.txt"), []byte("changed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(files(t, r.dir), before) {
		t.Error("writing in the checkout changed the user's tree")
	}
	c := r.at(dir)
	if got, want := c.git("show-ref", "--tags"), r.git("show-ref", "--tags"); got != want {
		t.Errorf("tags of the copy: %q, want %q", got, want)
	}
	if got := c.git("remote"); got != "" {
		t.Errorf("remotes of the copy: %q", got)
	}
	// As all checkouts were, once.
	cfg := r.config(t, "")
	cfg.OneTag = true
	old, err := source.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.at(r.checkout(old, false)).git("tag"); got != "v1.0.0" {
		t.Errorf("the one tag of a copy: %q", got)
	}
	if _, err := s.Checkout(t.Context(), dir, false); err == nil {
		t.Error("a checkout into a directory that exists")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Checkout(ctx, filepath.Join(t.TempDir(), "x"), false); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	lib := newRepo(t)
	lib.module("", "example.com/lib").commit()
	r.module("", "example.com/m", "replace example.com/lib => ./lib", "replace example.com/fork => example.com/other v1.0.0")
	r.write("vendor/modules.txt", "# nothing\n").write("run.sh", "#!/bin/sh\n").write("sub/plain.sh", "x")
	if err := os.Chmod(filepath.Join(r.dir, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib.dir, "third party/lib")
	r.commit()
	s := r.mustOpen("")
	notes := strings.Join(s.Notes, "\n")
	for _, want := range []string{"submodule third party/lib", "replaces example.com/lib by the directory ./lib"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note of %q in %q", want, notes)
		}
	}
	if len(s.Notes) != 2 || !s.Vendored {
		t.Errorf("notes %q, vendored %v", s.Notes, s.Vendored)
	}
	if runtime.GOOS != "windows" && (!s.Executable("run.sh") || s.Executable("sub/plain.sh") || s.Executable("missing")) {
		t.Error("executable files are not known")
	}
	if got := files(t, r.checkout(s, false)); got["run.sh"] == "" || slices.ContainsFunc(slices.Collect(maps.Keys(got)), func(n string) bool { return strings.HasPrefix(n, "third") }) {
		t.Errorf("files %q", got)
	}
}

func TestGoLines(t *testing.T) {
	for _, tt := range []struct{ mod, want string }{
		{"module m.example/m\n", ""},
		{"module m.example/m\ngo 1.20\n", "go1.20"},
		{"module m.example/m\ngo 1.23.4\n", "go1.23.4"},
		{"module m.example/m\ngo 1.23\ntoolchain go1.25.1\n", "go1.25.1"},
		{"module m.example/m\ngo 1.23\ntoolchain default\n", "go1.23"},
		{"module m.example/m\ngo 1.25.2\ntoolchain go1.25.1\n", "go1.25.2"},
	} {
		r := newRepo(t)
		r.write("go.mod", tt.mod).commit()
		if s := r.mustOpen(""); s.Go != tt.want {
			t.Errorf("%q: %q, want %q", tt.mod, s.Go, tt.want)
		}
	}
}

func TestCommitTime(t *testing.T) {
	r := newRepo(t)
	r.module("", "example.com/m").commit()
	if got := r.mustOpen("").CommitTime; !got.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) || got.Location() != time.UTC {
		t.Errorf("got %v", got)
	}
}

// lie stores an object of another content under a name.
func (r *repo) lie(id, kind, data string) {
	r.t.Helper()
	file := filepath.Join(r.dir, ".git", "objects", id[:2], id[2:])
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	fmt.Fprintf(z, "%s %d\x00%s", kind, len(data), data)
	if err := errors.Join(z.Close(), os.Chmod(file, 0o644), os.WriteFile(file, b.Bytes(), 0o644)); err != nil {
		r.t.Fatal(err)
	}
}

// Git believes the name that an object is stored under. Whoever names a directory
// as the source of a commit must not get another source from it.
func TestObjectsOfADirectory(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	below := r.module("", "example.com/m").commit()
	r.tag("v1.2.0")
	r.write("later", "good\n")
	head := r.commit()
	r.git("tag", "-a", "-m", "annotated", "v1.2.3")
	r.git("checkout", "--quiet", "--orphan", "unrelated")
	r.commit()
	r.tag("v9.0.0")
	clone := func() (string, error) {
		dir := filepath.Join(t.TempDir(), "clone")
		return dir, source.CloneAt(t.Context(), tool(t, "git"), r.env, r.dir, source.Built{Commit: head, Tags: []string{"v1.2.3"}}, dir, t.TempDir())
	}
	dir, err := clone()
	if err != nil {
		t.Fatal(err)
	}
	got := r.at(dir)
	if tags := got.git("tag"); tags != "v1.2.0\nv1.2.3" || got.git("rev-parse", "HEAD", "v1.2.0", "v1.2.3^{commit}", "HEAD~") != strings.Join([]string{head, below, head, below}, "\n") {
		t.Errorf("tags %q", tags)
	}
	for _, name := range []string{head + ":later", head + "^{tree}", below} {
		id := r.git("rev-parse", name)
		kind := r.git("cat-file", "-t", id)
		file := filepath.Join(r.dir, ".git", "objects", id[:2], id[2:])
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		data, err := r.try("", "cat-file", kind, id)
		switch {
		case err != nil:
			t.Fatal(err, data)
		case kind == "tree":
			data = strings.Replace(data, " later\x00", " other\x00", 1)
		case kind == "commit":
			data += "and more\n"
		default:
			data = "evil\n"
		}
		r.lie(id, kind, data)
		if dir, err := clone(); err == nil {
			data, _ := os.ReadFile(filepath.Join(dir, "later"))
			t.Errorf("%s of another content is believed; later is %q", kind, data)
		} else if !strings.Contains(err.Error(), head) || fault.Hint(err) == "" {
			t.Errorf("%s: %v", kind, err)
		}
		if err := os.WriteFile(file, stored, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := clone(); err != nil {
		t.Errorf("as it was: %v", err)
	}
}

// TestUnseen finds what git ignores and a build reads, and nothing else.
func TestUnseen(t *testing.T) {
	t.Parallel()
	r := newRepo(t).module("", "example.com/x")
	r.write(".gitignore", "*.gen.go\nout/\nman/\n*.h\ngo.sum\n/cache/\n")
	r.write("go.mod", "module example.com/x\n\ngo 1.23\n\nreplace example.com/local => ./local\n").write("local/go.mod", "module example.com/local\n").write("local/l.go", "package local\n")
	r.write("main.go", "package main\n\nimport \"embed\"\n\n//go:embed out/web\nvar web embed.FS\n\nfunc main() {}\n")
	r.write("nested/go.mod", "module example.com/nested\n").write("nested/n.go", "package nested\n\n//go:embed out\n")
	r.commit()
	for _, name := range []string{
		"a.gen.go", "a.h", "go.sum", "out/web/index.html", "man/tool.1", "local/a.gen.go", // read
		"out/web/.hidden", "out/web/_x/y", "out/other", "c/a.h", "nested/a.gen.go", "nested/out/x", "cache/mod@v1/go.mod", "cache/mod@v1/m.go", "local/deeper/vendor/v.gen.go", "testdata/a.gen.go", "node_modules/a/b.gen.go", ".cache/a.gen.go", "vendor/v/v.gen.go",
	} {
		r.write(name, "package main\n")
	}
	s := r.mustOpen("")
	if len(s.Dirty) > 0 {
		t.Fatalf("git calls %v changed", s.Dirty)
	}
	found, err := s.Unseen(t.Context(), []source.Wanted{{By: "files", Pattern: "man/*"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []source.Unseen{{Name: "a.gen.go"}, {Name: "a.h"}, {Name: "go.sum"}, {Name: "local/a.gen.go"}, {Name: "man/tool.1", By: "files"}, {Name: "out/web/index.html", By: "main.go"}}
	if !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}

	// A snapshot has them.
	s.Include(found)
	dir := r.checkout(s, true)
	for _, f := range found {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(f.Name))); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out", "other")); err == nil {
		t.Error("a file that no build reads is in the snapshot")
	}
}

// TestUnseenVendor: what git ignores of vendored packages.
func TestUnseenVendor(t *testing.T) {
	t.Parallel()
	r := newRepo(t).module("", "example.com/x")
	r.write(".gitignore", "/vendor/\n").write("main.go", program).commit()
	r.write("vendor/modules.txt", "# example.com/v v1.0.0\n").write("vendor/example.com/v/v.go", "package v\n").write("vendor/example.com/v/data", "x")
	s := r.mustOpen("")
	found, err := s.Unseen(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].Name != "vendor/modules.txt" || !s.UsesVendor(found[0]) || s.Vendored {
		t.Errorf("found %v, vendored %v", found, s.Vendored)
	}
	// A snapshot is built with all of it.
	s.Include(found)
	if want := []string{"vendor/example.com/v/data", "vendor/example.com/v/v.go", "vendor/modules.txt"}; !s.Vendored || !slices.Equal(s.Dirty, want) {
		t.Errorf("vendored %v, changed %v, want %v", s.Vendored, s.Dirty, want)
	}

	// Of vendored packages in the commit, a file may be ignored all the same.
	r.write(".gitignore", "*.gen.go\n").commit()
	r.write("vendor/example.com/v/v.gen.go", "package v\n")
	s = r.mustOpen("")
	if found, err = s.Unseen(t.Context(), nil); err != nil || len(found) != 1 || found[0].Name != "vendor/example.com/v/v.gen.go" {
		t.Errorf("found %v, %v", found, err)
	}
	r.rm("vendor")
	s = r.mustOpen("")
	if s.Include(nil); s.Vendored {
		t.Error("a snapshot of a tree without vendor is vendored")
	}
}
