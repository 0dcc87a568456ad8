package release

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/startup"
)

// TestStrangersProgramIsNotRun: a verification that builds twice (-proven) packs
// what the publisher packed, and does not start it.
func TestStrangersProgramIsNotRun(t *testing.T) {
	dir := t.TempDir()
	program, ran := filepath.Join(dir, "program"), filepath.Join(dir, "ran")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n: >'"+ran+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(judge func(*checksums.Artifact)) *startup.Proofs {
		t.Helper()
		p := &pipeline{session: &session{Config: &Config{}, ws: &workspace{dir: dir}}, sites: &sites{second: &execute.Site{}}, judge: judge}
		proofs, err := p.runPacked(t.Context(), &unit{Unit: &plan.Unit{Platform: "linux/amd64"}}, program, program)
		if err != nil {
			t.Fatal(err)
		}
		return proofs
	}
	proofs := run(func(*checksums.Artifact) {})
	if _, err := os.Stat(ran); err == nil {
		t.Error("it was run")
	}
	for _, p := range []fact.Proof{proofs.Smoke, proofs.Environment} {
		if p.Result != fact.Untested || p.Reason != "somebody else's program is not run" {
			t.Errorf("%+v", p)
		}
	}
}
