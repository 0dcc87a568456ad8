package lint

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/output"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/upx"
)

// Checked is the result of [Check]: nothing wrong was found.
type Checked struct {
	Plan   *plan.Plan
	PlanID string
	Dirty  []string
	Signed string      // what a release would be signed with; "" for none
	Typed  *plan.Typed // nil when types were not asked for
	// Modules are what was found of them; nil when that was not asked for. NotChecked
	// says what of it could not be, and why.
	Modules    *plan.Dependencies
	NotChecked []string
	// Publish are the targets that the profile file has for mintmark publish.
	Publish []string
	fetch.Taken
	// Warnings are what does not stop a release, but has no effect in it, or
	// will make other builds of the commit differ.
	Warnings []string
}

// Check finds what keeps a release, or with Snapshot a snapshot, from being made,
// before anything is built: all that can be known without compiling.
func Check(ctx context.Context, cfg run.Config) (_ *Checked, err error) {
	defer func() { err = run.ExplainFull(err) }()
	s, err := fetch.Open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	l, err := All(ctx, s, For{Kind: cfg.ReleaseKind()})
	if err != nil {
		return nil, err
	}
	var targets []string
	for _, p := range s.File.Publish {
		targets = append(targets, p.Text)
	}
	return &Checked{
		Publish: targets, Plan: l.Plan, PlanID: l.PlanID, Dirty: s.Source.Dirty, Signed: l.signed, Typed: l.typed, Modules: l.modules, NotChecked: l.unlooked, Taken: l.Taken(),
		Warnings: append(s.Cautions.List(), l.cautions.List()...),
	}, nil
}

// Linted is a plan of which nothing is wrong that can be known before anything is
// compiled, and what was found on the way.
type Linted struct {
	*fetch.Planned
	unseen   []source.Unseen // what git ignores and builds read
	cautions fetch.Cautions
	Packer   *upx.Tool   // nil when no unit is packed
	signed   string      // what a release would be signed with; "" for none
	typed    *plan.Typed // nil when types were not asked for
	modules  *plan.Dependencies
	unlooked []string // what of the modules and of images was not checked, and why
	// Published is what a release publishes, by name.
	Published *Published
}

// For says what is to be made, and how much of it on this machine.
type For struct {
	Kind   checksums.Kind // of the manifest
	Opened bool           // the output directory was looked at, or there is none
	// Builds are the units of the plan that are built here; nil: all.
	Builds func(*plan.Plan) []*plan.Unit
	// Elsewhere says that other machines build, and this one does not.
	Elsewhere bool
	// Part says that this is a part of a release: another machine packs and signs.
	Part bool
}

// All finds all that is wrong, or silently has no effect, before anything is
// compiled: in the tree, in the profile file, in the plan and all it needs, which
// is fetched, and on this machine. It is the one list of checks: [Check] does
// nothing else, and what builds goes on when it found nothing. So either says it in
// the same words. All errors are reported, and whatever else is found is a caution.
func All(ctx context.Context, s *fetch.Subject, what For) (*Linted, error) {
	errs := []error{Refusals(ctx, s, what)}
	if !what.Opened {
		errs = append(errs, output.Dir{Path: s.Out}.Look(ctx))
	}
	c, err := s.Fetch(ctx)
	if err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	l := &Linted{cautions: fetch.Cautions{Run: s.Run}}
	var planErr error
	l.Planned, planErr = c.Expand(ctx, fetch.PlanWith{Deps: true})
	if l.unseen, err = s.FindUnseen(ctx); err != nil {
		return nil, errors.Join(append(errs, planErr, err)...)
	}
	errs = append(errs, l.Explain(planErr))
	if planErr == nil {
		errs = append(errs, l.checkPlan(ctx, what), l.published(ctx, what.Kind))
	}
	if what.Kind == checksums.KindRelease {
		errs = append(errs, l.checkKeys(ctx, what.Part))
	}
	errs = append(errs, l.caution(ctx, planErr == nil))
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return l, nil
}

// checkPlan finds what keeps a plan from being built here.
func (l *Linted) checkPlan(ctx context.Context, what For) error {
	var err error
	if !what.Part {
		l.Packer, err = l.FindUPX(ctx, l.cautions.Add)
	}
	builds := l.Plan.Units
	if what.Builds != nil {
		builds = what.Builds(l.Plan)
	}
	syntax := l.Planner.Syntax(ctx)
	errs := []error{err}
	if !what.Elsewhere {
		errs = append(errs, l.missingTools(ctx, builds))
	}
	errs = append(errs, syntax)
	if l.Types && syntax == nil { // else there is nothing that has types
		l.Phase("checking types")
		l.typed, err = l.Planner.Types(ctx)
		errs = append(errs, l.Explain(err))
	}
	return errors.Join(errs...)
}

// checkKeys looks for private keys in the commit, and notes the one that signs. A part
// need not know that one.
func (l *Linted) checkKeys(ctx context.Context, part bool) error {
	ref, err := l.KeyRef()
	if err != nil && !part {
		return nil // it was refused
	}
	keys, err := l.committedKeys(ctx, ref)
	for _, w := range keys.warnings() {
		l.cautions.Add("%s", w)
	}
	l.signed = ref.String()
	return errors.Join(err, keys.refuse())
}

// Refusals are what the tree, its tags and the profile file alone keep from
// being released.
func Refusals(ctx context.Context, s *fetch.Subject, what For) error {
	errs := []error{RefuseDirty(s)}
	if what.Kind == checksums.KindRelease {
		errs = append(errs, refuseUntagged(ctx, s))
		if !what.Part {
			errs = append(errs, s.CheckKey(ctx))
		}
		if what.Builds == nil { // else others build as well
			errs = append(errs, refuseOneMachine(s))
		}
	}
	return errors.Join(errs...)
}

// refuseOneMachine refuses a release that has to be built on two machines and has not
// got them. Whether the two that it has are two is known in the end.
func refuseOneMachine(s *fetch.Subject) error {
	if !s.File.Requires(fact.RequireMachines) || !s.OneMachine() {
		return nil
	}
	return s.File.Problem(s.File.Pos("require"), fmt.Sprintf("require: %s, and there is one machine to build on", fact.RequireMachines), fact.RequireMachines.Hint())
}

// caution warns of what does not stop a build. Some of it is known only of a plan.
func (l *Linted) caution(ctx context.Context, planned bool) error {
	l.sayUnseen()
	for _, p := range l.Planner.Remarks() {
		l.cautions.Say(p.Error(), p.Format())
	}
	warnings, err := l.pitfalls(ctx)
	if err != nil {
		return err
	}
	if planned {
		stale, err := l.stalePGO(ctx)
		if err != nil {
			return err
		}
		warnings = slices.Concat(warnings, stale, l.unusedPGO(), l.pointers(), l.versionWarnings())
	}
	if planned && l.Modules {
		warnings = append(warnings, l.dependencies(ctx)...)
	}
	warnings = slices.Concat(warnings, l.dropped(), l.newerToolchain(ctx))
	for _, w := range warnings {
		l.cautions.Add("%s", w)
	}
	return nil
}

// missingTools refuses units whose compilers beside the toolchain are not on this machine,
// which builds them.
func (l *Linted) missingTools(ctx context.Context, units []*plan.Unit) error {
	var errs []error
	said := map[string]bool{}
	for _, u := range units {
		missing, err := l.Planner.MissingTools(ctx, u)
		if err != nil {
			return fmt.Errorf("%s: %w", u.ID(), err)
		}
		for _, m := range missing {
			what := m.Library + " " + m.Variable + " " + m.Command
			if said[what] {
				continue // of all its platforms
			}
			said[what] = true
			errs = append(errs, fault.Errorf(m.Tip(), "%s: %s", u.ID(), m))
		}
	}
	return errors.Join(errs...)
}
