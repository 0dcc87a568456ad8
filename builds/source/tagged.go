package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/internal/fact"
)

// Tagged says which tag of the commit a release is called by, and why not by
// another one.
type Tagged struct {
	Tag     string // "" if none says a version
	Version string // what it says, without v; "" for none
	Others  []fact.OtherTag
}

// Tagged reads the tags on the commit by a form, or by Go's rules if that is nil.
// Of several that say versions the one of the highest version is taken: by Go's
// rules as the go command orders them, else as [fact.CompareVersions] does, and of
// two of the same the one whose name comes last.
func (r *Repo) Tagged(form *fact.TagForm) Tagged {
	if form == nil {
		return r.taggedByGo()
	}
	var t Tagged
	var of []string // tags of the form, the highest version first
	for _, tag := range r.git.Tags {
		switch {
		case tag.Commit != r.Commit:
		case form.Version(tag.Name) != "":
			of = append(of, tag.Name)
		default:
			t.Others = append(t.Others, fact.OtherTag{Tag: tag.Name, Whys: []string{fmt.Sprintf("is not of the form %s", form)}})
		}
	}
	if len(of) == 0 {
		return t
	}
	highest(of, form)
	t.Tag, t.Version = of[0], form.Version(of[0])
	var lower []fact.OtherTag
	for _, name := range of[1:] {
		why := fmt.Sprintf("is lower than %s", t.Tag)
		if fact.CompareVersions(form.Version(name), t.Version) == 0 {
			why = fmt.Sprintf("is the same version as %s, whose name comes after it", t.Tag)
		}
		lower = append(lower, fact.OtherTag{Tag: name, Whys: []string{why}, Lower: true})
	}
	t.Others = append(lower, t.Others...)
	return t
}

// taggedByGo is what the tags say by Go's rules.
func (r *Repo) taggedByGo() Tagged {
	t := Tagged{Tag: r.Source.Tag()}
	if t.Tag != "" {
		t.Version = strings.TrimPrefix(r.Version, "v")
	}
	for _, name := range r.Tags {
		if name != t.Tag {
			t.Others = append(t.Others, fact.OtherTag{Tag: name, Whys: []string{"is lower than " + t.Tag}, Lower: true})
		}
	}
	for _, u := range r.Uncounted() {
		t.Others = append(t.Others, fact.OtherTag{Tag: u.Tag, Whys: u.Whys})
	}
	return t
}

// highest sorts tags of a form: the one that is taken first.
func highest(tags []string, form *fact.TagForm) {
	slices.SortFunc(tags, func(a, b string) int {
		if c := fact.CompareVersions(form.Version(b), form.Version(a)); c != 0 {
			return c
		}
		return strings.Compare(b, a)
	})
}

// NextTagOf is as [Repo.NextTag], by a form: what follows the highest version below
// the commit.
func (r *Repo) NextTagOf(ctx context.Context, form *fact.TagForm) (string, error) {
	below, err := r.tagsBelow(ctx)
	if err != nil {
		return "", err
	}
	var of []string
	taken := map[string]bool{}
	for _, tag := range r.git.Tags {
		taken[tag.Name] = true
		if form.Version(tag.Name) != "" && below["refs/tags/"+tag.Name] {
			of = append(of, tag.Name)
		}
	}
	version := "1.0.0"
	if len(of) > 0 {
		highest(of, form)
		version = fact.NextVersion(form.Version(of[0]))
	}
	for taken[form.Tag(version)] {
		version = fact.NextVersion(version)
	}
	return form.Tag(version), nil
}

// Carries reports whether the commit has a tag of that name.
func (r *Repo) Carries(tag string) bool {
	return slices.ContainsFunc(r.git.Tags, func(t git.Tag) bool { return t.Name == tag && t.Commit == r.Commit })
}
