package cli

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/measure"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/ui"
)

// defaultTop is how many rows a list has unless -top says otherwise.
const defaultTop = 20

// sizeFlags are what mintmark size takes.
type sizeFlags struct {
	fileFlags
	Waterfall bool     `flag:"waterfall" help:"FILE is a checkout: build a profile's variants for one -platform and say what each setting saves"`
	Retained  bool     `flag:"retained" help:"FILE is a checkout: build a profile's program for one -platform without each dependency, and say what leaves with it; with -by=package without each package of them"`
	Only      []string `flag:"only" with:"retained" help:"these modules only, separated by commas; with -by=package these packages"`
	Modules   bool     `flag:"modules" help:"FILE is a checkout: say what each module of go.mod is needed for and weighs, with the network, and what of vendor no program links"`
	Config    string   `flag:"config" takes:"file" with:"waterfall retained modules" help:"profile file (default: mintmark.yaml in the product's directory, else the built-in profile)"`
	Profile   []string `flag:"profile" takes:"profile" with:"waterfall retained modules" help:"profiles, separated by commas (default: all that have platforms)"`
	Platform  string   `flag:"platform" with:"waterfall retained modules" help:"platforms or patterns, separated by commas, such as linux/amd64"`
	Jobs      *int     `flag:"jobs" with:"waterfall retained modules" help:"build actions at a time (default: the number of processors)"`
	Toolchain string   `flag:"toolchain" with:"waterfall retained modules" help:"exact toolchain, such as go1.26.8 (default: the profile file's, else go.mod's)"`
	Snapshot  bool     `flag:"snapshot" with:"waterfall retained modules" help:"build the tree as it is, committed or not"`
	jsonFlag
	File string `arg:"file" help:"a Go binary, or a directory with some"`
}

// fileFlags are the flags about one file.
type fileFlags struct {
	By   string `flag:"by" values:"package module kind function file" help:"show one list only: package, module, kind, function or file (embedded ones)"`
	Top  *int   `flag:"top" help:"rows of a list; 0 is all (default: 20; with -json 100 functions)"`
	Twin string `flag:"twin" reads:"name an unstripped link of the same program" help:"an unstripped link of the same program, for the names of variables"`
	Old  string `flag:"old" arg:"old?" reads:"name an older binary of the same program" help:"compare with this older binary; the same as naming it first"`
	SQL  string `flag:"sql" takes:"file" help:"write every range of the file as SQL text: sqlite3 sizes.db < FILE"`
	SVG  string `flag:"svg" takes:"file" help:"write a treemap"`
}

func (f *sizeFlags) run(ctx context.Context, d *app) error {
	if f.Waterfall && f.Retained || f.Modules && (f.Waterfall || f.Retained) {
		return fault.Usagef("one after the other", "size: -waterfall, -retained and -modules are measurements of their own")
	}
	if f.Modules {
		return f.modules(ctx, d)
	}
	if f.Waterfall {
		return f.waterfall(ctx, d)
	}
	top := defaultTop
	if f.Top != nil {
		if top = *f.Top; top < 0 {
			return fault.Usagef("a number of rows; 0 is all", "-top=%d", top)
		}
	}
	if f.Retained {
		return f.retained(ctx, d, top)
	}
	if st, err := os.Stat(f.File); err == nil && st.IsDir() {
		if f.Old != "" || f.Twin != "" || f.SQL != "" || f.SVG != "" || f.By != "" {
			return fault.Usagef("-old, -twin, -sql, -svg and -by are about one file", "%s", f.File+" is a directory")
		}
		return d.sizeDir(ctx, f.JSON, f.File)
	}
	l, err := measure.Size(ctx, f.File, f.Twin, d.getenv("PATH"))
	if err != nil {
		return err
	}
	if f.SQL != "" {
		if err := writeFile(f.SQL, func(w *bufio.Writer) error { return sizes.WriteSQL(w, l) }); err != nil {
			return err
		}
	}
	s := sizes.Summarize(l)
	if f.SVG != "" {
		if err := writeFile(f.SVG, func(w *bufio.Writer) error { _, err := w.WriteString(sizes.TreemapSVG(s) + "\n"); return err }); err != nil {
			return err
		}
	}
	if f.Old != "" {
		old, err := measure.Size(ctx, f.Old, "", d.getenv("PATH"))
		if err != nil {
			return err
		}
		delta := sizes.Compare(old, l)
		if f.JSON {
			return report.WriteJSON(d.stdout(), delta)
		}
		return d.sizeDelta(delta, top)
	}
	if f.JSON {
		if f.Top == nil {
			top = 100
		}
		if top > 0 && len(s.Functions) > top {
			s.Functions = s.Functions[:top]
		}
		return report.WriteJSON(d.stdout(), s)
	}
	return d.size(s, f.By, top)
}

// refuse refuses flags about one file beside one that builds a checkout, but those that
// mean something there too.
func (f *sizeFlags) refuse(measurement string, but ...string) error {
	var given []string
	for _, x := range []struct {
		name  string
		given bool
	}{{"by", f.By != ""}, {"top", f.Top != nil}, {"twin", f.Twin != ""}, {"old", f.Old != ""}, {"sql", f.SQL != ""}, {"svg", f.SVG != ""}} {
		if x.given && !slices.Contains(but, x.name) {
			given = append(given, "-"+x.name)
		}
	}
	if given == nil {
		return nil
	}
	return fault.Usagef("leave out one or the other", "size: -%s builds a checkout, and %s: about one file", measurement, strings.Join(given, ", "))
}

// checkout is the run that builds what is measured.
func (f *sizeFlags) checkout(d *app) (run.Config, error) {
	return d.config(selectFlags{f.Config, f.Profile, f.Platform}, jobsFlag{f.Jobs}, dirFlag{f.File}, treeFlags{f.Toolchain, f.Snapshot})
}

// modules says what the modules of a checkout are needed for.
func (f *sizeFlags) modules(ctx context.Context, d *app) error {
	if err := f.refuse("modules", "top"); err != nil {
		return err
	}
	c, err := f.checkout(d)
	if err != nil {
		return err
	}
	stop := d.watch(&c)
	x, err := measure.Modules(ctx, c)
	stop()
	if err != nil {
		return err
	}
	if f.JSON {
		return report.WriteJSON(d.stdout(), x)
	}
	rows := 0
	if f.Top != nil {
		rows = *f.Top
	}
	return d.sizeModulesOf(x, rows)
}

// waterfall says what each of a profile's settings saves.
func (f *sizeFlags) waterfall(ctx context.Context, d *app) error {
	if err := f.refuse("waterfall"); err != nil {
		return err
	}
	c, err := f.checkout(d)
	if err != nil {
		return err
	}
	stop := d.watch(&c)
	x, err := measure.Savings(ctx, c)
	stop()
	if err != nil {
		return err
	}
	if f.JSON {
		return report.WriteJSON(d.stdout(), x)
	}
	err = d.pageTable(report.SavingsTable(x))
	d.printf("\n")
	for _, step := range x.Steps {
		if step.NotMeasured != "" {
			d.printf("- %s: not measured: %s\n", ui.CleanLine(step.Name), ui.CleanLine(step.NotMeasured))
		}
	}
	for _, n := range x.Notes {
		d.printf("- %s\n", ui.CleanLine(n))
	}
	return err
}

// sizeDir is the sizes of all Go binaries in a directory and below.
func (d *app) sizeDir(ctx context.Context, asJSON bool, dir string) error {
	var all []*sizes.Summary
	skipped := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		l, err := measure.Size(ctx, path, "", d.getenv("PATH"))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if measure.Damaged(err) || fault.ExitCode(err) != fault.Usage {
				d.term.Warn("%v", err)
			}
			skipped++
			return nil
		}
		s := sizes.Summarize(l)
		s.Functions = nil
		all = append(all, s)
		return nil
	})
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fault.Usagef("archives must be unpacked first", "%s: no Go binary in it", dir)
	}
	if asJSON {
		return report.WriteJSON(d.stdout(), all)
	}
	t := ui.Table{Columns: []ui.Column{{Title: "file", Flexible: true}, {Title: "bytes", Align: ui.Right}, {Title: "own", Align: ui.Right}, {Title: "dependencies", Align: ui.Right}, {Title: "std", Align: ui.Right}, {Title: "C", Align: ui.Right}, {Title: "none", Align: ui.Right}, {Title: "go"}}}
	for _, s := range all {
		by := map[string]int64{}
		for _, g := range s.Groups {
			by[g.Name] = g.Size
		}
		name, err := filepath.Rel(dir, s.File)
		if err != nil {
			name = s.File
		}
		t.Row(text(name), text(fmt.Sprint(s.Size)), text(fmt.Sprint(by[sizes.GroupOwn])), text(fmt.Sprint(by[sizes.GroupDependency])), text(fmt.Sprint(by[sizes.GroupStd])), text(fmt.Sprint(by[sizes.GroupC])), text(fmt.Sprint(by[sizes.GroupNone])), text(strings.TrimPrefix(s.GoVersion, "go")))
	}
	if err := d.write(&t); err != nil {
		return err
	}
	if skipped > 0 {
		d.printf("not looked at: %d other files, which are no Go binaries or could not be read\n", skipped)
	}
	return nil
}
