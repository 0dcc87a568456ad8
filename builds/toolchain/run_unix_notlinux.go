//go:build unix && !linux

package toolchain

import "syscall"

// tie does nothing: there is no parent-death signal here. If mintmark itself
// is killed outright, a running go command ends its build in a private
// directory that nobody reads.
func tie(*syscall.SysProcAttr, Command) {}
