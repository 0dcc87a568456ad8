package schedule

import (
	"runtime"
	"slices"
	"time"
)

// Progress is how far a task is; the zero value says that it has not started.
type Progress struct {
	P    int           // actions at a time, as Run was told
	Ran  time.Duration // since it started, while it runs
	Done bool
	CPU  time.Duration // what it took, once it is done
}

// Remaining estimates how long the tasks that are not done will still take
// together, by the model that [Queue] follows: their CPU over the processors,
// or the longest chain of those that cannot run together, whichever is more.
// progress is by ID; what is not in it has not started. ok is false, and left
// is 0, when nothing is known of more than half of what is left.
//
// What is done corrects what was expected of the rest: tasks that wait for
// others and tasks that do not are taken to be as much longer or shorter than
// expected as those of their kind were that are done, and to be like them if
// nothing was known of them.
func Remaining(b Budget, tasks []Task, progress map[ID]Progress) (left time.Duration, ok bool) {
	cpus := b.CPUs
	if cpus <= 0 {
		cpus = runtime.NumCPU()
	}
	kinds := map[bool]*kind{false: {}, true: {}}
	var open []openTask
	unknown, busy := 0, 0.0
	for _, t := range tasks {
		p := progress[t.ID]
		if p.Done {
			kinds[len(t.After) > 0].add(t, p)
			continue
		}
		open = append(open, openTask{Task: t, Progress: p})
	}
	sum, known := 0.0, 0
	for i := range open {
		t := &open[i]
		t.cpu = kinds[len(t.After) > 0].expect(t.Task)
		if t.cpu > 0 {
			sum, known = sum+t.cpu, known+1
		} else {
			unknown++
		}
		if t.P > 0 {
			busy += demand(t.P)
		}
	}
	if len(open) == 0 {
		return 0, true
	}
	if known == 0 || 2*unknown > len(open) {
		return 0, false
	}
	byID := map[ID]*openTask{}
	for i := range open {
		byID[open[i].ID] = &open[i]
	}
	front := 0 // tasks that wait for none
	for _, t := range open {
		if !slices.ContainsFunc(t.After, func(id ID) bool { return byID[id] != nil }) {
			front++
		}
	}
	mean, slow := sum/float64(known), max(1, busy/float64(cpus))
	share := max(1, cpus/max(1, front))
	work, longest := 0.0, 0.0
	groups := map[string]float64{}
	for i := range open {
		t := &open[i]
		if t.cpu == 0 {
			t.cpu = mean
		}
		t.lasts = lasts(t.cpu, share)
		if t.P > 0 {
			all := slow * lasts(t.cpu, t.P)
			// What takes longer than expected is not over for that.
			t.lasts = max(all-t.Ran.Seconds(), t.Ran.Seconds()/10)
			t.cpu *= t.lasts / all
		}
		work += t.cpu
		if t.Group != "" {
			groups[t.Group] += t.lasts
			longest = max(longest, groups[t.Group])
		}
	}
	for i := range open {
		longest = max(longest, open[i].ends(byID))
	}
	return seconds(max(work/float64(cpus), longest)), true
}

// kind is what tasks of one kind that are done took, in seconds.
type kind struct {
	n               int
	took            float64
	expected, tookE float64 // of those of which something was expected
}

func (k *kind) add(t Task, p Progress) {
	k.n++
	k.took += p.CPU.Seconds()
	if t.CPU > 0 {
		k.expected += t.CPU.Seconds()
		k.tookE += p.CPU.Seconds()
	}
}

// expect is what t should take, 0 if that is not known.
func (k *kind) expect(t Task) float64 {
	switch {
	case t.CPU > 0 && k.expected > 0:
		return t.CPU.Seconds() * k.tookE / k.expected
	case t.CPU > 0:
		return t.CPU.Seconds()
	case k.n > 0:
		return k.took / float64(k.n)
	}
	return 0
}

// openTask is a task that is not done.
type openTask struct {
	Task
	Progress
	cpu   float64 // still to be done, seconds
	lasts float64 // until it is done, once it may start
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
