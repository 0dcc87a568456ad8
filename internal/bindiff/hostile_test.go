package bindiff

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// TestTruncatedPairs cuts one of two real binaries at many places, and damages
// words of the tables of the other: never a panic, always a result.
func TestTruncatedPairs(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	w := newWorkshop(t)
	for _, platform := range []string{"linux/amd64", "darwin/arm64", "windows/amd64"} {
		read := func(v variant) []byte {
			b, err := os.ReadFile(w.build(t, platform, v))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		a, b := read(variant{args: trim}), read(variant{args: trim, files: edited("lib/lib.go", `"lib"`, `"longer"`)})
		try := func(x, y []byte) {
			d, err := compare(t.Context(), &side{path: "a", r: bytes.NewReader(x), size: int64(len(x))}, &side{path: "b", r: bytes.NewReader(y), size: int64(len(y))}, Known{})
			if err != nil || d.Equal {
				t.Fatalf("%s: %+v, %v", platform, d, err)
			}
		}
		for i := range 40 {
			try(a, b[:len(b)*i/40])
		}
		f, err := gobin.Parse(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		tab, err := f.PCLNTab()
		if err != nil {
			t.Fatal(err)
		}
		for i := range int64(60) {
			e := bytes.Clone(b)
			at := tab.Offset + 8 + 4*i // the header, then the function table
			if i >= 20 {
				at = tab.Funcs + (i-20)*(8*tab.NumFuncs)/40
			}
			binary.LittleEndian.PutUint32(e[at:], []uint32{0xffffffff, 0x7fffffff, 0, 1, 0x1000}[i%5])
			try(a, e)
		}
	}
}

// crafted makes an ELF file of the given size in which everything that is
// looked at is as large as it can be: a symbol table, texts, lines, and a
// pclntab of as many functions as fit.
func crafted(size int, seed byte) []byte {
	le := binary.LittleEndian
	part := size / 4
	names := "\x00.note.go.buildid\x00.gopclntab\x00.rodata\x00.symtab\x00.strtab\x00.shstrtab\x00.text\x00"
	at := func(s string) uint32 { return uint32(strings.Index(names, s)) }
	id := "aaaa/bbbb/cccc/ddd" + string('a'+rune(seed))
	note := le.AppendUint32(nil, 4)
	note = le.AppendUint32(note, uint32(len(id)))
	note = le.AppendUint32(note, 4)
	note = append(append(note, "Go\x00\x00"...), id...)
	note = append(note, make([]byte, -len(note)&3)...)

	// pclntab: 72 bytes of header, one name, one file, one line table; then an
	// index of 8 bytes and a record of 44 bytes a function.
	funcs := (part - 200) / 52
	tab := make([]byte, 72, part)
	copy(tab, "\xf1\xff\xff\xff\x00\x00\x01\x08")
	tab = append(tab, "main.f\x00\x00\x00\x00\x00\x00f.go\x00\x00\x00\x00\x02\x04\x02\x00\x00\x00\x00\x00"...)
	for i, v := range []uint64{uint64(funcs), 1, 0x10000, 72, 80, 84, 92, 100} {
		le.PutUint64(tab[8+8*i:], v)
	}
	for i := range funcs {
		tab = le.AppendUint32(tab, uint32(i))
		tab = le.AppendUint32(tab, uint32(8*funcs+8+44*i))
	}
	tab = le.AppendUint64(tab, uint64(funcs))
	for i := range funcs {
		rec := make([]byte, 44)
		le.PutUint32(rec, uint32(i))
		le.PutUint32(rec[24:], 1)
		le.PutUint32(rec[36:], uint32(i)+uint32(seed)) // another start line: every function changed
		tab = append(tab, rec...)
	}
	var texts []byte
	for i := 0; len(texts) < part; i++ {
		texts = append(texts, byte('a'+i%26), byte('a'+i/26%26), byte('a'+i/676%26), byte('a'+i/17576%26), byte('0'+seed), "\x00\n"[i&1])
	}
	symbols := make([]byte, 0, part)
	for i := 0; len(symbols) < part; i++ {
		s := make([]byte, 24)
		le.PutUint32(s, 1)
		le.PutUint64(s[8:], 0x400000+uint64(i)%uint64(part))
		symbols = append(symbols, s...)
	}
	strs := append([]byte("\x00a.b.str\x00"), make([]byte, 16)...)
	text := bytes.Repeat([]byte{0x90, seed}, part/2)

	out := make([]byte, 64)
	copy(out, "\x7fELF\x02\x01\x01")
	le.PutUint16(out[16:], 2)
	le.PutUint16(out[18:], 62)
	le.PutUint64(out[40:], 64)
	le.PutUint16(out[52:], 64)
	le.PutUint16(out[54:], 56)
	le.PutUint16(out[58:], 64)
	le.PutUint16(out[60:], 8)
	le.PutUint16(out[62:], 7)
	var body, table []byte
	table = append(table, make([]byte, 64)...)
	for _, s := range []struct {
		name  string
		typ   uint32
		flags uint64
		addr  uint64
		b     []byte
	}{
		{".note.go.buildid", 7, 2, 0, note}, {".gopclntab", 1, 2, 0x10000000, tab}, {".rodata", 1, 2, 0x400000, texts},
		{".symtab", 2, 0, 0, symbols}, {".strtab", 3, 0, 0, strs}, {".text", 1, 6, 0x10000, text}, {".shstrtab", 3, 0, 0, []byte(names)},
	} {
		h := make([]byte, 64)
		le.PutUint32(h, at(s.name))
		le.PutUint32(h[4:], s.typ)
		le.PutUint64(h[8:], s.flags)
		le.PutUint64(h[16:], s.addr)
		le.PutUint64(h[24:], uint64(64+8*64+len(body)))
		le.PutUint64(h[32:], uint64(len(s.b)))
		table, body = append(table, h...), append(body, s.b...)
	}
	return append(append(out, table...), body...)
}

// allocated counts all that f allocates, freed again or not: an upper bound of
// what it ever holds.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestMemory: all that is allocated for two crafted files, freed or not, stays
// under four times their size and 64 MiB.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("compares files of 32 MB")
	}
	const size = 32 << 20
	x, y := crafted(size, 0), crafted(size, 1)
	var d *Diff
	n := allocated(func() {
		var err error
		a, b := &side{path: "a", r: bytes.NewReader(x), size: int64(len(x))}, &side{path: "b", r: bytes.NewReader(y), size: int64(len(y))}
		if d, err = compare(t.Context(), a, b, Known{}); err != nil {
			t.Fatal(err)
		}
	})
	// The point of the file is that its tables were read.
	if !strings.Contains(strings.Join(evidenceOf(d, fact.CauseUnknown), "\n"), "package main: functions") {
		t.Errorf("the tables were not compared: %+v", d)
	}
	if most := uint64(4*(len(x)+len(y))/2 + 64<<20); n > most {
		t.Errorf("allocated %d MiB for files of %d MiB each, %d MiB are allowed", n>>20, len(x)>>20, most>>20)
	}
}

func FuzzTables(f *testing.F) {
	f.Add(crafted(1200, 0), crafted(1200, 1))
	f.Add(crafted(1200, 0), crafted(900, 1))
	f.Fuzz(func(t *testing.T, x, y []byte) {
		var r [2]*Diff
		for i, p := range [][2][]byte{{x, y}, {y, x}} {
			d, err := compare(t.Context(), &side{path: "a", r: bytes.NewReader(p[0]), size: int64(len(p[0]))}, &side{path: "b", r: bytes.NewReader(p[1]), size: int64(len(p[1]))}, Known{})
			if err != nil {
				t.Fatal(err)
			}
			r[i] = d
		}
		if r[0].Equal != bytes.Equal(x, y) || r[0].Equal != (len(r[0].Findings) == 0) || r[0].DifferentBytes != r[1].DifferentBytes {
			t.Errorf("%+v and %+v", r[0], r[1])
		}
	})
}
