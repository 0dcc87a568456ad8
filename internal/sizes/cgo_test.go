package sizes

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cArrays are the arrays of the C program: their sizes in bytes.
var cArrays = []struct {
	decl string // with %d, the number of elements
	elem int
	n    int
}{
	{"static const unsigned char fixed[%d]", 1, 120_000},
	{"const unsigned int table[%d]", 4, 30_000},
	{"static unsigned int changed[%d]", 4, 10_000},
	{"unsigned short shared[%d]", 2, 20_000},
}

// cSource is a program with C code: its files, and the bytes of the arrays.
func cSource() (goFile, cFile string, arrays [][]byte) {
	rnd := rand.New(rand.NewPCG(13, 2))
	var c strings.Builder
	for _, a := range cArrays {
		fmt.Fprintf(&c, a.decl+" = {", a.n)
		var b []byte
		for range a.n {
			v := rnd.Uint32() >> (32 - 8*a.elem)
			fmt.Fprintf(&c, "%d,", v)
			for k := range a.elem {
				b = append(b, byte(v>>(8*k)))
			}
		}
		arrays = append(arrays, b)
		c.WriteString("};\n")
	}
	for i := range 20 {
		fmt.Fprintf(&c, "int work%d(unsigned n) { changed[n%%%du] += n*%d; return fixed[n%%120000u] + table[(n+%d)%%30000u] + shared[n%%20000u]; }\n", i, 10_000-i, i+3, i)
	}
	c.WriteString("int all(unsigned n) { int s = 0;\n")
	for i := range 20 {
		fmt.Fprintf(&c, "s += work%d(n);\n", i)
	}
	c.WriteString("return s; }\n")
	return "package main\n\n/*\nextern int all(unsigned);\n*/\nimport \"C\"\n\nimport \"os\"\n\nvar own = [...]uint64{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5}\n\nfunc main() { println(C.all(C.uint(len(os.Args))), own[len(os.Args)]) }\n", c.String(), arrays
}

// TestCCode builds a program whose C code has large arrays, with both linkers, and
// looks for them: whatever is C's is of the origin for it, and nothing of Go.
func TestCCode(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	goFile, cFile, arrays := cSource()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/c\n\ngo 1.24\n", "main.go": goFile, "c.c": cFile} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, goos, cc, strip, flags string }{
		{"internal", "linux", "gcc", "strip", "-ldflags=-linkmode=internal"},
		{"external", "linux", "gcc", "strip", "-ldflags=-linkmode=external"},
		{"static", "linux", "gcc", "strip", "-ldflags=-linkmode=external -extldflags=-static"},
		{"PIE", "linux", "gcc", "strip", "-buildmode=pie"},
		{"windows", "windows", "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-strip", "-ldflags=-linkmode=external"},
		{"windows internal", "windows", "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-strip", "-ldflags=-linkmode=internal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, tool := range []string{c.cc, c.strip} {
				if _, err := exec.LookPath(tool); err != nil {
					t.Skipf("not checked: %v", err)
				}
			}
			out := filepath.Join(t.TempDir(), "c.bin")
			cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", out, c.flags, ".")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off", "GOEXPERIMENT=", "GOPROXY=off", "CGO_ENABLED=1", "GOOS="+c.goos, "GOARCH=amd64", "CC="+c.cc)
			if msg, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, msg)
			}
			stripped := out + ".stripped"
			if msg, err := exec.Command(c.strip, "-o", stripped, out).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, msg)
			}
			for _, file := range []string{out, stripped} {
				checkCCode(t, file, arrays, c.goos == "linux" && file == out)
			}
		})
	}
}

func checkCCode(t *testing.T, file string, arrays [][]byte, exact bool) {
	t.Helper()
	l := analyzed(t, file, Options{})
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(filepath.Base(file), "c.")
	for i, a := range arrays {
		at := bytes.Index(b, a)
		if at < 0 {
			t.Fatalf("%s: array %d is not in the file", name, i)
		}
		if wrong := wrongIn(l, int64(at), int64(len(a)), CCode); wrong > 0 {
			t.Errorf("%s: %d of the %d bytes of %q are not C's", name, wrong, len(a), cArrays[i].decl)
		}
	}
	var data, text int64
	for _, r := range l.Ranges {
		if r.Package == "main" && r.Size > 4096 {
			t.Errorf("%s: main has %+v", name, r)
		}
		if strings.Contains(r.Package, "(") && r.Package != CCode {
			t.Errorf("%s: package %q", name, r.Package)
		}
		if strings.HasPrefix(r.Symbol, "work") && r.Package != CCode {
			t.Errorf("%s: %+v", name, r)
		}
		if r.Package == CCode {
			switch r.Kind {
			case Text, Code:
				text += r.Size
			case Variable, ROData, Data, Strings:
				data += r.Size
				if exact && r.Size > 1000 && r.Confidence != Exact {
					t.Errorf("%s: with symbols %+v", name, r)
				}
			}
		}
	}
	if text < 20*40 {
		t.Errorf("%s: %d bytes of C code", name, text)
	}
	s := Summarize(l)
	i := slices.IndexFunc(s.Groups, func(g Group) bool { return g.Name == GroupC })
	if i < 0 || GroupTitle(GroupC) != "C code (cgo)" {
		t.Fatalf("%s: no origin for C code", name)
	}
	t.Logf("%s: C code %d bytes, its data %d", name, text, data)
}

// TestFunctionTables: a function has its pc tables and funcdata, and the list of
// functions leaves nothing of them out.
func TestFunctionTables(t *testing.T) {
	l := analyzed(t, fixture(t, build{"local", "linux/amd64", true, ""}), Options{})
	var tables, named, all int64
	for _, r := range l.Ranges {
		if r.Kind == PCTable || r.Kind == FuncData {
			tables += r.Size
			if r.Symbol != "" {
				named += r.Size
				if r.Package == "" {
					t.Errorf("a function without a package: %+v", r)
				}
			}
		}
		switch r.Kind {
		case Text, FuncRecord, FuncName, PCTable, FuncData:
			if r.Symbol != "" || r.Kind == PCTable || r.Kind == FuncData {
				all += r.Size
			}
		}
	}
	if share := 100 * float64(named) / float64(tables); share < 60 {
		t.Errorf("%.1f %% of %d bytes of tables have their function", share, tables)
	} else {
		t.Logf("%.1f %% of %d bytes of tables have one function", share, tables)
	}
	var sum, several int64
	for _, f := range Summarize(l).Functions {
		sum += f.Size
		if f.Name == SeveralFunctions || f.Name == SeveralPackages {
			several += f.Size
			if (f.Name == SeveralPackages) != (f.Package == "") {
				t.Errorf("%+v", f)
			}
		}
	}
	if sum != all || several == 0 {
		t.Errorf("functions add up to %d of %d bytes; %d are of several", sum, all, several)
	}
}
