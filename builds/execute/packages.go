package execute

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
)

// Package is a package of a unit as it was compiled in a place.
type Package struct {
	ImportPath string
	Name       string
	Dir        string
	Standard   bool
	Export     string // the file with its export data, in the build cache
	GoFiles    []string
	CgoFiles   []string
	Imports    []string // as in the source
	ImportMap  map[string]string
	Module     *PackageModule
	Error      *struct{ Err string }
}

// PackageModule is the module of a package.
type PackageModule struct {
	Path, Version string
	Main          bool
	Dir           string
	GoMod         string
	Replace       *PackageModule
}

// Packages lists the packages of a unit and of everything it imports, compiled as
// the unit's build compiles them: after one, nothing is compiled anew.
func (l *Local) Packages(ctx context.Context, u *plan.Unit, p int) ([]Package, error) {
	args := []string{"list", "-p=" + strconv.Itoa(p), "-export", "-deps", "-json=ImportPath,Name,Dir,Standard,Export,GoFiles,CgoFiles,Imports,ImportMap,Module,Error"}
	for _, f := range u.Flags {
		if !strings.HasPrefix(f, "-ldflags=") {
			args = append(args, f)
		}
	}
	args = append(args, "--")
	for _, m := range u.Mains {
		args = append(args, m.Package)
	}
	res, err := toolchain.Run(ctx, toolchain.Command{
		Path: l.View.Path(l.Goroot.Go()), Args: args, Dir: l.View.Path(l.Dir), Env: l.seen().Env(u.Env, l.seen().Proxy()),
		Confine: l.confine(), SetUmask: l.SetUmask, Umask: l.Place.Umask,
	})
	if err != nil {
		var exit *toolchain.ExitError
		if errors.As(err, &exit) {
			exit.Output = toolchain.Relative(exit.Output, l.View.Path(l.Dir))
			err = toolchain.Explain(exit)
		}
		return nil, fmt.Errorf("%s: %w", u.ID(), err)
	}
	var list []Package
	dec := json.NewDecoder(bytes.NewReader(res.Stdout))
	for {
		var p Package
		if err := dec.Decode(&p); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: go list: %w", u.ID(), err)
		}
		if p.Error != nil {
			return nil, fmt.Errorf("%s: %s: %s", u.ID(), p.ImportPath, toolchain.Relative(p.Error.Err, l.View.Path(l.Dir)))
		}
		// With a PGO profile, packages are listed as made for the program.
		p.ImportPath = plainPath(p.ImportPath)
		for i, path := range p.Imports {
			p.Imports[i] = plainPath(path)
		}
		p.Imports = slices.DeleteFunc(p.Imports, func(path string) bool { return path == "C" })
		list = append(list, p)
	}
}

// plainPath is the import path of "PATH [PROGRAM]".
func plainPath(path string) string {
	path, _, _ = strings.Cut(path, " ")
	return path
}

// BuildWith builds a unit with further flags, which may make it fail. Its products
// are not the unit's.
func (l *Local) BuildWith(ctx context.Context, u *plan.Unit, flags []string, pace Pace) (*Outcome, error) {
	with := *u
	with.Flags = slices.Concat(u.Flags, flags)
	return l.build(ctx, &with, pace)
}
