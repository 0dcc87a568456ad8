package release

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// dropped warns of what configurations of GoReleaser say, the commit's and those
// above it, and the built-in profile, which does not read them, builds without.
func (s *Copied) dropped() []string {
	if s.file.Path != "" || s.Repo == nil {
		return nil
	}
	return append(s.goreleaserDropped(), s.goreleaserAbove()...)
}

func (s *Copied) goreleaserDropped() []string {
	name, data := s.goreleaserFile()
	if name == "" {
		return nil
	}
	g, err := profiles.ReadGoReleaser(data)
	if err != nil {
		return []string{fmt.Sprintf("%s is not read, the built-in profile is used; what that builds without is not known: %v", name, err)}
	}
	in := profiles.BuiltIn{Project: s.file.Project, Module: s.Source.ModulePath, Variables: mainVariables(s.Checkout)}
	for _, p := range s.file.Profiles {
		in.Platforms = append(in.Platforms, p.Platforms...)
	}
	phrases := g.Dropped(in)
	if len(phrases) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s is not read, and the built-in profile builds without what it says: %s; a file %s can say it", name, strings.Join(phrases, "; "), configName)}
}

// goreleaserFile is the configuration that GoReleaser would read in the commit:
// the first that is there; "" for none.
func (s *Copied) goreleaserFile() (name string, data []byte) {
	for _, name := range profiles.GoReleaserFiles() {
		if data, err := files.Read(filepath.Join(s.Checkout, filepath.FromSlash(name)), maxProfileFile); err == nil {
			return name, data
		}
	}
	return "", nil
}

// goreleaserAbove warns of configurations of GoReleaser in the directories above
// the module's: they are the repository's, and may be about this module.
func (s *Copied) goreleaserAbove() (warnings []string) {
	for _, dir := range s.above(s.tree()) {
		for _, name := range profiles.GoReleaserFiles() {
			if exactly(dir, name) {
				warnings = append(warnings, fmt.Sprintf("%s is not read, the built-in profile is used; if it is about this module, a file %s can say what it says", s.nearby(filepath.Join(dir, filepath.FromSlash(name))), configName))
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
