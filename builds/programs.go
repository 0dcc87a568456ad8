package builds

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// programs are the directories of the module's main packages for a unit, as a
// profile names them, sorted. It is for a message: what cannot be found out is
// not said.
func (pl *Planner) programs(ctx context.Context, u *Unit) (dirs []string) {
	pkgs, _ := pl.Loader.List(ctx, u.Env, u.Flags, []string{"./..."}, false)
	for _, p := range pkgs {
		rel, err := filepath.Rel(pl.Loader.Dir, p.Dir)
		if p.Name != "main" || err != nil || !filepath.IsLocal(rel) || rel == "." {
			continue
		}
		dirs = append(dirs, "./"+filepath.ToSlash(rel))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// fileHint is a profile file that builds these programs.
func fileHint(project string, programs []string) string {
	const most = 8
	main := "[" + strings.Join(programs, ", ") + "]"
	if len(programs) > most {
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
