package bindiff

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

func write(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBytes compares files that are no binaries.
func TestBytes(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), block/8) // two blocks
	edge := slices.Clone(big)
	edge[block-1], edge[block] = 'X', 'Y'
	for _, c := range []struct {
		name         string
		a, b         []byte
		bytes, first int64
	}{
		{"equal", []byte("same"), []byte("same"), 0, -1},
		{"empty", nil, nil, 0, -1},
		{"one byte", []byte("same"), []byte("sane"), 1, 2},
		{"longer", []byte("same"), []byte("same+tail"), 5, 4},
		{"both", []byte("same"), []byte("lame+tail"), 6, 0},
		{"against nothing", nil, []byte("abc"), 3, 0},
		{"edge of a block", big, edge, 2, block - 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := write(t, c.a), write(t, c.b)
			for _, paths := range [][2]string{{a, b}, {b, a}} {
				d, err := Compare(t.Context(), paths[0], paths[1], Known{})
				if err != nil {
					t.Fatal(err)
				}
				if d.DifferentBytes != c.bytes || d.FirstOffset != c.first || d.Equal != (c.bytes == 0) || d.UnexplainedBytes != c.bytes {
					t.Errorf("%+v", d)
				}
				if !d.Equal && (len(d.Findings) != 1 || d.Findings[0].Cause != fact.CauseUnknown || len(d.Notes) != 2) {
					t.Errorf("findings %+v, notes %q", d.Findings, d.Notes)
				}
			}
		})
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped"))
	if _, err := Compare(ctx, write(t, big), write(t, edge), Known{}); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("canceled: %v", err)
	}
	if _, err := Compare(t.Context(), write(t, nil), filepath.Join(t.TempDir(), "missing"), Known{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := Compare(t.Context(), t.TempDir(), write(t, nil), Known{}); err == nil {
		t.Error("a directory was compared")
	}
}

func TestPieces(t *testing.T) {
	f := &gobin.File{Size: 100, Sections: []gobin.Section{
		{Name: "head", Size: 10}, {Name: "text", Offset: 20, Size: 30}, {Name: "id", Offset: 25, Size: 5, Nested: true, Kind: gobin.KindBuildID},
		{Name: "bss", Offset: 50, Kind: gobin.KindBSS}, {Name: "overlap", Offset: 40, Size: 20}, {Name: "inside", Offset: 42, Size: 3},
	}}
	var got []string
	var end int64
	for _, p := range pieces(f) {
		if p.Offset != end {
			t.Errorf("%s starts at %d, the one before ended at %d", p.Name, p.Offset, end)
		}
		end = p.Offset + p.Size
		got = append(got, p.Name)
		if (len(p.nested) == 1) != (p.Name == "text") {
			t.Errorf("%s holds %v", p.Name, p.nested)
		}
	}
	if want := []string{"head", "(after head)", "text", "overlap", "(after overlap)"}; !slices.Equal(got, want) || end != 100 {
		t.Errorf("%q up to %d, want %q", got, end, want)
	}
}

// TestNestedCounting: what differs in a nested section is not counted twice.
func TestNestedCounting(t *testing.T) {
	file := &gobin.File{Size: 100, Sections: []gobin.Section{
		{Name: "text", Size: 100, Kind: gobin.KindCode}, {Name: "id", Offset: 40, Size: 10, Nested: true, Kind: gobin.KindBuildID},
	}}
	x, y := make([]byte, 100), make([]byte, 100)
	for i := 35; i < 45; i++ {
		y[i] = 1 // crosses the edge
	}
	a := &side{r: bytes.NewReader(x), size: 100, file: file}
	b := &side{r: bytes.NewReader(y), size: 100, file: file}
	got, err := compareSections(t.Context(), a, b)
	want := []SectionDiff{{Name: "id", Kind: gobin.KindBuildID, Bytes: 5, SizeA: 10, SizeB: 10}, {Name: "text", Kind: gobin.KindCode, Bytes: 5, SizeA: 100, SizeB: 100}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLdflags(t *testing.T) {
	for _, c := range []struct {
		in   string
		want ldflags
	}{
		{"", ldflags{values: map[string]string{}}},
		{"-w  -s", ldflags{strip: "-s -w", values: map[string]string{}}},
		{"-s", ldflags{strip: "-s -w", values: map[string]string{}}},
		{"--w", ldflags{strip: "-w", values: map[string]string{}}},
		{`-X main.a=1 -X=main.b=2 "-X=main.c=x y" -X 'main.a=3 4' -extldflags "-static -lm" -X`, ldflags{
			values: map[string]string{"main.a": "3 4", "main.b": "2", "main.c": "x y"}, rest: []string{"-extldflags", "-static -lm", "-X"},
		}},
		{`-X "unclosed`, ldflags{values: map[string]string{`"unclosed`: ""}}},
	} {
		if got := parseLdflags(c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %+v, want %+v", c.in, got, c.want)
		}
	}
}

// TestRecorded feeds build information that is hard to build for real.
func TestRecorded(t *testing.T) {
	info := func(settings ...string) *debug.BuildInfo {
		bi := &debug.BuildInfo{GoVersion: "go1.26.8", Path: "p", Main: debug.Module{Path: "p", Version: "v1.0.0"}}
		for _, s := range settings {
			k, v, _ := strings.Cut(s, "=")
			bi.Settings = append(bi.Settings, debug.BuildSetting{Key: k, Value: v})
		}
		return bi
	}
	version := func(v string) *debug.BuildInfo { bi := info(); bi.GoVersion = v; return bi }
	main := func(v string, settings ...string) *debug.BuildInfo {
		bi := info(settings...)
		bi.Main.Version = v
		return bi
	}
	for _, c := range []struct {
		name string
		a, b *debug.BuildInfo
		want []fact.Cause // certain causes
	}{
		{"experiment in the version", version("go1.26.8 X:a"), version("go1.26.8"), []fact.Cause{"goexperiment"}},
		{"experiment in a development version", version("go1.27-X:a"), version("go1.27-X:b"), []fact.Cause{"goexperiment"}},
		{"default experiment", info("GOEXPERIMENT=greenteagc"), info(), []fact.Cause{"goexperiment"}},
		{"toolchain changes GODEBUG", func() *debug.BuildInfo {
			b := version("go1.25.1")
			b.Settings = info("DefaultGODEBUG=a=1").Settings
			return b
		}(), info(), []fact.Cause{"toolchain-version"}},
		{"fips", info("GOFIPS140=v1.0.0-c2097c7c", "DefaultGODEBUG=fips140=on", "-tags=fips140v1.0"), info(), []fact.Cause{"fips140"}},
		{"fips and another", info("GOFIPS140=latest", "DefaultGODEBUG=fips140=on,x=1"), info(), []fact.Cause{"fips140", "godebug-default"}},
		{"race", info("-race=true"), info(), []fact.Cause{"race-msan-asan"}},
		{"buildmode", info("-buildmode=exe"), info("-buildmode=pie"), []fact.Cause{"buildmode"}},
		{"gcflags", info("-gcflags=-N"), info(), []fact.Cause{"compile-flags"}},
		{"profile name", info("-pgo=a.pgo"), info("-pgo=b.pgo"), []fact.Cause{"pgo-name"}},
		{"profile", info("-pgo=default.pgo"), info(), []fact.Cause{"pgo-profile"}},
		{"C flags", info("CGO_CFLAGS=-O1", "CGO_ENABLED=1"), info("CGO_CFLAGS=-O2", "CGO_ENABLED=1"), []fact.Cause{"cgo-toolchain"}},
		{"C flags on one side", info("CGO_CFLAGS=-O1", "CGO_ENABLED=1"), info("CGO_ENABLED=0"), []fact.Cause{"cgo-enabled"}},
		{"ldflags spelling", info("-ldflags=-s -w"), info("-ldflags=-w -s"), []fact.Cause{"flag-spelling"}},
		{"ldflags strip", info("-ldflags=-w"), info("-ldflags=-s"), []fact.Cause{"strip-flags"}},
		{"ldflags and trimpath", info("-ldflags=-X main.a=b"), info("-trimpath=true"), []fact.Cause{"build-path"}},
		{"platform", info("GOOS=linux", "GOARCH=amd64", "GOAMD64=v1"), info("GOOS=linux", "GOARCH=arm64", "GOARM64=v8.0"), []fact.Cause{"platform", "microarchitecture"}},
		{"dirty version", main("v1.0.0+dirty", "vcs.revision=a", "vcs.modified=true"), main("v1.0.0", "vcs.revision=a", "vcs.modified=false"), []fact.Cause{"vcs-dirty"}},
		{"other commit, other version", main("v1.0.1", "vcs.revision=a"), main("v1.0.0", "vcs.revision=b"), []fact.Cause{"vcs-revision"}},
		{"module version", main("v1.0.1"), main("v1.0.0"), []fact.Cause{"version-stamp"}},
		{"stamp missing", main("(devel)"), main("v1.0.0", "vcs.revision=b"), []fact.Cause{"vcs-missing"}},
	} {
		d := &Diff{BuildInfo: compareBuildInfo(c.a, c.b)}
		// The same architecture in both headers, so that only the records speak.
		p := &pair{diff: d, a: &side{file: &gobin.File{BuildInfo: c.a, Arch: "x"}}, b: &side{file: &gobin.File{BuildInfo: c.b, Arch: "x"}}}
		var got []fact.Cause
		for _, x := range passes() {
			for _, f := range x.run(p) {
				if f.Confidence == fact.Certain {
					got = append(got, x.cause)
				}
			}
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: certain are %q, want %q", c.name, got, c.want)
		}
	}
}

// TestPassesStandAlone: names are unique and every pass copes with files that
// say nothing, and leaves the comparison as it is.
func TestPassesStandAlone(t *testing.T) {
	seen := map[fact.Cause]bool{}
	for _, x := range passes() {
		if seen[x.cause] || x.cause == fact.CauseUnknown {
			t.Errorf("cause %s twice", x.cause)
		}
		seen[x.cause] = true
		d := &Diff{Sections: []SectionDiff{{Name: ".text", Kind: gobin.KindCode, Bytes: 1}}}
		before := *d
		p := &pair{diff: d, a: &side{file: &gobin.File{}}, b: &side{file: &gobin.File{}}}
		if f := x.run(p); len(f) > 0 || !reflect.DeepEqual(*d, before) {
			t.Errorf("%s finds %+v in files that say nothing", x.cause, f)
		}
	}
	if c := Causes(); len(c) != len(seen)+1 || c[len(c)-1] != fact.CauseUnknown {
		t.Errorf("Causes: %q", c)
	}
}

func TestPacked(t *testing.T) {
	elf := func(mark string) []byte {
		h := make([]byte, 64)
		copy(h, "\x7fELF\x02\x01\x01")
		h[18] = 62
		return append(h, "\x00UPX!"+mark...)
	}
	a, b := write(t, elf("$Id: UPX 3.94 Copyright $ aaaa")), write(t, elf("$Id: UPX 4.23 Copyright $ bbbb"))
	d, err := Compare(t.Context(), a, b, Known{})
	if err != nil || len(d.Findings) != 1 || d.Findings[0].Cause != "packed" || d.Findings[0].Confidence != fact.Certain || !strings.Contains(d.Findings[0].Evidence[0], "4.23") {
		t.Errorf("%+v, %v", d, err)
	}
	d, err = Compare(t.Context(), a, write(t, elf("$Id: UPX 3.94 Copyright $ cccc")), Known{})
	if err != nil || len(d.Findings) != 1 || d.Findings[0].Confidence != fact.Possible {
		t.Errorf("the same packer: %+v, %v", d, err)
	}
}

func TestPaths(t *testing.T) {
	for _, c := range []struct {
		files []string
		want  string
	}{{nil, ""}, {[]string{"/a/b/c.go"}, "/a/b"}, {[]string{"/a/b/c.go", "/a/bb/c.go"}, "/a"}, {[]string{"/a/c.go", "/b/c.go"}, ""}, {[]string{"c:/x/y.go", "d:/x/y.go"}, ""}} {
		if got := commonDir(c.files); got != c.want {
			t.Errorf("%q: %q, want %q", c.files, got, c.want)
		}
	}
	// Fewer files on one side are no other build directory.
	if f := swapped("x", "/w/p", "/w/p/cmd", []string{"cmd/main.go", "lib.go"}, []string{"main.go"}); f != nil {
		t.Errorf("%+v", f)
	}
}

func FuzzCompare(f *testing.F) {
	exe, err := os.Executable()
	if err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[:4096], b[:4095])
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x00\x17\x0ago:buildid\xff Go build ID: \"a/b/c/d\"\n \xff"), []byte("\x00asm\x01\x00\x00\x00\x0b\x03aaa"))
	f.Fuzz(func(t *testing.T, x, y []byte) {
		a := &side{path: "a", r: bytes.NewReader(x), size: int64(len(x))}
		b := &side{path: "b", r: bytes.NewReader(y), size: int64(len(y))}
		d, err := compare(t.Context(), a, b, Known{})
		if err != nil {
			t.Fatal(err)
		}
		if d.Equal != bytes.Equal(x, y) || d.Equal != (len(d.Findings) == 0) || d.UnexplainedBytes < 0 {
			t.Errorf("%+v", d)
		}
	})
}
