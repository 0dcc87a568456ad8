// Package simulate runs the scheduler of package builds on machines that are
// not there: from the actions that go build recorded, and a number of cores, it
// says how long all builds take together and how far that is from the bound
// that no order can beat.
//
// The decisions are [schedule.Queue]'s, the same code that [schedule.Run] asks,
// here with a single site.
// Only what the go command and the machine do is modelled here. That is why the
// package is not part of builds: nothing that builds needs it, and nobody who
// compiles mintmark should compile a model of it. It needs no more of builds
// than Run does: NewQueue, Next, Ended.
//
// # The model
//
// A build first loads its packages, which occupies a core for [Machine.Load].
// Then it has up to p actions under way, ready ones first that the go command
// would take first. An action occupies one core for its CPU time. When all
// cores are occupied, actions wait for one in the order in which they came,
// whichever build they are of.
//
// # Exceptions
//
// The compiler has threads of its own, so that real actions are shorter than
// their CPU time, and real critical paths shorter than those here. A real system
// shares its cores in slices and not one action after the other. Cores are equal,
// and memory, caches and disks are as fast for many as for one. Comparing,
// packing and archiving are left out.
package simulate

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/mintmark/mintmark/builds/schedule"
)

// Action is a compile, a link, or a step between them.
type Action struct {
	CPU  time.Duration
	Deps []int // indices of the actions whose results it needs
}

// Unit is a build: what the scheduler is told of it, and what it then does.
type Unit struct {
	schedule.Task // Run is not used
	Actions       []Action
}

// Machine is what the units run on.
type Machine struct {
	Cores  int
	Budget schedule.Budget // CPUs 0: as many as cores; Memory 0: no limit
	// Load is how long the go command takes before the first action of a unit.
	// 0: [DefaultLoad]; less: no time.
	Load time.Duration
}

// DefaultLoad is about what loading the packages of a small program takes.
const DefaultLoad = 300 * time.Millisecond

// Result is what came of a simulation.
type Result struct {
	Makespan time.Duration
	// Bound is the least that any order could take: the CPU of all actions over
	// the cores, or the longest chain of actions through the units that wait for
	// each other, whichever is more.
	Bound time.Duration
	// Idle is the share of the cores' time that nothing ran in, over all;
	// IdleBefore the same until the last unit started.
	Idle, IdleBefore float64
	// Peak is the largest number of actions under way at a time, with those
	// that wait for a core.
	Peak int
	// PeakMemory is the most that the scheduler took for used, in bytes.
	PeakMemory int64
	Spans      []Span // of the units
}

// Span is when a unit ran, with how many actions at a time.
type Span struct {
	Start, End time.Duration
	P          int
}

// unit is a unit on its way.
type unit struct {
	actions []Action // with the load as the first
	next    [][]int  // who needs an action
	needs   []int    // how many actions an action still waits for
	ready   []int    // sorted
	under   int      // actions under way
	done    int
	Span
}

// step is an action under way.
type step struct {
	unit, action int
	end          time.Duration
}

// Run simulates the units on the machine.
func Run(m Machine, units []Unit) (*Result, error) {
	if m.Cores < 1 {
		return nil, fmt.Errorf("%d cores", m.Cores)
	}
	if m.Budget.CPUs <= 0 {
		m.Budget.CPUs = m.Cores
	}
	if m.Budget.Memory <= 0 {
		m.Budget.Memory = math.MaxInt64
	}
	if m.Load == 0 {
		m.Load = DefaultLoad
	}
	tasks := make([]schedule.Task, len(units))
	for i, u := range units {
		tasks[i] = u.Task
	}
	queue, err := schedule.NewQueue([]schedule.Site{{Budget: m.Budget}}, tasks)
	if err != nil {
		return nil, err
	}
	s := &simulation{Machine: m, queue: queue}
	for i, u := range units {
		prepared, err := prepare(u, max(0, m.Load))
		if err != nil {
			return nil, fmt.Errorf("unit %q: %w", u.ID, err)
		}
		s.units = append(s.units, prepared)
		s.memory = append(s.memory, u.Memory)
		if u.Memory <= 0 {
			s.memory[i] = schedule.DefaultMemory
		}
	}
	s.run()
	if queue.Waiting() > 0 {
		return nil, errors.New("the queue ended before all units had started")
	}
	r := &s.result
	r.Makespan = s.now
	r.Bound = bound(s.units, tasks, m.Cores)
	if s.now > 0 {
		r.Idle = 1 - float64(s.busy)/(float64(s.now)*float64(m.Cores))
	}
	for _, u := range s.units {
		r.Spans = append(r.Spans, u.Span)
	}
	return r, nil
}

// prepare checks the actions of a unit and puts the load before them.
func prepare(u Unit, load time.Duration) (*unit, error) {
	p := &unit{actions: []Action{{CPU: load}}}
	for i, a := range u.Actions {
		deps := []int{0}
		for _, d := range a.Deps {
			if d < 0 || d >= len(u.Actions) {
				return nil, fmt.Errorf("action %d needs action %d of %d", i, d, len(u.Actions))
			}
			deps = append(deps, d+1)
		}
		p.actions = append(p.actions, Action{max(0, a.CPU), deps})
	}
	p.next, p.needs = make([][]int, len(p.actions)), make([]int, len(p.actions))
	for i, a := range p.actions {
		p.needs[i] = len(a.Deps)
		for _, d := range a.Deps {
			p.next[d] = append(p.next[d], i)
		}
	}
	if _, err := p.criticalPath(); err != nil {
		return nil, err
	}
	return p, nil
}

// criticalPath is the longest chain of a unit's actions.
func (u *unit) criticalPath() (time.Duration, error) {
	needs := slices.Clone(u.needs)
	begin := make([]time.Duration, len(u.actions))
	var ready []int
	for i, n := range needs {
		if n == 0 {
			ready = append(ready, i)
		}
	}
	var longest time.Duration
	for n := 0; n < len(ready); n++ {
		i := ready[n]
		end := begin[i] + u.actions[i].CPU
		longest = max(longest, end)
		for _, next := range u.next[i] {
			begin[next] = max(begin[next], end)
			if needs[next]--; needs[next] == 0 {
				ready = append(ready, next)
			}
		}
	}
	if len(ready) < len(u.actions) {
		return 0, errors.New("actions need each other")
	}
	return longest, nil
}

// bound is [Result.Bound]. What tasks wait for was checked by the queue.
func bound(units []*unit, tasks []schedule.Task, cores int) time.Duration {
	byID := map[schedule.ID]int{}
	for i, t := range tasks {
		byID[t.ID] = i
	}
	var sum, longest time.Duration
	chains := make([]time.Duration, len(units))
	var chain func(i int) time.Duration
	chain = func(i int) time.Duration {
		if chains[i] == 0 {
			var before time.Duration
			for _, id := range tasks[i].After {
				before = max(before, chain(byID[id]))
			}
			path, _ := units[i].criticalPath()
			chains[i] = before + path
		}
		return chains[i]
	}
	for i, u := range units {
		for _, a := range u.actions {
			sum += a.CPU
		}
		longest = max(longest, chain(i))
	}
	return max(longest, (sum+time.Duration(cores)-1)/time.Duration(cores))
}

// simulation is a machine at work.
type simulation struct {
	Machine
	queue  *schedule.Queue
	units  []*unit
	memory []int64 // of units, with one action at a time

	now     time.Duration
	busy    time.Duration // of all cores
	running []int         // units
	used    int64
	fifo    []step // waiting for a core
	on      []step // on a core
	result  Result
}

func (s *simulation) run() {
	s.startUnits()
	s.startActions()
	for len(s.on) > 0 {
		first := 0
		for i, st := range s.on {
			if st.end < s.on[first].end {
				first = i
			}
		}
		st := s.on[first]
		s.busy += time.Duration(len(s.on)) * (st.end - s.now)
		s.now = st.end
		s.on = slices.Delete(s.on, first, first+1)
		s.ended(st)
		s.startActions()
	}
}

func (s *simulation) startUnits() {
	for {
		i, _, p, ok := s.queue.Next()
		if !ok {
			return
		}
		u := s.units[i]
		u.Start, u.P = s.now, p
		for a, n := range u.needs {
			if n == 0 {
				u.ready = append(u.ready, a)
			}
		}
		s.running = append(s.running, i)
		s.used += int64(p) * s.memory[i]
		s.result.PeakMemory = max(s.result.PeakMemory, s.used)
		if s.now > 0 {
			s.result.IdleBefore = 1 - float64(s.busy)/(float64(s.now)*float64(s.Cores))
		}
	}
}

// startActions has every unit begin what it may, and every core take what waits.
func (s *simulation) startActions() {
	under := 0
	for _, i := range s.running {
		u := s.units[i]
		n := min(u.P-u.under, len(u.ready))
		for _, a := range u.ready[:n] {
			s.fifo = append(s.fifo, step{unit: i, action: a})
		}
		u.ready = u.ready[n:]
		u.under += n
		under += u.under
	}
	s.result.Peak = max(s.result.Peak, under)
	n := min(s.Cores-len(s.on), len(s.fifo))
	for _, st := range s.fifo[:n] {
		st.end = s.now + s.units[st.unit].actions[st.action].CPU
		s.on = append(s.on, st)
	}
	s.fifo = s.fifo[n:]
}

func (s *simulation) ended(st step) {
	u := s.units[st.unit]
	u.under--
	u.done++
	for _, next := range u.next[st.action] {
		if u.needs[next]--; u.needs[next] == 0 {
			at, _ := slices.BinarySearch(u.ready, next)
			u.ready = slices.Insert(u.ready, at, next)
		}
	}
	if u.done < len(u.actions) {
		return
	}
	u.End = s.now
	s.used -= int64(u.P) * s.memory[st.unit]
	s.running = slices.DeleteFunc(s.running, func(i int) bool { return i == st.unit })
	s.queue.Ended(st.unit, true)
	s.startUnits()
}
