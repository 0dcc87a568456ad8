package release

import (
	"reflect"
	"slices"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
)

// TestRebuilt: how often units were built, and in what, is counted and compared
// where they were. There is no release whose record says more.
func TestRebuilt(t *testing.T) {
	of := func(in ...fact.Circumstances) *UnitResult { return &UnitResult{circumstances: in} }
	for _, tt := range []struct {
		name string
		made []*UnitResult
		want checksums.Rebuild
	}{
		{"nothing was built", nil, checksums.Rebuild{}},
		{"once", []*UnitResult{of(fact.Circumstances{fact.Home: "/a"})}, checksums.Rebuild{Executions: 1}},
		{"twice", []*UnitResult{of(fact.Circumstances{fact.Home: "/a", fact.Kernel: "x"}, fact.Circumstances{fact.Home: "/b", fact.Kernel: "x"})},
			checksums.Rebuild{Executions: 2, Varied: []string{"HOME"}, Shared: []string{"kernel"}}},
		{"three times", []*UnitResult{of(fact.Circumstances{fact.Home: "/a"}, fact.Circumstances{fact.Home: "/b"}, fact.Circumstances{fact.Home: "/a"})},
			checksums.Rebuild{Executions: 3, Shared: []string{"HOME"}}},
		{"one of them once", []*UnitResult{of(fact.Circumstances{fact.Home: "/a"}, fact.Circumstances{fact.Home: "/b"}), of(fact.Circumstances{fact.Home: "/a"})},
			checksums.Rebuild{Executions: 1}},
	} {
		if got := Executions(tt.made, nil); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
		slices.Reverse(tt.made)
		if got := Executions(tt.made, nil); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s, in the other order: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
