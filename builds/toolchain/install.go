package toolchain

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/memo"
	"golang.org/x/sync/errgroup"
)

// Goroot is an installed toolchain.
type Goroot struct {
	Dir       string
	Toolchain *Toolchain

	confirm func(ctx context.Context) error // after it was unpacked
}

// Go is the path of its go command.
func (g *Goroot) Go() string {
	name := "go"
	if runtime.GOOS == "windows" {
		name = "go.exe"
	}
	return filepath.Join(g.Dir, "bin", name)
}

// sumsFile lists "hash  path" of every file of the zip; the SHA-256 of the
// list is the toolchain's h1, so the list needs no trust of its own.
const sumsFile = ".mintmark-sums"

// maxSums bounds the list: a toolchain has some 15,000 files.
const maxSums = 32 << 20

// Install unpacks the toolchain into dir, or finds it installed there already,
// and verifies every installed file against t.Sum, unless known remembers that
// they were verified and have not changed since. dir appears only when it is
// complete. A damaged or altered toolchain is installed anew; one that could
// not be verified because ctx ended is left alone. Several processes may
// install into directories of one parent at the same time.
func (t *Toolchain) Install(ctx context.Context, dir string, known *memo.Store) (*Goroot, error) {
	fail := func(err error) (*Goroot, error) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("toolchain %s: %w", t.Version, err)
	}
	g := &Goroot{Dir: dir, Toolchain: t}
	if t.Sum == "" {
		return fail(errors.New("no hash to check it against"))
	}
	what := t.checkedAs()
	verify := func() error { return g.Verify(ctx) }
	if err := known.Checked(ctx, dir, what, verify); err == nil {
		return g, nil
	}
	if ctx.Err() != nil {
		return fail(ctx.Err()) // half a verification says nothing about the files
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fail(err)
	}
	if err := files.IsDir(parent); err != nil {
		return fail(err)
	}
	held, err := filelock.Wait(ctx, filepath.Join(parent, lockFile))
	if err != nil {
		return fail(err)
	}
	defer held.Release()
	if err := known.Checked(ctx, dir, what, verify); err == nil { // somebody installed it while we waited
		return g, nil
	}
	if ctx.Err() != nil {
		return fail(ctx.Err())
	}
	sweep(parent)
	tmp, err := os.MkdirTemp(parent, unpackPrefix)
	if err != nil {
		return fail(err)
	}
	defer files.RemoveTree(tmp)
	if err := t.unpack(ctx, tmp, needed); err != nil {
		return fail(err)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fail(err)
	}
	// What is there now is damaged or altered: none of it is trusted.
	if err := files.RemoveTree(dir); err != nil {
		return fail(err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return fail(err)
	}
	g.confirm = func(ctx context.Context) error {
		return known.Confirm(ctx, dir, what, func() error { return g.Verify(ctx) })
	}
	return g, nil
}

// checkedAs is what [Goroot.Verify] has found when it succeeds.
func (t *Toolchain) checkedAs() string { return "toolchain 1 " + t.Module + " " + t.Sum }

// Confirm verifies a toolchain that Install has just unpacked once more when its
// files are old enough for the next Install to rely on that. For the end of a run.
func (g *Goroot) Confirm(ctx context.Context) error {
	if g.confirm == nil {
		return nil
	}
	return g.confirm(ctx)
}

const (
	lockFile     = ".mintmark-lock"
	unpackPrefix = ".unpack-"
)

// sweep removes what killed installations left in parent, whose lock is held.
func sweep(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), unpackPrefix) {
			files.RemoveTree(filepath.Join(parent, e.Name()))
		}
	}
}

// unread reports whether the file is of a test: no build reads it.
func unread(name string) bool {
	return strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/testdata/")
}

// needed reports whether a build reads the file at all.
func needed(name string) bool {
	if unread(name) {
		return false
	}
	for _, p := range []string{"test/", "api/", "doc/", "misc/", "src/cmd/"} {
		if strings.HasPrefix(name, p) {
			return false
		}
	}
	return true
}

func executable(name string) bool {
	return strings.HasPrefix(name, "bin/") || strings.HasPrefix(name, "pkg/tool/")
}

// maxUnpacked bounds what is written before the hash is known to be right.
const maxUnpacked = 4 << 30

// unpack hashes all files of the zip, and writes those that are wanted.
func (t *Toolchain) unpack(ctx context.Context, dir string, wanted func(name string) bool) error {
	z, err := files.OpenZip(t.zip)
	if err != nil {
		return err
	}
	defer z.Close()
	var total uint64
	for _, f := range z.File {
		if total += f.UncompressedSize64; total > maxUnpacked || f.UncompressedSize64 > maxUnpacked {
			return errors.New("the toolchain's zip unpacks to more than any toolchain has")
		}
	}
	prefix := t.Module + "/"
	sums := make([]string, len(z.File))
	var mu sync.Mutex
	made := map[string]bool{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range z.File {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			name, ok := strings.CutPrefix(f.Name, prefix)
			if !ok || !filepath.IsLocal(filepath.FromSlash(name)) || path.Clean(name) != name || strings.ContainsAny(name, "\\\n\x00") {
				return fmt.Errorf("%q: strange name in the toolchain's zip", f.Name)
			}
			if !f.Mode().IsRegular() {
				return fmt.Errorf("%s: not a regular file in the toolchain's zip", f.Name)
			}
			var sum string
			if !wanted(name) {
				var err error
				if sum, err = copyZip(ctx, io.Discard, f); err != nil {
					return err
				}
			} else {
				file := filepath.Join(dir, filepath.FromSlash(name))
				mu.Lock()
				parent := filepath.Dir(file)
				if !made[parent] {
					if err := os.MkdirAll(parent, 0o755); err != nil {
						mu.Unlock()
						return err
					}
					made[parent] = true
				}
				mu.Unlock()
				mode := fs.FileMode(0o644)
				if executable(name) {
					mode = 0o755
				}
				err := files.Create(file, mode, func(w *os.File) (err error) {
					sum, err = copyZip(ctx, w, f)
					return err
				})
				if err != nil {
					return err
				}
			}
			sums[i] = sumLine(sum, f.Name)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	list, err := sumList(sums, t.Sum)
	if err != nil {
		return err
	}
	return files.Write(filepath.Join(dir, sumsFile), []byte(list), 0o644)
}

// copyZip copies the content of a file and returns its SHA-256.
func copyZip(ctx context.Context, w io.Writer, f *zip.File) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	size := int64(f.UncompressedSize64)
	sum, n, err := files.DigestOf(ctx, io.TeeReader(io.LimitReader(r, size+1), w))
	if err == nil && n != size {
		err = zip.ErrFormat
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.Name, err)
	}
	return sum, nil
}

func sumLine(sum, name string) string { return sum + "  " + name + "\n" }

// sumList sorts the lines by name and checks that their hash is want: the
// definition of h1 (golang.org/x/mod/sumdb/dirhash.Hash1).
func sumList(lines []string, want string) (string, error) {
	sort.Slice(lines, func(i, j int) bool { return lines[i][66:] < lines[j][66:] })
	list := strings.Join(lines, "")
	sum := sha256.Sum256([]byte(list))
	if got := "h1:" + base64.StdEncoding.EncodeToString(sum[:]); got != want {
		return "", fault.Errorf("something altered the toolchain on this machine; remove mintmark's cache directory and try again",
			"the toolchain's files have the hash %s, the checksum database says %s", got, want)
	}
	return list, nil
}

// Verify hashes every installed file again and compares with the toolchain's
// h1. Files that are there but not in the list are refused as well: a stray
// file in a package of the standard library would be compiled.
func (g *Goroot) Verify(ctx context.Context) error {
	name := filepath.Join(g.Dir, sumsFile)
	list, err := files.ReadOwn(name, maxSums)
	if err != nil {
		return err
	}
	var lines []string
	want := map[string]string{} // path → hash
	prefix := g.Toolchain.Module + "/"
	sc := bufio.NewScanner(bytes.NewReader(list))
	for sc.Scan() {
		line := sc.Text()
		if len(line) < 67 || line[64:66] != "  " {
			return fmt.Errorf("%s: malformed line", name)
		}
		lines = append(lines, line+"\n")
		name, ok := strings.CutPrefix(line[66:], prefix)
		if ok && needed(name) {
			want[name] = line[:64]
		}
	}
	if err := sc.Err(); err != nil {
		return err
	}
	if _, err := sumList(lines, g.Toolchain.Sum); err != nil {
		return err
	}
	var found []string
	err = filepath.WalkDir(g.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(g.Dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel == sumsFile {
			return nil
		}
		if want[rel] == "" || !d.Type().IsRegular() {
			return fmt.Errorf("%s: does not belong to the toolchain", rel)
		}
		found = append(found, rel)
		return nil
	})
	if err != nil {
		return err
	}
	if len(found) != len(want) {
		return fmt.Errorf("%s: %d of the toolchain's files are missing", g.Dir, len(want)-len(found))
	}
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for _, rel := range found {
		eg.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			r, err := files.OpenOwn(filepath.Join(g.Dir, filepath.FromSlash(rel)), os.O_RDONLY, 0)
			if err != nil {
				return err
			}
			defer r.Close()
			if sum, _, err := files.DigestOf(ctx, r); err != nil {
				return err
			} else if sum != want[rel] {
				return fmt.Errorf("%s: altered", rel)
			}
			if fi, err := r.Stat(); err != nil || runtime.GOOS != "windows" && executable(rel) && fi.Mode()&0o100 == 0 {
				return errors.Join(fmt.Errorf("%s: cannot be executed", rel), err)
			}
			return nil
		})
	}
	return eg.Wait()
}

// Platforms are the GOOS/GOARCH pairs this toolchain knows: what `go tool dist
// list` prints, read from the generated table that command itself uses
// (internal/platform, since Go 1.21), since newer toolchains ship dist as
// source only.
func (g *Goroot) Platforms() ([]string, error) {
	name := filepath.Join(g.Dir, "src", "internal", "platform", "zosarch.go")
	data, err := files.ReadOwn(name, maxSums)
	if err != nil {
		return nil, fault.Errorf("mintmark builds with go1.21 or newer", "toolchain %s: no list of platforms: %w", g.Toolchain.Version, err)
	}
	text := string(data)
	_, list, ok := strings.Cut(text, "var List = []OSArch{")
	list, _, ok2 := strings.Cut(list, "\n}")
	if !ok || !ok2 {
		return nil, fmt.Errorf("toolchain %s: its list of platforms has an unknown form", g.Toolchain.Version)
	}
	// Ports known to be broken are in the table, but not in go tool dist list.
	broken := map[string]bool{}
	for line := range strings.Lines(text) {
		var goos, goarch string
		if n, _ := fmt.Sscanf(strings.TrimSpace(line), "{%q, %q}:", &goos, &goarch); n == 2 && strings.Contains(line, "Broken: true") {
			broken[goos+"/"+goarch] = true
		}
	}
	var out []string
	for line := range strings.Lines(list) {
		var goos, goarch string
		if n, _ := fmt.Sscanf(strings.TrimSpace(line), "{%q, %q},", &goos, &goarch); n == 2 && !broken[goos+"/"+goarch] {
			out = append(out, goos+"/"+goarch)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("toolchain %s: its list of platforms is empty", g.Toolchain.Version)
	}
	sort.Strings(out)
	return out, nil
}
