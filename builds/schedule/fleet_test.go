package schedule

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// fleet is several machines at work on a clock of its own: tasks last as [lasts]
// says, and longer where more is done than there are processors. Nothing sleeps.
type fleet struct {
	t     *testing.T
	sites []Site
	tasks []Task
	cpu   func(task, site int) float64 // what tasks really take, in seconds
	dies  map[int]float64              // sites: when they die

	queue   *Queue
	now     float64
	running []execution
	began   []int // executions of each task
	dead    []bool
	lost    float64     // CPU seconds
	longest float64     // when the longest of what was lost could have ended
	at      map[int]int // sites of tasks that have ended
}

// execution is a task that runs.
type execution struct {
	task, site, p int
	left          float64 // of its time alone, in seconds
}

// slow is by how much longer everything takes at a site, since it is shared.
func (f *fleet) slow(site int) float64 {
	busy := 0.0
	for _, x := range f.running {
		if x.site == site {
			busy += demand(x.p)
		}
	}
	return max(1, busy/float64(f.sites[site].CPUs))
}

// run gives the makespan.
func (f *fleet) run() float64 {
	f.t.Helper()
	var err error
	if f.queue, err = NewQueue(f.sites, f.tasks); err != nil {
		f.t.Fatal(err)
	}
	f.began, f.dead, f.at = make([]int, len(f.tasks)), make([]bool, len(f.sites)), map[int]int{}
	for len(f.at) < len(f.tasks) {
		for {
			i, s, p, ok := f.queue.Next()
			if !ok {
				break
			}
			if f.dead[s] {
				f.t.Fatalf("task %d starts at site %d, which is dead", i, s)
			}
			f.began[i]++
			f.running = append(f.running, execution{task: i, site: s, p: p, left: lasts(f.cpu(i, s), p)})
		}
		if len(f.running) == 0 {
			f.t.Fatalf("nothing runs at %.0f s, and %d tasks have not ended", f.now, len(f.tasks)-len(f.at))
		}
		f.step()
	}
	return f.now
}

// step goes on until the next task ends, or a site dies.
func (f *fleet) step() {
	next, dies := math.Inf(1), -1
	for _, x := range f.running {
		next = min(next, f.now+x.left*f.slow(x.site))
	}
	for s, at := range f.dies {
		if !f.dead[s] && at <= next {
			next, dies = at, s
		}
	}
	passed := next - f.now
	slow := make([]float64, len(f.sites))
	for s := range slow {
		slow[s] = f.slow(s)
	}
	for i := range f.running {
		f.running[i].left -= passed / slow[f.running[i].site]
	}
	f.now = next
	if dies >= 0 {
		f.dead[dies] = true
		f.queue.Gone(dies)
	}
	f.running = slices.DeleteFunc(f.running, func(x execution) bool {
		switch {
		case x.site == dies:
			f.lost += f.cpu(x.task, x.site) * (1 - x.left/lasts(f.cpu(x.task, x.site), x.p))
			for s, machine := range f.sites {
				if _, dies := f.dies[s]; !dies {
					f.longest = max(f.longest, f.now+lasts(f.cpu(x.task, s), machine.CPUs))
				}
			}
			f.queue.Lost(x.task)
		case x.left < 1e-9:
			f.at[x.task] = x.site
			f.queue.Ended(x.task, true)
		default:
			return false
		}
		return true
	})
}

// machines are sites of so many processors, with memory for all of them.
func machines(cpus ...int) (sites []Site) {
	for i, n := range cpus {
		sites = append(sites, Site{Name: fmt.Sprint("m", i), Budget: Budget{CPUs: n, Memory: int64(2*n) << 30}})
	}
	return sites
}

// heavyTailed is so many units with two builds each. The CPU of a unit is drawn
// from a Pareto distribution of index 1.5, from 10 s: the longest of 200 is some
// 10 or 20 times the mean.
func heavyTailed(seed uint64, units int) []Task {
	rnd := rand.New(rand.NewPCG(seed, 16))
	var tasks []Task
	for u := range units {
		cpu := 10 / math.Pow(1-rnd.Float64(), 1/1.5)
		first, second := ID{fmt.Sprint(u), "first"}, ID{fmt.Sprint(u), "second"}
		t := Task{ID: first, CPU: seconds(cpu), Memory: 1 << 30}
		again := t
		again.ID, again.Apart = second, []ID{first}
		tasks = append(tasks, t, again)
	}
	return tasks
}

// bestPossible is a time that no schedule of tasks in pairs that run apart can be
// done in, on sites of such speeds, which count as so many processors more:
//
//   - all work is done by all processors;
//   - of each pair at least one half, be it the lesser one, is done elsewhere than at
//     any one site, by the processors of the others: a machine of 64 beside 2, 4 and 8
//     can do no more than half of all work, and the other half is for 14 processors;
//   - a task takes as long as it takes alone at the widest machine, and one of a pair
//     as long as at the second widest; both, if one waits for the other.
func bestPossible(sites []Site, speed []float64, tasks []Task) float64 {
	all, most := 0.0, 0.0
	for k, s := range sites {
		all, most = all+speed[k]*float64(s.CPUs), max(most, speed[k]*float64(s.CPUs))
	}
	alone := func(cpu float64) (ends []float64) { // in how long, the best site first
		for k, s := range sites {
			ends = append(ends, lasts(cpu, s.CPUs)/speed[k])
		}
		slices.Sort(ends)
		return ends
	}
	sum, lesser, longest := 0.0, 0.0, 0.0
	for i := 0; i < len(tasks); i += 2 {
		a, b := tasks[i].CPU.Seconds(), tasks[i+1].CPU.Seconds()
		sum, lesser = sum+a+b, lesser+min(a, b)
		if first, second := alone(a), alone(b); len(tasks[i+1].After) > 0 {
			longest = max(longest, min(first[0]+second[1], first[1]+second[0]))
		}
		longest = max(longest, alone(min(a, b))[1], alone(max(a, b))[0])
	}
	return max(sum/all, lesser/(all-most), longest)
}

// TestFleet: 200 units are built twice each, on four machines, nearly as fast as is
// possible at all.
func TestFleet(t *testing.T) {
	same := []float64{1, 1, 1, 1}
	for _, tt := range []struct {
		name  string
		sites []Site
		speed []float64
		noise float64 // of what tasks take, over what was expected: standard deviation of the logarithm
		known float64 // the share of costs that are known; if it is any, of each task at one site at least
		most  float64
	}{
		{"equal", machines(8, 8, 8, 8), same, 0, 1, 1.10},
		{"equal, small", machines(2, 2, 2, 2), same, 0, 1, 1.10},
		{"2, 4, 8, 64 processors", machines(2, 4, 8, 64), same, 0, 1, 1.10},
		{"64, 2", machines(64, 2), same[:2], 0, 1, 1.10},
		{"slow and fast", machines(8, 8, 8, 8), []float64{.2, .5, 1, 2}, 0, 1, 1.15},
		{"slow and fast, most of it not known", machines(8, 8, 8, 8), []float64{.2, .5, 1, 2}, 0, .3, 1.15},
		// The bound is that of somebody who knows what will come.
		{"equal, not as expected", machines(8, 8, 8, 8), same, 0.1, 1, 1.25},
		{"2, 4, 8, 64 processors, not as expected", machines(2, 4, 8, 64), same, 0.1, 1, 1.25},
		{"equal, nothing known", machines(8, 8, 8, 8), same, 0, 0, 2.25},
	} {
		t.Run(tt.name, func(t *testing.T) {
			worst, sum := 0.0, 0.0
			const seeds = 10
			for seed := range uint64(seeds) {
				tasks := heavyTailed(seed, 200)
				real := slices.Clone(tasks)
				rnd := rand.New(rand.NewPCG(seed, 17))
				for i := range tasks {
					real[i].CPU = seconds(tasks[i].CPU.Seconds() * math.Exp(tt.noise*rnd.NormFloat64()))
					tasks[i].CPUAt = map[string]time.Duration{}
					for k, s := range tt.sites {
						if tt.known > 0 && k == i/2%len(tt.sites) || rnd.Float64() < tt.known {
							tasks[i].CPUAt[s.Name] = seconds(tasks[i].CPU.Seconds() / tt.speed[k])
						}
					}
					tasks[i].CPU = 0
				}
				f := &fleet{t: t, sites: tt.sites, tasks: tasks, cpu: func(i, k int) float64 { return real[i].CPU.Seconds() / tt.speed[k] }}
				ratio := f.run() / bestPossible(tt.sites, tt.speed, real)
				worst, sum = max(worst, ratio), sum+ratio
				if ratio < 1-1e-6 {
					t.Errorf("seed %d: %.3f of what is possible: the bound is none", seed, ratio)
				}
				for i := range tasks {
					if f.began[i] != 1 || f.at[i&^1] == f.at[i|1] {
						t.Fatalf("seed %d: task %d ran %d times, its unit at %d and %d", seed, i, f.began[i], f.at[i&^1], f.at[i|1])
					}
				}
			}
			t.Logf("makespan over the bound: %.3f, at worst %.3f", sum/seeds, worst)
			if worst > tt.most {
				t.Errorf("%.3f of the bound, want at most %.2f", worst, tt.most)
			}
		})
	}
}

// TestFleetAfter: where second builds wait for first ones, they are spread with a view
// to when they can begin.
func TestFleetAfter(t *testing.T) {
	for _, tt := range []struct {
		sites []Site
		most  float64 // in the mean
	}{
		{machines(8, 8, 8, 8), 1.08},
		{machines(2, 4, 8, 64), 1.06},
	} {
		sum := 0.0
		const seeds = 20
		for seed := range uint64(seeds) {
			tasks := heavyTailed(seed, 200)
			for i := 1; i < len(tasks); i += 2 {
				tasks[i].After = []ID{tasks[i-1].ID}
			}
			f := &fleet{t: t, sites: tt.sites, tasks: tasks, cpu: func(i, _ int) float64 { return tasks[i].CPU.Seconds() }}
			sum += f.run() / bestPossible(tt.sites, []float64{1, 1, 1, 1}, tasks)
		}
		t.Logf("makespan over the bound: %.3f", sum/seeds)
		if sum/seeds > tt.most {
			t.Errorf("%.3f of the bound in the mean, want at most %.2f", sum/seeds, tt.most)
		}
	}
}

// TestFleetDies: sites die in the middle, and their tasks run elsewhere, nearly as
// fast as those that are left can do it.
func TestFleetDies(t *testing.T) {
	same := []float64{1, 1, 1, 1}
	for _, tt := range []struct {
		name  string
		sites []Site
		dies  map[int]float64 // when, as a part of the time that all would take
		most  float64
	}{
		{"one of four", machines(8, 8, 8, 8), map[int]float64{1: .5}, 1.10},
		{"at the begin", machines(8, 8, 8, 8), map[int]float64{1: 0}, 1.10},
		{"near the end", machines(8, 8, 8, 8), map[int]float64{1: .9}, 1.10},
		{"the largest", machines(2, 4, 8, 64), map[int]float64{3: .1}, 1.10},
		{"all but one", machines(8, 8, 8, 8), map[int]float64{0: .3, 1: .5, 3: .6}, 1.10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			worst := 0.0
			for seed := range uint64(10) {
				tasks := heavyTailed(seed, 200)
				for i := range tasks {
					tasks[i].CPU = min(tasks[i].CPU, 100*time.Second) // or one that is lost late is all that counts
				}
				f := &fleet{t: t, sites: tt.sites, tasks: tasks, cpu: func(i, _ int) float64 { return tasks[i].CPU.Seconds() }, dies: map[int]float64{}}
				whole := bestPossible(tt.sites, same, tasks)
				for k, part := range tt.dies {
					f.dies[k] = part * whole
				}
				took := f.run()
				// All work, and what was lost, by the processors that there were;
				// and once the last has died, the longest of its tasks alone.
				could := f.lost
				for _, tk := range tasks {
					could += tk.CPU.Seconds()
				}
				left := 0
				for k, s := range tt.sites {
					if at, dies := f.dies[k]; dies {
						could -= at * float64(s.CPUs)
					} else {
						left += s.CPUs
					}
				}
				least := max(whole, could/float64(left), f.longest)
				ratio := took / least
				worst = max(worst, ratio)
				together := 0
				for i := range tasks {
					if i%2 == 0 && f.at[i] == f.at[i+1] {
						together++
					}
				}
				if together > 0 && len(tt.dies) < 3 {
					t.Errorf("seed %d: both halves of %d units ran at one site", seed, together)
				}
				if f.lost == 0 && !slices.Contains(slices.Collect(maps.Values(tt.dies)), 0) {
					t.Errorf("seed %d: nothing was lost", seed)
				}
			}
			t.Logf("makespan over the bound: at worst %.3f", worst)
			if worst > tt.most {
				t.Errorf("%.3f of the bound, want at most %.2f", worst, tt.most)
			}
		})
	}
}
