package sizes

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPackageOf(t *testing.T) {
	for name, want := range map[string]string{
		"main.main":                               "main",
		"runtime.(*mheap).alloc":                  "runtime",
		"github.com/a/b/c.(*T).M.func1":           "github.com/a/b/c",
		"gopkg.in/yaml%2ev3.Marshal":              "gopkg.in/yaml.v3",
		"vendor/golang.org/x/net/idna.ToASCII":    "vendor/golang.org/x/net/idna",
		"slices.SortFunc[go.shape.[]a/b.T,x/y.Z]": "slices",
		"type:.eq.example.com/x.T":                "example.com/x",
		"type..hash.[4]example.com/x.T":           "example.com/x",
		"type:.eq.struct { a int }":               "",
		"go:itab.*os.File,io.Reader":              "os",
		"go:buildid":                              "",
		"_rt0_amd64":                              "",
		"go:main.inittasks":                       "main",
		"":                                        "",
		".":                                       "",
		"/.x":                                     "",
	} {
		if got := PackageOf(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestModulesOf(t *testing.T) {
	m := Modules{Known: true, Main: Mod{"example.com/a", "v1"}, Deps: []Mod{{"example.com/a/nested", "v2"}, {"example.org/b", "v3"}}}
	for pkg, want := range map[string]string{
		"main": "own example.com/a", "example.com/a/x": "own example.com/a", "example.com/a/nested/y": "dependency example.com/a/nested",
		"example.com/ab": "dependency example.com/ab", "example.org/b": "dependency example.org/b", "net/http": "std std", "vendor/golang.org/x/net": "std std", "": "none ",
	} {
		group, mod := m.Of(pkg)
		if got := group + " " + mod.Path; got != want {
			t.Errorf("%s: %q, want %q", pkg, got, want)
		}
	}
}

// TestClaims compares the resolution of claims with the obvious way to do it,
// byte by byte.
func TestClaims(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		file := make([]byte, 1+rnd.IntN(200))
		for i := range file {
			file[i] = byte(rnd.IntN(2))
		}
		c := newClaims(int64(len(file)))
		for range rnd.IntN(30) {
			c.add(int64(rnd.IntN(220)-10), int64(rnd.IntN(80)-5), Kind(rnd.IntN(int(numKinds))), Confidence(rnd.IntN(3)), uint8(rnd.IntN(4)), c.pkg(string(rune('a'+rnd.IntN(4)))), "")
		}
		rs := c.ranges(file)
		l := &Breakdown{Size: int64(len(file)), Ranges: rs}
		for _, r := range rs {
			l.Totals.add(r.Confidence, r.Size)
		}
		if err := l.Check(); err != nil {
			t.Fatal(err)
		}
		for at := range file {
			best := -1
			for i, x := range c.list {
				if int64(at) >= x.off && int64(at) < x.end && (best < 0 || x.rank < c.list[best].rank) {
					best = i
				}
			}
			var in Range
			for _, r := range rs {
				if int64(at) >= r.Offset && int64(at) < r.Offset+r.Size {
					in = r
				}
			}
			if best < 0 {
				if in.Package != "" || in.Kind != Padding && in.Kind != Other {
					t.Fatalf("byte %d is %+v, nobody claims it", at, in)
				}
			} else if x := c.list[best]; in.Package != c.name(x.pkg) || in.Kind != x.kind || in.Confidence != x.conf {
				t.Fatalf("byte %d is %+v, not %+v", at, in, x)
			}
		}
	}
}

// views are a summary and a breakdown of the fixture.
func views(t *testing.T) (*Breakdown, *Summary) {
	l := analyzed(t, fixture(t, build{"local", "linux/amd64", true, ""}), Options{})
	return l, Summarize(l)
}

func TestSummary(t *testing.T) {
	_, s := views(t)
	var groups, modules, packages, kinds int64
	for _, g := range s.Groups {
		groups += g.Size
		for _, m := range g.Modules {
			modules += m.Size
			for _, p := range m.Packages {
				packages += p.Size
				var k int64
				for _, a := range p.Kinds {
					k += a.Size
				}
				if k != p.Size {
					t.Errorf("%s: kinds add up to %d of %d", p.Path, k, p.Size)
				}
			}
		}
	}
	for _, k := range s.Kinds {
		kinds += k.Size
	}
	if groups != s.Size || modules != s.Size || packages != s.Size || kinds != s.Size || s.Totals.Sum() != s.Size {
		t.Errorf("groups %d, modules %d, packages %d, kinds %d of %d", groups, modules, packages, kinds, s.Size)
	}
	found := false
	for _, g := range s.Groups {
		for _, m := range g.Modules {
			if m.Path == "example.org/dep" {
				found = g.Name == GroupDependency && strings.HasPrefix(m.Version, "./dep")
				if !found {
					t.Errorf("the dependency is %s %q", g.Name, m.Version)
				}
			}
		}
	}
	if !found {
		t.Error("the dependency is missing")
	}
	if top := Top(s, 3); len(top) != 3 || top[0].Name != "runtime" || top[0].Size < top[1].Size {
		t.Errorf("top %+v", top)
	}
	if s.BSS < 1<<12 {
		t.Errorf("%d bytes of bss", s.BSS)
	}
}

// TestTreemap: well-formed, the same twice, everything inside its frame.
func TestTreemap(t *testing.T) {
	_, s := views(t)
	svg := TreemapSVG(s)
	if svg != TreemapSVG(s) {
		t.Error("not the same twice")
	}
	d := xml.NewDecoder(strings.NewReader(svg))
	rects := 0
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "rect" {
			rects++
		}
	}
	if rects < 30 {
		t.Errorf("%d rectangles", rects)
	}
	for _, want := range []string{"runtime", "prefers-color-scheme:dark", "standard library"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q", want)
		}
	}
	if TreemapSVG(&Summary{}) == "" {
		t.Error("nothing for an empty summary")
	}
}

// TestTreemapNames: what the authors chose comes first, and no name stands for two
// packages, however little room there is.
func TestTreemapNames(t *testing.T) {
	group := func(name, module string, paths ...string) Group {
		g := Group{Name: name, Modules: []Module{{Mod: Mod{Path: module, Version: "v1.0.0"}}}}
		for _, p := range paths {
			g.Modules[0].Packages = append(g.Modules[0].Packages, Package{Path: p, Size: 100})
			g.Modules[0].Size += 100
		}
		g.Size = g.Modules[0].Size
		return g
	}
	s := &Summary{Groups: []Group{
		group(GroupStd, "std", "sync", "internal/sync", "encoding/json", "internal/runtime/sys", "errors", "internal/runtime/maps", "maps"),
		group(GroupDependency, "github.com/o/sync/v2", "github.com/o/sync/v2", "github.com/o/sync/v2/errgroup", "github.com/o/sync/v2/internal/json"),
		group(GroupOwn, "github.com/example/"+strings.Repeat("long/", 30)+"tool", "main", "github.com/example/"+strings.Repeat("long/", 30)+"tool/internal/sync", "github.com/example/"+strings.Repeat("long/", 30)+"tool/words"),
		group("\"><script>", "x", "x"),
	}}
	for _, g := range s.Groups {
		s.Size += g.Size
	}
	svg := TreemapSVG(s)
	own, dep, std := strings.Index(svg, `class="own"`), strings.Index(svg, `class="dependency"`), strings.Index(svg, `class="std"`)
	if own < 0 || dep < own || std < dep {
		t.Errorf("own code is at %d, dependencies at %d, the standard library at %d", own, dep, std)
	}
	if strings.Contains(svg, "<script") {
		t.Error("a group's name became markup")
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`<text [^>]*>([^<]*)</text>`).FindAllStringSubmatch(svg, -1) {
		if seen[m[1]] {
			t.Errorf("%q stands there twice", m[1])
		}
		seen[m[1]] = true
	}
	for _, want := range []string{"sync", "internal/sync", "errgroup", "words", "main"} {
		if !seen[want] {
			t.Errorf("no %q among %v", want, seen)
		}
	}
}

func TestSQL(t *testing.T) {
	l, _ := views(t)
	l.Ranges[0].Symbol = "it's \x00\xff odd"
	var b bytes.Buffer
	if err := WriteSQL(&b, l); err != nil {
		t.Fatal(err)
	}
	sqlite, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("sqlite3 is not installed")
	}
	db := filepath.Join(t.TempDir(), "db")
	cmd := exec.Command(sqlite, "-bail", db)
	cmd.Stdin = &b
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(sqlite, db, "SELECT (SELECT sum(size) FROM ranges) = (SELECT size FROM info), (SELECT origin FROM packages WHERE path='example.org/dep')").CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "1|dependency" {
		t.Errorf("%v: %s", err, out)
	}
}

// TestDelta: the changes add up; a moved package is matched.
func TestDelta(t *testing.T) {
	l, _ := views(t)
	same := Compare(l, l)
	if len(same.Packages)+len(same.Kinds)+len(same.Modules) > 0 {
		t.Errorf("a file differs from itself: %+v", same)
	}
	moved := *l
	moved.File, moved.Ranges = "new", append([]Range(nil), l.Ranges...)
	for i, r := range moved.Ranges {
		if r.Package == "text/template" {
			moved.Ranges[i].Package = "internal/elsewhere/template"
			moved.Ranges[i].Symbol = strings.Replace(r.Symbol, "text/template.", "internal/elsewhere/template.", 1)
		}
	}
	moved.Size += 100
	moved.Ranges = append(moved.Ranges, Range{Offset: l.Size, Size: 100, Package: "example.org/dep", Symbol: "example.org/dep.More", Kind: Text})
	moved.Modules.Deps = []Mod{{"example.org/dep", "v2"}}
	d := Compare(l, &moved)
	var sum, causes, kinds int64
	var was string
	for _, c := range d.Packages {
		sum += c.Grown()
		if c.Name == "internal/elsewhere/template" {
			was = c.Was
			if c.Grown() != 0 {
				t.Errorf("moved: %+d", c.Grown())
			}
		}
		if c.Name == "example.org/dep" && (c.Cause != CauseUpgrade || c.Grown() != 100) {
			t.Errorf("dependency: %+v", c)
		}
		if c.Name == "text/template" {
			t.Error("the old place is a loss")
		}
	}
	for _, c := range d.Causes {
		causes += c.Grown()
	}
	for _, c := range d.Kinds {
		kinds += c.Grown()
	}
	if was != "text/template" || sum != 100 || causes != 100 || kinds != 100 {
		t.Errorf("was %q; packages %d, causes %d, kinds %d", was, sum, causes, kinds)
	}
	if len(d.Modules) != 1 || d.Modules[0].NewVersion != "v2" || d.Modules[0].Cause != CauseUpgrade {
		t.Errorf("modules %+v", d.Modules)
	}
}

// TestFat puts two Mach-O files into one.
func TestFat(t *testing.T) {
	var slices [][]byte
	for _, p := range []string{"darwin/amd64", "darwin/arm64"} {
		b, err := os.ReadFile(fixture(t, build{"local", p, true, ""}))
		if err != nil {
			t.Fatal(err)
		}
		slices = append(slices, b)
	}
	var fat []byte
	fat = binary.BigEndian.AppendUint32(fat, 0xcafebabe)
	fat = binary.BigEndian.AppendUint32(fat, 2)
	off := uint32(1 << 14)
	for i, cpu := range []uint32{0x01000007, 0x0100000c} {
		for _, v := range []uint32{cpu, 0, off, uint32(len(slices[i])), 14} {
			fat = binary.BigEndian.AppendUint32(fat, v)
		}
		off = (off + uint32(len(slices[i])) + 1<<14 - 1) &^ (1<<14 - 1)
	}
	for _, b := range slices {
		fat = append(fat, make([]byte, -len(fat)&(1<<14-1))...)
		fat = append(fat, b...)
	}
	path := filepath.Join(t.TempDir(), "fat")
	if err := os.WriteFile(path, fat, 0o755); err != nil {
		t.Fatal(err)
	}
	if r := reachOf(analyzed(t, path, Options{})); r < 93 {
		t.Errorf("reach %.2f %%", r)
	}
}

func TestNotABinary(t *testing.T) {
	p := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(p, []byte("just text, and more of it"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Analyze(t.Context(), p, Options{}); err == nil || !strings.Contains(err.Error(), p) {
		t.Errorf("error %v", err)
	}
	if _, err := Analyze(t.Context(), t.TempDir(), Options{}); err == nil {
		t.Error("a directory is analysed")
	}
}
