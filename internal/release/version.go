package release

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/profiles"
	"golang.org/x/mod/semver"
)

// refuseUntagged keeps a commit without a version tag from being released by
// accident. Tags that are there and do not count are named with the reason.
func (s *Subject) refuseUntagged(ctx context.Context) error {
	if s.Snapshot || s.Source.Kind == fact.SourceModule {
		return nil
	}
	uncounted := s.Repo.Uncounted()
	for _, u := range uncounted {
		if !recordable(u.Tag) {
			return fault.Errorf("git tag -d deletes it, and git push --delete where it was published",
				"the commit carries the tag %q: go divides its name, so that it may stamp no version, and no record can hold it", u.Tag)
		}
	}
	if s.Tagged.Tag != "" || s.From == fact.Given || s.file.Untagged == "pseudo" {
		return nil
	}
	const others = "fetch the tags (git fetch --tags), build it with -snapshot, give the version with -version=, or say untagged: pseudo in " + configName
	if form := s.file.Tag; form != nil {
		tag, err := s.Repo.NextTagOf(ctx, form)
		if err != nil {
			return err
		}
		return fault.Errorf("tag it (git tag "+shell.Name(tag)+"), "+others,
			"commit %s carries no tag of the form %s%s", s.Source.Commit[:12], form, othersText(s.Tagged.Others))
	}
	tag, instead := s.Repo.NextTag(), slices.IndexFunc(uncounted, func(u source.Uncounted) bool { return u.Instead != "" })
	if instead >= 0 {
		tag = uncounted[instead].Instead
	}
	ways := "tag it (git tag " + shell.Name(tag) + "), "
	if i := slices.IndexFunc(uncounted, func(u source.Uncounted) bool { return u.Form != nil }); i >= 0 {
		form := fmt.Sprintf("say how this project's tags are written (tag: %q, for %s, in %s), ", uncounted[i].Form, uncounted[i].Tag, configName)
		if instead >= 0 {
			ways += form
		} else {
			ways = form + ways // the tag is what was meant
		}
	}
	return fault.Errorf(ways+others,
		"commit %s carries no version tag of the module %s%s", s.Source.Commit[:12], s.Source.ModulePath, othersText(s.Tagged.Others))
}

// chooseVersion finds the version of the release: a tag's, else what is given, else
// the source's own.
func (s *Subject) chooseVersion() error {
	s.Version = strings.TrimPrefix(s.Source.Version, "v")
	if s.Repo == nil {
		return nil
	}
	s.Tagged = s.Repo.Tagged(s.file.Tag)
	if t := s.Tagged; t.Tag != s.Source.Tag() && t.Tag != "" {
		s.Version, s.From = t.Version, fact.OfTag
	}
	given := strings.TrimPrefix(s.AsVersion, "v")
	switch {
	case s.AsVersion == "":
		return nil
	case !fact.IsVersion(given):
		return fault.Usagef("such as -version=1.2.3 or -version=2026.11.3", "-version=%.100s: no version", s.AsVersion)
	case s.Snapshot:
		return fault.Usagef("leave -version out; the key snapshot of "+configName+" says how snapshots are called", "-version and -snapshot contradict each other: a snapshot is no release of that version")
	case s.Tagged.Tag != "" && given != s.Version:
		return fault.Usagef("leave -version out, or tag another commit; which tag is taken is in docs/profiles.md, and mintmark plan names it", "-version=%s: the commit carries the tag %s, and is version %s", s.AsVersion, s.Tagged.Tag, s.Version)
	case s.Tagged.Tag == "" && given != s.Version:
		s.Version, s.From = given, fact.Given
	}
	return nil
}

// nameSnapshot gives a snapshot its version: what the profile file's template makes
// of the version of its commit, and that it is not the commit where it is not.
func (s *Subject) nameSnapshot() (err error) {
	if !s.Snapshot {
		return nil
	}
	base := s.Version
	if s.Version, err = s.file.SnapshotVersion(plan.CommitVars(s.Source, base, s.Tagged.Tag)); err != nil {
		return profiles.Problems{s.file.Problem(s.file.Pos("snapshot"), err.Error(), fault.Hint(err))}
	}
	if s.file.Snapshot != "" || s.From != fact.OfSource {
		s.From = fact.OfTemplate
	}
	if len(s.Source.Dirty) > 0 {
		s.Version += ".dirty"
	}
	return nil
}

// versionLines say for people which tag the version is of, and why it is not of the
// others on the commit; none for a commit without tags, and for a published module.
func (s *Subject) versionLines() []string {
	var lines []string
	switch {
	case s.Tagged.Tag != "":
		lines = append(lines, s.Tagged.Tag)
	case s.From == fact.Given:
		lines = append(lines, "none; the version is given by -version")
	case len(s.Tagged.Others) > 0:
		lines = append(lines, "none")
	}
	for _, o := range s.Tagged.Others {
		lines = append(lines, "not "+o.Tag+": it "+strings.Join(o.Whys, "; "))
	}
	return lines
}

// recordable reports whether a record can hold the name of a tag. Git permits
// characters in it that do not print, such as spaces other than the usual one.
func recordable(tag string) bool {
	return utf8.ValidString(tag) && !strings.ContainsFunc(tag, func(r rune) bool { return !unicode.IsPrint(r) })
}

// othersText are lines about tags on the commit that do not count; "" for none.
func othersText(others []fact.OtherTag) string {
	if len(others) == 0 {
		return ""
	}
	const show = 10
	var b strings.Builder
	b.WriteString("; what it carries does not count:")
	for i, u := range others {
		if i == show && len(others) > show+1 {
			fmt.Fprintf(&b, "\n… and %d more", len(others)-show)
			break
		}
		fmt.Fprintf(&b, "\n%s %s", u.Tag, strings.Join(u.Whys, "; "))
	}
	return b.String()
}

// versionWarnings say what is remarkable about the release's version, as far as
// it is known before anything is built: several version tags, tags that look like
// a higher version and do not count, and a stamp that is another version.
func (s *Planned) versionWarnings() []string {
	if s.Repo == nil {
		return nil // a module from the proxy is asked for by its version, and stamped so
	}
	var out []string
	var lower []string
	for _, o := range s.Tagged.Others {
		if o.Lower {
			lower = append(lower, o.Tag)
		}
	}
	if len(lower) > 0 {
		out = append(out, fmt.Sprintf("the commit carries %d version tags: the highest, %s, is this release's version, and nothing is released as %s", len(lower)+1, s.Tagged.Tag, firstFew(lower)))
	}
	if s.file.Tag == nil && (s.Tagged.Tag != "" || s.file.Untagged == "pseudo" && !s.Snapshot) {
		var higher []fact.OtherTag
		for _, u := range s.Repo.Uncounted() {
			if u.Like != "" && semver.Compare(u.Like, s.Source.Version) > 0 {
				higher = append(higher, fact.OtherTag{Tag: u.Tag, Whys: u.Whys})
			}
		}
		if len(higher) > 0 {
			out = append(out, fmt.Sprintf("the release is called %s%s", s.Version, othersText(higher)))
		}
	}
	if s.stamps() {
		if w := s.stampWarning(s.Source.Stamp(s.GoToolchain.Version)); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// stamps reports whether the plan has the go command stamp a commit's version.
func (s *Planned) stamps() bool {
	for _, u := range s.Plan.Units {
		if slices.Contains(u.Flags, "-buildvcs=true") {
			return true
		}
	}
	return false
}

// stampWarning says that binaries call themselves something else than the
// release does; "" if they do not, or if what they say is not foreseen.
func (s *Planned) stampWarning(stamp string) string {
	stamp = strings.TrimSuffix(strings.TrimSuffix(stamp, "+dirty"), ".dirty") // of a snapshot, which is called so itself
	if stamp == "" || stamp == s.Source.Version && (s.Snapshot || s.From == fact.OfSource) || stamp == "v"+s.Version {
		return ""
	}
	why := "it is what it stamps in any clone of the commit"
	if stamp == source.Devel {
		why = "it finds no version for this module in any clone of the commit"
		if older(s.GoToolchain.Version, "go1.24") {
			why = "it stamps versions since go1.24"
		}
	}
	return fmt.Sprintf("the release is version %s, and %s stamps %s into the binaries (debug.ReadBuildInfo, go version -m): %s; if the program says its version, set a variable with ldflags.set and {{.Version}}", s.Version, s.GoToolchain.Version, stamp, why)
}

// stamped is the version that go wrote into the binaries of a commit; "" for none.
// All binaries of a plan are of one module and one toolchain, and have the same.
func stamped(made []*UnitResult) (stamp string, err error) {
	for _, r := range made {
		switch {
		case r.stamp == "" || r.stamp == stamp:
		case stamp == "":
			stamp = r.stamp
		default:
			return "", fmt.Errorf("%s: go stamped the version %s, and %s into another binary of the same commit", r.unit.ID(), r.stamp, stamp)
		}
	}
	return stamp, nil
}

// warnStamped says of the binaries what [planned.versionWarnings] has not
// foreseen of them.
func (p *Planned) warnStamped(stamp string) {
	if stamp == "" {
		return
	}
	if w := p.stampWarning(stamp); w != "" && w != p.stampWarning(p.Source.Stamp(p.GoToolchain.Version)) {
		p.Warn("%s", w)
	}
}
