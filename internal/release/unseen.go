package release

import (
	"context"
	"fmt"
	"go/version"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
)

// findUnseen finds the files that git ignores and a build reads. Private keys are
// ignored on purpose, and what lies in the output directory is ours.
func (s *Subject) findUnseen(ctx context.Context) ([]source.Unseen, error) {
	if s.Repo == nil || s.included != nil {
		return s.included, nil
	}
	found, err := s.Repo.Unseen(ctx, s.named())
	if err != nil {
		return nil, fmt.Errorf("looking for files that git ignores: %w", err)
	}
	var names []string
	for _, f := range found {
		names = append(names, f.Name)
	}
	keys := s.Repo.WithKeys(names)
	found = slices.DeleteFunc(found, func(f source.Unseen) bool {
		rel, err := filepath.Rel(s.Out, filepath.Join(s.Repo.Root(), filepath.FromSlash(f.Name)))
		return slices.Contains(keys, f.Name) || s.Repo.IsGenerated(f.Name, s.generates) || err == nil && filepath.IsLocal(rel)
	})
	return append([]source.Unseen{}, found...), nil // not nil: it was looked for
}

// named are the files that the profile file names beside packages.
func (s *Subject) named() (wanted []source.Wanted) {
	if name, ok := s.profileFile(); ok {
		wanted = append(wanted, source.Wanted{By: profileReader, Pattern: name})
	}
	add := func(key, pattern string) {
		w := source.Wanted{By: key + " in " + s.file.Path, Dir: s.Source.Dir, Pattern: filepath.ToSlash(filepath.Clean(pattern))}
		if pattern != "" && !strings.Contains(pattern, "{{") && !slices.Contains(wanted, w) && s.file.Path != "" {
			wanted = append(wanted, w)
		}
	}
	for _, p := range s.file.Profiles {
		for _, pl := range p.Platforms {
			settings := p.Settings(pl)
			for _, f := range settings.Files {
				add("files", f)
			}
			if settings.PGO != "off" {
				add("pgo", settings.PGO)
			}
		}
	}
	return wanted
}

// profileReader reads the profile file, which no package and no key names.
const profileReader = "mintmark"

// profileFile is the profile file's path from the top of the tree, as a pattern;
// ok is false if it lies elsewhere, or if there is none.
func (s *Subject) profileFile() (pattern string, ok bool) {
	if s.Repo == nil || s.file.Path == "" {
		return "", false
	}
	name := s.ConfigFile
	if name == "" {
		name = filepath.Join(s.Dir, configName)
	}
	name, err := files.RealPath(name)
	if err != nil {
		return "", false
	}
	rel, err := filepath.Rel(s.Repo.Root(), name)
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(filepath.ToSlash(rel)), err == nil && filepath.IsLocal(rel)
}

// readUnseen are those of the files that git ignores which the plan reads; of
// those that it reads for several reasons, the first.
func (s *audit) readUnseen() []source.Unseen {
	var names []string
	inPackage := func(f source.Unseen) string { // the file that is compiled
		switch base := path.Base(f.Name); {
		case strings.HasSuffix(f.By, ".go"):
			return f.By
		case f.By != "", base == "go.sum", base == "go.mod", s.Repo.UsesVendor(f):
			return ""
		}
		return f.Name
	}
	for _, f := range s.unseen {
		if name := inPackage(f); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	reads := s.Planner.Reads(s.Repo.Root(), slices.Compact(names))
	var read []source.Unseen
	for _, f := range s.unseen {
		again := len(read) > 0 && read[len(read)-1].Name == f.Name
		if name := inPackage(f); !again && (name == "" || reads[name]) && (!s.Repo.UsesVendor(f) || s.vendors()) {
			read = append(read, f)
		}
	}
	return read
}

// vendors reports whether a plain go build of the module uses what is vendored
// if it is there, and the profile file leaves that to it.
func (s *audit) vendors() bool {
	if version.Compare("go"+s.Source.GoLine, "go1.14") < 0 {
		return false
	}
	for _, sel := range s.Selected {
		for _, pl := range sel.Platforms {
			if sel.Profile.Pos(pl, "mod").Line == 0 {
				return true
			}
		}
	}
	return false
}

// sayUnseen warns of files that git ignores, in one sentence for those of each kind.
func (s *audit) sayUnseen() {
	var readers []string
	by := map[string][]string{}
	if s.Repo == nil {
		return
	}
	for _, f := range s.readUnseen() {
		if s.Repo.UsesVendor(f) {
			dir := s.shorten(filepath.Join(s.Repo.Root(), filepath.FromSlash(path.Dir(f.Name))))
			if s.Snapshot {
				s.cautions.add("git ignores %s: this snapshot, which is the tree as it is, is built with the modules beside it, and no release of the commit is", f.Name)
			} else {
				s.cautions.add("git ignores %s, by which a plain go build here takes other modules from %s; a build of the commit takes them from the module cache, as go build -mod=mod does; commit what is vendored (git add -f %s), or remove it", f.Name, path.Dir(f.Name), shell.Word(dir))
			}
			continue
		}
		if by[f.By] == nil {
			readers = append(readers, f.By)
		}
		by[f.By] = append(by[f.By], f.Name)
	}
	for _, reader := range readers {
		names := by[reader]
		if reader == profileReader {
			s.cautions.add("git ignores %s, so it is not in the commit: who builds the commit as it is has no profile file, and builds something else; commit it (%s)", firstFew(names), s.addForced(names))
			continue
		}
		what := "git ignores " + firstFew(names)
		if reader != "" {
			what += ", named by " + reader
		}
		it := "it is"
		if len(names) > 1 {
			it = "they are"
		}
		if s.Snapshot {
			s.cautions.add("%s: %s in this snapshot, which is the tree as it is, and in no release of the commit; go stamps a tree that git calls clean as the commit", what, it)
			continue
		}
		s.cautions.add("%s, so %s not in the commit and not in the release; commit what belongs to it (%s), or its users build something else", what, it, s.addForced(names))
	}
}

// missingForms are what go list and the compiler say of what is not there.
var missingForms = []string{"undefined", "no matching files found", "no required module provides", "is not in std", "no Go files in", "no such file", "could not import", "cannot find", "missing method"}

// explainUnseen adds to an error of what is built that files which git ignores
// may be what is missing.
func (s *audit) explainUnseen(err error) error {
	if err == nil || s.Snapshot || s.Repo == nil || !slices.ContainsFunc(missingForms, func(form string) bool { return strings.Contains(err.Error(), form) }) {
		return err
	}
	missing := s.unseen
	if s.Plan != nil { // else nobody knows what it would read
		missing = s.readUnseen()
	}
	var names []string
	for _, f := range missing {
		if f.By != profileReader && !s.Repo.UsesVendor(f) && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	if len(names) == 0 {
		return err
	}
	hint := fmt.Sprintf("git ignores %s, so a build of the commit has nothing of it, and a plain go build here has; if that is what is missing, commit it (%s)", firstFew(names), s.addForced(names))
	if _, several := err.(interface{ Unwrap() []error }); !several && fault.Hint(err) != "" { // the hints of several are theirs
		hint = fault.Hint(err) + "; " + hint
	}
	return &fault.Error{Err: err, Code: fault.ExitCode(err), Tip: hint}
}

// addForced is the command that adds files, named from the top of the tree, to
// the commit although git ignores them; some of them, as in [firstFew].
func (s *audit) addForced(names []string) string {
	var here []string
	for _, n := range names[:min(len(names), 3)] {
		here = append(here, s.shorten(filepath.Join(s.Repo.Root(), filepath.FromSlash(n))))
	}
	return "git add -f " + shell.Names(here)
}
