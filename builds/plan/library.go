package plan

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// library holds a unit that makes a C library against the rules of such units:
// those of their settings, and that there is one main package, since go makes
// one library at a time.
func (c *checker) library(u *Unit, pl profiles.Platform) error {
	mode := u.Mode()
	if !mode.Library() {
		return nil
	}
	s := profiles.Settings{BuildMode: string(mode), CGO: slices.Contains(u.Env, "CGO_ENABLED=1"), UPX: u.UPX}
	s.Budget.Startup = time.Duration(u.MaxStartup)
	var errs []error
	for _, r := range s.LibraryRules(pl) {
		errs = append(errs, r)
	}
	if len(u.Mains) > 1 {
		errs = append(errs, fmt.Errorf("buildmode %s makes one library, and there are %d main packages", mode, len(u.Mains)))
	}
	return errors.Join(append(errs, installedLibrary(mode, c.plan.Source.Kind))...)
}

// installedLibrary refuses libraries of a module version: that is built by go
// install, which has no place for a library of a module ((*Package).load in
// cmd/go/internal/load: only what goes into a bin directory has a target).
func installedLibrary(mode fact.BuildMode, kind fact.SourceKind) error {
	if kind != fact.SourceModule {
		return nil
	}
	return fmt.Errorf("buildmode %s is not for a version from the module proxy: go install, which stamps that version, installs programs only", mode)
}

// supported asks the toolchain whether it makes such libraries for the unit's
// platform; it says no before it looks at any package.
func (l *Loader) supported(ctx context.Context, u *Unit) (bool, error) {
	if err := l.ready(ctx); err != nil {
		return false, err
	}
	_, err := l.ask(ctx, u.Env, []string{"list", "-e", "-json=ImportPath", "-buildmode=" + string(u.Mode()), "--", "unsafe"})
	if err != nil && strings.Contains(err.Error(), "-buildmode="+string(u.Mode())+" not supported on") {
		return false, nil
	}
	return true, err
}

// library reports what keeps a unit from being a C library. Without a function
// that is exported to C there is no header, and nobody could call it.
func (pl *Planner) library(ctx context.Context, d *draft, mains []*Package, problem reporter) error {
	mode := d.unit.Mode()
	if !mode.Library() {
		return nil
	}
	if err := installedLibrary(mode, pl.Source.Kind); err != nil {
		problem("buildmode", "release it from a checkout of its repository", "%v", err)
	}
	if len(mains) > 1 {
		var names []string
		for _, m := range d.unit.Mains {
			names = append(names, m.Package)
		}
		problem("main", "give each library a profile of its own, whose main names it", "buildmode %s makes one library, and there are %d main packages: %s", mode, len(mains), strings.Join(names, ", "))
	}
	if !pl.Deps {
		return nil // the sources need not be there yet
	}
	ok, err := pl.Loader.supported(ctx, d.unit)
	if err != nil {
		return err
	}
	if !ok {
		problem("buildmode", "exclude the platform, or say buildmode: default for it in an override", "%s makes no library of buildmode %s for %s", pl.Go, mode, d.unit.Platform)
	}
	for _, p := range mains {
		if err := pl.Loader.ready(ctx); err != nil {
			return err
		}
		ok, err := p.exports()
		if err != nil {
			return err
		}
		if !ok {
			problem("main", "write //export NAME above a function, in a file of "+p.ImportPath+" that imports \"C\"",
				"%s exports no function to C, so that buildmode %s makes no header for it", p.ImportPath, mode)
		}
	}
	return nil
}

// exports reports whether the package has a function that cgo exports: one with
// a line //export in its comment (cmd/cgo/ast.go, saveExport). What SWIG will
// generate is not known, and counts as one.
func (p *Package) exports() (bool, error) {
	if len(p.SwigFiles)+len(p.SwigCXXFiles) > 0 {
		return true, nil
	}
	for _, name := range p.CgoFiles {
		data, err := files.Read(filepath.Join(p.Dir, name), maxCSource)
		if err != nil {
			return false, fmt.Errorf("package %s: %w", p.ImportPath, err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return true, nil // the compiler says it better
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && fn.Doc != nil && slices.ContainsFunc(fn.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//export ") }) {
				return true, nil
			}
		}
	}
	return false, nil
}
