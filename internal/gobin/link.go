package gobin

import (
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
	needs Needs
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
