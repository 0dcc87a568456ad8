package builds

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// planned plans a profile and returns the planner; a profile that cannot be planned ends the test.
func (f *fixture) planned(yaml string) *Planner {
	f.t.Helper()
	pl := f.planner(head + yaml)
	pl.Typed = true
	plan, err := pl.Plan(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	f.units = plan.Units
	return pl
}

func errorLines(err error) (lines []string) {
	if err == nil {
		return nil
	}
	for _, e := range unjoin(err) {
		if _, several := e.(interface{ Unwrap() []error }); several {
			lines = append(lines, errorLines(e)...)
			continue
		}
		lines = append(lines, e.Error())
	}
	return lines
}

func TestRemarks(t *testing.T) {
	files := sample()
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
	if want := []string{lost, "7: man/* matches no file", "7: gone/*.txt matches no file"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := remarks("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n    archive: none\n    files: [README*]\n"); !slices.Equal(got, []string{"8: files has no effect: archive: none publishes the programs alone"}) {
		t.Errorf("%q", got)
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

func TestSyntax(t *testing.T) {
	files := sample()
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
	files := sample()
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
	f.write("cmd/a/seq.go", "package main\n\nfunc each() { for range func(func() bool) {} {} }\n")
	good("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n")
	f.write("go.mod", "module example.com/fx\n\ngo 1.21\n")
	bad("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n", "release linux/amd64: cmd/a/seq.go:3:25: cannot range over ")
}

func TestMissingTools(t *testing.T) {
	files := sample()
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
	f.write("cmd/f/main.go", "package main\n\nimport \"C\"\n\nfunc main() {}\n")
	f.write("cmd/f/x.f90", "end\n")
	f.write("cmd/f/x.swig", "%module x\n")
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
	files := sample()
	files["a/README.md"] = "x"
	f := newFixture(t, files)
	_, err := f.plan(head + "profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n    files: [a/*]\n")
	if err == nil || !strings.Contains(err.Error(), `"a" is a file and the directory of "a/README.md"`) {
		t.Errorf("a program and a directory of one name: %v", err)
	}
}
