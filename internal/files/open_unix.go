//go:build unix

package files

import (
	"io/fs"
	"os"
	"syscall"
)

// What keeps opening from waiting for the other end of a pipe, and from
// following a link.
const (
	nonblock = syscall.O_NONBLOCK
	nofollow = syscall.O_NOFOLLOW
)

// links is how many names a file has.
func links(_ *os.File, fi fs.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}

func linked(path string) bool {
	fi, err := os.Lstat(path)
	return err == nil && links(nil, fi) > 1
}
