package startup

import (
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/sys/unix"
)

// kernel is the release of the system's kernel, and load how many processes
// wanted to run on average over the last minute.
func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

func load() (float64, bool) {
	data, err := files.Read("/proc/loadavg", maxProc)
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(data), " ")
	v, err := strconv.ParseFloat(first, 64)
	return v, err == nil
}
