package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/universal"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/profiles"
)

// Universal is what is published of the universal binaries of one profile: each has of
// one main package what units of several platforms link.
type Universal struct {
	Profile  string `json:"profile"`
	Platform string `json:"platform"` // GOOS/all
	// Slices are the platforms of the units, in the order of the slices.
	Slices       []string    `json:"slices"`
	Mains        []fact.Main `json:"mains"`   // of each of these units; sorted by package
	Archive      string      `json:"archive"` // as those of a unit, up to PlacedFiles
	MoreArchives []string    `json:"more_archives,omitempty"`
	Name         string      `json:"name"`
	Wrap         string      `json:"wrap,omitempty"`
	Files        []string    `json:"files,omitempty"`
	PlacedFiles  []fact.File `json:"placed_files,omitempty"`
}

// ID names it in output, as that of a unit.
func (x *Universal) ID() string { return x.Profile + " " + x.Platform }

// Shape is what decides which artifacts are made and how they are called.
func (x *Universal) Shape() fact.UnitShape {
	s := x.Unit().Shape()
	s.Slices = x.Slices
	return s
}

// Unit is a unit that is published as it is; no go build makes it.
func (x *Universal) Unit() *Unit {
	return &Unit{
		Profile: x.Profile, Platform: x.Platform, Mains: x.Mains, Archive: x.Archive, MoreArchives: x.MoreArchives,
		Name: x.Name, Wrap: x.Wrap, Files: x.Files, PlacedFiles: x.PlacedFiles,
	}
}

// Of are the units of the plan whose programs are its slices, in their order; nil for
// one that the plan does not have.
func (x *Universal) Of(p *Plan) []*Unit {
	units := make([]*Unit, len(x.Slices))
	for _, u := range p.Units {
		if i := slices.Index(x.Slices, u.Platform); i >= 0 && u.Profile == x.Profile {
			units[i] = u
		}
	}
	return units
}

// Shapes are those of all that the plan publishes: of its units, and of universal
// binaries.
func (p *Plan) Shapes() (list []fact.UnitShape) {
	for _, u := range p.Units {
		list = append(list, u.Shape())
	}
	for _, x := range p.Universal {
		list = append(list, x.Shape())
	}
	return list
}

// Offered are the shapes of what channels can offer: of its units, and of the universal
// binaries that are there in place of some.
func (p *Plan) Offered() (list []fact.UnitShape) {
	replaced := map[string]bool{}
	for _, u := range p.Units {
		replaced[u.ID()] = u.Replaced
	}
	for _, s := range p.Shapes() {
		if len(s.Slices) == 0 || replaced[s.Profile+" "+s.Slices[0]] {
			list = append(list, s)
		}
	}
	return list
}

// Select is the plan with these of its units alone, and with what can be made of them. An
// image is made of whatever there is, so without a unit it would be another one.
func (p *Plan) Select(units []*Unit) *Plan {
	of := *p
	of.Units, of.Universal = units, nil
	if len(units) < len(p.Units) {
		of.Images = nil
	}
	for _, x := range p.Universal {
		if !slices.Contains(x.Of(&of), nil) {
			of.Universal = append(of.Universal, x)
		}
	}
	return &of
}

// universalOS is the only system that has universal binaries.
const universalOS = "darwin"

// sliceOf is the place of a platform among the slices of a universal binary; -1 for
// one that has none.
func sliceOf(p profiles.Platform) int {
	if p.OS != universalOS {
		return -1
	}
	return slices.Index(universal.Order(), p.Arch)
}

// universal makes the universal binaries of drafts that want to be in one. What is wrong
// is kept in the draft that they are made from, as what is named.
func (pl *Planner) universal(drafts []*draft, files func(d *draft, problem reporter) error) (list []*draft) {
	byProfile := map[string][]*draft{}
	var order []string
	for _, d := range drafts {
		if len(byProfile[d.profile.Name]) == 0 {
			order = append(order, d.profile.Name)
		}
		byProfile[d.profile.Name] = append(byProfile[d.profile.Name], d)
	}
	for _, name := range order {
		if d := pl.universalOf(byProfile[name], files); d != nil {
			list = append(list, d)
		}
	}
	return list
}

// universalOf makes the universal binaries of one profile's drafts; nil if there are none.
func (pl *Planner) universalOf(drafts []*draft, files func(d *draft, problem reporter) error) *draft {
	var parts []*draft
	for _, d := range drafts {
		if sliceOf(d.platform) >= 0 && (len(d.problems) > 0 || len(d.errs) > 0) {
			return nil // which has to be well first
		}
		if sliceOf(d.platform) >= 0 {
			parts = append(parts, d)
		}
	}
	wants := func(d *draft) bool { return d.settings.Universal != "" }
	if !slices.ContainsFunc(parts, wants) {
		return nil
	}
	slices.SortFunc(parts, func(a, b *draft) int {
		return cmp.Or(cmp.Compare(sliceOf(a.platform), sliceOf(b.platform)), strings.Compare(a.unit.Platform, b.unit.Platform))
	})
	first := parts[slices.IndexFunc(parts, wants)]
	problem := func(hint, format string, args ...any) {
		first.problems = append(first.problems, pl.File.Problem(first.profile.Pos(first.platform, "universal"), fmt.Sprintf(format, args...), hint))
	}
	before := len(first.problems)
	for i, d := range parts {
		s := d.settings
		switch {
		case s.Universal != first.settings.Universal:
			problem("say the same for all of them", "%s and %s are in one universal binary, and universal is not the same for both", first.unit.ID(), d.unit.ID())
		case s.UPX != nil:
			problem("say upx: off for "+universalOS, "%s: a packed program is not put into a universal binary", d.unit.ID())
		case d.unit.Mode().Library():
			problem("leave universal out for libraries", "%s: a library is not put into a universal binary", d.unit.ID())
		case i > 0 && sliceOf(d.platform) == sliceOf(parts[i-1].platform):
			problem("build the variants in different profiles", "%s and %s are for one architecture, of which a universal binary has one slice", parts[i-1].unit.ID(), d.unit.ID())
		case !slices.EqualFunc(d.unit.Mains, first.unit.Mains, sameMain):
			problem("build them in different profiles, or say universal: false", "%s and %s have different programs, and each universal binary has one of both", first.unit.ID(), d.unit.ID())
		}
	}
	if len(first.problems) > before {
		return nil
	}
	if len(parts) < len(universal.Order()) {
		pl.remark(first, "universal", "build for "+universalOS+"/"+strings.Join(universal.Order(), " and "+universalOS+"/"), "no universal binary: of its architectures, only "+parts[0].unit.Platform+" is built")
		return nil
	}
	return pl.combine(parts, files)
}

func sameMain(a, b fact.Main) bool { return a.Package == b.Package && a.Binary == b.Binary }

// combine names what is published of the universal binaries of drafts.
func (pl *Planner) combine(parts []*draft, files func(d *draft, problem reporter) error) *draft {
	d := &draft{profile: parts[0].profile, platform: profiles.Platform{OS: universalOS, Arch: fact.AllArchs}}
	d.unit = &Unit{Profile: d.profile.Name, Platform: d.platform.String()}
	for _, m := range parts[0].unit.Mains {
		d.unit.Mains = append(d.unit.Mains, fact.Main{Package: m.Package, Binary: m.Binary})
	}
	problem := func(key, hint, format string, args ...any) {
		d.problems = append(d.problems, pl.File.Problem(d.profile.Pos(d.platform, key), fmt.Sprintf(format, args...), hint))
	}
	s, ok := pl.expand(d)
	if !ok {
		return d
	}
	d.settings = s
	if len(s.Archive) > 0 {
		d.unit.Archive, d.unit.MoreArchives = s.Archive[0], s.Archive[1:]
	}
	pl.name(d, problem)
	if err := files(d, problem); err != nil {
		d.errs = append(d.errs, fmt.Errorf("%s: %w", d.unit.ID(), err))
	}
	d.checkMembers(problem)
	for _, p := range parts {
		d.slices = append(d.slices, p.unit.Platform)
		if p.settings.Universal == fact.ReplaceSlices {
			p.unit.replace()
		}
	}
	return d
}

// replace leaves nothing of the unit published.
func (u *Unit) replace() {
	u.Replaced = true
	u.Archive, u.MoreArchives, u.Name, u.Wrap, u.Files, u.PlacedFiles = fact.NoArchive, nil, "", "", nil, nil
	for i := range u.Mains {
		u.Mains[i].Path, u.Mains[i].Name = "", ""
	}
}

// universalBinaries is what the draft is in the plan.
func (d *draft) universalBinaries() *Universal {
	u := d.unit
	return &Universal{
		Profile: u.Profile, Platform: u.Platform, Slices: d.slices, Mains: u.Mains, Archive: u.Archive, MoreArchives: u.MoreArchives,
		Name: u.Name, Wrap: u.Wrap, Files: u.Files, PlacedFiles: u.PlacedFiles,
	}
}

// compareUniversal is their order in a plan.
func compareUniversal(a, b *Universal) int { return strings.Compare(a.Profile, b.Profile) }

// universal checks universal binaries: of each profile there are those of one system,
// of a unit for each architecture that has the same programs.
func (c *checker) universal() {
	all := c.plan.Universal
	if len(all) > maxUnits {
		c.report("", "", "%d universal binaries, more than %d", len(all), maxUnits)
		return
	}
	published := map[string]bool{} // the units that something is published of, in universal binaries
	for i, x := range all {
		name := fmt.Sprintf("universal %d", i+1)
		if profiles.CheckProfileName(x.Profile) == nil && x.Platform == universalOS+"/"+fact.AllArchs {
			name = x.ID()
		} else {
			c.report(name, "", "%.80q of profile %.80q: universal binaries are for %s/%s", x.Platform, x.Profile, universalOS, fact.AllArchs)
		}
		add := func(err error) { c.add(name, "", err) }
		if i > 0 && compareUniversal(all[i-1], x) >= 0 {
			c.report(name, "", "the universal binaries are not in order, or of one profile twice")
		}
		u := x.Unit()
		if c.tooMany(name, u) {
			return
		}
		add(checkNames(u))
		add(checkArchives(u))
		add(checkMains(u))
		add(checkUnitFiles(u))
		add(c.slices(x))
		for _, platform := range x.Slices {
			published[x.Profile+" "+platform] = true
		}
	}
	for i, u := range c.plan.Units {
		if u.Replaced {
			c.add(c.name(i, u), "", checkReplaced(u, published[u.ID()]))
		}
	}
}

// slices holds the universal binaries against the units that are in them.
func (c *checker) slices(x *Universal) error {
	if len(x.Slices) != len(universal.Order()) {
		return fmt.Errorf("%d slices; want one for each of %s", len(x.Slices), strings.Join(universal.Order(), ", "))
	}
	units := x.Of(c.plan)
	var errs []error
	for i, u := range units {
		if u == nil {
			errs = append(errs, fmt.Errorf("the plan has no unit of the slice %.80q", x.Slices[i]))
			continue
		}
		if p, err := profiles.ParsePlatform(u.Platform); err != nil || sliceOf(p) != i {
			errs = append(errs, fmt.Errorf("slice %d is of %s; want %s/%s", i+1, u.Platform, universalOS, universal.Order()[i]))
		}
		if u.UPX != nil || u.Mode().Library() || u.Replaced != units[0].Replaced || !slices.EqualFunc(u.Mains, x.Mains, sameMain) {
			errs = append(errs, fmt.Errorf("%s: is not what can be in one of these universal binaries", u.ID()))
		}
	}
	return errors.Join(errs...)
}

// checkReplaced wants of a unit of which nothing is published that it has no names, and
// that something is published in its place.
func checkReplaced(u *Unit, instead bool) error {
	bare := *u
	bare.Mains = slices.Clone(u.Mains)
	bare.replace()
	named := u.Archive != bare.Archive || u.MoreArchives != nil || u.Name != "" || u.Wrap != "" || u.Files != nil || u.PlacedFiles != nil || !slices.Equal(u.Mains, bare.Mains)
	switch {
	case named:
		return errors.New("names of what is published, and nothing is")
	case !instead:
		return errors.New("nothing is published of it, nor in its place")
	}
	return nil
}
