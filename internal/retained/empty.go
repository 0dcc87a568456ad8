package retained

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// Source is one Go file of a package.
type Source struct {
	Name string // without a directory
	Data []byte
}

// Imported tells the name of the package that an import path stands for in the
// package's sources; "" if it is not known.
type Imported func(path string) (name string)

// Exported gives a package as its importers see it, by the path in the package's
// sources; that of the package itself for "". It is asked only where types are
// not in the source.
type Exported func(path string) (*types.Package, error)

// Names are names of packages' exported objects, by import path as a source has it.
// "*" among them is all that there are.
type Names map[string]map[string]bool

func (n Names) add(path, name string) {
	if n[path] == nil {
		n[path] = map[string]bool{}
	}
	n[path][name] = true
}

// Empty returns the files of a package without what they do, and with what other
// packages name of it, used; nil is all that they can name:
//
//   - a function has no more in it than a return, and is never inlined;
//   - a variable has its type, and no value. One whose type cannot be written
//     outside of another package keeps its value;
//   - what nobody names, init functions, assembly, C code, embedded files and
//     directives are gone, and with them the imports that only they needed;
//   - of C types there is only that they are types; constants that come from C are
//     numbers.
//
// Whatever a declaration that stays refers to stays too. What that names of other
// packages is returned as well.
func Empty(files []Source, names Imported, exported Exported, used map[string]bool) ([]Source, Names, error) {
	e := &emptier{fset: token.NewFileSet(), refs: Names{}, names: names, exported: exported, decls: map[string]*decl{}, methods: map[string][]*decl{}}
	for _, src := range files {
		f, err := parser.ParseFile(e.fset, src.Name, src.Data, parser.SkipObjectResolution)
		if err != nil {
			return nil, nil, err
		}
		e.files = append(e.files, &file{name: src.Name, syntax: f, used: Names{}, added: map[string]string{}})
	}
	for _, f := range e.files {
		e.declare(f)
	}
	root := func(name string) bool { return ast.IsExported(name) && (used == nil || used["*"] || used[name]) }
	for _, d := range e.all {
		if slices.ContainsFunc(d.names, root) {
			if err := e.keep(d); err != nil {
				return nil, nil, err
			}
		}
	}
	var out []Source
	for _, f := range e.files {
		data, err := e.write(f)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, Source{f.name, data})
	}
	return out, e.refs, nil
}

// emptier is one package on its way.
type emptier struct {
	fset     *token.FileSet
	refs     Names // of other packages
	names    Imported
	exported Exported
	files    []*file
	all      []*decl
	decls    map[string]*decl   // by the names that are declared at package level
	methods  map[string][]*decl // by the receiver's type
}

// file is a file and what of its imports is needed.
type file struct {
	name   string
	syntax *ast.File
	used   Names             // in what stays: names before a dot, with those after it
	bare   map[string]bool   // names without a dot before them
	added  map[string]string // imports that types need: path → name
}

// decl is what is kept or dropped as a whole: a function, a type, a variable, or
// a group of constants, whose values may follow from each other.
type decl struct {
	file  *file
	names []string
	fn    *ast.FuncDecl
	spec  ast.Spec     // of a type, or of variables
	group *ast.GenDecl // of constants
	kept  bool
	types []string // of the variables that have none in the source; nil: values stay
}

// declare finds the declarations of a file.
func (e *emptier) declare(f *file) {
	f.bare = map[string]bool{}
	add := func(d *decl) {
		d.file = f
		e.all = append(e.all, d)
		for _, n := range d.names {
			e.decls[n] = d
		}
	}
	idents := func(list []*ast.Ident) (names []string) {
		for _, id := range list {
			if id.Name != "_" {
				names = append(names, id.Name)
			}
		}
		return names
	}
	for _, d := range f.syntax.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			switch {
			case d.Recv != nil:
				m := &decl{file: f, fn: d}
				e.all = append(e.all, m)
				of := receiver(d)
				e.methods[of] = append(e.methods[of], m)
			case d.Name.Name != "init" && d.Name.Name != "_":
				add(&decl{names: []string{d.Name.Name}, fn: d})
			}
		case *ast.GenDecl:
			switch d.Tok {
			case token.CONST:
				group := &decl{group: d}
				for _, s := range d.Specs {
					group.names = append(group.names, idents(s.(*ast.ValueSpec).Names)...)
				}
				add(group)
			case token.TYPE:
				for _, s := range d.Specs {
					if s := s.(*ast.TypeSpec); s.Name.Name != "_" {
						add(&decl{names: []string{s.Name.Name}, spec: s})
					}
				}
			case token.VAR:
				for _, s := range d.Specs {
					if names := idents(s.(*ast.ValueSpec).Names); len(names) > 0 {
						add(&decl{names: names, spec: s})
					}
				}
			}
		}
	}
}

// receiver is the name of the type that a method is of.
func receiver(d *ast.FuncDecl) string {
	if len(d.Recv.List) == 0 {
		return ""
	}
	for t := d.Recv.List[0].Type; ; {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// keep keeps a declaration and what it refers to.
func (e *emptier) keep(d *decl) error {
	if d == nil || d.kept {
		return nil
	}
	d.kept = true
	switch s := d.spec.(type) {
	case *ast.TypeSpec:
		withoutC(s)
		if err := e.refer(d.file, s); err != nil {
			return err
		}
		for _, m := range e.methods[s.Name.Name] {
			if err := e.keep(m); err != nil {
				return err
			}
		}
		return nil
	case *ast.ValueSpec:
		return e.keepVariables(d, s)
	}
	if d.fn != nil {
		hollow(d.fn)
		if d.fn.Recv != nil {
			if err := e.refer(d.file, d.fn.Recv); err != nil {
				return err
			}
		}
		return e.refer(d.file, d.fn.Type)
	}
	if namesC(d.group) {
		return e.keepNumbers(d)
	}
	return e.refer(d.file, d.group)
}

// keepVariables keeps variables with their types, from the source if it has them,
// else as importers see them, and with their values if it cannot be helped.
func (e *emptier) keepVariables(d *decl, s *ast.ValueSpec) error {
	if s.Type != nil {
		s.Values = nil
		withoutC(s)
		return e.refer(d.file, s.Type)
	}
	pkg, err := e.exported("")
	if err != nil {
		return err
	}
	var list []string
	for _, id := range s.Names {
		if id.Name == "_" {
			list = append(list, "int")
			continue
		}
		t := ""
		if v := pkg.Scope().Lookup(id.Name); v != nil {
			t = e.spell(d.file, pkg, v.Type())
		}
		if t == "" {
			return e.refer(d.file, s)
		}
		list = append(list, t)
	}
	for _, t := range list {
		x, err := parser.ParseExpr(t)
		if err != nil {
			return fmt.Errorf("the type of %s: %w", strings.Join(d.names, ", "), err)
		}
		if err := e.refer(d.file, x); err != nil {
			return err
		}
	}
	d.types = list
	return nil
}

// refer keeps what a node refers to: declarations of the package, and imports of
// the file. Names that the node declares itself are no references.
func (e *emptier) refer(f *file, n ast.Node) (err error) {
	ast.Inspect(n, func(n ast.Node) bool {
		if err != nil {
			return false
		}
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				f.used.add(x.Name, n.Sel.Name)
				err = e.keep(e.decls[x.Name])
				return false
			}
			err = e.refer(f, n.X)
			return false
		case *ast.Field:
			if n.Type != nil {
				err = e.refer(f, n.Type)
			}
			return false
		case *ast.TypeSpec:
			if n.TypeParams != nil {
				err = e.refer(f, n.TypeParams)
			}
			if err == nil {
				err = e.refer(f, n.Type)
			}
			return false
		case *ast.Ident:
			f.bare[n.Name] = true
			err = e.keep(e.decls[n.Name])
		}
		return err == nil
	})
	return err
}

// hollow takes the body out of a function. Its results have names, so that a
// return without values gives their zeros.
func hollow(d *ast.FuncDecl) {
	withoutC(d.Type)
	if r := d.Type.Results; r != nil {
		for _, x := range r.List {
			if len(x.Names) == 0 {
				x.Names = []*ast.Ident{ast.NewIdent("_")}
			}
		}
	}
	d.Body = &ast.BlockStmt{List: []ast.Stmt{&ast.ReturnStmt{}}}
}
