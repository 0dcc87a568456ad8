package scaffold

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/importer"
	"github.com/mintmark/mintmark/profiles"
	"golang.org/x/mod/module"
)

// layout is what was found in a directory.
type layout struct {
	module  string // path of the module in the directory itself; "" for none
	modules []goModule
	below   []goModule // with programs, below a module in the directory: not released with it
	vendor  bool
	mains   map[string][]string // directories of all programs, by that of their module
	unnamed []string            // directories of programs that no import path can name
	files   []string            // patterns of further files
	work    bool                // there is a go.work
	host    profiles.Platform
}

// goModule is a module with programs.
type goModule struct {
	dir, path string
	programs  []program
}

// program is a main package.
type program struct {
	dir string // below the module
	set map[string]string
	cgo bool

	embeds map[string]string // variables of a version that come from a file, with it
}

// Limits on what is looked at.
const (
	maxDirs  = 20_000
	maxMains = 50
)

// look finds modules and programs.
func look(tree fs.FS, host profiles.Platform) (*layout, error) {
	l := &layout{host: host}
	mains := map[string][]string{} // module's directory → directories of programs
	paths := map[string]string{}
	dirs := 0
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read is not built
		}
		if !d.IsDir() {
			return nil
		}
		if base := path.Base(name); name != "." && (base[0] == '.' || base[0] == '_' || slices.Contains([]string{"testdata", "vendor", "node_modules", "dist", "magefiles"}, base)) {
			return fs.SkipDir
		}
		if dirs++; dirs > maxDirs {
			return fs.SkipAll
		}
		at := name
		if data, ok := small(tree, path.Join(name, "go.mod")); ok {
			paths[name] = importer.ModulePath(data)
		}
		for at != "." && paths[at] == "" {
			at = path.Dir(at)
		}
		if paths[at] == "" || !importer.IsMain(tree, name) {
			return nil
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(name, at), "/")
		if at == "." {
			rel = name // which may begin with a dot
		}
		if name != at && module.CheckImportPath("x/"+rel) != nil {
			l.unnamed = append(l.unnamed, name)
			return nil
		}
		mains[at] = append(mains[at], name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.module, l.mains = paths["."], mains
	if len(paths) == 0 {
		return nil, fault.Errorf("go mod init MODULE makes one, go mod tidy fills it", "there is no go.mod here, nor in a directory below")
	}
	for dir, list := range mains {
		if l.module != "" && dir != "." {
			l.below = append(l.below, goModule{dir: dir, path: paths[dir]})
			continue
		}
		m := goModule{dir: dir, path: paths[dir]}
		for _, at := range choose(dir, list) {
			m.programs = append(m.programs, examine(tree, m, at))
		}
		if len(m.programs) > 0 {
			l.modules = append(l.modules, m)
		}
	}
	slices.SortFunc(l.modules, func(a, b goModule) int { return strings.Compare(a.dir, b.dir) })
	if len(l.modules) > 0 { // what is beside the file, but not in the module, is not reached
		at := l.modules[0].dir
		_, l.vendor = small(tree, path.Join(at, "vendor/modules.txt"))
		for _, pattern := range append(licenses(), "README*") {
			if len(regular(tree, at, pattern)) > 0 {
				l.files = append(l.files, pattern)
			}
		}
	}
	for _, m := range l.modules {
		if err := module.CheckImportPath(m.path); err != nil {
			return nil, fault.Errorf("go mod edit -module=MODULE gives it another", "%s: the module's path: %w", path.Join(m.dir, "go.mod"), err)
		}
	}
	if len(l.modules) == 0 && len(l.below) == 0 {
		return nil, fault.Errorf("mintmark releases programs: name a module that has a package main with -dir=; a library needs no more than the tag of its version", "no program was found here: %s", describe(paths))
	}
	return l, nil
}

// licenses are patterns of files with the terms of use.
func licenses() []string { return []string{"LICENSE*", "COPYING*"} }

// regular are the regular files in a directory whose names match.
func regular(tree fs.FS, dir, pattern string) (names []string) {
	entries, err := fs.ReadDir(tree, dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if ok, err := path.Match(pattern, e.Name()); err != nil || !ok {
			continue
		}
		if fi, err := fs.Stat(tree, path.Join(dir, e.Name())); err == nil && fi.Mode().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names
}

func describe(paths map[string]string) string {
	var list []string
	for _, p := range paths {
		list = append(list, p)
	}
	slices.Sort(list)
	return "module " + strings.Join(list, ", ")
}

// small reads a regular file of reasonable size.
func small(tree fs.FS, name string) ([]byte, bool) {
	fi, err := fs.Stat(tree, name)
	if err != nil || !fi.Mode().IsRegular() || fi.Size() > 1<<20 {
		return nil, false
	}
	data, err := fs.ReadFile(tree, name)
	return data, err == nil
}

// forDevelopers reports whether a directory is by its name for whoever develops a
// product, not for its users.
func forDevelopers(dir string) bool {
	names := []string{"internal", "example", "examples", "_examples", "hack", "tools", "tool", "scripts", "script", "test", "tests", "docs", "doc", "build", "ci", "contrib", "benchmark", "benchmarks", "e2e", "integration", "gen"}
	return slices.ContainsFunc(strings.Split(dir, "/"), func(e string) bool { return slices.Contains(names, e) })
}

// choose takes of a module's programs those that are for users: that in its
// directory and those below cmd; where there are none, all but those that are for
// whoever develops it.
func choose(dir string, mains []string) (chosen []string) {
	user := func(at string) bool {
		rel := strings.TrimPrefix(strings.TrimPrefix(at, dir), "/")
		if dir == "." {
			rel = at
		}
		return !forDevelopers(rel)
	}
	first := func(at string) bool { return at == dir || strings.HasPrefix(at, path.Join(dir, "cmd")+"/") }
	for _, pick := range []func(string) bool{func(at string) bool { return first(at) && user(at) }, user, func(string) bool { return true }} {
		for _, at := range mains {
			if pick(at) && len(chosen) < maxMains {
				chosen = append(chosen, at)
			}
		}
		if len(chosen) > 0 {
			break
		}
	}
	return chosen
}

// examine reads a program: which variables the linker can set, and whether it has C
// code that it cannot do without.
func examine(tree fs.FS, m goModule, at string) program {
	rel := strings.TrimPrefix(strings.TrimPrefix(at, m.dir), "/")
	if m.dir == "." {
		rel = at
	}
	if at == m.dir {
		rel = "."
	}
	p := program{dir: rel, set: map[string]string{}, embeds: map[string]string{}}
	for _, name := range importer.Variables(tree, at) {
		v := variable(name)
		switch from := importer.Embeds(tree, at, name); {
		case v == "":
		case from != "": // which -X would replace
			p.embeds["main."+name] = path.Join(at, from)
		default:
			p.set["main."+name] = v
		}
	}
	seen := map[string]bool{}
	p.cgo = needsC(tree, m, at, seen)
	return p
}

// variable is the template for a variable of that name in a program; "" for a name
// that says nothing of a version.
func variable(name string) string {
	switch strings.ToLower(name) {
	case "version", "appversion", "buildversion":
		return "{{.Version}}"
	case "commit", "gitcommit", "revision", "gitrevision", "gitsha", "commithash", "buildcommit":
		return "{{.Commit}}"
	case "date", "builddate", "buildtime", "commitdate":
		return "{{.CommitDate}}"
	}
	return ""
}

// needsC reports whether a package, or one of its module that it imports, has C
// code in every file that a build has, or none without.
func needsC(tree fs.FS, m goModule, at string, seen map[string]bool) bool {
	if seen[at] || len(seen) > 2000 {
		return false
	}
	seen[at] = true
	entries, err := fs.ReadDir(tree, at)
	if err != nil {
		return false
	}
	with, without := 0, 0
	var imports []string
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		data, ok := small(tree, path.Join(at, e.Name()))
		if !ok {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), data, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			continue
		}
		hasC := false
		for _, spec := range f.Imports {
			if name, err := strconv.Unquote(spec.Path.Value); err == nil {
				hasC = hasC || name == "C"
				imports = append(imports, name)
			}
		}
		switch {
		case hasC:
			with++
		case constrained(f, "!cgo"):
			without++
		}
	}
	if with > 0 && without == 0 {
		return true
	}
	for _, name := range imports {
		if rest, ok := strings.CutPrefix(name+"/", m.path+"/"); ok && needsC(tree, m, path.Join(m.dir, rest), seen) {
			return true
		}
	}
	return false
}

// constrained reports whether a file has a constraint with that term.
func constrained(f *ast.File, term string) bool {
	for _, g := range f.Comments {
		if g.Pos() > f.Package {
			break
		}
		for _, c := range g.List {
			if strings.HasPrefix(c.Text, "//go:build ") && strings.Contains(c.Text, term) {
				return true
			}
		}
	}
	return false
}

// plain is the module as the importer takes it.
func (p *Proposal) plain() importer.Module {
	l := p.layout
	out := importer.Module{Vendor: l.vendor, Files: l.files, Path: p.Module}
	for _, m := range l.modules { // which is one
		one := importer.Part{Dir: m.dir, Path: m.path, Set: map[string]string{}}
		if m.dir == "." {
			one.Dir = ""
		}
		for _, prog := range m.programs {
			main := "./" + prog.dir
			if prog.dir == "." {
				main = "./"
			}
			one.Main = append(one.Main, main)
			for name, v := range prog.set {
				one.Set[name] = v
			}
			if prog.cgo {
				one.CGO = l.host.String()
			}
		}
		out.Part = one
	}
	return out
}

// notes says what of the directory is in the file, and what is not.
func (p *Proposal) notes() {
	l := p.layout
	if len(l.unnamed) > 0 {
		p.note("not released, since the go command takes no such name of a directory: %s", brief(l.unnamed))
	}
	p.license()
	if l.work {
		p.note("go.work is not used: each module is built with the versions of its own go.mod")
		p.unpublished()
	}
}

// license says which license of the repository no archive can have: the module's
// directory has none, and files takes nothing from outside of it.
func (p *Proposal) license() {
	if slices.ContainsFunc(licenses(), func(l string) bool { return slices.Contains(p.layout.files, l) }) {
		return
	}
	module, err := filepath.Rel(p.Root, filepath.Join(p.Dir, filepath.FromSlash(p.layout.modules[0].dir)))
	if err != nil || module == "." {
		return
	}
	module = filepath.ToSlash(module)
	top := os.DirFS(p.Root)
	for at := path.Dir(module); ; at = path.Dir(at) {
		for _, pattern := range licenses() {
			if found := regular(top, at, pattern); len(found) > 0 {
				p.note("%s is in no archive: files takes what lies in the module's directory; copy it to %s, commit that, and name it in files: [%q]", p.rel(path.Join(at, found[0])), p.rel(path.Join(module, found[0])), pattern)
				return
			}
		}
		if at == "." {
			return
		}
	}
}

// brief names the first of many.
func brief(names []string) string {
	const most = 5
	if len(names) <= most+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
