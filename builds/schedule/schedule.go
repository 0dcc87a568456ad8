// Package schedule decides what runs when: it keeps a machine busy within a
// budget of processors and memory, by what earlier runs have cost ([Costs]).
//
// A failing task keeps others from starting, not from finishing, and every error
// is reported.
package schedule

import (
	"context"
	"errors"
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
	By   string // an executor; "" where there is no choice
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
	ID     ID
	CPU    time.Duration // 0: not known; such tasks go first, as they may be long
	Memory int64         // bytes with one action at a time; 0: not known
	// Group is shared by tasks that mostly do the same work on the same cache.
	// They never run at the same time: builds that run beside each other do
	// not share what both are compiling, and one after the other they do.
	Group string
	// After are the tasks that must have ended without an error before
	// this one may start. A task whose predecessor failed never runs.
	After []ID
	// Run does the work with up to p actions at a time.
	Run func(ctx context.Context, p int) error
}

// DefaultMemory is what a build is thought to need before it was ever
// measured: a large compile plus the go command.
const DefaultMemory = 700 << 20

// Run runs the tasks, each once, in the order and width that a [Queue]
// gives. It is an error, before anything runs, when a task waits for one that
// is not there, or for itself through others. After the first error of a task
// nothing new starts; what runs is left to finish; all errors are returned
// together. When ctx ends, running tasks are told through theirs, and its cause
// is returned with the errors that are not of its making.
func Run(ctx context.Context, b Budget, tasks []Task) error {
	queue, err := NewQueue(b, tasks)
	if err != nil {
		return err
	}
	var (
		mu      sync.Mutex
		cond    = sync.NewCond(&mu)
		running int
		errs    []error
	)
	stop := context.AfterFunc(ctx, func() { mu.Lock(); cond.Broadcast(); mu.Unlock() })
	defer stop()
	mu.Lock()
	defer mu.Unlock()
	for queue.Waiting() > 0 && len(errs) == 0 && ctx.Err() == nil {
		i, p, ok := queue.Next()
		if !ok {
			cond.Wait()
			continue
		}
		running++
		go func() {
			err := tasks[i].Run(ctx, p)
			mu.Lock()
			defer mu.Unlock()
			running--
			queue.Ended(i, err == nil)
			if err != nil {
				errs = append(errs, err)
			}
			cond.Broadcast()
		}()
	}
	for running > 0 {
		cond.Wait()
	}
	if ctx.Err() != nil {
		cause := context.Cause(ctx)
		own := []error{cause}
		for _, err := range errs {
			if !errors.Is(err, cause) && !errors.Is(err, ctx.Err()) {
				own = append(own, err)
			}
		}
		return errors.Join(own...)
	}
	sort.SliceStable(errs, func(i, j int) bool { return errs[i].Error() < errs[j].Error() })
	return errors.Join(errs...)
}
