package plan

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/pgo"
)

// PGOFreshness is how one profile of the optimiser fits the planned packages.
type PGOFreshness struct {
	PGO
	Units []string // IDs of the units it optimises, in the order of the plan
	pgo.Freshness
}

// pgoUse is what must be known of a unit to judge its profile later.
type pgoUse struct {
	files []PGO
	pkgs  []*Package
}

// usePGO keeps the packages of a unit that is optimised; known after a plan with Deps.
func (pl *Planner) usePGO(u *Unit, pkgs []*Package) {
	if len(u.PGO) == 0 {
		return
	}
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if pl.pgoUses == nil {
		pl.pgoUses = map[string]pgoUse{}
	}
	pl.pgoUses[u.ID()] = pgoUse{u.PGO, pkgs}
}

// PGOFreshness compares every PGO profile of the plan with the functions that
// the packages of its units declare: of all these units together, since a
// profile is recorded on one platform and used on many. It needs a plan with
// Deps. Profiles are in the order of their paths.
func (pl *Planner) PGOFreshness(ctx context.Context) ([]PGOFreshness, error) {
	pl.mu.Lock()
	uses := maps.Clone(pl.pgoUses)
	pl.mu.Unlock()
	byFile := map[PGO]map[string]map[string][]string{} // profile → linker's package → directory → Go files
	units := map[PGO][]string{}
	for _, id := range slices.Sorted(maps.Keys(uses)) {
		for _, file := range uses[id].files {
			units[file] = append(units[file], id)
			pkgs := byFile[file]
			if pkgs == nil {
				pkgs = map[string]map[string][]string{}
				byFile[file] = pkgs
			}
			for _, p := range uses[id].pkgs {
				name := p.ImportPath
				if p.Name == "main" {
					name = "main" // as the linker has it
				}
				if pkgs[name] == nil {
					pkgs[name] = map[string][]string{}
				}
				for _, f := range slices.Concat(p.GoFiles, p.CgoFiles) {
					if !slices.Contains(pkgs[name][p.Dir], f) {
						pkgs[name][p.Dir] = append(pkgs[name][p.Dir], f)
					}
				}
			}
		}
	}
	if len(byFile) == 0 {
		return nil, nil
	}
	if err := pl.Loader.ready(ctx); err != nil {
		return nil, err
	}
	var out []PGOFreshness
	for _, file := range slices.SortedFunc(maps.Keys(byFile), func(a, b PGO) int { return strings.Compare(a.Path, b.Path) }) {
		data, err := readRegular(pl.Loader.Dir, file.Path, maxPGO)
		if err != nil {
			return nil, err
		}
		p, err := pgo.Parse(data)
		if err != nil {
			return nil, err
		}
		seen := map[string]*pgo.Declarations{}
		fresh := p.Compare(func(pkg string) *pgo.Declarations {
			d, ok := seen[pkg]
			if ok {
				return d
			}
			dirs := byFile[file][pkg]
			for _, dir := range slices.Sorted(maps.Keys(dirs)) {
				if d == nil {
					d = pgo.Declared(dir, dirs[dir])
				} else {
					d.Add(dir, dirs[dir])
				}
			}
			seen[pkg] = d
			return d
		})
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		out = append(out, PGOFreshness{PGO: file, Units: units[file], Freshness: fresh})
	}
	return out, nil
}

// checkPGO reads a profile as the compiler would, or says why that is of no use.
func checkPGO(data []byte) error {
	_, err := pgo.Parse(data)
	return err
}

// maxPGO is the size a PGO profile may have, compressed.
const maxPGO = 256 << 20
