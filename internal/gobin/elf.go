package gobin

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// ELF constants used here (System V gABI, chapters 4 and 5).
const (
	elfSHTNoBits = 8
	elfSHTSymTab = 2
	elfSHTStrTab = 3
	elfPTLoad    = 1
	elfPTNote    = 4
	elfFlagWrite = 1
	elfFlagAlloc = 2
	elfFlagExec  = 4
)

func (f *File) order() binary.ByteOrder {
	if f.Big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Word reads a pointer-sized field in the byte order of the file.
func (f *File) Word(b []byte) uint64 {
	if f.PtrSize == 8 {
		return f.order().Uint64(b)
	}
	return uint64(f.order().Uint32(b))
}

// offset turns a 64-bit file offset or size into an int64 that is out of the
// file when it does not fit.
func offset(v uint64) int64 {
	if v > 1<<62 {
		return 1 << 62
	}
	return int64(v)
}

func (f *File) readELF() error {
	ident, err := f.in.bytes(0, 16)
	if err != nil {
		return err
	}
	switch ident[4] {
	case 1:
		f.PtrSize = 4
	case 2:
		f.PtrSize = 8
	default:
		return malformedf("class %d", ident[4])
	}
	if ident[5] != 1 && ident[5] != 2 {
		return malformedf("byte order %d", ident[5])
	}
	f.Big = ident[5] == 2
	wide := f.PtrSize == 8
	hdrSize := int64(52)
	if wide {
		hdrSize = 64
	}
	h, err := f.in.bytes(0, hdrSize)
	if err != nil {
		return err
	}
	bo := f.order()
	f.Arch = elfArch(bo.Uint16(h[18:]), wide, f.Big)
	ptrs := h[24:] // e_entry, e_phoff, e_shoff
	phoff := offset(f.Word(ptrs[f.PtrSize:]))
	shoff := offset(f.Word(ptrs[2*f.PtrSize:]))
	counts := h[24+3*f.PtrSize+4+2:] // after e_flags and e_ehsize
	phentsize, phnum := int64(bo.Uint16(counts)), int64(bo.Uint16(counts[2:]))
	shentsize, shnum, shstrndx := int64(bo.Uint16(counts[4:])), int64(bo.Uint16(counts[6:])), int64(bo.Uint16(counts[8:]))

	minPh, minSh := int64(32), int64(40)
	if wide {
		minPh, minSh = 56, 64
	}
	if phnum > 0 && phentsize < minPh || shoff > 0 && shentsize < minSh {
		return malformedf("table entries of %d and %d bytes", phentsize, shentsize)
	}
	if shoff > 0 && shnum == 0 {
		// Extended numbering: the count is the size field of entry 0.
		sh, err := f.in.bytes(shoff, minSh)
		if err != nil {
			return err
		}
		shnum = offset(f.elfSection(sh).size)
		if shstrndx == 0xffff {
			shstrndx = int64(f.elfSection(sh).link)
		}
	}
	if shnum > maxSections || phnum > maxSections {
		return malformedf("%d sections, %d segments", shnum, phnum)
	}
	if !f.in.has(phoff, phnum*phentsize) || !f.in.has(shoff, shnum*shentsize) {
		return malformedf("program or section headers end beyond the file's %d bytes", f.in.size)
	}
	if err := f.addSection(Section{Name: FileHeader, Kind: KindHeader, Size: hdrSize}); err != nil {
		return err
	}
	if phnum > 0 {
		if err := f.addSection(Section{Name: "(program headers)", Kind: KindHeader, Offset: phoff, Size: phnum * phentsize}); err != nil {
			return err
		}
	}
	if shnum == 0 || shoff == 0 {
		return f.elfSegments(phoff, phnum, phentsize)
	}
	if err := f.addSection(Section{Name: "(section headers)", Kind: KindHeader, Offset: shoff, Size: shnum * shentsize}); err != nil {
		return err
	}
	return f.elfSections(shoff, shnum, shentsize, shstrndx)
}

type elfSection struct {
	name, typ, link           uint32
	flags, addr, offset, size uint64
}

func (f *File) elfSection(b []byte) elfSection {
	bo, p := f.order(), f.PtrSize
	return elfSection{
		name: bo.Uint32(b), typ: bo.Uint32(b[4:]),
		flags: f.Word(b[8:]), addr: f.Word(b[8+p:]), offset: f.Word(b[8+2*p:]), size: f.Word(b[8+3*p:]),
		link: bo.Uint32(b[8+4*p:]),
	}
}

func (f *File) elfSections(shoff, shnum, shentsize, shstrndx int64) error {
	table, err := f.in.bytes(shoff, shnum*shentsize)
	if err != nil {
		return err
	}
	var names elfSection
	if shstrndx < shnum {
		names = f.elfSection(table[shstrndx*shentsize:])
	}
	for i := int64(1); i < shnum; i++ {
		s := f.elfSection(table[i*shentsize:])
		if s.typ == 0 {
			continue
		}
		name := fmt.Sprintf("(section %d)", i)
		if uint64(s.name) < names.size {
			n, err := f.in.cstring(offset(names.offset)+int64(s.name), offset(names.size)-int64(s.name))
			if err != nil {
				return err
			}
			if n != "" {
				name = n
			}
		}
		err := f.addSection(Section{
			Name: name, Kind: elfKind(name, s),
			Offset: offset(s.offset), Size: offset(s.size), Addr: s.addr,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// elfSegments stands in for the sections of a file whose section headers were
// stripped or packed away.
func (f *File) elfSegments(phoff, phnum, phentsize int64) error {
	table, err := f.in.bytes(phoff, phnum*phentsize)
	if err != nil {
		return err
	}
	bo := f.order()
	for i := range phnum {
		b := table[i*phentsize:]
		typ := bo.Uint32(b)
		var off, addr, size uint64
		var flags uint32
		if f.PtrSize == 8 {
			flags = bo.Uint32(b[4:])
			off, addr, size = bo.Uint64(b[8:]), bo.Uint64(b[16:]), bo.Uint64(b[32:])
		} else {
			off, addr, size = uint64(bo.Uint32(b[4:])), uint64(bo.Uint32(b[8:])), uint64(bo.Uint32(b[16:]))
			flags = bo.Uint32(b[24:])
		}
		s := Section{Offset: offset(off), Size: offset(size), Addr: addr}
		switch typ {
		case elfPTLoad:
			s.Name, s.Kind = fmt.Sprintf("(segment %d)", i), KindROData
			if flags&2 != 0 { // PF_W
				s.Kind = KindData
			} else if flags&1 != 0 { // PF_X
				s.Kind = KindCode
			}
			if size == 0 {
				s.Kind = KindBSS
			}
		case elfPTNote:
			s.Name, s.Kind, s.Nested = fmt.Sprintf("(note %d)", i), KindBuildID, true
		default:
			continue
		}
		if err := f.addSection(s); err != nil {
			return err
		}
	}
	return nil
}

func elfKind(name string, s elfSection) Kind {
	if s.typ == elfSHTNoBits {
		return KindBSS
	}
	switch name {
	case ".note.go.buildid", ".note.gnu.build-id":
		return KindBuildID
	case ".go.buildinfo":
		return KindBuildInfo
	case ".gopclntab", ".data.rel.ro.gopclntab":
		return KindPCLNTab
	}
	switch {
	case strings.HasPrefix(name, ".debug_"), strings.HasPrefix(name, ".zdebug_"):
		return KindDebug
	case s.flags&elfFlagAlloc == 0 && (s.typ == elfSHTSymTab || s.typ == elfSHTStrTab):
		return KindSymbols
	case s.flags&elfFlagAlloc == 0:
		return KindOther
	case s.flags&elfFlagExec != 0:
		return KindCode
	case s.flags&elfFlagWrite != 0:
		return KindData
	}
	return KindROData
}

func elfArch(machine uint16, wide, big bool) string {
	le := func(s string) string {
		if big {
			return s
		}
		return s + "le"
	}
	switch machine {
	case 3:
		return "386"
	case 8:
		if wide {
			return le("mips64")
		}
		return le("mips")
	case 21:
		return le("ppc64")
	case 22:
		return "s390x"
	case 40:
		return "arm"
	case 62:
		return "amd64"
	case 183:
		return "arm64"
	case 243:
		return "riscv64"
	case 258:
		return "loong64"
	}
	return fmt.Sprintf("machine-%d", machine)
}
