package release

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/mintmark/mintmark/builds/ledger"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/workspace"
)

// LedgerOptions say what [Ledger] does besides looking.
type LedgerOptions struct {
	Prune  time.Duration // forget what no release has used for so long; 0: nothing
	Forget bool          // forget everything
}

// Ledgers is the result of [Ledger].
type Ledgers struct {
	Ledgers []*ledger.Summary `json:"ledgers"`
	// Pruned and Freed are the actions and bytes that were forgotten.
	Pruned int   `json:"pruned"`
	Freed  int64 `json:"freed"`
}

// Ledger looks through the proof ledgers of all toolchains, hashes every stored
// output again and removes what is damaged. Disputed actions come with an error
// of exit code 3.
func Ledger(ctx context.Context, cfg run.Config, opt LedgerOptions) (*Ledgers, error) {
	if err := workspace.Check(cfg.Cache); err != nil {
		return nil, err
	}
	if _, err := os.Stat(ledgerDir(cfg.Cache)); err == nil {
		// Nobody clears it meanwhile.
		w, err := workspace.Open(cfg.Cache)
		if err != nil {
			return nil, err
		}
		defer w.Close()
	}
	lc := ledger.Config{Dir: ledgerDir(cfg.Cache), Secret: cfg.Secret, Now: cfg.Now}
	list, err := ledger.OpenAll(lc)
	if err != nil {
		return nil, err
	}
	res := &Ledgers{}
	var errs []error
	for _, l := range list {
		switch {
		case opt.Forget:
			errs = append(errs, l.Forget(ctx))
		case opt.Prune > 0:
			n, freed, err := l.Prune(ctx, cfg.Now.Add(-opt.Prune))
			res.Pruned += n
			res.Freed += freed
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if list, err = ledger.OpenAll(lc); err != nil {
		return nil, err
	}
	disputed := 0
	for _, l := range list {
		s, err := l.Summary(ctx)
		if err != nil {
			return nil, err
		}
		disputed += len(s.Disputed)
		res.Ledgers = append(res.Ledgers, s)
	}
	if disputed > 0 {
		return res, &fault.Error{Err: errors.New("not deterministic: actions in the ledger gave different outputs from the same inputs"), Code: fault.NotReproducible, Tip: "they and what depends on them are compiled twice in every release; `mintmark ledger -forget` begins anew once the cause is gone"}
	}
	return res, nil
}
