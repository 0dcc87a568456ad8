package release

import (
	"cmp"
	"maps"
	"slices"

	"github.com/mintmark/mintmark/builds/plan"
)

// Cut is a set of imports without which a package is not in a program.
type Cut struct {
	Imports []CutImport `json:"imports"`
	Gone    []string    `json:"gone"`          // packages that leave with them, the one that was asked about among them
	Own     []string    `json:"own,omitempty"` // those of them that are the main module's
}

// cutSet are the ways to have a package gone; nil where there is no such way, or none
// with fewer imports than by imports alone.
type cutSet struct {
	imports  *Cut   // what the main module's packages import of others
	packages *Cut   // the same with packages of its own
	deps     *Cut   // the same with what dependencies import
	why      string // why there is no way at all
}

// CutImport is one import of a cut.
type CutImport struct {
	From   string   `json:"from"`
	To     string   `json:"to"`
	Module string   `json:"module,omitempty"` // that From is of; "" for the standard library
	Own    bool     `json:"own"`              // From is of the main module
	Sites  []string `json:"sites,omitempty"`  // FILE:LINE in the main module; none for others
}

// arc is one package's import of another.
type arc struct{ from, to string }

func cmpArc(a, b arc) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) }

// knownMains are the main packages by import path: one may be given as a directory,
// and is then the package that nobody imports.
func knownMains(graph map[string]*plan.Imported, mains []string) []string {
	return slices.DeleteFunc(slices.Clone(mains), func(m string) bool { return graph[m] == nil })
}

// cuts are the fewest imports to remove until a package is not in a program. First those
// by which packages of the main module import others: its maintainer can remove them, and
// all that the program is of itself stays. If fewer are enough where packages of its own
// may leave as well, or with changes in dependencies, also these. That the program imports
// its own packages is no way to be without another: the import of all of them by package
// main would be the fewest for anything. The standard library's imports stay. Of several sets
// of that many imports it is the one nearest to the package, so that as little as can
// be leaves with it.
func cuts(graph map[string]*plan.Imported, mains []string, pkg string) (set cutSet) {
	for _, m := range mains {
		if m == pkg {
			return cutSet{why: "it is the program itself"}
		}
	}
	// What no import leads to, the go command itself adds; the runtime always.
	implicit := []string{}
	if graph["runtime"] != nil {
		implicit = append(implicit, "runtime")
	}
	implicit = append(implicit, slices.Sorted(maps.Keys(without(graph, reach(graph, mains, nil))))...)
	always := reach(graph, implicit, nil)
	if always[pkg] {
		return cutSet{why: "the go command links it into every such program, whatever that imports"}
	}
	cut := func(cuttable func(arc) bool) *Cut {
		arcs, ok := minCut(graph, mains, pkg, cuttable)
		if !ok {
			return nil
		}
		c := &Cut{}
		removed := map[arc]bool{}
		for _, a := range arcs {
			removed[a] = true
			x := graph[a.from]
			c.Imports = append(c.Imports, CutImport{From: a.from, To: a.to, Module: x.Module, Own: x.Own})
		}
		left := reach(graph, slices.Concat(mains, implicit), removed)
		c.Gone = slices.Sorted(maps.Keys(without(graph, left)))
		for _, p := range c.Gone {
			if graph[p].Own {
				c.Own = append(c.Own, p)
			}
		}
		return c
	}
	// Of a package of its own the imports are within the main module.
	inside := func(a arc) bool { return graph[a.from].Own && graph[a.to] != nil && graph[a.to].Own && !graph[pkg].Own }
	set.imports = cut(func(a arc) bool { return graph[a.from].Own && !inside(a) })
	if set.imports == nil {
		set.why = "no imports of the main module's packages lead to it alone"
	}
	fewer := func(c *Cut) *Cut {
		if c != nil && set.imports != nil && len(c.Imports) >= len(set.imports.Imports) {
			return nil
		}
		return c
	}
	if set.imports != nil {
		set.packages = fewer(cut(func(a arc) bool { return graph[a.from].Own }))
	}
	set.deps = fewer(cut(func(a arc) bool { return !graph[a.from].Standard && !inside(a) }))
	return set
}

// reach are the packages that some packages import, directly or not, and these
// themselves, without the imports that were removed.
func reach(graph map[string]*plan.Imported, from []string, removed map[arc]bool) map[string]bool {
	seen := map[string]bool{}
	queue := slices.Clone(from)
	for _, p := range queue {
		seen[p] = true
	}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		for _, q := range graph[p].Imports {
			if !seen[q] && !removed[arc{p, q}] {
				seen[q] = true
				queue = append(queue, q)
			}
		}
	}
	return seen
}

// without are the packages of the graph that are not in the set.
func without(graph map[string]*plan.Imported, set map[string]bool) map[string]bool {
	out := map[string]bool{}
	for p := range graph {
		if !set[p] {
			out[p] = true
		}
	}
	return out
}

// minCut is a smallest set of imports that lead from some packages to another: every
// way from them to it uses one of the set. Only cuttable imports are in it; ok is false
// if there is a way without any. By maximum flow (Edmonds and Karp): each cuttable
// import carries one unit, all others as much as comes.
func minCut(graph map[string]*plan.Imported, from []string, to string, cuttable func(arc) bool) (cut []arc, ok bool) {
	cuttables, importers := map[arc]bool{}, map[string][]string{}
	for _, p := range slices.Sorted(maps.Keys(graph)) {
		for _, q := range graph[p].Imports {
			importers[q] = append(importers[q], p)
			if a := (arc{p, q}); cuttable(a) {
				cuttables[a] = true
			}
		}
	}
	if reach(graph, from, cuttables)[to] {
		return nil, false
	}
	flow := map[arc]int{}
	open := func(a arc) bool { return !cuttables[a] || flow[a] == 0 }
	for {
		// A shortest way through what is left.
		before := map[string]string{}
		queue := slices.Sorted(slices.Values(from))
		for _, p := range queue {
			before[p] = ""
		}
		for len(queue) > 0 && before[to] == "" {
			p := queue[0]
			queue = queue[1:]
			visit := func(q string) {
				if _, seen := before[q]; !seen {
					before[q] = p
					queue = append(queue, q)
				}
			}
			for _, q := range graph[p].Imports {
				if open(arc{p, q}) {
					visit(q)
				}
			}
			for _, q := range importers[p] {
				if flow[arc{q, p}] > 0 {
					visit(q)
				}
			}
		}
		if before[to] == "" {
			break
		}
		for q := to; before[q] != ""; q = before[q] {
			p := before[q]
			if back := (arc{q, p}); flow[back] > 0 {
				flow[back]--
				continue
			}
			flow[arc{p, q}]++
		}
	}
	// Nearest to the package: what can still reach it is behind the cut.
	behind := map[string]bool{to: true}
	queue := []string{to}
	for len(queue) > 0 {
		q := queue[0]
		queue = queue[1:]
		for _, p := range importers[q] {
			if !behind[p] && open(arc{p, q}) {
				behind[p] = true
				queue = append(queue, p)
			}
		}
		for _, p := range graph[q].Imports {
			if !behind[p] && flow[arc{q, p}] > 0 {
				behind[p] = true
				queue = append(queue, p)
			}
		}
	}
	reached := reach(graph, from, nil)
	for p := range reached {
		for _, q := range graph[p].Imports {
			if !behind[p] && behind[q] {
				cut = append(cut, arc{p, q})
			}
		}
	}
	slices.SortFunc(cut, cmpArc)
	return cut, true
}
