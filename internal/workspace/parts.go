package workspace

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
)

// Part is a directory or file that mintmark makes in its cache directory.
type Part struct {
	Name  string `json:"name"`
	Holds string `json:"holds"`
	// Bytes is the sum of the sizes of its files, Files their number: zero in what
	// [Parts] returns, and counted by [Usage]. A file with two names counts twice.
	Bytes int64 `json:"bytes"`
	Files int   `json:"files"`

	file bool
	own  bool // of the runs that go on: not to be cleared
}

// Parts are all of them. Nothing else in the directory is looked at or removed.
func Parts() []Part {
	return []Part{
		{Name: "first", Holds: "first place: toolchains, modules, build caches, linked programs"},
		{Name: "second", Holds: "second place: its toolchains and modules"},
		{Name: "rebuild", Holds: "toolchains, modules and build caches of verify -rebuild and attest"},
		{Name: "foreign", Holds: "modules and build caches of rebuild"},
		{Name: "worker", Holds: "what mintmark worker was sent, and what it built for others"},
		{Name: "fetched", Holds: "files that commands of generate need"},
		{Name: "tools", Holds: "programs of others that were built here, such as nfpm"},
		{Name: "bases", Holds: "images that container images begin with, by digest"},
		{Name: "ledger", Holds: "proof ledger: what two builds have shown (mintmark ledger)"},
		{Name: "known", Holds: "what was checked or read before and has not changed since"},
		{Name: "different", Holds: "builds that were not identical, kept for a look"},
		{Name: "costs.json", Holds: "how long builds took, to begin with the longest", file: true},
		{Name: "work", Holds: "directories of the runs that go on", own: true},
		{Name: "locks", Holds: "which output directory is being written, who begins", own: true},
	}
}

// names are the parts' that are files, or that are none.
func names(file bool) (list []string) {
	for _, p := range Parts() {
		if p.file == file {
			list = append(list, p.Name)
		}
	}
	return list
}

// Clearable are the names that [Workspace.Clear] takes.
func Clearable() (list []string) {
	for _, p := range Parts() {
		if !p.own {
			list = append(list, p.Name)
		}
	}
	return list
}

// Usage says what the parts that are there take. What cannot be read is left out
// of the counts, and is in the error.
func Usage(ctx context.Context, cache string) ([]Part, error) {
	var there []Part
	var errs []error
	for _, p := range Parts() {
		top := filepath.Join(cache, p.Name)
		if _, err := os.Lstat(top); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		errs = append(errs, filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed by a run that goes on
			}
			if err != nil {
				errs = append(errs, err)
				return nil
			}
			if fi, err := d.Info(); err == nil && fi.Mode().IsRegular() {
				p.Bytes += fi.Size()
				p.Files++
			}
			return nil
		}))
		there = append(there, p)
	}
	return there, errors.Join(errs...)
}

// Clear removes parts, by name, from the cache directory that w is in. It is
// refused while another run is in that directory, and where something in it leads
// elsewhere ([Check]). No run begins between the look for others and the removal: it
// waits, and finds nothing. A part that is not there is no error.
func (w *Workspace) Clear(parts []string) error {
	cache := filepath.Dir(filepath.Dir(w.Dir))
	for _, name := range parts {
		if !slices.Contains(Clearable(), name) {
			return fault.Usagef("one of "+strings.Join(Clearable(), ", "), "no part %q of the cache", name)
		}
	}
	if err := Check(cache); err != nil {
		return err
	}
	aside, err := w.takeAside(cache, parts)
	errs := []error{err}
	for _, name := range aside {
		errs = append(errs, files.RemoveTree(name))
	}
	return errors.Join(errs...)
}

// takeAside moves parts into the run's own directory, each in one step, if no other
// run is there. It returns where they are, also with an error.
func (w *Workspace) takeAside(cache string, parts []string) (aside []string, err error) {
	door, err := lockDoor(cache)
	if err != nil {
		return nil, err
	}
	defer door.Release()
	if err := w.alone(); err != nil {
		return nil, err
	}
	var errs []error
	for _, name := range parts {
		to := filepath.Join(w.Dir, "cleared-"+name)
		switch err := os.Rename(filepath.Join(cache, name), to); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			errs = append(errs, err)
		default:
			aside = append(aside, to)
		}
	}
	return aside, errors.Join(errs...)
}

// alone is an error if another run is in the cache directory.
func (w *Workspace) alone() error {
	work := filepath.Dir(w.Dir)
	entries, err := os.ReadDir(work)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), runPrefix) || !strings.HasSuffix(e.Name(), LockSuffix) || filepath.Join(work, e.Name()) == w.Dir+LockSuffix {
			continue
		}
		lock, _, err := filelock.Try(filepath.Join(work, e.Name()), "")
		if errors.Is(err, filelock.ErrLocked) {
			return fault.Errorf("wait until it is done", "another mintmark is using %s", filepath.Dir(work))
		}
		if err == nil {
			lock.Release()
		}
	}
	return nil
}
