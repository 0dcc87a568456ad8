package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/tool"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
	"golang.org/x/sync/errgroup"
)

// Prepared is a plan, and the executors that are ready to build it without the
// network. There is no other way to get executors.
type Prepared struct {
	Of        *fetch.Planned
	Executors []ReadyExecutor
	Sites     []schedule.Site // the machines that they build on
	Nfpm      *tool.Program   // makes packages; nil when no unit has any
	// arrived says that the executors have what was built elsewhere, so that nothing is
	// learned of this machine.
	arrived bool
}

// ReadyExecutor is an executor together with a private copy of the source, from
// which an archive takes its further files.
type ReadyExecutor struct {
	execute.Executor
	Copy string // its module directory
}

// Places say which places of this machine a plan is built in.
type Places struct {
	First     string // name of the first one; "" is "first"
	Second    bool   // there is a second one
	KeepLinks bool   // the first one uses what it linked earlier, and keeps it for later
	// On are the machines that build; see [run.Config]. On others there is a first and a
	// second place as well.
	On []string
}

// Prepare ends the fetch phase: afterwards nothing needs the network.
func Prepare(ctx context.Context, p *fetch.Planned, places Places) (*Prepared, error) {
	workers, here, err := carriers(p, places.On)
	if err != nil {
		return nil, err
	}
	if len(places.On) == 0 {
		here = true
	}
	first, err := FirstPlace(ctx, p)
	if err != nil {
		return nil, err
	}
	if places.First != "" {
		first.Label = places.First
	}
	if places.KeepLinks {
		first.Linked = linked(p.Copied)
	}
	ready := []ReadyExecutor{{first, p.Checkout}}
	if places.Second {
		second, err := secondPlace(ctx, p, "second")
		if err != nil {
			return nil, err
		}
		ready = append(ready, ReadyExecutor{second, second.Dir})
	}
	f, err := gather(ctx, p, workers, here)
	if err != nil {
		return nil, err
	}
	if len(workers) > 0 {
		ready = f.spreadOver(ready)
	}
	nfpm, err := packager(ctx, p)
	if err != nil {
		return nil, err
	}
	return &Prepared{Of: p, Executors: ready, Sites: f.sites, Nfpm: nfpm}, nil
}

// FirstPlace is the place whose caches outlive the release.
func FirstPlace(ctx context.Context, p *fetch.Planned) (*execute.Local, error) {
	// Not only by its commands: an executor removes damage from the cache, and reads
	// what they have compiled.
	if err := p.BuildPlace.Check(); err != nil {
		return nil, err
	}
	if p.Source.Kind == fact.SourceModule {
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(2)
		for _, u := range p.Plan.Units {
			g.Go(func() error {
				if err := p.Loader.FetchInstall(gctx, u, p.Source.Version); err != nil {
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
		Label: "first", Goroot: p.Goroot, Place: p.BuildPlace, Dir: p.Checkout,
		Out: filepath.Join(p.Workspace.Dir, "first", "out"), Kind: p.Source.Kind, Version: p.Source.Version,
		Origin: p.Origin, Care: care(p),
	}, nil
}

// care is what a place needs to look after what it builds from.
func care(p *fetch.Planned) execute.Care {
	c := execute.Care{Known: p.Known, AtEnd: p.AtEnd, Warn: p.Warn}
	if p.Planner != nil {
		c.Modules, c.Source = p.Planner.Modules(), p.Source
	}
	return c
}

// secondPlace makes a second place of that name below the work directory: it has
// a toolchain, a source and modules of its own. What modules it has to unpack come
// from the first place's downloads, checked again against go.sum. The toolchain is
// that of all second places, verified again, and so are the modules of the one
// named second.
func secondPlace(ctx context.Context, p *fetch.Planned, name string) (*execute.Local, error) {
	p.Phase("preparing the second place")
	root := filepath.Join(p.Workspace.Dir, name)
	cache := ""
	if name == "second" && p.Repo != nil && p.Generation == nil && keepModules(p.Run) { // commands may use other modules
		cache = filepath.Join(p.Cache, "second")
	}
	place := execute.Second(root, cache, p.Git)
	place.Confined = p.Confined
	if err := place.Make(); err != nil {
		return nil, workspace.Error(err)
	}
	second := &execute.Local{
		Label: "second", Place: place, Out: filepath.Join(root, "products"),
		SetUmask: toolchain.CanSetUmask(), Kind: p.Source.Kind, Version: p.Source.Version, Care: care(p),
	}
	if toolchain.CanSetHostname(ctx, place.Empty) {
		second.Hostname = place.Hostname
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		second.Goroot, err = p.GoToolchain.Install(gctx, filepath.Join(p.Cache, "second", "toolchains", p.GoToolchain.DirName(), "goroot"), p.Known)
		return err
	})
	if p.CopyAgain != nil {
		g.Go(func() (err error) {
			second.Dir, second.Origin, err = p.CopyAgain(gctx, place, filepath.Join(root, "another checkout", "of the source"))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	p.AtEnd(func() error { return second.Goroot.Confirm(ctx) })
	loader, err := secondModules(ctx, p, second, root, cache != "")
	if err != nil {
		return nil, err
	}
	return second, generateAgain(ctx, p, second, name+" place", loader)
}

// keepModules takes the modules of earlier second places for this run alone.
// While somebody else has them, or where nothing is remembered, every module is
// unpacked anew.
func keepModules(r *run.Run) bool {
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
	r.Hold(lock)
	return true
}

// secondModules gives the second place its modules, and a source that is one.
func secondModules(ctx context.Context, p *fetch.Planned, second *execute.Local, root string, kept bool) (*plan.Loader, error) {
	place := second.Place
	loader := &plan.Loader{
		Goroot: second.Goroot, Place: place, Dir: second.Dir, Kind: p.Source.Kind,
		Settings: toolchain.Settings{GOPROXY: p.BuildPlace.Proxy(), GOSUMDB: "off"}, Offline: true,
	}
	if p.Source.Kind == fact.SourceModule {
		for _, u := range p.Plan.Units {
			if err := loader.FetchInstall(ctx, u, p.Source.Version); err != nil {
				return nil, fmt.Errorf("%s: %w", u.ID(), err)
			}
		}
		second.Dir = filepath.Join(place.ModCache, source.CacheDir(p.Source.ModulePath, p.Source.Version))
		second.Origin = fetch.FromZip(p.Source)
		return loader, nil
	}
	needed := p.Planner.Modules()
	if kept {
		modules, err := plan.UseKeptModules(ctx, loader, p.Known, needed)
		if err == nil {
			p.AtEnd(func() error { return modules.Confirm(ctx) })
			return loader, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		// Whatever is wrong there, without it everything is as it was the first time.
		if err := files.RemoveTree(place.ModCache); err != nil {
			return nil, workspace.Error(err)
		}
		place.ModCache = execute.Second(root, "", p.Git).ModCache
		if err := place.Make(); err != nil {
			return nil, workspace.Error(err)
		}
	}
	var paths []string
	for _, n := range needed {
		paths = append(paths, n.Path)
	}
	if err := loader.FetchModules(ctx, paths); err != nil {
		if fault.Hint(err) != "" || ctx.Err() != nil {
			return nil, fmt.Errorf("modules of the second place: %w", err)
		}
		// The files come from the first place, where the go command does not
		// look into a zip again that it has unpacked once.
		return nil, fault.Errorf("a download in mintmark's cache may be damaged; remove "+p.BuildPlace.ModCache+" and run it again", "modules of the second place: %w", err)
	}
	return loader, nil
}
