package schedule

import (
	"testing"
	"time"
)

func TestRemaining(t *testing.T) {
	const s = time.Second
	type state = map[string]Progress
	task := func(id string, cpu time.Duration, after ...string) Task {
		return Task{ID: ID{Unit: id}, CPU: cpu, After: named(after...)}
	}
	done := func(cpu time.Duration) Progress { return Progress{At: At{P: 1}, Done: true, CPU: cpu} }
	group := func(g string, ts ...Task) []Task {
		for i := range ts {
			ts[i].Group = g
		}
		return ts
	}
	eight := equal(8, 20, 1)
	for _, tt := range []struct {
		name  string
		cpus  int
		tasks []Task
		at    state
		want  time.Duration
		ok    bool
	}{
		{"nothing", 2, nil, nil, 0, true},
		{"nothing known", 2, equal(4, 0, 1), nil, 0, false},
		{"all is done", 2, equal(1, 0, 1), state{"0": done(s)}, 0, true},
		{"the sum over the processors", 2, eight, nil, 80 * s, true},
		{"the longest, eight at a time", 64, eight, nil, 11250 * time.Millisecond, true},
		{"one alone", 1, eight[:1], nil, 20 * s, true},
		{"half known: the others are like them", 1, []Task{task("a", 20*s), task("b", 0)}, nil, 40 * s, true},
		{"less than half known", 1, []Task{task("a", 20*s), task("b", 0), task("c", 0)}, nil, 0, false},
		{"running", 1, eight[:1], state{"0": {At: At{P: 1}, Ran: 15 * s}}, 5 * s, true},
		{"running with two actions: 15 s in all", 2, eight[:1], state{"0": {At: At{P: 2}, Ran: 10 * s}}, 5 * s, true},
		{"longer than expected", 1, eight[:1], state{"0": {At: At{P: 1}, Ran: 40 * s}}, 4 * s, true},
		{"three share two processors: 30 s each", 2, eight[:3], state{"0": {At: At{P: 1}}, "1": {At: At{P: 1}}, "2": {At: At{P: 1}}}, 30 * s, true},
		{"half of that is over", 2, eight[:3], state{"0": {At: At{P: 1}, Ran: 15 * s}, "1": {At: At{P: 1}, Ran: 15 * s}, "2": {At: At{P: 1}, Ran: 15 * s}}, 15 * s, true},
		{"one after the other", 4, []Task{task("b", 8*s, "a"), task("a", 20*s), task("c", 16*s, "b")}, state{"a": {At: At{P: 1}, Ran: 8 * s}},
			27 * s, true}, // 12 of a's; then 5 and 10, since each has all four processors
		{"what it waits for is done", 1, []Task{task("a", 20*s), task("b", 8*s, "a")}, state{"a": done(20 * s)}, 8 * s, true},
		{"a group is a chain", 2, group("x", equal(3, 8, 1)...), nil, 24 * s, true},
		{"what is done was half as long as expected", 1, eight[:3], state{"0": done(10 * s)}, 20 * s, true},
		{"nothing was expected of what is done", 1, equal(3, 0, 1), state{"0": done(7 * s)}, 14 * s, true},
		{"those that wait are of another kind", 1, []Task{task("a", 20*s), task("b", 20*s), task("a2", 2*s, "a"), task("b2", 2*s, "b")},
			state{"a": done(40 * s)}, 44 * s, true},
		{"and corrected by their own", 1, []Task{task("a", 20*s), task("b", 20*s), task("a2", 0, "a"), task("b2", 0, "b")},
			state{"a": done(20 * s), "a2": done(3 * s)}, 23 * s, true},
		{"a circle, which no queue would take", 1, []Task{task("a", 2*s, "b"), task("b", 2*s, "a")}, nil, 4 * s, true},
	} {
		at := map[ID]Progress{}
		for name, p := range tt.at {
			at[ID{Unit: name}] = p
		}
		got, ok := Remaining(oneSite(Budget{CPUs: tt.cpus}), tt.tasks, at)
		if d := got - tt.want; ok != tt.ok || d > time.Millisecond || d < -time.Millisecond {
			t.Errorf("%s: %v %v, want %v %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
	if got, ok := Remaining(oneSite(Budget{}), eight, nil); !ok || got <= 0 {
		t.Errorf("on this machine: %v %v", got, ok)
	}
}

// TestRemainingSites: over several sites, what has not started is spread over those
// that are left.
func TestRemainingSites(t *testing.T) {
	const s = time.Second
	id := func(unit, by string) ID { return ID{unit, by} }
	on := func(tasks []Task, names ...string) []Task {
		for i := range tasks {
			tasks[i].On = names
		}
		return tasks
	}
	eight := equal(8, 20, 1)
	fast := equal(4, 20, 1)
	for i := range fast {
		fast[i].CPU, fast[i].CPUAt = 0, map[string]time.Duration{"m0": 20 * s, "m1": 10 * s}
	}
	for _, tt := range []struct {
		name  string
		sites []Site
		tasks []Task
		at    map[ID]Progress
		want  time.Duration
		ok    bool
	}{
		{"two machines, half the time", machines(1, 1), eight, nil, 80 * s, true},
		{"by processors", machines(1, 3), eight, nil, 40 * s, true},
		{"only one may run them", machines(1, 1), on(equal(8, 20, 1), "m1"), nil, 160 * s, true},
		{"each half at a site of its own, whatever the other could do", machines(1, 31), halves(20, 20), nil, 40 * s, true},
		{"a half that runs takes its site", machines(1, 31), halves(20), map[ID]Progress{id("0", "a"): {At: At{Site: "m1", P: 31}}}, 20 * s, true},
		{"or has run", machines(1, 31), halves(20), map[ID]Progress{id("0", "a"): {At: At{Site: "m1", P: 31}, Done: true, CPU: 20 * s}}, 20 * s, true},
		{"what runs at a site that is gone begins anew", machines(1), eight[:1], map[ID]Progress{id("0", ""): {At: At{Site: "gone", P: 1}, Ran: 15 * s}}, 20 * s, true},
		{"one is twice as fast: 20 s and 30 s", machines(1, 1), fast, nil, 30 * s, true},
		{"and proves slower, as what is done there was", machines(1, 1), fast, map[ID]Progress{id("0", ""): {At: At{Site: "m1", P: 1}, Done: true, CPU: 20 * s}}, 40 * s, true},
		{"nothing known", machines(1, 1), equal(4, 0, 1), nil, 0, false},
		{"no site", nil, eight, nil, 0, false},
		{"all is done", nil, eight[:1], map[ID]Progress{id("0", ""): {Done: true}}, 0, true},
	} {
		got, ok := Remaining(tt.sites, tt.tasks, tt.at)
		if d := got - tt.want; ok != tt.ok || d > time.Millisecond || d < -time.Millisecond {
			t.Errorf("%s: %v %v, want %v %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}
