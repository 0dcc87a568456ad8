package release

import (
	"reflect"
	"slices"
	"testing"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
)

// TestRebuilt: how often units were built, and in what, is counted and compared
// where they were. There is no release whose record says more.
func TestRebuilt(t *testing.T) {
	unitOf := func(in ...fact.Circumstances) *unit {
		u := &unit{Unit: &plan.Unit{}}
		for i, c := range in {
			u.builds[i] = []execute.Built{{In: c}}
		}
		return u
	}
	for _, tt := range []struct {
		name  string
		units []*unit
		want  checksums.Rebuild
	}{
		{"nothing was built", nil, checksums.Rebuild{}},
		{"once", []*unit{unitOf(fact.Circumstances{fact.Home: "/a"})}, checksums.Rebuild{Executions: 1}},
		{"twice", []*unit{unitOf(fact.Circumstances{fact.Home: "/a", fact.Kernel: "x"}, fact.Circumstances{fact.Home: "/b", fact.Kernel: "x"})},
			checksums.Rebuild{Executions: 2, Varied: []string{"HOME"}, Shared: []string{"kernel"}}},
		{"one of them once", []*unit{unitOf(fact.Circumstances{fact.Home: "/a"}, fact.Circumstances{fact.Home: "/b"}), unitOf(fact.Circumstances{fact.Home: "/a"})},
			checksums.Rebuild{Executions: 1}},
	} {
		p := &pipeline{session: &session{confined: new(confine.Log)}}
		for _, u := range tt.units {
			p.executed(u)
		}
		if got := p.rebuilt(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
		slices.Reverse(p.ran)
		if got := p.rebuilt(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s, in the other order: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
