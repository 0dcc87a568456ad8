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
	if f.Old != "" || f.Twin != "" || f.SVG != "" || f.By != "" && f.By != "module" && f.By != "package" {
		return fault.Usagef("it builds a checkout; -old, -twin and -svg are about one file", "size: -retained goes with -by=module, -by=package, -only, -config, -profile, -platform, -jobs, -top, -sql and -json only")
	}
	if st, err := os.Stat(f.File); err == nil && !st.IsDir() {
		return fault.Usagef("name the directory of its source: mintmark size -retained DIR", "%s: what a program would be without a dependency is found by building it, and a file alone does not say", f.File)
	}
	c, err := d.config(selectFlags{f.Config, f.Profile, f.Platform}, jobsFlag{f.Jobs}, dirFlag{f.File})
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
