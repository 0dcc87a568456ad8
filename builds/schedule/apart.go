package schedule

import "slices"

// sitesIn counts.
func sitesIn(set []bool) (n int) {
	for _, in := range set {
		if in {
			n++
		}
	}
	return n
}

// narrowAll is narrow for all jobs.
func (q *Queue) narrowAll() {
	seen := map[int]bool{}
	for _, i := range q.waiting {
		if !seen[i] {
			q.narrowThese(q.component(i, seen))
		}
	}
}

// narrow says at which sites a job may start that waits, and those that are to run
// apart from it: at the sites that are left and may run it, but, as long as others
// remain, for those
//
//   - where one runs or has run that it is to run apart from,
//   - that would leave fewer of those that wait a site of their own,
//   - where it was lost before.
//
// By the second, nothing takes the only site of another, or one of the two that two
// others need.
func (q *Queue) narrow(i int) {
	seen := map[int]bool{}
	if q.jobs[i].state == jobWaiting {
		q.narrowThese(q.component(i, seen))
		return
	}
	for _, m := range q.jobs[i].apart {
		if q.jobs[m].state == jobWaiting && !seen[m] {
			q.narrowThese(q.component(m, seen))
		}
	}
}

// component are the jobs that wait and are to run apart from a job that waits, or
// from one of these; with the job itself.
func (q *Queue) component(i int, seen map[int]bool) (jobs []int) {
	seen[i] = true
	jobs = append(jobs, i)
	for n := 0; n < len(jobs); n++ {
		for _, m := range q.jobs[jobs[n]].apart {
			if q.jobs[m].state == jobWaiting && !seen[m] {
				seen[m] = true
				jobs = append(jobs, m)
			}
		}
	}
	return jobs
}

func (q *Queue) narrowThese(jobs []int) {
	for _, i := range jobs {
		j := &q.jobs[i]
		for k := range q.sites {
			j.open[k] = j.on[k] && !q.sites[k].gone
		}
		j.without(func(k int) bool {
			return slices.ContainsFunc(j.apart, func(m int) bool { return q.jobs[m].state != jobWaiting && q.jobs[m].site == k })
		})
	}
	for changed := true; changed; {
		changed = false
		for _, i := range jobs {
			j := &q.jobs[i]
			if len(j.apart) == 0 || sitesIn(j.open) < 2 {
				continue
			}
			most, own := 0, make([]int, len(q.sites))
			for k, open := range j.open {
				if open {
					own[k] = q.ownSites(j, k)
					most = max(most, own[k])
				}
			}
			changed = j.without(func(k int) bool { return own[k] < most }) || changed
		}
	}
	// Now any site that is left to a job leaves the others theirs: where it was lost
	// can be avoided without looking at them.
	for _, i := range jobs {
		j := &q.jobs[i]
		j.without(func(k int) bool { return j.lostAt != nil && j.lostAt[k] })
	}
}

// without takes sites from those where the job may start, unless none would be
// left. It says whether it took any.
func (j *job) without(not func(site int) bool) (changed bool) {
	open := slices.Clone(j.open)
	for k := range open {
		open[k] = open[k] && !not(k)
	}
	if n := sitesIn(open); n == 0 || n == sitesIn(j.open) {
		return false
	}
	copy(j.open, open)
	return true
}

// ownSites is how many of those that wait and are to run apart from a job can each
// have a site of their own, if the job starts at that site: a matching, made larger
// one at a time.
func (q *Queue) ownSites(j *job, at int) (n int) {
	has := make([]int, len(q.sites)) // the job of each site, plus 1
	var find func(m int, tried []bool) bool
	find = func(m int, tried []bool) bool {
		for k, open := range q.jobs[m].open {
			if !open || k == at || tried[k] {
				continue
			}
			tried[k] = true
			if has[k] == 0 || find(has[k]-1, tried) {
				has[k] = m + 1
				return true
			}
		}
		return false
	}
	for _, m := range j.apart {
		if q.jobs[m].state == jobWaiting && find(m, make([]bool, len(q.sites))) {
			n++
		}
	}
	return n
}
