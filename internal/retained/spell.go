package retained

import (
	"fmt"
	"go/types"
	"strings"
)

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
