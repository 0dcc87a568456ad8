package gobin

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"testing"
)

// TestStripped: what is left of symbols and DWARF, by what was asked for.
func TestStripped(t *testing.T) {
	for _, platform := range []string{"linux/amd64", "darwin/arm64", "windows/amd64"} {
		for _, c := range []struct {
			flags          string
			symbols, dwarf bool
		}{{"", true, true}, {"-w", true, false}, {"-s", false, false}, {"-s -w", false, false}} {
			var args []string
			if c.flags != "" {
				args = []string{"-ldflags=" + c.flags}
			}
			b := fixture(t, platform, args...)
			checkStripped(t, platform+" "+c.flags, b, c.symbols, c.dwarf)
			if c.flags != "" {
				continue
			}
			for _, tool := range [][]string{{"strip"}, {"llvm-strip"}, {"x86_64-w64-mingw32-strip"}} {
				if tool[0] == "strip" && platform != "linux/amd64" || tool[0] == "llvm-strip" && platform == "windows/amd64" || tool[0] == "x86_64-w64-mingw32-strip" && platform != "windows/amd64" {
					continue // does not know the format, or leaves DWARF
				}
				path := onDisk(t, b)
				if _, err := exec.LookPath(tool[0]); err != nil {
					t.Logf("not checked: %v", err)
					continue
				}
				if msg, err := exec.Command(tool[0], path).CombinedOutput(); err != nil {
					t.Logf("not checked: %s of %s: %v\n%s", tool[0], platform, err, msg)
					continue
				}
				after, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				checkStripped(t, platform+" "+tool[0], after, false, false)
			}
		}
	}
}

func checkStripped(t *testing.T, name string, b []byte, symbols, dwarf bool) {
	t.Helper()
	f, err := Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	got, err := f.HasSymbols()
	if err != nil || got != symbols || f.HasDWARF() != dwarf {
		t.Errorf("%s: symbols %v, DWARF %v, %v; want %v, %v", name, got, f.HasDWARF(), err, symbols, dwarf)
	}
}

// replaced is a copy of b with every old replaced by a text of the same length.
func replaced(t *testing.T, b []byte, old, new string) []byte {
	t.Helper()
	if len(old) != len(new) || !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%q is not there to be replaced by %q", old, new)
	}
	return bytes.ReplaceAll(b, []byte(old), []byte(new))
}

// TestUnknownTable: a file of Go's linker with another function table is a Go
// binary, and the error says no more than what the file tells.
func TestUnknownTable(t *testing.T) {
	const known = "\xf1\xff\xff\xff\x00\x00\x01\x08"
	for _, c := range []struct{ name, platform, magic, version, want string }{
		{"garbled", "linux/amd64", "\xc8\x9c\x90\xaf", "none", "the function table begins with 0xaf909cc8, which no known Go writes: obfuscated (as by garble), or of a Go newer than 1.27; the file does not say which Go built it"},
		// In PE files the table has no section of its own.
		{"garbled PE", "windows/amd64", "\xc8\x9c\x90\xaf", "none", "the function table begins with 0xaf909cc8, which no known Go writes: obfuscated (as by garble), or of a Go newer than 1.27; the file does not say which Go built it"},
		{"changed", "linux/amd64", "\xc8\x9c\x90\xaf", "", "the function table begins with 0xaf909cc8, which no known Go writes: obfuscated or changed after it was linked, since the file says go1.26.8, whose table is known"},
		{"newer", "linux/amd64", "\xf2\xff\xff\xff", "go1.93.8", "the function table begins with 0xfffffff2, which no known Go writes: the file says go1.93.8, and Go is known up to 1.27"},
		{"older", "linux/amd64", "\xfa\xff\xff\xff", "none", "the function table is that of Go 1.16 and 1.17; those of Go 1.18 and later can be read"},
	} {
		b := fixture(t, c.platform, "-ldflags=-s -w -buildid=")
		f, err := Parse(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		version := f.BuildInfo.GoVersion
		magic := known
		if bytes.Count(b, []byte(magic)) == 0 {
			t.Fatalf("%s: the toolchain writes another table", c.name)
		}
		b = replaced(t, b, magic, c.magic+magic[4:])
		want := c.want
		switch c.version {
		case "":
			want = string(bytes.ReplaceAll([]byte(want), []byte("go1.26.8"), []byte(version)))
		case "none":
			b = replaced(t, b, buildInfoMagic, "\xff Ga buildinf:")
			if bytes.Contains(b, []byte(modInfoStart)) {
				b = replaced(t, b, modInfoStart, string(make([]byte, len(modInfoStart))))
			}
		default:
			if len(version) != len(c.version) {
				t.Logf("%s: not checked with %s", c.name, version)
				continue
			}
			b = replaced(t, b, version, c.version)
		}
		f, err = Parse(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		_, err = f.PCLNTab()
		unknown, ok := errors.AsType[*UnknownTableError](err)
		if !ok || !errors.Is(err, ErrNoPCLNTab) || unknown.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", c.name, err, want)
		}
	}
	// Of what is not Go's nothing is found.
	for _, tool := range []string{"/bin/ls", "/bin/sh"} {
		b, err := os.ReadFile(tool)
		if err != nil {
			continue
		}
		if _, err := Parse(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%s is a Go binary", tool)
		} else if _, ok := errors.AsType[*NotGoError](err); !ok && !bytes.HasPrefix(b, []byte("#!")) {
			t.Errorf("%s: %v", tool, err)
		}
	}
}
