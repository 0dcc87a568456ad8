package pgo

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
)

func parse(t testing.TB, data []byte) *Profile {
	t.Helper()
	p, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMerge(t *testing.T) {
	a, b := parse(t, fixture(t, "sort")), parse(t, fixture(t, "text"))
	c := merged(t, a, a, b)
	merge := func(ps ...*Profile) *Profile { return merged(t, ps...) }
	// The merged profile is committed and published: whoever merges the same ones,
	// with any version of mintmark, gets the same file.
	if got := fmt.Sprintf("%x", sha256.Sum256(merge(a, b).Encode())); got != "12b23f56a31d711f185258deaacf0cd63a3252accd8d788cbde324079cd17460" {
		t.Errorf("sort and text have other bytes than they used to have: %s", got)
	}
	want := merge(a, b, c).Encode()
	for _, ps := range [][]*Profile{{c, b, a}, {b, a, c}, {merge(a, b), c}, {a, merge(c, b)}, {merge(c, b, a)}} {
		if !bytes.Equal(merge(ps...).Encode(), want) {
			t.Error("another order gives other bytes")
		}
	}
	if got := parse(t, want); !bytes.Equal(got.Encode(), want) || !reflect.DeepEqual(got, merge(a, b, c)) {
		t.Error("what was written is not what is read")
	}
	n, cpu := a.Totals()
	if n2, cpu2 := merge(a, a).Totals(); n2 != 2*n || cpu2 != 2*cpu || n == 0 || cpu == 0 {
		t.Errorf("twice %d, %d is %d, %d", n, cpu, n2, cpu2)
	}
	if len(merge(a, a).Stacks) != len(merge(a).Stacks) {
		t.Error("the same stacks were not added up")
	}
	// Another rate: samples cannot be added, time can.
	slow := *c
	slow.Period *= 10
	if m := merge(a, &slow); !slices.Equal(m.Kinds, []string{cpuTime}) || m.Period != 0 || !bytes.Equal(m.Encode(), merge(&slow, a).Encode()) {
		t.Errorf("%v %d", m.Kinds, m.Period)
	}
	counts := Profile{Kinds: []string{samplesCount}, Period: a.Period, Stacks: []Stack{{call("main.a", "main.b"), []int64{5}}}}
	if m := merge(a, &counts); !slices.Equal(m.Kinds, []string{samplesCount}) {
		t.Errorf("%v", m.Kinds)
	}
	counts.Period = 1
	if _, err := Merge(a, &counts); err == nil || !strings.Contains(err.Error(), "in common") {
		t.Errorf("%v", err)
	}
	huge := Profile{Kinds: []string{cpuTime}, Stacks: []Stack{{call("main.a", "main.b"), []int64{1 << 62}}}}
	if _, err := Merge(&huge, &huge); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("%v", err)
	}
	if _, err := Merge(); err == nil {
		t.Error("nothing was merged")
	}
}

// call is a stack of the functions, the innermost first.
func call(names ...string) (frames []Frame) {
	for _, n := range names {
		frames = append(frames, Frame{Function: n, File: "x.go", StartLine: 3, Line: 4})
	}
	return frames
}

func TestParseRefuses(t *testing.T) {
	good := fixture(t, "sort")
	raw, err := decompress(good)
	if err != nil {
		t.Fatal(err)
	}
	parsed := parse(t, good)
	encode := func(change func(*Profile)) []byte {
		p := *parsed
		p.Kinds, p.Stacks = slices.Clone(p.Kinds), slices.Clone(p.Stacks)
		change(&p)
		return p.Encode()
	}
	var heap bytes.Buffer
	if err := pprof.WriteHeapProfile(&heap); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"empty", "is empty", nil},
		{"text", "is no CPU profile of pprof, or damaged: byte 0", []byte("garbage, not a profile\n")},
		{"zeros", "is no CPU profile of pprof", make([]byte, 100)},
		{"gzip of nothing", "no string table", zip(t, nil)},
		{"gzip of text", "is no CPU profile", zip(t, []byte("garbage"))},
		{"cut short", "decompressing: unexpected EOF", good[:len(good)/2]},
		{"cut short inside", "longer than what is left", raw[:len(raw)-3]},
		{"heap", "is no CPU profile: it holds", heap.Bytes()},
		{"no samples", "has no samples", encode(func(p *Profile) { p.Stacks = nil })},
		{"samples of zero", "has no samples", encode(func(p *Profile) { p.Stacks = []Stack{{call("a.b", "a.c"), []int64{0, 0}}} })},
		{"no calls", "only functions on their own", encode(func(p *Profile) { p.Stacks = []Stack{{call("a.b"), []int64{1, 1}}} })},
		{"no first lines", "start_line", encode(func(p *Profile) {
			fr := call("a.b", "a.c")
			fr[0].StartLine, fr[1].StartLine = 0, 0
			p.Stacks = []Stack{{fr, []int64{1, 1}}}
		})},
		{"recursion only", "calling themselves", encode(func(p *Profile) { p.Stacks = []Stack{{call("a.b", "a.b"), []int64{1, 1}}} })},
		{"a name of two lines", "line break", encode(func(p *Profile) { p.Stacks = []Stack{{call("a.b\na.c", "a.d"), []int64{1, 1}}} })},
		{"deep", "thousands of frames", encode(func(p *Profile) { p.Stacks = []Stack{{call(slices.Repeat([]string{"a.b"}, 5000)...), []int64{1, 1}}} })},
		{"negative", "negative value", encode(func(p *Profile) { p.Stacks = []Stack{{call("a.b", "a.c"), []int64{-1, 1}}} })},
		{"values missing", "with 1 values, not 2", encode(func(p *Profile) { p.Stacks = []Stack{{call("a.b", "a.c"), []int64{1}}} })},
		{"twice the same kind", "is no CPU profile", encode(func(p *Profile) { p.Kinds[0] = p.Kinds[1] })},
		{"not UTF-8", "is not UTF-8", encode(func(p *Profile) { p.Stacks = []Stack{{call("a.b\xff", "a.c"), []int64{1, 1}}} })},
		{"location missing", "location 9, which is not there", message(func(w *writer) {
			w.packed(1, []uint64{9})
			w.packed(2, []uint64{1})
		})},
	} {
		if _, err := Parse(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// message is a profile of samples/count with one sample.
func message(sample func(*writer)) []byte {
	var w writer
	w.message(1, func(w *writer) { w.number(1, 1); w.number(2, 2) })
	w.message(2, sample)
	for _, s := range []string{"", "samples", "count"} {
		w.bytes(6, []byte(s))
	}
	return w.b
}

func zip(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestCompare(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.go": "package a\n\ntype T[P any] struct{}\n\nfunc (t *T[P]) Method() {}\nfunc (T2) Value() {}\n\ntype T2 int\n\nfunc F() {}\nfunc Generic[P any]() {}\nfunc asm()\n",
		"a.s":  "#include \"textflag.h\"\n\nTEXT ·body<ABIInternal>(SB), NOSPLIT, $0\n\tRET\nTEXT runtime·other(SB), NOSPLIT, $0-8\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	declared := func(pkg string) *Declarations {
		if pkg == "main" || pkg == "example.com/m/a" || pkg == "gopkg.in/a.v3" {
			return Declared(dir, []string{"a.go", "missing.go"})
		}
		return nil
	}
	for name, want := range map[string]bool{
		"main.F": true, "main.G": false, "example.com/m/a.F.func1.2": true, "example.com/m/a.(*T[...]).Method": true,
		"example.com/m/a.(*T[go.shape.struct { a/b.C }]).Method.func1": true, "example.com/m/a.T2.Value": true, "example.com/m/a.(*T2).Value-fm": true,
		"example.com/m/a.(*T).Gone": false, "example.com/m/a.T2.F": false, "example.com/m/a.Generic[go.shape.int]": true, "example.com/m/a.F-range1": true,
		"example.com/m/a.asm": true, "example.com/m/a.body": true, "example.com/m/a.other": true, "example.com/m/a.init.0": true, "example.com/m/a.glob..func3": true,
		"gopkg.in/a%2ev3.F": true, "gopkg.in/a.v3.F": false, "example.com/other.F": false, "example.com/m/a.(*T).Method": true,
	} {
		p := &Profile{Kinds: []string{samplesCount}, Stacks: []Stack{{call(name, "main.F"), []int64{10}}}}
		f := p.Compare(declared)
		if got := f.Share == 1; got != want || f.Stale() == want || len(f.Gone) > 1 || !want && f.Gone[0] != (Weight{name, 1}) {
			t.Errorf("%s: %+v, want there: %v", name, f, want)
		}
	}
	p := &Profile{Kinds: []string{samplesCount}, Stacks: []Stack{
		{call("main.F"), []int64{60}}, {call("main.old", "main.F"), []int64{30}}, {call("main.older"), []int64{10}},
		{call("epoll_wait"), []int64{50}}, {call("type:.eq.example.com/m/a.T", "main.F"), []int64{50}}, {nil, []int64{9}},
	}}
	if f := p.Compare(declared); f.Share != 0.6 || f.Foreign != 0.5 || !slices.Equal(f.Gone, []Weight{{"main.old", 0.3}, {"main.older", 0.1}}) || !f.Stale() {
		t.Errorf("%+v", f)
	}
	if f := (&Profile{}).Compare(declared); f.Share != 1 || f.Stale() {
		t.Errorf("%+v", f)
	}
}

// TestCompareReal: nearly all of a profile of Go's own code is in code that exists.
func TestCompareReal(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	p := parse(t, fixture(t, "text"))
	var names []string
	p.Compare(func(pkg string) *Declarations { names = append(names, pkg); return nil })
	out, err := exec.Command("go", append([]string{"list", "-e", "-f", "{{.ImportPath}} {{.Dir}}"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		dirs[name] = dir
	}
	known := map[string]*Declarations{}
	f := p.Compare(func(pkg string) *Declarations {
		dir := dirs[pkg]
		if dir == "" || known[pkg] != nil {
			return known[pkg]
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
		for i := range files {
			files[i] = filepath.Base(files[i])
		}
		known[pkg] = Declared(dir, files)
		return known[pkg]
	})
	if f.Share < 0.95 || dirs["runtime"] == "" {
		t.Errorf("%+v, %v", f, dirs)
	}
}

func FuzzParse(f *testing.F) {
	p := Profile{Kinds: []string{samplesCount, cpuTime}, Period: 10, Duration: 7, Stacks: []Stack{{call("main.a", "main.b"), []int64{5, 6}}}}
	p.Stacks[0].Frames[0].Inlined = true
	f.Add(p.Encode())
	f.Add(zip(f, p.Encode()))
	f.Add(fixture(f, "sort"))
	f.Add(fixture(f, "text"))
	for _, c := range constructed {
		f.Add(c.profile.encode())
	}
	f.Add(message(func(w *writer) { w.packed(1, []uint64{9}) }))
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data)
		if err != nil {
			return
		}
		again, err := Parse(p.Encode())
		if err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		if !reflect.DeepEqual(again, p) {
			t.Fatalf("%+v became %+v", p, again)
		}
		m, err := Merge(p)
		if err != nil {
			return // too large
		}
		if !maps.Equal(edges(m), edges(p)) {
			t.Fatalf("the compiler counts %v, merged %v", edges(p), edges(m))
		}
		again2, err := Merge(m)
		if err != nil || !bytes.Equal(again2.Encode(), m.Encode()) {
			t.Fatalf("merged again, other bytes (%v)", err)
		}
		p.Compare(func(string) *Declarations { return nil })
	})
}
