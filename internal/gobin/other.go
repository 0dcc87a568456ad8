package gobin

import (
	"encoding/binary"
	"fmt"
)

// readWasm lists the sections of a WebAssembly module (core specification,
// section 5.5). Custom sections are named "custom:NAME".
func (f *File) readWasm() error {
	f.Arch, f.PtrSize = "wasm", 8 // Go's wasm has 8-byte pointers in memory
	h, err := f.in.bytes(0, 8)
	if err != nil {
		return err
	}
	if v := binary.LittleEndian.Uint32(h[4:]); v != 1 {
		return malformedf("version %d", v)
	}
	if err := f.addSection(Section{Name: FileHeader, Kind: KindHeader, Size: 8}); err != nil {
		return err
	}
	names := []string{"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count", "tag"}
	for off := int64(8); off < f.in.size; {
		head, err := f.in.bytes(off, min(11, f.in.size-off))
		if err != nil {
			return err
		}
		size, n := binary.Uvarint(head[1:])
		if n <= 0 || size > 1<<32-1 {
			return malformedf("section at %d without a size", off)
		}
		id := int(head[0])
		s := Section{Name: fmt.Sprintf("(section %d)", id), Kind: KindOther, Offset: off + 1 + int64(n), Size: int64(size)}
		if id < len(names) {
			s.Name = names[id]
		}
		switch s.Name {
		case "code":
			s.Kind = KindCode
		case "data":
			s.Kind = KindData
		case "custom":
			body, err := f.in.bytes(s.Offset, min(s.Size, maxSectionName+5, max(0, f.in.size-s.Offset)))
			if err != nil {
				return err
			}
			if l, n := binary.Uvarint(body); n > 0 && l <= uint64(len(body)-n) {
				s.Name += ":" + string(body[n:n+int(l)])
			}
			switch s.Name {
			case "custom:go:buildid":
				s.Kind = KindBuildID
			case "custom:name":
				s.Kind = KindSymbols
			}
		}
		if err := f.addSection(s); err != nil {
			return err
		}
		off = s.Offset + s.Size
	}
	return nil
}

// readXCOFF lists the sections of AIX's format (aix/ppc64 is Go's only port).
func (f *File) readXCOFF() error {
	f.Big = true
	bo := binary.BigEndian
	h, err := f.in.bytes(0, 24)
	if err != nil {
		return err
	}
	f.Arch, f.PtrSize = "ppc64", 8
	hdrSize, entry := int64(24), int64(72)
	if bo.Uint16(h) == 0x1df {
		f.Arch, f.PtrSize, hdrSize, entry = "ppc", 4, 20, 40
	}
	nsect, optSize := int64(bo.Uint16(h[2:])), int64(bo.Uint16(h[16:]))
	table := hdrSize + optSize
	b, err := f.in.bytes(table, nsect*entry)
	if err != nil {
		return err
	}
	if err := f.addSection(Section{Name: FileHeader, Kind: KindHeader, Size: table + nsect*entry}); err != nil {
		return err
	}
	symptr, nsyms := offset(bo.Uint64(h[8:])), int64(bo.Uint32(h[20:]))
	if f.PtrSize == 4 {
		symptr, nsyms = int64(bo.Uint32(h[8:])), int64(bo.Uint32(h[12:]))
	}
	if symptr > 0 {
		if err := f.addSection(Section{Name: "(symbols)", Kind: KindSymbols, Offset: symptr, Size: 18 * nsyms}); err != nil {
			return err
		}
		strs := symptr + 18*nsyms // the string table starts with its own size
		if size, err := f.in.bytes(strs, 4); err == nil {
			if err := f.addSection(Section{Name: "(symbol names)", Kind: KindSymbols, Offset: strs, Size: int64(bo.Uint32(size))}); err != nil {
				return err
			}
		}
	}
	for i := range nsect {
		s := b[i*entry:]
		sec := Section{Name: cstr(s[:8])}
		var flags uint32
		if f.PtrSize == 8 {
			sec.Addr, sec.Size, sec.Offset = bo.Uint64(s[16:]), offset(bo.Uint64(s[24:])), offset(bo.Uint64(s[32:]))
			flags = bo.Uint32(s[64:])
		} else {
			sec.Addr, sec.Size, sec.Offset = uint64(bo.Uint32(s[12:])), int64(bo.Uint32(s[16:])), int64(bo.Uint32(s[20:]))
			flags = bo.Uint32(s[36:])
		}
		switch {
		case flags&0x80 != 0 || sec.Offset == 0: // STYP_BSS
			sec.Kind = KindBSS
		case flags&0x20 != 0: // STYP_TEXT
			sec.Kind = KindCode
		case flags&0x40 != 0: // STYP_DATA
			sec.Kind = KindData
		case flags&0x10 != 0: // STYP_DWARF
			sec.Kind = KindDebug
		default:
			sec.Kind = KindOther
		}
		if err := f.addSection(sec); err != nil {
			return err
		}
	}
	return nil
}

var plan9Arch = map[uint32]string{0x1eb: "386", 0x8a97: "amd64", 0x647: "arm"}

// readPlan9 lists the segments of Plan 9's a.out(6).
func (f *File) readPlan9() error {
	h, err := f.in.bytes(0, 32)
	if err != nil {
		return err
	}
	bo := binary.BigEndian
	magic := bo.Uint32(h)
	f.Arch, f.PtrSize = plan9Arch[magic], 4
	off := int64(32)
	if magic&0x8000 != 0 { // HDR_MAGIC: a 64-bit entry point follows
		f.PtrSize, off = 8, 40
	}
	if err := f.addSection(Section{Name: FileHeader, Kind: KindHeader, Size: off}); err != nil {
		return err
	}
	for _, s := range []struct {
		name string
		kind Kind
		at   int
	}{{"text", KindCode, 4}, {"data", KindData, 8}, {"syms", KindSymbols, 16}, {"sp sizes", KindOther, 24}, {"pc sizes", KindOther, 28}} {
		size := int64(bo.Uint32(h[s.at:]))
		if err := f.addSection(Section{Name: s.name, Kind: s.kind, Offset: off, Size: size}); err != nil {
			return err
		}
		off += size
	}
	return nil
}
