package plan

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/profiles"
)

// program is a main package: its directory, as a profile names it, and what its
// binary is called.
type program struct{ dir, binary string }

// programs are the module's main packages for a unit, sorted. It is for a
// message: what cannot be found out is not said.
func (pl *Planner) programs(ctx context.Context, u *Unit) (list []program) {
	pkgs, _ := pl.Loader.List(ctx, u.Env, u.Flags, []string{"./..."}, false)
	for _, p := range pkgs {
		rel, err := filepath.Rel(pl.Loader.Dir, p.Dir)
		if p.Name != "main" || err != nil || !filepath.IsLocal(rel) || rel == "." {
			continue
		}
		list = append(list, program{"./" + filepath.ToSlash(rel), p.Binary()})
	}
	return sortPrograms(list)
}

func sortPrograms(list []program) []program {
	slices.SortFunc(list, func(a, b program) int { return cmp.Compare(a.dir, b.dir) })
	return slices.Compact(list)
}

// rootless is the problem of a module without a program at its root, which the
// built-in profile cannot build. It is one, whatever the platforms have.
func (pl *Planner) rootless(drafts []*draft) profiles.Problems {
	drafts = slices.DeleteFunc(slices.Clone(drafts), func(d *draft) bool { return len(d.programs) == 0 })
	if len(drafts) == 0 {
		return nil
	}
	every := drafts[0].programs // what all platforms have
	var all []program
	for _, d := range drafts {
		every = slices.DeleteFunc(slices.Clone(every), func(p program) bool { return !slices.Contains(d.programs, p) })
		all = append(all, d.programs...)
	}
	var names []string
	for _, p := range sortPrograms(all) {
		names = append(names, p.dir)
	}
	first := drafts[0]
	return profiles.Problems{pl.File.Problem(first.profile.Pos(first.platform, "main"), fmt.Sprintf(
		"no program at the module's root, which the built-in profile builds: there is no mintmark.yaml. The module's programs are %s", strings.Join(names, ", ")),
		fileHint(pl.File.Project, every))}
}

// fileHint is a profile file that builds these programs, or all that there are if
// none is given. Of two whose binaries have one name, a profile builds one.
func fileHint(project string, programs []program) string {
	const most = 8
	var dirs, binaries []string
	for _, p := range programs {
		if name := foldName(p.binary); !slices.Contains(binaries, name) {
			binaries = append(binaries, name)
			dirs = append(dirs, p.dir)
		}
	}
	main := "[" + strings.Join(dirs, ", ") + "]"
	if len(dirs) == len(programs) && len(dirs) > most || len(dirs) == 0 {
		main = "./..."
	}
	return fmt.Sprintf("write mintmark.yaml and commit it:\nversion: 1\nproject: %s\nmain: %s\nprofiles:\n  release:\n    platforms: [linux/amd64, linux/arm64, darwin/arm64, windows/amd64]", project, main)
}

// ownModule is the directory, in the module, of another module that the package
// would be in, or "".
func (pl *Planner) ownModule(importPath string) string {
	rel, ok := strings.CutPrefix(importPath, pl.Source.ModulePath+"/")
	if !ok {
		if rel, ok = strings.CutPrefix(importPath, "./"); !ok { // as go list names what it does not find
			return ""
		}
	}
	for dir := rel; dir != "." && dir != "/"; dir = path.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(pl.Loader.Dir, filepath.FromSlash(dir), "go.mod")); err == nil {
			return dir
		}
	}
	return ""
}
