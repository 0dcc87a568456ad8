package sizes

import (
	"cmp"
	"container/heap"
)

// Ranks of claims: where two overlap, the lower rank has the bytes.
const (
	rankFormat = iota // what the file format itself describes
	rankSymbol        // symbol tables
	rankTable         // pclntab
	rankType          // type descriptors, itabs
	rankRegion        // what the tables tell of the rest of their regions
	rankData          // inferred data
	rankRest          // regions with a kind, but no owner
	rankSection
)

// claim says that [off, end) of the file is something.
type claim struct {
	off, end int64
	symbol   string
	pkg      int32
	kind     Kind
	conf     Confidence
	rank     uint8
}

// Package numbers that are none.
const (
	noPackage     int32 = 0 // nobody, or not known
	severalOwners int32 = -1
)

// claims collects claims. The packages have numbers, since there are far fewer
// of them than claims.
type claims struct {
	size  int64
	list  []claim
	names []string
	ids   map[string]int32
}

func newClaims(size int64) *claims {
	return &claims{size: size, names: []string{""}, ids: map[string]int32{"": noPackage}}
}

// pkg is the number of a package.
func (c *claims) pkg(path string) int32 {
	id, ok := c.ids[path]
	if !ok {
		id = int32(len(c.names))
		c.names = append(c.names, path)
		c.ids[path] = id
	}
	return id
}

// add records a claim, cut to the file.
func (c *claims) add(off, size int64, kind Kind, conf Confidence, rank uint8, pkg int32, symbol string) {
	if off < 0 || size <= 0 || off >= c.size {
		return
	}
	if size > c.size-off {
		size = c.size - off
	}
	if pkg < 0 {
		pkg, conf = noPackage, Shared
	}
	c.list = append(c.list, claim{off: off, end: off + size, symbol: symbol, pkg: pkg, kind: kind, conf: conf, rank: rank})
}

// active is a heap of the claims that reach over a position.
type active struct {
	list []claim
	open []int32
}

func (a *active) Len() int { return len(a.open) }
func (a *active) Less(i, j int) bool {
	x, y := &a.list[a.open[i]], &a.list[a.open[j]]
	return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(a.open[i], a.open[j])) < 0
}
func (a *active) Swap(i, j int) { a.open[i], a.open[j] = a.open[j], a.open[i] }
func (a *active) Push(x any)    { a.open = append(a.open, x.(int32)) }
func (a *active) Pop() any {
	x := a.open[len(a.open)-1]
	a.open = a.open[:len(a.open)-1]
	return x
}

// ranges resolves the claims into disjoint ranges that fill the file: of the
// claims over a byte the one of the lowest rank wins, of several of one rank
// the one that starts first. What nobody claims is padding where it is zero,
// and else not known.
func (c *claims) ranges(file []byte) []Range {
	sortBy(c.list, func(x *claim) uint32 { return uint32(x.off) }, func(x, y claim) int { // MaxSize fits
		return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(y.end, x.end),
			cmp.Compare(x.kind, y.kind), cmp.Compare(c.name(x.pkg), c.name(y.pkg)), cmp.Compare(x.symbol, y.symbol))
	})
	out := make([]Range, 0, len(c.list))
	emit := func(off, end int64, by *claim) {
		if off == end {
			return
		}
		r := Range{Offset: off, Size: end - off, Kind: Other, Confidence: Shared}
		if by != nil {
			r.Package, r.Symbol, r.Kind, r.Confidence = c.name(by.pkg), by.symbol, by.kind, by.conf
		} else if zero(file[off:end]) {
			r.Kind, r.Confidence = Padding, Exact
		} else {
			r.Symbol = "(between sections)"
		}
		if n := len(out) - 1; n >= 0 {
			if p := &out[n]; p.Package == r.Package && p.Symbol == r.Symbol && p.Kind == r.Kind && p.Confidence == r.Confidence {
				p.Size += r.Size
				return
			}
		}
		out = append(out, r)
	}
	a := active{list: c.list}
	next, at := 0, int64(0)
	for next < len(c.list) || a.Len() > 0 {
		for a.Len() > 0 && c.list[a.open[0]].end <= at {
			heap.Pop(&a)
		}
		if a.Len() == 0 {
			if next == len(c.list) {
				break
			}
			emit(at, c.list[next].off, nil)
			at = c.list[next].off
		}
		for next < len(c.list) && c.list[next].off <= at {
			heap.Push(&a, int32(next))
			next++
		}
		top := &c.list[a.open[0]]
		end := top.end
		if next < len(c.list) && c.list[next].off < end {
			end = c.list[next].off
		}
		emit(at, end, top)
		at = end
	}
	emit(at, c.size, nil)
	return out
}

func (c *claims) name(pkg int32) string {
	if pkg < 0 {
		return ""
	}
	return c.names[pkg]
}

func zero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// use says that a function uses what is at a place of a table.
type use struct {
	at  uint32
	pkg int32
	fn  int32 // by number; severalOwners when it is that of no single function
}

// merge sorts uses and calls each for every place with its only user. Of several
// functions none is the owner, and of several packages none.
func merge(uses []use, each func(u use, next uint32), end uint32) {
	sortBy(uses, func(u *use) uint32 { return u.at }, func(a, b use) int {
		return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.fn, b.fn))
	})
	for i := 0; i < len(uses); {
		u := uses[i]
		j := i + 1
		for j < len(uses) && uses[j].at == u.at {
			if uses[j].pkg != u.pkg {
				u.pkg = severalOwners
			}
			if uses[j].fn != u.fn {
				u.fn = severalOwners
			}
			j++
		}
		next := end
		if j < len(uses) {
			next = uses[j].at
		}
		each(u, next)
		i = j
	}
}
