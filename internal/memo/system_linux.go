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
	return identity{ctime: st.Ctim.Nano(), ino: uint64(st.Ino), dev: uint64(st.Dev)}, true
}

// local reports whether dir is on a file system that sets a ctime at every
// change. FAT keeps none, and what a server or a FUSE program says of it is
// their own affair.
func local(dir string) bool {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return false
	}
	switch uint32(st.Type) { // linux/magic.h, and each file system's own
	case 0xef53, // ext2, ext3, ext4
		0x58465342, // xfs
		0x9123683e, // btrfs
		0xf2f52010, // f2fs
		0xca451a4e, // bcachefs
		0x2fc12fc1, // zfs
		0x794c7630, // overlayfs, which has a local one below
		0x01021994: // tmpfs
		return true
	}
	return false
}
