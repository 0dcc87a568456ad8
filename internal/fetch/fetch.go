package fetch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

// Kit is a toolchain, and the place it works in first: the build cache there is
// that of this toolchain, told apart by its content. cmd/go itself tells
// toolchains apart by version only.
type Kit struct {
	GoToolchain *toolchain.Toolchain
	Goroot      *toolchain.Goroot
	BuildPlace  *toolchain.Place
}

// Copied is a subject with its toolchain and a private copy of its source.
type Copied struct {
	*Subject
	*Kit
	Loader   *plan.Loader
	Checkout string             // module directory of the first private copy
	Origin   fact.Circumstances // what that is made from
	// again makes another copy, for another place; nil where that has the source in
	// its module cache.
	CopyAgain  copier
	Generation *Generation // nil: nothing was generated
}

// copier puts a copy of a source into a directory, for a place to build it in. It
// returns the module's directory and what it was made from.
type copier func(ctx context.Context, place *toolchain.Place, dir string) (module string, origin fact.Circumstances, err error)

// Fetch gets the toolchain and the source. Of the source it makes the first
// private copy; if it is known from earlier runs, only when somebody needs it.
func (s *Subject) Fetch(ctx context.Context) (*Copied, error) {
	exact, err := s.wantedToolchain()
	if err != nil {
		return nil, err
	}
	k, err := FetchToolchain(ctx, s.Run, s.Tools, exact, filepath.Join(s.Cache, "first", "go"))
	if err != nil {
		return nil, err
	}
	return s.CopySource(ctx, k)
}

// wantedToolchain is the exact toolchain that is asked for: by -toolchain, else by
// the profile file, else by go.mod.
func (s *Subject) wantedToolchain() (string, error) {
	recent := toolchain.Recent(runtime.Version())
	want, from := s.Toolchain, "-toolchain"
	if want == "" {
		want, from = s.File.Go, s.File.Pos("go").String()
	}
	if want == "" {
		want, from = s.Source.Go, "go.mod"
	}
	if want == "" {
		return "", fault.Usagef("pin one: go: "+recent+" in "+ConfigName+", or -toolchain="+recent, "no toolchain: neither the profile file nor go.mod names one")
	}
	exact, err := toolchain.Exact(want)
	if err != nil {
		return "", fault.Usagef("write the toolchain as a release, such as "+recent, "%s: %w", from, err)
	}
	if !toolchain.Supported(exact) {
		return "", fault.Usagef("pin a newer one: go: "+recent+" in "+ConfigName+", or -toolchain="+recent, "%s names the toolchain %s; mintmark builds with %s or newer", from, exact, toolchain.Oldest)
	}
	return exact, nil
}

// FetchToolchain fetches the toolchain of that version and unpacks it below dir.
// Its build cache is one of its own; with -full, an empty one.
func FetchToolchain(ctx context.Context, r *run.Run, t *Tools, exact, dir string) (*Kit, error) {
	r.Phase("toolchain " + exact)
	k := &Kit{}
	var err error
	if k.GoToolchain, err = t.Fetcher.Toolchain(ctx, exact); err != nil {
		return nil, err
	}
	if !k.GoToolchain.SumDB {
		r.Warn("toolchain %s was not checked against the checksum database (GOSUMDB=off with a file proxy): its hash is what the proxy served", exact)
	}
	if k.Goroot, err = k.GoToolchain.Install(ctx, filepath.Join(dir, k.GoToolchain.DirName()), r.Known); err != nil {
		return nil, err
	}
	r.AtEnd(func() error { return k.Goroot.Confirm(ctx) })
	place := *t.FetchPlace
	if place.GoCache, err = buildCache(r, k.GoToolchain); err != nil {
		return nil, err
	}
	k.BuildPlace = &place
	return k, nil
}

// buildCache is the directory of the first place's compiles by a toolchain. What
// is in it is looked at by [toolchain.Place.Ready].
func buildCache(r *run.Run, tc *toolchain.Toolchain) (string, error) {
	if r.Full {
		dir := filepath.Join(r.Workspace.Dir, "first", "objects")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", workspace.Error(err)
		}
		return dir, nil
	}
	dir, err := workspace.BuildCache(r.Cache, tc.DirName())
	if err != nil {
		return "", workspace.Error(err)
	}
	return dir, nil
}

// CopySource computes the module's hash, and says how the first private copy is
// made.
func (s *Subject) CopySource(ctx context.Context, k *Kit) (*Copied, error) {
	c := &Copied{Subject: s, Kit: k}
	c.Loader = &plan.Loader{
		Goroot: k.Goroot, Place: k.BuildPlace, Settings: s.Settings, Kind: s.Source.Kind,
		Known: s.Known, Source: s.Source.Identity(),
	}
	if s.Source.Kind == fact.SourceModule {
		c.Checkout, c.Loader.Dir, c.Origin = s.ModuleDir, s.ModuleDir, FromZip(s.Source)
		return c, nil
	}
	if err := s.Repo.Hash(ctx); err != nil {
		return nil, err
	}
	top := filepath.Join(s.Workspace.Dir, "first", "src")
	c.Checkout = filepath.Join(top, filepath.FromSlash(s.Source.Dir))
	c.Origin = fact.Circumstances{fact.GitClone: top}
	c.Loader.Dir = c.Checkout
	c.CopyAgain = func(ctx context.Context, _ *toolchain.Place, dir string) (string, fact.Circumstances, error) {
		module, err := s.Repo.Checkout(ctx, dir, s.Snapshot)
		return module, fact.Circumstances{fact.GitClone: dir}, err
	}
	var once sync.Once
	var err error
	c.Loader.Ready = func(context.Context) error {
		once.Do(func() {
			s.Phase("private checkout of " + s.Source.Commit[:12])
			_, err = s.Repo.Checkout(ctx, top, s.Snapshot)
		})
		return err
	}
	if !s.Snapshot {
		return c, nil
	}
	// What is built is not the commit.
	c.Loader.Source = ""
	if err := c.Loader.Ready(ctx); err != nil {
		return nil, err
	}
	if err := s.Repo.HashSnapshot(c.Checkout); err != nil {
		return nil, fmt.Errorf("hashing the snapshot: %w", err)
	}
	return c, nil
}

// FromZip is the origin of a copy of the module proxy's zip.
func FromZip(src *source.Source) fact.Circumstances {
	return fact.Circumstances{fact.ModuleZip: src.Sum}
}
