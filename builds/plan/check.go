package plan

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// RuleError is one rule of plans that a plan breaks: no planner of this version
// makes such a one.
type RuleError struct {
	Unit string // its ID, or its number if the ID is what is wrong; "" for the plan itself
	Err  error  // the rule, with a hint
}

func (e *RuleError) Error() string {
	if e.Unit == "" {
		return "plan: " + e.Err.Error()
	}
	return e.Unit + ": " + e.Err.Error()
}

// Unwrap gives the rule.
func (e *RuleError) Unwrap() error { return e.Err }

// Limits of a plan. They are far above what anybody releases, and keep what is
// done for every unit, main or flag of a stranger's plan bounded.
const (
	maxUnits    = profiles.MaxPlatforms
	maxMains    = 1000 // of a unit
	maxPrograms = 20_000
	maxFiles    = 10_000 // of a unit
	maxSettings = 1000   // flags, and variables, of a unit
	maxText     = 64 << 10
	maxReported = 40 // errors of one plan
)

var (
	sumForm    = regexp.MustCompile(`^h1:[A-Za-z0-9+/]{43}=$`)
	commitForm = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
	digestForm = regexp.MustCompile(`^[0-9a-f]{64}$`)
	// What a module proxy says of a version's commit, if anything: it knows
	// other systems than git, and of a pseudo-version the beginning of a hash.
	proxyForm = regexp.MustCompile(`^[A-Za-z0-9.:_-]{0,128}$`)
)

// Check holds a plan against the rules by which planners make them. Every
// planner runs it over what it made, so that it is neither stricter nor laxer
// than they are. All that is wrong is reported, each as a [RuleError]; of very
// much, the beginning.
func (p *Plan) Check() error {
	c := &checker{plan: p}
	c.head()
	if len(p.Units) > maxUnits {
		c.report("", "", "%d units, more than %d", len(p.Units), maxUnits)
		return c.err() // nothing is done for each of them
	}
	programs := 0
	for i, u := range p.Units {
		programs += len(u.Mains)
		c.unit(i, u)
	}
	if programs > maxPrograms {
		c.report("", "", "%d programs, more than %d", programs, maxPrograms)
	}
	c.order()
	c.universal()
	c.images()
	c.collisions()
	return c.err()
}

type checker struct {
	plan *Plan
	errs []error
	more int
}

func (c *checker) report(unit, tip, format string, args ...any) {
	c.add(unit, tip, fmt.Errorf(format, args...))
}

// add takes the errors of an errors.Join apart.
func (c *checker) add(unit, tip string, err error) {
	for _, err := range fault.Leaves(err) {
		if len(c.errs) == maxReported {
			c.more++
			continue
		}
		hint := cmp.Or(tip, fault.Hint(err), "mintmark makes no such plan: ask who published it, or build its source with its profile file (mintmark release -dir=DIR)")
		c.errs = append(c.errs, &RuleError{unit, &fault.Error{Err: err, Tip: hint}})
	}
}

func (c *checker) err() error {
	if c.more > 0 {
		c.errs = append(c.errs, &RuleError{"", fault.Errorf("the plan is not one of mintmark's", "and %d more", c.more)})
	}
	return errors.Join(c.errs...)
}

// head checks what the units have in common.
func (c *checker) head() {
	p, s := c.plan, c.plan.Source
	c.add("", "", profiles.CheckProject(p.Project))
	if exact, err := toolchain.Exact(p.Go); err != nil || exact != p.Go {
		c.report("", "name one release, such as go1.26.8", "the toolchain %.40q is no exact release", p.Go)
	}
	if s.Kind != fact.SourceGit && s.Kind != fact.SourceModule {
		c.report("", "", "the kind of source %.40q is neither %s nor %s", s.Kind, fact.SourceGit, fact.SourceModule)
	}
	if err := module.CheckImportPath(s.Module); err != nil {
		c.add("", "", err)
	} else if s.Kind == fact.SourceModule {
		c.add("", "", module.Check(s.Module, s.Version))
	}
	if !sumForm.MatchString(s.Sum) {
		c.report("", "", "the source's hash %.80q has not the form h1:…=", s.Sum)
	}
	switch {
	case s.Kind == fact.SourceGit && commitForm.MatchString(s.Commit), s.Kind == fact.SourceModule && proxyForm.MatchString(s.Commit):
	case p.Snapshot && s.Commit == "": // of a tree without a commit
	default:
		c.report("", "", "the commit %.80q is no hash", s.Commit)
	}
	if t, err := time.Parse(time.RFC3339, s.CommitTime); err != nil || t.UTC().Format(time.RFC3339) != s.CommitTime {
		c.report("", "", "the commit's time %.40q is not of the form 2006-01-02T15:04:05Z", s.CommitTime)
	}
	if s.Dir != "" && (!fs.ValidPath(s.Dir) || s.Dir == "." || profiles.CheckFile("directory", s.Dir) != nil) {
		c.report("", "", "the module's directory %.80q is no path in the repository", s.Dir)
	}
	c.version()
	if !slices.Equal(p.Env, CommonEnv()) {
		c.report("", "use the version of mintmark that made it", "it was made for another build environment than this mintmark's")
	}
	c.generate()
	if len(p.Units) == 0 {
		c.report("", "", "no units: it builds nothing")
	}
}

// version checks what the plan says of the version of the release and of the module.
func (c *checker) version() {
	p, s := c.plan, c.plan.Source
	if (p.From == fact.OfTag) != (p.Tag != "") {
		c.report("", "", "the tag %.80q, and the version is %.40q", p.Tag, p.From)
	}
	switch v := strings.TrimSuffix(s.Version, "+incompatible"); {
	case p.Snapshot && p.From == fact.OfTemplate:
		c.add("", "", profiles.CheckVersion(p.Version))
	case p.Snapshot && p.From != fact.OfSource:
		c.report("", "", "the version of a snapshot is %.40q", p.From)
	case p.Snapshot:
		if !strings.HasPrefix(p.Version, strings.TrimPrefix(s.Version, "v")+"-snapshot") || profiles.CheckName("v"+p.Version) != nil {
			c.report("", "", "the version %.80q is not that of a snapshot of %.80q", p.Version, s.Version)
		}
	case v == "" || semver.Canonical(v) != v:
		c.report("", "", "the version %.80q of the module is none", s.Version)
	case p.From == fact.OfSource:
		if p.Version != strings.TrimPrefix(s.Version, "v") {
			c.report("", "", "the version %.80q is not that of the module, %.80q", p.Version, s.Version)
		}
	case s.Kind != fact.SourceGit || p.From != fact.OfTag && p.From != fact.Given:
		c.report("", "", "the version of a %.40s is %.40q", s.Kind, p.From)
	case !fact.IsVersion(p.Version):
		c.report("", "", "%.80q is no version", p.Version)
	case p.From == fact.OfTag && (!fact.TagSays(p.Tag, p.Version) || !profiles.IsTag(p.Tag)):
		c.report("", "", "the tag %.80q does not say the version %.80q", p.Tag, p.Version)
	}
}

// name is how errors call a unit.
func (c *checker) name(i int, u *Unit) string {
	if _, err := profiles.ParsePlatform(u.Platform); err != nil || profiles.CheckProfileName(u.Profile) != nil {
		return fmt.Sprintf("unit %d", i+1)
	}
	return u.ID()
}

// unit checks what a unit is by itself.
func (c *checker) unit(i int, u *Unit) {
	name := c.name(i, u)
	add := func(err error) { c.add(name, "", err) }
	if c.tooMany(name, u) {
		return
	}
	report := func(format string, args ...any) { c.report(name, "", format, args...) }
	add(profiles.CheckProfileName(u.Profile))
	pl, err := profiles.ParsePlatform(u.Platform)
	add(err)
	if err == nil {
		add(checkUnitEnv(u, pl))
	}
	add(c.flags(u))
	if !u.Replaced {
		add(checkNames(u))
	}
	add(checkArchives(u))
	add(profiles.CheckChoice("verify", string(u.Verify)))
	add(profiles.CheckUPX(u.UPX, u.UPXVersion, u.UPXSHA256))
	if u.MaxSize < 0 || u.MaxGrowth < 0 || u.MaxStartup < 0 {
		report("a budget is negative")
	}
	add(checkMains(u))
	if err == nil {
		add(c.library(u, pl))
	}
	add(checkUnitFiles(u))
	add(checkUnitPackages(u))
	if p := u.Packages; p != nil && p.Version != c.plan.Version {
		report("packages of version %.80q, and the release is of %.80q", p.Version, c.plan.Version)
	}
}

// tooMany reports what of a unit is more than is looked at.
func (c *checker) tooMany(name string, u *Unit) bool {
	for _, l := range []struct {
		what   string
		n, max int
	}{
		{"main packages", len(u.Mains), maxMains}, {"files", len(u.Files) + len(u.PlacedFiles), maxFiles}, {"PGO profiles", len(u.PGO), maxMains},
		{"flags", len(u.Flags), maxSettings}, {"variables", len(u.Env), maxSettings}, {"UPX flags", len(u.UPX), maxSettings},
		{"formats of archives", len(u.MoreArchives), maxSettings}, {"files in packages", u.packaged(), maxFiles},
	} {
		if l.n > l.max {
			c.report(name, "", "%d %s, more than %d", l.n, l.what, l.max)
			return true
		}
	}
	for _, s := range slices.Concat(u.Env, u.Flags, u.UPX, u.Files, u.placedTexts()) {
		if len(s) > maxText {
			c.report(name, "", "%.40q… has %d bytes, more than %d", s, len(s), maxText)
			return true
		}
	}
	return false
}

// checkUnitEnv wants the platform's variables, cgo, and the profile's, sorted.
func checkUnitEnv(u *Unit, pl profiles.Platform) error {
	fixed := pl.Env()
	n := len(fixed)
	if len(u.Env) <= n || !slices.Equal(u.Env[:n], fixed) || u.Env[n] != "CGO_ENABLED=0" && u.Env[n] != "CGO_ENABLED=1" {
		return fmt.Errorf("the variables %.200q do not begin with %q and CGO_ENABLED", u.Env, fixed)
	}
	return profiles.CheckEnv(u.Env[n+1:])
}

// unitFlags are the flags of a unit with these settings.
func unitFlags(s profiles.Settings, goVersion string, kind fact.SourceKind) []string {
	flags := s.BuildFlags(goVersion)
	if kind == fact.SourceModule { // go install takes neither
		flags = slices.DeleteFunc(flags, func(f string) bool { return strings.HasPrefix(f, "-mod=") || strings.HasPrefix(f, "-buildvcs=") })
	}
	return flags
}

// flags takes the flags apart and writes them anew, which is the only spelling
// a unit may have.
func (c *checker) flags(u *Unit) error {
	s, err := profiles.ReadBuildFlags(u.Flags)
	if err != nil {
		return err
	}
	if again := unitFlags(s, c.plan.Go, c.plan.Source.Kind); !slices.Equal(again, u.Flags) {
		return fmt.Errorf("the flags %.400q are not in the form in which mintmark writes them, %.400q", u.Flags, again)
	}
	return checkUnitPGO(u, s.PGO)
}

// checkUnitPGO holds the profiles against the flag: one that is named, or
// default.pgo beside a main package.
func checkUnitPGO(u *Unit, setting string) error {
	var errs []error
	switch {
	case setting == "auto":
		errs = append(errs, errors.New("-pgo=auto: it is what no flag means"))
	case setting == "off" && len(u.PGO) > 0:
		errs = append(errs, errors.New("-pgo=off, and a PGO profile is recorded"))
	case setting != "" && setting != "off" && (len(u.PGO) != 1 || u.PGO[0].Path != path.Clean(setting)):
		errs = append(errs, fmt.Errorf("-pgo=%s, and another PGO profile is recorded", setting))
	}
	seen := map[string]bool{}
	for _, g := range u.PGO {
		if !fs.ValidPath(g.Path) || profiles.CheckFile("pgo", g.Path) != nil || seen[g.Path] || setting == "" && path.Base(g.Path) != "default.pgo" {
			errs = append(errs, fmt.Errorf("PGO profile %.200q", g.Path))
		}
		if !digestForm.MatchString(g.SHA256) {
			errs = append(errs, fmt.Errorf("PGO profile %.200q: %.80q is no SHA-256", g.Path, g.SHA256))
		}
		seen[g.Path] = true
	}
	return errors.Join(errs...)
}

// checkMains wants at least one program, sorted, each with a file of its own.
func checkMains(u *Unit) error {
	var errs []error
	if len(u.Mains) == 0 {
		errs = append(errs, errors.New("no main package: it builds nothing"))
	}
	seen := map[string]string{}
	for i, m := range u.Mains {
		errs = append(errs, module.CheckImportPath(m.Package))
		if err := profiles.CheckName(m.Binary); err != nil {
			errs = append(errs, fmt.Errorf("binary of %.200q: %w", m.Package, err))
		}
		if i > 0 && u.Mains[i-1].Package >= m.Package {
			errs = append(errs, fmt.Errorf("the main packages %.200q and %.200q are not in order", u.Mains[i-1].Package, m.Package))
		}
		if other, ok := seen[foldName(m.Binary)]; ok {
			errs = append(errs, fmt.Errorf("%.200q and %.200q both make a binary named %.200q", other, m.Package, m.Binary))
		}
		seen[foldName(m.Binary)] = m.Package
	}
	return errors.Join(errs...)
}

// packaged is how much is in the unit's packages beside programs.
func (u *Unit) packaged() int {
	if u.Packages == nil {
		return 0
	}
	return len(u.Packages.Contents)
}

// placedTexts are what the placed files say.
func (u *Unit) placedTexts() (texts []string) {
	for _, f := range u.PlacedFiles {
		texts = append(texts, f.Src, f.Dst)
	}
	return texts
}

// checkArchives wants different formats, sorted, or none at all.
func checkArchives(u *Unit) error {
	errs := []error{profiles.CheckChoice("archive", u.Archive)}
	for i, format := range u.MoreArchives {
		errs = append(errs, profiles.CheckChoice("archive", format))
		if before := append([]string{u.Archive}, u.MoreArchives...)[i]; before >= format {
			errs = append(errs, fmt.Errorf("the archives %.40q and %.40q are not in order", before, format))
		}
		if format == fact.NoArchive || u.Archive == fact.NoArchive {
			errs = append(errs, errors.New("archives beside none"))
		}
	}
	return errors.Join(errs...)
}

// checkNames wants one name for all that is published of the unit, or one for each
// program that is published by itself, and says what may be called otherwise than by
// default: only in an archive is there a path, and a library knows its name.
func checkNames(u *Unit) error {
	var errs []error
	bare, named := u.Archive == fact.NoArchive, 0
	for _, m := range u.Mains {
		if m.Name != "" {
			named++
			errs = append(errs, profiles.CheckName(m.Name))
		}
		switch {
		case m.Path == "":
		case m.Path == m.Binary:
			errs = append(errs, fmt.Errorf("binary of %.200q: its path is its name", m.Package))
		case bare && !u.Mode().Library():
			errs = append(errs, fmt.Errorf("binary of %.200q: a path in an archive, and no archive", m.Package))
		case bare && strings.Contains(m.Path, "/"):
			errs = append(errs, fmt.Errorf("binary of %.200q: %.200q is a path, and there is no archive", m.Package, m.Path))
		default:
			errs = append(errs, profiles.CheckPath("binary of "+m.Package, m.Path))
		}
	}
	switch {
	case named == 0:
		errs = append(errs, profiles.CheckName(u.Name))
	case !bare || named < len(u.Mains) || len(u.Mains) == 1 || u.Name != "":
		errs = append(errs, errors.New("names of programs beside the unit's: it has one, or each of several programs without an archive has one"))
	}
	if u.Wrap != "" {
		errs = append(errs, profiles.CheckPath("wrap", u.Wrap))
		if bare {
			errs = append(errs, fmt.Errorf("wrap %.200q, and no archive", u.Wrap))
		}
	}
	return errors.Join(errs...)
}

// checkUnitFiles checks what goes into the archive.
func checkUnitFiles(u *Unit) error {
	if u.Archive == fact.NoArchive {
		if n := len(u.Files) + len(u.PlacedFiles); n > 0 {
			return fmt.Errorf("%d files for an archive, and no archive", n)
		}
		return nil
	}
	if !slices.IsSorted(u.Files) {
		return errors.New("the files are not sorted")
	}
	var errs []error
	for i, f := range u.PlacedFiles {
		if !fs.ValidPath(f.Src) || f.Src == "." || profiles.CheckFile("file", f.Src) != nil {
			errs = append(errs, fmt.Errorf("file %.200q: no path in the commit", f.Src))
		}
		if f.Mode != "" && !slices.Contains(fact.Modes(), f.Mode) {
			errs = append(errs, fmt.Errorf("file %.200q: the mode %.40q", f.Src, f.Mode))
		}
		if f.Dst == f.Src && f.Mode == "" {
			errs = append(errs, fmt.Errorf("file %.200q: neither its place nor its mode is another", f.Src))
		}
		if i > 0 && u.PlacedFiles[i-1].Dst >= f.Dst {
			errs = append(errs, fmt.Errorf("the files %.200q and %.200q are not in order", u.PlacedFiles[i-1].Dst, f.Dst))
		}
	}
	e := u.Shape().Archive()
	if e == nil {
		return errors.Join(errs...) // no main packages, which is said
	}
	return errors.Join(append(errs, archive.CheckNames(e.Members))...)
}

// foldName is equal for names that are one file where case does not count.
func foldName(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// order wants the units sorted, and each of them once: also those whose
// platforms are written differently and mean the same build.
func (c *checker) order() {
	units := c.plan.Units
	seen := map[string]*Unit{}
	for i, u := range units {
		if i > 0 && compareUnits(units[i-1], u) > 0 {
			c.report(c.name(i, u), "", "the units are not in order")
		}
		pl, err := profiles.ParsePlatform(u.Platform)
		if err != nil {
			continue
		}
		key := u.Profile + " " + pl.Canonical().String()
		if other := seen[key]; other != nil {
			c.report(c.name(i, u), "", "is the same build as %s", other.ID())
		}
		seen[key] = u
	}
}

// compareUnits is the order of the units of a plan.
func compareUnits(a, b *Unit) int {
	return cmp.Or(strings.Compare(a.Profile, b.Profile), strings.Compare(a.Platform, b.Platform))
}

// collisions wants published files of different names.
func (c *checker) collisions() {
	taken := map[string]string{}
	publish := func(by string, names []string) {
		for _, name := range names {
			folded := foldName(name)
			if first, ok := taken[folded]; ok {
				c.report(by, "", "would publish %.200q, as does %s", name, first)
				continue
			}
			taken[folded] = by
		}
	}
	for i, u := range c.plan.Units {
		publish(c.name(i, u), u.Published())
	}
	for i, x := range c.plan.Universal {
		publish(fmt.Sprintf("universal %d", i+1), x.Unit().Published())
	}
}
