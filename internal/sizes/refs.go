package sizes

import (
	"cmp"
	"slices"
)

// ref is a reference to data from code: the function, by number.
type ref struct {
	to     uint64
	fn     int32
	length uint32 // of the string, where the code next to it tells; else 0
	maybe  bool   // it is a number in the code, which may be no address
}

// call says that a function of one package calls one of another: the first
// imports the second, or at least what it is made of does.
type call struct{ from, to int32 }

// addCall records a call from a function to an address.
func (m *image) addCall(fn int32, to uint64) {
	i := m.fn.find(to)
	if fn >= 0 && fn != outsideTable && i >= 0 && m.lookups[int32(i)] && m.fn.pkg[i] != m.fn.pkg[fn] {
		m.looksUp[call{fn, int32(i)}] = true
	}
	if fn == outsideTable || i < 0 || m.fn.pkg[i] == m.fn.pkg[fn] || m.fn.pkg[i] == noPackage {
		return
	}
	m.calls[call{m.fn.pkg[fn], m.fn.pkg[i]}] = true
}

// readRefs reads the references to data in the code of all functions.
func (m *image) readRefs() {
	if m.fn == nil {
		return
	}
	read := m.refReader()
	if read == nil {
		m.note("references in code for " + m.Arch + " are not read: data is attributed through pointers only")
		return
	}
	m.calls, m.looksUp, m.lookups = map[call]bool{}, map[call]bool{}, map[int32]bool{}
	for i, name := range m.fn.name {
		if methodLookup(name) {
			m.lookups[int32(i)] = true
		}
	}
	text := m.b[m.fn.text.Offset : m.fn.text.Offset+m.fn.text.Size]
	for i := range m.fn.pkg {
		from, to := m.fn.start[i], m.fn.start[i+1]
		if int64(to) > int64(len(text)) {
			break
		}
		read(int32(i), text[from:to], m.fn.text.Addr+uint64(from))
	}
	m.readForeign(read)
}

// refReader is what reads the code of one function, at an address, for an
// architecture; nil for one that is not known.
func (m *image) refReader() func(fn int32, code []byte, addr uint64) {
	switch m.Arch {
	case "amd64", "386":
		return m.refsX86
	case "arm64":
		return m.refsARM64
	case "arm":
		return m.refsARM
	case "mips", "mipsle", "mips64", "mips64le":
		return m.refsMIPS
	case "riscv64":
		return m.refsRISCV
	case "s390x":
		return m.refsS390X
	case "ppc64", "ppc64le":
		return m.refsPPC64
	case "loong64":
		return m.refsLoong64
	}
	return nil
}

// methodLookup reports whether a function finds methods by number or by name. The
// linker keeps every exported method where one is called, but for a name that is a
// constant (cmd/compile, usemethod); calls through reflect.Type are not seen in code.
func methodLookup(function string) bool {
	switch function {
	case "reflect.Value.Method", "reflect.Value.MethodByName", "reflect.(*rtype).Method", "reflect.(*rtype).MethodByName":
		return true
	}
	return false
}

// lookedUp are the calls of such functions, sorted.
func (m *image) lookedUp() (list []Lookup) {
	for c := range m.looksUp {
		list = append(list, Lookup{Function: m.fn.name[c.from], Calls: m.fn.name[c.to]})
	}
	slices.SortFunc(list, func(a, b Lookup) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Calls, b.Calls))
	})
	return slices.Compact(list)
}

// addRef records a reference if it leads to data in the file.
func (m *image) addRef(fn int32, to uint64, length uint32) {
	text := &m.fn.text
	if to >= text.Addr && to-text.Addr < uint64(text.Size) || m.section(to) == nil {
		return
	}
	if m.owner(fn) == m.pkg(CCode) {
		length = 0 // C has no lengths beside its strings
	}
	m.refs = append(m.refs, ref{to: to, fn: fn, length: length})
}

// addNumber records a number in the code as a reference if it could be one. One
// that is odd, or as round as a page, is most often no address.
func (m *image) addNumber(fn int32, n uint32) {
	before := len(m.refs)
	if m.addRef(fn, uint64(n), 0); len(m.refs) > before && (n%4 != 0 || n%4096 == 0) {
		m.refs[before].maybe = true
	}
}

// refsARM64 finds pairs of ADRP and an ADD, load or store that uses the page.
func (m *image) refsARM64(fn int32, code []byte, addr uint64) {
	var page [32]uint64
	var when [32]int
	for i := 0; i+4 <= len(code); i += 4 {
		w := m.order.Uint32(code[i:])
		if w&0x9f000000 == 0x90000000 { // ADRP
			imm := int64(int32(w>>5<<13)>>13)<<2 | int64(w>>29&3)
			page[w&31] = (addr+uint64(i))&^0xfff + uint64(imm<<12)
			when[w&31] = i + 4
			continue
		}
		if w&0xfc000000 == 0x94000000 { // BL
			m.addCall(fn, addr+uint64(i)+uint64(int64(int32(w<<6)>>6)<<2))
			continue
		}
		rn := w >> 5 & 31
		if when[rn] == 0 || i+4-when[rn] > 32 {
			continue
		}
		var off uint64
		switch {
		case w&0x7fc00000 == 0x11000000: // ADD immediate, no shift
			off = uint64(w >> 10 & 0xfff)
		case w&0x3b000000 == 0x39000000: // load or store, unsigned offset
			shift := w >> 30
			if w&0x04800000 == 0x04800000 {
				shift = 4 // 128 bits
			}
			off = uint64(w>>10&0xfff) << shift
		default:
			continue
		}
		length := uint32(0)
		if i+8 <= len(code) {
			if n := m.order.Uint32(code[i+4:]); n&0x7f800000 == 0x52800000 && n>>21&3 == 0 { // MOVZ
				length = n >> 5 & 0xffff
			} else if n&0x7f8003e0 == 0x320003e0 { // MOV of a bit mask; the length is not decoded
				length = 0
			}
		}
		m.addRef(fn, page[rn]+off, length)
	}
}
