package sizes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// symbol is an entry of a symbol table.
type symbol struct {
	name       string
	addr, size uint64
}

// start is where a variable starts, and its size; 0 where no symbol tells it.
type start struct {
	addr, size uint64
	pkg        int32
	name       string
}

// marker tells the symbols that the linker puts at the borders of its parts;
// they name no bytes.
func marker(name string) bool {
	rest, ok := strings.CutPrefix(name, "runtime.")
	if !ok {
		return strings.HasSuffix(name, ".*") || strings.HasPrefix(name, "go:main.inittasks") || name == "type:*" || name == "typerel.*" || strings.HasPrefix(name, "$")
	}
	switch rest {
	case "text", "etext", "rodata", "erodata", "types", "etypes", "noptrdata", "enoptrdata", "data", "edata", "bss", "ebss", "noptrbss", "enoptrbss",
		"covctrs", "ecovctrs", "end", "gcbits.*", "esymtab", "symtab", "epclntab", "pclntab", "itablink", "typelink", "fipsinfo",
		"findfunctab", "gcdata", "gcbss", "firstmoduledata": // told by the module data, stripped or not
		return true
	}
	return false
}

// claimSymbols claims the variables of a symbol table. Where the format gives
// symbols no size (Mach-O, PE), and there are variables without a symbol between
// them, only where one starts is exact. Where they start is kept for
// [image.inferData]: what they point to is theirs. names is how many were of a package: a stripped file has a
// symbol table, too, with what it imports.
func (m *image) claimSymbols(from *gobin.File) (bss []Range, names int, err error) {
	var list []symbol
	err = from.SizedSymbols(func(name []byte, addr, size uint64) bool {
		if from.Format == gobin.PE && name[0] == '.' {
			return true // where the section of an object starts
		}
		list = append(list, symbol{string(name), addr, size})
		return true
	})
	if err != nil {
		return nil, 0, err
	}
	slices.SortStableFunc(list, func(a, b symbol) int { return cmp.Compare(a.addr, b.addr) })
	sized := from.Format == gobin.ELF
	m.foreignSymbols(list)
	for i := range list {
		s := &list[i]
		if marker(s.name) {
			continue
		}
		if !sized {
			j := i + 1
			for j < len(list) && list[j].addr == s.addr {
				j++
			}
			if j == len(list) {
				continue
			}
			s.size = list[j].addr - s.addr
		}
		if s.size == 0 || s.size > 1<<46 {
			continue
		}
		pkg, c := m.pkg(PackageOf(s.name)), !gosName(s.name) && m.isC(s.addr)
		if c { // whatever its name looks like
			pkg = m.pkg(CCode)
		}
		if objectSection.MatchString(s.name) { // what is in it has names of its own
			if sized {
				m.claimSection(s)
			}
			continue
		}
		in := m.section(s.addr)
		if in == nil {
			if m.inBSS(s.addr) {
				bss = append(bss, Range{Offset: int64(s.addr), Size: int64(s.size), Package: m.name(pkg), Symbol: s.name, Kind: Variable, Confidence: Exact})
			}
			continue
		}
		if pkg != noPackage && !c {
			names++
		}
		switch in.Kind {
		case gobin.KindCode:
			m.claimAddr(s.addr, s.size, Text, Exact, rankRegion, pkg, s.name)
		case gobin.KindData, gobin.KindROData:
			if pkg == noPackage && !strings.HasPrefix(s.name, "go:") {
				// Of an assembler file, or of C: whose code refers to it.
				if sized && !strings.HasPrefix(s.name, "type:") && !strings.HasPrefix(s.name, "type.") {
					m.starts = append(m.starts, start{s.addr, s.size, noPackage, s.name})
				}
				continue
			}
			if !sized {
				m.starts = append(m.starts, start{s.addr, 0, pkg, s.name})
				continue
			}
			if s.addr+s.size > in.Addr+uint64(in.Size) {
				continue
			}
			m.starts = append(m.starts, start{s.addr, s.size, pkg, s.name})
			m.claimAddr(s.addr, s.size, Variable, Exact, rankSymbol, pkg, s.name)
		}
	}
	return bss, names, nil
}

// claimSection claims a section of a C object for what has no symbol of its own in it.
func (m *image) claimSection(s *symbol) {
	in := m.section(s.addr)
	if in == nil || in.Kind != gobin.KindData && in.Kind != gobin.KindROData {
		return
	}
	m.starts = append(m.starts, start{s.addr, s.size, m.pkg(CCode), s.name})
	m.claimAddr(s.addr, s.size, Variable, Exact, rankRegion, m.pkg(CCode), s.name)
}

func (m *image) inBSS(addr uint64) bool {
	d := m.mod
	return d != nil && (addr >= d.bss[0] && addr < d.bss[1] || addr >= d.bss[2] && addr < d.bss[3])
}

// sameProgram returns an error unless the twin has the same functions at the
// same addresses.
func (m *image) sameProgram(twin *gobin.File) error {
	t, err := twin.Functions()
	if err != nil {
		return err
	}
	if m.fn == nil {
		return fmt.Errorf("the functions of the file are not known")
	}
	if t.Len() != len(m.fn.pkg) || t.Text().Addr != m.fn.text.Addr {
		return fmt.Errorf("it has %d functions from %#x, the file has %d from %#x", t.Len(), t.Text().Addr, len(m.fn.pkg), m.fn.text.Addr)
	}
	for i := range t.Len() {
		f, err := t.Func(i)
		if err != nil {
			return err
		}
		if f.Entry != m.fn.start[i] || string(f.Name) != m.fn.name[i] {
			return fmt.Errorf("function %d is %s, in the file it is %s", i, f.Name, m.fn.name[i])
		}
	}
	return nil
}
