package importer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// declares reports whether a package declares a variable that -X can set; true if
// the package is of another module, where nobody looked.
func (im *importer) declares(pkg, ident, dir, main string) bool {
	module := im.Module
	if dir != "" {
		if data, err := readFile(im.Tree, path.Join(dir, "go.mod")); err == nil {
			module = ModulePath(data)
		}
	}
	at := path.Join(dir, main)
	switch rest, ok := strings.CutPrefix(pkg+"/", module+"/"); {
	case pkg == "main":
	case ok:
		at = path.Join(dir, rest)
		if _, err := fs.Stat(im.Tree, at); err != nil {
			return false
		}
	default:
		return true
	}
	if strings.Contains(at, "...") {
		return true
	}
	return slices.Contains(Variables(im.Tree, at), ident)
}

// Variables are the package-level variables in a directory that -X can set: texts
// without a value, or with a constant one.
func Variables(tree fs.FS, dir string) (names []string) {
	entries, err := fs.ReadDir(tree, path.Clean(dir))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		data, err := readFile(tree, path.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), data, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			for _, spec := range gen.Specs {
				names = append(names, settable(spec.(*ast.ValueSpec))...)
			}
		}
	}
	return names
}

// settable are the names of a declaration that are texts for the linker.
func settable(spec *ast.ValueSpec) (names []string) {
	id, isText := spec.Type.(*ast.Ident)
	isText = isText && id.Name == "string"
	for i, name := range spec.Names {
		switch {
		case len(spec.Values) == 0:
			if isText {
				names = append(names, name.Name)
			}
		case i < len(spec.Values) && (spec.Type == nil || isText):
			if constant(spec.Values[i], isText) {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

// constant reports whether an expression is text without a call: a literal, or such
// added; a name counts where the type is known to be text.
func constant(e ast.Expr, isText bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.ParenExpr:
		return constant(e.X, isText)
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (constant(e.X, isText) || constant(e.Y, isText))
	case *ast.Ident:
		return e.Name != "true" && e.Name != "false" && e.Name != "nil" // what it stands for the compiler knows, and check says
	case *ast.SelectorExpr:
		return isText
	}
	return false
}
