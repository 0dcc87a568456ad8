package verify

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/mintmark/mintmark/builds/recovery"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
)

// codeSigned is [checksums.VerifyConfig.CodeSigned] for the files of a directory.
func codeSigned(dir string) func(name string) string {
	return func(name string) string {
		f, err := gobin.Open(filepath.Join(dir, name))
		if err != nil {
			return ""
		}
		defer f.Close()
		sig, err := f.Signature()
		if err != nil || sig.Kind != gobin.SignatureIdentity {
			return ""
		}
		return sig.Signer
	}
}

// compareSigned compares a published binary that was signed after the release with what
// was built here, which is what the release lists: with the signature put onto it, all
// bytes have to be the same.
func (t *rebuiltFiles) compareSigned(ctx context.Context, a, built checksums.Artifact, r *checksums.RebuiltArtifact) {
	if !a.Published || !slices.ContainsFunc(t.out.Files, func(f checksums.FileCheck) bool { return f.Name == a.Name && f.Status == checksums.FileSigned }) {
		return
	}
	signer, err := t.resigned(ctx, a, t.ours(built))
	switch {
	case err != nil:
		r.Verdict, r.Reason = fact.Unchecked, "the published file has a code signature that the release does not have, which does not fit what was built: "+err.Error()
	case signer == "":
		r.Verdict, r.Reason = fact.Different, "the published file is another one, also without its code signature"
		r.Findings = t.explain(ctx, a, built)
	default:
		r.Signer = signer
		t.out.Checks.Open(fact.Digest, a.Name, "have a code signature, of "+signer+", that the release does not have; all else in them was made here byte for byte")
	}
}

// resigned puts the signature of the published file onto the one that was built. It gives
// the signer's name if that made the published file, and else "".
func (t *rebuiltFiles) resigned(ctx context.Context, a checksums.Artifact, ours string) (string, error) {
	theirs, err := t.publishedFile(ctx, a)
	if err != nil {
		return "", err
	}
	out := filepath.Join(t.work, "resigned-"+a.SHA256)
	sig, err := recovery.Resign(ctx, theirs, ours, out)
	if err != nil {
		return "", err
	}
	defer os.Remove(out)
	made, _, err := files.Digest(ctx, out)
	if err != nil {
		return "", err
	}
	published, _, err := files.Digest(ctx, theirs)
	if err != nil || made != published {
		return "", err
	}
	return sig.Signer, nil
}

// unproven refuses the files that verification has left to the rebuild
// ([checksums.VerifyConfig.AcceptSigned]) and that it did not make, signature aside.
func unproven(v *checksums.Verification) error {
	var refused []checksums.RefusedError
	for _, f := range v.Files {
		if f.Status != checksums.FileSigned {
			continue
		}
		if slices.ContainsFunc(v.Rebuilt, func(r checksums.RebuiltArtifact) bool {
			return r.Name == f.Name && r.Signer != "" && r.Signer == f.Signer && r.Verdict == fact.Identical
		}) {
			continue
		}
		refused = append(refused, checksums.RefusedError{Name: f.Name, Reason: "is not as listed; it has a code signature that names " + f.Signer + ", and was not made here without that",
			Remedy: "do not use it before a rebuild makes it, but for the signature"})
	}
	if len(refused) == 0 {
		return nil
	}
	return &checksums.VerifyError{Refusals: refused}
}
