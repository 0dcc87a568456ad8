package schedule

import (
	"cmp"
	"runtime"
	"slices"
	"time"
)

// Progress is how far a task is; the zero value says that it has not started, as
// it is also after an execution that was lost.
type Progress struct {
	At                 // where and how it is run, as Run of the task was told
	Ran  time.Duration // since it started, while it runs
	Done bool
	CPU  time.Duration // what it took, once it is done
}

// Remaining estimates how long the tasks that are not done will still take
// together on the sites that are left, by the model that [Queue] follows: at each
// site their CPU over the processors, or the longest chain of those that cannot run
// together, whichever is more. What has not started is spread over the sites as
// [Queue] does that. progress is by ID; what is not in it, or runs at a site that
// is not among those left, has not started. ok is false, and left is 0, when nothing
// is known of more than half of what is left.
//
// What is done corrects what was expected of the rest: tasks that wait for
// others and tasks that do not are taken to be as much longer or shorter than
// expected at a site as those of their kind were that are done there, or anywhere
// if none is; and to be like them if nothing was known of them.
func Remaining(sites []Site, tasks []Task, progress map[ID]Progress) (left time.Duration, ok bool) {
	e := newEstimate(sites)
	costs := expected(sites, tasks)
	for i, t := range tasks {
		p := progress[t.ID]
		waits := len(t.After) > 0
		at, there := e.named[p.Site]
		switch {
		case p.Done && there:
			e.kind(at, waits).add(costs[i][at], p.CPU)
			e.doneAt[t.ID] = at
			fallthrough
		case p.Done:
			e.kind(-1, waits).add(e.mean(costs[i]), p.CPU)
			continue
		case !there:
			p = Progress{}
		}
		o := &openTask{Task: t, Progress: p, costs: costs[i], site: -1}
		if p.P > 0 {
			o.site = at
		}
		e.open = append(e.open, o)
		e.byID[t.ID] = o
	}
	if len(e.open) == 0 {
		return 0, true
	}
	if !e.expect() {
		return 0, false
	}
	e.spread()
	return seconds(e.last()), true
}

// estimate is what Remaining knows. Times are in seconds.
type estimate struct {
	sites  []Site
	named  map[string]int
	kinds  map[kindKey]*kind
	open   []*openTask
	byID   map[ID]*openTask
	doneAt map[ID]int // sites
}

// kindKey names tasks that are corrected together; site is -1 for all sites.
type kindKey struct {
	site  int
	waits bool
}

func newEstimate(sites []Site) *estimate {
	e := &estimate{sites: slices.Clone(sites), named: map[string]int{}, kinds: map[kindKey]*kind{}, byID: map[ID]*openTask{}, doneAt: map[ID]int{}}
	for i := range e.sites {
		s := &e.sites[i]
		e.named[s.Name] = i
		if s.CPUs <= 0 {
			s.CPUs = runtime.NumCPU()
		}
	}
	return e
}

func (e *estimate) kind(site int, waits bool) *kind {
	key := kindKey{site, waits}
	if e.kinds[key] == nil {
		e.kinds[key] = &kind{}
	}
	return e.kinds[key]
}

// mean is that of a task's costs.
func (e *estimate) mean(costs []float64) float64 {
	sum := 0.0
	for _, c := range costs {
		sum += c
	}
	return sum / float64(max(1, len(costs)))
}

// expect corrects the costs of what is not done; ok is false if too little is
// known.
func (e *estimate) expect() (ok bool) {
	sums, known := make([]float64, len(e.sites)), 0
	for _, t := range e.open {
		waits := len(t.After) > 0
		costs := make([]float64, len(e.sites))
		for k := range costs {
			kind := e.kind(k, waits)
			if kind.n == 0 {
				kind = e.kind(-1, waits)
			}
			costs[k] = kind.expect(t.costs[k])
		}
		t.costs = costs
		if len(costs) > 0 && slices.Min(costs) > 0 {
			known++
			for k, c := range costs {
				sums[k] += c
			}
		}
	}
	if known == 0 || 2*(len(e.open)-known) > len(e.open) {
		return false
	}
	for _, t := range e.open {
		for k := range t.costs {
			if t.costs[k] == 0 {
				t.costs[k] = sums[k] / float64(known)
			}
		}
	}
	return true
}

// spread finds sites for what has not started, the longest first.
func (e *estimate) spread() {
	sites := make([]outlook, len(e.sites))
	for k, s := range e.sites {
		memory := float64(s.Memory)
		if s.Memory <= 0 {
			memory = 2 * maxMemory
		}
		sites[k] = outlook{cpus: float64(s.CPUs), memory: memory, groups: map[string]float64{}}
	}
	var waiting []*openTask
	for _, t := range e.open {
		if t.site < 0 {
			waiting = append(waiting, t)
			continue
		}
		all := lasts(t.costs[t.site], t.P)
		left := max(0, all-t.Ran.Seconds())
		sites[t.site].add(t.costs[t.site]*left/all, float64(t.Memory), t.Group, left)
	}
	slices.SortStableFunc(waiting, func(x, y *openTask) int { return cmp.Compare(e.mean(y.costs), e.mean(x.costs)) })
	for _, t := range waiting {
		taken := map[int]bool{}
		for _, id := range t.Apart {
			if at, ok := e.doneAt[id]; ok {
				taken[at] = true
			} else if m := e.byID[id]; m != nil && m.site >= 0 {
				taken[m.site] = true
			}
		}
		best := 0.0
		for _, free := range []bool{true, false} {
			for k := range sites {
				if free && (taken[k] || len(t.On) > 0 && !slices.Contains(t.On, e.sites[k].Name)) {
					continue
				}
				if end := sites[k].end(t.costs[k], float64(t.Memory), t.Group, 0); t.site < 0 || end < best {
					t.site, best = k, end
				}
			}
			if t.site >= 0 {
				break
			}
		}
		sites[t.site].add(t.costs[t.site], float64(t.Memory), t.Group, best)
	}
}

// last is when all sites have done what is theirs.
func (e *estimate) last() float64 {
	type load struct {
		busy   float64 // processors that tasks use now
		front  int     // tasks that wait for none
		work   float64
		groups map[string]float64
	}
	loads := make([]load, len(e.sites))
	for _, t := range e.open {
		l := &loads[t.site]
		if t.P > 0 {
			l.busy += demand(t.P)
		}
		if !slices.ContainsFunc(t.After, func(id ID) bool { return e.byID[id] != nil }) {
			l.front++
		}
	}
	last := 0.0
	for _, t := range e.open {
		l, cpus := &loads[t.site], e.sites[t.site].CPUs
		cpu := t.costs[t.site]
		t.lasts = lasts(cpu, max(1, cpus/max(1, l.front)))
		if t.P > 0 {
			all := max(1, l.busy/float64(cpus)) * lasts(cpu, t.P)
			// What takes longer than expected is not over for that.
			t.lasts = max(all-t.Ran.Seconds(), t.Ran.Seconds()/10)
			cpu *= t.lasts / all
		}
		l.work += cpu
		if t.Group != "" {
			if l.groups == nil {
				l.groups = map[string]float64{}
			}
			l.groups[t.Group] += t.lasts
			last = max(last, l.groups[t.Group])
		}
	}
	for k, l := range loads {
		last = max(last, l.work/float64(e.sites[k].CPUs))
	}
	for _, t := range e.open {
		last = max(last, t.ends(e.byID))
	}
	return last
}

// kind is what tasks of one kind that are done took, in seconds.
type kind struct {
	n               int
	took            float64
	expected, tookE float64 // of those of which something was expected
}

func (k *kind) add(expected float64, took time.Duration) {
	k.n++
	k.took += took.Seconds()
	if expected > 0 {
		k.expected += expected
		k.tookE += took.Seconds()
	}
}

// expect is what a task should take of which that was expected, 0 if it is not
// known.
func (k *kind) expect(cpu float64) float64 {
	switch {
	case cpu > 0 && k.expected > 0:
		return cpu * k.tookE / k.expected
	case cpu > 0:
		return cpu
	case k.n > 0:
		return k.took / float64(k.n)
	}
	return 0
}

// openTask is a task that is not done.
type openTask struct {
	Task
	Progress
	costs []float64 // CPU at each site
	site  int       // where it runs, or should; -1: not known yet
	lasts float64   // until it is done, once it may start
	seen  bool
	end   float64
}

// ends is when the task and all it waits for are done.
func (t *openTask) ends(byID map[ID]*openTask) float64 {
	if t.seen {
		return t.end
	}
	t.seen = true
	before := 0.0
	for _, id := range t.After {
		if b := byID[id]; b != nil {
			before = max(before, b.ends(byID))
		}
	}
	t.end = before + t.lasts
	return t.end
}
