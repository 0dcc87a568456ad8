package schedule

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// Site is one machine that tasks run on, with a budget of its own.
type Site struct {
	Name string // "" is this machine, by which a zero budget is filled in
	// Of a machine with a name the processors have to be given; without memory
	// only they limit what runs there at the same time.
	Budget
}

// String names the site for people.
func (s Site) String() string {
	if s.Name == "" {
		return "this machine"
	}
	return s.Name
}

// checkSites fills in what is known of the sites' budgets.
func checkSites(sites []Site) ([]Site, error) {
	if len(sites) == 0 {
		return nil, errors.New("there is no site to run tasks on")
	}
	var errs []error
	seen := map[string]bool{}
	out := make([]Site, len(sites))
	for i, s := range sites {
		if seen[s.Name] {
			errs = append(errs, fmt.Errorf("%s is there twice among the sites", s))
		}
		seen[s.Name] = true
		switch {
		case s.Name == "":
			s.Budget = s.orMachine()
		case s.CPUs <= 0:
			errs = append(errs, fmt.Errorf("the processors of site %s are not known", s))
		case s.Memory <= 0:
			s.Memory = math.MaxInt64
		}
		s.CPUs, s.Memory = min(s.CPUs, maxCPUs), min(s.Memory, 2*maxMemory)
		out[i] = s
	}
	return out, errors.Join(errs...)
}

// At says where and how a task is run.
type At struct {
	Site string // the name of a [Site]
	P    int    // actions at a time, at least 1
	// Attempt is 1 for the first execution of a task, and one more after each
	// that was lost.
	Attempt int
}

// LostError says that an execution came to nothing because of its site and not
// because of its work: the connection broke, the machine went away, it was too
// slow and was given up. [Run] runs such a task once more, elsewhere.
type LostError struct {
	Err  error
	Site bool // the whole site is gone, and not this execution only
}

func (e *LostError) Error() string { return e.Err.Error() }
func (e *LostError) Unwrap() error { return e.Err }

// Lost is what a task returns whose execution was lost; nil if err is nil.
func Lost(err error) error { return lost(err, false) }

// SiteLost is what a task returns whose site is gone with all that runs there;
// nil if err is nil.
func SiteLost(err error) error { return lost(err, true) }

func lost(err error, site bool) error {
	if err == nil {
		return nil
	}
	return &LostError{Err: err, Site: site}
}

// LossOf says whether an execution that ended with err was lost: with a [LostError], or
// cancelled, as its context was by one. nil if it was not.
func LossOf(ctx context.Context, err error) *LostError {
	if loss, ok := errors.AsType[*LostError](err); ok {
		return loss
	}
	if errors.Is(err, context.Canceled) {
		loss, _ := errors.AsType[*LostError](context.Cause(ctx))
		return loss
	}
	return nil
}

// expected is what tasks should cost at each site, in seconds: by task and site;
// 0 if nothing is known of a task anywhere. What is known of a task elsewhere is
// taken for a site where it has never run, times how much slower or faster that
// site was with what has run at both. A site of which nothing is known is as fast
// as the mean of the others.
func expected(sites []Site, tasks []Task) [][]float64 {
	column := map[string]int{}
	for _, s := range sites {
		column[s.Name] = len(column)
	}
	if _, ok := column[""]; !ok {
		column[""] = len(column) // nothing runs here, but what was measured here counts
	}
	out := make([][]float64, len(tasks))
	known := make([][]float64, len(tasks)) // logarithms, NaN: not known
	for i, t := range tasks {
		row := make([]float64, len(column))
		for k := range row {
			row[k] = math.NaN()
		}
		note := func(site string, cpu time.Duration) {
			if k, ok := column[site]; ok && cpu > 0 {
				row[k] = math.Log(cpu.Seconds())
			}
		}
		note("", t.CPU)
		for site, cpu := range t.CPUAt {
			note(site, cpu)
		}
		known[i] = row
	}
	work, pace := fit(known, len(column))
	for i, t := range tasks {
		out[i] = make([]float64, len(sites))
		for k, s := range sites {
			cpu := t.CPUAt[s.Name]
			if s.Name == "" && t.CPU > 0 {
				cpu = t.CPU
			}
			switch {
			case cpu > 0:
				out[i][k] = cpu.Seconds()
			case !math.IsNaN(work[i]):
				out[i][k] = math.Exp(work[i] + pace[k])
			}
		}
	}
	return out
}

// fit finds work of each row and pace of each column whose sums come near what is
// known, by turns. Work is NaN for a row of which nothing is known; pace is 0 for such
// a column, and in the mean.
func fit(known [][]float64, columns int) (work, pace []float64) {
	work, pace = make([]float64, len(known)), make([]float64, columns)
	for moved, turn := 1.0, 0; moved > 1e-6 && turn < 100; turn++ {
		sum, n := make([]float64, columns), make([]float64, columns)
		for i, row := range known {
			all, of := 0.0, 0.0
			for k, x := range row {
				if !math.IsNaN(x) {
					all, of = all+x-pace[k], of+1
				}
			}
			work[i] = all / of
			for k, x := range row {
				if !math.IsNaN(x) {
					sum[k], n[k] = sum[k]+x-work[i], n[k]+1
				}
			}
		}
		mean, of := 0.0, 0.0
		for k := range pace {
			if n[k] > 0 {
				mean, of = mean+sum[k]/n[k], of+1
			}
		}
		moved = 0
		for k, old := range pace {
			if n[k] > 0 {
				pace[k] = sum[k]/n[k] - mean/of
				moved = max(moved, math.Abs(pace[k]-old))
			}
		}
	}
	return work, pace
}
