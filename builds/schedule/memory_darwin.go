package schedule

import (
	"math"

	"golang.org/x/sys/unix"
)

// machineMemory is how much memory builds may use: half of the machine's,
// since macOS does not say how much is available.
func machineMemory() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return math.MaxInt64
	}
	return int64(n / 2)
}
