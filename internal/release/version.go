package release

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/shell"
	"golang.org/x/mod/semver"
)

// refuseUntagged keeps a commit without a version tag from being released by
// accident. Tags that are there and do not count are named with the reason.
func (s *Subject) refuseUntagged() error {
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
	if len(s.Source.Tags) > 0 || s.file.Untagged == "pseudo" {
		return nil
	}
	tag := s.Repo.NextTag()
	if i := slices.IndexFunc(uncounted, func(u source.Uncounted) bool { return u.Instead != "" }); i >= 0 {
		tag = uncounted[i].Instead
	}
	return fault.Errorf("tag it (git tag "+shell.Name(tag)+"), fetch the tags (git fetch --tags), build it with -snapshot, or say untagged: pseudo in "+configName,
		"commit %s carries no version tag of the module %s%s", s.Source.Commit[:12], s.Source.ModulePath, uncountedText(uncounted))
}

// recordable reports whether a record can hold the name of a tag. Git permits
// characters in it that do not print, such as spaces other than the usual one.
func recordable(tag string) bool {
	return utf8.ValidString(tag) && !strings.ContainsFunc(tag, func(r rune) bool { return !unicode.IsPrint(r) })
}

// uncountedText are lines about tags on the commit that do not count; "" for none.
func uncountedText(uncounted []source.Uncounted) string {
	if len(uncounted) == 0 {
		return ""
	}
	const show = 10
	var b strings.Builder
	b.WriteString("; what it carries does not count:")
	for i, u := range uncounted {
		if i == show && len(uncounted) > show+1 {
			fmt.Fprintf(&b, "\n… and %d more", len(uncounted)-show)
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
	if tags := slices.Clone(s.Source.Tags); len(tags) > 1 {
		first := s.Source.Tag()
		tags = slices.DeleteFunc(tags, func(t string) bool { return t == first })
		out = append(out, fmt.Sprintf("the commit carries %d version tags: the highest, %s, is this release's version, and nothing is released as %s", len(tags)+1, first, firstFew(tags)))
	}
	if higher := slices.DeleteFunc(s.Repo.Uncounted(), func(u source.Uncounted) bool {
		return u.Like == "" || semver.Compare(u.Like, s.Source.Version) <= 0
	}); len(higher) > 0 && (len(s.Source.Tags) > 0 || s.file.Untagged == "pseudo" && !s.Snapshot) {
		out = append(out, fmt.Sprintf("the release is called %s%s", s.Version, uncountedText(higher)))
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
	if stamp == "" || stamp == s.Source.Version {
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
