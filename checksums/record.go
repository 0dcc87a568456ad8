package checksums

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// Types of the record.
const (
	// StatementType is in-toto's statement, version 1.
	StatementType = "https://in-toto.io/Statement/v1"
	// PredicateType is SLSA provenance, version 1.
	PredicateType = "https://slsa.dev/provenance/v1"
	// BuildType says how to read the predicate's parameters; see docs/provenance.md.
	BuildType = "https://github.com/mintmark/mintmark/blob/main/docs/provenance.md#build-type-v1"
	// BuilderID names the kind of builder: any machine that runs mintmark. Who
	// vouches for it is the owner of the key, not this name.
	BuilderID = "https://github.com/mintmark/mintmark/blob/main/docs/provenance.md#builder"
)

// MaxStatementSize is the most bytes a record may have, unsigned.
const MaxStatementSize = 16 << 20

// MaxSubjects is the most subjects a record may have. cosign and the other
// Sigstore clients read no more (sigstore-go, verify.maxAllowedSubjects).
const MaxSubjects = 1024

// Statement is the record: an in-toto statement with SLSA provenance. It is a
// function of the manifest and the list of files; see [NewStatement].
type Statement struct {
	Type          string     `json:"_type"`
	Subject       []Resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     Provenance `json:"predicate"`
}

// Resource is in-toto's ResourceDescriptor, as far as the record uses it.
type Resource struct {
	Name        string            `json:"name,omitempty"`
	URI         string            `json:"uri,omitempty"`
	Digest      map[string]string `json:"digest,omitempty"` // in-toto DigestSet: algorithm → lower-case hex
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Provenance is the SLSA provenance predicate, version 1.
type Provenance struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      RunDetails      `json:"runDetails"`
}

// BuildDefinition is everything that a rebuilder needs.
type BuildDefinition struct {
	BuildType            string             `json:"buildType"`
	ExternalParameters   ExternalParameters `json:"externalParameters"`
	InternalParameters   InternalParameters `json:"internalParameters"`
	ResolvedDependencies []Resource         `json:"resolvedDependencies"`
}

// ExternalParameters are what the maker of the release asked for.
type ExternalParameters struct {
	Project string          `json:"project"`
	Version string          `json:"version"` // without the leading v
	Plan    json.RawMessage `json:"plan"`    // the canonical plan
	PlanID  string          `json:"planId"`  // see planID
}

// InternalParameters are what mintmark chose.
type InternalParameters struct {
	Rebuild Rebuild `json:"rebuild"`
	// Members says which members of archives are subjects; "" in a rebuild statement.
	Members MemberSubjects `json:"members,omitempty"`
}

// MemberSubjects says which members of archives a record has among its subjects.
// [NewStatement] takes the first of these that has no more than [MaxSubjects].
type MemberSubjects string

const (
	// AllMembers is every member of every archive that the manifest has members of.
	AllMembers MemberSubjects = "all"
	// DistinctMembers is, of every digest that no other subject has, the first member.
	DistinctMembers MemberSubjects = "distinct"
	// NoMembers is none: programs are subjects all the same, as binaries. All records
	// of before there was a word for it have none.
	NoMembers MemberSubjects = ""
)

// stageMember is the annotation "stage" of a subject that is a member of an archive.
const stageMember = "member"

// RunDetails says who built and what else came out of it. It has no metadata:
// the times and the number of an invocation would make the record of the same
// release differ from day to day.
type RunDetails struct {
	Builder    BuilderInfo `json:"builder"`
	Byproducts []Resource  `json:"byproducts"`
}

// BuilderInfo names the builder and its version.
type BuilderInfo struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version"` // program → version
}

// NewStatement returns the record of a manifest. files are the entries of
// checksums.txt and checksums.txt itself.
//
// Subjects are the files; each linked, packed or universal binary that is not published by
// itself, under the name PROFILE/PLATFORM/STAGE/NAME with the annotation "stage":
// a stranger may reproduce the binary and not the archive; and each member of an
// archive, under the name ARCHIVE/MEMBER with the stage "member": whoever looks for
// an attestation of what was unpacked has nothing but that file. Which members
// there are is said by [InternalParameters.Members].
//
// A container image is a subject by the digest of its index as well, under the name of
// its repository and with the annotation "stage": so registries know it, and whoever
// has the record finds it by what was pulled.
//
// Byproducts are the verdict and build ID of every artifact.
func NewStatement(m *Manifest, files []Entry) (*Statement, error) {
	var s *Statement
	var err error
	for _, members := range []MemberSubjects{AllMembers, DistinctMembers, NoMembers} {
		if s, err = newStatement(m, files, members); !errors.Is(err, errManySubjects) {
			break
		}
	}
	return s, err
}

// errManySubjects is a record with more than [MaxSubjects].
var errManySubjects = fault.Errorf("make two releases of fewer platforms each", "Sigstore clients read no more than %d", MaxSubjects)

// newStatement is [NewStatement] with these members of archives.
func newStatement(m *Manifest, files []Entry, members MemberSubjects) (*Statement, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if m.Kind != KindRelease {
		return nil, fmt.Errorf("record: a %s has no record; only a release has", m.Kind)
	}
	n, err := m.normal()
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	subjects, err := subjects(n, files, members)
	if err != nil {
		return nil, err
	}
	deps, err := dependencies(n)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	generators, err := generators(n)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	s := &Statement{
		Type:          StatementType,
		Subject:       subjects,
		PredicateType: PredicateType,
		Predicate: Provenance{
			BuildDefinition: BuildDefinition{
				BuildType: BuildType,
				ExternalParameters: ExternalParameters{
					Project: n.Project,
					Version: n.Version,
					Plan:    n.Plan,
					PlanID:  n.PlanID,
				},
				InternalParameters:   InternalParameters{Rebuild: n.Rebuild, Members: members},
				ResolvedDependencies: append(deps, generators...),
			},
			RunDetails: RunDetails{
				Builder:    BuilderInfo{ID: BuilderID, Version: map[string]string{n.Builder.Name: n.Builder.Version}},
				Byproducts: byproducts(n),
			},
		},
	}
	return s, nil
}

func subjects(m *Manifest, files []Entry, members MemberSubjects) ([]Resource, error) {
	var list []Resource
	names := map[string]bool{}
	digests := map[string]string{}
	var errs []error
	for _, e := range files {
		if err := errors.Join(checkName(e.Name), checkDigest(e.SHA256)); err != nil {
			errs = append(errs, fmt.Errorf("record: %q: %w", e.Name, err))
			continue
		}
		if names[e.Name] {
			errs = append(errs, fmt.Errorf("record: %q is given twice", e.Name))
			continue
		}
		names[e.Name] = true
		digests[e.Name] = e.SHA256
		list = append(list, Resource{Name: e.Name, Digest: map[string]string{"sha256": e.SHA256}})
	}
	for _, a := range m.Artifacts {
		if a.Published {
			if d := digests[a.Name]; d != a.SHA256 {
				errs = append(errs, fmt.Errorf("record: %q is published with digest %s, the list says %q", a.Name, a.SHA256, d))
			}
			continue
		}
		if a.Stage.Holds() {
			continue
		}
		list = append(list, Resource{
			Name:        artifactName(a),
			Digest:      map[string]string{"sha256": a.SHA256},
			Annotations: map[string]string{"stage": string(a.Stage)},
		})
	}
	for _, e := range m.once() {
		if digests[e.Name] != e.SHA256 {
			errs = append(errs, fmt.Errorf("record: %q is published with digest %s, the list says %q", e.Name, e.SHA256, digests[e.Name]))
		}
	}
	for _, i := range m.Images {
		list = append(list, Resource{Name: i.Subject(), Digest: map[string]string{"sha256": i.Digest}, Annotations: map[string]string{"stage": imageStage}})
	}
	if len(list) == 0 {
		errs = append(errs, errors.New("record: no files"))
	}
	list, err := addMembers(list, m, members)
	errs = append(errs, err)
	if len(list) > MaxSubjects {
		errs = append(errs, fmt.Errorf("record: %d subjects; %w", len(list), errManySubjects))
	}
	slices.SortFunc(list, func(a, b Resource) int { return strings.Compare(a.Name, b.Name) })
	return list, errors.Join(errs...)
}

// addMembers adds members of archives to the other subjects.
func addMembers(list []Resource, m *Manifest, which MemberSubjects) ([]Resource, error) {
	names, digests := map[string]bool{}, map[string]bool{}
	for _, r := range list {
		names[r.Name], digests[r.Digest["sha256"]] = true, true
	}
	var errs []error
	for _, x := range m.members() {
		if which == NoMembers || which == DistinctMembers && digests[x.sum] {
			continue
		}
		name := x.archive + "/" + x.name
		if names[name] {
			errs = append(errs, fmt.Errorf("record: the subject %q would be there twice", name))
		}
		names[name], digests[x.sum] = true, true
		list = append(list, Resource{
			Name:        name,
			Digest:      map[string]string{"sha256": x.sum},
			Annotations: map[string]string{"stage": stageMember},
		})
	}
	return list, errors.Join(errs...)
}

// Key is the name of the artifact in the record, if it is not a file of the
// release: PROFILE/PLATFORM/STAGE/NAME.
func (a *Artifact) Key() string { return artifactName(*a) }

func artifactName(a Artifact) string {
	return a.Profile + "/" + a.Platform + "/" + string(a.Stage) + "/" + a.Name
}

// dependencies are the source and the toolchain. Both are named by package URL,
// findings a Go module is found by name and version alone and a private
// checkout has no address that would mean something elsewhere. The digests are
// those of in-toto's DigestSet: dirHash is the h1: hash as hex.
func dependencies(m *Manifest) ([]Resource, error) {
	src := m.Source
	h1, err := decodeH1(src.Sum)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	source := Resource{
		Name:   "source",
		URI:    purl(src.Module, src.Version),
		Digest: map[string]string{"dirHash": hex.EncodeToString(h1)},
		Annotations: map[string]string{
			"commitTime": src.CommitTime,
			"h1":         src.Sum,
			"kind":       string(src.Kind),
			"sumdb":      strconv.FormatBool(src.SumDB),
		},
	}
	if src.Commit != "" {
		source.Digest["gitCommit"] = src.Commit
	}
	if src.Tree != "" {
		source.Digest["gitTree"] = src.Tree
	}
	if len(src.Tags) > 0 {
		source.Annotations["tags"] = strings.Join(src.Tags, " ")
	}
	if src.Stamp != "" {
		source.Annotations["stamp"] = src.Stamp
	}
	if len(src.StampTags) > 0 {
		source.Annotations["stampTags"] = strings.Join(src.StampTags, " ")
	}
	if src.Dir != "" {
		source.Annotations["dir"] = src.Dir
	}
	h1, err = decodeH1(m.Toolchain.Sum)
	if err != nil {
		return nil, fmt.Errorf("toolchain: %w", err)
	}
	return []Resource{source, toolchainResource(m.Toolchain, h1)}, nil
}

// toolchainResource names a toolchain; h1 is its decoded hash.
func toolchainResource(tc fact.Toolchain, h1 []byte) Resource {
	module, version, _ := strings.Cut(tc.Module, "@")
	return Resource{
		Name:   "toolchain",
		URI:    purl(module, version),
		Digest: map[string]string{"dirHash": hex.EncodeToString(h1)},
		Annotations: map[string]string{
			"h1":      tc.Sum,
			"host":    tc.Host,
			"sumdb":   strconv.FormatBool(tc.SumDB),
			"version": tc.Version,
		},
	}
}

// purl is the package URL of a Go module version. Upper-case letters stay: the
// purl specification wants lower case, but then the module could not be
// fetched by the name.
func purl(module, version string) string {
	s := "pkg:golang/" + purlEscape(module, "/")
	if version != "" {
		s += "@" + purlEscape(version, "")
	}
	return s
}

func purlEscape(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			strings.IndexByte("-._~", c) >= 0, strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func byproducts(m *Manifest) []Resource {
	list := make([]Resource, 0, len(m.Artifacts))
	for _, a := range m.Artifacts {
		r := Resource{
			Name:        artifactName(a),
			Digest:      map[string]string{"sha256": a.SHA256},
			Annotations: map[string]string{"stage": string(a.Stage), "verdict": string(a.Verdict)},
		}
		for key, value := range map[string]string{
			"buildId": a.BuildID,
			"from":    strings.Join(a.From, " "),
			"package": a.Package,
			"reason":  a.Reason,
			"tool":    a.Tool,
		} {
			if value != "" {
				r.Annotations[key] = value
			}
		}
		list = append(list, r)
	}
	return list
}

// Commit returns the git commit of the source, "" when the record names none.
func (s *Statement) Commit() string { return s.source().Digest["gitCommit"] }

func (s *Statement) source() Resource {
	for _, r := range s.Predicate.BuildDefinition.ResolvedDependencies {
		if r.Name == "source" {
			return r
		}
	}
	return Resource{}
}

// Files returns the subjects that are files of the release, checksums.txt
// among them, sorted by name.
func (s *Statement) Files() []Entry {
	var files []Entry
	for _, r := range s.Subject {
		if r.Annotations["stage"] == "" {
			files = append(files, Entry{Name: r.Name, SHA256: r.Digest["sha256"]})
		}
	}
	slices.SortFunc(files, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return files
}

// Find says what has a SHA-256 among the subjects that are no files of the release:
// binaries, headers and members of archives. nil if none has it.
func (s *Statement) Find(sum string) *Found {
	var f Found
	for _, r := range s.Subject {
		archive, name, ok := strings.Cut(r.Name, "/")
		switch {
		case r.Digest["sha256"] != sum || r.Annotations["stage"] == "" || !ok:
		case r.Annotations["stage"] == stageMember:
			f.member(archive, name)
		case f.Artifact == "":
			f.Artifact = r.Name
		}
	}
	return f.orNil()
}

// Encode returns the record as it is signed: compact JSON, keys in the order
// of the struct, no HTML escaping, no newline at the end.
func (s *Statement) Encode() ([]byte, error) {
	plan, err := canonicalPlan(s.Predicate.BuildDefinition.ExternalParameters.Plan)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	empty := *s
	empty.Predicate.BuildDefinition.ExternalParameters.Plan = nil
	data, err := encodeJSON(empty, plan)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if len(data) > MaxStatementSize {
		return nil, fmt.Errorf("record: has %d bytes, more than %d", len(data), MaxStatementSize)
	}
	return data, nil
}

// ParseStatement reads a record, which must be exactly as [Statement.Encode]
// writes it, of the types above, with SHA-256 digests and unique names of the
// subjects, and with a plan that has the plan ID. Who signed it is checked
// before, by [VerifyStatement].
func ParseStatement(data []byte) (*Statement, error) {
	return parseStatement(data, "record", BuildType)
}

// parseStatement is [ParseStatement] for a build type; what names the
// statement in errors.
func parseStatement(data []byte, what, buildType string) (*Statement, error) {
	if len(data) > MaxStatementSize {
		return nil, fmt.Errorf("%s: has %d bytes, more than %d", what, len(data), MaxStatementSize)
	}
	if err := checkJSON(data); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	var head struct {
		Type          string `json:"_type"`
		PredicateType string `json:"predicateType"`
		Predicate     struct {
			BuildDefinition struct {
				BuildType string `json:"buildType"`
			} `json:"buildDefinition"`
		} `json:"predicate"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%s: is not an in-toto statement: %w", what, err)
	}
	for _, t := range []struct{ what, got, want string }{
		{"type", head.Type, StatementType},
		{"predicate type", head.PredicateType, PredicateType},
		{"build type", head.Predicate.BuildDefinition.BuildType, buildType},
	} {
		if t.got != t.want {
			return nil, fault.Errorf("written by a newer mintmark, or not by mintmark",
				"%s: has %s %q, this version reads %q", what, t.what, t.got, t.want)
		}
	}
	s := new(Statement)
	if err := decodeStrict(data, s); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if len(s.Subject) == 0 {
		return nil, fmt.Errorf("%s: has no subject", what)
	}
	if len(s.Subject) > MaxSubjects {
		return nil, fmt.Errorf("%s: has %d subjects, more than %d", what, len(s.Subject), MaxSubjects)
	}
	seen := map[string]bool{}
	for _, r := range s.Subject {
		if len(r.Digest) != 1 {
			return nil, fmt.Errorf("%s: subject %q: has %d digests; want sha256 alone", what, r.Name, len(r.Digest))
		}
		if err := checkDigest(r.Digest["sha256"]); err != nil {
			return nil, fmt.Errorf("%s: subject %q: sha256: %w", what, r.Name, err)
		}
		check := checkPath
		if r.Annotations["stage"] == imageStage {
			check = checkImageSubject
		}
		if err := check(r.Name); err != nil {
			return nil, fmt.Errorf("%s: subject: %w", what, err)
		}
		if seen[r.Name] {
			return nil, fmt.Errorf("%s: subject %q is there twice", what, r.Name)
		}
		seen[r.Name] = true
	}
	known := []MemberSubjects{NoMembers}
	if buildType == BuildType {
		known = append(known, AllMembers, DistinctMembers)
	}
	if members := s.Predicate.BuildDefinition.InternalParameters.Members; !slices.Contains(known, members) {
		return nil, fault.Errorf("written by a newer mintmark, or not by mintmark", "%s: has %q for members", what, string(members))
	}
	p := s.Predicate.BuildDefinition.ExternalParameters
	id, err := planID(p.Plan)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if id != p.PlanID {
		return nil, fmt.Errorf("%s: the plan has the plan ID %s, not %s", what, id, p.PlanID)
	}
	canonical, err := s.Encode()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(canonical, data) {
		return nil, fmt.Errorf("%s: is not in canonical form; it was not written by mintmark", what)
	}
	return s, nil
}
