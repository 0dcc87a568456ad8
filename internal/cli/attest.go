package cli

import (
	"context"
	"errors"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/verify"
)

// attestFlags are what mintmark attest takes.
type attestFlags struct {
	publishedFlags
	Platform string `flag:"platform" help:"attest only these platforms or patterns, separated by commas, such as linux,windows/amd64"`
	Generate bool   `flag:"generate" help:"run the commands by which the release generated files, and compare; without it the files are taken from the release"`
	Source   string `flag:"source" takes:"dir" help:"git repository to take the source from, a directory or a URL (default: the module proxy)"`
	Out      string `flag:"out" takes:"file" help:"file to write, NAME.rebuild.sigstore.json (default: beside the release)"`
	jobsFlag
	jsonFlag
	Path string `arg:"path" help:"a release's directory, or its release.json"`
}

func (f *attestFlags) run(ctx context.Context, d *app) error {
	c, err := d.config(selectFlags{Platform: f.Platform}, f.jobsFlag)
	if err != nil {
		return err
	}
	c.Generate = f.Generate
	stop := d.watch(&c)
	res, err := verify.Attest(ctx, c, f.expected(d, f.Path), f.Source, f.Out)
	stop()
	if res == nil {
		return err
	}
	if f.JSON {
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
		d.term.Warn("not in the statement: %s", l)
	}
	d.printf("%s %s: %d of %s rebuilt, signed by %s\n%s\n", res.Verification.Project, res.Verification.Version,
		len(res.Subjects), fact.Count(len(res.Verification.Artifacts), "artifact"), res.SignedBy, res.File)
	return err
}
