package gobin

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

func (f *File) readPE() error {
	bo := binary.LittleEndian
	dos, err := f.in.bytes(0, 64)
	if err != nil {
		return err
	}
	pe := int64(bo.Uint32(dos[0x3c:]))
	h, err := f.in.bytes(pe, 24)
	if err != nil {
		return err
	}
	if string(h[:4]) != "PE\x00\x00" {
		return malformed("no PE signature (a DOS program?)")
	}
	f.Arch = peArch(bo.Uint16(h[4:]))
	nsect := int64(bo.Uint16(h[6:]))
	symtab, nsyms := int64(bo.Uint32(h[12:])), int64(bo.Uint32(h[16:]))
	optSize := int64(bo.Uint16(h[20:]))
	opt, err := f.in.bytes(pe+24, optSize)
	if err != nil {
		return err
	}
	if len(opt) < 2 {
		return malformed("no optional header: an object file, not an executable")
	}
	var imageBase uint64
	dirs := 0 // offset of the data directories in opt
	switch magic := bo.Uint16(opt); {
	case magic == 0x10b && len(opt) >= 96:
		f.PtrSize, imageBase, dirs = 4, uint64(bo.Uint32(opt[28:])), 96
	case magic == 0x20b && len(opt) >= 112:
		f.PtrSize, imageBase, dirs = 8, bo.Uint64(opt[24:]), 112
	default:
		return malformedf("optional header %#x of %d bytes", magic, len(opt))
	}
	table := pe + 24 + optSize
	b, err := f.in.bytes(table, 40*nsect)
	if err != nil {
		return err
	}
	if err := f.addSection(Section{Name: FileHeader, Kind: KindHeader, Size: table + 40*nsect}); err != nil {
		return err
	}
	strs := symtab + 18*nsyms // COFF string table, for names longer than 8 bytes
	if size, err := f.in.bytes(strs, 4); err == nil && symtab > 0 {
		f.peSymbols[0] = Section{Offset: symtab, Size: 18 * nsyms}
		f.peSymbols[1].Offset, f.peSymbols[1].Size = f.in.clip(strs, int64(bo.Uint32(size)))
	}
	for i := range nsect {
		s := b[40*i:]
		name := cstr(s[:8])
		if n, err := strconv.ParseUint(strings.TrimPrefix(name, "/"), 10, 31); err == nil && strings.HasPrefix(name, "/") && symtab > 0 {
			if name, err = f.in.cstring(strs+int64(n), maxSectionName); err != nil {
				return err
			}
		}
		sec := Section{
			Name: name, Addr: imageBase + uint64(bo.Uint32(s[12:])),
			Size: int64(bo.Uint32(s[16:])), Offset: int64(bo.Uint32(s[20:])),
		}
		f.peBases = append(f.peBases, sec.Addr)
		sec.Kind = peKind(name, bo.Uint32(s[36:]), sec.Size)
		if err := f.addSection(sec); err != nil {
			return err
		}
	}
	// Data directory 4 is the certificate table, the only one with a file offset.
	if len(opt) >= dirs+40 && bo.Uint32(opt[dirs-4:]) > 4 {
		off, size := int64(bo.Uint32(opt[dirs+32:])), int64(bo.Uint32(opt[dirs+36:]))
		// Signing writes the checksum and the entry of the certificate table too.
		for _, x := range []Section{
			{Name: "(checksum)", Offset: pe + 24 + 64, Size: 4},
			{Name: "(certificate entry)", Offset: pe + 24 + int64(dirs) + 32, Size: 8},
		} {
			x.Kind, x.Nested = KindSignature, true
			if err := f.addSection(x); err != nil {
				return err
			}
		}
		if size > 0 {
			return f.addSection(Section{Name: "(certificates)", Kind: KindSignature, Offset: off, Size: size})
		}
	}
	return nil
}

func peKind(name string, flags uint32, rawSize int64) Kind {
	switch {
	case rawSize == 0:
		return KindBSS
	case name == ".go.buildinfo":
		return KindBuildInfo
	case name == ".gopclntab":
		return KindPCLNTab
	case strings.HasPrefix(name, ".debug_"), strings.HasPrefix(name, ".zdebug_"):
		return KindDebug
	case name == ".symtab":
		return KindSymbols
	case flags&0x20 != 0: // IMAGE_SCN_CNT_CODE
		return KindCode
	case flags&0x80000000 != 0: // IMAGE_SCN_MEM_WRITE
		return KindData
	case flags&0x40 != 0: // IMAGE_SCN_CNT_INITIALIZED_DATA
		return KindROData
	}
	return KindOther
}

func peArch(machine uint16) string {
	switch machine {
	case 0x14c:
		return "386"
	case 0x8664:
		return "amd64"
	case 0x1c0, 0x1c4:
		return "arm"
	case 0xaa64:
		return "arm64"
	}
	return fmt.Sprintf("machine-%d", machine)
}
