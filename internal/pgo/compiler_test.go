package pgo

import (
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// edge is a call that the compiler counts.
type edge struct {
	caller, callee string
	offset         int64 // of the line, from the function's first
}

// edges are the calls that we say the compiler counts, by their weight.
func edges(p *Profile) map[edge]int64 {
	out := map[edge]int64{}
	for _, s := range p.Stacks {
		for caller, callee := range s.calls {
			if s.Values[0] > 0 {
				out[edge{caller.Function, callee.Function, caller.Line - caller.StartLine}] += s.Values[0]
			}
		}
	}
	return out
}

// compiler lets Go's own reader of profiles write down all calls: what the
// compiler uses of a profile.
func compiler(t testing.TB) func(data []byte) map[edge]int64 {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the go command")
	}
	tool, err := exec.Command("go", "tool", "-n", "preprofile").Output()
	if err != nil {
		t.Fatalf("go tool -n preprofile: %v", err)
	}
	dir := t.TempDir()
	return func(data []byte) map[edge]int64 {
		t.Helper()
		in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
		if err := os.WriteFile(in, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if b, err := exec.Command(strings.TrimSpace(string(tool)), "-i", in, "-o", out).CombinedOutput(); err != nil {
			t.Fatalf("go tool preprofile: %v\n%s", err, b)
		}
		pre, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(pre), "\n")
		if lines[0] != "GO PREPROFILE V1" || len(lines)%3 != 2 {
			t.Fatalf("not as expected:\n%s", pre)
		}
		all := map[edge]int64{}
		for i := 1; i+2 < len(lines); i += 3 {
			offset, weight, _ := strings.Cut(lines[i+2], " ")
			o, err := strconv.ParseInt(offset, 10, 64)
			w, err2 := strconv.ParseInt(weight, 10, 64)
			if err != nil || err2 != nil {
				t.Fatalf("%q", lines[i:i+3])
			}
			all[edge{lines[i], lines[i+1], o}] = w
		}
		return all
	}
}

func same(t *testing.T, what string, got, want map[edge]int64) {
	t.Helper()
	for e, w := range want {
		if got[e] != w {
			t.Errorf("%s: %v weighs %d, want %d", what, e, got[e], w)
		}
	}
	for e, w := range got {
		if _, ok := want[e]; !ok {
			t.Errorf("%s: %v weighs %d, and is no call", what, e, w)
		}
	}
}

func sum(a, b map[edge]int64) map[edge]int64 {
	out := maps.Clone(a)
	for e, w := range b {
		out[e] += w
	}
	return out
}

func merged(t testing.TB, ps ...*Profile) *Profile {
	t.Helper()
	m, err := Merge(ps...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// raw writes profiles that no [Profile] is: with addresses, several locations at
// one, code without names, functions of one name.
type raw struct {
	kinds     []string // of [samplesCount] and [cpuTime], samples first unless told
	functions []rawName
	locations []rawAt
	samples   []rawSample
}

type rawAt struct {
	address uint64
	lines   []rawLine // functions from 1, 0 is none
}

func (r raw) encode() []byte {
	e := &encoder{strings: map[string]uint64{"": 0}, table: []string{""}}
	if r.kinds == nil {
		r.kinds = []string{samplesCount, cpuTime}
	}
	for _, k := range r.kinds {
		e.kind(1, k)
	}
	for _, s := range r.samples {
		e.top.message(2, func(w *writer) { w.packed(1, s.locations); w.packed(2, s.values) })
	}
	for i, l := range r.locations {
		e.top.message(4, func(w *writer) {
			w.number(1, uint64(i+1))
			w.number(3, l.address)
			for _, l := range l.lines {
				w.message(4, func(w *writer) { w.number(1, l.function); w.number(2, uint64(l.line)) })
			}
		})
	}
	for i, f := range r.functions {
		e.top.message(5, func(w *writer) {
			w.number(1, uint64(i+1))
			w.number(2, e.text(f.name))
			w.number(4, e.text(f.file))
			w.number(5, uint64(f.start))
		})
	}
	for _, s := range e.table {
		e.top.bytes(6, []byte(s))
	}
	return e.top.b
}

// random is a profile in which all that could be confused is near to each other.
func random(r *rand.Rand, kinds ...string) raw {
	p := raw{kinds: kinds, functions: []rawName{{"m.a", "x.go", 3}, {"m.a", "y.go", 3}, {"m.b", "x.go", 3}, {"m.b", "x.go", 9}, {"", "x.go", 0}, {"m.c", "z.go", 1}}}
	for range 12 {
		l := rawAt{address: r.Uint64N(6) * 0x40_0000}
		for range r.IntN(4) {
			l.lines = append(l.lines, rawLine{r.Uint64N(7), 3 + r.Int64N(2)})
		}
		p.locations = append(p.locations, l)
	}
	for range 60 {
		s := rawSample{values: []uint64{r.Uint64N(4), r.Uint64N(4) * 10}}
		for range r.IntN(6) {
			s.locations = append(s.locations, 1+r.Uint64N(12))
		}
		p.samples = append(p.samples, s)
	}
	return p
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".pprof"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCompiler: whatever the compiler uses of a profile is the same after it was
// read, merged and written, and two profiles merged are their sum; by the word of
// go tool preprofile.
func TestCompiler(t *testing.T) {
	preprofile := compiler(t)
	r := rand.New(rand.NewPCG(1, 2))
	type pair struct {
		name string
		a, b []byte
	}
	cases := []pair{
		{"sort and text", fixture(t, "sort"), fixture(t, "text")},
		{"sort twice", fixture(t, "sort"), fixture(t, "sort")},
	}
	for _, c := range constructed {
		cases = append(cases, pair{c.name, c.profile.encode(), c.profile.encode()})
	}
	for range 5 {
		cases = append(cases, pair{"random", random(r).encode(), random(r).encode()},
			pair{"random, CPU time first", random(r, cpuTime, samplesCount).encode(), random(r, cpuTime, samplesCount).encode()})
	}
	for _, c := range cases {
		a, b := parse(t, c.a), parse(t, c.b)
		theirsA, theirsB := preprofile(c.a), preprofile(c.b)
		same(t, c.name+": counted by us", edges(a), theirsA)
		same(t, c.name+": merged alone", preprofile(merged(t, a).Encode()), theirsA)
		same(t, c.name+": merged with another", preprofile(merged(t, a, b).Encode()), sum(theirsA, theirsB))
	}
	if t.Failed() {
		return
	}
	// The fixture is worth something only with a call that its address alone makes one.
	blind := parse(t, fixture(t, "sort"))
	for _, s := range blind.Stacks {
		for i := range s.Frames {
			s.Frames[i].Place = 0
		}
	}
	if maps.Equal(edges(blind), preprofile(fixture(t, "sort"))) {
		t.Error("sort.pprof has no line with several addresses that calls itself: record it again")
	}
}

var constructed = []struct {
	name    string
	profile raw
	want    map[edge]int64
}{
	{"recursion at one address is no call", raw{
		functions: []rawName{{"m.f", "x.go", 10}, {"m.g", "x.go", 20}},
		locations: []rawAt{{0x10, []rawLine{{1, 12}}}, {0x20, []rawLine{{2, 21}}}},
		samples:   []rawSample{{locations: []uint64{1, 1, 2}, values: []uint64{5, 50}}, {locations: []uint64{1, 2}, values: []uint64{1, 10}}},
	}, map[edge]int64{{"m.g", "m.f", 1}: 1}},
	{"recursion at two addresses of one line", raw{
		functions: []rawName{{"m.f", "x.go", 10}},
		locations: []rawAt{{0x10, []rawLine{{1, 12}}}, {0x18, []rawLine{{1, 12}}}},
		samples:   []rawSample{{locations: []uint64{1, 2, 1}, values: []uint64{5, 50}}, {locations: []uint64{2, 1}, values: []uint64{1, 10}}, {locations: []uint64{1, 1}, values: []uint64{7, 70}}},
	}, map[edge]int64{{"m.f", "m.f", 2}: 6}},
	{"three deep in two addresses, the inner two count", raw{
		functions: []rawName{{"m.f", "x.go", 10}},
		locations: []rawAt{{0x10, []rawLine{{1, 12}}}, {0x18, []rawLine{{1, 12}}}},
		samples:   []rawSample{{locations: []uint64{1, 1, 2}, values: []uint64{5, 50}}, {locations: []uint64{2, 1, 1}, values: []uint64{2, 20}}},
	}, map[edge]int64{{"m.f", "m.f", 2}: 2}},
	{"inlined into itself", raw{
		functions: []rawName{{"m.f", "x.go", 10}, {"m.g", "x.go", 20}},
		locations: []rawAt{{0x10, []rawLine{{1, 12}, {1, 12}, {2, 21}}}, {0x18, []rawLine{{1, 12}, {1, 13}}}},
		samples:   []rawSample{{locations: []uint64{1, 2}, values: []uint64{3, 30}}},
	}, map[edge]int64{{"m.g", "m.f", 1}: 3, {"m.f", "m.f", 3}: 3, {"m.f", "m.g", 2}: 3}},
	{"a call twice in a stack counts once", raw{
		functions: []rawName{{"m.f", "x.go", 10}, {"m.g", "x.go", 20}},
		locations: []rawAt{{0x10, []rawLine{{1, 12}, {2, 21}, {1, 12}, {2, 21}}}},
		samples:   []rawSample{{locations: []uint64{1}, values: []uint64{4, 40}}},
	}, map[edge]int64{{"m.g", "m.f", 1}: 4, {"m.f", "m.g", 2}: 4}},
	{"code without a name between two functions", raw{
		functions: []rawName{{"m.f", "x.go", 10}, {"m.g", "x.go", 20}},
		locations: []rawAt{{0x10, []rawLine{{1, 12}}}, {0x18, nil}, {0x20, nil}, {0x28, []rawLine{{2, 21}}}, {0x30, []rawLine{{0, 5}}}},
		samples: []rawSample{{locations: []uint64{1, 2, 4}, values: []uint64{5, 50}}, {locations: []uint64{2, 3, 4}, values: []uint64{2, 20}},
			{locations: []uint64{5, 4}, values: []uint64{1, 10}}, {locations: []uint64{2, 2, 4}, values: []uint64{9, 90}}},
	}, map[edge]int64{{"", "m.f", 0}: 5, {"", "", 0}: 2, {"m.g", "", 1}: 1}},
	{"one name in two files is one function", raw{
		functions: []rawName{{"m.f", "x.go", 10}, {"m.f", "y.go", 10}},
		locations: []rawAt{{0x10, []rawLine{{1, 12}}}, {0x10, []rawLine{{2, 12}}}, {0x18, []rawLine{{2, 12}}}},
		samples:   []rawSample{{locations: []uint64{1, 2}, values: []uint64{5, 50}}, {locations: []uint64{1, 3}, values: []uint64{1, 10}}},
	}, map[edge]int64{{"m.f", "m.f", 2}: 1}},
	{"two locations at one address", raw{
		functions: []rawName{{"m.f", "x.go", 10}, {"m.g", "x.go", 20}},
		locations: []rawAt{{0x10, []rawLine{{1, 12}, {2, 21}}}, {0x10, []rawLine{{2, 21}}}, {0x18, []rawLine{{2, 21}}}},
		samples:   []rawSample{{locations: []uint64{1, 2}, values: []uint64{5, 50}}, {locations: []uint64{1, 3}, values: []uint64{1, 10}}, {locations: []uint64{3, 1, 2}, values: []uint64{2, 20}}},
	}, map[edge]int64{{"m.g", "m.f", 1}: 8, {"m.g", "m.g", 1}: 1, {"m.f", "m.g", 2}: 2}},
}

// TestCounted is the same without the go command, for profiles that were thought
// of and for hundreds that were not.
func TestCounted(t *testing.T) {
	for _, c := range constructed {
		p := parse(t, c.profile.encode())
		same(t, c.name, edges(p), c.want)
		same(t, c.name+", merged", edges(parse(t, merged(t, p).Encode())), c.want)
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		a, err := Parse(random(r).encode())
		b, err2 := Parse(random(r).encode())
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		same(t, "alone", edges(parse(t, merged(t, a).Encode())), edges(a))
		both := merged(t, a, b)
		same(t, "both", edges(parse(t, both.Encode())), sum(edges(a), edges(b)))
		if got := merged(t, b, merged(t, a)).Encode(); string(got) != string(both.Encode()) {
			t.Error("another order gives other bytes")
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
