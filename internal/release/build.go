package release

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/run"
)

// outcomes are what the executors gave for one unit, in their order.
type outcomes struct {
	unit *plan.Unit
	all  []*execute.Outcome
	step func(text string) // says what is done with them now; nil if nobody wants to know
}

// doing says what is done with the outcomes now, such as "comparing".
func (o *outcomes) doing(text string) {
	if o.step != nil {
		o.step(text)
	}
}

// circumstances are those of each execution.
func (o *outcomes) circumstances() (list []fact.Circumstances) {
	for _, x := range o.all {
		list = append(list, x.Circumstances)
	}
	return list
}

// ran says of each execution where it was.
func (o *outcomes) ran() (list []fact.Execution) {
	for _, x := range o.all {
		list = append(list, x.Ran)
	}
	return list
}

// cpu is the time of all go commands that were run for the unit.
func (o *outcomes) cpu() (all time.Duration) {
	for _, x := range o.all {
		all += x.Cost.CPU
	}
	return all
}

// then is what is done with the outcomes of a unit, as soon as all are there: other
// units are still being built. It returns what became of the unit, in one word.
type then func(ctx context.Context, o *outcomes) (verdict string, err error)

// build has every executor build the units, which are of the plan. ledger may spare second builds most of their work; nil: nothing is spared.
func (p *Prepared) build(ctx context.Context, units []*plan.Unit, ledger *ReleaseLedger, then then) error {
	r := p.Of.Run
	keep := r.Cache
	if p.arrived {
		keep = r.Workspace.Dir // what it cost elsewhere is forgotten with this run
	}
	b := &batch{
		Prepared: p, ledger: ledger, then: then, costs: schedule.LoadCosts(filepath.Join(keep, "costs.json")),
		sites: p.Sites, running: map[schedule.ID]time.Time{}, progress: map[schedule.ID]schedule.Progress{},
	}
	if len(b.sites) == 0 {
		b.sites = thisMachine(r)
	}
	b.left = slices.Clone(b.sites)
	// All builds are one queue: no machine is idle between first and second ones.
	for i := range p.Executors {
		for _, u := range units {
			b.tasks = append(b.tasks, b.task(b.unit(u), i))
		}
	}
	r.Emit(run.Event{Kind: run.Total, N: len(b.tasks)})
	err := schedule.Run(ctx, b.sites, b.tasks)
	if serr := b.costs.Save(); serr != nil {
		r.Note("estimates were not saved: %v", serr)
	}
	return err
}

// thisMachine is the machine that builds where no other does.
func thisMachine(r *run.Run) []schedule.Site {
	return []schedule.Site{{Budget: schedule.Budget{CPUs: r.Jobs}}}
}

// batch is the builds of one plan while they run.
type batch struct {
	*Prepared
	ledger *ReleaseLedger
	then   then
	costs  *schedule.Costs
	sites  []schedule.Site
	left   []schedule.Site // those that are not gone; under mu
	gaveUp []string        // sites that were too slow once; under mu
	tasks  []schedule.Task
	units  []*unitBuilds

	mu       sync.Mutex
	progress map[schedule.ID]schedule.Progress // of tasks
	running  map[schedule.ID]time.Time         // when tasks that run began
}

// unitBuilds are the builds of one unit.
type unitBuilds struct {
	mu      sync.Mutex
	missing int
	outcomes
}

// unit gives the builds of a unit, of which there is one for each executor.
func (b *batch) unit(u *plan.Unit) *unitBuilds {
	i := slices.IndexFunc(b.units, func(x *unitBuilds) bool { return x.unit == u })
	if i < 0 {
		n := len(b.Executors)
		i, b.units = len(b.units), append(b.units, &unitBuilds{missing: n, outcomes: outcomes{unit: u, all: make([]*execute.Outcome, n)}})
	}
	return b.units[i]
}

// taskID names one build of one unit.
func taskID(u *plan.Unit, e execute.Executor) schedule.ID {
	return schedule.ID{Unit: u.ID(), By: e.Name()}
}

// task is the build of a unit by the executor of that index.
func (b *batch) task(u *unitBuilds, i int) schedule.Task {
	e := b.Executors[i]
	id := taskID(u.unit, e)
	known := b.ledger.waits(u.unit)
	seeded := known && b.ledger.seeds(i)
	key := func(site string) schedule.CostKey {
		return schedule.CostKey{Module: b.Of.Source.ModulePath, Task: id, Site: site, Seeded: seeded}
	}
	cost := b.costs.Get(key(""))
	t := schedule.Task{ID: id, CPU: cost.CPU, Group: e.Name() + " " + u.unit.CompileKey()}
	for _, site := range b.sites {
		if at := b.costs.Get(key(site.Name)); site.Name != "" && at.CPU > 0 {
			if t.CPUAt == nil {
				t.CPUAt = map[string]time.Duration{}
			}
			t.CPUAt[site.Name] = at.CPU
		}
	}
	for j, other := range b.Executors {
		if j != i {
			t.Apart = append(t.Apart, taskID(u.unit, other))
		}
	}
	if cost.MaxRSS > 0 {
		t.Memory = cost.MaxRSS + cost.MaxRSS/2 // the largest process and the go command beside it
	}
	if seeded {
		t.After = []schedule.ID{taskID(u.unit, b.Executors[b.ledger.from])}
	}
	t.Run = func(ctx context.Context, at schedule.At) error {
		pace := execute.Pace{P: at.P, Site: at.Site}
		if known { // then most of it is compiled, in both places
			pace.Room = b.room(at.Site)
		}
		text := id.String()
		switch {
		case at.Site != "":
			text += " at " + at.Site
		case len(b.sites) > 1:
			text += " " + Here
		}
		if at.Attempt > 1 {
			text += ", once more"
		}
		b.Of.Emit(run.Event{Kind: run.Start, ID: id, Text: text, Estimate: cost.CPU})
		b.moved(id, schedule.Progress{At: at})
		if seeded {
			b.Of.Emit(run.Event{Kind: run.Step, ID: id, Text: "taking what is proven"})
			if err := b.ledger.seed(ctx, u.unit, u.all); err != nil {
				return err
			}
		}
		if seeded { // the estimate is that of the build
			b.Of.Emit(run.Event{Kind: run.Start, ID: id, Text: text, Estimate: cost.CPU})
		}
		bctx, end := b.patience(ctx, at, max(cost.CPU, t.CPUAt[at.Site]))
		made, err := e.Build(bctx, u.unit, pace)
		loss := schedule.LossOf(bctx, err)
		end()
		var spent schedule.Cost
		if made != nil {
			spent = made.Cost
			if made.Kept { // a link, when there is one again, takes the memory it took
				spent.MaxRSS = max(spent.MaxRSS, cost.MaxRSS)
			}
		}
		if loss != nil {
			b.lost(id, at, loss)
			return loss
		}
		text = ""
		if err == nil {
			b.costs.Set(key(at.Site), spent)
			text, err = b.arrived(ctx, u, i, made)
		}
		b.Of.Emit(run.Event{Kind: run.Done, ID: id, Text: text, Err: err})
		b.moved(id, schedule.Progress{At: at, Done: true, CPU: spent.CPU})
		return err
	}
	return t
}

// arrived notes an outcome; the last one of a unit carries on with all of them.
func (b *batch) arrived(ctx context.Context, u *unitBuilds, i int, made *execute.Outcome) (verdict string, err error) {
	u.mu.Lock()
	u.all[i] = made
	u.missing--
	last := u.missing == 0
	u.mu.Unlock()
	if !last {
		return "", nil
	}
	id := taskID(u.unit, b.Executors[i])
	u.step = func(text string) { b.Of.Emit(run.Event{Kind: run.Step, ID: id, Text: text}) }
	if verdict, err = b.then(ctx, &u.outcomes); err != nil {
		return "", fmt.Errorf("%s: %w", u.unit.ID(), err)
	}
	for _, o := range u.all {
		o.Actions, o.Timing = nil, nil // of hundreds of packages
	}
	return verdict, nil
}

// room is what one of the builds on this machine may take of its memory. What is known
// of compiles is of this machine: 0 for another one.
func (b *batch) room(site string) int64 {
	for _, s := range b.sites {
		if s.Name == site && site == "" {
			return s.Room()
		}
	}
	return 0
}

// lost takes note that an execution came to nothing, and why. What becomes of its task
// is for the schedule to say, and shows when it begins anew.
func (b *batch) lost(id schedule.ID, at schedule.At, loss *schedule.LostError) {
	b.Of.Emit(run.Event{Kind: run.Lost, ID: id, Err: loss})
	b.mu.Lock()
	delete(b.running, id)
	delete(b.progress, id)
	if loss.Site {
		b.left = slices.DeleteFunc(b.left, func(s schedule.Site) bool { return s.Name == at.Site })
	}
	b.mu.Unlock()
}

// moved notes how far a task is and says how long everything will take.
func (b *batch) moved(id schedule.ID, now schedule.Progress) {
	b.mu.Lock()
	if now.Done {
		delete(b.running, id)
	} else {
		b.running[id] = time.Now()
	}
	b.progress[id] = now
	for id, at := range b.running {
		p := b.progress[id]
		p.Ran = time.Since(at)
		b.progress[id] = p
	}
	left, known := schedule.Remaining(b.left, b.tasks, b.progress)
	b.mu.Unlock()
	if known {
		b.Of.Emit(run.Event{Kind: run.Remaining, Estimate: left})
	}
}
