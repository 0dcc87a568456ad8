package lint

import (
	"fmt"
	"go/version"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/shell"
	"golang.org/x/mod/semver"
)

// refuseUntagged keeps a commit without a version tag from being released by
// accident. Tags that are there and do not count are named with the reason.
func refuseUntagged(s *fetch.Subject) error {
	if s.Snapshot || s.Source.Kind == fact.SourceModule {
		return nil
	}
	uncounted := s.Repo.Uncounted()
	for _, u := range uncounted {
		if !checksums.Recordable(u.Tag) {
			return fault.Errorf("git tag -d deletes it, and git push --delete where it was published",
				"the commit carries the tag %q: go divides its name, so that it may stamp no version, and no record can hold it", u.Tag)
		}
	}
	if len(s.Source.Tags) > 0 || s.File.Untagged == "pseudo" {
		return nil
	}
	tag := s.Repo.NextTag()
	if i := slices.IndexFunc(uncounted, func(u source.Uncounted) bool { return u.Instead != "" }); i >= 0 {
		tag = uncounted[i].Instead
	}
	return fault.Errorf("tag it (git tag "+shell.Name(tag)+"), fetch the tags (git fetch --tags), build it with -snapshot, or say untagged: pseudo in "+fetch.ConfigName,
		"commit %s carries no version tag of the module %s%s", s.Source.Commit[:12], s.Source.ModulePath, uncountedText(uncounted))
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
func (l *Linted) versionWarnings() []string {
	if l.Repo == nil {
		return nil // a module from the proxy is asked for by its version, and stamped so
	}
	var out []string
	if tags := slices.Clone(l.Source.Tags); len(tags) > 1 {
		first := l.Source.Tag()
		tags = slices.DeleteFunc(tags, func(t string) bool { return t == first })
		out = append(out, fmt.Sprintf("the commit carries %d version tags: the highest, %s, is this release's version, and nothing is released as %s", len(tags)+1, first, firstFew(tags)))
	}
	if higher := slices.DeleteFunc(l.Repo.Uncounted(), func(u source.Uncounted) bool {
		return u.Like == "" || semver.Compare(u.Like, l.Source.Version) <= 0
	}); len(higher) > 0 && (len(l.Source.Tags) > 0 || l.File.Untagged == "pseudo" && !l.Snapshot) {
		out = append(out, fmt.Sprintf("the release is called %s%s", l.Version, uncountedText(higher)))
	}
	if l.stamps() {
		if w := l.stampWarning(l.Source.Stamp(l.GoToolchain.Version)); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// stamps reports whether the plan has the go command stamp a commit's version.
func (l *Linted) stamps() bool {
	for _, u := range l.Plan.Units {
		if slices.Contains(u.Flags, "-buildvcs=true") {
			return true
		}
	}
	return false
}

// stampWarning says that binaries call themselves something else than the
// release does; "" if they do not, or if what they say is not foreseen.
func (l *Linted) stampWarning(stamp string) string {
	stamp = strings.TrimSuffix(strings.TrimSuffix(stamp, "+dirty"), ".dirty") // of a snapshot, which is called so itself
	if stamp == "" || stamp == l.Source.Version {
		return ""
	}
	why := "it is what it stamps in any clone of the commit"
	if stamp == source.Devel {
		why = "it finds no version for this module in any clone of the commit"
		if version.Compare(l.GoToolchain.Version, "go1.24") < 0 {
			why = "it stamps versions since go1.24"
		}
	}
	return fmt.Sprintf("the release is version %s, and %s stamps %s into the binaries (debug.ReadBuildInfo, go version -m): %s; if the program says its version, set a variable with ldflags.set and {{.Version}}", l.Version, l.GoToolchain.Version, stamp, why)
}

// WarnStamped says of the stamp that binaries have what was not foreseen of it.
func (l *Linted) WarnStamped(stamp string) {
	if stamp == "" {
		return
	}
	if w := l.stampWarning(stamp); w != "" && w != l.stampWarning(l.Source.Stamp(l.GoToolchain.Version)) {
		l.Warn("%s", w)
	}
}
