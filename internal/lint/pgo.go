package lint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/pgo"
)

// stalePGO warns of profiles of the optimiser that were recorded with other
// code than what is planned: the compiler says nothing, and optimises what is left.
func (l *Linted) stalePGO(ctx context.Context) ([]string, error) {
	all, err := l.Planner.PGOFreshness(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range all {
		if !f.Stale() {
			continue
		}
		var gone []string
		for _, g := range f.Gone[:min(3, len(f.Gone))] {
			gone = append(gone, fmt.Sprintf("%s %.0f %%", g.Function, 100*g.Share))
		}
		more := ""
		if n := len(f.Gone) - len(gone); n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		out = append(out, fmt.Sprintf("PGO profile %s is stale: %.0f %% of its CPU time is in functions that still exist (less than %.0f %%); gone are %s%s; record it again, with a build of this source",
			f.Path, 100*f.Share, 100*pgo.StaleBelow, strings.Join(gone, ", "), more))
	}
	return out, nil
}

// unusedPGO warns of profiles of the optimiser in the commit that no unit uses:
// the go command reads default.pgo beside a main package only. Where the profile
// file says of all units what is read, it was decided.
func (l *Linted) unusedPGO() (warnings []string) {
	if l.Repo == nil {
		return nil
	}
	used, decided := map[string]bool{}, true
	for _, u := range l.Plan.Units {
		named := slices.ContainsFunc(u.Flags, func(f string) bool { return strings.HasPrefix(f, "-pgo=") })
		decided = decided && named
		for _, m := range u.Mains {
			if dir, ok := strings.CutPrefix(m.Package+"/", l.Source.ModulePath+"/"); ok && named {
				used[dir+"default.pgo"] = true // or left out on purpose
			}
		}
		for _, p := range u.PGO {
			used[p.Path] = true
		}
	}
	if decided {
		return nil
	}
	for _, name := range l.Repo.Named("default.pgo") {
		if !used[name] {
			warnings = append(warnings, fmt.Sprintf("%s optimises nothing: the go command reads a default.pgo in the directory of a main package only, and none of those that are built is there; move it beside its program, or name it: pgo: %s", name, name))
		}
	}
	return warnings
}
