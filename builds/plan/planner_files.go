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
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
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
	rules := d.settings.Files
	wrapped, wrong := problem.counting()
	parts := []string{"files 4"}
	for _, f := range rules {
		parts = append(parts, f.Src, f.Dst, f.Mode)
	}
	found, err := memoized(ctx, pl.Loader, func() (globbed, bool) {
		found, ferr := pl.findFiles(rules, fileKey, wrapped)
		if ferr != nil {
			d.errs = append(d.errs, ferr)
		}
		return found, ferr == nil && !*wrong
	}, parts...)
	d.unit.Files = found.Files
	for _, i := range found.Unmatched {
		pl.remark(d, fmt.Sprintf("files[%d]", i), "leave it out, or commit what it should match", rules[i].Src+" matches no file")
	}
	for _, p := range found.Passed {
		what := " is a directory, its files are not included"
		if len(p.Dirs) > 1 {
			what = " are directories, their files are not included"
		}
		pl.remark(d, fmt.Sprintf("files[%d]", p.Pattern), "write "+p.Dirs[0]+"/** for all files below "+p.Dirs[0]+", or a pattern that matches no directory", brief(p.Dirs)+what)
	}
	d.unit.place(found.Placed, problem)
	return err
}

// missingFiles reports what [Planner.files] would of the files themselves, of a draft
// whose templates have no values and that has no places for files.
func (pl *Planner) missingFiles(d *draft, problem reporter) {
	s := d.profile.Settings(d.platform)
	if len(s.Files) == 0 || len(s.Archive) == 0 {
		return
	}
	if _, err := pl.findFiles(s.Files, fileKey, problem); err != nil {
		d.errs = append(d.errs, err)
	}
}

// place puts files into the unit whose place or mode is not the commit's. Two files
// of one place are a problem, and so is a file in that of a program.
func (u *Unit) place(placed []placed, problem reporter) {
	taken := map[string]fact.File{}
	shape := u.Shape()
	const leave = "leave the file out, or give it another place: {src: FILE, dst: PLACE}"
	for _, name := range u.Packaged() {
		taken[foldName(name)] = fact.File{}
	}
	for _, name := range u.Files {
		in := foldName(shape.Path(name))
		if before, ok := taken[in]; ok && before.Src == "" {
			problem("files", leave, "%s is the name of a file and of a binary or its header in the same archive", shape.Path(name))
		} else if !ok { // two that differ only in case are found with all other names
			taken[in] = fact.File{Src: name, Dst: name}
		}
	}
	for _, p := range placed {
		f, key := p.File, fmt.Sprintf("files[%d].dst", p.Rule)
		at := shape.Path(f.Dst)
		before, ok := taken[foldName(at)]
		switch {
		case !ok:
			taken[foldName(at)] = f
			u.PlacedFiles = append(u.PlacedFiles, f)
		case before == f: // of another pattern, too
		case before.Src == "":
			problem(key, "give it another dst", "%s would be %s in the archive, which is the name of a binary or its header", f.Src, at)
		case before.Src == f.Src && before.Dst == f.Dst:
			problem(key, "leave one of them out", "%s would be in the archive twice, with different modes", f.Src)
		default:
			problem(key, "give one of them another dst", "%s and %s would both be %s in the archive", before.Src, f.Src, at)
		}
	}
	slices.SortFunc(u.PlacedFiles, func(a, b fact.File) int { return strings.Compare(a.Dst, b.Dst) })
}

// globbed is what the patterns of further files match.
type globbed struct {
	Files     []string // sorted, each once
	Placed    []placed // those whose place or mode is another than in the commit, in the order of the rules
	Unmatched []int    // patterns that match nothing
	Passed    []passed
}

// passed are the directories that a pattern matches and of which no pattern has a file.
type passed struct {
	Pattern int
	Dirs    []string
}

// placed is a file and the rule that places it.
type placed struct {
	File fact.File
	Rule int
}

// fileKey is the key of a rule of files.
func fileKey(rule int) string { return fmt.Sprintf("files[%d]", rule) }

// findFiles finds the files of the commit that rules are about. key is that of a rule.
func (pl *Planner) findFiles(rules []profiles.FileRule, keyOf func(rule int) string, problem reporter) (found globbed, err error) {
	// A root, since a symbolic link in the commit must not bring a file of this
	// machine into an archive.
	root, err := os.OpenRoot(pl.Loader.Dir)
	if err != nil {
		return found, err
	}
	defer root.Close()
	fsys := root.FS()
	dirs := make([][]string, len(rules))
	for i, rule := range rules {
		pattern := rule.Src
		key := keyOf(i)
		matches, err := glob(fsys, path.Clean(pattern))
		if err != nil {
			problem(key, "see https://pkg.go.dev/path#Match", "%s: %v", pattern, err)
			continue
		}
		literal := !rule.Pattern()
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
				switch f := (fact.File{Src: m, Dst: rule.Place(m), Mode: rule.Mode}); {
				case f.Dst != m || f.Mode != "":
					found.Placed = append(found.Placed, placed{f, i})
				case !slices.Contains(found.Files, m):
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
			below := func(name string) bool { return strings.HasPrefix(name, dir+"/") }
			return slices.ContainsFunc(found.Files, below) || slices.ContainsFunc(found.Placed, func(p placed) bool { return below(p.File.Src) })
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
