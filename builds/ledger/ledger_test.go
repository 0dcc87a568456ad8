package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

// bench is a ledger with two places whose caches hold what the test says a
// compiler wrote; the files have the go command's own format.
type bench struct {
	t       *testing.T
	cfg     Config
	work    string
	release int
}

func newBench(t *testing.T) *bench {
	return &bench{t: t, work: t.TempDir(), cfg: Config{
		Dir: t.TempDir(), Toolchain: "go1.26.8-abc", Sum: "h1:abc=", Secret: secret, Run: "run 0", Now: time.Unix(1_800_000_000, 0),
	}}
}

func hashOf(s string) actions.ID { return sha256.Sum256([]byte(s)) }

// pkg is a package: its action is its name and source, its output the text out.
type pkg struct {
	name, source, out string
	deps              []string
	cached            bool // in the first place before this release
}

func (b *bench) open() *Ledger {
	b.t.Helper()
	l, err := Open(b.cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return l
}

// graph is what go build -debug-actiongraph says of a build of the packages.
func (b *bench) graph(pkgs []pkg) actions.Graph {
	b.t.Helper()
	type node struct {
		ID                      int
		Mode, Package, ActionID string
		Deps                    []int
		Cmd                     []string `json:",omitempty"`
	}
	var nodes []node
	ids := map[string]int{}
	add := func(n node, executed bool) {
		if n.ID = len(nodes); executed {
			n.Cmd = []string{"tool"}
		}
		nodes = append(nodes, n)
	}
	for _, p := range pkgs {
		n := node{Mode: "build", Package: p.name, ActionID: hashOf(p.name + p.source).Short()}
		for _, d := range p.deps {
			n.Deps = append(n.Deps, ids[d])
		}
		ids[p.name] = len(nodes)
		add(n, !p.cached)
	}
	add(node{Mode: "link", Package: "m", ActionID: hashOf("link").Short()}, !slices.ContainsFunc(pkgs, func(p pkg) bool { return p.cached }))
	data, err := json.Marshal(nodes)
	if err != nil {
		b.t.Fatal(err)
	}
	g, err := actions.Read(bytes.NewReader(data))
	if err != nil {
		b.t.Fatal(err)
	}
	return g
}

func (b *bench) compile(cache string, p pkg) {
	b.t.Helper()
	c := &actions.Cache{Dir: cache}
	e := actions.Entry{Action: hashOf(p.name + p.source), Output: hashOf(p.out), Size: int64(len(p.out))}
	if _, ok := c.Find(e.Action.Short()); ok {
		return // a hit
	}
	object := filepath.Join(b.t.TempDir(), "o")
	if err := os.WriteFile(object, []byte(p.out), 0o644); err != nil {
		b.t.Fatal(err)
	}
	if err := c.Put(e, object, ""); err != nil {
		b.t.Fatal(err)
	}
}

// run is one release: it builds in both places, the second one seeded, and
// records. It returns the packages that the second place had to compile.
func (b *bench) run(l *Ledger, first, second []pkg, unprovable ...string) (Counts, *Recorder, []string) {
	b.t.Helper()
	b.release++
	cacheA := filepath.Join(b.work, "first")
	cacheB := filepath.Join(b.work, fmt.Sprint("second", b.release))
	u := Unit{ID: "release linux/amd64", Platform: "linux/amd64", Unprovable: func(p string) bool { return slices.Contains(unprovable, p) }}
	rec := l.NewRecorder(cacheA, cacheB)
	for _, p := range first {
		b.compile(cacheA, p)
	}
	if err := rec.Seed(b.t.Context(), u, b.graph(first)); err != nil {
		b.t.Fatal(err)
	}
	var compiled []string
	c := &actions.Cache{Dir: cacheB}
	for _, p := range second {
		if e, ok := c.Find(hashOf(p.name + p.source).Short()); ok {
			if sum, n, err := files.DigestOwn(b.t.Context(), c.Output(e.Output), actions.MaxOutput); err != nil || sum != e.Output.String() || n != e.Size {
				b.t.Errorf("%s: served an output of %d bytes with hash %s for %s, %v", p.name, n, sum, e.Output, err)
			}
			continue
		}
		compiled = append(compiled, p.name)
		b.compile(cacheB, p)
	}
	two := b.graph(second)
	for _, a := range two {
		a.Executed = a.Link || slices.Contains(compiled, a.Package)
	}
	if err := rec.Record(b.t.Context(), u, b.graph(first), two); err != nil {
		b.t.Fatal(err)
	}
	t, ok := rec.Counts(u.ID)
	if !ok {
		b.t.Fatal("no counts")
	}
	return t, rec, compiled
}

func product() []pkg {
	return []pkg{
		{name: "a", out: "A"},
		{name: "b", out: "B", deps: []string{"a"}},
		{name: "m", out: "M", deps: []string{"b"}},
	}
}

func cached(pkgs []pkg) []pkg {
	pkgs = slices.Clone(pkgs)
	for i := range pkgs {
		pkgs[i].cached = true
	}
	return pkgs
}

func (b *bench) want(got []string, want ...string) {
	b.t.Helper()
	if !slices.Equal(got, want) {
		b.t.Errorf("the second place compiled %q, want %q", got, want)
	}
}

// A proven action is not executed again; a changed one and the link are.
func TestProven(t *testing.T) {
	b := newBench(t)
	l := b.open()
	if l.HasProofs("linux/amd64") {
		t.Error("an empty ledger knows something")
	}
	counts, rec, compiled := b.run(l, product(), product())
	b.want(compiled, "a", "b", "m")
	if counts.Executed != 3 || counts.Again != 0 || len(counts.Proven) != 0 || counts.Links != 1 || counts.LinksAgain != 0 {
		t.Errorf("first release: %+v", counts)
	}
	if n := len(rec.Claims("m")); n != 2 {
		t.Errorf("%d claims, want those of a and b", n)
	}
	// What a release adds counts from the next time on.
	if l.HasProofs("linux/amd64") {
		t.Error("the ledger changed while it was open")
	}
	l = b.open()
	if !l.HasProofs("linux/amd64") || l.HasProofs("linux/arm64") {
		t.Error("HasProofs is wrong")
	}
	counts, rec, compiled = b.run(l, cached(product()), product())
	b.want(compiled)
	if counts.Executed != 0 || counts.Again != 0 || counts.Proven[2] != 3 || len(counts.Proven) != 1 || counts.Links != 1 || counts.LinksAgain != 1 {
		t.Errorf("second release: %+v", counts)
	}
	if n := len(rec.Claims("m")); n != 2 {
		t.Errorf("%d claims of proven actions", n)
	}
	changed := cached(product())
	changed[2] = pkg{name: "m", source: "changed", out: "M2", deps: []string{"b"}}
	counts, _, compiled = b.run(b.open(), changed, changed)
	b.want(compiled, "m")
	if counts.Executed != 1 || counts.Proven[2] != 2 {
		t.Errorf("main changed: %+v", counts)
	}
}

// What an earlier, killed release left in the first place's cache counts as
// executed there, and nowhere else.
func TestKilledBefore(t *testing.T) {
	b := newBench(t)
	counts, _, compiled := b.run(b.open(), cached(product()), product())
	b.want(compiled, "a", "b", "m")
	if counts.Again != 3 || counts.Executed != 0 {
		t.Errorf("%+v", counts)
	}
	counts, _, compiled = b.run(b.open(), cached(product()), product())
	b.want(compiled)
	if counts.Proven[2] != 3 {
		t.Errorf("%+v", counts)
	}
}

// Nothing that reads more than its action ID holds is ever taken from the ledger.
func TestUnprovable(t *testing.T) {
	b := newBench(t)
	for range 3 {
		counts, _, compiled := b.run(b.open(), product(), product(), "a")
		if counts.Unprovable != 1 || !slices.Contains(compiled, "a") {
			t.Errorf("%+v, compiled %q", counts, compiled)
		}
	}
	if s, err := b.open().Summary(t.Context()); err != nil || s.Actions != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

// The same inputs with another output: named, with both outputs and both runs,
// and nothing that depends on it is proven any more.
func TestDispute(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second string // outputs of b in the third release
	}{
		{"the first place differs now", "B?", "B?"},
		{"the second place differs", "B", "B?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.run(b.open(), product(), product())
			b.cfg.Run = "run 1"
			one, two := product(), product()
			one[1].out, two[1].out = c.first, c.second
			if c.first == "B" {
				one[1].cached = true
				// Something makes the second place compile it: its output is gone.
				os.RemoveAll(filepath.Join(b.cfg.Dir, b.cfg.Toolchain, "objects"))
				os.RemoveAll(filepath.Join(b.work, "first", "..", "none"))
			} else {
				os.RemoveAll(filepath.Join(b.work, "first")) // trimmed
			}
			if c.first == "B" {
				// The first place's own copy would serve as well.
				name := (&actions.Cache{Dir: filepath.Join(b.work, "first")}).Output(hashOf("B"))
				if err := os.WriteFile(name, []byte("?"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			_, rec, compiled := b.run(b.open(), one, two)
			if !slices.Contains(compiled, "b") {
				t.Errorf("compiled %q", compiled)
			}
			disputes := rec.Disputes()
			if len(disputes) != 1 || disputes[0].Package != "b" || disputes[0].Outputs != [2]actions.ID{hashOf("B"), hashOf("B?")} {
				t.Fatalf("%+v", disputes)
			}
			text := disputes[0].Error()
			if !strings.Contains(text, "package b ") || !strings.Contains(text, "run 0") && c.first != "B" || !strings.Contains(text, hashOf("B?").String()[:16]) {
				t.Error(text)
			}
			// b is disputed, m depends on it, a does not.
			l := b.open()
			counts, rec, compiled := b.run(l, product(), product())
			b.want(compiled, "b", "m")
			if counts.Proven[2]+counts.Proven[3] != 1 {
				t.Errorf("%+v", counts)
			}
			if n := len(rec.Disputes()); n != 1 {
				t.Errorf("%d disputes afterwards", n)
			}
			s, err := b.open().Summary(t.Context())
			if err != nil || len(s.Disputed) != 1 || s.Disputed[0].Package != "b" || s.Disputed[0].Withdrawn != 1 || len(s.Disputed[0].Runs) != 2 {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

// journalLines reads the lines of the ledger's one journal.
func (b *bench) journal() (string, []string) {
	b.t.Helper()
	name := b.open().journal()
	data, err := os.ReadFile(name)
	if err != nil {
		b.t.Fatal(err)
	}
	return name, strings.SplitAfter(strings.TrimSuffix(string(data), "\n"), "\n")
}

// Whatever is wrong with the ledger costs time, and is never believed.
func TestDamaged(t *testing.T) {
	rewrite := func(f func(lines []string) []string) func(*bench) {
		return func(b *bench) {
			name, lines := b.journal()
			if err := os.WriteFile(name, []byte(strings.Join(f(lines), "")), 0o600); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	object := func(f func(name string) error) func(*bench) {
		return func(b *bench) {
			// The first place's copy must not stand in for it.
			first := (&actions.Cache{Dir: filepath.Join(b.work, "first")}).Output(hashOf("A"))
			for _, name := range []string{b.open().object(hashOf("A")), first} {
				if err := os.Remove(name); err != nil {
					b.t.Fatal(err)
				}
				if err := f(name); err != nil {
					b.t.Fatal(err)
				}
			}
		}
	}
	for _, c := range []struct {
		name   string
		damage func(*bench)
		want   []string // compiled again
	}{
		{"nothing", func(*bench) {}, nil},
		{"no journal", func(b *bench) { name, _ := b.journal(); os.Remove(name) }, []string{"a", "b", "m"}},
		{"empty", rewrite(func([]string) []string { return nil }), []string{"a", "b", "m"}},
		{"garbage", rewrite(func([]string) []string { return []string{"\x00\xff\n\n\t\t\n"} }), []string{"a", "b", "m"}},
		{"cut off", rewrite(func(l []string) []string { l[5] = l[5][:len(l[5])/2]; return l }), []string{"m"}},
		{"a line missing", rewrite(func(l []string) []string { return l[1:] }), []string{"a"}},
		{"a bit flipped in each line", rewrite(func(l []string) []string {
			for i := range l {
				b := []byte(l[i])
				b[10+i] ^= 1
				l[i] = string(b)
			}
			return l
		}), []string{"a", "b", "m"}},
		// One execution, said to be two: the line of the first place changed into one of the second.
		{"forged place", rewrite(func(l []string) []string {
			var out []string
			for _, s := range l {
				if strings.Contains(s, "\tfirst\t") {
					out = append(out, s, strings.Replace(s, "\tfirst\t", "\tsecond\t", 1))
				}
			}
			return out
		}), []string{"a", "b", "m"}},
		{"written with another secret", func(b *bench) {
			name, lines := b.journal()
			other := newMAC([]byte("another secret of 32 characters!"), b.cfg.Sum)
			mine := newMAC(secret, b.cfg.Sum)
			var buf bytes.Buffer
			for _, s := range lines {
				e, err := mine.decode([]byte(strings.TrimSuffix(s, "\n")))
				if err != nil {
					b.t.Fatal(err)
				}
				line, err := other.encode(e)
				if err != nil {
					b.t.Fatal(err)
				}
				buf.Write(line)
			}
			os.WriteFile(name, buf.Bytes(), 0o600)
		}, []string{"a", "b", "m"}},
		{"the journal of another toolchain", func(b *bench) {
			_, lines := b.journal()
			b.cfg.Toolchain, b.cfg.Sum = "go1.26.8-def", "h1:def=" // same version, another compiler
			name := b.open().journal()
			os.MkdirAll(filepath.Dir(name), 0o755)
			os.WriteFile(name, []byte(strings.Join(lines, "")), 0o600)
		}, []string{"a", "b", "m"}},
		{"an altered compiler of the same version", func(b *bench) { b.cfg.Sum = "h1:altered=" }, []string{"a", "b", "m"}},
		{"output missing", object(func(string) error { return nil }), []string{"a"}},
		{"output cut off", object(func(n string) error { return os.WriteFile(n, nil, 0o644) }), []string{"a"}},
		{"output altered", object(func(n string) error { return os.WriteFile(n, []byte("X"), 0o644) }), []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.run(b.open(), product(), product())
			c.damage(b)
			counts, rec, compiled := b.run(b.open(), cached(product()), product())
			b.want(compiled, c.want...)
			if counts.Proven[2] != 3-len(c.want) || len(rec.Disputes()) != 0 {
				t.Errorf("%+v, %v", counts, rec.Disputes())
			}
			// One release later all is well again.
			_, _, compiled = b.run(b.open(), cached(product()), product())
			b.want(compiled)
		})
	}
}

// An output that the first place does not have is not served, whatever the
// ledger says of it.
func TestServesOnlyWhatTheFirstPlaceHas(t *testing.T) {
	b := newBench(t)
	forged := product()
	forged[0].out = "evil"
	b.run(b.open(), forged, forged) // both once gave it; now both caches are gone
	os.RemoveAll(filepath.Join(b.work, "first"))
	_, rec, compiled := b.run(b.open(), product(), product())
	if !slices.Contains(compiled, "a") || len(rec.Disputes()) != 1 {
		t.Errorf("compiled %q, disputes %v", compiled, rec.Disputes())
	}
}

func TestForeign(t *testing.T) {
	claims := []Claim{{"a", hashOf("a"), hashOf("A")}, {"b", hashOf("b"), hashOf("B")}}
	tc := fact.Toolchain{Version: "go1.26.8", Host: "linux/amd64", Sum: "h1:abc="}
	data, err := EncodeClaims(tc, claims)
	if err != nil {
		t.Fatal(err)
	}
	if again, list, err := DecodeClaims(data); err != nil || again != tc || len(list) != 2 {
		t.Fatalf("%v, %v, %v\n%s", again, list, err, data)
	}
	for _, bad := range [][]byte{
		data[:len(data)-2], append([]byte(" "), data...), append(slices.Clone(data), '{', '}'),
		bytes.Replace(data, []byte("ledger/v1"), []byte("ledger/v2"), 1),
		bytes.Replace(data, []byte(hashOf("a").String()), []byte("abcd"), 1),
		bytes.Replace(data, []byte(`"package":"a"`), []byte(`"package":"a\u001b"`), 1),
		bytes.Replace(data, []byte(`"package":"a"`), []byte(`"place":"a"`), 1),
		bytes.Replace(data, []byte(hashOf("a").String()), []byte(hashOf("b").String()), 1),
	} {
		if _, _, err := DecodeClaims(bad); err == nil {
			t.Errorf("accepted %s", bad)
		}
	}

	// One execution of ours and one of theirs make a proof.
	b := newBench(t)
	l := b.open()
	if err := l.AddClaims("alice", tc, claims); err != nil {
		t.Fatal(err)
	}
	for _, witnessed := range []bool{false, true} {
		if _, ok := l.proven(hashOf("a"), hashOf("other"), witnessed); ok {
			t.Error("another output is proven")
		}
	}
	if _, ok := l.proven(hashOf("a"), hashOf("A"), false); ok {
		t.Error("a foreign entry alone is a proof")
	}
	// An output that came from nobody knows where is no execution of ours.
	b.run(l, cached(product()), nil)
	_, _, compiled := b.run(l, cached(product()), product())
	b.want(compiled, "a", "b", "m")
	b = newBench(t)
	l = b.open()
	if err := l.AddClaims("alice", tc, claims); err != nil {
		t.Fatal(err)
	}
	counts, _, compiled := b.run(l, product(), product())
	b.want(compiled, "m")
	if counts.Foreign != 2 || counts.Proven[2] != 2 || counts.Executed != 1 {
		t.Errorf("%+v", counts)
	}
	// It is not written down: without her, there was one execution.
	counts, _, compiled = b.run(b.open(), cached(product()), product())
	b.want(compiled, "a", "b")
	if counts.Proven[2] != 1 || counts.Foreign != 0 {
		t.Errorf("%+v", counts)
	}

	// Two rebuilders, of whom one is wrong: a dispute, and no proof.
	b = newBench(t)
	l = b.open()
	wrong := slices.Clone(claims)
	wrong[0].Output = hashOf("evil")
	if err := l.AddClaims("alice", tc, claims); err != nil {
		t.Fatal(err)
	}
	if err := l.AddClaims("mallory", tc, wrong); err != nil {
		t.Fatal(err)
	}
	_, rec, compiled := b.run(l, product(), product())
	b.want(compiled, "a", "m")
	if al := rec.Disputes(); len(al) != 1 || al[0].Package != "a" || !strings.Contains(al[0].Error(), "mallory") {
		t.Errorf("%v", al)
	}

	if err := b.open().AddClaims("bob", fact.Toolchain{Version: "go1.26.8", Host: "linux/amd64", Sum: "h1:other="}, claims); err == nil {
		t.Error("a ledger of another toolchain was believed")
	}
}

// Releases at the same time, and one that was killed amid a line.
func TestConcurrent(t *testing.T) {
	b := newBench(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			l, err := Open(b.cfg)
			if err != nil {
				t.Error(err)
				return
			}
			var list []*execution
			for j := range 200 {
				name := fmt.Sprintf("p%d-%d", i, j)
				for _, place := range []string{firstPlace, secondPlace} {
					list = l.appendNew(list, &execution{Action: hashOf(name), Output: hashOf("o" + name), Place: place, Run: "r", Package: name})
				}
			}
			for chunk := range slices.Chunk(list, 7) {
				if err := l.write(t.Context(), chunk); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if l := b.open(); len(l.entries) != 1600 || l.unread != 0 {
		t.Errorf("%d entries, %d bad lines", len(l.entries), l.unread)
	}
	name, lines := b.journal()
	if err := os.WriteFile(name, []byte(strings.Join(lines, "")[:10_000]), 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(b.open().entries)
	l := b.open()
	if err := l.write(t.Context(), []*execution{{Action: hashOf("new"), Output: hashOf("o"), Place: firstPlace}}); err != nil {
		t.Fatal(err)
	}
	if l := b.open(); len(l.entries) != before+1 || l.unread != 1 {
		t.Errorf("%d entries before, %d after, %d bad lines", before, len(l.entries), l.unread)
	}
}

func TestPrune(t *testing.T) {
	b := newBench(t)
	b.run(b.open(), product(), product())
	changed := cached(product())
	changed[2] = pkg{name: "m", source: "changed", out: "M2", deps: []string{"b"}}
	b.cfg.Now = b.cfg.Now.Add(100 * 24 * time.Hour)
	for range 2 { // the second time, all is served, and so used
		b.run(b.open(), changed, changed)
	}
	old := b.open().object(hashOf("M"))
	then := b.cfg.Now.Add(-100 * 24 * time.Hour)
	if err := os.Chtimes(old, then, then); err != nil {
		t.Fatal(err)
	}
	stray := filepath.Join(filepath.Dir(old), ".new-123")
	if err := os.WriteFile(stray, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	n, freed, err := b.open().Prune(t.Context(), b.cfg.Now.Add(-time.Hour))
	if err != nil || n != 1 || freed != 1 {
		t.Errorf("forgot %d actions, %d bytes, %v", n, freed, err)
	}
	if _, err := os.Stat(stray); err == nil {
		t.Error("a stray file is still there")
	}
	_, _, compiled := b.run(b.open(), changed, changed)
	b.want(compiled)
	_, _, compiled = b.run(b.open(), cached(product()), product())
	b.want(compiled, "m")
	if err := b.open().Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, compiled = b.run(b.open(), cached(product()), product())
	b.want(compiled, "a", "b", "m")
	list, err := OpenAll(b.cfg)
	if err != nil || len(list) != 1 || len(list[0].entries) != 3 {
		t.Errorf("%v, %v", list, err)
	}
}

func FuzzJournal(f *testing.F) {
	m := newMAC(secret, "h1:abc=")
	line, err := m.encode(&execution{Action: hashOf("a"), Output: hashOf("o"), Size: 3, Place: firstPlace, Run: "r", Platform: "linux/amd64", Package: "a/b", Deps: []string{hashOf("d").Short()}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.TrimSuffix(line, []byte("\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		// Whoever knows the secret can sign anything: what is read is written again the same.
		signed := fmt.Appendf(slices.Clone(data), "%x", newMAC(secret, "h1:abc=").sum(data))
		for _, line := range [][]byte{data, signed} {
			e, err := newMAC(secret, "h1:abc=").decode(line)
			if err != nil {
				continue
			}
			again, err := newMAC(secret, "h1:abc=").encode(e)
			if err != nil || !bytes.Equal(bytes.TrimSuffix(again, []byte("\n")), line) {
				t.Errorf("%q was read, and is written as %q, %v", line, again, err)
			}
		}
	})
}

func FuzzClaims(f *testing.F) {
	data, err := EncodeClaims(fact.Toolchain{Version: "go1.26.8", Host: "linux/amd64", Sum: "h1:abc="}, []Claim{{"a", hashOf("a"), hashOf("A")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if tc, claims, err := DecodeClaims(data); err == nil {
			if again, err := EncodeClaims(tc, claims); err != nil || !bytes.Equal(again, data) {
				t.Errorf("%q is written as %q, %v", data, again, err)
			}
		}
	})
}
