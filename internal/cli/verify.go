package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/internal/verify"
)

func runVerify(ctx context.Context, d *Door, f Flags, args []string) error {
	if f.Repeat != nil {
		return repeat(ctx, d, f, args[0])
	}
	vc := d.verifyConfig(f, args[0])
	var v *checksums.Verification
	var err error
	if yes(f.Rebuild) {
		c, cerr := d.rebuildConfig(f)
		if cerr != nil {
			return cerr
		}
		c.Proven = yes(f.Proven)
		stop := d.watch(&c)
		v, err = verify.Rebuild(ctx, c, vc, str(f.Source))
		stop()
	} else {
		v, err = verify.Release(ctx, vc)
	}
	if yes(f.JSON) && (v != nil || err == nil) {
		return d.verifyJSON(report.NewVerify(v, err), err)
	}
	if v != nil {
		err = errors.Join(d.builtAgain(v), err)
	}
	if err != nil {
		return err
	}
	d.verified(v)
	return nil
}

func (d *Door) verifyConfig(f Flags, path string) verify.Config {
	return verify.Config{
		Path: path, Key: d.keyRef(str(f.Key)), Project: str(f.Project), Module: str(f.Module), Version: str(f.Version), Commit: str(f.Commit),
		Missing: yes(f.Partial), Unsigned: yes(f.Unsigned),
		Rebuilders: d.keyRefs(f.Rebuilder), Threshold: number(f.Threshold), Statements: words(f.Statements),
	}
}

// rebuildConfig is the configuration of a verb that builds somebody else's
// release: no checkout, and of a profile file only whose ledgers count.
func (d *Door) rebuildConfig(f Flags) (release.Config, error) {
	return d.config(Flags{Platform: f.Platform, Jobs: f.Jobs, Ledgers: f.Ledgers, Config: f.Config})
}

// words splits the value of a flag that takes several.
func words(p *string) []string {
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(strings.Split(*p, ","), func(w string) bool { return w == "" })
}

func number(p *int) int {
	if p == nil {
		return 0
	}
	return *p
}

// verifyJSON prints a verification, well or not.
func (d *Door) verifyJSON(doc report.Verify, err error) error {
	var refused *checksums.VerifyError
	if errors.As(err, &refused) {
		for _, r := range refused.Refusals {
			doc.Refusals = append(doc.Refusals, report.Refusal{File: r.Name, Reason: r.Reason, Hint: r.Remedy})
		}
	}
	if werr := report.WriteJSON(d.stdout(), doc); werr != nil {
		return errors.Join(err, werr)
	}
	if err != nil {
		return &shownError{err}
	}
	return nil
}

// verified says what was checked and what was not.
func (d *Door) verified(v *checksums.Verification) {
	d.printf("%s %s (%s %s) %s\n", v.Project, v.Version, v.Module, v.Commit, report.Standing(v))
	checked, notChecked := v.Checks.Sentences()
	for _, c := range checked {
		d.printf("  checked      %s\n", c)
	}
	for _, c := range notChecked {
		d.printf("  NOT CHECKED  %s\n", c)
	}
	if v.Manifest != nil {
		failed, unchecked := release.Unproven(v.Manifest.Artifacts)
		for _, line := range failed {
			d.printf("  FAILED       as the publisher says: %s\n", line)
		}
		for _, line := range unchecked {
			d.printf("  NOT CHECKED  by the publisher either: %s\n", line)
		}
	}
	if v.Confinement != nil {
		d.printf("  the builds here: %s\n", v.Confinement)
	}
	counts := map[fact.Verdict]int{}
	for _, a := range v.Artifacts {
		counts[a.Verdict]++
	}
	var said []string
	for verdict, n := range counts {
		said = append(said, fmt.Sprintf("%d %s", n, verdict))
	}
	sort.Strings(said)
	d.printf("  the publisher's own rebuild: %s\n", strings.Join(said, ", "))
}

// builtAgain shows what came of building the release again.
func (d *Door) builtAgain(v *checksums.Verification) error {
	if len(v.Rebuilt) == 0 {
		return nil
	}
	t := ui.Table{Columns: []ui.Column{
		{Title: "PROFILE"}, {Title: "PLATFORM"}, {Title: "STAGE"}, {Title: "NAME", Flexible: true}, {Title: "REBUILT"}, {Title: "SHA256"},
	}}
	for _, r := range v.Rebuilt {
		t.Row(ui.Plain.Text(r.Profile), ui.Plain.Text(r.Platform), ui.Plain.Text(string(r.Stage)), ui.Plain.Text(r.Name),
			styled(r.Verdict), ui.Faint.Text(r.SHA256[:16]))
	}
	if err := t.Write(d.stdout()); err != nil {
		return err
	}
	for _, r := range v.Rebuilt {
		d.because(r.Profile+" "+r.Platform+" "+r.Name, r.Findings)
	}
	d.printf("\n")
	return nil
}

func runAttest(ctx context.Context, d *Door, f Flags, args []string) error {
	c, err := d.rebuildConfig(f)
	if err != nil {
		return err
	}
	stop := d.watch(&c)
	res, err := verify.Attest(ctx, c, d.verifyConfig(f, args[0]), str(f.Source), str(f.Out))
	stop()
	if res == nil {
		return err
	}
	if yes(f.JSON) {
		doc := report.NewVerify(res.Verification, err)
		doc.Statement, doc.Attested, doc.SignedBy = res.File, res.Subjects, res.SignedBy
		return d.verifyJSON(doc, err)
	}
	err = errors.Join(d.builtAgain(res.Verification), err)
	if res.File == "" {
		return err
	}
	// What was signed is said, also where not everything could be.
	for _, l := range res.Left {
		d.Term.Warn("not in the statement: %s", l)
	}
	d.printf("%s %s: %d of %s rebuilt, signed by %s\n%s\n", res.Verification.Project, res.Verification.Version,
		len(res.Subjects), fact.Count(len(res.Verification.Artifacts), "artifact"), res.SignedBy, res.File)
	return err
}
