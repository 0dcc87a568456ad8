package checksums

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// RebuildType is the build type of a rebuild statement: what a rebuilder signs
// who built a published release again; see docs/provenance.md. The predicate
// is SLSA provenance like the record's, so what reads one reads the other, and
// the build type keeps them apart.
const RebuildType = "https://github.com/mintmark/mintmark/blob/main/docs/provenance.md#rebuild-type-v1"

// StatementSuffix is how the file of a signed rebuild statement ends. Such
// files may lie beside the files of a release although it does not list them:
// they are made after it, by others.
const StatementSuffix = ".rebuild.sigstore.json"

// RebuiltArtifact is an artifact of a published release, built once more.
type RebuiltArtifact struct {
	Profile  string       `json:"profile"`
	Platform string       `json:"platform"`
	Stage    fact.Stage   `json:"stage"`
	Name     string       `json:"name"`
	SHA256   string       `json:"sha256"`            // as published
	Rebuilt  string       `json:"rebuilt,omitempty"` // as built here; "" if it was not
	Verdict  fact.Verdict `json:"verdict"`           // of this rebuild
	Reason   string       `json:"reason,omitempty"`  // of unchecked
	// Signer is whom the code signature names that the published file has and the release
	// does not: its other bytes are identical. "" for a file that is as listed.
	Signer string `json:"identical_but_for_signature_of,omitempty"`
	// Findings say why a different one differs, where the published bytes were
	// at hand.
	Findings []fact.Finding `json:"findings,omitempty"`
}

// Key is the artifact's, see [Artifact.Key].
func (r *RebuiltArtifact) Key() string {
	return artifactName(Artifact{Profile: r.Profile, Platform: r.Platform, Stage: r.Stage, Name: r.Name})
}

// NewRebuildStatement returns the statement of a rebuilder about a release:
// its subjects are the artifacts that came out identical, under the names they
// have in the record; its byproducts are all that were looked at, with the
// verdict. manifest is the SHA-256 of release.json, tc the toolchain that the
// rebuilder used, which is another module than the publisher's on another
// platform, and how says how often, where and in what confinement (nil: that is
// not said) the rebuilder built, and how it came by generated files. What its ledger took no part in: Actions and
// Rebuilders are left out. An artifact that is different makes it an error:
// whoever has one has found something else to say.
//
// There is no time in it, for the reason given at [RunDetails].
func NewRebuildStatement(m *Manifest, manifest string, tc fact.Toolchain, by Builder, rebuilt []RebuiltArtifact, how Rebuild) (*Statement, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if m.Kind != KindRelease {
		return nil, fmt.Errorf("rebuild statement: a %s is not a release", m.Kind)
	}
	if err := checkDigest(manifest); err != nil {
		return nil, fmt.Errorf("rebuild statement: manifest: %w", err)
	}
	how = Rebuild{
		Executions: how.Executions, Varied: sorted(how.Varied), Attempted: sorted(how.Attempted), Shared: sorted(how.Shared),
		Confinement: how.Confinement, Generation: how.Generation, Independence: how.independence(),
	}
	if (m.Generated != nil) != (how.Generation != "") {
		return nil, fmt.Errorf("rebuild statement: says %q of generated files, and the release has %t", how.Generation, m.Generated != nil)
	}
	if err := errors.Join(how.check()...); err != nil {
		return nil, fmt.Errorf("rebuild statement: %w", err)
	}
	n, err := m.normal()
	if err != nil {
		return nil, fmt.Errorf("rebuild statement: %w", err)
	}
	published := map[string]Artifact{}
	for _, a := range n.Artifacts {
		published[artifactName(a)] = a
	}
	var subjects, byproducts []Resource
	var errs []error
	for _, r := range rebuilt {
		a, ok := published[r.Key()]
		switch {
		case !ok || a.SHA256 != r.SHA256:
			errs = append(errs, fmt.Errorf("rebuild statement: %s with digest %s is not in the manifest", r.Key(), r.SHA256))
			continue
		case r.Verdict == fact.Different:
			errs = append(errs, fmt.Errorf("rebuild statement: %s is different", r.Key()))
			continue
		case r.Verdict == fact.Identical && r.Rebuilt != r.SHA256:
			errs = append(errs, fmt.Errorf("rebuild statement: %s is called identical, and has digest %s, not %s", r.Key(), r.Rebuilt, r.SHA256))
			continue
		}
		b := Resource{Name: r.Key(), Digest: map[string]string{"sha256": a.SHA256}, Annotations: map[string]string{"stage": string(a.Stage), "verdict": string(r.Verdict)}}
		if r.Reason != "" {
			b.Annotations["reason"] = r.Reason
		}
		byproducts = append(byproducts, b)
		if r.Verdict == fact.Identical {
			subjects = append(subjects, subjectOf(a))
		}
	}
	if len(errs) == 0 && len(subjects) == 0 {
		errs = append(errs, errors.New("rebuild statement: no artifact came out identical"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	byName := func(a, b Resource) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(subjects, byName)
	slices.SortFunc(byproducts, byName)
	deps, err := rebuildDependencies(n, manifest, tc)
	if err != nil {
		return nil, err
	}
	return &Statement{
		Type: StatementType, Subject: subjects, PredicateType: PredicateType,
		Predicate: Provenance{
			BuildDefinition: BuildDefinition{
				BuildType:            RebuildType,
				ExternalParameters:   ExternalParameters{Project: n.Project, Version: n.Version, Plan: n.Plan, PlanID: n.PlanID},
				InternalParameters:   InternalParameters{Rebuild: how},
				ResolvedDependencies: deps,
			},
			RunDetails: RunDetails{
				Builder:    BuilderInfo{ID: BuilderID, Version: map[string]string{by.Name: by.Version}},
				Byproducts: byproducts,
			},
		},
	}, nil
}

// subjectOf names an artifact as the record does.
func subjectOf(a Artifact) Resource {
	digest := map[string]string{"sha256": a.SHA256}
	if a.Published {
		return Resource{Name: a.Name, Digest: digest}
	}
	return Resource{Name: artifactName(a), Digest: digest, Annotations: map[string]string{"stage": string(a.Stage)}}
}

func rebuildDependencies(m *Manifest, manifest string, tc fact.Toolchain) ([]Resource, error) {
	other := *m
	other.Toolchain = tc
	deps, err := dependencies(&other)
	if err != nil {
		return nil, fmt.Errorf("rebuild statement: %w", err)
	}
	return append(deps, Resource{Name: ManifestFile, Digest: map[string]string{"sha256": manifest}}), nil
}

// parseRebuildStatement reads a rebuild statement, which must be exactly as
// [Statement.Encode] writes it. Who signed it is checked before, by
// [VerifyStatement], and what it is about after, by [CheckQuorum].
func parseRebuildStatement(data []byte) (*Statement, error) {
	return parseStatement(data, "rebuild statement", RebuildType)
}

// about compares what a rebuild statement is about with a release. Every
// difference is a reason for not counting it.
func (s *Statement) about(m *Manifest, manifest string) []string {
	var wrong []string
	p := s.Predicate.BuildDefinition.ExternalParameters
	compare := func(what, got, want string) {
		if got != want {
			wrong = append(wrong, fmt.Sprintf("is about %s %q, not %q", what, got, want))
		}
	}
	compare("project", p.Project, m.Project)
	compare("version", p.Version, m.Version)
	compare("commit", s.Commit(), m.Source.Commit)
	compare("plan", p.PlanID, m.PlanID)
	h1 := ""
	if b, err := decodeH1(m.Source.Sum); err == nil {
		h1 = hex.EncodeToString(b)
	}
	compare("source h1", s.source().Digest["dirHash"], h1)
	for _, d := range s.Predicate.BuildDefinition.ResolvedDependencies {
		switch d.Name {
		case ManifestFile:
			compare(ManifestFile, d.Digest["sha256"], manifest)
			manifest = ""
		case "toolchain":
			compare("toolchain", d.Annotations["version"], m.Toolchain.Version)
			if d.Annotations["host"] == m.Toolchain.Host {
				compare("toolchain h1", d.Annotations["h1"], m.Toolchain.Sum)
			}
		}
	}
	if manifest != "" {
		wrong = append(wrong, "does not say which "+ManifestFile+" it is about")
	}
	identical := map[string]string{} // by its own account
	for _, b := range s.Predicate.RunDetails.Byproducts {
		if b.Annotations["verdict"] == string(fact.Identical) {
			identical[b.Name] = b.Digest["sha256"]
		}
	}
	published, keys := map[string]string{}, map[string]string{}
	for _, a := range m.Artifacts {
		name := subjectOf(a).Name
		published[name], keys[name] = a.SHA256, artifactName(a)
	}
	for _, r := range s.Subject {
		switch d, ok := published[r.Name]; {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("names %s, which the release does not have", r.Name))
		case d != r.Digest["sha256"]:
			wrong = append(wrong, fmt.Sprintf("is about another %s: digest %s, the release has %s", r.Name, r.Digest["sha256"], d))
		case identical[keys[r.Name]] != d:
			wrong = append(wrong, fmt.Sprintf("vouches for %s, which by its own account did not come out identical", r.Name))
		}
	}
	return wrong
}
