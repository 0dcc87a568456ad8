//go:build !linux

package confine

import (
	"os/exec"
	"runtime"

	"github.com/mintmark/mintmark/internal/fact"
)

// run confines nothing here, and says so.
func run(l Limits, command func() *exec.Cmd) (*exec.Cmd, fact.Confinement, error) {
	if l.View != nil {
		return nil, fact.Confinement{}, viewErrorf("directories are shown at other paths on Linux only, not on %s", runtime.GOOS)
	}
	cmd := command()
	h := fact.Hold{Reason: "mintmark confines commands on Linux only, not on " + runtime.GOOS}
	return cmd, fact.Confinement{Writes: h, Network: h}, runFree(cmd)
}
