package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/ui"
)

// ImportTree says by which import each package came into a program: it has for a
// package those that it is the first to import, on a shortest way from the main
// package, which is the only one that nobody imports; of several such ways it is the
// first by name. So of the main package it has all imports.
type ImportTree map[string][]string

// Importers says for each package that some packages import, directly or not, by
// which one it is reached on a shortest way, of several the first by name; "" for
// those packages themselves. Imports has the imports of each package.
func Importers(imports map[string][]string, from []string) map[string]string {
	importer := map[string]string{}
	queue := slices.Sorted(slices.Values(from))
	for _, p := range queue {
		importer[p] = ""
	}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		for _, next := range slices.Sorted(slices.Values(imports[p])) {
			if _, ok := importer[next]; !ok {
				importer[next] = p
				queue = append(queue, next)
			}
		}
	}
	return importer
}

// NewImportTree makes the tree of a program from the imports of its packages.
func NewImportTree(imports map[string][]string, main string) ImportTree {
	t := ImportTree{main: {}}
	for pkg, by := range Importers(imports, []string{main}) {
		if by != "" {
			t[by] = append(t[by], pkg)
		}
	}
	for _, list := range t {
		slices.Sort(list)
	}
	return t
}

// importers is who imports each package; an error where that is not a tree.
func (t ImportTree) importers() (map[string]string, error) {
	by := map[string]string{}
	for p, list := range t {
		for _, q := range list {
			if _, twice := by[q]; twice {
				return nil, fmt.Errorf("imports: %.100q has two importers", q)
			}
			by[q] = p
		}
	}
	if len(t) == 0 {
		return by, nil
	}
	// Each package has one importer, so that what is below one that has none is no
	// circle.
	main, ok := t.main(by)
	if !ok || len(t.below(main)) != len(by)+1 {
		return nil, fmt.Errorf("imports: not every package comes of %.100q", main)
	}
	return by, nil
}

// main is the package that nobody imports, the first by name; false without one.
func (t ImportTree) main(by map[string]string) (string, bool) {
	for _, p := range slices.Sorted(maps.Keys(t)) {
		if _, imported := by[p]; !imported {
			return p, true
		}
	}
	return "", false
}

// below is a package with all that came by it.
func (t ImportTree) below(p string) []string {
	out := []string{p}
	for i := 0; i < len(out); i++ {
		out = append(out, t[out[i]]...)
	}
	return out
}

// newImport is an import that a program did not have before.
type newImport struct {
	by, pkg string
	cause   string // as of the bytes of pkg
	// came are the packages that are new in the program and come by this import on a
	// shortest way; none if pkg was in it before.
	came []string
	size int64 // their bytes
}

// newImports are the imports that are known to be new: all those of the main package,
// and of others that were in the program before, those of packages that were not.
// They are sorted by the bytes that came with them, the most first.
func newImports(was, now *Sized, cause func(pkg string) string) []newImport {
	old, err := was.Imports.importers()
	young, err2 := now.Imports.importers()
	if err != nil || err2 != nil {
		return nil // not of ParseMeasurements
	}
	main, _ := now.Imports.main(young)
	mainBefore, _ := was.Imports.main(old)
	before := func(p string) bool {
		_, ok := old[p]
		return ok || p == mainBefore || p == main
	}
	bytes := map[string]int64{}
	if now.Summary != nil {
		for _, g := range now.Summary.Groups {
			for _, m := range g.Modules {
				for _, p := range m.Packages {
					bytes[p.Path] += p.Size
				}
			}
		}
	}
	var out []newImport
	for pkg, by := range young {
		known := by == main && old[pkg] != mainBefore || !before(pkg)
		if !before(by) || !known {
			continue
		}
		n := newImport{by: by, pkg: pkg, cause: cause(pkg)}
		if !before(pkg) {
			for _, p := range now.Imports.below(pkg) {
				if !before(p) {
					n.came = append(n.came, p)
					n.size += bytes[p]
				}
			}
		}
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b newImport) int {
		if a.size != b.size {
			return int(min(max(b.size-a.size, -1), 1))
		}
		return strings.Compare(a.by+" "+a.pkg, b.by+" "+b.pkg)
	})
	return out
}

// String is the import as a sentence.
func (n *newImport) String() string {
	text := n.by + " now imports " + n.pkg
	if len(n.came) == 0 {
		return text + ", which was in the program before"
	}
	return text + ": " + fact.Count(len(n.came), "new package") + ", " + ui.FormatBytes(n.size)
}

// modules are those of a summary, to tell whose a package without bytes is.
func modules(x *sizes.Summary) *sizes.Modules {
	m := &sizes.Modules{Known: true}
	for _, g := range x.Groups {
		for _, mod := range g.Modules {
			switch g.Name {
			case sizes.GroupOwn:
				m.Main = mod.Mod
			case sizes.GroupDependency:
				m.Deps = append(m.Deps, mod.Mod)
			}
		}
	}
	slices.SortFunc(m.Deps, func(a, b sizes.Mod) int { return strings.Compare(a.Path, b.Path) })
	return m
}
