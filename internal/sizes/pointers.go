package sizes

import (
	"slices"

	"github.com/mintmark/mintmark/internal/gobin"
)

// pointer is a word of the data that is the address of data. It is sure where
// the file says that the word is a pointer: by a relocation or by the mask of the
// garbage collector. Elsewhere a number may only look like an address.
type pointer struct {
	from, to uint64
	sure     bool
}

// pointers finds the words in the data that are addresses of data, by address.
//
// Files that can be loaded anywhere name every one of them in their relocations.
// In others the mask of the garbage collector says which words of the data
// segment are pointers, and the segment without pointers has none. Only what is
// left (read-only data, and data of C code) is searched for what looks like one.
func (m *image) pointers() []pointer {
	if m.places != nil {
		return m.relocated()
	}
	mask := m.pointerMask()
	var out []pointer
	d := m.mod
	for _, s := range m.sections {
		if !pointerful(s) {
			continue
		}
		end := s.Addr + uint64(s.Size)
		next := 0
		for at := (s.Addr + m.ptr - 1) &^ (m.ptr - 1); at+m.ptr <= end; at += m.ptr {
			for next < len(m.regions) && m.regions[next].to <= at {
				next++
			}
			if next < len(m.regions) && at >= m.regions[next].from {
				at = max(at, (m.regions[next].to-1)&^(m.ptr-1))
				continue
			}
			sure := false
			switch {
			case at >= d.noptrdata[0] && at < d.noptrdata[1]:
				at = max(at, (d.noptrdata[1]-1)&^(m.ptr-1))
				continue
			case mask != nil && at >= d.data[0] && at < d.data[1]:
				w := (at - d.data[0]) / m.ptr
				if w/8 >= uint64(len(mask)) || mask[w/8]>>(w%8)&1 == 0 {
					continue
				}
				sure = true
			}
			v := m.word(m.b[s.Offset+int64(at-s.Addr):])
			if m.inferable(v) && (sure || m.mayStart(v)) {
				out = append(out, pointer{at, v, sure})
			}
		}
	}
	return out
}

// pointerful reports whether a section may hold pointers to data.
func pointerful(s gobin.Section) bool {
	_, exact := sectionKind(s)
	return !exact && (s.Kind == gobin.KindROData || s.Kind == gobin.KindData)
}

// mayStart reports whether a piece of data may start at an address: the linker
// aligns what is not a string and as long as a pointer or longer
// (cmd/link/internal/ld.symalign).
func (m *image) mayStart(addr uint64) bool {
	if r := m.region(addr); r != nil && r.kind == Strings {
		return true
	}
	return addr%m.ptr == 0
}

// relocated are the pointers at the places that the file's relocations name.
func (m *image) relocated() []pointer {
	var out []pointer
	for _, at := range m.places {
		s := m.section(at)
		if s == nil || !pointerful(*s) {
			continue
		}
		if r := m.region(at); r != nil {
			continue
		}
		if v := m.wordAt(at); m.inferable(v) {
			out = append(out, pointer{at, v, true})
		}
	}
	return out
}

// pointersIn are those whose words are in [from, to).
func pointersIn(list []pointer, from, to uint64) []pointer {
	by := func(p pointer, a uint64) int {
		if p.from < a {
			return -1
		}
		return 1
	}
	i, _ := slices.BinarySearchFunc(list, from, by)
	j, _ := slices.BinarySearchFunc(list, to, by)
	return list[i:max(i, j)]
}
