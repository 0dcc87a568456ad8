package plan

import "github.com/mintmark/mintmark/profiles"

// Vars are what templates of the whole release see: those of a unit without what its
// profile and its platform add.
func (pl *Planner) Vars() profiles.Vars { return pl.vars() }
