package fetch

import (
	"context"
	"fmt"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/profiles"
)

// Planned is what will be built, and from what.
type Planned struct {
	*Copied
	Planner *plan.Planner
	Plan    *plan.Plan // nil where there is none because of an error
	PlanID  string     // of the plan
	Mended  []string   // damage in the first build cache, which was met while listing packages
}

// PlanWith says what kind of plan is made.
type PlanWith struct {
	Deps  bool                     // fetch everything that it needs as well, and make the first private copy
	Alter func(*profiles.Settings) // of variants; nil: the profile's settings
}

// Expand makes the plan. There is a planner also with an error: it knows what it
// has seen until then.
func (c *Copied) Expand(ctx context.Context, with PlanWith) (*Planned, error) {
	p := &Planned{Copied: c}
	summary := ""
	if c.Repo != nil && c.File.Uses("Summary") {
		var err error
		if summary, err = c.Repo.Summary(ctx); err != nil {
			return p, err
		}
	}
	if err := c.generateOwn(ctx, summary); err != nil {
		p.Planner = &plan.Planner{File: c.File, Selected: c.Selected, Source: c.Source, Loader: c.Loader}
		return p, err
	}
	if with.Deps {
		c.Phase("fetching modules")
	}
	expand := func() (err error) {
		p.Planner = &plan.Planner{
			File: c.File, Selected: c.Selected, Source: c.Source, Version: c.Version, From: c.From, Tag: c.Tagged.Tag, Summary: summary, Go: c.GoToolchain.Version,
			Snapshot: c.Snapshot, Loader: c.Loader, Deps: with.Deps, Typed: c.Types, Tree: c.Tree(), Alter: with.Alter,
			Generate: c.commands(), Part: c.Platforms != "" || len(c.Profiles) > 0,
		}
		p.Plan, err = p.Planner.Plan(ctx)
		return err
	}
	err := expand()
	if err != nil {
		if did := c.MendIndex(ctx); did != "" {
			p.Mended = append(p.Mended, did)
			err = expand()
		}
	}
	if err == nil {
		err = p.refuseUnpackable()
	}
	if err != nil {
		return p, err
	}
	if p.PlanID, err = p.Plan.ID(); err != nil || !with.Deps || c.Loader.Ready == nil {
		return p, err
	}
	return p, c.Loader.Ready(ctx)
}

// MendIndex removes damaged indexes of packages from the build cache, after the
// go command could not list them or listed what is not there, and says so; "" if
// there were none.
func (c *Copied) MendIndex(ctx context.Context) string {
	if c.BuildPlace.Check() != nil { // nothing is removed through what leads elsewhere
		return ""
	}
	found, err := actions.DamagedIndex(ctx, c.BuildPlace.GoCache)
	if err != nil || len(found) == 0 || actions.Drop(found) != nil {
		return ""
	}
	line := fmt.Sprintf("the build cache of the first place was damaged: %d indexes of packages, such as %s, which are removed", len(found), found[0].File)
	c.Warn("%s; listing the packages once more", line)
	return line + "; the packages were listed once more"
}

// Taken says what of the commit's tags and of the platforms was taken, and what
// was not.
type Taken struct {
	Tag          string          // that which the version is of; "" for none
	OtherTags    []fact.OtherTag // on the commit
	VersionLines []string        // both, for people
	Skipped      []fact.Skipped
}

// Taken is what the plan was made of, and what not.
func (p *Planned) Taken() Taken {
	return Taken{p.Tagged.Tag, p.Tagged.Others, p.versionLines(), p.Planner.Skipped()}
}
