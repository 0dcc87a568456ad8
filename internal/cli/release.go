package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/ui"
)

// buildFlags are what mintmark build takes.
type buildFlags struct {
	selectFlags
	outFlag
	jobsFlag
	onFlag
	jsonFlag
	dirFlag
	moduleFlag
	treeFlags
	versionFlag
	details bool // print what the second builds compiled
}

func (f *buildFlags) run(ctx context.Context, d *app) error { return f.make(ctx, d, release.Build) }

// releaseFlags are what mintmark release takes.
type releaseFlags struct {
	buildFlags
	Full    bool     `flag:"full" help:"build everything twice from empty caches and use nothing that was proven or checked before"`
	Ledgers []string `flag:"ledgers" reads:"name ledgers that other rebuilders have published" help:"published ledgers of other rebuilders, separated by commas; the profile file names their keys"`
	Verbose bool     `flag:"v" help:"say as well what the second builds compiled, and what rests on earlier ones"`
	Report  bool     `flag:"report" help:"write measurements.json, report.html and report.md into the release (default: true)"`
	compareFlags
}

func (f *releaseFlags) run(ctx context.Context, d *app) error {
	f.details = f.Verbose
	return f.make(ctx, d, release.Release, f)
}

func (f *releaseFlags) configure(c *run.Config) error {
	c.Full, c.Ledgers, c.NoReport, c.Against, c.With = f.Full, f.Ledgers, !f.Report, f.Against, f.With
	return nil
}

// make does one of the two verbs that build everything there is to publish.
func (f *buildFlags) make(ctx context.Context, d *app, verb func(context.Context, run.Config) (*release.Result, error), more ...configurer) error {
	c, err := d.config(append(more, f.selectFlags, f.outFlag, f.jobsFlag, f.onFlag, f.dirFlag, f.moduleFlag, f.treeFlags, f.versionFlag)...)
	if err != nil {
		return err
	}
	c.WorkerKeys = f.WorkerKeys.refs(d)
	began := time.Now()
	stop := d.watch(&c)
	res, err := verb(ctx, c)
	stop()
	if shown, err := d.result(f.JSON, res, err); shown {
		return err
	}
	d.unproven(res.Manifest)
	d.printf("\n")
	if text := report.Again(res.Manifest.Rebuild.Executions, res.Manifest.Rebuild.Actions, res.Manifest.Artifacts); f.details && text != "" {
		d.prose("%s\n", text)
	}
	if g := res.Manifest.Generated; g != nil {
		d.prose("%s generated in %s: %s\n", fact.Count(len(g.Files), "file"), fact.Count(g.Executions, "place"), g.Verdict)
	}
	d.prose("%s %s: %s\n", res.Manifest.Project, res.Manifest.Version, outcome(res.Manifest, res.Signed))
	if !res.Signed.IsZero() {
		d.printf("signed by %s\n", res.Signed)
	}
	d.printf("%s (%s, %s of CPU in go)\n", res.Out, ui.FormatDuration(time.Since(began)), ui.FormatDuration(res.CPU))
	return nil
}

// outcome says in one line what became of the files of a release: how many of
// them were built how often, what came of comparing them, and whether they are
// signed.
func outcome(m *checksums.Manifest, signed fact.SignerID) string {
	all, n := report.Verdicts(m), report.Verdicts(&checksums.Manifest{Artifacts: published(m)})
	what := "file"
	if n.All() == 0 || n.Worst() != all.Worst() { // then it is not the published files alone that matter
		n, what = all, "artifact"
	}
	builds := m.Rebuild.Executions
	text := fact.Count(n.All(), what) + " built once"
	if builds > 1 {
		text = fmt.Sprintf("%d of %s built %s, identical", n.Identical, fact.Count(n.All(), what), fact.Times(builds))
	}
	if n.Different > 0 {
		text += fmt.Sprintf(", %d DIFFERENT", n.Different)
	}
	switch {
	case n.Unchecked == n.All() && builds == 1:
		text += ", not checked"
	case n.Unchecked > 0:
		text += fmt.Sprintf(", %d not checked", n.Unchecked)
	}
	switch {
	case m.Kind != checksums.KindRelease:
		return text + "; a " + string(m.Kind) + ", not a release: not signed"
	case signed.IsZero():
		return text + ", NOT SIGNED"
	}
	return text + ", signed"
}

// published are the artifacts that are files of the release.
func published(m *checksums.Manifest) (list []checksums.Artifact) {
	for _, a := range m.Artifacts {
		if a.Published {
			list = append(list, a)
		}
	}
	return list
}

// unproven prints what of the packed files went wrong, or was not looked at.
func (d *app) unproven(m *checksums.Manifest) {
	failed, unchecked := release.Unproven(m.Artifacts)
	for _, list := range []struct {
		title string
		lines []string
	}{{"packed files that FAILED when they were run", failed}, {"not checked of packed files", unchecked}} {
		if len(list.lines) == 0 {
			continue
		}
		d.printf("\n%s:\n", list.title)
		for _, line := range list.lines {
			d.printf("    %s\n", line)
		}
	}
}
