// Package forbid makes the kernel refuse what confines commands, as the seccomp
// filters of containers do, for tests of what is said and done then.
package forbid

import (
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Things to forbid, alone or together.
const (
	Landlock = "landlock" // as a kernel without it: ENOSYS
	Network  = "network"  // network namespaces: EPERM
	Mounts   = "mounts"   // mount namespaces: EPERM
)

// ThisThread has the kernel refuse them to the calling thread and to all that it
// starts, for ever. The goroutine must be locked to its thread.
func ThisThread(what string) error {
	const (
		load = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		eq   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		set  = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		ret  = unix.BPF_RET | unix.BPF_K
		// Offsets in struct seccomp_data (seccomp(2)); the argument's lower half on
		// a little-endian machine.
		number, argument = 0, 16
	)
	var prog []unix.SockFilter
	if strings.Contains(what, Landlock) {
		prog = append(prog, unix.SockFilter{Code: load, K: number}, unix.SockFilter{Code: eq, K: unix.SYS_LANDLOCK_CREATE_RULESET, Jf: 1},
			unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(syscall.ENOSYS)})
	}
	for name, flag := range map[string]uint32{Network: unix.CLONE_NEWNET, Mounts: unix.CLONE_NEWNS} {
		if strings.Contains(what, name) {
			prog = append(prog, unix.SockFilter{Code: load, K: number}, unix.SockFilter{Code: eq, K: unix.SYS_CLONE, Jf: 3},
				unix.SockFilter{Code: load, K: argument}, unix.SockFilter{Code: set, K: flag, Jf: 1},
				unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(syscall.EPERM)})
		}
	}
	prog = append(prog, unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER,
		uintptr(unsafe.Pointer(&unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]})), 0, 0)
}
