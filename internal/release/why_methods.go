package release

import (
	"context"
	"slices"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/sizes"
)

// MethodLookup is what reflective method look-ups keep in a program: a function that
// asks for a method by a name or number that the compiler does not know makes the
// linker keep every exported method of every type that becomes an interface.
type MethodLookup struct {
	Program     string           `json:"program"`   // import path of the main package
	Functions   []LookupFunction `json:"functions"` // that do, each of which is reached without the methods kept by any of them
	Kept        *KeptByLookup    `json:"kept,omitempty"`
	NotMeasured string           `json:"not_measured,omitempty"` // why Kept is not known; then some of Functions may be kept by the others alone
}

// LookupFunction is a function that looks up methods by reflection.
type LookupFunction struct {
	Symbol  string   `json:"symbol"`
	Package string   `json:"package"`
	Chain   []string `json:"chain"` // references from the linker's roots to it, itself last
}

// KeptByLookup is what the program has because methods are looked up: the difference
// of two links of the same objects, one of which does not know that they are.
type KeptByLookup struct {
	With     int64         `json:"with"`               // bytes of the program
	Without  int64         `json:"without"`            // bytes of the program if none of the functions looked up methods
	Symbols  int           `json:"symbols"`            // that only the first link keeps
	Packages []KeptPackage `json:"packages,omitempty"` // that lose bytes, the one with the most first
}

// Saved is what the look-ups cost, in bytes of the program.
func (k *KeptByLookup) Saved() int64 { return k.With - k.Without }

// KeptPackage are the bytes of a package that are kept by look-ups alone.
type KeptPackage struct {
	Package string `json:"package"`
	Bytes   int64  `json:"bytes"`
}

// lookups says which functions of a program look up methods, and weighs that. It is
// nil for a program without such functions. only says that the edges, of the whole
// unit, are of this program.
func lookups(ctx context.Context, l *execute.Local, u *plan.Unit, main fact.Main, edges *execute.LinkEdges, only bool, p int) (*MethodLookup, error) {
	x := &MethodLookup{Program: main.Package}
	linked, err := l.LinkUnmarked(ctx, u, main, p)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		x.NotMeasured = err.Error()
		if !only {
			x.NotMeasured += "; the functions are those of all programs of the unit"
		}
		x.Functions = lookupFunctions(edges.Marked, edges)
		return x, nil
	}
	if len(linked.With.Marked) == 0 {
		return nil, nil
	}
	reached := targets(linked.Without)
	// Some are there only because the others keep all exported methods, such as those
	// of reflect.Value.
	causes := slices.DeleteFunc(slices.Clone(linked.With.Marked), func(s string) bool { return !reached[s] })
	x.Functions = lookupFunctions(causes, linked.Without)
	k := &KeptByLookup{}
	for s := range targets(linked.With) {
		if !reached[s] {
			k.Symbols++
		}
	}
	if k.Symbols == 0 {
		// Up to Go 1.21 the linker goes by reflect.Value.Method itself as well.
		x.Functions = lookupFunctions(edges.Marked, edges)
		x.NotMeasured = "the linker of " + l.Goroot.Toolchain.Version + " keeps as much without the marks: it has another reason to, or there is nothing to keep"
		return x, nil
	}
	with, err := sizes.Analyze(ctx, linked.WithBinary, sizes.Options{})
	if err != nil {
		return nil, err
	}
	without, err := sizes.Analyze(ctx, linked.WithoutBinary, sizes.Options{})
	if err != nil {
		return nil, err
	}
	d := sizes.Compare(with, without)
	k.With, k.Without = d.OldSize, d.NewSize
	for _, c := range d.Packages {
		if c.Name != "" && c.Grown() < 0 {
			k.Packages = append(k.Packages, KeptPackage{c.Name, -c.Grown()})
		}
	}
	slices.SortStableFunc(k.Packages, func(a, b KeptPackage) int { return int(b.Bytes - a.Bytes) })
	x.Kept = k
	return x, nil
}

// targets are the symbols that the linker reached.
func targets(x *execute.LinkEdges) map[string]bool {
	set := map[string]bool{}
	for _, e := range x.Edges {
		set[e.To] = true
	}
	return set
}

// lookupFunctions gives functions their chains.
func lookupFunctions(symbols []string, edges *execute.LinkEdges) (list []LookupFunction) {
	parent := parents(edges.Edges)
	for _, s := range symbols {
		list = append(list, LookupFunction{s, sizes.PackageOf(s), chainTo(parent, s)})
	}
	return list
}
