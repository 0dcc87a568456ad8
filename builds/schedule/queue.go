package schedule

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Queue decides which task starts next, where and how wide. It runs nothing and
// knows no clock: the same calls give the same answers, for [Run] and for a
// simulation. It is not for several goroutines at a time.
//
// # Order
//
// Of the tasks that may start, the one with the longest chain of work goes
// first: its own expected CPU and that of what waits for it. A task whose CPU
// is not known counts more than all that are.
//
// A processor is never left without a task while one that may start fits into
// the memory that is left, unless that task is expected to end sooner where it is
// meant to run. Tasks of one group do not run together at a site, and what
// runs with p actions at a time counts p times its memory. A task whose memory
// exceeds the whole budget of a site runs alone there.
//
// # Site
//
// All tasks that have not started are spread over the sites before each decision,
// the most urgent first, each to where it should end first: see [Queue.spread].
// That is what keeps a large machine for what only it can do in time, when a
// small one has a processor to spare, and has the builds of one unit go to sites
// that are both free. Where a task may start is in [Queue.narrow].
//
// # Width
//
// go build -p=N cannot be told another N later. As long as there is more to do
// than processors each task gets one action at a time: single actions of many
// builds use the machine as well as many actions of one, and need less memory.
// When what may start is nearly all there is, it starts at once, also when that
// is somewhat more tasks than processors, and whatever would end last gets
// more actions; see [Queue.width].
type Queue struct {
	sites   []site
	jobs    []job          // as the tasks were given
	waiting []int          // jobs that have not started, the most urgent first
	dearest map[string]int // the job of each group that costs most
	failed  bool
	meant   bool // what waits was spread over the sites since the last end
	// now is how far the work should be, in seconds: when the ended job that
	// was expected to end last was expected to end. It stands in for a clock.
	now float64
}

// site is what a queue knows of a [Site].
type site struct {
	cpus    int
	memory  int64
	gone    bool
	running []int           // jobs
	actions int             // that running jobs may have at a time
	used    int64           // memory of running jobs
	groups  map[string]bool // of running jobs
	warm    map[string]bool // groups of which one has started here
}

// job is what a queue knows of a task. Times are in seconds.
type job struct {
	group  string
	memory int64
	costs  []float64 // expected CPU at each site; of an unknown job, the mean of the others
	cpu    float64   // the mean of those of the sites that may run it
	chain  float64   // with the longest chain of those that wait for it
	rank   float64   // like chain, but what is not known counts more than all that is
	place  int       // among all jobs, the most urgent first
	waits  int       // for so many jobs
	then   []int     // jobs that wait for this one
	apart  []int     // jobs that are to run at other sites
	on     []bool    // sites that may run it
	lostAt []bool    // sites where an execution of it was lost; nil: none
	open   []bool    // sites where it may start: see [Queue.narrow]
	state  jobState
	site   int     // where it is meant to run, runs or has run; -1: nowhere
	ends   float64 // from now, if it runs where it is meant to
	p      int
	began  float64
	lasts  float64
}

type jobState int

const (
	jobWaiting jobState = iota
	jobRunning
	jobEnded
)

// Bounds that keep sums of what a caller or a damaged file says from
// overflowing; no machine has that much.
const (
	maxCPUs   = 1 << 10
	maxMemory = 1 << 50
)

// NewQueue checks the sites, and what the tasks say of sites and of each other. Run
// of the tasks is not used.
func NewQueue(sites []Site, tasks []Task) (*Queue, error) {
	sites, err := checkSites(sites)
	if err != nil {
		return nil, err
	}
	q := &Queue{jobs: make([]job, len(tasks)), dearest: map[string]int{}}
	for _, s := range sites {
		q.sites = append(q.sites, site{cpus: s.CPUs, memory: s.Memory, groups: map[string]bool{}, warm: map[string]bool{}})
	}
	if err := q.refer(sites, tasks); err != nil {
		return nil, err
	}
	rank := q.weigh(tasks, expected(sites, tasks))
	if err := q.chains(tasks, rank); err != nil {
		return nil, err
	}
	for i := range tasks {
		q.waiting = append(q.waiting, i)
	}
	slices.SortStableFunc(q.waiting, func(x, y int) int {
		return cmp.Compare(q.jobs[y].rank, q.jobs[x].rank)
	})
	for place, i := range q.waiting {
		q.jobs[i].place = place
	}
	q.narrowAll()
	return q, nil
}

// refer notes what the tasks say of sites and of each other.
func (q *Queue) refer(sites []Site, tasks []Task) error {
	byID := map[ID][]int{}
	for i, t := range tasks {
		byID[t.ID] = append(byID[t.ID], i)
	}
	named := map[string]int{}
	for i, s := range sites {
		named[s.Name] = i
	}
	var errs []error
	other := func(i int, does string, id ID) int {
		switch found := byID[id]; len(found) {
		case 1:
			return found[0]
		case 0:
			errs = append(errs, fmt.Errorf("task %q %s %q, which is not among the tasks", tasks[i].ID, does, id))
		default:
			errs = append(errs, fmt.Errorf("task %q %s %q, which is the name of %d tasks", tasks[i].ID, does, id, len(found)))
		}
		return -1
	}
	for i, t := range tasks {
		j := &q.jobs[i]
		j.on, j.open = make([]bool, len(sites)), make([]bool, len(sites))
		for k := range sites {
			j.on[k] = len(t.On) == 0
		}
		for _, name := range t.On {
			if k, ok := named[name]; ok {
				j.on[k] = true
			} else {
				errs = append(errs, fmt.Errorf("task %q is for site %q, which is not among the sites", t.ID, name))
			}
		}
		for _, id := range t.After {
			if before := other(i, "waits for", id); before >= 0 {
				q.jobs[before].then = append(q.jobs[before].then, i)
				j.waits++
			}
		}
		for _, id := range t.Apart {
			switch from := other(i, "is to run apart from", id); {
			case from == i:
				errs = append(errs, fmt.Errorf("task %q is to run apart from itself", t.ID))
			case from >= 0 && !slices.Contains(j.apart, from):
				j.apart, q.jobs[from].apart = append(j.apart, from), append(q.jobs[from].apart, i)
			}
		}
	}
	return errors.Join(errs...)
}

// weigh notes what jobs need, and gives the rank of each by itself.
func (q *Queue) weigh(tasks []Task, costs [][]float64) (rank []float64) {
	rank = make([]float64, len(tasks))
	n, sum, sums := 0, 0.0, make([]float64, len(q.sites))
	for i, t := range tasks {
		j := &q.jobs[i]
		j.group, j.memory, j.costs = t.Group, min(t.Memory, maxMemory), costs[i]
		if t.Memory <= 0 {
			j.memory = DefaultMemory
		}
		if j.costs[0] == 0 { // then nothing is known at any site
			continue
		}
		j.cpu = j.mean()
		rank[i] = j.cpu
		n, sum = n+1, sum+j.cpu
		for k, c := range j.costs {
			sums[k] += c
		}
	}
	for k := range sums {
		if sums[k] = sums[k] / float64(n); n == 0 {
			sums[k] = 1
		}
	}
	for i := range q.jobs {
		if j := &q.jobs[i]; j.costs[0] == 0 {
			j.costs = sums
			j.cpu, rank[i] = j.mean(), sum+1
		}
	}
	for i := range q.jobs {
		if j := &q.jobs[i]; j.group != "" {
			if d, ok := q.dearest[j.group]; !ok || j.cpu > q.jobs[d].cpu {
				q.dearest[j.group] = i
			}
		}
	}
	return rank
}

// mean is what the job costs over the sites that may run it.
func (j *job) mean() float64 {
	n, sum := 0.0, 0.0
	for k, c := range j.costs {
		if j.on[k] {
			n, sum = n+1, sum+c
		}
	}
	return sum / n
}

// chains sets chain and rank of all jobs, the last of a chain first.
func (q *Queue) chains(tasks []Task, rank []float64) error {
	const doing, done = 1, 2
	state := make([]int, len(q.jobs))
	var path []string
	var visit func(i int) error
	visit = func(i int) error {
		j := &q.jobs[i]
		path = append(path, fmt.Sprintf("%q", tasks[i].ID))
		defer func() { path = path[:len(path)-1] }()
		if state[i] == doing {
			first := slices.Index(path, path[len(path)-1])
			return fmt.Errorf("tasks wait for each other: %s", strings.Join(path[first:], " before "))
		}
		if state[i] == done {
			return nil
		}
		state[i] = doing
		for _, next := range j.then {
			if err := visit(next); err != nil {
				return err
			}
			j.chain, j.rank = max(j.chain, q.jobs[next].chain), max(j.rank, q.jobs[next].rank)
		}
		j.chain, j.rank = j.chain+j.cpu, j.rank+rank[i]
		state[i] = done
		return nil
	}
	for i := range q.jobs {
		if err := visit(i); err != nil {
			return err
		}
	}
	return nil
}

// Waiting is how many tasks have not started, or wait to be started again.
func (q *Queue) Waiting() int { return len(q.waiting) }

// Stranded are the tasks that have not ended and that no site is left for.
func (q *Queue) Stranded() (tasks []int) {
	for _, i := range q.waiting {
		if !slices.Contains(q.jobs[i].open, true) {
			tasks = append(tasks, i)
		}
	}
	slices.Sort(tasks)
	return tasks
}

// Next says which task to start now and at which site, by their indices, and with
// how many actions at a time; ok is false when none may start before another has
// ended. From then on the task is running. Call it until ok is false.
func (q *Queue) Next() (task, site, p int, ok bool) {
	if q.failed || len(q.waiting) == 0 {
		return 0, 0, 0, false
	}
	q.spread()
	next, site := q.first(func(i, k int) bool { return q.jobs[i].site == k })
	if next == nil {
		// What is meant for other sites cannot start there now.
		if next, site = q.first(q.mayMove); next == nil {
			return 0, 0, 0, false
		}
		q.jobs[next[0]].site = site
		q.meant = false
	}
	task, p = next[0], q.width(site, next)
	j, s := &q.jobs[task], &q.sites[site]
	j.state, j.p, j.began, j.lasts = jobRunning, p, q.now, lasts(j.costs[site], p)
	q.waiting = slices.DeleteFunc(q.waiting, func(i int) bool { return i == task })
	s.running, s.actions, s.used = append(s.running, task), s.actions+p, s.used+int64(p)*j.memory
	if j.group != "" {
		s.groups[j.group], s.warm[j.group] = true, true
	}
	q.narrow(task)
	return task, site, p, true
}

// first gives what may start at one site of those jobs that are for it, at the
// site where that is the most urgent.
func (q *Queue) first(isFor func(job, site int) bool) (next []int, site int) {
	for k := range q.sites {
		at := q.startable(k, func(i int) bool { return isFor(i, k) })
		if len(at) > 0 && (next == nil || q.jobs[at[0]].place < q.jobs[next[0]].place) {
			next, site = at, k
		}
	}
	return next, site
}

// Ended takes note that a running task has ended, and whether without an error.
// After an error nothing starts any more.
func (q *Queue) Ended(task int, success bool) {
	j := &q.jobs[task]
	if j.state != jobRunning {
		return
	}
	q.stop(task)
	j.state = jobEnded
	q.now = max(q.now, j.began+j.lasts)
	q.failed = q.failed || !success
	for _, next := range j.then {
		q.jobs[next].waits--
	}
}

// Lost takes note that the execution of a running task was lost. The task waits
// again; it starts at another site if there is one that may run it.
func (q *Queue) Lost(task int) {
	j := &q.jobs[task]
	if j.state != jobRunning {
		return
	}
	q.stop(task)
	if j.lostAt == nil {
		j.lostAt = make([]bool, len(q.sites))
	}
	j.lostAt[j.site] = true
	j.state, j.site = jobWaiting, -1
	at, _ := slices.BinarySearchFunc(q.waiting, j.place, func(i, place int) int { return cmp.Compare(q.jobs[i].place, place) })
	q.waiting = slices.Insert(q.waiting, at, task)
	q.narrow(task)
}

// Gone takes note that a site has gone: nothing starts there any more. What runs
// there has still to end or to be lost.
func (q *Queue) Gone(site int) {
	q.sites[site].gone = true
	q.meant = false
	q.narrowAll()
}

// stop takes a running job from its site.
func (q *Queue) stop(task int) {
	j := &q.jobs[task]
	s := &q.sites[j.site]
	s.running = slices.DeleteFunc(s.running, func(i int) bool { return i == task })
	s.actions, s.used = s.actions-j.p, s.used-int64(j.p)*j.memory
	delete(s.groups, j.group)
	q.meant = false
}

// startable are the jobs for a site that fit beside those that run there, and
// beside each other with one action at a time; the most urgent first.
func (q *Queue) startable(at int, isFor func(job int) bool) []int {
	s := &q.sites[at]
	free := func(i int, taken map[string]bool) bool {
		g := q.jobs[i].group
		return g == "" || !s.groups[g] && !taken[g]
	}
	var ready []int
	all, taken := len(s.running), map[string]bool{}
	for _, i := range q.waiting {
		if j := &q.jobs[i]; j.waits == 0 && j.open[at] && isFor(i) && free(i, nil) {
			ready = append(ready, i)
			if free(i, taken) {
				all++
			}
			taken[j.group] = true
		}
	}
	limit := s.cpus
	if all <= s.cpus+crowd(s.cpus) {
		limit = max(limit, all)
	}
	var fit []int
	used := s.used
	clear(taken)
	for _, i := range ready {
		n := len(s.running) + len(fit)
		if n >= limit || n >= s.cpus && s.actions+len(fit) >= 2*s.cpus {
			break
		}
		if m := q.jobs[i].memory; free(i, taken) && (n == 0 || m <= s.memory-used) {
			fit, used = append(fit, i), used+m
			taken[q.jobs[i].group] = true
		}
	}
	return fit
}

// seconds gives a duration for what is counted in seconds here.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
