package plan

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/buildstest"
	"github.com/mintmark/mintmark/internal/fault"
)

// planned plans a profile and returns the planner; a profile that cannot be planned ends the test.
func (f *fixture) planned(yaml string) *Planner {
	f.T.Helper()
	pl := f.planner(head + yaml)
	pl.Typed = true
	plan, err := pl.Plan(f.T.Context())
	if err != nil {
		f.T.Fatal(err)
	}
	f.units = plan.Units
	return pl
}

func errorLines(err error) (lines []string) {
	if err == nil {
		return nil
	}
	for _, e := range fault.Leaves(err) {
		if _, several := e.(interface{ Unwrap() []error }); several {
			lines = append(lines, errorLines(e)...)
			continue
		}
		lines = append(lines, e.Error())
	}
	return lines
}

func TestRemarks(t *testing.T) {
	files := buildstest.Sample()
	files["cmd/c/main.go"] = "package main\n\nimport \"C\"\n\nfunc main() {}\n"
	files["man/deeper/tool.1"] = "x"
	f := newFixture(t, files)
	remarks := func(yaml string) (list []string) {
		for _, p := range f.planned(yaml).Remarks() {
			list = append(list, fmt.Sprintf("%d: %s", p.Pos.Line, p.Message))
		}
		return list
	}
	const lost = `6: example.com/fx/cmd/c is not built: all its Go files import "C", and cgo is off`
	got := remarks("profiles:\n  release:\n    platforms: [linux/amd64, linux/arm64, windows/amd64]\n    main: [./cmd/...]\n    files: [README*, man/*, gone/*.txt]\n")
	if want := []string{lost, "7: man/deeper is a directory, its files are not included", "7: gone/*.txt matches no file"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := remarks("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n    archive: none\n    files: [README*]\n"); !slices.Equal(got, []string{"8: files has no effect: archive: none publishes the programs alone"}) {
		t.Errorf("%q", got)
	}
	// A directory is passed over unless another pattern has files of it.
	for pattern, want := range map[string]string{
		"'*'": "8: cmd, docs, lib, man, unused are directories, their files are not included", "man/*, man/*/*": "", "man/**": "", "'**/*.1'": "", "'**/man'": "8: man is a directory, its files are not included", "none/**": "8: none/** matches no file",
	} {
		got := remarks("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n    archive: zip\n    files: [" + pattern + "]\n")
		if len(got) > 1 || strings.Join(got, "") != want {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
	// What is asked for is not remarked on: one main by its name, cgo, or no file's defaults.
	for _, yaml := range []string{
		"profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n",
		"profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/...]\n    cgo: true\n    env: {CC: gcc}\n",
	} {
		if got := remarks(yaml); len(got) > 0 {
			t.Errorf("%s: %q", yaml, got)
		}
	}
}

// TestLostMains: each program that a pattern matches and a unit does not have is
// named with the true reason, and no other.
func TestLostMains(t *testing.T) {
	files := buildstest.Sample()
	main := func(dir, before, after string) {
		files[dir+"/main.go"] = before + "package main\n" + after + "\nfunc main() {}\n"
	}
	main("cmd/c", "", "\nimport \"C\"\n")
	main("cmd/cg", "//go:build cgo\n\n", "")
	main("cmd/lin", "//go:build linux\n\n", "")
	files["cmd/win/main_windows.go"] = "package main\n\nfunc main() {}\n"
	main("cmd/tag", "//go:build prod && linux\n\n", "")
	main("cmd/gen", "//go:build ignore\n\n", "")
	main("cmd/testdata/x", "//go:build prod\n\n", "")
	main("cmd/nest", "", "")
	files["cmd/nest/go.mod"] = "module example.com/fx/cmd/nest\n\ngo 1.23\n"
	main("other/tag", "//go:build prod\n\n", "")
	f := newFixture(t, files)
	remarks := func(yaml string) (list []string) {
		for _, p := range f.planned("profiles:\n  release:\n    platforms: [linux/amd64, windows/amd64]\n" + yaml).Remarks() {
			list = append(list, strings.TrimPrefix(p.Message, "example.com/fx/"))
			if p.Hint == "" {
				t.Errorf("%s: no hint", p.Message)
			}
		}
		return list
	}
	got := remarks("    main: [./cmd/...]\n")
	want := []string{
		`cmd/c is not built: all its Go files import "C", and cgo is off`,
		"cmd/cg is not built: its Go files need cgo, which is off",
		"cmd/lin is not built for windows/amd64: its Go files are for others, such as linux/amd64",
		"cmd/nest is not built: cmd/nest/go.mod makes it a module of its own, and mintmark builds one module without go.work",
		"cmd/tag is not built: its Go files need the tag prod",
		"cmd/win is not built for linux/amd64: its Go files are for others, such as windows/amd64",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	got = remarks("    main: [example.com/fx/cmd/...]\n    tags: [prod]\n")
	want[4] = "cmd/tag is not built for windows/amd64: its Go files are for others, such as linux/amd64"
	if !slices.Equal(got, want) {
		t.Errorf("with the tag: %q\nwant %q", got, want)
	}
	if got := remarks("    main: [./cmd/a, ./cmd/b]\n"); len(got) > 0 {
		t.Errorf("without a pattern: %q", got)
	}
}

func TestMatchesDir(t *testing.T) {
	for _, tt := range []struct {
		pattern, dir string
		want         bool
	}{
		{"./...", ".", true}, {"./...", "a/b", true}, {"./cmd/...", "cmd", true}, {"./cmd/...", "cmd/a/b", true}, {"./cmd/...", "cmdx/a", false},
		{"example.com/m/...", "a", true}, {"example.com/m/cmd/...", "cmd/a", true}, {"./cmd/a...", "cmd/ab", true}, {"./.../cmd", "x/cmd", true}, {"./cmd/a", "cmd/a", false},
	} {
		if got := matchesDir(tt.pattern, "example.com/m", tt.dir); got != tt.want {
			t.Errorf("%s %s: %v", tt.pattern, tt.dir, got)
		}
	}
}

func TestSyntax(t *testing.T) {
	files := buildstest.Sample()
	files["lib/broken.go"] = "package lib\n\nfunc f() {\n\tif {\n}\n"
	files["cmd/a/more.go"] = "package main\n\nfunc g() int { return 1 +; }\n"
	files["unused/broken.go"] = "package unused\n\nfunc {\n"
	files["lib/other_plan9.go"] = "package lib\n\nfunc {\n"
	f := newFixture(t, files)
	pl := f.planned("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/...]\n")
	got := errorLines(pl.Syntax(t.Context()))
	for _, want := range []string{"cmd/a/more.go:3:", "lib/broken.go:4:"} {
		if !slices.ContainsFunc(got, func(l string) bool { return strings.HasPrefix(l, want) && strings.Contains(l, "syntax error: ") }) {
			t.Errorf("no error in %s: %q", want, got)
		}
	}
	if slices.ContainsFunc(got, func(l string) bool { return strings.Contains(l, "unused") || strings.Contains(l, "plan9") }) {
		t.Errorf("an error of what no unit compiles: %q", got)
	}
	// A toolchain that knows more than this program is asked itself.
	pl = f.planned("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/...]\n")
	pl.Go = "go1.999.0"
	if got := errorLines(pl.Syntax(t.Context())); len(got) == 0 || !strings.HasPrefix(got[0], "cmd/a/more.go:3:") {
		t.Errorf("gofmt says %q", got)
	}
	if _, err := pl.Types(t.Context()); err == nil || !strings.Contains(err.Error(), "types are not checked: go1.999.0") {
		t.Errorf("types by an older program: %v", err)
	}
}

func TestTypes(t *testing.T) {
	if testing.Short() {
		t.Skip("type-checks net/http many times; TestTypesOfC is quicker")
	}
	files := buildstest.Sample()
	files["lib/net.go"] = "package lib\n\nimport \"net/http\"\n\nvar _ http.Handler\n" // with packages that the standard library vendors
	files["lib/win_windows.go"] = "package lib\n\nvar onlyWindows int = \"text\"\n"
	files["lib/tagged.go"] = "//go:build extra\n\npackage lib\n\nvar tagged = undefinedThing\n"
	files["cmd/b/main.go"] = "package main\n\nimport \"os\"\n\nfunc main() { x := 1 }\n"
	files["c/c.go"] = "package c\n\n// int one(void);\nimport \"C\"\n\nfunc One() int { return int(C.one()) }\n"
	files["cmd/c/main.go"] = "package main\n\nimport \"example.com/fx/c\"\n\nfunc main() { println(c.One() + c.One(1)) }\n"
	f := newFixture(t, files)
	check := func(yaml string) (*Typed, []string) {
		typed, err := f.planned(yaml).Types(t.Context())
		return typed, errorLines(err)
	}
	good := func(yaml string) {
		t.Helper()
		if typed, got := check(yaml); len(got) > 0 || typed.Packages < 50 {
			t.Errorf("%q: %+v", got, typed)
		}
	}
	bad := func(yaml string, want ...string) {
		t.Helper()
		_, got := check(yaml)
		if len(got) != len(want) {
			t.Errorf("%q, want %q", got, want)
			return
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%q, want %q", got[i], want[i])
			}
		}
	}
	good("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n")
	bad("profiles:\n  release:\n    platforms: [windows/amd64]\n    main: [./cmd/a]\n", "release windows/amd64: lib/win_windows.go:3:23: cannot use ")
	bad("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n    tags: [extra]\n", "release linux/amd64: lib/tagged.go:5:14: undefined: undefinedThing")
	bad("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/b]\n", `release linux/amd64: cmd/b/main.go:3:8: "os" imported and not used`, "release linux/amd64: cmd/b/main.go:5:15: declared and not used: x")
	bad("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/c]\n    cgo: true\n    env: {CC: gcc}\n", "release linux/amd64: cmd/c/main.go:5:39: too many arguments")

	// What the go line allows.
	f.Write("cmd/a/seq.go", "package main\n\nfunc each() { for range func(func() bool) {} {} }\n")
	good("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n")
	f.Write("go.mod", "module example.com/fx\n\ngo 1.21\n")
	bad("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n", "release linux/amd64: cmd/a/seq.go:3:25: cannot range over ")
}

// TestTypesOfC: what depends on a type that comes from C is not called wrong, and
// not said to be checked.
func TestTypesOfC(t *testing.T) {
	files := buildstest.Sample()
	files["c/c.go"] = "package c\n\n// typedef struct { int x; } foo;\n// enum { N = 4 };\nimport \"C\"\n\ntype Num C.int\n\nconst N = C.N\n\nvar Arr [C.N]int\n\ntype Wrap struct{ C.foo }\n\n" +
		"func (n Num) Double() Num { return n * 2 }\n\ntype E interface{ ~C.int | ~int32 }\n\nvar _ interface{ Double() Num } = Num(3)\n\nconst M = N * 2\n"
	files["mid/mid.go"] = "package mid\n\nimport \"example.com/fx/c\"\n\nfunc Get() c.Num { return 3 }\n"
	files["plain/plain.go"] = "package plain\n\n// static int one(int a) { return a; }\nimport \"C\"\n\nfunc conv(a C.int) int { return int(a) }\n\nfunc One() int { return conv(C.one(1)) }\n"
	files["cmd/a/main.go"] = "package main\n\nimport (\n\t\"example.com/fx/c\"\n\t\"example.com/fx/mid\"\n\t\"example.com/fx/plain\"\n)\n\nvar _ interface{ Double() c.Num } = c.Num(1)\n\nfunc g[T c.E](t T) T { return t }\n\n" +
		"func main() {\n\tvar n c.Num = 3\n\tprintln(n.Double()+1, mid.Get()+1, 1<<c.N, len(c.Arr), c.M, plain.One())\n\tfor i := range c.N {\n\t\tprintln(i)\n\t}\n}\n"
	files["cmd/b/main.go"] = "package main\n\nimport \"example.com/fx/mid\"\n\nfunc main() { println(mid.Get() + 1) }\n"
	f := newFixture(t, files)
	typed, err := f.planned("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/...]\n    cgo: true\n    env: {CC: gcc}\n").Types(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"example.com/fx/c", "example.com/fx/cmd/a", "example.com/fx/cmd/b", "example.com/fx/mid"}
	if !slices.Equal(typed.Unchecked, want) || !slices.Equal(typed.Declared, []string{"example.com/fx/plain"}) {
		t.Errorf("%+v, want %q unchecked", typed, want)
	}
}

func TestMissingTools(t *testing.T) {
	files := buildstest.Sample()
	files["cmd/a/c.go"] = "package main\n\n// #cgo pkg-config: x\nimport \"C\"\n"
	f := newFixture(t, files)
	missing := func(yaml string) (list []string) {
		pl := f.planned(yaml)
		for _, u := range f.units {
			found, err := pl.MissingTools(t.Context(), u)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range found {
				list = append(list, m.Variable+" "+m.Command+" "+strings.Join(m.For, ","))
			}
		}
		return list
	}
	got := missing("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n    cgo: true\n    env: {CC: \"no-such-cc -O1\", PKG_CONFIG: /nowhere/pkg-config}\n")
	if want := []string{"CC no-such-cc example.com/fx/cmd/a,runtime/cgo", "PKG_CONFIG pkg-config example.com/fx/cmd/a"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	f.Write("cmd/f/main.go", "package main\n\nimport \"C\"\n\nfunc main() {}\n")
	f.Write("cmd/f/x.f90", "end\n")
	f.Write("cmd/f/x.swig", "%module x\n")
	got = missing("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/f]\n    cgo: true\n    env: {CC: /bin/sh, FC: no-such-fc -O1}\n")
	want := []string{"FC no-such-fc example.com/fx/cmd/f"}
	if _, err := exec.LookPath("swig"); err != nil {
		want = append(want, " swig example.com/fx/cmd/f")
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := missing("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/b]\n    env: {CC: no-such-cc}\n"); got != nil {
		t.Errorf("without C code: %q", got)
	}
	if got := missing("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/b]\n    cgo: true\n    env: {CC: no-such-cc}\n    ldflags: {extra: [-linkmode=external]}\n"); !slices.Equal(got, []string{"CC no-such-cc "}) && !slices.Equal(got, []string{"CC no-such-cc runtime/cgo"}) {
		t.Errorf("for the linker: %q", got)
	}
}

// TestArchiveNames: what an archive cannot hold is known before anything is built.
func TestArchiveNames(t *testing.T) {
	files := buildstest.Sample()
	files["a/README.md"] = "x"
	f := newFixture(t, files)
	_, err := f.plan(head + "profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n    files: [a/*]\n")
	if err == nil || !strings.Contains(err.Error(), `"a" is a file and the directory of "a/README.md"`) {
		t.Errorf("a program and a directory of one name: %v", err)
	}
}
