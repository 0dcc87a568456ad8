package pgo

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
)

// StaleBelow is the share of a profile's CPU time that must be in functions
// that still exist. Below it the profile is called stale: mostly code was moved
// or renamed, or it is the profile of something else. Go's own profiles of a
// year ago stay well above (a few functions are renamed a year); the compiler
// itself warns of nothing.
const StaleBelow = 0.8

// Freshness is how a profile fits a source.
type Freshness struct {
	// Share is that of the CPU time of Go functions that is in functions that
	// exist; 1 if there is no such time.
	Share float64
	Gone  []Weight // what does not exist, the hottest first
	// Foreign is the share of all CPU time that is not in Go code: C, the kernel.
	Foreign float64
}

// Weight is a function's share of the CPU time of Go functions, by itself and
// without what it calls.
type Weight struct {
	Function string
	Share    float64
}

// Stale reports whether the profile should be recorded anew.
func (f Freshness) Stale() bool { return f.Share < StaleBelow }

// Compare says how much of the profile is in functions that declared knows.
// declared gives the declarations of a package by the linker's name of it
// ("main" for a program's own), nil if there is no such package.
func (p *Profile) Compare(declared func(pkg string) *Declarations) Freshness {
	weights := map[string]int64{}
	for _, s := range p.Stacks {
		if len(s.Frames) > 0 {
			weights[s.Frames[0].Function] += s.Values[0]
		}
	}
	var f Freshness
	var all, inGo, there float64
	for name, w := range weights {
		all += float64(w)
		pkg, symbol, ok := split(name)
		if !ok {
			continue
		}
		inGo += float64(w)
		if d := declared(pkg); d != nil && d.has(symbol) {
			there += float64(w)
		} else if w > 0 {
			f.Gone = append(f.Gone, Weight{name, float64(w)})
		}
	}
	f.Share = 1
	if inGo > 0 {
		f.Share = there / inGo
	}
	if all > 0 {
		f.Foreign = (all - inGo) / all
	}
	for i := range f.Gone {
		f.Gone[i].Share /= inGo
	}
	slices.SortFunc(f.Gone, func(a, b Weight) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Function, b.Function))
	})
	return f
}

// split splits the linker's name of a function into its package and the rest,
// without type arguments. It is not ok for functions that are not declared
// anywhere: C code, and what the compiler makes for types.
func split(name string) (pkg, symbol string, ok bool) {
	name = withoutArguments(name)
	if strings.HasPrefix(name, "type:") || strings.HasPrefix(name, "type..") || strings.HasPrefix(name, "go:") {
		return "", "", false
	}
	path := name
	if i := strings.Index(path, "("); i >= 0 {
		path = path[:i]
	}
	slash := strings.LastIndex(path, "/") + 1
	dot := strings.Index(name[slash:], ".")
	if dot <= 0 || slash+dot == len(name)-1 {
		return "", "", false
	}
	pkg, symbol = name[:slash+dot], name[slash+dot+1:]
	return unescape(pkg), symbol, true
}

// withoutArguments removes what is in brackets: [...], [go.shape.int].
func withoutArguments(s string) string {
	if !strings.Contains(s, "[") {
		return s
	}
	var b strings.Builder
	depth := 0
	for _, c := range s {
		switch {
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case depth == 0:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// unescape undoes what the linker does to dots in the last element of a path
// and to other bytes: %2e (cmd/internal/objabi.PathToPrefix).
func unescape(s string) string {
	return escaped.ReplaceAllStringFunc(s, func(e string) string {
		var c byte
		for _, d := range []byte(strings.ToLower(e[1:])) {
			c <<= 4
			if d >= 'a' {
				c |= d - 'a' + 10
			} else {
				c |= d - '0'
			}
		}
		return string([]byte{c})
	})
}

var escaped = regexp.MustCompile(`%[0-9a-fA-F]{2}`)

// Declarations are the functions of a package.
type Declarations struct {
	functions map[string]bool // f, T.m
}

// Declared collects what Go files declare, and what assembly in the directory
// defines, for whatever platform. Files that cannot be read or parsed are left
// out: the compiler will say it better.
func Declared(dir string, goFiles []string) *Declarations {
	d := &Declarations{functions: map[string]bool{}}
	d.Add(dir, goFiles)
	return d
}

// Add adds the files of another package of that name, or of the same package
// on another platform.
func (d *Declarations) Add(dir string, goFiles []string) {
	fset := token.NewFileSet()
	for _, name := range goFiles {
		name = filepath.Join(dir, name)
		data, err := files.Read(name, maxSource)
		if err != nil {
			continue
		}
		f, err := parser.ParseFile(fset, name, data, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				d.functions[receiver(fn)+fn.Name.Name] = true
			}
		}
	}
	asm, err := filepath.Glob(filepath.Join(dir, "*.s"))
	if err != nil {
		return // a directory whose name is a pattern
	}
	for _, name := range asm {
		data, err := files.Read(name, maxSource)
		if err != nil {
			continue
		}
		for _, m := range assembled.FindAllSubmatch(data, -1) {
			d.functions[string(m[1])] = true
		}
	}
}

// maxSource is more bytes than any file of source code has.
const maxSource = 256 << 20

// assembled is the definition of a function in Go's assembler: TEXT runtime·memmove<ABIInternal>(SB), ….
var assembled = regexp.MustCompile(`(?m)^\s*TEXT\s+[^\s(]*·([\pL_][\pL\pN_]*)`)

// receiver is "T." of a method of T or *T.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) != 1 {
		return ""
	}
	t := ast.Unparen(fn.Recv.List[0].Type)
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = ast.Unparen(x.X)
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "."
		default:
			return ""
		}
	}
}

// has reports whether a function of that name is declared: f, T.m, (*T).m, and
// literals, wrappers and range functions in one: f.func1, f-range1, (*T).m-fm.
func (d *Declarations) has(symbol string) bool {
	symbol = strings.Replace(strings.Replace(symbol, "(*", "", 1), ")", "", 1)
	parts := strings.Split(symbol, ".")
	for i, p := range parts {
		parts[i], _, _ = strings.Cut(p, "-")
	}
	switch first := parts[0]; {
	case first == "init", first == "glob", first == "map", strings.HasPrefix(first, "_Cfunc_"), strings.HasPrefix(first, "_cgo"):
		return true // made by the compiler for every package
	case d.functions[first]:
		return true
	case len(parts) > 1:
		return d.functions[first+"."+parts[1]]
	}
	return false
}
