//go:build !linux && !darwin && !freebsd && !windows

package recovery

// freeSpace is not known on this system.
func freeSpace(string) int64 { return noShare }
