package builds

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
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
	return Task{ID: id, CPU: cpu, Memory: mem, Run: func(ctx context.Context, p int) error {
		m.mu.Lock()
		m.running++
		m.memory += mem * int64(p)
		m.most, m.mostOfMem = max(m.most, m.running), max(m.mostOfMem, m.memory)
		m.order = append(m.order, id)
		if m.p == nil {
			m.p = map[string]int{}
		}
		m.p[id] = p
		m.mu.Unlock()
		time.Sleep(max(cpu, time.Second)) // of the bubble's clock
		m.mu.Lock()
		defer m.mu.Unlock()
		m.running--
		m.memory -= mem * int64(p)
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
		{"processors", Budget{4, 100 * gb}, 40, gb, 4},
		{"one processor", Budget{1, 100 * gb}, 5, gb, 1},
		{"memory", Budget{8, 3 * gb}, 20, gb, 3},
		{"hardly any memory", Budget{8, 1}, 5, gb, 1},
		{"no limit of memory", Budget{3, math.MaxInt64}, 9, gb, 3},
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
				if err := Schedule(t.Context(), tt.budget, tasks); err != nil {
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
		if err := Schedule(t.Context(), Budget{1, 100}, tasks); err != nil {
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
		big := Task{ID: "big", CPU: 50 * time.Second, Memory: 1000, Run: func(ctx context.Context, p int) error {
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
		if err := Schedule(t.Context(), Budget{4, 100}, tasks); err != nil {
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

func TestScheduleActions(t *testing.T) {
	for _, tt := range []struct {
		cpus, tasks int
		mem, budget int64
		sum         int // of the actions of all tasks if they start at once, at most
		first       int // actions of the first
	}{
		{2, 1, 1, 100, 2, 2},
		{2, 2, 1, 100, 4, 2},
		{2, 6, 1, 100, 12, 1},
		{16, 1, 1, 100, 16, 16},
		{16, 12, 1, 1000, 36, 3}, // not 12 × 16
		{16, 15, 1, 1000, 45, 3},
		{16, 12, 10, 130, 13, 2}, // memory permits one each and one more
		{8, 1, 100, 50, 1, 1},    // not even one
	} {
		synctest.Test(t, func(t *testing.T) {
			var m meter
			var tasks []Task
			for i := range tt.tasks {
				tasks = append(tasks, m.task(fmt.Sprint(i), 5*time.Second, tt.mem, nil))
			}
			if err := Schedule(t.Context(), Budget{tt.cpus, tt.budget}, tasks); err != nil {
				t.Fatal(err)
			}
			sum := 0
			for _, p := range m.p {
				if p < 1 || p > tt.cpus {
					t.Errorf("%+v: %d actions", tt, p)
				}
				sum += p
			}
			if sum > tt.sum || m.p["0"] != tt.first {
				t.Errorf("%+v: actions %v", tt, m.p)
			}
		})
	}
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
		err := Schedule(t.Context(), Budget{3, 100}, tasks)
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
		run := func(err error) func(context.Context, int) error {
			return func(ctx context.Context, p int) error {
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
		err := Schedule(ctx, Budget{2, math.MaxInt64}, tasks)
		if !errors.Is(err, cause) || !errors.Is(err, real) || strings.Contains(err.Error(), "unit") {
			t.Errorf("got %v", err)
		}
		if running != 0 || started != 2 {
			t.Errorf("%d started, %d still running", started, running)
		}
		// Nothing starts when ctx has ended before.
		if err := Schedule(ctx, Budget{2, 1}, tasks); !errors.Is(err, cause) || started != 2 {
			t.Errorf("got %v", err)
		}
	})
}

func TestScheduleDefaults(t *testing.T) {
	before := runtime.NumGoroutine()
	n := 0
	if err := Schedule(t.Context(), Budget{}, []Task{{Run: func(context.Context, int) error { n++; return nil }}}); err != nil || n != 1 {
		t.Errorf("ran %d times, %v", n, err)
	}
	if MachineMemory() <= 0 {
		t.Errorf("memory: %d", MachineMemory())
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 200 {
			t.Fatal("a goroutine is left")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestCosts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "costs.json")
	c := LoadCosts(path)
	if got := c.Get("x"); got != (Cost{}) {
		t.Errorf("unknown: %v", got)
	}
	c.Set("x", Cost{CPU: 5 * time.Second, MaxRSS: 800})
	c.Set("x", Cost{CPU: 1 * time.Second, MaxRSS: 0})
	if got := c.Get("x"); got != (Cost{CPU: time.Second, MaxRSS: 700}) {
		t.Errorf("memory went down at once, or never: %v", got)
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	if got := LoadCosts(path).Get("x"); got != c.Get("x") {
		t.Errorf("read back %v", got)
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".costs-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if err := LoadCosts(filepath.Join(t.TempDir(), "missing", "costs.json")).Save(); err == nil {
		t.Error("saved into a directory that is not there")
	}
}

func TestCostsDamaged(t *testing.T) {
	dir := t.TempDir()
	for i, data := range []string{"", "{", "null", "[]", `"x"`, `{"x":{"cpu":"y"}}`, `{"x":{"cpu":5,"max_rss":7},"y":`, "\x00\xff", `{"x":{"cpu":-5,"max_rss":7}}`, `{"x":{"cpu":5,"max_rss":-7}}`,
		`{"x":{"cpu":5},"y":"` + strings.Repeat("y", maxCostsFile) + `"}`} {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		c := LoadCosts(path)
		if got := c.Get("x"); got != (Cost{}) {
			t.Errorf("%.40q: %v", data, got)
		}
		c.Set("z", Cost{CPU: 1})
		if err := c.Save(); err != nil {
			t.Errorf("%.40q: %v", data, err)
		}
		if got := LoadCosts(path).Get("z"); got.CPU != 1 {
			t.Errorf("%.40q: not repaired", data)
		}
	}
	// A directory in its place, and many entries.
	if c := LoadCosts(dir); c.Get("x") != (Cost{}) || c.Save() == nil {
		t.Error("a directory served as the file")
	}
	c := LoadCosts(filepath.Join(dir, "many"))
	for i := range maxCosts + 5 {
		c.Set(fmt.Sprint(i), Cost{CPU: 1})
	}
	if len(c.m) > maxCosts {
		t.Errorf("%d entries", len(c.m))
	}
}
