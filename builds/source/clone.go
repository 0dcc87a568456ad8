package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/secret"
)

// CloneAt makes a clone of the repository from, a directory or an address that
// git understands, in dir, which must not exist, and checks out the commit. It
// may use the network and the user's credentials. tags are the tags that the
// commit had when it was built: others on it, which came later, are left out,
// since the go command stamps the highest.
func CloneAt(ctx context.Context, git string, env []string, from, commit string, tags []string, dir, work string) error {
	if strings.HasPrefix(from, "-") {
		return &hintError{fmt.Errorf("-source=%s: no repository", secret.Redact(from)), "name a directory or an address that git clones"}
	}
	run := func(args ...string) (string, error) {
		out, err := runGit(ctx, git, work, env, args...)
		return strings.TrimRight(out, "\n"), err
	}
	if _, err := run("clone", "--quiet", "--no-checkout", "--template=", "--config=gc.auto=0", "--", from, dir); err != nil {
		return &hintError{fmt.Errorf("cloning the source: %w", err), "-source=DIR or -source=ADDRESS names a git repository that has the commit"}
	}
	if _, err := run("-C", dir, "cat-file", "-e", commit+"^{commit}"); err != nil {
		if _, ferr := run("-C", dir, "fetch", "--quiet", "--no-tags", "origin", commit); ferr != nil {
			return &hintError{fmt.Errorf("the repository %s does not have the commit %s", secret.Redact(from), commit), "name another repository with -source, or fetch the commit there first"}
		}
	}
	out, err := run("-C", dir, "tag", "--points-at", commit)
	if err != nil {
		return fmt.Errorf("the source's tags: %w", err)
	}
	for tag := range strings.SplitSeq(out, "\n") {
		if tag != "" && !slices.Contains(tags, tag) {
			if _, err := run("-C", dir, "tag", "--delete", "--", tag); err != nil {
				return fmt.Errorf("the source's tags: %w", err)
			}
		}
	}
	if _, err := run("-C", dir, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit); err != nil {
		return fmt.Errorf("checking out the source: %w", err)
	}
	return nil
}

// runGit runs git with the user's environment, but for variables that point it
// at another repository.
func runGit(ctx context.Context, git, dir string, env []string, args ...string) (string, error) {
	var clean []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "GIT_") || slices.Contains(gitVars, name) || slices.Contains(gitNetwork, name) ||
			strings.HasPrefix(name, "GIT_CONFIG_KEY_") || strings.HasPrefix(name, "GIT_CONFIG_VALUE_") {
			clean = append(clean, kv)
		}
	}
	clean = append(clean, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1", "GIT_GRAFT_FILE="+os.DevNull)
	res, err := toolchain.Run(ctx, toolchain.Command{Path: git, Args: args, Dir: dir, Env: clean})
	if err != nil && ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return string(res.Stdout), err
}

// gitNetwork are the variables with which git reaches a server.
var gitNetwork = []string{"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_PROXY_COMMAND"}
