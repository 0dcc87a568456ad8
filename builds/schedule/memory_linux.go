package schedule

import (
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// machineMemory is how much memory builds may use: four fifths of what is
// available now, or of what the control groups of this process leave, whichever
// is less. Without an answer from the system there is no limit but that of
// processors.
func machineMemory() int64 { return availableMemory(os.DirFS("/")) }

func availableMemory(root fs.FS) int64 {
	avail := int64(math.MaxInt64)
	if kb, ok := field(root, "proc/meminfo", "MemAvailable:"); ok {
		avail = kb << 10
	}
	v1, v2 := "/", "/"
	groups, _ := fs.ReadFile(root, "proc/self/cgroup") // lines of ID:controllers:path
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(parts) < 3:
		case parts[1] == "":
			v2 = parts[2]
		case strings.Contains(","+parts[1]+",", ",memory,"):
			v1 = parts[2]
		}
	}
	avail = min(avail, groupMemory(root, "sys/fs/cgroup", v2, "memory.max", "memory.current", "inactive_file"))
	avail = min(avail, groupMemory(root, "sys/fs/cgroup/memory", v1, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))
	if avail == math.MaxInt64 {
		return avail
	}
	return avail / 5 * 4
}

// groupMemory is the least that a control group, or one that it is part of,
// leaves of its limit. In a container the path that the kernel gives may be
// that of another view of the tree; what is not there limits nothing, and the
// root is always looked at. Pages of files that nobody uses count as used, but
// are given back when memory is wanted: after a large checkout they would seem
// to leave nothing.
func groupMemory(root fs.FS, tree, group, limitFile, usedFile, cacheField string) int64 {
	least := int64(math.MaxInt64)
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		dir := path.Join(tree, group)
		limit, ok := number(root, path.Join(dir, limitFile))
		used, ok2 := number(root, path.Join(dir, usedFile))
		if ok && ok2 {
			cache, _ := field(root, path.Join(dir, "memory.stat"), cacheField)
			least = min(least, max(1, limit-max(0, used-cache)))
		}
		if group == "/" {
			return least
		}
	}
}

// field reads the first number of the line that begins with name.
func field(root fs.FS, file, name string) (int64, bool) {
	data, err := fs.ReadFile(root, file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

func number(root fs.FS, file string) (int64, bool) {
	data, err := fs.ReadFile(root, file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64) // "max" is no number
	return n, err == nil
}
