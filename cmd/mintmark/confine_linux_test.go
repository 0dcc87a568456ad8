package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/confine/forbid"
)

// forbidding WHAT PROGRAM [ARG]... becomes the program, to which the kernel
// refuses what confines its commands.
func forbidding() {
	runtime.LockOSThread() // the filter is this thread's, and execve leaves that one alone
	program, err := exec.LookPath(os.Args[2])
	if err == nil {
		err = forbid.ThisThread(os.Args[1])
	}
	if err == nil {
		err = syscall.Exec(program, os.Args[2:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// confines reports whether this system confines commands wholly.
func confines() bool {
	_, state, err := confine.Run(confine.Limits{}, func() *exec.Cmd { return exec.Command("/bin/sh", "-c", "exit 0") })
	return err == nil && state.Held()
}

// mounts reports whether this system lets a command have a mount namespace of its own,
// with directories such as those of tests: a directory of the system is none of them.
func mounts() bool {
	if strings.HasPrefix(os.TempDir(), "/dev/") {
		return false
	}
	for _, flags := range []uintptr{syscall.CLONE_NEWNS, syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER} {
		cmd := exec.Command("/bin/sh", "-c", "exit 0")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
		if cmd.Run() == nil {
			return true
		}
	}
	return false
}
