package cli

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/ui"
)

// ledgerSecret is what authenticates the proof ledger: MINTMARK_LEDGER_KEY, or
// a file in the user's configuration directory, made when there is none. It is
// not in the cache directory on purpose: a cache that somebody else filled, as
// those that continuous integration restores, proves nothing here.
func (d *Door) ledgerSecret() ([]byte, error) {
	if v := d.getenv("MINTMARK_LEDGER_KEY"); v != "" {
		if len(v) < 16 {
			return nil, fault.Usagef("set it to a longer secret of your own, such as $(openssl rand -hex 32), or unset it: then one is made and kept in your configuration directory",
				"MINTMARK_LEDGER_KEY is shorter than 16 characters")
		}
		sum := sha256.Sum256([]byte(v))
		return sum[:], nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "mintmark", "ledger.key")
	const size = 32
	if data, err := files.Read(name, 1<<10); err == nil && len(data) == size {
		return data, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	secret := make([]byte, size)
	rand.Read(secret)
	tmp, err := os.CreateTemp(filepath.Dir(name), ".ledger-") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(secret)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return nil, err
	}
	// Two first runs at once: the first link stays. A damaged file is replaced.
	if err := os.Link(tmp.Name(), name); errors.Is(err, fs.ErrExist) {
		if data, err := files.Read(name, 1<<10); err == nil && len(data) == size {
			return data, nil
		}
		return secret, os.Rename(tmp.Name(), name)
	} else if err != nil {
		return secret, os.Rename(tmp.Name(), name) // no hard links here
	}
	return secret, nil
}

func runLedger(ctx context.Context, d *Door, f Flags, _ []string) error {
	if _, err := d.ledgerSecret(); err != nil { // other verbs do without, and warn
		if fault.ExitCode(err) == fault.Usage {
			return err
		}
		return fault.Usagef("set HOME, or MINTMARK_LEDGER_KEY to a secret of your own", "no ledger without its secret: %v", err)
	}
	c, err := d.config(f)
	if err != nil {
		return err
	}
	opt := release.LedgerOptions{Forget: yes(f.Forget)}
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
	if yes(f.JSON) {
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
