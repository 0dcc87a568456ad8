package actions

import (
	"cmp"
	"errors"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Timing is where the time of one build went, as the go command's own account has it:
// for every action that ran tools, which they were and what they took.
//
// The go command gives one figure for all tools of an action. Before Go 1.25 the compile
// of a package with C code is one action, with cgo and the C compiler in it; where a
// package has assembly the assembler is always in it.
type Timing struct {
	Began time.Time     // when the first action began
	Wall  time.Duration // until the last one ended
	steps []step        // in an order in which each comes after what it depends on
}

// step is an action of a build, of any kind.
type step struct {
	pkg     string
	id      string // action ID; "" for an action that has none
	compile bool   // gives the package's archive; other actions work for it
	link    bool
	tools   []string // that ran, by name, sorted; none: nothing ran
	cpu     time.Duration
	start   time.Duration // since the build began
	wall    time.Duration
	deps    []int // indices of steps
}

// Cost is what the tools took that made something.
type Cost struct {
	CPU  time.Duration `json:"cpu_ns"`
	Wall time.Duration `json:"wall_ns"` // of the actions, one after the other
}

func (c *Cost) add(s *step) {
	c.CPU += s.cpu
	c.Wall += s.wall
}

// Costs are what compiles have cost, by action ID. A compile includes all actions that
// the go command does for the package: cgo and the C compiler too.
type Costs map[string]Cost

// Times are what a build cost, worked out of a [Timing].
type Times struct {
	Cost                        // of all tools
	Elapsed       time.Duration `json:"elapsed_ns"` // from the first action to the last
	Steps         []Ran         `json:"steps"`      // by the time they began
	Packages      []PackageTime `json:"packages"`   // sorted by import path
	Links         int           `json:"links"`      // that ran
	LinksKept     int           `json:"links_kept,omitempty"`
	CriticalPath  Path          `json:"critical_path"`                  // of what ran
	PathOfAll     *Path         `json:"critical_path_of_all,omitempty"` // had nothing come out of the cache; nil: not known of all
	CachedCost    Cost          `json:"cached_cost,omitzero"`           // of the cached packages whose cost is known
	CachedUnknown int           `json:"cached_unknown,omitempty"`       // cached packages whose cost is not known
}

// Ran is an action in which at least one tool ran.
type Ran struct {
	Package string   `json:"package,omitempty"` // "" for what is done for several
	Link    bool     `json:"link,omitempty"`    // of a main package
	Tools   []string `json:"tools"`             // sorted: all that ran in it, of which the go command gives one figure
	Cost
	Start time.Duration `json:"start_ns"` // since the build began
}

// Kind says in a word what ran.
func (r *Ran) Kind() string { return strings.Join(r.Tools, "+") }

// PackageTime is what a package cost: its compile, with all that the go command does
// for it, such as running cgo. Links are not in it.
type PackageTime struct {
	Package string `json:"package"`
	Action  string `json:"action,omitempty"` // the ID of its compile: the same for the same inputs
	// Ran says that it was compiled; else the result came out of the cache, and Cost is
	// what it took when it was made, if Known.
	Ran   bool `json:"ran"`
	Known bool `json:"known"`
	Cost
	FanOut FanOut `json:"fan_out"`
}

// FanOut is what a change in a package makes the go command do at most: it compiles the
// package and all that depend on it, directly or not. A package whose dependencies come
// out as they were is not compiled again, so that it may be less.
type FanOut struct {
	Packages int           `json:"packages"` // itself included
	Links    int           `json:"links"`
	CPU      time.Duration `json:"cpu_ns"`            // of those whose cost is known
	Unknown  int           `json:"unknown,omitempty"` // of which it is not
}

// Path is a chain of actions, each of which had to wait for the one before: no number
// of processors makes a build shorter.
type Path struct {
	Cost
	Steps []PathStep `json:"steps"`
}

// PathStep is an action of a chain.
type PathStep struct {
	Package string `json:"package,omitempty"`
	Link    bool   `json:"link,omitempty"`
	Cost
}

// errCircle is not what the go command writes.
var errCircle = errors.New("actions depend on each other in a circle")

// newTiming reads the times of an action graph.
func newTiming(nodes []*node) (*Timing, error) {
	order, err := inOrder(nodes)
	if err != nil {
		return nil, err
	}
	t := &Timing{}
	var last time.Time
	for _, n := range order {
		if n.TimeStart.IsZero() || n.TimeDone.Before(n.TimeStart) {
			continue
		}
		if t.Began.IsZero() || n.TimeStart.Before(t.Began) {
			t.Began = n.TimeStart
		}
		if n.TimeDone.After(last) {
			last = n.TimeDone
		}
	}
	if !t.Began.IsZero() {
		t.Wall = last.Sub(t.Began)
	}
	index := map[int]int{}
	for i, n := range order {
		index[n.ID] = i
		s := step{pkg: n.Package, id: n.ActionID, compile: n.Mode == "build", link: n.Mode == "link", cpu: max(n.CmdUser, 0) + max(n.CmdSys, 0)}
		if !n.TimeStart.IsZero() && !n.TimeDone.Before(n.TimeStart) {
			s.start, s.wall = n.TimeStart.Sub(t.Began), n.TimeDone.Sub(n.TimeStart)
		}
		for _, line := range n.Cmd {
			s.tools = append(s.tools, tool(line))
		}
		slices.Sort(s.tools)
		s.tools = slices.Compact(s.tools)
		for _, id := range n.Deps {
			if d, ok := index[id]; ok {
				s.deps = append(s.deps, d)
			}
		}
		t.steps = append(t.steps, s)
	}
	return t, nil
}

// inOrder are the nodes, each after those that it depends on, of which the others keep
// their order.
func inOrder(nodes []*node) ([]*node, error) {
	byID := map[int]*node{}
	for _, n := range nodes {
		if n != nil {
			byID[n.ID] = n
		}
	}
	waits := map[int]int{} // for how many it waits
	dependents := map[int][]*node{}
	var ready, order []*node
	for _, n := range nodes {
		if n == nil || byID[n.ID] != n {
			continue
		}
		for _, id := range n.Deps {
			if byID[id] != nil {
				waits[n.ID]++
				dependents[id] = append(dependents[id], n)
			}
		}
		if waits[n.ID] == 0 {
			ready = append(ready, n)
		}
	}
	for len(ready) > 0 {
		n := ready[0]
		ready, order = ready[1:], append(order, n)
		for _, d := range dependents[n.ID] {
			if waits[d.ID]--; waits[d.ID] == 0 {
				ready = append(ready, d)
			}
		}
		delete(byID, n.ID)
	}
	if len(byID) > 0 {
		return nil, errCircle
	}
	return order, nil
}

// tool is the name of the program in a line of [node].Cmd, whose words the go command
// quotes as Go does where that is needed.
func tool(line string) string {
	word, _, _ := strings.Cut(line, " ")
	if quoted, err := strconv.QuotedPrefix(line); err == nil {
		word, _ = strconv.Unquote(quoted)
	}
	return strings.TrimSuffix(word[strings.LastIndexAny(word, `/\`)+1:], ".exe")
}

// Compiled are the costs of all packages that were compiled.
func (t *Timing) Compiled() Costs {
	out, compiled := Costs{}, t.compiled()
	for _, s := range t.steps {
		if s.compile && s.id != "" && len(s.tools) > 0 {
			out[s.id] = compiled[s.pkg]
		}
	}
	return out
}

// IDs are the action IDs of all compiles.
func (t *Timing) IDs() map[string]bool {
	out := map[string]bool{}
	for _, s := range t.steps {
		if s.compile && s.id != "" {
			out[s.id] = true
		}
	}
	return out
}

// compiled are the costs of the packages whose compiles ran, by import path.
func (t *Timing) compiled() map[string]Cost {
	out := map[string]Cost{}
	for _, s := range t.steps {
		if s.compile && len(s.tools) > 0 {
			out[s.pkg] = Cost{}
		}
	}
	for i := range t.steps {
		s := &t.steps[i]
		if c, ok := out[s.pkg]; ok && !s.link {
			c.add(s)
			out[s.pkg] = c
		}
	}
	return out
}

// Times works out what the build cost. known are what compiles cost when they were made,
// for those that came out of the cache.
func (t *Timing) Times(known Costs) *Times {
	out := &Times{Elapsed: t.Wall, Steps: []Ran{}, Packages: []PackageTime{}}
	packages := map[string]*PackageTime{}
	compiled := t.compiled()
	for i := range t.steps {
		s := &t.steps[i]
		if len(s.tools) > 0 {
			out.add(s)
			out.Steps = append(out.Steps, Ran{Package: s.pkg, Link: s.link, Tools: s.tools, Cost: Cost{s.cpu, s.wall}, Start: s.start})
		}
		switch {
		case s.link && len(s.tools) > 0:
			out.Links++
		case s.link:
			out.LinksKept++
		case s.compile && packages[s.pkg] == nil:
			p := &PackageTime{Package: s.pkg, Action: s.id}
			if c, ok := compiled[s.pkg]; ok {
				p.Ran, p.Known, p.Cost = true, true, c
			} else if c, ok := known[s.id]; ok && s.id != "" {
				p.Known, p.Cost = true, c
			}
			packages[s.pkg] = p
		}
	}
	slices.SortStableFunc(out.Steps, func(a, b Ran) int { return cmp.Compare(a.Start, b.Start) })
	t.fanOut(packages)
	for _, p := range packages {
		if !p.Ran && p.Known {
			out.CachedCost.CPU += p.CPU
			out.CachedCost.Wall += p.Wall
		}
		if !p.Known {
			out.CachedUnknown++
		}
		out.Packages = append(out.Packages, *p)
	}
	slices.SortFunc(out.Packages, func(a, b PackageTime) int { return strings.Compare(a.Package, b.Package) })
	out.CriticalPath = t.path(func(s *step) Cost { return Cost{s.cpu, s.wall} })
	if out.CachedUnknown == 0 && out.LinksKept == 0 && !out.CachedCost.isZero() {
		all := t.path(func(s *step) Cost {
			if p := packages[s.pkg]; p != nil && s.compile && !p.Ran {
				return p.Cost
			}
			return Cost{s.cpu, s.wall}
		})
		out.PathOfAll = &all
	}
	return out
}

func (c Cost) isZero() bool { return c == Cost{} }

// path is the chain of actions with the most CPU.
func (t *Timing) path(cost func(*step) Cost) Path {
	sums, before := make([]time.Duration, len(t.steps)), make([]int, len(t.steps))
	end := -1
	for i := range t.steps {
		before[i] = -1
		for _, d := range t.steps[i].deps {
			if before[i] < 0 || sums[d] > sums[before[i]] {
				before[i] = d
			}
		}
		if before[i] >= 0 {
			sums[i] = sums[before[i]]
		}
		sums[i] += cost(&t.steps[i]).CPU
		if end < 0 || sums[i] > sums[end] {
			end = i
		}
	}
	p := Path{Steps: []PathStep{}}
	for i := end; i >= 0; i = before[i] {
		s := &t.steps[i]
		c := cost(s)
		if c.CPU == 0 {
			continue
		}
		p.CPU += c.CPU
		p.Wall += c.Wall
		// The actions of one package are one step, but for the link.
		if n := len(p.Steps); n > 0 && p.Steps[n-1].Package == s.pkg && p.Steps[n-1].Link == s.link {
			p.Steps[n-1].CPU += c.CPU
			p.Steps[n-1].Wall += c.Wall
			continue
		}
		p.Steps = append(p.Steps, PathStep{Package: s.pkg, Link: s.link, Cost: c})
	}
	slices.Reverse(p.Steps)
	return p
}

// fanOut works out what depends on each package, for 64 of them at a time: the bits of
// a word are carried along the dependencies.
func (t *Timing) fanOut(packages map[string]*PackageTime) {
	var compiles []int
	first := map[string]bool{}
	for i := range t.steps {
		if s := &t.steps[i]; s.compile && !first[s.pkg] {
			first[s.pkg] = true
			compiles = append(compiles, i)
		}
	}
	bit := map[string]uint64{}
	reached := make([]uint64, len(t.steps))
	for at := 0; at < len(compiles); at += 64 {
		group := compiles[at:min(at+64, len(compiles))]
		clear(bit)
		for k, i := range group {
			bit[t.steps[i].pkg] = 1 << k
		}
		counted := map[string]uint64{}
		for i := range t.steps {
			s := &t.steps[i]
			word := uint64(0)
			if s.compile {
				word = bit[s.pkg]
			}
			for _, d := range s.deps {
				word |= reached[d]
			}
			reached[i] = word
			switch {
			case s.link:
				for w := word; w != 0; w &= w - 1 {
					f := &packages[t.steps[group[bits.TrailingZeros64(w)]].pkg].FanOut
					f.Links++
					if len(s.tools) > 0 {
						f.CPU += s.cpu
					} else {
						f.Unknown++
					}
				}
			case s.compile:
				p := packages[s.pkg]
				for w := word &^ counted[s.pkg]; w != 0; w &= w - 1 {
					f := &packages[t.steps[group[bits.TrailingZeros64(w)]].pkg].FanOut
					f.Packages++
					if p.Known {
						f.CPU += p.CPU
					} else {
						f.Unknown++
					}
				}
				counted[s.pkg] |= word
			}
		}
	}
}
