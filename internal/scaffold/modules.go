package scaffold

import (
	"cmp"
	"go/version"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/importer"
	"github.com/mintmark/mintmark/internal/shell"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// chooseModule is the error of a directory with programs in several modules below
// it, or only in modules below its own: a profile file is for one module. Its hint
// has the command for each, the likely ones first.
func (p *Proposal) chooseModule() error {
	modules, where := p.layout.modules, "there is no module in %s, and several with programs below it"
	if p.layout.module != "" {
		modules, where = p.layout.below, "the module in %s has no program, and modules below it have"
	}
	var users, others []goModule
	for _, m := range modules {
		if forDevelopers(m.dir) || slices.Contains(strings.Split(m.dir, "/"), "plugin") {
			others = append(others, m)
		} else {
			users = append(users, m)
		}
	}
	list, text := users, where+"; a profile file is for one module"
	args := []any{p.Dir}
	if len(users) == 0 {
		list = others
	} else if len(others) > 0 {
		var dirs []string
		for _, m := range others {
			dirs = append(dirs, m.dir)
		}
		slices.Sort(dirs)
		text += "; not in the hint, since they look like tools, examples or tests: %s"
		args = append(args, brief(dirs))
	}
	p.sortModules(list)
	var lines []string
	for _, m := range list {
		lines = append(lines, p.command(m.dir))
	}
	return fault.Errorf(strings.Join(lines, "\n"), text, args...)
}

// sortModules puts first what is called like the repository, then those with
// version tags of their own, the highest version first.
func (p *Proposal) sortModules(list []goModule) {
	name := cmp.Or(remoteName(p.Root), filepath.Base(p.Root))
	at, err := filepath.Rel(p.Root, p.Dir)
	if err != nil {
		at = "."
	}
	highest := map[string]string{} // by the directory that the go command's tags have before the v
	for _, tag := range tagNames(p.Root) {
		dir, v := path.Split(tag)
		if dir = path.Clean(dir); semver.IsValid(v) && semver.Compare(v, highest[dir]) > 0 {
			highest[dir] = v
		}
	}
	tagged := func(m goModule) string { return highest[path.Join(filepath.ToSlash(at), m.dir)] }
	named := func(m goModule) int {
		if path.Base(m.dir) == name {
			return 0
		}
		return 1
	}
	slices.SortFunc(list, func(a, b goModule) int {
		return cmp.Or(cmp.Compare(named(a), named(b)), semver.Compare(tagged(b), tagged(a)), strings.Compare(a.dir, b.dir))
	})
}

// command is init as it was called, for the module in a directory below.
func (p *Proposal) command(dir string) string {
	c := "mintmark init -dir=" + shell.Name(filepath.ToSlash(filepath.Join(p.cfg.Dir, filepath.FromSlash(dir))))
	if p.cfg.Key {
		c += " -key"
	}
	if p.cfg.CI != "" {
		c += " -ci=" + p.cfg.CI
	}
	if p.cfg.Mage {
		c += " -mage"
	}
	return c
}

// toolchain finds whether the file has to name a toolchain: go.mod may name none, or
// one that is older than what mintmark builds with.
func (p *Proposal) toolchain(tree fs.FS) error {
	name := path.Join(p.layout.modules[0].dir, "go.mod")
	data, _ := small(tree, name)
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		return fault.Usagef("go mod edit -fmt, in the directory of "+name+", says the same until it is mended", "%w", err)
	}
	named := ""
	if f.Go != nil {
		named = "go" + f.Go.Version
	}
	if f.Toolchain != nil && f.Toolchain.Name != "default" && version.Compare(f.Toolchain.Name, named) > 0 {
		named = f.Toolchain.Name
	}
	if exact, err := toolchain.Exact(named); err == nil && toolchain.Supported(exact) {
		return nil
	}
	p.pinned = toolchain.Recent(runtime.Version())
	p.note("go: %s, since %s names %s, and mintmark builds with %s or newer", p.pinned, name, cmp.Or(named, "no Go version"), toolchain.Oldest)
	return nil
}

// workspace reports whether the go command finds a go.work here: in the directory, or
// above it up to the repository's top.
func (p *Proposal) workspace() bool {
	for at := p.Dir; ; at = filepath.Dir(at) {
		if fi, err := os.Lstat(filepath.Join(at, "go.work")); err == nil && fi.Mode().IsRegular() {
			return true
		}
		if at == p.Root || at == filepath.Dir(at) {
			return false
		}
	}
}

// unpublished says which modules of the repository the product requires in a version
// that no tag has: with go.work they come from the directory beside it, without it from
// nowhere.
func (p *Proposal) unpublished() {
	dir := filepath.Join(p.Dir, filepath.FromSlash(p.layout.modules[0].dir))
	data, err := files.Read(filepath.Join(dir, "go.mod"), 1<<20)
	if err != nil {
		return
	}
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return // what is wrong with it is said
	}
	replaced := map[string]bool{}
	for _, r := range f.Replace {
		replaced[r.Old.Path] = true
	}
	at := map[string]string{} // directories from the repository's top, by module
	for _, use := range p.used() {
		name := filepath.Join(p.Root, filepath.FromSlash(use))
		if data, err := files.Read(filepath.Join(name, "go.mod"), 1<<20); err == nil {
			at[importer.ModulePath(data)] = use
		}
	}
	tags := tagNames(p.Root)
	for _, r := range f.Require {
		use, ok := at[r.Mod.Path]
		if !ok || replaced[r.Mod.Path] || module.IsPseudoVersion(r.Mod.Version) {
			continue
		}
		tag := path.Join(use, r.Mod.Version)
		if _, major, _ := module.SplitPathVersion(r.Mod.Path); major != "" && path.Base(use) == strings.TrimPrefix(major, "/") {
			tag = path.Join(path.Dir(use), r.Mod.Version) // a directory for the major version is in no tag
		}
		if slices.Contains(tags, tag) {
			continue
		}
		to, err := filepath.Rel(dir, filepath.Join(p.Root, filepath.FromSlash(use)))
		if err != nil {
			continue
		}
		if to = filepath.ToSlash(to); !strings.HasPrefix(to, ".") {
			to = "./" + to
		}
		p.note("%s requires %s %s, which is no tag of this repository (%s), so that it is found by go.work alone; tag it and require that version, or go mod edit -replace=%s=%s", path.Join(p.layout.modules[0].dir, "go.mod"), r.Mod.Path, r.Mod.Version, tag, r.Mod.Path, to)
	}
}

// used are the directories of the modules that the go.work names, from the repository's
// top; those outside of it are left out.
func (p *Proposal) used() (dirs []string) {
	for at := p.Dir; ; at = filepath.Dir(at) {
		data, err := files.Read(filepath.Join(at, "go.work"), 1<<20)
		if err == nil {
			f, err := modfile.ParseWork("go.work", data, nil)
			if err != nil {
				return nil
			}
			for _, u := range f.Use {
				rel, err := filepath.Rel(p.Root, filepath.Join(at, filepath.FromSlash(u.Path)))
				if err == nil && filepath.IsLocal(rel) {
					dirs = append(dirs, filepath.ToSlash(rel))
				}
			}
			return dirs
		}
		if at == p.Root || at == filepath.Dir(at) {
			return nil
		}
	}
}
