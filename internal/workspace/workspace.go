// Package workspace is mintmark's cache directory as a run sees it: who may use it,
// a private directory for each run ([Open]), and how a run shows later, after it
// has been killed, what was of its making ([ClaimDir]). The cache directory is a
// stranger's file: it is looked through before it is used ([Check]).
package workspace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
)

// Workspace is a private directory for one run, below the cache directory.
type Workspace struct {
	Dir  string
	lock *filelock.Lock
}

// Open makes a fresh directory and removes those of runs that died.
func Open(cache string) (*Workspace, error) {
	if cache == "" || !filepath.IsAbs(cache) {
		return nil, fault.Usagef("set MINTMARK_CACHE to an absolute path, or HOME", "no cache directory")
	}
	parent, err := files.MakeDir(cache, "work")
	if err != nil {
		return nil, Error(err)
	}
	sweep(parent)
	door, err := lockDoor(cache)
	if err != nil {
		return nil, err
	}
	defer door.Release()
	// The lock comes first and the directory after it: nobody can ever find the
	// directory of a run that lives without its lock being held.
	dir, err := ClaimDir(parent, runPrefix)
	if err != nil {
		return nil, Error(err)
	}
	lock, _, err := filelock.Try(dir+LockSuffix, "")
	if err != nil {
		return nil, Error(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		lock.Release()
		os.Remove(dir + LockSuffix)
		return nil, Error(err)
	}
	return &Workspace{Dir: dir, lock: lock}, nil
}

// lockDoor keeps others from beginning a run in the cache directory, and from finding
// out that none is in it: it is held while a run makes its own lock, and while parts
// are taken away ([Workspace.Clear]). Neither takes long.
func lockDoor(cache string) (*filelock.Lock, error) {
	dir, err := files.MakeDir(cache, "locks")
	if err != nil {
		return nil, Error(err)
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), maxDoor, errors.New("another mintmark has been beginning or clearing it for "+maxDoor.String()))
	defer cancel()
	door, err := filelock.Wait(ctx, filepath.Join(dir, "door"))
	if err != nil {
		return nil, Error(err)
	}
	return door, nil
}

// maxDoor is the longest wait for the door: one who holds it that long was stopped.
const maxDoor = time.Minute

func Error(err error) error {
	return fault.Errorf("MINTMARK_CACHE can name another directory", "cache directory: %w", err)
}

// Name is that of the run: no other has it.
func (w *Workspace) Name() string { return filepath.Base(w.Dir) }

func (w *Workspace) Close() {
	files.RemoveTree(w.Dir)
	w.lock.Release()
	os.Remove(w.Dir + LockSuffix)
}

// runPrefix begins the names of runs' directories.
const runPrefix = "run-"

// sweep removes the directories of runs whose lock nobody holds and whose claim
// says that they are ours, and old locks that have no directory. The claim is
// looked at while the lock is held: then no run is there that still uses it.
func sweep(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		dir, isLock := strings.CutSuffix(filepath.Join(parent, e.Name()), LockSuffix)
		if !isLock || !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), runPrefix) {
			continue
		}
		there := files.IsDir(dir)
		if errors.Is(there, fs.ErrNotExist) {
			// A young one may be about to be locked, and to get its directory.
			if fi, err := e.Info(); err != nil || time.Since(fi.ModTime()) < 24*time.Hour {
				continue
			}
		}
		lock, _, err := filelock.Try(dir+LockSuffix, "")
		if err != nil {
			continue
		}
		// Whoever ended meanwhile has taken both away, and the lock's file is there
		// again because it was asked for.
		there = files.IsDir(dir)
		_, ours := Claimed(dir)
		switch {
		case there == nil && ours:
			files.RemoveTree(dir)
			os.Remove(dir + LockSuffix)
		case errors.Is(there, fs.ErrNotExist) && (ours || EmptyLock(dir+LockSuffix)):
			os.Remove(dir + LockSuffix)
		}
		lock.Release()
	}
}

// holder is what a lock file says of who holds it.
type holder struct {
	PID  int    `json:"pid"`
	Verb string `json:"verb"`
	Out  string `json:"out"`
}

// LockOutput makes sure that one mintmark at a time writes an output directory.
func LockOutput(cache, out string) (*filelock.Lock, error) {
	dir, err := files.MakeDir(cache, "locks")
	if err != nil {
		return nil, Error(err)
	}
	sum := sha256.Sum256([]byte(out))
	me, err := json.Marshal(holder{PID: os.Getpid(), Out: out})
	if err != nil {
		return nil, err
	}
	lock, other, err := filelock.Try(filepath.Join(dir, hex.EncodeToString(sum[:8])), string(me))
	if errors.Is(err, filelock.ErrLocked) {
		var h holder
		who := "another mintmark"
		if json.Unmarshal([]byte(other), &h) == nil && h.PID != 0 {
			who = fmt.Sprintf("another mintmark (process %d)", h.PID)
		}
		return nil, fault.Errorf("wait until it is done, or write to another directory with -out=DIR", "%s is writing %s", who, out)
	}
	if err != nil {
		return nil, Error(err)
	}
	return lock, nil
}
