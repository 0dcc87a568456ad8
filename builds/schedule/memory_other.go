//go:build !linux && !darwin

package schedule

import "math"

// machineMemory is not known on this system: only the number of processors
// limits what runs at the same time. -jobs sets it.
func machineMemory() int64 { return math.MaxInt64 }
