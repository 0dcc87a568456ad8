package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
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
	timeFlags
	WorkerKeys publicKeys `flag:"workerkeys" with:"on" help:"public keys of workers: receipts that none of them has signed are refused: files, env://NAME or KMS URIs, separated by commas"`
	details    bool       // print what the second builds compiled
}

func (f *buildFlags) run(ctx context.Context, d *app) error { return f.make(ctx, d, release.Build) }

// releaseFlags are what mintmark release takes.
type releaseFlags struct {
	buildFlags
	Out     string   `flag:"out" takes:"dir" with:"|shard" help:"output directory (default: dist in the product's directory)|the file that the part is written into"`
	Shard   string   `flag:"shard" help:"build a part of the release once, for merge to make the release of: NUMBER/ALL, such as 2/5"`
	Place   string   `flag:"place" with:"shard" values:"a b" help:"which of the two builds: a or b"`
	Full    bool     `flag:"full" help:"build everything twice from empty caches and use nothing that was proven or checked before"`
	Ledgers []string `flag:"ledgers" reads:"name ledgers that other rebuilders have published" help:"published ledgers of other rebuilders, separated by commas; the profile file names their keys"`
	Verbose bool     `flag:"v" help:"say as well what the second builds compiled, and what rests on earlier ones"`
	Report  bool     `flag:"report" help:"write measurements.json, report.html and report.md into the release (default: true)"`
	compareFlags
}

func (f *releaseFlags) run(ctx context.Context, d *app) error {
	if f.Shard != "" {
		return f.part(ctx, d)
	}
	f.details, f.outFlag.Out = f.Verbose, f.Out
	return f.make(ctx, d, release.Release, f)
}

// part builds a part of a release.
func (f *releaseFlags) part(ctx context.Context, d *app) error {
	shard, err := release.ParseShard(f.Shard)
	if err != nil {
		err = fault.Usagef("-shard=2/5 is the second of five", "-shard: %w", err)
	}
	errs := []error{err}
	if f.Place == "" {
		errs = append(errs, fault.Usagef("-place=a and -place=b are the two builds of the same shard; merge needs both", "-shard: which of the two builds?"))
	}
	if f.Out == "" {
		errs = append(errs, fault.Usagef("-out=part.tar names it", "-shard: a part needs a file"))
	}
	for _, other := range []struct {
		name  string
		given bool
	}{
		{"on", len(f.On) > 0}, {"json", f.JSON}, {"ledgers", len(f.Ledgers) > 0}, {"v", f.Verbose}, {"report=false", !f.Report},
		{"against", f.Against != ""}, {"with", len(f.With) > 0}, {"time", f.Time},
	} {
		if other.given {
			errs = append(errs, fault.Usagef("leave it out", "-%s means nothing for a part of a release", other.name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	c, err := d.config(f, f.selectFlags, f.jobsFlag, f.dirFlag, f.moduleFlag, f.treeFlags, f.versionFlag)
	if err != nil {
		return err
	}
	began := time.Now()
	stop := d.watch(&c)
	res, err := release.Part(ctx, c, release.PartConfig{Shard: shard, Place: f.Place, File: f.Out})
	stop()
	if err != nil {
		return err
	}
	for _, u := range res.Units {
		d.printf("%s\n", u)
	}
	d.prose("%d of %s built once, in place %s: shard %s; not compared, not signed\n", len(res.Units), fact.Count(res.All, "unit"), f.Place, shard)
	d.printf("%s (%s, %s of CPU in go)\n", res.File, ui.FormatDuration(time.Since(began)), ui.FormatDuration(res.CPU))
	return nil
}

func (f *releaseFlags) configure(c *run.Config) error {
	c.Full, c.Ledgers, c.NoReport, c.Against, c.With = f.Full, f.Ledgers, !f.Report, f.Against, f.With
	return nil
}

// make does one of the two verbs that build everything there is to publish.
func (f *buildFlags) make(ctx context.Context, d *app, verb func(context.Context, run.Config) (*release.Result, error), more ...configurer) error {
	c, err := d.config(append(more, f.selectFlags, f.outFlag, f.jobsFlag, f.onFlag, f.dirFlag, f.moduleFlag, f.treeFlags, f.versionFlag, f.timeFlags)...)
	if err != nil {
		return err
	}
	if c.Workers, err = trusted(ctx, f.WorkerKeys.refs(d)); err != nil {
		return err
	}
	began := time.Now()
	stop := d.watch(&c)
	res, err := verb(ctx, c)
	stop()
	if f.Trace != "" && res != nil {
		err = errors.Join(err, f.writeTrace(res.Times))
	}
	if shown, err := d.result(f.JSON, res, err); shown {
		return err
	}
	if f.Time {
		if err := d.section(report.ComposeTime(res.Times, res.Before, res.Since), "-json has them, and the report of a release"); err != nil {
			return err
		}
	}
	d.made(res, f.details, time.Since(began))
	return nil
}

// configure also looks where the trace will be written: later is after all builds.
func (f timeFlags) configure(c *run.Config) error {
	c.Time = f.Time
	if f.Trace == "" {
		return nil
	}
	if fi, err := os.Stat(filepath.Dir(f.Trace)); err != nil || !fi.IsDir() {
		return fault.Usagef("name a file in a directory that is there", "-trace=%s: there is no such directory", f.Trace)
	}
	if fi, err := os.Lstat(f.Trace); err == nil && !fi.Mode().IsRegular() {
		return fault.Usagef("name a file, which may be there or not", "-trace=%s: is no regular file", f.Trace)
	}
	return nil
}

// writeTrace writes what the builds took for a viewer of traces.
func (f timeFlags) writeTrace(times []report.BuildTime) error {
	var b bytes.Buffer
	if err := report.WriteTrace(&b, times); err != nil {
		return fmt.Errorf("-trace: %w", err)
	}
	if err := files.Write(f.Trace, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("-trace: %w", err)
	}
	return nil
}

// made prints what was published, which took so long.
func (d *app) made(res *release.Result, details bool, took time.Duration) {
	d.unproven(res.Manifest)
	d.printf("\n")
	if text := report.Again(res.Manifest.Rebuild.Executions, res.Manifest.Rebuild.Actions, res.Manifest.Artifacts); details && text != "" {
		d.prose("%s\n", text)
	}
	if g := res.Manifest.Generated; g != nil {
		d.prose("%s generated in %s: %s\n", fact.Count(len(g.Files), "file"), fact.Count(g.Executions, "place"), g.Verdict)
	}
	if text := machines(res.Manifest); text != "" {
		d.prose("%s\n", text)
	}
	d.prose("%s %s: %s\n", res.Manifest.Project, res.Manifest.Version, outcome(res.Manifest, res.Signed))
	if !res.Signed.IsZero() {
		d.printf("signed by %s\n", res.Signed)
	}
	d.printf("%s (%s, %s of CPU in go)\n", res.Out, ui.FormatDuration(took), ui.FormatDuration(res.CPU))
}

// trusted loads public keys.
func trusted(ctx context.Context, keys []checksums.KeyRef) (list []checksums.Trust, err error) {
	var errs []error
	for _, k := range keys {
		t, err := checksums.LoadTrust(ctx, k)
		errs = append(errs, err)
		list = append(list, t)
	}
	return list, errors.Join(errs...)
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
		text = fmt.Sprintf("%d of %s built %s", n.Identical, fact.Count(n.All(), what), fact.Times(builds))
		if report.OnTwoMachines(m.Rebuild.Independence) {
			text += " " + fact.TwoMachines.On(builds)
		}
		text += ", identical"
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

// machines says on how many machines the units were built, as far as the line of
// [outcome] does not.
func machines(m *checksums.Manifest) string {
	if list := m.Rebuild.Independence; !report.OnTwoMachines(list) || len(report.Systems(list)) > 0 {
		return report.Machines(m.Rebuild.Executions, list)
	}
	return ""
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
