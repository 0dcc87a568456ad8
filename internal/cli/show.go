package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/internal/ui"
)

// watch shows the pipeline's events until the returned function is called.
func (d *Door) watch(c *release.Config) func() {
	var progress *ui.Progress
	events := make(chan release.Event, 64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range events {
			switch e.Kind {
			case release.Phase, release.Note:
				d.Term.Note("%s", e.Text)
			case release.Warning:
				d.Term.Warn("%s", e.Text)
			case release.Total:
				if progress != nil {
					progress.Close()
				}
				progress = ui.NewProgress(d.Term, e.N, time.Now)
			case release.Start:
				progress.Start(e.ID, e.Text, e.Estimate)
			case release.Done:
				progress.Done(e.ID, e.Err, e.Text)
			case release.Remaining:
				progress.Remaining(e.Estimate)
			}
		}
		if progress != nil {
			progress.Close()
		}
	}()
	c.Event = func(e release.Event) { events <- e }
	return func() {
		close(events)
		<-done
	}
}

func makeRelease(ctx context.Context, d *Door, f Flags, verb func(context.Context, release.Config) (*release.Result, error)) error {
	c, err := d.config(f)
	if err != nil {
		return err
	}
	began := time.Now()
	stop := d.watch(&c)
	res, err := verb(ctx, c)
	stop()
	if shown, err := d.result(f, res, err); shown {
		return err
	}
	n := report.Verdicts(res.Manifest)
	what := fmt.Sprintf("%s: %d identical in two builds", fact.Count(n.All(), "artifact"), n.Identical)
	if n.Different > 0 {
		what += fmt.Sprintf(", %d DIFFERENT", n.Different)
	}
	if n.Unchecked > 0 {
		what += fmt.Sprintf(", %d not checked", n.Unchecked)
	}
	signed := "signed by " + res.Signed.String()
	switch {
	case res.Manifest.Kind != checksums.KindRelease:
		signed = "a " + res.Manifest.Kind + ", not a release: not signed"
	case res.Signed.IsZero():
		signed = "NOT SIGNED"
	}
	d.unproven(res.Manifest)
	if text := report.Again(res.Manifest.Rebuild.Actions); text != "" {
		d.printf("\n%s", text)
	}
	d.printf("\n%s %s: %s; %s\n%s (%s, %s of CPU in go)\n",
		res.Manifest.Project, res.Manifest.Version, what, signed, res.Out,
		ui.FormatDuration(time.Since(began)), ui.FormatDuration(res.CPU))
	return nil
}

// unproven prints what of the packed files went wrong, or was not looked at.
func (d *Door) unproven(m *checksums.Manifest) {
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

// repeat builds a checkout again and again; nothing is published.
func repeat(ctx context.Context, d *Door, f Flags, dir string) error {
	if f.Key != nil || f.Project != nil || f.Module != nil || f.Version != nil || f.Commit != nil || f.Partial != nil || f.Unsigned != nil ||
		f.Rebuild != nil || f.Source != nil || f.Proven != nil || f.Ledgers != nil || f.Threshold != nil || f.Rebuilder != nil || f.Statements != nil {
		return fault.Usagef("leave out one or the other", "verify: -repeat builds a checkout, the other flags are about a published release")
	}
	f.Dir = &dir
	c, err := d.config(f)
	if err != nil {
		return err
	}
	stop := d.watch(&c)
	res, err := release.Repeat(ctx, c, *f.Repeat)
	stop()
	if shown, err := d.result(f, res, err); shown {
		return err
	}
	d.printf("\n%s %s: %s agree, the last %d of them from empty caches; nothing was published (%s of CPU in go)\n",
		res.Manifest.Project, res.Manifest.Version, fact.Count(res.Manifest.Rebuild.Executions, "build"), res.Manifest.Rebuild.Executions-1, ui.FormatDuration(res.CPU))
	return nil
}

// result shows what came of builds. shown is true when there is no more to say.
func (d *Door) result(f Flags, res *release.Result, err error) (shown bool, _ error) {
	if res == nil {
		return true, err
	}
	if yes(f.JSON) {
		werr := report.WriteJSON(d.stdout(), report.Release{
			Schema: fact.ReleaseReport, Out: res.Out, SignedBy: res.Signed, Kept: res.Kept, Damage: res.Damage,
			Verdicts: report.Verdicts(res.Manifest), Manifest: res.Manifest,
		})
		if err != nil {
			return true, &shownError{err}
		}
		return true, werr
	}
	if terr := d.artifacts(res.Manifest); terr != nil {
		return true, errors.Join(err, terr)
	}
	d.findings(res.Manifest)
	for _, line := range res.Damage {
		d.printf("\nmended: %s. If it happens again, check the disk and the memory of this machine\n", line)
	}
	return err != nil, err
}

func (d *Door) artifacts(m *checksums.Manifest) error {
	t := ui.Table{Columns: []ui.Column{
		{Title: "PROFILE"}, {Title: "PLATFORM"}, {Title: "STAGE"}, {Title: "NAME", Flexible: true},
		{Title: "SIZE", Align: ui.Right}, {Title: "VERDICT"}, {Title: "SHA256"},
	}}
	for _, a := range m.Artifacts {
		t.Row(ui.Plain.Text(a.Profile), ui.Plain.Text(a.Platform), ui.Plain.Text(string(a.Stage)), ui.Plain.Text(a.Name),
			ui.Plain.Text(ui.FormatBytes(a.Size)), styled(a.Verdict), ui.Faint.Text(a.SHA256[:16]))
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

// findings prints why artifacts differ.
func (d *Door) findings(m *checksums.Manifest) {
	for _, a := range m.Artifacts {
		d.because(a.Profile+" "+a.Platform+" "+a.Name, a.Findings)
	}
}

// because prints findings about something.
func (d *Door) because(name string, list []fact.Finding) {
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

func runRelease(ctx context.Context, d *Door, f Flags, _ []string) error {
	return makeRelease(ctx, d, f, release.Release)
}

func runBuild(ctx context.Context, d *Door, f Flags, _ []string) error {
	return makeRelease(ctx, d, f, release.Build)
}

func runPlan(ctx context.Context, d *Door, f Flags, _ []string) error {
	if yes(f.JSON) && yes(f.Explain) {
		return fault.Usagef("-json prints the plan, which does not depend on where its values come from", "-json and -explain contradict each other")
	}
	c, err := d.config(f)
	if err != nil {
		return err
	}
	stop := d.watch(&c)
	p, err := release.Plan(ctx, c, yes(f.Explain))
	stop()
	if err != nil {
		return err
	}
	if len(p.Dirty) > 0 && !yes(f.Snapshot) {
		d.Term.Warn("the tree is not the commit (%s): this is the commit's plan, and release would refuse", fact.Count(len(p.Dirty), "file"))
	}
	if yes(f.JSON) {
		data := p.JSON // its hash is the plan ID
		if d.Term.StdoutIsTerminal() {
			data = ui.EscapeJSON(data)
		}
		_, err := d.stdout().Write(data)
		return err
	}
	src := p.Plan.Source
	d.printf("%s %s\n", p.Plan.Project, p.Plan.Version)
	d.printf("source     %s %s, %s %s\n", src.Module, src.Version, src.Commit, src.CommitTime)
	d.printf("           %s\n", src.Sum)
	d.printf("toolchain  %s (%s)\n", p.Plan.Go, p.Toolchain.Module)
	d.printf("           %s\n", p.Toolchain.Sum)
	d.printf("plan ID    %s\n", p.ID)
	d.printf("always     %s\n", strings.Join(p.Plan.Env, " "))
	for _, u := range p.Plan.Units {
		d.printf("\n%s\n", u.ID())
		d.printf("  %s \\\n    %s\n", shell.Env(u.Env), command(append([]string{"go"}, u.Command(src.Kind, src.Version, "$OUT/")...)))
		for _, pgo := range u.PGO {
			d.printf("  pgo   %s sha256 %s\n", pgo.Path, pgo.SHA256)
		}
		if u.UPX != nil {
			d.printf("  upx   %s\n", strings.Join(u.UPX, " "))
			if pin := pinnedUPX(u.UPXVersion, u.UPXSHA256); pin != "" {
				d.printf("        by UPX %s\n", pin)
			}
		}
		d.printf("  → %s\n", strings.Join(u.Published(), " "))
		if len(u.Files) > 0 {
			d.printf("    with %s\n", strings.Join(u.Files, " "))
		}
		for _, v := range p.Explained[u.ID()] {
			d.printf("    %-28s %-40s %s\n", v.Key, v.Value, v.Pos)
		}
	}
	return nil
}

// pinnedUPX names the UPX that a unit has to be packed with; "" if it is any.
func pinnedUPX(version, sum string) string {
	if sum != "" {
		sum = "sha256:" + sum
	}
	return strings.TrimSpace(version + " " + sum)
}

// command writes a go command that a shell reads back as it is, except for the
// variable OUT, which is ours, for the reader to set.
func command(args []string) string {
	var out []string
	for _, a := range args {
		if rest, ours := strings.CutPrefix(a, "$OUT/"); ours {
			a = "$OUT/"
			if rest != "" {
				a += shell.Word(rest)
			}
		} else {
			a = shell.Word(a)
		}
		out = append(out, a)
	}
	return strings.Join(out, " ")
}

func runCheck(ctx context.Context, d *Door, f Flags, _ []string) error {
	c, err := d.config(f)
	if err != nil {
		return err
	}
	c.Types = yes(f.Types)
	stop := d.watch(&c)
	res, err := release.Check(ctx, c)
	stop()
	if err != nil {
		return err
	}
	typed := res.Typed
	if yes(f.JSON) {
		return report.WriteJSON(d.stdout(), report.Check{Schema: fact.CheckReport, PlanID: res.PlanID, Plan: res.Plan, Dirty: res.Dirty, Key: res.Signed, Types: typed, Warnings: res.Warnings})
	}
	profiles := map[string]int{}
	for _, u := range res.Plan.Units {
		profiles[u.Profile]++
	}
	if typed != nil {
		d.printf("types: %s checked\n", fact.Count(typed.Packages, "package"))
		if len(typed.Declared) > 0 {
			d.printf("       of %s only the declarations, since they have C code\n", strings.Join(typed.Declared, ", "))
		}
		if len(typed.Unchecked) > 0 {
			d.printf("       not checked, since they have or import types that come from C: %s\n", strings.Join(typed.Unchecked, ", "))
		}
	}
	d.printf("%s %s: %s in %s, nothing wrong found\n", res.Plan.Project, res.Plan.Version, fact.Count(len(res.Plan.Units), "unit"), fact.Count(len(profiles), "profile"))
	return nil
}

func runKeygen(_ context.Context, d *Door, f Flags, _ []string) error {
	prefix := str(f.Prefix)
	if prefix == "" {
		prefix = "mintmark"
	}
	if err := release.CheckPrefix(prefix); err != nil {
		return err
	}
	pass, err := d.newPassword()
	if err != nil {
		return err
	}
	g, err := release.Keygen(release.KeygenConfig{Prefix: prefix, Password: pass})
	if err != nil {
		return err
	}
	d.printf("%s  private key; keep it out of the repository; %s signs with it\n%s  public key; publish it where your users will look for it, apart from the releases\n", g.Key, shell.Env([]string{"MINTMARK_KEY=" + g.Key}), g.Pub)
	switch {
	case g.NotIgnored != nil:
		d.Term.Warn("git does not ignore %s: %v; add the line %s to .gitignore, or keep the key elsewhere", g.Key, g.NotIgnored, g.Line)
	case g.Ignore == "":
		d.printf("nothing for git to ignore: %s is in no repository\n", g.Key)
	default:
		d.printf("%s  ignores %s\n", g.Ignore, g.Line)
	}
	return nil
}

// newPassword asks twice; one from the environment is taken as it is.
func (d *Door) newPassword() ([]byte, error) {
	if p, ok := d.givenPassword(); ok {
		return p, nil
	}
	first, err := d.Term.Password("passphrase for the new key (empty for none): ")
	if err != nil {
		return nil, err
	}
	second, err := d.Term.Password("again: ")
	if err != nil {
		return nil, err
	}
	if string(first) != string(second) {
		return nil, errors.New("the two passphrases differ")
	}
	return first, nil
}
