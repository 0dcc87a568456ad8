package release

import (
	"context"
	"os"
	"path"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/run"
)

// Ignored asks git which of the paths, slash-separated and from the top of the work
// tree around dir, the tree's .gitignore files ignore. What only the user's own
// patterns ignore is not among them: nobody else has these. environ is the user's
// environment. The error is that of a machine without git, or git's own.
func Ignored(ctx context.Context, dir string, environ, names []string) (_ []string, err error) {
	c := run.Config{Environ: environ}
	command, err := toolchain.LookPath("git", c.Env("PATH"))
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "mintmark-")
	if err != nil {
		return nil, err
	}
	defer files.RemoveTree(work)
	if work, err = filepath.EvalSymlinks(work); err != nil { // what git may write is named by real paths
		return nil, err
	}
	g := git.New(command, environ, work)
	at, err := g.Find(ctx, dir)
	if err != nil {
		return nil, err
	}
	repo, err := g.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	ignored, err := repo.Ignored(ctx, names)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, i := range ignored {
		if path.Base(i.Source) == ".gitignore" && filepath.IsLocal(filepath.FromSlash(i.Source)) {
			list = append(list, i.Name)
		}
	}
	return list, nil
}
