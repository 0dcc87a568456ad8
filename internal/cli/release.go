package cli

import (
	"context"
	"fmt"
	"strings"
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
	jsonFlag
	dirFlag
	moduleFlag
	treeFlags
	versionFlag
}

func (f *buildFlags) run(ctx context.Context, d *app) error { return f.make(ctx, d, release.Build) }

// releaseFlags are what mintmark release takes.
type releaseFlags struct {
	buildFlags
	Full    bool     `flag:"full" help:"build everything twice from empty caches and use nothing that was proven or checked before"`
	Ledgers []string `flag:"ledgers" reads:"name ledgers that other rebuilders have published" help:"published ledgers of other rebuilders, separated by commas; the profile file names their keys"`
	Report  bool     `flag:"report" help:"write measurements.json, report.html and report.md into the release (default: true)"`
	compareFlags
}

func (f *releaseFlags) run(ctx context.Context, d *app) error {
	return f.make(ctx, d, release.Release, f)
}

func (f *releaseFlags) configure(c *run.Config) error {
	c.Full, c.Ledgers, c.NoReport, c.Against, c.With = f.Full, f.Ledgers, !f.Report, f.Against, f.With
	return nil
}

// make does one of the two verbs that build everything there is to publish.
func (f *buildFlags) make(ctx context.Context, d *app, verb func(context.Context, run.Config) (*release.Result, error), more ...configurer) error {
	c, err := d.config(append(more, f.selectFlags, f.outFlag, f.jobsFlag, f.dirFlag, f.moduleFlag, f.treeFlags, f.versionFlag)...)
	if err != nil {
		return err
	}
	began := time.Now()
	stop := d.watch(&c)
	res, err := verb(ctx, c)
	stop()
	if shown, err := d.result(f.JSON, res, err); shown {
		return err
	}
	signed := "signed by " + res.Signed.String()
	switch {
	case res.Manifest.Kind != checksums.KindRelease:
		signed = "a " + string(res.Manifest.Kind) + ", not a release: not signed"
	case res.Signed.IsZero():
		signed = "NOT SIGNED"
	}
	d.unproven(res.Manifest)
	if text := report.Again(res.Manifest.Rebuild.Executions, res.Manifest.Rebuild.Actions, res.Manifest.Artifacts); text != "" {
		d.printf("\n%s", text)
	}
	d.printf("\n%s %s: %s; %s\n%s (%s, %s of CPU in go)\n",
		res.Manifest.Project, res.Manifest.Version, verdicts(res.Manifest), signed, res.Out,
		ui.FormatDuration(time.Since(began)), ui.FormatDuration(res.CPU))
	return nil
}

// verdicts says how many artifacts are of which verdict, after how many builds.
func verdicts(m *checksums.Manifest) string {
	n, builds := report.Verdicts(m), m.Rebuild.Executions
	var list []string
	if n.Identical > 0 || builds > 1 {
		list = append(list, fmt.Sprintf("%d identical in %s", n.Identical, fact.Builds(builds)))
	}
	if n.Different > 0 {
		list = append(list, fmt.Sprintf("%d DIFFERENT", n.Different))
	}
	if n.Unchecked > 0 {
		list = append(list, fmt.Sprintf("%d not checked", n.Unchecked))
	}
	text := fact.Count(n.All(), "artifact")
	if builds == 1 {
		text += " built once"
	}
	return text + ": " + strings.Join(list, ", ")
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
