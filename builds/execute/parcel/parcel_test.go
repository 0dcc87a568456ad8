package parcel

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// thePlan has a unit of two programs, and one of a library.
func thePlan() *plan.Plan {
	return &plan.Plan{Schema: fact.PlanSchema, Units: []*plan.Unit{
		{Profile: "p", Platform: "linux/amd64", Mains: []fact.Main{{Package: "example.com/a", Binary: "a"}, {Package: "example.com/b", Binary: "b"}}},
		{Profile: "p", Platform: "windows/amd64", Flags: []string{"-buildmode=c-shared"}, Mains: []fact.Main{{Package: "example.com/l", Binary: "l"}}},
	}}
}

func planID(t testing.TB, p *plan.Plan) string {
	t.Helper()
	id, err := p.ID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// made is an outcome of a unit with files of some content, and its receipt.
func made(t testing.TB, p *plan.Plan, u *plan.Unit, nonce string) (*Receipt, *execute.Outcome) {
	t.Helper()
	dir := t.TempDir()
	graph, err := actions.Decode([]byte(`[{"package":"example.com/a","id":"i"}]`))
	if err != nil {
		t.Fatal(err)
	}
	o := &execute.Outcome{
		Actions: graph, Cost: schedule.Cost{CPU: time.Second, MaxRSS: 1 << 20}, Circumstances: fact.Circumstances{fact.SourceArchive: "x"},
		Ran: fact.Execution{Host: fact.Host{Name: "worker", Boot: "1", System: "linux/amd64"}},
	}
	add := func(m fact.Main, header bool, text string) {
		name := filepath.Join(dir, fmt.Sprint(len(o.Products)))
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		o.Products = append(o.Products, execute.Product{Main: m, Header: header, Path: name, SHA256: files.DigestBytes([]byte(text)), Size: int64(len(text))})
	}
	for _, m := range u.Mains {
		add(m, false, "program "+m.Binary)
		if u.Mode().Library() {
			add(m, true, "header "+m.Binary)
		}
	}
	r, err := New("v1", Job{planID(t, p), u.Profile, u.Platform, "first", nonce}, fact.Toolchain{Version: "go1.26.0", Sum: "h1:x"}, time.Unix(1e9, 5), o)
	if err != nil {
		t.Fatal(err)
	}
	return r, o
}

const (
	nonceA = "000102030405060708090a0b0c0d0e0f"
	nonceB = "0f0e0d0c0b0a09080706050403020100"
)

// packed is a parcel with an outcome of each unit.
func packed(t testing.TB, sign Sign) []byte {
	t.Helper()
	p := thePlan()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	w := NewWriter(tw)
	for i, u := range p.Units {
		r, o := made(t, p, u, []string{nonceA, nonceB}[i])
		if err := w.Add(t.Context(), r, o, sign); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func read(t testing.TB, data []byte) ([]*Entry, error) {
	return Read(t.Context(), tar.NewReader(Whole(bytes.NewReader(data))), thePlan(), filepath.Join(t.TempDir(), "in"))
}

// TestRoundTrip: an outcome arrives as it was sent.
func TestRoundTrip(t *testing.T) {
	sign := func(_ context.Context, receipt []byte) ([]byte, error) {
		return []byte("signed " + files.DigestBytes(receipt)), nil
	}
	for name, sign := range map[string]Sign{"unsigned": nil, "signed": sign} {
		t.Run(name, func(t *testing.T) {
			list, err := read(t, packed(t, sign))
			if err != nil || len(list) != 2 {
				t.Fatalf("%d outcomes, %v", len(list), err)
			}
			p := thePlan()
			for i, e := range list {
				r, sent := made(t, p, p.Units[i], []string{nonceA, nonceB}[i])
				if err := e.Of(r.Job); err != nil {
					t.Error(err)
				}
				if want := "signed " + files.DigestBytes(e.Signed); sign != nil && string(e.Signature) != want || sign == nil && e.Signature != nil {
					t.Errorf("signature %q", e.Signature)
				}
				o, err := e.Outcome("by")
				if err != nil {
					t.Fatal(err)
				}
				if o.By != "by" || o.Ran.Here || o.Ran.Nonce != r.Nonce || o.Ran.Host != sent.Ran.Host || o.Cost != sent.Cost {
					t.Errorf("%+v", o)
				}
				if !reflect.DeepEqual(o.Actions, sent.Actions) || !reflect.DeepEqual(o.Circumstances, sent.Circumstances) {
					t.Errorf("%v, %v", o.Actions, o.Circumstances)
				}
				u := p.Units[i]
				for j, got := range o.Products {
					want := sent.Products[j]
					data, err := os.ReadFile(got.Path)
					if err != nil || files.DigestBytes(data) != want.SHA256 || got.SHA256 != want.SHA256 || got.Size != want.Size || got.Main != want.Main || got.Header != want.Header {
						t.Errorf("product %+v, %v", got, err)
					}
					name := u.File(got.Main)
					if got.Header {
						name = u.Header(got.Main)
					}
					if filepath.Base(got.Path) != name {
						t.Errorf("%s is called %s", name, got.Path)
					}
				}
			}
		})
	}
}

// member is one of a tar.
type member struct {
	tar.Header
	data []byte
}

func members(t testing.TB, data []byte) (list []member) {
	t.Helper()
	tr := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, member{*h, data})
	}
}

func pack(t testing.TB, list []member) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, m := range list {
		if m.Typeflag == tar.TypeReg {
			m.Size = int64(len(m.data))
		}
		m.Header.Format = tar.FormatUnknown
		if err := tw.WriteHeader(&m.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestCutOff: wherever a parcel ends too early, nothing of it is taken: between two
// members as well as within them, and before its end mark.
func TestCutOff(t *testing.T) {
	data := packed(t, nil)
	step := 1
	if testing.Short() {
		step = 64
	}
	for n := 0; n < len(data)-512; n += step {
		if list, err := read(t, data[:n]); err == nil {
			t.Fatalf("of %d bytes, %d are %d outcomes", len(data), n, len(list))
		}
	}
}

// TestDamagedMembers: each member of a parcel, damaged in every way that keeps the tar
// one, is refused.
func TestDamagedMembers(t *testing.T) {
	good := members(t, packed(t, nil))
	if _, err := read(t, pack(t, good)); err != nil {
		t.Fatal(err)
	}
	for i, m := range good {
		change := func(f func(m *member)) []member {
			list := append([]member{}, good...)
			m := m
			f(&m)
			list[i] = m
			return list
		}
		damaged := map[string][]member{
			"missing":   append(append([]member{}, good[:i]...), good[i+1:]...),
			"twice":     append(append(append([]member{}, good[:i+1]...), m), good[i+1:]...),
			"renamed":   change(func(m *member) { m.Name += "x" }),
			"elsewhere": change(func(m *member) { m.Name = "../" + m.Name }),
			"absolute":  change(func(m *member) { m.Name = "/" + m.Name }),
			"a link": change(func(m *member) {
				m.Typeflag, m.Linkname, m.Size, m.data = tar.TypeSymlink, "/etc/passwd", 0, nil
			}),
			"a hard link": change(func(m *member) {
				m.Typeflag, m.Linkname, m.Size, m.data = tar.TypeLink, good[0].Name, 0, nil
			}),
			"a directory": change(func(m *member) { m.Typeflag, m.Size, m.data = tar.TypeDir, 0, nil }),
			"larger":      change(func(m *member) { m.data = append(append([]byte{}, m.data...), 0) }),
			"smaller":     change(func(m *member) { m.data = m.data[:len(m.data)-1] }),
			"empty":       change(func(m *member) { m.data = nil }),
			"altered": change(func(m *member) {
				m.data = append([]byte{}, m.data...)
				m.data[len(m.data)/2] ^= 1
			}),
			"sparse": change(func(m *member) {
				m.PAXRecords = map[string]string{"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": m.Name, "GNU.sparse.map": "0,0", "GNU.sparse.size": "4294967296"}
			}),
		}
		if i > 0 {
			list := append([]member{}, good...)
			list[i-1], list[i] = list[i], list[i-1]
			damaged["another order"] = list
		}
		if strings.HasSuffix(m.Name, receiptName) {
			delete(damaged, "altered") // it may say something else as well: TestReceipt, and a signature
		}
		for what, list := range damaged {
			var data []byte
			if what == "sparse" { // no writer of tars writes one
				data = bytes.ReplaceAll(pack(t, change(func(m *member) {
					m.PAXRecords = map[string]string{"ZZZ.sparse.major": "0"}
				})), []byte("ZZZ.sparse"), []byte("GNU.sparse"))
			} else {
				data = pack(t, list)
			}
			if _, err := read(t, data); err == nil {
				t.Errorf("%s, %s: taken", m.Name, what)
			}
		}
	}
	more := append(append([]member{}, good...), member{tar.Header{Typeflag: tar.TypeReg, Name: "more", Mode: 0o644}, nil})
	if _, err := read(t, pack(t, more)); err == nil {
		t.Error("a further member: taken")
	}
}

// TestReadSome: no more is written than was asked for.
func TestReadSome(t *testing.T) {
	data := packed(t, nil)
	for n, want := range []bool{false, false, true, true} {
		dir := filepath.Join(t.TempDir(), "in")
		_, err := ReadSome(t.Context(), tar.NewReader(bytes.NewReader(data)), thePlan(), dir, n)
		if (err == nil) != want {
			t.Errorf("at most %d: %v", n, err)
		}
		if list, _ := os.ReadDir(dir); len(list) > n {
			t.Errorf("at most %d: %d directories", n, len(list))
		}
	}
}

// TestForeignReceipts: receipts that are well-formed and not of what is read.
func TestForeignReceipts(t *testing.T) {
	p := thePlan()
	for what, change := range map[string]func(*Receipt, *execute.Outcome){
		"another plan": func(r *Receipt, _ *execute.Outcome) { r.Plan = strings.Repeat("0", 64) },
		"no such unit": func(r *Receipt, _ *execute.Outcome) { r.Platform = "plan9/386" },
		"another unit": func(r *Receipt, _ *execute.Outcome) { r.Platform = p.Units[1].Platform },
		"too few products": func(r *Receipt, o *execute.Outcome) {
			r.Products, o.Products = r.Products[:1], o.Products[:1]
		},
		"too many products": func(r *Receipt, o *execute.Outcome) {
			r.Products, o.Products = append(r.Products, r.Products[0]), append(o.Products, o.Products[0])
		},
		"a product of another package": func(r *Receipt, _ *execute.Outcome) { r.Products[0].Package = "example.com/x" },
		"a header of a program":        func(r *Receipt, _ *execute.Outcome) { r.Products[0].Header = true },
		"products in another order": func(r *Receipt, o *execute.Outcome) {
			r.Products[0], r.Products[1] = r.Products[1], r.Products[0]
			o.Products[0], o.Products[1] = o.Products[1], o.Products[0]
		},
		"a product of another size": func(r *Receipt, _ *execute.Outcome) { r.Products[0].Size++ },
		"another digest":            func(r *Receipt, _ *execute.Outcome) { r.Products[0].SHA256 = strings.Repeat("0", 64) },
	} {
		r, o := made(t, p, p.Units[0], nonceA)
		change(r, o)
		var buf bytes.Buffer
		tw := tar.NewWriter(&buf)
		if err := NewWriter(tw).Add(t.Context(), r, o, nil); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		tw.Close()
		if _, err := read(t, buf.Bytes()); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	r, _ := made(t, p, p.Units[0], nonceA)
	for what, change := range map[string]func(*Job){
		"nonce": func(j *Job) { j.Nonce = nonceB }, "plan": func(j *Job) { j.Plan = strings.Repeat("0", 64) },
		"platform": func(j *Job) { j.Platform = "plan9/386" }, "profile": func(j *Job) { j.Profile = "q" }, "build": func(j *Job) { j.Build = "second" },
	} {
		j := r.Job
		change(&j)
		if r.Of(j) == nil {
			t.Errorf("it is taken for another %s", what)
		}
	}
}

// TestChanged: what changes after it was written, or read, is noticed.
func TestChanged(t *testing.T) {
	p := thePlan()
	r, o := made(t, p, p.Units[0], nonceA)
	os.WriteFile(o.Products[0].Path, bytes.Repeat([]byte("x"), int(o.Products[0].Size)), 0o644)
	if err := NewWriter(tar.NewWriter(io.Discard)).Add(t.Context(), r, o, nil); err == nil {
		t.Error("a product that changed was sent")
	}
	list, err := read(t, packed(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(list[0].actions(), []byte("[]"), 0o644)
	if _, err := list[0].Outcome("x"); err == nil {
		t.Error("actions that changed were read")
	}
}

// TestReceipt: a receipt has one form, and says all that it is for.
func TestReceipt(t *testing.T) {
	p := thePlan()
	encode := func(change func(*Receipt)) []byte {
		r, _ := made(t, p, p.Units[0], nonceA)
		r.Actions = strings.Repeat("0", 64)
		change(r)
		data, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	good := encode(func(*Receipt) {})
	if _, err := Decode(good); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*Receipt){
		"another schema":        func(r *Receipt) { r.Schema += "x" },
		"no nonce":              func(r *Receipt) { r.Nonce = "" },
		"a short nonce":         func(r *Receipt) { r.Nonce = "00" },
		"a nonce in capitals":   func(r *Receipt) { r.Nonce = strings.ToUpper(nonceA) },
		"no plan":               func(r *Receipt) { r.Plan = "" },
		"no unit":               func(r *Receipt) { r.Profile = "" },
		"no build":              func(r *Receipt) { r.Build = "" },
		"a path as build":       func(r *Receipt) { r.Build = "../x" },
		"no time":               func(r *Receipt) { r.Started = time.Time{} },
		"negative cost":         func(r *Receipt) { r.Cost.CPU = -1 },
		"negative memory":       func(r *Receipt) { r.Cost.MaxRSS = -1 },
		"cost of centuries":     func(r *Receipt) { r.Cost.CPU = 1<<63 - 1 },
		"much memory":           func(r *Receipt) { r.Cost.MaxRSS = 1<<63 - 1 },
		"no actions' digest":    func(r *Receipt) { r.Actions = "x" },
		"no digest":             func(r *Receipt) { r.Products[0].SHA256 = "../../x" },
		"negative size":         func(r *Receipt) { r.Products[0].Size = -1 },
		"a host with an escape": func(r *Receipt) { r.Host.Name = "a\x1b[2J" },
		"a long kernel":         func(r *Receipt) { r.Host.Kernel = strings.Repeat("x", 1000) },
	} {
		if _, err := Decode(encode(change)); err == nil {
			t.Errorf("%s: read", what)
		}
	}
	for what, data := range map[string][]byte{
		"nothing":      nil,
		"a blank":      append([]byte(" "), good...),
		"no newline":   bytes.TrimSpace(good),
		"two":          append(append([]byte{}, good...), good...),
		"unknown key":  bytes.Replace(good, []byte("{"), []byte(`{"x":1,`), 1),
		"key twice":    bytes.Replace(good, []byte("{"), []byte(`{"version":"v0",`), 1),
		"another case": bytes.Replace(good, []byte(`"nonce"`), []byte(`"Nonce"`), 1),
		"zone of time": bytes.Replace(good, []byte(`Z"`), []byte(`+00:00"`), 1),
	} {
		if _, err := Decode(data); err == nil {
			t.Errorf("%s: read", what)
		}
	}
}

func FuzzReceipt(f *testing.F) {
	p := thePlan()
	r, _ := made(f, p, p.Units[1], nonceA)
	data, err := r.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data)
		if err != nil {
			return
		}
		if again, err := r.Encode(); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q is read, and written as %q: %v", data, again, err)
		}
	})
}

// FuzzRead: whatever is in a parcel, nothing is written outside of the directory, and
// what is taken has all its files with their digests.
func FuzzRead(f *testing.F) {
	f.Add(packed(f, nil))
	f.Add(packed(f, func(context.Context, []byte) ([]byte, error) { return []byte("s"), nil }))
	f.Fuzz(func(t *testing.T, data []byte) {
		top := t.TempDir()
		list, err := Read(t.Context(), tar.NewReader(Whole(bytes.NewReader(data))), thePlan(), filepath.Join(top, "in"))
		entries, _ := os.ReadDir(top)
		for _, e := range entries {
			if e.Name() != "in" {
				t.Errorf("%s was made", e.Name())
			}
		}
		if err != nil {
			return
		}
		for _, e := range list {
			for i, p := range e.Products {
				data, err := os.ReadFile(e.product(i))
				if err != nil || files.DigestBytes(data) != p.SHA256 {
					t.Errorf("%s: %v", e.product(i), err)
				}
			}
		}
	})
}
