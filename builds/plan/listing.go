package plan

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/memo"
	"golang.org/x/mod/module"
)

// listing is an answer of go list, as it is remembered.
type listing struct {
	// Packages have directories that begin with the name of what they are in.
	Packages []*Package
	// Fetched are the files and directories of the module cache that a build
	// needs after this answer, slash-separated.
	Fetched []string
}

// listKey names everything that the answer to a go list command depends on:
// the toolchain's content, the source or its outline, the command and what of the
// environment can change the answer. Where modules come from is not part of it, since
// go.sum says what they are. ok is false when the source has no identity.
func (l *Loader) listKey(source string, unitEnv, args []string) (key memo.Key, ok bool) {
	tc := l.Goroot.Toolchain
	if l.Source == "" || tc.Sum == "" {
		return key, false
	}
	env := append(toolchain.UnitEnv(), unitEnv...)
	return memo.NewKey("go list 1", tc.Module, tc.Sum, source, strings.Join(env, "\x00"), strings.Join(args, "\x00")), true
}

// keptListing gives the remembered answer. It counts only while everything it says
// has been fetched is still in the module cache.
func (l *Loader) keptListing(key memo.Key) ([]*Package, bool) {
	var a listing
	if !l.Known.Get(key, &a) || len(a.Packages) == 0 || !l.there(a.Fetched) {
		return nil, false
	}
	roots := l.roots()
	for _, p := range a.Packages {
		root, rel, _ := strings.Cut(p.Dir, "/")
		i := slices.IndexFunc(roots, func(r listRoot) bool { return r.name == root })
		if i < 0 {
			return nil, false
		}
		p.Dir = filepath.Join(roots[i].dir, filepath.FromSlash(rel))
	}
	return a.Packages, true
}

// keepListing keeps an answer without errors under all keys, if all of it can be
// found again from another checkout. deps says that everything it names was fetched.
func (l *Loader) keepListing(keys []memo.Key, pkgs []*Package, deps bool) {
	roots := l.roots()
	a := listing{}
	for _, p := range pkgs {
		kept := *p
		if p.Target != "" {
			kept.Target = filepath.Base(p.Target) // the rest is the place's
		}
		ok := false
		for _, r := range roots {
			if rel, err := filepath.Rel(r.dir, p.Dir); err == nil && filepath.IsLocal(rel) {
				kept.Dir = path.Join(r.name, filepath.ToSlash(rel))
				ok = deps || r.name == "source" // else nobody looks whether it is still there
				break
			}
		}
		if !ok {
			return // such as a directory that go.mod names with an absolute path
		}
		a.Packages = append(a.Packages, &kept)
	}
	if deps {
		var ok bool
		if a.Fetched, ok = l.fetched(pkgs); !ok {
			return
		}
	}
	for _, key := range keys {
		l.Known.Put(key, a)
	}
}

// listRoot is a directory whose place differs from run to run.
type listRoot struct{ name, dir string }

// roots are in the order in which one may lie in another.
func (l *Loader) roots() []listRoot {
	return []listRoot{{"source", l.Dir}, {"modules", l.Place.ModCache}, {"goroot", l.Goroot.Dir}}
}

// respell gives the directories of packages the spelling of the loader's own
// directories: the go command prints paths without symbolic links.
func (l *Loader) relative(pkgs []*Package) {
	for _, r := range l.roots() {
		real, err := filepath.EvalSymlinks(r.dir)
		if err != nil || real == r.dir {
			continue
		}
		for _, p := range pkgs {
			if rel, err := filepath.Rel(real, p.Dir); err == nil && filepath.IsLocal(rel) {
				p.Dir = filepath.Join(r.dir, rel)
			}
		}
	}
}

// there reports whether the module cache has all these files.
func (l *Loader) there(names []string) bool {
	for _, name := range names {
		if _, seen := l.seen.Load(name); seen {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return false
		}
		if _, err := os.Lstat(filepath.Join(l.Place.ModCache, filepath.FromSlash(name))); err != nil {
			return false
		}
		l.seen.Store(name, true)
	}
	return true
}

// fetched are the files in the module cache that make a build of these packages
// possible without the network: the modules themselves, what their downloads
// left for the second place, and the go.mod files of the whole module graph.
func (l *Loader) fetched(pkgs []*Package) (names []string, ok bool) {
	mods := map[module.Version]bool{}
	for _, p := range pkgs {
		m, ok := p.download()
		if rel, err := filepath.Rel(l.Place.ModCache, p.Dir); !ok || err != nil || !filepath.IsLocal(rel) {
			continue // the standard library, the product itself, vendored
		}
		mods[m] = true
	}
	for m := range mods {
		dir, file := source.CacheDir(m.Path, m.Version), downloadFile(m)
		if dir == "" || file == "" {
			return nil, false
		}
		names = append(names, filepath.ToSlash(dir), file+".zip", file+".ziphash", file+".mod", file+".info")
	}
	if !l.there(names) {
		return nil, false
	}
	graph, err := l.graph()
	if err != nil {
		return nil, false
	}
	names = append(names, graph...)
	slices.Sort(names)
	return slices.Compact(names), true
}

// graph are the go.mod files in the module cache that go.sum names: with
// go.mod, they are what the go command selects versions by.
func (l *Loader) graph() ([]string, error) {
	sums, err := l.goSum()
	if err != nil {
		return nil, err
	}
	var names []string
	for m := range sums {
		version, ok := strings.CutSuffix(m.Version, "/go.mod")
		if !ok {
			continue
		}
		if file := downloadFile(module.Version{Path: m.Path, Version: version}); file != "" && l.there([]string{file + ".mod"}) {
			names = append(names, file+".mod")
		}
	}
	slices.Sort(names)
	return names, nil
}

// goSum reads the module's go.sum; without one there are no sums. For the h1
// of a module's go.mod, the version ends in /go.mod.
func (l *Loader) goSum() (map[module.Version]string, error) {
	data, err := files.Read(filepath.Join(l.Dir, "go.sum"), maxSourceFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	sums := map[module.Version]string{}
	sc := bufio.NewScanner(bytes.NewReader(data))
	for sc.Scan() {
		if f := strings.Fields(sc.Text()); len(f) == 3 && strings.HasPrefix(f[2], "h1:") {
			sums[module.Version{Path: f[0], Version: f[1]}] = f[2]
		}
	}
	return sums, errors.Join(err, sc.Err())
}

// downloadFile is what the names of a module's downloads in the module cache
// begin with, slash-separated, or "".
func downloadFile(m module.Version) string {
	p, err := module.EscapePath(m.Path)
	if err != nil {
		return ""
	}
	v, err := module.EscapeVersion(m.Version)
	if err != nil {
		return ""
	}
	return path.Join("cache/download", p, "@v", v)
}

// download is the module that the package was downloaded with; ok is false for
// the standard library, the product itself, and directories.
func (p *Package) download() (m module.Version, ok bool) {
	switch {
	case p.Module == nil || p.Module.Main:
		return m, false
	case p.Module.Replace == nil:
		return module.Version{Path: p.Module.Path, Version: p.Module.Version}, true
	default:
		return module.Version{Path: p.Module.Replace.Path, Version: p.Module.Replace.Version}, p.Module.Replace.Version != ""
	}
}

// ready makes sure that the checkout is there.
func (l *Loader) ready(ctx context.Context) error {
	if l.Ready == nil {
		return nil
	}
	return l.Ready(ctx)
}

// memoized gives what an earlier run found in the source for these parts, or
// finds it now. find says whether the result may be remembered: it was found
// without problems, and depends on nothing but the source and the parts.
func memoized[T any](ctx context.Context, l *Loader, find func() (found T, keep bool), parts ...string) (T, error) {
	var found T
	key := memo.NewKey(append([]string{"in the source 1", l.Source}, parts...)...)
	if l.Source != "" && l.Known.Get(key, &found) {
		return found, nil
	}
	if err := l.ready(ctx); err != nil {
		return found, err
	}
	found, keep := find()
	if keep && l.Source != "" {
		l.Known.Put(key, found)
	}
	return found, nil
}
