package sizes

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// CCode stands for the package of what is no Go: code and data that C compilers,
// and the C library where it is linked in, put into a program. It is no import path.
const CCode = "C code (cgo)"

// C code comes into a file in two ways. Go's linker takes the objects in itself
// (internal linking): then their functions are in the function table, without
// tables of their own, and their data lies between Go's, each section of an object
// as one piece, which a symbol table names "package(.section)". Or the system's
// linker links (external linking): then everything outside of the ranges of the
// module data came from elsewhere. What is left is read-only data behind Go's,
// where only a symbol tells the border: without one it is C's if C code refers to it.

// interval is a range of addresses, to excluded.
type interval struct{ from, to uint64 }

func (s interval) holds(addr uint64) bool { return addr >= s.from && addr < s.to }

// foreign is what is known to be C code and its data.
type foreign struct {
	code   []interval // outside of the function table
	data   []interval // by address
	rodata interval   // Go's part of the read-only data, by symbols; empty when not known
}

// outsideTable is the number, as that of a function, for code that is not in the
// function table.
const outsideTable int32 = -1

// owner is the package of a function, by number.
func (m *image) owner(fn int32) int32 {
	if fn == outsideTable {
		return m.pkg(CCode)
	}
	return m.fn.pkg[fn]
}

// untabled reports whether a record of the function table has none of the tables
// that every function of Go and of its assembler has: position of the stack, file
// and line. The linker makes such records for the functions of C objects, and for
// what it makes itself, whose names say so.
func untabled(pcsp, pcfile, pcln uint32, name string) bool {
	return pcsp|pcfile|pcln == 0 && name != "" && !gosName(name)
}

// gosName tells the names of what Go's linker makes.
func gosName(name string) bool {
	for _, p := range []string{"go:", "go.", "type:", "type.", "runtime."} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// findForeign finds what the system's linker put around what Go's linker wrote.
func (m *image) findForeign() {
	if m.fn == nil || m.mod == nil {
		return
	}
	text := interval{m.fn.text.Addr, max(m.fn.text.Addr+uint64(m.fn.text.Size), m.mod.etext)}
	for _, s := range m.sections {
		if _, exact := sectionKind(s); s.Kind != gobin.KindCode || exact {
			continue
		}
		for _, x := range outside(s, []interval{text}) {
			if x, ok := m.trim(x); ok {
				m.foreign.code = append(m.foreign.code, x)
				m.claimAddr(x.from, x.to-x.from, Code, Exact, rankRest, m.pkg(CCode), "("+s.Name+" outside of Go's text)")
			}
		}
	}
	if len(m.foreign.code) == 0 {
		return // Go's linker wrote all of it
	}
	d := m.mod
	gos := []interval{d.plainData(), d.pointerData(), {d.bss[0], d.bss[1]}, {d.bss[2], d.bss[3]}, {d.types, d.etypes}, {d.addr, d.addr + d.size}}
	for _, s := range m.sections {
		_, exact := sectionKind(s)
		if exact || s.Kind != gobin.KindData && s.Kind != gobin.KindROData || strings.HasPrefix(s.Name, ".go") || strings.HasPrefix(s.Name, ".noptr") {
			continue
		}
		whole := interval{s.Addr, s.Addr + uint64(s.Size)}
		parts := []interval{whole}
		if m.gosSection(whole) {
			if s.Kind != gobin.KindData || !slices.ContainsFunc(gos[:2], func(g interval) bool { return g.from < g.to && whole.holds(g.from) }) {
				continue // read-only, or read-only once it is relocated
			}
			parts = outside(s, gos)
		}
		for _, x := range parts {
			if x, ok := m.trim(x); ok {
				m.foreign.data = append(m.foreign.data, x)
				m.claimAddr(x.from, x.to-x.from, Variable, Exact, rankRest, m.pkg(CCode), "("+s.Name+" outside of Go's data)")
			}
		}
	}
	m.sortForeign()
}

func (d *moduledata) plainData() interval   { return interval{d.noptrdata[0], d.noptrdata[1]} }
func (d *moduledata) pointerData() interval { return interval{d.data[0], d.data[1]} }

// gosSection reports whether the module data leads into a range of addresses.
func (m *image) gosSection(s interval) bool {
	d := m.mod
	for _, a := range []uint64{d.addr, d.noptrdata[0], d.data[0], d.types, d.gofunc, d.findfunctab, d.gcdata, d.gcbss, d.typelinks, d.itablinks, d.textsectmap, d.rodata, d.inittasks} {
		if a != 0 && s.holds(a) {
			return true
		}
	}
	return false
}

// outside are the parts of a section that are before and behind some ranges: what
// lies between them is of whoever wrote them.
func outside(s gobin.Section, in []interval) (out []interval) {
	all := interval{s.Addr, s.Addr + uint64(s.Size)}
	first, last := all.to, all.from
	for _, x := range in {
		if x.from < x.to && x.from < all.to && x.to > all.from {
			first, last = min(first, max(x.from, all.from)), max(last, min(x.to, all.to))
		}
	}
	if first >= last {
		return []interval{all}
	}
	return []interval{{all.from, first}, {last, all.to}}
}

// trim leaves out what fills at both ends of a range; false when nothing is left
// that can be an object's.
func (m *image) trim(x interval) (interval, bool) {
	if x.from >= x.to {
		return x, false
	}
	b := m.bytes(x.from, x.to-x.from)
	left := len(b) - len(bytes.TrimLeft(b, "\x00\xcc\x90"))
	b = bytes.TrimRight(b[left:], "\x00\xcc\x90")
	// Behind its text and data Go's linker puts marks of a few bytes; the system's
	// linker puts at least the code that starts a program.
	const least = 32
	if len(b) < least || bytes.Contains(b[:min(len(b), 64)], []byte("\xff Go build ID: \"")) {
		return x, false
	}
	return interval{x.from + uint64(left), x.from + uint64(left+len(b))}, true
}

func (m *image) sortForeign() {
	slices.SortFunc(m.foreign.data, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
}

// objectSection is the name that Go's linker gives to a section of a C object:
// "main(.data)", "runtime/cgo(__TEXT/__const)".
var objectSection = regexp.MustCompile(`^[^ ]+\((?:\.[\w.$-]+|__[A-Z_]+/[\w.]+)\)$`)

// foreignSymbols finds in a symbol table where C's data is: the sections of its
// objects, and where Go's read-only data ends.
func (m *image) foreignSymbols(list []symbol) {
	for _, s := range list {
		switch {
		case s.name == "runtime.rodata":
			m.foreign.rodata.from = s.addr
		case s.name == "runtime.erodata":
			m.foreign.rodata.to = s.addr
		case s.size > 0 && s.size < 1<<46 && objectSection.MatchString(s.name):
			m.foreign.data = append(m.foreign.data, interval{s.addr, s.addr + s.size})
		}
	}
	if r := m.foreign.rodata; len(m.foreign.code) > 0 && r.from < r.to {
		if s := m.section(r.from); s != nil && s.Kind == gobin.KindROData {
			for _, x := range outside(*s, []interval{r}) {
				if x, ok := m.trim(x); ok {
					m.foreign.data = append(m.foreign.data, x)
					m.claimAddr(x.from, x.to-x.from, ROData, Exact, rankRest, m.pkg(CCode), "("+s.Name+" outside of Go's read-only data)")
				}
			}
		}
	}
	m.sortForeign()
}

// isC reports whether what is at an address is known to be C's.
func (m *image) isC(addr uint64) bool {
	if slices.ContainsFunc(m.foreign.code, func(x interval) bool { return x.holds(addr) }) {
		return true
	}
	// Sections of one object do not overlap those of another.
	i, _ := slices.BinarySearchFunc(m.foreign.data, addr, func(x interval, a uint64) int {
		if x.from <= a {
			return -1
		}
		return 1
	})
	return i > 0 && m.foreign.data[i-1].holds(addr)
}

// readForeign reads the references to data in code that is in no function table.
func (m *image) readForeign(read func(fn int32, code []byte, addr uint64)) {
	for _, x := range m.foreign.code {
		code := m.bytes(x.from, x.to-x.from)
		read(outsideTable, code, x.from)
		if m.Arch == "amd64" && x.to < 1<<31 {
			m.immediates(code)
		}
	}
}

// immediates finds the addresses that are operands themselves in code for amd64 at
// a fixed address: C compilers write them, and linkers put them in place of loads
// from the table of addresses (GOT).
func (m *image) immediates(code []byte) {
	for at := 0; at < len(code); {
		in := m.x86.Decode(code[at:])
		if in.Size == 0 {
			at++
			continue
		}
		next := at + in.Size
		switch {
		case in.Imm == 0 || in.Wide:
		case in.Opcode&^7 == 0xb8 && binary.LittleEndian.Uint32(code[at+in.Imm:]) != 0,
			in.Opcode == 0xc7 && in.Size >= 6 && code[next-5]>>6 == 3: // to a register
			m.addNumber(outsideTable, binary.LittleEndian.Uint32(code[at+in.Imm:]))
		}
		at = next
	}
}

// dropForeign drops references that code from elsewhere cannot have: C knows no
// variable of Go. They are numbers, or bytes that were no instruction.
func (m *image) dropForeign() {
	if len(m.foreign.code) == 0 {
		return
	}
	d := m.mod
	gos := []interval{d.plainData(), d.pointerData(), {d.types, d.etypes}}
	if in := m.section(d.rodata); in != nil { // what tables tell of comes before C's
		all := interval{in.Addr, in.Addr + uint64(in.Size)}
		floor := all.from
		for _, r := range m.regions {
			if all.holds(r.from) {
				floor = max(floor, min(r.to, all.to))
			}
		}
		gos = append(gos, interval{d.rodata, floor}, m.foreign.rodata)
	}
	m.refs = slices.DeleteFunc(m.refs, func(r ref) bool {
		return r.fn == outsideTable && slices.ContainsFunc(gos, func(x interval) bool { return x.holds(r.to) })
	})
}
