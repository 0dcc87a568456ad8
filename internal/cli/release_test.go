package cli

import (
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
)

// TestVerdicts: the line that ends a release counts what there was.
func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		executions int
		verdicts   []fact.Verdict
		want       string
	}{
		{1, []fact.Verdict{fact.Unchecked, fact.Unchecked}, "2 artifacts built once: 2 not checked"},
		{2, []fact.Verdict{fact.Identical}, "1 artifact: 1 identical in two builds"},
		{2, []fact.Verdict{fact.Different}, "1 artifact: 0 identical in two builds, 1 DIFFERENT"},
		{3, []fact.Verdict{fact.Identical, fact.Different, fact.Unchecked}, "3 artifacts: 1 identical in 3 builds, 1 DIFFERENT, 1 not checked"},
	} {
		m := &checksums.Manifest{Rebuild: checksums.Rebuild{Executions: tt.executions}}
		for _, v := range tt.verdicts {
			m.Artifacts = append(m.Artifacts, checksums.Artifact{Verdict: v})
		}
		if got := verdicts(m); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
