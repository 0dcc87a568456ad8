package release

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
)

// copySource computes the module's hash, and makes the first private copy; if
// the source is known from earlier runs, only when somebody needs it.
func (s *session) copySource(ctx context.Context) error {
	s.loader = &plan.Loader{
		Goroot: s.goroot, Place: s.place, Settings: s.settings, Kind: s.source.Kind,
		Known: s.known, Source: s.source.Identity(),
	}
	if s.Module != "" {
		s.checkout, s.loader.Dir = s.moduleDir, s.moduleDir
		s.origin = s.fromZip()
		return nil
	}
	if err := s.repo.Hash(ctx); err != nil {
		return err
	}
	top := filepath.Join(s.ws.dir, "first", "src")
	s.checkout = filepath.Join(top, filepath.FromSlash(s.source.Dir))
	s.loader.Dir = s.checkout
	var once sync.Once
	var err error
	s.loader.Ready = func(context.Context) error {
		once.Do(func() {
			s.phase("private checkout of " + s.source.Commit[:12])
			_, err = s.repo.Checkout(ctx, top, s.Snapshot)
			s.origin = fact.Circumstances{fact.GitClone: top}
		})
		return err
	}
	if !s.Snapshot {
		return nil
	}
	// What is built is not the commit.
	s.loader.Source = ""
	if err := s.loader.Ready(ctx); err != nil {
		return err
	}
	if err := s.repo.HashSnapshot(s.checkout); err != nil {
		return fmt.Errorf("hashing the snapshot: %w", err)
	}
	return nil
}

// fromZip is the origin of a copy of the module proxy's zip.
func (s *session) fromZip() fact.Circumstances {
	return fact.Circumstances{fact.ModuleZip: s.source.Sum}
}

// makePlan expands the plan; with deps everything it needs is fetched as well,
// and the first private copy is there.
func (s *session) makePlan(ctx context.Context, deps bool) error {
	if deps {
		s.phase("fetching modules")
	}
	planner := func() *plan.Planner {
		return &plan.Planner{
			File: s.file, Selected: s.selected, Source: s.source, Version: s.version,
			Go: s.tc.Version, Snapshot: s.Snapshot, Loader: s.loader, Deps: deps, Typed: s.Types, Tree: s.tree(),
		}
	}
	s.planner = planner()
	plan, err := s.planner.Plan(ctx)
	if err != nil && s.mendIndex(ctx) {
		s.planner = planner()
		plan, err = s.planner.Plan(ctx)
	}
	if err != nil {
		return err
	}
	s.plan = plan
	if err := s.refuseUnpackable(); err != nil {
		return err
	}
	if s.planID, err = plan.ID(); err != nil || !deps || s.loader.Ready == nil {
		return err
	}
	return s.loader.Ready(ctx)
}
