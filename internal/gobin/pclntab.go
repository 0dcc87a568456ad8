package gobin

import (
	"bytes"
	"errors"
)

// ErrNoPCLNTab says that no pclntab of Go 1.18 or later was found.
var ErrNoPCLNTab = errors.New("no pclntab of go 1.18 or later")

// PCLNTab is the header of Go's table of functions, files and lines
// (cmd/link/internal/ld/pcln.go, runtime/symtab.go). Offsets are from the start
// of the file.
type PCLNTab struct {
	Offset    int64
	Size      int64 // up to the end of its section when the format gives it none of its own
	MinPC     int   // instruction size quantum
	NumFuncs  int64
	NumFiles  int64
	FuncNames int64 // offset of the function names
	CUs       int64 // offset of the table of compilation units
	FileNames int64 // offset of the file names
	PCTables  int64 // offset of the pc-value tables; the end of the file names
	Funcs     int64 // offset of the function table

	in         input
	textStart  uint64 // address the entries count from; 0 since Go 1.26 and in PIE
	startLines bool   // Go 1.20 and later
}

// PCLNTab finds and checks the header of the pclntab. A fat file has none of
// its own: ask its slices. Where there is none that can be read the error is
// [ErrNoPCLNTab], and an *[UnknownTableError] if Go's linker wrote the file.
func (f *File) PCLNTab() (*PCLNTab, error) {
	for _, s := range f.Sections {
		if s.Kind == KindPCLNTab {
			if t, err := f.pclntabAt(s.Offset, s.Size); t != nil || err != nil {
				return t, err
			}
		}
	}
	// PE, wasm and files without section headers have it somewhere in their data.
	for _, s := range f.Sections {
		if s.Kind != KindROData && s.Kind != KindData && s.Kind != KindCode || s.Nested {
			continue
		}
		for _, magic := range []uint32{0xfffffff1, 0xfffffff0} {
			b := make([]byte, 6) // two zero bytes follow the magic
			f.order().PutUint32(b, magic)
			var t *PCLNTab
			err := f.try(s.Offset, s.Size, string(b), maxSmallTries, func(o int64) (done bool, err error) {
				t, err = f.pclntabAt(o, s.Offset+s.Size-o)
				return t != nil, err
			})
			if t != nil || err != nil {
				return t, err
			}
		}
	}
	return nil, f.unknownTable()
}

// pclntabAt reads the header at off; nil when there is none.
func (f *File) pclntabAt(off, size int64) (*PCLNTab, error) {
	if !f.in.has(off, 4) || size < 4 {
		return nil, nil
	}
	b, err := f.in.bytes(off, 4)
	if err != nil {
		return nil, err
	}
	// 0xfffffff0 is Go 1.18's, 0xfffffff1 Go 1.20's; the header is the same.
	if magic := f.order().Uint32(b); magic != 0xfffffff0 && magic != 0xfffffff1 {
		return nil, nil
	}
	return f.headerAt(off, size)
}

// headerAt is pclntabAt for a header with any magic.
func (f *File) headerAt(off, size int64) (*PCLNTab, error) {
	const head = 8
	need := int64(head + 8*f.PtrSize)
	if f.PtrSize == 0 || size < need || !f.in.has(off, need) {
		return nil, nil
	}
	b, err := f.in.bytes(off, need)
	if err != nil {
		return nil, err
	}
	magic := f.order().Uint32(b)
	if b[4] != 0 || b[5] != 0 ||
		b[6] != 1 && b[6] != 2 && b[6] != 4 || int(b[7]) != f.PtrSize {
		return nil, nil
	}
	field := func(i int) int64 { return offset(f.Word(b[head+i*f.PtrSize:])) }
	t := &PCLNTab{
		Offset: off, Size: size, MinPC: int(b[6]), in: f.in,
		NumFuncs: field(0), NumFiles: field(1), textStart: f.Word(b[head+2*f.PtrSize:]), startLines: magic == 0xfffffff1,
		FuncNames: off + field(3), CUs: off + field(4), FileNames: off + field(5), PCTables: off + field(6), Funcs: off + field(7),
	}
	last := off + need
	for _, o := range []int64{t.FuncNames, t.CUs, t.FileNames, t.PCTables, t.Funcs} {
		if o < last || o > off+size {
			return nil, nil
		}
		last = o
	}
	if t.NumFuncs > size || t.NumFiles > size {
		return nil, nil
	}
	return t, nil
}

// Files returns the names of the source files in the order of the table:
// "fmt/print.go" or "/usr/local/go/src/fmt/print.go".
func (t *PCLNTab) Files() ([]string, error) {
	n := t.PCTables - t.FileNames
	if n > maxFileTable {
		return nil, malformedf("file table of %d bytes", n)
	}
	b, err := t.in.bytes(t.FileNames, n)
	if err != nil {
		return nil, err
	}
	var files []string
	for len(b) > 0 {
		name, rest, _ := bytes.Cut(b, []byte{0})
		if len(name) > 0 {
			files = append(files, string(name))
		}
		b = rest
	}
	return files, nil
}
