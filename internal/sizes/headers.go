package sizes

import (
	"cmp"
	"slices"
	"sort"
)

// Lengths from which on a header is taken to bound what it points to. A pointer
// followed by a number that is no length is rarely followed by it twice, or by one
// that large.
const (
	boundingSlice  = 1024
	boundingString = 64
)

// header is a slice or string in the data: the address of its elements, their
// number, and of a slice the capacity, which the compiler makes equal.
type header struct {
	at, to, n uint64
	slice     bool
	sure      bool // the first word is a pointer for sure
}

// targets are the addresses of data that code refers to or pointers for sure lead
// to, sorted. m.refs is.
func (m *image) targets(pointers []pointer) []uint64 {
	out := make([]uint64, 0, len(m.refs)+len(pointers))
	for _, r := range m.refs {
		if !r.maybe {
			out = append(out, r.to)
		}
	}
	for _, p := range pointers {
		if p.sure {
			out = append(out, p.to)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// between reports whether one of the addresses is in (from, to).
func between(list []uint64, from, to uint64) bool {
	i := sort.Search(len(list), func(i int) bool { return list[i] > from })
	return i < len(list) && list[i] < to
}

// headers finds the slices and strings among the pointers, by address.
func (m *image) headers(list []pointer) []header {
	var out []header
	for _, p := range list {
		n := m.wordAt(p.from + m.ptr)
		end, kind := m.limit(p.to)
		switch {
		case n == 0 || n > end-p.to:
		case kind == Strings:
			out = append(out, header{p.from, p.to, n, false, p.sure})
		case m.wordAt(p.from+2*m.ptr) == n && (p.sure || n >= boundingSlice):
			out = append(out, header{p.from, p.to, n, true, p.sure})
		}
	}
	return out
}

// toHeaders makes references to the length and the capacity in a header
// references to the header: code that only asks for the length loads nothing
// else.
func (m *image) toHeaders(list []header, pointers []pointer) {
	at := func(a uint64) *header {
		i, ok := slices.BinarySearchFunc(list, a, func(h header, a uint64) int { return cmp.Compare(h.at, a) })
		if !ok {
			return nil
		}
		return &list[i]
	}
	for i := range m.refs {
		r := &m.refs[i]
		if len(pointersIn(pointers, r.to, r.to+1)) > 0 {
			continue
		}
		if h := at(r.to - m.ptr); h != nil {
			r.to = h.at
		} else if h := at(r.to - 2*m.ptr); h != nil && h.slice {
			r.to = h.at
		}
	}
}

// bound is a part of the data that is one piece, from where a header points to.
// Its elements may be wider than a byte: n is their number.
type bound struct {
	from, to, n uint64
}

// bounds are the pieces that headers bound, by address and without overlap. What
// only looks like a header gives way to those that are, and to what leads for sure
// into the middle of what it would bound.
func (m *image) bounds(list []header, trees []embedFS, targets []uint64) []bound {
	var out []bound
	add := func(hs []bound) {
		slices.SortFunc(hs, func(a, b bound) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
		for _, b := range hs {
			if n := len(out); n > 0 && b.from < out[n-1].to {
				out[n-1].to = max(out[n-1].to, b.to)
				continue
			}
			out = append(out, b)
		}
	}
	var sure, rest []bound
	for _, x := range trees {
		sure = append(sure, bound{x.at, x.end, x.end - x.at})
	}
	for _, h := range list {
		b := bound{h.to, h.to + h.n, h.n}
		switch {
		case h.slice && h.n < boundingSlice, !h.slice && h.n < boundingString:
		case h.sure:
			sure = append(sure, b)
		default:
			rest = append(rest, b)
		}
	}
	for _, r := range m.refs { // by address
		if r.length >= boundingString && m.isString(r.to, uint64(r.length)) {
			rest = append(rest, bound{r.to, r.to + uint64(r.length), uint64(r.length)})
		}
	}
	add(sure)
	known := slices.Clone(out)
	rest = slices.DeleteFunc(rest, func(b bound) bool {
		i := sort.Search(len(known), func(i int) bool { return known[i].to > b.from })
		return i < len(known) && known[i].from < b.to || between(targets, b.from, b.to)
	})
	slices.SortFunc(rest, func(a, b bound) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	end := uint64(0)
	for _, b := range rest {
		if b.from >= end { // of two that overlap the first, and the longer
			out, end = append(out, b), b.to
		}
	}
	slices.SortFunc(out, func(a, b bound) int { return cmp.Compare(a.from, b.from) })
	return out
}

// isString reports whether n bytes at an address are among the strings.
func (m *image) isString(addr, n uint64) bool {
	r := m.region(addr)
	return r != nil && r.kind == Strings && n <= r.to-addr
}

// boundAt is the bound that starts at an address, or nil.
func boundAt(list []bound, addr uint64) *bound {
	i, ok := slices.BinarySearchFunc(list, addr, func(b bound, a uint64) int { return cmp.Compare(b.from, a) })
	if !ok {
		return nil
	}
	return &list[i]
}

// end is where a slice ends before the next piece starts at next: there, if
// elements of some width fill the room but for what alignment leaves; else what
// comes behind its elements, taken as bytes, may be another's.
func (b *bound) end(next uint64) uint64 {
	const aligned = 32
	room := next - b.from
	if b.n == 0 || room%b.n < aligned || room < 2*b.n && room%b.n < 2*aligned {
		return next
	}
	return b.to
}

// inside is the bound that an address is inside of, but not at the start; nil
// when there is none.
func inside(list []bound, addr uint64) *bound {
	i := sort.Search(len(list), func(i int) bool { return list[i].from >= addr }) - 1
	if i < 0 || addr >= list[i].to {
		return nil
	}
	return &list[i]
}
