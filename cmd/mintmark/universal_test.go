package main

import (
	"bytes"
	"debug/macho"

	"github.com/rogpeppe/go-internal/testscript"
)

// slicesCmd FILE PROGRAM... holds a universal binary, as the standard library reads it,
// against the programs that are its slices.
func slicesCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: slices file program...")
	}
	data := []byte(ts.ReadFile(args[0]))
	fat, err := macho.NewFatFile(bytes.NewReader(data))
	ts.Check(err)
	if len(fat.Arches) != len(args)-1 {
		ts.Fatalf("%d slices, want %d", len(fat.Arches), len(args)-1)
	}
	for i, a := range fat.Arches {
		align := map[macho.Cpu]uint32{macho.CpuAmd64: 12, macho.CpuArm64: 14}[a.Cpu]
		if a.Align != align || a.Offset%(1<<align) != 0 {
			ts.Fatalf("slice %d for %v lies at %d, aligned to 2^%d; want 2^%d", i+1, a.Cpu, a.Offset, a.Align, align)
		}
		if part := data[a.Offset : a.Offset+a.Size]; string(part) != ts.ReadFile(args[i+1]) {
			ts.Fatalf("slice %d is not %s", i+1, args[i+1])
		}
	}
	if last := fat.Arches[len(fat.Arches)-1]; int(last.Offset+last.Size) != len(data) {
		ts.Fatalf("%d bytes behind the last slice", len(data)-int(last.Offset+last.Size))
	}
}
