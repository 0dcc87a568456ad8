package schedule

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// meter watches what runs at the same time.
type meter struct {
	mu                sync.Mutex
	running, most     int
	memory, mostOfMem int64
	order             []string
	p                 map[string]int
}

func (m *meter) task(id string, cpu time.Duration, mem int64, err error) Task {
	return Task{ID: ID{Unit: id}, CPU: cpu, Memory: mem, Run: func(ctx context.Context, at At) error {
		m.mu.Lock()
		m.running++
		m.memory += mem * int64(at.P)
		m.most, m.mostOfMem = max(m.most, m.running), max(m.mostOfMem, m.memory)
		m.order = append(m.order, id)
		if m.p == nil {
			m.p = map[string]int{}
		}
		m.p[id] = at.P
		m.mu.Unlock()
		time.Sleep(max(cpu, time.Second)) // of the bubble's clock
		m.mu.Lock()
		defer m.mu.Unlock()
		m.running--
		m.memory -= mem * int64(at.P)
		return err
	}}
}

func TestScheduleBudget(t *testing.T) {
	const gb = 1 << 30
	for _, tt := range []struct {
		name   string
		budget Budget
		tasks  int
		mem    int64
		most   int
	}{
		{"processors", Budget{2, 100 * gb}, 40, gb, 2},
		{"one more than processors", Budget{4, 100 * gb}, 5, gb, 5},
		{"the last of many", Budget{4, 100 * gb}, 8, gb, 6},
		{"one processor", Budget{1, 100 * gb}, 5, gb, 1},
		{"memory", Budget{8, 3 * gb}, 20, gb, 3},
		{"hardly any memory", Budget{8, 1}, 5, gb, 1},
		{"no limit of memory", Budget{2, math.MaxInt64}, 9, gb, 2},
		{"unknown memory", Budget{8, 2 * DefaultMemory}, 9, 0, 2},
		{"one task", Budget{8, 100 * gb}, 1, gb, 1},
		{"no task", Budget{8, 100 * gb}, 0, gb, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var m meter
				var tasks []Task
				for i := range tt.tasks {
					tasks = append(tasks, m.task(fmt.Sprint(i), time.Duration(1+i%3)*time.Second, tt.mem, nil))
				}
				if err := Run(t.Context(), oneSite(tt.budget), tasks); err != nil {
					t.Fatal(err)
				}
				if len(m.order) != tt.tasks || m.most != tt.most {
					t.Errorf("%d of %d tasks ran, %d at the same time, want %d", len(m.order), tt.tasks, m.most, tt.most)
				}
				if m.mostOfMem > max(tt.budget.Memory, tt.mem) {
					t.Errorf("%d bytes at the same time, the budget is %d", m.mostOfMem, tt.budget.Memory)
				}
			})
		})
	}
}

func TestScheduleOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		var tasks []Task
		for _, s := range []int{3, 0, 9, 1, 0, 5} {
			tasks = append(tasks, m.task(fmt.Sprintf("%d/%d", s, len(tasks)), time.Duration(s)*time.Second, 1, nil))
		}
		if err := Run(t.Context(), oneSite(Budget{1, 100}), tasks); err != nil {
			t.Fatal(err)
		}
		if want := []string{"0/1", "0/4", "9/2", "5/5", "3/0", "1/3"}; !slices.Equal(m.order, want) {
			t.Errorf("order %q, want %q: unknown ones first, then the longest", m.order, want)
		}
	})
}

// A task that needs more than there is runs alone; smaller ones do not wait for it.
func TestScheduleBigTaskAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		var alone bool
		big := Task{ID: ID{Unit: "big"}, CPU: 50 * time.Second, Memory: 1000, Run: func(ctx context.Context, at At) error {
			m.mu.Lock()
			alone = m.running == 0
			m.running++
			m.mu.Unlock()
			time.Sleep(time.Second)
			m.mu.Lock()
			defer m.mu.Unlock()
			alone = alone && m.running == 1
			m.running--
			return nil
		}}
		tasks := []Task{m.task("long", 100*time.Second, 10, nil), big, m.task("a", 2*time.Second, 10, nil), m.task("b", time.Second, 10, nil)}
		if err := Run(t.Context(), oneSite(Budget{4, 100}), tasks); err != nil {
			t.Fatal(err)
		}
		if !alone {
			t.Error("the big task had company")
		}
		if m.most != 3 {
			t.Errorf("%d small tasks at the same time, want 3", m.most)
		}
	})
}

func TestScheduleErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		one, two := errors.New("b: one"), errors.New("a: two")
		tasks := []Task{
			m.task("fails", 10*time.Second, 1, one),
			m.task("runs on", 20*time.Second, 1, nil),
			m.task("fails later", 30*time.Second, 1, two),
			m.task("never 1", 5*time.Second, 1, nil),
			m.task("never 2", 4*time.Second, 1, errors.New("never")),
		}
		err := Run(t.Context(), oneSite(Budget{3, 100}), tasks)
		if !errors.Is(err, one) || !errors.Is(err, two) || err.Error() != "a: two\nb: one" {
			t.Errorf("got %v", err)
		}
		if len(m.order) != 3 || slices.Contains(m.order, "never 1") || m.running != 0 {
			t.Errorf("ran %q, %d still running", m.order, m.running)
		}
	})
}

func TestScheduleCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the user pressed ctrl-C")
		real := errors.New("a real error")
		ctx, cancel := context.WithCancelCause(t.Context())
		running, started := 0, 0
		var mu sync.Mutex
		run := func(err error) func(context.Context, At) error {
			return func(ctx context.Context, at At) error {
				mu.Lock()
				running++
				started++
				mu.Unlock()
				<-ctx.Done()
				time.Sleep(time.Second) // cleaning up
				mu.Lock()
				defer mu.Unlock()
				running--
				if err == nil {
					return fmt.Errorf("unit: %w", context.Cause(ctx))
				}
				return err
			}
		}
		tasks := []Task{{Run: run(nil)}, {Run: run(real)}, {Run: run(nil)}}
		time.AfterFunc(5*time.Second, func() { cancel(cause) })
		err := Run(ctx, oneSite(Budget{2, math.MaxInt64}), tasks)
		if !errors.Is(err, cause) || !errors.Is(err, real) || strings.Contains(err.Error(), "unit") {
			t.Errorf("got %v", err)
		}
		if running != 0 || started != 2 {
			t.Errorf("%d started, %d still running", started, running)
		}
		// Nothing starts when ctx has ended before.
		if err := Run(ctx, oneSite(Budget{2, 1}), tasks); !errors.Is(err, cause) || started != 2 {
			t.Errorf("got %v", err)
		}
	})
}

func TestScheduleDefaults(t *testing.T) {
	before := runtime.NumGoroutine()
	n := 0
	if err := Run(t.Context(), oneSite(Budget{}), []Task{{Run: func(context.Context, At) error { n++; return nil }}}); err != nil || n != 1 {
		t.Errorf("ran %d times, %v", n, err)
	}
	if machineMemory() <= 0 {
		t.Errorf("memory: %d", machineMemory())
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 200 {
			t.Fatal("a goroutine is left")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestScheduleAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		ended := map[ID]bool{}
		task := func(id string, cpu int, after ...string) Task {
			tk := m.task(id, time.Duration(cpu)*time.Second, 1, nil)
			run := tk.Run
			tk.After = named(after...)
			tk.Run = func(ctx context.Context, at At) error {
				m.mu.Lock()
				for _, id := range tk.After {
					if !ended[id] {
						t.Errorf("%s runs before %s has ended", tk.ID, id)
					}
				}
				m.mu.Unlock()
				err := run(ctx, at)
				m.mu.Lock()
				defer m.mu.Unlock()
				ended[tk.ID] = true
				return err
			}
			return tk
		}
		tasks := []Task{task("d", 9, "b", "c", "b"), task("b", 2, "a"), task("c", 5, "a"), task("a", 1), task("e", 12)}
		if err := Run(t.Context(), oneSite(Budget{1, 100}), tasks); err != nil {
			t.Fatal(err)
		}
		// With what waits for them, a is 15 seconds long, c 14, e 12 and b 11.
		if want := []string{"a", "c", "e", "b", "d"}; !slices.Equal(m.order, want) {
			t.Errorf("order %q, want %q", m.order, want)
		}
	})
}

func TestScheduleAfterFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		fails := errors.New("fails")
		after := func(tk Task, ids ...string) Task { tk.After = named(ids...); return tk }
		tasks := []Task{
			m.task("a", time.Second, 1, fails),
			after(m.task("b", time.Second, 1, nil), "a"),
			after(m.task("c", time.Second, 1, nil), "b"),
			m.task("long", 5*time.Second, 1, nil),
			after(m.task("d", time.Second, 1, nil), "long"),
		}
		err := Run(t.Context(), oneSite(Budget{2, 100}), tasks)
		if !errors.Is(err, fails) || err.Error() != "fails" {
			t.Errorf("got %v", err)
		}
		slices.Sort(m.order)
		if !slices.Equal(m.order, []string{"a", "long"}) || m.running != 0 {
			t.Errorf("ran %q, %d still running", m.order, m.running)
		}
	})
}

// What cannot be scheduled is refused before anything runs.
func TestScheduleRefuses(t *testing.T) {
	for _, tt := range []struct {
		tasks []Task
		want  string
	}{
		{[]Task{{ID: ID{Unit: "a"}}, {ID: ID{Unit: "b"}, After: named("a", "c")}}, `task "b" waits for "c", which is not among the tasks`},
		{[]Task{{ID: ID{Unit: "a"}, After: named("a")}}, `tasks wait for each other: "a" before "a"`},
		{[]Task{{ID: ID{Unit: "x"}}, {ID: ID{Unit: "a"}, After: named("c", "x")}, {ID: ID{Unit: "b"}, After: named("a")}, {ID: ID{Unit: "c"}, After: named("b")}}, `tasks wait for each other: "a" before "b" before "c" before "a"`},
		{[]Task{{ID: ID{Unit: "a"}}, {ID: ID{Unit: "a"}}, {ID: ID{Unit: "b"}, After: named("a")}}, `task "b" waits for "a", which is the name of 2 tasks`},
		{[]Task{{ID: ID{Unit: "a"}, Apart: named("a", "b")}}, "task \"a\" is to run apart from itself\ntask \"a\" is to run apart from \"b\", which is not among the tasks"},
		{[]Task{{ID: ID{Unit: "a"}, On: []string{"", "m1"}}, {ID: ID{Unit: "b"}, On: []string{"m2"}}}, "task \"a\" is for site \"m1\", which is not among the sites\ntask \"b\" is for site \"m2\", which is not among the sites"},
	} {
		for i := range tt.tasks {
			tt.tasks[i].Run = func(context.Context, At) error { t.Error("a task ran"); return nil }
		}
		if err := Run(t.Context(), oneSite(Budget{4, 100}), tt.tasks); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// Sites that nothing can be scheduled on are refused.
func TestSitesRefused(t *testing.T) {
	for _, tt := range []struct {
		sites []Site
		want  string
	}{
		{nil, "there is no site to run tasks on"},
		{[]Site{{Name: "m0"}, {Name: "m1", Budget: Budget{Memory: 5}}, {}}, "the processors of site m0 are not known\nthe processors of site m1 are not known"},
		{[]Site{{}, {Name: "m0", Budget: Budget{CPUs: 1}}, {Name: "m0", Budget: Budget{CPUs: 1}}, {}}, "m0 is there twice among the sites\nthis machine is there twice among the sites"},
	} {
		if err := Run(t.Context(), tt.sites, equal(1, 1, 1)); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// TestExpected: what is not known of a task at a site follows from what is known.
func TestExpected(t *testing.T) {
	const s = time.Second
	type at = map[string]time.Duration
	m := machines(1, 1, 1)
	for _, tt := range []struct {
		name  string
		sites []Site
		tasks []Task
		want  [][]float64
	}{
		{"on this machine", oneSite(Budget{CPUs: 1}), []Task{{CPU: 3 * s}, {}, {CPUAt: at{"": 2 * s}}}, [][]float64{{3}, {0}, {2}}},
		{"only here, but runs elsewhere", m[:2], []Task{{CPU: 3 * s}}, [][]float64{{3, 3}}},
		{"a site is half as fast", m[:2], []Task{{CPUAt: at{"m0": 3 * s, "m1": 6 * s}}, {CPUAt: at{"m0": 5 * s}}, {CPUAt: at{"m1": 5 * s}}, {}},
			[][]float64{{3, 6}, {5, 10}, {2.5, 5}, {0, 0}}},
		{"over another site", m, []Task{{CPUAt: at{"m0": 3 * s, "m1": 6 * s}}, {CPUAt: at{"m1": 2 * s, "m2": 6 * s}}, {CPUAt: at{"m0": 1 * s}}},
			[][]float64{{3, 6, 18}, {1, 2, 6}, {1, 2, 6}}},
		{"nothing known of a site: the mean", m, []Task{{CPUAt: at{"m0": 4 * s, "m1": 9 * s}}}, [][]float64{{4, 9, 6}}},
		{"a site that is not there", m[:1], []Task{{CPUAt: at{"gone": 4 * s}}}, [][]float64{{0}}},
	} {
		got := expected(tt.sites, tt.tasks)
		for i := range tt.want {
			for k, want := range tt.want[i] {
				if d := got[i][k] - want; d > .01*want || d < -.01*want {
					t.Errorf("%s: task %d at site %d: %.3f, want %.3f", tt.name, i, k, got[i][k], want)
				}
			}
		}
	}
}

// TestScheduleRandom runs what TestQueueRandom decides, in goroutines.
func TestScheduleRandom(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			b, tasks := randomTasks(rnd)
			var mu sync.Mutex
			runs, used, running := map[ID]int{}, int64(0), 0
			for i := range tasks {
				mem, after := tasks[i].Memory, tasks[i].After
				if mem == 0 {
					mem = DefaultMemory
				}
				d := time.Duration(1+rnd.IntN(1000)) * time.Millisecond
				tasks[i].Run = func(ctx context.Context, at At) error {
					mu.Lock()
					used, running = used+mem*int64(at.P), running+1
					if used > b.Memory && running > 1 {
						t.Errorf("seed %d: %d bytes in %d tasks, the budget is %d", seed, used, running, b.Memory)
					}
					for _, id := range after {
						if runs[id] != 1 {
							t.Errorf("seed %d: %s runs before %s has ended", seed, tasks[i].ID, id)
						}
					}
					mu.Unlock()
					time.Sleep(d)
					mu.Lock()
					defer mu.Unlock()
					used, running = used-mem*int64(at.P), running-1
					runs[tasks[i].ID]++
					return nil
				}
			}
			if err := Run(t.Context(), oneSite(b), tasks); err != nil {
				t.Fatal(err)
			}
			for _, tk := range tasks {
				if runs[tk.ID] != 1 {
					t.Errorf("seed %d: %s ran %d times", seed, tk.ID, runs[tk.ID])
				}
			}
		})
	}
}
