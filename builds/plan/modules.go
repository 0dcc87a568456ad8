package plan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/memo"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
)

// KeptModules are the modules of a module cache that outlives the release, of
// which nothing is believed: a module that is there already counts only if all
// its files together have the h1 that go.sum says, or are known to have had it
// and not to have changed since. Everything else is removed and downloaded
// anew. Nobody else may use the module cache meanwhile.
type KeptModules struct {
	loader  *Loader
	known   *memo.Store
	confirm []func(ctx context.Context) error
}

// UseKeptModules makes the loader's module cache hold the needed modules, in
// the versions and with the hashes of the checkout's go.mod and go.sum.
func UseKeptModules(ctx context.Context, l *Loader, known *memo.Store, needed []Needed) (*KeptModules, error) {
	k := &KeptModules{loader: l, known: known}
	if len(needed) == 0 {
		return k, nil
	}
	sums, err := l.goSum()
	if err != nil {
		return nil, err
	}
	var missing []Needed
	for _, n := range needed {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		want := sums[n.Module]
		dir := filepath.Join(l.Place.ModCache, source.CacheDir(n.Module.Path, n.Module.Version))
		check := func() error { return checkModule(ctx, dir, n.Module, want) }
		what := "module 1 " + n.Module.String() + " " + want
		if l.unpacked(n.Module, want) && known.Checked(ctx, dir, what, check) == nil {
			continue
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx) // half a check says nothing about the module
		}
		if err := discard(l.Place.ModCache, n.Module); err != nil {
			return nil, err
		}
		missing = append(missing, n)
		k.confirm = append(k.confirm, func(ctx context.Context) error { return known.Confirm(ctx, dir, what, check) })
	}
	return k, k.download(ctx, needed, missing)
}

// download has the go command get what is missing. When nothing is, it is asked
// only if it was not asked before for this go.mod and go.sum: it reads the
// go.mod files of the whole module graph, also of modules that are not needed.
func (k *KeptModules) download(ctx context.Context, needed, missing []Needed) error {
	l := k.loader
	parts := []string{"go mod download 1", l.Place.ModCache, l.Goroot.Toolchain.Sum}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := files.Read(filepath.Join(l.Dir, name), maxSourceFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		parts = append(parts, string(data))
	}
	for _, n := range needed {
		parts = append(parts, n.Path, n.Module.String())
	}
	key := memo.NewKey(parts...)
	var files []string
	if len(missing) == 0 {
		if l.Goroot.Toolchain.Sum != "" && k.known.Get(key, &files) && l.there(files) {
			return nil
		}
		missing = needed[:1] // any will do
	}
	var paths []string
	for _, n := range missing {
		paths = append(paths, n.Path)
	}
	if err := l.FetchModules(ctx, paths); err != nil {
		return err
	}
	for _, n := range missing {
		// Only what is unpacked is ever checked again. Without the zip, the go
		// command cannot take something else from it later.
		if err := os.Remove(filepath.Join(l.Place.ModCache, filepath.FromSlash(downloadFile(n.Module)+".zip"))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	files, err := l.graph()
	if err != nil {
		return err
	}
	k.known.Put(key, files)
	return nil
}

// unpacked reports whether the go command would use what it has unpacked.
func (l *Loader) unpacked(m module.Version, want string) bool {
	file := filepath.Join(l.Place.ModCache, filepath.FromSlash(downloadFile(m)))
	if _, err := os.Lstat(file + ".partial"); err == nil {
		return false
	}
	sum, err := files.ReadOwn(file+".ziphash", 1<<10)
	return err == nil && string(sum) == want
}

// Confirm checks the modules that were unpacked in this run once more, so that
// the next one can rely on them. For the end of a run, while nobody else uses
// the module cache.
func (k *KeptModules) Confirm(ctx context.Context) error {
	var errs []error
	for _, confirm := range k.confirm {
		errs = append(errs, confirm(ctx))
	}
	return errors.Join(errs...)
}

// checkModule hashes an unpacked module, as go mod verify does.
func checkModule(ctx context.Context, dir string, m module.Version, want string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			err = fmt.Errorf("%s: not a regular file", path)
		}
		return err
	})
	if err != nil {
		return err
	}
	got, err := dirhash.HashDir(dir, m.String(), dirhash.Hash1)
	if err == nil && got != want {
		err = fmt.Errorf("%s: altered", m)
	}
	return err
}

// DamagedModules hashes the needed modules in a place's module cache again, and
// gives those that are not what the go.sum in dir, a checkout, says, or, for a module
// that is itself the source, what src says. Those that it has not unpacked, and
// those without a known hash, are left out.
func DamagedModules(ctx context.Context, place *toolchain.Place, dir string, needed []Needed, src *source.Source) ([]module.Version, error) {
	sums, err := (&Loader{Place: place, Dir: dir}).goSum()
	if err != nil {
		return nil, err
	}
	want := map[module.Version]string{}
	for _, n := range needed {
		want[n.Module] = sums[n.Module]
	}
	if src.Kind == fact.SourceModule {
		want[module.Version{Path: src.ModulePath, Version: src.Version}] = src.Sum
	}
	var out []module.Version
	for m, sum := range want {
		unpacked := source.CacheDir(m.Path, m.Version)
		if sum == "" || unpacked == "" {
			continue
		}
		unpacked = filepath.Join(place.ModCache, unpacked)
		if _, err := os.Lstat(unpacked); err != nil {
			continue
		}
		if err := checkModule(ctx, unpacked, m, sum); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			out = append(out, m)
		}
	}
	module.Sort(out)
	return out, nil
}

// DiscardModules removes modules from a place's module cache, so that they are
// downloaded anew.
func DiscardModules(place *toolchain.Place, list []module.Version) error {
	var errs []error
	for _, m := range list {
		errs = append(errs, discard(place.ModCache, m))
	}
	return errors.Join(errs...)
}

// discard removes a module from a module cache, but for its go.mod, which the go
// command checks each time it reads it. The zip it checks only when it has
// downloaded it.
func discard(modCache string, m module.Version) error {
	dir, file := source.CacheDir(m.Path, m.Version), downloadFile(m)
	if dir == "" || file == "" {
		return fmt.Errorf("%s: strange name of a module", m)
	}
	file = filepath.Join(modCache, filepath.FromSlash(file))
	for _, ext := range []string{".zip", ".ziphash", ".partial"} {
		if err := os.Remove(file + ext); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return files.RemoveTree(filepath.Join(modCache, dir))
}
