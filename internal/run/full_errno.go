//go:build !plan9

package run

import (
	"errors"
	"syscall"
)

// isFull reports whether this system said that a disk is full.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
