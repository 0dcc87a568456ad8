package checksums

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// record checks provenance.sigstore.json against the files and the manifest.
func (v *verification) record(files []Entry, m *Manifest) {
	s, payload := v.statement()
	if s == nil {
		return
	}
	before := len(v.refusals)
	files = v.subjects(s.Files(), files)
	if m == nil {
		return
	}
	v.sameRelease(s, m)
	if len(v.refusals) > before {
		return
	}
	v.sameRecord(s, payload, m, files)
}

// recordOfManifest is record for a manifest without its release.
func (v *verification) recordOfManifest(data []byte, m *Manifest) {
	if v.cfg.Trust == nil {
		v.unsigned([]string{ProvenanceBundle}, ProvenanceBundle)
		return
	}
	s, payload := v.statement()
	if s == nil {
		return
	}
	subjects := s.Files()
	if m != nil {
		v.list = m.List()
	}
	v.listed(subjects)
	i := slices.IndexFunc(subjects, func(e Entry) bool { return e.Name == ManifestFile })
	switch {
	case i < 0:
		v.refuse(ProvenanceBundle, "", "the record does not name %s", ManifestFile)
		return
	case subjects[i].SHA256 != files.DigestBytes(data):
		v.refuse(v.manifestName, "", "has digest %s, the record says %s", files.DigestBytes(data), subjects[i].SHA256)
		return
	case m == nil:
		return
	}
	before := len(v.refusals)
	v.sameRelease(s, m)
	if len(v.refusals) > before {
		return
	}
	v.sameRecord(s, payload, m, subjects)
}

// statement returns the signed record.
func (v *verification) statement() (*Statement, []byte) {
	if v.cfg.Trust == nil {
		return nil, nil // v.unsigned has said so
	}
	data := v.read(ProvenanceBundle, MaxBundleSize, missingSignature)
	if data == nil {
		return nil, nil
	}
	b, err := readBundle(data)
	var payload []byte
	var evidence Evidence
	if err == nil {
		payload, evidence, err = b.verifyStatement(v.cfg.Trust)
	}
	if err != nil {
		v.refuseAll(ProvenanceBundle, err)
		return nil, nil
	}
	s, err := ParseStatement(payload)
	if err != nil {
		v.refuseAll(ProvenanceBundle, err)
		return nil, nil
	}
	v.out.Signer = v.cfg.Trust.ID()
	v.signed(ProvenanceBundle, ProvenanceBundle, b, evidence)
	return s, payload
}

// subjects compares the files of the record with the files of the release, its
// list among them. A digest that neither the list has nor a file that is here is
// the record's, in what it returns.
func (v *verification) subjects(got, want []Entry) []Entry {
	want = slices.Clone(want)
	recorded := map[string]string{}
	for _, e := range got {
		recorded[e.Name] = e.SHA256
	}
	for i, e := range want {
		switch d, ok := recorded[e.Name]; {
		case !ok:
			v.refuse(ProvenanceBundle, "", "the record does not name %s", e.Name)
		case e.SHA256 == "":
			want[i].SHA256 = d
		case d != e.SHA256:
			v.refuse(ProvenanceBundle, "", "the record is of another %s: its digest there is %s, here %s", e.Name, d, e.SHA256)
		}
		delete(recorded, e.Name)
	}
	for _, e := range got {
		if _, ok := recorded[e.Name]; ok {
			v.refuse(ProvenanceBundle, "", "the record names %s, which %s does not list", e.Name, v.list.Name)
		}
	}
	return want
}

// sameRelease compares the identity in the record with the manifest's.
func (v *verification) sameRelease(s *Statement, m *Manifest) {
	p := s.Predicate.BuildDefinition.ExternalParameters
	for _, c := range []struct{ what, record, manifest string }{
		{"project", p.Project, m.Project},
		{"version", p.Version, m.Version},
		{"commit", s.Commit(), m.Source.Commit},
		{"plan ID", p.PlanID, m.PlanID},
	} {
		if c.record != c.manifest {
			v.refuse(ProvenanceBundle, "", "the record's %s is %q, the manifest's %q", c.what, c.record, c.manifest)
		}
	}
}

// sameRecord makes the record once more, as [NewStatement] does or, if it has no members
// of archives, as versions before did. Whatever else it says was not in the manifest.
func (v *verification) sameRecord(got *Statement, payload []byte, m *Manifest, files []Entry) {
	if m.Kind != KindRelease {
		return // refused already
	}
	s, err := NewStatement(m, files)
	if got.Predicate.BuildDefinition.InternalParameters.Members == NoMembers {
		s, err = newStatement(m, files, NoMembers)
	}
	if err != nil {
		v.refuseAll(ProvenanceBundle, err)
		return
	}
	if wrong := otherSubjects(got.Subject, s.Subject); len(wrong) > 0 {
		for _, w := range wrong {
			v.refuse(ProvenanceBundle, "", "%s", w)
		}
		return
	}
	want, err := s.Encode()
	if err != nil {
		v.refuseAll(ProvenanceBundle, err)
		return
	}
	if !bytes.Equal(payload, want) {
		v.refuse(ProvenanceBundle, "", "the record says something else than the manifest: %s", excerptAt(payload, want))
		return
	}
	v.out.Checks.Done(fact.Record, "", "")
}

// otherSubjects says what subjects a record has that the manifest and the list do not
// give, and which of these it has not, or with another digest.
func otherSubjects(got, want []Resource) (wrong []string) {
	left := map[string]string{}
	for _, r := range want {
		left[r.Name] = r.Digest["sha256"]
	}
	for _, r := range got {
		switch d, ok := left[r.Name]; {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("the record names %s, which %s does not have", fact.FileName(r.Name), ManifestFile))
		case d != r.Digest["sha256"]:
			wrong = append(wrong, fmt.Sprintf("the record is of another %s: its digest there is %s, in %s %s", fact.FileName(r.Name), r.Digest["sha256"], ManifestFile, d))
		}
		delete(left, r.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		wrong = append(wrong, fmt.Sprintf("the record does not name %s, which %s has", fact.FileName(name), ManifestFile))
	}
	return wrong
}

// excerptAt shows where a begins to differ from b.
func excerptAt(a, b []byte) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return fmt.Sprintf("%q", a[max(0, i-30):min(len(a), i+30)])
}
