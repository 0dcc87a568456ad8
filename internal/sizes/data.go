package sizes

import (
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
