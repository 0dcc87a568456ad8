package toolchain

import (
	"context"
	"syscall"
)

func tie(attr *syscall.SysProcAttr, c Command) {
	attr.Pdeathsig = syscall.SIGKILL
	if c.Hostname != "" {
		attr.Cloneflags |= syscall.CLONE_NEWUTS
	}
}

// CanSetHostname reports whether a command may be given a host name of its
// own: Linux, with the right to make a UTS namespace.
func CanSetHostname(ctx context.Context, dir string) bool {
	res, err := Run(ctx, Command{Path: systemShell, Args: []string{"-c", "cat " + hostnameFile}, Dir: dir, Hostname: "mintmark-probe"})
	return err == nil && string(res.Stdout) == "mintmark-probe\n"
}
