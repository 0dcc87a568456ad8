package cli

import (
	"context"
	"errors"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/internal/verify"
)

// reportFlags are what mintmark report takes.
type reportFlags struct {
	publishedFlags
	compareFlags
	Out string `flag:"out" takes:"dir" help:"directory for report.html and report.md (default: none are written)"`
	jsonFlag
	Path string `arg:"path" help:"a release's directory"`
}

func (f *reportFlags) run(ctx context.Context, d *app) error {
	page, err := verify.Report(ctx, verify.ReportConfig{
		Config:  f.expected(d, f.Path),
		Against: f.Against, With: f.With, Out: f.Out,
	})
	if err != nil {
		return err
	}
	if f.JSON {
		return report.WriteJSON(d.stdout(), page)
	}
	return d.page(page)
}

// page prints a report for people at a terminal.
func (d *app) page(p *report.Page) error {
	d.printf("%s\n%s\n", ui.CleanLine(p.Title), ui.CleanLine(p.Headline))
	for _, f := range p.Facts {
		d.printf("%s\n", ui.CleanLine(f))
	}
	var errs []error
	said, unmeasured := p.Split()
	for _, s := range said {
		errs = append(errs, d.section(s, "-json, or report.html with -out=DIR"))
	}
	if len(unmeasured.Titles) > 0 {
		d.printf("\nNot measured:\n")
	}
	for _, text := range unmeasured.Details() {
		d.printf("- %s\n", ui.CleanLine(text))
	}
	return errors.Join(errs...)
}

// section prints one of a report, of its parts those that are open; more is what has the
// others.
func (d *app) section(s report.Section, more string) error {
	var errs []error
	d.printf("\n== %s ==\n", ui.CleanLine(s.Title))
	if s.NotMeasured != "" {
		d.printf("not measured: %s\n", ui.CleanLine(s.NotMeasured))
	}
	for _, t := range s.Text {
		d.printf("%s\n", ui.CleanLine(t))
	}
	for _, t := range s.Tables {
		errs = append(errs, d.pageTable(t))
	}
	folded := 0
	for _, part := range s.Parts {
		if !part.Open {
			folded++
			continue
		}
		d.printf("\n%s\n", ui.CleanLine(part.Title))
		for _, t := range part.Tables {
			errs = append(errs, d.pageTable(t))
		}
	}
	if folded > 0 {
		d.printf("\n%s: %s\n", fact.Count(folded, "more such table"), more)
	}
	for _, c := range s.Commands {
		d.printf("\n%s:\n    %s\n", ui.CleanLine(c.What), ui.CleanLine(c.Line))
	}
	if len(s.Notes) > 0 {
		d.printf("\n")
	}
	for _, n := range s.Notes {
		d.printf("- %s\n", ui.CleanLine(n))
	}
	for _, l := range s.Lists {
		d.printf("\n%s:\n", ui.CleanLine(l.Title))
		for _, item := range l.Items {
			d.printf("- %s\n", ui.CleanLine(item))
		}
	}
	return errors.Join(errs...)
}

func (d *app) pageTable(t report.Table) error {
	d.printf("\n")
	if t.Title != "" {
		d.printf("%s\n", ui.CleanLine(t.Title))
	}
	out := ui.Table{}
	for i, c := range t.Columns {
		col := ui.Column{Title: c.Title, Flexible: i == 0}
		if c.Kind == report.Number {
			col.Align = ui.Right
		}
		out.Columns = append(out.Columns, col)
	}
	for _, row := range t.Rows {
		var cells []ui.Cell
		for i, text := range row {
			switch t.Columns[i].Kind {
			case report.Mark:
				cells = append(cells, styled(fact.Verdict(text)))
			case report.Digest:
				cells = append(cells, ui.Faint.Text(text))
			default:
				cells = append(cells, ui.Plain.Text(text))
			}
		}
		out.Row(cells...)
	}
	return out.Write(d.stdout())
}
