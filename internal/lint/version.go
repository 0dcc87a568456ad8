package lint

import (
	"context"
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
func refuseUntagged(ctx context.Context, s *fetch.Subject) error {
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
	if s.Tagged.Tag != "" || s.From == fact.Given || s.File.Untagged == "pseudo" {
		return nil
	}
	const others = "fetch the tags (git fetch --tags), build it with -snapshot, give the version with -version=, or say untagged: pseudo in " + fetch.ConfigName
	if form := s.File.Tag; form != nil {
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
		form := fmt.Sprintf("say how this project's tags are written (tag: %q, for %s, in %s), ", uncounted[i].Form, uncounted[i].Tag, fetch.ConfigName)
		if instead >= 0 {
			ways += form
		} else {
			ways = form + ways // the tag is what was meant
		}
	}
	return fault.Errorf(ways+others,
		"commit %s carries no version tag of the module %s%s", s.Source.Commit[:12], s.Source.ModulePath, othersText(s.Tagged.Others))
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
func (l *Linted) versionWarnings() []string {
	if l.Repo == nil {
		return nil // a module from the proxy is asked for by its version, and stamped so
	}
	var out []string
	var lower []string
	for _, o := range l.Tagged.Others {
		if o.Lower {
			lower = append(lower, o.Tag)
		}
	}
	if len(lower) > 0 {
		out = append(out, fmt.Sprintf("the commit carries %d version tags: the highest, %s, is this release's version, and nothing is released as %s", len(lower)+1, l.Tagged.Tag, fetch.FirstFew(lower)))
	}
	if l.File.Tag == nil && (l.Tagged.Tag != "" || l.File.Untagged == "pseudo" && !l.Snapshot) {
		var higher []fact.OtherTag
		for _, u := range l.Repo.Uncounted() {
			if u.Like != "" && semver.Compare(u.Like, l.Source.Version) > 0 {
				higher = append(higher, fact.OtherTag{Tag: u.Tag, Whys: u.Whys})
			}
		}
		if len(higher) > 0 {
			out = append(out, fmt.Sprintf("the release is called %s%s", l.Version, othersText(higher)))
		}
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
	if stamp == "" || stamp == l.Source.Version && (l.Snapshot || l.From == fact.OfSource) || stamp == "v"+l.Version {
		return ""
	}
	why := "it is what it stamps in any clone of the commit"
	if tag := l.Source.TagFor("v" + l.Version); tag != "" && l.From == fact.Given {
		why += " without the tag " + tag
	}
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
