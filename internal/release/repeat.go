package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/tool"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/lint"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

// Repeat builds the plan until n independent builds agree or two differ, and
// publishes nothing: for builds that are only sometimes not reproducible. Every
// build but the first begins with empty caches in a fresh second place; the
// first may use what earlier releases left in its cache. The manifest of the
// result has the verdicts; Executions says how many builds there were. A
// difference comes as an error of exit code 3, as in [Release].
func Repeat(ctx context.Context, cfg run.Config, n int) (_ *Result, err error) {
	defer func() { err = run.ExplainFull(err) }()
	if n < 2 {
		return nil, fault.Usagef("at least two builds are needed to compare", "-repeat=%d", n)
	}
	s, err := fetch.Open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	l, err := lint.All(ctx, s, lint.For{Kind: checksums.KindBuild, Opened: true})
	if err != nil {
		return nil, err
	}
	first, err := FirstPlace(ctx, l.Planned)
	if err != nil {
		return nil, err
	}
	nfpm, err := packager(ctx, l.Planned)
	if err != nil {
		return nil, err
	}
	type artifact struct {
		profile, platform string
		stage             fact.Stage
		name              string
	}
	agreed := map[artifact]string{} // digest of all builds so far
	res := &Result{}
	for built := 2; built <= n; built++ {
		s.Phase(fmt.Sprintf("build %d of %d", built, n))
		if err := repeat(ctx, l, first, nfpm, built, res); err != nil {
			return res, err
		}
		for _, x := range res.Manifest.Artifacts {
			key := artifact{x.Profile, x.Platform, x.Stage, x.Name}
			if old, ok := agreed[key]; ok && old != x.SHA256 {
				return res, fault.NotReproduciblef("two links in the same place differ: the linker, or something it reads, is not deterministic", "not reproducible: %s: sha256 %s in earlier builds, %s in build %d", artifactLine(x), old, x.SHA256, built)
			}
			agreed[key] = x.SHA256
		}
	}
	return res, nil
}

// repeat builds in the first place and in a fresh second one, which is gone
// afterwards, and adds what came of it to res.
func repeat(ctx context.Context, l *lint.Linted, first *execute.Local, nfpm *tool.Program, n int, res *Result) error {
	name := fmt.Sprintf("build-%d", n)
	second, err := secondPlace(ctx, l.Planned, name)
	if err != nil {
		return err
	}
	p := &Prepared{Of: l.Planned, Executors: []ReadyExecutor{{first, l.Checkout}, {second, second.Dir}}, Sites: thisMachine(l.Run), Nfpm: nfpm}
	stage, err := os.MkdirTemp(l.Workspace.Dir, "products-")
	if err != nil {
		return err
	}
	m := &Maker{Prepared: p, Stage: stage, UPX: l.Packer, Ledger: p.useLedger(openLedger(l.Copied))}
	if m.Ledger != nil {
		m.Ledger.seeding = false // every build is a whole one
	}
	f, err := m.Finish(ctx, nil)
	if err != nil {
		return err
	}
	d, err := f.describe(ctx, checksums.KindBuild)
	if err != nil {
		return err
	}
	d.manifest.Rebuild.Executions = n
	res.Manifest, res.Kept, res.CPU = d.manifest, f.kept(), res.CPU+f.CPU
	res.Damage = append(res.Damage, f.damage()...)
	if err := errors.Join(d.differences(), f.Ledger.Alarms(l.Plan.Units)); err != nil {
		return err
	}
	for _, dir := range []string{filepath.Join(l.Workspace.Dir, name), stage} {
		if err := files.RemoveTree(dir); err != nil {
			return workspace.Error(err)
		}
	}
	return nil
}
