package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// Attested is what came of [Attest].
type Attested struct {
	Verification *checksums.Verification
	File         string   // the bundle that was written; "" for none
	KeyID        string   // who signed it
	Subjects     []string // what it vouches for
	Left         []string // what of the release is not in it, with the reason
}

// Attest builds a published release again as [VerifyRebuild] does, and signs a
// statement that names every artifact that came out identical, with the key
// cfg.Key. When one came out different nothing is signed. What could not be
// compared is left out of the statement, and the error says so (exit code 1).
// out is the file to write; "" is
// PROJECT_VERSION.KEY.rebuild.sigstore.json in the working directory.
func Attest(ctx context.Context, cfg Config, vc VerifyConfig, from, out string) (*Attested, error) {
	if cfg.Key.IsZero() {
		return nil, usage("name your own private key in MINTMARK_KEY; mintmark keygen makes one", "no key to sign the statement with")
	}
	if out != "" && !strings.HasSuffix(out, checksums.StatementSuffix) {
		return nil, usage("end the name in "+checksums.StatementSuffix+": verify looks for such files beside a release", "-out=%s", out)
	}
	signer, err := checksums.LoadSigner(ctx, cfg.Key, cfg.Password)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	// Before anything is built.
	if v, err := Verify(ctx, vc); err == nil && v.KeyID == signer.KeyID() {
		return nil, usage("a rebuilder signs with a key of its own; MINTMARK_KEY names it", "the key is the publisher's: its word is in the record already")
	}
	t, err := rebuildRelease(ctx, cfg, vc, from)
	if t == nil {
		return nil, err
	}
	return t.attested(ctx, err, signer, out)
}

// attested is what comes of a rebuild that ended in err: a statement about what
// is identical, if nothing is different, and the error all the same.
func (t *third) attested(ctx context.Context, err error, signer *checksums.Signer, out string) (*Attested, error) {
	res := &Attested{Verification: t.out, KeyID: signer.KeyID()}
	if len(t.out.Rebuilt) == 0 || ExitCode(err) > ExitError {
		return res, err
	}
	// What was not compared stays an error, though the rest is signed.
	return res, errors.Join(err, t.attest(ctx, res, signer, out))
}

// attest signs what came out identical, and says what of the release is left out.
func (t *third) attest(ctx context.Context, res *Attested, signer *checksums.Signer, out string) error {
	st, err := checksums.NewRebuildStatement(t.m, t.manifest, t.tc.Toolchain, checksums.Builder{Name: "mintmark", Version: t.Tool}, t.out.Rebuilt, t.how)
	if err != nil {
		return err
	}
	payload, err := st.Encode()
	if err != nil {
		return err
	}
	bundle, err := checksums.SignStatement(ctx, signer, payload)
	if err != nil {
		return fmt.Errorf("signing the statement: %w", err)
	}
	if out == "" {
		out = t.m.Project + "_" + t.m.Version + "." + short(signer.KeyID()) + checksums.StatementSuffix
	}
	err = files.WriteOver(out, bundle, 0o644, "is no statement that this key has signed", func(old []byte) bool {
		_, err := checksums.VerifyStatement(signer.Verifier(), old)
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
		if !a.Checked && (a.Check == fact.Rebuilt || a.Check == fact.NotBuilt) {
			res.Left = append(res.Left, a.Subject+": "+a.Detail)
		}
	}
	return nil
}

// short makes a key's name fit for a file's name.
func short(keyID string) string {
	s := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, keyID)
	return s[:min(len(s), 12)]
}

// quorumKeys are the keys of the rebuilders that count. What is wrong with them,
// or with how many of them must vouch, is said before anything is verified.
func quorumKeys(ctx context.Context, cfg VerifyConfig) (keys []*checksums.Verifier, err error) {
	switch {
	case cfg.Threshold < 0:
		return nil, usage("at least one rebuilder is needed", "-threshold=%d", cfg.Threshold)
	case len(cfg.Rebuilders) == 0 && (cfg.Threshold != 0 || len(cfg.Statements) > 0):
		return nil, usage("name the public keys of the rebuilders you trust: -rebuilder=alice.pub,bob.pub", "no rebuilders")
	}
	var errs []error
	for _, ref := range cfg.Rebuilders {
		k, err := checksums.LoadVerifier(ctx, ref)
		if err != nil {
			errs = append(errs, fmt.Errorf("rebuilder's key: %w", err))
		}
		keys = append(keys, k)
	}
	return keys, errors.Join(errs...)
}

// quorum counts the rebuild statements about a verified release.
func quorum(ctx context.Context, cfg VerifyConfig, keys []*checksums.Verifier, v *checksums.Verification) error {
	dir, name := cfg.Path, filepath.Join(cfg.Path, checksums.ManifestFile)
	if fi, err := os.Stat(cfg.Path); err == nil && !fi.IsDir() {
		dir, name = filepath.Dir(cfg.Path), cfg.Path
	}
	if len(keys) == 0 {
		for _, name := range v.Statements {
			v.Checks.Open(fact.Beside, name, "-rebuilder= names the keys that count")
		}
		return nil
	}
	q := checksums.Quorum{Rebuilders: keys, Threshold: cfg.Threshold, Publisher: v.KeyID}
	ids := map[string]bool{}
	for _, k := range keys {
		ids[k.KeyID()] = true
	}
	if cfg.Threshold == 0 {
		q.Threshold = len(ids) // all that were named
	}
	statements, err := statementFiles(dir, cfg.Statements)
	if err != nil {
		return err
	}
	for _, f := range statements {
		data, err := files.Read(f, checksums.MaxBundleSize)
		if err != nil {
			return fmt.Errorf("rebuild statement: %w", err)
		}
		q.Statements = append(q.Statements, checksums.SignedStatement{Name: filepath.Base(f), Bundle: data})
	}
	sum, _, err := files.Digest(ctx, name)
	if err != nil {
		return err
	}
	found, notes, err := checksums.CheckQuorum(v.Manifest, sum, q)
	v.Rebuilders = found
	for _, n := range notes {
		v.Checks.Open(n.Check, n.Subject, n.Detail)
	}
	for _, a := range v.Manifest.Published() {
		v.Checks.Open(fact.Quorum, a.Name, "not by enough of the named rebuilders")
	}
	notProducts(v)
	if err != nil {
		return err
	}
	var who []string
	for _, r := range found {
		who = append(who, r.KeyID)
	}
	for _, a := range v.Manifest.Published() {
		v.Checks.Done(fact.Quorum, a.Name, fmt.Sprintf("at least %d of the named rebuilders: %s", q.Threshold, strings.Join(who, ", ")))
	}
	return nil
}

// statementFiles are the named files, those in named directories, and those
// beside the release.
func statementFiles(dir string, named []string) ([]string, error) {
	var files []string
	for _, name := range append([]string{dir}, named...) {
		fi, err := os.Stat(name)
		if err != nil {
			return nil, usage("-statements= names files or directories", "rebuild statement: %w", err)
		}
		if !fi.IsDir() {
			files = append(files, name)
			continue
		}
		list, err := os.ReadDir(name)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			if strings.HasSuffix(f.Name(), checksums.StatementSuffix) && f.Type().IsRegular() {
				files = append(files, filepath.Join(name, f.Name()))
			}
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}
