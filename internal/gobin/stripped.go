package gobin

import (
	"bytes"
	"strings"
)

// HasSymbols reports whether the file names functions or variables of its own in
// a symbol table. What any program keeps when it is stripped is not that: names of
// sections, of dynamic symbols and of what is imported, an empty table (PE), the
// symbol for the header (Mach-O). Of a fat file one slice is enough. In formats
// whose symbols are not read here (XCOFF, Plan 9, wasm) a symbol table that is
// there is taken to name something.
func (f *File) HasSymbols() (bool, error) {
	switch f.Format {
	case ELF, MachO, PE:
		found := false
		err := f.symbols(func(name []byte, _, _ uint64) bool {
			found = !always(name)
			return !found
		})
		return found, err
	case FatMachO:
		for _, s := range f.Slices {
			if found, err := s.HasSymbols(); found || err != nil {
				return found, err
			}
		}
		return false, nil
	}
	for _, s := range f.Sections {
		if s.Kind == KindSymbols && s.Size > 0 {
			return true, nil
		}
	}
	return false, nil
}

// always tells the symbols that Apple's tools leave in every program.
func always(name []byte) bool {
	return bytes.Equal(name, []byte("_mh_execute_header")) || bytes.HasPrefix(name, []byte("radr://"))
}

// HasDWARF reports whether there is debugging information. The names of scripts
// for the debugger are none.
func (f *File) HasDWARF() bool {
	for _, s := range f.Sections {
		if s.Kind == KindDebug && s.Size > 0 && !strings.HasSuffix(s.Name, "_gdb_scripts") && !strings.HasSuffix(s.Name, "_gdb_scri") {
			return true
		}
	}
	return false
}
