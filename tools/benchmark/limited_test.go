package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tree writes files below a new directory.
func tree(t *testing.T, texts map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestGroupUse(t *testing.T) {
	const (
		events = "low 0\nhigh 0\nmax 811\noom 14\noom_kill 12\noom_group_kill 0\n"
		stat   = "usage_usec 1600000\nuser_usec 1500000\nsystem_usec 100000\n"
	)
	for _, tt := range []struct {
		events, stat, peak string
		want               groupUse
		err                string // part of it
	}{
		{events, stat, "1258291200\n", groupUse{12, 1200 << 20, 1500 * time.Millisecond}, ""},
		{events, stat, "", groupUse{12, -1, 1500 * time.Millisecond}, ""},
		{"max 811\n", stat, "1\n", groupUse{}, "memory.events has no oom_kill"},
		{"", stat, "1\n", groupUse{}, "no such file"},
		{"oom_kill 12 13\n", stat, "1\n", groupUse{}, `"oom_kill 12 13\n" is no name and number`},
		{"oom_kill\n", stat, "1\n", groupUse{}, "is no name and number"},
		{events, "usage_usec 1\n", "1\n", groupUse{}, "cpu.stat has no user_usec"},
		{events, stat, "max\n", groupUse{}, "invalid syntax"},
	} {
		texts := map[string]string{"memory.events": tt.events, "cpu.stat": tt.stat, "memory.peak": tt.peak}
		for name, text := range texts {
			if text == "" {
				delete(texts, name)
			}
		}
		got, err := (&group{path: tree(t, texts)}).use()
		if tt.err == "" && (err != nil || got != tt.want) {
			t.Errorf("%q: %+v, %v; want %+v", tt.events, got, err, tt.want)
		}
		if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%q, %q, %q: %v; want %q", tt.events, tt.stat, tt.peak, err, tt.err)
		}
	}
}

func TestGroupParents(t *testing.T) {
	for _, tt := range []struct {
		name, own string
		texts     map[string]string
		want      []string // below the root
		err       string
	}{
		{"those around that have memory, nearest first", "0::/a/b/c\n",
			map[string]string{"cgroup.subtree_control": "cpu memory\n", "a/cgroup.subtree_control": "cpu\n", "a/b/cgroup.subtree_control": "memory pids\n", "a/b/c/cgroup.subtree_control": "\n", "a/b/memory.max": "max\n"},
			[]string{"a/b", ""}, ""},
		{"a larger limit", "3:pids:/\n0::/a\n", map[string]string{"cgroup.subtree_control": "memory\n", "a/memory.max": "1000\n"}, []string{""}, ""},
		{"a smaller limit", "0::/a/b\n", map[string]string{"cgroup.subtree_control": "memory\n", "a/memory.max": "999\n"}, nil, "a allows"},
		{"no memory", "0::/a\n", map[string]string{"cgroup.subtree_control": "cpu memoryless\n"}, nil, "has memory in it"},
		{"version 1 only", "4:memory:/a\n", map[string]string{"cgroup.subtree_control": "memory\n"}, nil, "in no cgroup of version 2"},
		{"outside of what is seen", "0::/../x\n", map[string]string{"cgroup.subtree_control": "memory\n"}, []string{""}, ""},
	} {
		root := tree(t, tt.texts)
		var want []string
		for _, name := range tt.want {
			want = append(want, filepath.Join(root, name))
		}
		got, err := groupParents(root, tt.own, 1000)
		if !slices.Equal(got, want) || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %q, %v; want %q, %q", tt.name, got, err, want, tt.err)
		}
	}
}

// TestLimitedReport: what is said of both sides is what was measured of them.
func TestLimitedReport(t *testing.T) {
	p := quickProject()
	p.rows = []string{limitedRow}
	r := &run{bench: &bench{}, p: &p, unlimited: errors.New("a reason\nand another")}
	if got := r.report(time.Minute); !strings.HasSuffix(got, "\n\nNot measured: a reason; and another.\n") || strings.Contains(got, "One run") {
		t.Errorf("without a group: %s", got)
	}
	r.unlimited = nil
	r.series = map[string][]sample{limitedBuild: {{Wall: 15 * time.Second, Limited: &limited{groupUse{12, 1200 << 20, 20 * time.Second}, "signal: killed", 0, 0}}}}
	cells := func(text string) []string {
		var out []string
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "| `") {
				out = append(out, strings.Join(strings.Fields(line), " "))
			}
		}
		return out
	}
	killed := "| `goreleaser build --parallelism=16` | signal: killed | 12 | 1200 MiB | 20.0 s | 15.0 s | 0 of 1 | 0 of 1 |"
	text := r.report(time.Minute)
	if want := []string{"| `mintmark release -jobs=16` | not measured | | | | | | |", killed}; !slices.Equal(cells(text), want) {
		t.Errorf("got %q, want %q", cells(text), want)
	}
	if want := "memory.max of 1200 MiB"; !strings.Contains(text, want) {
		t.Errorf("no %q in %s", want, text)
	}
	r.series[limitedRelease] = []sample{{Wall: 70 * time.Second, Limited: &limited{groupUse{0, -1, 140 * time.Second}, "exit status 0", 1, 1}}}
	if want := []string{"| `mintmark release -jobs=16` | exit status 0 | 0 | not known | 140.0 s | 70.0 s | 1 of 1 | 1 of 1 |", killed}; !slices.Equal(cells(r.report(time.Minute)), want) {
		t.Errorf("got %q, want %q", cells(r.report(time.Minute)), want)
	}
}

// TestLimitedSides: both are told of as many jobs as the table says.
func TestLimitedSides(t *testing.T) {
	p := quickProject()
	b := &bench{work: t.TempDir(), mintmark: "mintmark", goreleaser: "goreleaser"}
	if err := os.Mkdir(filepath.Join(b.work, p.name), 0o755); err != nil {
		t.Fatal(err)
	}
	args, err := (&mintmarkSide{b: b, p: &p, jobs: limitedJobs}).args("release", "none")
	if err != nil || !slices.Contains(args, "-jobs=16") {
		t.Errorf("%q, %v", args, err)
	}
	if args := (&goreleaserSide{b: b, p: &p, jobs: limitedJobs}).args("build"); !slices.Contains(args, "--parallelism=16") {
		t.Errorf("%q", args)
	}
}

// TestPrograms: what a run left is counted by what it is.
func TestPrograms(t *testing.T) {
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := tree(t, map[string]string{"a/whole": string(self), "b/whole": string(self), "part": string(self[:100]), "checksums.txt": "x\n"})
	if got, err := programs(t.Context(), dir); err != nil || len(got) != 2 || got[0] != got[1] {
		t.Errorf("%q, %v; want one digest twice", got, err)
	}
	if got, err := programs(t.Context(), filepath.Join(dir, "nothing")); err != nil || got != nil {
		t.Errorf("%q, %v; want none", got, err)
	}
}

func TestIdentical(t *testing.T) {
	artifacts := `"artifacts": [{"stage": "linked", "verdict": "identical"}, {"stage": "archive", "verdict": "identical"}, {"stage": "linked", "verdict": "different"}]}`
	dir := tree(t, map[string]string{
		"twice.json": `{"rebuild": {"executions": 2}, ` + artifacts,
		"once.json":  `{"rebuild": {"executions": 1}, ` + artifacts,
		"broken":     "{",
	})
	for name, want := range map[string]int{"twice.json": 1, "once.json": 0, "none": 0} {
		if got, err := identical(filepath.Join(dir, name)); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", name, got, err, want)
		}
	}
	if _, err := identical(filepath.Join(dir, "broken")); err == nil {
		t.Error("a broken manifest was read")
	}
}
