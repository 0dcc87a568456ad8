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
