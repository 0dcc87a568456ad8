package recovery

import (
	"math"

	"golang.org/x/sys/windows"
)

// freeSpace is how many bytes may still be written below dir; noShare when that
// is not known.
func freeSpace(dir string) int64 {
	name, err := windows.UTF16PtrFromString(dir)
	var free uint64
	if err != nil || windows.GetDiskFreeSpaceEx(name, &free, nil, nil) != nil {
		return noShare
	}
	return int64(min(free, math.MaxInt64))
}
