package gobin

import (
	"io"
	"strings"
	"testing"
)

// TestSymbols finds the text of a variable that -X has set.
func TestSymbols(t *testing.T) {
	for _, p := range platforms {
		if p.format != ELF && p.format != MachO && p.format != PE {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			f := mustParse(t, fixture(t, p.name, "-ldflags=-X main.value=the-value"))
			got := ""
			err := f.Symbols(func(name []byte, addr uint64) bool {
				if string(name) != "main.value.str" {
					return true
				}
				s, off := f.At(addr)
				if s == nil {
					t.Fatalf("%#x is in no section", addr)
				}
				b, err := io.ReadAll(io.LimitReader(f.Reader(Section{Offset: off, Size: s.Offset + s.Size - off}), 32))
				if err != nil {
					t.Fatal(err)
				}
				got, _, _ = strings.Cut(string(b), "\x00")
				return false
			})
			if err != nil || got != "the-value" {
				t.Errorf("%q, %v", got, err)
			}
			n := 0
			if err := mustParse(t, fixture(t, p.name, "-ldflags=-s -w")).Symbols(func([]byte, uint64) bool { n++; return true }); err != nil || n > 64 {
				t.Errorf("%d symbols in a stripped file, %v", n, err) // PE and Mach-O keep those of imports
			}
		})
	}
}
