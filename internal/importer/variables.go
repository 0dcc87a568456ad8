package importer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
)

// declares reports whether a package declares a variable that -X can set; true if
// the package is of another module, where nobody looked.
func (im *importer) declares(pkg, ident, dir, main string) bool {
	at, known := im.directory(pkg, dir, main)
	if !known {
		return true
	}
	return slices.Contains(Variables(im.Tree, at), ident)
}

// embeds are the files that go:embed gives a variable of a package, which -X replaces;
// "" for none, and of packages where nobody looked.
func (im *importer) embeds(pkg, ident, dir, main string) string {
	at, known := im.directory(pkg, dir, main)
	if !known {
		return ""
	}
	return Embeds(im.Tree, at, ident)
}

// directory is that of a package; known is false for one of another module, and where
// main is a pattern of several.
func (im *importer) directory(pkg, dir, main string) (at string, known bool) {
	module := im.Module
	if dir != "" {
		if data, err := readFile(im.Tree, path.Join(dir, "go.mod")); err == nil {
			module = ModulePath(data)
		}
	}
	at = path.Join(dir, main)
	if pkg != "main" {
		rest, ok := strings.CutPrefix(pkg+"/", module+"/")
		if !ok {
			return "", false
		}
		at = path.Join(dir, rest)
	}
	return at, !strings.Contains(at, "...")
}

// Variables are the package-level variables in a directory that -X can set: texts
// without a value, or with a constant one.
func Variables(tree fs.FS, dir string) (names []string) {
	for spec := range variables(tree, dir) {
		names = append(names, settable(spec)...)
	}
	return names
}

// Embeds is what the go:embed line of a variable in a directory names; "" if it has
// none.
func Embeds(tree fs.FS, dir, ident string) string {
	for spec, doc := range variables(tree, dir) {
		if !slices.ContainsFunc(spec.Names, func(n *ast.Ident) bool { return n.Name == ident }) {
			continue
		}
		for _, c := range doc {
			if rest, ok := strings.CutPrefix(c.Text, "//go:embed "); ok {
				return strings.TrimSpace(rest)
			}
		}
	}
	return ""
}

// variables are the declarations of package-level variables in a directory, with the
// comments above each.
func variables(tree fs.FS, dir string) iter.Seq2[*ast.ValueSpec, []*ast.Comment] {
	return func(yield func(*ast.ValueSpec, []*ast.Comment) bool) {
		entries, err := fs.ReadDir(tree, path.Clean(dir))
		if err != nil {
			return
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			data, err := readFile(tree, path.Join(dir, e.Name()))
			if err != nil {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), e.Name(), data, parser.SkipObjectResolution|parser.ParseComments)
			if err != nil {
				continue
			}
			for _, decl := range file.Decls {
				gen, ok := decl.(*ast.GenDecl)
				if !ok || gen.Tok != token.VAR {
					continue
				}
				for _, spec := range gen.Specs {
					spec := spec.(*ast.ValueSpec)
					doc := spec.Doc
					if doc == nil && !gen.Lparen.IsValid() {
						doc = gen.Doc
					}
					var comments []*ast.Comment
					if doc != nil {
						comments = doc.List
					}
					if !yield(spec, comments) {
						return
					}
				}
			}
		}
	}
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
