package startup

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

// parseKB reads the lines "Name:  123 kB" of /proc/PID/status and
// /proc/PID/smaps_rollup (proc_pid_status(5), proc_pid_smaps(5)) and returns
// the named ones in bytes. All of them must be there: a kernel that leaves one
// out must not pass for a program that needs no memory.
func parseKB(text []byte, names ...string) (map[string]int64, error) {
	found := map[string]int64{}
	for line := range bytes.Lines(text) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		fields := bytes.Fields(value)
		if len(fields) != 2 || string(fields[1]) != "kB" {
			continue
		}
		n, err := strconv.ParseInt(string(fields[0]), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/1024 {
			continue
		}
		found[string(name)] = n * 1024
	}
	out := map[string]int64{}
	for _, name := range names {
		n, ok := found[name]
		if !ok {
			return nil, fmt.Errorf("no %s in %d bytes from /proc", name, len(text))
		}
		out[name] = n
	}
	return out, nil
}
