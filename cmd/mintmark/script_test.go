package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mintmark/mintmark/internal/upx/upxtest"
)

func TestMain(m *testing.M) {
	testscript.Main(cleaner{m}, map[string]func(){"mintmark": main, "forbidding": forbidding, "rebuildas": rebuildAs})
}

// cleaner removes what the tests shared when they have run, and nobody wants kept.
type cleaner struct{ m *testing.M }

func (c cleaner) Run() int {
	defer func() {
		if s, err := shared(); err == nil && !s.keep {
			makeWritable(s.dir)
			os.RemoveAll(s.dir)
		}
	}()
	return c.m.Run()
}

// makeWritable lets the directories of module caches be removed.
func makeWritable(dir string) {
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(name, 0o755)
		}
		return nil
	})
}

// sharedVariable names an absolute directory that what tests share is kept in
// from one run to the next: toolchains are unpacked and the standard library is
// compiled there once, for whoever runs one script again and again.
const sharedVariable = "MINTMARK_TEST_SHARED"

// sharing is a directory of what tests share that need not begin with nothing.
type sharing struct {
	dir  string
	keep bool // for the next run
}

// shared is that directory. With -short nothing is built, and a toolchain that is
// unpacked each time would take longer than the rest of this package: it is kept
// in the user's cache directory, under the toolchain's name, and mintmark finds out
// whether it is still what it was.
var shared = sync.OnceValues(func() (sharing, error) {
	dir := os.Getenv(sharedVariable)
	switch {
	case dir != "" && !filepath.IsAbs(dir):
		return sharing{}, fmt.Errorf("%s=%s is not absolute", sharedVariable, dir)
	case dir != "":
		return sharing{dir, true}, os.MkdirAll(dir, 0o777)
	case testing.Short():
		user, err := os.UserCacheDir()
		if err != nil {
			break // no place of the user's to keep it in
		}
		all := filepath.Join(user, "mintmark-tests")
		return sharing{filepath.Join(all, toolchain), true}, keepOnly(all, toolchain)
	}
	dir, err := os.MkdirTemp("", "mintmark-shared-")
	return sharing{dir, false}, err
})

// keepOnly makes a directory in another one, and removes what is beside it: the
// toolchains that tests used to build with.
func keepOnly(dir, name string) error {
	if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != name {
			old := filepath.Join(dir, e.Name())
			makeWritable(old)
			err = errors.Join(err, os.RemoveAll(old))
		}
	}
	return err
}

// sharedCache is mintmark's cache directory in it: toolchains are unpacked there
// once, and the standard library is compiled once.
func sharedCache(t *testing.T) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(s.dir, "cache")
}

// toolchain is the one all scripts build with, so that it is fetched once.
const toolchain = "go1.26.8"

// repository is the root of this repository: found before a script changes directory.
var repository, _ = filepath.Abs(filepath.Join("..", ".."))

// TestScript runs the whole tool on small modules with the real go and git
// commands. The scripts share one cache directory and one ledger's key, as the
// runs of a user do; those that are about either have their own.
func TestScript(t *testing.T) {
	for _, tool := range []string{"git", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("the scripts need %s: %v", tool, err)
		}
	}
	t.Parallel()
	cache := sharedCache(t)
	user := goEnv(t)
	caches := newCaches(t, cache, user)
	hints := newHints(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Vars = append(env.Vars,
				"HOME="+home, "MINTMARK_CACHE="+cache, "MINTMARK_PASSWORD=", "MINTMARK_LEDGER_KEY="+provenSecret, "TOOLCHAIN="+toolchain,
				// The user's module cache serves what it has, and gets nothing: a module
				// that a script makes is another one when the script is.
				"GOPROXY=file://"+filepath.ToSlash(filepath.Join(user["GOMODCACHE"], "cache", "download"))+","+user["GOPROXY"],
				"GOMODCACHE="+filepath.Join(filepath.Dir(cache), "modcache"), "GOSUMDB="+user["GOSUMDB"], "USERCACHE="+user["GOCACHE"],
				"GIT_CONFIG_NOSYSTEM=1",
				"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
				"GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z",
			)
			return os.MkdirAll(home, 0o755)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"commit":         commit,
			"sha256":         sha256Cmd,
			"flip":           flip,
			"untar":          untar,
			"serve":          serve,
			"servetls":       serveTLS,
			"same":           same,
			"ended":          ended,
			"goproxy":        goproxy,
			"publish":        publish,
			"registry":       registry,
			"owncache":       caches.own,
			"proven":         caches.proven,
			"keypair":        keypair,
			"forge":          forge,
			"poison":         poison,
			"damage":         damage,
			"altertoolchain": altertoolchain,
			"forgerelease":   forgerelease,
			"lastsize":       lastsize,
			"installupx":     installupx,
			"exits":          exits,
			"follow":         hints.follow,
			"hint":           hints.hint,
			"replacedigest":  replacedigest,
			"nextsteps":      nextSteps,
			"altertar":       altertar,
			"cut":            cut,
			"append":         appendText,
			"samerelease":    sameRelease,
			"slices":         slicesCmd,
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "kept": // what scripts share is of earlier runs too
				s, err := shared()
				return s.keep, err
			case "registry":
				return registries(), nil
			case "confines":
				return confines(), nil
			case "mounts":
				return mounts(), nil
			case "packages": // nfpm is built, which takes 74 CPU seconds
				return os.Getenv("MINTMARK_TEST_PACKAGES") != "", nil
			case "upx": // 3.94
				_, err := upxtest.Find()
				return err == nil, nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
	})
}

// goEnv is how the user of this machine reaches modules: all that the scripts take from it.
func goEnv(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, name := range []string{"GOPROXY", "GOMODCACHE", "GOSUMDB", "GOCACHE"} {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		env[name] = strings.TrimSpace(string(out))
	}
	return env
}

// commit DIR [TAG]... makes a repository of DIR if it is none, commits all of it, and tags it.
func commit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: commit dir [tag]...")
	}
	dir := ts.MkAbs(args[0])
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		ts.Check(ts.Exec("git", "init", "-q", "-b", "main", dir))
	}
	ts.Check(ts.Exec("git", "-C", dir, "add", "-A"))
	ts.Check(ts.Exec("git", "-C", dir, "commit", "-q", "--allow-empty", "-m", "commit"))
	for _, tag := range args[1:] {
		ts.Check(ts.Exec("git", "-C", dir, "tag", tag))
	}
}

// sha256 FILE WANT compares a file's digest with a value or, after -, with the digest in a text.
func sha256Cmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: sha256 file text")
	}
	sum := sha256.Sum256([]byte(ts.ReadFile(args[0])))
	has := strings.Contains(ts.ReadFile(args[1]), hex.EncodeToString(sum[:]))
	if has == neg {
		ts.Fatalf("%s has the digest %x; in %s: %v", args[0], sum, args[1], has)
	}
}

// flip FILE changes one byte in the middle of a file.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flip file")
	}
	name := ts.MkAbs(args[0])
	data, err := os.ReadFile(name)
	ts.Check(err)
	data[len(data)/2] ^= 1
	ts.Check(os.WriteFile(name, data, 0o644))
}

// serve DIR serves the files of a directory over http until the script ends: as
// $SERVER, and as $MINTMARK_URL, which install.sh reads.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve dir")
	}
	server := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Defer(server.Close)
	ts.Setenv("SERVER", server.URL)
	ts.Setenv("MINTMARK_URL", server.URL)
	ts.Setenv("REPOSITORY", repository)
}

// untar FILE.tar.gz DIR unpacks with the standard library, not with ours.
func untar(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: untar file dir")
	}
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	z, err := gzip.NewReader(bytes.NewReader(data))
	ts.Check(err)
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		ts.Check(err)
		data, err := io.ReadAll(r)
		ts.Check(err)
		name := filepath.Join(ts.MkAbs(args[1]), filepath.FromSlash(h.Name))
		ts.Check(os.MkdirAll(filepath.Dir(name), 0o755))
		ts.Check(os.WriteFile(name, data, h.FileInfo().Mode()))
	}
}

// same DIR1 DIR2 compares two directories: names, modes, bytes.
func same(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: same dir1 dir2")
	}
	list := func(dir string) map[string]string {
		m := map[string]string{}
		entries, err := os.ReadDir(ts.MkAbs(dir))
		ts.Check(err)
		for _, e := range entries {
			fi, err := e.Info()
			ts.Check(err)
			data, err := os.ReadFile(filepath.Join(ts.MkAbs(dir), e.Name()))
			ts.Check(err)
			m[e.Name()] = fmt.Sprintf("%v %x", fi.Mode(), sha256.Sum256(data))
		}
		return m
	}
	a, b := list(args[0]), list(args[1])
	if len(a) == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
	for name := range b {
		if a[name] == "" {
			ts.Fatalf("%s is only in %s", name, args[1])
		}
	}
	for name, what := range a {
		if b[name] != what {
			ts.Fatalf("%s differs: %s, %s", name, what, b[name])
		}
	}
}
