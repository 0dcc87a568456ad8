package release

import (
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/profiles"
)

// TestNamesOfSteps: what a release publishes beside its artifacts is known to
// everybody who reads one, and no artifact can take its name.
func TestNamesOfSteps(t *testing.T) {
	for _, name := range new(Config).outDir().About {
		if fact.KindOf(name) == fact.Unknown {
			t.Errorf("%s: package fact does not know what it is", name)
		}
		if profiles.CheckName(name) == nil {
			t.Errorf("%s: an artifact can be called so", name)
		}
	}
}
