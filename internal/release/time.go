package release

import (
	"maps"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/memo"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/sizes"
)

// times are what each execution of a unit took, if that was asked for. What compiles
// cost is remembered in any case: the next build finds them in its cache, and can say
// then what it was spared.
func (m *Maker) times(c *compared) []report.BuildTime {
	known := m.compileCosts(c)
	if !m.Of.Time {
		return nil
	}
	var out []report.BuildTime
	for _, x := range c.all {
		out = append(out, m.buildTime(c.unit, x, known))
	}
	return out
}

func (m *Maker) buildTime(u *plan.Unit, x *execute.Outcome, known actions.Costs) report.BuildTime {
	b := report.BuildTime{Profile: u.Profile, Platform: u.Platform, By: x.By}
	if x.Timing == nil {
		b.NotMeasured = "it was built elsewhere, and what its actions took did not come along"
		return b
	}
	b.Times, b.Began, b.Command = x.Timing.Times(known), x.Timing.Began, x.Cost.CPU
	b.Modules = report.NewBuildModules(b.Packages, func(pkg string) (string, sizes.Mod) {
		switch o, ok := m.Of.Planner.Owner(pkg); {
		case !ok:
			return sizes.GroupNone, sizes.Mod{}
		case o.Standard:
			return sizes.GroupStd, sizes.Mod{Path: "std"}
		case o.Main:
			return sizes.GroupOwn, sizes.Mod{Path: o.Module.Path, Version: m.Of.Source.Version}
		default:
			return sizes.GroupDependency, sizes.Mod{Path: o.Module.Path, Version: o.Module.Version}
		}
	})
	return b
}

// compileCosts are what the compiles of a unit cost on this machine when they were made,
// by what this and earlier runs have seen. What neither execution looked up is forgotten.
func (m *Maker) compileCosts(c *compared) actions.Costs {
	key := memo.NewKey("compile costs 1", m.Of.Source.ModulePath, c.unit.ID())
	made, used := actions.Costs{}, map[string]bool{}
	for i := len(c.all) - 1; i >= 0; i-- { // of two that ran, the first one counts
		if t := c.all[i].Timing; t != nil {
			maps.Copy(made, t.Compiled())
			maps.Copy(used, t.IDs())
		}
	}
	if len(used) == 0 {
		return nil
	}
	known := actions.Costs{}
	if !m.Of.Known.Get(key, &known) {
		known = actions.Costs{}
	}
	if len(made) == 0 {
		return known
	}
	maps.DeleteFunc(known, func(id string, _ actions.Cost) bool { return !used[id] })
	maps.Copy(known, made)
	m.Of.Known.Put(key, known)
	return known
}

// buildTimes are those of all units, in the order of the plan.
func (f *Finished) buildTimes() (list []report.BuildTime) {
	for _, u := range f.Made {
		if u != nil {
			list = append(list, u.times...)
		}
	}
	return list
}
