package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/files"
)

// Repeat builds the plan until n independent builds agree or two differ, and
// publishes nothing: for builds that are only sometimes not reproducible. Every
// build but the first begins with empty caches in a fresh second place; the
// first may use what earlier releases left in its cache. The manifest of the
// result has the verdicts; Executions says how many builds there were. A
// difference comes as an error of exit code 3, as in [Release].
func Repeat(ctx context.Context, cfg Config, n int) (_ *Result, err error) {
	defer func() { err = explainFull(err) }()
	if n < 2 {
		return nil, usage("at least two builds are needed to compare", "-repeat=%d", n)
	}
	s, err := open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	s.builds = true
	if err := s.choose(); err != nil {
		return nil, err
	}
	a, err := s.audit(ctx, checksums.KindBuild)
	if err != nil {
		return nil, err
	}
	st, err := s.prepare(ctx, false)
	if err != nil {
		return nil, err
	}
	agreed := map[string]string{} // artifact → digest of all builds so far
	var res *Result
	for builtSoFar := 2; builtSoFar <= n; builtSoFar++ {
		s.phase(fmt.Sprintf("build %d of %d", builtSoFar, n))
		name := fmt.Sprintf("build-%d", builtSoFar)
		if err := s.prepareSecond(ctx, st, name); err != nil {
			return nil, err
		}
		stage, err := os.MkdirTemp(s.ws.dir, "products-")
		if err != nil {
			return nil, err
		}
		p := &pipeline{session: s, sites: st, stage: stage, upx: a.packer, costs: schedule.LoadCosts(filepath.Join(cfg.Cache, "costs.json"))}
		if p.books = s.keepBooks(s.openLedger(), st); p.books != nil {
			p.books.seeding = false // every build is a whole one
		}
		if err := p.run(ctx); err != nil {
			return nil, err
		}
		m, err := s.manifest(ctx, checksums.KindBuild, p)
		if err != nil {
			return nil, err
		}
		m.Rebuild.Executions = builtSoFar
		cpu, damage := p.cpu, p.damage()
		if res != nil {
			cpu, damage = cpu+res.CPU, append(res.Damage, damage...)
		}
		res = &Result{Manifest: m, Kept: p.different, Damage: damage, CPU: cpu}
		if err := errors.Join(p.differences(m), p.alarms()); err != nil {
			return res, err
		}
		for _, a := range m.Artifacts {
			key := fmt.Sprint(a.Profile, " ", a.Platform, " ", a.Stage, " ", a.Name)
			if old, ok := agreed[key]; ok && old != a.SHA256 {
				return res, &codeError{fmt.Errorf("not reproducible: %s: sha256 %s in earlier builds, %s in build %d", key, old, a.SHA256, builtSoFar), ExitNotReproducible,
					"two links in the same place differ: the linker, or something it reads, is not deterministic"}
			}
			agreed[key] = a.SHA256
		}
		if err := files.RemoveTree(filepath.Join(s.ws.dir, name)); err != nil {
			return nil, cacheError(err)
		}
		if err := files.RemoveTree(stage); err != nil {
			return nil, cacheError(err)
		}
	}
	return res, nil
}
