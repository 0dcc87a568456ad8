package release

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
)

// graphOf makes a graph of PACKAGE: IMPORTS; own packages begin with "m", those of the
// standard library with "s".
func graphOf(imports map[string][]string) map[string]*plan.Imported {
	g := map[string]*plan.Imported{}
	for p, list := range imports {
		g[p] = &plan.Imported{Imports: list, Own: p[0] == 'm', Standard: p[0] == 's', Module: p[:1]}
	}
	return g
}

func TestCuts(t *testing.T) {
	t.Parallel()
	g := graphOf(map[string][]string{
		"m": {"m/a", "m/b", "m/c", "s/x"}, "m/a": {"d"}, "m/b": {"d"}, "m/c": {"d", "e"},
		"d": {"f"}, "e": {"s/x"}, "f": {"s/y"}, "s/x": nil, "s/y": {"s/z"}, "s/z": nil, "runtime": {"s/r"}, "s/r": nil,
	})
	for _, c := range []struct {
		pkg, own, fewer, gone, why string
	}{
		{"d", "[m/a->d m/b->d m/c->d]", "[]", "[d f s/y s/z]", ""},
		{"f", "[m/a->d m/b->d m/c->d]", "[d->f]", "[d f s/y s/z]", ""},
		// Nearest to the package, and the standard library's own imports stay.
		{"s/z", "[m/a->d m/b->d m/c->d]", "[f->s/y]", "[d f s/y s/z]", ""},
		{"e", "[m/c->e]", "[]", "[e]", ""},
		{"s/x", "[m->s/x m/c->e]", "[]", "[e s/x]", ""},
		{"s/r", "[]", "[]", "[]", "the go command links it into every such program, whatever that imports"},
		{"m", "[]", "[]", "[]", "it is the program itself"},
	} {
		set := cuts(g, []string{"m"}, c.pkg)
		own, fewer, why := set.imports, set.deps, set.why
		show := func(x *Cut) []string {
			if x == nil {
				return nil
			}
			var out []string
			for _, e := range x.Imports {
				out = append(out, e.From+"->"+e.To)
			}
			return out
		}
		gone := []string(nil)
		if own != nil {
			gone = own.Gone
		}
		if fmt.Sprint(show(own)) != c.own || fmt.Sprint(show(fewer)) != c.fewer || fmt.Sprint(gone) != c.gone || why != c.why {
			t.Errorf("%s: %v, %v, gone %v, %q; want %+v", c.pkg, show(own), show(fewer), gone, why, c)
		}
	}
}

// A smallest cut is held against all subsets of the imports that may be cut.
func TestMinCut(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		const n = 7
		imports := map[string][]string{}
		var can []arc
		name := func(i int) string { return string(rune('a' + i)) }
		allowed := map[arc]bool{}
		for i := range n {
			imports[name(i)] = nil
			for j := i + 1; j < n; j++ {
				if r.IntN(3) > 0 {
					continue
				}
				imports[name(i)] = append(imports[name(i)], name(j))
				if a := (arc{name(i), name(j)}); r.IntN(3) > 0 {
					allowed[a] = true
					can = append(can, a)
				}
			}
		}
		g := graphOf(imports)
		from, to := []string{name(0)}, name(n-1)
		best := -1
		for set := range 1 << len(can) {
			removed := map[arc]bool{}
			for i, a := range can {
				if set>>i&1 != 0 {
					removed[a] = true
				}
			}
			if k := bits.OnesCount(uint(set)); (best < 0 || k < best) && !reach(g, from, removed)[to] {
				best = k
			}
		}
		cut, ok := minCut(g, from, to, func(a arc) bool { return allowed[a] })
		if ok != (best >= 0) || ok && len(cut) != best {
			t.Fatalf("%v, cuttable %v: %v %v, the smallest has %d", imports, can, cut, ok, best)
		}
		removed := map[arc]bool{}
		for _, a := range cut {
			removed[a] = true
			if !allowed[a] {
				t.Fatalf("%v may not be cut", a)
			}
		}
		if ok && reach(g, from, removed)[to] {
			t.Fatalf("%v: %v cuts nothing", imports, cut)
		}
		if !slices.IsSortedFunc(cut, cmpArc) {
			t.Fatalf("%v is not sorted", cut)
		}
	}
}

// TestOwnPackages: that a program imports its own packages is no way to be without another.
func TestOwnPackages(t *testing.T) {
	t.Parallel()
	g := graphOf(map[string][]string{
		"m": {"m/src"}, "m/src": {"m/tui", "m/util", "d", "x"}, "m/tui": {"m/util", "d"}, "m/util": {"d"}, "d": nil, "x": {"d", "y"}, "y": nil,
	})
	set := cuts(g, []string{"m"}, "d")
	if set.imports == nil || len(set.imports.Imports) != 4 || set.imports.Own != nil || fmt.Sprint(set.imports.Gone) != "[d x y]" {
		t.Errorf("imports: %+v", set.imports)
	}
	if c := set.packages; c == nil || len(c.Imports) != 1 || c.Imports[0].From != "m" || fmt.Sprint(c.Own) != "[m/src m/tui m/util]" {
		t.Errorf("packages: %+v", c)
	}
	if set.deps != nil { // its four imports are as many
		t.Errorf("dependencies: %+v", set.deps)
	}
	if set = cuts(g, []string{"m"}, "y"); set.imports == nil || set.imports.Imports[0].To != "x" || set.packages != nil || set.deps != nil {
		t.Errorf("%+v", set)
	}
	// Of a package of its own there are no other imports.
	if c := cuts(g, []string{"m"}, "m/util").imports; c == nil || len(c.Imports) != 1 || c.Imports[0].From != "m" {
		t.Errorf("%+v", c)
	}
}
