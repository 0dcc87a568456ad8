package retained

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/printer"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
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

// keepNumbers replaces constants that come from C by their values.
func (e *emptier) keepNumbers(d *decl) error {
	pkg, err := e.exported("")
	if err != nil {
		return err
	}
	d.group.Lparen = 1 // a group, whatever is left of it
	var specs []ast.Spec
	for _, name := range d.names {
		c, ok := pkg.Scope().Lookup(name).(*types.Const)
		if !ok || c.Val().Kind() == constant.Unknown {
			continue
		}
		spec := &ast.ValueSpec{Names: []*ast.Ident{ast.NewIdent(name)}}
		if t := e.spell(d.file, pkg, c.Type()); t != "" && !strings.HasPrefix(t, "untyped ") {
			if spec.Type, err = parser.ParseExpr(t); err != nil {
				return err
			}
		}
		value := c.Val().ExactString()
		if c.Val().Kind() == constant.Float {
			value = c.Val().String()
		}
		if spec.Values = []ast.Expr{ast.NewIdent(value)}; spec.Type != nil {
			if err := e.refer(d.file, spec.Type); err != nil {
				return err
			}
		}
		specs = append(specs, spec)
	}
	d.group.Specs = specs
	return nil
}

// spell writes a type of a package as a file of it can, with the imports it needs;
// "" if it cannot: some part of it has no name here.
func (e *emptier) spell(f *file, pkg *types.Package, t types.Type) string {
	if !e.nameable(pkg, t, map[types.Type]bool{}) {
		return ""
	}
	return types.TypeString(t, func(p *types.Package) string {
		if p.Path() == pkg.Path() {
			return ""
		}
		name := fmt.Sprintf("retained%d_%s", len(f.added), p.Name())
		if had, ok := f.added[p.Path()]; ok {
			return had
		}
		f.added[p.Path()] = name
		return name
	})
}

// nameable reports whether all named types in t can be named in pkg.
func (e *emptier) nameable(pkg *types.Package, t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return true
	}
	seen[t] = true
	named := func(o *types.TypeName, args *types.TypeList) bool {
		if p := o.Pkg(); p != nil {
			switch {
			case p.Path() == pkg.Path():
				if e.decls[o.Name()] == nil || o.Parent() != nil && o.Parent() != p.Scope() {
					return false // declared in a function
				}
			case !o.Exported() || p.Scope().Lookup(o.Name()) == nil || !importable(pkg.Path(), p.Path()):
				return false
			}
		}
		for a := range args.Types() {
			if !e.nameable(pkg, a, seen) {
				return false
			}
		}
		return true
	}
	tuple := func(v *types.Tuple) bool {
		for x := range v.Variables() {
			if !e.nameable(pkg, x.Type(), seen) {
				return false
			}
		}
		return true
	}
	switch t := t.(type) {
	case *types.Alias:
		return named(t.Obj(), t.TypeArgs())
	case *types.Named:
		return named(t.Obj(), t.TypeArgs())
	case *types.Pointer:
		return e.nameable(pkg, t.Elem(), seen)
	case *types.Slice:
		return e.nameable(pkg, t.Elem(), seen)
	case *types.Array:
		return e.nameable(pkg, t.Elem(), seen)
	case *types.Chan:
		return e.nameable(pkg, t.Elem(), seen)
	case *types.Map:
		return e.nameable(pkg, t.Key(), seen) && e.nameable(pkg, t.Elem(), seen)
	case *types.Signature:
		return tuple(t.Params()) && tuple(t.Results())
	case *types.Struct:
		for v := range t.Fields() {
			if !v.Exported() && v.Pkg() != nil && v.Pkg().Path() != pkg.Path() || !e.nameable(pkg, v.Type(), seen) {
				return false
			}
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			if !m.Exported() && m.Pkg() != nil && m.Pkg().Path() != pkg.Path() || !e.nameable(pkg, m.Type(), seen) {
				return false
			}
		}
		for x := range t.EmbeddedTypes() {
			if !e.nameable(pkg, x, seen) {
				return false
			}
		}
	case *types.Basic:
		return t.Kind() != types.Invalid
	default:
		return false
	}
	return true
}

// importable reports whether by may import the package of path, as the go command
// sees it. Vendored packages of the standard library are no one's to import.
func importable(by, path string) bool {
	if strings.HasPrefix(path, "vendor/") {
		return false
	}
	above, _, internal := strings.Cut("/"+path+"/", "/internal/")
	above = strings.TrimPrefix(above, "/")
	if i := strings.LastIndex("/"+path+"/", "/internal/"); internal {
		above = strings.TrimPrefix(("/" + path + "/")[:i], "/")
	}
	return !internal || above != "" && (by == above || strings.HasPrefix(by, above+"/"))
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

// isC reports whether an expression is a name of C.
func isC(x ast.Expr) bool {
	sel, ok := x.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == "C"
}

func namesC(n ast.Node) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		x, ok := n.(ast.Expr)
		found = found || ok && isC(x)
		return !found
	})
	return found
}

// withoutC puts a type of one byte in the place of each type of C.
func withoutC(n ast.Node) {
	change := func(x *ast.Expr) {
		if *x != nil && isC(*x) {
			*x = ast.NewIdent("byte")
		}
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			change(&n.Type)
		case *ast.StarExpr:
			change(&n.X)
		case *ast.ArrayType:
			change(&n.Elt)
		case *ast.MapType:
			change(&n.Key)
			change(&n.Value)
		case *ast.ChanType:
			change(&n.Value)
		case *ast.TypeSpec:
			change(&n.Type)
		case *ast.ValueSpec:
			if n.Type != nil {
				change(&n.Type)
			}
		case *ast.Ellipsis:
			change(&n.Elt)
		case *ast.ParenExpr:
			change(&n.X)
		}
		return true
	})
}

// write is a file with what is kept of it.
func (e *emptier) write(f *file) ([]byte, error) {
	var decls, head bytes.Buffer
	for _, d := range e.all {
		if d.file != f || !d.kept {
			continue
		}
		if err := e.print(&decls, d); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(&head, "package %s\n\n", f.syntax.Name.Name)
	for _, im := range f.syntax.Imports {
		at, err := strconv.Unquote(im.Path.Value)
		if err != nil {
			return nil, err
		}
		name, as := "", ""
		if im.Name != nil {
			name, as = im.Name.Name, im.Name.Name
		} else if as = e.names(at); as == "" {
			as = path.Base(at)
		}
		use := f.used[as]
		if name == "." {
			if use, err = e.usedBare(f, at); err != nil {
				return nil, err
			}
		}
		if len(use) > 0 && name != "_" && at != "C" {
			fmt.Fprintf(&head, "import %s %q\n", name, at)
			for n := range use {
				e.refs.add(at, n)
			}
		}
	}
	added := make([]string, 0, len(f.added))
	for at, name := range f.added {
		if use := f.used[name]; len(use) > 0 {
			added = append(added, fmt.Sprintf("import %s %q\n", name, at))
			for n := range use {
				e.refs.add(at, n)
			}
		}
	}
	slices.Sort(added)
	head.WriteString(strings.Join(added, ""))
	head.Write(decls.Bytes())
	return head.Bytes(), nil
}

// usedBare are the names of a package that a file imports with a dot, as far as
// what stays of it uses them.
func (e *emptier) usedBare(f *file, at string) (map[string]bool, error) {
	pkg, err := e.exported(at)
	if err != nil {
		return nil, err
	}
	use := map[string]bool{}
	for name := range f.bare {
		if e.decls[name] == nil && ast.IsExported(name) && pkg.Scope().Lookup(name) != nil {
			use[name] = true
		}
	}
	return use, nil
}

// print writes one declaration, without comments, which may be directives.
func (e *emptier) print(w *bytes.Buffer, d *decl) error {
	node := func(n any) error {
		if n, ok := n.(ast.Node); ok {
			uncomment(n)
		}
		return (&printer.Config{Mode: printer.RawFormat}).Fprint(w, e.fset, n)
	}
	w.WriteByte('\n')
	defer w.WriteByte('\n')
	switch {
	case d.fn != nil:
		w.WriteString("//go:noinline\n")
		return node(d.fn)
	case d.group != nil:
		return node(d.group)
	}
	if s, ok := d.spec.(*ast.ValueSpec); ok {
		if d.types != nil {
			w.WriteString("var (\n")
			for i, id := range s.Names {
				fmt.Fprintf(w, "\t%s %s\n", id.Name, d.types[i])
			}
			w.WriteString(")\n")
			return nil
		}
		w.WriteString("var ")
		return node(s)
	}
	w.WriteString("type ")
	return node(d.spec)
}

// uncomment removes all comments of a declaration.
func uncomment(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			n.Doc = nil
		case *ast.GenDecl:
			n.Doc = nil
		case *ast.TypeSpec:
			n.Doc, n.Comment = nil, nil
		case *ast.ValueSpec:
			n.Doc, n.Comment = nil, nil
		case *ast.Field:
			n.Doc, n.Comment = nil, nil
		}
		return true
	})
}
