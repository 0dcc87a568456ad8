package fetch

import (
	"context"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/tool"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/run"
)

// FetchTool gets a program that is not mintmark's own, built by the kit's toolchain:
// see [tool.Fetch]. It belongs to the fetch phase. Each program is asked for once in a
// run.
func (s *Subject) FetchTool(ctx context.Context, k *Kit, known tool.Known) (*tool.Program, error) {
	return tool.Fetch(ctx, tool.Config{
		Fetcher: s.Fetcher, Goroot: k.Goroot,
		Newer: func(ctx context.Context, exact string) (*toolchain.Goroot, error) {
			t, err := s.Fetcher.Toolchain(ctx, exact)
			if err != nil {
				return nil, err
			}
			return t.Install(ctx, filepath.Join(s.Cache, "first", "go", t.DirName()), s.Known)
		},
		Cache: filepath.Join(s.Cache, "tools"), Work: s.Workspace.Dir, Known: s.Known, Confined: s.Confined,
		Said: func(name string) { s.Phase("building " + name + ", which is kept for later") },
	}, known)
}

// ToolAlone is [Subject.FetchTool] for a run that is about no source.
func ToolAlone(ctx context.Context, r *run.Run, known tool.Known) (*tool.Program, error) {
	t, err := FindTools(ctx, r, filepath.Join(r.Cache, "first"), false)
	if err != nil {
		return nil, err
	}
	return SubjectOf(r, t, Found{}, "", nil).FetchTool(ctx, &Kit{}, known)
}
