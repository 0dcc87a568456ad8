package bindiff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

var update = flag.Bool("update", false, "write the tables of docs/reports/causes.md")

var (
	trim    = []string{"-trimpath"}
	bare    = []string{"-trimpath", "-ldflags=-s -w"}
	gitInit = []string{"init -q", "add .", "commit -q -m one"}
)

func with(list []string, more ...string) []string { return append(slices.Clone(list), more...) }

// file is a variant with one file of the source changed.
func file(name, text string, args ...string) variant {
	return variant{args: args, files: map[string]string{name: text}}
}

// flip changes one byte in the middle of a section.
func flip(name string) func(*testing.T, []byte) []byte {
	return func(t *testing.T, b []byte) []byte {
		s := section(t, b, name)
		b[s.Offset+s.Size/2] ^= 0x20
		return b
	}
}

func section(t *testing.T, b []byte, name string) gobin.Section {
	t.Helper()
	f, err := gobin.Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	s := f.Section(name)
	if s == nil {
		t.Fatalf("no section %s", name)
	}
	return *s
}

// certified appends a certificate table as a signing tool for PE does.
func certified(t *testing.T, b []byte) []byte {
	pe := binary.LittleEndian.Uint32(b[0x3c:])
	b = append(b, make([]byte, -len(b)&7)...)
	entry := pe + 24 + 112 + 32
	binary.LittleEndian.PutUint32(b[entry:], uint32(len(b)))
	binary.LittleEndian.PutUint32(b[entry+4:], 64)
	binary.LittleEndian.PutUint32(b[pe+24+64:], 0x12345) // checksum
	return append(b, bytes.Repeat([]byte("c"), 64)...)
}

func stripped(t *testing.T, path string) {
	tool, err := exec.LookPath("strip")
	if err != nil {
		t.Skip("binutils are not installed")
	}
	if out, err := exec.Command(tool, path).CombinedOutput(); err != nil {
		t.Skipf("strip: %v: %s", err, out)
	}
}

// row is a pair of builds that differ in one thing.
type row struct {
	name     string
	a, b     variant
	want     fact.Cause // "" when the files are identical
	sure     fact.Confidence
	also     []fact.Cause // further causes that may be certain
	formats  string       // "all", or "elf" where the format does not matter
	versions bool         // worth trying with older and newer toolchains
	contains string       // what the evidence must say
}

const (
	elfOnly = "elf"
	all     = "all"
)

func edited(name, old, new string) map[string]string {
	text := fixtureFiles()[name]
	if !strings.Contains(text, old) {
		panic(name + " does not contain " + old)
	}
	return map[string]string{name: strings.Replace(text, old, new, 1)}
}

const usesMore = `package lib

import (
	"slices"
	"strings"
)

//go:noinline
func Name() string {
	list := []string{"b", "a"}
	slices.SortFunc(list, func(x, y string) int { return strings.Compare(y, x) })
	return strings.Join(list, strings.ToUpper("lib"))
}
`

// calledStr has what -X might have been given for, were names all that counts.
const calledStr = `package lib

var str = "a text of the program"

type T struct{ n int }

//go:noinline
func (t T) str() string { return str[t.n:] }

//go:noinline
func Name() string { str += "!"; return T{1}.str() }
`

// loops mean something else from Go 1.22 on, or if the compiler is told so.
const loops = `//go:build go1.21

package lib

//go:noinline
func Name() string {
	var list []func() int
	for i := 0; i < 3; i++ {
		list = append(list, func() int { return i })
	}
	n := 0
	for _, f := range list {
		n += f()
	}
	return string(rune('a' + n))
}
`

// lines are files with texts that end so.
func lines(end string) map[string]string {
	return map[string]string{"lib/lib.go": `package lib

var list = []string{"HELO one.example.com` + end + `", "MAIL FROM two@example.com` + end + `", "QUIT and good bye` + end + `"}

//go:noinline
func Name() string { list = append(list, list[0]); return list[1] + list[2] }
`}
}

// constant are files with a function that mentions it as an operand and as the
// offset in an array.
func constant(n string) map[string]string {
	return map[string]string{"lib/lib.go": "package lib\n\n//go:noinline\nfunc Name() string { println(" + n + "); return list()[" + n + "] }\n\n//go:noinline\nfunc list() *[3]string { return &[3]string{\"one\", \"two\", \"three\"} }\n"}
}

// ownModule are files with a module beside the main one whose path is one word,
// like a package of the standard library.
func ownModule(result string) map[string]string {
	return map[string]string{
		"go.mod":       fixtureFiles()["go.mod"] + "\nrequire word v0.0.0\n\nreplace word => ./word\n",
		"word/go.mod":  "module word\n\ngo 1.23\n",
		"word/word.go": "package word\n\n//go:noinline\nfunc Word() int { println(" + result + "); return " + result + " }\n",
		"lib/lib.go":   "package lib\n\nimport \"word\"\n\n//go:noinline\nfunc Name() string { return string(rune(word.Word())) }\n",
	}
}

const embedCRLF = "the first line\r\nthe second line\r\nthe third and last line\r\n"

// corpus returns the rows; the numbers are those of the catalogue the design
// rests on.
func corpus() []row {
	libTwo := fixtureFiles()["lib/lib.go"] + "\n//go:noinline\nfunc Two() string { return Name() + \"2\" }\n"
	x := func(v string) []string { return with(trim, "-ldflags=-X main.version="+v) }
	xs := func(v string) []string { return with(trim, "-ldflags=-s -w -X main.version="+v) }
	t := variant{args: trim}
	g := func(more ...string) variant { return variant{args: trim, git: with(gitInit, more...)} }
	return []row{
		{name: "1 build directory", a: variant{dir: "one"}, b: variant{dir: "two"}, want: "build-path", sure: fact.Certain, formats: all, versions: true},
		{name: "1 of another length", a: variant{dir: "one"}, b: variant{dir: "another"}, want: "build-path", sure: fact.Certain, formats: all},
		{name: "1 -trimpath on one side", a: t, b: variant{}, want: "build-path", sure: fact.Certain, formats: elfOnly},
		{name: "9 comment in main", a: t, b: variant{args: trim, after: appendTo("main.go", "\n// the end\n")}, want: "main-package-comment-only", sure: fact.Likely, formats: all},
		{name: "10 line shift", a: t, b: file("lib/lib.go", "// A comment.\n\n"+fixtureFiles()["lib/lib.go"], trim...), want: "source", sure: fact.Certain, formats: all, versions: true, contains: "package example.com/app/lib: functions 1 at other lines in example.com/app/lib/lib.go"},
		{name: "10 changed function", a: t, b: variant{args: trim, files: edited("lib/lib.go", "return \"lib\"", "println(); return \"lib\"")}, want: "source", sure: fact.Likely, formats: all, versions: true, contains: "example.com/app/lib"},
		{name: "10 added function", a: t, b: variant{args: trim, files: map[string]string{"lib/lib.go": libTwo, "main.go": strings.Replace(mainSource, "lib.Name()", "lib.Two()", 1)}}, want: "source", sure: fact.Likely, formats: all, contains: "lib.Two added"},
		{name: "10 more of the standard library", a: t, b: variant{args: trim, files: map[string]string{"lib/lib.go": usesMore}}, want: "source", sure: fact.Certain, formats: all, versions: true, contains: "example.com/app/lib"},
		{name: "10 string of the same length", a: t, b: variant{args: trim, files: edited("lib/lib.go", `"lib"`, `"LIB"`)}, want: "source", sure: fact.Likely, formats: all, contains: "LIB"},
		{name: "10 constant", a: variant{args: trim, files: constant("1")}, b: variant{args: trim, files: constant("2")}, want: "source", sure: fact.Likely, formats: all, contains: "lib.Name with other code"},
		{name: "10 module of one word", a: variant{args: trim, files: ownModule("1")}, b: variant{args: trim, files: ownModule("2")}, want: "source", sure: fact.Likely, formats: elfOnly, contains: "package word"},
		{name: "10 GOCOMPILEDEBUG", a: variant{args: trim, files: map[string]string{"lib/lib.go": loops}}, b: variant{args: trim, files: map[string]string{"lib/lib.go": loops}, env: []string{"GOCOMPILEDEBUG=loopvar=2"}}, want: "source", sure: fact.Likely, formats: elfOnly, contains: "GOCOMPILEDEBUG"},
		{name: "11 CRLF in texts of the source", a: variant{args: trim, files: lines("\\n")}, b: variant{args: trim, files: lines("\\r\\n")}, want: "line-endings", sure: fact.Likely, formats: elfOnly},
		{name: "11 CRLF in an embedded file", a: t, b: file("data.txt", embedCRLF, trim...), want: "line-endings", sure: fact.Likely, formats: all, versions: true},
		{name: "11 other embedded file", a: t, b: file("data.txt", "another line\nand one more\n", trim...), want: "source", sure: fact.Likely, formats: all},
		{name: "12 order of -s -w", a: variant{args: with(trim, "-ldflags=-s -w")}, b: variant{args: with(trim, "-ldflags=-w -s")}, want: "flag-spelling", sure: fact.Certain, formats: all},
		{name: "13 -X of no variable", a: variant{args: with(trim, "-ldflags=-X main.missing=1")}, b: variant{args: with(trim, "-ldflags=-X main.missing=2")}, want: "flag-spelling", sure: fact.Certain, formats: all},
		{name: "14 -X recorded", a: variant{args: []string{"-ldflags=-X main.version=1 -s"}}, b: variant{args: []string{"-ldflags=-X main.version=2 -s"}}, want: "ldflags-value", sure: fact.Certain, also: []fact.Cause{"build-path"}, formats: elfOnly, contains: "-X main.version"},
		{name: "14 -X date", a: variant{args: x("2026-01-02T03:04:05Z")}, b: variant{args: x("2026-01-02T03:04:06Z")}, want: "ldflags-value", sure: fact.Certain, formats: all, versions: true, contains: `-X main.version: "2026-01-02T03:04:05Z" in A, "2026-01-02T03:04:06Z" in B: a date`},
		{name: "14 -X other length", a: variant{args: x("v1.2.3")}, b: variant{args: x("v1.2.3-rc.1")}, want: "ldflags-value", sure: fact.Certain, formats: all, contains: "a version"},
		{name: "14 -X stripped", a: variant{args: xs("2026-01-02T03:04:05Z")}, b: variant{args: xs("2026-01-02T03:04:06Z")}, want: "ldflags-value", sure: fact.Likely, formats: all, versions: true, contains: "a date"},
		{name: "14 -X stripped, other length", a: variant{args: xs("builder-7")}, b: variant{args: xs("builder-12")}, want: "ldflags-value", sure: fact.Likely, formats: all, contains: "a host name"},
		{name: "14 -X in wasm", a: variant{args: xs("2026-01-02T03:04:05Z")}, b: variant{args: xs("2026-01-02T03:04:06Z")}, want: "ldflags-value", sure: fact.Possible, formats: "wasm", contains: "a date"},
		{name: "14 variable called str", a: variant{args: trim, files: map[string]string{"lib/lib.go": calledStr}}, b: variant{args: with(trim, "-ldflags=-funcalign=64"), files: map[string]string{"lib/lib.go": calledStr}}, want: "link-layout", sure: fact.Certain, formats: elfOnly},
		{name: "15 order of tags", a: variant{args: with(trim, "-tags=aa,bb")}, b: variant{args: with(trim, "-tags=bb,aa")}, want: "build-tags", sure: fact.Certain, formats: all},
		{name: "15 unused tag", a: t, b: variant{args: with(trim, "-tags=extra")}, want: "build-tags", sure: fact.Certain, formats: all},
		{name: "16 -buildmode=exe", a: t, b: variant{args: with(trim, "-buildmode=exe")}, want: "flag-spelling", sure: fact.Certain, formats: elfOnly},
		{name: "17 -buildmode=pie", a: t, b: variant{args: with(trim, "-buildmode=pie")}, want: "buildmode", sure: fact.Certain, formats: elfOnly},
		{name: "18 stamp missing", a: g(), b: variant{args: with(trim, "-buildvcs=false"), git: gitInit}, want: "vcs-missing", sure: fact.Certain, formats: all, versions: true},
		{name: "19 dirty tree", a: g(), b: variant{args: trim, git: gitInit, after: func(dir string) {
			_ = os.WriteFile(filepath.Join(dir, "untracked"), nil, 0o644) // the comparison notices if it failed
		}}, want: "vcs-dirty", sure: fact.Certain, formats: all, versions: true},
		{name: "20 tag", a: g(), b: g("tag v1.2.3"), want: "version-stamp", sure: fact.Certain, formats: all},
		{name: "21 other commit", a: g(), b: g("commit -q --allow-empty -m two"), want: "vcs-revision", sure: fact.Certain, formats: all, versions: true},
		{name: "22 .git is a file", a: g(), b: g("init -q --separate-git-dir=../elsewhere"), want: "vcs-missing", sure: fact.Certain, formats: elfOnly},
		{name: "29 GOAMD64", a: t, b: variant{args: trim, env: []string{"GOAMD64=v3"}}, want: "microarchitecture", sure: fact.Certain, formats: elfOnly},
		{name: "30 GOEXPERIMENT", a: t, b: variant{args: trim, env: []string{"GOEXPERIMENT=nogreenteagc"}}, want: "goexperiment", sure: fact.Certain, formats: elfOnly},
		{name: "31 GOFIPS140", a: t, b: variant{args: trim, env: []string{"GOFIPS140=latest"}}, want: "fips140", sure: fact.Certain, formats: elfOnly},
		{name: "32 godebug line", a: t, b: file("go.mod", fixtureFiles()["go.mod"]+"\ngodebug panicnil=1\n", trim...), want: "godebug-default", sure: fact.Certain, formats: all, contains: "GODEBUG panicnil"},
		{name: "33 go line", a: t, b: variant{args: trim, files: edited("go.mod", "go 1.23", "go 1.24")}, want: "godebug-default", sure: fact.Certain, formats: elfOnly, contains: "GODEBUG "},
		{name: "35 local replacement", a: t, b: file("go.mod", fixtureFiles()["go.mod"]+"\nreplace example.com/Dep => ./replaced\n", trim...), want: "replace-path", sure: fact.Certain, formats: elfOnly},
		{name: "36 file instead of package", a: t, b: variant{args: with(trim, "-buildvcs=false", "main.go")}, want: "package-path", sure: fact.Certain, formats: elfOnly},
		{name: "dependency", a: t, b: variant{args: trim, files: edited("go.mod", "v1.0.0", "v1.0.1")}, want: "module-version", sure: fact.Certain, formats: elfOnly},
		{name: "38 profile's name", a: variant{args: with(trim, "-pgo=a.pgo"), after: profile("a.pgo", 1)}, b: variant{args: with(trim, "-pgo=b.pgo"), after: profile("b.pgo", 1)}, want: "pgo-name", sure: fact.Certain, formats: elfOnly},
		{name: "39 profile's contents", a: variant{args: with(trim, "-pgo=a.pgo"), files: hotFiles(), after: profile("a.pgo", 1)}, b: variant{args: with(trim, "-pgo=a.pgo"), files: hotFiles(), after: profile("a.pgo", 1000)}, want: "pgo-profile", sure: fact.Likely, formats: elfOnly},
		{name: "42 patched standard library", a: t, b: variant{args: with(trim, "-overlay=overlay.json"), after: overlay}, want: "toolchain-modified", sure: fact.Likely, formats: elfOnly, contains: "package runtime"},
		{name: "44 CGO_ENABLED", a: t, b: variant{args: trim, env: []string{"CGO_ENABLED=1"}}, want: "cgo-enabled", sure: fact.Certain, formats: elfOnly},
		{name: "47 CGO_CFLAGS", a: variant{args: trim, env: []string{"CGO_ENABLED=1"}, files: cgoFiles()}, b: variant{args: trim, env: []string{"CGO_ENABLED=1", "CGO_CFLAGS=-g -O1"}, files: cgoFiles()}, want: "cgo-toolchain", sure: fact.Likely, formats: elfOnly},
		{name: "47 CGO_CFLAGS without -g", a: variant{args: trim, env: []string{"CGO_ENABLED=1"}, files: cgoFiles()}, b: variant{args: trim, env: []string{"CGO_ENABLED=1", "CGO_CFLAGS=-O2"}, files: cgoFiles()}, want: "cgo-toolchain", sure: fact.Certain, formats: elfOnly, contains: "GNU C"},
		{name: "race", a: variant{args: trim, env: []string{"CGO_ENABLED=1"}}, b: variant{args: with(trim, "-race"), env: []string{"CGO_ENABLED=1"}}, want: "race-msan-asan", sure: fact.Certain, formats: elfOnly},
		{name: "-gcflags", a: t, b: variant{args: with(trim, "-gcflags=-l")}, want: "compile-flags", sure: fact.Certain, formats: elfOnly},
		{name: "53 -s -w", a: t, b: variant{args: bare}, want: "strip-flags", sure: fact.Certain, formats: all, versions: true},
		{name: "53 -w and -s -w", a: variant{args: with(trim, "-ldflags=-w")}, b: variant{args: bare}, want: "strip-flags", sure: fact.Certain, formats: all},
		{name: "53 strip", a: t, b: variant{args: trim, post: stripped}, want: "strip-tool", sure: fact.Certain, formats: elfOnly},
		{name: "edited", a: t, b: variant{args: trim, edit: flip(".gopclntab")}, want: "strip-tool", sure: fact.Certain, formats: elfOnly},
		{name: "54 signed again", a: t, b: variant{args: trim, edit: flip("(code signature)")}, want: "code-signature", sure: fact.Certain, formats: "macho"},
		{name: "signed", a: t, b: variant{args: trim, edit: certified}, want: "code-signature", sure: fact.Certain, formats: "pe"},
		{name: "-buildid=", a: t, b: variant{args: with(trim, "-ldflags=-buildid=")}, want: "buildid-removed", sure: fact.Certain, formats: all},
		// What must not matter.
		{name: "2 -trimpath", a: variant{dir: "one", args: trim}, b: variant{dir: "two", args: trim}, formats: all, versions: true},
		{name: "5 environment", a: t, b: variant{args: trim, env: []string{"TZ=Asia/Tokyo", "GOMAXPROCS=1", "SOURCE_DATE_EPOCH=1", "LC_ALL=C", "GOGC=50", "CC=nothing", "GODEBUG=gctrace=0"}}, formats: elfOnly},
		{name: "8 files that do not matter", a: t, b: variant{args: trim, files: map[string]string{"README": "text\n", "lib/lib_test.go": "package lib\n"}, after: appendTo("lib/lib.go", "\n// the end\n")}, formats: elfOnly},
		{name: "8 CRLF in a package", a: t, b: file("lib/lib.go", strings.ReplaceAll(fixtureFiles()["lib/lib.go"], "\n", "\r\n"), trim...), formats: elfOnly},
		{name: "15 separator of tags", a: variant{args: with(trim, "-tags=aa,bb")}, b: variant{args: with(trim, "-tags=aa bb")}, formats: elfOnly},
		{name: "40 -pgo=off", a: t, b: variant{args: with(trim, "-pgo=off")}, formats: elfOnly},
	}
}

// platformsOf lists where a row is tried.
func (r *row) platformsOf() []string {
	switch r.formats {
	case all:
		return []string{"linux/amd64", "darwin/arm64", "windows/amd64"}
	case elfOnly:
		return []string{"linux/amd64"}
	case "macho":
		return []string{"darwin/arm64"}
	case "wasm":
		return []string{"wasip1/wasm"}
	case "pe":
		return []string{"windows/amd64"}
	}
	return nil
}

// core rows run with -short too.
var core = []string{"1 build directory", "10 changed function", "14 -X stripped", "2 -trimpath"}

// TestCorpus builds every pair and compares it both ways.
func TestCorpus(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	var table corpusTable
	w := newWorkshop(t)
	for _, c := range corpus() {
		if testing.Short() && !slices.Contains(core, c.name) {
			continue
		}
		for _, platform := range c.platformsOf() {
			if testing.Short() && platform != "linux/amd64" {
				continue
			}
			t.Run(c.name+" "+platform, func(t *testing.T) { table.add(c, platform, tryRow(t, w, c, platform)) })
		}
	}
	if *update && !t.Failed() && !testing.Short() {
		table.write(t)
	}
}

// TestVersions tries the rows where it matters with an older and a newer toolchain.
func TestVersions(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("builds programs with other toolchains, on Linux")
	}
	for _, version := range []string{"go1.23.12", "go1.27.4"} {
		t.Run(version, func(t *testing.T) {
			w := newWorkshop(t)
			w.tool = toolchain(t, version)
			n := 0
			for _, c := range corpus() {
				if !c.versions {
					continue
				}
				// One platform each, in turns: what a version writes in another way
				// than the one on the PATH is in files of each format.
				platforms := c.platformsOf()
				platform := platforms[n%len(platforms)]
				n++
				t.Run(c.name+" "+platform, func(t *testing.T) { tryRow(t, w, c, platform) })
			}
		})
	}
}

// toolchain returns the go command of a version, from the user's module cache
// or proxy.
func toolchain(t *testing.T, version string) string {
	t.Helper()
	cmd := exec.Command("go", "env", "GOROOT")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN="+version)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Skipf("no toolchain %s: %v\n%s", version, err, out)
	}
	lines := strings.Fields(string(out))
	return filepath.Join(lines[len(lines)-1], "bin", "go")
}

func tryRow(t *testing.T, w *workshop, c row, platform string) *Diff {
	a, b := w.build(t, platform, c.a), w.build(t, platform, c.b)
	d, err := Compare(t.Context(), a, b, Known{})
	if err != nil {
		t.Fatal(err)
	}
	if c.want == "" {
		if !d.Equal || d.FirstOffset != -1 || len(d.Findings)+len(d.Sections)+len(d.Notes) > 0 {
			t.Errorf("not identical: %+v", d)
		}
		return d
	}
	if d.Equal || len(d.Findings) == 0 {
		t.Fatalf("no finding: %+v", d)
	}
	checkFindings(t, d, c.want, c.sure, c.also)
	if c.contains != "" && !strings.Contains(strings.Join(evidenceOf(d, c.want), "\n"), c.contains) {
		t.Errorf("evidence %q does not say %q", evidenceOf(d, c.want), c.contains)
	}
	if platform == "linux/amd64" {
		checkKnown(t, a, b, d)
	}
	// The other way round, the same. Fields of headers that are at another offset
	// in the other file count a little differently.
	r, err := Compare(t.Context(), b, a, Known{})
	if err != nil {
		t.Fatal(err)
	}
	checkFindings(t, r, c.want, c.sure, c.also)
	if r.DifferentBytes != d.DifferentBytes || r.FirstOffset != d.FirstOffset || max(r.UnexplainedBytes-d.UnexplainedBytes, d.UnexplainedBytes-r.UnexplainedBytes) > 256 || causesOf(r) != causesOf(d) {
		t.Errorf("not symmetrical: %+v and %+v", d, r)
	}
	return d
}

// checkKnown: of two builds of which everything is known to be the same, nothing
// is said but what the files record and what happened to them afterwards.
func checkKnown(t *testing.T, a, b string, free *Diff) {
	t.Helper()
	d, err := Compare(t.Context(), a, b, AllKnown())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range d.Findings {
		i := slices.IndexFunc(passes(), func(x pass) bool { return x.cause == f.Cause })
		if i >= 0 && passes()[i].blames != 0 && !isRecorded(t, passes()[i], a, b, d) {
			t.Errorf("%s (%s), although all is known to be the same: %q", f.Cause, f.Confidence, f.Evidence)
		}
		if text := strings.Join(append(f.Evidence, f.Remedy), "\n"); f.Cause == fact.CauseUnknown && (strings.Contains(text, "h1 hash") || strings.Contains(text, "compare the")) {
			t.Errorf("%s", text)
		}
	}
	if len(d.Findings) == 0 || d.DifferentBytes != free.DifferentBytes {
		t.Errorf("%+v", d)
	}
}

// isRecorded reports whether a pass finds what the files say themselves.
func isRecorded(t *testing.T, x pass, a, b string, d *Diff) bool {
	t.Helper()
	p := &pair{ctx: t.Context(), diff: d, known: AllKnown()}
	for path, s := range map[string]**side{a: &p.a, b: &p.b} {
		var err error
		if *s, err = openSide(path); err != nil {
			t.Fatal(err)
		}
		defer (*s).close()
		if err := (*s).parse(); err != nil {
			t.Fatal(err)
		}
	}
	return slices.ContainsFunc(x.run(p), func(f finding) bool { return f.recorded })
}

func causesOf(d *Diff) string {
	var out []string
	for _, f := range d.Findings {
		out = append(out, fmt.Sprint(f.Cause, " ", f.Confidence))
	}
	return strings.Join(out, ", ")
}

func evidenceOf(d *Diff, cause fact.Cause) []string {
	for _, f := range d.Findings {
		if f.Cause == cause {
			return f.Evidence
		}
	}
	return nil
}

func checkFindings(t *testing.T, d *Diff, want fact.Cause, confidence fact.Confidence, also []fact.Cause) {
	t.Helper()
	top := d.Findings[0]
	if len(also) > 0 { // several are certain: the one wanted has to be among them
		for _, f := range d.Findings {
			if f.Cause == want {
				top = f
			}
		}
	}
	if top.Cause != want || top.Confidence != confidence || len(top.Evidence) == 0 || top.Remedy == "" {
		t.Errorf("finding %+v, want %s, %s\nall of it: %+v", top, want, confidence, d)
	}
	for _, f := range d.Findings {
		if f.Confidence == fact.Certain && f.Cause != want && !slices.Contains(also, f.Cause) {
			t.Errorf("%s is called certain: %q", f.Cause, f.Evidence)
		}
		if !slices.Contains(Causes(), f.Cause) {
			t.Errorf("cause %q is not listed", f.Cause)
		}
	}
	if len(d.Notes) > 0 {
		t.Errorf("notes: %q", d.Notes)
	}
	if (want == "flag-spelling" || want == "main-package-comment-only" || want == "code-signature") && d.UnexplainedBytes != 0 {
		t.Errorf("%d bytes unexplained", d.UnexplainedBytes)
	}
}

// corpusTable collects the table of docs/reports/causes.md.
type corpusTable struct {
	rows  []row
	cells map[string]map[string]*Diff // row → platform
}

func (c *corpusTable) add(r row, platform string, d *Diff) {
	if c.cells == nil {
		c.cells = map[string]map[string]*Diff{}
	}
	if c.cells[r.name] == nil {
		c.rows = append(c.rows, r)
		c.cells[r.name] = map[string]*Diff{}
	}
	c.cells[r.name][platform] = d
}

// What differs from run to run in evidence.
var (
	tempDir = regexp.MustCompile(`"[^"]*/(TestCorpus|[0-9]{3})[^"]*?(/[a-z]+)"`)
	hashes  = regexp.MustCompile(`[\w-]{20}(/[\w-]{20}){3}`)
)

const tableStart, tableEnd = "<!-- table: written by go test ./internal/bindiff -run TestCorpus -update -->\n", "<!-- end of table -->\n"

func (c *corpusTable) write(t *testing.T) {
	t.Helper()
	var b strings.Builder
	b.WriteString("| pair | cause | ELF | Mach-O | PE | evidence (of the first format) |\n|---|---|---|---|---|---|\n")
	for _, r := range c.rows {
		cause, evidence := r.want, ""
		if r.formats == "wasm" {
			continue // it has no column
		}
		cells := []string{}
		for _, p := range []string{"linux/amd64", "darwin/arm64", "windows/amd64"} {
			d := c.cells[r.name][p]
			switch {
			case d == nil:
				cells = append(cells, "")
				continue
			case d.Equal:
				cells = append(cells, "identical")
				continue
			}
			cell := string(d.Findings[0].Confidence)
			if slices.Contains(r.a.args, "-trimpath") && slices.Contains(r.b.args, "-trimpath") {
				// Otherwise the numbers depend on the name of a temporary directory.
				cell += fmt.Sprintf(", %d of %d unexplained", d.UnexplainedBytes, sectionBytes(d))
			}
			cells = append(cells, cell)
			if evidence == "" {
				evidence = strings.Join(evidenceOf(d, r.want)[:1], "")
			}
		}
		evidence = hashes.ReplaceAllString(tempDir.ReplaceAllString(evidence, `"…$2"`), "…")
		evidence = cell(evidence)
		if cause == "" {
			cause = "none"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.name, cause, strings.Join(cells, " | "), evidence)
	}
	writeTable(t, tableStart, b.String())
}

// writeTable replaces what is between a mark and the next end of a table.
func writeTable(t *testing.T, start, table string) {
	t.Helper()
	const path = "../../docs/reports/causes.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), start)
	_, tail, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", path)
	}
	if err := os.WriteFile(path, []byte(head+start+table+tableEnd+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cell makes evidence fit for a table.
func cell(evidence string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "*", `\*`).Replace(clip(evidence, 240))
}

func sectionBytes(d *Diff) (n int64) {
	for _, s := range d.Sections {
		n += s.Bytes
	}
	return n
}

// TestDocumented: every cause has a section in docs/causes.md with a pair that
// shows it, and there are no others.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/causes.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []fact.Cause
	for _, s := range strings.Split(string(text), "\n## ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		if !strings.HasPrefix(name, "`") {
			continue
		}
		name = strings.Trim(name, "`")
		got = append(got, fact.Cause(name))
		for _, part := range []string{"Pair:", "Remedy:"} {
			if !strings.Contains(body, part) {
				t.Errorf("%s has no %s", name, part)
			}
		}
	}
	want := Causes()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("documented are\n%q\nwant, sorted,\n%q", got, want)
	}
}

// appendTo appends to a file of the source after the commit, if there is one.
func appendTo(name, text string) func(string) {
	return func(dir string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		b, err := os.ReadFile(path)
		if err := errors.Join(err, os.WriteFile(path, append(b, text...), 0o644)); err != nil {
			panic(err)
		}
	}
}
