package gobin

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// LinkKind is what part of a file a [LinkFact] is about.
type LinkKind string

// Kinds of facts.
const (
	LinkInterpreter LinkKind = "interpreter" // the dynamic linker that the system starts
	LinkDynamic     LinkKind = "dynamic"     // libraries, search paths, flags and tables of dynamic linking
	LinkHeader      LinkKind = "header"      // what the system is told of the program as a whole
	LinkLayout      LinkKind = "layout"      // addresses and alignments
	LinkLinker      LinkKind = "linker"      // which linker wrote the file
)

// LinkFact is something that the linker decided by its flags and that no
// compiler writes. A fact that a file does not have is absent, never "".
type LinkFact struct {
	Kind  LinkKind
	Name  string
	Value string
}

// Bounds on what is read of one file. Real files stay far below.
const (
	maxDynamic   = 4096 // entries of a dynamic section
	maxLibraries = 256  // names of libraries and search paths
	maxLinkText  = 1024
)

// Linkers that the facts name.
const (
	goLinker = "Go's own"
	cLinker  = "that of the C compiler"
)

// LinkFacts reads what the linker decided: of ELF the program headers and the
// dynamic section (System V gABI, chapter 5; glibc's elf.h for the GNU tags), of
// PE the optional header and the names of imported libraries (Microsoft's "PE
// Format"), of Mach-O the header and load commands (mach-o/loader.h). Formats
// without any have none. The facts are sorted as they are found, each once.
func (f *File) LinkFacts() ([]LinkFact, error) {
	l := &linkReader{f: f}
	var err error
	switch f.Format {
	case ELF:
		err = l.elf()
	case PE:
		err = l.pe()
	case MachO:
		err = l.macho()
	}
	return l.facts, f.typed(err)
}

type linkReader struct {
	f     *File
	facts []LinkFact
}

func (l *linkReader) add(kind LinkKind, name, value string) {
	if value != "" {
		l.facts = append(l.facts, LinkFact{kind, name, value})
	}
}

func (l *linkReader) flags(kind LinkKind, name string, v uint64, names []string) {
	l.add(kind, name, bitNames(v, names))
}

// text reads a text up to its NUL, and no more than limit or maxLinkText bytes.
func (l *linkReader) text(off, limit int64) (string, error) {
	off, n := l.f.in.clip(off, min(limit, maxLinkText))
	b, err := l.f.in.bytes(off, n)
	return cstr(b), err
}

// bitNames spells a set of bits; those without a name are one number.
func bitNames(v uint64, names []string) string {
	var out []string
	for i, n := range names {
		if bit := uint64(1) << i; n != "" && v&bit != 0 {
			out = append(out, n)
			v &^= bit
		}
	}
	if v != 0 {
		out = append(out, fmt.Sprintf("%#x", v))
	}
	return strings.Join(out, " ")
}

// segment is a program header.
type segment struct {
	typ, flags                     uint32
	off, addr, size, memory, align uint64
}

// Program headers beside those of elf.go.
const (
	elfPTDynamic  = 2
	elfPTInterp   = 3
	elfPTGNUStack = 0x6474e551
	elfPTGNURelro = 0x6474e552
)

func (f *File) elfProgramHeaders() ([]segment, error) {
	s := f.Section("(program headers)")
	if s == nil {
		return nil, nil
	}
	h, err := f.in.bytes(0, int64(24+3*f.PtrSize+12))
	if err != nil {
		return nil, err
	}
	bo := f.order()
	entry := int64(bo.Uint16(h[24+3*f.PtrSize+6:]))
	b, err := f.in.bytes(s.Offset, s.Size)
	if err != nil {
		return nil, err
	}
	var out []segment
	for at := int64(0); entry >= 32 && at+entry <= s.Size; at += entry {
		p := b[at:]
		x := segment{typ: bo.Uint32(p)}
		if f.PtrSize == 8 {
			x.flags = bo.Uint32(p[4:])
			x.off, x.addr, x.size, x.memory, x.align = bo.Uint64(p[8:]), bo.Uint64(p[16:]), bo.Uint64(p[32:]), bo.Uint64(p[40:]), bo.Uint64(p[48:])
		} else {
			w := func(i int) uint64 { return uint64(bo.Uint32(p[i:])) }
			x.off, x.addr, x.size, x.memory, x.align = w(4), w(8), w(16), w(20), w(28)
			x.flags = bo.Uint32(p[24:])
		}
		out = append(out, x)
	}
	return out, nil
}

var elfTypes = map[uint16]string{2: "EXEC", 3: "DYN"}

func (l *linkReader) elf() error {
	f := l.f
	segs, err := f.elfProgramHeaders()
	if err != nil {
		return err
	}
	h, err := f.in.bytes(0, int64(24+3*f.PtrSize+4))
	if err != nil {
		return err
	}
	bo := f.order()
	typ := bo.Uint16(h[16:])
	name := elfTypes[typ]
	if name == "" {
		name = fmt.Sprint(typ)
	}
	l.add(LinkHeader, "type of the ELF file", name)
	l.add(LinkHeader, "OS ABI", fmt.Sprint(h[7]))
	l.add(LinkHeader, "flags of the ELF header", fmt.Sprintf("%#x", bo.Uint32(h[24+3*f.PtrSize:])))
	base, align := ^uint64(0), uint64(0)
	var loads []string
	for _, s := range segs {
		switch s.typ {
		case elfPTLoad:
			base, align = min(base, s.addr), max(align, s.align)
			loads = append(loads, access(s.flags))
		case elfPTGNUStack:
			l.add(LinkHeader, "stack", access(s.flags))
		case elfPTGNURelro:
			l.add(LinkHeader, "RELRO", "yes")
		case elfPTInterp:
			text, err := l.text(offset(s.off), offset(s.size))
			if err != nil {
				return err
			}
			l.add(LinkInterpreter, "interpreter", text)
		case elfPTDynamic:
			if err := l.elfDynamic(s, segs); err != nil {
				return err
			}
		}
	}
	if loads != nil {
		l.add(LinkLayout, "lowest address", fmt.Sprintf("%#x", base))
		l.add(LinkLayout, "alignment of segments", fmt.Sprintf("%#x", align))
		l.add(LinkLayout, "segments", strings.Join(loads, ", "))
	}
	if s := f.Section(".note.gnu.build-id"); s != nil {
		l.add(LinkHeader, "GNU build ID", fmt.Sprintf("%d bytes", max(0, s.Size-16)))
	}
	if s := f.Section(".dynsym"); s != nil {
		l.add(LinkDynamic, "dynamic symbols", fmt.Sprint(s.Size/int64(8+2*f.PtrSize)))
	}
	l.elfLinker()
	return nil
}

// access spells the flags of a segment, PF_X, PF_W and PF_R.
func access(flags uint32) string {
	out := ""
	for i, c := range "rwx" {
		if flags&(4>>i) != 0 {
			out += string(c)
		}
	}
	if out == "" {
		return "none"
	}
	return out
}

// elfLinker: the C compiler links its start files in, whose sections Go's
// linker never makes; other linkers than GNU's sign.
func (l *linkReader) elfLinker() {
	f := l.f
	name := goLinker
	if f.Section(".init") != nil || f.Section(".eh_frame_hdr") != nil {
		name = cLinker
	}
	if f.Section(".note.gnu.gold-version") != nil {
		name += ", gold"
	}
	if f.Section(".shstrtab") != nil || name != goLinker {
		l.add(LinkLinker, "linker", name)
	}
}

// Tags of the dynamic section.
const (
	dtNeeded   = 1
	dtHash     = 4
	dtStrTab   = 5
	dtSoname   = 14
	dtRpath    = 15
	dtSymbolic = 16
	dtTextRel  = 22
	dtBindNow  = 24
	dtRunpath  = 29
	dtFlags    = 30
	dtRelr     = 36
	dtGNUHash  = 0x6ffffef5
	dtFlags1   = 0x6ffffffb
)

var (
	dtFlagNames  = []string{"ORIGIN", "SYMBOLIC", "TEXTREL", "BIND_NOW", "STATIC_TLS"}
	dtFlag1Names = []string{"NOW", "GLOBAL", "GROUP", "NODELETE", "LOADFLTR", "INITFIRST", "NOOPEN", "ORIGIN", 27: "PIE"}
)

func (l *linkReader) elfDynamic(s segment, segs []segment) error {
	f := l.f
	size := int64(2 * f.PtrSize)
	b, err := f.in.bytes(offset(s.off), min(offset(s.size), maxDynamic*size))
	if err != nil {
		return err
	}
	var strs, flags, flags1 uint64
	texts := map[uint64][]uint64{} // tag → offsets into the strings
	n := 0
	var hashes, marks []string
	for ; int64(len(b)) >= size; b = b[size:] {
		tag, v := f.Word(b), f.Word(b[f.PtrSize:])
		if tag == 0 {
			break
		}
		switch tag {
		case dtNeeded, dtSoname, dtRpath, dtRunpath:
			if n++; n <= maxLibraries {
				texts[tag] = append(texts[tag], v)
			}
		case dtStrTab:
			strs = v
		case dtHash:
			hashes = append(hashes, "sysv")
		case dtGNUHash:
			hashes = append(hashes, "gnu")
		case dtSymbolic:
			flags |= 2
		case dtTextRel:
			flags |= 4
		case dtBindNow:
			flags |= 8
		case dtFlags:
			flags |= v
		case dtFlags1:
			flags1 |= v
		case dtRelr:
			marks = append(marks, "RELR")
		}
	}
	l.add(LinkDynamic, "dynamic section", "present")
	l.flags(LinkDynamic, "FLAGS", flags, dtFlagNames)
	l.flags(LinkDynamic, "FLAGS_1", flags1, dtFlag1Names)
	l.add(LinkDynamic, "hash tables", strings.Join(hashes, " "))
	l.add(LinkDynamic, "packed relocations", strings.Join(marks, " "))
	at, left := fileOffset(segs, strs)
	for _, x := range []struct {
		tag  uint64
		name string
	}{{dtNeeded, "NEEDED"}, {dtSoname, "SONAME"}, {dtRpath, "RPATH"}, {dtRunpath, "RUNPATH"}} {
		var list []string
		for _, v := range texts[x.tag] {
			if int64(v) < 0 || int64(v) >= left {
				return malformedf("%s outside the dynamic strings", x.name)
			}
			text, err := l.text(at+int64(v), left-int64(v))
			if err != nil {
				return err
			}
			list = append(list, text)
		}
		l.add(LinkDynamic, x.name, strings.Join(list, ", "))
	}
	return nil
}

// fileOffset finds where an address is in the file, and how much of its segment follows.
func fileOffset(segs []segment, addr uint64) (at, left int64) {
	for _, s := range segs {
		if s.typ == elfPTLoad && addr >= s.addr && addr-s.addr < s.size {
			return offset(s.off + addr - s.addr), offset(s.size - (addr - s.addr))
		}
	}
	return 0, 0
}

var peSubsystems = map[uint16]string{1: "native", 2: "Windows GUI", 3: "Windows console", 10: "EFI application"}

var (
	// Of the characteristics, those that say what was stripped are left out.
	peCharacteristics    = []string{0: "RELOCS_STRIPPED", 1: "EXECUTABLE_IMAGE", 5: "LARGE_ADDRESS_AWARE", 8: "32BIT_MACHINE", 13: "DLL"}
	peDLLCharacteristics = []string{5: "HIGH_ENTROPY_VA", 6: "DYNAMIC_BASE", 7: "FORCE_INTEGRITY", 8: "NX_COMPAT", 10: "NO_SEH", 14: "GUARD_CF", 15: "TERMINAL_SERVER_AWARE"}
)

func (l *linkReader) pe() error {
	f, bo := l.f, binary.LittleEndian
	dos, err := f.in.bytes(0, 64)
	if err != nil {
		return err
	}
	pe := int64(bo.Uint32(dos[0x3c:]))
	h, err := f.in.bytes(pe, 24)
	if err != nil {
		return err
	}
	opt, err := f.in.bytes(pe+24, int64(bo.Uint16(h[20:])))
	if err != nil {
		return err
	}
	w := f.PtrSize // of the image base and of sizes of stack and heap
	dirs := 80 + 4*w
	if len(opt) < dirs {
		return malformedf("optional header of %d bytes", len(opt))
	}
	version := func(at int) string { return fmt.Sprintf("%d.%d", bo.Uint16(opt[at:]), bo.Uint16(opt[at+2:])) }
	hex := func(v uint64) string { return fmt.Sprintf("%#x", v) }
	const stripped = 1<<2 | 1<<3 | 1<<9
	l.flags(LinkHeader, "characteristics", uint64(bo.Uint16(h[22:])&^stripped), peCharacteristics)
	subsystem := bo.Uint16(opt[68:])
	name := peSubsystems[subsystem]
	if name == "" {
		name = fmt.Sprint(subsystem)
	}
	l.add(LinkHeader, "subsystem", name)
	l.add(LinkHeader, "version of the system", version(40))
	l.add(LinkHeader, "version of the subsystem", version(48))
	l.flags(LinkHeader, "DLL characteristics", uint64(bo.Uint16(opt[70:])), peDLLCharacteristics)
	l.add(LinkLinker, "version of the linker", fmt.Sprintf("%d.%d", opt[2], opt[3]))
	for i, name := range []string{"reserved stack", "committed stack", "reserved heap", "committed heap"} {
		l.add(LinkHeader, name, hex(f.Word(opt[72+i*w:])))
	}
	base := f.Word(opt[28:])
	if w == 8 {
		base = bo.Uint64(opt[24:])
	}
	l.add(LinkLayout, "lowest address", hex(base))
	l.add(LinkLayout, "alignment of sections", hex(uint64(bo.Uint32(opt[32:]))))
	l.add(LinkLayout, "alignment in the file", hex(uint64(bo.Uint32(opt[36:]))))
	if len(opt) < dirs+16 || bo.Uint32(opt[dirs-4:]) < 2 {
		return nil
	}
	return l.peImports(base, bo.Uint32(opt[dirs+8:]))
}

// peImports names the libraries of the import directory at an address relative
// to the image.
func (l *linkReader) peImports(base uint64, rva uint32) error {
	if rva == 0 {
		return nil
	}
	f, bo := l.f, binary.LittleEndian
	sec, at := f.At(base + uint64(rva))
	if sec == nil {
		return malformed("import directory outside the sections")
	}
	var list []string
	for ; len(list) < maxLibraries && at+20 <= sec.Offset+sec.Size; at += 20 {
		b, err := f.in.bytes(at, 20)
		if err != nil {
			return err
		}
		name := bo.Uint32(b[12:])
		if name == 0 {
			break
		}
		s, off := f.At(base + uint64(name))
		if s == nil {
			return malformed("name of an imported library outside the sections")
		}
		text, err := l.text(off, s.Offset+s.Size-off)
		if err != nil {
			return err
		}
		list = append(list, text)
	}
	l.add(LinkDynamic, "imported libraries", strings.Join(list, ", "))
	return nil
}

// Load commands beside those of macho.go.
const (
	machLoadDylib     = 0xc
	machLoadDylinker  = 0xe
	machWeakDylib     = 0x18
	machRpath         = 0x1c
	machVersionMin    = 0x24
	machMain          = 0x28
	machSourceVersion = 0x2a
	machBuildVersion  = 0x32
)

var machFlags = []string{"NOUNDEFS", 2: "DYLDLINK", 7: "TWOLEVEL", 17: "ALLOW_STACK_EXECUTION", 21: "PIE", 24: "NO_HEAP_EXECUTION"}

func (l *linkReader) macho() error {
	f, bo := l.f, l.f.order()
	hdr := int64(24 + f.PtrSize) // in the wide form, with a reserved word
	h, err := f.in.bytes(0, hdr)
	if err != nil {
		return err
	}
	l.flags(LinkHeader, "flags of the Mach-O header", uint64(bo.Uint32(h[24:])), machFlags)
	cmds, err := f.in.bytes(hdr, min(int64(bo.Uint32(h[20:])), maxCommands))
	if err != nil {
		return err
	}
	var libraries, rpaths []string
	linker := goLinker
	for n := bo.Uint32(h[16:]); n > 0 && len(cmds) >= 8; n-- {
		size := int(min(uint64(bo.Uint32(cmds[4:])), uint64(len(cmds))))
		if size < 8 {
			return malformedf("load command of %d bytes", size)
		}
		c := cmds[:size]
		cmds = cmds[size:]
		text := func(at int) string {
			if len(c) < at+4 || int64(bo.Uint32(c[at:])) >= int64(len(c)) {
				return ""
			}
			b := c[bo.Uint32(c[at:]):]
			return cstr(b[:min(len(b), maxLinkText)])
		}
		version := func(at int) string {
			if len(c) < at+4 {
				return ""
			}
			v := bo.Uint32(c[at:])
			return fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff)
		}
		switch bo.Uint32(c) &^ machReqDyld {
		case machLoadDylib, machWeakDylib:
			if len(libraries) < maxLibraries {
				libraries = append(libraries, strings.TrimSpace(text(8)+" "+version(16)))
			}
		case machRpath:
			if len(rpaths) < maxLibraries {
				rpaths = append(rpaths, text(8))
			}
		case machLoadDylinker:
			l.add(LinkInterpreter, "dynamic linker", text(8))
		case machVersionMin:
			l.add(LinkHeader, "least version of the system", version(8))
			l.add(LinkHeader, "version of the SDK", version(12))
		case machBuildVersion:
			l.add(LinkHeader, "least version of the system", version(12))
			l.add(LinkHeader, "version of the SDK", version(16))
		case machMain:
			if len(c) >= 24 {
				if v := bo.Uint64(c[16:]); v != 0 {
					l.add(LinkHeader, "size of the stack", fmt.Sprintf("%#x", v))
				}
			}
		case machUUID:
			l.add(LinkHeader, "UUID", "present")
		case machSegment, machSegment64:
			if len(c) >= 32 && cstr(c[8:24]) == "__TEXT" {
				l.add(LinkLayout, "lowest address", fmt.Sprintf("%#x", f.Word(c[24:])))
			}
		case machSourceVersion:
			linker = cLinker
		}
	}
	l.add(LinkDynamic, "libraries", strings.Join(libraries, ", "))
	l.add(LinkDynamic, "RPATH", strings.Join(rpaths, ", "))
	l.add(LinkLinker, "linker", linker)
	return nil
}
