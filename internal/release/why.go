package release

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/sizes"
)

// Reason is why a package is in a program.
type Reason struct {
	Schema   fact.Schema `json:"schema"`
	Package  string      `json:"package"`
	Unit     string      `json:"unit"`              // profile and platform that were asked about
	Imports  []string    `json:"imports,omitempty"` // shortest import path, from a main package on; nothing when it is not imported
	Symbols  []string    `json:"symbols,omitempty"` // references from the linker's roots to the first symbol of the package
	Kept     int         `json:"kept"`              // symbols of the package that the linker kept
	Packages int         `json:"packages"`          // that the program is made of
	// Cut are the fewest imports of others by the main module without which the package
	// is not in the program; nil where no such cut exists, and NoCut says why.
	Cut   *Cut   `json:"cut,omitempty"`
	NoCut string `json:"no_cut,omitempty"`
	// Inner is a cut with fewer imports, with which packages of the main module leave;
	// Shortcut one with fewer imports, some of them in dependencies. nil where there is none.
	Inner    *Cut `json:"inner,omitempty"`
	Shortcut *Cut `json:"shortcut,omitempty"`
	// Lookups says for each program of the unit that looks up methods by reflection
	// which functions do, and what that keeps.
	Lookups []MethodLookup `json:"method_lookups,omitempty"`
	Notes   []string       `json:"notes,omitempty"`
}

// WhyLinked says why a package is in the program: by which imports, and by
// which references the linker reached it. Of several units it asks about that
// of this machine's platform, else about the first.
func WhyLinked(ctx context.Context, cfg run.Config, pkg string) (_ *Reason, err error) {
	defer func() { err = run.ExplainFull(err) }()
	s, err := fetch.Open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	c, err := s.Fetch(ctx)
	if err != nil {
		return nil, err
	}
	pl, err := c.Expand(ctx, fetch.PlanWith{Deps: true})
	if err != nil {
		return nil, err
	}
	u := pl.Plan.Nearest(runtime.GOOS, runtime.GOARCH)
	graph, err := pl.Loader.Imports(ctx, u)
	if err != nil {
		return nil, err
	}
	imports := map[string][]string{}
	for p, x := range graph {
		imports[p] = x.Imports
	}
	r := &Reason{Schema: fact.WhyReport, Package: pkg, Unit: u.ID(), Packages: len(imports)}
	if _, ok := imports[pkg]; !ok {
		// The end of a path is enough where it is the only one.
		var like []string
		for p := range imports {
			if strings.HasSuffix(p, "/"+pkg) {
				like = append(like, p)
			}
		}
		slices.Sort(like)
		switch len(like) {
		case 0:
			return r, nil
		case 1:
			r.Package = like[0]
		default:
			return nil, fault.Usagef("name one of them", "%s is the end of %d packages: %s", pkg, len(like), strings.Join(like, ", "))
		}
	}
	var mains []string
	for _, m := range u.Mains {
		mains = append(mains, m.Package)
	}
	mains = knownMains(graph, mains)
	r.Imports = importPath(imports, mains, r.Package)
	set := cuts(graph, mains, r.Package)
	r.Cut, r.Inner, r.Shortcut, r.NoCut = set.imports, set.packages, set.deps, set.why
	for _, c := range []*Cut{r.Cut, r.Inner, r.Shortcut} {
		if c == nil {
			continue
		}
		for i, e := range c.Imports {
			c.Imports[i].Sites = pl.Loader.Sites(graph[e.From], e.To)
		}
	}
	s.Phase("linking with -dumpdep")
	first, err := FirstPlace(ctx, pl)
	if err != nil {
		return nil, err
	}
	edges, err := first.LinkEdges(ctx, u, max(1, s.Jobs))
	if err != nil {
		return nil, err
	}
	if len(edges.Edges) == 0 {
		r.Notes = append(r.Notes, "the linker said nothing: why it kept symbols is not known")
	}
	inMain := slices.Contains(mains, r.Package)
	r.Symbols, r.Kept = linkReason(edges.Edges, r.Package, inMain)
	if len(edges.Marked) > 0 {
		s.Phase("linking without method look-ups")
		for _, m := range u.Mains {
			x, err := lookups(ctx, first, u, m, edges, len(u.Mains) == 1, max(1, s.Jobs))
			if err != nil {
				return nil, err
			}
			if x != nil {
				r.Lookups = append(r.Lookups, *x)
			}
		}
	}
	return r, nil
}

// importPath is a shortest path of imports from one of the packages to another;
// of several the first by name.
func importPath(imports map[string][]string, from []string, to string) []string {
	importer := report.Importers(imports, from)
	if _, ok := importer[to]; !ok {
		return nil
	}
	var path []string
	for p := to; p != ""; p = importer[p] {
		path = append(path, p)
	}
	slices.Reverse(path)
	return path
}

// linkReason is the shortest chain of references to a symbol of a package, and
// how many of its symbols there are. The linker gives each symbol one
// reference. Chains from main.main say the most; those through the
// initialisation of a package say only that it is imported, and come last.
func linkReason(edges []execute.LinkEdge, pkg string, isMain bool) (chain []string, kept int) {
	parent := parents(edges)
	of := pkg
	if isMain {
		of = "main"
	}
	seen, best := map[string]bool{}, 0
	for _, e := range edges {
		if seen[e.To] || sizes.PackageOf(e.To) != of {
			continue
		}
		seen[e.To] = true
		kept++
		path := chainTo(parent, e.To)
		rank := 1
		if path[0] != "main.main" {
			rank = 2
		}
		for _, s := range path {
			if strings.HasSuffix(s, "..inittask") {
				rank = 3
			}
		}
		if about(e.To) {
			rank = 4
		}
		if chain == nil || rank < best || rank == best && (len(path) < len(chain) || len(path) == len(chain) && fmt.Sprint(path) < fmt.Sprint(chain)) {
			chain, best = path, rank
		}
	}
	return chain, kept
}

// parents gives each symbol the one that the linker reached it by.
func parents(edges []execute.LinkEdge) map[string]string {
	parent := map[string]string{}
	for _, e := range edges {
		if _, ok := parent[e.To]; !ok && e.From != e.To {
			parent[e.To] = e.From
		}
	}
	return parent
}

// chainTo are the references from main.main, or another root of the linker, to a symbol.
func chainTo(parent map[string]string, symbol string) []string {
	path := []string{symbol}
	for s := symbol; s != "main.main" && len(path) < 1000; {
		p, ok := parent[s]
		if !ok || p == "_" || slices.Contains(path, p) { // "_" is the linker's root
			break
		}
		path = append(path, p)
		s = p
	}
	slices.Reverse(path)
	return path
}

// about reports whether a symbol is a table about a function and not a function
// or variable (cmd/internal/obj, the names of funcdata).
func about(symbol string) bool {
	i := strings.LastIndexByte(symbol, '.')
	switch strings.TrimRight(symbol[i+1:], "0123456789") {
	case "arginfo", "argliveinfo", "stkobj", "opendefer", "args_stackmap", "wrapinfo":
		return true
	}
	return false
}
