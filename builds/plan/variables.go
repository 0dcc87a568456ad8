package plan

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// variables checks that every -X names a string variable that exists. The
// linker ignores the others without a word (cmd/link: "-X importpath.name=value …
// This is only effective if the variable is declared in the source code either
// uninitialized or initialized to a constant string expression").
func (pl *Planner) variables(d *draft, pkgs []*Package, problem func(key, hint, format string, args ...any)) {
	byPath := map[string]*Package{}
	var mains []*Package
	for _, p := range pkgs {
		byPath[p.ImportPath] = p
		if p.Name == "main" && !p.DepOnly {
			mains = append(mains, p)
		}
	}
	sources := map[*Package]*declared{}
	read := func(p *Package) *declared {
		if sources[p] == nil {
			sources[p] = readDeclared(pl.Loader.Dir, p)
			d.errs = append(d.errs, sources[p].broken...)
		}
		return sources[p]
	}
	// settable are all there are: only the product's own packages and their modules
	// have anything to set.
	settable := sync.OnceValue(func() (targets []string) {
		for _, p := range pkgs {
			if p.Standard || p.Name == "main" && p.DepOnly {
				continue
			}
			as := p.ImportPath
			if p.Name == "main" {
				as = "main"
			}
			for _, v := range read(p).settable() {
				targets = append(targets, as+"."+v)
			}
		}
		slices.Sort(targets)
		return slices.Compact(targets)
	})
	for _, target := range slices.Sorted(maps.Keys(d.settings.Set)) {
		key := "ldflags.set." + target
		dot := strings.LastIndex(target, ".")
		if dot <= 0 {
			problem(key, "write import/path.Name", "-X %s: no variable name", target)
			continue
		}
		path, name := target[:dot], target[dot+1:]
		candidates := mains
		if path != "main" {
			p := byPath[path]
			if p == nil {
				problem(key, targetHint(target, settable()),
					"-X %s: no program of %s imports %s: the linker would ignore it", target, d.profile.Name, path)
				continue
			}
			if p.Name == "main" {
				problem(key, "did you mean main."+name+"?", "-X %s: the linker knows a program's own package as main", target)
				continue
			}
			candidates = []*Package{p}
		}
		found, broken, why := false, false, ""
		for _, p := range candidates {
			src := read(p)
			broken = broken || len(src.broken) > 0
			ok, reason := src.stringVar(name)
			found = found || ok
			if reason != "" {
				why = reason
			}
		}
		switch {
		case found:
		case broken: // what a file declares that cannot be read is not known
		case why != "":
			problem(key, "declare it as: var "+name+" string", "-X %s: %s", target, why)
		default:
			problem(key, targetHint(target, settable()), "-X %s: there is no such variable: the linker would ignore it", target)
		}
	}
}

// targetHint names the variable that may be meant, else those there are. Words
// are compared with words: paths of one module are alike whatever they name.
func targetHint(target string, known []string) string {
	split := func(t string) (path, name string) {
		dot := strings.LastIndex(t, ".")
		return t[:dot], t[dot+1:]
	}
	path, name := split(target)
	var here, paths []string // names in the same package, packages that have the same name
	for _, k := range known {
		switch p, n := split(k); {
		case p == path:
			here = append(here, n)
		case strings.EqualFold(n, name):
			paths = append(paths, k)
		}
	}
	if n := profiles.Nearest(name, here); n != "" {
		return "did you mean " + path + "." + n + "?"
	}
	if k := profiles.Nearest(target, paths); k != "" {
		return "did you mean " + k + "?"
	}
	if len(paths) > 0 {
		return "did you mean " + strings.Join(paths, " or ") + "?"
	}
	const most = 8
	if len(known) == 0 || len(known) > most {
		return "leave it out: nothing would be set"
	}
	return "leave it out: nothing would be set; what can be set is " + strings.Join(known, ", ")
}

// declared is what the files of a package declare.
type declared struct {
	decls  []*ast.GenDecl
	types  map[string]bool // that mean string
	broken []error         // files that cannot be parsed, each with its position
}

// readDeclared parses the files of a package. Their names in errors are those in dir.
func readDeclared(dir string, p *Package) *declared {
	var src declared
	fset := token.NewFileSet()
	for _, file := range append(slices.Clone(p.GoFiles), p.CgoFiles...) {
		name := filepath.Join(p.Dir, file)
		data, err := files.Read(name, maxSourceFile)
		if err != nil {
			continue
		}
		f, err := parser.ParseFile(fset, name, data, parser.SkipObjectResolution)
		if err != nil {
			src.broken = append(src.broken, syntaxErrors(dir, err)...)
			continue
		}
		for _, decl := range f.Decls {
			if gen, isGen := decl.(*ast.GenDecl); isGen {
				src.decls = append(src.decls, gen)
			}
		}
	}
	src.types = stringTypes(src.decls)
	return &src
}

// syntaxErrors are the errors of one file, at most a few, without the
// checkout's own place in them.
func syntaxErrors(dir string, err error) (errs []error) {
	const most = 3
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return []error{errors.New(toolchain.Relative(err.Error(), dir))}
	}
	for i, e := range list {
		if i == most {
			errs = append(errs, fmt.Errorf("%s: %d more syntax errors", toolchain.Relative(e.Pos.Filename, dir), len(list)-most))
			break
		}
		errs = append(errs, fault.Errorf("go vet ./... finds what does not compile; commit what it takes to mend it", "%s: syntax error: %s", toolchain.Relative(e.Pos.String(), dir), e.Msg))
	}
	return errs
}

// settable are the names of the variables that the linker can set.
func (d *declared) settable() (names []string) {
	d.variables(func(name, why string) {
		if why == "" && name != "_" {
			names = append(names, name)
		}
	})
	return names
}

// stringVar looks for a package-level variable the linker can set. reason says
// why an existing one cannot be set.
func (d *declared) stringVar(name string) (ok bool, reason string) {
	d.variables(func(n, why string) {
		if n != name {
			return
		}
		ok = why == ""
		if why != "" {
			reason = fmt.Sprintf("%s is %s: the linker sets only string variables without a computed value", name, why)
		}
	})
	return ok, reason
}

// variables yields the names of package-level variables and constants, and what
// keeps the linker from setting each, or "".
func (d *declared) variables(yield func(name, why string)) {
	for _, gen := range d.decls {
		if gen.Tok != token.VAR && gen.Tok != token.CONST {
			continue
		}
		for _, spec := range gen.Specs {
			vs := spec.(*ast.ValueSpec)
			for i, id := range vs.Names {
				yield(id.Name, settable(gen.Tok, vs, i, d.types))
			}
		}
	}
}

// stringTypes are the names that mean string in the package: aliases too.
func stringTypes(decls []*ast.GenDecl) map[string]bool {
	types := map[string]bool{"string": true}
	for range len(decls) { // an alias of an alias may be declared before it
		before := len(types)
		for _, gen := range decls {
			for _, spec := range gen.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok && ts.Assign.IsValid() && isString(ts.Type, types) {
					types[ts.Name.Name] = true
				}
			}
		}
		if len(types) == before {
			break
		}
	}
	return types
}

func isString(e ast.Expr, types map[string]bool) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && types[id.Name]
}

// settable says what keeps the linker from setting the i-th variable of the
// declaration, or "". An initial value that is not a literal may still be a
// constant expression, which only a type checker can tell: it gets the benefit.
func settable(tok token.Token, vs *ast.ValueSpec, i int, types map[string]bool) string {
	if tok == token.CONST {
		return "a constant"
	}
	if vs.Type != nil && !isString(vs.Type, types) {
		return "not of type string"
	}
	if len(vs.Values) == 1 && len(vs.Names) > 1 {
		return "initialised by a call"
	}
	if i >= len(vs.Values) {
		if vs.Type == nil {
			return "not of type string"
		}
		return ""
	}
	switch v := ast.Unparen(vs.Values[i]).(type) {
	case *ast.BasicLit:
		if v.Kind != token.STRING {
			return "not of type string"
		}
	case *ast.CallExpr:
		if !isString(v.Fun, types) { // a conversion may be of a constant
			return "initialised by a call"
		}
	case *ast.Ident:
		if v.Name == "true" || v.Name == "false" || v.Name == "nil" {
			return "not of type string"
		}
	case *ast.CompositeLit, *ast.FuncLit, *ast.UnaryExpr:
		return "not of type string"
	}
	return ""
}
