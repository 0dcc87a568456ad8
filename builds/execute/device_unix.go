//go:build unix

package execute

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// device names the file system that a directory is on.
func device(dir string) (string, bool) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return "", false
	}
	return fmt.Sprint(st.Dev), true
}
