package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/version"
	"maps"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/profiles"
	"golang.org/x/mod/module"
	"golang.org/x/sync/errgroup"
)

// Planner makes a plan of profiles, a source and a toolchain.
type Planner struct {
	File     *profiles.File
	Selected []profiles.Selected
	Source   *source.Source
	Version  string // of the release, without v
	Summary  string // for templates; see [profiles.Vars]
	// From says where Version comes from, and Tag is the version tag of the commit; ""
	// for none.
	From     fact.VersionFrom
	Tag      string
	Go       string
	Snapshot bool
	Loader   *Loader
	// Deps makes the planner load all dependencies: they are fetched, errors
	// in them are found, and -X variables are looked up.
	Deps bool
	// Generate are the commands whose files the checkout has already; see [Commands].
	Generate []Generate
	// Tree is the user's directory of the module, for hints about it; "" if the
	// source is in none.
	Tree string
	// Part says that of what the profile file has, only some is selected: what is made of
	// all of it is in no such plan.
	Part bool
	// Typed makes it keep all packages, for [Planner.Types].
	Typed bool
	// Alter, if not nil, changes the expanded settings of every unit: for builds
	// that are compared with the profile's and never released.
	Alter func(*profiles.Settings)

	skipped  []fact.Skipped
	mu       sync.Mutex
	modules  map[string]module.Version
	owners   map[string]Owner // of packages
	embedded map[string]bool
	c        map[string]map[string]bool // unit ID → packages with C code
	pgoUses  map[string]pgoUse          // by unit ID

	cPackages map[string][]*Package // unit ID → those of them that are not the standard library's
	packages  map[string][]*Package // unit ID → all, if Typed
	own       map[string]bool       // Go files of the product's own packages, slash-separated paths from the module's directory
	readers   []*reader             // units and what of the checkout they are built of
	remarks   profiles.Problems

	lostOnce sync.Once // of mainDirs
	mainDirs []mainDir
	lostErr  error
}

// Needed is a module that the planned units need.
type Needed struct {
	Path   string         // as it is imported
	Module module.Version // what is downloaded for it: something else if go.mod replaces it
}

// Modules are all modules the planned units need, sorted by path; known after a
// plan with Deps. Empty when everything is vendored.
func (pl *Planner) Modules() []Needed {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	var all []Needed
	for _, path := range slices.Sorted(maps.Keys(pl.modules)) {
		all = append(all, Needed{path, pl.modules[path]})
	}
	return all
}

// Owner is the module that a package is of.
type Owner struct {
	Standard bool           // of the standard library, which has no module here
	Main     bool           // of the product
	Module   module.Version // as it is imported, with the version that is built
}

// Owner is that of a package, by import path; known after a plan with Deps.
func (pl *Planner) Owner(pkg string) (o Owner, known bool) {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	o, known = pl.owners[pkg]
	return o, known
}

// noteOwner notes whose a package is.
func (pl *Planner) noteOwner(p *Package) {
	o := Owner{Standard: p.Standard}
	if m := p.Module; m != nil && !p.Standard {
		o.Main, o.Module = m.Main, module.Version{Path: m.Path, Version: m.Version}
		if m.Replace != nil {
			o.Module.Version = m.Replace.Version
			if m.Replace.Path != m.Path {
				o.Module.Version = strings.TrimSpace(m.Replace.Path + " " + m.Replace.Version)
			}
		}
	}
	pl.owners[p.ImportPath] = o
}

// Note takes note of what go list says of a unit, and of all its dependencies,
// that somebody else has planned: for [Planner.Modules] and [Planner.C].
func (pl *Planner) Note(u *Unit, pkgs []*Package) {
	pl.need(pkgs, slices.Contains(u.Flags, "-mod=vendor"))
	pl.noteC(u, pkgs)
}

// Embedded are the product's own files that its packages embed, as paths from
// the module's directory, sorted; known after a plan with Deps.
func (pl *Planner) Embedded() []string {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	return slices.Sorted(maps.Keys(pl.embedded))
}

func (pl *Planner) need(pkgs []*Package, vendored bool) {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if pl.modules == nil {
		pl.modules = map[string]module.Version{}
	}
	in := pl.checkout()
	if pl.embedded == nil {
		pl.embedded, pl.own = map[string]bool{}, map[string]bool{}
	}
	if pl.owners == nil {
		pl.owners = map[string]Owner{}
	}
	for _, p := range pkgs {
		pl.noteOwner(p)
		m := p.Module
		if in.has(p.Dir) {
			for _, name := range p.EmbedFiles {
				pl.embedded[in.fromModule(p.Dir, name)] = true
			}
			for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
				pl.own[in.fromModule(p.Dir, name)] = true
			}
		}
		if from, ok := p.download(); ok && !vendored {
			pl.modules[m.Path] = from
		}
	}
}

// draft is a unit in the making.
type draft struct {
	unit     *Unit
	profile  *profiles.Profile
	platform profiles.Platform
	settings profiles.Settings
	problems profiles.Problems
	remarks  profiles.Problems
	errs     []error
	programs []program // those there are, where the built-in profile finds none at the module's root
	slices   []string  // of universal binaries: the platforms of the units that they are made from
}

// Plan expands every profile on every platform. All problems found are
// returned together: as [profiles.Problems] where they have a position.
func (pl *Planner) Plan(ctx context.Context) (*Plan, error) {
	known, err := pl.Loader.Goroot.Platforms()
	if err != nil {
		return nil, err
	}
	drafts, problems := pl.drafts(known)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for _, d := range drafts {
		g.Go(func() error { // errors are kept in the draft, so that all are reported
			pl.fill(ctx, d)
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	plan := &Plan{
		Schema:   fact.PlanSchema,
		Project:  pl.File.Project,
		Version:  pl.Version,
		From:     pl.From,
		Snapshot: pl.Snapshot,
		Source:   pl.Source.ID(),
		Go:       pl.Go,
		Env:      CommonEnv(),
		Generate: pl.Generate,
	}
	if pl.From == fact.OfTag {
		plan.Tag = pl.Tag
	}
	var errs []error
	if len(pl.File.Images) > 0 && pl.Alter == nil && !pl.Part {
		plan.Images, err = pl.File.ImagesOf(pl.Vars())
		errs = append(errs, fault.Leaves(err)...)
	}
	var whole []*draft // those whose names are known
	var combined []*draft
	if pl.Alter == nil {
		combined = pl.universal(drafts, func(d *draft, problem reporter) error { return pl.files(ctx, d, problem) })
	}
	for _, d := range combined { // what is remarkable of it is so of its units
		if len(d.problems) == 0 && len(d.errs) == 0 {
			whole = append(whole, d)
		}
		problems = append(problems, d.problems...)
		errs = append(errs, d.errs...)
		plan.Universal = append(plan.Universal, d.universalBinaries())
	}
	for _, d := range drafts {
		if len(d.problems) == 0 && len(d.errs) == 0 && len(d.unit.Mains) > 0 {
			whole = append(whole, d)
		}
		problems = append(problems, d.problems...)
		pl.remarks = append(pl.remarks, d.remarks...)
		errs = append(errs, d.errs...)
		plan.Units = append(plan.Units, d.unit)
	}
	problems = append(problems, pl.rootless(drafts)...)
	problems = dedupe(append(problems, pl.collisions(whole)...), append(combined, drafts...)...)
	if len(problems) > 0 {
		errs = append([]error{problems}, errs...)
	}
	if err := errors.Join(distinct(errs)...); err != nil {
		return nil, err
	}
	slices.SortStableFunc(plan.Units, compareUnits)
	slices.SortFunc(plan.Universal, compareUniversal)
	if pl.Alter != nil {
		return plan, nil // what a comparison builds is in nobody's release
	}
	// A stranger holds the plan against these rules.
	if err := plan.Check(); err != nil {
		return nil, err
	}
	return plan, nil
}

// drafts are the beginnings of all units. What is selected and not known to the
// toolchain is left out, or wrong, as the profile has it.
func (pl *Planner) drafts(known []string) (drafts []*draft, problems profiles.Problems) {
	pl.skipped = nil
	for _, sel := range pl.Selected {
		var unknown []profiles.Platform
		for _, p := range sel.Platforms {
			if slices.Contains(known, p.OS+"/"+p.Arch) {
				drafts = append(drafts, &draft{profile: sel.Profile, platform: p})
			} else {
				unknown = append(unknown, p)
			}
		}
		if len(unknown) == 0 {
			continue
		}
		skip, wrong := sel.Profile.Unknown(unknown, pl.Go)
		problems = append(problems, wrong...)
		if len(skip) > 0 {
			s := fact.Skipped{Profile: sel.Profile.Name}
			for _, p := range skip {
				s.Platforms = append(s.Platforms, p.String())
			}
			pl.skipped = append(pl.skipped, s)
		}
		if len(skip) == len(sel.Platforms) {
			problems = append(problems, pl.File.Problem(sel.Profile.Pos(skip[0], "platforms"), fmt.Sprintf("%s can build for none of the platforms of profile %s", pl.Go, sel.Profile.Name), "`go tool dist list` of that toolchain prints what it can build for"))
		}
	}
	return drafts, problems
}

// Skipped are the platforms that the last plan leaves out, in the order of the file.
func (pl *Planner) Skipped() []fact.Skipped { return pl.skipped }

// fill makes the unit of a draft. What is wrong is kept in the draft.
func (pl *Planner) fill(ctx context.Context, d *draft) {
	u := &Unit{Profile: d.profile.Name, Platform: d.platform.String()}
	d.unit = u
	problem := func(key, hint, format string, args ...any) {
		d.problems = append(d.problems, pl.File.Problem(d.profile.Pos(d.platform, key), fmt.Sprintf(format, args...), hint))
	}
	s, ok := pl.expand(d)
	if !ok {
		pl.missingFiles(d, problem)
		return
	}
	if pl.Alter != nil {
		pl.Alter(&s)
	}
	if d.profile.Pos(d.platform, "mod").Line == 0 && pl.Source.Vendored && version.Compare("go"+pl.Source.GoLine, "go1.14") >= 0 {
		s.Mod = "vendor" // what the go command does when nothing is said (https://go.dev/ref/mod#build-commands)
	}
	d.settings = s
	u.follow(s, d.platform, pl.Go, pl.Source.Kind)
	pkgs, err := pl.Loader.List(ctx, u.Env, u.Flags, s.Main, pl.Deps)
	pl.noteReader(u, s.Main, pkgs)
	if err != nil {
		pl.unlisted(ctx, d, err, problem)
		if len(pkgs) == 0 {
			return
		}
	}
	pl.Note(u, pkgs)
	mains := pl.mains(d, pkgs, problem)
	if len(mains) == 0 && err == nil && len(d.problems) == 0 {
		problem("main", "name the directories of the programs, such as main: ./cmd/...", "no main package in %s for %s", strings.Join(s.Main, " "), u.Platform)
	}
	if lerr := pl.library(ctx, d, mains, problem); lerr != nil {
		d.errs = append(d.errs, fmt.Errorf("%s: %w", u.ID(), lerr))
	}
	pl.name(d, problem)
	if err == nil {
		if err := pl.lostMains(ctx, d, mains); err != nil {
			d.errs = append(d.errs, fmt.Errorf("%s: %w", u.ID(), err))
		}
	}
	if err := errors.Join(pl.pgo(ctx, d, mains, problem), pl.files(ctx, d, problem), pl.packageUp(ctx, d, problem)); err != nil {
		d.errs = append(d.errs, fmt.Errorf("%s: %w", u.ID(), err))
	}
	d.checkMembers(problem)
	if pl.Deps && err == nil {
		pl.usePGO(u, pkgs)
		if pl.Typed {
			pl.keepTypes(u, pkgs)
		}
	}
	if pl.Deps && err == nil && len(s.Set) > 0 {
		if err := pl.Loader.ready(ctx); err != nil {
			d.errs = append(d.errs, fmt.Errorf("%s: %w", u.ID(), err))
			return
		}
		pl.variables(d, pkgs, problem)
	}
}

// expand gives the settings of a draft; not ok if something is wrong, which the draft has.
func (pl *Planner) expand(d *draft) (s profiles.Settings, ok bool) {
	s, err := d.profile.Expand(d.platform, pl.vars())
	var ps profiles.Problems
	switch {
	case errors.As(err, &ps):
		d.problems = append(d.problems, ps...)
	case err != nil:
		d.errs = append(d.errs, fmt.Errorf("%s: %w", d.unit.ID(), err))
	}
	return s, err == nil
}

// unlisted says what the go command's errors about the packages mean for a draft.
func (pl *Planner) unlisted(ctx context.Context, d *draft, listing error, problem func(key, hint, format string, args ...any)) {
	for _, err := range fault.Leaves(listing) {
		var pe *packageError
		if errors.As(err, &pe) && pe.noPackage() {
			// Only build constraints depend on the platform; the rest is said once.
			what, hint := "", "name directories of the commit that hold package main, such as main: ./cmd/..."
			if strings.Contains(err.Error(), "build constraints") {
				what, hint = " for "+d.unit.Platform, "give "+d.unit.Platform+" a profile of its own or an override with another main, or exclude it"
			}
			key := mainKey(d.settings.Main, pe.pkg.ImportPath)
			if own := pl.ownModule(pe.pkg.ImportPath); own != "" {
				problem(key, "build that module with a profile file of its own: -dir="+shell.Name(filepath.Join(pl.Tree, filepath.FromSlash(own))), "%s: %s/go.mod makes it a module of its own, and mintmark builds one module without go.work", pe.pkg.ImportPath, own)
				continue
			}
			if pl.File.Path == "" && what == "" {
				if programs := pl.programs(ctx, d.unit); len(programs) > 0 {
					d.programs = programs // the others' platforms may have more
					continue
				}
			}
			if tip := fault.Hint(err); tip != "" {
				problem(key, tip, "%v", err) // the package may be there: something it needs is not
				continue
			}
			problem(key, hint, "no package%s: %v", what, err)
			continue
		}
		d.errs = append(d.errs, fmt.Errorf("%s: %w", d.unit.ID(), err))
	}
}

// mains are the main packages of a draft, which become those of its unit.
func (pl *Planner) mains(d *draft, pkgs []*Package, problem func(key, hint, format string, args ...any)) []*Package {
	u, wanted := d.unit, d.settings.Main
	var mains []*Package
	for _, p := range pkgs {
		if p.DepOnly || p.Error != nil {
			continue
		}
		if p.Name == "main" {
			mains = append(mains, p)
			u.Mains = append(u.Mains, fact.Main{Package: p.ImportPath, Binary: p.Binary()})
		} else if !wild(wanted) {
			problem("main", "name a directory that holds package main", "%s is package %s, not a program", p.ImportPath, p.Name)
		}
	}
	sort.Slice(u.Mains, func(i, j int) bool { return u.Mains[i].Package < u.Mains[j].Package })
	return mains
}

// follow puts into the unit what its settings say, but for what is looked up in the
// source: main packages and what follows from their names, profiles of the
// optimiser, files.
func (u *Unit) follow(s profiles.Settings, p profiles.Platform, goVersion string, kind fact.SourceKind) {
	cgo := "0"
	if s.CGO {
		cgo = "1"
	}
	u.Env = append(p.Env(), "CGO_ENABLED="+cgo)
	for _, k := range slices.Sorted(maps.Keys(s.Env)) {
		u.Env = append(u.Env, k+"="+s.Env[k])
	}
	u.Flags = unitFlags(s, goVersion, kind)
	if u.UPX, u.Verify = s.UPX, s.Verify; len(s.Archive) > 0 {
		u.Archive, u.MoreArchives = s.Archive[0], s.Archive[1:]
	}
	u.UPXVersion, u.UPXSHA256 = s.UPXVersion, s.UPXSHA256
	u.MaxSize, u.MaxGrowth, u.MaxStartup = s.Budget.Size, s.Budget.Growth, int64(s.Budget.Startup)
}

func wild(patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return strings.Contains(p, "...") })
}

// mainKey is the key of the pattern that gave the package.
func mainKey(patterns []string, importPath string) string {
	for i, p := range patterns {
		if p == importPath || strings.HasPrefix(p, "./") && strings.HasSuffix(importPath, path.Clean(p)) {
			return fmt.Sprintf("main[%d]", i)
		}
	}
	return "main"
}

func (pl *Planner) vars() profiles.Vars {
	v := CommitVars(pl.Source, pl.Version, pl.Tag)
	v.Summary = pl.Summary
	return v
}

// CommitVars are the variables of templates that follow from the commit: of a
// version, without v, and the tag that says it.
func CommitVars(s *source.Source, version, tag string) profiles.Vars {
	short := s.Commit
	if len(short) > 7 {
		short = short[:7]
	}
	return profiles.Vars{
		Version: version, Tag: tag, Commit: s.Commit, ShortCommit: short,
		CommitDate: s.ID().CommitTime, CommitTimestamp: fmt.Sprint(s.CommitTime.Unix()),
	}
}

// collisions finds published files of one name. Names that differ in case
// only collide too: they are one file on Windows and macOS.
func (pl *Planner) collisions(drafts []*draft) profiles.Problems {
	type claim struct {
		id string
		d  *draft
	}
	claimed := map[string]claim{}
	var problems profiles.Problems
	for _, d := range drafts {
		for _, name := range d.unit.Published() {
			id, folded := d.unit.ID(), foldName(name)
			if first, taken := claimed[folded]; taken && first.d == d {
				problems = append(problems, pl.File.Problem(d.profile.Pos(d.platform, "name"),
					fmt.Sprintf("%s would publish two files named %s", id, name), "write {{.Binary}} in it"))
				continue
			} else if taken && d.unit.inPackage(name) {
				problems = append(problems, pl.File.Problem(d.profile.Pos(d.platform, "packages.formats"),
					fmt.Sprintf("%s and %s would both publish %s", first.id, id, name),
					"give one of them another name (packages: {name: …}), or no packages in an override: {platforms: ["+d.unit.Platform+"], packages: {formats: none}}"))
				continue
			} else if taken {
				problems = append(problems, pl.File.Problem(d.profile.Pos(d.platform, "name"),
					fmt.Sprintf("%s and %s would both publish %s", first.id, id, name),
					"give one of them a name of its own, such as name: \"{{.Project}}_{{.Profile}}_{{.Version}}_{{.OS}}_{{.Arch}}{{with .Variant}}_{{.}}{{end}}\""))
				continue
			}
			claimed[folded] = claim{id, d}
		}
	}
	return problems
}

// dedupe sorts problems by position and drops repetitions: most hold for every platform.
// What is said of a template names the platform; of what is the same on those of
// several drafts, the first is kept.
func dedupe(ps profiles.Problems, drafts ...*draft) profiles.Problems {
	bare := func(message string) string {
		for _, d := range drafts {
			if rest, ok := strings.CutPrefix(message, d.profile.Name+": "+d.platform.String()+": "); ok {
				return rest
			}
		}
		return message
	}
	slices.SortStableFunc(ps, func(a, b profiles.Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column), cmp.Compare(bare(a.Message), bare(b.Message)), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(ps, func(a, b profiles.Problem) bool { return a.Pos == b.Pos && bare(a.Message) == bare(b.Message) })
}

// distinct drops errors that say the same, such as one broken go.mod on every platform.
func distinct(errs []error) []error {
	seen := map[string]bool{}
	var out []error
	for _, err := range errs {
		text := err.Error()
		if _, rest, ok := strings.Cut(text, ": "); ok {
			text = rest
		}
		if !seen[text] {
			seen[text] = true
			out = append(out, err)
		}
	}
	return out
}
