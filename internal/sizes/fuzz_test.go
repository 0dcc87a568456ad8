package sizes

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin"
)

// try analyses bytes: no panic, the invariant holds, memory stays in proportion.
func try(t *testing.T, b []byte) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	l, err := analyze(t.Context(), "fuzz", b, Options{})
	runtime.ReadMemStats(&after)
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(64*len(b)+16<<20); got > limit {
		t.Fatalf("%d bytes allocated for a file of %d", got, len(b))
	}
	if err != nil {
		var not *gobin.NotGoError
		var bad *gobin.FormatError
		if !errors.As(err, &not) && !errors.As(err, &bad) && !errors.As(err, new(packedError)) {
			t.Fatalf("error %v", err)
		}
		return
	}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
	Summarize(l)
}

// fuzzed are the binaries that are mutated: of every format, pointer size and
// version of the tables.
var fuzzed = []build{
	{"local", "linux/amd64", true, ""},
	{"local", "linux/arm64", true, ""},
	{"local", "linux/386", false, ""},
	{"local", "darwin/arm64", true, ""},
	{"local", "windows/amd64", true, ""},
	{"go1.23.12", "linux/amd64", true, ""},
	{"go1.27.3", "linux/amd64", true, ""},
}

// FuzzAnalyze mutates carved binaries: patches are a place that is parsed, an
// offset from it, and a value, in groups of seven bytes.
func FuzzAnalyze(f *testing.F) {
	if testing.Short() {
		f.Skip("builds programs with the go command")
	}
	var files [][]byte
	var places [][]int64
	for _, p := range fuzzed {
		b, err := os.ReadFile(program(f, "small", p))
		if err != nil {
			f.Fatal(err)
		}
		b = carve(f, b)
		files = append(files, b)
		places = append(places, parsed(f, b))
	}
	patched(f, files, places)
}

// FuzzWasm is the same for a whole WebAssembly module: a size is before each of
// its parts, so that nothing can be taken away by itself.
func FuzzWasm(f *testing.F) {
	if testing.Short() {
		f.Skip("builds programs with the go command")
	}
	b, err := os.ReadFile(program(f, "small", build{"local", "wasip1/wasm", true, ""}))
	if err != nil {
		f.Fatal(err)
	}
	patched(f, [][]byte{b}, [][]int64{parsed(f, b)})
}

func patched(f *testing.F, files [][]byte, places [][]int64) {
	for i := range files {
		f.Add(byte(i), []byte{})
		for at := range byte(6) {
			f.Add(byte(i), []byte{at, 0, 16, 0xff, 0xff, 0xff, 0xff})
			f.Add(byte(i), []byte{at, 0, 8, 0, 0, 0, 0, at, 0, 40, 1, 0, 0, 0x80})
		}
	}
	f.Fuzz(func(t *testing.T, which byte, patches []byte) {
		n := int(which) % len(files)
		b := bytes.Clone(files[n])
		for k := 0; len(patches) >= 7 && k < 32; patches, k = patches[7:], k+1 {
			base := places[n][int(patches[0])%len(places[n])]
			at := base + int64(binary.BigEndian.Uint16(patches[1:]))
			if at+4 <= int64(len(b)) {
				copy(b[at:], patches[3:7])
			}
		}
		try(t, b)
	})
}

// parsed are offsets of what is parsed: headers, pclntab and its parts, module
// data, types.
func parsed(t testing.TB, b []byte) []int64 {
	out := []int64{0, int64(len(b)) / 2}
	f, err := gobin.Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Sections {
		out = append(out, s.Offset)
	}
	if p, err := f.PCLNTab(); err == nil {
		out = append(out, p.Offset, p.FuncNames, p.CUs, p.FileNames, p.PCTables, p.Funcs, p.Funcs+8*p.NumFuncs, p.Funcs+4*p.NumFuncs)
		m := newImage(f, bytes.Clone(b))
		m.version()
		if m.readFunctions() == nil && m.mod != nil {
			for _, a := range []uint64{m.mod.addr, m.mod.addr + 30*m.ptr, m.mod.types, m.mod.itablinks, m.mod.typelinks, m.mod.gofunc} {
				if off, ok := m.at(a, 1); ok {
					out = append(out, off)
				}
			}
		}
	}
	return out
}

// FuzzFile takes whole files.
func FuzzFile(f *testing.F) {
	f.Add([]byte("\x00asm\x01\x00\x00\x00"))
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, b []byte) { try(t, b) })
}

// FuzzRelocate: relocations of any bytes name no more places than the file has
// room for.
func FuzzRelocate(f *testing.F) {
	f.Add([]byte("\x11\x20\x10\x52\x00"))
	f.Add([]byte("\x00\x20\x00\x00\x00\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x10\x20\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, tables []byte) {
		const head = 0x200
		b := append(make([]byte, head), tables...)
		b[16] = 3                                            // ET_DYN; Mach-O: three commands
		binary.LittleEndian.PutUint32(b[0x3c:], 0x80)        // PE: where its header is
		binary.LittleEndian.PutUint32(b[32:], 0x19)          // LC_SEGMENT_64
		binary.LittleEndian.PutUint32(b[36:], 72)            // its size
		binary.LittleEndian.PutUint64(b[32+24:], 0x40000000) // its address
		for _, c := range []struct {
			format gobin.Format
			name   string
			ptr    int
		}{{gobin.ELF, ".rela.dyn", 8}, {gobin.ELF, ".rel.dyn", 4}, {gobin.ELF, ".relr.dyn", 8}, {gobin.PE, ".reloc", 8}, {gobin.MachO, "(rebase)", 8}} {
			m := newImage(&gobin.File{Format: c.format, Arch: "amd64", PtrSize: c.ptr, Sections: []gobin.Section{
				{Name: c.name, Kind: gobin.KindOther, Offset: head, Size: int64(len(tables))},
				{Name: ".data", Kind: gobin.KindData, Size: int64(len(b)), Addr: 0x2000},
			}}, bytes.Clone(b))
			m.relocate()
			if len(m.places) > len(b)/c.ptr || !slices.IsSorted(m.places) {
				t.Errorf("%s: %d places in %d bytes", c.name, len(m.places), len(b))
			}
		}
	})
}
