package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
)

// The directories of a worker, below its own.
const (
	inputsName     = "inputs"
	toolchainsName = "toolchains"
	runsName       = "runs"
	noncesName     = "nonces"  // an empty file for each
	removedName    = "removed" // what is being removed
)

// keep is how long what lies in a directory is kept after it was last used. The nonce of
// an execution is of no use to anybody after its run.
func keep() map[string]time.Duration {
	const day = 24 * time.Hour
	return map[string]time.Duration{inputsName: 30 * day, toolchainsName: 30 * day, runsName: day, noncesName: day}
}

// shelf is the directory of a worker, of which nothing grows without end: what is in
// use says so before it is used, and what nobody has used for long is removed.
type shelf struct {
	dir string
	now func() time.Time
}

// lock keeps others from finding out that something was not used for long.
func (s *shelf) lock(ctx context.Context) (*filelock.Lock, error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	return filelock.Wait(ctx, filepath.Join(s.dir, "lock"))
}

// use notes that something is used now, by its path below the directory. It does not
// vanish before it is unused for long; what is not there is none of its business.
func (s *shelf) use(ctx context.Context, kind, name string) error {
	held, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer held.Release()
	now := s.now()
	if err := os.Chtimes(filepath.Join(s.dir, kind, name), now, now); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// once makes a nonce known, and refuses one that is.
func (s *shelf) once(nonce string) error {
	dir := filepath.Join(s.dir, noncesName)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := filepath.Join(dir, nonce)
	err := files.Create(name, 0o644, func(*os.File) error { return nil })
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the nonce %s was used: it is for one execution", nonce)
	}
	if err != nil {
		return err
	}
	now := s.now()
	return os.Chtimes(name, now, now)
}

// sweep removes what nobody has used for long. It is put aside first, in one step:
// whoever wants it meanwhile makes it anew.
func (s *shelf) sweep(ctx context.Context) error {
	aside, err := s.putAside(ctx)
	for _, name := range aside {
		files.RemoveTree(name) // what stays is removed the next time
	}
	return err
}

func (s *shelf) putAside(ctx context.Context) (aside []string, err error) {
	held, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer held.Release()
	removed := filepath.Join(s.dir, removedName)
	list, err := os.ReadDir(removed)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range list { // of one that was killed
		aside = append(aside, filepath.Join(removed, e.Name()))
	}
	for kind, age := range keep() {
		dir := filepath.Join(s.dir, kind)
		list, err := os.ReadDir(dir)
		if err != nil {
			continue // nothing is kept there
		}
		for _, e := range list {
			if fi, err := e.Info(); err != nil || s.now().Sub(fi.ModTime()) <= age {
				continue
			}
			if err := os.MkdirAll(removed, 0o755); err != nil {
				return aside, err
			}
			to, err := os.MkdirTemp(removed, kind+"-")
			if err != nil {
				return aside, err
			}
			aside = append(aside, to)
			if err := os.Rename(filepath.Join(dir, e.Name()), filepath.Join(to, e.Name())); err != nil {
				return aside, err
			}
		}
	}
	return aside, nil
}
