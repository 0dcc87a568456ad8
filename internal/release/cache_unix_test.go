//go:build unix

package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/ledger"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/memo"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

const testSecret = "a secret of the user, not in the cache"

// outside is what lies outside of the cache directory and must stay as it is.
type outside struct {
	dir, file string
	was       string
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	o := &outside{dir: filepath.Join(t.TempDir(), "home")}
	o.file = filepath.Join(o.dir, "victim")
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	// Names that sweeps and stores look for, in case one goes there.
	for _, name := range []string{
		"victim", "run-1.lock", "run-1/notes", "journal-00000000", "toolchain", "tidied", "lock", "costs.json", ".new-x", ".unpack-x/notes",
		strings.Repeat("ab", 32), strings.Repeat("ab", 16) + "/notes", "objects/ab/" + strings.Repeat("ab", 32), "modules.lock",
	} {
		name = filepath.Join(o.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte("precious "+name), 0o640), os.Chtimes(name, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	o.was = o.state(t)
	return o
}

// state is all that can be lost: names, modes, times, bytes.
func (o *outside) state(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(o.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		var data []byte
		when := "" // of a directory: it tells of what was made and removed in it, and the names do too
		if !d.IsDir() {
			if data, err = os.ReadFile(path); err != nil {
				return err
			}
			when = fi.ModTime().String()
		}
		fmt.Fprintf(&b, "%s %v %s %x\n", path, fi.Mode(), when, sha256.Sum256(data))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (o *outside) check(t *testing.T, what string) {
	t.Helper()
	was, now := strings.Split(o.was, "\n"), strings.Split(o.state(t), "\n")
	for _, line := range now {
		if !slices.Contains(was, line) {
			t.Errorf("%s: changed or made outside of the cache directory: %s", what, line)
		}
	}
	for _, line := range was {
		if !slices.Contains(now, line) {
			t.Errorf("%s: changed or gone outside of the cache directory: %s", what, line)
		}
	}
}

// hostile puts something into a cache directory. The error, if there is one,
// must name it.
type hostile struct {
	name  string
	plant func(path string, o *outside) error
	harms bool // refused by everybody; else it must only do no harm
}

func link(path string, o *outside) error    { return os.Symlink(o.file, path) }
func linkDir(path string, o *outside) error { return os.Symlink(o.dir, path) }
func hardLink(path string, o *outside) error {
	return os.Link(o.file, path)
}
func fifo(path string, _ *outside) error { return syscall.Mkfifo(path, 0o600) }
func dir(path string, _ *outside) error  { return os.Mkdir(path, 0o755) }
func dangling(path string, o *outside) error {
	return os.Symlink(filepath.Join(o.dir, "made by mintmark"), path)
}
func garbage(path string, _ *outside) error {
	return os.WriteFile(path, []byte("\x00garbage\n"), 0o644)
}
func runs(path string, o *outside) error {
	return os.WriteFile(path, []byte("[core]\n\tbare = true\n\tsshCommand = rm -r "+o.dir+"\n"), 0o644)
}
func huge(path string, _ *outside) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(1<<42), f.Close()) // no byte of it on the disk
}
func unreadable(path string, _ *outside) error { return os.WriteFile(path, nil, 0) }

// TestHostileCache runs verbs, and what they use, on caches that somebody else
// has filled. Each ends in an error that names what is there, or does what it
// does without it, and nothing outside of the cache directory changes.
func TestHostileCache(t *testing.T) {
	const tc = "go1.26.8-linux-amd64-0123456789ab"
	journal := "journal-" + journalName(testSecret)
	id := strings.Repeat("ab", 32)
	list := []hostile{
		{"work", linkDir, true}, {"work", fifo, true}, {"work", garbage, true},
		{"work/run-1.lock", link, true}, {"work/run-1.lock", dangling, true}, {"work/run-1.lock", fifo, true},
		{"work/run-1.lock", hardLink, false}, {"work/run-1", linkDir, true}, {"work/run-1.lock", dir, false}, {"work/run-1.lock", huge, false},
		{"locks", linkDir, true}, {"locks/OUT", link, true}, {"locks/OUT", fifo, true}, {"locks/OUT", hardLink, false}, {"locks/OUT", dir, false},
		{"known", linkDir, true}, {"known/" + id, link, true}, {"known/" + id, fifo, true}, {"known/" + id, huge, false}, {"known/" + id, dir, false},
		{"costs.json", link, true}, {"costs.json", dangling, true}, {"costs.json", fifo, true}, {"costs.json", dir, true}, {"costs.json", hardLink, false}, {"costs.json", huge, false},
		{"ledger", linkDir, true}, {"ledger/" + tc, linkDir, true}, {"ledger/" + tc + "/objects", linkDir, true}, {"ledger/" + tc + "/objects/ab", linkDir, true},
		{"ledger/" + tc + "/objects/ab/" + id, link, true}, {"ledger/" + tc + "/objects/ab/" + id, fifo, true}, {"ledger/" + tc + "/objects/ab/" + id, huge, false},
		{"ledger/" + tc + "/" + journal, link, true}, {"ledger/" + tc + "/" + journal, fifo, true}, {"ledger/" + tc + "/" + journal, dir, false},
		{"ledger/" + tc + "/" + journal, hardLink, false}, {"ledger/" + tc + "/" + journal, huge, false}, {"ledger/" + tc + "/" + journal, garbage, false},
		{"ledger/" + tc + "/toolchain", link, true}, {"ledger/" + tc + "/lock", link, true}, {"ledger/" + tc + "/lock", hardLink, false},
		{"ledger/tidied", link, true}, {"ledger/tidied", hardLink, false},
		{"first", linkDir, true}, {"first/go", linkDir, true}, {"first/go/.mintmark-lock", link, true}, {"first/go/.mintmark-lock", hardLink, false},
		{"first/go/" + tc, linkDir, true}, {"first/linked", linkDir, true}, {"first/linked/" + strings.Repeat("ab", 16), linkDir, true},
		{"first/gocache/ab/" + id + "-a", link, true}, {"first/gocache/ab/" + id + "-a", hardLink, true}, {"first/gocache/ab", linkDir, true}, {"first/gocache/" + tc, linkDir, true},
		{"first/modcache/github.com", linkDir, true}, {"first/modcache/cache/download/example.com/@v", linkDir, true}, {"first/modcache/cache/lock", link, true},
		{"first/modcache/cache/vcs", linkDir, true}, {"first/modcache/cache/vcs/" + id + ".info", link, true}, {"first/modcache/cache/vcs/" + id + ".info", hardLink, true},
		{"first/modcache/cache/vcs/" + id + ".lock", fifo, true}, {"first/modcache/cache/vcs/" + id, linkDir, true}, {"first/modcache/cache/vcs/" + id + "/FETCH_HEAD", link, true},
		{"rebuild/modcache/cache/vcs/" + id + "/objects/pack", linkDir, true}, {"first/modcache/cache/vcs/" + id + "/config", runs, true}, {"foreign/modcache/cache/vcs/" + id + "/config", runs, true},
		{"second/modules.lock", link, true}, {"second/toolchains", linkDir, true}, {"second/second place/modules/github.com", linkDir, true},
		{"different", linkDir, true}, {"different/x-1.0.0/release", linkDir, true}, {"rebuild/go", linkDir, true}, {"foreign/modcache", linkDir, true},
	}
	if os.Geteuid() != 0 { // root reads everything
		list = append(list, hostile{"ledger/" + tc + "/" + journal, unreadable, false}, hostile{"costs.json", unreadable, false})
	}
	mod := repository(t)
	for i, h := range list {
		t.Run(fmt.Sprintf("%d/%s", i, h.name), func(t *testing.T) {
			o := newOutside(t)
			cache, out := filepath.Join(t.TempDir(), "cache"), filepath.Join(t.TempDir(), "dist")
			sum := sha256.Sum256([]byte(out))
			path := filepath.Join(cache, strings.ReplaceAll(h.name, "OUT", hex.EncodeToString(sum[:8])))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if ledger := filepath.Join(cache, "ledger", tc); ledger != path && filepath.Dir(ledger) != path {
				if err := os.MkdirAll(ledger, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if name := filepath.Join(cache, "ledger", tc, "toolchain"); name != path && !strings.HasPrefix(h.name, "ledger") {
				if err := os.WriteFile(name, []byte("h1:sum\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := h.plant(path, o); errors.Is(err, errors.ErrUnsupported) {
				t.Skip(err)
			} else if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Second, errors.New("too slow"))
			defer cancel()
			cfg := run.Config{Dir: mod, Cache: cache, Out: out, Secret: []byte(testSecret), Now: time.Now(), Environ: os.Environ()}
			if h.harms {
				_, planErr := Plan(ctx, cfg, false)
				_, releaseErr := Release(ctx, cfg)
				_, ledgerErr := Ledger(ctx, cfg, LedgerOptions{Prune: time.Hour})
				for verb, err := range map[string]error{"plan": planErr, "release": releaseErr, "ledger": ledgerErr} {
					if err == nil || !strings.Contains(err.Error(), path) || fault.Hint(err) == "" {
						t.Errorf("%s: %v (hint %q), want an error with the name %s", verb, err, fault.Hint(err), path)
					}
					o.check(t, verb)
				}
			}
			// Each part alone does no harm either, where it is given a directory
			// that is one: what is above that, only the session can know.
			if h.name != "first" && h.name != "ledger" {
				useCache(ctx, t, cfg, tc)
			}
			if ctx.Err() != nil {
				t.Fatal("it does not end")
			}
			o.check(t, "the parts")
		})
	}
}

// TestRepositoriesOfCache: what the go command has git make in a module cache
// stays, what says more is refused, and what other systems made is removed.
func TestRepositoriesOfCache(t *testing.T) {
	const plain = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n[remote \"origin\"]\n\turl = https://example.com/a/b\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
	id := strings.Repeat("ab", 32)
	for _, test := range []struct{ name, config, want string }{
		{"config", plain, ""},
		{"config", plain + "[core]\n\tlongpaths = true\n[extensions]\n\tobjectformat = sha256\n", ""},
		{"config", "", ""},
		{"objects/x", "", ""},
		{"config", plain + "\tuploadpack = sh\n", "config"},
		{"config", plain + "[core] sshCommand = sh\n", "config"},
		{"config", plain + "[include]\n\tpath = x\n", "config"},
		{"config", plain + "[url \"ssh://x/\"]\n\tinsteadOf = https://example.com/\n", "config"},
		{"config", strings.ReplaceAll(plain, "https://", "ext::sh -c x "), "config"},
		{"config", strings.ReplaceAll(plain, "b\n", "b\\\n"), "config"},
		{"config/x", "", "config"},
		{"HEAD", "commondir", "commondir"},
		{"HEAD", ".git", ".git"},
		{"HEAD", ".hg", ".hg"},
		{".hg/hgrc", "[hooks]\nupdate = sh\n", "removed"},
	} {
		cache := t.TempDir()
		dir := filepath.Join(cache, "first", "modcache", "cache", "vcs", id)
		name := filepath.Join(dir, filepath.FromSlash(test.name))
		err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(test.config), 0o644))
		if test.name == "HEAD" {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, test.config), nil, 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
		err = workspace.Check(cache)
		switch test.want {
		case "", "removed":
			if err != nil {
				t.Errorf("%s %q: %v", test.name, test.config, err)
			}
		default:
			if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, test.want)) {
				t.Errorf("%s %q: %v, want an error with %s", test.name, test.config, err, test.want)
			}
		}
		if _, err := os.Lstat(name); (err == nil) == (test.want == "removed") {
			t.Errorf("%s %q: afterwards %v", test.name, test.config, err)
		}
	}
}

// TestHostileBuildCache: the go command writes into the files of its cache. So no
// command starts in a place that has such a cache, neither in the fetch phase nor
// after it, and no executor is made of it.
func TestHostileBuildCache(t *testing.T) {
	for name, plant := range map[string]func(string, *outside) error{
		"ab": linkDir, "ab/x-a": link, "ab/y-d": hardLink, "ab/z-a": fifo, "trim.txt": link,
	} {
		o := newOutside(t)
		cache := t.TempDir()
		r := &run.Run{Config: &run.Config{Cache: cache, Environ: os.Environ()}, Workspace: &workspace.Workspace{Dir: t.TempDir()}}
		tools, err := fetch.FindTools(t.Context(), r, filepath.Join(cache, "first"), false)
		if err != nil {
			t.Fatal(err)
		}
		tc := &toolchain.Toolchain{Toolchain: fact.Toolchain{Version: "go1.26.8", Host: "linux-amd64", Sum: "h1:" + strings.Repeat("A", 43) + "="}}
		dir, err := workspace.BuildCache(cache, tc.DirName())
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), plant(path, o)); err != nil {
			t.Fatal(err)
		}
		if again, err := workspace.BuildCache(cache, tc.DirName()); err != nil || again != dir {
			t.Errorf("%s: %s, %v; want %s: it is looked at when it is used", name, again, err, dir)
		}
		place := *tools.FetchPlace
		place.GoCache = dir
		refused := func(what string, err error) {
			if err == nil || !strings.Contains(err.Error(), path) || fault.Hint(err) == "" {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
		for what, limits := range map[string]confine.Limits{"fetching": place.Fetching(), "building": place.Confine()} {
			ran := filepath.Join(place.Tmp, "ran")
			_, err := toolchain.Run(t.Context(), toolchain.Command{Path: "/bin/sh", Args: []string{"-c", ": >" + ran}, Dir: place.Empty, Confine: limits})
			refused(what, err)
			if _, err := os.Stat(ran); err == nil {
				t.Errorf("%s: %s: the command ran", name, what)
			}
		}
		c := &fetch.Copied{Subject: &fetch.Subject{Run: r, Found: fetch.Found{Source: &source.Source{}}}, Kit: &fetch.Kit{BuildPlace: &place}}
		_, err = FirstPlace(t.Context(), &fetch.Planned{Copied: c})
		refused("an executor", err)
		// The way to a damaged index may lead elsewhere.
		index := filepath.Join(dir, "cd", strings.Repeat("cd", 32)+"-d")
		if err := errors.Join(os.MkdirAll(filepath.Dir(index), 0o755), os.WriteFile(index, []byte("go index v2\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
		c.MendIndex(t.Context())
		if _, err := os.Stat(index); err != nil {
			t.Errorf("%s: something was removed: %v", name, err)
		}
		o.check(t, name)
	}
}

// useCache does to a cache directory what a release does, without building.
// Errors are what is expected.
func useCache(ctx context.Context, t *testing.T, cfg run.Config, tc string) {
	t.Helper()
	if w, err := workspace.Open(cfg.Cache); err == nil {
		w.Close()
	}
	if l, err := workspace.LockOutput(cfg.Cache, cfg.Out); err == nil {
		l.Release()
	}
	known := &memo.Store{Dir: filepath.Join(cfg.Cache, "known"), Secret: cfg.Secret}
	key := memo.NewKey("x")
	var answer string
	known.Get(key, &answer)
	known.Put(key, "y")
	known.Prune()
	costs := schedule.LoadCosts(filepath.Join(cfg.Cache, "costs.json"))
	costs.Set(schedule.CostKey{Module: "x"}, schedule.Cost{CPU: 1})
	costs.Save()
	s := &run.Run{Config: &cfg, Workspace: &workspace.Workspace{Dir: t.TempDir()}}
	tidyLedgers(ctx, s)
	lc := ledger.Config{Dir: ledgerDir(cfg.Cache), Toolchain: tc, Sum: "h1:sum", Secret: cfg.Secret, Now: cfg.Now, Run: "run"}
	if l, err := ledger.Open(lc); err == nil {
		file := filepath.Join(t.TempDir(), "output")
		if err := os.WriteFile(file, []byte("output"), 0o644); err != nil {
			t.Fatal(err)
		}
		recipe, err := actions.ParseID(strings.Repeat("cd", 32))
		if err != nil {
			t.Fatal(err)
		}
		l.Lookup(ctx, recipe)
		l.Add(ctx, "x", "linux/amd64", recipe, actions.ID(sha256.Sum256([]byte("output"))), 6, file)
		l.Summary(ctx)
		l.Prune(ctx, time.Now().Add(time.Hour))
		l.Forget(ctx)
	}
	(&execute.Linked{Dir: linkedDir(cfg.Cache), Known: known}).Prune(time.Now().Add(time.Hour))
	for _, name := range []string{"second/modules.lock", "first/go/.mintmark-lock"} {
		name = filepath.Join(cfg.Cache, filepath.FromSlash(name))
		if files.IsDir(filepath.Dir(name)) != nil {
			continue
		}
		if l, _, err := filelock.Try(name, ""); err == nil {
			l.Release()
		}
	}
	missing := &toolchain.Toolchain{Toolchain: fact.Toolchain{Version: "go1.26.8", Module: "golang.org/toolchain", Sum: "h1:none"}}
	if _, err := missing.Install(ctx, filepath.Join(cfg.Cache, "first", "go", tc), known); err == nil {
		t.Error("a toolchain without a zip was installed")
	}
}

func journalName(secret string) string {
	sum := sha256.Sum256([]byte("journal name\n" + secret))
	return hex.EncodeToString(sum[:4])
}

// repository makes a commit of a module.
func repository(t *testing.T) string {
	t.Helper()
	mod := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.24.0\n", "main.go": "package main\n\nfunc main() {}\n",
		"mintmark.yaml": "version: 1\nproject: m\nsign: none\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
	} {
		if err := os.WriteFile(filepath.Join(mod, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "x"}, {"tag", "v1.0.0"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = mod
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("git %v: %v\n%s", args, err, out)
		}
	}
	return mod
}

// TestCacheOfSomebody: a directory that is named as the cache, and is somebody's,
// loses nothing.
func TestCacheOfSomebody(t *testing.T) {
	o := newOutside(t)
	if err := os.MkdirAll(filepath.Join(o.dir, "work", "run-2024"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"work/run-2024/notes", "work/run-2024.lock", "known/notes", "first/linked/notes/notes", "ledger/notes/objects/ab/notes"} {
		name = filepath.Join(o.dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte("mine"), 0o644), os.Chtimes(name, time.Unix(0, 0), time.Unix(0, 0))); err != nil {
			t.Fatal(err)
		}
	}
	cfg := run.Config{Cache: o.dir, Out: filepath.Join(t.TempDir(), "dist"), Secret: []byte(testSecret), Now: time.Now()}
	if err := workspace.Check(o.dir); err != nil {
		t.Error(err)
	}
	useCache(t.Context(), t, cfg, "go1.26.8")
	for _, name := range []string{"work/run-2024/notes", "work/run-2024.lock", "known/notes", "first/linked/notes/notes", "run-1.lock", "run-1/notes", strings.Repeat("ab", 32)} {
		data, err := os.ReadFile(filepath.Join(o.dir, filepath.FromSlash(name)))
		if err != nil || len(data) == 0 {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}

// TestStrangeCache: only what was found is to be removed, not what could not be
// looked at.
func TestStrangeCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := workspace.Check(file); err == nil || strings.Contains(fault.Hint(err), "remove it") || !strings.Contains(fault.Hint(err), "MINTMARK_CACHE") {
		t.Errorf("a file: %v, hint: %s", err, fault.Hint(err))
	}
	dir := t.TempDir()
	if err := os.Symlink(file, filepath.Join(dir, "work")); err != nil {
		t.Fatal(err)
	}
	if err := workspace.Check(dir); err == nil || !strings.Contains(fault.Hint(err), "remove it") {
		t.Errorf("a link: %v, hint: %s", err, fault.Hint(err))
	}
}
