package execute

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/memo"
)

// Linked keeps what the first place has linked from one run to the next, as its
// build cache keeps what was compiled. The go command does not link anew what
// it finds where its output goes and what carries, in its build ID, the action
// ID of the link it is about to run (useCache in cmd/go/internal/work/buildid.go).
// The second place has nothing of the kind: there every binary is linked.
//
// What is kept is used only if it is what was kept, to the last byte, and nothing
// else lies there; otherwise everything is linked. Several processes may use the
// same directory.
type Linked struct {
	Dir   string
	Known *memo.Store // remembers the hashes
	// Scope tells units apart that have the same ID, such as those of two modules.
	Scope string
}

// linkedSums are the SHA-256 of kept files, by slash-separated path below the
// unit's directory.
type linkedSums map[string]string

// key tells kinds of sources apart as well: go build and go install put their
// outputs into different places.
func (k *Linked) key(at *Local, u *plan.Unit) memo.Key {
	return memo.NewKey("linked 1", k.Scope, string(at.Kind), u.ID())
}

func (k *Linked) dir(at *Local, u *plan.Unit) string {
	key := k.key(at, u)
	return filepath.Join(k.Dir, hex.EncodeToString(key[:16]))
}

// take puts what is kept of the unit where its build will look for
// it, and reports whether there was any. It is not kept any longer then: see [Local.Keep].
func (k *Linked) take(ctx context.Context, at *Local, u *plan.Unit) bool {
	var sums linkedSums
	if k == nil || !u.ProvableLinks() || files.IsDir(k.Dir) != nil || !k.Known.Get(k.key(at, u), &sums) {
		return false
	}
	out := at.output(u)
	if os.MkdirAll(filepath.Dir(out), 0o755) != nil || os.Rename(k.dir(at, u), out) != nil {
		return false
	}
	// Checked where nobody else exchanges it.
	if err := sums.check(ctx, out); err != nil {
		files.RemoveTree(out)
		return false
	}
	return true
}

// check returns nil when these files are below dir, as they were, and no others.
func (s linkedSums) check(ctx context.Context, dir string) error {
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		n++
		if !d.Type().IsRegular() {
			return errors.New(path + " is no file")
		}
		if got, _, err := files.Digest(ctx, path); err != nil || got != s[filepath.ToSlash(rel)] {
			return errors.Join(err, errors.New(path+" is not what was kept"))
		}
		return nil
	})
	if err == nil && n != len(s) {
		err = fmt.Errorf("%s has %d files, %d were kept", dir, n, len(s))
	}
	return err
}

// keep takes the binaries that the unit's build has made, which it moves; see [Keeper].
func (k *Linked) keep(at *Local, u *plan.Unit, sums map[string]string) error {
	if k == nil || !u.ProvableLinks() || len(sums) == 0 {
		return nil
	}
	if err := os.MkdirAll(k.Dir, 0o755); err != nil {
		return err
	}
	if err := files.IsDir(k.Dir); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(k.Dir, newPrefix)
	if err != nil {
		return err
	}
	defer files.RemoveTree(tmp)
	kept := linkedSums{}
	for path, want := range sums {
		rel, err := filepath.Rel(at.output(u), path)
		if err != nil || !filepath.IsLocal(rel) {
			return fmt.Errorf("%s: not a product of %s", path, u.ID())
		}
		to := filepath.Join(tmp, rel)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.Rename(path, to)); err != nil {
			return err
		}
		kept[filepath.ToSlash(rel)] = want
	}
	if err := files.RemoveTree(k.dir(at, u)); err != nil {
		return err
	}
	// Where another run is quicker, its files and this run's hashes may not fit
	// together: Take finds out.
	if err := os.Rename(tmp, k.dir(at, u)); err != nil {
		return err
	}
	k.Known.Put(k.key(at, u), kept)
	return nil
}

// newPrefix begins the names of directories that are not finished.
const newPrefix = ".new-"

// ours reports whether Keep makes directories of that name.
func (k *Linked) ours(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == 16 || strings.HasPrefix(name, newPrefix)
}

// Prune forgets what was last used before that time.
func (k *Linked) Prune(before time.Time) error {
	err := files.IsDir(k.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(k.Dir)
	for _, e := range entries {
		if fi, ierr := e.Info(); ierr == nil && e.IsDir() && k.ours(e.Name()) && fi.ModTime().Before(before) {
			err = errors.Join(err, files.RemoveTree(filepath.Join(k.Dir, e.Name())))
		}
	}
	return err
}

// Keep implements [Keeper].
func (l *Local) Keep(u *plan.Unit, sums map[string]string) error { return l.Linked.keep(l, u, sums) }
