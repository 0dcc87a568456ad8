package checksums

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mintmark/mintmark/internal/fact"
)

// BinaryRebuildType is the build type of the statement about one binary that was
// rebuilt from what it says of itself; see docs/provenance.md.
const BinaryRebuildType = "https://github.com/mintmark/mintmark/blob/main/docs/provenance.md#binary-rebuild-type-v1"

// BinaryRebuild is a published binary that came out identical when it was built
// from its source.
type BinaryRebuild struct {
	Name     string // file name
	SHA256   string
	Package  string // import path of the main package
	Platform string
	Command  []string // of the go command
	Env      []string
	// Stamp says where the version control stamp came from; "" for none.
	Stamp string
	// Directories are what the builds saw as the directories of the source, the toolchain
	// and the module cache, where those are part of the bytes; nil: they are not.
	Directories *BuildDirectories
	Source      Source // Module, Version, Sum, SumDB and Commit
	Toolchain   fact.Toolchain
	// Modified is what was different in the toolchain; nil for the release itself.
	Modified *fact.Modification
	// Packer is what packed the binary behind the link; nil for one that is as linked.
	Packer  *fact.Packer
	Builder Builder
	// Confinement is what held the builds; nil: that is not said.
	Confinement *fact.Confinement
}

// BuildDirectories are directories whose paths are part of a binary. "" is one that is not.
type BuildDirectories struct {
	Source   string `json:"source,omitempty"` // of the main module
	Goroot   string `json:"goroot,omitempty"`
	ModCache string `json:"modcache,omitempty"`
}

// binaryStatement is in-toto's statement with SLSA provenance.
type binaryStatement struct {
	Type          string     `json:"_type"`
	Subject       []Resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     struct {
		BuildDefinition struct {
			BuildType            string           `json:"buildType"`
			ExternalParameters   binaryParameters `json:"externalParameters"`
			InternalParameters   binaryInternal   `json:"internalParameters"`
			ResolvedDependencies []Resource       `json:"resolvedDependencies"`
		} `json:"buildDefinition"`
		RunDetails RunDetails `json:"runDetails"`
	} `json:"predicate"`
}

type binaryInternal struct {
	Confinement *fact.Confinement `json:"confinement,omitempty"`
}

type binaryParameters struct {
	Package  string   `json:"package"`
	Platform string   `json:"platform"`
	Command  []string `json:"command"`
	Env      []string `json:"env"`
	Stamp    string   `json:"stamp,omitempty"`

	Directories *BuildDirectories `json:"directories,omitempty"`
	Packer      *fact.Packer      `json:"packer,omitempty"`
	// Modified says that the toolchain was not the release that its version names.
	Modified *fact.Modification `json:"modifiedToolchain,omitempty"`
}

// Encode returns the statement of whoever rebuilt the binary, as it is signed.
// Like the record it has no time.
func (b *BinaryRebuild) Encode() ([]byte, error) {
	if err := checkDigest(b.SHA256); err != nil {
		return nil, fmt.Errorf("rebuild statement: %s: %w", b.Name, err)
	}
	if b.Source.Sum == "" && b.Source.Commit == "" {
		return nil, errors.New("rebuild statement: " + b.Name + ": neither the source's h1 nor its commit is known")
	}
	var s binaryStatement
	s.Type, s.PredicateType = StatementType, PredicateType
	s.Subject = []Resource{{Name: b.Name, Digest: map[string]string{"sha256": b.SHA256}}}
	d := &s.Predicate.BuildDefinition
	d.BuildType = BinaryRebuildType
	if err := checkConfinement(b.Confinement); err != nil {
		return nil, fmt.Errorf("rebuild statement: %s: %w", b.Name, err)
	}
	d.InternalParameters.Confinement = b.Confinement
	d.ExternalParameters = binaryParameters{b.Package, b.Platform, b.Command, b.Env, b.Stamp, b.Directories, b.Packer, b.Modified}
	source := Resource{Name: "source", URI: purl(b.Source.Module, b.Source.Version), Digest: map[string]string{}, Annotations: map[string]string{"sumdb": fmt.Sprint(b.Source.SumDB)}}
	if b.Source.Commit != "" {
		source.Digest["gitCommit"] = b.Source.Commit
	}
	if b.Source.Sum != "" {
		h1, err := decodeH1(b.Source.Sum)
		if err != nil {
			return nil, fmt.Errorf("rebuild statement: source: %w", err)
		}
		source.Digest["dirHash"], source.Annotations["h1"] = hex.EncodeToString(h1), b.Source.Sum
	}
	h1, err := decodeH1(b.Toolchain.Sum)
	if err != nil {
		return nil, fmt.Errorf("rebuild statement: toolchain: %w", err)
	}
	d.ResolvedDependencies = []Resource{source, toolchainResource(b.Toolchain, h1)}
	if m := b.Modified; m != nil {
		if err := checkDigest(m.Patch); err != nil {
			return nil, fmt.Errorf("rebuild statement: the toolchain's patch: %w", err)
		}
		d.ResolvedDependencies[1].Annotations["modified"] = "sha256:" + m.Patch // by this patch
		d.ResolvedDependencies = append(d.ResolvedDependencies, Resource{Name: "toolchain patch", Digest: map[string]string{"sha256": m.Patch}})
	}
	s.Predicate.RunDetails = RunDetails{Builder: BuilderInfo{ID: BuilderID, Version: map[string]string{b.Builder.Name: b.Builder.Version}}, Byproducts: []Resource{}}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return nil, fmt.Errorf("rebuild statement: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
