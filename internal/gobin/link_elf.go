package gobin

import (
	"fmt"
	"strings"
)

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

const elfTypeDyn = 3

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
	relro := false
	var how dynamic
	for _, s := range segs {
		switch s.typ {
		case elfPTLoad:
			base, align = min(base, s.addr), max(align, s.align)
			loads = append(loads, access(s.flags))
		case elfPTGNUStack:
			l.add(LinkHeader, "stack", access(s.flags))
		case elfPTGNURelro:
			l.add(LinkHeader, "RELRO", "yes")
			relro = true
		case elfPTInterp:
			text, err := l.text(offset(s.off), offset(s.size))
			if err != nil {
				return err
			}
			l.add(LinkInterpreter, "interpreter", text)
			l.needs.Interpreter = text
		case elfPTDynamic:
			if how, err = l.elfDynamic(s, segs); err != nil {
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
	// A shared object is a program if it says so, or names who is to load it.
	pie := typ == elfTypeDyn && (how.pie || l.needs.Interpreter != "")
	l.needs.PIE = &pie
	if relro {
		if l.needs.RELRO = PartialRelro; how.now {
			l.needs.RELRO = FullRelro
		}
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

// dynamic is what the flags of a dynamic section say.
type dynamic struct{ now, pie bool }

func (l *linkReader) elfDynamic(s segment, segs []segment) (how dynamic, err error) {
	f := l.f
	size := int64(2 * f.PtrSize)
	b, err := f.in.bytes(offset(s.off), min(offset(s.size), maxDynamic*size))
	if err != nil {
		return how, err
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
				return how, malformedf("%s outside the dynamic strings", x.name)
			}
			text, err := l.text(at+int64(v), left-int64(v))
			if err != nil {
				return how, err
			}
			list = append(list, text)
		}
		l.add(LinkDynamic, x.name, strings.Join(list, ", "))
		switch x.tag {
		case dtNeeded:
			l.needs.Libraries = list
		case dtRpath:
			l.needs.RPATH = list
		case dtRunpath:
			l.needs.RUNPATH = list
		}
	}
	const bindNow, now, pie = 1 << 3, 1 << 0, 1 << 27
	return dynamic{now: flags&bindNow != 0 || flags1&now != 0, pie: flags1&pie != 0}, nil
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
