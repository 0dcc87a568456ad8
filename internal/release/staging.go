package release

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

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
)

// staging is the output directory in the making: beside the final one, so that
// one rename publishes it, under a name nobody takes for a release. What a run
// leaves when it is killed, the next one removes: by the run's [claim], never by
// the name.
type staging struct {
	final    string
	dir      string
	names    []string       // of the files that were claimed
	lock     *filelock.Lock // says that dir is in use, to a mintmark with another cache as well
	done     bool
	leftover error // what kept the previous release from being removed
}

// oldSuffix ends the name of the previous release while it is replaced.
const oldSuffix = "-old"

func stagingPrefix(final string) string { return filepath.Base(final) + ".unfinished-" }

// stagingBase is the directory that an entry beside an output directory belongs to.
func stagingBase(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, lockSuffix), oldSuffix)
}

// unfinished lists what runs have left beside an output directory. What only
// has such a name is not among it.
func unfinished(final string) []string {
	var names []string
	for _, name := range besideOut(final) {
		if _, ok := claimed(stagingBase(name)); ok || emptyLock(name) {
			names = append(names, name)
		}
	}
	return names
}

// besideOut lists everything with the name of a staging directory.
func besideOut(final string) []string {
	entries, err := os.ReadDir(filepath.Dir(final))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), stagingPrefix(final)) {
			names = append(names, filepath.Join(filepath.Dir(final), e.Name()))
		}
	}
	return names
}

// realPath makes a path absolute and resolves the symbolic links in what of it
// exists, so that one directory has one name.
func realPath(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		if _, lerr := os.Lstat(dir); lerr == nil || filepath.Dir(dir) == dir {
			return "", err // a link that leads nowhere, a directory nobody may enter
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// checkOut refuses places where no release can be, whatever is there.
func checkOut(final string) error {
	const hint = "name a directory of its own with -out=DIR"
	if filepath.Dir(final) == final {
		return fault.Usagef(hint, "output directory: %s is a root directory", final)
	}
	if slices.Contains(strings.Split(filepath.ToSlash(final), "/"), ".git") {
		return fault.Usagef(hint, "output directory: %s is in a .git directory", final)
	}
	return nil
}

// readFinal looks at what the release is going to replace, and refuses it
// unless mintmark made all of it. nil: there is nothing.
func readFinal(ctx context.Context, final string) (*outDir, error) {
	switch fi, err := os.Lstat(final); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fault.Errorf("name another directory with -out=DIR", "output directory: %w", err)
	case !fi.IsDir():
		return nil, fault.Errorf("name a directory with -out=DIR", "output directory: %s is not a directory", final)
	}
	o, err := readOut(ctx, final)
	if err != nil {
		return nil, fmt.Errorf("output directory: %w", err)
	}
	return o, o.refusal(final)
}

// replaceable is readFinal that also refuses what could not be removed.
func replaceable(ctx context.Context, final string) (*outDir, error) {
	old, err := readFinal(ctx, final)
	if err != nil {
		return nil, err
	}
	if fi, err := os.Lstat(final); old != nil && err == nil && fi.Mode().Perm()&0o200 == 0 && runtime.GOOS != "windows" {
		// It could be renamed, but not removed then.
		return nil, fault.Errorf("chmod u+w "+shell.Name(final)+" if the release in it may be replaced, or name another directory with -out=DIR", "output directory: %s is read-only", final)
	}
	return old, nil
}

// lookOut finds what of an output directory keeps a release from being written
// there, and changes nothing.
func lookOut(ctx context.Context, final string) error {
	if err := checkOut(final); err != nil {
		return err
	}
	_, err := replaceable(ctx, final)
	return err
}

// openStaging refuses an output directory that is not mintmark's, and proves
// that it can be written and replaced before anything is built. The caller
// holds the lock of the output directory.
func openStaging(ctx context.Context, final string) (*staging, error) {
	if err := checkOut(final); err != nil {
		return nil, err
	}
	if err := clearUnfinished(ctx, final); err != nil {
		return nil, err
	}
	old, err := replaceable(ctx, final)
	if err != nil {
		return nil, err
	}
	parent := filepath.Dir(final)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fault.Errorf("name a directory that can be made, with -out=DIR", "output directory: %w", err)
	}
	const hint = "mintmark writes beside the output directory and renames at the end; -out=DIR names another"
	s := &staging{final: final}
	if s.dir, err = claimDir(parent, stagingPrefix(final)); err != nil {
		return nil, fault.Errorf(hint, "output directory: %w", err)
	}
	if s.lock, _, err = filelock.Try(s.dir+lockSuffix, ""); err != nil {
		s.lock = nil // a file system without locks: the one in the cache must do
	}
	if err = os.Mkdir(s.dir, 0o755); err == nil {
		err = os.Chmod(s.dir, 0o755) // whatever the umask says
	}
	if err == nil {
		err = s.claim(besides()...)
	}
	if err == nil && old != nil {
		// A mount point, a directory somebody works in on Windows: better
		// known now than after the build.
		if err = os.Rename(final, s.dir+oldSuffix); err == nil {
			err = os.Rename(s.dir+oldSuffix, final)
		}
	}
	if err != nil {
		s.Close()
		return nil, fault.Errorf(hint+"; a mount point cannot be renamed, a directory inside it can", "output directory: %w", err)
	}
	return s, nil
}

// claim notes the names of files before they are written into the directory.
func (s *staging) claim(names ...string) error {
	if err := claimFiles(s.dir, names...); err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	s.names = append(s.names, names...)
	return nil
}

// clearUnfinished removes what dead runs have left beside the output directory
// and puts a previous release back that one was about to replace. What they
// cannot have left is refused.
func clearUnfinished(ctx context.Context, final string) error {
	names := besideOut(final)
	for _, name := range names {
		base := stagingBase(name)
		if _, ok := claimed(base); !ok {
			continue
		}
		lock, _, err := filelock.Try(base+lockSuffix, "")
		if errors.Is(err, filelock.ErrLocked) {
			return fault.Errorf("wait until it is done, or write to another directory with -out=DIR", "another mintmark is writing %s", final)
		}
		if err == nil {
			lock.Release()
		}
	}
	var errs []error
	for _, name := range names {
		if strings.HasSuffix(name, lockSuffix) && !emptyLock(name) {
			continue // goes with its directory
		}
		if err := clearOne(ctx, name, final); err != nil {
			errs = append(errs, err)
		}
	}
	for _, name := range names {
		base := stagingBase(name)
		_, ok := claimed(base)
		switch {
		case name != base+lockSuffix:
		case !ok && !emptyLock(name):
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
func clearOne(ctx context.Context, name, final string) error {
	base := stagingBase(name)
	written, ok := claimed(base)
	fi, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) || emptyLock(name):
		return nil
	case err != nil:
		return fmt.Errorf("output directory: %w", err)
	case !ok:
		return inTheWay(name, notMade)
	case !fi.IsDir():
		return inTheWay(name, "it is "+files.Kind(fi.Mode()))
	case name == base:
		other, err := unclaimed(name, written)
		if err != nil {
			return fmt.Errorf("output directory: %w", err)
		}
		if other != "" {
			return inTheWay(other, notMade)
		}
		return removeNamed(name, written)
	}
	if _, err := os.Lstat(final); errors.Is(err, fs.ErrNotExist) {
		if err := os.Rename(name, final); err != nil {
			return fmt.Errorf("output directory: putting back the previous release: %w", err)
		}
		return nil
	}
	o, err := readOut(ctx, name)
	if err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	if len(o.foreign) > 0 {
		return inTheWay(name, strings.Join(o.foreign, "; "))
	}
	return removeNamed(name, o.own)
}

// publish puts the staged directory into its final place. What is there is
// looked at once more: the build took its time.
func (s *staging) publish(ctx context.Context) error {
	previous, err := readFinal(ctx, s.final)
	if err != nil {
		return err
	}
	old := s.dir + oldSuffix
	if previous != nil {
		if err := os.Rename(s.final, old); err != nil {
			return fmt.Errorf("output directory: %w", err)
		}
	}
	if err := os.Rename(s.dir, s.final); err != nil {
		if previous != nil {
			err = errors.Join(err, os.Rename(old, s.final))
		}
		return fmt.Errorf("output directory: %w", err)
	}
	s.done = true
	if previous != nil {
		s.leftover = removeNamed(old, previous.own)
	}
	return nil
}

func (s *staging) Close() {
	var left error
	if !s.done {
		left = removeNamed(s.dir, s.names)
	}
	if s.lock != nil {
		s.lock.Release()
	}
	if left == nil && s.leftover == nil { // else the claim is what shows whose it is
		os.Remove(s.dir + lockSuffix)
	}
}
