package plan

import (
	"context"
	"fmt"
	"go/build"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/profiles"
)

// Remarks are what does not stop a plan and has no effect in it: sorted by
// position, each once. They are known after [Planner.Plan].
func (pl *Planner) Remarks() profiles.Problems { return dedupe(slices.Clone(pl.remarks)) }

// remark notes that something the profile file says has no effect. What no file
// says, nobody meant.
func (pl *Planner) remark(d *draft, key, hint, message string) {
	pos := d.profile.Pos(d.platform, key)
	if pos.Line == 0 {
		return
	}
	d.remarks = append(d.remarks, pl.File.Problem(pos, message, hint))
}

// mainDir is a directory that holds package main in the source.
type mainDir struct {
	dir   string // from the module's directory; "." for itself
	own   string // the directory of the other module that it is in, or ""
	files []mainFile
}

type mainFile struct {
	name string
	c    bool     // imports "C"
	tags []string // in its constraint
}

// lost is a program that a unit does not have. Own is the directory of the module
// that has it.
type lost struct{ Message, Hint, Own string }

// lostMains remarks on programs that a pattern matches and that the unit does not
// have: to the go command a directory without files for a unit matches no pattern.
func (pl *Planner) lostMains(ctx context.Context, d *draft, mains []*Package) error {
	if !pl.Deps || !wild(d.settings.Main) || d.profile.Pos(d.platform, "main").Line == 0 {
		return nil
	}
	var built []string
	for _, m := range mains {
		built = append(built, m.ImportPath)
	}
	var failed error
	found, err := memoized(ctx, pl.Loader, func() (found []lost, keep bool) {
		pl.lostOnce.Do(func() { pl.mainDirs, pl.lostErr = findMainDirs(ctx, pl.Loader.Dir) })
		failed = pl.lostErr
		for _, m := range pl.mainDirs {
			importPath := path.Join(pl.Source.ModulePath, m.dir)
			if slices.Contains(built, importPath) || !slices.ContainsFunc(d.settings.Main, func(p string) bool { return matchesDir(p, pl.Source.ModulePath, m.dir) }) {
				continue
			}
			if message, hint := pl.whyLost(d, m); message != "" {
				found = append(found, lost{importPath + " is not built" + message, hint, m.own})
			}
		}
		return found, failed == nil
	}, slices.Concat([]string{"lost mains 1", pl.Go}, d.unit.Env, d.unit.Flags, []string{"main"}, d.settings.Main, []string{"built"}, built)...)
	for _, l := range found {
		if l.Own != "" { // where that is differs from user to user
			l.Hint = "build that module with a profile file of its own: -dir=" + shell.Name(filepath.Join(pl.Tree, filepath.FromSlash(l.Own)))
		}
		pl.remark(d, "main", l.Hint, l.Message)
	}
	if err == nil {
		err = failed
	}
	return err
}

// whyLost says why a unit does not have a program; "" where it is nobody's loss,
// such as what only a tag like ignore would build, or not known.
func (pl *Planner) whyLost(d *draft, m mainDir) (message, hint string) {
	if m.own != "" {
		return fmt.Sprintf(": %s/go.mod makes it a module of its own, and mintmark builds one module without go.work", m.own), ""
	}
	bc := unitContext(d.unit, pl.Go)
	has := func(bc build.Context) bool {
		return slices.ContainsFunc(m.files, func(f mainFile) bool {
			ok, err := bc.MatchFile(filepath.Join(pl.Loader.Dir, filepath.FromSlash(m.dir)), f.name)
			return err == nil && ok && (bc.CgoEnabled || !f.c)
		})
	}
	const others = "name the other programs in main"
	if has(bc) {
		return "", "" // the go command knows another reason
	}
	cgo := bc
	cgo.CgoEnabled = true
	if has(cgo) {
		if slices.ContainsFunc(m.files, func(f mainFile) bool { return !f.c }) {
			return ": its Go files need cgo, which is off", "give it a profile with cgo: true, or " + others
		}
		return ": all its Go files import \"C\", and cgo is off", "give it a profile with cgo: true, or " + others
	}
	platforms, err := pl.Loader.Goroot.Platforms()
	if err != nil {
		return "", ""
	}
	system := []string{"ignore", "cgo", "gc", "gccgo", "unix"} // and no tag that anybody gives
	for _, p := range platforms {
		system = append(system, strings.Split(p, "/")...)
	}
	var tags []string
	for _, f := range m.files {
		tags = append(tags, f.tags...)
	}
	slices.Sort(tags)
	for _, tag := range slices.Compact(tags) {
		tagged := cgo
		tagged.BuildTags = append(slices.Clone(bc.BuildTags), tag)
		switch {
		case slices.Contains(system, tag) || strings.HasPrefix(tag, "go1."):
		case slices.Contains(bc.BuildTags, tag):
			tagged.BuildTags = slices.DeleteFunc(slices.Clone(bc.BuildTags), func(t string) bool { return t == tag })
			if has(tagged) {
				return ": its Go files are not for the tag " + tag, "give it a profile without that tag, or " + others
			}
		case has(tagged):
			return ": its Go files need the tag " + tag, "give it a profile with tags: [" + tag + "], or " + others
		}
	}
	// The best known are the better examples.
	for _, p := range append([]string{"linux/amd64", "darwin/arm64", "windows/amd64"}, platforms...) {
		elsewhere := cgo
		elsewhere.GOOS, elsewhere.GOARCH, _ = strings.Cut(p, "/")
		if has(elsewhere) {
			return " for " + d.unit.Platform + ": its Go files are for others, such as " + p,
				"if it should be, give it files for " + d.unit.Platform + "; if not, " + others + " in an override for " + d.unit.Platform
		}
	}
	return "", ""
}

// matchesDir reports whether a pattern with dots for any text names the
// directory, as the go command reads it.
func matchesDir(pattern, module, dir string) bool {
	if rest, ok := strings.CutPrefix(pattern, module); ok && (rest == "" || rest[0] == '/' || strings.HasPrefix(rest, "...")) {
		pattern = "." + rest
	}
	if !strings.Contains(pattern, "...") {
		return false
	}
	re := strings.ReplaceAll(regexp.QuoteMeta(path.Clean(pattern)), `\.\.\.`, `.*`)
	if above, ok := strings.CutSuffix(re, "/.*"); ok {
		re = above + "(/.*)?"
	}
	if re == ".*" {
		return true
	}
	ok, err := regexp.MatchString("^"+re+"$", dir)
	return err == nil && ok
}

// findMainDirs finds the directories that the go command would look at and that
// hold package main, for whatever unit, in other modules below too.
func findMainDirs(ctx context.Context, root string) ([]mainDir, error) {
	var all []mainDir
	var modules []string // the directories of others
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		base := e.Name()
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case name == root:
			return nil
		case e.IsDir():
			if base == "vendor" || base == "testdata" || base == "node_modules" || base[0] == '.' || base[0] == '_' {
				return fs.SkipDir
			}
			return nil
		case !e.Type().IsRegular() || base != "go.mod" && (!strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") || base[0] == '.' || base[0] == '_'):
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(rel)
		if base == "go.mod" {
			if dir != "." {
				modules = append(modules, dir)
			}
			return nil
		}
		data, err := files.Read(name, maxSourceFile)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), base, data, parser.ImportsOnly|parser.ParseComments)
		if err != nil || f.Name.Name != "main" {
			return nil // what does not parse is told elsewhere
		}
		one := mainFile{name: base}
		for _, spec := range f.Imports {
			one.c = one.c || spec.Path.Value == `"C"`
		}
		for _, group := range f.Comments {
			for _, c := range group.List {
				if expr, err := constraint.Parse(c.Text); err == nil && c.Pos() < f.Package {
					expr.Eval(func(tag string) bool { one.tags = append(one.tags, tag); return false })
					expr.Eval(func(tag string) bool { one.tags = append(one.tags, tag); return true })
				}
			}
		}
		if n := len(all); n == 0 || all[n-1].dir != dir {
			i := slices.IndexFunc(all, func(m mainDir) bool { return m.dir == dir })
			if i >= 0 {
				all[i].files = append(all[i].files, one)
				return nil
			}
			all = append(all, mainDir{dir: dir})
		}
		all[len(all)-1].files = append(all[len(all)-1].files, one)
		return nil
	})
	for i := range all {
		for _, m := range modules { // from the top: the last is the nearest
			if all[i].dir == m || strings.HasPrefix(all[i].dir, m+"/") {
				all[i].own = m
			}
		}
	}
	// A file that nobody builds makes no program.
	return slices.DeleteFunc(all, func(m mainDir) bool {
		return !slices.ContainsFunc(m.files, func(f mainFile) bool { return !slices.Contains(f.tags, "ignore") })
	}), err
}
