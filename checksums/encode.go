package checksums

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// MaxManifestSize is the most bytes a release.json may have.
const MaxManifestSize = 16 << 20

// planID returns the plan ID of a plan: the SHA-256, as lower-case hex, of the
// plan's JSON without insignificant white space, followed by one newline.
//
// White space is the only freedom: key order, number spelling and string
// escapes are hashed as they stand. So the plan may be indented inside
// release.json and compact inside the record and has the same ID in both. The
// plan must be one JSON object without duplicate keys.
func planID(plan json.RawMessage) (string, error) {
	c, err := canonicalPlan(plan)
	if err != nil {
		return "", err
	}
	return files.DigestBytes(append(c, '\n')), nil
}

func canonicalPlan(plan json.RawMessage) ([]byte, error) {
	if err := checkJSON(plan); err != nil {
		return nil, fmt.Errorf("plan %w", err)
	}
	c, err := compactJSON(plan)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	if c[0] != '{' {
		return nil, errors.New("plan is not a JSON object")
	}
	return c, nil
}

// Encode returns release.json: indented by two spaces, keys in the order of
// the struct, lists sorted (artifacts by profile, platform, stage, name; actions
// by profile, platform), absent lists empty, no HTML escaping, one newline at the end. One manifest
// has one encoding. It reports every violation of the rules of [Manifest.Validate].
func (m *Manifest) Encode() ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	n, err := m.normal()
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	plan := n.Plan
	n.Plan = nil
	data, err := encodeJSON(n, plan)
	if err == nil {
		data, err = indentJSON(data)
	}
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if len(data) > MaxManifestSize {
		return nil, fmt.Errorf("manifest: has %d bytes, more than %d", len(data), MaxManifestSize)
	}
	return data, nil
}

// normal returns a copy with every list in its order.
func (m *Manifest) normal() (*Manifest, error) {
	n := *m
	plan, err := canonicalPlan(m.Plan)
	if err != nil {
		return nil, err
	}
	n.Plan = plan
	n.Source.Tags = sorted(m.Source.Tags)
	n.Source.StampTags = sorted(m.Source.StampTags)
	n.Source.Dirty = sorted(m.Source.Dirty)
	n.Rebuild.Varied = sorted(m.Rebuild.Varied)
	n.Rebuild.Attempted = sorted(m.Rebuild.Attempted)
	n.Rebuild.Shared = sorted(m.Rebuild.Shared)
	n.Rebuild.Rebuilders = slices.Clone(m.Rebuild.Rebuilders)
	slices.SortFunc(n.Rebuild.Rebuilders, fact.SignerID.Compare)
	n.Rebuild.Actions = slices.Clone(m.Rebuild.Actions)
	slices.SortFunc(n.Rebuild.Actions, func(a, b UnitActions) int {
		return cmp.Or(strings.Compare(a.Profile, b.Profile), strings.Compare(a.Platform, b.Platform))
	})
	for i := range n.Rebuild.Actions {
		a := &n.Rebuild.Actions[i]
		a.Proven = slices.Clone(a.Proven)
		slices.SortFunc(a.Proven, func(a, b ProvenActions) int { return cmp.Compare(a.Executions, b.Executions) })
	}
	n.Rebuild.Independence = m.Rebuild.independence()
	if m.Generated != nil {
		g := *m.Generated
		g.Varied, g.Attempted, g.Shared = sorted(g.Varied), sorted(g.Attempted), sorted(g.Shared)
		g.Tools, g.Files = append([]fact.GeneratorTool{}, g.Tools...), append([]fact.GeneratedFile{}, g.Files...)
		n.Generated = &g
	}
	n.Artifacts = slices.Clone(m.Artifacts)
	if n.Artifacts == nil {
		n.Artifacts = []Artifact{}
	}
	slices.SortFunc(n.Artifacts, compareArtifacts)
	for i := range n.Artifacts {
		a := &n.Artifacts[i]
		if len(a.Findings) == 0 {
			continue
		}
		a.Findings = slices.Clone(a.Findings)
		for j := range a.Findings {
			if a.Findings[j].Evidence == nil {
				a.Findings[j].Evidence = []string{}
			}
		}
	}
	return &n, nil
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

func compareArtifacts(a, b Artifact) int {
	return cmp.Or(
		strings.Compare(a.Profile, b.Profile),
		strings.Compare(a.Platform, b.Platform),
		cmp.Compare(a.Stage, b.Stage),
		strings.Compare(a.Name, b.Name),
	)
}

// ParseManifest reads release.json. It accepts exactly what [Manifest.Encode]
// writes, so unknown and duplicate keys, another schema, bytes after the end,
// another order or spacing and a plan that does not have the plan ID are
// errors.
func ParseManifest(data []byte) (*Manifest, error) {
	if len(data) > MaxManifestSize {
		return nil, fmt.Errorf("manifest: has %d bytes, more than %d", len(data), MaxManifestSize)
	}
	if err := checkJSON(data); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	// The schema first: a newer one would otherwise be called an unknown key.
	var head struct {
		Schema fact.Schema `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("manifest: is not a mintmark manifest: %w", err)
	}
	switch {
	case head.Schema == "":
		return nil, errors.New("manifest: has no schema; it is not a mintmark manifest")
	case head.Schema != fact.ManifestSchema:
		return nil, fault.Errorf("written by a newer mintmark? verify with that version",
			"manifest: has schema %q, this version reads %q", head.Schema, fact.ManifestSchema)
	}
	m := new(Manifest)
	if err := decodeStrict(data, m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	canonical, err := m.Encode()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(canonical, data) {
		return nil, fmt.Errorf("manifest: is not in canonical form (line %d); it was edited or reformatted", firstDifference(canonical, data))
	}
	// As it is hashed: without the indentation of the file.
	if m.Plan, err = canonicalPlan(m.Plan); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return m, nil
}

// firstDifference returns the number of the first line of b that is not in a.
func firstDifference(a, b []byte) int {
	line := 1
	for i := range b {
		if i >= len(a) || a[i] != b[i] {
			break
		}
		if b[i] == '\n' {
			line++
		}
	}
	return line
}

// Published returns the artifacts that lie in the release directory, sorted by
// name.
func (m *Manifest) Published() []Artifact {
	var list []Artifact
	for _, a := range m.Artifacts {
		if a.Published {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b Artifact) int { return strings.Compare(a.Name, b.Name) })
	return list
}
