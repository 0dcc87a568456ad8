package memo

import (
	"io/fs"
	"syscall"
)

func identify(fi fs.FileInfo) (identity, bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, false
	}
	return identity{ctime: st.Ctimespec.Nano(), ino: st.Ino, dev: uint64(st.Dev)}, true
}

// local reports whether dir is on a file system that sets a ctime at every change.
func local(dir string) bool {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return false
	}
	var name []byte
	for _, c := range st.Fstypename {
		if c == 0 {
			break
		}
		name = append(name, byte(c))
	}
	return string(name) == "apfs" || string(name) == "hfs"
}
