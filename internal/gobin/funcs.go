package gobin

import (
	"bytes"
	"encoding/binary"
	"sort"
)

// Limits of the function table.
const (
	maxFuncTail = 64 << 10 // what the record of the last function may take
	nameBudget  = 4        // bytes of names read, in sizes of the table: records may share names
)

// FuncTable is the function table of a pclntab, held in memory as it is in the
// file: it takes as much memory as the table takes in the file.
type FuncTable struct {
	b     []byte // from the start of the pclntab
	order binary.ByteOrder
	tab   PCLNTab // offsets from the start of b
	n     int
	start bool             // records have a start line: Go 1.20 and later
	names int              // bytes of names read so far
	files map[int64]string // names of files read so far, by number

	text Section // what the entries count from; Size 0 when that was not found
}

// Func is one function. Its byte slices are parts of the table.
type Func struct {
	Name      []byte
	Entry     uint32 // bytes from the start of the text
	Size      uint32 // bytes up to the next function, padding included
	StartLine int32  // of the func keyword; 0 before Go 1.20

	// The rest of the record: argument size, offset of deferreturn, ID, flags and
	// numbers of tables.
	Shape [4]uint32
	// Offsets of the tables for stack depth, file and line, for FuncTable.Steps.
	PCSP, PCFile, PCLine uint32
	cu                   uint32
}

// Functions reads the function table. It fails with [ErrNoPCLNTab] for wasm,
// whose linker leaves out zeros between the pieces of its data.
func (f *File) Functions() (*FuncTable, error) {
	if f.Format == Wasm {
		return nil, ErrNoPCLNTab
	}
	p, err := f.PCLNTab()
	if err != nil {
		return nil, err
	}
	end := p.Offset + p.Size
	if p.NumFuncs < 1 || p.NumFuncs > (end-p.Funcs)/48 {
		return nil, malformedf("pclntab of %d functions in %d bytes", p.NumFuncs, end-p.Funcs)
	}
	// The last entry says where its record is; nothing is needed after that.
	last, err := f.in.bytes(p.Funcs+8*(p.NumFuncs-1), 12)
	if err != nil {
		return nil, err
	}
	size := min(p.Size, p.Funcs-p.Offset+int64(f.order().Uint32(last[4:]))+maxFuncTail)
	t := &FuncTable{order: f.order(), tab: *p, n: int(p.NumFuncs), start: p.startLines}
	if t.b, err = f.in.bytes(p.Offset, size); err != nil {
		return nil, err
	}
	for _, o := range []*int64{&t.tab.FuncNames, &t.tab.CUs, &t.tab.FileNames, &t.tab.PCTables, &t.tab.Funcs} {
		*o -= p.Offset
	}
	// The linker writes entries and records in order; what is not in order could
	// make a small file describe any amount of code.
	entry, record := int64(-1), int64(8*p.NumFuncs)
	for i := range t.n {
		e, r := int64(t.entry(i)), int64(t.order.Uint32(t.b[t.tab.Funcs+8*int64(i)+4:]))
		if e < entry || r < record || t.tab.Funcs+r+44 > int64(len(t.b)) {
			return nil, malformedf("function %d of the pclntab is out of order", i)
		}
		entry, record = e, r+40
	}
	if int64(t.entry(t.n)) < entry {
		return nil, malformed("text ends before its last function")
	}
	return t, f.findText(t, p)
}

// entry returns where function i starts; i may be the number of functions.
func (t *FuncTable) entry(i int) uint32 { return t.order.Uint32(t.b[t.tab.Funcs+8*int64(i):]) }

// Entry returns where function i starts, without reading the rest of it.
func (t *FuncTable) Entry(i int) uint32 { return t.entry(i) }

// SameName reports whether function i of t and function j of u have one name.
func (t *FuncTable) SameName(i int, u *FuncTable, j int) bool {
	rest := func(t *FuncTable, i int) []byte {
		record := t.tab.Funcs + int64(t.order.Uint32(t.b[t.tab.Funcs+8*int64(i)+4:]))
		at := t.tab.FuncNames + int64(t.order.Uint32(t.b[record+4:]))
		if at < 0 || at >= t.tab.CUs {
			return nil
		}
		return t.b[at:t.tab.CUs]
	}
	x, y := rest(t, i), rest(u, j)
	const most = 4096 // of a name; hostile names are longer
	for k := range min(len(x), len(y), most) {
		if x[k] != y[k] {
			return false
		}
		if x[k] == 0 {
			return true
		}
	}
	return false
}

// Len is the number of functions.
func (t *FuncTable) Len() int { return t.n }

// Func returns function i.
func (t *FuncTable) Func(i int) (Func, error) {
	b := t.b[t.tab.Funcs+int64(t.order.Uint32(t.b[t.tab.Funcs+8*int64(i)+4:])):]
	u := func(at int) uint32 { return t.order.Uint32(b[at:]) }
	f := Func{
		Entry: t.entry(i), Size: t.entry(i+1) - t.entry(i),
		PCSP: u(16), PCFile: u(20), PCLine: u(24), cu: u(32),
		Shape: [4]uint32{u(8), u(12), u(28), 0},
	}
	if t.start {
		f.StartLine, f.Shape[3] = int32(u(36)), u(40)
	} else {
		f.Shape[3] = u(36)
	}
	name, err := t.text0(t.tab.FuncNames+int64(u(4)), t.tab.CUs)
	f.Name = name
	return f, err
}

// text0 returns the text from off up to its NUL, which must be before end.
func (t *FuncTable) text0(off, end int64) ([]byte, error) {
	if off < 0 || off >= end {
		return nil, malformed("name outside the names of the pclntab")
	}
	n := bytes.IndexByte(t.b[off:end], 0)
	if n < 0 {
		return nil, malformed("name without an end in the pclntab")
	}
	if t.names += n; t.names > nameBudget*len(t.b)+1<<16 {
		return nil, malformed("names of the pclntab overlap")
	}
	return t.b[off : off+int64(n) : off+int64(n)], nil
}

// At returns the number of the function that holds an offset from the start of
// the text, or -1.
func (t *FuncTable) At(off uint32) int {
	if off < t.entry(0) || off >= t.entry(t.n) {
		return -1
	}
	return sort.Search(t.n, func(i int) bool { return t.entry(i) > off }) - 1
}

// Steps returns the table at an offset ([Func.PCLine] and the like) as it is
// stored: pairs of value and pc differences, both independent of addresses. It
// is nil when there is none or it is damaged.
func (t *FuncTable) Steps(off uint32) []byte {
	b := t.b[t.tab.PCTables:t.tab.Funcs]
	if off == 0 || int64(off) >= int64(len(b)) {
		return nil
	}
	b = b[off:]
	for at, first := 0, true; ; first = false {
		v, n := binary.Uvarint(b[at:])
		if n <= 0 {
			return nil
		}
		at += n
		if v == 0 && !first {
			return b[:at]
		}
		if _, n = binary.Uvarint(b[at:]); n <= 0 {
			return nil
		}
		at += n
	}
}

// File returns the name of the file in which a function starts, or "".
func (t *FuncTable) File(f Func) string {
	b := t.b[t.tab.PCTables:t.tab.Funcs]
	if int64(f.PCFile) >= int64(len(b)) {
		return ""
	}
	v, n := binary.Uvarint(b[f.PCFile:])
	if n <= 0 {
		return ""
	}
	if v > 1<<32 {
		return ""
	}
	// Zigzag from the start value -1.
	index := int64(v>>1) - 1
	if v&1 != 0 {
		index = ^int64(v>>1) - 1
	}
	return t.fileName(f, int32(index))
}

// fileName returns the file of that number of a function's compilation unit, or "".
func (t *FuncTable) fileName(f Func, index int32) string {
	i := int64(f.cu) + int64(index)
	at := t.tab.CUs + 4*i
	if i < 0 || at+4 > t.tab.FileNames {
		return ""
	}
	if name, ok := t.files[i]; ok {
		return name
	}
	text, err := t.text0(t.tab.FileNames+int64(t.order.Uint32(t.b[at:])), t.tab.PCTables)
	if err != nil {
		return ""
	}
	if t.files == nil {
		t.files = map[int64]string{}
	}
	name := string(text)
	t.files[i] = name
	return name
}

// EachLine calls found for each stretch of a function's code that comes from one
// line of one file, in the order of the code, with where it starts from the start
// of the function. Inlined code has the file and line it was written in. It stops
// at damage.
func (t *FuncTable) EachLine(f Func, found func(pc uint32, file string, line int32)) {
	files, lines := t.values(f.PCFile), t.values(f.PCLine)
	name, known := "", int32(-1)
	for i, j := 0, 0; i < len(files) && j < len(lines); {
		if v := files[i].value; v != known || i == 0 && j == 0 {
			name, known = t.fileName(f, v), v
		}
		start := uint32(0)
		if i > 0 {
			start = files[i-1].end
		}
		if j > 0 {
			start = max(start, lines[j-1].end)
		}
		found(start, name, lines[j].value)
		a, b := files[i].end, lines[j].end
		if a <= b {
			i++
		}
		if b <= a {
			j++
		}
	}
}

// step is a value of a table up to the pc at which the next begins, which counts
// in the smallest instructions of the machine.
type step struct {
	value int32
	end   uint32
}

// values decodes the table at an offset (cmd/link's pcln: zigzag differences of
// the value, which starts at -1, and differences of the pc).
func (t *FuncTable) values(off uint32) (out []step) {
	b := t.Steps(off)
	value, pc := int32(-1), uint32(0)
	for first := true; ; first = false {
		v, n := binary.Uvarint(b)
		if n <= 0 || v == 0 && !first {
			return out
		}
		b = b[n:]
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return out
		}
		b = b[n:]
		value += int32(uint32(v)>>1) ^ -int32(uint32(v)&1)
		pc += uint32(d)
		out = append(out, step{value, pc})
	}
}

// Text returns where in the file the code is that the entries count from, and
// its address. Its size is 0 when that was not found.
func (t *FuncTable) Text() Section { return t.text }

// findText finds the start of the text: in the header up to Go 1.25, in the
// module data since, and else, in files without such pointers (PIE), at the
// start of the section of the code if the code fills it.
func (f *File) findText(t *FuncTable, p *PCLNTab) error {
	if p.textStart != 0 && f.setText(t, p.textStart) {
		return nil
	}
	addr, ok := f.addrOf(p.Offset)
	if ok {
		needle := make([]byte, 2*f.PtrSize) // module data: pcHeader, then funcnametab
		f.putWord(needle, addr)
		f.putWord(needle[f.PtrSize:], addr+uint64(p.FuncNames-p.Offset))
		const textAt = 22 // in words
		for _, s := range f.Sections {
			if s.Kind != KindData && s.Kind != KindROData || s.Nested || s.Size < int64(23*f.PtrSize) {
				continue
			}
			found := false
			err := f.try(s.Offset, s.Size, string(needle), maxBigTries, func(o int64) (bool, error) {
				b, err := f.in.bytes(o+int64(textAt*f.PtrSize), int64(f.PtrSize))
				if err != nil {
					return false, nil
				}
				found = f.setText(t, f.Word(b))
				return found, nil
			})
			if found || err != nil {
				return err
			}
		}
	}
	for _, s := range f.Sections {
		if n := int64(t.entry(t.n)); s.Kind == KindCode && !s.Nested && n <= s.Size && s.Size-n < 4096 {
			f.setText(t, s.Addr)
			return nil
		}
	}
	return nil
}

// setText takes an address as the start of the text if all the code is there.
func (f *File) setText(t *FuncTable, addr uint64) bool {
	n := int64(t.entry(t.n))
	for _, s := range f.Sections {
		if s.Kind != KindCode || s.Nested || addr < s.Addr || addr-s.Addr >= uint64(s.Size) {
			continue
		}
		if off := int64(addr - s.Addr); n <= s.Size-off {
			t.text = Section{Name: s.Name, Kind: KindCode, Offset: s.Offset + off, Size: n, Addr: addr}
			return true
		}
	}
	return false
}

func (f *File) putWord(b []byte, v uint64) {
	if f.PtrSize == 8 {
		f.order().PutUint64(b, v)
		return
	}
	f.order().PutUint32(b, uint32(v))
}

// addrOf returns the virtual address of an offset in the file.
func (f *File) addrOf(off int64) (uint64, bool) {
	for _, s := range f.Sections {
		if s.Addr != 0 && !s.Nested && off >= s.Offset && off < s.Offset+s.Size {
			return s.Addr + uint64(off-s.Offset), true
		}
	}
	return 0, false
}

// At returns the section that holds a virtual address, bss included as far as
// its size is known, and the offset in the file.
func (f *File) At(addr uint64) (s *Section, off int64) {
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Addr != 0 && !s.Nested && addr >= s.Addr && addr-s.Addr < uint64(s.Size) {
			return s, s.Offset + int64(addr-s.Addr)
		}
	}
	return nil, 0
}
