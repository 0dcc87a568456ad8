package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// dropped warns of what configurations of GoReleaser say, the commit's and those
// above it, and the built-in profile, which does not read them, builds without.
func (l *Linted) dropped() []string {
	if l.File.Path != "" || l.Repo == nil {
		return nil
	}
	return append(l.goreleaserDropped(), l.goreleaserAbove()...)
}

func (l *Linted) goreleaserDropped() []string {
	name, data := l.goreleaserFile()
	if name == "" {
		return nil
	}
	g, err := profiles.ReadGoReleaser(data)
	if err != nil {
		return []string{fmt.Sprintf("%s is not read, the built-in profile is used; what that builds without is not known: %v", name, err)}
	}
	in := profiles.BuiltIn{Project: l.File.Project, Module: l.Source.ModulePath, Variables: mainVariables(l.Checkout)}
	for _, p := range l.File.Profiles {
		in.Platforms = append(in.Platforms, p.Platforms...)
	}
	phrases := g.Dropped(in)
	if len(phrases) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s is not read, and the built-in profile builds without what it says: %s; a file %s can say it", name, strings.Join(phrases, "; "), fetch.ConfigName)}
}

// goreleaserFile is the configuration that GoReleaser would read in the commit:
// the first that is there; "" for none.
func (l *Linted) goreleaserFile() (name string, data []byte) {
	for _, name := range profiles.GoReleaserFiles() {
		if data, err := files.Read(filepath.Join(l.Checkout, filepath.FromSlash(name)), fetch.MaxConfig); err == nil {
			return name, data
		}
	}
	return "", nil
}

// goreleaserAbove warns of configurations of GoReleaser in the directories above
// the module's: they are the repository's, and may be about this module.
func (l *Linted) goreleaserAbove() (warnings []string) {
	for _, dir := range l.Above(l.Tree()) {
		for _, name := range profiles.GoReleaserFiles() {
			if fetch.HasFile(dir, name) {
				warnings = append(warnings, fmt.Sprintf("%s is not read, the built-in profile is used; if it is about this module, a file %s can say what it says", l.Nearby(filepath.Join(dir, filepath.FromSlash(name))), fetch.ConfigName))
				break
			}
		}
	}
	return warnings
}

// mainVariables are the package-level variables of the program in a directory.
func mainVariables(dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		const most = 1 << 20
		data, err := files.Read(filepath.Join(dir, e.Name()), most)
		if err != nil {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), data, parser.SkipObjectResolution)
		if err != nil || f.Name.Name != "main" {
			continue
		}
		for _, decl := range f.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			for _, spec := range gen.Specs {
				for _, id := range spec.(*ast.ValueSpec).Names {
					names = append(names, id.Name)
				}
			}
		}
	}
	return names
}
