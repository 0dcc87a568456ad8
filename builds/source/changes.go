package source

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/internal/fact"
	"golang.org/x/mod/semver"
)

// Changes are the commits since the last version tag: of the tags below the commit
// that say versions, by a form or by Go's rules if that is nil, the one of the highest
// version. Merges do not count, nor do commits that change nothing in the module's
// directory. They follow from the commit and the tags below it. nil where there is no
// such tag.
func (r *Repo) Changes(ctx context.Context, form *fact.TagForm) (*fact.Changes, error) {
	last, err := r.lastTag(ctx, form)
	if err != nil || last.Name == "" {
		return nil, err
	}
	which := []string{"--no-merges", "^" + last.Commit, r.Commit, "--"}
	if r.Dir != "" {
		which = append(which, ":(top,literal)"+r.Dir)
	}
	count, err := r.git.Run(ctx, nil, append([]string{"rev-list", "--count"}, which...)...)
	if err != nil {
		return nil, r.partial(err)
	}
	all, err := strconv.Atoi(strings.TrimSpace(string(count)))
	if err != nil {
		return nil, fmt.Errorf("git rev-list --count: %w", err)
	}
	out, err := r.git.Run(ctx, nil, append([]string{"log", "--date-order", "-z", "--format=%s", "--encoding=UTF-8", fmt.Sprintf("--max-count=%d", fact.MaxSubjects)}, which...)...)
	if err != nil {
		return nil, r.partial(err)
	}
	c := &fact.Changes{Since: last.Name}
	for subject := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if len(c.Subjects) < all {
			c.Subjects = append(c.Subjects, shortened(subject))
		}
	}
	c.More = all - len(c.Subjects)
	return c, nil
}

// shortened is the beginning of a subject.
func shortened(s string) string {
	const sign = "…"
	if len(s) <= fact.MaxSubject {
		return s
	}
	n := fact.MaxSubject - len(sign)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + sign
}

// lastTag is the tag of the highest version below the commit; that has no name if there
// is none.
func (r *Repo) lastTag(ctx context.Context, form *fact.TagForm) (git.Tag, error) {
	version := func(tag string) string {
		if form != nil {
			return form.Version(tag)
		}
		v, canonical := r.counts(tag)
		if !canonical {
			return ""
		}
		return v
	}
	below, err := r.tagsBelow(ctx)
	if err != nil {
		return git.Tag{}, err
	}
	var of []git.Tag
	for _, t := range r.git.Tags {
		if t.Commit != r.Commit && below["refs/tags/"+t.Name] && version(t.Name) != "" {
			of = append(of, t)
		}
	}
	if len(of) == 0 {
		return git.Tag{}, nil
	}
	return slices.MaxFunc(of, func(a, b git.Tag) int {
		c := 0
		if form == nil {
			c = semver.Compare(version(a.Name), version(b.Name))
		} else {
			c = fact.CompareVersions(version(a.Name), version(b.Name))
		}
		if c == 0 {
			c = strings.Compare(a.Name, b.Name)
		}
		return c
	}), nil
}
