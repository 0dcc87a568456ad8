package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/rogpeppe/go-internal/testscript"
)

// provenSecret is MINTMARK_LEDGER_KEY of the scripts that begin with proofs.
const provenSecret = "the ledger secret of the scripts"

// caches makes caches for scripts that cannot use the one all share, since they
// damage it or need one that nobody else writes to.
type caches struct {
	shared string   // the cache of all scripts
	home   string   // where the proofs are made
	env    []string // beside HOME and MINTMARK_CACHE

	once sync.Once
	err  error
}

func newCaches(t *testing.T, shared string, user map[string]string) *caches {
	c := &caches{shared: shared, home: t.TempDir(), env: os.Environ()}
	for name, value := range user {
		if name != "GOCACHE" {
			c.env = append(c.env, name+"="+value)
		}
	}
	return c
}

// proven makes what the standard library needs for linux/amd64 compiled and
// proven in the cache that all scripts share, for those that say so.
func (c *caches) proven(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: proven")
	}
	c.once.Do(c.prove)
	ts.Check(c.err)
	ts.Setenv("MINTMARK_LEDGER_KEY", provenSecret)
}

// own DIR makes DIR the cache of the script: empty, but for toolchains, which
// need not be unpacked again. With -proven first, it also has what is proven.
func (c *caches) own(ts *testscript.TestScript, neg bool, args []string) {
	proven := len(args) == 2 && args[0] == "-proven"
	if neg || len(args) != 1 && !proven {
		ts.Fatalf("usage: owncache [-proven] dir")
	}
	dir := ts.MkAbs(args[len(args)-1])
	ts.Check(os.MkdirAll(dir, 0o755))
	if proven {
		c.proven(ts, false, nil)
		for _, sub := range []string{"first/gocache", "ledger"} {
			ts.Check(copyTree(filepath.Join(c.shared, sub), filepath.Join(dir, sub), copyOne))
		}
	}
	ts.Check(shareToolchains(c.shared, dir))
	ts.Setenv("MINTMARK_CACHE", dir)
}

// prove makes a release of a program of one line.
func (c *caches) prove() {
	dir := filepath.Join(c.home, "hello")
	for name, text := range map[string]string{
		"go.mod":        "module example.com/proven\n\ngo 1.24.0\n",
		"main.go":       "package main\n\nfunc main() { println(0) }\n",
		".gitignore":    "/dist/\n",
		"mintmark.yaml": "version: 1\nproject: hello\ngo: " + toolchain + "\nsign: none\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
	} {
		c.err = errors.Join(c.err, os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	for _, args := range [][]string{
		{"git", "init", "-q", "-b", "main", "."},
		{"git", "add", "-A"},
		{"git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "commit"},
		{"git", "tag", "v1.0.0"},
		{"mintmark", "release"},
	} {
		if c.err != nil {
			return
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		cmd.Env = append(c.env, "HOME="+c.home, "MINTMARK_CACHE="+c.shared, "MINTMARK_LEDGER_KEY="+provenSecret, "GIT_CONFIG_NOSYSTEM=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			c.err = fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// shareToolchains gives a cache the toolchains of another, as further names of
// the same files. mintmark verifies them before it uses them.
func shareToolchains(from, to string) error {
	for _, sub := range []string{"first/go", "first/modcache", "second/toolchains"} {
		if err := copyTree(filepath.Join(from, sub), filepath.Join(to, sub), os.Link); err != nil {
			return err
		}
	}
	return nil
}

// copyTree makes a tree of a tree that others may be writing to: what is
// unfinished or vanishes is left out.
func copyTree(from, to string, one func(from, to string) error) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir() && strings.HasPrefix(d.Name(), ".unpack-"):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case !d.Type().IsRegular() || strings.Contains(d.Name(), "lock"):
			return nil
		}
		if err := one(name, target); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

func copyOne(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// forge FILE KEY PACKAGE alters what a published ledger says of a package's
// output, and signs it again. PACKAGE may be "toolchain".
func forge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: forge ledger.json key package")
	}
	name := ts.MkAbs(args[0])
	text := ts.ReadFile(args[0])
	begin, end := `{"package":"`+args[2]+`",`, `"}`
	hash := `"output":"`
	if args[2] == "toolchain" {
		begin, hash = `"toolchain":{`, `"sum":"h1:`
	}
	at := strings.Index(text, begin)
	if at < 0 {
		ts.Fatalf("%s says nothing of %s", args[0], args[2])
	}
	length := strings.Index(text[at:], end)
	at += strings.Index(text[at:at+length], hash) + len(hash)
	other := "0"
	if text[at] == '0' {
		other = "1"
	}
	text = text[:at] + other + text[at+1:]
	ts.Check(os.WriteFile(name, []byte(text), 0o644))
	signer, err := checksums.LoadSigner(context.Background(), checksums.KeyFile(ts.MkAbs(args[1])), func() ([]byte, error) { return []byte{}, nil })
	ts.Check(err)
	bundle, err := checksums.SignBlob(context.Background(), signer, []byte(text))
	ts.Check(err)
	ts.Check(os.WriteFile(name+".sigstore.json", bundle, 0o644))
}

// poison CACHE OLD NEW replaces a number in what the first place has compiled,
// as a disk or a stranger may. With -entry first, the cache's own record is made
// to agree with it.
func poison(ts *testscript.TestScript, neg bool, args []string) {
	entry := len(args) == 4 && args[0] == "-entry"
	if entry {
		args = args[1:]
	}
	if neg || len(args) != 3 {
		ts.Fatalf("usage: poison [-entry] cache old new")
	}
	number := func(s string) []byte {
		n, err := strconv.ParseUint(s, 0, 32)
		ts.Check(err)
		return binary.LittleEndian.AppendUint32(nil, uint32(n))
	}
	before, after := number(args[1]), number(args[2])
	outputs, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "first", "gocache", "*", "*", "*-d"))
	ts.Check(err)
	done := 0
	for _, name := range outputs {
		data, err := os.ReadFile(name)
		ts.Check(err)
		if !bytes.HasPrefix(data, []byte("!<arch>\n")) || !bytes.Contains(data, before) {
			continue
		}
		done++
		data = bytes.ReplaceAll(data, before, after)
		if !entry {
			ts.Check(os.WriteFile(name, data, 0o644))
			continue
		}
		sum := sha256.Sum256(data)
		id, old := hex.EncodeToString(sum[:]), strings.TrimSuffix(filepath.Base(name), "-d")
		root := filepath.Dir(filepath.Dir(name))
		ts.Check(os.WriteFile(filepath.Join(root, id[:2], id+"-d"), data, 0o644))
		entries, err := filepath.Glob(filepath.Join(root, "*", "*-a"))
		ts.Check(err)
		for _, e := range entries {
			if line, err := os.ReadFile(e); err == nil && bytes.Contains(line, []byte(" "+old+" ")) {
				ts.Check(os.WriteFile(e, bytes.ReplaceAll(line, []byte(old), []byte(id)), 0o644))
			}
		}
	}
	if done != 1 {
		ts.Fatalf("%d compiled packages hold %s", done, args[1])
	}
}

// damage HOW CACHE WHAT alters the one compiled package in the first place's build
// cache that holds WHAT, a 32-bit number or a text: flip changes a bit of the last
// one in there, in the code, and export of the first one, in what other packages
// are compiled against; magic is what the linker knows an object by, tail zeroes the
// second half of the file, truncate cuts it off, zero zeroes all of it. The names stay as they are.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: damage flip|export|magic|tail|truncate|zero cache what")
	}
	what := []byte(args[2])
	if n, err := strconv.ParseUint(args[2], 0, 32); err == nil {
		what = binary.LittleEndian.AppendUint32(nil, uint32(n))
	}
	outputs, err := filepath.Glob(filepath.Join(ts.MkAbs(args[1]), "first", "gocache", "*", "*", "*-d"))
	ts.Check(err)
	done := 0
	for _, name := range outputs {
		if fi, err := os.Stat(name); err == nil && fi.IsDir() {
			continue // a program of go run or go tool, which commands of generate started
		}
		data, err := os.ReadFile(name)
		ts.Check(err)
		at := bytes.Index(data, what)
		if !bytes.HasPrefix(data, []byte("!<arch>\n")) || at < 0 {
			continue
		}
		switch args[0] {
		case "flip":
			data[bytes.LastIndex(data, what)] ^= 1
		case "export":
			data[at] ^= 1
		case "magic":
			data[bytes.LastIndex(data, []byte("\x00go120ld"))+1] ^= 1
		case "tail":
			clear(data[len(data)/2:])
		case "truncate":
			data = data[:len(data)/2]
		case "zero":
			clear(data)
		default:
			ts.Fatalf("damage %s: unknown", args[0])
		}
		done++
		ts.Check(os.WriteFile(name, data, 0o644))
	}
	if done != 1 {
		ts.Fatalf("%d compiled packages hold %s", done, args[2])
	}
}

// altertoolchain DIR SCRIPT makes DIR a GOPROXY directory with a toolchain of
// the version all scripts use, as the cache has it, but for its compiler: that
// has one more byte, and SCRIPT, a text file, runs in its place. In SCRIPT,
// $REAL is the compiler.
func altertoolchain(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: altertoolchain dir script")
	}
	zips, err := filepath.Glob(filepath.Join(ts.Getenv("MINTMARK_CACHE"), "first", "modcache", "cache", "download", "golang.org", "toolchain", "@v", "v0.0.1-"+toolchain+".*.zip"))
	ts.Check(err)
	if len(zips) != 1 {
		ts.Fatalf("the cache has %d toolchains to alter", len(zips))
	}
	z, err := zip.OpenReader(zips[0])
	ts.Check(err)
	defer z.Close()
	version := strings.TrimSuffix(filepath.Base(zips[0]), ".zip")
	dir := filepath.Join(ts.MkAbs(args[0]), "golang.org", "toolchain", "@v")
	ts.Check(os.MkdirAll(dir, 0o755))
	for name, text := range map[string]string{
		"list":            version + "\n",
		version + ".info": fmt.Sprintf(`{"Version":%q}`, version),
		version + ".mod":  "module golang.org/toolchain\n",
	} {
		ts.Check(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	out, err := os.Create(filepath.Join(dir, version+".zip"))
	ts.Check(err)
	defer out.Close()
	w := zip.NewWriter(out)
	add := func(name string, data []byte) {
		f, err := w.Create(name)
		ts.Check(err)
		_, err = f.Write(data)
		ts.Check(err)
	}
	altered := 0
	for _, f := range z.File {
		if !strings.Contains(f.Name, "/pkg/tool/") || path.Base(f.Name) != "compile" {
			ts.Check(w.Copy(f))
			continue
		}
		altered++
		r, err := f.Open()
		ts.Check(err)
		data, err := io.ReadAll(r)
		ts.Check(err)
		add(path.Join(path.Dir(f.Name), "altered", "compile"), append(data, '\n')) // it tells its name
		add(f.Name, []byte("#!/bin/sh\nREAL=\"${0%/*}/altered/compile\"\n"+ts.ReadFile(args[1])))
	}
	ts.Check(w.Close())
	if altered != 1 {
		ts.Fatalf("%s has %d compilers", zips[0], altered)
	}
}
