package cli

import (
	"context"
	"fmt"
	"slices"
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
	d.whyCut(r)
	for _, x := range r.Lookups {
		d.whyLookup(x, len(r.Lookups) > 1)
	}
	for _, n := range r.Notes {
		d.printf("note: %s\n", n)
	}
	return nil
}

// whyCut says what to remove until the package is gone.
func (d *app) whyCut(r *release.Reason) {
	if r.NoCut != "" {
		d.printf("\nno imports to remove: %s\n", r.NoCut)
	}
	show := func(title string, c *release.Cut) {
		if c == nil {
			return
		}
		d.printf("\n%s\n", fmt.Sprintf(title, fact.Count(len(c.Imports), "import")))
		for i, e := range c.Imports {
			if i == defaultTop {
				d.printf("  and %d more\n", len(c.Imports)-i)
				break
			}
			where := ""
			switch {
			case len(e.Sites) > 0:
				where = " (" + strings.Join(e.Sites, ", ") + ")"
			case !e.Own && e.Module != "":
				where = " (module " + e.Module + ")"
			}
			d.printf("  %s -> %s%s\n", e.From, e.To, where)
		}
		others := len(c.Gone) - 1
		if others > 0 {
			own := ""
			switch n := len(c.Own); {
			case n == 1:
				own = ", " + c.Own[0] + " of the main module among them"
			case n > 1:
				own = fmt.Sprintf(", %d of the main module among them", n)
			}
			if slices.Equal(c.Own, []string{r.Package}) {
				own = ""
			}
			d.printf("  which takes %s along%s\n", fact.Count(others, "further package"), own)
		}
	}
	show("gone without %s of the main module", r.Cut)
	show("or without %s inside the main module", r.Inner)
	show("or without %s, with changes in dependencies", r.Shortcut)
}

// whyLookup says what keeps methods that nobody calls.
func (d *app) whyLookup(x release.MethodLookup, several bool) {
	of := ""
	if several {
		of = " in " + x.Program
	}
	d.printf("\nthe linker keeps every exported method of what becomes an interface%s, as long as one of these looks up methods by reflection\n", of)
	// Of each package the one with the shortest chain says enough.
	shortest, names := map[string][]string{}, map[string][]string{}
	var packages []string
	for _, f := range x.Functions {
		if names[f.Package] == nil {
			packages = append(packages, f.Package)
		}
		names[f.Package] = append(names[f.Package], strings.TrimPrefix(f.Symbol, f.Package+"."))
		if c := shortest[f.Package]; c == nil || len(f.Chain) < len(c) {
			shortest[f.Package] = f.Chain
		}
	}
	for _, p := range packages {
		list := names[p]
		if n := len(list); n > 5 {
			list = append(list[:5:5], fmt.Sprintf("and %d more", n-5))
		}
		d.printf("  %s: %s, reached by\n", p, strings.Join(list, ", "))
		for i, s := range shortest[p] {
			d.printf("    %s%s\n", strings.Repeat("  ", i), s)
		}
	}
	k := x.Kept
	if k == nil {
		d.printf("what that costs is not measured: %s\n", x.NotMeasured)
		return
	}
	d.printf("linked without %s look-ups the program has %s in the place of %d: %d fewer, and %s fewer\n", pronoun(len(x.Functions)), fact.Count(k.Without, "byte"), k.With, k.Saved(), fact.Count(k.Symbols, "symbol"))
	for i, p := range k.Packages {
		if i == 5 {
			d.printf("  and %d more packages\n", len(k.Packages)-i)
			break
		}
		d.printf("  %s %d\n", p.Package, p.Bytes)
	}
}

// pronoun stands for functions whose look-ups are meant.
func pronoun(n int) string {
	if n == 1 {
		return "its"
	}
	return "their"
}
