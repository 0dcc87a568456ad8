//go:build !linux

package startup

import (
	"errors"
	"runtime"
)

func evict(string) error { return evictable("") }

func evictable(string) error {
	return errors.New("there is no way to drop one file from the page cache of " + runtime.GOOS)
}
