package cli

import (
	"context"
	"errors"
	"time"

	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/run"
)

// mergeFlags are what mintmark merge takes.
type mergeFlags struct {
	selectFlags
	outFlag
	jobsFlag
	jsonFlag
	dirFlag
	moduleFlag
	treeFlags
	versionFlag
	Report bool `flag:"report" help:"write measurements.json, report.html and report.md into the release (default: true)"`
	compareFlags
	Parts []string `arg:"parts" help:"files that release -shard has written, or directories with them: each shard, of place a and of place b"`
}

func (f *mergeFlags) configure(c *run.Config) error {
	c.NoReport, c.Against, c.With = !f.Report, f.Against, f.With
	return nil
}

func (f *mergeFlags) run(ctx context.Context, d *app) error {
	var errs []error
	for _, name := range f.Parts {
		errs = append(errs, unread("", name, "name the files that mintmark release -shard has written", true))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	c, err := d.config(f, f.selectFlags, f.outFlag, f.jobsFlag, f.dirFlag, f.moduleFlag, f.treeFlags, f.versionFlag)
	if err != nil {
		return err
	}
	began := time.Now()
	stop := d.watch(&c)
	res, err := release.Merge(ctx, c, f.Parts)
	stop()
	if shown, err := d.result(f.JSON, res, err); shown {
		return err
	}
	d.made(res, false, time.Since(began))
	return nil
}
