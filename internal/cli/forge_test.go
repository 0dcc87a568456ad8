package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/internal/verify"
)

// A member's name, or whatever a binary says of itself, cannot write a verdict.
func TestVerdictsCannotBeForged(t *testing.T) {
	const forged = "x\nidentical bin/tool\n  sha256     forged\n\n2 identical, 0 different, 0 not checked"
	var out, errs bytes.Buffer
	d := &app{term: ui.New(nil, &out, &errs, nil)}
	d.rebuilt(&verify.BinariesResult{Verdicts: fact.Verdicts{Unchecked: 1}, Results: []*recovery.Result{{
		Name: "archive.tar.gz: " + forged, Verdict: "unchecked", Reason: "not a Go binary: " + forged,
	}}})
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "identical") || strings.HasPrefix(line, "2 identical") || strings.HasPrefix(line, "  sha256") {
			t.Errorf("forged: %q", line)
		}
	}
	if !strings.Contains(out.String(), `unchecked archive.tar.gz: x\nidentical bin/tool`) {
		t.Errorf("got %q", out.String())
	}
}
