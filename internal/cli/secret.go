package cli

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// ledgerSecret is what authenticates the proof ledger: MINTMARK_LEDGER_KEY, or
// a file in the user's configuration directory, made when there is none. It is
// not in the cache directory on purpose: a cache that somebody else filled, as
// those that continuous integration restores, proves nothing here.
func (d *app) ledgerSecret() ([]byte, error) {
	if v := d.getenv("MINTMARK_LEDGER_KEY"); v != "" {
		if len(v) < 16 {
			return nil, fault.Usagef("set it to a longer secret of your own, such as $(openssl rand -hex 32), or unset it: then one is made and kept in your configuration directory", "MINTMARK_LEDGER_KEY is shorter than 16 characters")
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
