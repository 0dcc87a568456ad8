package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/run"
)

// Attested is what came of [Attest].
type Attested struct {
	Verification *checksums.Verification
	File         string // the bundle that was written; "" for none
	SignedBy     fact.SignerID
	Subjects     []string // what it vouches for
	Left         []string // what of the release is not in it, with the reason
}

// Attest builds a published release again as [Rebuild] does, and signs a
// statement that names every artifact that came out identical, with the key
// cfg.Key. When one came out different nothing is signed. What could not be
// compared is left out of the statement, and the error says so (exit code 1).
// out is the file to write; "" is
// PROJECT_VERSION.KEY.rebuild.sigstore.json in the working directory.
func Attest(ctx context.Context, cfg run.Config, vc Config, from, out string) (*Attested, error) {
	if cfg.Key.IsZero() {
		return nil, fault.Usagef("name your own private key in MINTMARK_KEY; mintmark keygen makes one", "no key to sign the statement with")
	}
	if out != "" && !strings.HasSuffix(out, checksums.StatementSuffix) {
		return nil, fault.Usagef("end the name in "+checksums.StatementSuffix+": verify looks for such files beside a release", "-out=%s", out)
	}
	signer, err := checksums.LoadSigner(ctx, cfg.Key, cfg.Password)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	// Before anything is built.
	if v, err := Release(ctx, vc); err == nil && v.Signer == signer.ID() {
		return nil, fault.Usagef("a rebuilder signs with a key of its own; MINTMARK_KEY names it", "the key is the publisher's: its word is in the record already")
	}
	p, how, err := rebuildRelease(ctx, cfg, vc, from)
	if p == nil {
		return nil, err
	}
	a := attestation{p, how, signer, checksums.Builder{Name: "mintmark", Version: cfg.Tool}}
	return a.attested(ctx, err, out)
}

// attestation is a rebuilt publication, and who says so.
type attestation struct {
	*publication
	how     reproduced
	signer  checksums.Signer
	builder checksums.Builder
}

// attested is what comes of a rebuild that ended in err: a statement about what
// is identical, if nothing is different, and the error all the same.
func (t *attestation) attested(ctx context.Context, err error, out string) (*Attested, error) {
	res := &Attested{Verification: t.out, SignedBy: t.signer.ID()}
	if len(t.out.Rebuilt) == 0 || fault.ExitCode(err) > fault.Failed {
		return res, err
	}
	// What was not compared stays an error, though the rest is signed.
	return res, errors.Join(err, t.attest(ctx, res, out))
}

// attest signs what came out identical, and says what of the release is left out.
func (t *attestation) attest(ctx context.Context, res *Attested, out string) error {
	st, err := checksums.NewRebuildStatement(t.m, t.sum, t.how.toolchain, t.builder, t.out.Rebuilt, t.how.rebuild)
	if err != nil {
		return err
	}
	payload, err := st.Encode()
	if err != nil {
		return err
	}
	bundle, err := checksums.SignStatement(ctx, t.signer, payload)
	if err != nil {
		return fmt.Errorf("signing the statement: %w", err)
	}
	if out == "" {
		out = t.m.Project + "_" + t.m.Version + "." + short(t.signer.ID().Name) + checksums.StatementSuffix
	}
	err = files.WriteOver(out, bundle, 0o644, "is no statement that this key has signed", func(old []byte) bool {
		_, err := checksums.VerifyStatement(t.signer.Trust(), old)
		return err == nil
	})
	if err != nil {
		return err
	}
	res.File = out
	for _, s := range st.Subject {
		res.Subjects = append(res.Subjects, s.Name)
	}
	for _, a := range t.out.Checks.Answers() {
		if !a.Checked && slices.Contains([]fact.Check{fact.Rebuilt, fact.NotBuilt, fact.BillAgain, fact.ImageAgain}, a.Check) {
			res.Left = append(res.Left, a.Subject+": "+a.Detail)
		}
	}
	for _, r := range t.out.RebuiltFiles {
		if r.Same() {
			res.Left = append(res.Left, r.Name+": it came out identical, and is no artifact")
		}
	}
	return nil
}

// short makes a signer's name fit for a file's name.
func short(name string) string {
	s := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, name)
	return s[:min(len(s), 12)]
}
