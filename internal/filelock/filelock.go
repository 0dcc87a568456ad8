// Package filelock is an advisory lock on a file that ends with the process,
// however that ends.
//
// Where the system has no such lock (neither flock nor LockFileEx) nothing is
// locked, and two processes at once are the user's to avoid.
package filelock

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/mintmark/mintmark/internal/files"
)

// ErrLocked says that somebody else holds the lock.
var ErrLocked = errors.New("locked")

// Lock is a held lock.
type Lock struct{ f *os.File }

// Release gives the lock up. The file stays.
func (l *Lock) Release() { l.f.Close() }

// maxNote is the most bytes of a note that are read.
const maxNote = 1 << 20

// Try takes the lock without waiting. A note that is not "" becomes the content
// of the file; else what the file says stays. When somebody else holds the lock,
// their note is returned with [ErrLocked].
//
// The file may be in a directory that others have filled: a symbolic link, a
// file with a second name and anything that is no regular file is refused with
// an error, and left as it is.
func Try(path, note string) (*Lock, string, error) {
	f, err := files.OpenOwn(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, "", err
	}
	if err := lockFile(f); err != nil {
		data, _ := io.ReadAll(io.LimitReader(f, maxNote))
		f.Close()
		return nil, string(data), err
	}
	l := &Lock{f}
	if note != "" {
		if err := l.SetNote(note); err != nil {
			f.Close()
			return nil, "", err
		}
	}
	return l, "", nil
}

// SetNote makes note the content of the file.
func (l *Lock) SetNote(note string) error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt([]byte(note), 0)
	return err
}

// Wait takes the lock as soon as it is free, or gives up when ctx ends.
func Wait(ctx context.Context, path string) (*Lock, error) {
	for {
		l, _, err := Try(path, "")
		if !errors.Is(err, ErrLocked) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
