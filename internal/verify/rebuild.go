package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
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
}

// reproduction is the rebuilding of a published release: the third build, after the
// publisher's two. It shares no cache with the other two, even on the machine
// that made the release. With proven there are two of them, in the two places of
// this machine's own releases, with their caches and ledger.
type reproduction struct {
	*publication
	*release.Subject
	*release.Kit
	from   string // -source
	proven bool
	units  []*plan.Unit // that are selected
	// generation is how the release's generated files were come by; "" if it has none.
	generation fact.Generation
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
// if an artifact came out different, and 1 if one could not be built or compared.
func Rebuild(ctx context.Context, cfg release.Config, vc Config, from string) (*checksums.Verification, error) {
	p, _, err := rebuildRelease(ctx, cfg, vc, from)
	if p == nil {
		return nil, err
	}
	return p.out, err
}

// rebuildRelease is VerifyRebuild. The publication is nil only with an error from
// before the verification. how says what was built, as far as it came to that.
func rebuildRelease(ctx context.Context, cfg release.Config, vc Config, from string) (_ *publication, how reproduced, err error) {
	defer func() { err = release.ExplainFull(err) }()
	v, err := Release(ctx, vc)
	if v == nil {
		return nil, how, err
	}
	p := &publication{m: v.Manifest, out: v, dir: vc.Path}
	if err != nil {
		return p, how, err
	}
	if err := p.read(ctx, vc.Path); err != nil {
		return p, how, err
	}
	t := &reproduction{publication: p, from: from, proven: cfg.Proven || len(cfg.Ledgers) > 0}
	// What earlier runs of this machine found out is no evidence against it,
	// unless whoever asks says so.
	cfg.Full = !t.proven
	r, err := release.Begin(&cfg)
	if err != nil {
		return p, how, err
	}
	defer r.Close()
	t.Subject = &release.Subject{Run: r, Version: p.m.Version, Cautions: release.Cautions{Run: r}}
	if len(cfg.Ledgers) > 0 {
		if cfg.ConfigFile == "" {
			return p, how, fault.Usagef("-config=FILE names a profile file of yours: its ledger.rebuilders are the keys that count", "-ledgers: whose executions count?")
		}
		if err := t.OpenConfig(); err != nil {
			return p, how, err
		}
	}
	if t.units, err = p.selectUnits(cfg.Platforms); err != nil {
		return p, how, err
	}
	how, err = t.reproduce(ctx)
	return p, how, err
}

// read takes the digest and the plan of the manifest.
func (p *publication) read(ctx context.Context, path string) (err error) {
	name := filepath.Join(path, checksums.ManifestFile)
	if fi, err := os.Stat(path); err == nil && !fi.IsDir() {
		name, p.dir = path, ""
	}
	if p.sum, _, err = files.Digest(ctx, name); err != nil {
		return err
	}
	p.plan, err = readPlan(p.m)
	return err
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
func (t *publication) selectUnits(platforms string) (units []*plan.Unit, err error) {
	pats, err := profiles.ParsePatternList(platforms)
	if err != nil {
		return nil, fault.Usagef("platforms look like linux/arm64 or linux/arm/7", "-platform=%s: %w", platforms, err)
	}
	if len(pats) == 0 {
		return t.plan.Units, nil
	}
	for _, u := range t.plan.Units {
		pl, err := profiles.ParsePlatform(u.Platform)
		if err == nil && slices.ContainsFunc(pats, func(p profiles.Pattern) bool { return p.Match(pl) }) {
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
	if t.Tools, err = t.FindTools(ctx, cache, t.m.Source.Kind == fact.SourceGit && t.from != ""); err != nil {
		return how, err
	}
	if t.Kit, err = t.FetchToolchain(ctx, t.Tools, t.m.Toolchain.Version, filepath.Join(cache, "go")); err != nil {
		return how, err
	}
	how.toolchain = t.GoToolchain.Toolchain
	if err := checkPlatforms(t.Goroot, t.plan.Go, t.units); err != nil {
		return how, err
	}
	terr := t.checkToolchain(ctx)
	c, err := t.fetchSource(ctx)
	if err := errors.Join(terr, err); err != nil {
		return how, err
	}
	if err := t.generate(ctx, c); err != nil {
		return how, err
	}
	selected := *t.plan
	selected.Units = t.units
	p := &release.Planned{Copied: c, Plan: &selected, PlanID: t.m.PlanID}
	if err := t.fetchModules(ctx, p); err != nil {
		return how, err
	}
	tool, noUPX, err := t.packer(ctx, p)
	if err != nil {
		return how, err
	}
	places := release.Places{First: "third"}
	if t.proven {
		places = release.Places{Second: true}
	}
	ready, err := p.Prepare(ctx, places)
	if err != nil {
		return how, err
	}
	m := &release.Maker{Prepared: ready, Stage: filepath.Join(t.Workspace.Dir, "products"), UPX: tool, NotRun: release.StrangersProgram}
	if err := os.MkdirAll(m.Stage, 0o755); err != nil {
		return how, workspace.Error(err)
	}
	if t.proven {
		if m.Ledger, err = ready.OpenLedgers(ctx, nil); err != nil {
			return how, err
		}
	}
	t.Phase("building")
	f, err := m.Finish(ctx, t.m.Artifacts)
	if err != nil {
		return how, err
	}
	how.rebuild = release.Executions(f.Made, t.Confinement())
	how.rebuild.Generation = t.generation
	built := &rebuiltFiles{publication: t.publication, made: f, stage: m.Stage, noUPX: noUPX, work: t.Workspace.Dir, warn: t.Warn}
	built.compare(ctx, t.units)
	unknown := t.account(t.units, t.Platforms, t.GoToolchain.Host)
	t.out.RebuiltActions = f.Ledger.UnitActions(f.Made)
	t.out.Confinement = how.rebuild.Confinement
	if text := report.Again(t.out.RebuiltActions); text != "" {
		t.out.Checks.Done(fact.BuiltTwice, "", text)
	}
	return how, errors.Join(f.Ledger.Alarms(t.units), t.verdict(unknown))
}

// checkToolchain holds the record's hash of the toolchain against the checksum
// database's, also when it ran on another kind of host than this one.
func (t *reproduction) checkToolchain(ctx context.Context) error {
	var wrong refusals
	want := t.m.Toolchain
	sum, sumdb, module := t.GoToolchain.Sum, t.GoToolchain.SumDB, t.GoToolchain.Module
	if want.Host != t.GoToolchain.Host {
		goos, goarch, _ := strings.Cut(want.Host, "/")
		module = "golang.org/toolchain@v0.0.1-" + t.GoToolchain.Version + "." + goos + "-" + goarch
		t.Phase("the publisher's toolchain, for its hash")
		m, err := t.Fetcher.Module(ctx, module)
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
		t.out.Checks.Done(fact.ToolchainSum, want.Version+" for "+want.Host, "")
	default:
		t.out.Checks.Open(fact.ToolchainSum, want.Version+" for "+want.Host, "it is as recorded, but the checksum database was not asked")
	}
	return wrong.err()
}

// sameSource says that the source is the recorded one, and whether others got it.
func (t *reproduction) sameSource(at string, src *source.Source) {
	t.out.Checks.Done(fact.SourceSum, at, src.Sum)
	if src.SumDB {
		t.out.Checks.Done(fact.SourceSumDB, at, "")
	} else {
		t.out.Checks.Open(fact.SourceSumDB, at, "the checksum database was not asked for it")
	}
}

// fetchSource gets the recorded source and holds it against the record.
func (t *reproduction) fetchSource(ctx context.Context) (*release.Copied, error) {
	src := t.m.Source
	at := src.Module + "@" + src.Version
	switch {
	case src.Kind == fact.SourceModule:
		t.Phase("fetching " + at)
		var err error
		if t.Source, t.ModuleDir, err = source.FetchModule(ctx, t.Fetcher, at); err != nil {
			return nil, err
		}
	case t.from != "":
		if err := t.clone(ctx); err != nil {
			return nil, err
		}
	default:
		return t.replaySource(ctx)
	}
	c, err := t.CopySource(ctx, t.Kit)
	if err != nil {
		return nil, err
	}
	var wrong refusals
	compare := func(what, got, want string) {
		if got != want {
			wrong.add("the source's %s is %q, the record says %q", what, got, want)
		}
	}
	compare("module", t.Source.ModulePath, src.Module)
	compare("version", t.Source.Version, src.Version)
	compare("h1", t.Source.Sum, src.Sum)
	if src.Kind == fact.SourceGit {
		compare("commit", t.Source.Commit, src.Commit)
		compare("tree", t.Source.Tree, src.Tree)
		compare("directory", t.Source.Dir, src.Dir)
	}
	compare("commit time", t.Source.ID().CommitTime, src.CommitTime)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	t.sameSource(at, t.Source)
	if src.Kind == fact.SourceGit {
		t.out.Checks.Done(fact.SourceCommit, src.Commit, "")
	}
	return c, nil
}

// replaySource takes the source from the module proxy in place of the commit,
// and has a program answer in git's place what the record says of the commit.
// The zip is the commit's if it has the recorded h1; that the commit's hash and
// time belong to it is then still the record's word, which the digests confirm:
// both are in the binaries.
func (t *reproduction) replaySource(ctx context.Context) (*release.Copied, error) {
	src := t.m.Source
	const hint = "name a git repository that has the commit: -source=DIR or -source=https://…"
	if src.Dir != "" {
		return nil, fault.Errorf(hint, "no source: the module is in the directory %s of its repository, and of that the module proxy has no zip", src.Dir)
	}
	at := src.Module + "@" + src.Version
	t.Phase("fetching " + at)
	m, err := t.Fetcher.Module(ctx, at)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fault.Errorf(hint, "no source: the release was built from the git commit %s, and the module proxy does not serve it: %w", src.Commit, err)
	}
	if m.Sum != src.Sum {
		var wrong refusals
		wrong.add("the source's h1 is %q, the record says %q", m.Sum, src.Sum)
		return nil, wrong.err()
	}
	for _, u := range t.units {
		if slices.Contains(u.Flags, "-mod=vendor") {
			return nil, fault.Errorf(hint, "%s: builds from the vendor directory, which is not in the module proxy's zip", u.ID())
		}
	}
	when, err := time.Parse(time.RFC3339, src.CommitTime)
	if err != nil {
		return nil, fmt.Errorf("%s: commit time: %w", checksums.ManifestFile, err)
	}
	claim := recovery.Replay{Revision: src.Commit, Time: when, Unversioned: src.Stamp == source.Devel}
	stamped := src.Version
	if src.Stamp != "" && !claim.Unversioned {
		stamped = src.Stamp
	}
	if err := claim.SetVersion(stamped); err != nil {
		return nil, fmt.Errorf("%s: %w", checksums.ManifestFile, err)
	}
	c := &release.Copied{Subject: t.Subject, Kit: t.Kit, Checkout: filepath.Join(t.Workspace.Dir, "first", "src")}
	stamp, err := recovery.NewStamp(ctx, t.Goroot, t.Kit.BuildPlace, filepath.Join(t.Workspace.Dir, "stamp"), c.Checkout, claim)
	if err != nil {
		return nil, err
	}
	t.Source = source.Published(src.Module, src.Version, src.Sum, src.Commit, when)
	c.CopyAgain = func(ctx context.Context, place *toolchain.Place, dir string) (string, fact.Circumstances, error) {
		if err := os.CopyFS(dir, os.DirFS(m.Dir)); err != nil {
			return "", nil, workspace.Error(err)
		}
		if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
			return "", nil, workspace.Error(err)
		}
		stamp, err := stamp.At(filepath.Join(filepath.Dir(place.Home), "stamp"), dir, claim)
		if err != nil {
			return "", nil, err
		}
		place.Git = stamp.Git
		return dir, release.FromZip(t.Source), nil
	}
	if _, c.Origin, err = c.CopyAgain(ctx, t.Kit.BuildPlace, c.Checkout); err != nil {
		return nil, err
	}
	t.Source.SumDB = t.Settings.Checks(src.Module)
	for _, a := range t.m.Artifacts {
		for _, member := range a.Members {
			t.Source.SetExecutable(member.Name, member.Mode == "0755")
		}
	}
	c.Loader = &plan.Loader{Goroot: t.Goroot, Place: t.Kit.BuildPlace, Settings: t.Settings, Kind: src.Kind, Dir: c.Checkout}
	t.sameSource(at, t.Source)
	t.out.Checks.Open(fact.SourceCommit, src.Commit, "its stamp was replayed from the record; -source= takes the commit itself")
	return c, nil
}

// clone makes a private clone of -source at the recorded commit.
func (t *reproduction) clone(ctx context.Context) error {
	from := t.from
	if fi, err := os.Stat(from); err == nil && fi.IsDir() {
		if from, err = filepath.Abs(from); err != nil {
			return err
		}
	}
	t.Phase("fetching the commit " + t.m.Source.Commit)
	dir := filepath.Join(t.Workspace.Dir, "source")
	src := t.m.Source
	want := source.Built{Commit: src.Commit, Tags: src.Tags, StampTags: src.StampTags, Stamped: src.Stamp != ""}
	if err := source.CloneAt(ctx, t.Git, t.Environ, from, want, dir, t.Workspace.Dir); err != nil {
		return err
	}
	repo, err := source.Open(ctx, source.Config{
		Dir: filepath.Join(dir, filepath.FromSlash(src.Dir)), Git: t.Git, Env: t.Environ, Work: t.Workspace.Dir, Known: t.Known,
		Hashed: true, OneTag: !want.Stamped,
	})
	if err != nil {
		return err
	}
	t.Repo, t.Source = repo, &repo.Source
	return nil
}

// fetchModules ends the fetch phase: with the units' own go list, everything
// that they import is in the module cache.
func (t *reproduction) fetchModules(ctx context.Context, p *release.Planned) error {
	if p.Loader.Ready != nil {
		if err := p.Loader.Ready(ctx); err != nil {
			return err
		}
	}
	if t.m.Source.Kind == fact.SourceModule && !t.proven {
		return nil // prepare fetches what go install needs
	}
	t.Phase("fetching modules")
	p.Planner = &plan.Planner{Loader: p.Loader, Source: t.Source}
	var errs []error
	for _, u := range t.units {
		var mains []string
		for _, m := range u.Mains {
			mains = append(mains, m.Package)
		}
		pkgs, err := p.Loader.List(ctx, u.Env, u.Flags, mains, true)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", u.ID(), err))
		}
		p.Planner.Note(u, pkgs)
	}
	return errors.Join(errs...)
}

// packer finds UPX if the plan needs it. Without it, what is packed cannot be
// compared, and everything before that still can: missing says why, and p is left
// with nothing to pack.
func (t *reproduction) packer(ctx context.Context, p *release.Planned) (tool *upx.Tool, missing, err error) {
	if !slices.ContainsFunc(t.units, func(u *plan.Unit) bool { return u.UPX != nil }) {
		return nil, nil, nil
	}
	if tool, missing = p.FindUPX(ctx, t.Warn); missing == nil {
		return tool, nil, nil
	}
	if ctx.Err() != nil {
		return nil, nil, missing
	}
	without := *p.Plan
	without.Units = nil
	for _, u := range t.units {
		linkedOnly := *u
		if u.UPX != nil {
			linkedOnly.UPX, linkedOnly.Archive = nil, "none"
		}
		without.Units = append(without.Units, &linkedOnly)
	}
	p.Plan = &without
	return nil, missing, nil
}
