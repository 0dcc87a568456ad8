package retained

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/mod/modfile"
)

// maxSource is the most bytes that a Go file, a go.mod or a file beside them may have.
const maxSource = 64 << 20

// Stage is where packages are emptied for builds. Its methods may be called from
// several goroutines.
type Stage struct {
	Graph    *Graph
	ModCache string // what lies in it cannot be overlaid: the go command refuses
	Checkout string // the main module's directory

	mu    sync.Mutex
	named map[string]Names // by package: what it names of others
}

// Flags empties packages into dir: those of gone that are not of the standard
// library; see [Graph.Without]. It returns the flags that make the go command build
// with them: copies of modules of the module cache, which a go.mod names instead,
// and an overlay for all others.
func (s *Stage) Flags(ctx context.Context, dir string, gone map[string]bool) ([]string, error) {
	var empty []string
	for path := range gone {
		if !s.Graph.Packages[path].Standard {
			empty = append(empty, path)
		}
	}
	// Who imports a package is before it, so that what is named of it is known.
	slices.SortFunc(empty, func(a, b string) int { return cmp.Compare(s.Graph.order[b], s.Graph.order[a]) })
	used, err := s.usedOutside(ctx, gone)
	if err != nil {
		return nil, err
	}
	overlay := map[string]string{}
	copied := map[string]string{} // module → directory
	for i, path := range empty {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		p := s.Graph.Packages[path]
		if used[path] == nil {
			used[path] = map[string]bool{} // nobody names anything of it: nil would be everything
		}
		list, names, err := s.empty(p, used[path])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for at, list := range names {
			for name := range list {
				used.add(p.resolve(at), name)
			}
		}
		rel, err := filepath.Rel(s.ModCache, p.Dir)
		if err != nil || !filepath.IsLocal(rel) {
			to := filepath.Join(dir, fmt.Sprintf("over-%d", i))
			if err := overlaid(p.Dir, to, list, overlay); err != nil {
				return nil, err
			}
			continue
		}
		m := p.Module
		if copied[m.Path] == "" {
			copied[m.Path] = filepath.Join(dir, fmt.Sprintf("module-%d", len(copied)))
			if err := s.copyModule(ctx, m, copied[m.Path], empty); err != nil {
				return nil, err
			}
		}
		if rel, err = filepath.Rel(m.Dir, p.Dir); err != nil || !filepath.IsLocal(rel) {
			return nil, fmt.Errorf("%s: %s is not in its module's directory %s", path, p.Dir, m.Dir)
		}
		if err := writeAll(filepath.Join(copied[m.Path], rel), list); err != nil {
			return nil, err
		}
	}
	var flags []string
	if len(copied) > 0 {
		name, err := s.replace(dir, copied)
		if err != nil {
			return nil, err
		}
		flags = append(flags, "-modfile="+name)
	}
	if len(overlay) > 0 {
		data, err := json.Marshal(map[string]any{"Replace": overlay})
		if err != nil {
			return nil, err
		}
		name := filepath.Join(dir, "overlay.json")
		if err := files.Write(name, data, 0o644); err != nil {
			return nil, err
		}
		flags = append(flags, "-overlay="+name)
	}
	return flags, nil
}

// resolve is the import path of what an import in the source stands for.
func (p *Package) resolve(path string) string {
	if to, ok := p.ImportMap[path]; ok {
		return to
	}
	return path
}

// read reads the files of a package.
func (p *Package) read() (list []Source, err error) {
	for _, name := range p.Files {
		data, err := files.Read(filepath.Join(p.Dir, name), maxSource)
		if err != nil {
			return nil, err
		}
		list = append(list, Source{name, data})
	}
	return list, nil
}

// names tells the names of packages that p imports.
func (s *Stage) names(p *Package) Imported {
	return func(path string) string {
		if q := s.Graph.Packages[p.resolve(path)]; q != nil {
			return q.Name
		}
		return ""
	}
}

// usedOutside is what packages that stay name of those that are gone, by import path.
func (s *Stage) usedOutside(ctx context.Context, gone map[string]bool) (Names, error) {
	used := Names{}
	for path, p := range s.Graph.Packages {
		if gone[path] || p.Standard || !slices.ContainsFunc(p.Imports, func(i string) bool { return gone[i] }) {
			continue
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		named, err := s.namedBy(p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for at, list := range named {
			for name := range list {
				used.add(at, name)
			}
		}
	}
	return used, nil
}

// namedBy is what a package names of others, by import path. It is read once.
func (s *Stage) namedBy(p *Package) (Names, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.named[p.Path]; ok {
		return n, nil
	}
	list, err := p.read()
	if err != nil {
		return nil, err
	}
	n, err := named(list, s.names(p))
	if err != nil {
		return nil, err
	}
	resolved := Names{}
	for at, list := range n {
		for name := range list {
			resolved.add(p.resolve(at), name)
		}
	}
	if s.named == nil {
		s.named = map[string]Names{}
	}
	s.named[p.Path] = resolved
	return resolved, nil
}

// empty reads a package and empties it of all but what is used of it.
func (s *Stage) empty(p *Package, used map[string]bool) ([]Source, Names, error) {
	list, err := p.read()
	if err != nil {
		return nil, nil, err
	}
	var imp types.Importer
	exported := func(path string) (pkg *types.Package, err error) {
		if path = p.resolve(path); path == "" {
			path = p.Path
		}
		if imp == nil {
			imp = importer.ForCompiler(token.NewFileSet(), "gc", s.export)
		}
		if pkg, err = imp.Import(path); err != nil {
			return nil, fault.Errorf("a mintmark that was built with the toolchain's Go version reads what its compiler exports", "types of %s: %w", path, err)
		}
		return pkg, nil
	}
	return Empty(list, s.names(p), exported, used)
}

// export opens what importers see of a package.
func (s *Stage) export(path string) (io.ReadCloser, error) {
	p := s.Graph.Packages[path]
	if p == nil || p.Export == "" {
		return nil, fmt.Errorf("%s is not among the packages of the program", path)
	}
	return files.Open(p.Export)
}

func writeAll(dir string, list []Source) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, src := range list {
		if err := files.Write(filepath.Join(dir, src.Name), src.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// overlaid writes emptied files, and puts them in the place of all files of a
// directory that may be compiled.
func overlaid(dir, to string, list []Source, overlay map[string]string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() && e.Name() != "go.mod" {
			overlay[filepath.Join(dir, e.Name())] = "" // not there
		}
	}
	for _, src := range list {
		overlay[filepath.Join(dir, src.Name)] = filepath.Join(to, src.Name)
	}
	return writeAll(to, list)
}

// copyModule makes the copy of a module that emptied packages are written into:
// go.mod, and the directories of its other packages if the program has such.
func (s *Stage) copyModule(ctx context.Context, m Module, to string, empty []string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	mod := []byte("module " + modfile.AutoQuote(m.Path) + "\n")
	if m.GoMod != "" {
		data, err := files.Read(m.GoMod, maxSource)
		if err != nil {
			return err
		}
		mod = data
	}
	if err := files.Write(filepath.Join(to, "go.mod"), mod, 0o644); err != nil {
		return err
	}
	others := slices.DeleteFunc(s.Graph.Of(m.Path), func(path string) bool { return slices.Contains(empty, path) })
	if len(others) == 0 {
		return nil
	}
	emptied := map[string]bool{}
	for _, path := range empty {
		emptied[s.Graph.Packages[path].Dir] = true
	}
	// All of it: what a package needs beside its Go files (headers, embedded files)
	// may lie anywhere in the module.
	return filepath.WalkDir(m.Dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		rel, err := filepath.Rel(m.Dir, name)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		case !d.Type().IsRegular() || rel == "go.mod" || emptied[filepath.Dir(name)] || strings.HasSuffix(rel, "_test.go"):
			return nil
		}
		_, _, err = files.Copy(ctx, name, filepath.Join(to, rel), 0o644)
		return err
	})
}

// replace writes the main module's go.mod and go.sum with copies in the place of
// modules, and returns the name of the first.
func (s *Stage) replace(dir string, copied map[string]string) (string, error) {
	data, err := files.Read(filepath.Join(s.Checkout, "go.mod"), maxSource)
	if err != nil {
		return "", err
	}
	mod, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return "", err
	}
	for _, path := range slices.Sorted(maps.Keys(copied)) {
		for _, r := range slices.Clone(mod.Replace) {
			if r.Old.Path == path {
				if err := mod.DropReplace(r.Old.Path, r.Old.Version); err != nil {
					return "", err
				}
			}
		}
		if err := mod.AddReplace(path, "", copied[path], ""); err != nil {
			return "", err
		}
	}
	mod.Cleanup()
	if data, err = mod.Format(); err != nil {
		return "", err
	}
	name := filepath.Join(dir, "go.mod")
	if err := files.Write(name, data, 0o644); err != nil {
		return "", err
	}
	sum, err := files.Read(filepath.Join(s.Checkout, "go.sum"), maxSource)
	if errors.Is(err, fs.ErrNotExist) {
		return name, nil
	}
	if err != nil {
		return "", err
	}
	return name, files.Write(filepath.Join(dir, "go.sum"), sum, 0o644)
}
