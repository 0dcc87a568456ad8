package cli

import (
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
)

// TestOutcome: the line that ends a release counts what there was, and says no
// more than that.
func TestOutcome(t *testing.T) {
	identical, different, unchecked := fact.Identical, fact.Different, fact.Unchecked
	for _, tt := range []struct {
		executions int
		kind       checksums.Kind
		signed     bool
		published  []fact.Verdict
		stages     []fact.Verdict // of what is not published
		want       string
	}{
		{1, checksums.KindBuild, false, []fact.Verdict{unchecked, unchecked}, nil, "2 files built once, not checked; a build, not a release: not signed"},
		{2, checksums.KindRelease, true, []fact.Verdict{identical}, []fact.Verdict{identical}, "1 of 1 file built twice, identical, signed"},
		{2, checksums.KindRelease, true, []fact.Verdict{identical, identical}, []fact.Verdict{identical, identical}, "2 of 2 files built twice, identical, signed"},
		{2, checksums.KindRelease, false, []fact.Verdict{identical, identical}, nil, "2 of 2 files built twice, identical, NOT SIGNED"},
		{2, checksums.KindSnapshot, false, []fact.Verdict{identical}, nil, "1 of 1 file built twice, identical; a snapshot, not a release: not signed"},
		{2, checksums.KindRelease, true, []fact.Verdict{different, identical}, nil, "1 of 2 files built twice, identical, 1 DIFFERENT, signed"},
		{3, checksums.KindRelease, false, []fact.Verdict{identical, different, unchecked}, nil, "1 of 3 files built 3 times, identical, 1 DIFFERENT, 1 not checked, NOT SIGNED"},
		{2, checksums.KindRelease, false, []fact.Verdict{identical}, []fact.Verdict{unchecked}, "1 of 2 artifacts built twice, identical, 1 not checked, NOT SIGNED"},
		{2, checksums.KindRelease, false, nil, []fact.Verdict{different}, "0 of 1 artifact built twice, identical, 1 DIFFERENT, NOT SIGNED"},
	} {
		check := func(m *checksums.Manifest, signer fact.SignerID, want string) {
			t.Helper()
			if got := outcome(m, signer); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		m := &checksums.Manifest{Kind: tt.kind, Rebuild: checksums.Rebuild{Executions: tt.executions}}
		for _, v := range tt.published {
			m.Artifacts = append(m.Artifacts, checksums.Artifact{Verdict: v, Published: true})
		}
		for _, v := range tt.stages {
			m.Artifacts = append(m.Artifacts, checksums.Artifact{Verdict: v})
		}
		var signer fact.SignerID
		if tt.signed {
			signer = fact.SignerID{Kind: "key", Name: "x"}
		}
		check(m, signer, tt.want)
		if tt.executions < 2 {
			continue
		}
		// That all units were built on two machines is said here; all else has a line of its own.
		unit := checksums.UnitIndependence{Independence: fact.OneMachine}
		m.Rebuild.Independence = []checksums.UnitIndependence{unit}
		check(m, signer, tt.want)
		if line := machines(m); !strings.Contains(line, "on one machine") {
			t.Errorf("the line says %q", line)
		}
		unit.Independence = fact.TwoMachines
		m.Rebuild.Independence = []checksums.UnitIndependence{unit}
		said := fact.Times(tt.executions) + ", identical"
		check(m, signer, strings.Replace(tt.want, said, fact.Times(tt.executions)+" "+fact.TwoMachines.On(tt.executions)+", identical", 1))
		if line := machines(m); line != "" {
			t.Errorf("the line says %q", line)
		}
		m.Rebuild.Independence[0].Systems = []string{"linux/amd64", "windows/amd64"}
		if line := machines(m); !strings.Contains(line, "on different systems (linux/amd64, windows/amd64)") {
			t.Errorf("the line says %q", line)
		}
	}
}
