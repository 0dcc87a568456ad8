package schedule

// outlook is what a site has before it, of what runs there and of what is meant
// to: times in seconds from now.
type outlook struct {
	cpus, memory float64
	tasks        int
	work         float64            // CPU
	room         float64            // memory times CPU
	groups       map[string]float64 // when the tasks of a group have ended, which run one after the other
}

// end is when a task would end that cannot begin before ready.
func (o *outlook) end(cpu, memory float64, group string, ready float64) float64 {
	memory = min(memory, o.memory)
	begin := ready
	if group != "" {
		begin = max(begin, o.groups[group])
	}
	if o.tasks >= int(o.cpus) {
		begin = max(begin, o.work/o.cpus)
	}
	width := max(1, int(o.cpus)/(o.tasks+1))
	return max(begin+lasts(cpu, width), (o.work+cpu)/o.cpus, (o.room+cpu*memory)/o.memory)
}

// add puts a task there that ends so.
func (o *outlook) add(cpu, memory float64, group string, end float64) {
	o.tasks++
	o.work += cpu
	o.room += cpu * min(memory, o.memory)
	if group != "" {
		o.groups[group] = max(o.groups[group], end)
	}
}

// spread says of every job that waits at which site it is meant to run, if that
// was not said since the last job ended. It makes a schedule of all that is left,
// the most urgent job first: it is meant for the site where it would end first,
// given what runs there and what is more urgent; of jobs that are to run apart, the
// one with fewer sites chooses first. Jobs of a group do the work that they share
// once at each site, so that the first of a group at a site is taken to cost what
// the dearest of them does.
//
// Only what a site does in all is looked at, not its single processors: the last
// steps are decided anew whenever a job ends.
func (q *Queue) spread() {
	if q.meant {
		return
	}
	q.meant = true
	p := &spreading{Queue: q, sites: make([]outlook, len(q.sites)), ready: make([]float64, len(q.jobs)), done: make([]bool, len(q.jobs))}
	for k := range q.sites {
		s := &q.sites[k]
		o := &p.sites[k]
		*o = outlook{cpus: float64(s.cpus), memory: float64(s.memory), groups: map[string]float64{}}
		for _, i := range s.running {
			j := &q.jobs[i]
			part := j.left(q.now)
			j.ends = j.lasts * part
			o.add(j.costs[k]*part, float64(j.memory)*float64(j.p), j.group, j.ends)
			p.before(i)
		}
	}
	for _, i := range q.waiting {
		p.put(i)
	}
}

// left is the part of a running job that is still to be done.
func (j *job) left(now float64) float64 { return max(0, 1-(now-j.began)/j.lasts) }

// spreading is what spread has found out so far.
type spreading struct {
	*Queue
	sites []outlook
	ready []float64 // when what a job waits for has ended
	done  []bool    // jobs that are meant for a site
}

// before notes for those that wait for a job when it ends.
func (p *spreading) before(i int) {
	for _, next := range p.jobs[i].then {
		p.ready[next] = max(p.ready[next], p.jobs[i].ends)
	}
}

// put decides where a job is meant to run.
func (p *spreading) put(i int) {
	if p.done[i] {
		return
	}
	p.done[i] = true
	j := &p.jobs[i]
	j.site = -1
	var taken []bool // by jobs that it is to run apart from
	if len(j.apart) > 0 {
		taken = make([]bool, len(p.sites))
	}
	for _, m := range j.apart {
		mate := &p.jobs[m]
		if mate.state == jobWaiting && sitesIn(mate.open) < sitesIn(j.open) {
			p.put(m)
		}
		if p.done[m] && mate.site >= 0 {
			taken[mate.site] = true
		}
	}
	var cost float64
	for _, free := range []bool{true, false} {
		for k := range p.sites {
			if !j.open[k] || free && taken != nil && taken[k] {
				continue
			}
			o := &p.sites[k]
			_, meant := o.groups[j.group]
			c := p.cost(i, k, meant)
			end := o.end(c, float64(j.memory), j.group, p.ready[i])
			if j.site < 0 || end < j.ends || end == j.ends && o.work/o.cpus < p.sites[j.site].work/p.sites[j.site].cpus {
				j.site, j.ends, cost = k, end, c
			}
		}
		if j.site >= 0 {
			p.sites[j.site].add(cost, float64(j.memory), j.group, j.ends)
			p.before(i)
			return
		}
	}
}

// cost is what a job takes at a site: the first of a group there does for all what
// they share, unless one is meant to do so before.
func (q *Queue) cost(i, k int, meant bool) float64 {
	j := &q.jobs[i]
	if j.group == "" || meant || q.sites[k].warm[j.group] {
		return j.costs[k]
	}
	return q.jobs[q.dearest[j.group]].costs[k]
}

// mayMove says whether a job that is meant for another site may start at this one:
// if it ends there no later, or if the other has no more processors and is no
// faster.
func (q *Queue) mayMove(i, k int) bool {
	j, s := &q.jobs[i], &q.sites[k]
	if j.site < 0 || j.site == k {
		return false
	}
	cost := q.cost(i, k, false)
	if s.cpus >= q.sites[j.site].cpus && cost <= j.costs[j.site] {
		return true
	}
	work := cost
	for _, r := range s.running {
		work += q.jobs[r].costs[k] * q.jobs[r].left(q.now)
	}
	p := max(1, s.cpus/(len(s.running)+1))
	return max(work/float64(s.cpus), lasts(cost, p)) <= j.ends
}
