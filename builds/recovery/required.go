package recovery

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/internal/files"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// requiredBy compares the dependencies that a binary names with what go.mod of a source
// requires. An error says that the binary is of another source, whatever its module is
// called: a fork, or another commit. Since go1.17 a go.mod names every module that has
// packages of the build (go.dev/ref/mod#go-mod-file-go); one of before may lead to a
// higher version, and none to a lower one than it requires.
func (c *Claim) requiredBy(src *tree) error {
	for dir := src.dir; ; dir = filepath.Dir(dir) { // a workspace has requirements of its own
		if _, err := os.Lstat(filepath.Join(dir, "go.work")); err == nil {
			return nil
		}
		if dir == src.root || dir == filepath.Dir(dir) {
			break
		}
	}
	name := filepath.Join(src.dir, "go.mod")
	data, err := files.Read(name, maxSource)
	if err != nil {
		return err
	}
	f, err := modfile.ParseLax(name, data, nil)
	if err != nil {
		return fmt.Errorf("the source's go.mod: %w", err)
	}
	complete := f.Go != nil && semver.Compare("v"+f.Go.Version, "v1.17") >= 0
	required := map[string]string{}
	for _, r := range f.Require {
		required[r.Mod.Path] = r.Mod.Version
	}
	for _, d := range c.Deps {
		want, ok := required[d.Path]
		switch {
		case !semver.IsValid(d.Version):
		case ok && (semver.Compare(d.Version, want) < 0 || complete && d.Version != want):
			return fmt.Errorf("another source: go.mod of %s %s wants %s %s, and the binary has %s", src.Module, src.Version, d.Path, want, d.Version)
		case !ok && complete:
			return fmt.Errorf("another source: the binary has %s %s, and go.mod of %s %s does not name it", d.Path, d.Version, src.Module, src.Version)
		}
	}
	return nil
}
