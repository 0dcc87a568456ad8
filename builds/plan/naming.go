package plan

import (
	pathpkg "path"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// name gives the unit's programs and what is published of them the names that the
// profile says. It is the first to know the programs.
func (pl *Planner) name(d *draft, problem reporter) {
	u := d.unit
	if len(u.Mains) == 0 {
		return // which is a problem already
	}
	var binaries []string
	for i, a := range u.Mains {
		binaries = append(binaries, a.Binary)
		for _, b := range u.Mains[:i] {
			if foldName(a.Binary) == foldName(b.Binary) {
				problem("main", "build them in different profiles", "%s and %s both make a binary named %s", b.Package, a.Package, a.Binary)
			}
		}
	}
	n, err := d.profile.Names(d.platform, pl.vars(), d.settings, binaries)
	if err != nil {
		for _, err := range fault.Leaves(err) {
			if p, ok := err.(profiles.Problem); ok {
				d.problems = append(d.problems, p)
			} else {
				d.errs = append(d.errs, err)
			}
		}
		return
	}
	u.named(n)
	for i, a := range n.Programs {
		for k, b := range n.Programs[:i] {
			if foldName(a.Path) == foldName(b.Path) && foldName(binaries[i]) != foldName(binaries[k]) {
				problem("binary", "write {{.Binary}} in it", "%s and %s would both be %s in the archive", u.Mains[k].Package, u.Mains[i].Package, a.Path)
			}
		}
	}
	pl.unusedNames(d)
}

// named puts names into the unit: those that are not what they are by default, and
// that something is called by.
func (u *Unit) named(n profiles.Names) {
	u.Name, u.Wrap = n.Name, n.Wrap
	for i, p := range n.Programs {
		m := &u.Mains[i]
		m.Name = p.Name
		path := p.Path
		if u.Archive == fact.NoArchive {
			if path = ""; u.Mode().Library() {
				path = pathpkg.Base(p.Path)
			}
		}
		if path != m.Binary {
			m.Path = path
		}
	}
}

// checkMembers reports names that cannot be in one archive together.
func (d *draft) checkMembers(problem reporter) {
	if len(d.problems) > 0 || len(d.errs) > 0 || len(d.unit.Mains) == 0 {
		return
	}
	key, hint := "files", "leave the file out, or give it another place: {src: FILE, dst: PLACE}"
	if archive.CheckNames(d.unit.Packaged()) != nil || len(d.settings.Files) == 0 {
		key, hint = "binary", "choose other names for the programs"
	}
	for _, bad := range fault.Leaves(checkUnitFiles(d.unit)) {
		problem(key, hint, "%v", bad)
	}
}

// unusedNames remarks on keys for archives where there is none.
func (pl *Planner) unusedNames(d *draft) {
	if d.unit.Archive != fact.NoArchive {
		return
	}
	for _, key := range []string{"binary", "wrap"} {
		if key == "binary" && d.unit.Mode().Library() {
			continue // a library knows its name
		}
		if key == "binary" || d.settings.Wrap != "" {
			pl.remark(d, key, "leave it out for profile "+d.profile.Name+", or choose an archive", key+" has no effect: archive: none publishes the programs alone, under name")
		}
	}
}
