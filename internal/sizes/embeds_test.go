package sizes

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
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

// embedsDir makes the program with its assets and tables.
var embedsDir = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mintmark-embeds-")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "embeds"))); err != nil {
		return "", err
	}
	for _, a := range assets {
		p := filepath.Join(dir, filepath.FromSlash(a.path))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(p, asset(a.path, a.size), 0o644); err != nil {
			return "", err
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "package main\n\nconst literal = %q\n", asset("literal", 40_000))
	if err := os.WriteFile(filepath.Join(dir, "literal.go"), b.Bytes(), 0o644); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "table", "tables.go"), tables(), 0o644)
})

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

func (x *truth) add(l *Ledger, off, n int64, pkg string) {
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
// contain, with the packages that embed them.
func assetTruth(t *testing.T, l *Ledger) (all truth, each []string) {
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
		all.right, all.wrong, all.none = all.right+one.right, all.wrong+one.wrong, all.none+one.none
		each = append(each, fmt.Sprintf("%s: %v", a.path, one))
	}
	return all, each
}

// variableTruth compares the owners of variables but the assets with the symbol
// table of an unstripped link.
func variableTruth(l, exact *Ledger) (x truth) {
	const large = 50_000
	for _, r := range exact.Ranges {
		if r.Kind == Variable && r.Confidence == Exact && r.Package != "" && r.Size < large {
			x.add(l, r.Offset, r.Size, r.Package)
		}
	}
	return x
}

func TestEmbeds(t *testing.T) {
	for _, c := range []struct {
		build
		exotic bool
	}{
		{build: build{"local", "linux/amd64", true, ""}},
		{build: build{"local", "linux/arm64", true, ""}},
		{build: build{"local", "darwin/arm64", true, ""}},
		{build: build{"local", "windows/amd64", true, ""}},
		{build: build{"local", "linux/amd64", true, "-buildmode=pie"}},
		{build{"local", "linux/386", true, ""}, true},
		{build{"local", "linux/arm", true, ""}, true},
		{build{"local", "linux/mips", true, ""}, true},
		{build{"local", "linux/mipsle", true, ""}, true},
		{build{"local", "linux/mips64le", true, ""}, true},
		{build{"local", "linux/riscv64", true, ""}, true},
		{build{"local", "linux/s390x", true, ""}, true},
		{build{"local", "linux/ppc64le", true, ""}, true},
		{build{"local", "linux/loong64", true, ""}, true},
	} {
		t.Run(strings.ReplaceAll(strings.TrimSpace(c.platform+" "+c.flags), " ", "_"), func(t *testing.T) {
			stripped := program(t, "embeds", c.build)
			c.strip = false
			twin := program(t, "embeds", c.build)
			l, exact, own := analyzed(t, stripped, Options{}), analyzed(t, stripped, Options{Twin: twin}), analyzed(t, twin, Options{})
			files, each := assetTruth(t, l)
			ownFiles, _ := assetTruth(t, own)
			vars, ownVars := variableTruth(l, exact), variableTruth(exact, exact)
			t.Logf("stripped: assets %v; variables %v", files, vars)
			t.Logf("unstripped: assets %v; variables %v", ownFiles, ownVars)
			if os.Getenv("DBG") != "" {
				wrong := map[string]int64{}
				for _, r := range exact.Ranges {
					if r.Kind == Variable && r.Confidence == Exact && r.Package != "" && r.Size < 50000 {
						var x truth
						x.add(l, r.Offset, r.Size, r.Package)
						if x.right < x.sum() {
							wrong[fmt.Sprintf("%8d %8d %s", x.wrong, x.none, r.Symbol)] = x.wrong + x.none
						}
					}
				}
				for s, n := range wrong {
					if n > 200 {
						t.Log(s)
					}
				}
			}
			for _, s := range each {
				if !strings.Contains(s, "right 100.00") {
					t.Log(s)
				}
			}
		})
	}
}
