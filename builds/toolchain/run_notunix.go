//go:build !unix

package toolchain

import (
	"os"
	"os/exec"
)

// wrap: there is no umask and no host name to set here.
func wrap(c Command) (string, []string) { return c.Path, c.Args }

// CanSetUmask reports whether a command may be given a file mode mask of its own: there
// is none here.
func CanSetUmask() bool { return false }

func writes(Command) []string { return nil }

func isolate(*exec.Cmd, Command) {}

// killGroup kills the command only: a compiler it started ends by itself.
func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }

func maxRSS(*os.ProcessState) int64 { return 0 }
