package toolchain

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/patch"
)

// A go command that knows which packages its programs are of, and builds nothing.
const fakeGo = `#!/bin/sh
case $1 in
list)
	echo "cmd/go fmt cmd/internal/par"
	echo "cmd/compile fmt cmd/compile/internal/ir"
	echo "cmd/link fmt cmd/link/internal/ld"
	;;
build)
	for a; do
		case $a in -o=*) to=${a#-o=};; esac
	done
	echo "built of $a" >"$to"
	;;
esac
`

func modifiable(t *testing.T) (*Toolchain, *Place) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the go command of this test is a shell script")
	}
	tool := "pkg/tool/" + runtime.GOOS + "_" + runtime.GOARCH + "/"
	tc := fakeToolchain(t, append(slices.DeleteFunc(slices.Clone(fakeFiles), func(f fakeFile) bool { return strings.HasPrefix(f.name, "bin/go") || strings.HasPrefix(f.name, "pkg/") }),
		fakeFile{"bin/go", fakeGo, 0},
		fakeFile{tool + "compile", "compile", 0}, fakeFile{tool + "link", "link", 0}, fakeFile{tool + "vet", "vet", 0},
		fakeFile{"src/cmd/link/internal/ld/main.go", "package ld\n\nfunc f() {\n\tbuildinfo()\n}\n", 0},
		fakeFile{"src/runtime/textflag.h", "1\n", 0}, fakeFile{"pkg/include/textflag.h", "1\n", 0},
	))
	dir := t.TempDir()
	p := &Place{Umask: -1}
	for i, d := range []*string{&p.Home, &p.Tmp, &p.GoCache, &p.ModCache, &p.Empty} {
		*d = filepath.Join(dir, string(rune('a'+i)))
	}
	if err := p.Make(); err != nil {
		t.Fatal(err)
	}
	return tc, p
}

func parsePatch(t *testing.T, text string) *patch.Patch {
	t.Helper()
	p, err := ParsePatch("x.patch", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const ldPatch = "--- a/src/cmd/link/internal/ld/main.go\n+++ b/src/cmd/link/internal/ld/main.go\n@@ -3,3 +3,2 @@\n func f() {\n-\tbuildinfo()\n }\n"

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What a patch touches is built anew, and nothing else; the toolchain that comes of it
// is another one wherever toolchains are told apart.
func TestModify(t *testing.T) {
	tc, place := modifiable(t)
	p := parsePatch(t, ldPatch+"--- a/src/fmt/print_test.go\n+++ b/src/fmt/print_test.go\n@@ -1 +1 @@\n-package fmt\n+package x\n")
	dir := filepath.Join(t.TempDir(), "go")
	g, err := tc.Modify(t.Context(), dir, p, place)
	if err != nil {
		t.Fatal(err)
	}
	m := g.Toolchain.Modification()
	if m.Patch != p.SHA256 || !slices.Equal(m.Files, []string{"src/cmd/link/internal/ld/main.go"}) || !slices.Equal(m.Tools, []string{"cmd/link"}) || !slices.Equal(m.Left, []string{"src/fmt/print_test.go"}) {
		t.Errorf("%+v", m)
	}
	if got := read(t, filepath.Join(dir, "src/cmd/link/internal/ld/main.go")); got != "package ld\n\nfunc f() {\n}\n" {
		t.Errorf("source %q", got)
	}
	tools := filepath.Join(dir, "pkg/tool", runtime.GOOS+"_"+runtime.GOARCH)
	for name, want := range map[string]string{"link": "built of cmd/link\n", "compile": "compile", "vet": "vet"} {
		if got := read(t, filepath.Join(tools, name)); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := read(t, g.Go()); got != fakeGo {
		t.Error("the go command was built anew")
	}
	if a, b := tc.DirName(), g.Toolchain.DirName(); a == b || !strings.Contains(b, p.SHA256[:16]) {
		t.Errorf("build caches %s and %s", a, b)
	}
	if g.Toolchain.Version != tc.Version || tc.Modification() != nil {
		t.Error("not of that release, or the release is changed")
	}
	if _, err := g.Toolchain.Modify(t.Context(), dir+"2", p, place); err == nil {
		t.Error("modified twice")
	}
}

// A package of the standard library is in programs too, and headers are copied.
func TestModifyStandardLibrary(t *testing.T) {
	tc, place := modifiable(t)
	dir := filepath.Join(t.TempDir(), "go")
	g, err := tc.Modify(t.Context(), dir, parsePatch(t, "--- src/fmt/print.go\n+++ src/fmt/print.go\n@@ -1 +1,2 @@\n package fmt\n+// x\n--- /dev/null\n+++ src/fmt/new.go\n@@ -0,0 +1 @@\n+package fmt\n--- src/runtime/textflag.h\n+++ src/runtime/textflag.h\n@@ -1 +1 @@\n-1\n+2\n"), place)
	if err != nil {
		t.Fatal(err)
	}
	if m := g.Toolchain.Modification(); !slices.Equal(m.Tools, []string{"cmd/compile", "cmd/go", "cmd/link"}) {
		t.Errorf("%+v", m)
	}
	for name, want := range map[string]string{"src/fmt/new.go": "package fmt\n", "src/fmt/print.go": "package fmt\n// x\n", "pkg/include/textflag.h": "2\n"} {
		if got := read(t, filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestModifyRefused(t *testing.T) {
	tc, place := modifiable(t)
	for text, want := range map[string]string{
		"--- a/src/no.go\n+++ b/src/no.go\n@@ -1 +1 @@\n-a\n+b\n":              "x.patch:1:1: src/no.go: this release has no such file",
		"--- /dev/null\n+++ b/src/fmt/print.go\n@@ -0,0 +1 @@\n+package fmt\n": "x.patch:1:1: src/fmt/print.go: is there already",
		strings.ReplaceAll(ldPatch, "buildinfo", "pclntab"):                    "x.patch:3:1: src/cmd/link/internal/ld/main.go: the hunk does not apply",
	} {
		dir := filepath.Join(t.TempDir(), "go")
		if _, err := tc.Modify(t.Context(), dir, parsePatch(t, text), place); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "go1.99.1, modified") {
			t.Errorf("%v", err)
		}
	}
	altered := *tc
	altered.Sum = "h1:" + strings.Repeat("A", 43) + "="
	if _, err := altered.Modify(t.Context(), filepath.Join(t.TempDir(), "go"), parsePatch(t, ldPatch), place); err == nil || !strings.Contains(err.Error(), "checksum database") {
		t.Errorf("another zip: %v", err)
	}
	for text, want := range map[string]string{
		"--- a/VERSION\n+++ b/VERSION\n@@ -1 +1 @@\n-a\n+b\n":                  "x.patch:1:1: \"b/VERSION\" is not below src/",
		"--- a/src/x_test.go\n+++ b/src/x_test.go\n@@ -1 +1 @@\n-a\n+b\n":      "tests alone",
		"--- a/src/../x.go\n+++ b/src/../x.go\n@@ -1 +1 @@\n-a\n+b\n":          "x.patch:1:5: ",
		"--- /dev/null\n+++ b/src/fmt/x.go\n@@ -0,0 +1 @@\n+package fmt\n x\n": "x.patch:5:1: ",
	} {
		if _, err := ParsePatch("x.patch", []byte(text)); err == nil || fault.ExitCode(err) != fault.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
