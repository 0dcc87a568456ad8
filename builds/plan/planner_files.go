package plan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// reporter notes a problem with the profile's key.
type reporter func(key, hint, format string, args ...any)

// counting wraps a reporter and says whether there was anything to report.
func (r reporter) counting() (wrapped reporter, spoke *bool) {
	spoke = new(bool)
	return func(key, hint, format string, args ...any) {
		*spoke = true
		r(key, hint, format, args...)
	}, spoke
}

// pgo records the profiles the compiler will read. One without samples, an
// empty file for instance, is silently ignored by the go command, so it is
// refused here. The base name of the file lands in the binary; it is that of
// the commit (docs/pgo.md).
func (pl *Planner) pgo(ctx context.Context, d *draft, mains []*Package, problem reporter) (err error) {
	setting := d.settings.PGO
	if setting == "off" {
		return nil
	}
	parts := []string{"pgo 2", setting}
	var dirs []string
	for _, m := range mains {
		rel, err := filepath.Rel(pl.Loader.Dir, m.Dir)
		if err != nil {
			return err
		}
		dirs = append(dirs, filepath.ToSlash(rel))
	}
	inside := !slices.ContainsFunc(dirs, func(dir string) bool { return !filepath.IsLocal(dir) })
	problem, wrong := problem.counting()
	d.unit.PGO, err = memoized(ctx, pl.Loader, func() ([]PGO, bool) {
		return pl.findPGO(setting, dirs, problem), inside && !*wrong
	}, append(parts, dirs...)...)
	return err
}

func (pl *Planner) findPGO(setting string, mains []string, problem reporter) (found []PGO) {
	var names []string
	if setting != "" {
		names = []string{path.Clean(setting)}
	} else {
		for _, dir := range mains {
			name := path.Join(dir, "default.pgo")
			if _, err := os.Stat(filepath.Join(pl.Loader.Dir, filepath.FromSlash(name))); err == nil {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		data, err := readRegular(pl.Loader.Dir, name, maxPGO)
		if err != nil {
			problem("pgo", "commit the profile, or say pgo: off", "PGO profile %s: %v", name, err)
			continue
		}
		if err := checkPGO(data); err != nil {
			problem("pgo", "record a CPU profile (runtime/pprof, go test -cpuprofile), or say pgo: off", "PGO profile %s: %v", name, err)
			continue
		}
		found = append(found, PGO{Path: name, SHA256: files.DigestBytes(data)})
	}
	return found
}

// files resolves the globs of further files for the archive.
func (pl *Planner) files(ctx context.Context, d *draft, problem reporter) (err error) {
	if len(d.settings.Files) == 0 {
		return nil
	}
	if d.unit.Archive == fact.NoArchive {
		pl.remark(d, "files", "say files: [] for profile "+d.profile.Name+", or choose an archive", "files has no effect: archive: none publishes the programs alone")
		return nil
	}
	wrapped, wrong := problem.counting()
	found, err := memoized(ctx, pl.Loader, func() (globbed, bool) {
		found, ferr := pl.findFiles(d.settings.Files, wrapped)
		if ferr != nil {
			d.errs = append(d.errs, ferr)
		}
		return found, ferr == nil && !*wrong
	}, append([]string{"files 3"}, d.settings.Files...)...)
	d.unit.Files = found.Files
	for _, i := range found.Unmatched {
		pl.remark(d, fmt.Sprintf("files[%d]", i), "leave it out, or commit what it should match", d.settings.Files[i]+" matches no file")
	}
	for _, p := range found.Passed {
		what := " is a directory, its files are not included"
		if len(p.Dirs) > 1 {
			what = " are directories, their files are not included"
		}
		pl.remark(d, fmt.Sprintf("files[%d]", p.Pattern), "write "+p.Dirs[0]+"/** for all files below "+p.Dirs[0]+", or a pattern that matches no directory", brief(p.Dirs)+what)
	}
	for _, name := range d.unit.Packaged() {
		if slices.Contains(d.unit.Files, name) {
			problem("files", "leave the file out", "%s is the name of a file and of a binary or its header in the same archive", name)
			return err
		}
	}
	if bad := checkUnitFiles(d.unit); bad != nil {
		for _, bad := range fault.Leaves(bad) {
			problem("files", "leave the file out, or rename it", "%v", bad)
		}
	}
	return err
}

// globbed is what the patterns of further files match.
type globbed struct {
	Files     []string // sorted, each once
	Unmatched []int    // patterns that match nothing
	Passed    []passed
}

// passed are the directories that a pattern matches and of which no pattern has a file.
type passed struct {
	Pattern int
	Dirs    []string
}

func (pl *Planner) findFiles(patterns []string, problem reporter) (found globbed, err error) {
	// A root, since a symbolic link in the commit must not bring a file of this
	// machine into an archive.
	root, err := os.OpenRoot(pl.Loader.Dir)
	if err != nil {
		return found, err
	}
	defer root.Close()
	fsys := root.FS()
	dirs := make([][]string, len(patterns))
	for i, pattern := range patterns {
		key := fmt.Sprintf("files[%d]", i)
		matches, err := glob(fsys, path.Clean(pattern))
		if err != nil {
			problem(key, "see https://pkg.go.dev/path#Match", "%s: %v", pattern, err)
			continue
		}
		literal := !strings.ContainsAny(pattern, `*?[\`)
		if len(matches) == 0 && literal {
			problem(key, "name a file of the commit, or a pattern such as README*", "no file %s in the commit", pattern)
		}
		regular := literal
		for _, m := range matches {
			switch fi, err := fs.Stat(fsys, m); {
			case err != nil:
				problem(key, "put the file itself into the module", "%s is a symbolic link that leads to no file of the module", m)
			case fi.Mode().IsRegular():
				regular = true
				if !slices.Contains(found.Files, m) {
					found.Files = append(found.Files, m)
				}
			case literal:
				problem(key, "write "+m+"/** for the files in it", "%s is not a file", m)
			case fi.IsDir():
				dirs[i] = append(dirs[i], m)
			}
		}
		if !regular && len(dirs[i]) == 0 {
			found.Unmatched = append(found.Unmatched, i)
		}
	}
	sort.Strings(found.Files)
	for i := range dirs {
		dirs[i] = slices.DeleteFunc(dirs[i], func(dir string) bool {
			return slices.ContainsFunc(found.Files, func(name string) bool { return strings.HasPrefix(name, dir+"/") })
		})
		if len(dirs[i]) > 0 {
			found.Passed = append(found.Passed, passed{i, dirs[i]})
		}
	}
	return found, nil
}

// glob finds what [files.Match] matches. What lies in .git is in no commit.
func glob(fsys fs.FS, pattern string) (matches []string, err error) {
	if files.Deep(pattern) {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, err
		}
		var above []string // the directories that the pattern names
		for _, e := range strings.Split(pattern, "/") {
			if strings.ContainsAny(e, `*?[\`) {
				break
			}
			above = append(above, e)
		}
		err = fs.WalkDir(fsys, path.Join(append(above, ".")...), func(name string, e fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case name == ".git" && e.IsDir():
				return fs.SkipDir
			case name != "." && files.Match(pattern, name):
				matches = append(matches, name)
			}
			return nil
		})
	} else {
		matches, err = fs.Glob(fsys, pattern)
	}
	return slices.DeleteFunc(matches, func(name string) bool { return name == ".git" || strings.HasPrefix(name, ".git/") }), err
}

// brief joins names, the first of many.
func brief(names []string) string {
	const most = 5
	if n := len(names); n > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n-most)
	}
	return strings.Join(names, ", ")
}

func readRegular(dir, name string, limit int64) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	data, err := files.ReadIn(root, filepath.FromSlash(name), limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("not in the commit")
	}
	return data, err
}
