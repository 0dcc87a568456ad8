package filelock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	first, _, err := Try(name, "me")
	if err != nil {
		t.Fatal(err)
	}
	if _, note, err := Try(name, "other"); !errors.Is(err, ErrLocked) || note != "me" {
		t.Errorf("held twice: %q, %v", note, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Wait(ctx, name); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waited: %v", err)
	}
	waited := make(chan error, 1)
	go func() {
		l, err := Wait(t.Context(), name)
		if err == nil {
			l.Release()
		}
		waited <- err
	}()
	first.Release()
	if err := <-waited; err != nil {
		t.Error(err)
	}
	// The file stays, and a directory that is not there is an error.
	if _, err := os.Stat(name); err != nil {
		t.Error(err)
	}
	if _, _, err := Try(filepath.Join(t.TempDir(), "none", "lock"), ""); err == nil || errors.Is(err, ErrLocked) {
		t.Errorf("no directory: %v", err)
	}
}
