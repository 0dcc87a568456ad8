package git_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/git"
)

// A hostile repository and a hostile home: every mechanism by which git starts
// a program that a configuration, an attribute or a file names leaves a mark
// when it does.

type trap struct {
	t    *testing.T
	dir  string // where the marks are
	prog string // a program that leaves one
	git  string
	env  []string // of an ordinary user
	home string
}

func newTrap(t *testing.T) *trap {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: the traps are shell scripts")
	}
	path, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	tr := &trap{t: t, dir: filepath.Join(t.TempDir(), "marks"), git: path, home: t.TempDir()}
	tr.prog = filepath.Join(t.TempDir(), "trap")
	if err := os.Mkdir(tr.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// It leaves its first argument as a mark; a filter passes its input on.
	script := "#!/bin/sh\n: >'" + tr.dir + "/'\"$1\"\ncase $1 in\n*-clean | *-smudge | *-textconv) exec cat ;;\n*-ext | *-process | *-ssh | *-packobjects | *-fsmonitor) exit 1 ;;\nesac\n"
	if err := os.WriteFile(tr.prog, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	tr.env = []string{
		"HOME=" + tr.home, "PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "GITHUB_TOKEN=secret-token", "MINTMARK_PASSWORD=secret-password",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_AUTHOR_DATE=@1767323045 +0100", "GIT_COMMITTER_DATE=@1767323045 +0100",
	}
	return tr
}

// plain runs git as an ordinary user does.
func (h *trap) plain(dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute) // of a busy machine
	defer cancel()
	cmd := exec.CommandContext(ctx, h.git, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, h.env, time.Second
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (h *trap) must(dir string, args ...string) string {
	h.t.Helper()
	out, err := h.plain(dir, args...)
	if err != nil {
		h.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return out
}

func (h *trap) write(name, text string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		h.t.Fatal(err)
	}
}

// marks are the names of what ran since it was last asked.
func (h *trap) marks() []string {
	h.t.Helper()
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		os.Remove(filepath.Join(h.dir, e.Name()))
	}
	return names
}

// settings name a program for every mechanism there is.
func (h *trap) settings(scope string) [][2]string {
	run := func(mark string) string { return "'" + h.prog + "' " + scope + "-" + mark }
	hooks := filepath.Join(h.t.TempDir(), "hooks")
	h.hooks(hooks, scope+"-hookspath-")
	templates := h.t.TempDir()
	h.hooks(filepath.Join(templates, "hooks"), scope+"-template-")
	all := [][2]string{
		{"core.fsmonitor", run("fsmonitor")},
		{"core.hooksPath", hooks},
		{"core.pager", run("pager")}, {"pager.status", run("pager-status")}, {"pager.config", run("pager-config")},
		{"core.editor", run("editor")}, {"sequence.editor", run("sequence")},
		{"core.askPass", h.prog},
		{"core.sshCommand", run("ssh")}, {"core.gitProxy", h.prog},
		{"core.alternateRefsCommand", run("alternate-refs")},
		{"credential.helper", "!" + run("credential")},
		{"diff.external", run("diff-external")},
		{"filter.evil.clean", run("clean")}, {"filter.evil.smudge", run("smudge")}, {"filter.evil.required", "true"},
		{"filter.long.process", run("process")}, {"filter.lfs.clean", run("lfs-clean")}, {"filter.lfs.smudge", run("lfs-smudge")},
		{"diff.evil.textconv", run("textconv")}, {"diff.evil.command", run("diff-command")},
		{"merge.evil.driver", run("merge")},
		{"gpg.program", h.prog}, {"gpg.ssh.program", h.prog}, {"log.showSignature", "true"},
		{"alias.status", "!" + run("alias-status")}, {"alias.rev-parse", "!" + run("alias-rev-parse")}, {"alias.show-ref", "!" + run("alias-show-ref")},
		{"uploadpack.packObjectsHook", run("packobjects")},
		{"init.templateDir", templates},
		{"trailer.sign.command", run("trailer")}, {"interactive.diffFilter", run("difffilter")},
		{"tar.zip.command", run("tar")}, {"tar.tgz.command", run("tgz")},
		{"protocol.ext.allow", "always"}, {"protocol.file.allow", "always"},
		{"hook.evil.command", run("config-hook")}, {"hook.evil.event", "post-checkout"},
		{"submodule.recurse", "true"}, {"submodule.sub.update", "!" + run("submodule")},
		{"maintenance.auto", "true"}, {"gc.auto", "1"},
		{"status.submoduleSummary", "true"}, {"diff.submodule", "log"},
		{"trace2.eventTarget", filepath.Join(h.dir, scope+"-trace2")},
	}
	if scope == "repository" { // missing objects come from there
		all = append(all, [2]string{"remote.origin.url", "ext::" + strings.ReplaceAll(run("remote-ext"), "'", "")}, [2]string{"remote.origin.uploadpack", run("uploadpack")},
			[2]string{"remote.origin.promisor", "true"}, [2]string{"remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"})
	}
	return all
}

func (h *trap) hooks(dir, mark string) {
	for _, name := range []string{
		"post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman", "pre-auto-gc", "post-merge",
		"update", "pre-receive", "post-receive", "post-update", "proc-receive", "pre-commit", "post-rewrite", "sendemail-validate",
	} {
		h.write(filepath.Join(dir, name), "#!/bin/sh\n: >'"+h.dir+"/"+mark+name+"'\n")
	}
}

// configure adds the settings to a configuration file. They are written, not set
// by git: a process for each is most of what these tests would take.
func (h *trap) configure(file, scope string, more ...[2]string) {
	h.t.Helper()
	var text strings.Builder
	for _, kv := range append(h.settings(scope), more...) {
		first, last := strings.Index(kv[0], "."), strings.LastIndex(kv[0], ".")
		section := kv[0][:first]
		if first < last {
			section += " " + git.Quote(kv[0][first+1:last])
		}
		fmt.Fprintf(&text, "[%s]\n\t%s = %s\n", section, kv[0][last+1:], git.Quote(kv[1]))
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text.String())
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// make makes the repository, and a submodule in it, and arms everything.
func (h *trap) make() (dir, commit string) {
	dir = filepath.Join(h.t.TempDir(), "hostile repository")
	lib := filepath.Join(h.t.TempDir(), "lib")
	for _, d := range []string{dir, lib} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			h.t.Fatal(err)
		}
		h.must(d, "-c", "init.defaultBranch=main", "init", "--quiet")
	}
	h.write(filepath.Join(lib, "lib.txt"), "lib\n")
	h.write(filepath.Join(lib, ".gitattributes"), "* filter=evil diff=evil\n")
	h.must(lib, "add", "-A")
	h.must(lib, "commit", "-qm", "lib")
	h.write(filepath.Join(dir, ".gitattributes"), "*.txt filter=evil diff=evil merge=evil\n*.bin filter=lfs\n*.long filter=long\n")
	h.write(filepath.Join(dir, "go.mod"), "module example.com/hostile\n\ngo 1.21\n")
	h.write(filepath.Join(dir, "main.go"), "package main\n\nfunc main() {}\n")
	h.write(filepath.Join(dir, "a.txt"), "text\n")
	h.write(filepath.Join(dir, "a.bin"), "binary\n")
	h.write(filepath.Join(dir, "a.long"), "long\n")
	h.must(dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib, "sub")
	h.must(dir, "add", "-A")
	h.must(dir, "commit", "-qm", "commit")
	h.must(dir, "tag", "v1.0.0")
	h.must(dir, "tag", "-am", "annotated", "v0.9.0")
	commit = h.must(dir, "rev-parse", "HEAD")
	h.hooks(filepath.Join(dir, ".git", "hooks"), "repository-")
	h.configure(filepath.Join(dir, ".git", "config"), "repository",
		[2]string{"core.repositoryFormatVersion", "1"}, [2]string{"extensions.partialClone", "origin"})
	h.configure(filepath.Join(dir, ".git", "modules", "sub", "config"), "submodule")
	h.write(filepath.Join(dir, ".git", "info", "attributes"), "*.go filter=evil diff=evil\n")
	h.configure(filepath.Join(h.home, ".gitconfig"), "global")
	// Files that are newer than the index have to be looked at again: that is
	// what clean filters are for.
	for _, name := range []string{"a.txt", "a.bin", "a.long", "main.go", "sub/lib.txt"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			h.t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			h.t.Fatal(err)
		}
		h.write(filepath.Join(dir, name), string(data))
	}
	h.marks()
	return dir, commit
}

// has reports whether a mark ends so.
func has(marks []string, suffix string) bool {
	return slices.ContainsFunc(marks, func(m string) bool { return strings.HasSuffix(m, suffix) })
}

func TestNothingOfAnybodyRuns(t *testing.T) {
	tr := newTrap(t)
	dir, commit := tr.make()

	// The traps are real: git as an ordinary user runs it steps into them.
	tr.plain(dir, "status")
	tr.plain(dir, "diff", "HEAD")
	// git does not survive this process filter.
	tr.plain(dir, "-c", "filter.long.process=", "status")
	tr.plain(dir, "-c", "filter.long.process=", "-c", "diff.external=", "log", "-p", "-1", "--ext-diff")
	tr.plain(tr.home, "-c", "filter.long.process=", "clone", "--quiet", dir, filepath.Join(t.TempDir(), "clone"))
	tr.plain(tr.home, "clone", "--quiet", dir, filepath.Join(t.TempDir(), "clone"))
	tr.plain(tr.home, "clone", "--quiet", "file://"+dir, filepath.Join(t.TempDir(), "clone"))
	tr.plain(dir, "cat-file", "-e", strings.Repeat("1", 40)) // fetched lazily
	armed := tr.marks()
	for _, want := range []string{
		"repository-fsmonitor", "-clean", "repository-process", "repository-lfs-clean", "submodule-clean", "global-smudge", "global-hookspath-post-checkout",
		"global-hookspath-reference-transaction", "repository-remote-ext", "global-packobjects", "global-trace2",
	} {
		if !has(armed, want) {
			t.Errorf("the trap %s does not work with an ordinary git; it ran %q", want, armed)
		}
	}
	t.Logf("%d traps sprung by an ordinary git, %d armed", len(armed), 3*len(tr.settings("count")))

	if data, err := os.ReadFile(filepath.Join(dir, "a.txt")); err != nil || string(data) != "text\n" {
		t.Fatalf("%q, %v", data, err)
	}
	tr.marks()
	ctx := t.Context()
	check := func(what string) {
		t.Helper()
		if ran := tr.marks(); len(ran) > 0 {
			t.Errorf("%s: something ran: %q", what, ran)
		}
	}
	work := t.TempDir()
	g := git.New(tr.git, tr.env, work)
	at, err := g.Find(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	check("find")
	r, err := g.Open(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	check("open")
	if r.Head != commit || len(r.Tags) != 2 || !r.Partial {
		t.Errorf("%+v", r)
	}
	for _, args := range [][]string{
		{"status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=dirty"},
		{"ls-files", "--others", "--ignored", "--exclude-standard"}, {"check-attr", "-a", "--", "a.txt"}, {"check-ignore", "--no-index", "-v", "-n", "--", "a.txt"},
	} {
		out, err := r.InTree(ctx, args...)
		if err != nil && args[0] != "check-ignore" {
			t.Errorf("%s: %v", args, err)
		}
		if args[0] == "status" && len(out) > 0 {
			t.Errorf("status: %q", out)
		}
		check(args[0])
	}
	for _, args := range [][]string{
		{"ls-tree", "-r", commit}, {"cat-file", "commit", commit}, {"for-each-ref", "--merged=" + commit}, {"cat-file", "-e", strings.Repeat("1", 40)},
		{"log", "-p", "-1", "--ext-diff", "--textconv", commit},
	} {
		if _, err := r.Run(ctx, nil, args...); err != nil && args[1] != "-e" {
			t.Errorf("%s: %v", args, err)
		}
		check(args[0])
	}
	if err := r.Archive(ctx, commit, filepath.Join(work, "x.zip")); err != nil {
		t.Error(err)
	}
	check("archive")
	// What lies in the tree is what an ordinary clone has when nobody defines its filters.
	want := map[string]string{"a.txt": "text\n", "a.bin": "binary\n", "a.long": "long\n", "main.go": "package main\n\nfunc main() {}\n"}
	looks := func(what, copied string) {
		t.Helper()
		for name, text := range want {
			if data, err := os.ReadFile(filepath.Join(copied, name)); err != nil || string(data) != text {
				t.Errorf("%s: %s: %q, %v", what, name, data, err)
			}
		}
		// As the go command asks, in an environment of its own.
		cmd := exec.Command(tr.git, "status", "--porcelain")
		cmd.Dir, cmd.Env = copied, []string{"HOME=" + work, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "PATH=" + os.Getenv("PATH")}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: status: %s, %v", what, out, err)
		}
		check(what)
	}
	copied := filepath.Join(work, "copy")
	if err := r.Checkout(ctx, copied, commit, r.Tags[:1]); err != nil {
		t.Fatal(err)
	}
	looks("checkout", copied)
	for i, from := range []string{dir, "file://" + dir, filepath.Join(dir, ".git")} {
		r, err := g.Source(ctx, from, commit)
		if err != nil {
			t.Errorf("%s: %v", from, err)
			continue
		}
		copied := filepath.Join(work, fmt.Sprint("source", i))
		if err := errors.Join(r.Adopt(ctx, commit), r.Checkout(ctx, copied, commit, r.Tags)); err != nil {
			t.Errorf("%s: %v", from, err)
		}
		looks(from, copied)
	}
	// A transport that starts a program of the address.
	for _, from := range []string{"ext::" + tr.prog + " address-ext", "-u" + tr.prog, "--upload-pack=" + tr.prog, "fd::7", "ssh://-oProxyCommand=" + tr.prog + "/x"} {
		if _, err := g.Source(ctx, from, commit); err == nil {
			t.Errorf("%s: no error", from)
		}
		check(from)
	}
}

// Fetching from an address needs the user's configuration; nothing else that it
// names runs, and what the fetched repository holds has no say.
func TestFetchRunsOnlyTransports(t *testing.T) {
	tr := newTrap(t)
	dir, commit := tr.make()
	bundle := filepath.Join(t.TempDir(), "hostile.bundle")
	cmd := exec.Command(tr.git, "bundle", "create", "--quiet", bundle, "--all")
	cmd.Dir, cmd.Env = dir, []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tr.marks()
	work := t.TempDir()
	r, err := git.New(tr.git, tr.env, work).Source(t.Context(), bundle, commit)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Checkout(t.Context(), filepath.Join(work, "copy"), commit, r.Tags); err != nil {
		t.Fatal(err)
	}
	if ran := tr.marks(); len(ran) > 0 {
		t.Errorf("something ran: %q", ran)
	}
}

// The configuration cannot lead to another directory, such as the user's home.
func TestElsewhere(t *testing.T) {
	tr := newTrap(t)
	dir, _ := tr.make()
	tr.must(tr.home, "config", "--file", filepath.Join(dir, ".git", "config"), "core.worktree", tr.home)
	if _, err := git.New(tr.git, tr.env, t.TempDir()).Find(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "core.worktree") {
		t.Errorf("got %v", err)
	}
}

// What looks like objects and is none is not taken into a private checkout.
func TestNoLinksAmongObjects(t *testing.T) {
	tr := newTrap(t)
	dir, commit := tr.make()
	secret := filepath.Join(t.TempDir(), "secret")
	tr.write(secret, "secret\n")
	name := filepath.Join(dir, ".git", "objects", "aa", strings.Repeat("b", 38))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, name); err != nil {
		t.Fatal(err)
	}
	g := git.New(tr.git, tr.env, t.TempDir())
	r, err := g.Borrow(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Checkout(t.Context(), filepath.Join(t.TempDir(), "copy"), commit, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}

// A git that is not ours records the environments that its calls have.
func TestEnvironmentOfGit(t *testing.T) {
	tr := newTrap(t)
	dir, commit := tr.make()
	work := t.TempDir()
	log := filepath.Join(work, "log") // nowhere else can it write
	recorder := filepath.Join(t.TempDir(), "git")
	tr.write(recorder, "#!/bin/sh\nenv >>'"+log+"'\nexec '"+tr.git+"' \"$@\"\n")
	environ := append(slices.Clone(tr.env), "GH_TOKEN=secret", "NPM_TOKEN=secret", "AWS_SECRET_ACCESS_KEY=secret", "COSIGN_PASSWORD=secret",
		"MINTMARK_LEDGER_KEY=secret", "ANYTHING=secret", "GIT_DIR=/secret", "GIT_INDEX_FILE=/secret", "GIT_EXTERNAL_DIFF=secret", "GIT_PROXY_SSL_KEY=secret",
		"GIT_CONFIG_PARAMETERS='x.y=secret'", "LD_PRELOAD_=secret", "GIT_TRACE=/secret")
	g := git.New(recorder, environ, work)
	at, err := g.Find(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := g.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.InTree(t.Context(), "status", "--ignore-submodules=dirty"); err != nil {
		t.Error(err)
	}
	if err := r.Checkout(t.Context(), filepath.Join(work, "copy"), commit, nil); err != nil {
		t.Error(err)
	}
	local, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Source(t.Context(), "https://127.0.0.1:1/nowhere", commit); err == nil {
		t.Error("no error")
	}
	all, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(all, []byte("secret")) || len(all) == len(local) {
		t.Errorf("a secret reaches git:\n%s", all)
	}
	if n := bytes.Count(local, []byte("GIT_ALLOW_PROTOCOL=none")); n == 0 || n != bytes.Count(local, []byte("LC_ALL=C\n")) {
		t.Errorf("%d commands may use no transport:\n%s", n, local)
	}
}

func FuzzUnquote(f *testing.F) {
	for _, s := range []string{"", "a", `a\"b`, "\\101", "\n\t\\", "ü\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\x00\r") {
			return
		}
		if got, err := git.Unquote(git.Quote(s)); err != nil || got != s {
			t.Errorf("%q: %q, %v", s, got, err)
		}
		git.Unquote(`"` + s) // whatever it is: no crash
	})
}
