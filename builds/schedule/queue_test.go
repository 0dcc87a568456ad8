package schedule

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// named are tasks' IDs; nobody else builds the same.
func named(names ...string) (ids []ID) {
	for _, n := range names {
		ids = append(ids, ID{Unit: n})
	}
	return ids
}

// oneSite is this machine.
func oneSite(b Budget) []Site { return []Site{{Budget: b}} }

// equal is n tasks of so many CPU seconds.
func equal(n, cpu int, memory int64) []Task {
	var tasks []Task
	for i := range n {
		tasks = append(tasks, Task{ID: ID{Unit: fmt.Sprint(i)}, CPU: time.Duration(cpu) * time.Second, Memory: memory})
	}
	return tasks
}

// starts takes all that may start now.
func starts(q *Queue) (out []string) {
	for {
		i, _, p, ok := q.Next()
		if !ok {
			return out
		}
		out = append(out, fmt.Sprintf("%d:%d", i, p))
	}
}

// TestQueue plays whole schedules: what starts, as task:width, and then after
// each end.
func TestQueue(t *testing.T) {
	const second = time.Second
	chain := func(tasks []Task, pairs ...int) []Task {
		for i := 0; i < len(pairs); i += 2 {
			tk := &tasks[pairs[i]]
			tk.After = append(tk.After, tasks[pairs[i+1]].ID)
		}
		return tasks
	}
	costs := func(cpu ...int) []Task {
		tasks := equal(len(cpu), 0, 1)
		for i, c := range cpu {
			tasks[i].CPU = time.Duration(c) * second
		}
		return tasks
	}
	group := func(tasks []Task, groups string) []Task {
		for i := range tasks {
			if g := groups[i : i+1]; g != "-" {
				tasks[i].Group = g
			}
		}
		return tasks
	}
	for _, tt := range []struct {
		name   string
		budget Budget
		tasks  []Task
		ends   []int    // tasks, in the order of their end
		want   []string // what starts at first and after each end
	}{
		{"64 processors, 8 units: all at once, deep", Budget{64, 1000}, equal(8, 20, 1), nil,
			[]string{"0:8 1:8 2:8 3:8 4:8 5:8 6:8 7:8"}},
		{"the same before anything is known", Budget{64, 1000}, equal(8, 0, 1), nil,
			[]string{"0:8 1:8 2:8 3:8 4:8 5:8 6:8 7:8"}},
		{"2 processors, 7 units: two at a time, and the last alone and wider", Budget{2, 1000}, equal(7, 20, 1), []int{0, 1, 2, 3, 4, 5, 6},
			[]string{"0:1 1:1", "2:1", "3:1", "4:1", "5:1", "6:2", "", ""}},
		{"2 processors, 8 units: the last two end together", Budget{2, 1000}, equal(8, 20, 1), []int{0, 1, 2, 3, 4, 5, 6, 7},
			[]string{"0:1 1:1", "2:1", "3:1", "4:1", "5:1", "6:1", "7:1", "", ""}},
		{"the longer of the last two is wider", Budget{2, 1000}, costs(20, 10), nil, []string{"0:2 1:1"}},
		{"one processor", Budget{1, 1000}, equal(3, 20, 1), []int{0, 1, 2}, []string{"0:1", "1:1", "2:1", ""}},
		{"one unit", Budget{16, 1000}, equal(1, 20, 1), nil, []string{"0:16"}},
		{"no more actions than processors for next to nothing", Budget{64, 1000}, equal(3, 20, 1), nil, []string{"0:22 1:21 2:21"}},
		{"more actions than processors when it helps", Budget{16, 1000}, equal(3, 20, 1), nil, []string{"0:6 1:6 2:6"}},
		{"one unit, memory for five actions", Budget{16, 59}, equal(1, 20, 10), nil, []string{"0:5"}},
		{"wide before deep when memory is short", Budget{16, 130}, equal(12, 20, 10), nil,
			[]string{"0:2 1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1 10:1 11:1"}},
		{"memory for three at a time", Budget{8, 35}, equal(5, 20, 10), []int{0, 1, 2},
			[]string{"0:1 1:1 2:1", "3:1", "4:1", ""}},
		{"a few more than processors share them", Budget{4, 1000}, equal(5, 20, 1), nil, []string{"0:1 1:1 2:1 3:1 4:1"}},
		{"twice as many take turns", Budget{4, 1000}, equal(8, 20, 1), []int{0, 1}, []string{"0:1 1:1 2:1 3:1", "4:1", "5:1 6:1 7:1"}},
		{"longest first", Budget{1, 1000}, costs(3, 9, 1, 5), []int{1, 3, 0, 2}, []string{"1:1", "3:1", "0:1", "2:1", ""}},
		{"unknown ones first", Budget{1, 1000}, costs(3, 0, 9, 0), []int{1, 3, 2, 0}, []string{"1:1", "3:1", "2:1", "0:1", ""}},
		{"what others wait for first", Budget{1, 1000}, chain(costs(3, 9, 7), 2, 0), []int{0, 1, 2}, []string{"0:1", "1:1", "2:1", ""}},
		{"an unknown one behind it counts", Budget{1, 1000}, chain(costs(3, 9, 0), 2, 0), []int{0, 2, 1}, []string{"0:1", "2:1", "1:1", ""}},
		{"a chain is wide, as nothing else can run", Budget{8, 1000}, chain(costs(10, 10), 1, 0), []int{0}, []string{"0:8", "1:8"}},
		{"second builds fill up the first ones", Budget{2, 1000}, chain(costs(20, 20, 20, 1, 1, 1), 3, 0, 4, 1, 5, 2), []int{1, 0, 2},
			[]string{"0:1 1:1", "2:2", "3:1", "4:1"}},
		{"groups one after the other", Budget{4, 1000}, group(equal(5, 20, 1), "xxx-y"), []int{0, 1}, []string{"0:1 3:1 4:1", "1:4", "2:4"}},
		{"too large: alone, and the others do not wait for it", Budget{4, 100}, []Task{
			{ID: ID{Unit: "large"}, CPU: 5 * second, Memory: 500}, {ID: ID{Unit: "a"}, CPU: 9 * second, Memory: 40}, {ID: ID{Unit: "b"}, CPU: second, Memory: 40}, {ID: ID{Unit: "c"}, CPU: second, Memory: 40},
		}, []int{1, 2, 3, 0}, []string{"1:1 2:1", "3:1", "", "0:1", ""}},
		{"too large, but first in line", Budget{4, 100}, []Task{{ID: ID{Unit: "large"}, CPU: 5 * second, Memory: 500}, {ID: ID{Unit: "a"}, CPU: second, Memory: 1}}, []int{0}, []string{"0:1", "1:4"}},
		{"more memory than there can be", Budget{4, math.MaxInt64}, equal(3, 20, math.MaxInt64), []int{0}, []string{"0:1 1:1", "2:1"}},
		{"nothing", Budget{4, 100}, nil, nil, []string{""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q, err := NewQueue(oneSite(tt.budget), tt.tasks)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{strings.Join(starts(q), " ")}
			for _, i := range tt.ends {
				q.Ended(i, true)
				got = append(got, strings.Join(starts(q), " "))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// A task that ends twice, or has not begun, changes nothing; after a failure
// nothing starts.
func TestQueueEnded(t *testing.T) {
	q, err := NewQueue(oneSite(Budget{1, 10}), equal(4, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	q.Ended(2, true)
	if got := starts(q); !slices.Equal(got, []string{"0:1"}) {
		t.Errorf("got %v", got)
	}
	q.Ended(0, true)
	q.Ended(0, true)
	if got := starts(q); !slices.Equal(got, []string{"1:1"}) || q.Waiting() != 2 {
		t.Errorf("got %v", got)
	}
	q.Ended(1, false)
	if got := starts(q); got != nil || q.Waiting() != 2 {
		t.Errorf("after a failure: %v", got)
	}
}

// randomTasks makes up a budget and tasks that can be run.
func randomTasks(rnd *rand.Rand) (Budget, []Task) {
	b := Budget{CPUs: 1 + rnd.IntN(20), Memory: 1 + rnd.Int64N(3000)}
	if rnd.IntN(4) == 0 {
		b.Memory = 3 * DefaultMemory
	}
	n := rnd.IntN(40)
	order := rnd.Perm(n) // tasks wait only for those before them in it
	tasks := make([]Task, n)
	for k, i := range order {
		tk := &tasks[i]
		tk.ID = ID{Unit: fmt.Sprint(i)}
		if rnd.IntN(5) > 0 {
			tk.CPU = time.Duration(rnd.ExpFloat64() * float64(10*time.Second))
			tk.Memory = rnd.Int64N(1 + rnd.Int64N(1000))
		}
		if rnd.IntN(3) == 0 {
			tk.Group = fmt.Sprint("group ", rnd.IntN(1+n/3))
		}
		for range rnd.IntN(3) {
			if k > 0 && rnd.IntN(2) == 0 {
				tk.After = append(tk.After, ID{Unit: fmt.Sprint(order[rnd.IntN(k)])})
			}
		}
	}
	return b, tasks
}

// TestQueueRandom holds what a queue promises against random tasks that end in
// random order.
func TestQueueRandom(t *testing.T) {
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		b, tasks := randomTasks(rnd)
		q, err := NewQueue(oneSite(b), tasks)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		again, _ := NewQueue(oneSite(b), tasks)
		var running []int
		width := map[int]int{}
		ended := map[ID]bool{}
		memory := func(i int) int64 {
			if tasks[i].Memory == 0 {
				return DefaultMemory
			}
			return tasks[i].Memory
		}
		used, actions := int64(0), 0
		for len(ended) < len(tasks) {
			for {
				i, _, p, ok := q.Next()
				if i2, _, p2, ok2 := again.Next(); i != i2 || p != p2 || ok != ok2 {
					t.Fatalf("seed %d: the same calls, other answers", seed)
				}
				if !ok {
					break
				}
				if _, twice := width[i]; twice {
					t.Fatalf("seed %d: %d starts twice", seed, i)
				}
				if p < 1 || p > b.CPUs {
					t.Fatalf("seed %d: %d actions on %d processors", seed, p, b.CPUs)
				}
				for _, id := range tasks[i].After {
					if !ended[id] {
						t.Fatalf("seed %d: %d starts before %s", seed, i, id)
					}
				}
				for _, r := range running {
					if tasks[i].Group != "" && tasks[i].Group == tasks[r].Group {
						t.Fatalf("seed %d: %d and %d are of one group", seed, i, r)
					}
				}
				running, width[i] = append(running, i), p
				used, actions = used+int64(p)*memory(i), actions+p
				if used > b.Memory && (len(running) > 1 || p > 1) {
					t.Fatalf("seed %d: %d bytes in %d tasks, the budget is %d", seed, used, len(running), b.Memory)
				}
				if actions > 2*b.CPUs || len(running) > b.CPUs+crowd(b.CPUs) {
					t.Fatalf("seed %d: %d tasks with %d actions on %d processors", seed, len(running), actions, b.CPUs)
				}
			}
			if len(running) == 0 {
				t.Fatalf("seed %d: nothing runs and %d tasks are left", seed, q.Waiting())
			}
			for i, tk := range tasks {
				if _, begun := width[i]; begun || len(running) >= b.CPUs || used+memory(i) > b.Memory {
					continue
				}
				blocked := slices.ContainsFunc(tk.After, func(id ID) bool { return !ended[id] }) ||
					slices.ContainsFunc(running, func(r int) bool { return tk.Group != "" && tk.Group == tasks[r].Group })
				if !blocked {
					t.Fatalf("seed %d: %d fits beside %v on %d processors, and does not start", seed, i, running, b.CPUs)
				}
			}
			k := rnd.IntN(len(running))
			i := running[k]
			running = slices.Delete(running, k, k+1)
			used, actions = used-int64(width[i])*memory(i), actions-width[i]
			ended[tasks[i].ID] = true
			q.Ended(i, true)
			again.Ended(i, true)
		}
		if i, _, _, ok := q.Next(); ok || q.Waiting() != 0 {
			t.Fatalf("seed %d: %d starts after the end", seed, i)
		}
	}
}

// A queue decides in no time, whatever a user says of the processors.
func BenchmarkQueue(b *testing.B) {
	for _, cpus := range []int{2, 64, 1 << 20} {
		b.Run(fmt.Sprint(cpus), func(b *testing.B) {
			tasks := equal(1000, 0, 1)
			for i := range tasks {
				tasks[i].CPU = time.Duration(1+i*7%100) * time.Second
			}
			for b.Loop() {
				q, _ := NewQueue(oneSite(Budget{cpus, math.MaxInt64}), tasks)
				var running []int
				for q.Waiting() > 0 {
					i, _, _, ok := q.Next()
					if ok {
						running = append(running, i)
						continue
					}
					q.Ended(running[0], true)
					running = running[1:]
				}
			}
		})
	}
}
