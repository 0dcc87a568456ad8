package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/compare"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/sync/errgroup"
)

// sites are the places of both builds, ready to build without the network.
type sites struct {
	first, second *execute.Site // second is nil when nothing is rebuilt
	src           [2]string     // module directories, for the archives' further files
}

// prepare ends the fetch phase: afterwards nothing needs the network. The
// second place gets a toolchain, a source and modules of its own; what modules it
// has to unpack come from the first place's downloads, checked again against
// go.sum.
func (s *session) prepare(ctx context.Context, twice bool) (*sites, error) {
	st := &sites{}
	st.src[0] = s.checkout
	st.first = &execute.Site{
		Name: "first", Goroot: s.goroot, Place: s.place, Dir: s.checkout,
		Out: filepath.Join(s.ws.dir, "first", "out"), Kind: s.source.Kind, Version: s.source.Version,
		Origin: s.origin,
	}
	if s.source.Kind == fact.SourceModule {
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(2)
		for _, u := range s.plan.Units {
			g.Go(func() error {
				if err := s.loader.FetchInstall(gctx, u, s.source.Version); err != nil {
					return fmt.Errorf("%s: %w", u.ID(), err)
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
	}
	if !twice {
		return st, nil
	}
	return st, s.prepareSecond(ctx, st, "second")
}

// prepareSecond makes a second place of that name below the work directory, with
// a copy of the source of its own. The toolchain is that of all second places, verified
// again, and so are the modules of the one named second.
func (s *session) prepareSecond(ctx context.Context, st *sites, name string) error {
	s.phase("preparing the second place")
	root := filepath.Join(s.ws.dir, name)
	cache := ""
	if name == "second" && s.repo != nil && s.keepModules() {
		cache = filepath.Join(s.Cache, "second")
	}
	place := compare.Second(root, cache, s.git)
	place.Confined = s.confined
	if err := place.Make(); err != nil {
		return cacheError(err)
	}
	hostname := toolchain.CanSetHostname(ctx, place.Empty)
	second := &execute.Site{
		Name: "second", Place: place, Out: filepath.Join(root, "products"),
		SetUmask: canUmask, Kind: s.source.Kind, Version: s.source.Version,
	}
	if hostname {
		second.Hostname = place.Hostname
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		second.Goroot, err = s.tc.Install(gctx, filepath.Join(s.Cache, "second", "toolchains", s.tc.DirName(), "goroot"), s.known)
		return err
	})
	if s.repo != nil {
		g.Go(func() (err error) {
			clone := filepath.Join(root, "another checkout", "of the source")
			second.Dir, err = s.repo.Checkout(gctx, clone, s.Snapshot)
			second.Origin = fact.Circumstances{fact.GitClone: clone}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	s.settle = append(s.settle, func() error { return second.Goroot.Settle(ctx) })
	if s.putSource != nil {
		second.Dir = filepath.Join(root, "another checkout", "of the source")
		if err := s.putSource(place, second.Dir); err != nil {
			return err
		}
		second.Origin = s.fromZip()
	}
	if err := s.secondModules(ctx, second, root, cache != ""); err != nil {
		return err
	}
	st.second, st.src[1] = second, second.Dir
	return nil
}

// keepModules takes the modules of earlier second places for this run alone.
// While somebody else has them, or where nothing is remembered, every module is
// unpacked anew.
func (s *session) keepModules() bool {
	if s.Full || len(s.Secret) == 0 {
		return false
	}
	dir := filepath.Join(s.Cache, "second")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return false
	}
	lock, _, err := filelock.Try(filepath.Join(dir, "modules.lock"), "")
	if err != nil {
		return false
	}
	s.locks = append(s.locks, lock)
	return true
}

// secondModules gives the second place its modules.
func (s *session) secondModules(ctx context.Context, second *execute.Site, root string, kept bool) error {
	place := second.Place
	loader := &plan.Loader{
		Goroot: second.Goroot, Place: place, Dir: second.Dir, Kind: s.source.Kind,
		Settings: toolchain.Settings{GOPROXY: s.place.Proxy(), GOSUMDB: "off"}, Offline: true,
	}
	if s.source.Kind == fact.SourceModule {
		for _, u := range s.plan.Units {
			if err := loader.FetchInstall(ctx, u, s.source.Version); err != nil {
				return fmt.Errorf("%s: %w", u.ID(), err)
			}
		}
		second.Dir = filepath.Join(place.ModCache, source.CacheDir(s.source.ModulePath, s.source.Version))
		second.Origin = s.fromZip()
		return nil
	}
	needed := s.planner.Modules()
	if kept {
		modules, err := plan.UseKeptModules(ctx, loader, s.known, needed)
		if err == nil {
			s.settle = append(s.settle, func() error { return modules.Settle(ctx) })
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		// Whatever is wrong there, without it everything is as it was the first time.
		if err := files.RemoveTree(place.ModCache); err != nil {
			return cacheError(err)
		}
		place.ModCache = compare.Second(root, "", s.git).ModCache
		if err := place.Make(); err != nil {
			return cacheError(err)
		}
	}
	var paths []string
	for _, n := range needed {
		paths = append(paths, n.Path)
	}
	if err := loader.FetchModules(ctx, paths); err != nil {
		if hintOf(err) != "" || ctx.Err() != nil {
			return fmt.Errorf("modules of the second place: %w", err)
		}
		// The files come from the first place, where the go command does not
		// look into a zip again that it has unpacked once.
		return hinted("a download in mintmark's cache may be damaged; remove "+s.place.ModCache+" and run it again", "modules of the second place: %w", err)
	}
	return nil
}
