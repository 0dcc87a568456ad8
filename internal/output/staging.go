// Package output is the directory that a release is published in: it appears in
// one rename, with everything in it, or not at all. What is not mintmark's there is
// never removed nor replaced, and what is, is known by what it says, not by its
// name.
package output

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/internal/workspace"
)

// Dir is an output directory.
type Dir struct {
	Path string // absolute, without symbolic links
}

// Staging is the output directory in the making: beside the d.Path one, so that
// one rename publishes it, under a name nobody takes for a release. What a run
// leaves when it is killed, the next one removes: by the run's [claim], never by
// the name.
type Staging struct {
	dir      Dir
	Dir      string
	names    []string       // of the files that were workspace.Claimed
	lock     *filelock.Lock // says that dir is in use, to a mintmark with another cache as well
	done     bool
	Leftover error // what kept the previous release from being removed
}

// oldSuffix ends the name of the previous release while it is replaced.
const oldSuffix = "-old"

func (d Dir) prefix() string { return filepath.Base(d.Path) + ".unfinished-" }

// stagingBase is the directory that an entry beside an output directory belongs to.
func stagingBase(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, workspace.LockSuffix), oldSuffix)
}

// Unfinished lists what runs have left beside an output directory. What only
// has such a name is not among it.
func (d Dir) Unfinished() []string {
	var names []string
	for _, name := range d.beside() {
		if _, ok := workspace.Claimed(stagingBase(name)); ok || workspace.EmptyLock(name) {
			names = append(names, name)
		}
	}
	return names
}

// beside lists everything with the name of a staging directory.
func (d Dir) beside() []string {
	entries, err := os.ReadDir(filepath.Dir(d.Path))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), d.prefix()) {
			names = append(names, filepath.Join(filepath.Dir(d.Path), e.Name()))
		}
	}
	return names
}

// check refuses places where no release can be, whatever is there.
func (d Dir) check() error {
	const hint = "name a directory of its own with -out=DIR"
	if filepath.Dir(d.Path) == d.Path {
		return fault.Usagef(hint, "output directory: %s is a root directory", d.Path)
	}
	if slices.Contains(strings.Split(filepath.ToSlash(d.Path), "/"), ".git") {
		return fault.Usagef(hint, "output directory: %s is in a .git directory", d.Path)
	}
	return nil
}

// readFinal looks at what the release is going to replace, and refuses it
// unless mintmark made all of it. nil: there is nothing.
func (d Dir) readFinal(ctx context.Context) (*outDir, error) {
	switch fi, err := os.Lstat(d.Path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fault.Errorf("name another directory with -out=DIR", "output directory: %w", err)
	case !fi.IsDir():
		return nil, fault.Errorf("name a directory with -out=DIR", "output directory: %s is not a directory", d.Path)
	}
	o, err := d.read(ctx, d.Path)
	if err != nil {
		return nil, fmt.Errorf("output directory: %w", err)
	}
	return o, o.refusal(d.Path)
}

// replaceable is readFinal that also refuses what could not be removed.
func (d Dir) replaceable(ctx context.Context) (*outDir, error) {
	old, err := d.readFinal(ctx)
	if err != nil {
		return nil, err
	}
	if fi, err := os.Lstat(d.Path); old != nil && err == nil && fi.Mode().Perm()&0o200 == 0 && runtime.GOOS != "windows" {
		// It could be renamed, but not removed then.
		return nil, fault.Errorf("chmod u+w "+shell.Name(d.Path)+" if the release in it may be replaced, or name another directory with -out=DIR", "output directory: %s is read-only", d.Path)
	}
	return old, nil
}

// Look finds what of an output directory keeps a release from being written
// there, and changes nothing.
func (d Dir) Look(ctx context.Context) error {
	if err := d.check(); err != nil {
		return err
	}
	_, err := d.replaceable(ctx)
	return err
}

// Open refuses an output directory that is not mintmark's, and proves
// that it can be written and replaced before anything is built. The caller
// holds the lock of the output directory.
func (d Dir) Open(ctx context.Context) (*Staging, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	if err := d.clearUnfinished(ctx); err != nil {
		return nil, err
	}
	old, err := d.replaceable(ctx)
	if err != nil {
		return nil, err
	}
	parent := filepath.Dir(d.Path)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fault.Errorf("name a directory that can be made, with -out=DIR", "output directory: %w", err)
	}
	const hint = "mintmark writes beside the output directory and renames at the end; -out=DIR names another"
	s := &Staging{dir: d}
	if s.Dir, err = workspace.ClaimDir(parent, d.prefix()); err != nil {
		return nil, fault.Errorf(hint, "output directory: %w", err)
	}
	if s.lock, _, err = filelock.Try(s.Dir+workspace.LockSuffix, ""); err != nil {
		s.lock = nil // a file system without locks: the one in the cache must do
	}
	if err = os.Mkdir(s.Dir, 0o755); err == nil {
		err = os.Chmod(s.Dir, 0o755) // whatever the umask says
	}
	if err == nil {
		err = s.Claim(fact.AboutFiles()...)
	}
	if err == nil && old != nil {
		// A mount point, a directory somebody works in on Windows: better
		// known now than after the build.
		if err = os.Rename(d.Path, s.Dir+oldSuffix); err == nil {
			err = os.Rename(s.Dir+oldSuffix, d.Path)
		}
	}
	if err != nil {
		s.Close()
		return nil, fault.Errorf(hint+"; a mount point cannot be renamed, a directory inside it can", "output directory: %w", err)
	}
	return s, nil
}

// Claim notes the names of files before they are written into the directory.
func (s *Staging) Claim(names ...string) error {
	if err := workspace.ClaimFiles(s.Dir, names...); err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	s.names = append(s.names, names...)
	return nil
}

// clearUnfinished removes what dead runs have left beside the output directory
// and puts a previous release back that one was about to replace. What they
// cannot have left is refused.
func (d Dir) clearUnfinished(ctx context.Context) error {
	names := d.beside()
	for _, name := range names {
		base := stagingBase(name)
		if _, ok := workspace.Claimed(base); !ok {
			continue
		}
		lock, _, err := filelock.Try(base+workspace.LockSuffix, "")
		if errors.Is(err, filelock.ErrLocked) {
			return fault.Errorf("wait until it is done, or write to another directory with -out=DIR", "another mintmark is writing %s", d.Path)
		}
		if err == nil {
			lock.Release()
		}
	}
	var errs []error
	for _, name := range names {
		if strings.HasSuffix(name, workspace.LockSuffix) && !workspace.EmptyLock(name) {
			continue // goes with its directory
		}
		if err := d.clearOne(ctx, name); err != nil {
			errs = append(errs, err)
		}
	}
	for _, name := range names {
		base := stagingBase(name)
		_, ok := workspace.Claimed(base)
		switch {
		case name != base+workspace.LockSuffix:
		case !ok && !workspace.EmptyLock(name):
			errs = append(errs, inTheWay(name, notMade))
		case len(errs) == 0:
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

func inTheWay(name, reason string) error {
	return fault.Errorf("nothing was removed: move it elsewhere, or name another output directory with -out=DIR",
		"output directory: beside it is %s, which has a name that mintmark uses: %s", name, reason)
}

// clearOne removes one directory that a dead run has left, or puts it back.
func (d Dir) clearOne(ctx context.Context, name string) error {
	base := stagingBase(name)
	written, ok := workspace.Claimed(base)
	fi, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) || workspace.EmptyLock(name):
		return nil
	case err != nil:
		return fmt.Errorf("output directory: %w", err)
	case !ok:
		return inTheWay(name, notMade)
	case !fi.IsDir():
		return inTheWay(name, "it is "+files.Kind(fi.Mode()))
	case name == base:
		other, err := workspace.Unclaimed(name, written)
		if err != nil {
			return fmt.Errorf("output directory: %w", err)
		}
		if other != "" {
			return inTheWay(other, notMade)
		}
		return workspace.RemoveNamed(name, written)
	}
	if _, err := os.Lstat(d.Path); errors.Is(err, fs.ErrNotExist) {
		if err := os.Rename(name, d.Path); err != nil {
			return fmt.Errorf("output directory: putting back the previous release: %w", err)
		}
		return nil
	}
	o, err := d.read(ctx, name)
	if err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	if len(o.foreign) > 0 {
		return inTheWay(name, strings.Join(o.foreign, "; "))
	}
	return workspace.RemoveNamed(name, o.own)
}

// Publish puts the staged directory into its d.Path place. What is there is
// looked at once more: the build took its time.
func (s *Staging) Publish(ctx context.Context) error {
	previous, err := s.dir.readFinal(ctx)
	if err != nil {
		return err
	}
	old := s.Dir + oldSuffix
	if previous != nil {
		if err := os.Rename(s.dir.Path, old); err != nil {
			return fmt.Errorf("output directory: %w", err)
		}
	}
	if err := os.Rename(s.Dir, s.dir.Path); err != nil {
		if previous != nil {
			err = errors.Join(err, os.Rename(old, s.dir.Path))
		}
		return fmt.Errorf("output directory: %w", err)
	}
	s.done = true
	if previous != nil {
		s.Leftover = workspace.RemoveNamed(old, previous.own)
	}
	return nil
}

func (s *Staging) Close() {
	var left error
	if !s.done {
		left = workspace.RemoveNamed(s.Dir, s.names)
	}
	if s.lock != nil {
		s.lock.Release()
	}
	if left == nil && s.Leftover == nil { // else the claim is what shows whose it is
		os.Remove(s.Dir + workspace.LockSuffix)
	}
}
