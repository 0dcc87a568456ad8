package release

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
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/upx"
	"github.com/mintmark/mintmark/profiles"
)

// third is the rebuilding of a published release: the third build, after the
// publisher's two. It shares no cache with the other two, even on the machine
// that made the release. With proven there are a third and a fourth one, in the
// two places of this machine's own releases, with their caches and ledger.
type third struct {
	*session
	m        *checksums.Manifest
	out      *checksums.Verification
	manifest string // SHA-256 of release.json
	dir      string // of the published files; "" when there is only release.json
	from     string // -source
	all      *plan.Plan
	noUPX    error // why packed files could not be made
	proven   bool
	how      checksums.Rebuild // how often it was built here, and where
	unknown  []string          // listed files that are neither artifacts nor of a kind that is not built
	refusals []checksums.RefusedError
}

// VerifyRebuild verifies a published release as [Verify] does and then builds
// it from the source and the toolchain that its record names, compares each
// stage with the published digest, and puts the verdicts into
// [checksums.Verification.Rebuilt]. Of cfg it uses Platforms, Jobs, the cache,
// the environment and Event; with Proven or Ledgers also Secret, and of
// ConfigFile the keys of those whose Ledgers count. from is the repository to
// take the source from; "" is the module proxy.
//
// The error has exit code 4 if something is not as signed or not as recorded, 3
// if an artifact came out different, and 1 if one could not be built or compared.
func VerifyRebuild(ctx context.Context, cfg Config, vc VerifyConfig, from string) (*checksums.Verification, error) {
	t, err := rebuildRelease(ctx, cfg, vc, from)
	if t == nil {
		return nil, err
	}
	return t.out, err
}

// rebuildRelease is VerifyRebuild. The third build is nil only with an error
// from before the verification.
func rebuildRelease(ctx context.Context, cfg Config, vc VerifyConfig, from string) (_ *third, err error) {
	defer func() { err = explainFull(err) }()
	v, err := Verify(ctx, vc)
	if v == nil {
		return nil, err
	}
	t := &third{m: v.Manifest, out: v, from: from, dir: vc.Path}
	if err != nil {
		return t, err
	}
	name := filepath.Join(vc.Path, checksums.ManifestFile)
	if fi, err := os.Stat(vc.Path); err == nil && !fi.IsDir() {
		name, t.dir = vc.Path, ""
	}
	if t.manifest, _, err = files.Digest(ctx, name); err != nil {
		return t, err
	}
	if err := t.readPlan(); err != nil {
		return t, err
	}
	t.proven = cfg.Proven || len(cfg.Ledgers) > 0
	// What earlier runs of this machine found out is no evidence against it,
	// unless whoever asks says so.
	cfg.Full = !t.proven
	if t.session, err = begin(&cfg); err != nil {
		return t, err
	}
	defer t.Close()
	if len(cfg.Ledgers) > 0 {
		if cfg.ConfigFile == "" {
			return t, usage("-config=FILE names a profile file of yours: its ledger.rebuilders are the keys that count", "-ledgers: whose executions count?")
		}
		if err := t.openConfig(); err != nil {
			return t, err
		}
	}
	if t.plan, err = t.selectUnits(cfg.Platforms); err != nil {
		return t, err
	}
	t.planID, t.version = t.m.PlanID, t.m.Version
	return t, t.run(ctx)
}

func (t *third) refuse(name, format string, args ...any) {
	t.refusals = append(t.refusals, checksums.RefusedError{Name: name, Reason: fmt.Sprintf(format, args...),
		Remedy: "what the release says of itself does not hold: do not use it"})
}

func (t *third) refused() error {
	if len(t.refusals) == 0 {
		return nil
	}
	return &checksums.VerifyError{Refusals: t.refusals}
}

func (t *third) selectUnits(platforms string) (*plan.Plan, error) {
	pats, err := profiles.ParsePatternList(platforms)
	if err != nil {
		return nil, usage("platforms look like linux/arm64 or linux/arm/7", "-platform=%s: %w", platforms, err)
	}
	plan := *t.all
	if len(pats) == 0 {
		return &plan, nil
	}
	plan.Units = nil
	for _, u := range t.all.Units {
		pl, err := profiles.ParsePlatform(u.Platform)
		if err == nil && slices.ContainsFunc(pats, func(p profiles.Pattern) bool { return p.Match(pl) }) {
			plan.Units = append(plan.Units, u)
		}
	}
	if len(plan.Units) == 0 {
		return nil, usage("release.json lists its platforms", "-platform=%s: the release has none of them", platforms)
	}
	return &plan, nil
}

// run fetches, holds what it fetched against the record, builds and compares.
func (t *third) run(ctx context.Context) error {
	cache := filepath.Join(t.Cache, "rebuild")
	if err := t.findTools(ctx, cache, t.m.Source.Kind == fact.SourceGit && t.from != ""); err != nil {
		return err
	}
	t.place.GoCache = filepath.Join(t.ws.dir, "first", "objects")
	if err := t.place.Make(); err != nil {
		return cacheError(err)
	}
	if err := t.useToolchain(ctx, t.m.Toolchain.Version, filepath.Join(cache, "go")); err != nil {
		return err
	}
	if err := t.checkPlatforms(); err != nil {
		return err
	}
	if t.proven {
		if err := t.useCaches(); err != nil {
			return err
		}
	}
	if err := errors.Join(t.checkToolchain(ctx), t.fetchSource(ctx)); err != nil {
		return err
	}
	if err := t.fetchModules(ctx); err != nil {
		return err
	}
	st, err := t.prepare(ctx, t.proven)
	if err != nil {
		return err
	}
	if !t.proven {
		st.first.Name = "third"
	}
	tool := t.packer(ctx)
	stage := filepath.Join(t.ws.dir, "products")
	if err := os.MkdirAll(stage, 0o755); err != nil {
		return cacheError(err)
	}
	t.phase("building")
	p := &pipeline{session: t.session, sites: st, stage: stage, upx: tool, costs: schedule.LoadCosts(filepath.Join(t.Cache, "costs.json")), judge: t.judge}
	if t.proven {
		if p.books, err = t.openBooks(ctx, st, nil); err != nil {
			return err
		}
	}
	if err := p.run(ctx); err != nil {
		return err
	}
	t.compare(ctx, p)
	t.account()
	t.out.RebuiltActions = p.unitActions()
	t.how = p.rebuilt()
	t.out.Confinement = t.how.Confinement
	if text := report.Again(t.out.RebuiltActions); text != "" {
		t.out.Checks.Done(fact.BuiltTwice, "", text)
	}
	return errors.Join(p.alarms(), t.verdict())
}

// checkToolchain holds the record's hash of the toolchain against the checksum
// database's, also when it ran on another kind of host than this one.
func (t *third) checkToolchain(ctx context.Context) error {
	want := t.m.Toolchain
	sum, sumdb, module := t.tc.Sum, t.tc.SumDB, t.tc.Module
	if want.Host != t.tc.Host {
		goos, goarch, _ := strings.Cut(want.Host, "/")
		module = "golang.org/toolchain@v0.0.1-" + t.tc.Version + "." + goos + "-" + goarch
		t.phase("the publisher's toolchain, for its hash")
		m, err := t.fetcher.Module(ctx, module)
		if err != nil {
			return hinted("check that the module proxy can be reached", "the publisher's toolchain %s: %w", module, err)
		}
		sum = m.Sum
	}
	switch {
	case module != want.Module:
		t.refuse(checksums.ManifestFile, "the toolchain %s for %s is the module %s, not %s", want.Version, want.Host, module, want.Module)
	case sum != want.Sum:
		t.refuse(checksums.ManifestFile, "the toolchain %s has hash %s, the record says %s", module, sum, want.Sum)
	case sumdb:
		t.out.Checks.Done(fact.ToolchainSum, want.Version+" for "+want.Host, "")
	default:
		t.out.Checks.Open(fact.ToolchainSum, want.Version+" for "+want.Host, "it is as recorded, but the checksum database was not asked")
	}
	return t.refused()
}

// sameSource says that the source is the recorded one, and whether others got it.
func (t *third) sameSource(at string) {
	t.out.Checks.Done(fact.SourceSum, at, t.source.Sum)
	if t.source.SumDB {
		t.out.Checks.Done(fact.SourceSumDB, at, "")
	} else {
		t.out.Checks.Open(fact.SourceSumDB, at, "the checksum database was not asked for it")
	}
}

// fetchSource gets the recorded source and holds it against the record.
func (t *third) fetchSource(ctx context.Context) error {
	src := t.m.Source
	at := src.Module + "@" + src.Version
	switch {
	case src.Kind == fact.SourceModule:
		t.phase("fetching " + at)
		var err error
		if t.source, t.moduleDir, err = source.FetchModule(ctx, t.fetcher, at); err != nil {
			return err
		}
		t.Module = at
	case t.from != "":
		if err := t.clone(ctx); err != nil {
			return err
		}
	default:
		return t.replaySource(ctx)
	}
	if err := t.copySource(ctx); err != nil {
		return err
	}
	compare := func(what, got, want string) {
		if got != want {
			t.refuse(checksums.ManifestFile, "the source's %s is %q, the record says %q", what, got, want)
		}
	}
	compare("module", t.source.ModulePath, src.Module)
	compare("version", t.source.Version, src.Version)
	compare("h1", t.source.Sum, src.Sum)
	if src.Kind == fact.SourceGit {
		compare("commit", t.source.Commit, src.Commit)
		compare("tree", t.source.Tree, src.Tree)
		compare("directory", t.source.Dir, src.Dir)
	}
	compare("commit time", t.source.ID().CommitTime, src.CommitTime)
	if err := t.refused(); err != nil {
		return err
	}
	t.sameSource(at)
	if src.Kind == fact.SourceGit {
		t.out.Checks.Done(fact.SourceCommit, src.Commit, "")
	}
	return nil
}

// replaySource takes the source from the module proxy in place of the commit,
// and has a program answer in git's place what the record says of the commit.
// The zip is the commit's if it has the recorded h1; that the commit's hash and
// time belong to it is then still the record's word, which the digests confirm:
// both are in the binaries.
func (t *third) replaySource(ctx context.Context) error {
	src := t.m.Source
	const hint = "name a git repository that has the commit: -source=DIR or -source=https://…"
	if src.Dir != "" {
		return hinted(hint, "no source: the module is in the directory %s of its repository, and of that the module proxy has no zip", src.Dir)
	}
	at := src.Module + "@" + src.Version
	t.phase("fetching " + at)
	m, err := t.fetcher.Module(ctx, at)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return hinted(hint, "no source: the release was built from the git commit %s, and the module proxy does not serve it: %w", src.Commit, err)
	}
	if m.Sum != src.Sum {
		t.refuse(checksums.ManifestFile, "the source's h1 is %q, the record says %q", m.Sum, src.Sum)
		return t.refused()
	}
	for _, u := range t.plan.Units {
		if slices.Contains(u.Flags, "-mod=vendor") {
			return hinted(hint, "%s: builds from the vendor directory, which is not in the module proxy's zip", u.ID())
		}
	}
	when, err := time.Parse(time.RFC3339, src.CommitTime)
	if err != nil {
		return fmt.Errorf("%s: commit time: %w", checksums.ManifestFile, err)
	}
	claim := recovery.Replay{Revision: src.Commit, Time: when, Unversioned: src.Stamp == source.Devel}
	stamped := src.Version
	if src.Stamp != "" && !claim.Unversioned {
		stamped = src.Stamp
	}
	if err := claim.SetVersion(stamped); err != nil {
		return fmt.Errorf("%s: %w", checksums.ManifestFile, err)
	}
	t.checkout = filepath.Join(t.ws.dir, "first", "src")
	stamp, err := recovery.NewStamp(ctx, t.goroot, t.place, filepath.Join(t.ws.dir, "stamp"), t.checkout, claim)
	if err != nil {
		return err
	}
	t.putSource = func(place *toolchain.Place, dir string) error {
		if err := os.CopyFS(dir, os.DirFS(m.Dir)); err != nil {
			return cacheError(err)
		}
		if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
			return cacheError(err)
		}
		stamp, err := stamp.At(filepath.Join(filepath.Dir(place.Home), "stamp"), dir, claim)
		if err != nil {
			return err
		}
		place.Git = stamp.Git
		return nil
	}
	if err := t.putSource(t.place, t.checkout); err != nil {
		return err
	}
	t.source = source.Published(src.Module, src.Version, src.Sum, src.Commit, when)
	t.origin = t.fromZip()
	t.source.SumDB = t.settings.Checks(src.Module)
	for _, a := range t.m.Artifacts {
		for _, member := range a.Members {
			t.source.SetExecutable(member.Name, member.Mode == "0755")
		}
	}
	t.loader = &plan.Loader{Goroot: t.goroot, Place: t.place, Settings: t.settings, Kind: src.Kind, Dir: t.checkout}
	t.sameSource(at)
	t.out.Checks.Open(fact.SourceCommit, src.Commit, "its stamp was replayed from the record; -source= takes the commit itself")
	return nil
}

// clone makes a private clone of -source at the recorded commit.
func (t *third) clone(ctx context.Context) error {
	from := t.from
	if fi, err := os.Stat(from); err == nil && fi.IsDir() {
		if from, err = filepath.Abs(from); err != nil {
			return err
		}
	}
	t.phase("fetching the commit " + t.m.Source.Commit)
	dir := filepath.Join(t.ws.dir, "source")
	src := t.m.Source
	want := source.Built{Commit: src.Commit, Tags: src.Tags, StampTags: src.StampTags, Stamped: src.Stamp != ""}
	if err := source.CloneAt(ctx, t.git, t.Environ, from, want, dir, t.ws.dir); err != nil {
		return err
	}
	repo, err := source.Open(ctx, source.Config{
		Dir: filepath.Join(dir, filepath.FromSlash(src.Dir)), Git: t.git, Env: t.Environ, Work: t.ws.dir, Known: t.known,
		Hashed: true, OneTag: !want.Stamped,
	})
	if err != nil {
		return err
	}
	t.repo, t.source = repo, &repo.Source
	return nil
}

// fetchModules ends the fetch phase: with the units' own go list, everything
// that they import is in the module cache.
func (t *third) fetchModules(ctx context.Context) error {
	if t.loader.Ready != nil {
		if err := t.loader.Ready(ctx); err != nil {
			return err
		}
	}
	if t.m.Source.Kind == fact.SourceModule && !t.proven {
		return nil // prepare fetches what go install needs
	}
	t.phase("fetching modules")
	t.planner = &plan.Planner{Loader: t.loader, Source: t.source}
	var errs []error
	for _, u := range t.plan.Units {
		var mains []string
		for _, m := range u.Mains {
			mains = append(mains, m.Package)
		}
		pkgs, err := t.loader.List(ctx, u.Env, u.Flags, mains, true)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", u.ID(), err))
		}
		t.planner.Note(u, pkgs)
	}
	return errors.Join(errs...)
}

// packer finds UPX if the plan needs it. Without it, what is packed cannot be
// compared, and everything before that still can.
func (t *third) packer(ctx context.Context) *upx.Tool {
	if !slices.ContainsFunc(t.plan.Units, func(u *plan.Unit) bool { return u.UPX != nil }) {
		return nil
	}
	tool, err := t.findUPX(ctx)
	if err == nil {
		return tool
	}
	t.noUPX = err
	plan := *t.plan
	plan.Units = nil
	for _, u := range t.plan.Units {
		linkedOnly := *u
		if u.UPX != nil {
			linkedOnly.UPX, linkedOnly.Archive = nil, "none"
		}
		plan.Units = append(plan.Units, &linkedOnly)
	}
	t.plan = &plan
	return nil
}

// judge gives a binary that was just linked, or the header of a library, once or
// twice with the same bytes, its verdict.
func (t *third) judge(a *checksums.Artifact) {
	a.Verdict, a.Reason = fact.Unchecked, "the release has no such file"
	for _, p := range t.m.Artifacts {
		if p.Stage == a.Stage && p.Profile == a.Profile && p.Platform == a.Platform && p.Package == a.Package {
			a.Verdict, a.Reason = fact.Different, ""
			if p.SHA256 == a.SHA256 {
				a.Verdict = fact.Identical
			}
		}
	}
}
