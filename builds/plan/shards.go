package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Shard is one of the parts that a plan is split into, each for a machine of its own.
type Shard struct {
	Number int // from 1 to Of
	Of     int
}

// maxShards is how many parts a plan is split into at most.
const maxShards = 1000

// ParseShard reads a shard as it is spelled: 2/5.
func ParseShard(text string) (Shard, error) {
	number, of, ok := strings.Cut(text, "/")
	var s Shard
	var err, err2 error
	s.Number, err = strconv.Atoi(number)
	s.Of, err2 = strconv.Atoi(of)
	if !ok || err != nil || err2 != nil || s.String() != text {
		return Shard{}, fmt.Errorf("%.100q is not NUMBER/ALL, such as 2/5", text)
	}
	if s.Of < 1 || s.Of > maxShards || s.Number < 1 || s.Number > s.Of {
		return Shard{}, fmt.Errorf("%.100q: there are 1 to %d shards, and the first one is number 1", text, maxShards)
	}
	return s, nil
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Number, s.Of) }

// Units are those of the plan that are in the shard, in the order of the plan. There
// may be none.
func (s Shard) Units(p *Plan) []*Unit { return p.Split(s.Of)[s.Number-1] }

// What builds are taken to cost, as multiples of linking a program without C. It is
// not what this or any other machine has measured: all machines have to split a plan
// in the same way.
const (
	linkCost    = 1
	compileCost = 10 // everything that the programs of a unit consist of
	cgoCost     = 2  // times as much, with a C compiler
)

// estimate is what building a unit costs: compiling, of which units with an equal
// CompileKey can share all, and linking.
func (u *Unit) estimate() (compile, link int) {
	compile, link = compileCost, linkCost*len(u.Mains)
	if slices.Contains(u.Env, "CGO_ENABLED=1") {
		compile, link = compile*cgoCost, link*cgoCost
	}
	return compile, link
}

// Split divides the units among n shards so that all take about as long. It depends
// on the plan alone. Units that share what they compile are kept together, unless
// doing the compiles twice makes the slower of two shards end earlier by at least as
// much as they cost.
func (p *Plan) Split(n int) [][]*Unit {
	groups := map[string]*compileGroup{}
	var list []*compileGroup
	for _, u := range p.Units {
		key := u.CompileKey()
		g := groups[key]
		if g == nil {
			g = &compileGroup{}
			groups[key] = g
			list = append(list, g)
		}
		compile, link := u.estimate()
		g.units = append(g.units, u)
		g.compile = compile // of all: the environment is in the key
		g.cost += link
	}
	// Largest first; equal ones stay in the order of the plan.
	slices.SortStableFunc(list, func(a, b *compileGroup) int { return cmp.Compare(b.compile+b.cost, a.compile+a.cost) })
	in := map[*Unit]int{}
	loads := make([]int, n)
	for _, g := range list {
		has := make([]bool, n) // shards that compile for the group
		units := slices.Clone(g.units)
		slices.SortStableFunc(units, func(a, b *Unit) int { return cmp.Compare(len(b.Mains), len(a.Mains)) })
		for _, u := range units {
			_, link := u.estimate()
			least := leastLoaded(loads, nil)
			at := leastLoaded(loads, has)
			if at < 0 || loads[at] >= loads[least]+2*g.compile {
				at = least
			}
			if !has[at] {
				has[at] = true
				loads[at] += g.compile
			}
			loads[at] += link
			in[u] = at
		}
	}
	shards := make([][]*Unit, n)
	for _, u := range p.Units {
		shards[in[u]] = append(shards[in[u]], u)
	}
	return shards
}

// compileGroup are units with one CompileKey.
type compileGroup struct {
	units   []*Unit
	compile int // once for all
	cost    int // of all links
}

// leastLoaded is the first of the shards with the least load, among those that are
// in among; nil: all. -1: there is none.
func leastLoaded(loads []int, among []bool) int {
	at := -1
	for i, load := range loads {
		if (among == nil || among[i]) && (at < 0 || load < loads[at]) {
			at = i
		}
	}
	return at
}
