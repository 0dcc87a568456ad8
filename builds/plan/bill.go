package plan

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/files"
)

// Requirement is a module as go.mod requires it, after replacement.
type Requirement struct {
	Path    string
	Version string // "" where a directory stands in its place
	Sum     string // h1: of its zip, as go.sum has it; "" where it has none
	Dir     string // that go.mod has in its place; "" for none
}

// Required are the modules that the main module's go.mod requires, in its order.
func (l *Loader) Required(ctx context.Context) ([]Requirement, error) {
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	mod, sums, err := l.moduleFile()
	if err != nil {
		return nil, err
	}
	var list []Requirement
	for _, r := range mod.Require {
		m, dir := r.Mod, ""
		for _, by := range mod.Replace {
			if by.Old.Path == m.Path && (by.Old.Version == "" || by.Old.Version == m.Version) {
				m = by.New
				if m.Version == "" {
					m.Path, dir = r.Mod.Path, m.Path
				}
			}
		}
		list = append(list, Requirement{m.Path, m.Version, sums[m], dir})
	}
	return list, nil
}

func (l *Loader) moduleFile() (*modfile.File, map[module.Version]string, error) {
	data, err := files.Read(filepath.Join(l.Dir, "go.mod"), maxSourceFile)
	if err != nil {
		return nil, nil, err
	}
	mod, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, nil, err
	}
	sums, err := l.goSum()
	return mod, sums, err
}

// Licenses names the licenses of a linked module as SPDX does, by the files in its
// directory; none if one of them is not recognised for sure. The path "" is the main
// module's, and dir the directory that go.mod has in its place, "" for none. The source
// has to be there, as after [Loader.Required].
func (l *Loader) Licenses(path, version, dir string) []string {
	switch vendored := filepath.Join(l.Dir, "vendor", filepath.FromSlash(path)); {
	case dir != "" || path == "":
		dir = filepath.Join(l.Dir, filepath.FromSlash(dir))
	case exists(vendored):
		dir = vendored
	default:
		dir = filepath.Join(l.Place.ModCache, source.CacheDir(path, version))
	}
	return recognised(dir)
}

// StandardLicenses are those of the standard library, as for a module.
func (l *Loader) StandardLicenses() []string { return recognised(l.Goroot.Dir) }

func recognised(dir string) []string {
	list := strings.Split(licenseOf(dir), ", ")
	if slices.Contains(list, LicenseUnknown) {
		return nil
	}
	return list
}
