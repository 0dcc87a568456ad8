package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/ui"
)

// watch shows the pipeline's events until the returned function is called.
func (d *app) watch(c *run.Config) func() {
	var progress *ui.Progress
	phase := ""
	events := make(chan run.Event, 64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range events {
			switch e.Kind {
			case run.Phase:
				d.term.Note("%s", e.Text)
				if phase = e.Text; progress != nil {
					progress.Phase(phase)
				}
			case run.Note:
				d.term.Note("%s", e.Text)
			case run.Warning:
				d.term.Warn("%s", e.Text)
			case run.Total:
				if progress != nil {
					progress.Close()
				}
				progress = ui.NewProgress(d.term, e.N, time.Now)
				progress.Phase(phase)
			case run.Start:
				progress.Start(e.ID.String(), e.Text, e.Estimate)
			case run.Step:
				progress.Step(e.ID.String(), e.Text)
			case run.Done:
				progress.Done(e.ID.String(), e.Err, e.Text)
			case run.Lost:
				progress.Lost(e.ID.String(), e.Err)
			case run.Remaining:
				progress.Remaining(e.Estimate)
			}
		}
		if progress != nil {
			progress.Close()
		}
	}()
	c.Event = func(e run.Event) { events <- e }
	return func() {
		close(events)
		<-done
	}
}

// result shows what came of builds. shown is true when there is no more to say.
func (d *app) result(asJSON bool, res *release.Result, err error) (shown bool, _ error) {
	if res == nil {
		return true, err
	}
	if asJSON {
		werr := report.WriteJSON(d.stdout(), report.Release{
			Schema: fact.ReleaseReport, Out: res.Out, SignedBy: res.Signed, Kept: res.Kept, Damage: res.Damage,
			Verdicts: report.Verdicts(res.Manifest), Manifest: res.Manifest, BuildTime: res.Times,
		})
		if err != nil {
			return true, &shownError{err}
		}
		return true, werr
	}
	if terr := d.artifacts(res.Manifest); terr != nil {
		return true, errors.Join(err, terr)
	}
	d.allFindings(res.Manifest)
	for _, line := range res.Damage {
		d.printf("\nmended: %s. If it happens again, check the disk and the memory of this machine\n", line)
	}
	return err != nil, err
}

func (d *app) artifacts(m *checksums.Manifest) error {
	t := ui.Table{Columns: []ui.Column{
		{Title: "PROFILE", Spare: true}, {Title: "PLATFORM"}, {Title: "STAGE"}, {Title: "NAME", Flexible: true},
		{Title: "SIZE", Align: ui.Right}, {Title: "VERDICT"}, {Title: "SHA256", Spare: true},
	}}
	for _, a := range m.Artifacts {
		t.Row(ui.Plain.Text(a.Profile), ui.Plain.Text(a.Platform), ui.Plain.Text(string(a.Stage)), ui.Plain.Text(a.Name),
			ui.Plain.Text(ui.FormatBytes(a.Size)), styled(a.Verdict), ui.Faint.Text(a.SHA256[:16]))
	}
	for _, i := range m.Images {
		t.Row(ui.Plain.Text(""), ui.Plain.Text(fact.Count(len(i.Platforms), "platform")), ui.Plain.Text("image"), ui.Plain.Text(i.Name),
			ui.Plain.Text(ui.FormatBytes(i.Size)), styled(i.Verdict), ui.Faint.Text(i.SHA256[:16]))
	}
	return t.Write(d.stdout())
}

// styled is a verdict in its colour.
func styled(v fact.Verdict) ui.Cell {
	switch v {
	case fact.Different:
		return ui.Bad.Text(string(v))
	case fact.Unchecked:
		return ui.Doubt.Text(string(v))
	}
	return ui.Good.Text(string(v))
}

// allFindings prints why artifacts differ.
func (d *app) allFindings(m *checksums.Manifest) {
	for _, a := range m.Artifacts {
		d.findings(a.Profile+" "+a.Platform+" "+a.Name, a.Findings)
	}
}

// findings prints findings about something.
func (d *app) findings(name string, list []fact.Finding) {
	for _, f := range list {
		bytes := ""
		if f.Bytes > 0 { // 0: how many were explained is not known
			bytes = fmt.Sprintf(", %s", fact.Count(int(f.Bytes), "byte"))
		}
		d.printf("\n%s: %s (%s%s)\n", name, f.Cause, f.Confidence, bytes)
		for _, e := range f.Evidence {
			d.printf("    %s\n", e)
		}
		if f.Remedy != "" {
			d.printf("    remedy: %s\n", f.Remedy)
		}
	}
}
