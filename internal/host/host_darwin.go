package host

import "golang.org/x/sys/unix"

// boot is the UUID of the session that began when the kernel started, and the
// kernel's release.
func boot() (id, kernel string) {
	id, _ = unix.Sysctl("kern.bootsessionuuid")
	kernel, _ = unix.Sysctl("kern.osrelease")
	return id, kernel
}

func container() bool { return false }
