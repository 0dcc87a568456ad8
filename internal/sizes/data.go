package sizes

import (
	"cmp"
	"slices"
	"sort"

	"github.com/mintmark/mintmark/internal/gobin"
)

// findStrings finds where the string constants, the descriptors of functions
// and the pointer masks are. The linker lays the read-only data out by kind
// (cmd/link/internal/sym.SymKind): types, strings, function descriptors and
// funcdata, pointer masks, the rest. Since Go 1.27 the types have a section of
// their own, and in position-independent files long before.
func (m *image) findStrings(t *types, lowest, highest uint64) {
	s := m.section(lowest)
	if s == nil {
		return
	}
	start, end := s.Addr, lowest
	if t.last > s.Addr && t.last <= lowest {
		start = t.last
	}
	if g := m.mod.gofunc; g > start && g < end {
		end = g
	}
	// Descriptors are a word each, the address of a function.
	from := end
	for from&(m.ptr-1) == 0 && from >= start+m.ptr {
		if _, ok := m.fn.isEntry(m.wordAt(from - m.ptr)); !ok {
			break
		}
		from -= m.ptr
	}
	for at := from; at < end; at += m.ptr {
		m.claimFuncValue(at)
	}
	end = from
	if start < end {
		m.regions = append(m.regions, region{start, end, Strings, "go:string.*"})
		m.claimAddr(start, end-start, Strings, Shared, rankRest, noPackage, "go:string.*")
	}
	if m.section(highest-1) == s {
		m.regions = append(m.regions, region{lowest, highest, GCBits, "runtime.gcbits.*"})
		m.claimAddr(lowest, highest-lowest, GCBits, Shared, rankRest, noPackage, "runtime.gcbits.*")
	}
}

// claimFuncValue claims the descriptor of a function at an address if there is one.
func (m *image) claimFuncValue(at uint64) {
	if f, ok := m.fn.isEntry(m.wordAt(at)); ok {
		m.claimAddr(at, m.ptr, FuncValue, Exact, rankSymbol, m.fn.pkg[f], m.fn.name[f])
	}
}

// object is a piece of data from one place that something refers to up to the next.
type object struct {
	addr, end uint64
	pkg       int32 // noPackage as long as it is not known
	kind      Kind
	symbol    string
	length    uint32 // of a string, when all that refer to it agree; else 0
}

// edge is a pointer from one piece of data to another.
type edge struct{ from, to int32 }

// vote counts owners: the package of more than half of the referring functions
// is the owner; a few stray references do not make data shared.
type vote struct {
	pkgs  []int32
	count []int
	total int
}

func (v *vote) reset() { v.pkgs, v.count, v.total = v.pkgs[:0], v.count[:0], 0 }

func (v *vote) add(pkg int32) {
	v.total++
	if i := slices.Index(v.pkgs, pkg); i >= 0 {
		v.count[i]++
	} else if len(v.pkgs) < 64 {
		v.pkgs, v.count = append(v.pkgs, pkg), append(v.count, 1)
	}
}

func (v *vote) winner() int32 {
	if v.total == 0 {
		return noPackage
	}
	if len(v.pkgs) == 1 {
		return v.pkgs[0]
	}
	for i, n := range v.count {
		if 2*n > v.total {
			return v.pkgs[i]
		}
	}
	return severalOwners
}

// definer is the package among the voters that all others call and that calls
// none of them: they import it, and so a variable they all use can only be
// defined there, or below. noPackage when there is no such.
func (v *vote) definer(calls map[call]bool) int32 {
	for _, p := range v.pkgs {
		if !slices.ContainsFunc(v.pkgs, func(q int32) bool { return q != p && (!calls[call{q, p}] || calls[call{p, q}]) }) {
			return p
		}
	}
	return noPackage
}

// inferData attributes the data that no table describes to the packages whose
// code refers to it, directly or through other data.
func (m *image) inferData() {
	if m.mod == nil {
		return
	}
	slices.SortFunc(m.regions, func(a, b region) int { return cmp.Compare(a.from, b.from) })
	pointers := m.pointers()
	starts := make([]uint64, 0, len(m.refs)+len(pointers))
	for _, r := range m.refs {
		if m.inferable(r.to) {
			starts = append(starts, r.to)
		}
	}
	for _, p := range pointers {
		starts = append(starts, p.to)
	}
	for _, s := range m.starts {
		if m.inferable(s.addr) {
			starts = append(starts, s.addr)
		}
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	objects := make([]object, 0, len(starts))
	for i, a := range starts {
		m.claimFuncValue(a)
		end, kind := m.limit(a)
		if i+1 < len(starts) {
			end = min(end, starts[i+1])
		}
		objects = append(objects, object{addr: a, end: end, kind: kind})
	}
	find := func(a uint64) int {
		i := sort.Search(len(objects), func(i int) bool { return objects[i].addr > a }) - 1
		if i < 0 || a >= objects[i].end {
			return -1
		}
		return i
	}
	slices.SortFunc(m.refs, func(a, b ref) int {
		if a.to != b.to {
			return cmp.Compare(a.to, b.to)
		}
		return cmp.Or(cmp.Compare(a.fn, b.fn), cmp.Compare(a.length, b.length))
	})
	m.voteByCode(objects)
	for _, s := range m.starts {
		if i := find(s.addr); i >= 0 && objects[i].addr == s.addr {
			objects[i].pkg, objects[i].symbol = s.pkg, s.name
		}
	}
	var edges []edge
	var v vote
	for _, p := range pointers {
		i, j := find(p.from), find(p.to)
		if j < 0 {
			continue
		}
		if p.length > 0 && objects[j].length == 0 {
			objects[j].length = p.length
		}
		if i >= 0 && i != j {
			edges = append(edges, edge{int32(i), int32(j)})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from)) })
	for range 8 {
		changed := false
		for i := 0; i < len(edges); {
			to := edges[i].to
			v.reset()
			for ; i < len(edges) && edges[i].to == to; i++ {
				if p := objects[edges[i].from].pkg; p > 0 {
					v.add(p)
				}
			}
			if o := &objects[to]; o.pkg == noPackage && v.total > 0 {
				o.pkg = v.winner()
				changed = true
			}
		}
		if !changed {
			break
		}
	}
	for i := range objects {
		m.claimObject(&objects[i])
	}
}

// voteByCode gives the objects their owners by the functions that refer to them.
func (m *image) voteByCode(objects []object) {
	var v vote
	r := 0
	for i := range objects {
		o := &objects[i]
		for r < len(m.refs) && m.refs[r].to < o.addr {
			r++
		}
		v.reset()
		length, agree := uint32(0), true
		for ; r < len(m.refs) && m.refs[r].to == o.addr; r++ {
			if x := m.refs[r]; r == 0 || m.refs[r-1].to != x.to || m.refs[r-1].fn != x.fn {
				if p := m.fn.pkg[x.fn]; p > 0 {
					v.add(p)
				}
			}
			if n := m.refs[r].length; n > 0 {
				agree = agree && (length == 0 || length == n)
				length = max(length, n)
			}
		}
		if agree {
			o.length = length
		}
		o.pkg = noPackage
		if o.kind != Strings && len(v.pkgs) > 1 && len(v.pkgs) <= 16 {
			o.pkg = v.definer(m.calls)
		}
		if o.pkg == noPackage {
			o.pkg = v.winner()
		}
	}
}

func (m *image) claimObject(o *object) {
	if o.pkg == noPackage || o.end <= o.addr {
		return
	}
	size := o.end - o.addr
	kind := Variable
	if o.kind == Strings {
		kind = Strings
		if o.length > 0 {
			size = min(size, uint64(o.length))
		}
	}
	if o.pkg == severalOwners {
		if o.kind != Strings {
			kind = o.kind
		}
		m.claimAddr(o.addr, size, kind, Shared, rankData, noPackage, "")
		return
	}
	m.claimAddr(o.addr, size, kind, Inferred, rankData, o.pkg, o.symbol)
}

// region is the region of known kind an address is in, or nil.
func (m *image) region(addr uint64) *region {
	i := sort.Search(len(m.regions), func(i int) bool { return m.regions[i].from > addr }) - 1
	if i < 0 || addr >= m.regions[i].to {
		return nil
	}
	return &m.regions[i]
}

// inferable reports whether what is at an address has no table of its own.
func (m *image) inferable(addr uint64) bool {
	s := m.section(addr)
	if s == nil || s.Kind != gobin.KindROData && s.Kind != gobin.KindData {
		return false
	}
	if _, exact := sectionKind(*s); exact {
		return false
	}
	r := m.region(addr)
	return r == nil || r.kind == Strings || r.kind == FuncData
}

// limit is where the part of the file ends that an address is in, and its kind.
func (m *image) limit(addr uint64) (uint64, Kind) {
	s := m.section(addr)
	end, kind := s.Addr+uint64(s.Size), Data
	if s.Kind == gobin.KindROData {
		kind = ROData
	}
	if r := m.region(addr); r != nil {
		return min(end, r.to), r.kind
	}
	i := sort.Search(len(m.regions), func(i int) bool { return m.regions[i].from > addr })
	if i < len(m.regions) {
		end = min(end, m.regions[i].from)
	}
	return end, kind
}

// pointer is a word of the data that is the address of data.
type pointer struct {
	from, to uint64
	length   uint32
}

// pointers finds the words in the data that are addresses of data. Those of
// position-independent files have been put there from the relocations.
func (m *image) pointers() []pointer {
	if len(m.sections) == 0 {
		return nil
	}
	low, high := m.sections[0].Addr, uint64(0)
	for _, s := range m.sections {
		high = max(high, s.Addr+uint64(s.Size))
	}
	var out []pointer
	for _, s := range m.sections {
		if s.Kind != gobin.KindROData && s.Kind != gobin.KindData {
			continue
		}
		if _, exact := sectionKind(s); exact {
			continue
		}
		from, next := (s.Addr+m.ptr-1)&^(m.ptr-1), 0
		for at := from; at+m.ptr <= s.Addr+uint64(s.Size); at += m.ptr {
			for next < len(m.regions) && m.regions[next].to <= at {
				next++
			}
			if next < len(m.regions) && at >= m.regions[next].from {
				if at = (m.regions[next].to - 1) &^ (m.ptr - 1); at < from {
					at = from
				}
				next++
				continue
			}
			off := s.Offset + int64(at-s.Addr)
			v := m.word(m.b[off:])
			if v < low || v >= high || !m.inferable(v) {
				continue
			}
			p := pointer{from: at, to: v}
			if at+2*m.ptr <= s.Addr+uint64(s.Size) {
				if r := m.region(v); r != nil && r.kind == Strings {
					if n := m.word(m.b[off+int64(m.ptr):]); n > 0 && n <= r.to-v {
						p.length = uint32(n)
					}
				}
			}
			out = append(out, p)
		}
	}
	return out
}
