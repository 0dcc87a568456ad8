package release

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/workspace"
)

// tools are the user's go and git, and the place in which they fetch.
type tools struct {
	git      string           // "" for none
	place    *toolchain.Place // of the fetch phase; its build cache is of no toolchain
	settings toolchain.Settings
	fetcher  *toolchain.Fetcher
}

// findTools finds go and git, and makes the first place, whose caches outlive
// the run below the directory cache.
func (r *run) findTools(ctx context.Context, cache string, needGit bool) (_ *tools, err error) {
	goCmd, err := toolchain.LookPath("go", r.env("PATH"))
	if err != nil {
		return nil, fault.Errorf("install Go (https://go.dev/dl) and put it on PATH; mintmark uses it to fetch the exact toolchain", "no go command on PATH")
	}
	t := &tools{}
	if t.git, err = toolchain.LookPath("git", r.env("PATH")); err != nil && needGit {
		return nil, fault.Errorf("install git: the source is a commit, and the go command asks git for the version stamp", "no git command on PATH")
	}
	t.place = execute.First(filepath.Join(r.ws.Dir, "first"), cache, t.git)
	t.place.Confined = r.confined
	if err := t.place.Make(); err != nil {
		return nil, workspace.Error(err)
	}
	if t.settings, err = toolchain.UserSettings(ctx, goCmd, t.place.Empty, r.Environ); err != nil {
		return nil, err
	}
	if t.git != "" {
		quiet, err := git.New(t.git, r.Environ, r.ws.Dir).Quiet(ctx, t.settings.Network)
		if err != nil && needGit {
			return nil, fmt.Errorf("asking git for the user's settings: %w", err)
		}
		if err == nil { // else no git of the fetch phase starts either
			t.settings.Network = quiet
		}
	}
	t.fetcher = &toolchain.Fetcher{Go: goCmd, Place: t.place, Settings: t.settings}
	return t, nil
}
