package main

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of times in /proc/PID/stat and /proc/stat: USER_HZ is 100
// on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// process is what /proc says of one.
type process struct {
	pid, ppid int
	comm      string
	cpu       time.Duration // its own and that of the children it has waited for
	self      time.Duration // its own alone
	stack     uint64        // where its stack starts: tells address spaces apart
	rss, anon int64         // bytes
}

// readProcess reads /proc/PID/stat; see proc_pid_stat(5).
func readProcess(pid int) (process, bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, false
	}
	open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 0 || end < open {
		return process{}, false
	}
	f := strings.Fields(string(data[end+1:]))
	if len(f) < 26 {
		return process{}, false
	}
	field := func(n int) int64 { // as numbered in the manual page
		if n == 28 { // an address
			u, _ := strconv.ParseUint(f[n-3], 10, 64)
			return int64(u)
		}
		v, _ := strconv.ParseInt(f[n-3], 10, 64)
		return v
	}
	p := process{pid: pid, ppid: int(field(4)), comm: string(data[open+1 : end]), stack: uint64(field(28))}
	p.self = time.Duration(field(14)+field(15)) * tick
	p.cpu = p.self + time.Duration(field(16)+field(17))*tick
	return p, true
}

// readMemory fills in what is resident: all of it, and what no file is behind.
func (p *process) readMemory() {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/statm")
	if err != nil {
		return // it has ended
	}
	f := strings.Fields(string(data))
	if len(f) < 3 {
		return
	}
	resident, _ := strconv.ParseInt(f[1], 10, 64)
	shared, _ := strconv.ParseInt(f[2], 10, 64) // RssFile+RssShmem
	page := int64(os.Getpagesize())
	p.rss, p.anon = resident*page, (resident-shared)*page
}

// pids lists all processes, ascending.
func pids() []int {
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	var out []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			out = append(out, pid)
		}
	}
	slices.Sort(out)
	return out
}

func childrenOf(parent int) []process {
	var out []process
	for _, pid := range pids() {
		if p, ok := readProcess(pid); ok && p.ppid == parent {
			out = append(out, p)
		}
	}
	return out
}

// watch follows the processes below this one by their parents: groups and
// sessions do not tell, as mintmark puts its commands into groups of their own.
type watch struct {
	me      int
	outside map[int]bool // processes known not to be below this one
	tree    []int        // the tree at the last look, parents before children

	peak, anon int64
	looks      int

	cpu            time.Duration // of the tree at the last look; never falls
	first, until   time.Time     // of the time in which compilers and linkers ran
	atFirst, atEnd used          // until then
	running        bool          // a tool ran at the last look
}

func newWatch() *watch { return &watch{me: os.Getpid(), outside: map[int]bool{}} }

// look takes one sample. reaped is the CPU of what has already ended and been
// waited for by this process.
func (w *watch) look(reaped time.Duration) {
	now := time.Now()
	all := pids()
	alive := make(map[int]bool, len(all))
	for _, pid := range all {
		alive[pid] = true
	}
	for pid := range w.outside {
		if !alive[pid] {
			delete(w.outside, pid)
		}
	}
	// Parents before children: a child that ends in between is then missed
	// until the next look, and never counted twice.
	order := slices.Clone(w.tree)
	known := map[int]bool{w.me: true}
	for _, pid := range order {
		known[pid] = true
	}
	for _, pid := range all {
		if !known[pid] && !w.outside[pid] {
			order = append(order, pid)
		}
	}
	seen := map[int]process{}
	for _, pid := range order {
		if p, ok := readProcess(pid); ok {
			seen[pid] = p
		}
	}
	var tree []int
	var rss, anon int64
	cpu, tool := reaped, false
	for _, pid := range order {
		p, ok := seen[pid]
		if !ok {
			continue
		}
		switch w.place(p, seen) {
		case elsewhere:
			w.outside[pid] = true
			continue
		case unknown:
			continue // its parent has just ended: the next look tells
		}
		tree = append(tree, pid)
		cpu += p.cpu
		tool = tool || p.self >= tick && (p.comm == "compile" || p.comm == "asm" || p.comm == "link")
		// Between vfork and exec a child has its parent's memory.
		if parent, ok := seen[p.ppid]; ok && p.stack != 0 && parent.stack == p.stack {
			continue
		}
		p.readMemory()
		rss, anon = rss+p.rss, anon+p.anon
	}
	w.tree = tree
	w.looks++
	w.peak, w.anon = max(w.peak, rss), max(w.anon, anon)
	w.cpu = max(w.cpu, cpu)
	if tool && w.first.IsZero() {
		w.first, w.atFirst = now, used{w.cpu, selfCPU(), machineBusy()}
	}
	if tool || w.running { // the look after the last tool: now its parent has waited for it
		w.until, w.atEnd = now, used{w.cpu, selfCPU(), machineBusy()}
	}
	w.running = tool
}

const (
	unknown = iota
	below
	elsewhere
)

// place climbs from p to this process, or to one that is known to be outside.
func (w *watch) place(p process, seen map[int]process) int {
	for range 1000 {
		switch {
		case p.ppid == w.me:
			return below
		case p.ppid <= 1 || w.outside[p.ppid]:
			return elsewhere
		}
		parent, ok := seen[p.ppid]
		if !ok {
			return unknown
		}
		p = parent
	}
	return unknown
}

// used is processors' time: of the tree, of this process, of all.
type used struct{ tree, me, all time.Duration }

// idle is which part of the processors' time between the first and the last
// compiler or linker the tree did not use, and which part nobody used; negative
// if no tool was seen. What measuring takes counts as used.
func (w *watch) idle() (tree, machine float64) {
	took := w.until.Sub(w.first).Seconds() * float64(cores())
	if w.first.IsZero() || took <= 0 {
		return -1, -1
	}
	a, b := w.atFirst, w.atEnd
	part := func(used time.Duration) float64 { return max(0, 1-used.Seconds()/took) }
	return part(b.tree - a.tree + b.me - a.me), part(b.all - a.all)
}

// machineBusy is the time that all processors together were not idle, whoever used them.
func machineBusy() time.Duration {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(data), "\n")
	var busy time.Duration
	for i, f := range strings.Fields(line) {
		// cpu user nice system idle iowait irq softirq steal guest…
		if i >= 1 && i <= 8 && i != 4 && i != 5 {
			n, _ := strconv.ParseInt(f, 10, 64)
			busy += time.Duration(n) * tick
		}
	}
	return busy
}

func selfCPU() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return 0 // cannot happen: the arguments are right
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// memoryAvailable is what the kernel thinks can be used without swapping.
func memoryAvailable() int64 {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemAvailable:" {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}
