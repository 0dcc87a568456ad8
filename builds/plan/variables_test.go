package plan

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// setVars is a program with every form of package-level variable. Its first
// comment on a line says what stringVar must say: ok, or a word of the reason.
const setVars = `package main

import "fmt"

type (
	alias  = string
	second = alias
	named  string
)

func f() string           { return "f" }
func g() (string, string) { return "g", "g" }

var plain string             // ok
var literal = "x"            // ok
var raw = ` + "`x`" + `              // ok
var both string = "x"        // ok
var concat = "x" + "y"       // ok
var fromConst = constant     // ok
var converted = string("x")  // ok
var paren (string)           // ok
var parenValue = ("x")       // ok
var aliased alias            // ok
var twice second             // ok
var (
	grouped, pair string     // ok
	one, two = "1", "2"      // ok
)

const constant = "c"         // constant
var called = f()             // call
var calledToo string = f()   // call
var sprint = fmt.Sprint("x") // call
var left, right = g()        // call
var number = 5               // type
var typed int                // type
var other named              // type
var slice []string           // type
var pointer *string          // type
var qualified fmt.Stringer   // type
var boolean = true           // type
var composite = []string{}   // type
var function = func() {}     // type
var address = &plain         // type
`

// setNames reads the table out of the program.
func setNames(t *testing.T) (names []string, want map[string]string) {
	t.Helper()
	want = map[string]string{}
	for line := range strings.Lines(setVars) {
		decl, comment, ok := strings.Cut(strings.TrimSpace(line), "// ")
		if !ok {
			continue
		}
		decl = strings.TrimPrefix(strings.TrimPrefix(decl, "var "), "const ")
		decl, _, _ = strings.Cut(decl, "=")
		first, second, pair := strings.Cut(decl, ",")
		all := []string{strings.Fields(first)[0]}
		if pair {
			all = append(all, strings.Fields(second)[0])
		}
		for _, n := range all {
			names = append(names, n)
			want[n] = strings.TrimSpace(comment)
		}
	}
	if len(names) != 31 {
		t.Fatalf("%d names: %q", len(names), names)
	}
	return names, want
}

func TestStringVar(t *testing.T) {
	dir := t.TempDir()
	names, want := setNames(t)
	if err := os.WriteFile(filepath.Join(dir, "vars.go"), []byte(setVars), 0o644); err != nil {
		t.Fatal(err)
	}
	// A second file of the package, one that does not parse, one that is not there.
	if err := os.WriteFile(filepath.Join(dir, "more.go"), []byte("package main\n\nimport \"C\"\n\nvar more string\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "broken.go"), []byte("package main\n\nvar broken string\nfunc ("), 0o644); err != nil {
		t.Fatal(err)
	}
	p := &Package{Dir: dir, GoFiles: []string{"vars.go", "broken.go", "missing.go"}, CgoFiles: []string{"more.go"}}
	src := readDeclared(dir, p)
	if len(src.broken) == 0 || !strings.HasPrefix(src.broken[0].Error(), "broken.go:4:7: syntax error: ") {
		t.Errorf("broken files: %q", src.broken)
	}
	for _, name := range names {
		ok, reason := src.stringVar(name)
		vars := src.settable()
		if ok != (want[name] == "ok") || ok != (reason == "") || !ok && !strings.Contains(reason, want[name]) {
			t.Errorf("%s: %v, %q; want %s", name, ok, reason, want[name])
		}
		if slices.Contains(vars, name) != ok || !slices.Contains(vars, "more") {
			t.Errorf("%s: variables %q", name, vars)
		}
	}
	for _, name := range []string{"missing", "main", "f", "alias", "Plain", "broken", ""} {
		if ok, reason := src.stringVar(name); ok || reason != "" {
			t.Errorf("%s: %v, %q", name, ok, reason)
		}
	}
}

// The real linker agrees: it sets every variable that stringVar calls ok.
func TestStringVarLinker(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program")
	}
	dir := t.TempDir()
	names, want := setNames(t)
	var flags, prints []string
	for _, n := range names {
		if want[n] == "ok" {
			flags = append(flags, "-X main."+n+"=linked")
			prints = append(prints, `fmt.Println("`+n+`", string(`+n+`))`)
		}
	}
	source := setVars + "\nfunc main() {\n" + strings.Join(prints, "\n") + "\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "set.exe")
	cmd := exec.Command("go", "build", "-ldflags="+strings.Join(flags, " "), "-o", exe, filepath.Join(dir, "main.go"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(exe).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), " "); value != "linked" {
			t.Errorf("the linker left %s at %q", name, value)
		}
	}
}
