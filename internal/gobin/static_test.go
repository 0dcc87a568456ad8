package gobin

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ar makes an archive of members, each a name and a content.
func ar(members ...[2]string) []byte {
	var b bytes.Buffer
	b.WriteString(arMagic)
	for _, m := range members {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d%s", m[0], 0, 0, 0, 0o644, len(m[1]), arEnd)
		b.WriteString(m[1])
		if len(m[1])%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func TestFindMember(t *testing.T) {
	for _, tt := range []struct {
		name string
		data []byte
		want string
		bad  bool
	}{
		{"GNU", ar([2]string{"/", "symbols"}, [2]string{"go.o/", "the program"}, [2]string{"000000.o/", "C"}), "the program", false},
		{"BSD", ar([2]string{"__.SYMDEF", "x"}, [2]string{"go.o", "the program"}), "the program", false},
		{"BSD, a long name", ar([2]string{"#1/8", "go.o\x00\x00\x00\x00the program"}), "the program", false},
		{"of C alone", ar([2]string{"x.o/", "C"}), "", true},
		{"no archive", []byte("!<arck>\n"), "", true},
		{"empty", nil, "", true},
		{"a size beyond the end", []byte(arMagic + fmt.Sprintf("%-16s%-32s%-10d%s", "go.o/", "", 1000, arEnd)), "", true},
		{"a negative size", []byte(arMagic + fmt.Sprintf("%-16s%-32s%-10d%s", "x", "", -60, arEnd)), "", true},
		{"a name beyond its member", ar([2]string{"#1/900", "go.o"}), "", true},
	} {
		off, n, err := findMember(input{r: bytes.NewReader(tt.data), size: int64(len(tt.data))}, goObject)
		if tt.bad {
			if err == nil {
				t.Errorf("%s: found at %d", tt.name, off)
			}
			continue
		}
		if err != nil || string(tt.data[off:off+n]) != tt.want {
			t.Errorf("%s: %d bytes at %d, %v", tt.name, n, off, err)
		}
	}
}

// TestOpenStatic: a static library says what it was built of, on systems whose
// objects have a header of their own and on Windows.
func TestOpenStatic(t *testing.T) {
	if testing.Short() {
		t.Skip("builds")
	}
	for _, tt := range []struct{ goos, cc string }{{"linux", "gcc"}, {"windows", "x86_64-w64-mingw32-gcc"}} {
		t.Run(tt.goos, func(t *testing.T) {
			if _, err := exec.LookPath(tt.cc); err != nil {
				t.Skipf("no %s", tt.cc)
			}
			dir := t.TempDir()
			for name, text := range map[string]string{
				"go.mod":  "module example.com/static\n\ngo 1.24\n",
				"main.go": "package main\n\nimport \"C\"\n\n//export F\nfunc F() {}\n\nfunc main() {}\n",
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("go", "build", "-buildmode=c-archive", "-trimpath", "-buildvcs=false", "-o", "static.a")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOFLAGS=", "GOOS="+tt.goos, "GOARCH=amd64", "CGO_ENABLED=1", "CC="+tt.cc)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Skipf("no static library here: %v\n%s", err, out)
			}
			f, err := OpenStatic(filepath.Join(dir, "static.a"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.BuildInfo == nil || f.BuildInfo.Path != "example.com/static" || !strings.HasPrefix(f.BuildInfo.GoVersion, "go") {
				t.Errorf("%+v", f.BuildInfo)
			}
			if _, err := Open(filepath.Join(dir, "static.a")); err == nil {
				t.Error("Open takes a static library for a program")
			}
		})
	}
	_, err := OpenStatic(filepath.Join("testdata", "none.a"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// FuzzStatic: whatever the file is, it is read within its bounds.
func FuzzStatic(f *testing.F) {
	f.Add(ar([2]string{"/", "symbols"}, [2]string{"go.o/", "\x7fELF\x02\x01\x01"}))
	f.Add(ar([2]string{"#1/8", "go.o\x00\x00\x00\x00the program"}))
	f.Add(ar([2]string{"go.o", strings.Repeat("\x00", 64) + buildInfoMagic + "\x08\x02" + strings.Repeat("\x00", 40)}))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parseStatic(bytes.NewReader(data), int64(len(data)))
		if err == nil && (file == nil || file.Size > int64(len(data))) {
			t.Errorf("%+v", file)
		}
	})
}
