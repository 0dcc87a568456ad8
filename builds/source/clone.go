package source

import (
	"context"
	"fmt"
	"slices"

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/internal/secret"
)

// CloneAt makes a private checkout of the commit of the repository from, a
// directory or an address that git understands, in dir, which must not exist. It
// may use the network and the user's credentials. tags are the tags that the
// commit had when it was built: others on it, which came later, are left out,
// since the go command stamps the highest.
func CloneAt(ctx context.Context, gitCommand string, env []string, from, commit string, tags []string, dir, work string) error {
	repo, err := git.New(gitCommand, env, work).Source(ctx, from, commit)
	if err != nil {
		return &hintError{fmt.Errorf("-source=%s: cloning the source: %w", secret.Redact(from), err), "-source=DIR or -source=ADDRESS names a git repository that has the commit"}
	}
	if !repo.Has(ctx, commit) {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		return &hintError{fmt.Errorf("the repository %s does not have the commit %s", secret.Redact(from), commit), "name another repository with -source, or fetch the commit there first"}
	}
	if err := repo.Adopt(ctx, commit); err != nil {
		return &hintError{fmt.Errorf("-source=%s: the commit %s: %w", secret.Redact(from), commit, err), "git fsck --full in it finds out what is wrong; a clone of your own, from the project's server, has checked objects"}
	}
	kept := slices.DeleteFunc(slices.Clone(repo.Tags), func(t git.Tag) bool {
		return t.Commit == commit && !slices.Contains(tags, t.Name)
	})
	if err := repo.Checkout(ctx, dir, commit, kept); err != nil {
		return fmt.Errorf("checking out the source: %w", err)
	}
	return nil
}
