package sizes

import (
	"encoding/binary"
	"slices"

	"github.com/mintmark/mintmark/internal/gobin"
)

// relocate finds the places of pointers that the file's relocations name, and
// puts the addresses there that the dynamic linker would: position-independent
// ELF files have some in their relocations only. The sizes of parts do not change
// by that. The places stay nil for a file that is loaded where it says.
func (m *image) relocate() {
	switch m.Format {
	case gobin.ELF:
		const dyn = 3 // ET_DYN
		if len(m.b) >= 18 && m.order.Uint16(m.b[16:]) == dyn {
			m.relocateELF()
		}
	case gobin.PE:
		m.relocatePE()
	case gobin.MachO:
		m.relocateMachO()
	}
	slices.Sort(m.places)
	m.places = slices.Compact(m.places)
}

// relative is R_*_RELATIVE of the psABI of each machine; 0 for those that have
// no such, or another way.
func relative(arch string) uint32 {
	switch arch {
	case "amd64", "386":
		return 8
	case "arm64":
		return 1027
	case "arm":
		return 23
	case "riscv64", "loong64":
		return 3
	case "ppc64le", "ppc64":
		return 22
	case "s390x":
		return 12
	}
	return 0
}

func (m *image) relocateELF() {
	typ := relative(m.Arch)
	if typ == 0 {
		return
	}
	for _, s := range m.Sections {
		b := m.b[s.Offset : s.Offset+s.Size]
		switch s.Name {
		case ".rela", ".rela.dyn":
			if m.ptr != 8 {
				continue
			}
			for ; len(b) >= 24; b = b[24:] {
				if uint32(m.order.Uint64(b[8:])) == typ {
					m.relocateTo(m.order.Uint64(b), m.order.Uint64(b[16:]))
				}
			}
		case ".rel", ".rel.dyn":
			if m.ptr != 4 {
				continue
			}
			for ; len(b) >= 8; b = b[8:] {
				if m.order.Uint32(b[4:])&0xff == typ {
					m.place(uint64(m.order.Uint32(b)))
				}
			}
		case ".relr", ".relr.dyn":
			m.relocateRELR(b)
		}
	}
}

// place notes where a pointer is, and reports false when that is one more than the
// file has room for.
func (m *image) place(addr uint64) bool {
	if uint64(len(m.places)) >= uint64(len(m.b))/m.ptr {
		return false
	}
	m.places = append(m.places, addr)
	return true
}

// relocateTo writes an address to a place, but not into the relocations
// themselves, nor into headers.
func (m *image) relocateTo(place, to uint64) {
	in := m.section(place)
	if in == nil || in.Kind == gobin.KindOther || in.Kind == gobin.KindPCLNTab {
		return
	}
	if _, exact := sectionKind(*in); exact && in.Kind == gobin.KindHeader {
		return
	}
	if off, ok := m.at(place, 8); ok {
		m.order.PutUint64(m.b[off:], to)
		m.place(place)
	}
}

// relocateRELR reads relative relocations in their packed form: an address, then
// bit masks of the words behind it. The addresses they lead to are in place.
func (m *image) relocateRELR(b []byte) {
	bits := 8*m.ptr - 1
	where := uint64(0)
	for ; uint64(len(b)) >= m.ptr; b = b[m.ptr:] {
		w := m.word(b)
		if w&1 == 0 {
			m.place(w)
			where = w + m.ptr
			continue
		}
		for i := range bits {
			if w>>(i+1)&1 != 0 {
				m.place(where + i*m.ptr)
			}
		}
		where += bits * m.ptr
	}
}

// relocatePE reads the base relocations: blocks of a page and the offsets in it.
func (m *image) relocatePE() {
	pe := int64(binary.LittleEndian.Uint32(m.b[0x3c:]))
	s := m.File.Section(".reloc")
	if s == nil || pe < 0 || pe+24+32 > int64(len(m.b)) {
		return
	}
	base := binary.LittleEndian.Uint64(m.b[pe+24+24:])
	kind := uint16(10) // IMAGE_REL_BASED_DIR64
	if m.ptr == 4 {
		base, kind = uint64(binary.LittleEndian.Uint32(m.b[pe+24+28:])), 3 // IMAGE_REL_BASED_HIGHLOW
	}
	for b := m.b[s.Offset : s.Offset+s.Size]; len(b) >= 8; {
		page, size := binary.LittleEndian.Uint32(b), int64(binary.LittleEndian.Uint32(b[4:]))
		if size < 8 || size > int64(len(b)) {
			return
		}
		for e := b[8:size]; len(e) >= 2; e = e[2:] {
			if v := binary.LittleEndian.Uint16(e); v>>12 == kind {
				m.place(base + uint64(page) + uint64(v&0xfff))
			}
		}
		b = b[size:]
	}
}

// relocateMachO runs the rebase opcodes (mach-o/loader.h), which name the places
// of pointers by segment and offset.
func (m *image) relocateMachO() {
	i := slices.IndexFunc(m.Sections, func(s gobin.Section) bool { return s.Name == "(rebase)" })
	if i < 0 || m.ptr != 8 {
		return
	}
	segments := m.machoSegments()
	b := m.b[m.Sections[i].Offset : m.Sections[i].Offset+m.Sections[i].Size]
	at := uint64(0)
	uleb := func() uint64 {
		v, n := binary.Uvarint(b)
		b = b[max(n, 0):]
		if n <= 0 {
			b = nil
		}
		return v
	}
	each := func(times, step uint64) {
		for range times {
			if !m.place(at) {
				b = nil
				return
			}
			at += step
		}
	}
	for len(b) > 0 {
		op, imm := b[0]&0xf0, uint64(b[0]&0xf)
		b = b[1:]
		switch op {
		case 0x00: // done
			return
		case 0x10: // type
		case 0x20: // segment and offset
			off := uleb()
			if imm >= uint64(len(segments)) {
				return
			}
			at = segments[imm] + off
		case 0x30:
			at += uleb()
		case 0x40:
			at += imm * m.ptr
		case 0x50:
			each(imm, m.ptr)
		case 0x60:
			each(uleb(), m.ptr)
		case 0x70:
			each(1, m.ptr+uleb())
		case 0x80:
			times := uleb()
			each(times, m.ptr+uleb())
		default:
			return
		}
	}
}

// machoSegments are the addresses of the segments, in the order of the header.
func (m *image) machoSegments() (out []uint64) {
	const segment64 = 0x19 // LC_SEGMENT_64
	if len(m.b) < 32 {
		return nil
	}
	n := m.order.Uint32(m.b[16:])
	at := int64(32)
	for range n {
		if at+32 > int64(len(m.b)) {
			break
		}
		size := int64(m.order.Uint32(m.b[at+4:]))
		if size < 8 {
			break
		}
		if m.order.Uint32(m.b[at:]) == segment64 {
			out = append(out, m.order.Uint64(m.b[at+24:]))
		}
		at += size
	}
	return out
}
