package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/output"
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
	// Explained are the resolved values of every unit with where they come from, when asked for.
	Explained map[string][]profiles.Value
}

// Plan resolves everything and builds nothing. A dirty tree is no error: the
// plan is that of the commit.
func Plan(ctx context.Context, cfg Config, explain bool) (_ *PlanResult, err error) {
	defer func() { err = ExplainFull(err) }()
	s, err := Open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	c, err := s.Fetch(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.Expand(ctx, PlanWith{})
	if err != nil {
		return nil, err
	}
	data, err := p.Plan.Encode()
	if err != nil {
		return nil, err
	}
	res := &PlanResult{Plan: p.Plan, JSON: data, ID: p.PlanID, Toolchain: p.GoToolchain.Toolchain, Dirty: s.Source.Dirty}
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

// Checked is the result of [Check]: nothing wrong was found.
type Checked struct {
	Plan   *plan.Plan
	PlanID string
	Dirty  []string
	Signed string      // what a release would be signed with; "" for none
	Typed  *plan.Typed // nil when types were not asked for
	// Warnings are what does not stop a release, but has no effect in it, or
	// will make other builds of the commit differ.
	Warnings []string
}

// Check finds what keeps a release, or with Snapshot a snapshot, from being made,
// before anything is built: all that can be known without compiling.
func Check(ctx context.Context, cfg Config) (_ *Checked, err error) {
	defer func() { err = ExplainFull(err) }()
	s, err := Open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	a, err := s.audit(ctx, cfg.kind(), false)
	if err != nil {
		return nil, err
	}
	return &Checked{
		Plan: a.Plan, PlanID: a.PlanID, Dirty: s.Source.Dirty, Signed: a.signed, Typed: a.typed,
		Warnings: append(s.Cautions.list, a.cautions.list...),
	}, nil
}

// kind is what a release of the configuration calls itself.
func (c *Config) kind() checksums.Kind {
	if c.Snapshot {
		return checksums.KindSnapshot
	}
	return checksums.KindRelease
}

// Result is the result of [Release] and [Build].
type Result struct {
	Manifest *checksums.Manifest
	Out      string        // the output directory; "" when nothing was published
	Signed   fact.SignerID // zero when unsigned
	Kept     []string      // directories with both files of every difference
	Damage   []string      // what was damaged in mintmark's own caches, and how it was mended; sorted
	CPU      time.Duration // of all go commands
}

// Build builds every unit once and checks nothing: every verdict is unchecked.
func Build(ctx context.Context, cfg Config) (*Result, error) {
	return produce(ctx, cfg, checksums.KindBuild)
}

// Release builds every unit twice, compares, and publishes what is identical.
// When something differs the Result comes with an error of exit code 3, and
// nothing is published.
func Release(ctx context.Context, cfg Config) (*Result, error) { return produce(ctx, cfg, cfg.kind()) }

func produce(ctx context.Context, cfg Config, kind checksums.Kind) (_ *Result, err error) {
	defer func() { err = ExplainFull(err) }()
	s, err := Open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var out *destination
	if s.refusals(ctx, kind) == nil { // else the audit says so, and nothing of this is needed
		if out, err = s.openDestination(ctx, kind); err != nil {
			return nil, err
		}
		defer out.Close()
	}
	a, err := s.audit(ctx, kind, out != nil)
	if err != nil {
		return nil, err
	}
	names, err := a.names(kind)
	if err != nil {
		return nil, err
	}
	if err := out.staging.Claim(append(unitFiles(a.Plan), names.files()...)...); err != nil {
		return nil, err
	}
	twice := kind != checksums.KindBuild
	p, err := a.Prepare(ctx, Places{Second: twice, KeepLinks: true})
	if err != nil {
		return nil, err
	}
	m := &Maker{Prepared: p, Stage: out.staging.Dir, UPX: a.packer, sizes: twice && !cfg.NoReport}
	if twice {
		if m.Ledger, err = p.OpenLedgers(ctx, out.signer); err != nil {
			return nil, err
		}
	} else {
		m.NotRun = builtOnce
	}
	s.Phase("building")
	f, err := m.Finish(ctx, nil)
	if err != nil {
		return nil, a.explainUnseen(err)
	}
	d, err := f.describe(ctx, kind)
	if err != nil {
		return nil, err
	}
	archive, err := a.makeSource(ctx, names.source, out.staging.Dir)
	if err != nil {
		return nil, err
	}
	names.fill(d.manifest, archive)
	over, err := a.budgets(ctx, f.Made)
	if err != nil {
		return nil, err
	}
	a.warnStamped(d.manifest.Source.Stamp)
	res := &Result{Manifest: d.manifest, Kept: f.kept(), Damage: f.damage(), CPU: f.CPU}
	if err := d.gate(over); err != nil {
		return res, err
	}
	if err := (&publication{d, out.staging, out.signer, out.shown, m.sizes}).publish(ctx); err != nil {
		return nil, err
	}
	if out.staging.Leftover != nil {
		s.Warn("the previous release was replaced but not removed: %v", out.staging.Leftover)
	}
	s.tidyLedgers(ctx)
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

func (s *Subject) openDestination(ctx context.Context, kind checksums.Kind) (*destination, error) {
	o := &destination{}
	var err error
	if kind == checksums.KindRelease {
		if o.signer, err = s.signer(ctx); err != nil {
			return nil, err
		}
	}
	if o.shown, err = s.ReadReportInputs(s.file.Project); err != nil {
		return nil, err
	}
	if o.lock, err = workspace.LockOutput(s.Cache, s.Out); err != nil {
		return nil, err
	}
	if o.staging, err = s.outDir().Open(ctx); err != nil {
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

// unitFiles are the names of the files that the units publish.
func unitFiles(p *plan.Plan) (names []string) {
	for _, u := range p.Units {
		names = append(names, u.Published()...)
	}
	return names
}

const keyHint = "make one with `mintmark keygen` and name it in MINTMARK_KEY or in " + configName + " (sign: {key: mintmark.key}); or say sign: none there for an unsigned release"

// keyRef says which key a release is signed with: the environment's, else the
// profile file's, else none if the file says so.
func (s *Subject) keyRef() (checksums.KeyRef, error) {
	switch {
	case !s.Key.IsZero():
		return s.Key, nil
	case s.file.Sign.Key != "" && s.Module != "" && s.ConfigFile == "":
		// The file came with the module: its author does not choose among our keys.
		return checksums.KeyRef{}, fault.Usagef("MINTMARK_KEY names yours; -config=FILE reads a profile file of yours", "the module's own profile file names a signing key")
	case s.file.Sign.Key != "":
		return s.besideProfile(s.file.Sign.Key), nil
	case s.file.Sign.None:
		return checksums.KeyRef{}, nil
	}
	return checksums.KeyRef{}, fault.Errorf(keyHint, "no signing key")
}

func (s *Subject) signer(ctx context.Context) (checksums.Signer, error) {
	ref, err := s.keyRef()
	if err != nil || ref.IsZero() {
		return nil, err
	}
	signer, err := checksums.LoadSigner(ctx, ref, s.Password)
	if err != nil {
		return nil, signingKey(err)
	}
	if c := signer.Caveat(); c != "" {
		s.Warn("%s", c)
	}
	if !signer.Deterministic() {
		s.note("signatures of this key are not deterministic: two releases differ in the two .sigstore.json files")
	}
	return signer, nil
}

// signingKey is an error about the signing key.
func signingKey(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrNotExist):
		return fault.Errorf(keyHint, "signing key: %w", err)
	}
	return fmt.Errorf("signing key: %w", err)
}
