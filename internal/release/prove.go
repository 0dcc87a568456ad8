package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/startup"
	"github.com/mintmark/mintmark/internal/upx"
	"github.com/mintmark/mintmark/internal/workspace"
	"github.com/mintmark/mintmark/profiles"
)

// prove fills in the proofs of a file that was just packed. UPX's room has
// proven what can be without running it; here it is run.
func (m *Maker) prove(ctx context.Context, u *plan.Unit, pr *item, packed *upx.Result, linked string) error {
	proof := func(name fact.ProofName, result fact.Result, how, reason string) {
		pr.artifact.Proofs = append(pr.artifact.Proofs, fact.Proof{Name: name, Result: result, How: how, Reason: reason})
	}
	proof(fact.ProofTest, fact.Passed, "upx -t", "")
	if len(packed.NotRestored) == 0 {
		proof(fact.ProofUnpack, fact.Passed, "upx -d gives the linked file, bit for bit", "")
	} else {
		proof(fact.ProofUnpack, fact.Untested, "", "UPX does not restore "+strings.Join(packed.NotRestored, ", ")+"; the rest is as it was linked")
	}
	proof(fact.ProofRepack, fact.Passed, "packed twice, under two names", "")
	run, err := m.runPacked(ctx, u, pr.paths[0], linked)
	if err != nil {
		return fmt.Errorf("%s: running the packed file: %w", pr.name, err)
	}
	pr.artifact.Proofs = append(pr.artifact.Proofs, run.Smoke, run.Environment)
	return nil
}

// runPacked runs the packed file beside the linked one, each alone in an empty
// directory, with what the profile's bench declares.
func (m *Maker) runPacked(ctx context.Context, u *plan.Unit, packed, linked string) (*startup.Proofs, error) {
	if m.NotRun != "" {
		return startup.NotRun(m.NotRun), nil
	}
	cfg := startup.ProveConfig{Packed: packed, Plain: linked, Emulators: filepath.SplitList(m.Of.Env("PATH"))}
	declared := m.Of.Declared(u)
	if declared != nil {
		var c startup.Config
		if err := Workload(m.Of.Checkout, &c, *declared); err != nil {
			return nil, err
		}
		cfg.Workload = &c.Workload
		if c.Workload.Ready.Kind() == startup.OnTCP {
			m.port.Lock()
			defer m.port.Unlock()
		}
	}
	var err error
	if cfg.Work, err = os.MkdirTemp(m.Of.Workspace.Dir, "run-"); err != nil {
		return nil, workspace.Error(err)
	}
	defer files.RemoveTree(cfg.Work)
	cfg.Dir = filepath.Join(cfg.Work, "empty")
	if err := os.Mkdir(cfg.Dir, 0o755); err != nil {
		return nil, workspace.Error(err)
	}
	return startup.Prove(ctx, cfg)
}

// Why packed programs are not run.
const (
	StrangersProgram = "somebody else's program is not run" // whoever verifies has not said that he trusts it
	builtOnce        = "built once; only a release runs what it packed"
)

// Unproven are the proofs of packed files that failed, and those that were not
// made, one line each with the reason.
func Unproven(artifacts []checksums.Artifact) (failed, unchecked []string) {
	for _, a := range artifacts {
		for _, proof := range a.Proofs {
			line := fmt.Sprintf("%s %s: %s (%s): %s: %s", a.Profile, a.Platform, a.Name, a.Stage, proof.Name, proof.Reason)
			switch proof.Result {
			case fact.Failed:
				failed = append(failed, line)
			case fact.Untested:
				unchecked = append(unchecked, line)
			}
		}
	}
	return failed, unchecked
}

// Workload fills in what the profile says and opt does not. Its files are in the
// checkout, where the programs are started.
func Workload(checkout string, opt *startup.Config, b profiles.Bench) (err error) {
	w := &opt.Workload
	if w.Args == nil {
		w.Args = b.Args
	}
	if w.Env == nil {
		w.Env = b.Env
	}
	opt.Dir = checkout
	if w.Stdin == "" && b.Stdin != "" {
		w.Stdin = filepath.Join(checkout, filepath.FromSlash(b.Stdin))
	}
	if w.Ready == (startup.Ready{}) {
		if w.Ready, err = startup.ParseReady(b.Ready); err != nil {
			return err
		}
	}
	return nil
}
