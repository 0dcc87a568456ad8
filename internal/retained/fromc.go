package retained

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/types"
	"strings"
)

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
