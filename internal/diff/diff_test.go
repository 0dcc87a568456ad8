package diff

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
)

type member struct {
	name, text string
	mode       int64
	uid        int
	time       time.Time
	format     tar.Format
}

func tarGz(t *testing.T, level int, name string, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, level)
	if err != nil {
		t.Fatal(err)
	}
	z.Name = name
	w := tar.NewWriter(z)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: m.mode, Size: int64(len(m.text)), Uid: m.uid, ModTime: m.time, Format: m.format, Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zipped(t *testing.T, method uint16, when time.Time, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: method, Modified: when}
		h.SetMode(os.FileMode(m.mode))
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(m.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestArchives: one pair for each cause, and the cause alone is found.
func TestArchives(t *testing.T) {
	at := time.Unix(1e9, 0)
	a := member{"a", "text of a, text of a, text of a", 0o644, 0, at, tar.FormatUSTAR}
	b := member{"b", "b", 0o755, 0, at, tar.FormatUSTAR}
	with := func(m member, f func(*member)) member { f(&m); return m }
	in := func(dir string, m member) member { m.name = dir + "/" + m.name; return m }
	base := tarGz(t, 9, "", a, b)
	for _, c := range []struct {
		name  string
		base  []byte
		other []byte
		want  []fact.Cause
	}{
		{"equal", base, tarGz(t, 9, "", a, b), nil},
		{"directory and mode", tarGz(t, 9, "", in("tool_1", a), in("tool_1", b)), tarGz(t, 9, "", in("tool_2", a), in("tool_2", with(b, func(m *member) { m.mode = 0o700 }))), []fact.Cause{ArchiveMembers, ArchiveMode}},
		{"order", base, tarGz(t, 9, "", b, a), []fact.Cause{ArchiveOrder}},
		{"time", base, tarGz(t, 9, "", with(a, func(m *member) { m.time = at.Add(time.Hour) }), b), []fact.Cause{ArchiveTime}},
		{"mode", base, tarGz(t, 9, "", a, with(b, func(m *member) { m.mode = 0o700 })), []fact.Cause{ArchiveMode}},
		{"owner", base, tarGz(t, 9, "", with(a, func(m *member) { m.uid = 1000 }), b), []fact.Cause{ArchiveOwner}},
		{"format", base, tarGz(t, 9, "", with(a, func(m *member) { m.format = tar.FormatGNU }), b), []fact.Cause{ArchiveFormat}},
		{"level", base, tarGz(t, 0, "", a, b), []fact.Cause{ArchiveCompression}},
		{"gzip name", base, tarGz(t, 9, "x", a, b), []fact.Cause{ArchiveCompression}},
		{"members", base, tarGz(t, 9, "", a), []fact.Cause{ArchiveMembers}},
		{"content", base, tarGz(t, 9, "", with(a, func(m *member) { m.text = "TEXT of a, text of a, text of a" }), b), []fact.Cause{fact.CauseUnknown}},
		{"junk", base, append(slices.Clone(base), "junk"...), []fact.Cause{ArchiveMembers}},
		{"a member twice", tarGz(t, 9, "", a, b), tarGz(t, 9, "", with(a, func(m *member) { m.text = "hidden by the other" }), a, b), []fact.Cause{ArchiveMembers}},
		{"order and time", base, tarGz(t, 9, "", b, with(a, func(m *member) { m.time = at.Add(time.Hour) })), []fact.Cause{ArchiveOrder, ArchiveTime}},
		{"tar.gz and zip", base, zipped(t, zip.Deflate, at, a, b), []fact.Cause{ArchiveFormat, ArchiveOwner}},
		{"zip time", zipped(t, zip.Deflate, at, a, b), zipped(t, zip.Deflate, at.Add(time.Hour), a, b), []fact.Cause{ArchiveTime}},
		{"zip method", zipped(t, zip.Deflate, at, a, b), zipped(t, zip.Store, at, a, b), []fact.Cause{ArchiveFormat}},
	} {
		dir := t.TempDir()
		fa, fb := filepath.Join(dir, "a.archive"), filepath.Join(dir, "b.archive")
		for name, data := range map[string][]byte{fa: c.base, fb: c.other} {
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Compare(t.Context(), fa, fb, t.TempDir())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []fact.Cause
		for _, f := range r.Findings {
			got = append(got, f.Cause)
			if f.Remedy == "" || len(f.Evidence) == 0 {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		slices.Sort(got)
		if !slices.Equal(slices.Compact(got), c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if want := map[bool]fact.Verdict{true: fact.Identical, false: fact.Different}[c.want == nil]; r.Verdict != want {
			t.Errorf("%s: %s, want %s", c.name, r.Verdict, want)
		}
	}
}

// TestDirectoryAround: what lies in directories of different names is compared all
// the same, and the names are said once.
func TestDirectoryAround(t *testing.T) {
	at := time.Unix(1e9, 0)
	release := func(dir, text string) string {
		name := filepath.Join(t.TempDir(), "x.tar.gz")
		data := tarGz(t, 9, "", member{dir + "/bin/tool", text, 0o755, 0, at, tar.FormatUSTAR}, member{dir + "/README", "same", 0o644, 0, at, tar.FormatUSTAR})
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	r, err := Compare(t.Context(), release("tool_1", "one"), release("tool_2", "two"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var around, inside int
	for _, f := range r.Findings {
		switch {
		case f.Cause == ArchiveMembers && slices.Equal(f.Evidence, []string{"everything lies in tool_1 in A, in tool_2 in B"}):
			around++
		case slices.Equal(f.Files, []string{"bin/tool"}):
			inside++
		default:
			t.Errorf("%+v", f)
		}
	}
	if around != 1 || inside != 1 {
		t.Errorf("%+v", r.Findings)
	}
}

// TestCauses: every archive cause has a name of its own.
func TestCauses(t *testing.T) {
	all := Causes()
	sorted := slices.Sorted(slices.Values(all))
	if len(slices.Compact(sorted)) != len(all) || !slices.Contains(all, ArchiveTime) || !slices.Contains(all, "build-path") {
		t.Errorf("%q", all)
	}
}

func TestDirectories(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{a + "/same": "x", b + "/same": "x", a + "/only": "y", a + "/changed": "1", b + "/changed": "2"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Compare(t.Context(), a, b, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	verdicts := map[string]fact.Verdict{}
	for _, f := range r.Files {
		verdicts[f.Name] = f.Verdict
	}
	if r.Verdict != fact.Different || verdicts["same"] != fact.Identical || verdicts["changed"] != fact.Different || verdicts["only"] != fact.Different {
		t.Errorf("%s %v", r.Verdict, verdicts)
	}
	if _, err := Compare(t.Context(), a, a+"/same", t.TempDir()); err == nil {
		t.Error("a file was compared with a directory")
	}
	if _, err := Compare(t.Context(), a, a+"/nothing", t.TempDir()); err == nil {
		t.Error("nothing was compared with a directory")
	}
}

// FuzzCompare feeds two files of any content: no panic, and equal bytes are identical.
func FuzzCompare(f *testing.F) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	x, _ := w.Create("x")
	x.Write([]byte("hello"))
	w.Close()
	f.Add(buf.Bytes(), []byte{0x1f, 0x8b})
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd}, buf.Bytes())
	f.Fuzz(func(t *testing.T, a, b []byte) {
		dir := t.TempDir()
		fa, fb := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		if os.WriteFile(fa, a, 0o644) != nil || os.WriteFile(fb, b, 0o644) != nil {
			t.Skip("no disk")
		}
		r, err := Compare(t.Context(), fa, fb, dir)
		if err != nil {
			return
		}
		if (r.Verdict == fact.Identical) != bytes.Equal(a, b) {
			t.Errorf("verdict %s", r.Verdict)
		}
	})
}

// TestDocumented: docs/causes.md explains every cause that is found here.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "causes.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Causes() {
		if !bytes.Contains(text, []byte("# `"+string(c)+"`\n")) {
			t.Errorf("docs/causes.md has no section %s", c)
		}
	}
}
