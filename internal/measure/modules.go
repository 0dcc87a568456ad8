package measure

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/sizes"
)

// ModuleSizes are the modules that go.mod of a checkout requires, with what they take of
// the programs of one unit.
type ModuleSizes struct {
	Schema   fact.Schema  `json:"schema"`
	Unit     string       `json:"unit"`     // whose programs were built for the bytes
	Units    int          `json:"units"`    // that were asked what they link
	Programs []string     `json:"programs"` // of the unit
	Size     int64        `json:"size"`     // bytes of all of them
	Modules  []ModuleSize `json:"modules"`
	Vendor   *plan.Vendor `json:"vendor,omitempty"`
	Tidy     string       `json:"tidy,omitempty"` // what go mod tidy would change
	// NotChecked says what could not be checked, and why.
	NotChecked []string `json:"not_checked,omitempty"`
}

// ModuleSize is a module and its bytes: 0 is nothing that is the module's alone.
type ModuleSize struct {
	plan.Dependency
	Bytes int64 `json:"bytes"` // in all programs of the unit
}

// Modules says what the modules of a checkout are needed for, and what they weigh. Of
// several units it builds that of this machine's platform, else the first.
func Modules(ctx context.Context, cfg run.Config) (_ *ModuleSizes, err error) {
	defer func() { err = run.ExplainFull(err) }()
	s, err := fetch.Open(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	c, err := s.Fetch(ctx)
	if err != nil {
		return nil, err
	}
	pl, err := c.Expand(ctx, fetch.PlanWith{Deps: true})
	if err != nil {
		return nil, err
	}
	u := pl.Plan.Nearest(runtime.GOOS, runtime.GOARCH)
	s.Phase("looking at the modules")
	d, err := pl.Loader.Dependencies(ctx, pl.Plan.Units)
	if err != nil {
		return nil, err
	}
	out := &ModuleSizes{Schema: fact.ModulesReport, Unit: u.ID(), Units: len(pl.Plan.Units), Vendor: d.Vendor, Tidy: d.Tidy, NotChecked: d.NotChecked}
	s.Phase("building " + u.ID())
	first, err := release.FirstPlace(ctx, pl)
	if err != nil {
		return nil, err
	}
	made, err := first.Apart(filepath.Join(s.Workspace.Dir, "first", "modules"), "").Build(ctx, u, execute.Pace{P: s.Parallel()})
	if err != nil {
		return nil, err
	}
	bytes := map[string]int64{}
	for _, p := range made.Products {
		if p.Header {
			continue
		}
		b, err := sizes.Analyze(ctx, p.Path, sizes.Options{})
		if err != nil {
			out.NotChecked = append(out.NotChecked, "the bytes of "+p.Main.Package+": "+err.Error())
			continue
		}
		sum := sizes.Summarize(b)
		out.Programs = append(out.Programs, p.Main.Package)
		out.Size += sum.Size
		for _, g := range sum.Groups {
			for _, m := range g.Modules {
				bytes[m.Path] += m.Size
			}
		}
	}
	for _, m := range d.Modules {
		out.Modules = append(out.Modules, ModuleSize{m, bytes[m.Path]})
	}
	slices.SortStableFunc(out.Modules, func(a, b ModuleSize) int { return int(b.Bytes - a.Bytes) })
	return out, nil
}
