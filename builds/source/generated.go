package source

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// Tracked reports whether the commit has a file, a slash-separated path in the module.
func (r *Repo) Tracked(name string) bool {
	_, ok := slices.BinarySearch(r.names, path.Join(r.Dir, name))
	return ok
}

// Generated says which files of the module commands make anew for each build. What
// of them lies in the user's tree is no part of the source: it is no dirt, unless
// the commit has it. It returns what was taken for generated, as paths in the module.
func (r *Repo) Generated(is func(name string) bool) (names []string) {
	r.Dirty = slices.DeleteFunc(r.Dirty, func(name string) bool {
		generated := r.IsGenerated(name, is)
		if generated {
			names = append(names, strings.TrimPrefix(strings.TrimPrefix(name, r.Dir), "/"))
		}
		return generated
	})
	return names
}

// IsGenerated reports whether a path from the top is that of a file which commands
// make, and which the commit does not have.
func (r *Repo) IsGenerated(name string, is func(name string) bool) bool {
	in, ok := name, true
	if r.Dir != "" {
		in, ok = strings.CutPrefix(name, r.Dir+"/")
	}
	return ok && is(in) && !r.Tracked(in)
}

// Exclude has git pass over generated files of the module in a private checkout,
// whose top is dir: the go command, which asks git, does not call the commit modified
// because of them.
func (r *Repo) Exclude(ctx context.Context, dir string, names []string) error {
	var all []string
	for _, name := range names {
		all = append(all, path.Join(r.Dir, name))
	}
	seen, err := r.git.Exclude(ctx, dir, all)
	if err == nil && len(seen) > 0 {
		err = fault.Errorf("take the line with ! out of .gitignore, or make it match files of the commit only",
			"generated files that a .gitignore of the commit has git see, so that go would stamp the commit as modified:\n%s", strings.Join(seen, "\n"))
	}
	return err
}
