//go:build linux || darwin || freebsd

package recovery

import "golang.org/x/sys/unix"

// freeSpace is how many bytes may still be written below dir; noShare when that
// is not known.
func freeSpace(dir string) int64 {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return noShare
	}
	return max(int64(st.Bavail)*int64(st.Bsize), 0)
}
