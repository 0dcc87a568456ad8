// Package schedule decides what runs when and where: it keeps machines busy, each
// within a budget of processors and memory, by what earlier runs have cost
// ([Costs]).
//
// A failing task keeps others from starting, not from finishing, and every error
// is reported. An execution that was lost with its site is no failure: the task
// runs elsewhere.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sort"
	"sync"
	"time"
)

// Budget bounds what runs at the same time.
type Budget struct {
	CPUs   int   // processors to keep busy; 0: the machine's
	Memory int64 // bytes; 0: what [machineMemory] says
}

// orMachine fills in what the machine has.
func (b Budget) orMachine() Budget {
	if b.CPUs <= 0 {
		b.CPUs = runtime.NumCPU()
	}
	if b.Memory <= 0 {
		b.Memory = machineMemory()
	}
	return b
}

// Room is what one of as many builds at a time as there are processors may
// take of the memory.
func (b Budget) Room() int64 {
	b = b.orMachine()
	return b.Memory / int64(b.CPUs)
}

// ID names a task among others: what is built, and by whom. Nothing is read out of
// the text of one.
type ID struct {
	Unit string
	By   string // an executor, which is one of the unit's builds; "" where there is one only
}

// String names the task for people.
func (id ID) String() string {
	if id.By == "" {
		return id.Unit
	}
	return id.Unit + " · " + id.By + " build"
}

// Task is one build with what it is expected to cost.
type Task struct {
	ID ID
	// CPU is expected on this machine, and CPUAt on sites, by their names. 0: not
	// known; what is not known of one site follows from the others, and tasks of
	// which nothing is known go first, as they may be long.
	CPU    time.Duration
	CPUAt  map[string]time.Duration
	Memory int64 // bytes with one action at a time; 0: not known
	// Group is shared by tasks that mostly do the same work on the same cache.
	// They never run at the same time on one site: builds that run beside each
	// other do not share what both are compiling, and one after the other they do.
	Group string
	// On are the names of the sites that may run it; none: all may.
	On []string
	// Apart are tasks that are to run on other sites than this one, such as the
	// other builds of its unit. It holds in both directions, also when only one
	// of the two says so. A task does not run where one of these runs, has run
	// or can only run, as long as there is another site that may run it; when
	// there is none, it does. An execution that was lost does not count.
	Apart []ID
	// After are the tasks that must have ended without an error before
	// this one may start. A task whose predecessor failed never runs.
	After []ID
	// Run does the work with up to at.P actions at a time. ctx ends with that of
	// [Run], and when the site is gone. When [Run] is told that the execution was
	// lost ([Lost], [SiteLost]), nothing of it may count, now or later: the task
	// is run again.
	Run func(ctx context.Context, at At) error
}

// DefaultMemory is what a build is thought to need before it was ever
// measured: a large compile plus the go command.
const DefaultMemory = 700 << 20

// MaxLosses is how often a task is lost before that is an error of [Run].
const MaxLosses = 3

// Run runs the tasks, each once, where, in the order and with the width that a
// [Queue] gives. It is an error, before anything runs, when a task waits for one
// that is not there, or for itself through others, or names a site that is not
// there.
//
// After the first error of a task nothing new starts; what runs is left to finish;
// all errors are returned together. When ctx ends, running tasks are told through
// theirs, and its cause is returned with the errors that are not of its making.
//
// A task that returns a [LostError] is run again after it has returned, elsewhere
// if there is another site that may run it. Nothing is started any more on a site
// that is gone, and what runs there is told so through its context, whose cause is
// that LostError; an execution that ends with that cause, or as cancelled, is lost
// too. It is an error when a task was lost three times, or when no site is left
// that may run it; the losses are part of it.
func Run(ctx context.Context, sites []Site, tasks []Task) error {
	queue, err := NewQueue(sites, tasks)
	if err != nil {
		return err
	}
	r := newRunner(ctx, queue, sites, tasks)
	stop := context.AfterFunc(ctx, func() { r.mu.Lock(); r.cond.Broadcast(); r.mu.Unlock() })
	defer stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.goOn() {
		task, site, p, ok := queue.Next()
		if !ok {
			r.cond.Wait()
			continue
		}
		r.running++
		at := At{Site: sites[site].Name, P: p, Attempt: 1 + len(r.losses[task])}
		go func() {
			err := tasks[task].Run(r.at[site].ctx, at)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.running--
			r.ended(task, site, err)
			r.cond.Broadcast()
		}()
	}
	for r.running > 0 {
		r.cond.Wait()
	}
	for _, s := range r.at {
		s.end(nil)
	}
	if err := r.stranded(); err != nil {
		r.errs = append(r.errs, err)
	}
	if ctx.Err() != nil {
		cause := context.Cause(ctx)
		own := []error{cause}
		for _, err := range r.errs {
			if !errors.Is(err, cause) && !errors.Is(err, ctx.Err()) {
				own = append(own, err)
			}
		}
		return errors.Join(own...)
	}
	sort.SliceStable(r.errs, func(i, j int) bool { return r.errs[i].Error() < r.errs[j].Error() })
	return errors.Join(r.errs...)
}

// runner is what Run knows of what runs.
type runner struct {
	ctx     context.Context
	queue   *Queue
	tasks   []Task
	sites   []Site
	mu      sync.Mutex // of all that follows
	cond    *sync.Cond
	at      []siteContext
	running int
	errs    []error
	losses  map[int][]error // by task
}

// siteContext ends with its site, or with the context of Run.
type siteContext struct {
	ctx  context.Context
	end  context.CancelCauseFunc
	gone *LostError // nil: it is not
}

func newRunner(ctx context.Context, queue *Queue, sites []Site, tasks []Task) *runner {
	r := &runner{ctx: ctx, queue: queue, tasks: tasks, sites: sites, losses: map[int][]error{}}
	r.cond = sync.NewCond(&r.mu)
	for range sites {
		var s siteContext
		s.ctx, s.end = context.WithCancelCause(ctx)
		r.at = append(r.at, s)
	}
	return r
}

// goOn says whether something may still start, now or later.
func (r *runner) goOn() bool {
	return r.ctx.Err() == nil && len(r.errs) == 0 && r.queue.Waiting()+r.running > 0 && len(r.queue.Stranded()) == 0
}

// ended takes note of how an execution ended.
func (r *runner) ended(task, site int, err error) {
	s := &r.at[site]
	loss := LossOf(s.ctx, err)
	if loss == nil {
		r.queue.Ended(task, err == nil)
		delete(r.losses, task)
		if err != nil {
			r.errs = append(r.errs, err)
		}
		return
	}
	r.queue.Lost(task)
	if loss.Site && s.gone == nil {
		s.gone = loss
		r.queue.Gone(site)
		s.end(loss)
	}
	r.losses[task] = append(r.losses[task], fmt.Errorf("%s: %w", r.sites[site], err))
	if n := len(r.losses[task]); n >= MaxLosses && r.ctx.Err() == nil {
		r.errs = append(r.errs, fmt.Errorf("%s: lost %d times: %w", r.tasks[task].ID, n, errors.Join(r.losses[task]...)))
	}
}

// stranded is the error that no site is left for some tasks; nil if there is one
// for all.
func (r *runner) stranded() error {
	left := r.queue.Stranded()
	if len(left) == 0 {
		return nil
	}
	var losses []error
	seen := map[string]bool{}
	add := func(err error) {
		if !seen[err.Error()] {
			seen[err.Error()] = true
			losses = append(losses, err)
		}
	}
	for i, s := range r.at {
		if s.gone != nil {
			add(fmt.Errorf("%s: %w", r.sites[i], s.gone))
		}
	}
	for _, task := range left {
		for _, err := range r.losses[task] {
			add(err)
		}
	}
	what := r.tasks[left[0]].ID.String()
	if n := len(left) - 1; n > 0 {
		what += fmt.Sprintf(" and %d more", n)
	}
	return fmt.Errorf("%s: no site is left that may run it: %w", what, errors.Join(losses...))
}
