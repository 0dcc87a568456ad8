package release

import (
	"context"
	"slices"
	"time"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/lint"
	"github.com/mintmark/mintmark/internal/output"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
	"github.com/mintmark/mintmark/profiles"
)

// PlanResult is the result of [Plan].
type PlanResult struct {
	Plan      *plan.Plan
	JSON      []byte // canonical; its SHA-256 is ID
	ID        string
	Toolchain fact.Toolchain
	Dirty     []string // what keeps the tree from being released
	fetch.Taken
	// Explained are the resolved values of every unit with where they come from, when asked for.
	Explained map[string][]profiles.Value
}

// Plan resolves everything and builds nothing. A dirty tree is no error: the
// plan is that of the commit.
func Plan(ctx context.Context, cfg run.Config, explain bool) (_ *PlanResult, err error) {
	defer func() { err = run.ExplainFull(err) }()
	s, err := fetch.Open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	c, err := s.Fetch(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.Expand(ctx, fetch.PlanWith{})
	if err != nil {
		return nil, err
	}
	data, err := p.Plan.Encode()
	if err != nil {
		return nil, err
	}
	res := &PlanResult{Plan: p.Plan, JSON: data, ID: p.PlanID, Toolchain: p.GoToolchain.Toolchain, Dirty: s.Source.Dirty, Taken: p.Taken()}
	if explain {
		res.Explained = map[string][]profiles.Value{}
		for _, sel := range s.Selected {
			for _, pl := range sel.Platforms {
				res.Explained[sel.Profile.Name+" "+pl.String()] = sel.Profile.Explain(pl)
			}
		}
	}
	return res, nil
}

// Result is the result of [Release] and [Build].
type Result struct {
	Manifest *checksums.Manifest
	Out      string        // the output directory; "" when nothing was published
	Signed   fact.SignerID // zero when unsigned
	Kept     []string      // directories with both files of every difference
	Damage   []string      // what was damaged in mintmark's own caches, and how it was mended; sorted
	CPU      time.Duration // of all go commands
	// Times are what each build of each unit took, if asked for, and Before those of the
	// earlier release that was named, of the version Since; none if it has none.
	Times, Before []report.BuildTime
	Since         string
}

// Build builds every unit once and checks nothing: every verdict is unchecked.
func Build(ctx context.Context, cfg run.Config) (*Result, error) {
	return produce(ctx, cfg, checksums.KindBuild, built())
}

// Release builds every unit twice, compares, and publishes what is identical.
// When something differs the Result comes with an error of exit code 3, and
// nothing is published.
func Release(ctx context.Context, cfg run.Config) (*Result, error) {
	return produce(ctx, cfg, cfg.ReleaseKind(), built())
}

// origin is where the outcomes come from that a release is made of.
type origin struct {
	builds  func(*plan.Plan) []*plan.Unit // what is built on this machine; nil: all
	prepare func(ctx context.Context, l *lint.Linted, kind checksums.Kind) (*Prepared, error)
	doing   string // what is said while they come
}

// built is the origin of outcomes of builds that this program does.
func built() origin {
	return origin{doing: "building", prepare: func(ctx context.Context, l *lint.Linted, kind checksums.Kind) (*Prepared, error) {
		return Prepare(ctx, l.Planned, Places{Second: kind != checksums.KindBuild, KeepLinks: true, On: l.On})
	}}
}

func produce(ctx context.Context, cfg run.Config, kind checksums.Kind, from origin) (_ *Result, err error) {
	defer func() { err = run.ExplainFull(err) }()
	s, err := fetch.Open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var out *destination
	what := lint.For{Kind: kind, Builds: from.builds, Elsewhere: len(cfg.On) > 0 && !slices.Contains(cfg.On, Here)}
	if lint.Refusals(ctx, s, what) == nil { // else lint says so, and nothing of this is needed
		if out, err = openDestination(ctx, s, kind); err != nil {
			return nil, err
		}
		defer out.Close()
	}
	what.Opened = out != nil
	l, err := lint.All(ctx, s, what)
	if err != nil {
		return nil, err
	}
	if err := out.staging.Claim(l.Published.Files()...); err != nil {
		return nil, err
	}
	if err := fetchBases(ctx, l.Planned, l.Published.Images); err != nil {
		return nil, err
	}
	twice := kind != checksums.KindBuild
	p, err := from.prepare(ctx, l, kind)
	if err != nil {
		return nil, err
	}
	m := &Maker{Prepared: p, Stage: out.staging.Dir, UPX: l.Packer, Sizes: twice && !cfg.NoReport, Bills: twice && len(s.File.BillFormats()) > 0}
	if twice {
		if m.Ledger, err = p.OpenLedgers(ctx, out.signer); err != nil {
			return nil, err
		}
	} else {
		m.NotRun = builtOnce
	}
	s.Phase(from.doing)
	f, err := m.Finish(ctx, nil)
	if err != nil {
		return nil, l.Explain(err)
	}
	d, err := f.describe(ctx, kind)
	if err != nil {
		return nil, err
	}
	if err := d.once(ctx, l.Published, out.staging.Dir); err != nil {
		return nil, err
	}
	over, err := budgets(ctx, l.Planned, f.Made)
	if err != nil {
		return nil, err
	}
	l.WarnStamped(d.manifest.Source.Stamp)
	res := &Result{Manifest: d.manifest, Kept: f.kept(), Damage: f.damage(), CPU: f.CPU, Times: f.buildTimes()}
	if old := out.shown.Previous; old != nil {
		res.Before, res.Since = old.BuildTime, old.Version
	}
	if err := d.gate(over); err != nil {
		return res, err
	}
	if err := d.images(ctx, l.Published.Images, out.staging.Dir); err != nil {
		return res, err
	}
	if m.Sizes {
		if out.shown.Changes, err = changes(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := (&publication{d, out.staging, out.signer, out.shown, m.Sizes, l.Published.Channels}).publish(ctx); err != nil {
		return nil, err
	}
	if out.staging.Leftover != nil {
		s.Warn("the previous release was replaced but not removed: %v", out.staging.Leftover)
	}
	tidyLedgers(ctx, s.Run)
	res.Out = cfg.Out
	if out.signer != nil {
		res.Signed = out.signer.ID()
	}
	return res, nil
}

// destination is what a release is published with, and where: all that can be refused
// of it before anything is built.
type destination struct {
	signer  checksums.Signer // nil: unsigned
	shown   Shown
	staging *output.Staging
	lock    *filelock.Lock
}

func openDestination(ctx context.Context, s *fetch.Subject, kind checksums.Kind) (*destination, error) {
	o := &destination{}
	var err error
	if kind == checksums.KindRelease {
		if o.signer, err = s.Signer(ctx); err != nil {
			return nil, err
		}
	}
	if o.shown, err = ReadReportInputs(s.Config, s.File.Project); err != nil {
		return nil, err
	}
	if o.lock, err = workspace.LockOutput(s.Cache, s.Out); err != nil {
		return nil, err
	}
	if o.staging, err = (output.Dir{Path: s.Out}).Open(ctx); err != nil {
		o.lock.Release()
		return nil, err
	}
	return o, nil
}

// Close removes what was not published.
func (o *destination) Close() {
	o.staging.Close()
	o.lock.Release()
}
