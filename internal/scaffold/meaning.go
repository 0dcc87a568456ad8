package scaffold

import (
	"maps"
	"path"
	"slices"

	"github.com/mintmark/mintmark/profiles"
)

// meaning says what the profile file means for the programs that were found. text is
// the file.
func (p *Proposal) meaning(text string) error {
	f, err := profiles.Load(ProfileFile, []byte(text))
	if err != nil {
		return err
	}
	p.compilers(f)
	p.embedded(f)
	return nil
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
