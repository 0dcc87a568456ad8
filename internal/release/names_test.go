package release

import (
	"slices"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/output"
	"github.com/mintmark/mintmark/profiles"
)

// TestNamesOfSteps: what a release publishes beside its artifacts is known to
// everybody who reads one, no artifact can take its name, and what is known is published.
func TestNamesOfSteps(t *testing.T) {
	var names []string
	for _, s := range steps(fact.DefaultList(), nil, nil) {
		names = append(names, s.names...)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == output.BuildFile }) // is no release
	slices.Sort(names)
	if known := fact.AboutFiles(); !slices.Equal(names, known) {
		t.Errorf("the steps make\n%q, and package fact knows\n%q", names, known)
	}
	for _, name := range names {
		if profiles.CheckName(name) == nil {
			t.Errorf("%s: an artifact can be called so", name)
		}
	}
}
