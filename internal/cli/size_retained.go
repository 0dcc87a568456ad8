package cli

import (
	"bufio"
	"context"
	"os"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/measure"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
)

// retained says what leaves a program with each of its dependencies.
func (f *sizeFlags) retained(ctx context.Context, d *app, top int) error {
	if err := f.refuse("retained", "by", "top", "sql"); err != nil {
		return err
	}
	if f.By != "" && f.By != "module" && f.By != "package" {
		return fault.Usagef("-by=module or -by=package", "size: -retained takes out modules or packages, and -by=%s is about one file", f.By)
	}
	if st, err := os.Stat(f.File); err == nil && !st.IsDir() {
		return fault.Usagef("name the directory of its source: mintmark size -retained DIR", "%s: what a program would be without a dependency is found by building it, and a file alone does not say", f.File)
	}
	c, err := f.checkout(d)
	if err != nil {
		return err
	}
	stop := d.watch(&c)
	x, err := measure.Retained(ctx, c, measure.RetainedWith{Packages: f.By == "package", Only: f.Only})
	stop()
	if err != nil {
		return err
	}
	if f.SQL != "" {
		if err := writeFile(f.SQL, func(w *bufio.Writer) error { return report.WriteRetainedSQL(w, x) }); err != nil {
			return err
		}
	}
	if f.JSON {
		return report.WriteJSON(d.stdout(), x)
	}
	err = d.pageTable(report.RetainedTable(x, top))
	d.printf("\n")
	for _, dep := range x.Dependencies {
		if dep.NotMeasured != "" {
			d.printf("- %s: not measured: %s\n", ui.CleanLine(dep.Name()), ui.CleanLine(dep.NotMeasured))
		}
	}
	for _, n := range x.Notes {
		d.printf("- %s\n", ui.CleanLine(n))
	}
	return err
}
