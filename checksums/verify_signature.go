package checksums

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/mintmark/mintmark/internal/fact"
)

// signature checks the bundle of the list.
func (v *verification) signature(list []byte) {
	if v.cfg.Trust == nil {
		v.unsigned([]string{v.list.Bundle(), ProvenanceBundle, LedgerBundle}, v.list.Name, ProvenanceBundle)
		return
	}
	data := v.read(v.list.Bundle(), MaxBundleSize, missingSignature)
	if data == nil || list == nil {
		return
	}
	if v.blob(v.list.Name, list, v.list.Bundle(), data) {
		v.out.Signer = v.cfg.Trust.ID()
	}
}

// blob reports whether the signature of a file is right.
func (v *verification) blob(name string, data []byte, bundleName string, bundle []byte) bool {
	b, err := readBundle(bundle)
	var evidence Evidence
	if err == nil {
		evidence, err = b.verifyBlob(v.cfg.Trust, data)
	}
	if err != nil {
		v.refuseAll(bundleName, err)
		return false
	}
	v.signed(name, bundleName, b, evidence)
	return true
}

const missingSignature = "the release is unsigned or its signature was taken away; ask the publisher for it"

// unsigned says why no signature was checked, of the files that have one.
func (v *verification) unsigned(bundles []string, signed ...string) {
	v.out.Unsigned = true
	why := "the release is unsigned; anybody can have made it"
	for _, name := range bundles {
		if _, err := v.root.Lstat(name); err == nil {
			why = name + " is there, but no key was given"
			break
		}
	}
	for _, name := range signed {
		v.out.Checks.Open(fact.Signature, name, why)
	}
	why = "without a key it is not looked at"
	if _, err := v.root.Lstat(ProvenanceBundle); errors.Is(err, fs.ErrNotExist) {
		why = ProvenanceBundle + " is not here"
	}
	v.out.Checks.Open(fact.Record, "", why)
}

// signed says that the signature of a file was found right, and what of its
// bundle was looked at besides. A key, for one, needs no log and no timestamps.
func (v *verification) signed(name, bundleName string, b *bundle, found Evidence) {
	v.out.Checks.Done(fact.Signature, name, v.cfg.Trust.ID().Text())
	for _, part := range []struct {
		check fact.Check
		found string
		n     int
		what  string
	}{
		{fact.TransparencyLog, found.Log, len(b.material.GetTlogEntries()), "entries"},
		{fact.SigningTime, found.Time, len(b.material.GetTimestampVerificationData().GetRfc3161Timestamps()), "timestamps"},
	} {
		switch {
		case part.found != "":
			v.out.Checks.Done(part.check, bundleName, part.found)
		case part.n > 0:
			v.out.Checks.Open(part.check, bundleName, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
}
