package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/workspace"
)

// kit is a toolchain, and the place it works in first: the build cache there is
// that of this toolchain, told apart by its content. cmd/go itself tells
// toolchains apart by version only.
type kit struct {
	tc     *toolchain.Toolchain
	goroot *toolchain.Goroot
	place  *toolchain.Place
}

// copied is a subject with its toolchain and a private copy of its source.
type copied struct {
	*subject
	*kit
	loader *plan.Loader
	dir    string             // module directory of the first private copy
	origin fact.Circumstances // what that is made from
	// again makes another copy, for another place; nil where that has the source in
	// its module cache.
	again copier
}

// copier puts a copy of a source into a directory, for a place to build it in. It
// returns the module's directory and what it was made from.
type copier func(ctx context.Context, place *toolchain.Place, dir string) (module string, origin fact.Circumstances, err error)

// fetch gets the toolchain and the source. Of the source it makes the first
// private copy; if it is known from earlier runs, only when somebody needs it.
func (s *subject) fetch(ctx context.Context) (*copied, error) {
	exact, err := s.wantedToolchain()
	if err != nil {
		return nil, err
	}
	k, err := s.fetchToolchain(ctx, s.tools, exact, filepath.Join(s.Cache, "first", "go"))
	if err != nil {
		return nil, err
	}
	return s.copySource(ctx, k)
}

// wantedToolchain is the exact toolchain that is asked for: by -toolchain, else by
// the profile file, else by go.mod.
func (s *subject) wantedToolchain() (string, error) {
	want, from := s.Toolchain, "-toolchain"
	if want == "" {
		want, from = s.file.Go, s.file.Pos("go").String()
	}
	if want == "" {
		want, from = s.source.Go, "go.mod"
	}
	if want == "" {
		return "", fault.Usagef("pin one: go: go1.26.8 in "+configName+", or -toolchain=go1.26.8", "no toolchain: neither the profile file nor go.mod names one")
	}
	exact, err := toolchain.Exact(want)
	if err != nil {
		return "", fault.Usagef("write the toolchain as a release, such as go1.26.8", "%s: %w", from, err)
	}
	if older(exact, "go1.21") {
		return "", fault.Usagef("pin a newer one: go: go1.26.8 in "+configName+", or -toolchain=go1.26.8", "%s names the toolchain %s; mintmark builds with go1.21 or newer", from, exact)
	}
	return exact, nil
}

// fetchToolchain fetches the toolchain of that version and unpacks it below dir.
// Its build cache is one of its own; with -full, an empty one.
func (r *run) fetchToolchain(ctx context.Context, t *tools, exact, dir string) (*kit, error) {
	r.phase("toolchain " + exact)
	k := &kit{}
	var err error
	if k.tc, err = t.fetcher.Toolchain(ctx, exact); err != nil {
		return nil, err
	}
	if !k.tc.SumDB {
		r.warn("toolchain %s was not checked against the checksum database (GOSUMDB=off with a file proxy): its hash is what the proxy served", exact)
	}
	if k.goroot, err = k.tc.Install(ctx, filepath.Join(dir, k.tc.DirName()), r.known); err != nil {
		return nil, err
	}
	r.atEnd(func() error { return k.goroot.Settle(ctx) })
	place := *t.place
	if place.GoCache, err = r.buildCache(k.tc); err != nil {
		return nil, err
	}
	k.place = &place
	return k, nil
}

// buildCache is the directory of the first place's compiles by a toolchain.
func (r *run) buildCache(tc *toolchain.Toolchain) (string, error) {
	if r.Full {
		dir := filepath.Join(r.ws.Dir, "first", "objects")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", workspace.Error(err)
		}
		return dir, nil
	}
	dir, err := files.MakeDir(r.Cache, "first", "gocache", tc.DirName())
	if err != nil {
		return "", workspace.Error(err)
	}
	return dir, workspace.CheckBuildCache(dir)
}

// copySource computes the module's hash, and says how the first private copy is
// made.
func (s *subject) copySource(ctx context.Context, k *kit) (*copied, error) {
	c := &copied{subject: s, kit: k}
	c.loader = &plan.Loader{
		Goroot: k.goroot, Place: k.place, Settings: s.settings, Kind: s.source.Kind,
		Known: s.known, Source: s.source.Identity(),
	}
	if s.source.Kind == source.Module {
		c.dir, c.loader.Dir, c.origin = s.moduleDir, s.moduleDir, fromZip(s.source)
		return c, nil
	}
	if err := s.repo.Hash(ctx); err != nil {
		return nil, err
	}
	top := filepath.Join(s.ws.Dir, "first", "src")
	c.dir = filepath.Join(top, filepath.FromSlash(s.source.Dir))
	c.origin = fact.Circumstances{fact.GitClone: top}
	c.loader.Dir = c.dir
	c.again = func(ctx context.Context, _ *toolchain.Place, dir string) (string, fact.Circumstances, error) {
		module, err := s.repo.Checkout(ctx, dir, s.Snapshot)
		return module, fact.Circumstances{fact.GitClone: dir}, err
	}
	var once sync.Once
	var err error
	c.loader.Ready = func(context.Context) error {
		once.Do(func() {
			s.phase("private checkout of " + s.source.Commit[:12])
			_, err = s.repo.Checkout(ctx, top, s.Snapshot)
		})
		return err
	}
	if !s.Snapshot {
		return c, nil
	}
	// What is built is not the commit.
	c.loader.Source = ""
	if err := c.loader.Ready(ctx); err != nil {
		return nil, err
	}
	if err := s.repo.HashSnapshot(c.dir); err != nil {
		return nil, fmt.Errorf("hashing the snapshot: %w", err)
	}
	return c, nil
}

// fromZip is the origin of a copy of the module proxy's zip.
func fromZip(src *source.Source) fact.Circumstances {
	return fact.Circumstances{fact.ModuleZip: src.Sum}
}
