package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/workspace"
	"golang.org/x/sync/errgroup"
)

// Prepared is a plan, and the executors that are ready to build it without the
// network. There is no other way to get executors.
type Prepared struct {
	of        *planned
	executors []execute.Executor
	copies    []string // module directories of private copies of the source, one for each executor
}

// prepare ends the fetch phase: afterwards nothing needs the network. With twice
// there is a second executor.
func (p *planned) prepare(ctx context.Context, twice bool) (*Prepared, error) {
	first, err := p.firstPlace(ctx)
	if err != nil || !twice {
		return &Prepared{of: p, executors: []execute.Executor{first}, copies: []string{p.dir}}, err
	}
	second, err := p.secondPlace(ctx, "second")
	if err != nil {
		return nil, err
	}
	return &Prepared{of: p, executors: []execute.Executor{first, second}, copies: []string{p.dir, second.Dir}}, nil
}

// firstPlace is the place whose caches outlive the release.
func (p *planned) firstPlace(ctx context.Context) (*execute.Local, error) {
	if p.source.Kind == source.Module {
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(2)
		for _, u := range p.plan.Units {
			g.Go(func() error {
				if err := p.loader.FetchInstall(gctx, u, p.source.Version); err != nil {
					return fmt.Errorf("%s: %w", u.ID(), err)
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
	}
	return &execute.Local{
		Label: "first", Goroot: p.goroot, Place: p.place, Dir: p.dir,
		Out: filepath.Join(p.ws.Dir, "first", "out"), Kind: p.source.Kind, Version: p.source.Version,
		Origin: p.origin, Care: p.care(),
	}, nil
}

// care is what a place needs to look after what it builds from.
func (p *planned) care() execute.Care {
	c := execute.Care{Known: p.known, AtEnd: p.atEnd, Warn: p.warn}
	if p.planner != nil {
		c.Modules, c.Source = p.planner.Modules(), p.source
	}
	return c
}

// secondPlace makes a second place of that name below the work directory: it has
// a toolchain, a source and modules of its own. What modules it has to unpack come
// from the first place's downloads, checked again against go.sum. The toolchain is
// that of all second places, verified again, and so are the modules of the one
// named second.
func (p *planned) secondPlace(ctx context.Context, name string) (*execute.Local, error) {
	p.phase("preparing the second place")
	root := filepath.Join(p.ws.Dir, name)
	cache := ""
	if name == "second" && p.repo != nil && p.keepModules() {
		cache = filepath.Join(p.Cache, "second")
	}
	place := execute.Second(root, cache, p.git)
	place.Confined = p.confined
	if err := place.Make(); err != nil {
		return nil, workspace.Error(err)
	}
	second := &execute.Local{
		Label: "second", Place: place, Out: filepath.Join(root, "products"),
		SetUmask: canUmask, Kind: p.source.Kind, Version: p.source.Version, Care: p.care(),
	}
	if toolchain.CanSetHostname(ctx, place.Empty) {
		second.Hostname = place.Hostname
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		second.Goroot, err = p.tc.Install(gctx, filepath.Join(p.Cache, "second", "toolchains", p.tc.DirName(), "goroot"), p.known)
		return err
	})
	if p.again != nil {
		g.Go(func() (err error) {
			second.Dir, second.Origin, err = p.again(gctx, place, filepath.Join(root, "another checkout", "of the source"))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	p.atEnd(func() error { return second.Goroot.Settle(ctx) })
	return second, p.secondModules(ctx, second, root, cache != "")
}

// keepModules takes the modules of earlier second places for this run alone.
// While somebody else has them, or where nothing is remembered, every module is
// unpacked anew.
func (r *run) keepModules() bool {
	if r.Full || len(r.Secret) == 0 {
		return false
	}
	dir := filepath.Join(r.Cache, "second")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return false
	}
	lock, _, err := filelock.Try(filepath.Join(dir, "modules.lock"), "")
	if err != nil {
		return false
	}
	r.hold(lock)
	return true
}

// secondModules gives the second place its modules, and a source that is one.
func (p *planned) secondModules(ctx context.Context, second *execute.Local, root string, kept bool) error {
	place := second.Place
	loader := &plan.Loader{
		Goroot: second.Goroot, Place: place, Dir: second.Dir, Kind: p.source.Kind,
		Settings: toolchain.Settings{GOPROXY: p.place.Proxy(), GOSUMDB: "off"}, Offline: true,
	}
	if p.source.Kind == source.Module {
		for _, u := range p.plan.Units {
			if err := loader.FetchInstall(ctx, u, p.source.Version); err != nil {
				return fmt.Errorf("%s: %w", u.ID(), err)
			}
		}
		second.Dir = filepath.Join(place.ModCache, source.CacheDir(p.source.ModulePath, p.source.Version))
		second.Origin = fromZip(p.source)
		return nil
	}
	needed := p.planner.Modules()
	if kept {
		modules, err := plan.UseKeptModules(ctx, loader, p.known, needed)
		if err == nil {
			p.atEnd(func() error { return modules.Settle(ctx) })
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		// Whatever is wrong there, without it everything is as it was the first time.
		if err := files.RemoveTree(place.ModCache); err != nil {
			return workspace.Error(err)
		}
		place.ModCache = execute.Second(root, "", p.git).ModCache
		if err := place.Make(); err != nil {
			return workspace.Error(err)
		}
	}
	var paths []string
	for _, n := range needed {
		paths = append(paths, n.Path)
	}
	if err := loader.FetchModules(ctx, paths); err != nil {
		if fault.Hint(err) != "" || ctx.Err() != nil {
			return fmt.Errorf("modules of the second place: %w", err)
		}
		// The files come from the first place, where the go command does not
		// look into a zip again that it has unpacked once.
		return fault.Errorf("a download in mintmark's cache may be damaged; remove "+p.place.ModCache+" and run it again", "modules of the second place: %w", err)
	}
	return nil
}
