package retained

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
)

// named is what a package's files name of other packages. A local name that hides
// that of an import makes it more than there is, never less.
func named(files []Source, names Imported) (Names, error) {
	out := Names{}
	for _, src := range files {
		f, err := parser.ParseFile(token.NewFileSet(), src.Name, src.Data, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		imports := map[string]string{}
		for _, im := range f.Imports {
			at, err := strconv.Unquote(im.Path.Value)
			if err != nil {
				return nil, err
			}
			as := ""
			if im.Name != nil {
				as = im.Name.Name
			} else if as = names(at); as == "" {
				as = path.Base(at)
			}
			if imports[as] = at; as == "." {
				out.add(at, "*")
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && imports[x.Name] != "" {
					out.add(imports[x.Name], sel.Sel.Name)
				}
			}
			return true
		})
	}
	return out, nil
}
