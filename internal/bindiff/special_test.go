package bindiff

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Pairs that take more than other flags or files.

// cgoFiles replaces main.go by one with C in it.
func cgoFiles() map[string]string {
	return map[string]string{"main.go": "package main\n\n// static int twice(int n) { int i, s = 0; for (i = 0; i < n; i++) s += 2; return s; }\nimport \"C\"\n\nimport (\n\t\"example.com/Dep\"\n\t\"example.com/app/lib\"\n)\n\nfunc main() { println(lib.Name(), dep.Name(), C.twice(3)) }\n"}
}

// hotFiles has a function that only a profile lets the compiler inline.
func hotFiles() map[string]string {
	return map[string]string{"lib/lib.go": `package lib

//go:noinline
func Name() string {
	n := 0
	for i := 0; i < 10; i++ {
		n += hot(i)
	}
	println(n)
	return "lib"
}

func hot(i int) int {
	i = i*3 + (i>>1 ^ i<<2)
	i = i*5 + (i>>2 ^ i<<3)
	i = i*7 + (i>>3 ^ i<<4)
	i = i*9 + (i>>4 ^ i<<5)
	i = i*11 + (i>>5 ^ i<<6)
	i = i*13 + (i>>6 ^ i<<7)
	i = i*15 + (i>>7 ^ i<<8)
	i = i*17 + (i>>8 ^ i<<9)
	i = i*19 + (i>>9 ^ i<<10)
	i = i*21 + (i>>10 ^ i<<11)
	i = i*23 + (i>>11 ^ i<<12)
	i = i*25 + (i>>12 ^ i<<13)
	i = i*27 + (i>>13 ^ i<<14)
	i = i*29 + (i>>14 ^ i<<15)
	i = i*31 + (i>>15 ^ i<<16)
	i = i*33 + (i>>16 ^ i<<17)
	i = i*35 + (i>>17 ^ i<<18)
	i = i*37 + (i>>18 ^ i<<19)
	i = i*39 + (i>>19 ^ i<<20)
	i = i*41 + (i>>20 ^ i<<21)
	return i
}
`}
}

// profile writes a CPU profile (github.com/google/pprof, profile.proto) in
// which lib.Name calls lib.hot, with that much weight beside another call.
func profile(name string, weight uint64) func(dir string) {
	return func(dir string) {
		var out []byte
		tag := func(b []byte, n int, wire uint64) []byte { return binary.AppendUvarint(b, uint64(n)<<3|wire) }
		num := func(b []byte, n int, v uint64) []byte { return binary.AppendUvarint(tag(b, n, 0), v) }
		msg := func(b []byte, n int, v []byte) []byte {
			return append(binary.AppendUvarint(tag(b, n, 2), uint64(len(v))), v...)
		}
		texts := []string{"", "samples", "count", "cpu", "nanoseconds", "example.com/app/lib.Name", "example.com/app/lib.hot", "lib.go", "main.main", "main.go"}
		typ := func(t, u uint64) []byte { return num(num(nil, 1, t), 2, u) }
		out = msg(out, 1, typ(1, 2))
		out = msg(out, 1, typ(3, 4))
		sample := func(count uint64, locations ...uint64) {
			var s []byte
			for _, l := range locations {
				s = num(s, 1, l)
			}
			out = msg(out, 2, num(num(s, 2, count), 2, count*1000))
		}
		sample(weight, 2, 1)
		sample(2000-weight, 1, 3)
		for i, f := range []struct{ fn, line uint64 }{{1, 7}, {2, 15}, {3, 15}} {
			id := uint64(i + 1)
			out = msg(out, 4, msg(num(nil, 1, id), 4, num(num(nil, 1, f.fn), 2, f.line)))
		}
		for i, f := range []struct{ name, file, start uint64 }{{5, 7, 4}, {6, 7, 13}, {8, 9, 15}} {
			out = msg(out, 5, num(num(num(num(num(nil, 1, uint64(i+1)), 2, f.name), 3, f.name), 4, f.file), 5, f.start))
		}
		for _, s := range texts {
			out = msg(out, 6, []byte(s))
		}
		if err := os.WriteFile(filepath.Join(dir, name), out, 0o644); err != nil {
			panic(err)
		}
	}
}

// overlay makes a copy of a file of the runtime with lines moved.
func overlay(dir string) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		panic(err)
	}
	original := filepath.Join(strings.TrimSpace(string(out)), "src", "runtime", "print.go")
	text, err := os.ReadFile(original)
	copied := filepath.Join(dir, "print.txt")
	list, err2 := json.Marshal(map[string]map[string]string{"Replace": {original: copied}})
	if err := errors.Join(err, err2,
		os.WriteFile(copied, append([]byte("// A comment.\n\n"), text...), 0o644),
		os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o644)); err != nil {
		panic(err)
	}
}

// linkEnv makes the test binary act as a linker that writes no build information.
const linkEnv = "MINTMARK_TEST_LINK"

func TestMain(m *testing.M) {
	if os.Getenv(linkEnv) != "" && len(os.Args) > 1 {
		if err := patchedTool(os.Args[1:]); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// patchedTool runs a tool of the toolchain; what the linker has written then
// loses its build information, as with the patched linker of esbuild 0.27.
func patchedTool(args []string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	out := ""
	for i, a := range args {
		if a == "-o" && strings.TrimSuffix(filepath.Base(args[0]), ".exe") == "link" {
			out = args[i+1]
		}
	}
	if out == "" {
		return nil
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	f, err := gobin.Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	s := f.Section(".go.buildinfo")
	clear(b[s.Offset : s.Offset+s.Size])
	b = bytes.Replace(b, []byte(".go.buildinfo\x00"), []byte(".go.buildnone\x00"), 1)
	return os.WriteFile(out, b, 0o755)
}

func TestPatchedLinker(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("builds programs with the go command, with a tool between that needs no .exe")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorkshop(t)
	a := w.build(t, "linux/amd64", variant{args: trim})
	b := w.build(t, "linux/amd64", variant{args: with(trim, "-toolexec="+exe), env: []string{linkEnv + "=1"}})
	d, err := Compare(t.Context(), a, b, Known{})
	if err != nil {
		t.Fatal(err)
	}
	checkFindings(t, &Diff{Findings: d.Findings}, "toolchain-modified", fact.Certain, nil)
	if !strings.Contains(strings.Join(d.Findings[0].Evidence, "\n"), "no tool removed it") {
		t.Errorf("%q", d.Findings[0].Evidence)
	}
	// Removed after the link, it is not the toolchain's doing.
	c := w.build(t, "linux/amd64", variant{args: trim, edit: func(t *testing.T, b []byte) []byte {
		s := section(t, b, ".go.buildinfo")
		clear(b[s.Offset : s.Offset+s.Size])
		return bytes.Replace(b, []byte(".go.buildinfo\x00"), []byte(".go.buildnone\x00"), 1)
	}})
	if d, err = Compare(t.Context(), a, c, Known{}); err != nil {
		t.Fatal(err)
	}
	checkFindings(t, &Diff{Findings: d.Findings}, "strip-tool", fact.Certain, nil)
}

// TestModuleCache varies the module cache, the vendor directory and GOROOT,
// which need more than another build of the same workshop.
func TestModuleCache(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	w, x := newWorkshop(t), newWorkshop(t)
	build := func(w *workshop, v variant) string { return w.build(t, "linux/amd64", v) }
	compare := func(a, b string) *Diff {
		d, err := Compare(t.Context(), a, b, Known{})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	// Without -trimpath the build directories differ too.
	checkFindings(t, compare(build(w, variant{}), build(x, variant{})), "modcache-path", fact.Certain, []fact.Cause{"build-path"})

	plain := build(w, variant{args: trim})
	vendored := build(w, variant{args: with(trim, "-mod=vendor"), after: func(dir string) {
		cmd := exec.Command("go", "mod", "vendor")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "GONOSUMDB=*", "GOMODCACHE="+w.modcache)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go mod vendor: %v\n%s", err, out)
		}
	}})
	checkFindings(t, compare(plain, vendored), "vendoring", fact.Likely, nil)

	link := filepath.Join(t.TempDir(), "goroot")
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(strings.TrimSpace(string(out)), link); err != nil {
		t.Skip("no symbolic links")
	}
	checkFindings(t, compare(build(w, variant{}), build(w, variant{env: []string{"GOROOT=" + link}})), "goroot-path", fact.Certain, []fact.Cause{"build-path"})
}

func TestToolchain(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("builds programs with other toolchains, on Linux")
	}
	for _, other := range []string{"go1.23.12", "go1.25.5", "go1.27.4"} {
		t.Run(other, func(t *testing.T) {
			if runtime.Version() == other {
				t.Skip("this is the running toolchain")
			}
			w := newWorkshop(t)
			a := w.build(t, "linux/amd64", variant{args: trim})
			b := w.build(t, "linux/amd64", variant{args: trim, tool: toolchain(t, other)})
			d, err := Compare(t.Context(), a, b, Known{})
			if err != nil {
				t.Fatal(err)
			}
			checkFindings(t, d, "toolchain-version", fact.Certain, nil)
			for _, f := range d.Findings {
				if f.Cause == "source" || f.Cause == "ldflags-value" || f.Cause == "toolchain-modified" {
					t.Errorf("%s beside another toolchain: %q", f.Cause, f.Evidence)
				}
			}
		})
	}
}

// TestFat compares fat files whose second slices differ.
func TestFat(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	w := newWorkshop(t)
	read := func(platform, value string) []byte {
		b, err := os.ReadFile(w.build(t, platform, variant{args: with(trim, "-ldflags=-X main.version="+value)}))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	amd := read("darwin/amd64", "v1.0.0")
	a := write(t, makeFat(amd, read("darwin/arm64", "v1.0.0")))
	b := write(t, makeFat(amd, read("darwin/arm64", "v1.0.1")))
	d, err := Compare(t.Context(), a, b, Known{})
	if err != nil {
		t.Fatal(err)
	}
	checkFindings(t, d, "ldflags-value", fact.Certain, nil)
	if e := d.Findings[0].Evidence[0]; !strings.HasPrefix(e, "arm64: -X main.version") {
		t.Error(e)
	}
	d, err = Compare(t.Context(), a, write(t, amd), Known{})
	if err != nil {
		t.Fatal(err)
	}
	if f := d.Findings[0]; f.Cause != "platform" || f.Confidence != fact.Certain {
		t.Errorf("fat and thin: %+v", f)
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

// TestPlatforms compares binaries of two platforms.
func TestPlatforms(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	w := newWorkshop(t)
	d, err := Compare(t.Context(), w.build(t, "linux/amd64", variant{args: trim}), w.build(t, "linux/arm64", variant{args: trim}), Known{})
	if err != nil {
		t.Fatal(err)
	}
	checkFindings(t, d, "platform", fact.Certain, []fact.Cause{"microarchitecture"})
}
