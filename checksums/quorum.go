package checksums

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// Quorum says how many rebuilders have to stand for a release.
type Quorum struct {
	// Threshold is the number of distinct keys, 1 or more, that must have signed
	// a rebuild of every published artifact.
	Threshold int
	// Rebuilders are the keys that count, from elsewhere than the release. The
	// same key twice counts once; the publisher's own does not count.
	Rebuilders []*Verifier
	// Statements are the signed rebuild statements that were found.
	Statements []SignedStatement
	// Publisher is the key ID of the release's own signature, "" if unknown.
	Publisher string
}

// SignedStatement is the bundle of a rebuild statement and the name of its file.
type SignedStatement struct {
	Name   string
	Bundle []byte
}

// Rebuilder is what one key signed of a release.
type Rebuilder struct {
	KeyID string   `json:"key_id"`
	Files []string `json:"files"` // where it said so
	// Artifacts are the published ones it vouches for, sorted.
	Artifacts []string `json:"artifacts"`
}

// CheckQuorum counts, for every published artifact of the manifest, the distinct
// keys whose rebuild statements have it as a subject. manifest is the SHA-256 of
// release.json. A statement of a known key about another project, version,
// commit, plan, manifest or digest is refused; one that does not count is among
// the notes. When an artifact has fewer keys than the threshold
// the error is a *[VerifyError] that names each.
func CheckQuorum(m *Manifest, manifest string, q Quorum) (found []Rebuilder, notes []fact.Answer, err error) {
	if q.Threshold < 1 {
		return nil, nil, errors.New("threshold: at least one rebuilder is needed")
	}
	var refusals []RefusedError
	counted := map[string]*Rebuilder{} // by key ID
	note := func(name, why string) {
		notes = append(notes, fact.Answer{Check: fact.Counted, Subject: name, Detail: why})
	}
	for _, st := range q.Statements {
		b, err := readBundle(st.Bundle)
		if err != nil {
			refusals = append(refusals, statementRefusal(st.Name, err))
			continue
		}
		key, payload := signedBy(b, q.Rebuilders)
		if key == nil {
			note(st.Name, "not signed by any of the rebuilders' keys, so not counted")
			continue
		}
		s, err := ParseRebuildStatement(payload)
		if err != nil {
			refusals = append(refusals, statementRefusal(st.Name, err))
			continue
		}
		if wrong := s.about(m, manifest); len(wrong) > 0 {
			for _, w := range wrong {
				refusals = append(refusals, *refusef(st.Name, "it is a statement about something else, whoever signed it", "%s", w))
			}
			continue
		}
		if key.keyID == q.Publisher {
			note(st.Name, "signed by the publisher's own key, so not counted")
			continue
		}
		r := counted[key.keyID]
		if r == nil {
			r = &Rebuilder{KeyID: key.keyID}
			counted[key.keyID] = r
		}
		r.Files = append(r.Files, st.Name)
		for _, a := range m.Published() {
			if slices.ContainsFunc(s.Subject, func(s Resource) bool { return s.Name == a.Name }) && !slices.Contains(r.Artifacts, a.Name) {
				r.Artifacts = append(r.Artifacts, a.Name)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(counted)) {
		slices.Sort(counted[id].Artifacts)
		found = append(found, *counted[id])
	}
	for _, a := range m.Published() {
		var who []string
		for _, r := range found {
			if slices.Contains(r.Artifacts, a.Name) {
				who = append(who, r.KeyID)
			}
		}
		if len(who) < q.Threshold {
			by := ""
			if len(who) > 0 {
				by = " (" + strings.Join(who, ", ") + ")"
			}
			refusals = append(refusals, *refusef(a.Name, "get rebuild statements of more rebuilders, or build it again yourself: mintmark verify -rebuild",
				"was rebuilt by %d of %d rebuilders%s", len(who), q.Threshold, by))
		}
	}
	if len(refusals) > 0 {
		return found, notes, &VerifyError{Refusals: refusals}
	}
	return found, notes, nil
}

// signedBy finds the key that signed the bundle.
func signedBy(b *bundle, keys []*Verifier) (*Verifier, []byte) {
	for _, k := range keys {
		if payload, err := b.verifyStatement(k); err == nil {
			return k, payload
		}
	}
	return nil, nil
}

// statementRefusal is why a rebuild statement does not count.
func statementRefusal(name string, err error) RefusedError {
	r := asRefusal(name, err)
	if r.Remedy == "" {
		r.Remedy = "the statement is damaged: get it again from who made it, or leave it out"
	}
	return r
}
