package builds

import (
	"bufio"
	"math"
	"os"
	"strconv"
	"strings"
)

// MachineMemory is how much memory builds may use: four fifths of what is
// available now, or of what the control group leaves, whichever is less.
// Without an answer from the system there is no limit but that of processors.
func MachineMemory() int64 {
	avail := int64(math.MaxInt64)
	if f, err := os.Open("/proc/meminfo"); err == nil {
		defer f.Close()
		sc := bufio.NewScanner(f)
		for sc.Scan() {
			if rest, ok := strings.CutPrefix(sc.Text(), "MemAvailable:"); ok {
				kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
				if err == nil {
					avail = kb << 10
				}
			}
		}
	}
	for _, pair := range [][2]string{
		{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
		{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"},
	} {
		limit, ok := readInt(pair[0])
		used, ok2 := readInt(pair[1])
		if ok && ok2 && limit-used > 0 {
			avail = min(avail, limit-used)
		}
	}
	if avail == math.MaxInt64 {
		return avail
	}
	return avail / 5 * 4
}

func readInt(name string) (int64, bool) {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64) // "max" is no number
	return n, err == nil
}
