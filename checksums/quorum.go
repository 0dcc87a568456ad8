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
	// Threshold is the number of distinct signers, 1 or more, that must have signed
	// a rebuild of every published artifact.
	Threshold int
	// Rebuilders are whose statements count; a key is from elsewhere than the
	// release. The same signer twice counts once; the publisher does not count.
	Rebuilders []Trust
	// Statements are the signed rebuild statements that were found.
	Statements []SignedStatement
	// Publisher made the release's own signature; nobody if that is unknown.
	Publisher fact.SignerID
}

// SignedStatement is the bundle of a rebuild statement and the name of its file.
type SignedStatement struct {
	Name   string
	Bundle []byte
}

// Rebuilder is what one signer signed of a release.
type Rebuilder struct {
	Signer fact.SignerID `json:"key_id"`
	Files  []string      `json:"files"` // where it said so
	// Artifacts are the published ones it vouches for, sorted.
	Artifacts []string `json:"artifacts"`
}

// CheckQuorum counts, for every published artifact of the manifest, the distinct
// rebuilders whose statements have it as a subject. manifest is the SHA-256 of
// release.json. A statement of a rebuilder about another project, version,
// commit, plan, manifest or digest is refused, and so is one whose signer is of a
// kind that no rebuilder is of; one that does not count is among the notes. When
// an artifact has fewer rebuilders than the threshold the error is a
// *[VerifyError] that names each.
func CheckQuorum(m *Manifest, manifest string, q Quorum) (found []Rebuilder, notes []fact.Answer, err error) {
	if q.Threshold < 1 {
		return nil, nil, errors.New("threshold: at least one rebuilder is needed")
	}
	var refusals []RefusedError
	counted := map[fact.SignerID]*Rebuilder{}
	note := func(name, why string) {
		notes = append(notes, fact.Answer{Check: fact.Counted, Subject: name, Detail: why})
	}
	for _, st := range q.Statements {
		b, err := readBundle(st.Bundle)
		if err != nil {
			refusals = append(refusals, statementRefusal(st.Name, err))
			continue
		}
		by, payload, err := signedBy(b, q.Rebuilders)
		if err != nil {
			refusals = append(refusals, statementRefusal(st.Name, err))
			continue
		}
		if by.IsZero() {
			note(st.Name, "not signed by any of the rebuilders' keys, so not counted")
			continue
		}
		s, err := parseRebuildStatement(payload)
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
		if by == q.Publisher {
			note(st.Name, "signed by the publisher's own "+string(by.Kind)+", so not counted")
			continue
		}
		r := counted[by]
		if r == nil {
			r = &Rebuilder{Signer: by}
			counted[by] = r
		}
		r.Files = append(r.Files, st.Name)
		for _, a := range m.Published() {
			if slices.ContainsFunc(s.Subject, func(s Resource) bool { return s.Name == a.Name }) && !slices.Contains(r.Artifacts, a.Name) {
				r.Artifacts = append(r.Artifacts, a.Name)
			}
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(counted), fact.SignerID.Compare) {
		slices.Sort(counted[id].Artifacts)
		found = append(found, *counted[id])
	}
	for _, a := range m.Published() {
		var who []string
		for _, r := range found {
			if slices.Contains(r.Artifacts, a.Name) {
				who = append(who, r.Signer.Text())
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

// signedBy finds which of the rebuilders signed the bundle: nobody, if it is
// somebody else. It is an error if none of them can tell, as it is of another
// kind of signer.
func signedBy(b *bundle, rebuilders []Trust) (by fact.SignerID, payload []byte, err error) {
	told := false
	for _, t := range rebuilders {
		payload, _, refused := b.verifyStatement(t)
		if refused == nil {
			return t.ID(), payload, nil
		}
		if r, ok := errors.AsType[*RefusedError](refused); !ok || !r.OtherKind {
			told = true
		}
		err = refused
	}
	if told {
		err = nil
	}
	return fact.SignerID{}, nil, err
}

// statementRefusal is why a rebuild statement does not count.
func statementRefusal(name string, err error) RefusedError {
	r := asRefusal(name, err)
	if r.Remedy == "" {
		r.Remedy = "the statement is damaged: get it again from who made it, or leave it out"
	}
	return r
}
