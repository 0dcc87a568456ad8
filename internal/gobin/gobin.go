// Package gobin reads Go binaries: ELF, Mach-O (thin and fat), PE, WebAssembly,
// XCOFF and Plan 9. It tells where in the file the sections are, what the
// binary says of itself (build ID, build information), and whether it was
// packed by UPX.
//
// # Contract
//
// The package reads its own way through the file formats instead of using
// debug/elf, debug/macho and debug/pe, because those read whole symbol tables
// and every load command into memory: a hostile file can make them allocate
// many times its own size. Here only headers, section tables, the build ID, the
// build information and, when asked for, the file table of the pclntab are
// read, each with a limit; everything else is streamed. A truncated or
// inconsistent file is a [FormatError], never a panic and never a guess.
//
// What takes more is only read when asked for: [File.Functions] holds the
// function table in memory, [File.Symbols] the names of the symbols, each as
// large as it is in the file; [File.Untouched] streams the whole file to tell
// whether it is as the Go linker left it.
//
// # Honest exceptions
//
//   - Build information written by Go before 1.18 is found only as its modinfo
//     text; the Go version of such a binary is then a guess from its strings, and
//     [File.BuildInfoFrom] says so.
//   - A file packed by UPX is accepted without any sign of Go in it, since the
//     packer compresses every sign away. [File.Packed] is then set.
//   - A file that carries a complete Go binary inside another format (a
//     self-extracting archive, for one) can look like a Go binary; BuildInfoFrom
//     is then not FromSection.
package gobin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

// Format is an executable file format.
type Format string

// The formats this package reads.
const (
	ELF      Format = "elf"
	MachO    Format = "macho"
	FatMachO Format = "macho-fat"
	PE       Format = "pe"
	Wasm     Format = "wasm"
	XCOFF    Format = "xcoff"
	Plan9    Format = "plan9"
)

// Kind says what a section holds, whatever its name in the format.
type Kind string

// FileHeader is the name of the section with which a file begins, whatever its format.
const FileHeader = "(header)"

// Kinds of sections.
const (
	KindHeader    Kind = "header"    // file headers, program headers, load commands, section tables
	KindCode      Kind = "code"      // machine code or wasm code
	KindROData    Kind = "rodata"    // read-only data
	KindData      Kind = "data"      // writable data
	KindBSS       Kind = "bss"       // takes no bytes of the file
	KindPCLNTab   Kind = "pclntab"   // Go's table of functions, files and lines
	KindBuildInfo Kind = "buildinfo" // what `go version -m` reads
	KindBuildID   Kind = "buildid"   // the Go build ID and what derives from it (GNU build ID, LC_UUID)
	KindDebug     Kind = "debug"     // DWARF
	KindSymbols   Kind = "symbols"   // symbol and string tables
	KindSignature Kind = "signature" // Mach-O code signature, PE certificate table
	KindOther     Kind = "other"
)

// Section is a named range of the file.
type Section struct {
	Name   string // as in the format: ".text", "__TEXT,__text"; in parentheses where the format has no name
	Kind   Kind
	Offset int64  // from the start of the file
	Size   int64  // bytes in the file; 0 for KindBSS
	Addr   uint64 // virtual address, 0 where there is none

	// Nested says that the range lies inside another section of the list, such
	// as the build ID at the start of a PE file's .text.
	Nested bool
}

// Where [File.BuildInfo] was found.
const (
	FromSection = "section" // where the linker puts it
	FromScan    = "scan"    // the linker's record, outside its section
	FromModInfo = "modinfo" // only runtime.modinfo: the section is missing; GoVersion is a guess or empty
)

// File is one binary. Its fields are what was found; a zero field means that
// the binary does not say.
type File struct {
	Format   Format
	Arch     string // GOARCH of the headers; "machine-N" when Go has no name for it
	PtrSize  int    // 4 or 8
	Big      bool   // big endian
	Size     int64
	Sections []Section // sorted by offset; the sections of a fat file's slices, named "arm64:__TEXT,__text"

	BuildID       string           // of a fat file, the first slice's
	BuildInfo     *debug.BuildInfo // nil when there is none; of a fat file, the first slice's
	BuildInfoFrom string           // FromSection, FromScan, FromModInfo or ""
	Packed        string           // "UPX 3.94", or "UPX" when the version is not in the file
	PackedMethod  string           // "NRV2B level 9", "LZMA level 8"; "" when the packer's header is not found

	// PackMethod and PackLevel are the parts of PackedMethod: "NRV2B" and 9. UPX
	// calls level 10 --best.
	PackMethod string
	PackLevel  int

	Slices []*File // of a fat file, in file order

	in          input
	scanned     int64      // bytes searched so far
	textSegment [2]int64   // Mach-O: file offset and size of __TEXT
	execFlags   uint64     // Mach-O: what the linker's signature says of the file type
	peSymbols   [2]Section // PE: symbols and their names
	peBases     []uint64   // PE: addresses of the sections, in the order of the header
	closer      io.Closer
}

// NotGoError says that a file is no Go binary.
type NotGoError struct {
	Path   string // "" when the file has no name
	Format Format // "" when the format is not known either
}

func (e *NotGoError) Error() string {
	s := "not a Go binary"
	if e.Format == "" {
		s += ": unknown file format"
	} else {
		s += ": " + string(e.Format) + " file without Go build ID, build information, function table, or a section of Go's linker"
	}
	return withPath(e.Path, s)
}

// Hint says what to do about it.
func (e *NotGoError) Hint() string {
	return "name an executable that `go build` wrote; archives and packed files must be unpacked first"
}

// FormatError says that a file of a known format breaks the rules of it, most
// often because it is truncated.
type FormatError struct {
	Path   string
	Format Format
	Reason string
}

func (e *FormatError) Error() string {
	return withPath(e.Path, fmt.Sprintf("malformed %s file: %s", e.Format, e.Reason))
}

// Hint says what to do about it.
func (e *FormatError) Hint() string {
	return "the file is damaged or incomplete; fetch or build it again"
}

func withPath(path, s string) string {
	if path == "" {
		return s
	}
	return path + ": " + s
}

// Open reads the binary at path. The file stays open until Close.
func Open(path string) (*File, error) { return open(path, Parse) }

// open reads the file at path with a parser, whose errors get the path.
func open(path string, parse func(r io.ReaderAt, size int64) (*File, error)) (*File, error) {
	fd, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := fd.Stat()
	if err != nil {
		return nil, errors.Join(err, fd.Close())
	}
	f, err := parse(fd, st.Size())
	if err != nil {
		if e, ok := errors.AsType[*NotGoError](err); ok {
			e.Path = path
		} else if e, ok := errors.AsType[*FormatError](err); ok {
			e.Path = path
		} else {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return nil, errors.Join(err, fd.Close())
	}
	f.closer = fd
	return f, nil
}

// Close closes a file that came from [Open] or [OpenStatic].
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Parse reads the binary of size bytes behind r, which the File keeps using. It
// returns a *[NotGoError] for anything that is no Go binary and a *[FormatError]
// for one that is damaged.
func Parse(r io.ReaderAt, size int64) (*File, error) {
	return parse(input{r: r, size: size}, true)
}

func parse(in input, fatAllowed bool) (*File, error) {
	f := &File{Size: in.size, in: in}
	magic := make([]byte, 8)
	if in.size < int64(len(magic)) {
		return nil, &NotGoError{}
	}
	if err := in.readAt(magic, 0); err != nil {
		return nil, err
	}
	format, read := recognise(magic)
	if read == nil || format == FatMachO && !(fatAllowed && isFat(magic)) {
		return nil, &NotGoError{}
	}
	f.Format = format
	if err := read(f); err != nil {
		return nil, f.typed(err)
	}
	if f.Format == FatMachO {
		return f, nil
	}
	if err := f.identify(); err != nil {
		return nil, f.typed(err)
	}
	return f, nil
}

// format is all that is known of one at first sight.
type format struct {
	name   Format
	begins []string // one of these is how a file begins
	read   func(*File) error
}

func formats() []format {
	return []format{
		{ELF, []string{"\x7fELF"}, (*File).readELF},
		{PE, []string{"MZ"}, (*File).readPE},
		{Wasm, []string{"\x00asm"}, (*File).readWasm},
		{MachO, []string{"\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe"}, (*File).readMachO},
		{FatMachO, []string{"\xca\xfe\xba\xbe", "\xca\xfe\xba\xbf"}, (*File).readFat},
		{XCOFF, []string{"\x01\xdf", "\x01\xf7"}, (*File).readXCOFF},
		{Plan9, []string{"\x00\x00\x8a\x97", "\x00\x00\x06\x47", "\x00\x00\x01\xeb"}, (*File).readPlan9},
	}
}

// FormatOf is the format of a file that begins so, as far as its first eight bytes
// tell; "" is none. A Java class begins as a universal binary does.
func FormatOf(head []byte) Format {
	f, _ := recognise(head)
	return f
}

func recognise(head []byte) (Format, func(*File) error) {
	for _, f := range formats() {
		if slices.ContainsFunc(f.begins, func(b string) bool { return bytes.HasPrefix(head, []byte(b)) }) {
			return f.name, f.read
		}
	}
	return "", nil
}

// typed turns the errors of the format readers into the exported types.
func (f *File) typed(err error) error {
	if e, ok := errors.AsType[malformed](err); ok {
		return &FormatError{Format: f.Format, Reason: string(e)}
	}
	return err
}

// identify finds build ID, build information and packer once the sections are known.
func (f *File) identify() error {
	if err := f.findBuildID(); err != nil {
		return err
	}
	if err := f.findBuildInfo(); err != nil {
		return err
	}
	// A packed file may show some of it all the same: UPX 5 keeps the notes of an
	// ELF file, the build ID among them, and what does not compress stays as it
	// is, even the text of the build information. But it has no section of its
	// own, and a PE file has UPX's.
	named := slices.ContainsFunc(f.Sections, func(s Section) bool { return s.Name != "" && s.Name[0] != '(' })
	found := f.BuildInfo != nil || f.BuildID != ""
	if f.BuildInfoFrom == FromSection || found && f.Format != PE && (f.Format != ELF || named) {
		f.sortSections()
		return nil
	}
	if err := f.findPacker(); err != nil {
		return err
	}
	if f.Packed != "" {
		f.BuildInfo, f.BuildInfoFrom = nil, ""
	} else if found {
		f.sortSections()
		return nil
	}
	if f.Packed == "" {
		_, err := f.PCLNTab()
		if _, unknown := errors.AsType[*UnknownTableError](err); err != nil && !unknown {
			if errors.Is(err, ErrNoPCLNTab) {
				return &NotGoError{Format: f.Format}
			}
			return err
		}
	}
	f.sortSections()
	return nil
}

// BuildIDParts returns the four parts of the build ID: the action ID of the
// link, the action ID and the content ID of package main, and the content ID of
// the link ([BuildIDPartNames]; cmd/go/internal/work/buildid.go explains them).
// Parts the build ID does not have are empty.
func (f *File) BuildIDParts() [4]string {
	var parts [4]string
	if s := strings.Split(f.BuildID, "/"); len(s) == 4 {
		copy(parts[:], s)
	}
	return parts
}

// BuildIDPartNames returns the names of what [File.BuildIDParts] returns.
func BuildIDPartNames() [4]string {
	return [4]string{"linkAction", "mainAction", "mainContent", "linkContent"}
}

// Section returns the first section of that name, or nil.
func (f *File) Section(name string) *Section {
	for i := range f.Sections {
		if f.Sections[i].Name == name {
			return &f.Sections[i]
		}
	}
	return nil
}

// Reader returns a reader of the bytes of s in the file.
func (f *File) Reader(s Section) *io.SectionReader {
	return io.NewSectionReader(f.in.r, f.in.base+s.Offset, s.Size)
}
