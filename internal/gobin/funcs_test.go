package gobin

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestFunctions reads the tables of all formats and finds main.main in them.
func TestFunctions(t *testing.T) {
	for _, p := range platforms {
		for _, args := range []string{"", "-s -w"} {
			t.Run(p.name+" "+args, func(t *testing.T) {
				f := mustParse(t, fixture(t, p.name, "-ldflags="+args))
				tab, err := f.Functions()
				if p.format == Wasm {
					if err != ErrNoPCLNTab {
						t.Error(err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for i := range tab.Len() {
					fn, err := tab.Func(i)
					if err != nil {
						t.Fatal(err)
					}
					names = append(names, string(fn.Name))
					if string(fn.Name) != "main.main" {
						continue
					}
					if file := tab.File(fn); file != "example.com/fixture/main.go" || fn.StartLine != 5 || fn.Size == 0 {
						t.Errorf("main.main of %d bytes at %s:%d", fn.Size, file, fn.StartLine)
					}
					if tab.At(fn.Entry) != i || tab.At(fn.Entry+fn.Size-1) != i || tab.At(fn.Entry+fn.Size) == i {
						t.Errorf("At(%d) = %d, want %d", fn.Entry, tab.At(fn.Entry), i)
					}
					if len(tab.Steps(fn.PCLine)) < 3 {
						t.Errorf("line table % x", tab.Steps(fn.PCLine))
					}
				}
				if int64(len(names)) != tab.tab.NumFuncs || !slices.Contains(names, "main.main") || !slices.Contains(names, "runtime.main") {
					t.Errorf("%d functions", len(names))
				}
				if tab.Text().Size == 0 && p.format != Plan9 { // its segments have no addresses in the file
					t.Error("no text")
				}
			})
		}
	}
}

// TestFunctionsHostile damages the table of a real file.
func TestFunctionsHostile(t *testing.T) {
	b := fixture(t, "linux/amd64")
	p, err := mustParse(t, b).PCLNTab()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		e := slices.Clone(b)
		// A word of the header, the index, the records or the tables.
		at := p.Offset + 8 + int64(i)*(p.Size-16)/500
		if i < 20 {
			at = p.Offset + 8 + int64(i)*4
		}
		binary.LittleEndian.PutUint32(e[at:], []uint32{0xffffffff, 0x7fffffff, 0, 1}[i%4])
		walk(mustParse(t, e))
	}
	// All records share one name: that is not worth reading.
	e := slices.Clone(b)
	tab, _ := mustParse(t, b).Functions()
	for i := range tab.Len() {
		at := p.Funcs + int64(binary.LittleEndian.Uint32(b[p.Funcs+8*int64(i)+4:]))
		binary.LittleEndian.PutUint32(e[at+4:], 0)
	}
	for i := p.FuncNames; i < p.CUs-1; i++ {
		e[i] = 'x'
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := walk(mustParse(t, e)); err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("shared names: %v", err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > uint64(4*len(b)) {
		t.Errorf("allocated %d for a file of %d bytes", n, len(b))
	}
}

// walk reads everything a function table can tell.
func walk(f *File) error {
	tab, err := f.Functions()
	if err != nil {
		return err
	}
	for i := range tab.Len() {
		fn, err := tab.Func(i)
		if err != nil {
			return err
		}
		tab.File(fn)
		for _, o := range []uint32{fn.PCSP, fn.PCFile, fn.PCLine} {
			tab.Steps(o)
		}
		if tab.At(fn.Entry) < 0 && fn.Size > 0 {
			return malformed("no function at its entry")
		}
	}
	return nil
}

func FuzzFunctions(f *testing.F) {
	b := make([]byte, 400)
	copy(b, "\xf1\xff\xff\xff\x00\x00\x01\x08")
	for i, v := range []uint64{1, 1, 0, 72, 80, 84, 90, 100} {
		binary.LittleEndian.PutUint64(b[8+8*i:], v)
	}
	copy(b[72:], "main.f\x00")
	copy(b[84:], "f.go\x00")
	copy(b[90:], "\x00\x02\x04\x02\x00")
	for i, v := range []uint32{0, 16, 10, 0, 0, 0, 0, 1, 1, 1, 0, 0, 7, 0, 0} {
		binary.LittleEndian.PutUint32(b[100+4*i:], v)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		file := &File{Format: ELF, PtrSize: 8, Size: int64(len(b)), in: input{r: bytes.NewReader(b), size: int64(len(b))}}
		file.Sections = []Section{{Name: ".gopclntab", Kind: KindPCLNTab, Size: int64(len(b)), Addr: 4096}}
		_ = walk(file) // must not panic
	})
}
