package sizes

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin"
)

// assets are the embedded files of testdata/embeds: path in the program's
// directory, bytes, and the package that embeds it.
var assets = []struct {
	path, pkg string
	size      int
}{
	{"blob.bin", "main", 300_000},
	{"text.bin", "main", 200_000},
	{"counted.bin", "main", 250_000},
	{"said.bin", "main", 120_000},
	{"site/index.html", "main", 90_000},
	{"site/js/app.js", "main", 270_000},
	{"site/small.txt", "main", 700},
	{"quiet/counted.bin", "example.com/embeds/quiet", 180_000},
	{"store/page.bin", "example.com/embeds/store", 150_000},
	{"store/files/own.bin", "example.com/embeds/store", 220_000},
	{"store/files/other.bin", "example.com/embeds/store", 3_000},
}

// looksLikeAddress are numbers spread over where programs have their data on all
// systems.
func looksLikeAddress(n int) []uint64 {
	out := make([]uint64, n)
	bases := []uint64{0x10000, 0x400000, 0x8048000, 0x140000000, 0x100000000}
	for i := range out {
		out[i] = bases[i%len(bases)] + uint64(i/len(bases))*0x1000*uint64(len(bases)) + uint64(i%7)*8
	}
	return out
}

// asset is the contents of an asset: random, with words that look like addresses.
func asset(name string, size int) []byte {
	rnd := rand.New(rand.NewPCG(uint64(size), uint64(len(name))))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	for i, a := range looksLikeAddress(size / 256) {
		binary.LittleEndian.PutUint64(b[256*i:], a)
		binary.BigEndian.PutUint32(b[256*i+16:], uint32(a))
	}
	return b
}

// grownBy is how many bytes larger an asset of the grown program is.
const grownBy = 150_000

// makeEmbeds makes the program of testdata/embeds with its assets and tables in a
// directory, if it is not there yet. The grown one has a larger asset, and uses a
// dependency.
func makeEmbeds(dir string, grown bool) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "embeds"))); err != nil {
		return err
	}
	write := func(name string, b []byte) error {
		p := filepath.Join(dir, filepath.FromSlash(name))
		return errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, b, 0o644))
	}
	var errs []error
	for _, a := range assets {
		b := asset(a.path, a.size)
		if grown && a.path == "blob.bin" {
			b = asset(a.path, a.size+grownBy)
		}
		errs = append(errs, write(a.path, b))
	}
	more := "func more() int { return 0 }\n"
	if grown {
		more = "import \"example.org/dep\"\n\nfunc more() int { return dep.More(len(blob)) }\n"
	}
	return errors.Join(append(errs,
		write("literal.go", fmt.Appendf(nil, "package main\n\nconst literal = %q\n", asset("literal", 40_000))),
		write("more.go", []byte("package main\n\n"+more)),
		write("table/tables.go", tables()))...)
}

// tables is the source of what package table has.
func tables() []byte {
	var b bytes.Buffer
	list := func(format string, n int, f func(i int) any) {
		for i := range n {
			fmt.Fprintf(&b, format, f(i))
		}
		b.WriteString("}\n\n")
	}
	numbers := looksLikeAddress(2000)
	b.WriteString("package table\n\nvar Wide = []uint32{")
	list("%d,", 6000, func(i int) any { return uint32(i * 2654435761) })
	b.WriteString("var Array = [20000]uint16{")
	list("%d,", 20000, func(i int) any { return uint16(i * 40503) })
	b.WriteString("var Numbers = []struct{ low uint64 }{")
	list("{%d},", len(numbers), func(i int) any { return numbers[i] })
	b.WriteString("type word struct{ text string; number int }\n\nvar words = []word{")
	list("%s,", 300, func(i int) any { return fmt.Sprintf("{%q, %d}", fmt.Sprint("word ", i), uint32(numbers[i])>>1) })
	b.WriteString("func constants() []uint64 { return []uint64{")
	list("%d,", 1000, func(i int) any { return numbers[2*i] })
	b.WriteString("}\n\nfunc local(n int) byte {\n\tb := []byte{")
	list("%d,", 5000, func(i int) any { return byte(i * 167) })
	b.WriteString("\treturn b[n]\n}\n")
	return b.Bytes()
}

// truth is how many bytes of data have the right owner, a wrong one, and none.
type truth struct{ right, wrong, none int64 }

func (x *truth) add(l *Breakdown, off, n int64, pkg string) {
	wrong, none := wrongIn(l, off, n, pkg), wrongIn(l, off, n, "")
	x.right += n - wrong
	x.none += n - none
	x.wrong += wrong - (n - none)
}

func (x truth) sum() int64 { return x.right + x.wrong + x.none }

func (x truth) share(n int64) float64 { return 100 * float64(n) / float64(max(1, x.sum())) }

func (x truth) String() string {
	return fmt.Sprintf("right %.2f %%, wrong %.2f %%, none %.2f %% of %d", x.share(x.right), x.share(x.wrong), x.share(x.none), x.sum())
}

// assetTruth compares the owners of the assets, found in the file by what they
// contain, with the packages that embed them, and logs those that are not right.
func assetTruth(t *testing.T, l *Breakdown) (all truth) {
	t.Helper()
	b, err := os.ReadFile(l.File)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range assets {
		var one truth
		off := bytes.Index(b, asset(a.path, a.size))
		if off < 0 {
			t.Fatalf("%s is not in %s", a.path, l.File)
		}
		one.add(l, int64(off), int64(a.size), a.pkg)
		if one.right < one.sum() {
			t.Logf("%s: %v", a.path, one)
		}
		all.right, all.wrong, all.none = all.right+one.right, all.wrong+one.wrong, all.none+one.none
	}
	return all
}

// variableTruth compares the owners of variables of less than a size with the
// symbol table of an unstripped link.
func variableTruth(l, exact *Breakdown, less int64) (x truth) {
	for _, r := range exact.Ranges {
		if r.Kind == Variable && r.Confidence == Exact && r.Package != "" && r.Size < less {
			x.add(l, r.Offset, r.Size, r.Package)
		}
	}
	return x
}

// TestEmbeds compares whose large data is with what is known of it: assets by
// their contents, variables by the symbol table of an unstripped link. What the
// program has of numbers that look like addresses must not matter.
func TestEmbeds(t *testing.T) {
	for _, c := range []build{
		{"local", "linux/amd64", true, ""},
		{"go1.23.12", "linux/amd64", true, ""},
		{"local", "linux/arm64", true, ""},
		{"local", "darwin/arm64", true, ""},
		{"local", "windows/amd64", true, ""},
		{"local", "linux/amd64", true, "-buildmode=pie"},
		{"local", "linux/386", true, ""},
		{"local", "linux/arm", true, ""},
		{"local", "linux/mips", true, ""},
		{"local", "linux/mips64le", true, ""},
		{"local", "linux/riscv64", true, ""},
		{"local", "linux/s390x", true, ""},
		{"local", "linux/ppc64le", true, ""},
		{"local", "linux/loong64", true, ""},
	} {
		t.Run(strings.NewReplacer("/", "-", " ", "_").Replace(c.String()), func(t *testing.T) {
			stripped := program(t, "embeds", c)
			c.strip = false
			twin := program(t, "embeds", c)
			for _, l := range []*Breakdown{analyzed(t, stripped, Options{}), analyzed(t, twin, Options{})} {
				files := assetTruth(t, l)
				t.Logf("symbols %s: assets %v", l.SymbolsFrom, files)
				if files.share(files.right) < 99 {
					t.Errorf("symbols %s: assets %v", l.SymbolsFrom, files)
				}
				checkEmbedded(t, l)
			}
			if !strings.HasPrefix(c.platform, "linux/") {
				return // the symbols there have no sizes
			}
			guess, exact := analyzed(t, stripped, Options{}), analyzed(t, stripped, Options{Twin: twin})
			all, small := variableTruth(guess, exact, 1<<40), variableTruth(guess, exact, 50_000)
			t.Logf("all variables %v; those below 50,000 bytes %v", all, small)
			// Where planted numbers lead, what was known is not known; nobody gets it.
			if all.share(all.right) < 98 || small.share(small.right) < 80 || small.share(small.wrong) > 4 {
				t.Errorf("all variables %v; those below 50,000 bytes %v", all, small)
			}
		})
	}
}

// checkEmbedded: each file of an embed.FS has a row of its own.
func checkEmbedded(t *testing.T, l *Breakdown) {
	t.Helper()
	want := map[string]int64{
		"main site/index.html": 90_000, "main site/js/app.js": 270_000, "main site/small.txt": 700,
		"example.com/embeds/store files/own.bin": 220_000, "example.com/embeds/store files/other.bin": 3_000,
	}
	got := map[string]int64{}
	for _, f := range Summarize(l).Embedded {
		got[f.Package+" "+f.Name] += f.Size
	}
	if !maps.Equal(got, want) {
		t.Errorf("embedded files %v, want %v", got, want)
	}
}

// TestGrown: of two versions of a program the larger asset and the new dependency
// are what grew, by what they have and by nothing else's bytes. Where numbers in
// the one lead into data of the other, these bytes may become unknown, but not
// somebody's growth.
func TestGrown(t *testing.T) {
	c := build{"local", "linux/amd64", true, ""}
	old, now := analyzed(t, program(t, "embeds", c), Options{}), analyzed(t, program(t, "grown", c), Options{})
	d := Compare(old, now)
	const slack = 4096 // code, tables and alignment
	var sum, packages int64
	for _, x := range d.Causes {
		sum += x.Grown()
		switch {
		case x.Name == CauseOwn && (x.Grown() < grownBy*9/10 || x.Grown() > grownBy+slack):
			t.Errorf("%s: %+d, the asset grew by %d", x.Name, x.Grown(), grownBy)
		case x.Name == CauseAdded && (x.Grown() <= 0 || x.Grown() > slack):
			t.Errorf("%s: %+d", x.Name, x.Grown())
		}
	}
	for _, x := range d.Packages {
		packages += x.Grown()
		if x.Name != "main" && x.Name != "" && x.Grown() > slack {
			t.Errorf("%s: %+d", x.Name, x.Grown())
		}
	}
	if grown := d.NewSize - d.OldSize; sum != grown || packages != grown {
		t.Errorf("the causes add up to %+d and the packages to %+d of %+d", sum, packages, grown)
	}
	if !slices.ContainsFunc(d.Causes, func(x Change) bool { return x.Name == CauseAdded }) {
		t.Errorf("no dependency was added: %+v", d.Causes)
	}
}

// TestPointers: the mask of the garbage collector and the relocations say the same
// of the words of the data segment.
func TestPointers(t *testing.T) {
	for _, c := range []build{
		{"local", "linux/amd64", true, "-buildmode=pie"},
		{"local", "windows/amd64", true, ""},
		{"local", "darwin/arm64", true, ""},
	} {
		b, err := os.ReadFile(program(t, "embeds", c))
		if err != nil {
			t.Fatal(err)
		}
		f, err := gobin.Parse(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		m := newImage(f, b)
		m.version()
		m.relocate()
		if err := m.readFunctions(); err != nil || m.mod == nil {
			t.Fatalf("%v: no module data: %v", c, err)
		}
		mask := m.pointerMask()
		both, missing := 0, 0
		for w := range uint64(8 * len(mask)) {
			at := m.mod.data[0] + w*m.ptr
			if mask[w/8]>>(w%8)&1 == 0 || m.section(m.wordAt(at)) == nil {
				continue
			}
			if _, ok := slices.BinarySearch(m.places, at); ok {
				both++
			} else {
				missing++
			}
		}
		if both < 500 || missing > 0 {
			t.Errorf("%v: %d pointers of the mask are relocated, %d are not", c, both, missing)
		}
	}
}

// TestGCProgram runs programs as the runtime does.
func TestGCProgram(t *testing.T) {
	for _, c := range []struct {
		program string
		most    uint64
		want    string // nil when it is refused
	}{
		{"\x03\x05\x00", 8, "\x05"},
		{"\x03\x05\x83\x01\x00", 8, "\x2d"},                  // three bits, once more
		{"\x01\x01\x81\x07\x00", 8, "\xff"},                  // one bit, seven times more
		{"\x09\xff\x01\x80\x09\x01\x00", 24, "\xff\xff\x03"}, // the count behind
		{"\x03\x05\x83\x03\x00", 8, ""},                      // too many
		{"\x03\x05", 8, ""},                                  // no end
		{"\x81\x01\x00", 8, ""},                              // of nothing
		{"\x00", 8, ""},
		{"\x7f", 8, ""},
	} {
		if got := string(runGCProgram([]byte(c.program), c.most)); got != c.want {
			t.Errorf("%x: %x, want %x", c.program, got, c.want)
		}
		if n := gcProgramSize([]byte(c.program + "\x07")); c.want != "" && n != uint64(len(c.program)) {
			t.Errorf("%x: %d bytes", c.program, n)
		}
	}
}

// FuzzRefs: no code makes the readers of any architecture panic, or refer to what
// is no data of the file.
func FuzzRefs(f *testing.F) {
	f.Add([]byte("\x17\x05\x00\x00\x13\x05\x05\x00\xc0\x10\x00\x00\x00\x10"))
	f.Fuzz(func(t *testing.T, code []byte) {
		for _, arch := range []string{"amd64", "386", "arm64", "arm", "mips", "mipsle", "mips64", "riscv64", "s390x", "ppc64", "ppc64le", "loong64"} {
			file := &gobin.File{Format: gobin.ELF, Arch: arch, PtrSize: 8, Big: arch == "mips" || arch == "s390x" || arch == "ppc64", Sections: []gobin.Section{
				{Name: ".text", Kind: gobin.KindCode, Size: int64(len(code)), Addr: 0x1000},
				{Name: ".rodata", Kind: gobin.KindROData, Size: int64(len(code)), Addr: 0x40000000},
			}}
			m := newImage(file, code)
			m.fn = &functions{text: file.Sections[0], start: []uint32{0, uint32(len(code))}, pkg: []int32{m.pkg("main")}, name: []string{"main.main"}}
			m.readRefs()
			for _, r := range m.refs {
				if r.to < 0x40000000 || r.to >= 0x40000000+uint64(len(code)) {
					t.Errorf("%s: %#x", arch, r.to)
				}
			}
		}
	})
}

// TestSameContents: the linker keeps equal contents once, and the row names all
// the files that would have to go for the bytes to go.
func TestSameContents(t *testing.T) {
	dir := t.TempDir()
	text := strings.Repeat("the same in both\n", 5000)
	for name, data := range map[string]string{
		"go.mod": "module example.com/same\n\ngo 1.24\n", "a/one.txt": text, "a/two.txt": text, "a/other.txt": text[1:],
		"main.go": "package main\n\nimport \"embed\"\n\n//go:embed a\nvar fs embed.FS\n\nfunc main() { f, _ := fs.ReadFile(\"a/one.txt\"); println(len(f)) }\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", "same")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := map[string]int64{}
	for _, f := range Summarize(analyzed(t, filepath.Join(dir, "same"), Options{})).Embedded {
		got[f.Name] += f.Size
	}
	if want := map[string]int64{"a/one.txt = a/two.txt": int64(len(text)), "a/other.txt": int64(len(text) - 1)}; !maps.Equal(got, want) {
		t.Errorf("embedded files %v, want %v", got, want)
	}
}
