package retained

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/printer"
	"path"
	"slices"
	"strconv"
	"strings"
)

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
	if v := f.syntax.GoVersion; v != "" { // the language of a file may be newer than that of its module
		fmt.Fprintf(&head, "//go:build %s\n\n", v)
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
