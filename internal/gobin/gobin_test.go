package gobin

import (
	"bytes"
	"debug/buildinfo"
	"encoding/binary"
	"errors"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin/gobintest"
)

func mustParse(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestAgainstStandardLibrary compares with what debug/buildinfo and
// `go tool buildid` read from real binaries.
func TestAgainstStandardLibrary(t *testing.T) {
	for _, p := range platforms {
		for _, strip := range []string{"", "-s -w"} {
			t.Run(p.name+" "+strip, func(t *testing.T) {
				path := onDisk(t, fixture(t, p.name, "-ldflags="+strip))
				f, err := Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				goarch := p.name[strings.Index(p.name, "/")+1:]
				if f.Format != p.format || f.Arch != goarch {
					t.Errorf("%s %s, want %s %s", f.Format, f.Arch, p.format, goarch)
				}
				wantID := strings.TrimSpace(goCommand(t, t.TempDir(), nil, "tool", "buildid", path))
				if f.BuildID != wantID || f.BuildIDParts()[3] == "" {
					t.Errorf("build ID %q, want %q", f.BuildID, wantID)
				}
				if p.format == Wasm {
					// debug/buildinfo does not read wasm at all.
					if f.BuildInfo == nil || f.BuildInfo.Path != "example.com/fixture" || f.BuildInfo.GoVersion != runtime.Version() || f.BuildInfoFrom != FromModInfo {
						t.Errorf("build info %v from %q", f.BuildInfo, f.BuildInfoFrom)
					}
					return
				}
				want, err := buildinfo.ReadFile(path)
				if p.format == XCOFF && strip != "" {
					// debug/buildinfo refuses a stripped XCOFF file; this package does not.
					want, err = mustParse(t, fixture(t, p.name, "-ldflags=")).BuildInfo, nil
				}
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(f.BuildInfo, want) || f.BuildInfoFrom != FromSection {
					t.Errorf("build info from %q:\n%v\nwant\n%v", f.BuildInfoFrom, f.BuildInfo, want)
				}
				tab, err := f.PCLNTab()
				if err != nil {
					t.Fatal(err)
				}
				files, err := tab.Files()
				if err != nil || int64(len(files)) != tab.NumFiles || !slices.Contains(files, "example.com/fixture/main.go") {
					t.Errorf("%d files of %d, %v", len(files), tab.NumFiles, err)
				}
			})
		}
	}
}

// TestSectionsCover checks that sections which are not nested do not overlap
// and leave only padding out.
func TestSectionsCover(t *testing.T) {
	for _, p := range platforms {
		t.Run(p.name, func(t *testing.T) {
			f := mustParse(t, fixture(t, p.name))
			var end, gaps int64
			for _, s := range f.Sections {
				if s.Nested || s.Size == 0 {
					continue
				}
				if s.Offset < end {
					t.Errorf("%s at %d overlaps the section before, which ends at %d", s.Name, s.Offset, end)
				}
				gaps += s.Offset - end
				end = s.Offset + s.Size
			}
			gaps += f.Size - end
			if gaps > 192<<10 { // three segments aligned to 64 KiB
				t.Errorf("%d of %d bytes in no section", gaps, f.Size)
			}
		})
	}
}

func TestFat(t *testing.T) {
	a, b := fixture(t, "darwin/amd64"), fixture(t, "darwin/arm64")
	fat := makeFat(a, b)
	f := mustParse(t, fat)
	if f.Format != FatMachO || len(f.Slices) != 2 || f.Slices[1].Arch != "arm64" || f.BuildID != f.Slices[0].BuildID || f.BuildID == "" {
		t.Fatalf("%s with %d slices", f.Format, len(f.Slices))
	}
	s := f.Section("arm64:__DATA,__go_buildinfo")
	if s == nil {
		t.Fatal("no section of the second slice")
	}
	got := make([]byte, 14)
	if _, err := f.Reader(*s).ReadAt(got, 0); err != nil || string(got) != buildInfoMagic {
		t.Errorf("%q, %v", got, err)
	}
	own := f.Slices[1].Section("__DATA,__go_buildinfo")
	if _, err := f.Slices[1].Reader(*own).ReadAt(got, 0); err != nil || string(got) != buildInfoMagic {
		t.Errorf("through the slice: %q, %v", got, err)
	}
	if _, err := f.Slices[1].PCLNTab(); err != nil {
		t.Error(err)
	}
	// Slices that overlap would let a small file be read many times.
	twice := makeFat(a, a)
	binary.BigEndian.PutUint32(twice[8+20+8:], binary.BigEndian.Uint32(twice[8+8:]))
	if _, err := Parse(bytes.NewReader(twice), int64(len(twice))); !isFormatError(err) {
		t.Errorf("overlapping slices: %v", err)
	}
}

// makeFat joins thin Mach-O files as lipo does.
func makeFat(slices ...[]byte) []byte {
	be := binary.BigEndian
	out := be.AppendUint32(nil, 0xcafebabe)
	out = be.AppendUint32(out, uint32(len(slices)))
	off := 16384
	for _, s := range slices {
		out = be.AppendUint32(out, binary.LittleEndian.Uint32(s[4:]))
		out = be.AppendUint32(out, binary.LittleEndian.Uint32(s[8:]))
		out = be.AppendUint32(out, uint32(off))
		out = be.AppendUint32(out, uint32(len(s)))
		out = be.AppendUint32(out, 14)
		off = (off + len(s) + 16383) &^ 16383
	}
	for _, s := range slices {
		out = append(out, make([]byte, -len(out)&16383)...)
		out = append(out, s...)
	}
	return out
}

// TestBuildInfoElsewhere damages what the section holds, step by step, as a
// linker without it or a hostile stripper would leave the file.
func TestBuildInfoElsewhere(t *testing.T) {
	b := slices.Clone(fixture(t, "linux/amd64"))
	want := mustParse(t, b)
	sec := want.Section(".go.buildinfo")

	// The section's name changed: the record is still found.
	renamed := bytes.Replace(b, []byte(".go.buildinfo\x00"), []byte(".xx.buildinfo\x00"), 1)
	if f := mustParse(t, renamed); !reflect.DeepEqual(f.BuildInfo, want.BuildInfo) {
		t.Errorf("renamed section: %v", f.BuildInfo)
	}
	// No section headers at all.
	headless := slices.Clone(b)
	clear(headless[0x28:0x30]) // e_shoff
	clear(headless[0x3c:0x40]) // e_shnum, e_shstrndx
	f := mustParse(t, headless)
	if !reflect.DeepEqual(f.BuildInfo, want.BuildInfo) || f.BuildID != want.BuildID {
		t.Errorf("no section headers: %q %v", f.BuildID, f.BuildInfo)
	}
	if _, err := f.PCLNTab(); err != nil {
		t.Errorf("no section headers: %v", err)
	}
	// The record is gone; runtime.modinfo remains.
	gone := slices.Clone(b)
	clear(gone[sec.Offset : sec.Offset+sec.Size])
	f = mustParse(t, gone)
	if f.BuildInfoFrom != FromModInfo || !reflect.DeepEqual(f.BuildInfo, want.BuildInfo) {
		t.Errorf("no record: from %q: %v", f.BuildInfoFrom, f.BuildInfo)
	}
}

// TestBuildInfoPointers: before Go 1.18 the record pointed to strings of the program.
func TestBuildInfoPointers(t *testing.T) {
	b := slices.Clone(fixture(t, "linux/amd64"))
	want := mustParse(t, b)
	sec := want.Section(".go.buildinfo")
	record := b[sec.Offset : sec.Offset+sec.Size]
	mod := bytes.Index(b[:sec.Offset], []byte(modInfoStart)) // runtime.modinfo
	modAddr, ok := want.addrOf(int64(mod))
	if !ok || mod < 0 {
		t.Fatal("no runtime.modinfo in front of the record")
	}
	length := bytes.Index(b[mod:], []byte(modInfoEnd)) + len(modInfoEnd)
	version := want.BuildInfo.GoVersion
	clear(record)
	copy(record, buildInfoMagic+"\x08\x00")
	copy(record[64:], version)
	for i, v := range []uint64{sec.Addr + 32, sec.Addr + 48, sec.Addr + 64, uint64(len(version)), modAddr, uint64(length)} {
		binary.LittleEndian.PutUint64(record[16+8*i:], v)
	}
	f := mustParse(t, b)
	if f.BuildInfoFrom != FromSection || !reflect.DeepEqual(f.BuildInfo, want.BuildInfo) {
		t.Errorf("from %q: %v", f.BuildInfoFrom, f.BuildInfo)
	}
	// The standard library reads the same.
	std, err := buildinfo.Read(bytes.NewReader(b))
	if err != nil || !reflect.DeepEqual(f.BuildInfo, std) {
		t.Errorf("the standard library reads %v (%v)", std, err)
	}
	for name, damage := range map[string]func(){
		"no such address": func() { binary.LittleEndian.PutUint64(record[16:], 1<<60) },
		"too long":        func() { binary.LittleEndian.PutUint64(record[40:], 1<<40) },
		"other width":     func() { record[14] = 4 },
	} {
		old := slices.Clone(record)
		damage()
		if f := mustParse(t, b); f.BuildInfoFrom == FromSection {
			t.Errorf("%s: %v", name, f.BuildInfo)
		}
		copy(record, old)
	}
}

func TestNotGo(t *testing.T) {
	minimal := gobintest.ELF("", "")
	for name, b := range map[string][]byte{
		"empty": nil, "text": []byte("#!/bin/sh\necho not a binary\n"), "zip": []byte("PK\x03\x04aaaaaaaaaaaaaaaaaaa"),
		"java class": []byte("\xca\xfe\xba\xbe\x00\x00\x00\x34aaaaaaaaaaaaaaa"), "elf without go": minimal,
	} {
		_, err := Parse(bytes.NewReader(b), int64(len(b)))
		e, ok := errors.AsType[*NotGoError](err)
		if !ok || e.Hint() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	path := onDisk(t, minimal)
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Open: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("Open of a directory succeeded")
	}
	if _, err := Open(path + "-missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestMinimal(t *testing.T) {
	f := mustParse(t, gobintest.ELF("aaa/bbb/ccc/ddd", "path\texample.com/x\nmod\texample.com/x\tv1.0.0\t\n"))
	if f.BuildIDParts() != [4]string{"aaa", "bbb", "ccc", "ddd"} || f.BuildInfo.Main.Version != "v1.0.0" {
		t.Errorf("%+v", f)
	}
	// -buildid=TEXT gives an ID that does not have the four parts.
	if f := mustParse(t, gobintest.ELF("redacted", "")); f.BuildIDParts() != [4]string{} || f.BuildID != "redacted" {
		t.Errorf("%+v", f.BuildIDParts())
	}
}

func TestUPX(t *testing.T) {
	b := gobintest.ELF("", "")
	clear(b[0x28:0x30])
	clear(b[0x3c:0x40])
	packed := append(slices.Clone(b), "\x00$Info: This file is packed with the UPX executable packer http://upx.sf.net $\n\x00$Id: UPX 3.94 Copyright (C) 1996-2017 the UPX Team. All Rights Reserved. $\n\x00UPX!\x00\x00"...)
	if f := mustParse(t, packed); f.Packed != "UPX 3.94" {
		t.Errorf("Packed = %q", f.Packed)
	}
	// A newer UPX keeps the note with the build ID, in a segment.
	kept := append([]byte(nil), packed...)
	noted := gobintest.ELF("aaa/bbb/ccc/ddd", "")
	at := bytes.Index(noted, []byte("Go\x00\x00aaa")) - 12
	note := noted[at : at+32]
	le := binary.LittleEndian
	le.PutUint64(kept[32:], uint64(len(kept))) // program headers
	le.PutUint16(kept[56:], 1)
	ph := make([]byte, 56)
	le.PutUint32(ph, 4) // PT_NOTE
	le.PutUint64(ph[8:], uint64(len(kept)+len(ph)))
	le.PutUint64(ph[32:], uint64(len(note)))
	kept = append(append(append(kept, ph...), note...), "UPX!\x00\x00"...)
	if f := mustParse(t, kept); f.Packed != "UPX 3.94" || f.BuildID != "aaa/bbb/ccc/ddd" {
		t.Errorf("Packed = %q, build ID %q", f.Packed, f.BuildID)
	}
	// The text of the build information may have survived; it is not to be relied on.
	raw := append(slices.Clone(packed), modInfoStart+"path\texample.com/x\nmod\texample.com/x\tv1.0.0\t\n"+modInfoEnd+"UPX!\x00\x00"...)
	if f := mustParse(t, raw); f.Packed != "UPX 3.94" || f.BuildInfo != nil || f.BuildInfoFrom != "" {
		t.Errorf("Packed = %q, %+v", f.Packed, f.BuildInfo)
	}
	// A Go program that knows the marks is not packed.
	knows := append(gobintest.ELF("a/b/c/d", ""), "$Id: UPX 3.94 Copyright UPX!"...)
	if f := mustParse(t, knows); f.Packed != "" {
		t.Errorf("Packed = %q for a program with the marks in its data", f.Packed)
	}
}

func isFormatError(err error) bool {
	_, ok := errors.AsType[*FormatError](err)
	return ok
}

// TestTruncated cuts real binaries at many places: always one of the two typed
// errors, or, where only padding or an unread tail is missing, success.
func TestTruncated(t *testing.T) {
	for _, p := range platforms {
		t.Run(p.name, func(t *testing.T) {
			b := fixture(t, p.name)
			for i := range 200 {
				n := len(b) * i / 200
				f, err := Parse(bytes.NewReader(b[:n]), int64(n))
				if err == nil {
					if n < len(b)*3/4 && p.format != Wasm {
						t.Errorf("%d of %d bytes: accepted with %d sections", n, len(b), len(f.Sections))
					}
					continue
				}
				if e, ok := errors.AsType[*NotGoError](err); !ok && !isFormatError(err) || ok && e.Format != "" && p.format == ELF {
					t.Errorf("%d of %d bytes: %v", n, len(b), err)
				}
				// A reader that ends before the size it claims is no reason to panic either.
				_, _ = Parse(bytes.NewReader(b[:n]), int64(len(b)))
			}
		})
	}
}

// TestScanEdges looks for a needle that lies across the edge of two chunks.
func TestScanEdges(t *testing.T) {
	const needle = "needle"
	for at := scanChunk - len(needle) - 1; at <= scanChunk+1; at++ {
		b := make([]byte, 2*scanChunk+10)
		copy(b[at:], needle)
		copy(b[len(b)-len(needle):], needle)
		f := &File{in: input{r: bytes.NewReader(b), size: int64(len(b))}}
		var got []int64
		err := f.scan(0, int64(len(b)), []byte(needle), func(off int64, rest []byte) bool {
			if !bytes.HasPrefix(rest, []byte(needle)) {
				t.Errorf("%q", rest[:min(len(rest), 10)])
			}
			got = append(got, off)
			return true
		})
		if want := []int64{int64(at), int64(len(b) - len(needle))}; err != nil || !slices.Equal(got, want) {
			t.Errorf("found at %v, want %v (%v)", got, want, err)
		}
	}
}

// TestHostile checks that files made of one marker over and over cost no more
// memory than the package promises.
func TestHostile(t *testing.T) {
	const size = 8 << 20
	for name, filler := range map[string]string{
		"modinfo":   modInfoStart + "path\tx\n",
		"buildinfo": buildInfoMagic + "\x08\x02" + strings.Repeat("\x00", 16) + "\x04go1.\xff\xff\x3f",
		"build ID":  buildIDPrefix + `"`,
		"pclntab":   "\xf1\xff\xff\xff\x00\x00\x01\x08",
		"version":   "go1.26.8\x00",
	} {
		t.Run(name, func(t *testing.T) {
			b := gobintest.ELF("", "")
			b = append(b, strings.Repeat(filler, size/len(filler))...)
			// Make .data cover the filler, so that it is searched as a section too.
			binary.LittleEndian.PutUint64(b[64+2*64+0x20:], uint64(size))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Parse(bytes.NewReader(b), int64(len(b)))
			runtime.ReadMemStats(&after)
			if err == nil && name != "modinfo" {
				t.Error("accepted")
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 256<<20 {
				t.Errorf("allocated %d MB in all for a file of %d MB", n>>20, size>>20)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(gobintest.ELF("a/b/c/d", "path\tx\nmod\tx\tv1.0.0\t\n"))
	f.Add(gobintest.ELF("", ""))
	f.Add(minimalMachO())
	f.Add(makeFat(minimalMachO(), minimalMachO()))
	f.Add(minimalPE())
	f.Add(minimalWasm())
	f.Add([]byte("\x01\xf7\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x8a\x97aaaabbbbccccddddeeeeffffgggghhhh"))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Parse(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if _, ok := errors.AsType[*NotGoError](err); !ok && !isFormatError(err) {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		for _, s := range file.Sections {
			if s.Offset < 0 || s.Size < 0 || s.Offset+s.Size > int64(len(b)) {
				t.Fatalf("section out of the file: %+v", s)
			}
		}
		file.BuildIDParts()
		for _, x := range append(file.Slices, file) {
			_ = walk(x)
			if _, err := x.Needs(); err != nil && !isFormatError(err) {
				t.Fatalf("untyped error: %v", err)
			}
			if _, err := x.Cgo(); err != nil && !isFormatError(err) && !errors.Is(err, ErrNoPCLNTab) {
				t.Fatalf("untyped error: %v", err)
			}
			if _, err := x.LinkFacts(); err != nil && !isFormatError(err) {
				t.Fatalf("untyped error: %v", err)
			}
			if state, _, err := untouched(x); err == nil && state == "" {
				t.Fatal("no state")
			}
			_, _ = x.Signature()
			n := 0
			_ = x.Symbols(func([]byte, uint64) bool { n++; return n < 1000 })
			if tab, err := x.PCLNTab(); err == nil {
				if _, err := tab.Files(); err != nil && !errors.As(err, new(malformed)) {
					t.Fatal(err)
				}
			}
		}
	})
}
