package sizes

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/x86"
)

// image is a binary in memory, with its addresses.
type image struct {
	*gobin.File
	*claims
	b     []byte
	order binary.ByteOrder
	ptr   uint64
	minor int // of Go; 0 when not known
	notes []string

	sections []gobin.Section // those with address and bytes, by address
	last     int             // the section found last

	fn      *functions
	mod     *moduledata
	refs    []ref
	calls   map[call]bool  // between packages
	lookups map[int32]bool // functions that find methods by reflection
	looksUp map[call]bool  // between functions: who calls one of these
	places  []uint64       // of the pointers that relocations name, by address; nil when there are none
	regions []region       // parts of the read-only data whose kind is known, by address
	starts  []start        // of variables, from symbols without size
	foreign foreign
	x86     *x86.Decoder
}

// region is a range of addresses of one kind.
type region struct {
	from, to uint64
	kind     Kind
	symbol   string
}

func newImage(f *gobin.File, b []byte) *image {
	m := &image{File: f, claims: newClaims(int64(len(b))), b: b, order: binary.LittleEndian, ptr: uint64(f.PtrSize)}
	if f.Big {
		m.order = binary.BigEndian
	}
	m.x86 = x86.New(m.Arch == "386")
	for _, s := range f.Sections {
		if s.Addr != 0 && s.Size > 0 && !s.Nested && s.Kind != gobin.KindDebug && s.Kind != gobin.KindSymbols {
			m.sections = append(m.sections, s)
		}
	}
	slices.SortStableFunc(m.sections, func(a, b gobin.Section) int { return cmp.Compare(a.Addr, b.Addr) })
	// Overlapping sections are no Go linker's; the first keeps its addresses.
	end := uint64(0)
	m.sections = slices.DeleteFunc(m.sections, func(s gobin.Section) bool {
		if s.Addr < end || s.Addr+uint64(s.Size) < s.Addr {
			return true
		}
		end = s.Addr + uint64(s.Size)
		return false
	})
	return m
}

func (m *image) note(s string) {
	if !slices.Contains(m.notes, s) {
		m.notes = append(m.notes, s)
	}
}

// section is the section that holds an address, or nil.
func (m *image) section(addr uint64) *gobin.Section {
	if m.last < len(m.sections) {
		if s := &m.sections[m.last]; addr >= s.Addr && addr-s.Addr < uint64(s.Size) {
			return s
		}
	}
	i := sort.Search(len(m.sections), func(i int) bool { return m.sections[i].Addr > addr }) - 1
	if i < 0 || addr-m.sections[i].Addr >= uint64(m.sections[i].Size) {
		return nil
	}
	m.last = i
	return &m.sections[i]
}

// at is the offset in the file of an address, if n bytes from there are in one section.
func (m *image) at(addr, n uint64) (int64, bool) {
	s := m.section(addr)
	if s == nil || n > uint64(s.Size)-(addr-s.Addr) {
		return 0, false
	}
	return s.Offset + int64(addr-s.Addr), true
}

// bytes are n bytes at an address, or nil.
func (m *image) bytes(addr, n uint64) []byte {
	off, ok := m.at(addr, n)
	if !ok {
		return nil
	}
	return m.b[off : off+int64(n)]
}

// addr is the address of an offset in the file.
func (m *image) addr(off int64) (uint64, bool) {
	for i := range m.sections {
		if s := &m.sections[i]; off >= s.Offset && off-s.Offset < s.Size {
			return s.Addr + uint64(off-s.Offset), true
		}
	}
	return 0, false
}

// word reads a pointer from the front of b.
func (m *image) word(b []byte) uint64 {
	if m.ptr == 8 {
		return m.order.Uint64(b)
	}
	return uint64(m.order.Uint32(b))
}

// wordAt reads a pointer at an address; 0 when there is none.
func (m *image) wordAt(addr uint64) uint64 {
	b := m.bytes(addr, m.ptr)
	if b == nil {
		return 0
	}
	return m.word(b)
}

// claimAddr claims bytes by address.
func (m *image) claimAddr(addr, size uint64, kind Kind, conf Confidence, rank uint8, pkg int32, symbol string) {
	if s := m.section(addr); s != nil {
		size = min(size, uint64(s.Size)-(addr-s.Addr))
		m.add(s.Offset+int64(addr-s.Addr), int64(size), kind, conf, rank, pkg, symbol)
	}
}

// claimSections claims what the format itself tells.
func (m *image) claimSections() {
	for _, s := range m.Sections {
		if s.Size == 0 {
			continue
		}
		kind, exact := sectionKind(s)
		rank, conf := uint8(rankSection), Shared
		if exact {
			rank, conf = rankFormat, Exact
		}
		if s.Nested {
			rank, conf = rankFormat, Exact
		}
		m.add(s.Offset, s.Size, kind, conf, rank, noPackage, s.Name)
	}
}

// sectionKind is the kind of a section, and whether all of it is that.
func sectionKind(s gobin.Section) (Kind, bool) {
	switch s.Name {
	case ".typelink", ".itablink", "__TEXT,__typelink", "__DATA_CONST,__typelink", "__DATA_CONST,__itablink", "__DATA,__itablink", "__TEXT,__itablink", ".data.rel.ro.typelink", ".data.rel.ro.itablink":
		return TypeLinks, true
	case ".shstrtab", "__TEXT,__symbol_stub1", "__TEXT,__stubs":
		return Headers, true
	case ".plt.got", ".plt.sec", ".iplt":
		return Relocations, true
	case ".idata", ".edata", ".reloc", ".pdata", ".xdata", ".dynamic", ".dynsym", ".dynstr", ".hash", ".gnu.hash", ".gnu.version", ".gnu.version_r",
		".rela", ".rela.dyn", ".rela.plt", ".rel", ".rel.dyn", ".rel.plt", ".relr.dyn", ".plt", ".got", ".got.plt", ".interp",
		"__DATA,__la_symbol_ptr", "__DATA,__nl_symbol_ptr", "__DATA_CONST,__got", "__TEXT,__unwind_info", "__TEXT,__eh_frame", ".eh_frame", ".eh_frame_hdr",
		"(rebase)", "(bind)", "(weak bind)", "(lazy bind)", "(exports)", "(fixups)", "(function starts)", "(data in code)":
		return Relocations, true
	case ".go.module", "__DATA,__go_module":
		return ModuleData, true
	case ".comment":
		return Headers, true
	case ".go.fipsinfo", "__DATA,__go_fipsinfo":
		return BuildInfo, true
	}
	if strings.HasPrefix(s.Name, ".note.") && s.Kind != gobin.KindBuildID {
		return Headers, true
	}
	switch s.Kind {
	case gobin.KindHeader:
		return Headers, true
	case gobin.KindBuildInfo:
		return BuildInfo, true
	case gobin.KindBuildID:
		return BuildID, true
	case gobin.KindDebug:
		return Debug, true
	case gobin.KindSymbols:
		return Symbols, true
	case gobin.KindSignature:
		return Signature, true
	case gobin.KindCode:
		return Code, false
	case gobin.KindData:
		return Data, false
	case gobin.KindROData, gobin.KindPCLNTab:
		return ROData, false
	}
	return Other, false
}

// claimBuildID claims the build ID where it lies inside the text (Mach-O, PE).
func (m *image) claimBuildID() {
	const start = "\xff Go build ID: \""
	for _, s := range m.Sections {
		if s.Kind != gobin.KindCode || s.Size < int64(len(start)) {
			continue
		}
		head := m.b[s.Offset : s.Offset+min(s.Size, 4096)]
		if i := strings.Index(string(head), start); i >= 0 {
			if n := strings.Index(string(head[i:]), "\"\n \xff"); n > 0 {
				m.add(s.Offset+int64(i), int64(n)+4, BuildID, Exact, rankFormat, noPackage, "build ID")
			}
		}
	}
}
