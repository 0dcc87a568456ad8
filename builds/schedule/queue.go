package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Queue decides which task starts next and how wide. It runs nothing and knows
// no clock: the same calls give the same answers, for [Run] and for a
// simulation. It is not for several goroutines at a time.
//
// # Order
//
// Of the tasks that may start, the one with the longest chain of work goes
// first: its own expected CPU and that of what waits for it. A task whose CPU
// is not known counts more than all that are.
//
// A processor is never left without a task while one that may start fits into
// the memory that is left. Tasks of one group do not run together, and what
// runs with p actions at a time counts p times its memory. A task whose memory
// exceeds the whole budget runs alone.
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
	cpus    int
	memory  int64
	jobs    []job // as the tasks were given
	waiting []int // jobs that have not started, the most urgent first
	running int   // jobs
	actions int   // that running jobs may have at a time
	used    int64 // memory of running jobs
	groups  map[string]bool
	failed  bool
	// now is how far the work should be, in seconds: when the ended job that
	// was expected to end last was expected to end. It stands in for a clock.
	now float64
}

// job is what a queue knows of a task. Times are in seconds.
type job struct {
	group  string
	memory int64
	cpu    float64 // expected; of an unknown one, the mean of the others
	chain  float64 // with the longest chain of those that wait for it
	rank   float64 // like chain, but what is not known counts more than all that is
	waits  int     // for so many jobs
	then   []int   // jobs that wait for this one
	state  jobState
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

// NewQueue checks what the tasks wait for. Run of the tasks is not used.
func NewQueue(b Budget, tasks []Task) (*Queue, error) {
	b = b.orMachine()
	q := &Queue{
		cpus: min(b.CPUs, maxCPUs), memory: min(b.Memory, 2*maxMemory),
		jobs: make([]job, len(tasks)), groups: map[string]bool{},
	}
	byID := map[ID][]int{}
	for i, t := range tasks {
		byID[t.ID] = append(byID[t.ID], i)
	}
	mean, sum := knownCPU(tasks)
	rank := make([]float64, len(tasks))
	for i, t := range tasks {
		j := &q.jobs[i]
		j.group, j.memory = t.Group, min(t.Memory, maxMemory)
		if t.Memory <= 0 {
			j.memory = DefaultMemory
		}
		j.cpu, rank[i] = t.CPU.Seconds(), t.CPU.Seconds()
		if t.CPU <= 0 {
			j.cpu, rank[i] = mean, sum+1
		}
		for _, id := range t.After {
			switch before := byID[id]; len(before) {
			case 1:
				q.jobs[before[0]].then = append(q.jobs[before[0]].then, i)
				j.waits++
			case 0:
				return nil, fmt.Errorf("task %q waits for %q, which is not among the tasks", t.ID, id)
			default:
				return nil, fmt.Errorf("task %q waits for %q, which is the name of %d tasks", t.ID, id, len(before))
			}
		}
	}
	if err := q.chains(tasks, rank); err != nil {
		return nil, err
	}
	for i := range tasks {
		q.waiting = append(q.waiting, i)
	}
	slices.SortStableFunc(q.waiting, func(x, y int) int {
		return cmp.Compare(q.jobs[y].rank, q.jobs[x].rank)
	})
	return q, nil
}

// knownCPU gives the mean and the sum of what is known, in seconds; a mean of 1
// if nothing is.
func knownCPU(tasks []Task) (mean, sum float64) {
	n := 0
	for _, t := range tasks {
		if t.CPU > 0 {
			n, sum = n+1, sum+t.CPU.Seconds()
		}
	}
	if n == 0 {
		return 1, 0
	}
	return sum / float64(n), sum
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

// Waiting is how many tasks have not started.
func (q *Queue) Waiting() int { return len(q.waiting) }

// Next says which task to start now, by its index, and with how many actions at
// a time; ok is false when none may start before another has ended. From then
// on the task is running. Call it until ok is false.
func (q *Queue) Next() (task, p int, ok bool) {
	next := q.startable()
	if len(next) == 0 {
		return 0, 0, false
	}
	task, p = next[0], q.width(next)
	j := &q.jobs[task]
	j.state, j.p, j.began, j.lasts = jobRunning, p, q.now, lasts(j.cpu, p)
	q.waiting = slices.DeleteFunc(q.waiting, func(i int) bool { return i == task })
	q.running, q.actions, q.used = q.running+1, q.actions+p, q.used+int64(p)*j.memory
	if j.group != "" {
		q.groups[j.group] = true
	}
	return task, p, true
}

// Ended takes note that a running task has ended, and whether without an error.
// After an error nothing starts any more.
func (q *Queue) Ended(task int, success bool) {
	j := &q.jobs[task]
	if j.state != jobRunning {
		return
	}
	j.state = jobEnded
	q.running, q.actions, q.used = q.running-1, q.actions-j.p, q.used-int64(j.p)*j.memory
	delete(q.groups, j.group)
	q.now = max(q.now, j.began+j.lasts)
	q.failed = q.failed || !success
	for _, next := range j.then {
		q.jobs[next].waits--
	}
}

// startable are the jobs that fit beside those that run, and beside each other
// with one action at a time; the most urgent first.
func (q *Queue) startable() []int {
	if q.failed {
		return nil
	}
	free := func(i int, taken map[string]bool) bool {
		g := q.jobs[i].group
		return g == "" || !q.groups[g] && !taken[g]
	}
	var ready []int
	all, taken := q.running, map[string]bool{}
	for _, i := range q.waiting {
		if q.jobs[i].waits == 0 && free(i, nil) {
			ready = append(ready, i)
			if free(i, taken) {
				all++
			}
			taken[q.jobs[i].group] = true
		}
	}
	limit := q.cpus
	if all <= q.cpus+crowd(q.cpus) {
		limit = max(limit, all)
	}
	var fit []int
	used := q.used
	clear(taken)
	for _, i := range ready {
		n := q.running + len(fit)
		if n >= limit || n >= q.cpus && q.actions+len(fit) >= 2*q.cpus {
			break
		}
		alone := q.running == 0 && len(fit) == 0
		if m := q.jobs[i].memory; free(i, taken) && (alone || m <= q.memory-used) {
			fit, used = append(fit, i), used+m
			taken[q.jobs[i].group] = true
		}
	}
	return fit
}

// seconds gives a duration for what is counted in seconds here.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
