package universal

import (
	"bytes"
	"crypto/sha256"
	"debug/macho"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// thin is a Mach-O file without load commands, and some text.
func thin(cpu macho.Cpu, sub uint32, text string) string {
	h := make([]byte, 32)
	for i, v := range []uint32{macho.Magic64, uint32(cpu), sub, uint32(macho.TypeExec)} {
		binary.LittleEndian.PutUint32(h[4*i:], v)
	}
	return string(h) + text
}

func join(parts ...string) ([]byte, error) {
	var list []*io.SectionReader
	for _, p := range parts {
		list = append(list, io.NewSectionReader(strings.NewReader(p), 0, int64(len(p))))
	}
	var b bytes.Buffer
	err := Join(&b, list)
	return b.Bytes(), err
}

func contents(parts ...string) (list []Content) {
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p))
		list = append(list, Content{int64(len(p)), hex.EncodeToString(sum[:])})
	}
	return list
}

// TestJoin: what is written is what others read, at the places where lipo puts it.
func TestJoin(t *testing.T) {
	amd := thin(macho.CpuAmd64, 0x80000003, strings.Repeat("amd64 code ", 1000))
	arm := thin(macho.CpuArm64, 0, strings.Repeat("arm64 code ", 500))
	data, err := join(amd, arm)
	if err != nil {
		t.Fatal(err)
	}
	fat, err := macho.NewFatFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, a := range fat.Arches {
		got = append(got, fmt.Sprintf("%v %#x %d %d %d", a.Cpu, a.SubCpu, a.Offset, a.Size, a.Align))
		if part := data[a.Offset : a.Offset+a.Size]; string(part) != []string{amd, arm}[i] {
			t.Errorf("slice %d is another", i)
		}
	}
	// As llvm-lipo -create of two Go programs: 2^12 for x86-64, 2^14 for ARM64, and no
	// capabilities in the table.
	if want := []string{"CpuAmd64 0x3 4096 11032 12", "CpuArm64 0x0 16384 5532 14"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if want := 16384 + len(arm); len(data) != want {
		t.Errorf("%d bytes, want %d", len(data), want)
	}
	table, err := Read(bytes.NewReader(data), int64(len(data)))
	if err != nil || len(table.Slices) != 2 || table.Slices[1].Arch() != "arm64" || table.Slices[0].Arch() != Order()[0] {
		t.Errorf("%+v, %v", table, err)
	}
	for name, tc := range map[string]struct {
		parts []string
		want  string
	}{
		"none":        {nil, "no slices"},
		"order":       {[]string{arm, amd}, "slice 2 is for amd64"},
		"twice":       {[]string{amd, amd}, "slice 2 is for amd64"},
		"machine":     {[]string{thin(macho.CpuPpc64, 0, "")}, "slice 1 is for machine-"},
		"subtype":     {[]string{amd, thin(macho.CpuArm64, 2, "arm64e")}, "slice 2 is for arm64.2"},
		"no Mach-O":   {[]string{amd, "\x7fELF and so on"}, "slice 2 is no Mach-O file"},
		"universal":   {[]string{string(data)}, "slice 1 is no Mach-O file"},
		"empty":       {[]string{""}, "slice 1 is no Mach-O file"},
		"header only": {[]string{thinMagic + "\x07"}, "slice 1"},
	} {
		if _, err := join(tc.parts...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// TestCheck: only what Join writes of these programs is right, and every byte counts.
func TestCheck(t *testing.T) {
	amd := thin(macho.CpuAmd64, 3, strings.Repeat("x", 5000))
	arm := thin(macho.CpuArm64, 0, strings.Repeat("y", 100))
	other := thin(macho.CpuArm64, 0, strings.Repeat("z", 100))
	good, err := join(amd, arm)
	if err != nil {
		t.Fatal(err)
	}
	swapped, err := join(amd, other)
	if err != nil {
		t.Fatal(err)
	}
	one, err := join(amd)
	if err != nil {
		t.Fatal(err)
	}
	want := contents(amd, arm)
	if err := Check(bytes.NewReader(good), want); err != nil {
		t.Error(err)
	}
	change := func(at int, b ...byte) []byte {
		c := bytes.Clone(good)
		copy(c[at:], b)
		return c
	}
	extra := slices.Concat([]byte(Magic+"\x00\x00\x00\x03"), good[8:48], make([]byte, 20), good[68:])
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"another slice":      {swapped, "slice 2 is another program"},
		"extra slice":        {extra, "has 3 slices, want 2"},
		"a slice less":       {one, "has 1 slices, want 2"},
		"bytes behind":       {append(bytes.Clone(good), 0), "has 1 bytes behind"},
		"bytes between":      {change(100, 1), "before slice 1: bytes that are in no slice"},
		"in the padding":     {change(4096+len(amd)+5, 1), "before slice 2: bytes that are in no slice"},
		"swapped in order":   {slices.Concat(good[:8], good[28:48], good[8:28], good[48:]), "before slice 1"},
		"alignment":          {change(27, 13), "its table of slices"},
		"machine":            {change(11, 7, 1), "its table of slices"},
		"capabilities":       {change(16-4, 0x80), "its table of slices"},
		"size in the table":  {change(20, 0, 0, 0, 1), "its table of slices"},
		"place":              {change(38, 0x30), "slice 2 is another program"},
		"far away":           {change(36, 0xff), "bytes of padding"},
		"overlap":            {change(36, 0, 0, 16), "within what is before it"},
		"thin":               {[]byte(amd), "is no universal binary"},
		"empty":              {nil, "ends within its table"},
		"cut in its padding": {good[:4096+len(amd)+10], "before slice 2: it ends"},
		"cut in a slice":     {good[:len(good)-1], "slice 2 is another program"},
	} {
		if err := Check(bytes.NewReader(tc.data), want); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	for i := range good { // not one byte may be another
		if i >= 200 && i < len(good)-200 && i%97 != 0 {
			continue
		}
		if Check(bytes.NewReader(change(i, good[i]^1)), want) == nil {
			t.Errorf("byte %d may be another", i)
		}
	}
}

func FuzzCheck(f *testing.F) {
	amd, arm := thin(macho.CpuAmd64, 3, "x"), thin(macho.CpuArm64, 0, "y")
	good, err := join(amd, arm)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:60])
	want := contents(amd, arm)
	f.Fuzz(func(t *testing.T, b []byte) {
		if Check(bytes.NewReader(b), want) == nil && !bytes.Equal(b, good) {
			t.Error("another file is taken for it")
		}
	})
}
