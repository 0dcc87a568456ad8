package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fault"
)

const keyHint = "make one with `mintmark keygen` and name it in MINTMARK_KEY or in " + ConfigName + " (sign: {key: mintmark.key}); or say sign: none there for an unsigned release"

// KeyRef says which key a release is signed with: the environment's, else the
// profile file's, else none if the file says so.
func (s *Subject) KeyRef() (checksums.KeyRef, error) {
	switch {
	case !s.Key.IsZero():
		return s.Key, nil
	case s.File.Sign.Key != "" && s.Module != "" && s.ConfigFile == "":
		// The file came with the module: its author does not choose among our keys.
		return checksums.KeyRef{}, fault.Usagef("MINTMARK_KEY names yours; -config=FILE reads a profile file of yours", "the module's own profile file names a signing key")
	case s.File.Sign.Key != "":
		return s.besideProfile(s.File.Sign.Key), nil
	case s.File.Sign.None:
		return checksums.KeyRef{}, nil
	}
	return checksums.KeyRef{}, fault.Errorf(keyHint, "no signing key")
}

func (s *Subject) Signer(ctx context.Context) (checksums.Signer, error) {
	ref, err := s.KeyRef()
	if err != nil || ref.IsZero() {
		return nil, err
	}
	signer, err := checksums.LoadSigner(ctx, ref, s.Password)
	if err != nil {
		return nil, signingKey(err)
	}
	if c := signer.Caveat(); c != "" {
		s.Warn("%s", c)
	}
	if !signer.Deterministic() {
		s.Note("signatures of this key are not deterministic: two releases differ in the two .sigstore.json files")
	}
	return signer, nil
}

// CheckKey says what is wrong with the signing key, without asking anybody for a passphrase.
func (s *Subject) CheckKey(ctx context.Context) error {
	ref, err := s.KeyRef()
	if err != nil {
		return err
	}
	return signingKey(ref.Check(ctx, s.Given))
}

// signingKey is an error about the signing key.
func signingKey(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrNotExist):
		return fault.Errorf(keyHint, "signing key: %w", err)
	}
	return fmt.Errorf("signing key: %w", err)
}

// RebuilderKeys are the keys that the profile file names.
func (s *Subject) RebuilderKeys(ctx context.Context) ([]checksums.Trust, error) {
	refs := s.File.Ledger.Rebuilders
	if len(refs) == 0 {
		return nil, fault.Usagef("ledger: {rebuilders: [alice.pub]} in "+ConfigName+" says whose executions count", "-ledgers: the profile file names no rebuilder")
	}
	if s.Module != "" && s.ConfigFile == "" {
		// The file came with the module: its author does not choose whom we believe.
		return nil, fault.Usagef("-config=FILE reads a profile file of yours", "the module's own profile file names the rebuilders")
	}
	var out []checksums.Trust
	var errs []error
	for i, ref := range refs {
		t, err := checksums.LoadTrust(ctx, s.besideProfile(ref))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.File.Pos(fmt.Sprintf("ledger.rebuilders[%d]", i)), err))
			continue
		}
		out = append(out, t)
	}
	return out, errors.Join(errs...)
}

// besideProfile reads the name of a key in the profile file: a path is one from there.
func (s *Subject) besideProfile(ref string) checksums.KeyRef {
	dir := filepath.Dir(s.File.Path)
	if !filepath.IsAbs(dir) {
		if wd, err := os.Getwd(); err == nil {
			dir = filepath.Join(wd, dir)
		}
	}
	return checksums.NewKeyRef(ref, s.LookupEnv).Beside(dir)
}
