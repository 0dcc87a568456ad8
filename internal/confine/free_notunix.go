//go:build !unix

package confine

import "os/exec"

// runFree runs the command with the limits of this process alone.
func runFree(cmd *exec.Cmd) error { return cmd.Run() }
