package gobin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Mach-O load commands used here (mach-o/loader.h).
const (
	machSegment       = 0x1
	machSymtab        = 0x2
	machDysymtab      = 0xb
	machSegment64     = 0x19
	machUUID          = 0x1b
	machCodeSignature = 0x1d
	machFunctionStart = 0x26
	machDataInCode    = 0x29
	machDyldInfo      = 0x22
	machExportsTrie   = 0x33
	machChainedFixups = 0x34
	machReqDyld       = 0x80000000 // flag on some of the above
)

// LinkeditCommand is the name of a nested section: the load command of the segment
// that holds the signature.
const LinkeditCommand = "(__LINKEDIT command)"

// isFat tells a fat binary from a Java class file, which has the same magic
// followed by a version of at least 45.
func isFat(b []byte) bool {
	m, n := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	return (m == 0xcafebabe || m == 0xcafebabf) && n >= 1 && n <= maxSlices
}

func (f *File) readFat() error {
	head, err := f.in.bytes(0, 8)
	if err != nil {
		return err
	}
	bo := binary.BigEndian
	wide := bo.Uint32(head) == 0xcafebabf
	n, entry := int64(bo.Uint32(head[4:])), int64(20)
	if wide {
		entry = 32
	}
	table, err := f.in.bytes(8, n*entry)
	if err != nil {
		return err
	}
	end := 8 + n*entry
	if err := f.addSection(Section{Name: "(fat header)", Kind: KindHeader, Size: end}); err != nil {
		return err
	}
	var goErr error
	for i := range n {
		b := table[i*entry:]
		off, size := int64(bo.Uint32(b[8:])), int64(bo.Uint32(b[12:]))
		if wide {
			off, size = offset(bo.Uint64(b[8:])), offset(bo.Uint64(b[16:]))
		}
		// Slices in file order without overlap: the linker tools write nothing
		// else, and so no byte is read twice.
		if off < end || !f.in.has(off, size) {
			return malformedf("slice %d (%d bytes at %d) overlaps the one before or ends beyond the file", i, size, off)
		}
		end = off + size
		s, err := parse(input{r: f.in.r, base: f.in.base + off, size: size}, false)
		if err != nil {
			if e, ok := errors.AsType[*FormatError](err); ok {
				return malformedf("slice %d: %s", i, e.Reason)
			}
			if _, ok := errors.AsType[*NotGoError](err); !ok {
				return err
			}
			goErr = err
			continue
		}
		if s.Format != MachO {
			return malformedf("slice %d is a %s file", i, s.Format)
		}
		f.Slices = append(f.Slices, s)
		for _, sec := range s.Sections {
			sec.Name = s.Arch + ":" + sec.Name
			sec.Offset += off
			if err := f.addSection(sec); err != nil {
				return err
			}
		}
	}
	if len(f.Slices) == 0 {
		if e, ok := errors.AsType[*NotGoError](goErr); ok {
			e.Format = FatMachO
		}
		return goErr
	}
	first := f.Slices[0]
	f.Arch, f.PtrSize, f.Big = first.Arch, first.PtrSize, first.Big
	f.BuildID, f.BuildInfo, f.BuildInfoFrom, f.Packed = first.BuildID, first.BuildInfo, first.BuildInfoFrom, first.Packed
	f.sortSections()
	return nil
}

func (f *File) readMachO() error {
	h, err := f.in.bytes(0, 28)
	if err != nil {
		return err
	}
	f.Big = h[0] == 0xfe
	bo := f.order()
	f.PtrSize = 4
	hdrSize := int64(28)
	if bo.Uint32(h) == 0xfeedfacf {
		f.PtrSize, hdrSize = 8, 32
	}
	f.Arch = machArch(bo.Uint32(h[4:]))
	ncmds, cmdSize := bo.Uint32(h[16:]), int64(bo.Uint32(h[20:]))
	if cmdSize > maxCommands {
		return malformedf("%d bytes of load commands", cmdSize)
	}
	cmds, err := f.in.bytes(hdrSize, cmdSize)
	if err != nil {
		return err
	}
	if err := f.addSection(Section{Name: FileHeader, Kind: KindHeader, Size: hdrSize + cmdSize}); err != nil {
		return err
	}
	if bo.Uint32(h[12:]) == 2 { // MH_EXECUTE
		f.execFlags = 1 // CS_EXECSEG_MAIN_BINARY
	}
	for off := hdrSize; ncmds > 0; ncmds-- {
		if len(cmds) < 8 {
			return malformed("load commands end early")
		}
		cmd, size := bo.Uint32(cmds), int64(bo.Uint32(cmds[4:]))
		if size < 8 || size > int64(len(cmds)) {
			return malformedf("load command of %d bytes", size)
		}
		if err := f.machCommand(cmd&^machReqDyld, cmds[:size], off); err != nil {
			return err
		}
		cmds, off = cmds[size:], off+size
	}
	return nil
}

// machCommand adds the sections one load command names. off is its file offset.
func (f *File) machCommand(cmd uint32, b []byte, off int64) error {
	bo := f.order()
	u32 := func(at int) int64 {
		if at+4 > len(b) {
			return 1 << 62 // out of any file, so addSection refuses it
		}
		return int64(bo.Uint32(b[at:]))
	}
	add := func(name string, kind Kind, off, size int64) error {
		if size == 0 {
			return nil
		}
		return f.addSection(Section{Name: name, Kind: kind, Offset: off, Size: size})
	}
	switch cmd {
	case machSegment, machSegment64:
		if len(b) >= 56 && cstr(b[8:24]) == "__TEXT" {
			f.textSegment = [2]int64{int64(bo.Uint32(b[32:])), int64(bo.Uint32(b[36:]))}
			if cmd == machSegment64 && len(b) >= 72 {
				f.textSegment = [2]int64{offset(bo.Uint64(b[40:])), offset(bo.Uint64(b[48:]))}
			}
		}
		if len(b) >= 56 && cstr(b[8:24]) == "__LINKEDIT" {
			// Its size is the only field that changes when a signature is put behind it.
			if err := f.addSection(Section{Name: LinkeditCommand, Kind: KindHeader, Offset: off, Size: int64(len(b)), Nested: true}); err != nil {
				return err
			}
		}
		return f.machSegment(cmd == machSegment64, b)
	case machUUID:
		return f.addSection(Section{Name: "(uuid)", Kind: KindBuildID, Offset: off + 8, Size: int64(len(b)) - 8, Nested: true})
	case machCodeSignature:
		if err := f.addSection(Section{Name: "(signature command)", Kind: KindSignature, Offset: off, Size: int64(len(b)), Nested: true}); err != nil {
			return err
		}
		return add("(code signature)", KindSignature, u32(8), u32(12))
	case machFunctionStart:
		return add("(function starts)", KindOther, u32(8), u32(12))
	case machDataInCode:
		return add("(data in code)", KindOther, u32(8), u32(12))
	case machExportsTrie:
		return add("(exports)", KindOther, u32(8), u32(12))
	case machChainedFixups:
		return add("(fixups)", KindOther, u32(8), u32(12))
	case machSymtab:
		entry := int64(12)
		if f.PtrSize == 8 {
			entry = 16
		}
		n := u32(12)
		if n > f.in.size {
			return malformedf("%d symbols", n)
		}
		return errors.Join(
			add("(symbols)", KindSymbols, u32(8), n*entry),
			add("(symbol names)", KindSymbols, u32(16), u32(20)))
	case machDysymtab:
		n := u32(60)
		if n > f.in.size {
			return malformedf("%d indirect symbols", n)
		}
		return add("(indirect symbols)", KindSymbols, u32(56), 4*n)
	case machDyldInfo:
		for i, name := range []string{"(rebase)", "(bind)", "(weak bind)", "(lazy bind)", "(exports)"} {
			if err := add(name, KindOther, u32(8+8*i), u32(12+8*i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *File) machSegment(wide bool, b []byte) error {
	bo := f.order()
	head, entry, nsectAt := 56, 68, 48
	if wide {
		head, entry, nsectAt = 72, 80, 64
	}
	if len(b) < head {
		return malformedf("segment command of %d bytes", len(b))
	}
	nsect := int(bo.Uint32(b[nsectAt:]))
	if nsect > (len(b)-head)/entry {
		return malformedf("%d sections in a command of %d bytes", nsect, len(b))
	}
	for i := range nsect {
		s := b[head+i*entry:]
		name := cstr(s[16:32]) + "," + cstr(s[:16])
		var addr, size uint64
		var off, flags uint32
		if wide {
			addr, size, off, flags = bo.Uint64(s[32:]), bo.Uint64(s[40:]), bo.Uint32(s[48:]), bo.Uint32(s[64:])
		} else {
			addr, size, off, flags = uint64(bo.Uint32(s[32:])), uint64(bo.Uint32(s[36:])), bo.Uint32(s[40:]), bo.Uint32(s[56:])
		}
		kind := machKind(name, flags)
		if err := f.addSection(Section{Name: name, Kind: kind, Offset: int64(off), Size: offset(size), Addr: addr}); err != nil {
			return err
		}
	}
	return nil
}

func machKind(name string, flags uint32) Kind {
	switch flags & 0xff { // section type
	case 1, 0xc, 0x12: // S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL
		return KindBSS
	}
	seg, sect, _ := strings.Cut(name, ",")
	switch {
	case sect == "__go_buildinfo":
		return KindBuildInfo
	case sect == "__gopclntab":
		return KindPCLNTab
	case seg == "__DWARF":
		return KindDebug
	case flags&0x80000400 != 0: // S_ATTR_PURE_INSTRUCTIONS, S_ATTR_SOME_INSTRUCTIONS
		return KindCode
	case seg == "__TEXT", seg == "__DATA_CONST":
		return KindROData
	case seg == "__DATA":
		return KindData
	}
	return KindOther
}

// cstr is the text of a fixed-size field up to its first NUL.
func cstr(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

func machArch(cpu uint32) string {
	switch cpu {
	case 7:
		return "386"
	case 0x01000007:
		return "amd64"
	case 12:
		return "arm"
	case 0x0100000c:
		return "arm64"
	case 18:
		return "ppc"
	case 0x01000012:
		return "ppc64"
	}
	return fmt.Sprintf("machine-%d", cpu)
}
