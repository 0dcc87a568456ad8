package retained

import (
	"maps"
	"slices"
)

// Package is a package of a program, as the go command lists it for one platform.
type Package struct {
	Path     string // import path
	Name     string
	Dir      string
	Standard bool
	Module   Module // whose it is; the zero value for the standard library
	// Files are the Go files that are compiled, with those that have C in them;
	// names in Dir.
	Files     []string
	Imports   []string          // import paths, as they were resolved
	ImportMap map[string]string // import in the source → import path, where they differ
	Export    string            // the file with what importers see of it
}

// Module is the module of a package.
type Module struct {
	Path    string
	Version string // as the binary says it: after replacement
	Dir     string
	GoMod   string // its go.mod file; "" if it has none
	Main    bool   // the program's own
}

// Graph is the packages of a program with their imports.
type Graph struct {
	Packages map[string]*Package
	roots    []string
	order    map[string]int // as listed: what a package imports is before it
}

// NewGraph makes a graph of packages in the go command's order: what a package
// imports is before it. Packages that are there without an import (the program,
// and what the go command adds by itself) stay whatever is taken out.
func NewGraph(list []*Package) *Graph {
	g := &Graph{Packages: map[string]*Package{}, order: map[string]int{}}
	imported := map[string]bool{}
	for i, p := range list {
		g.Packages[p.Path] = p
		g.order[p.Path] = i
		for _, i := range p.Imports {
			imported[i] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(g.Packages)) {
		if !imported[path] || path == "runtime" {
			g.roots = append(g.roots, path)
		}
	}
	return g
}

// Modules are the modules of the program's packages but its own, sorted by path.
func (g *Graph) Modules() (list []Module) {
	seen := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(g.Packages)) {
		if m := g.Packages[path].Module; m.Path != "" && !m.Main && !seen[m.Path] {
			seen[m.Path] = true
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b Module) int {
		if a.Path < b.Path {
			return -1
		}
		return 1
	})
	return list
}

// Of are the packages of a module, sorted.
func (g *Graph) Of(module string) (paths []string) {
	for _, path := range slices.Sorted(maps.Keys(g.Packages)) {
		if m := g.Packages[path].Module; m.Path == module && !m.Main {
			paths = append(paths, path)
		}
	}
	return paths
}

// Without are the packages that nothing imports any more once some are taken out:
// these, and all that is imported through them alone.
func (g *Graph) Without(out []string) map[string]bool {
	gone := map[string]bool{}
	for path := range g.Packages {
		gone[path] = true
	}
	cut := map[string]bool{}
	for _, path := range out {
		cut[path] = true
	}
	todo := slices.Clone(g.roots)
	for len(todo) > 0 {
		path := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		p := g.Packages[path]
		if p == nil || !gone[path] || cut[path] {
			continue
		}
		delete(gone, path)
		todo = append(todo, p.Imports...)
	}
	return gone
}
