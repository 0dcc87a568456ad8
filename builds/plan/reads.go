package plan

import (
	"go/build"
	"go/parser"
	"go/token"
	"go/version"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// checkout is where the product's own files are: below the top of the
// repository, in whichever of its modules.
type checkout struct {
	tops   []string // spellings of the top
	module string   // the planned module's directory, slash-separated, from there
}

func (pl *Planner) checkout() checkout {
	in := checkout{module: "."}
	top := filepath.Clean(pl.Loader.Dir)
	if pl.Source.Kind == fact.SourceGit && pl.Source.Dir != "" {
		in.module = path.Clean(pl.Source.Dir)
		for range strings.Count(in.module, "/") + 1 {
			top = filepath.Dir(top)
		}
	}
	in.tops = []string{top}
	// The go command prints paths without symbolic links.
	if real, err := filepath.EvalSymlinks(top); err == nil && real != top {
		in.tops = append(in.tops, real)
	}
	return in
}

// fromTop is the path of a directory from the top; ok is false of one elsewhere.
func (c checkout) fromTop(dir string) (rel string, ok bool) {
	for _, top := range c.tops {
		if rel, err := filepath.Rel(top, dir); err == nil && filepath.IsLocal(rel) && dir != "" {
			return filepath.ToSlash(rel), true
		}
	}
	return "", false
}

// has reports whether a package in dir is the product's own.
func (c checkout) has(dir string) bool {
	_, ok := c.fromTop(dir)
	return ok
}

// fromModule is the path of a file in one of the own directories from the
// planned module's.
func (c checkout) fromModule(dir, name string) string {
	rel, _ := c.fromTop(dir)
	rel, err := filepath.Rel(filepath.FromSlash(c.module), filepath.FromSlash(path.Join(rel, name)))
	if err != nil {
		return name
	}
	return filepath.ToSlash(rel)
}

// reader is a unit as it reads files of the checkout.
type reader struct {
	context  build.Context
	ownPGO   bool // the profile says which PGO profile is read
	patterns []string
	dirs     map[string]*readDir // directories of packages, from the top
}

type readDir struct{ main, c bool }

// noteReader notes what a unit, of programs that match the patterns, is built of.
func (pl *Planner) noteReader(u *Unit, patterns []string, pkgs []*Package) {
	in := pl.checkout()
	r := &reader{context: unitContext(u, pl.Go), dirs: map[string]*readDir{}}
	r.ownPGO = slices.ContainsFunc(u.Flags, func(f string) bool { return strings.HasPrefix(f, "-pgo=") })
	for _, p := range patterns {
		if rel, ok := strings.CutPrefix(p, pl.Source.ModulePath); ok && (rel == "" || rel[0] == '/') {
			p = "." + rel
		}
		r.patterns = append(r.patterns, path.Join(in.module, p))
	}
	for _, p := range pkgs {
		if dir, ok := in.fromTop(p.Dir); ok && !p.Standard {
			r.dirs[dir] = &readDir{main: p.Name == "main" && !p.DepOnly, c: hasC(p)}
		}
	}
	pl.mu.Lock()
	defer pl.mu.Unlock()
	pl.readers = append(pl.readers, r)
}

// unitContext is what build constraints are held against in a unit.
func unitContext(u *Unit, goVersion string) build.Context {
	c := build.Context{Compiler: "gc", OpenFile: openSource}
	for _, kv := range u.Env {
		switch name, v, _ := strings.Cut(kv, "="); name {
		case "GOOS":
			c.GOOS = v
		case "GOARCH":
			c.GOARCH = v
		case "CGO_ENABLED":
			c.CgoEnabled = v == "1"
		}
	}
	for _, f := range u.Flags {
		if tags, ok := strings.CutPrefix(f, "-tags="); ok {
			c.BuildTags = strings.Split(tags, ",")
		}
	}
	_, minor, _ := strings.Cut(version.Lang(goVersion), ".")
	last, _ := strconv.Atoi(minor)
	for i := 1; i <= last; i++ {
		c.ReleaseTags = append(c.ReleaseTags, "go1."+strconv.Itoa(i))
	}
	return c
}

func openSource(name string) (io.ReadCloser, error) { return files.Open(name) }

// matches reports whether a pattern of the unit's programs names a directory.
func (r *reader) matches(dir string) bool {
	return slices.ContainsFunc(r.patterns, func(p string) bool {
		if base, ok := strings.CutSuffix(p, "..."); ok {
			base = strings.TrimSuffix(base, "/")
			return base == "" || base == "." || dir == base || strings.HasPrefix(dir, base+"/")
		}
		return p == dir
	})
}

// reads reports whether a build of the unit takes a file of the user's tree at
// top, and what it imports if it is a Go file.
func (r *reader) reads(top, name string) (imports []string, ok bool) {
	dir, base := path.Dir(name), path.Base(name)
	at, planned := r.dirs[dir]
	if !planned && !r.matches(dir) {
		return nil, false
	}
	if base == "default.pgo" {
		return nil, planned && at.main && !r.ownPGO
	}
	local := filepath.Join(top, filepath.FromSlash(dir))
	if match, err := r.context.MatchFile(local, base); err != nil || !match {
		return nil, false
	}
	switch ext := path.Ext(base); ext {
	case ".go":
		data, err := files.Read(filepath.Join(local, base), maxSourceFile)
		if err != nil {
			return nil, false
		}
		f, err := parser.ParseFile(token.NewFileSet(), base, data, parser.ImportsOnly)
		if f == nil || f.Name == nil {
			return nil, false
		}
		if !planned && err == nil && f.Name.Name != "main" {
			return nil, false // a pattern makes programs of what it names
		}
		for _, spec := range f.Imports {
			imports = append(imports, strings.Trim(spec.Path.Value, "`\""))
		}
		return imports, r.context.CgoEnabled || !slices.Contains(imports, "C")
	case ".s", ".syso":
		return nil, planned
	case ".h", ".hh", ".hpp", ".hxx":
		return nil, planned && (r.context.CgoEnabled && at.c || hasAssembly(local))
	default: // C and its like
		return nil, planned && r.context.CgoEnabled
	}
}

func hasAssembly(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return path.Ext(e.Name()) == ".s" })
}

// Reads are those of the files of the user's tree at top, named from there, that
// a plain build there of what is planned takes from the directories of packages by
// their names, build constraints and imports. Of what could not be planned, they
// are those of what could.
func (pl *Planner) Reads(top string, names []string) map[string]bool {
	pl.mu.Lock()
	readers := slices.Clone(pl.readers)
	pl.mu.Unlock()
	in := pl.checkout()
	found := map[string]bool{}
	for _, r := range readers {
		mine := map[string]bool{}
		for more := true; more; { // what is read may import what nobody else does
			more = false
			for _, name := range names {
				if mine[name] {
					continue
				}
				imports, ok := r.reads(top, name)
				if !ok {
					continue
				}
				mine[name], found[name] = true, true
				for _, p := range imports {
					rel, ok := strings.CutPrefix(p, pl.Source.ModulePath+"/")
					if dir := path.Join(in.module, rel); ok && r.dirs[dir] == nil {
						r.dirs[dir], more = &readDir{}, true
					}
				}
			}
		}
	}
	return found
}
