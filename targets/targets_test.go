package targets_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/cli"
)

// TestFlags compares the parameters of every target with the flags of the verb
// of that name: both doors take the same.
func TestFlags(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "targets.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, decl := range f.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || !fn.Name.IsExported() {
			continue
		}
		name := strings.ToLower(fn.Name.Name)
		verb, ok := cli.Find(name)
		if !ok {
			t.Errorf("target %s is no verb", name)
			continue
		}
		found[name] = true
		var flags, args []string
		for _, p := range fn.Type.Params.List[1:] { // after the context
			for _, id := range p.Names {
				if _, pointer := p.Type.(*ast.StarExpr); pointer {
					flags = append(flags, id.Name)
				} else {
					args = append(args, id.Name)
				}
			}
		}
		var want, fixed []string
		for _, f := range verb.Flags() {
			want = append(want, f.Name)
		}
		for _, a := range verb.Args() {
			if !a.Optional {
				fixed = append(fixed, a.Name)
			}
		}
		if !slices.Equal(flags, want) {
			t.Errorf("%s: the target takes %q, the verb %q", name, flags, want)
		}
		if !slices.Equal(args, fixed) {
			t.Errorf("%s: the target's arguments are %q, the verb's %q", name, args, fixed)
		}
		// What is taken must also be passed on: each parameter is used in the
		// composite literal under the name of that flag.
		passed := map[string]string{}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if kv, ok := n.(*ast.KeyValueExpr); ok {
				passed[kv.Value.(*ast.Ident).Name] = kv.Key.(*ast.BasicLit).Value
			}
			return true
		})
		for _, flag := range flags {
			if passed[flag] != strconv.Quote(flag) {
				t.Errorf("%s: -%s is passed as %s", name, flag, passed[flag])
			}
		}
	}
	for _, v := range cli.Verbs() {
		if found[v.Name] == v.CommandOnly() {
			t.Errorf("verb %s: a target is there: %v, and it is about the command only: %v", v.Name, found[v.Name], v.CommandOnly())
		}
	}
}

// TestTargets asks mage for its list of targets: mage drops a function with a
// parameter it does not know without a word.
func TestTargets(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: compiles the magefile")
	}
	out, err := exec.Command("go", "tool", "mage", "-d", "..", "-l").CombinedOutput()
	if err != nil {
		t.Fatalf("mage -l: %v\n%s", err, out)
	}
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^  (\S+)`).FindAllStringSubmatch(string(out), -1) {
		got = append(got, m[1])
	}
	want := []string{"benchmark", "lint", "test"}
	for _, v := range cli.Verbs() {
		if !v.CommandOnly() {
			want = append(want, v.Name)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("mage lists %q, want %q\n%s", got, want, out)
	}
}
