package schedule

import (
	"math"
	"testing"
	"testing/fstest"
)

func TestAvailableMemory(t *testing.T) {
	const meminfo = "MemTotal:       24000000 kB\nMemFree:          100000 kB\nMemAvailable:    1000000 kB\n"
	const all = 1000000 << 10 / 5 * 4
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"nothing is said", nil, math.MaxInt64},
		{"no group", map[string]string{"proc/meminfo": meminfo}, all},
		{"damaged", map[string]string{"proc/meminfo": "MemAvailable:", "proc/self/cgroup": "0\n\nx:y", "sys/fs/cgroup/memory.max": "-"}, math.MaxInt64},
		{"no limit", map[string]string{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "5\n"}, all},
		{"a limit", map[string]string{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "500\n"}, 400},
		{"a limit above what there is", map[string]string{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": "99999999999\n", "sys/fs/cgroup/memory.current": "0\n"}, all},
		{"pages of files", map[string]string{
			"sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "990\n",
			"sys/fs/cgroup/memory.stat": "anon 300\ninactive_file_not 5\ninactive_file 690\n",
		}, 560},
		{"more pages than used", map[string]string{
			"sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "10\n", "sys/fs/cgroup/memory.stat": "inactive_file 690\n",
		}, 800},
		{"above its limit", map[string]string{"sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "1200\n"}, 0},
		{"its own group", map[string]string{
			"proc/self/cgroup":                                      "0::/system.slice/run.service\n",
			"sys/fs/cgroup/system.slice/memory.max":                 "max\n",
			"sys/fs/cgroup/system.slice/memory.current":             "7000\n",
			"sys/fs/cgroup/system.slice/run.service/memory.max":     "1000\n",
			"sys/fs/cgroup/system.slice/run.service/memory.current": "0\n",
		}, 800},
		{"the group above", map[string]string{
			"proc/self/cgroup":                 "0::/a/b\n",
			"sys/fs/cgroup/a/memory.max":       "500\n",
			"sys/fs/cgroup/a/memory.current":   "400\n",
			"sys/fs/cgroup/a/b/memory.max":     "1000\n",
			"sys/fs/cgroup/a/b/memory.current": "0\n",
		}, 80},
		{"a path of another view", map[string]string{
			"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "0\n",
		}, 800},
		{"version 1", map[string]string{
			"proc/self/cgroup": "12:cpu,memory:/docker/x\n3:pids:/y\n",
			"sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "1000\n",
			"sys/fs/cgroup/memory/docker/x/memory.usage_in_bytes": "900\n",
			"sys/fs/cgroup/memory/docker/x/memory.stat":           "inactive_file 1\ntotal_inactive_file 400\n",
		}, 400},
	} {
		files := fstest.MapFS{}
		for name, text := range tt.files {
			files[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := availableMemory(files); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
