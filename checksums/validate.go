package checksums

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/fact"
)

// Validate reports every rule that the manifest breaks:
//
//   - schema, kind, project, version, source, toolchain, builder and plan are
//     given; the plan has the plan ID; digests, hashes and times have their form;
//   - a release comes from a clean commit, names its toolchain's hash and has
//     at least one published artifact;
//   - an artifact has a verdict; unchecked has a reason; identical needs two
//     executions; findings belong to different;
//   - actions and rebuilders need two executions as well; actions are of units
//     that have artifacts, one entry each; no count is negative; proven actions
//     have at least two executions; foreign ones are proven and have rebuilders;
//   - how far builds were apart is said of every unit of the plan, once and in a word
//     that there is, or of none; it needs two executions, and a unit of which it is
//     unproven has nothing that is identical;
//   - what people read of an artifact (its build ID, tool and reason) and the
//     circumstances of its builds have only characters that print;
//   - what was not confined has a reason, and nothing else has one;
//   - a packed file has each proof once, in order, or none at all (then nothing is
//     known of it), and nothing else has any; a proof that did not pass has a
//     reason, one that did has none; starts belong to the proofs that start the
//     file, and none of those of a proof that passed failed;
//   - a packed file, a universal binary and an archive name the digests they were made from, and
//     those are in the manifest (and, in an archive, among the members);
//   - the artifacts are those that the plan's units make, one to one: no other,
//     none missing, each under its name and from what the plan makes it from;
//   - a release's plan is of the manifest's project, version, source and toolchain;
//   - generated files are outputs of the plan's commands, which each have a program;
//   - keys are unique, published names are unique whatever their case, and are
//     not those of the files about the release;
//   - a list that is named is another than the usual one; an archive of the source
//     is that of a commit, made at least twice with one result.
func (m *Manifest) Validate() error {
	v := &validation{}
	v.check("schema", is(m.Schema, fact.ManifestSchema))
	v.check("kind", is(m.Kind, KindRelease, KindSnapshot, KindBuild))
	v.check("project", checkWord(m.Project))
	v.check("version", checkWord(m.Version))
	if len(m.Version) > 1 && m.Version[0] == 'v' && m.Version[1] >= '0' && m.Version[1] <= '9' {
		v.addf("version: %q begins with v; the manifest's version is without it", m.Version)
	}
	v.check("version's origin", is(m.From, fact.OfSource, fact.OfTag, fact.Given, fact.OfTemplate))
	switch {
	case m.Kind == KindRelease && m.From == fact.OfTemplate:
		v.addf("version: of a template, in a release")
	case (m.From == fact.OfTag) != (m.Tag != ""):
		v.addf("version: its origin is %q and its tag %q", m.From, m.Tag)
	case (m.From == fact.OfTag || m.From == fact.Given) && !fact.IsVersion(m.Version):
		v.addf("version: %q is no version that a tag says or somebody gives", m.Version)
	case !fact.TagSays(m.Tag, m.Version) && m.Tag != "":
		v.addf("version: the tag %q does not say %q", m.Tag, m.Version)
	}
	if m.Tag != "" {
		v.check("version's tag", checkWord(m.Tag))
	}
	v.source(m)
	v.check("toolchain version", checkWord(m.Toolchain.Version))
	v.check("toolchain host", checkWord(m.Toolchain.Host))
	if m.Kind == KindRelease || m.Toolchain.Sum != "" {
		v.check("toolchain module", checkWord(m.Toolchain.Module))
		_, err := decodeH1(m.Toolchain.Sum)
		v.check("toolchain sum", err)
	}
	v.check("builder name", checkWord(m.Builder.Name))
	v.check("builder version", checkWord(m.Builder.Version))
	if id, err := planID(m.Plan); err != nil {
		v.addf("%w", err)
	} else if id != m.PlanID {
		v.addf("plan: has the plan ID %s, not %s", id, m.PlanID)
	} else {
		v.plan(m)
	}
	v.rebuild(m)
	v.list(m)
	v.artifacts(m)
	if len(v.errs) == 0 {
		return nil
	}
	return errors.Join(v.errs...)
}

type validation struct{ errs []error }

func (v *validation) addf(format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf("manifest: %w", fmt.Errorf(format, args...)))
}

func (v *validation) check(what string, err error) {
	if err != nil {
		v.addf("%s: %w", what, err)
	}
}

func (v *validation) source(m *Manifest) {
	s := m.Source
	release := m.Kind == KindRelease
	v.check("source kind", is(s.Kind, fact.SourceGit, fact.SourceModule))
	v.check("source module", checkWord(s.Module))
	if release || s.Version != "" {
		v.check("source version", checkWord(s.Version))
	}
	if release || s.Sum != "" {
		_, err := decodeH1(s.Sum)
		v.check("source sum", err)
	}
	if s.Commit != "" || release && s.Kind == fact.SourceGit {
		v.check("source commit", checkGitHash(s.Commit))
	}
	if s.Tree != "" {
		v.check("source tree", checkGitHash(s.Tree))
	}
	if release || s.CommitTime != "" {
		t, err := time.Parse(time.RFC3339, s.CommitTime)
		if err == nil && t.UTC().Format(time.RFC3339) != s.CommitTime {
			err = fmt.Errorf("%q is not in UTC with whole seconds", s.CommitTime)
		}
		v.check("source commit time", err)
	}
	if s.Dir != "" {
		v.check("source dir", checkPath(s.Dir))
	}
	if release && len(s.Dirty) > 0 {
		v.addf("source: %d changed files in a release; only a snapshot may be dirty", len(s.Dirty))
	}
	for _, tag := range s.Tags {
		v.check("source tag", checkWord(tag))
	}
	if s.Stamp != "" {
		v.check("source stamp", checkWord(s.Stamp))
	}
	if s.Stamp != "" && s.Kind != fact.SourceGit {
		v.addf("source: the stamp of a commit, and the source is a %s", s.Kind)
	}
	if s.Stamp == "" && len(s.StampTags) > 0 {
		v.addf("source: tags of a stamp, and no stamp")
	}
	for _, tag := range s.StampTags {
		v.check("source stamp tag", checkWord(tag))
	}
	for _, name := range s.Dirty {
		// Any name that a file system takes, but JSON holds only UTF-8.
		if !utf8.ValidString(name) {
			v.addf("source: changed file %q is not UTF-8", name)
		}
	}
}

// check is what any account of builds has to be, whoever built.
func (r Rebuild) check() (errs []error) {
	add := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	if r.Executions < 1 {
		errs = append(errs, fmt.Errorf("rebuild: %d executions; every unit is built at least once", r.Executions))
	}
	add("rebuild", checkConfinement(r.Confinement))
	add("rebuild: generation", is(r.Generation, "", fact.GenerationExecuted, fact.GenerationTaken))
	for _, s := range slices.Concat(r.Varied, r.Attempted, r.Shared) {
		add("rebuild: circumstance", checkText(s))
	}
	return append(errs, r.checkIndependence()...)
}

func (v *validation) rebuild(m *Manifest) {
	r := m.Rebuild
	if r.Generation != "" {
		v.addf("rebuild: how generated files came about is said by generated")
	}
	for _, err := range r.check() {
		v.addf("%w", err)
	}
	if r.Executions < 2 && len(r.Actions)+len(r.Rebuilders) > 0 {
		v.addf("rebuild: actions or rebuilders after %d execution; nothing was rebuilt", r.Executions)
	}
	rebuilders := map[fact.SignerID]bool{}
	for _, id := range r.Rebuilders {
		v.check("rebuild: rebuilder", checkSigner(id))
		if rebuilders[id] {
			v.addf("rebuild: rebuilder %s is there twice", id.Text())
		}
		rebuilders[id] = true
	}
	type unit struct{ profile, platform string }
	units, seen := map[unit]bool{}, map[unit]bool{}
	for _, a := range m.Artifacts {
		if a.Stage == fact.Linked { // what is made of several units has no actions of its own
			units[unit{a.Profile, a.Platform}] = true
		}
	}
	for _, a := range r.Actions {
		what := "rebuild: actions of " + fact.Plain(a.Profile+" "+a.Platform)
		u := unit{a.Profile, a.Platform}
		if !units[u] {
			v.addf("%s: there is no artifact of that profile and platform", what)
		}
		if seen[u] {
			v.addf("%s: are there twice", what)
		}
		seen[u] = true
		v.actions(what, a, len(r.Rebuilders) > 0)
	}
}

// checkConfinement wants a reason for each wall that did not stand, and for no other.
func checkConfinement(c *fact.Confinement) error {
	if c == nil {
		return nil
	}
	var errs []error
	for _, w := range []struct {
		name string
		fact.Hold
	}{{"writes", c.Writes}, {"network", c.Network}} {
		switch {
		case w.Held && w.Reason != "":
			errs = append(errs, fmt.Errorf("confinement: %s: a reason belongs to what was not confined", w.name))
		case !w.Held && w.Reason == "":
			errs = append(errs, fmt.Errorf("confinement: %s: not confined without a reason", w.name))
		}
		if err := checkText(w.Reason); err != nil {
			errs = append(errs, fmt.Errorf("confinement: %s: %w", w.name, err))
		}
	}
	return errors.Join(errs...)
}

func (v *validation) actions(what string, a UnitActions, rebuilders bool) {
	for _, c := range []struct {
		name  string
		count int
	}{{"links", a.Links}, {"links_again", a.LinksAgain}, {"executed", a.Executed}, {"again", a.Again}, {"foreign", a.Foreign}, {"unprovable", a.Unprovable}, {"archive_proven", a.ArchiveProven}, {"package_proven", a.PackageProven}} {
		if c.count < 0 {
			v.addf("%s: %d %s", what, c.count, c.name)
		}
	}
	if a.LinksAgain > a.Links {
		v.addf("%s: %d links_again of %d links", what, a.LinksAgain, a.Links)
	}
	seen := map[int]bool{}
	left := a.Foreign // that are not among the proven so far; a sum could overflow
	for _, p := range a.Proven {
		if p.Executions < 2 {
			v.addf("%s: proven by %d execution; it takes two", what, p.Executions)
		}
		if seen[p.Executions] {
			v.addf("%s: proven by %d executions: is there twice", what, p.Executions)
		}
		seen[p.Executions] = true
		if p.Actions < 1 {
			v.addf("%s: proven by %d executions: %d actions", what, p.Executions, p.Actions)
		}
		left -= min(left, p.Actions)
	}
	if left > 0 {
		v.addf("%s: %d foreign, %d of them not among the proven", what, a.Foreign, left)
	}
	if a.Foreign > 0 && !rebuilders {
		v.addf("%s: %d foreign, and no rebuilder is named", what, a.Foreign)
	}
}

func (v *validation) artifacts(m *Manifest) {
	keys := map[artifactKey]bool{}
	published := map[string]string{}
	digests := map[string]bool{}
	for _, a := range m.Artifacts {
		digests[a.SHA256] = true
	}
	for _, a := range m.Artifacts {
		what := "artifact " + fact.Plain(a.Profile+" "+a.Platform+" "+string(a.Stage)+" "+a.Name)
		v.check(what, checkName(a.Name))
		v.check(what+": profile", checkWord(a.Profile))
		v.check(what+": platform", checkPath(a.Platform))
		v.check(what+": stage", is(a.Stage, fact.Linked, fact.Header, fact.Packed, fact.Universal, fact.Archived, fact.PackageStage))
		v.check(what, checkDigest(a.SHA256))
		if a.Size < 0 {
			v.addf("%s: size %d", what, a.Size)
		}
		if k := (artifactKey{a.Profile, a.Platform, a.Stage, a.Name}); keys[k] {
			v.addf("%s: is there twice", what)
		} else {
			keys[k] = true
		}
		if a.Published {
			fold := foldName(a.Name)
			if _, ok := published[fold]; ok {
				v.addf("%s: two published files have this name (upper and lower case are one)", what)
			}
			published[fold] = a.Name
			if m.List().KindOf(a.Name) != fact.Unknown {
				v.addf("%s: the name belongs to a file about the release", what)
			}
		}
		v.check(what+": build ID", checkText(a.BuildID))
		v.check(what+": tool", checkText(a.Tool))
		v.verdict(what, a, m.Rebuild.Executions)
		v.proofs(what, a)
		v.from(what, a, digests)
		v.members(what, a)
	}
	if m.Kind == KindRelease && len(published) == 0 {
		v.addf("a release without a published artifact")
	}
	if m.SourceArchive != nil {
		v.sourceArchive(m, published)
	}
	v.images(m, published)
}

func (v *validation) verdict(what string, a Artifact, executions int) {
	v.check(what+": verdict", is(a.Verdict, fact.Identical, fact.Different, fact.Unchecked))
	switch {
	case a.Verdict == fact.Unchecked && a.Reason == "":
		v.addf("%s: unchecked without a reason", what)
	case a.Verdict != fact.Unchecked && a.Reason != "":
		v.addf("%s: a reason belongs to unchecked, not to %q", what, a.Verdict)
	case a.Verdict == fact.Identical && executions < 2:
		v.addf("%s: identical after %d execution; nothing was compared", what, executions)
	}
	if a.Verdict != fact.Different && len(a.Findings) > 0 {
		v.addf("%s: findings belong to different, not to %q", what, a.Verdict)
	}
	v.check(what+": reason", checkText(a.Reason))
}

func (v *validation) proofs(what string, a Artifact) {
	var names []fact.ProofName
	for _, p := range a.Proofs {
		names = append(names, p.Name)
		name := fact.Plain(string(p.Name))
		v.check(what+": proof "+name, is(p.Result, fact.Passed, fact.Failed, fact.Untested))
		switch {
		case p.Result == fact.Passed && p.Reason != "":
			v.addf("%s: proof %s: a reason belongs to failed and unchecked", what, name)
		case p.Result != fact.Passed && p.Reason == "":
			v.addf("%s: proof %s: %s without a reason", what, name, fact.Plain(string(p.Result)))
		case p.Result != fact.Passed && p.How != "":
			v.addf("%s: proof %s: how belongs to passed", what, name)
		}
		v.check(what+": proof "+name, errors.Join(checkText(p.How), checkText(p.Reason), checkStarts(p)))
	}
	switch want := fact.ProofNames(); {
	case a.Stage != fact.Packed && len(names) > 0:
		v.addf("%s: proofs belong to a packed file", what)
	case len(names) > 0 && !slices.Equal(names, want):
		v.addf("%s: has the proofs %s; want %s", what, fact.Plain(listed(names)), listed(want))
	}
}

// checkStarts wants starts to be counts that agree with the result.
func checkStarts(p fact.Proof) error {
	if len(p.Starts) == 0 {
		return nil
	}
	if p.Name != fact.ProofSmoke && p.Name != fact.ProofEnvironment {
		return errors.New("starts belong to the proofs that start the file")
	}
	var errs []error
	failed := false
	before := -1
	for _, s := range p.Starts {
		if s.Variables <= before {
			errs = append(errs, fmt.Errorf("starts with %d environment variables after those with %d", s.Variables, before))
		}
		if s.Starts < 1 || s.Failed < 0 || s.Failed > s.Starts {
			errs = append(errs, fmt.Errorf("%d of %d starts failed: no such numbers", s.Failed, s.Starts))
		}
		before, failed = s.Variables, failed || s.Failed > 0
	}
	switch {
	case p.Result == fact.Passed && failed:
		errs = append(errs, errors.New("passed, and some of its starts failed"))
	case p.Result == fact.Failed && !failed:
		errs = append(errs, errors.New("failed, and none of its starts did"))
	}
	return errors.Join(errs...)
}

func (v *validation) from(what string, a Artifact, digests map[string]bool) {
	if (a.Stage == fact.Packed || a.Stage == fact.Universal || a.Stage.Holds()) && len(a.From) == 0 {
		v.addf("%s: does not name what it was made from", what)
	}
	for _, d := range a.From {
		switch err := checkDigest(d); {
		case err != nil:
			v.check(what+": from", err)
		case !digests[d]:
			v.addf("%s: was made from %s, which is not in the manifest", what, d)
		case len(a.Members) > 0 && !slices.ContainsFunc(a.Members, func(m Member) bool { return m.SHA256 == d }):
			v.addf("%s: was made from %s, which is not among its members", what, d)
		}
	}
}

func (v *validation) members(what string, a Artifact) {
	seen := map[string]bool{}
	for _, m := range a.Members {
		v.check(what+": member", checkPath(m.Name))
		name := fact.Plain(m.Name)
		v.check(what+": member "+name, checkDigest(m.SHA256))
		if a.Stage != fact.PackageStage {
			v.check(what+": member "+name+": mode", is(m.Mode, fact.Modes()...))
		} else if !fact.PackageModes.MatchString(m.Mode) {
			v.addf("%s: member %s: mode %s", what, name, fact.Plain(m.Mode))
		}
		if m.Size < 0 {
			v.addf("%s: member %s: size %d", what, name, m.Size)
		}
		if fold := foldName(m.Name); seen[fold] {
			v.addf("%s: member %s: is there twice (upper and lower case are one)", what, name)
		} else {
			seen[fold] = true
		}
	}
}
