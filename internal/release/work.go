package release

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"github.com/mintmark/mintmark/builds/execute/worker"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/memo"
)

// WorkConfig is what a worker works with.
type WorkConfig struct {
	Dir     string   // its own directory, absolute
	Inputs  []string // further directories in which it finds inputs
	Version string   // of this mintmark
	Secret  []byte   // authenticates what it remembers in Dir; without one it remembers nothing
	Key     checksums.KeyRef
	// Given is the passphrase of the key: a worker asks nobody. May be nil.
	Given checksums.PasswordFunc
	Now   func() time.Time
}

// Work answers one request for a build elsewhere. That something was wrong with the
// request, or with the build, is in the answer; an error says that there is none.
func Work(ctx context.Context, cfg WorkConfig, in io.Reader, out io.Writer) error {
	w := &worker.Worker{Dir: cfg.Dir, Version: cfg.Version, Inputs: cfg.Inputs, Now: cfg.Now}
	if len(cfg.Secret) > 0 {
		w.Known = &memo.Store{Dir: filepath.Join(cfg.Dir, "known"), Secret: cfg.Secret}
	}
	if !cfg.Key.IsZero() {
		signer, err := checksums.LoadSigner(ctx, cfg.Key, func() ([]byte, error) {
			if cfg.Given == nil {
				return nil, errors.New("its passphrase is not given, and a worker asks nobody")
			}
			return cfg.Given()
		})
		if err != nil {
			return err
		}
		w.Sign = func(ctx context.Context, receipt []byte) ([]byte, error) {
			return checksums.SignBlob(ctx, signer, receipt)
		}
	}
	_, err := w.Serve(ctx, in, out)
	return err
}
