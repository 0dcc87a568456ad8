package fetch

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

// Tools are the user's go and git, and the place in which they fetch.
type Tools struct {
	Git        string           // "" for none
	FetchPlace *toolchain.Place // of the fetch phase; its build cache is of no toolchain
	Settings   toolchain.Settings
	Fetcher    *toolchain.Fetcher
}

// FindTools finds go and git, and makes the first place, whose caches outlive
// the run below the directory cache.
func FindTools(ctx context.Context, r *run.Run, cache string, needGit bool) (_ *Tools, err error) {
	goCmd, err := toolchain.LookPath("go", r.Env("PATH"))
	if err != nil {
		return nil, fault.Errorf("install Go (https://go.dev/dl) and put it on PATH; mintmark uses it to fetch the exact toolchain", "no go command on PATH")
	}
	t := &Tools{}
	if t.Git, err = toolchain.LookPath("git", r.Env("PATH")); err != nil && needGit {
		return nil, fault.Errorf("install git: the source is a commit, and the go command asks git for the version stamp", "no git command on PATH")
	}
	t.FetchPlace = execute.First(filepath.Join(r.Workspace.Dir, "first"), cache, t.Git)
	t.FetchPlace.Confined = r.Confined
	t.FetchPlace.Ready = workspace.BuildCacheCheck(t.FetchPlace.GoCache)
	if err := t.FetchPlace.Make(); err != nil {
		return nil, workspace.Error(err)
	}
	if t.Settings, err = toolchain.UserSettings(ctx, goCmd, t.FetchPlace.Empty, r.Environ); err != nil {
		return nil, err
	}
	if t.Git != "" {
		quiet, err := git.New(t.Git, r.Environ, r.Workspace.Dir).Quiet(ctx, t.Settings.Network)
		if err != nil && needGit {
			return nil, fmt.Errorf("asking git for the user's settings: %w", err)
		}
		if err == nil { // else no git of the fetch phase starts either
			t.Settings.Network = quiet
		}
	}
	t.Fetcher = &toolchain.Fetcher{Go: goCmd, Place: t.FetchPlace, Settings: t.Settings}
	return t, nil
}
