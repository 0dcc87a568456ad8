// Package actions reads what the go command says of the actions of a build,
// compares two builds action by action, and reads and fills its build cache.
//
// cmd/go names every compile and link by an action ID, a hash of all it knows
// to be an input, and its result by a content (output) ID
// (cmd/go/internal/work/buildid.go). That separates two kinds of difference:
//
//   - the same action ID with another output: the tool is not deterministic, or
//     reads something that cmd/go does not know;
//   - another action ID: the inputs differ. Of all packages whose inputs differ
//     only those count whose dependencies are equal: the others follow.
//
// # Exceptions
//
// The toolchain enters an action ID by its version only. What the C compiler
// reads beside the sources enters not at all.
package actions

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/files"
)

// maxGraph bounds an action graph: 20 times that of a program with 2000 packages.
const maxGraph = 256 << 20

// Action is one compile or link.
type Action struct {
	Package  string
	Link     bool          // the link of a main package; otherwise its compile
	ID       string        // action ID
	Output   string        // content ID
	Executed bool          // a tool ran; otherwise the result came from the cache
	CPU      time.Duration // user+sys of the tools that ran

	deps    []string // packages whose compiles it depends on directly, or through actions of other kinds
	imports []string // packages whose compiles are among the inputs that the go command names for it
}

// Key is unique in a graph.
func (a *Action) Key() Key { return Key{a.Package, a.Link} }

// Key names an action of a build: the compile of a package, or its link.
type Key struct {
	Package string
	Link    bool
}

// String names the action for people.
func (k Key) String() string {
	if k.Link {
		return "the link of " + k.Package
	}
	return "package " + k.Package
}

// compare puts compiles before links, and each in the order of packages.
func (k Key) compare(other Key) int {
	switch {
	case k.Link == other.Link:
		return strings.Compare(k.Package, other.Package)
	case k.Link:
		return 1
	}
	return -1
}

// Graph is the actions of one build.
type Graph map[Key]*Action

// Compiles are the graph's compiles, by package.
func (g Graph) Compiles() []*Action {
	var out []*Action
	for _, a := range g {
		if !a.Link {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *Action) int { return strings.Compare(a.Package, b.Package) })
	return out
}

// Deps are the IDs of the compiles that an action depends on directly, sorted.
func (g Graph) Deps(a *Action) []string {
	var out []string
	for _, pkg := range a.deps {
		if d := g[Key{Package: pkg}]; d != nil {
			out = append(out, d.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// linkerDeps are packages that the go command adds to the imports of a main package for
// some ways of linking, whoever imports them or not (cmd/go/internal/load.LinkerDeps).
// The runtime is one for all of them, and so never an import more or less.
var linkerDeps = []string{"runtime/asan", "runtime/cgo", "runtime/coverage", "runtime/msan", "runtime/race"}

// Imports are the imports of each package, sorted, as its compile was given them. All
// main packages have the runtime among them; what else is there only for the linker is
// left out.
func (g Graph) Imports() map[string][]string {
	out := map[string][]string{}
	for _, a := range g.Compiles() {
		imports := slices.Clone(a.imports)
		if g[Key{a.Package, true}] != nil {
			imports = slices.DeleteFunc(imports, func(pkg string) bool { return slices.Contains(linkerDeps, pkg) })
		}
		slices.Sort(imports)
		out[a.Package] = slices.Compact(imports)
	}
	return out
}

// node is an entry of -debug-actiongraph (cmd/go/internal/work.actionJSON).
type node struct {
	ID       int
	Mode     string
	Package  string
	Deps     []int
	ActionID string
	BuildID  string
	Cmd      []string
	CmdUser  time.Duration
	CmdSys   time.Duration

	TimeStart, TimeDone time.Time
}

// Load reads a file written by go build -debug-actiongraph=FILE.
func Load(name string) (Graph, error) {
	g, _, err := LoadTimed(name)
	return g, err
}

// LoadTimed is [Load], with what the actions took.
func LoadTimed(name string) (Graph, *Timing, error) {
	nodes, err := loadNodes(name)
	if err != nil {
		return nil, nil, err
	}
	t, err := newTiming(nodes)
	if err != nil {
		return nil, nil, fmt.Errorf("action graph %s: %w", name, err)
	}
	return newGraph(nodes), t, nil
}

// Read reads an action graph.
func Read(r io.Reader) (Graph, error) {
	nodes, err := readNodes(r)
	if err != nil {
		return nil, err
	}
	return newGraph(nodes), nil
}

func loadNodes(name string) ([]*node, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	nodes, err := readNodes(f)
	if err != nil {
		return nil, fmt.Errorf("action graph %s: %w", name, err)
	}
	return nodes, nil
}

func readNodes(r io.Reader) ([]*node, error) {
	data, err := files.ReadAll(r, maxGraph)
	if err != nil {
		return nil, err
	}
	var nodes []*node
	if err := json.Unmarshal(data, &nodes); err != nil {
		return nil, err
	}
	return nodes, nil
}

// LookedUp are the short IDs of all actions in a file of -debug-actiongraph,
// whatever their kind: what the build may have taken from its cache. The go
// command also writes it when the build fails.
func LookedUp(name string) ([]string, error) {
	nodes, err := loadNodes(name)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range nodes {
		if n != nil && n.ActionID != "" {
			out = append(out, n.ActionID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func newGraph(nodes []*node) Graph {
	byID := map[int]*node{}
	for _, n := range nodes {
		if n != nil {
			byID[n.ID] = n
		}
	}
	g := Graph{}
	for _, n := range nodes {
		if n == nil || n.ActionID == "" || n.Package == "" || n.Mode != "build" && n.Mode != "link" {
			continue
		}
		a := &Action{
			Package: n.Package, Link: n.Mode == "link", ID: n.ActionID,
			Executed: len(n.Cmd) > 0, CPU: n.CmdUser + n.CmdSys,
		}
		if i := strings.LastIndexByte(n.BuildID, '/'); i >= 0 {
			a.Output = n.BuildID[i+1:]
		}
		if a.Output == a.ID {
			a.Output = "" // not known: the build ID still holds its place
		}
		a.deps = compiles(n, byID)
		for _, id := range n.Deps {
			if d := byID[id]; d != nil && d.Mode == "build" && d.Package != n.Package {
				a.imports = append(a.imports, d.Package)
			}
		}
		g[a.Key()] = a
	}
	return g
}

// compiles are the packages whose compiles n depends on, directly or through
// actions that are neither compile nor link.
func compiles(n *node, byID map[int]*node) []string {
	var out []string
	seen := map[int]bool{n.ID: true}
	queue := slices.Clone(n.Deps)
	for len(queue) > 0 {
		id := queue[0]
		queue = queue[1:]
		d := byID[id]
		if d == nil || seen[id] {
			continue
		}
		seen[id] = true
		if d.Mode == "build" && d.ActionID != "" {
			if d.Package != n.Package || n.Mode == "link" {
				out = append(out, d.Package)
			}
			continue
		}
		queue = append(queue, d.Deps...)
	}
	return out
}

// DifferenceKind says how an action of one build stands to that of another.
type DifferenceKind string

const (
	Nondeterministic DifferenceKind = "nondeterministic" // equal inputs, different outputs
	Inputs           DifferenceKind = "inputs"           // different inputs, equal dependencies
	Missing          DifferenceKind = "missing"          // only in one of the builds
)

// Difference is an action to blame: what follows from other differences is left out.
type Difference struct {
	Kind   DifferenceKind
	Action Key
	A, B   *Action
	// Follows counts the actions that differ only because they depend on this
	// one or on others like it; it is the same for all.
	Follows int
}

// Compare finds the actions that are to blame for a difference between two
// builds of the same unit, compiles first, sorted by name.
func Compare(a, b Graph) []Difference {
	keys := map[Key]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	differs := func(pkg string) bool {
		x, y := a[Key{Package: pkg}], b[Key{Package: pkg}]
		return x == nil || y == nil || x.Output != y.Output
	}
	var out []Difference
	follows := 0
	for k := range keys {
		x, y := a[k], b[k]
		switch {
		case x == nil || y == nil:
			out = append(out, Difference{Kind: Missing, Action: k, A: x, B: y})
		case x.ID == y.ID:
			if x.Output != y.Output {
				out = append(out, Difference{Kind: Nondeterministic, Action: k, A: x, B: y})
			}
		case slices.ContainsFunc(x.deps, differs) || slices.ContainsFunc(y.deps, differs):
			follows++
		default:
			out = append(out, Difference{Kind: Inputs, Action: k, A: x, B: y})
		}
	}
	slices.SortFunc(out, func(x, y Difference) int { return x.Action.compare(y.Action) })
	for i := range out {
		out[i].Follows = follows
	}
	return out
}
