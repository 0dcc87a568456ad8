package bindiff

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin"
)

func TestShape(t *testing.T) {
	for want, list := range map[string][]string{
		"a date": {"2026-01-02T03:04:05Z", "2026-01-02", "2026-01-02_15:04:05", "2026-01-02 15:04:05 +0100", "20260102", "20260102-150405", "20260102T150405Z",
			"Fri Jan  2 15:04:05 UTC 2026", "Fri, 02 Jan 2026 15:04:05 GMT", "2 January 2026", "2026-01-02T03:04:05.123+01:00"},
		"a time in Unix seconds": {"1767322800"},
		"a commit":               {"0123abc", "ca41b9cca41b9cca41b9cca41b9cca41b9cca41b", "ca41b9c-dirty"},
		"a version":              {"v1.2.3", "1.2.3-rc.1", "v0.0.0-20260102030405-ca41b9c00000"},
		"a path":                 {"/home/me/src", `C:\Users\me`},
		"a user and a host name": {"me@build-7.example.com", "root@buildkitsandbox"},
		"a host name":            {"build-7.example.com", "runner-12", "localhost", "DESKTOP-ABC123", "fv-az1234-567"},
		"a user name":            {"root", "runner"},
		"":                       {"hello", "dev", "", "some words", "cafebabe no", strings.Repeat("a1", 200)},
	} {
		for _, s := range list {
			if got := shape(s); got != want {
				t.Errorf("%q: %q, want %q", s, got, want)
			}
		}
	}
}

// dataSide makes a side whose data is the text.
func dataSide(text string) *side {
	b := []byte(text)
	f := make([]byte, 0, len(b)+400)
	f = append(f, craftedData(b)...)
	s := &side{path: "x", r: bytes.NewReader(f), size: int64(len(f))}
	if err := s.parse(); err != nil {
		panic(err)
	}
	return s
}

// craftedData makes a wasm module of a build ID and one data section.
func craftedData(data []byte) []byte {
	section := func(id byte, body []byte) []byte {
		n := len(body)
		out := []byte{id, byte(n&0x7f | 0x80), byte(n>>7&0x7f | 0x80), byte(n >> 14)}
		return append(out, body...)
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	out = append(out, section(0, []byte("\x0ago:buildid\xff Go build ID: \"a/b/c/d\"\n \xff"))...)
	return append(out, section(11, data)...)
}

func TestTexts(t *testing.T) {
	long := strings.Repeat("x", maxText+100)
	for _, c := range []struct {
		name, a, b   string
		onlyA, onlyB string
		crlfA, crlfB int
		others       bool
	}{
		{"same", "\x00one\x00two\x00", "\x00two\x00one\x00", "", "", 0, 0, false},
		{"value", "\x00one\x00two\x00", "\x00one\x00three\x00", "two", "three", 0, 0, false},
		{"not ended", "\x01one\x02", "\x01two\x02", "", "", 0, 0, false},
		{"too long", "\x00" + long + "\x00", "\x00" + long + "y\x00", "", "", 0, 0, false},
		{"endings", "\x01first line\nsecond line\n\x01", "\x01first line\r\nsecond line\r\n\x01", "", "", 0, 2, false},
		{"endings and others", "\x01first line\nsecond\n\x01", "\x01first line\r\nthird\n\x01", "", "", 0, 1, true},
		{"glued", "\x01abc the first line\nsecond line\n\x01", "\x01z the first line\r\nsecond line\r\n\x01", "", "", 0, 2, false},
		{"edge of a window", strings.Repeat("\x01", windowSize-2) + "value\x00", strings.Repeat("\x01", windowSize-2) + "other\x00", "value", "other", 0, 0, false},
	} {
		a, b := dataSide(c.a), dataSide(c.b)
		// The data of wasm is one section, which counts as data.
		if !holdsTexts(*a.file.Section("data")) || a.file.Format != gobin.Wasm {
			t.Fatal("no data")
		}
		d := (&pair{ctx: t.Context(), a: a, b: b, diff: &Diff{}}).texts()
		if d == nil {
			t.Fatalf("%s: no texts", c.name)
		}
		if strings.Join(d.onlyA, " ") != c.onlyA || strings.Join(d.onlyB, " ") != c.onlyB || d.crlfA != c.crlfA || d.crlfB != c.crlfB || d.otherLines != c.others {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

func TestPackageOf(t *testing.T) {
	for name, want := range map[string]string{
		"main.main": "main", "example.com/app/lib.(*T).M": "example.com/app/lib", "gopkg.in/yaml%2ev3.Marshal": "gopkg.in/yaml.v3",
		"slices.SortFunc[go.shape.[]example.com/x.T,go.shape.string]": "slices", "type:.eq.example.com/x.T": typesPackage,
		"go:buildid": noPackage, "_cgo_init": noPackage, "": noPackage, "fmt.init.0.func1": "fmt",
	} {
		if got := packageOf([]byte(name)); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
