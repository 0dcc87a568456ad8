package sizes

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/x86"
)

// reachOf is the share of bytes with a package or a kind that says more than
// the section, in percent.
func reachOf(l *Breakdown) float64 { return 100 * float64(l.Reach()) / float64(l.Size) }

// rightText is the share of the bytes of functions, by the symbol table of the
// unstripped twin, whose package the breakdown has right, in percent.
func rightText(t *testing.T, l *Breakdown, twin string) float64 {
	t.Helper()
	f, err := gobin.Open(twin)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := gobin.Open(l.File)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	type sym struct{ from, to uint64 }
	names := map[sym]string{}
	var addrs []uint64
	byAddr := map[uint64]string{}
	err = f.SizedSymbols(func(name []byte, addr, size uint64) bool {
		in, _ := f.At(addr)
		if in == nil || in.Kind != gobin.KindCode || marker(string(name)) {
			return true
		}
		if size > 0 {
			names[sym{addr, addr + size}] = string(name)
		} else {
			addrs, byAddr[addr] = append(addrs, addr), string(name)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	// Without sizes a function ends where the next one starts.
	slices.Sort(addrs)
	for i := 0; i+1 < len(addrs); i++ {
		if addrs[i] != addrs[i+1] {
			names[sym{addrs[i], addrs[i+1]}] = byAddr[addrs[i]]
		}
	}
	if len(names) < 1000 {
		t.Fatalf("%s: %d functions in the symbol table", twin, len(names))
	}
	var right, all int64
	for k, name := range names {
		_, off := s.At(k.from)
		want, n := PackageOf(name), int64(k.to-k.from)
		if want == "" { // of the assembler: its file tells the package, not its name
			continue
		}
		all += n
		right += n - wrongIn(l, off, n, want)
	}
	return 100 * float64(right) / float64(all)
}

// wrongIn is how many of n bytes at off are not of a package.
func wrongIn(l *Breakdown, off, n int64, pkg string) int64 {
	lo, hi := 0, len(l.Ranges)
	for lo < hi {
		mid := (lo + hi) / 2
		if r := l.Ranges[mid]; r.Offset+r.Size <= off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	var wrong int64
	for end := off + n; lo < len(l.Ranges) && l.Ranges[lo].Offset < end; lo++ {
		r := l.Ranges[lo]
		if r.Package != pkg {
			wrong += min(end, r.Offset+r.Size) - max(off, r.Offset)
		}
	}
	return wrong
}

// TestReach measures how much of stripped files has an owner or a kind, and how
// much of the code has the right one, and holds both to what is promised.
func TestReach(t *testing.T) {
	for _, c := range []struct {
		toolchain, platform string
		reach               float64
		flags               string
	}{
		{"local", "linux/amd64", 96, ""},
		{"go1.23.12", "linux/amd64", 96, ""},
		{"go1.27.3", "linux/amd64", 96, ""},
		{"go1.21.13", "linux/amd64", 96, ""},
		{"local", "linux/arm64", 93, ""},
		{"local", "darwin/arm64", 93, ""},
		{"go1.27.3", "darwin/arm64", 93, ""},
		{"local", "windows/amd64", 93, ""},
		{"local", "linux/amd64", 96, "-buildmode=pie"},
		{"local", "linux/386", 93, ""},
	} {
		t.Run(c.toolchain+" "+c.platform+" "+c.flags, func(t *testing.T) {
			stripped := fixture(t, build{c.toolchain, c.platform, true, c.flags})
			twin := fixture(t, build{c.toolchain, c.platform, false, c.flags})
			l := analyzed(t, stripped, Options{})
			if l.SymbolsFrom != SymbolsNone {
				t.Errorf("symbols from %s", l.SymbolsFrom)
			}
			for _, l := range []*Breakdown{l, analyzed(t, twin, Options{})} {
				for _, r := range l.Ranges { // no C code is in it
					if r.Package == CCode {
						t.Errorf("%s: %+v", l.File, r)
					}
				}
			}
			reach, right := reachOf(l), rightText(t, l, twin)
			s := Summarize(l)
			t.Logf("reach %.2f %%, code right %.3f %%; exact %.1f inferred %.1f shared %.1f %%", reach, right,
				100*float64(s.Totals.Exact)/float64(l.Size), 100*float64(s.Totals.Inferred)/float64(l.Size), 100*float64(s.Totals.Shared)/float64(l.Size))
			if reach < c.reach {
				t.Errorf("reach %.2f %%, want %.0f", reach, c.reach)
			}
			if right < 99.9 {
				t.Errorf("code right %.3f %%", right)
			}
			for _, kind := range []string{"text", "pctab", "funcdata", "type", "type-name", "strings", "gcbits"} {
				if !hasKind(s, kind) {
					t.Errorf("nothing is %s", kind)
				}
			}
			for _, pkg := range []string{"main", "example.com/fixture/inner", "example.org/dep", "runtime", "text/template"} {
				if !hasPackage(s, pkg) {
					t.Errorf("nothing is of package %s", pkg)
				}
			}
		})
	}
}

func hasKind(s *Summary, kind string) bool {
	for _, k := range s.Kinds {
		if k.Name == kind {
			return true
		}
	}
	return false
}

func hasPackage(s *Summary, pkg string) bool {
	for _, p := range s.Packages() {
		if p.Path == pkg {
			return true
		}
	}
	return false
}

// TestInferred compares inferred owners of variables with the symbol table.
func TestInferred(t *testing.T) {
	for _, c := range []struct {
		toolchain, platform string
		right               float64
	}{{"local", "linux/amd64", 87}, {"go1.23.12", "linux/amd64", 92}, {"local", "linux/arm64", 87}} {
		t.Run(c.toolchain+" "+c.platform, func(t *testing.T) {
			stripped, twin := fixture(t, build{c.toolchain, c.platform, true, ""}), fixture(t, build{c.toolchain, c.platform, false, ""})
			guess, exact := analyzed(t, stripped, Options{}), analyzed(t, stripped, Options{Twin: twin})
			if exact.SymbolsFrom != SymbolsTwin {
				t.Errorf("symbols from %s", exact.SymbolsFrom)
			}
			if exact.Totals.Exact <= guess.Totals.Exact {
				t.Errorf("with a twin %d bytes are exact, without %d", exact.Totals.Exact, guess.Totals.Exact)
			}
			var all, wrong int64
			for _, r := range exact.Ranges {
				if r.Kind == Variable && r.Confidence == Exact && r.Package != "" {
					all += r.Size
					wrong += wrongIn(guess, r.Offset, r.Size, r.Package)
				}
			}
			right := 100 - 100*float64(wrong)/float64(all)
			t.Logf("%d bytes of variables with symbols: %.1f %% have the right owner without them", all, right)
			if right < c.right {
				t.Errorf("%.1f %% right, want %.0f", right, c.right)
			}
		})
	}
}

// TestTwinOfAnother: symbols of another program are refused.
func TestTwinOfAnother(t *testing.T) {
	stripped, other := fixture(t, build{"local", "linux/amd64", true, ""}), fixture(t, build{"local", "linux/arm64", false, ""})
	if _, err := Analyze(t.Context(), stripped, Options{Twin: other}); err == nil || !strings.Contains(err.Error(), "same program") {
		t.Errorf("error %v", err)
	}
}

// TestNoBuildInfo: without build information the version comes from the strings
// or is found by trying, and the reach stays.
func TestNoBuildInfo(t *testing.T) {
	for _, tc := range []build{{"local", "linux/amd64", true, ""}, {"go1.23.12", "linux/amd64", true, ""}, {"go1.27.3", "linux/amd64", true, ""}, {"local", "windows/amd64", true, ""}, {"local", "darwin/arm64", true, ""}} {
		t.Run(tc.String(), func(t *testing.T) {
			path := fixture(t, tc)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b = bytes.ReplaceAll(b, []byte("\xff Go buildinf:"), make([]byte, 14))
			b = bytes.ReplaceAll(b, []byte("\x30\x77\xaf\x0c\x92\x74\x08\x02"), make([]byte, 8))
			for _, versions := range []bool{true, false} {
				if !versions {
					b = regexp.MustCompile(`go1\.2[0-9](\.[0-9]+)?`).ReplaceAllFunc(b, func(v []byte) []byte { return bytes.Repeat([]byte("x"), len(v)) })
				}
				p := t.TempDir() + "/no"
				if err := os.WriteFile(p, b, 0o755); err != nil {
					t.Fatal(err)
				}
				l := analyzed(t, p, Options{})
				if l.Modules.Known || len(l.Notes) == 0 {
					t.Errorf("modules known, notes %q", l.Notes)
				}
				if r := reachOf(l); r < 96 {
					t.Errorf("versions %v: reach %.2f %%, version %s from %s", versions, r, l.GoVersion, l.GoVersionFrom)
				}
				if l.GoVersionFrom == "buildinfo" || l.GoVersion == "" {
					t.Errorf("version %q from %s", l.GoVersion, l.GoVersionFrom)
				}
			}
		})
	}
}

// TestWasm: functions and sections.
func TestWasm(t *testing.T) {
	for _, tc := range []string{"local", "go1.23.12"} {
		for _, strip := range []bool{true, false} {
			l := analyzed(t, fixture(t, build{tc, "wasip1/wasm", strip, ""}), Options{})
			s := Summarize(l)
			if !hasPackage(s, "example.org/dep") || !hasPackage(s, "text/template") {
				t.Errorf("%s stripped %v: packages are missing", tc, strip)
			}
			for _, k := range s.Kinds {
				if k.Name == "text" && k.Size*2 < l.Size {
					t.Errorf("only %d of %d bytes are functions", k.Size, l.Size)
				}
			}
		}
	}
}

// TestDecode compares the lengths of instructions with those of the
// disassembler of the toolchain.
func TestDecode(t *testing.T) {
	decodes(t, "linux/amd64", x86.New(false), 50000)
	decodes(t, "linux/386", x86.New(true), 50000)
}

func decodes(t *testing.T, platform string, o *x86.Decoder, least int) {
	t.Helper()
	path := fixture(t, build{"local", platform, false, ""})
	out, err := exec.Command("go", "tool", "objdump", "-s", `^(encoding/json|crypto|reflect|runtime|internal/bytealg|math)\.`, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	n, bad := 0, 0
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[1], "0x") {
			continue
		}
		hex := f[2]
		code := make([]byte, len(hex)/2)
		for i := range code {
			v, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			code[i] = byte(v)
		}
		if f[3] == "?" || len(code) == 0 {
			continue
		}
		n++
		if in := o.Decode(append(code, make([]byte, 16)...)); in.Size != len(code) {
			if bad++; bad < 10 {
				t.Logf("% x %s: %d bytes", code, f[3], in.Size)
			}
		}
	}
	// The disassembler does not know VEX itself, so a few lines are wrong there.
	if n < least || bad*1000 > n {
		t.Errorf("%d of %d instructions have another length", bad, n)
	}
	t.Logf("%d instructions, %d differ", n, bad)
}
