package lint

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/shell"
)

// RefuseDirty is the gate for everything that calls itself a release.
func RefuseDirty(s *fetch.Subject) error {
	if s.Snapshot || len(s.Source.Dirty) == 0 {
		return nil
	}
	list := slices.Clone(s.Source.Dirty)
	var errs []error
	if s.Repo != nil {
		if keys := s.Repo.WithKeys(list); len(keys) > 0 {
			// Apart from the others, whose hint says to commit them.
			list = slices.DeleteFunc(list, func(name string) bool { return slices.Contains(keys, name) })
			errs = append(errs, fault.Errorf("move them out of the tree, or name them in .gitignore and, if git tracks them, git rm --cached "+shell.Names(keys)+". What has been committed and pushed is public: make a new key then",
				"changed or untracked files with private keys in them:\n%s", strings.Join(keys, "\n")))
		}
	}
	const show = 20
	more := ""
	if len(list) > show {
		more = fmt.Sprintf("\n… and %d more", len(list)-show)
		list = list[:show]
	}
	if len(list) == 0 {
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, fault.Errorf("commit what belongs to the release, and name in .gitignore, or put aside with git stash -u, what does not; or build the tree as it is with -snapshot (never signed)",
		"the tree is not the commit; changed or untracked:\n%s%s", strings.Join(list, "\n"), more))...)
}

// pointers warns of what goes into binaries and archives as a Git LFS pointer.
func (l *Linted) pointers() (warnings []string) {
	names := l.Planner.Embedded()
	embedded := len(names)
	for _, f := range l.Plan.Taken() {
		if !slices.Contains(names, f) {
			names = append(names, f)
		}
	}
	for i, name := range names {
		size, ok := source.PointsTo(filepath.Join(l.Checkout, filepath.FromSlash(name)))
		if !ok {
			continue
		}
		where := "embedded"
		if i >= embedded {
			where = "in an archive, package or image"
		}
		warnings = append(warnings, fmt.Sprintf("%s is %s, and the commit has a Git LFS pointer in its place, to a file of %d bytes: no filter runs in a build of the commit, nor in the module proxy; commit the file itself (git lfs untrack)", name, where, size))
	}
	return warnings
}
