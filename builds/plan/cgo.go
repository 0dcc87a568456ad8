package plan

// C are the packages of a unit that are compiled with C code, by import path;
// known after a plan with Deps. What the C compiler reads beside the package's
// files is in no action ID.
func (pl *Planner) C(u *Unit) map[string]bool {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	return pl.c[u.ID()]
}

func (pl *Planner) noteC(u *Unit, pkgs []*Package) {
	c := map[string]bool{}
	var own []*Package
	for _, p := range pkgs {
		// SWIG makes cgo files; C files alone are an error of the go command.
		if len(p.CgoFiles)+len(p.SwigFiles)+len(p.SwigCXXFiles) > 0 {
			c[p.ImportPath] = true
			if !p.Standard {
				own = append(own, p)
			}
		}
	}
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if pl.c == nil {
		pl.c, pl.cPackages = map[string]map[string]bool{}, map[string][]*Package{}
	}
	pl.c[u.ID()], pl.cPackages[u.ID()] = c, own
}
