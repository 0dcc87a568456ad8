package cli

import (
	"context"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
)

// ledgerFlags are what mintmark ledger takes.
type ledgerFlags struct {
	Prune  *int `flag:"prune" help:"forget what no release has used for so many days"`
	Forget bool `flag:"forget" help:"forget everything"`
	jsonFlag
}

func (f *ledgerFlags) run(ctx context.Context, d *app) error {
	if _, err := d.ledgerSecret(); err != nil { // other verbs do without, and warn
		if fault.ExitCode(err) == fault.Usage {
			return err
		}
		return fault.Usagef("set HOME, or MINTMARK_LEDGER_KEY to a secret of your own", "no ledger without its secret: %v", err)
	}
	c, err := d.config()
	if err != nil {
		return err
	}
	opt := release.LedgerOptions{Forget: f.Forget}
	if f.Prune != nil {
		if *f.Prune < 1 || opt.Forget {
			return fault.Usagef("at least one day, and not with -forget", "-prune=%d", *f.Prune)
		}
		opt.Prune = time.Duration(*f.Prune) * 24 * time.Hour
	}
	res, err := release.Ledger(ctx, c, opt)
	if res == nil {
		return err
	}
	if f.JSON {
		if werr := report.WriteJSON(d.stdout(), struct {
			Schema fact.Schema `json:"schema"`
			*release.Ledgers
		}{fact.LedgerReport, res}); werr != nil {
			return werr
		}
		if err != nil {
			return &shownError{err}
		}
		return nil
	}
	if opt.Prune > 0 {
		d.printf("forgot %s and %s\n", fact.Count(res.Pruned, "action"), ui.FormatBytes(res.Freed))
	}
	if len(res.Ledgers) == 0 {
		d.printf("the ledger is empty\n")
	}
	for _, l := range res.Ledgers {
		d.printf("%s (%s)\n", l.Toolchain, l.Sum)
		d.printf("  %s, %d of them proven, of %s for %s\n", fact.Count(l.Actions, "action"), l.Proven, fact.Count(l.Packages, "package"), strings.Join(l.Platforms, ", "))
		d.printf("  %s known; %s kept, all as their hashes say; %s\n", fact.Count(l.Executions, "execution"), fact.Count(l.Objects, "output"), ui.FormatBytes(l.Size))
		if l.Unread > 0 {
			d.printf("  damaged, or written with another secret: %s, which count for nothing\n", fact.Count(l.Unread, "line"))
		}
		if l.Damaged > 0 {
			d.printf("  damaged and removed: %s\n", fact.Count(l.Damaged, "output"))
		}
		for _, x := range l.Disputed {
			d.printf("  NOT DETERMINISTIC: package %s for %s: action %s\n", x.Package, x.Platform, x.Action)
			for i := range x.Outputs {
				d.printf("    output %s in %s\n", x.Outputs[i], x.Runs[i])
			}
			d.printf("    not proven any more, since they depend on disputed ones: %s\n", fact.Count(x.Withdrawn, "more action"))
		}
	}
	return err
}
