package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/upx"
	"github.com/mintmark/mintmark/internal/workspace"
	"github.com/mintmark/mintmark/profiles"
)

// publication is a published release that was verified, and what it says of how it
// was made.
type publication struct {
	m    *checksums.Manifest
	out  *checksums.Verification
	sum  string     // SHA-256 of release.json
	dir  string     // of the published files; "" when there is only release.json
	plan *plan.Plan // all of it
	only string     // the one published file that it is about; "" for all
}

// reproduction is the rebuilding of a published release: one more build, after the
// publisher's. It shares no cache with those, even on the machine that made the
// release. With proven there are two of them, in the two places of this machine's
// own releases, with their caches and ledger.
type reproduction struct {
	*publication
	*run.Run
	file   *profiles.File // whose rebuilders count; nil: nobody's
	from   string         // -source
	proven bool
	units  []*plan.Unit // that are selected
	// generation is how the release's generated files were come by; "" if it has none.
	generation fact.Generation
}

// fetching is a reproduction with the tools and the toolchain that it fetches with.
type fetching struct {
	*reproduction
	*fetch.Tools
	*fetch.Kit
}

// Rebuild verifies a published release as [Release] does and then builds
// it from the source and the toolchain that its record names, compares each
// stage with the published digest, and puts the verdicts into
// [checksums.Verification.Rebuilt]. Of cfg it uses Platforms, Jobs, the cache,
// the environment and Event; with Proven or Ledgers also Secret, and of
// ConfigFile the keys of those whose Ledgers count. from is the repository to
// take the source from; "" is the module proxy.
//
// The error has exit code 4 if something is not as signed or not as recorded, 3
// if an artifact came out different, and 1 if one could not be built or compared. Of
// one file of a release, its platform is built. A published binary that was signed after
// the release counts as identical when it is what was built here, with its signature put
// onto that; [checksums.RebuiltArtifact.Signer] says so.
func Rebuild(ctx context.Context, cfg run.Config, vc Config, from string) (*checksums.Verification, error) {
	if file, layout, err := vc.look(); err == nil && file != "" && layout.Ours {
		return rebuildFile(ctx, cfg, vc, from)
	}
	vc.signed = true
	p, _, err := rebuildRelease(ctx, cfg, vc, from)
	if p == nil {
		return nil, err
	}
	return p.out, errors.Join(err, unproven(p.out))
}

// rebuildRelease is [Rebuild]. The publication is nil only with an error from
// before the verification. how says what was built, as far as it came to that.
func rebuildRelease(ctx context.Context, cfg run.Config, vc Config, from string) (_ *publication, how reproduced, err error) {
	defer func() { err = run.ExplainFull(err) }()
	v, err := Release(ctx, vc)
	if v == nil {
		return nil, how, err
	}
	if err != nil {
		return &publication{m: v.Manifest, out: v, dir: vc.Path}, how, err
	}
	p, err := newPublication(ctx, v, vc.Path)
	if err != nil {
		return p, how, err
	}
	p.only = vc.only
	units, err := p.selectUnits(cfg.Platforms)
	if err != nil {
		return p, how, err
	}
	proven := cfg.Proven || len(cfg.Ledgers) > 0
	// What earlier runs of this machine found out is no evidence against it,
	// unless whoever asks says so.
	cfg.Full = !proven
	r, err := run.Begin(&cfg)
	if err != nil {
		return p, how, err
	}
	defer r.Close()
	var file *profiles.File
	if len(cfg.Ledgers) > 0 {
		if cfg.ConfigFile == "" {
			return p, how, fault.Usagef("-config=FILE names a profile file of yours: its ledger.rebuilders are the keys that count", "-ledgers: whose executions count?")
		}
		if file, err = (&fetch.Cautions{Run: r}).ReadProfileFile(cfg.ConfigFile); err != nil {
			return p, how, err
		}
	}
	t := &reproduction{publication: p, Run: r, file: file, from: from, proven: proven, units: units}
	how, err = t.reproduce(ctx)
	return p, how, err
}

// newPublication is a verified release at that path, with the digest and the plan
// of its manifest. With an error it says no more than the verification.
func newPublication(ctx context.Context, v *checksums.Verification, path string) (*publication, error) {
	p := publication{m: v.Manifest, out: v, dir: path}
	name := filepath.Join(path, checksums.ManifestFile)
	if fi, err := os.Stat(path); err == nil && !fi.IsDir() {
		name, p.dir = path, ""
	}
	var err error
	if p.sum, _, err = files.Digest(ctx, name); err != nil {
		return &p, err
	}
	p.plan, err = readPlan(p.m)
	return &p, err
}

// reproduced is what was built of a publication.
type reproduced struct {
	rebuild   checksums.Rebuild // how often, and where
	toolchain fact.Toolchain
}

// refusals are what a release says of itself and does not hold.
type refusals []checksums.RefusedError

func (r *refusals) add(format string, args ...any) {
	*r = append(*r, checksums.RefusedError{Name: checksums.ManifestFile, Reason: fmt.Sprintf(format, args...),
		Remedy: "what the release says of itself does not hold: do not use it"})
}

func (r refusals) err() error {
	if len(r) == 0 {
		return nil
	}
	return &checksums.VerifyError{Refusals: r}
}

// selectUnits are the units of these platforms.
func (p *publication) selectUnits(platforms string) (units []*plan.Unit, err error) {
	pats, err := profiles.ParsePatternList(platforms)
	if err != nil {
		return nil, fault.Usagef("platforms look like linux/arm64 or linux/arm/7", "-platform=%s: %w", platforms, err)
	}
	if len(pats) == 0 {
		return p.plan.Units, nil
	}
	for _, u := range p.plan.Units {
		pl, err := profiles.ParsePlatform(u.Platform)
		if err == nil && slices.ContainsFunc(pats, func(pat profiles.Pattern) bool { return pat.Match(pl) }) {
			units = append(units, u)
		}
	}
	if len(units) == 0 {
		return nil, fault.Usagef("release.json lists its platforms", "-platform=%s: the release has none of them", platforms)
	}
	return units, nil
}

// reproduce fetches, holds what it fetched against the record, builds and compares.
func (t *reproduction) reproduce(ctx context.Context) (how reproduced, err error) {
	cache := filepath.Join(t.Cache, "rebuild")
	tools, err := fetch.FindTools(ctx, t.Run, cache, t.m.Source.Kind == fact.SourceGit && t.from != "")
	if err != nil {
		return how, err
	}
	kit, err := fetch.FetchToolchain(ctx, t.Run, tools, t.m.Toolchain.Version, filepath.Join(cache, "go"))
	if err != nil {
		return how, err
	}
	how.toolchain = kit.GoToolchain.Toolchain
	if err := checkPlatforms(kit.Goroot, t.plan.Go, t.units); err != nil {
		return how, err
	}
	f := &fetching{t, tools, kit}
	terr := f.checkToolchain(ctx)
	c, err := f.fetchSource(ctx)
	if err := errors.Join(terr, err); err != nil {
		return how, err
	}
	if err := f.generate(ctx, c); err != nil {
		return how, err
	}
	planner, err := t.fetchModules(ctx, c)
	if err != nil {
		return how, err
	}
	p, tool, noUPX, err := t.packer(ctx, c, planner)
	if err != nil {
		return how, err
	}
	can, err := f.images(ctx, p)
	if err != nil {
		return how, err
	}
	places := release.Places{First: "independent"}
	if t.proven {
		places = release.Places{Second: true}
	}
	ready, err := release.Prepare(ctx, p, places)
	if err != nil {
		return how, err
	}
	m := &release.Maker{Prepared: ready, Stage: filepath.Join(t.Workspace.Dir, "products"), UPX: tool, NotRun: release.StrangersProgram, Bills: t.only == "" && t.lists(fact.Bill)}
	m.Sizes = m.Bills && t.lists(fact.Measured) // those of the bills are of the same run
	if err := os.MkdirAll(m.Stage, 0o755); err != nil {
		return how, workspace.Error(err)
	}
	if t.proven {
		if m.Ledger, err = ready.OpenLedgers(ctx, nil); err != nil {
			return how, err
		}
	}
	t.Phase("building")
	made, err := m.Finish(ctx, t.m.Artifacts)
	if err != nil {
		return how, err
	}
	how.rebuild = release.Executions(made.Made, t.Confinement())
	how.rebuild.Generation = t.generation
	built := &rebuiltFiles{publication: t.publication, made: made, stage: m.Stage, noUPX: noUPX, work: t.Workspace.Dir, warn: t.Warn}
	built.compare(ctx, t.units)
	if err := built.compareImages(ctx, can, t.Platforms); err != nil {
		return how, err
	}
	if err := built.compareBills(ctx, t.units, t.Platforms, t.Tool); err != nil {
		return how, err
	}
	if err := t.compareSource(ctx, c.Repo); err != nil {
		return how, err
	}
	unknown := t.conclude(t.units, t.Platforms, kit.GoToolchain.Host)
	t.out.RebuiltActions = made.Ledger.UnitActions(made.Made)
	t.out.Confinement = how.rebuild.Confinement
	if text := report.Again(how.rebuild.Executions, t.out.RebuiltActions, t.m.Artifacts); text != "" {
		t.out.Checks.Done(fact.BuiltHere, "", fact.Times(how.rebuild.Executions)+": "+text)
	}
	return how, errors.Join(made.Ledger.Alarms(t.units), t.verdict(unknown))
}

// checkToolchain holds the record's hash of the toolchain against the checksum
// database's, also when it ran on another kind of host than this one.
func (f *fetching) checkToolchain(ctx context.Context) error {
	var wrong refusals
	want := f.m.Toolchain
	sum, sumdb, module := f.GoToolchain.Sum, f.GoToolchain.SumDB, f.GoToolchain.Module
	if want.Host != f.GoToolchain.Host {
		goos, goarch, _ := strings.Cut(want.Host, "/")
		module = "golang.org/toolchain@v0.0.1-" + f.GoToolchain.Version + "." + goos + "-" + goarch
		f.Phase("the publisher's toolchain, for its hash")
		m, err := f.Fetcher.Module(ctx, module)
		if err != nil {
			return fault.Errorf("check that the module proxy can be reached", "the publisher's toolchain %s: %w", module, err)
		}
		sum = m.Sum
	}
	switch {
	case module != want.Module:
		wrong.add("the toolchain %s for %s is the module %s, not %s", want.Version, want.Host, module, want.Module)
	case sum != want.Sum:
		wrong.add("the toolchain %s has hash %s, the record says %s", module, sum, want.Sum)
	case sumdb:
		f.out.Checks.Done(fact.ToolchainSum, want.Version+" for "+want.Host, "")
	default:
		f.out.Checks.Open(fact.ToolchainSum, want.Version+" for "+want.Host, "it is as recorded, but the checksum database was not asked")
	}
	return wrong.err()
}

// fetchModules ends the fetch phase: with the units' own go list, everything
// that they import is in the module cache. The planner, nil where go install
// fetches, knows what that is.
func (t *reproduction) fetchModules(ctx context.Context, c *fetch.Copied) (*plan.Planner, error) {
	if c.Loader.Ready != nil {
		if err := c.Loader.Ready(ctx); err != nil {
			return nil, err
		}
	}
	if t.m.Source.Kind == fact.SourceModule && !t.proven {
		return nil, nil // prepare fetches what go install needs
	}
	t.Phase("fetching modules")
	planner := &plan.Planner{Loader: c.Loader, Source: c.Source}
	var errs []error
	for _, u := range t.units {
		var mains []string
		for _, m := range u.Mains {
			mains = append(mains, m.Package)
		}
		pkgs, err := c.Loader.List(ctx, u.Env, u.Flags, mains, true)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", u.ID(), err))
		}
		planner.Note(u, pkgs)
	}
	return planner, errors.Join(errs...)
}

// packer finds UPX if the selected units need it. Without it, what is packed cannot
// be compared, and everything before that still can: missing says why, and the plan
// has nothing to pack.
func (t *reproduction) packer(ctx context.Context, c *fetch.Copied, planner *plan.Planner) (p *fetch.Planned, tool *upx.Tool, missing, err error) {
	planned := func(units []*plan.Unit) *fetch.Planned {
		return &fetch.Planned{Copied: c, Planner: planner, Plan: t.plan.Select(units), PlanID: t.m.PlanID}
	}
	p = planned(t.units)
	if !slices.ContainsFunc(t.units, func(u *plan.Unit) bool { return u.UPX != nil }) {
		return p, nil, nil, nil
	}
	if tool, missing = p.FindUPX(ctx, t.Warn); missing == nil {
		return p, tool, nil, nil
	}
	if ctx.Err() != nil {
		return nil, nil, nil, missing
	}
	var units []*plan.Unit
	for _, u := range t.units {
		linkedOnly := *u
		if u.UPX != nil {
			linkedOnly.UPX, linkedOnly.Archive, linkedOnly.MoreArchives = nil, fact.NoArchive, nil
		}
		units = append(units, &linkedOnly)
	}
	return planned(units), nil, missing, nil
}
