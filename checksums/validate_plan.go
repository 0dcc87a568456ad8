package checksums

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// plan holds the manifest against its plan. What is shown and signed is the
// manifest, and what is built again is the plan: an artifact that no unit makes
// would never be built again, and nobody would miss it. So the two are held
// together here, where every manifest is read and written, one to one:
//
//   - the plan is of the manifest's project, version, source and toolchain, and
//     a release's is no snapshot's;
//   - every artifact is one that a unit of the plan makes, or that is made of what
//     several units make, under the name, of the
//     package, from the artifacts and with the members that the unit gives it;
//   - every artifact that a unit makes is there;
//   - it is said of each unit how far its builds were apart, or of none;
//   - every container image of the plan is there, and no other, under its name, for its
//     repository and tags, on its base and with its files;
//   - there are generated files if the plan has commands, each an output of one.
func (v *validation) plan(m *Manifest) {
	p, err := fact.ReadPlan(m.Plan)
	if err != nil {
		for _, e := range fault.Leaves(err) {
			v.addf("%w", e)
		}
		return
	}
	if m.Kind == KindRelease {
		v.samePlan(m, p)
	}
	v.generated(m, p)
	v.independence(m, p)
	v.plannedImages(m, p)
	w := &wanted{validation: v, of: map[artifactKey]*want{}, linked: map[linkedKey]*want{}, units: map[string]bool{}}
	for i := range p.Units {
		w.expect(&p.Units[i])
	}
	for i := range p.Universal {
		w.expect(&p.Universal[i])
	}
	for i := range m.Artifacts {
		w.take(&m.Artifacts[i])
	}
	for _, x := range w.list {
		w.compare(x)
	}
}

func (v *validation) samePlan(m *Manifest, p *fact.PlanShape) {
	for _, c := range []struct{ what, plan, manifest string }{
		{"project", p.Project, m.Project}, {"version", p.Version, m.Version},
		{"version's origin", string(p.From), string(m.From)}, {"version's tag", p.Tag, m.Tag}, {"toolchain", p.Go, m.Toolchain.Version},
		{"source's kind", string(p.Source.Kind), string(m.Source.Kind)}, {"module", p.Source.Module, m.Source.Module},
		{"module version", p.Source.Version, m.Source.Version}, {"source's h1", p.Source.Sum, m.Source.Sum},
		{"commit", p.Source.Commit, m.Source.Commit}, {"commit's time", p.Source.CommitTime, m.Source.CommitTime}, {"directory", p.Source.Dir, m.Source.Dir},
	} {
		if c.plan != c.manifest {
			v.addf("the %s is %q in the plan and %q in the manifest", c.what, c.plan, c.manifest)
		}
	}
	if p.Snapshot {
		v.addf("plan: is that of a snapshot, and this is a release")
	}
}

type artifactKey struct {
	profile, platform string
	stage             fact.Stage
	name              string
}

// linkedKey is what a unit links of a main package.
type linkedKey struct{ profile, platform, pkg string }

// want is an artifact that a unit makes, and the manifest's, if it has it.
type want struct {
	fact.Expected
	unit *fact.UnitShape
	from []*want
	got  *Artifact
}

func (w *want) name() string {
	return "artifact " + fact.Plain(fmt.Sprintf("%s %s %s %s", w.unit.Profile, w.unit.Platform, w.Stage, w.Name))
}

// wanted are all artifacts that the units make.
type wanted struct {
	*validation
	list []*want
	of   map[artifactKey]*want
	// linked are those that the linker makes.
	linked map[linkedKey]*want
	units  map[string]bool // by profile and platform
}

func (w *wanted) expect(u *fact.UnitShape) {
	w.units[u.Profile+"\x00"+u.Platform] = true
	expected := u.Artifacts()
	first := len(w.list)
	for _, e := range expected {
		x := &want{Expected: e, unit: u}
		for _, i := range e.From {
			x.from = append(x.from, w.list[first+i])
		}
		for _, platform := range e.Slices { // a plan that is read has these units
			x.from = append(x.from, w.linked[linkedKey{u.Profile, platform, e.Package}])
		}
		key := artifactKey{u.Profile, u.Platform, e.Stage, e.Name}
		if w.of[key] != nil {
			w.addf("plan: %s would make two artifacts %s named %q", fact.Plain(u.ID()), e.Stage, e.Name)
		}
		w.of[key] = x
		if e.Stage == fact.Linked {
			w.linked[linkedKey{u.Profile, u.Platform, e.Package}] = x
		}
		w.list = append(w.list, x)
	}
}

// take finds the unit that makes an artifact.
func (w *wanted) take(a *Artifact) {
	x := w.of[artifactKey{a.Profile, a.Platform, a.Stage, a.Name}]
	what := "artifact " + fact.Plain(a.Profile+" "+a.Platform+" "+string(a.Stage)+" "+a.Name)
	switch {
	case x != nil:
		x.got = a // one that is there twice was noted before
	case !w.units[a.Profile+"\x00"+a.Platform]:
		w.addf("%s: the plan has no unit of that profile and platform, so nobody could build it again", what)
	default:
		w.addf("%s: the plan's unit makes no such artifact, so nobody could build it again", what)
	}
}

// compare holds the manifest's artifact against what its unit makes.
func (w *wanted) compare(x *want) {
	what := x.name()
	if x.got == nil {
		w.addf("%s: the plan makes it, and it is not in the manifest", what)
		return
	}
	a := x.got
	if a.Published != x.Published {
		w.addf("%s: published is %t; by the plan it is %t", what, a.Published, x.Published)
	}
	if a.Package != x.Package {
		w.addf("%s: is of package %q; by the plan it is of %q", what, a.Package, x.Package)
	}
	var from []string
	known := true // what is not in the manifest has been noted
	for _, f := range x.from {
		sum := ""
		if f.got != nil {
			sum = f.got.SHA256
		}
		from, known = append(from, sum), known && f.got != nil
	}
	if known && !slices.Equal(a.From, from) {
		w.addf("%s: is made from %s; by the plan it is made from %s", what, digests(a.From), digests(from))
	}
	w.members(what, x, from)
}

// members holds what is in an archive against the plan: a name each, and under
// the names of the binaries those binaries.
func (w *wanted) members(what string, x *want, from []string) {
	got, modes := map[string]string{}, map[string]string{}
	for _, m := range x.got.Members {
		got[m.Name], modes[m.Name] = m.SHA256, m.Mode
	}
	for i, name := range x.Members {
		switch sum, ok := got[name]; {
		case !ok:
			w.addf("%s: by the plan it holds %q, which is not among its members", what, name)
		case i < len(from) && from[i] != "" && sum != from[i]:
			w.addf("%s: member %s: has digest %s; the binary of that name has %s", what, fact.Plain(name), sum, from[i])
		case x.Modes[i] != "" && modes[name] != x.Modes[i]:
			w.addf("%s: member %s: has mode %s; by the plan it has %s", what, fact.Plain(name), fact.Plain(modes[name]), fact.Plain(x.Modes[i]))
		}
		delete(got, name)
	}
	for _, m := range x.got.Members {
		if _, ok := got[m.Name]; ok {
			w.addf("%s: member %s: by the plan it does not hold it", what, fact.Plain(m.Name))
		}
	}
}

func digests(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
