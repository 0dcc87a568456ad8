package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/secret"
)

// Built is what a source was when it was built.
type Built struct {
	Commit string
	// Tags are the version tags that the commit had: others on it came later, and
	// are left out, since the go command stamps the highest.
	Tags []string
	// StampTags are those that the version and the stamp were made of
	// ([Repo.StampTags]), if Stamped: if they are known. Then all others are left out.
	StampTags []string
	Stamped   bool
	// Tag is that which the version of the release is of, if it is none of Go's.
	// Nothing that is built depends on whether it is there.
	Tag string
}

// keeps reports whether a clone gets the tag.
func (w Built) keeps(t git.Tag) bool {
	if t.Name == w.Tag && t.Commit == w.Commit {
		return true
	}
	if w.Stamped {
		return slices.Contains(w.Tags, t.Name) || slices.Contains(w.StampTags, t.Name)
	}
	return t.Commit != w.Commit || slices.Contains(w.Tags, t.Name)
}

// CloneAt makes a private checkout of the wanted commit of the repository from, a
// directory or an address that git understands, in dir, which must not exist. It
// may use the network and the user's credentials.
func CloneAt(ctx context.Context, gitCommand string, env []string, from string, want Built, dir, work string) error {
	commit := want.Commit
	repo, err := git.New(gitCommand, env, work).Source(ctx, from, commit)
	if err != nil {
		return fault.Errorf("-source=DIR or -source=ADDRESS names a git repository that has the commit", "-source=%s: cloning the source: %w", secret.Redact(from), err)
	}
	if !repo.Has(ctx, commit) {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		return fault.Errorf("name another repository with -source, or fetch the commit there first", "the repository %s does not have the commit %s", secret.Redact(from), commit)
	}
	if err := repo.Adopt(ctx, commit); err != nil {
		return fault.Errorf("git fsck --full in it finds out what is wrong; a clone of your own, from the project's server, has checked objects",
			"-source=%s: the commit %s: %w", secret.Redact(from), commit, err)
	}
	kept := slices.DeleteFunc(slices.Clone(repo.Tags), func(t git.Tag) bool { return !want.keeps(t) })
	lost := slices.DeleteFunc(slices.Clone(want.StampTags), func(name string) bool {
		return slices.ContainsFunc(kept, func(t git.Tag) bool { return t.Name == name })
	})
	if len(lost) > 0 {
		return fault.Errorf("git fetch --tags there, or name another repository with -source",
			"the repository %s has no tag %s on the commit %s or below it, and the version stamp was made of it", secret.Redact(from), strings.Join(lost, ", "), commit)
	}
	if err := repo.Checkout(ctx, dir, commit, kept); err != nil {
		return fmt.Errorf("checking out the source: %w", err)
	}
	return nil
}
