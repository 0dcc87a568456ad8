package confine

import (
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

func TestLog(t *testing.T) {
	held, open := fact.Hold{Held: true}, func(why string) fact.Hold { return fact.Hold{Reason: why} }
	both := func(writes, network fact.Hold) fact.Confinement {
		return fact.Confinement{Writes: writes, Network: network}
	}
	for _, tt := range []struct {
		states []fact.Confinement
		want   string
	}{
		{nil, "not confined: nothing was run"},
		{[]fact.Confinement{{}}, "not confined: "}, // the zero value claims nothing
		{[]fact.Confinement{both(held, held), both(held, held)}, "confined: writes only below its own place, no network"},
		{[]fact.Confinement{both(held, held), both(held, open("b")), both(held, open("a"))}, "not confined: network: a; b (writes only below its own place)"},
		{[]fact.Confinement{both(open("a"), held), both(held, held)}, "not confined: writes: a (no network)"},
		{[]fact.Confinement{both(open("a"), open("a")), both(open("a"), open("a"))}, "not confined: a"},
		{[]fact.Confinement{both(open("a"), held), both(held, open("b"))}, "not confined: writes: a; network: b"},
	} {
		whole := &Log{}
		one, two := whole.Part(), whole.Part()
		for i, s := range tt.states {
			[]*Log{one, two}[i%2].Add(s)
		}
		if got := whole.State().String(); got != tt.want || one.Runs()+two.Runs() != len(tt.states) || whole.Runs() != len(tt.states) {
			t.Errorf("%+v: %q, want %q", tt.states, got, tt.want)
		}
	}
	var none *Log
	none.Add(fact.Confinement{Writes: held, Network: held})
	if none.State().Held() || none.Runs() != 0 {
		t.Error("a log that is nil says that something was confined")
	}
}
