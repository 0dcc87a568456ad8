package checksums

import (
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// MaxLedgerSize is the most bytes a ledger.json may have: about a million
// actions.
const MaxLedgerSize = 256 << 20

// ledger checks the signature of the published ledger, which the list has with
// that entry and whose file came out with that status. Its bundle is there only
// together with it; without a listed ledger it is a file like any other that
// the list lacks.
func (v *verification) ledger(e Entry, status string) {
	switch status {
	case FileVerified:
	case FileMissing:
		if _, err := v.root.Lstat(LedgerBundle); err == nil {
			v.refuse(LedgerBundle, "get "+LedgerFile+" too, or remove the signature", "is a signature over %s, which is not here", LedgerFile)
		}
		return
	default:
		return // refused already; a signature over something else says nothing
	}
	v.out.Checks.Open(fact.Executed, LedgerFile, "the publisher states it")
	if v.cfg.Trust == nil {
		v.unsigned([]string{v.list.Bundle(), ProvenanceBundle, LedgerBundle}, LedgerFile)
		return
	}
	v.out.Checks.Open(fact.Signature, LedgerFile, "it was not reached")
	bundle := v.read(LedgerBundle, MaxBundleSize, missingSignature)
	if bundle == nil {
		return
	}
	data := v.read(LedgerFile, MaxLedgerSize, "")
	if data == nil {
		return
	}
	if files.DigestBytes(data) != e.SHA256 {
		v.refuse(LedgerFile, "", "was changed while it was verified")
		return
	}
	v.blob(LedgerFile, data, LedgerBundle, bundle)
}
