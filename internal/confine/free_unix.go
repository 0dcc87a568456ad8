//go:build unix

package confine

import (
	"os/exec"
	"runtime"
)

// runFree runs the command with the limits of this process alone.
func runFree(cmd *exec.Cmd) error {
	// A parent-death signal is sent when the thread that forked ends, not the
	// process (prctl(2)): keep the thread until the command is done.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}
