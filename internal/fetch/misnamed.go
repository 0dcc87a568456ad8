package fetch

import (
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
)

// misnamed are names of profile files that are not read.
var misnamed = []string{
	"mintmark.yml", ".mintmark.yaml", ".mintmark.yml", "Mintmark.yaml", "mintmark.json",
	".config/mintmark.yaml", ".config/mintmark.yml", ".github/mintmark.yaml",
}

// sayMisnamed warns of files in the product's directory that look like the profile
// file and are not it. If none is read, those above it, up to the repository's top,
// may be meant as well.
func (s *Subject) sayMisnamed() {
	if s.ConfigFile != "" {
		return
	}
	dir := s.Dir
	if s.Module != "" {
		dir = s.ModuleDir
	}
	if s.File != nil {
		s.unread(dir, misnamed, ConfigName+" is")
		return
	}
	const instead = "the built-in profile is used"
	s.unread(dir, misnamed, instead)
	for _, above := range s.Above(dir) {
		s.unread(above, append([]string{ConfigName}, misnamed...), instead)
	}
}

// unread warns of files of these names in dir, which nobody reads.
func (s *Subject) unread(dir string, names []string, instead string) {
	for _, name := range names {
		if !HasFile(dir, name) {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		shown, advice := name, "rename it, or name it"
		if dir != s.Dir && dir != s.ModuleDir { // of another module, or of all
			shown, advice = s.Nearby(file), "if it is this product's, move it there, or name it"
		}
		s.Cautions.Add("%s is not read, %s: the profile file is %s in the product's directory; %s with -config=%s", shown, instead, ConfigName, advice, shell.Name(s.Nearby(file)))
	}
}

// Above are the directories above dir up to the repository's top, the nearest first.
func (s *Subject) Above(dir string) (dirs []string) {
	real, err := files.RealPath(dir)
	if s.Repo == nil || err != nil {
		return nil
	}
	for real != s.Repo.Root() && real != filepath.Dir(real) {
		real = filepath.Dir(real)
		dirs = append(dirs, real)
	}
	return dirs
}

// Nearby is a path as it can be written in the working directory: relative, where
// it lies in the same repository as that.
func (s *Subject) Nearby(name string) string {
	if short := s.Shorten(name); short != name || s.Repo == nil {
		return short
	}
	wd, err := os.Getwd()
	if err == nil {
		wd, err = files.RealPath(wd)
	}
	if err != nil {
		return name
	}
	if in, err := filepath.Rel(s.Repo.Root(), wd); err != nil || !filepath.IsLocal(in) {
		return name
	}
	if rel, err := filepath.Rel(wd, name); err == nil {
		return rel
	}
	return name
}

// HasFile reports whether there is a file of that name, a slash-separated path
// below dir, in that very spelling: some file systems know it by others.
func HasFile(dir, name string) bool {
	entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(path.Dir(name))))
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == path.Base(name) && e.Type().IsRegular() })
}
