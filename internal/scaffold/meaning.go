package scaffold

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/profiles"
)

// meaning says what the profile file means for the programs that were found. text is
// the file.
func (p *Proposal) meaning(text string) error {
	f, err := profiles.Load(ProfileFile, []byte(text))
	if err != nil {
		return err
	}
	p.left(f)
	p.compilers(f)
	p.embedded(f)
	return nil
}

// left says which programs the file does not build, and which of those that it builds
// look like none for users.
func (p *Proposal) left(f *profiles.File) {
	var main []string
	for _, prof := range f.Profiles {
		for _, pl := range prof.Platforms {
			main = append(main, prof.Settings(pl).Main...)
		}
	}
	own := cmp.Or(f.Dir, ".")
	var tools, others, doubtful, modules []string
	for _, at := range p.layout.mains[own] {
		rel := strings.TrimPrefix(strings.TrimPrefix(at, own), "/")
		if own == "." {
			rel = at
		}
		switch builds := slices.ContainsFunc(main, func(pattern string) bool { return names(pattern, rel) }); {
		case builds && forDevelopers(rel):
			doubtful = append(doubtful, at)
		case builds:
		case forDevelopers(rel):
			tools = append(tools, at)
		default:
			others = append(others, at)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(p.layout.mains)) {
		if dir != own {
			modules = append(modules, dir+" ("+p.command(dir)+")")
		}
	}
	if len(doubtful) > 0 && p.Source == "" { // else somebody has named them
		p.note("released, though they look like tools or examples, since there is no other program: %s; take out of main what is not for users", brief(doubtful))
	}
	if p.Source != "" { // what is left out is so by it, whatever it looks like
		others, tools = slices.Sorted(slices.Values(slices.Concat(others, tools))), nil
	}
	if len(tools) > 0 {
		p.note("not released, since they look like tools or examples: %s; add those for users to main", brief(tools))
	}
	switch {
	case len(others) == 0:
	case p.Source != "":
		p.note("not released, since they are not in main: %s; add those for users", brief(others))
	default:
		p.note("not released, since those in the module's directory and below cmd come first: %s; add those for users to main", brief(others))
	}
	if len(modules) > 0 {
		p.note("not released, since they are in modules of their own, each of which takes a file of its own: %s", brief(modules))
	}
}

// names reports whether a pattern of main names the package in a directory of the module.
func names(pattern, dir string) bool {
	pattern = path.Clean(pattern)
	if parent, ok := strings.CutSuffix(pattern, "..."); ok {
		parent = strings.TrimSuffix(parent, "/")
		return parent == "" || parent == "." || dir == parent || strings.HasPrefix(dir, parent+"/")
	}
	return pattern == path.Clean(dir)
}

// embedded says of variables of a version that come from a file, and that nothing sets,
// that they do.
func (p *Proposal) embedded(f *profiles.File) {
	set := map[string]bool{}
	for _, prof := range f.Profiles {
		for _, pl := range prof.Platforms {
			for name := range prof.Settings(pl).Set {
				set[name] = true
			}
		}
	}
	for _, m := range p.layout.modules {
		for _, prog := range m.programs {
			for _, name := range slices.Sorted(maps.Keys(prog.embeds)) {
				if !set[name] {
					p.note("%s is embedded from %s, and stays so: a key in ldflags.set would put another text in its place", name, prog.embeds[name])
				}
			}
		}
	}
}

// compilers says what the file means for C code: programs that cannot do without it,
// and platforms for which a C compiler has to be named.
func (p *Proposal) compilers(f *profiles.File) {
	host := p.layout.host
	own := func(pl profiles.Platform) bool {
		// A compiler for macOS makes code for both of its architectures.
		return pl.OS == host.OS && (pl.Arch == host.Arch || host.OS == "darwin")
	}
	var with, without, foreign int
	var notes []string
	for _, prof := range f.Profiles {
		var named []string
		for _, pl := range prof.Platforms {
			s := prof.Settings(pl)
			switch {
			case !s.CGO:
				without++
				continue
			case !own(pl):
				foreign++
			}
			if with++; !own(pl) && s.Env["CC"] == "" {
				named = append(named, pl.String())
			}
		}
		if len(named) > 0 {
			notes = append(notes, "profile "+prof.Name+" has cgo: true, and names no C compiler for "+brief(named)+": that of this machine, which is "+host.String()+", is mostly one for its own platform alone; name one for each with env: {CC: …} in overrides of profiles."+prof.Name+", or leave the platforms out")
		}
	}
	for _, m := range p.layout.modules {
		for _, prog := range m.programs {
			if !prog.cgo {
				continue
			}
			what := path.Join(m.dir, prog.dir) + " has C code that it cannot do without: "
			switch {
			case without > 0 && with > 0:
				p.note("%sthe file has cgo: true for some platforms, and no program for the others", what)
			case without > 0:
				p.note("%sthe file, made of %s, has cgo: false, and there is no program; set cgo: true, and name a C compiler for each platform but that of this machine (env: {CC: …} in an override)", what, p.Source)
			case foreign > 0:
				p.note("%sthe file has cgo: true", what)
			default:
				p.note("%sthe file has cgo: true and the platform of this machine; others need a C compiler each (env: {CC: …} in an override)", what)
			}
		}
	}
	p.Notes = append(p.Notes, notes...)
}
