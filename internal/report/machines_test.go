package report

import (
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
)

// TestMachines: the sentence counts the units of which it is true, and names systems
// where they differed.
func TestMachines(t *testing.T) {
	two, one, unproven := fact.TwoMachines, fact.OneMachine, fact.Unproven
	both := []string{"linux/amd64", "windows/amd64"}
	for _, tt := range []struct {
		executions int
		list       []checksums.UnitIndependence
		want       string
		all        bool
	}{
		{2, nil, "", false},
		{2, []checksums.UnitIndependence{{Independence: one}}, "each unit was built in two places on one machine", false},
		{3, []checksums.UnitIndependence{{Independence: one}}, "each unit was built in 3 places on one machine", false},
		{2, []checksums.UnitIndependence{{Independence: two}, {Independence: two}}, "each unit was built on two machines", true},
		{3, []checksums.UnitIndependence{{Independence: two}}, "each unit was built on at least two machines", true},
		{2, []checksums.UnitIndependence{{Independence: two, Systems: both}}, "each unit was built on two machines, on different systems (linux/amd64, windows/amd64)", true},
		{2, []checksums.UnitIndependence{{Independence: two, Systems: both}, {Independence: one}, {Independence: two}},
			"2 of 3 units built on two machines, 1 in two places on one machine; 1 on different systems (linux/amd64, windows/amd64)", false},
		{2, []checksums.UnitIndependence{{Independence: one}, {Independence: unproven}},
			"1 of 2 units built in two places on one machine, 1 in places that are not proven to be apart", false},
	} {
		if got := Machines(tt.executions, tt.list); got != tt.want || OnTwoMachines(tt.list) != tt.all {
			t.Errorf("%d, %+v:\n got %q, %t\nwant %q, %t", tt.executions, tt.list, got, OnTwoMachines(tt.list), tt.want, tt.all)
		}
		m := &checksums.Manifest{Rebuild: checksums.Rebuild{Executions: tt.executions, Independence: tt.list}}
		mixed := len(tt.list) > 1 && (tt.list[0].Independence != tt.list[1].Independence || len(tt.list[0].Systems) > 0)
		if parts := independence(m); (len(parts) == 1) != mixed || mixed && len(parts[0].Tables[0].Rows) != len(tt.list) {
			t.Errorf("%+v: %+v", tt.list, parts)
		}
	}
}

// TestFileMachines: the line of one file says on how many machines its own unit was built.
func TestFileMachines(t *testing.T) {
	a := checksums.Artifact{Name: "f", Profile: "release", Platform: "linux/amd64", Published: true, Verdict: fact.Identical}
	v := &checksums.Verification{File: "f", Manifest: &checksums.Manifest{Rebuild: checksums.Rebuild{Executions: 2}, Artifacts: []checksums.Artifact{a}}}
	for _, tt := range []struct {
		list []checksums.UnitIndependence
		want string
	}{
		{nil, "built twice, identical by its publisher's word"},
		{[]checksums.UnitIndependence{{Profile: "release", Platform: "linux/386", Independence: fact.OneMachine}, {Profile: "release", Platform: "linux/amd64", Independence: fact.TwoMachines, Systems: []string{"linux/amd64", "windows/amd64"}}},
			"built twice on two machines (linux/amd64, windows/amd64), identical by its publisher's word"},
	} {
		v.Independence = tt.list
		if got, ok := Built(v); got != tt.want || !ok {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
