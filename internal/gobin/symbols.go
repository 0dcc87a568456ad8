package gobin

import (
	"bytes"
	"encoding/binary"
)

// Symbols calls found for the symbols of the symbol table that have an address,
// in the order of the table, until found returns false. The name is only valid
// during the call. Files without a symbol table, and formats other than ELF,
// Mach-O and PE, have none. The names are held in memory, as they are in the
// file; a damaged table ends the list early.
func (f *File) Symbols(found func(name []byte, addr uint64) bool) error {
	return f.symbols(func(name []byte, addr, _ uint64) bool { return found(name, addr) })
}

func (f *File) symbols(found func(name []byte, addr, size uint64) bool) error {
	table, names, entry := f.symbolTable()
	if entry == 0 || names.Size == 0 {
		return nil
	}
	text, err := f.in.bytes(names.Offset, names.Size)
	if err != nil {
		return err
	}
	budget := nameBudget*len(text) + 1<<16
	name := func(at int64) []byte {
		if at <= 0 || at >= int64(len(text)) {
			return nil
		}
		n := bytes.IndexByte(text[at:], 0)
		if n < 0 {
			n = len(text) - int(at)
		}
		budget -= n
		return text[at : at+int64(n)]
	}
	bo := f.order()
	buf := make([]byte, min(table.Size, int64(entry)*4096))
	skip := 0
	for at := int64(0); at+int64(entry) <= table.Size; {
		n := min(int64(len(buf)), table.Size-at)
		n -= n % int64(entry)
		if err := f.in.readAt(buf[:n], table.Offset+at); err != nil {
			return err
		}
		at += n
		for b := buf[:n]; len(b) > 0; b = b[entry:] {
			if skip > 0 {
				skip--
				continue
			}
			var addr, size uint64
			var nm []byte
			switch {
			case f.Format == ELF && f.PtrSize == 8:
				nm, addr = name(int64(bo.Uint32(b))), bo.Uint64(b[8:])
				size = bo.Uint64(b[16:])
			case f.Format == ELF:
				nm, addr = name(int64(bo.Uint32(b))), uint64(bo.Uint32(b[4:]))
				size = uint64(bo.Uint32(b[8:]))
			case f.Format == MachO:
				nm, addr = name(int64(bo.Uint32(b))), f.Word(b[8:])
				nm = bytes.TrimPrefix(nm, []byte("_")) // C names have one; Go's do not
			case f.Format == PE:
				skip = int(b[17]) // auxiliary records
				if nm, _, _ = bytes.Cut(b[:8], []byte{0}); binary.LittleEndian.Uint32(b) == 0 {
					nm = name(int64(binary.LittleEndian.Uint32(b[4:])))
				}
				if i := int(int16(binary.LittleEndian.Uint16(b[12:]))); i >= 1 && i <= len(f.peBases) {
					addr = f.peBases[i-1] + uint64(binary.LittleEndian.Uint32(b[8:]))
				}
			}
			if budget < 0 {
				return malformed("symbol names overlap")
			}
			if addr != 0 && len(nm) > 0 && !found(nm, addr, size) {
				return nil
			}
		}
	}
	return nil
}

// symbolTable returns the ranges of the symbols and of their names, and the
// size of one symbol.
func (f *File) symbolTable() (table, names Section, entry int) {
	get := func(a, b string) (Section, Section) {
		x, y := f.Section(a), f.Section(b)
		if x == nil || y == nil {
			return Section{}, Section{}
		}
		return *x, *y
	}
	wide := f.PtrSize == 8
	switch f.Format {
	case ELF:
		table, names = get(".symtab", ".strtab")
		entry = 16
		if wide {
			entry = 24
		}
	case MachO:
		table, names = get("(symbols)", "(symbol names)")
		entry = 12
		if wide {
			entry = 16
		}
	case PE:
		table, names, entry = f.peSymbols[0], f.peSymbols[1], 18
	}
	return table, names, entry
}
