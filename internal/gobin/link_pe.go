package gobin

import (
	"encoding/binary"
	"fmt"
	"strings"
)

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
	const dynamicBase = 1 << 6
	pie := bo.Uint16(opt[70:])&dynamicBase != 0
	l.needs.PIE = &pie
	// The loader holds the version of the subsystem against its own; the other is not read.
	l.needs.Platform, l.needs.MinimumOS = "Windows", version(48)
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
	l.needs.Libraries = list
	l.add(LinkDynamic, "imported libraries", strings.Join(list, ", "))
	return nil
}
