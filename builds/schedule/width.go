package schedule

// The model of a build that widths and estimates follow. Of a build's work a
// part is a chain, in which each action waits for the one before; the rest is
// spread over the actions it may have at a time. Recorded action graphs have
// chains of 0.6 (a small program, which is mostly runtime and net/http) and 0.4
// (one with many dependencies) of the work.
const (
	serial = 0.5
	// enough: nothing is made wider to end before the time that all of the
	// work needs at least, plus this much.
	enough = 1.05
	// gain is by how much the last end must come nearer before more actions
	// than processors are allowed for it.
	gain = 0.005
)

// lasts is how long a build of so much CPU takes with p actions at a time and
// a processor for each.
func lasts(cpu float64, p int) float64 {
	return cpu * (serial + (1-serial)/float64(p))
}

// demand is how many processors such a build uses in the mean.
func demand(p int) float64 { return 1 / (serial + (1-serial)/float64(p)) }

// crowd is how many tasks more than processors may run when those are all that
// there is. Sharing the processors, they end together; one after the other, the
// last would leave most of the machine idle. With nearly twice as many tasks as
// processors two rounds are as good, with less memory; so they are on two
// processors.
func crowd(cpus int) int { return max(0, (3*cpus-4)/4) }

// width is how many actions at a time the first of next gets, if all of next
// start now at a site. Each begins with one, and whichever would end last gets one more,
// as long as memory permits: until that is no later than the end of all work
// must be in any case, or another action brings nothing. Processors that no
// action is meant for are given away in any case. Beyond that there are at most
// as many actions more as there are builds, but for one, since builds are wide
// in parts only; and never more than twice the processors.
func (q *Queue) width(at int, next []int) int {
	type item struct {
		cpu, rest float64
		memory    int64
		p         int
		fixed     bool // it runs, or memory permits no more
	}
	s := &q.sites[at]
	var items []item
	work := 0.0 // that is meant for the site
	for i := range q.jobs {
		j := &q.jobs[i]
		switch {
		case j.site != at:
		case j.state == jobWaiting:
			work += j.costs[at]
		case j.state == jobRunning:
			left := j.costs[at] * j.left(q.now)
			work += left
			items = append(items, item{cpu: left, p: j.p, fixed: true})
		}
	}
	first, actions, used := len(items), s.actions, s.used
	for _, i := range next {
		j := &q.jobs[i]
		items = append(items, item{cpu: j.costs[at], rest: j.chain - j.cpu, memory: j.memory, p: 1})
		actions, used = actions+1, used+j.memory
	}
	// end is when the last of the items ends, and which of those that can be
	// wider ends last; -1 if none can.
	end := func() (last float64, widen int) {
		busy := 0.0
		for _, it := range items {
			if it.cpu > 0 {
				busy += demand(it.p)
			}
		}
		slow := max(1, busy/float64(s.cpus))
		widen = -1
		lastOfThose := 0.0
		for n, it := range items {
			t := it.rest + slow*lasts(it.cpu, it.p)
			last = max(last, t)
			if !it.fixed && it.p < s.cpus && t > lastOfThose {
				lastOfThose, widen = t, n
			}
		}
		return last, widen
	}
	most := min(2*s.cpus, s.cpus+len(items)-1)
	goal := enough * work / float64(s.cpus)
	best, widen := end()
	p, inVain := 1, 0
	for actions < most && widen >= 0 && best > goal && inVain <= len(items) {
		it := &items[widen]
		if it.memory > s.memory-used {
			it.fixed = true
			_, widen = end()
			continue
		}
		it.p, actions, used = it.p+1, actions+1, used+it.memory
		var last float64
		last, widen = end()
		if last < best*(1-gain) || actions <= s.cpus {
			best, p, inVain = min(best, last), items[first].p, 0
		} else {
			inVain++
		}
	}
	return p
}
