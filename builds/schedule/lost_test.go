package schedule

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// executions watches executions of tasks by their sites.
type executions struct {
	mu      sync.Mutex
	tasks   int
	running map[ID]bool
	began   []string // unit@site#attempt
}

// task is a second of work that ends as result says, which may wait for ctx. Each
// task takes a little longer than the one before, so that no two end together.
func (e *executions) task(t *testing.T, unit string, result func(ctx context.Context, at At) error) Task {
	id := ID{Unit: unit}
	e.tasks++
	lasts := time.Second + time.Duration(e.tasks)*10*time.Millisecond
	return Task{ID: id, CPU: time.Second, Memory: 1, Run: func(ctx context.Context, at At) error {
		e.mu.Lock()
		if e.running == nil {
			e.running = map[ID]bool{}
		}
		if e.running[id] {
			t.Errorf("%s is started anew before it has returned", id)
		}
		e.running[id] = true
		e.began = append(e.began, fmt.Sprintf("%s@%s#%d", unit, at.Site, at.Attempt))
		e.mu.Unlock()
		time.Sleep(lasts)
		err := result(ctx, at)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.running[id] = false
		return err
	}}
}

// String has no order: what begins at the same time begins in any.
func (e *executions) String() string { return strings.Join(slices.Sorted(slices.Values(e.began)), " ") }

// TestLost: tasks that are lost run elsewhere, until there is nowhere else or it was
// too often.
func TestLost(t *testing.T) {
	broken, real := errors.New("connection broken"), errors.New("does not compile")
	fine := func(context.Context, At) error { return nil }
	at := func(site string, err error) func(context.Context, At) error {
		return func(_ context.Context, at At) error {
			if at.Site == site {
				return fmt.Errorf("unit: %w", err)
			}
			return nil
		}
	}
	always := func(lost func(error) error) func(context.Context, At) error {
		return func(context.Context, At) error { return lost(broken) }
	}
	for _, tt := range []struct {
		name  string
		sites []Site
		tasks []func(context.Context, At) error
		on    string // the only site of the first task
		began string
		want  string // error, without what is not sorted
	}{
		{"elsewhere", machines(1, 1), []func(context.Context, At) error{at("m0", Lost(broken))}, "", "0@m0#1 0@m1#2", ""},
		{"the site goes on", machines(1, 1), []func(context.Context, At) error{at("m0", Lost(broken)), fine, fine}, "", "0@m0#1 0@m1#2 1@m1#1 2@m0#1", ""},
		{"the site is gone", machines(1, 1), []func(context.Context, At) error{at("m0", SiteLost(broken)), fine, fine}, "", "0@m0#1 0@m1#2 1@m1#1 2@m1#1", ""},
		{"the same site, as there is no other", machines(1), []func(context.Context, At) error{func(_ context.Context, at At) error {
			if at.Attempt < 3 {
				return Lost(broken)
			}
			return nil
		}}, "", "0@m0#1 0@m0#2 0@m0#3", ""},
		{"too often", machines(1, 1), []func(context.Context, At) error{always(Lost)}, "", "0@m0#1 0@m0#3 0@m1#2",
			"0: lost 3 times: m0: connection broken\nm1: connection broken\nm0: connection broken"},
		{"no site is left", machines(1, 1), []func(context.Context, At) error{always(SiteLost), fine}, "", "0@m0#1 0@m1#2 1@m1#1",
			"0: no site is left that may run it: m0: connection broken\nm1: connection broken"},
		{"no site is left for this one", machines(1, 1), []func(context.Context, At) error{always(SiteLost), fine}, "m0", "0@m0#1 1@m1#1",
			"0: no site is left that may run it: m0: connection broken"},
		{"a real error", machines(1, 1), []func(context.Context, At) error{at("m0", real), fine, fine}, "", "0@m0#1 1@m1#1", "unit: does not compile"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e executions
				var tasks []Task
				for i, result := range tt.tasks {
					tasks = append(tasks, e.task(t, fmt.Sprint(i), result))
				}
				if tt.on != "" {
					tasks[0].On = []string{tt.on}
				}
				err := Run(t.Context(), tt.sites, tasks)
				if got := fmt.Sprint(err); got != tt.want && !(err == nil && tt.want == "") {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				if strings.Contains(tt.want, "broken") && !errors.Is(err, broken) {
					t.Errorf("%v does not wrap its losses", err)
				}
				if e.String() != tt.began {
					t.Errorf("got  %s\nwant %s", &e, tt.began)
				}
			})
		})
	}
	if Lost(nil) != nil || SiteLost(nil) != nil {
		t.Error("no error was a loss")
	}
}

// TestSiteLostEndsOthers: what runs at a site that is gone is told so, and is lost
// too; but not what has ended all the same, or failed for a reason of its own.
func TestSiteLostEndsOthers(t *testing.T) {
	broken := errors.New("machine is gone")
	for _, tt := range []struct {
		name   string
		result func(ctx context.Context) error
		began  string
		want   string
	}{
		{"with the cause", func(ctx context.Context) error { return fmt.Errorf("unit: %w", context.Cause(ctx)) }, "0@m0#1 0@m1#2 1@m0#1 1@m1#2", ""},
		{"as cancelled", func(ctx context.Context) error { return fmt.Errorf("unit: %w", ctx.Err()) }, "0@m0#1 0@m1#2 1@m0#1 1@m1#2", ""},
		{"done", func(context.Context) error { return nil }, "0@m0#1 0@m1#2 1@m0#1", ""},
		{"failed", func(context.Context) error { return errors.New("does not compile") }, "0@m0#1 0@m1#2 1@m0#1", "does not compile"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e executions
				first := e.task(t, "0", func(_ context.Context, at At) error {
					if at.Site == "m0" {
						return SiteLost(broken)
					}
					return nil
				})
				second := e.task(t, "1", func(ctx context.Context, at At) error {
					if at.Site == "m0" {
						<-ctx.Done()
						if !errors.Is(context.Cause(ctx), broken) {
							t.Errorf("cause %v", context.Cause(ctx))
						}
						time.Sleep(10 * time.Second)
						return tt.result(ctx)
					}
					return nil
				})
				// At first both are at the site that is faster, and then at the other.
				for _, tk := range []*Task{&first, &second} {
					tk.CPUAt = map[string]time.Duration{"m0": time.Second, "m1": time.Hour}
				}
				err := Run(t.Context(), machines(2, 1), []Task{first, second})
				if got := fmt.Sprint(err); got != tt.want && !(err == nil && tt.want == "") {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				if e.String() != tt.began {
					t.Errorf("got  %s\nwant %s", &e, tt.began)
				}
			})
		})
	}
}

// TestAllLost: a run in which every execution is lost ends, with an error that says
// for how many tasks no site is left, and each loss once.
func TestAllLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		runs := map[string]int{}
		tasks := heavyTailed(1, 200)
		for i := range tasks {
			tasks[i].Run = func(ctx context.Context, at At) error {
				mu.Lock()
				runs[at.Site]++
				first := runs[at.Site] == 1
				mu.Unlock()
				if first {
					time.Sleep(time.Second)
					return SiteLost(fmt.Errorf("%s is gone", at.Site))
				}
				<-ctx.Done()
				return context.Cause(ctx)
			}
		}
		err := Run(t.Context(), machines(2, 4, 8, 64), tasks)
		if err == nil {
			t.Fatal("nothing ran, and no error")
		}
		var loss *LostError
		if !errors.As(err, &loss) || !loss.Site {
			t.Errorf("no loss in %v", err)
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != 4 || !strings.HasSuffix(lines[0], " and 399 more: no site is left that may run it: m0: m0 is gone") {
			t.Errorf("got %v", err)
		}
		for k := range 4 {
			if want := fmt.Sprintf("m%d: m%[1]d is gone", k); strings.Count(err.Error(), want) != 1 {
				t.Errorf("%q is not there once in %v", want, err)
			}
		}
	})
}

// TestLostCancel: when the context ends, what was lost is no error, and does not run
// again.
func TestLostCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the user pressed ctrl-C")
		ctx, cancel := context.WithCancelCause(t.Context())
		var e executions
		task := e.task(t, "0", func(ctx context.Context, _ At) error {
			cancel(cause)
			<-ctx.Done()
			return Lost(errors.New("the worker was told to stop"))
		})
		if err := Run(ctx, machines(1, 1), []Task{task}); err == nil || err.Error() != cause.Error() || e.String() != "0@m0#1" {
			t.Errorf("got %v after %s", err, &e)
		}
	})
}

// TestRunSitesRandom runs random tasks at several sites in goroutines, with losses.
func TestRunSitesRandom(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			p := newPlay(t, seed, rnd)
			var mu sync.Mutex
			used, here, done, running := map[string]int64{}, map[string]int{}, map[ID]int{}, map[ID]bool{}
			gone := map[string]bool{}
			for i := range p.tasks {
				tk := &p.tasks[i]
				d := time.Duration(1+rnd.IntN(1000)) * time.Millisecond
				lose, goes := rnd.IntN(5), rnd.IntN(60) == 0
				budget := map[string]int64{}
				for _, s := range p.sites {
					budget[s.Name] = s.Memory
				}
				tk.Run = func(ctx context.Context, at At) error {
					mu.Lock()
					if running[tk.ID] || done[tk.ID] > 0 || gone[at.Site] {
						t.Errorf("seed %d: %s runs anew: %v, %d, %v", seed, tk.ID, running[tk.ID], done[tk.ID], gone[at.Site])
					}
					m := p.memory(i) * int64(at.P)
					running[tk.ID], used[at.Site], here[at.Site] = true, used[at.Site]+m, here[at.Site]+1
					if used[at.Site] > budget[at.Site] && here[at.Site] > 1 {
						t.Errorf("seed %d: %d bytes at %s of %d", seed, used[at.Site], at.Site, budget[at.Site])
					}
					mu.Unlock()
					time.Sleep(d)
					mu.Lock()
					defer mu.Unlock()
					running[tk.ID], used[at.Site], here[at.Site] = false, used[at.Site]-m, here[at.Site]-1
					if lose == 0 && at.Attempt < MaxLosses {
						gone[at.Site] = gone[at.Site] || goes
						return lost(errors.New("lost"), goes)
					}
					done[tk.ID]++
					return nil
				}
			}
			err := Run(t.Context(), p.sites, p.tasks)
			if err != nil && (len(gone) == 0 || !strings.Contains(err.Error(), "no site is left")) {
				t.Errorf("seed %d: %v", seed, err)
			}
			for _, tk := range p.tasks {
				if err == nil && done[tk.ID] != 1 {
					t.Errorf("seed %d: %s has ended %d times", seed, tk.ID, done[tk.ID])
				}
			}
		})
	}
}

// TestQueueMemory: what a queue holds does not grow while tasks run, end and are lost.
func TestQueueMemory(t *testing.T) {
	tasks := heavyTailed(1, 500)
	q, err := NewQueue(machines(2, 4, 8, 64), tasks)
	if err != nil {
		t.Fatal(err)
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	var running []int
	events := 0
	for q.Waiting() > 0 || len(running) > 0 {
		if i, _, _, ok := q.Next(); ok {
			running = append(running, i)
			continue
		}
		i := running[0]
		running = running[1:]
		if events++; events%3 == 0 {
			q.Lost(i)
		} else {
			q.Ended(i, true)
		}
	}
	grown := heap() - before
	t.Logf("%d events, %d tasks: %d bytes more", events, len(tasks), grown)
	// Of each task that was lost, the sites where it was.
	if most := int64(len(tasks) * 16); grown > most {
		t.Errorf("%d bytes more after %d events, want at most %d", grown, events, most)
	}
	runtime.KeepAlive(q)
	runtime.KeepAlive(tasks)
}
