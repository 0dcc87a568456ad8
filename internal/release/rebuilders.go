package release

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mintmark/mintmark/builds/ledger"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
)

// OpenLedgers opens the ledger, adds the ledgers of other rebuilders, and begins
// the account of the release. nil means that there is no ledger.
func (p *Prepared) OpenLedgers(ctx context.Context, signer checksums.Signer) (*ReleaseLedger, error) {
	s := p.Of
	own := openLedger(s.Copied)
	var used []fact.SignerID
	if len(s.Ledgers) > 0 {
		if s.Full {
			return nil, fault.Usagef("leave one of them out", "-full uses no ledger, and -ledgers names some")
		}
		if own == nil {
			return nil, fault.Errorf("see the warning above", "-ledgers needs a ledger of our own")
		}
		rebuilders, err := s.RebuilderKeys(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range rebuilders {
			if signer != nil && t.ID() == signer.ID() {
				return nil, fault.Usagef("an own execution does not count twice; name other people's keys", "ledger.rebuilders has the key that signs this release")
			}
		}
		var errs []error
		for _, name := range s.Ledgers {
			id, err := addClaims(own, rebuilders, name)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", s.Shorten(name), err))
			} else if slices.Contains(used, id) {
				errs = append(errs, fault.Usagef("give one ledger of each rebuilder: one key counts once", "%s: a second ledger signed by %s", s.Shorten(name), id))
			}
			used = append(used, id)
		}
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		slices.SortFunc(used, fact.SignerID.Compare)
	}
	l := p.useLedger(own)
	if l != nil {
		l.rebuilders = used
	}
	return l, nil
}

// addClaims checks a published ledger's signature and adds what it says. It
// returns who signed it.
func addClaims(to *ledger.Ledger, rebuilders []checksums.Trust, name string) (fact.SignerID, error) {
	var by fact.SignerID
	data, err := files.Read(name, ledger.MaxSize)
	if err != nil {
		return by, err
	}
	bundle, err := files.Read(name+".sigstore.json", 1<<20)
	if err != nil {
		return by, fault.Refusedf("a ledger comes with its signature beside it, FILE.sigstore.json", "not signed: %w", err)
	}
	for _, t := range rebuilders {
		if err = checksums.VerifyBlob(t, bundle, data); err == nil {
			by = t.ID()
			break
		}
	}
	if by.IsZero() {
		if len(rebuilders) > 1 {
			err = errors.New("signed by none of the keys in ledger.rebuilders")
		}
		return by, &fault.Error{Err: err, Code: fault.Refused, Tip: "whose ledger is it? ledger.rebuilders names the keys that count"}
	}
	tc, claims, err := ledger.DecodeClaims(data)
	if err != nil {
		return fact.SignerID{}, &fault.Error{Err: err, Code: fault.Refused, Tip: "the signature is right, but this version of mintmark did not write the file"}
	}
	return by, to.AddClaims(by.String(), tc, claims)
}

// claims is what this release executed of the standard library and of
// dependencies, for others; nil when the profile file does not ask for it.
func claims(p *fetch.Planned, l *ReleaseLedger) ([]byte, error) {
	if !p.File.Ledger.Publish {
		return nil, nil
	}
	if l == nil {
		return nil, fault.Errorf("see the warning above, or leave ledger.publish out", "ledger.publish: there is no ledger")
	}
	return ledger.EncodeClaims(p.GoToolchain.Toolchain, l.recorder.Claims(p.Source.ModulePath))
}
