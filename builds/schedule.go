package builds

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
	CPUs   int   // build actions at a time over all tasks; 0: the machine's processors
	Memory int64 // bytes; 0: what [MachineMemory] says
}

// Task is one build with what it is expected to cost.
type Task struct {
	ID     string
	CPU    time.Duration // 0: not known; such tasks go first, as they may be long
	Memory int64         // bytes with one action at a time; 0: not known
	// Group is shared by tasks that mostly do the same work on the same cache.
	// They never run at the same time: builds that run beside each other do
	// not share what both are compiling, and one after the other they do.
	Group string
	// Run does the work with up to p actions at a time.
	Run func(ctx context.Context, p int) error
}

// DefaultMemory is what a build is thought to need before it was ever
// measured: a large compile plus the go command.
const DefaultMemory = 700 << 20

// Schedule runs the tasks, the longest first, as many at a time as the budget
// allows: wide and shallow, since single actions of many builds use the
// machine as well as many actions of one, with less memory. The last tasks
// share twice the processors, so that none is idle while the longest ends. A
// task whose memory exceeds the whole budget runs alone. After the first error
// nothing new starts; what runs is left to finish; all errors are returned
// together. When ctx ends, running tasks are told through theirs, and its cause
// is returned with the errors that are not of its making.
func Schedule(ctx context.Context, b Budget, tasks []Task) error {
	if b.CPUs <= 0 {
		b.CPUs = runtime.NumCPU()
	}
	if b.Memory <= 0 {
		b.Memory = MachineMemory()
	}
	queue := append([]Task(nil), tasks...)
	sort.SliceStable(queue, func(i, j int) bool {
		a, b := queue[i].CPU, queue[j].CPU
		if (a == 0) != (b == 0) {
			return a == 0
		}
		return a > b
	})
	var (
		mu      sync.Mutex
		cond    = sync.NewCond(&mu)
		usedCPU int
		usedMem int64
		running int
		groups  = map[string]bool{}
		errs    []error
	)
	stop := context.AfterFunc(ctx, func() { mu.Lock(); cond.Broadcast(); mu.Unlock() })
	defer stop()
	mu.Lock()
	defer mu.Unlock()
	for len(queue) > 0 && len(errs) == 0 && ctx.Err() == nil {
		next := pick(queue, b, groups, usedCPU, usedMem, running)
		if next < 0 {
			cond.Wait()
			continue
		}
		t := queue[next]
		queue = append(queue[:next], queue[next+1:]...)
		p := width(t, queue, b, usedMem, running)
		mem := taskMemory(t) * int64(p)
		usedCPU, usedMem, running = usedCPU+1, usedMem+mem, running+1
		go func() {
			err := t.Run(ctx, p)
			mu.Lock()
			defer mu.Unlock()
			usedCPU, usedMem, running = usedCPU-1, usedMem-mem, running-1
			delete(groups, t.Group)
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

// pick gives the index of the first task that fits the budget now, or -1.
func pick(queue []Task, b Budget, groups map[string]bool, usedCPU int, usedMem int64, running int) int {
	if usedCPU >= b.CPUs {
		return -1
	}
	for i, t := range queue {
		if t.Group != "" && groups[t.Group] {
			continue
		}
		if running == 0 || usedMem+taskMemory(t) <= b.Memory {
			return i
		}
	}
	return -1
}

// width is how many actions at a time t gets when it starts now. While there
// are enough tasks for every processor each gets one. The last ones get more,
// as the number given to go build cannot be raised later: all together about
// twice the processors, and no more than memory permits beside them.
func width(t Task, queue []Task, b Budget, usedMem int64, running int) int {
	if len(queue) >= b.CPUs {
		return 1
	}
	tasks := running + 1 + len(queue)
	p := min(b.CPUs, (2*b.CPUs+tasks-1)/tasks)
	free := b.Memory - usedMem
	for _, other := range queue {
		free -= taskMemory(other) // wide first: all of them could run beside t
	}
	return max(1, min(p, int(min(free/taskMemory(t), int64(b.CPUs)))))
}

func taskMemory(t Task) int64 {
	if t.Memory <= 0 {
		return DefaultMemory
	}
	return t.Memory
}
