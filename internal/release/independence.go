package release

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// doubt says why it is not known that the outcomes of a unit are of as many executions,
// as far as they alone show it; "" if they seem to be.
func (o *outcomes) doubt() string {
	if _, missing := fact.Independent(o.ran()); missing != "" {
		return missing
	}
	seen := map[string]bool{}
	for _, x := range o.all {
		for _, p := range x.Products {
			if seen[p.Path] {
				return "two outcomes are one file, so nothing was compared"
			}
			seen[p.Path] = true
		}
	}
	return ""
}

// doubted makes an artifact unchecked whose bytes agree, in so many outcomes that are
// not proven to be of as many executions. What differs differs all the same.
func doubted(a *checksums.Artifact, outcomes int, why string) {
	if why != "" && a.Verdict == fact.Identical {
		a.Verdict, a.Reason = fact.Unchecked, "not proven to be built "+fact.Times(outcomes)+": "+why
	}
}

// apart finds out of every unit how far its executions were from each other, by those
// of all units: a nonce that another unit's execution has as well proves nothing. judged
// says that verdicts rest on what was published, not on the executions alone.
func apart(made []*UnitResult, judged bool) {
	for i, r := range made {
		var elsewhere []fact.Execution
		for j, other := range made {
			if j != i {
				elsewhere = append(elsewhere, other.ran...)
			}
		}
		var missing string
		if r.independence, missing = fact.Independent(r.ran, elsewhere...); r.doubt != "" {
			r.independence, missing = fact.Unproven, r.doubt
		}
		for k := range r.Artifacts {
			if !judged {
				doubted(&r.Artifacts[k], len(r.ran), missing)
			}
		}
	}
}

// independences are those of all units that were built several times.
func independences(made []*UnitResult) (list []checksums.UnitIndependence) {
	for _, r := range made {
		if r.independence != "" {
			list = append(list, checksums.UnitIndependence{
				Profile: r.unit.Profile, Platform: r.unit.Platform, Independence: r.independence, Systems: fact.Systems(r.ran),
			})
		}
	}
	return list
}

// notOnTwoMachines is the error of units that were not built on two machines, where
// the profile file demands that of a release.
func (f *described) notOnTwoMachines() error {
	if f.manifest.Kind != checksums.KindRelease || !f.Of.File.Requires(fact.RequireMachines) {
		return nil
	}
	var units []string
	for _, r := range f.Made {
		if r.independence != fact.TwoMachines {
			units = append(units, fmt.Sprintf("%s: %s", r.unit.ID(), wordOr(r.independence, "built once")))
		}
	}
	if len(units) == 0 {
		return nil
	}
	slices.Sort(units)
	return fault.NotReproduciblef(fact.RequireMachines.Hint(), "the profile file has require: %s, and these were not built on two, so nothing is published:\n%s", fact.RequireMachines, strings.Join(units, "\n"))
}

func wordOr(i fact.Independence, none string) string {
	if i == "" {
		return none
	}
	return string(i)
}
