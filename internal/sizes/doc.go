// Package sizes says what every byte of a Go binary is for: which package,
// which function or type, and what kind of thing.
//
// # Contract
//
// [Analyze] gives a [Breakdown]: ranges of the file in order, without overlap and
// without gaps, so that their sizes add up to the size of the file exactly.
// What takes memory but no bytes of the file (bss) is listed apart. Every range
// says how sure its owner is ([Confidence]), and [Totals] of the three are
// always given apart: no share is called known that was guessed.
//
//   - [Exact]: the file's own structure says so (headers, the function table,
//     type descriptors with a package path), or a symbol table does: the file's
//     or that of an unstripped link of the same program ([Options.Twin]).
//   - [Inferred]: only code of one package refers to the bytes; or one of those
//     that do is imported by the others; or it has more than half of the
//     functions that do; or what points to them is of that package; or a type
//     without a name is made of the types of one package.
//   - [Shared]: several packages use the bytes, or nobody could be found, or what
//     speaks for an owner may be a number that only looks like an address.
//
// # Data without symbols
//
// A piece of data starts where code refers to, or where a pointer leads. A word is
// a pointer where the file says so: by a relocation, or by the mask of the garbage
// collector for the data segment. In read-only data of files without relocations
// nothing does; there a word that looks like an address is taken for one where it
// leads into read-only data, and where it leads into other data what is behind is
// nobody's, unless both sides are of one package. The header of a slice or string
// says how much from where it points to is one piece, which nothing splits; a
// reference to the length in a header is one to the header. So large data goes to
// whose header it is, whatever numbers are in it or elsewhere.
//
// # Honest exceptions
//
//   - Inlined code is counted in the caller, and the padding after a function as
//     part of it: that is where the bytes are.
//   - The end of a piece of data without symbol or header is where the next piece
//     starts that anything refers to. A piece that nothing refers to is counted
//     with the one before it.
//   - A package that has nothing but variables others use cannot be told from
//     those that use them.
//   - References are read from code for amd64, 386, arm64, arm, mips, mips64,
//     riscv64, s390x, ppc64 and loong64; elsewhere data is attributed through
//     pointers in data alone, and a note says so.
//   - A file packed by UPX is analysed unpacked; without a way to unpack it, it
//     is refused.
package sizes

import "fmt"

// Kind says what the bytes of a range are.
type Kind uint8

// Kinds of ranges. The last four say no more than which section the bytes are in.
const (
	Text        Kind = iota // machine code
	FuncRecord              // the record of a function and its line in the table
	FuncName                // name of a function, inlined ones included
	PCTable                 // pc tables: lines, files, stack depth, liveness
	FuncData                // stack maps, inlining trees and the like
	FileTable               // names of source files and which unit has which
	FindFunc                // the index from pc to function
	TypeDesc                // type descriptors
	TypeName                // names of types, fields and methods; struct tags
	Itab                    // method tables of interfaces
	GCBits                  // pointer masks
	Strings                 // string constants
	FuncValue               // descriptors of functions used as values
	TypeLinks               // lists of types and itabs
	BuildInfo               // what `go version -m` shows
	BuildID                 // build ID, GNU build ID, UUID
	Headers                 // headers of the format and its section tables
	Symbols                 // symbol tables
	Debug                   // DWARF
	Relocations             // relocations, fixups, imports, unwind tables
	Signature               // code signature, certificates
	Padding                 // zeros between the parts
	ModuleData              // the linker's module data
	Variable                // variables and tables with a known or inferred owner
	Embedded                // a file of an embed.FS, or several with the same contents: "a = b"
	ROData                  // read-only data
	Data                    // writable data
	Code                    // code outside the function table
	Other                   // anything else
	numKinds
)

var kindNames = [numKinds]string{
	"text", "func-record", "func-name", "pctab", "funcdata", "file-table", "findfunc",
	"type", "type-name", "itab", "gcbits", "strings", "func-value", "type-links",
	"buildinfo", "buildid", "headers", "symbols", "dwarf", "relocations", "signature", "padding", "moduledata", "variable", "embedded",
	"rodata", "data", "code", "other",
}

func (k Kind) String() string {
	if k < numKinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind-%d", uint8(k))
}

// MarshalText gives the name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Generic reports whether the kind says no more than which section it is.
func (k Kind) Generic() bool { return k >= ROData }

// Confidence says how sure the owner of a range is.
type Confidence uint8

// The three confidences.
const (
	Exact Confidence = iota
	Inferred
	Shared
)

func (c Confidence) String() string {
	return [...]string{"exact", "inferred", "shared"}[min(c, Shared)]
}

// MarshalText gives the name.
func (c Confidence) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Range is a part of the file.
type Range struct {
	Offset     int64      `json:"offset"`
	Size       int64      `json:"size"`
	Package    string     `json:"package,omitempty"` // import path; "" when it belongs to no single one
	Symbol     string     `json:"symbol,omitempty"`  // function, type or variable; else the section
	Kind       Kind       `json:"kind"`
	Confidence Confidence `json:"confidence"`
}

// Totals are bytes by confidence.
type Totals struct {
	Exact    int64 `json:"exact"`
	Inferred int64 `json:"inferred"`
	Shared   int64 `json:"shared"`
}

// Sum is all of them.
func (t Totals) Sum() int64 { return t.Exact + t.Inferred + t.Shared }

func (t *Totals) add(c Confidence, n int64) {
	switch c {
	case Exact:
		t.Exact += n
	case Inferred:
		t.Inferred += n
	default:
		t.Shared += n
	}
}

// Where exact names of variables came from.
const (
	SymbolsNone = "none" // stripped: data is inferred
	SymbolsOwn  = "file" // the file has a symbol table
	SymbolsTwin = "twin" // an unstripped link of the same program
)

// Breakdown is what a file is made of.
type Breakdown struct {
	File          string // as given
	Size          int64  // of what was analysed; the ranges add up to it
	Format        string // elf, macho, pe, wasm, …
	Arch          string // GOARCH
	GoVersion     string // "" when nothing in the file tells
	GoVersionFrom string // "buildinfo", "strings" or "pclntab" (then a lower bound)
	SymbolsFrom   string // SymbolsNone, …
	Packed        string // "UPX 3.94" when the file is packed; Size is then that of the unpacked file
	PackedSize    int64  // of the file on disk, 0 when it is not packed
	Modules       Modules
	Ranges        []Range
	BSS           []Range // memory without bytes in the file; Offset is the address
	Totals        Totals
	BySection     bool     // no functions or packages are known: a range without a package has its section as symbol
	Lookups       []Lookup // of methods by reflection, as far as code that is read calls for them
	Notes         []string // what was not done, and why
}

// Lookup says that a function outside of package reflect calls one that finds methods
// by number or by name. Unless the name is a constant there, the linker has kept every
// exported method of every type that becomes an interface.
type Lookup struct {
	Function string `json:"function"`
	Calls    string `json:"calls"`
}

// Reach is how many bytes have a package or a kind that says more than the
// section they are in.
func (l *Breakdown) Reach() int64 {
	var n int64
	for _, r := range l.Ranges {
		if r.Package != "" || !r.Kind.Generic() {
			n += r.Size
		}
	}
	return n
}

// Check returns an error unless the ranges are in order, without overlap and
// gap, and add up to the size of the file, as do the totals.
func (l *Breakdown) Check() error {
	at := int64(0)
	for i, r := range l.Ranges {
		if r.Offset != at || r.Size <= 0 {
			return fmt.Errorf("range %d of %s: %d bytes at %d, expected at %d", i, l.File, r.Size, r.Offset, at)
		}
		at += r.Size
	}
	if at != l.Size || l.Totals.Sum() != l.Size {
		return fmt.Errorf("ranges of %s add up to %d and totals to %d of %d bytes", l.File, at, l.Totals.Sum(), l.Size)
	}
	return nil
}
