package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// halves is units of so many CPU seconds, with two builds each that run apart.
func halves(cpu ...int) (tasks []Task) {
	for u, c := range cpu {
		a := Task{ID: ID{fmt.Sprint(u), "a"}, CPU: time.Duration(c) * time.Second, Memory: 1}
		b := a
		b.ID.By, b.Apart = "b", []ID{a.ID}
		tasks = append(tasks, a, b)
	}
	return tasks
}

// startsAt takes all that may start now, as task@site:width.
func startsAt(q *Queue) string {
	var out []string
	for {
		i, s, p, ok := q.Next()
		if !ok {
			return strings.Join(out, " ")
		}
		out = append(out, fmt.Sprintf("%d@%d:%d", i, s, p))
	}
}

// TestQueueSites plays schedules over several sites: what starts at first, and after
// each event.
func TestQueueSites(t *testing.T) {
	small := func(n int, cpus ...int) []Site {
		sites := machines(cpus...)
		for i := range sites {
			sites[i].Memory = int64(n)
		}
		return sites
	}
	on := func(tasks []Task, names ...string) []Task {
		for i, n := range names {
			if n != "" {
				tasks[i].On = strings.Split(n, ",")
			}
		}
		return tasks
	}
	group := func(tasks []Task, groups ...string) []Task {
		for i, g := range groups {
			tasks[i].Group = g
		}
		return tasks
	}
	after := func(tasks []Task, pairs ...int) []Task {
		for i := 0; i < len(pairs); i += 2 {
			tasks[pairs[i]].After = append(tasks[pairs[i]].After, tasks[pairs[i+1]].ID)
		}
		return tasks
	}
	costs := func(tasks []Task, site string, cpu ...int) []Task {
		for i, c := range cpu {
			if tasks[i].CPUAt == nil {
				tasks[i].CPUAt = map[string]time.Duration{}
			}
			tasks[i].CPUAt[site] = time.Duration(c) * time.Second
		}
		return tasks
	}
	ended := func(i int) func(*Queue) { return func(q *Queue) { q.Ended(i, true) } }
	lost := func(i int) func(*Queue) { return func(q *Queue) { q.Lost(i) } }
	gone := func(s int) func(*Queue) { return func(q *Queue) { q.Gone(s) } }
	for _, tt := range []struct {
		name  string
		sites []Site
		tasks []Task
		do    []func(*Queue)
		want  []string
	}{
		{"both halves of a unit at once", machines(1, 1), halves(9), nil, []string{"0@0:1 1@1:1"}},
		{"the second half waits for the other site, though one is idle", machines(1, 1), halves(9), []func(*Queue){gone(1), lost(1)},
			[]string{"0@0:1 1@1:1", "", ""}},
		{"and runs there when there is no other", machines(1, 1), halves(9), []func(*Queue){gone(1), lost(1), ended(0)},
			[]string{"0@0:1 1@1:1", "", "", "1@0:1"}},
		{"what was lost goes elsewhere", machines(1, 1, 1), halves(9), []func(*Queue){lost(1)}, []string{"0@0:1 1@1:1", "1@2:1"}},
		{"rather apart than elsewhere", machines(1, 1), halves(9), []func(*Queue){ended(0), lost(1)}, []string{"0@0:1 1@1:1", "", "1@1:1"}},
		{"the same site once more, when no other is left", machines(1), equal(1, 9, 1), []func(*Queue){lost(0)}, []string{"0@0:1", "0@0:1"}},
		{"the only site of the other half is left to it", machines(1, 4), on(halves(9), "", "m1"), nil, []string{"0@0:1 1@1:4"}},
		{"the only two sites of two others are left to them", machines(1, 4, 8), func() []Task {
			tasks := halves(9)
			c := tasks[1]
			c.ID.By, c.Apart = "c", []ID{tasks[0].ID, tasks[1].ID}
			return on(append(tasks, c), "m1,m2", "m1,m2", "")
		}(), nil, []string{"0@2:8 1@1:4 2@0:1"}},
		{"a chain of those", machines(1, 1, 1, 1), func() []Task {
			tasks := equal(3, 9, 1)
			tasks[0].Apart, tasks[1].Apart = named("1"), named("2")
			return on(tasks, "m0", "m0,m1", "m1,m2")
		}(), nil, []string{"0@0:1 1@1:1 2@2:1"}},
		{"three builds at two sites: as far apart as can be", machines(1, 1), func() []Task {
			tasks := equal(3, 9, 1)
			tasks[0].Apart, tasks[1].Apart = named("1", "2"), named("2")
			return tasks
		}(), []func(*Queue){ended(1)}, []string{"0@0:1 1@1:1", "2@1:1"}},
		{"the one with fewer sites chooses first", machines(1, 1, 1), on(append(equal(1, 100, 1), halves(9)...), "m1", "", "m0,m1"), nil,
			[]string{"0@1:1 1@2:1 2@0:1"}},
		{"only here", machines(1, 8), on(equal(2, 9, 1), "m0", "m0"), []func(*Queue){ended(0)}, []string{"0@0:1", "1@0:1"}},
		{"on the wide one, where both end sooner", machines(1, 4), equal(2, 9, 1), nil, []string{"0@1:2 1@1:2"}},
		{"not on the slow one, if it ends sooner after another", machines(1, 1), costs(costs(equal(2, 10, 1), "m0", 10, 10), "m1", 100, 100), []func(*Queue){ended(0)}, []string{"0@0:1", "1@0:1"}},
		{"on the slow one, if it does not", machines(1, 1), costs(costs(equal(2, 10, 1), "m0", 10, 10), "m1", 15, 15), nil, []string{"0@0:1 1@1:1"}},
		{"groups hold at a site", machines(4, 4), group(equal(4, 10, 1), "x", "x", "x", "x"), []func(*Queue){ended(1)}, []string{"0@0:4 1@1:4", "2@1:4"}},
		{"a group stays where its work is done, though a processor is idle", machines(1, 1), func() []Task {
			tasks := equal(3, 30, 1)
			tasks[1].CPU, tasks[2].CPU = 20*time.Second, 3*time.Second
			return group(tasks, "x", "", "x")
		}(), []func(*Queue){ended(1), ended(0)}, []string{"0@0:1 1@1:1", "", "2@0:1"}},
		{"what others wait for first", machines(1, 1), after(halves(10, 10), 1, 0, 3, 2), []func(*Queue){ended(0), ended(2)},
			[]string{"0@0:1 2@1:1", "", "1@1:1 3@0:1"}},
		{"as much memory as each has", small(10, 4, 4), equal(6, 10, 5), nil, []string{"0@0:1 1@1:1 2@0:1 3@1:1"}},
		{"a site where it fits", append(small(10, 4), small(100, 4)...), equal(1, 10, 50), nil, []string{"0@1:2"}},
	} {
		if tt.name == "a site where it fits" {
			tt.sites[1].Name = "m1"
		}
		t.Run(tt.name, func(t *testing.T) {
			q, err := NewQueue(tt.sites, tt.tasks)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{startsAt(q)}
			for _, do := range tt.do {
				do(q)
				got = append(got, startsAt(q))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestQueueSitesRandom holds what a queue promises over several sites against random
// tasks that end and are lost in random order, while sites go.
func TestQueueSitesRandom(t *testing.T) {
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		p := newPlay(t, seed, rnd)
		for len(p.ended)+len(p.q.Stranded()) < len(p.tasks) {
			for p.start() {
			}
			if len(p.running) == 0 {
				if len(p.q.Stranded()) == 0 {
					t.Fatalf("seed %d: nothing runs and %d tasks are left", seed, p.q.Waiting())
				}
				break
			}
			p.idle()
			i := p.stop(rnd.IntN(len(p.running)))
			switch {
			case rnd.IntN(8) == 0:
				p.q.Lost(i)
				delete(p.at, i)
				p.losses++
			default:
				p.q.Ended(i, true)
				p.ended[i] = true
			}
			if rnd.IntN(60) == 0 {
				k := rnd.IntN(len(p.sites))
				p.gone[k] = true
				p.q.Gone(k)
				for n := 0; n < len(p.running); {
					if i := p.running[n]; p.at[i] == k && rnd.IntN(2) == 0 {
						p.stop(n)
						p.q.Lost(i)
						delete(p.at, i)
						continue
					}
					n++
				}
			}
		}
		for _, i := range p.q.Stranded() {
			for k := range p.sites {
				if p.mayRun(i, k) {
					t.Fatalf("seed %d: task %d has no site left, but %d", seed, i, k)
				}
			}
		}
	}
}

// play is a queue over several sites, and what a test knows of it by itself.
type play struct {
	t       *testing.T
	seed    uint64
	sites   []Site
	tasks   []Task
	q       *Queue
	apart   [][]int
	equal   bool // sites are, and costs
	running []int
	at      map[int]int // sites of tasks that run or have ended
	width   map[int]int
	ended   map[int]bool
	gone    map[int]bool
	losses  int
}

func newPlay(t *testing.T, seed uint64, rnd *rand.Rand) *play {
	p := &play{t: t, seed: seed, at: map[int]int{}, width: map[int]int{}, ended: map[int]bool{}, gone: map[int]bool{}, equal: seed%3 == 0}
	for k := range 1 + rnd.IntN(4) {
		b := Budget{CPUs: 1 + rnd.IntN(12), Memory: 1 + rnd.Int64N(3000)}
		if p.equal {
			b = Budget{CPUs: 1 + int(seed)%7, Memory: 1 << 40}
		}
		p.sites = append(p.sites, Site{Name: fmt.Sprint("m", k), Budget: b})
	}
	_, p.tasks = randomTasks(rnd)
	p.apart = make([][]int, len(p.tasks))
	for i := range p.tasks {
		tk := &p.tasks[i]
		for _, s := range p.sites {
			if rnd.IntN(6) == 0 {
				tk.On = append(tk.On, s.Name)
			}
			if !p.equal && rnd.IntN(3) == 0 {
				tk.CPUAt = map[string]time.Duration{s.Name: time.Duration(rnd.ExpFloat64() * float64(10*time.Second))}
			}
		}
	}
	// Units of up to three builds, all of which are to run apart.
	order := rnd.Perm(len(p.tasks))
	for len(order) > 0 {
		n := min(len(order), 1+rnd.IntN(3))
		for a, i := range order[:n] {
			for b, j := range order[:n] {
				if a != b {
					p.apart[i] = append(p.apart[i], j)
				}
				if a < b {
					p.tasks[i].Apart = append(p.tasks[i].Apart, p.tasks[j].ID)
				}
			}
		}
		order = order[n:]
	}
	var err error
	if p.q, err = NewQueue(p.sites, p.tasks); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return p
}

func (p *play) mayRun(i, k int) bool {
	return !p.gone[k] && (len(p.tasks[i].On) == 0 || slices.Contains(p.tasks[i].On, p.sites[k].Name))
}

// start starts a task, and checks that it may start.
func (p *play) start() bool {
	i, k, width, ok := p.q.Next()
	if !ok {
		return false
	}
	fail := func(format string, args ...any) {
		p.t.Helper()
		p.t.Fatalf("seed %d: %d at %d: %s", p.seed, i, k, fmt.Sprintf(format, args...))
	}
	if _, twice := p.at[i]; twice {
		fail("starts twice")
	}
	if !p.mayRun(i, k) {
		fail("may not run there")
	}
	if width < 1 || width > p.sites[k].CPUs {
		fail("%d actions on %d processors", width, p.sites[k].CPUs)
	}
	for _, id := range p.tasks[i].After {
		if n := slices.IndexFunc(p.tasks, func(t Task) bool { return t.ID == id }); !p.ended[n] {
			fail("starts before %d", n)
		}
	}
	held := p.canBeApart(p.apart[i], i)
	p.at[i], p.width[i] = k, width
	p.running = append(p.running, i)
	if held && !p.canBeApart(p.apart[i], i) {
		fail("its unit cannot be built apart any more; %v, those of %v", p.at, p.apart[i])
	}
	if slices.ContainsFunc(p.apart[i], func(m int) bool { at, ok := p.at[m]; return ok && at == k }) {
		for other := range p.sites {
			if p.mayRun(i, other) && !slices.ContainsFunc(p.apart[i], func(m int) bool { at, ok := p.at[m]; return ok && at == other }) {
				fail("is not apart, and could be at %d", other)
			}
		}
	}
	used, actions, here := int64(0), 0, 0
	groups := map[string]bool{}
	for _, r := range p.running {
		if p.at[r] != k {
			continue
		}
		if g := p.tasks[r].Group; g != "" && groups[g] {
			fail("two of group %q", g)
		} else {
			groups[g] = true
		}
		here, actions, used = here+1, actions+p.width[r], used+int64(p.width[r])*p.memory(r)
	}
	if used > p.sites[k].Memory && (here > 1 || width > 1) {
		fail("%d bytes in %d tasks, the budget is %d", used, here, p.sites[k].Memory)
	}
	if n := p.sites[k].CPUs; actions > 2*n || here > n+crowd(n) {
		fail("%d tasks with %d actions on %d processors", here, actions, n)
	}
	return true
}

func (p *play) memory(i int) int64 {
	if p.tasks[i].Memory == 0 {
		return DefaultMemory
	}
	return p.tasks[i].Memory
}

// canBeApart says whether a unit's builds that have not started can still each run
// at a site of their own, which none of the others has: by trying all ways.
func (p *play) canBeApart(unit []int, i int) bool {
	unit = append([]int{i}, unit...)
	taken := map[int]bool{}
	var open []int
	for _, m := range unit {
		if at, ok := p.at[m]; ok {
			if taken[at] {
				return false
			}
			taken[at] = true
		} else {
			open = append(open, m)
		}
	}
	var try func(n int) bool
	try = func(n int) bool {
		if n == len(open) {
			return true
		}
		for k := range p.sites {
			if p.mayRun(open[n], k) && !taken[k] {
				taken[k] = true
				if try(n + 1) {
					return true
				}
				delete(taken, k)
			}
		}
		return false
	}
	return try(0)
}

// idle checks that no processor is without a task that could start there: between
// equal sites nothing can be better elsewhere.
func (p *play) idle() {
	if !p.equal || len(p.q.Stranded()) > 0 {
		return
	}
	for k, s := range p.sites {
		here := 0
		for _, r := range p.running {
			if p.at[r] == k {
				here++
			}
		}
		if here >= s.CPUs {
			continue
		}
		for i := range p.tasks {
			_, begun := p.at[i]
			switch {
			case begun, !p.mayRun(i, k), p.q.jobs[i].waits > 0, !p.q.jobs[i].open[k]:
			case p.tasks[i].Group != "": // what it shares may be done elsewhere
			default:
				p.t.Fatalf("seed %d: site %d has %d tasks on %d processors, and %d does not start", p.seed, k, here, s.CPUs, i)
			}
		}
	}
}

// stop takes the n-th that runs away.
func (p *play) stop(n int) int {
	i := p.running[n]
	p.running = slices.Delete(p.running, n, n+1)
	return i
}
