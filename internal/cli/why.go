package cli

import (
	"context"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
)

// whyFlags are what mintmark why takes.
type whyFlags struct {
	selectFlags
	jsonFlag
	dirFlag
	treeFlags
	Path string `arg:"path" help:"an import path, or the end of one"`
}

func (f *whyFlags) run(ctx context.Context, d *app) error {
	c, err := d.config(f.selectFlags, f.dirFlag, f.treeFlags)
	if err != nil {
		return err
	}
	stop := d.watch(&c)
	r, err := release.WhyLinked(ctx, c, f.Path)
	stop()
	if err != nil {
		return err
	}
	if f.JSON {
		return report.WriteJSON(d.stdout(), r)
	}
	if len(r.Imports) == 0 {
		d.printf("%s is not in %s: none of its %s imports it\n", r.Package, r.Unit, fact.Count(r.Packages, "package"))
		return nil
	}
	d.printf("%s in %s\n\nimported by\n", r.Package, r.Unit)
	for i, p := range r.Imports {
		d.printf("  %s%s\n", strings.Repeat("  ", i), p)
	}
	switch {
	case r.Kept > 0:
		d.printf("\nthe linker kept %d of its symbols; the first of them because\n", r.Kept)
		for i, s := range r.Symbols {
			d.printf("  %s%s\n", strings.Repeat("  ", i), s)
		}
	case len(r.Notes) == 0:
		d.printf("\nthe linker kept nothing of it\n")
	}
	for _, n := range r.Notes {
		d.printf("note: %s\n", n)
	}
	return nil
}
