package lint

import (
	"fmt"
	"go/version"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/shell"
)

// readUnseen are those of the files that git ignores which the plan reads; of
// those that it reads for several reasons, the first.
func (l *Linted) readUnseen() []source.Unseen {
	var names []string
	inPackage := func(f source.Unseen) string { // the file that is compiled
		switch base := path.Base(f.Name); {
		case strings.HasSuffix(f.By, ".go"):
			return f.By
		case f.By != "", base == "go.sum", base == "go.mod", l.Repo.UsesVendor(f):
			return ""
		}
		return f.Name
	}
	for _, f := range l.unseen {
		if name := inPackage(f); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	reads := l.Planner.Reads(l.Repo.Root(), slices.Compact(names))
	var read []source.Unseen
	for _, f := range l.unseen {
		again := len(read) > 0 && read[len(read)-1].Name == f.Name
		if name := inPackage(f); !again && (name == "" || reads[name]) && (!l.Repo.UsesVendor(f) || l.vendors()) {
			read = append(read, f)
		}
	}
	return read
}

// vendors reports whether a plain go build of the module uses what is vendored
// if it is there, and the profile file leaves that to it.
func (l *Linted) vendors() bool {
	if version.Compare("go"+l.Source.GoLine, "go1.14") < 0 {
		return false
	}
	for _, sel := range l.Selected {
		for _, pl := range sel.Platforms {
			if sel.Profile.Pos(pl, "mod").Line == 0 {
				return true
			}
		}
	}
	return false
}

// sayUnseen warns of files that git ignores, in one sentence for those of each kind.
func (l *Linted) sayUnseen() {
	var readers []string
	by := map[string][]string{}
	if l.Repo == nil {
		return
	}
	for _, f := range l.readUnseen() {
		if l.Repo.UsesVendor(f) {
			dir := l.Shorten(filepath.Join(l.Repo.Root(), filepath.FromSlash(path.Dir(f.Name))))
			if l.Snapshot {
				l.cautions.Add("git ignores %s: this snapshot, which is the tree as it is, is built with the modules beside it, and no release of the commit is", f.Name)
			} else {
				l.cautions.Add("git ignores %s, by which a plain go build here takes other modules from %s; a build of the commit takes them from the module cache, as go build -mod=mod does; commit what is vendored (git add -f %s), or remove it", f.Name, path.Dir(f.Name), shell.Word(dir))
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
		if reader == fetch.ProfileReader {
			l.cautions.Add("git ignores %s, so it is not in the commit: who builds the commit as it is has no profile file, and builds something else; commit it (%s)", firstFew(names), l.addForced(names))
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
		if l.Snapshot {
			l.cautions.Add("%s: %s in this snapshot, which is the tree as it is, and in no release of the commit; go stamps a tree that git calls clean as the commit", what, it)
			continue
		}
		l.cautions.Add("%s, so %s not in the commit and not in the release; commit what belongs to it (%s), or its users build something else", what, it, l.addForced(names))
	}
}

// missingForms are what go list and the compiler say of what is not there.
var missingForms = []string{"undefined", "no matching files found", "no required module provides", "is not in std", "no Go files in", "no such file", "could not import", "cannot find", "missing method"}

// Explain adds to an error of what is built that files which git ignores
// may be what is missing.
func (l *Linted) Explain(err error) error {
	if err == nil || l.Snapshot || l.Repo == nil || !slices.ContainsFunc(missingForms, func(form string) bool { return strings.Contains(err.Error(), form) }) {
		return err
	}
	missing := l.unseen
	if l.Plan != nil { // else nobody knows what it would read
		missing = l.readUnseen()
	}
	var names []string
	for _, f := range missing {
		if f.By != fetch.ProfileReader && !l.Repo.UsesVendor(f) && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	if len(names) == 0 {
		return err
	}
	hint := fmt.Sprintf("git ignores %s, so a build of the commit has nothing of it, and a plain go build here has; if that is what is missing, commit it (%s)", firstFew(names), l.addForced(names))
	if _, several := err.(interface{ Unwrap() []error }); !several && fault.Hint(err) != "" { // the hints of several are theirs
		hint = fault.Hint(err) + "; " + hint
	}
	return &fault.Error{Err: err, Code: fault.ExitCode(err), Tip: hint}
}

// addForced is the command that adds files, named from the top of the tree, to
// the commit although git ignores them; some of them, as in [firstFew].
func (l *Linted) addForced(names []string) string {
	var here []string
	for _, n := range names[:min(len(names), 3)] {
		here = append(here, l.Shorten(filepath.Join(l.Repo.Root(), filepath.FromSlash(n))))
	}
	return "git add -f " + shell.Names(here)
}
