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
)

// ErrLocked says that somebody else holds the lock.
var ErrLocked = errors.New("locked")

// Lock is a held lock.
type Lock struct{ f *os.File }

// Release gives the lock up. The file stays.
func (l *Lock) Release() { l.f.Close() }

// Try takes the lock without waiting and writes note into the file. When
// somebody else holds it, their note is returned with [ErrLocked].
func Try(path, note string) (*Lock, string, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, "", err
	}
	if err := lockFile(f); err != nil {
		data, _ := io.ReadAll(io.LimitReader(f, 4096))
		f.Close()
		return nil, string(data), err
	}
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(note), 0)
		if err != nil {
			f.Close()
			return nil, "", err
		}
	}
	return &Lock{f}, "", nil
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
