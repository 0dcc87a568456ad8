package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
	"golang.org/x/sync/errgroup"
)

// Typed is what a check of types has looked at.
type Typed struct {
	Packages int `json:"packages"` // different ones, of all units
	// Declared are those of which only the declarations were checked: C code
	// decides the types in their functions.
	Declared []string `json:"declared,omitempty"`
	// Unchecked are those whose errors are not told, in some unit: types that come
	// from C are in their declarations, or in those of what they import.
	Unchecked []string `json:"unchecked,omitempty"` // not among Packages
}

// maxTypeErrors is how many errors of one package are reported, as the compiler does.
const maxTypeErrors = 10

// Types type-checks the packages of every unit from their sources, as the files,
// the platform and the language version of each unit have it, and compiles
// nothing. It needs a plan with Deps and Typed. Of the standard library, which
// comes with the toolchain, only the declarations are read.
//
// What a compiler finds beyond types (a frame too large, a body that assembly
// does not have) is not found.
func (pl *Planner) Types(ctx context.Context) (*Typed, error) {
	if pl.newer() {
		return nil, fault.Errorf("build mintmark with "+pl.Go+" or later; without -types everything else is checked",
			"types are not checked: %s knows a later language than this mintmark, which was built with %s", pl.Go, runtime.Version())
	}
	if err := pl.Loader.ready(ctx); err != nil {
		return nil, err
	}
	pl.mu.Lock()
	units := maps.Clone(pl.packages)
	pl.mu.Unlock()
	ids := slices.Sorted(maps.Keys(units))
	found, skipped := make([][]error, len(ids)), make([]map[string]bool, len(ids))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for i, id := range ids {
		g.Go(func() error {
			found[i], skipped[i] = pl.unitTypes(gctx, id, units[id])
			return gctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var errs []error
	for _, list := range found {
		errs = append(errs, list...)
	}
	seen, declared, unchecked := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range skipped {
		maps.Copy(unchecked, m)
	}
	for _, id := range ids {
		for _, p := range units[id] {
			if unchecked[p.ImportPath] {
				continue
			}
			seen[p.ImportPath] = true
			if hasC(p) && !p.Standard {
				declared[p.ImportPath] = true
			}
		}
	}
	return &Typed{Packages: len(seen), Declared: slices.Sorted(maps.Keys(declared)), Unchecked: slices.Sorted(maps.Keys(unchecked))}, errors.Join(distinct(errs)...)
}

// keepTypes keeps the packages of a unit for [Planner.Types].
func (pl *Planner) keepTypes(u *Unit, pkgs []*Package) {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if pl.packages == nil {
		pl.packages = map[string][]*Package{}
	}
	pl.packages[u.ID()] = pkgs
}

func hasC(p *Package) bool { return len(p.CgoFiles)+len(p.SwigFiles)+len(p.SwigCXXFiles) > 0 }

// imports are the packages of one unit that are checked.
type imports struct {
	done map[string]*types.Package
	from *Package // whose imports are looked up
}

func (i imports) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if to, ok := i.from.ImportMap[path]; ok {
		path = to
	}
	if p := i.done[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("package %s is not among those of the unit", path)
}

// declaresC reports whether types that come from C are in the declarations of a
// package's files: cgo alone knows them. What is in functions, and the parameters
// of functions that no other package can call, are not seen from outside.
func declaresC(parsed []*ast.File) (found bool) {
	for _, f := range parsed {
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && fn.Recv == nil && !fn.Name.IsExported() {
				continue
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if _, body := n.(*ast.BlockStmt); body {
					return false
				}
				if sel, ok := n.(*ast.SelectorExpr); ok {
					x, ok := sel.X.(*ast.Ident)
					found = found || ok && x.Name == "C"
				}
				return !found
			})
		}
	}
	return found
}

// imports reports whether one of the files imports one of these packages.
func (p *Package) imports(parsed []*ast.File, of map[string]bool) bool {
	for _, f := range parsed {
		for _, spec := range f.Imports {
			path := strings.Trim(spec.Path.Value, "\"`")
			if of[cmp.Or(p.ImportMap[path], path)] {
				return true
			}
		}
	}
	return false
}

// unitTypes checks the packages of a unit: go list names those that a package
// imports before it. Of the unchecked, what is wrong may be right with the types
// that cgo makes.
func (pl *Planner) unitTypes(ctx context.Context, id string, pkgs []*Package) (errs []error, unchecked map[string]bool) {
	_, platform, _ := strings.Cut(id, " ")
	target, err := profiles.ParsePlatform(platform)
	if err != nil {
		return []error{err}, nil
	}
	done := map[string]*types.Package{}
	unchecked = map[string]bool{}
	for _, p := range pkgs {
		if ctx.Err() != nil {
			return errs, unchecked
		}
		if p.ImportPath == "unsafe" {
			continue
		}
		if len(p.SwigFiles)+len(p.SwigCXXFiles) > 0 {
			// What SWIG declares is not known, nor is what others use of it.
			return append(errs, fmt.Errorf("%s: types are not checked: SWIG makes a part of %s", id, p.ImportPath)), unchecked
		}
		fset := token.NewFileSet()
		parsed, err := pl.parse(fset, p)
		if err != nil {
			return append(errs, fmt.Errorf("%s: %w", id, err)), unchecked
		}
		if !p.Standard && (hasC(p) && declaresC(parsed) || p.imports(parsed, unchecked)) {
			unchecked[p.ImportPath] = true
		}
		var wrong []types.Error
		conf := types.Config{
			Importer: imports{done, p}, FakeImportC: true, IgnoreFuncBodies: p.Standard || hasC(p) || unchecked[p.ImportPath],
			Sizes: types.SizesFor("gc", target.Arch), GoVersion: p.language(),
			Error: func(err error) {
				var te types.Error
				if errors.As(err, &te) && !p.Standard && !unchecked[p.ImportPath] {
					wrong = append(wrong, te)
				}
			},
		}
		// What is wrong was told to Error; the package is of use all the same.
		done[p.ImportPath], _ = conf.Check(p.ImportPath, fset, parsed, nil)
		slices.SortStableFunc(wrong, func(a, b types.Error) int { return cmp.Compare(a.Pos, b.Pos) })
		for _, te := range wrong[:min(len(wrong), maxTypeErrors)] {
			at := fset.Position(te.Pos)
			at.Filename = pl.Loader.shorten(at.Filename)
			errs = append(errs, fmt.Errorf("%s: %s: %s", id, at, te.Msg))
		}
	}
	return errs, unchecked
}

// parse reads the Go files of a package that the unit compiles.
func (pl *Planner) parse(fset *token.FileSet, p *Package) (parsed []*ast.File, err error) {
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
		name = filepath.Join(p.Dir, name)
		data, err := files.Read(name, maxSourceFile)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(fset, name, data, parser.SkipObjectResolution)
		if err != nil {
			return nil, errors.New(pl.Loader.shorten(err.Error()))
		}
		parsed = append(parsed, f)
	}
	return parsed, nil
}

// language is the language version of a package, as the go command gives it to
// the compiler: the go line of its module, go1.16 where there is none
// (https://go.dev/ref/mod#go-mod-file-go); "" is the latest.
func (p *Package) language() string {
	switch {
	case p.Standard || p.Module == nil:
		return ""
	case p.Module.GoVersion == "":
		return "go1.16"
	}
	return "go" + p.Module.GoVersion
}
