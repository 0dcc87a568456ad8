package toolchain

import (
	"context"
	"errors"
	"os"
	"time"
)

// errHeld says that somebody else holds the lock.
var errHeld = errors.New("locked")

// lock takes the lock of a directory of toolchains, and waits for it if need
// be: installing is removing and renaming, and two processes that repair the
// same toolchain would otherwise remove each other's work. The lock ends with
// the process, however that ends.
func lock(ctx context.Context, name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := tryLock(f)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, errHeld) {
			f.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
