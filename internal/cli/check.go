package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/lint"
	"github.com/mintmark/mintmark/internal/report"
)

// checkFlags are what mintmark check takes.
type checkFlags struct {
	selectFlags
	onFlag
	jsonFlag
	dirFlag
	moduleFlag
	treeFlags
	versionFlag
	Modules bool `flag:"modules" help:"look at the modules as well, with the network: what go mod tidy and go mod vendor would change, replaced, retracted and deprecated versions, several major versions in one program"`
	Types   bool `flag:"types" help:"type-check the packages of every unit as well, from their sources; nothing is compiled"`
}

func (f *checkFlags) run(ctx context.Context, d *app) error {
	c, err := d.config(f.selectFlags, f.onFlag, f.dirFlag, f.moduleFlag, f.treeFlags, f.versionFlag)
	if err != nil {
		return err
	}
	c.Types, c.Modules = f.Types, f.Modules
	stop := d.watch(&c)
	res, err := lint.Check(ctx, c)
	stop()
	if err != nil {
		return err
	}
	typed := res.Typed
	if f.JSON {
		return report.WriteJSON(d.stdout(), report.Check{Schema: fact.CheckReport, PlanID: res.PlanID, Plan: res.Plan, Dirty: res.Dirty, Key: res.Signed, Types: typed, Warnings: res.Warnings, Tag: res.Tag, OtherTags: res.OtherTags, Skipped: res.Skipped, Modules: res.Modules})
	}
	profiles := map[string]int{}
	for _, u := range res.Plan.Units {
		profiles[u.Profile]++
	}
	if typed != nil {
		d.printf("types: %s checked\n", fact.Count(typed.Packages, "package"))
		if len(typed.Declared) > 0 {
			d.printf("       of %s only the declarations, since they have C code\n", strings.Join(typed.Declared, ", "))
		}
		if len(typed.Unchecked) > 0 {
			d.printf("       not checked, since they have or import types that come from C: %s\n", strings.Join(typed.Unchecked, ", "))
		}
	}
	for _, n := range res.NotChecked {
		d.printf("not checked: %s\n", n)
	}
	d.tokenless(res.Publish)
	d.notTaken(res.VersionLines)
	d.skipped(res.Plan.Go, res.Skipped)
	d.printf("%s %s: %s in %s, %s\n", res.Plan.Project, res.Plan.Version, fact.Count(len(res.Plan.Units), "unit"), fact.Count(len(profiles), "profile"), found(c.ReleaseKind(), len(res.Warnings)))
	return nil
}

// found says what a check without errors has found.
func found(kind checksums.Kind, warnings int) string {
	if warnings == 0 {
		return "nothing wrong found"
	}
	return fmt.Sprintf("nothing that stops a %s; %s", kind, fact.Count(warnings, "warning"))
}
