package parcel

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// partPlan is a plan of three units.
func partPlan() *plan.Plan {
	p := &plan.Plan{Schema: fact.PlanSchema, Project: "p", Go: "go1.26.8"}
	for _, arch := range []string{"amd64", "arm64", "riscv64"} {
		p.Units = append(p.Units, &plan.Unit{
			Profile: "release", Platform: "linux/" + arch, Env: []string{"GOOS=linux", "GOARCH=" + arch},
			Mains: []fact.Main{{Package: "example.com/p", Binary: "p"}, {Package: "example.com/q", Binary: "q"}},
		})
	}
	return p
}

// makePart is the first of two shards of the plan, with two units.
func makePart(t testing.TB) (*plan.Plan, []byte) {
	t.Helper()
	p := partPlan()
	id, err := p.ID()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	spool, err := os.Create(filepath.Join(dir, "spool"))
	if err != nil {
		t.Fatal(err)
	}
	defer spool.Close()
	tc := fact.Toolchain{Version: "go1.26.8", Host: "linux/amd64", Sum: "h1:x"}
	w := NewPartWriter(Header{Version: "1.0.0", Plan: id, Shard: 1, Shards: 2, Build: "first", Toolchain: tc}, spool)
	for i, u := range w.Of().Units(p) {
		o := &execute.Outcome{By: "first", Actions: actions.Graph{}, Ran: fact.Execution{Host: fact.Host{Name: "a", System: "linux/amd64"}}}
		for _, m := range u.Mains {
			data := []byte(u.Platform + m.Binary)
			name := filepath.Join(dir, u.Key()+m.Binary)
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
			o.Products = append(o.Products, execute.Product{Main: m, Path: name, SHA256: files.DigestBytes(data), Size: int64(len(data))})
		}
		nonce := strings.Repeat(string(rune('a'+i)), 2*NonceSize)
		r, err := New("1.0.0", Job{Plan: id, Profile: u.Profile, Platform: u.Platform, Build: "first", Nonce: nonce}, tc, time.Unix(1, 0), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Add(t.Context(), r, o); err != nil {
			t.Fatal(err)
		}
	}
	var part bytes.Buffer
	if err := w.Write(t.Context(), &part); err != nil {
		t.Fatal(err)
	}
	return p, part.Bytes()
}

// readPart reads a part as a merge does.
func readPart(t testing.TB, p *plan.Plan, data []byte) (*Part, []*Entry, error) {
	part, err := OpenPart(bytes.NewReader(data), "1.0.0")
	if err != nil {
		return nil, nil, err
	}
	list, err := part.Read(t.Context(), p, filepath.Join(t.TempDir(), "part"))
	return part, list, err
}

// TestPart: what was written is read, and any other bit is an error.
func TestPart(t *testing.T) {
	p, data := makePart(t)
	part, list, err := readPart(t, p, data)
	if err != nil {
		t.Fatal(err)
	}
	units := part.Of().Units(p)
	if len(units) != 2 || len(list) != 2 {
		t.Fatalf("%d outcomes of %d units", len(list), len(units))
	}
	for i, e := range list {
		o, err := e.Outcome("first")
		if err != nil || e.PlanUnit() != units[i] || len(o.Products) != 2 || o.Ran.Nonce != e.Nonce || o.Ran.Here {
			t.Errorf("%v, %v of %s", err, o, e.Unit())
		}
		for _, x := range o.Products {
			if got, err := os.ReadFile(x.Path); err != nil || string(got) != e.Platform+x.Main.Binary || filepath.Base(x.Path) != x.Main.Binary {
				t.Errorf("%s: %q, %v", x.Path, got, err)
			}
		}
	}
	for i := 0; i < len(data); i += 61 { // no divisor of a block's size: every field of a header is met
		altered := bytes.Clone(data)
		altered[i] ^= 0x20
		got, list, err := readPart(t, p, altered)
		if err == nil && !sameMeaning(part, got, list) {
			t.Errorf("byte %d may be another one: %+v", i, got)
		}
	}
	for _, n := range []int{0, 1, 512, len(data) / 2, len(data) - 1600} {
		if _, _, err := readPart(t, p, data[:n]); err == nil {
			t.Errorf("the first %d of %d bytes are a part", n, len(data))
		}
	}
	if _, _, err := readPart(t, p, append(bytes.Clone(data), 0)); err == nil || !strings.Contains(err.Error(), "1 bytes follow") {
		t.Errorf("what follows: %v", err)
	}
}

// sameMeaning reports whether a part that was altered says what it said before, but for
// what only its reader can hold against something: to the padding of a tar nobody looks.
func sameMeaning(want, got *Part, list []*Entry) bool {
	a, b := want.Header, got.Header
	if !slices.Equal(a.Receipts, b.Receipts) || len(list) != len(a.Receipts) {
		return false
	}
	for i, e := range list {
		if files.DigestBytes(e.Signed) != a.Receipts[i] {
			return false
		}
	}
	return true
}

// TestPartRefused: a part has what its header says, and its shard, each once.
func TestPartRefused(t *testing.T) {
	p, data := makePart(t)
	for _, tt := range []struct {
		name string
		edit func(name string, data []byte) []byte // nil: the member is left out
		want string
	}{
		{"another version", replace("part.json", `"version":"1.0.0"`, `"version":"0.9.0"`), `made by mintmark "0.9.0", and this is mintmark "1.0.0"`},
		{"another form", replace("part.json", "parcel/v1", "parcel/v2"), "made by mintmark"},
		{"no part", replace("part.json", "https://github.com/mintmark", "https://example.com"), "not a part of a release"},
		{"two spellings", replace("part.json", `"shard":1`, `"shard": 1`), "not in canonical form"},
		{"unknown key", replace("part.json", `"shard":1`, `"what":1,"shard":1`), "unknown field"},
		{"no such shard", replace("part.json", `"shard":1`, `"shard":3`), "there are 1 to 1000 shards"},
		{"another shard", replace("part.json", `"shard":1`, `"shard":2`), "it is not of shard 2/2"},
		{"too many shards", replace("part.json", `"shards":2`, `"shards":1000000000`), "there are 1 to 1000 shards"},
		{"another place", replace("part.json", `"build":"first"`, `"build":"second"`), "its receipt is for the first build, and the part has second builds"},
		{"another toolchain", replace("part.json", "h1:x", "h1:y"), `by the toolchain "go1.26.8" "h1:x", not by "h1:y"`},
		{"another receipt", replace("0/receipt.json", `"name":"a"`, `"name":"b"`), "its receipt is not the one that part.json names"},
		{"a product", replace("0/product-1", "q", "x"), "0/product-1 has the sha256"},
		{"no product", replace("0/product-1", "", ""), "1/receipt.json\" in the place of 0/product-1"},
		{"no second outcome", replace("1/", "", ""), "it ends before the outcome of this unit"},
	} {
		var to bytes.Buffer
		w, r := tar.NewWriter(&to), tar.NewReader(bytes.NewReader(data))
		for {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if content = tt.edit(h.Name, content); content == nil {
				continue
			}
			h.Size = int64(len(content))
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(content); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := readPart(t, p, to.Bytes()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestSparse: what lies in few bytes and is large when it is read is refused.
func TestSparse(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	h := &tar.Header{Name: "0/receipt.json", Mode: 0o644, Size: 1, Format: tar.FormatPAX, PAXRecords: map[string]string{
		"XNU.sparse.major": "0", "XNU.sparse.minor": "1", "XNU.sparse.name": "0/receipt.json", "XNU.sparse.size": "1000000", "XNU.sparse.numblocks": "1", "XNU.sparse.map": "0,1",
	}}
	if err := errors.Join(w.WriteHeader(h), func() error { _, err := w.Write([]byte("{")); return err }(), w.Close()); err != nil {
		t.Fatal(err)
	}
	data := bytes.ReplaceAll(b.Bytes(), []byte("XNU.sparse"), []byte("GNU.sparse"))
	if got, err := tar.NewReader(bytes.NewReader(data)).Next(); err != nil || got.Size != 1000000 {
		t.Fatalf("that is no sparse file: %+v, %v", got, err)
	}
	if _, err := Read(t.Context(), tar.NewReader(bytes.NewReader(data)), partPlan(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "0/receipt.json is a sparse file") {
		t.Errorf("%v", err)
	}
}

// replace edits a member; without texts it leaves out all whose names begin so.
func replace(member, from, to string) func(string, []byte) []byte {
	return func(name string, data []byte) []byte {
		switch {
		case from == "" && strings.HasPrefix(name, member):
			return nil
		case name == member:
			return bytes.Replace(data, []byte(from), []byte(to), 1)
		}
		return data
	}
}

// FuzzPart: whatever a part is, reading it ends, and of what is accepted every receipt
// and product is as its digest says.
func FuzzPart(f *testing.F) {
	p, data := makePart(f)
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add(data[:len(data)-1024])
	for _, s := range [][2]string{{`"shard":1`, `"shard":2`}, {"first", "other"}, {"0/product-0", "0/product-9"}, {"receipts", "reciepts"}} {
		f.Add(bytes.Replace(data, []byte(s[0]), []byte(s[1]), 1))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		part, list, err := readPart(t, p, data)
		if err != nil {
			return
		}
		if len(list) != len(part.Receipts) || len(list) != len(part.Of().Units(p)) {
			t.Errorf("%d outcomes of %d", len(list), len(part.Receipts))
		}
		for i, e := range list {
			if files.DigestBytes(e.Signed) != part.Receipts[i] {
				t.Errorf("receipt %d is another one", i)
			}
			for k, x := range e.Products {
				if sum, _, err := files.Digest(t.Context(), e.product(k)); err != nil || sum != x.SHA256 {
					t.Errorf("product %d: %s, %v", k, sum, err)
				}
			}
		}
	})
}
