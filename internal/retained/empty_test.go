package retained

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// world is packages by path, checked from their sources.
type world map[string]*types.Package

func (w world) Import(path string) (*types.Package, error) {
	if p := w[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("no package %s", path)
}

// check compiles a package, as far as types go; unused imports are errors.
func (w world) check(path string, files []Source) error {
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, src := range files {
		f, err := parser.ParseFile(fset, src.Name, src.Data, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed = append(parsed, f)
	}
	var errs []error
	conf := types.Config{Importer: w, FakeImportC: true, Error: func(err error) { errs = append(errs, err) }}
	w[path], _ = conf.Check(path, fset, parsed, nil)
	return errors.Join(errs...)
}

const dep = `package dep

type T struct{ X int }
type hidden struct{ X int }
type I interface{ M() }

const Size = 4

func New() *T { return nil }
func Hidden() hidden { return hidden{} }
func Both() (T, error) { return T{}, nil }
`

// emptied empties a package that imports the package dep, and checks that what
// comes out compiles.
func emptied(t *testing.T, source string) string {
	t.Helper()
	w := world{"unsafe": types.Unsafe}
	if err := w.check("example.com/dep.v1", []Source{{"dep.go", []byte(dep)}}); err != nil {
		t.Fatal(err)
	}
	in := []Source{{"m.go", []byte(source)}}
	if err := w.check("example.com/m", in); err != nil {
		t.Fatalf("before: %v", err)
	}
	was := w["example.com/m"]
	exported := func(path string) (*types.Package, error) {
		if path == "" {
			return was, nil
		}
		return w.Import(path)
	}
	names := func(path string) string {
		if p := w[path]; p != nil {
			return p.Name()
		}
		return ""
	}
	out, _, err := Empty(in, names, exported, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(out[0].Data)
	if err := w.check("example.com/m", out); err != nil {
		t.Fatalf("after: %v\n%s", err, text)
	}
	// What importers can name has the same types.
	is := w["example.com/m"]
	for _, name := range was.Scope().Names() {
		a, b := was.Scope().Lookup(name), is.Scope().Lookup(name)
		if !a.Exported() {
			continue
		}
		if b == nil {
			t.Errorf("%s is gone:\n%s", name, text)
		} else if strip(a) != strip(b) {
			t.Errorf("%s was %s, is %s", name, a, b)
		}
	}
	return text
}

// strip is an object without the names of results.
func strip(o types.Object) string {
	f, ok := o.(*types.Func)
	if !ok {
		return types.ObjectString(o, nil)
	}
	sig := f.Signature()
	text := types.TypeString(types.NewSignatureType(nil, nil, nil, sig.Params(), nil, sig.Variadic()), nil)
	for v := range sig.Results().Variables() {
		text += " " + types.TypeString(v.Type(), nil)
	}
	return text
}

func TestEmpty(t *testing.T) {
	for _, tt := range []struct {
		name, source string
		has, hasNot  []string
	}{
		{"function", "func F(a int, b ...string) (int, error) { panic(a) }\nfunc G() (n int) { n = helper(); return }\nfunc helper() int { return 1 }",
			[]string{"//go:noinline\nfunc F(a int, b ...string) (_ int, _ error)", "func G() (n int)"}, []string{"panic", "helper"}},
		{"method", "type T struct{}\nfunc (t *T) M() { t.m() }\nfunc (*T) m() {}", []string{"M()", "m()"}, []string{"t.m()"}},
		{"generic", "type S[T any] struct{ list []T }\nfunc (s *S[E]) Add(x E) *S[E] { s.list = append(s.list, x); return s }\nfunc Map[K comparable, V any](m map[K]V) []K { return nil }",
			[]string{"func (s *S[E]) Add(x E) (_ *S[E])", "func Map[K comparable, V any]"}, []string{"append"}},
		{"alias, embedded", "type A = dep.T\ntype B struct{ dep.I; *A; c }\ntype c struct{ n [dep.Size]int }", []string{"type A = dep.T", "type c struct"}, nil},
		{"interface", "type I interface{ m(x) }\ntype x int\ntype T struct{}\nfunc (T) m(x) {}", []string{"type x int", "m(x)"}, nil},
		{"variable", "var V = dep.New()\nvar W, X = dep.Both()\nvar Y, z = 1, helper()\nvar _ = helper()\nvar U dep.I = nil\nfunc helper() func(x T) string { return nil }\ntype T int",
			[]string{"V *retained0_dep.T", "W retained0_dep.T", "X error", "Y int", "var U dep.I"}, []string{"New()", "Both()", "= nil", "_ ="}},
		{"variable without a name for its type", "var V = dep.Hidden()", []string{"V = dep.Hidden()"}, nil},
		{"type of a function's own", "var V = func() any { type local int; return local(1) }()\nvar L = lists()\nfunc lists() []T { return nil }\ntype T struct{}", []string{"V any", "L []T"}, []string{"local"}},
		{"constants", "const (\n\tA = iota + dep.Size\n\tb\n\tC\n)\nconst d = 5\ntype T [d]byte\ntype U [len(v)]int\nvar v = [d]int{1}", []string{"iota + dep.Size", "const d = 5", "v [5]int"}, nil},
		{"hidden constants", "const a = dep.Size\nfunc F() int { return a }", nil, []string{"const", "import"}},
		{"init, main", "func init() { dep.New() }\nfunc _() { dep.New() }\nvar _ dep.I = (*T)(nil)\ntype T struct{}\nfunc (*T) M() {}", nil, []string{"init", "import", "dep"}},
		{"directives", "//go:linkname f example.com/x.f\nfunc f()\n\n//go:embed x\nvar E string\n\n//go:nosplit\nfunc F()", []string{"func F()"}, []string{"linkname", "embed", "nosplit"}},
		{"comment", "type T struct {\n\t// a field\n\tA int // of it\n}", []string{"A int"}, []string{"//"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			head := "package m\n\n"
			if strings.Contains(tt.source, "dep.") {
				head += "import \"example.com/dep.v1\"\n\n"
			}
			text := emptied(t, head+tt.source+"\n")
			for _, s := range tt.has {
				if !strings.Contains(text, s) {
					t.Errorf("no %q in\n%s", s, text)
				}
			}
			for _, s := range tt.hasNot {
				if strings.Contains(text, s) {
					t.Errorf("%q in\n%s", s, text)
				}
			}
		})
	}
}

func TestEmptyImports(t *testing.T) {
	text := emptied(t, "package m\n\nimport (\n\tx \"example.com/dep.v1\"\n\t_ \"example.com/dep.v1\"\n)\n\nfunc F(y *x.T) { y.X = 1 }\n")
	if strings.Count(text, "import") != 1 || !strings.Contains(text, `import x "example.com/dep.v1"`) {
		t.Error(text)
	}
	text = emptied(t, "package m\n\nimport . \"example.com/dep.v1\"\n\nfunc F(y *T) { y.X = 1 }\n")
	if !strings.Contains(text, `import . "example.com/dep.v1"`) {
		t.Error(text)
	}
	text = emptied(t, "package m\n\nimport . \"example.com/dep.v1\"\n\nfunc F() { New() }\n")
	if strings.Contains(text, "import") {
		t.Error(text)
	}
}

// TestEmptyC: without C there is nothing to compile with a C compiler. What cgo makes
// of constants is in what importers see.
func TestEmptyC(t *testing.T) {
	const source = `package m

// int f();
import "C"

type T struct {
	h    *C.int
	list map[string]C.long
}

type U C.int

func (t *T) M(n int) error { C.f(); return nil }

const (
	A   = 3
	B   = U(C.LIMIT)
	D   = C.RATIO
	own = C.OWN
)
`
	was := types.NewPackage("example.com/m", "m")
	name := types.NewTypeName(token.NoPos, was, "U", nil)
	u := types.NewNamed(name, types.Typ[types.Int32], nil)
	was.Scope().Insert(name)
	was.Scope().Insert(types.NewConst(token.NoPos, was, "A", types.Typ[types.UntypedInt], constant.MakeInt64(3)))
	was.Scope().Insert(types.NewConst(token.NoPos, was, "B", u, constant.MakeInt64(7)))
	was.Scope().Insert(types.NewConst(token.NoPos, was, "D", types.Typ[types.UntypedFloat], constant.MakeFloat64(0.5)))
	out, _, err := Empty([]Source{{"m.go", []byte(source)}}, func(string) string { return "" }, func(string) (*types.Package, error) { return was, nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := world{}
	if err := w.check("example.com/m", out); err != nil {
		t.Fatalf("%v\n%s", err, out[0].Data)
	}
	is := w["example.com/m"].Scope()
	for name, want := range map[string]string{
		"A": "const A untyped int = 3", "B": "const B example.com/m.U = 7", "D": "const D untyped float = 0.5",
		"T": "type T struct{h *byte; list map[string]byte}", "U": "type U byte",
	} {
		got := "nothing"
		if o := is.Lookup(name); o != nil {
			got = types.ObjectString(o, types.RelativeTo(w["example.com/m"]))
			if c, ok := o.(*types.Const); ok {
				got = fmt.Sprintf("const %s %s = %s", name, c.Type(), c.Val())
			}
		}
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if is.Lookup("own") != nil {
		t.Error("own is still there")
	}
}

// TestUsed: what nobody names is gone, and what is named of others is told.
func TestUsed(t *testing.T) {
	const source = `package m

import (
	"example.com/dep.v1"
	other "example.com/x/v2"
)

type Fs interface{ Open() File }
type File struct{ x other.T }
type Http struct{ dep.T }

var V dep.I

func (f File) M() *other.U { return nil }
func New() Fs { return nil }
func Serve(dep.T) {}
`
	names := func(path string) string { return map[string]string{"example.com/dep.v1": "dep"}[path] }
	out, refs, err := Empty([]Source{{"m.go", []byte(source)}}, names, nil, map[string]bool{"New": true, "Gone": true})
	if err != nil {
		t.Fatal(err)
	}
	text := string(out[0].Data)
	if strings.Contains(text, "dep") || !strings.Contains(text, "func New() (_ Fs)") || !strings.Contains(text, "func (f File) M() (_ *other.U)") {
		t.Error(text)
	}
	if got := fmt.Sprint(refs); got != "map[example.com/x/v2:map[T:true U:true]]" {
		t.Error(got)
	}
	_, refs, err = Empty([]Source{{"m.go", []byte(source)}}, names, nil, map[string]bool{"*": true})
	if got := fmt.Sprint(refs); err != nil || got != "map[example.com/dep.v1:map[I:true T:true] example.com/x/v2:map[T:true U:true]]" {
		t.Error(got, err)
	}
	n, err := named([]Source{{"a.go", []byte("package a\nimport (\n\tm \"example.com/m\"\n\t\"example.com/dep.v1\"\n\t. \"example.com/dot\"\n\t_ \"example.com/blank\"\n)\nfunc f() { m.New().Open(); dep.New(f.X) }\n")}}, names)
	if got := fmt.Sprint(n); err != nil || got != "map[example.com/dep.v1:map[New:true] example.com/dot:map[*:true] example.com/m:map[New:true]]" {
		t.Error(got, err)
	}
}

// TestEmptyVersion: a file's language is what its build constraint says, as for the compiler.
func TestEmptyVersion(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"//go:build go1.21 && linux\n\npackage a\n\nfunc F[T any](T) {}\n": "//go:build go1.21\n\npackage a\n",
		"//go:build !windows\n\npackage a\n\nfunc F() {}\n":                "package a\n",
	} {
		out, _, err := Empty([]Source{{"a.go", []byte(source)}}, nil, nil, nil)
		if err != nil || !strings.HasPrefix(string(out[0].Data), want) {
			t.Errorf("%v: %s", err, out)
		}
	}
}

func TestEmptySyntax(t *testing.T) {
	_, _, err := Empty([]Source{{"a.go", []byte("package a\nfunc {")}}, nil, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "a.go:2:6") {
		t.Errorf("%v", err)
	}
}

// TestEmptyWithoutTypes: types that are not in the source have to come from somewhere.
func TestEmptyWithoutTypes(t *testing.T) {
	no := errors.New("no export data")
	exported := func(string) (*types.Package, error) { return nil, no }
	if _, _, err := Empty([]Source{{"a.go", []byte("package a\nvar V = f()\nfunc f() int { return 0 }\n")}}, nil, exported, nil); !errors.Is(err, no) {
		t.Errorf("%v", err)
	}
	if _, _, err := Empty([]Source{{"a.go", []byte("package a\nvar V int = f()\nvar w = f()\nfunc f() int { return 0 }\n")}}, nil, exported, nil); err != nil {
		t.Errorf("%v", err)
	}
}

// FuzzEmpty: whatever parses comes out as something that parses, or is an error.
func FuzzEmpty(f *testing.F) {
	f.Add("package a\nimport x \"y\"\nfunc (t *T[A]) F(x.T) (int, error) { return 1, nil }\ntype T[A any] struct{}\nvar V, W = 1, 2\nconst ( A = iota; B )\n")
	f.Add("package a\nimport \"C\"\ntype T struct { C.int; *C.x }\nconst A = C.B\nvar V [C.n]C.T\n")
	f.Add("package a\nfunc (( *T)) F()\ntype (T = U; U interface { ~int | V })\n")
	f.Fuzz(func(t *testing.T, source string) {
		exported := func(string) (*types.Package, error) { return types.NewPackage("a", "a"), nil }
		out, _, err := Empty([]Source{{"a.go", []byte(source)}}, func(string) string { return "" }, exported, nil)
		if err != nil {
			return
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "a.go", out[0].Data, parser.SkipObjectResolution); err != nil {
			t.Errorf("%v\n%s\nof\n%s", err, out[0].Data, source)
		}
	})
}

func TestImportable(t *testing.T) {
	for _, tt := range []struct {
		by, path string
		want     bool
	}{
		{"example.com/a", "example.com/a/internal/b", true},
		{"example.com/a/c", "example.com/a/internal/b/d", true},
		{"example.com/ab", "example.com/a/internal/b", false},
		{"example.com/a", "internal/abi", false},
		{"example.com/a", "vendor/golang.org/x/net", false},
		{"example.com/a", "example.com/internalised", true},
		{"example.com/a/x", "example.com/a/internal/x/internal/y", false},
	} {
		if got := importable(tt.by, tt.path); got != tt.want {
			t.Errorf("%s by %s: %v", tt.path, tt.by, got)
		}
	}
}

func TestGraph(t *testing.T) {
	dep := Module{Path: "example.com/dep", Version: "v1.0.0"}
	other := Module{Path: "example.com/other", Version: "v1.0.0"}
	own := Module{Path: "example.com/own", Main: true}
	g := NewGraph([]*Package{
		{Path: "runtime"}, {Path: "runtime/cgo", Imports: []string{"runtime"}}, {Path: "fmt", Imports: []string{"runtime"}}, {Path: "regexp", Imports: []string{"fmt"}},
		{Path: "example.com/dep/a", Module: dep, Imports: []string{"regexp", "example.com/other", "example.com/dep/b"}},
		{Path: "example.com/dep/b", Module: dep, Imports: []string{"example.com/shared"}},
		{Path: "example.com/other", Module: other, Imports: []string{"fmt"}},
		{Path: "example.com/shared", Module: Module{Path: "example.com/shared"}},
		{Path: "example.com/own/lib", Module: own, Imports: []string{"example.com/dep/a", "example.com/shared"}},
		{Path: "example.com/own", Module: own, Imports: []string{"example.com/own/lib", "fmt"}},
	})
	var mods []string
	for _, m := range g.Modules() {
		mods = append(mods, m.Path)
	}
	if want := []string{"example.com/dep", "example.com/other", "example.com/shared"}; !slices.Equal(mods, want) {
		t.Errorf("%q", mods)
	}
	gone := g.Without(g.Of("example.com/dep"))
	want := map[string]bool{"example.com/dep/a": true, "example.com/dep/b": true, "example.com/other": true, "regexp": true}
	for path := range g.Packages {
		if gone[path] != want[path] {
			t.Errorf("%s goes: %v", path, gone[path])
		}
	}
	if gone := g.Without([]string{"example.com/dep/b"}); len(gone) != 1 {
		t.Errorf("%v", gone)
	}
}
