package source

import (
	"context"
	"go/version"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/internal/fact"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Devel is what the go command stamps where it finds no version.
const Devel = "(devel)"

// Stamp is the version that the go command of a toolchain, such as go1.26.8,
// stamps into binaries of a clean checkout of the commit: [Source.Version],
// [Devel], or "" where it is not foreseen. What a binary really says is read from
// it after the build.
//
// Before go1.24 the go command stamps no version. Releases of go1.24 ask for the
// tags at the top of the repository, whatever the module's path and directory are
// (cmd/go/internal/modfetch.LookupLocal was given neither); not all of them, so
// there it is not foreseen.
func (s *Source) Stamp(toolchain string) string {
	switch {
	case s.Kind != fact.SourceGit:
		return s.Version
	case version.Compare(toolchain, "go1.24") < 0:
		return Devel
	case version.Lang(toolchain) == "go1.24":
		if _, major, _ := module.SplitPathVersion(s.ModulePath); s.Dir != "" || major != "" {
			return ""
		}
	}
	if s.Unstamped {
		return Devel
	}
	return s.Version
}

// StampTags are the tags that the source's version and the stamp of a binary of
// it were made of, sorted: a repository that has the commit and these of its tags
// gives the same version and the same stamp, whatever others it has lost, since
// the go command takes the highest it can use, and that is among them.
//
// It is not asked how the go command of some release has chosen, so a tag that
// says the same version of another directory may be among them.
func (r *Repo) StampTags(ctx context.Context, stamp string) ([]string, error) {
	var names []string
	if r.tag != "" {
		names = append(names, r.tag)
	}
	for _, t := range r.git.Tags {
		// One that go looks up by another name, and finds no version at all then.
		if t.Commit == r.Commit && len(strings.Fields(t.Name)) > 1 {
			names = append(names, t.Name)
		}
	}
	base := semver.Canonical(stamp) // without +incompatible and +dirty
	on := func(t git.Tag) bool { return t.Commit == r.Commit }
	if module.IsPseudoVersion(base) {
		var err error
		if base, err = module.PseudoVersionBase(base); err != nil || base == "" {
			return sorted(names), nil // made of no other tag
		}
		below, err := r.tagsBelow(ctx)
		if err != nil {
			return nil, err
		}
		on = func(t git.Tag) bool { return below["refs/tags/"+t.Name] }
	}
	if base == "" {
		return sorted(names), nil
	}
	for _, t := range r.git.Tags {
		if r.readsAs(t.Name, base) && on(t) {
			names = append(names, t.Name)
		}
	}
	return sorted(names), nil
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// readsAs reports whether some go command could take the tag for the version: it
// divides what git prints of tags at whatever Unicode calls a space.
func (r *Repo) readsAs(tag, version string) bool {
	for _, word := range strings.Fields(tag) {
		dir, v := path.Split(word)
		if semver.Canonical(v) == version && strings.HasPrefix(v, version) && r.may(dir) {
			return true
		}
	}
	return false
}

// may reports whether some go command could look for the module's tags below a
// directory, which ends in a slash or is "": that of the module, that which its
// path says, or the top.
func (r *Repo) may(dir string) bool {
	return dir == "" || dir == r.tagPrefix() || strings.HasSuffix("/"+r.PathPrefix()+"/", "/"+dir)
}
