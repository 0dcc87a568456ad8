package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cgroups is where the kernel's tree of cgroups of version 2 is mounted.
const cgroups = "/sys/fs/cgroup"

// Types of file systems, as statfs(2) has them.
const (
	cgroup2Type = 0x63677270
	tmpfsType   = 0x01021994
	ramfsType   = 0x858458f6
)

// group is a cgroup whose processes may together use a given amount of memory,
// and no swap. The kernel's Documentation/admin-guide/cgroup-v2.rst has its files.
type group struct {
	path string
	dir  *os.File // what processes are started into
}

// newGroup makes a group of limit bytes beside this process's own, or above
// where that is not possible. No setting of a group that is there is changed.
func newGroup(limit int64) (*group, error) {
	kind, err := fileSystemType(cgroups)
	if err != nil {
		return nil, fmt.Errorf("no cgroups: %w", err)
	}
	if kind != cgroup2Type {
		return nil, fmt.Errorf("%s is no tree of cgroups of version 2", cgroups)
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	parents, err := groupParents(cgroups, string(own), limit)
	if err != nil {
		return nil, err
	}
	var refused []string
	for _, parent := range parents {
		g, err := newGroupIn(parent, limit)
		if err == nil {
			return g, nil
		}
		refused = append(refused, err.Error())
	}
	return nil, errors.New(strings.Join(refused, "; "))
}

// groupParents are the directories in which a group with a limit of its own can
// be made, nearest first: those of the groups around the one that own, the text
// of /proc/self/cgroup, names, whose groups have the memory controller. It is an
// error if there is none, or if a group around allows less than limit: then
// that would be measured.
func groupParents(root, own string, limit int64) ([]string, error) {
	at := ""
	for line := range strings.Lines(own) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			at = path.Clean("/" + rest)
		}
	}
	if at == "" {
		return nil, errors.New("this process is in no cgroup of version 2")
	}
	var parents []string
	for dir := at; ; dir = path.Dir(dir) {
		in := filepath.Join(root, dir)
		if text, err := os.ReadFile(filepath.Join(in, "memory.max")); err == nil {
			most, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			if err == nil && most < limit { // without a limit it says "max"
				return nil, fmt.Errorf("%s allows %s in all", in, mebibytes(float64(most)))
			}
		}
		if text, err := os.ReadFile(filepath.Join(in, "cgroup.subtree_control")); err == nil && slices.Contains(strings.Fields(string(text)), "memory") {
			parents = append(parents, in)
		}
		if dir == "/" {
			break
		}
	}
	if parents == nil {
		return nil, fmt.Errorf("no cgroup.subtree_control from %s up to %s has memory in it", filepath.Join(root, at), root)
	}
	return parents, nil
}

func newGroupIn(parent string, limit int64) (_ *group, err error) {
	dir, err := os.MkdirTemp(parent, "mintmark-benchmark-")
	if err != nil {
		return nil, err
	}
	g := &group{path: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	if err := os.WriteFile(filepath.Join(dir, "memory.max"), []byte(strconv.FormatInt(limit, 10)), 0); err != nil {
		return nil, err
	}
	swap := filepath.Join(dir, "memory.swap.max")
	if _, err := os.Stat(swap); err == nil {
		if err := os.WriteFile(swap, []byte("0"), 0); err != nil {
			return nil, err
		}
	} else if text, err := os.ReadFile("/proc/swaps"); err == nil && strings.Count(string(text), "\n") > 1 {
		return nil, errors.New("there is swap, and the kernel limits it for no group") // a line is the heading
	}
	g.dir, err = os.Open(dir)
	return g, err
}

// groupUse is what the kernel says of a group's processes so far.
type groupUse struct {
	Kills int64         // processes that it killed for want of memory
	Peak  int64         // bytes; the most that was in use at one time, with files in memory; negative: the kernel does not say
	User  time.Duration // CPU of all processes
}

func (g *group) use() (groupUse, error) {
	u := groupUse{Peak: -1}
	events, err := g.counts("memory.events")
	if err != nil {
		return u, err
	}
	stat, err := g.counts("cpu.stat")
	if err != nil {
		return u, err
	}
	for _, x := range []struct {
		of        map[string]int64
		file, key string
		to        *int64
		unit      int64
	}{
		{events, "memory.events", "oom_kill", &u.Kills, 1},
		{stat, "cpu.stat", "user_usec", (*int64)(&u.User), int64(time.Microsecond)},
	} {
		n, ok := x.of[x.key]
		if !ok {
			return u, fmt.Errorf("%s has no %s", filepath.Join(g.path, x.file), x.key)
		}
		*x.to = n * x.unit
	}
	text, err := os.ReadFile(filepath.Join(g.path, "memory.peak"))
	if errors.Is(err, fs.ErrNotExist) { // before Linux 5.19
		return u, nil
	}
	if err == nil {
		u.Peak, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	}
	return u, err
}

// counts reads a file of the group with a name and a number in each line.
func (g *group) counts(name string) (map[string]int64, error) {
	name = filepath.Join(g.path, name)
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseInt(value, 10, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("%s: %q is no name and number", name, line)
		}
		out[key] = n
	}
	return out, nil
}

// close kills what still runs in the group, and removes it.
func (g *group) close() error {
	if g.dir != nil {
		g.dir.Close()
	}
	kill := filepath.Join(g.path, "cgroup.kill") // from Linux 5.14 on
	if _, err := os.Stat(kill); err == nil {
		if err := os.WriteFile(kill, []byte("1"), 0); err != nil {
			return err
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for { // it is busy until the last process is gone
		err := os.Remove(g.path)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
