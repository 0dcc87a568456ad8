package sizes

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin"
)

// Of what a carved binary keeps: enough of each kind to be read in every way, and
// little enough for hundreds of analyses a second.
const (
	keptFunctions = 60
	keptTypes     = 40
	keptNames     = 8 << 10 // bytes of function names, and of file names
)

// carve returns a binary with little in it: of its functions, types and names the
// first ones, and in ELF files also no more bytes than these have.
func carve(t testing.TB, b []byte) []byte {
	t.Helper()
	b = bytes.Clone(b)
	f, err := gobin.Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.PCLNTab()
	if err != nil {
		t.Fatal(err)
	}
	m := newImage(f, bytes.Clone(b))
	m.version()
	m.relocate()
	if err := m.readFunctions(); err != nil || m.mod == nil || p.NumFuncs < 2*keptFunctions {
		t.Fatalf("%d functions, or no module data: %v", p.NumFuncs, err)
	}
	end, gofunc := m.compact(b, p)
	word := func(i int, v uint64) {
		if off, ok := m.at(m.mod.addr+uint64(i)*m.ptr, m.ptr); ok && i >= 0 {
			m.putWord(b[off:], v)
		}
	}
	for _, l := range layouts() {
		if m.minor < l.from || m.minor > l.to {
			continue
		}
		if l.typelinks >= 0 {
			for i, n := range map[int]uint64{l.typelinks: min(keptTypes, m.mod.ntypelinks), l.itablinks: min(4, m.mod.nitablinks)} {
				word(i+1, n)
				word(i+2, n)
			}
		}
		word(l.gofunc, gofunc)
		if l.typeDescLen >= 0 {
			word(l.typeDescLen, min(keptTypes*64, m.mod.typeDescLen))
		}
	}
	if f.Format != gobin.ELF {
		return b
	}
	// From the end on, so that what comes before stays where it is.
	holes := [][2]int64{{end, p.Offset + p.Size}, {m.fn.text.Offset + int64(m.fn.start[keptFunctions]), m.fn.text.Offset + m.fn.text.Size}}
	slices.SortFunc(holes, func(x, y [2]int64) int { return cmp.Compare(y[0], x[0]) })
	for _, h := range holes {
		b = cutELF(b, m.ptr, h[0], h[1])
	}
	return b
}

// compact rewrites the pclntab in b with keptFunctions functions, and says where
// it ends now. Each part is the beginning of what it was, so that offsets hold.
// gofunc is where the funcdata are: since Go 1.26 behind the table, in its section.
func (m *image) compact(b []byte, p *gobin.PCLNTab) (end int64, gofunc uint64) {
	old := m.b[p.Offset : p.Offset+p.Size]
	out := bytes.Clone(old[:p.FuncNames-p.Offset]) // the module data points behind it
	part := func(field int, from, to, most int64) {
		m.putWord(out[8+field*int(m.ptr):], uint64(len(out)))
		out = append(out, old[from-p.Offset:min(to, from+most)-p.Offset]...)
		out = append(out, make([]byte, -len(out)&7)...)
	}
	m.putWord(out[8:], keptFunctions)
	part(3, p.FuncNames, p.CUs, keptNames)
	part(4, p.CUs, p.FileNames, keptNames)
	part(5, p.FileNames, p.PCTables, keptNames)
	part(6, p.PCTables, p.Funcs, 4*keptNames)
	m.putWord(out[8+7*int(m.ptr):], uint64(len(out)))
	funcs := old[p.Funcs-p.Offset:]
	first, last := m.order.Uint32(funcs[4:]), m.order.Uint32(funcs[8*keptFunctions+4:])
	table := bytes.Clone(funcs[:8*keptFunctions+8])
	for i := range keptFunctions {
		at := table[8*i+4:]
		m.order.PutUint32(at, m.order.Uint32(at)-first+uint32(len(table)))
	}
	out = append(append(out, table...), funcs[first:last]...)
	out = append(out, make([]byte, 64+(-len(out)&7))...) // the last record's variable part
	gofunc = m.mod.gofunc
	if off, ok := m.at(gofunc, 1); ok && off >= p.Funcs && off < p.Offset+p.Size {
		gofunc, _ = m.addr(p.Offset)
		gofunc += uint64(len(out))
		out = append(out, old[off-p.Offset:min(p.Size, off-p.Offset+keptNames)]...)
	}
	return p.Offset + int64(copy(b[p.Offset:p.Offset+p.Size], out)), gofunc
}

// cutELF removes bytes, all of one section and its last ones.
func cutELF(b []byte, ptr uint64, from, to int64) []byte {
	type layout struct{ phoff, shoff, sizes, poffset, pfilesz, soffset, ssize int }
	l := layout{32, 40, 54, 8, 32, 24, 32}
	if ptr == 4 {
		l = layout{28, 32, 42, 4, 16, 16, 20}
	}
	get := func(at int) int64 {
		if ptr == 4 {
			return int64(binary.LittleEndian.Uint32(b[at:]))
		}
		return int64(binary.LittleEndian.Uint64(b[at:]))
	}
	put := func(at int, v int64) {
		if ptr == 4 {
			binary.LittleEndian.PutUint32(b[at:], uint32(v))
		} else {
			binary.LittleEndian.PutUint64(b[at:], uint64(v))
		}
	}
	half := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	each := func(table int64, size, n, offset, length int) {
		for i := range n {
			at := int(table) + i*size
			switch off, n := get(at+offset), get(at+length); {
			case off >= to:
				put(at+offset, off-(to-from))
			case off <= from && off+n >= to:
				put(at+length, n-(to-from))
			}
		}
	}
	each(get(l.phoff), half(l.sizes), half(l.sizes+2), l.poffset, l.pfilesz)
	each(get(l.shoff), half(l.sizes+4), half(l.sizes+6), l.soffset, l.ssize)
	if at := get(l.shoff); at >= to {
		put(l.shoff, at-(to-from))
	}
	return slices.Delete(b, int(from), int(to))
}

// TestCarve: what fuzzing begins with is small, and read to the end.
func TestCarve(t *testing.T) {
	for _, c := range fuzzed {
		whole, err := os.ReadFile(program(t, "small", c))
		if err != nil {
			t.Fatal(err)
		}
		b := carve(t, whole)
		l, err := analyze(t.Context(), "carved", b, Options{})
		if err != nil {
			t.Errorf("%v: %v", c, err)
			continue
		}
		kinds := map[Kind]int64{}
		for _, r := range l.Ranges {
			kinds[r.Kind] += r.Size
		}
		for _, k := range []Kind{Text, FuncRecord, FuncName, PCTable, TypeDesc, ModuleData} {
			if kinds[k] == 0 {
				t.Errorf("%v: nothing of the kind %v is left: %v, %q", c, k, kinds, l.Notes)
			}
		}
		if strings.HasPrefix(c.platform, "linux/") && len(b) > len(whole)/2 {
			t.Errorf("%v: %d bytes of %d", c, len(b), len(whole))
		}
	}
}
