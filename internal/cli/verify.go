package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/internal/verify"
)

// verifyFlags are what mintmark verify takes.
type verifyFlags struct {
	releasedFlags
	Repeat    *int     `flag:"repeat" help:"path is a checkout: build it until so many builds agree or two differ, and publish nothing"`
	Config    string   `flag:"config" takes:"file" with:"repeat|ledgers" help:"the profile file|yours, whose ledger.rebuilders count"`
	Profile   []string `flag:"profile" takes:"profile" with:"repeat" help:"profiles, separated by commas (default: all that have platforms)"`
	Platform  string   `flag:"platform" with:"rebuild repeat" help:"platforms or patterns, separated by commas, such as linux,windows/amd64"`
	Jobs      *int     `flag:"jobs" with:"rebuild repeat" help:"builds at a time (default: the number of processors)"`
	Toolchain string   `flag:"toolchain" with:"repeat" help:"exact toolchain, such as go1.26.8 (default: the profile file's, else go.mod's)"`
	jsonFlag
	Path string `arg:"path" unless:"published" help:"a release's directory or one of its files, here or at https://HOST/…, or an image as oci://HOST/NAME:TAG; with -repeat a checkout"`
}

// releasedFlags are the flags about a published release.
type releasedFlags struct {
	publishedFlags
	Release    string     `flag:"release" takes:"dir" help:"path is one file: the directory with checksums.txt, release.json and the like of its release (default: the file's own)"`
	Published  string     `flag:"published" values:"github: gitea: forgejo: gitlab: dir: oci:" help:"what a forge has published must be this release, all of it and nothing else: TARGET@TAG, such as github:OWNER/REPO@v1.2.3 (see publish), or what a registry has an image of it: oci://HOST/NAME:TAG; without a path it is fetched"`
	Partial    bool       `flag:"partial" help:"accept that listed files are missing"`
	Unsigned   bool       `flag:"unsigned" help:"check without a key that the files agree with each other"`
	Machines   *int       `flag:"machines" help:"refuse a release unless every unit was built on so many machines: 2"`
	Rebuild    bool       `flag:"rebuild" help:"build the release again from its recorded source and toolchain, and compare every stage"`
	Proven     bool       `flag:"proven" with:"rebuild" help:"build twice, and take from this machine's proof ledger what it has proven"`
	Ledgers    []string   `flag:"ledgers" with:"rebuild" reads:"name ledgers that other rebuilders have published" help:"published ledgers of other rebuilders, separated by commas; -config names their keys"`
	Generate   bool       `flag:"generate" with:"rebuild" help:"run the commands by which the release generated files, and compare; without it the files are taken from the release"`
	Source     string     `flag:"source" takes:"dir" with:"rebuild" help:"git repository to take the source from, a directory or a URL (default: the module proxy)"`
	Threshold  int        `flag:"threshold" help:"how many rebuilders must vouch for every file (default: all that are named)"`
	Rebuilder  publicKeys `flag:"rebuilder" adds:"true" help:"public keys of rebuilders whose statements count: files, env://NAME or KMS URIs, separated by commas"`
	Statements []string   `flag:"statements" reads:"name statements of rebuilders, or the directory they are in" dirs:"true" adds:"true" help:"rebuild statements: files or directories, separated by commas (default: those beside the release)"`
}

func (f *verifyFlags) run(ctx context.Context, d *app) error {
	if f.Repeat != nil {
		return f.repeat(ctx, d)
	}
	var published *publishedAt
	if isRegistry(f.Path) || isRegistry(f.Published) && f.Path == "" {
		if f.Path != "" && f.Published != "" {
			return fault.Usagef("leave out one of them", "verify: -published and %s both name what is published", f.Path)
		}
		v, err := f.image(ctx, d, cmp.Or(f.Path, f.Published))
		return f.show(d, v, err)
	}
	if f.Published != "" && !isRegistry(f.Published) {
		if f.Partial {
			return fault.Usagef("leave out -partial", "verify: -published is about all files of a release, -partial about some")
		}
		var err error
		if published, err = d.at(f.Published); err != nil {
			return err
		}
	}
	path := f.Path
	if path == "" || verify.IsURL(path) {
		fetch := func() (*verify.Fetched, error) { return d.web().Fetch(ctx, path) }
		if path == "" {
			fetch = func() (*verify.Fetched, error) { return published.fetch(ctx) }
		}
		fetched, err := fetch()
		if err != nil {
			return err
		}
		defer fetched.Close()
		path = fetched.Path
	}
	vc := f.expected(d, path)
	vc.Beside = f.Release
	vc.Missing, vc.Unsigned = f.Partial, f.Unsigned
	if f.Machines != nil {
		if vc.Machines = *f.Machines; vc.Machines == 0 {
			return fault.Usagef("-machines=2 demands two; without it nothing is demanded", "-machines=0")
		}
	}
	vc.Rebuilders, vc.Threshold, vc.Statements = f.Rebuilder.refs(d), f.Threshold, f.Statements
	var v *checksums.Verification
	var err error
	if f.Rebuild {
		// Of a profile file only whose ledgers count is read.
		c, cerr := d.config(selectFlags{Config: f.Config, Platform: f.Platform}, jobsFlag{f.Jobs})
		if cerr != nil {
			return cerr
		}
		c.Proven, c.Ledgers, c.Generate = f.Proven, f.Ledgers, f.Generate
		stop := d.watch(&c)
		v, err = verify.Rebuild(ctx, c, vc, f.Source)
		stop()
	} else {
		v, err = verify.At(ctx, vc)
	}
	switch {
	case isRegistry(f.Published) && err == nil:
		err = f.imageHolds(ctx, d, v)
	case published != nil && err == nil:
		err = published.same(ctx, path, v, f.Unsigned)
	case published != nil && f.Path == "":
		err = notReleased(err)
	}
	return f.show(d, v, err)
}

// show shows a verification, well or not.
func (f *verifyFlags) show(d *app, v *checksums.Verification, err error) error {
	if f.JSON && (v != nil || err == nil) {
		return d.verifyJSON(report.NewVerify(v, err), err)
	}
	if v != nil {
		err = errors.Join(d.builtAgain(v), err)
	}
	if _, unsigned := errors.AsType[*verify.NoKeyError](err); err != nil && !unsigned {
		return err
	}
	d.verified(v)
	if v.File != "" {
		for _, a := range report.Ask(v, f.Path, f.Release) {
			d.printf("  to ask for   %s: %s\n", a.What, a.How)
		}
		d.printf("%s\n", report.FileLine(v))
	}
	return err
}

// web fetches with the proxies of the environment.
func (d *app) web() *verify.Web {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = time.Minute
	t.DisableCompression = true
	return &verify.Web{Transport: t, Fetching: func(name string) { d.term.Note("fetching %s", name) }}
}

// repeat builds a checkout again and again; nothing is published.
func (f *verifyFlags) repeat(ctx context.Context, d *app) error {
	if !reflect.ValueOf(f.releasedFlags).IsZero() {
		return fault.Usagef("leave out one or the other", "verify: -repeat builds a checkout, the other flags are about a published release")
	}
	c, err := d.config(selectFlags{f.Config, f.Profile, f.Platform}, jobsFlag{f.Jobs}, dirFlag{f.Path}, treeFlags{Toolchain: f.Toolchain})
	if err != nil {
		return err
	}
	stop := d.watch(&c)
	res, err := release.Repeat(ctx, c, *f.Repeat)
	stop()
	if shown, err := d.result(f.JSON, res, err); shown {
		return err
	}
	d.printf("\n%s %s: %s agree, the last %d of them from empty caches; nothing was published (%s of CPU in go)\n",
		res.Manifest.Project, res.Manifest.Version, fact.Count(res.Manifest.Rebuild.Executions, "build"), res.Manifest.Rebuild.Executions-1, ui.FormatDuration(res.CPU))
	return nil
}

// verifyJSON prints a verification, well or not.
func (d *app) verifyJSON(doc report.Verify, err error) error {
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
func (d *app) verified(v *checksums.Verification) {
	if v.Project != "" {
		d.printf("%s %s (%s) %s\n", v.Project, v.Version, strings.TrimSpace(v.Module+" "+v.Commit), report.Standing(v))
	} else {
		d.printf("%s %s\n", report.WhatOther(v), report.Standing(v))
	}
	checked, notChecked := v.Checks.Sentences()
	for _, c := range checked {
		d.prose("  checked      %s\n", c)
	}
	for _, c := range notChecked {
		d.prose("  NOT CHECKED  %s\n", c)
	}
	if v.Manifest != nil && v.File == "" {
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
	if len(said) == 0 {
		return
	}
	machines := ""
	if v.Manifest != nil { // else there are no artifacts either
		machines = report.Machines(v.Manifest.Rebuild.Executions, v.Independence)
	}
	d.prose("  the publisher's own rebuild: %s; %s\n", strings.Join(said, ", "), cmp.Or(machines, "on how many machines is not recorded"))
}

// builtAgain shows what came of building the release again.
func (d *app) builtAgain(v *checksums.Verification) error {
	if len(v.Rebuilt) == 0 {
		return nil
	}
	t := ui.Table{Columns: []ui.Column{
		{Title: "PROFILE", Spare: true}, {Title: "PLATFORM"}, {Title: "STAGE"}, {Title: "NAME", Flexible: true}, {Title: "REBUILT"}, {Title: "SHA256", Spare: true},
	}}
	for _, r := range v.Rebuilt {
		t.Row(ui.Plain.Text(r.Profile), ui.Plain.Text(r.Platform), ui.Plain.Text(string(r.Stage)), ui.Plain.Text(r.Name),
			styled(r.Verdict), ui.Faint.Text(r.SHA256[:16]))
	}
	if err := t.Write(d.stdout()); err != nil {
		return err
	}
	for _, r := range v.Rebuilt {
		if r.Signer != "" {
			d.printf("  %s: identical but for the signature of %s, which was not checked\n", r.Name, r.Signer)
		}
		d.findings(r.Profile+" "+r.Platform+" "+r.Name, r.Findings)
	}
	for _, r := range v.RebuiltFiles {
		d.findings(r.Kind.Noun()+" "+r.Name, r.Findings)
	}
	d.printf("\n")
	return nil
}
