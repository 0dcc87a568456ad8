package release

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

// TestStrangersProgramIsNotRun: a verification that builds twice (-proven) packs
// what the publisher packed, and does not start it.
func TestStrangersProgramIsNotRun(t *testing.T) {
	dir := t.TempDir()
	program, ran := filepath.Join(dir, "program"), filepath.Join(dir, "ran")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n: >'"+ran+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	m := &Maker{Prepared: &Prepared{Of: &fetch.Planned{Copied: &fetch.Copied{Subject: &fetch.Subject{Run: &run.Run{Config: &run.Config{}, Workspace: &workspace.Workspace{Dir: dir}}}}}}, NotRun: StrangersProgram}
	proofs, err := m.runPacked(t.Context(), &plan.Unit{Platform: "linux/amd64"}, program, program)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("it was run")
	}
	for _, p := range []fact.Proof{proofs.Smoke, proofs.Environment} {
		if p.Result != fact.Untested || p.Reason != "somebody else's program is not run" {
			t.Errorf("%+v", p)
		}
	}
}
