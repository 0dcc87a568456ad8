package checksums

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// independence is a copy of the list in its order; nil if it is empty.
func (r Rebuild) independence() []UnitIndependence {
	if len(r.Independence) == 0 {
		return nil
	}
	list := slices.Clone(r.Independence)
	slices.SortFunc(list, func(a, b UnitIndependence) int {
		return cmp.Or(strings.Compare(a.Profile, b.Profile), strings.Compare(a.Platform, b.Platform))
	})
	for i := range list {
		list[i].Systems = sorted(list[i].Systems)
	}
	return list
}

// checkIndependence is what anybody's account of how far builds were apart has to be.
func (r Rebuild) checkIndependence() (errs []error) {
	if r.Executions < 2 && len(r.Independence) > 0 {
		errs = append(errs, fmt.Errorf("rebuild: independence after %d execution; nothing was built apart", r.Executions))
	}
	seen := map[string]bool{}
	for _, u := range r.Independence {
		what := "rebuild: independence of " + fact.Plain(u.Unit())
		add := func(err error) {
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", what, err))
			}
		}
		add(errors.Join(checkWord(u.Profile), checkPath(u.Platform), is(u.Independence, fact.Independences()...)))
		if seen[u.Unit()] {
			add(errors.New("is there twice"))
		}
		seen[u.Unit()] = true
		add(checkSystems(u.Systems))
	}
	return errs
}

// checkSystems wants several systems, each once, or none.
func checkSystems(list []string) error {
	if len(list) == 1 {
		return errors.New("one system; those of the hosts are named where they differ")
	}
	for i, s := range list {
		if strings.Count(s, "/") != 1 || checkWord(s) != nil || checkPath(s) != nil {
			return fmt.Errorf("system %q; want GOOS/GOARCH", s)
		}
		if slices.Contains(list[:i], s) {
			return fmt.Errorf("system %s is there twice", s)
		}
	}
	return nil
}

// independence holds what is said of how far the builds of each unit were apart
// against the plan: all its units are there, or none. What is not proven to have been
// built apart is not called identical.
func (v *validation) independence(m *Manifest, p *fact.PlanShape) {
	if len(m.Rebuild.Independence) == 0 {
		return
	}
	units, said := map[string]bool{}, map[string]bool{}
	for i := range p.Units {
		units[p.Units[i].ID()] = true
	}
	parts := map[string][]string{} // the units that something is made of, by its own ID
	for _, x := range p.Universal {
		for _, platform := range x.Slices {
			parts[x.ID()] = append(parts[x.ID()], x.Profile+" "+platform)
		}
	}
	for _, u := range m.Rebuild.Independence {
		what := "rebuild: independence of " + fact.Plain(u.Unit())
		if !units[u.Unit()] {
			v.addf("%s: the plan has no unit of that profile and platform", what)
		}
		said[u.Unit()] = true
		for _, a := range m.Artifacts {
			if u.Independence == fact.Unproven && a.Verdict == fact.Identical && (a.Unit() == u.Unit() || slices.Contains(parts[a.Unit()], u.Unit())) {
				v.addf("%s: unproven, and %s is called identical", what, fact.Plain(artifactName(a)))
			}
		}
	}
	for i := range p.Units {
		if id := p.Units[i].ID(); !said[id] {
			v.addf("rebuild: independence of %s: is missing", fact.Plain(id))
		}
	}
}

// machines repeats what the manifest says of how far the builds of each unit were apart,
// and refuses units that were not built on as many machines as is demanded.
func (v *verification) machines(m *Manifest) {
	const remedy = "leave out -machines; -rebuild in its place builds it once more, on a machine of yours"
	for _, u := range m.Rebuild.Independence {
		if !m.concerns(Artifact{Profile: u.Profile, Platform: u.Platform}, v.only, v.sum) {
			continue
		}
		v.out.Independence = append(v.out.Independence, u)
		switch {
		case v.cfg.Machines < 2:
		case u.Independence == fact.TwoMachines:
			v.out.Checks.Done(fact.Machines, u.Unit(), "")
		default:
			v.refuse(v.manifestName, remedy, "%s: %s; two machines are demanded", u.Unit(), u.Independence)
		}
	}
	switch {
	case v.cfg.Machines < 2 || len(v.out.Independence) > 0:
	case len(m.Rebuild.Independence) > 0:
		v.refuse(v.only, remedy, "is of no unit, so nothing says on which machines it was made; two are demanded")
	default:
		v.refuse(v.manifestName, remedy, "does not say on how many machines anything was built; two are demanded")
	}
}

// noMachines refuses what is demanded of builds where nothing says how it was built.
func (v *verification) noMachines(remedy string) {
	if v.cfg.Machines > 1 {
		v.refuse("", remedy, "nothing here says on how many machines it was built; two are demanded")
	}
}
