package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/profiles"
)

// Planned is the result of [Plan].
type Planned struct {
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
func Plan(ctx context.Context, cfg Config, explain bool) (_ *Planned, err error) {
	defer func() { err = explainFull(err) }()
	s, err := open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.resolve(ctx); err != nil {
		return nil, err
	}
	if err := s.makePlan(ctx, false); err != nil {
		return nil, err
	}
	data, err := s.plan.Encode()
	if err != nil {
		return nil, err
	}
	p := &Planned{Plan: s.plan, JSON: data, ID: s.planID, Toolchain: s.tc.Toolchain, Dirty: s.source.Dirty}
	if explain {
		p.Explained = map[string][]profiles.Value{}
		for _, sel := range s.selected {
			for _, pl := range sel.Platforms {
				p.Explained[sel.Profile.Name+" "+pl.String()] = sel.Profile.Explain(pl)
			}
		}
	}
	return p, nil
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
	defer func() { err = explainFull(err) }()
	s, err := open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.choose(); err != nil {
		return nil, err
	}
	kind := checksums.KindRelease
	if cfg.Snapshot {
		kind = checksums.KindSnapshot
	}
	a, err := s.audit(ctx, kind)
	if err != nil {
		return nil, err
	}
	return &Checked{Plan: s.plan, PlanID: s.planID, Dirty: s.source.Dirty, Signed: a.signed, Typed: a.typed, Warnings: s.said}, nil
}

// Result is the result of [Release] and [Build].
type Result struct {
	Manifest *checksums.Manifest
	Out      string        // the output directory; "" when nothing was published
	Signed   string        // key ID; "" when unsigned
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
func Release(ctx context.Context, cfg Config) (*Result, error) {
	kind := checksums.KindRelease
	if cfg.Snapshot {
		kind = checksums.KindSnapshot
	}
	return produce(ctx, cfg, kind)
}

func produce(ctx context.Context, cfg Config, kind string) (_ *Result, err error) {
	defer func() { err = explainFull(err) }()
	s, err := open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	s.builds = true
	if err := s.choose(); err != nil {
		return nil, err
	}
	var signer *checksums.Signer
	var previous *report.Measurements
	var extra [][]byte
	var stage *staging
	if s.refusals(ctx, kind) == nil { // else the audit says so, and nothing of this is needed
		if kind == checksums.KindRelease {
			if signer, err = s.signer(ctx); err != nil {
				return nil, err
			}
		}
		if previous, extra, err = cfg.readReportInputs(s.file.Project); err != nil {
			return nil, err
		}
		lock, err := lockOut(cfg.Cache, cfg.Out)
		if err != nil {
			return nil, err
		}
		defer lock.Release()
		if stage, err = openStaging(ctx, cfg.Out); err != nil {
			return nil, err
		}
		defer stage.Close()
	}
	a, err := s.audit(ctx, kind)
	if err != nil {
		return nil, err
	}
	if err := stage.claim(s.published()...); err != nil {
		return nil, err
	}
	twice := kind != checksums.KindBuild
	st, err := s.prepare(ctx, twice)
	if err != nil {
		return nil, err
	}
	p := &pipeline{session: s, sites: st, stage: stage.dir, upx: a.packer, costs: schedule.LoadCosts(filepath.Join(cfg.Cache, "costs.json")), linked: s.keptLinks()}
	if twice {
		if p.books, err = s.openBooks(ctx, st, signer); err != nil {
			return nil, err
		}
	}
	p.measures, p.previous, p.extra = twice && !cfg.NoReport, previous, extra
	s.phase("building")
	if err := p.run(ctx); err != nil {
		return nil, s.explainUnseen(err)
	}
	if err := p.budgets(ctx); err != nil {
		return nil, err
	}
	p.warnStamped()
	m, err := s.manifest(ctx, kind, p)
	if err != nil {
		return nil, err
	}
	err = p.gate(m)
	res := &Result{Manifest: m, Kept: p.different, Damage: p.damage(), CPU: p.cpu}
	if err != nil {
		return res, err
	}
	if err := p.publish(ctx, m, signer, stage); err != nil {
		return nil, err
	}
	if stage.leftover != nil {
		s.warn("the previous release was replaced but not removed: %v", stage.leftover)
	}
	s.tidyLedgers(ctx)
	res.Out = cfg.Out
	if signer != nil {
		res.Signed = signer.KeyID()
	}
	return res, nil
}

// published are the names of the files that the units publish.
func (s *session) published() []string {
	var names []string
	for _, u := range s.plan.Units {
		names = append(names, u.Published()...)
	}
	return names
}

// gate stops what must not be published: what differs or was not checked,
// unless the profile says verify: report, and broken budgets. Nothing has been
// signed yet.
func (p *pipeline) gate(m *checksums.Manifest) error {
	report := map[string]bool{}
	for _, u := range p.plan.Units {
		if u.Verify == "report" {
			report[u.ID()] = true
		}
	}
	var differ, unchecked []string
	for _, a := range m.Artifacts {
		name := fmt.Sprintf("%s %s: %s (%s)", a.Profile, a.Platform, a.Name, a.Stage)
		switch {
		case report[a.Profile+" "+a.Platform] || m.Kind == checksums.KindBuild:
		case a.Verdict == fact.Different:
			differ = append(differ, name)
		case a.Verdict != fact.Identical:
			unchecked = append(unchecked, name+": "+a.Reason)
		}
	}
	// Units end in any order; what is said of them has one.
	sort.Strings(p.different)
	sort.Slice(p.over, func(i, j int) bool { return p.over[i].Error() < p.over[j].Error() })
	errs := p.over
	if err := p.alarms(); err != nil {
		errs = append(errs, err)
	}
	if len(differ) > 0 {
		errs = append(errs, p.notReproducible(differ))
	}
	var enforced []checksums.Artifact
	for _, a := range m.Artifacts {
		if !report[a.Profile+" "+a.Platform] {
			enforced = append(enforced, a)
		}
	}
	if failed, _ := Unproven(enforced); len(failed) > 0 {
		errs = append(errs, &codeError{fmt.Errorf("packed files that do not run, so not published:\n%s", strings.Join(failed, "\n")), ExitNotReproducible,
			"set upx: off for this platform in an override, or pin another version of UPX; verify: report publishes them, and the manifest says that they fail"})
	}
	if len(unchecked) > 0 {
		errs = append(errs, &codeError{fmt.Errorf("not checked, so not published:\n%s", strings.Join(unchecked, "\n")), ExitNotReproducible,
			"verify: report in the profile publishes them, and the manifest says that they are unchecked"})
	}
	return errors.Join(errs...)
}

// differences is the error of everything that differs, whatever the profile says.
func (p *pipeline) differences(m *checksums.Manifest) error {
	var differ []string
	for _, a := range m.Artifacts {
		if a.Verdict == fact.Different {
			differ = append(differ, fmt.Sprintf("%s %s: %s (%s)", a.Profile, a.Platform, a.Name, a.Stage))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return p.notReproducible(differ)
}

func (p *pipeline) notReproducible(differ []string) error {
	hint := "the findings say what differs and what to change"
	if len(p.different) > 0 {
		hint += "; both builds are kept in " + strings.Join(p.different, " and ")
	}
	return &codeError{fmt.Errorf("not reproducible: two builds of the same plan differ\n%s", strings.Join(differ, "\n")), ExitNotReproducible, hint}
}

func (s *session) manifest(ctx context.Context, kind string, p *pipeline) (*checksums.Manifest, error) {
	data, _ := s.plan.Encode() // it was encoded for the plan ID before
	var stampTags []string
	if p.stamped != "" {
		var err error
		if stampTags, err = s.repo.StampTags(ctx, p.stamped); err != nil {
			return nil, err
		}
		stampTags = slices.DeleteFunc(stampTags, func(t string) bool { return !recordable(t) }) // of no release: see refuseUntagged
	}
	m := &checksums.Manifest{
		Schema: fact.ManifestSchema, Kind: kind, Project: s.plan.Project, Version: s.version,
		Source: checksums.Source{
			Kind: s.source.Kind, Module: s.source.ModulePath, Version: s.source.Version, Sum: s.source.Sum, SumDB: s.source.SumDB,
			Commit: s.source.Commit, Tree: s.source.Tree, CommitTime: s.source.ID().CommitTime, Tags: s.source.Tags, Dir: s.source.Dir,
			Stamp: p.stamped, StampTags: stampTags, Dirty: s.source.Dirty,
		},
		Toolchain: s.tc.Toolchain,
		Builder:   checksums.Builder{Name: "mintmark", Version: s.Tool},
		PlanID:    s.planID, Plan: data,
		Rebuild:   p.rebuilt(),
		Artifacts: p.artifacts,
	}
	if p.sites.second != nil {
		m.Rebuild.Actions = p.unitActions()
		m.Rebuild.Rebuilders = p.rebuilders()
	}
	sort.SliceStable(m.Artifacts, func(i, j int) bool {
		a, b := m.Artifacts[i], m.Artifacts[j]
		ka := strings.Join([]string{a.Profile, a.Platform, string(a.Stage), a.Name}, "\x00")
		kb := strings.Join([]string{b.Profile, b.Platform, string(b.Stage), b.Name}, "\x00")
		return ka < kb
	})
	return m, nil
}

const keyHint = "make one with `mintmark keygen` and name it in MINTMARK_KEY or in " + configName + " (sign: {key: mintmark.key}); or say sign: none there for an unsigned release"

// keyRef says which key a release is signed with: the environment's, else the
// profile file's, else none if the file says so.
func (s *session) keyRef() (checksums.KeyRef, error) {
	switch {
	case !s.Key.IsZero():
		return s.Key, nil
	case s.file.Sign.Key != "" && s.Module != "" && s.ConfigFile == "":
		// The file came with the module: its author does not choose among our keys.
		return checksums.KeyRef{}, usage("MINTMARK_KEY names yours; -config=FILE reads a profile file of yours", "the module's own profile file names a signing key")
	case s.file.Sign.Key != "":
		return s.besideProfile(s.file.Sign.Key), nil
	case s.file.Sign.None:
		return checksums.KeyRef{}, nil
	}
	return checksums.KeyRef{}, hinted(keyHint, "no signing key")
}

func (s *session) signer(ctx context.Context) (*checksums.Signer, error) {
	ref, err := s.keyRef()
	if err != nil || ref.IsZero() {
		return nil, err
	}
	signer, err := checksums.LoadSigner(ctx, ref, s.Password)
	if err != nil {
		return nil, signingKey(err)
	}
	if c := signer.Caveat(); c != "" {
		s.warn("%s", c)
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
		return hinted(keyHint, "signing key: %w", err)
	}
	return fmt.Errorf("signing key: %w", err)
}
