package plan

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
)

func TestRiskyFlags(t *testing.T) {
	for flag, want := range map[string]bool{
		"-flto": true, "-flto=auto": true, "-flto=thin": true, "-fno-lto": false, "-flto-partition=none": false,
		"-Wl,--build-id=uuid": true, "-Wl,-z,now,--build-id=uuid": true, "-Wl,--build-id=sha1": false, "-Wl,--build-id": false,
		"--coverage": true, "-fprofile-arcs": true, "-fprofile-generate=/tmp/x": true, "-fprofile-use": true, "-fprofile-correction": false,
		"-frecord-gcc-switches": true, "-grecord-gcc-switches": true, "-gno-record-gcc-switches": false,
		"-march=native": true, "-mtune=native": true, "-march=x86-64-v3": false,
		"-I${SRCDIR}/include": true, "-Iinclude": false, "-O2": false, "-g": false, "-lm": false, "-static-libgcc": false, "": false,
	} {
		if why, instead, got := riskyFlag(flag); got != want || got && (why == "" || instead == "") {
			t.Errorf("%s: %v, want %v (%q, %q)", flag, got, want, why, instead)
		}
	}
}

func TestExtLDFlags(t *testing.T) {
	for flags, want := range map[string][]string{
		`-s -w`:                           nil,
		`-s "-extldflags=-static -flto"`:  {"-static", "-flto"},
		`-extldflags '-Wl,-z,now -lm' -s`: {"-Wl,-z,now", "-lm"},
		`--extldflags=-flto`:              {"-flto"},
		`-X main.a=-extldflags`:           nil,
	} {
		if got := extLDFlags(words(flags)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", flags, got, want)
		}
	}
}

// TestSymbolic: the place of a package is not in what is remembered of its flags.
func TestSymbolic(t *testing.T) {
	dir := filepath.FromSlash("/w/src/p")
	p := &Package{Dir: dir, CgoCFLAGS: []string{"-I" + dir + "/inc", "-I" + dir, "-I" + dir + "2/inc"}, CgoLDFLAGS: []string{"-L" + dir + "/lib", "-Wl,-rpath," + dir + ",-z,now", "-lm"}}
	p.symbolic()
	if want := []string{"-I${SRCDIR}/inc", "-I${SRCDIR}", "-I" + dir + "2/inc"}; !reflect.DeepEqual(p.CgoCFLAGS, want) {
		t.Errorf("%q", p.CgoCFLAGS)
	}
	if want := []string{"-L${SRCDIR}/lib", "-Wl,-rpath,${SRCDIR},-z,now", "-lm"}; !reflect.DeepEqual(p.CgoLDFLAGS, want) {
		t.Errorf("%q", p.CgoLDFLAGS)
	}
}

func TestClocks(t *testing.T) {
	dir := t.TempDir()
	err := errors.Join(
		os.WriteFile(filepath.Join(dir, "a.go"), []byte("package p\n\n// static int x;\nimport \"C\"\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "a.c"), []byte("int x;\nchar *t = __TIME__ __DATE__;\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "a.h"), []byte("int MY__DATE__X;\n"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	left := int64(maxCSources)
	p := &Package{ImportPath: "example.com/p", Dir: dir, CgoFiles: []string{"a.go"}, CFiles: []string{"a.c"}, HFiles: []string{"a.h"}}
	got, err := p.clocks(&left)
	if err != nil || len(got) != 1 || got[0].Where != "example.com/p/a.c:2" || got[0].What != "__TIME__" || got[0].Package != p.ImportPath {
		t.Errorf("%+v, %v", got, err)
	}
	if p.CFiles = []string{"missing.c"}; left > maxCSources-10 {
		t.Errorf("%d bytes are left", left)
	}
	if _, err := p.clocks(&left); err == nil {
		t.Error("a source that is not there has no clock in it")
	}
}

// TestSourceDirectory builds a program with C code in two directories: what is
// said of ${SRCDIR} is so, and what to do instead helps.
func TestSourceDirectory(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with C code")
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("gcc is not installed")
	}
	build := func(dir, line string) []byte {
		t.Helper()
		src := filepath.Join(t.TempDir(), dir)
		err := errors.Join(os.MkdirAll(filepath.Join(src, "inc"), 0o755),
			os.WriteFile(filepath.Join(src, "go.mod"), []byte("module example.com/p\n\ngo 1.24\n"), 0o644),
			os.WriteFile(filepath.Join(src, "inc", "n.h"), []byte("#define N 3\n"), 0o644),
			os.WriteFile(filepath.Join(src, "main.go"), []byte("package main\n\n/*\n"+line+"\nint twice(int i) { return 2 * i; }\n*/\nimport \"C\"\n\nfunc main() { println(C.twice(4)) }\n"), 0o644))
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", "p", ".")
		cmd.Dir = src
		// Another directory for temporary files, as in the two builds of a release.
		cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=1", "CC=gcc", "TMPDIR="+filepath.Dir(src), "CGO_CFLAGS=-O2", "CGO_LDFLAGS=-O2")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		data, err := os.ReadFile(filepath.Join(src, "p"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for _, c := range []struct {
		line string
		same bool
	}{
		{"#cgo CFLAGS: -I${SRCDIR}/inc\n#include <n.h>", false},
		{"#cgo CFLAGS: -Iinc\n#include <n.h>", false}, // go/build makes it absolute
		{"#include \"inc/n.h\"", true},
		{"#cgo LDFLAGS: -L${SRCDIR}/inc", false},
	} {
		if same := bytes.Equal(build("one", c.line), build("another", c.line)); same != c.same {
			t.Errorf("%s: the same is %v", c.line, same)
		}
	}
}
