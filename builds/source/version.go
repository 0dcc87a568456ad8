package source

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/internal/memo"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// versionTag is a tag on the commit or below it that names a version of the module.
type versionTag struct {
	tag       string
	ref       git.Tag
	version   string // canonical
	canonical bool   // the tag says exactly that, without build metadata
	here      bool   // on the commit itself
}

// version finds the module's version by the rule of cmd/go
// (cmd/go/internal/modfetch.(*codeRepo).convert, go.dev/ref/mod#vcs-version).
// It reads retractions from a remote repository only, so they do not count.
func (r *Repo) version(ctx context.Context) error {
	_, pathMajor, ok := module.SplitPathVersion(r.ModulePath)
	if !ok {
		return fmt.Errorf("go.mod: module path %s has a malformed major version", r.ModulePath)
	}
	tags, err := r.versionTags(ctx)
	if err != nil {
		return err
	}
	for _, t := range tags {
		if t.here && t.canonical {
			if r.Version == "" {
				r.Version, r.tag, r.base = t.version, t.tag, t.ref
			}
			r.Tags = append(r.Tags, t.tag)
		}
	}
	sort.Strings(r.Tags)
	if r.Version != "" {
		return nil
	}
	base := ""
	if len(tags) > 0 {
		base, r.tag, r.base = tags[0].version, tags[0].tag, tags[0].ref
	}
	r.Version = module.PseudoVersion(module.PathMajorPrefix(pathMajor), base, r.CommitTime, r.Commit[:12])
	return nil
}

// counts is the version of the module that a tag names, "" if it names none, and
// whether the tag says exactly that, without build metadata.
func (s *Source) counts(tag string) (version string, canonical bool) {
	v, ok := strings.CutPrefix(tag, s.tagPrefix())
	c := semver.Canonical(v)
	if !ok || c == "" || !strings.HasPrefix(v, c) || module.IsPseudoVersion(v) || !module.MatchPathMajor(c, s.pathMajor()) {
		return "", false
	}
	return c, c == v
}

// versionTags lists the tags, the highest version first. Where one is on the
// commit, those below it do not count and are not looked for.
func (r *Repo) versionTags(ctx context.Context) ([]versionTag, error) {
	var tags []versionTag
	here := false
	for _, ref := range r.git.Tags {
		v, canonical := r.counts(ref.Name)
		if v == "" {
			continue
		}
		t := versionTag{ref.Name, ref, v, canonical, ref.Commit == r.Commit}
		here = here || t.here && t.canonical
		tags = append(tags, t)
	}
	var below map[string]bool
	if !here && len(tags) > 0 {
		var err error
		if below, err = r.tagsBelow(ctx); err != nil {
			return nil, err
		}
	}
	tags = slices.DeleteFunc(tags, func(t versionTag) bool {
		if here {
			return !t.here
		}
		return !below["refs/tags/"+t.tag]
	})
	slices.SortFunc(tags, func(a, b versionTag) int {
		if c := semver.Compare(b.version, a.version); c != 0 {
			return c
		}
		if a.canonical != b.canonical {
			if a.canonical {
				return -1
			}
			return 1
		}
		return strings.Compare(a.tag, b.tag)
	})
	return tags, nil
}

// tagsBelow are the refs of tags whose commits are in the commit's history. With
// all tags and what they point at, the answer never changes, and git walks
// through the whole history for it.
func (r *Repo) tagsBelow(ctx context.Context) (map[string]bool, error) {
	key := memo.NewKey("tags below a commit 3", r.believed, r.Commit, fmt.Sprintf("%q", r.git.Tags))
	var names []string
	if !r.cfg.Known.Get(key, &names) {
		out, err := r.git.Run(ctx, nil, "for-each-ref", "--format=%(refname)", "--merged="+r.Commit, "refs/tags")
		if err != nil {
			return nil, r.partial(err)
		}
		names = strings.Split(strings.TrimRight(string(out), "\n"), "\n")
		r.cfg.Known.Put(key, names)
	}
	below := map[string]bool{}
	for _, name := range names {
		below[name] = true
	}
	return below, nil
}

// IsPseudo reports whether a version, with v, is one by which the go command names a
// commit that no tag names.
func IsPseudo(version string) bool { return module.IsPseudoVersion(version) }
