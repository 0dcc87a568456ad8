package sbom

import (
	"fmt"
	"slices"
	"strings"
)

// The parts of an SPDX 2.3 document that are written here, after
// https://spdx.github.io/spdx-spec/v2.3/.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		DataLicense   string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace,omitempty"`
		Creation      spdxCreation       `json:"creationInfo"`
		Packages      []spdxPackage      `json:"packages"`
		Relationships []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		ID        string         `json:"SPDXID"`
		Name      string         `json:"name"`
		Version   string         `json:"versionInfo,omitempty"`
		Download  string         `json:"downloadLocation"`
		Analyzed  bool           `json:"filesAnalyzed"`
		FileName  string         `json:"packageFileName,omitempty"`
		Checksums []spdxChecksum `json:"checksums,omitempty"`
		Concluded string         `json:"licenseConcluded"`
		Declared  string         `json:"licenseDeclared"`
		Copyright string         `json:"copyrightText"`
		Comment   string         `json:"comment,omitempty"`
		External  []spdxExternal `json:"externalRefs,omitempty"`
		Purpose   string         `json:"primaryPackagePurpose,omitempty"`
	}
	spdxChecksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	spdxExternal struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxRelationship struct {
		From string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
)

// noAssertion is SPDX's word for what was not looked at.
const noAssertion = "NOASSERTION"

// spdx writes the bill as an SPDX 2.3 document in JSON.
func (b *bill) spdx() ([]byte, error) {
	m := b.manifest
	const root = "SPDXRef-DOCUMENT"
	doc := spdxDocument{
		Version: "SPDX-2.3", DataLicense: "CC0-1.0", ID: root, Name: m.Project + "-" + m.Version,
		Creation: spdxCreation{m.Source.CommitTime, []string{strings.TrimSuffix("Tool: "+m.Builder.Name+"-"+b.toolVersion(), "-")}},
	}
	if b.of != nil {
		doc.Name = b.of.Name
	}
	ids := map[string]string{}
	relate := func(from, how, to string) {
		doc.Relationships = append(doc.Relationships, spdxRelationship{from, how, to})
	}
	add := func(ref string, p spdxPackage) {
		p.ID = fmt.Sprintf("SPDXRef-%d-%s", len(ids)+1, spdxName(p.Name))
		ids[ref] = p.ID
		doc.Packages = append(doc.Packages, p)
	}
	main := b.main.spdx()
	if b.of == nil {
		main.Purpose = "APPLICATION"
	}
	if m.Source.Commit != "" {
		main.Comment = "commit " + m.Source.Commit
	}
	add(b.main.ref(), main)
	for i := range b.modules {
		c := &b.modules[i]
		add(c.ref(), c.spdx())
		switch {
		case c.unlinked:
			relate(ids[c.ref()], "OPTIONAL_DEPENDENCY_OF", ids[b.main.ref()])
		case len(c.linked) == 0: // go.mod requires it; what of it is linked is not known
			relate(ids[c.ref()], "DEPENDENCY_OF", ids[b.main.ref()])
		}
	}
	for i := range b.files {
		f := &b.files[i]
		p := spdxPackage{
			Name: f.Name, Download: noAssertion, Checksums: []spdxChecksum{{"SHA256", f.SHA256}},
			Concluded: noAssertion, Declared: noAssertion, Copyright: noAssertion, Purpose: "FILE",
			Comment: strings.Join([]string{f.Profile, f.Platform, string(f.Stage)}, " "),
		}
		if f.Published {
			p.FileName = f.Name
		}
		if f == b.of {
			p.Version = m.Version
		}
		if f.aggregate() != "complete" && f.modules != nil {
			p.Comment += "; what is in it beside Go packages is not listed"
		}
		add(f.ref, p)
	}
	described := b.main.ref()
	for i := range b.files {
		f := &b.files[i]
		if f == b.of {
			described = f.ref
		}
		relate(ids[f.ref], "GENERATED_FROM", ids[b.main.ref()])
		for _, from := range f.from {
			relate(ids[f.ref], "GENERATED_FROM", ids[from])
		}
		for _, ref := range b.modulesIn(f) {
			relate(ids[f.ref], "CONTAINS", ids[ref])
		}
	}
	doc.Relationships = slices.Insert(doc.Relationships, 0, spdxRelationship{root, "DESCRIBES", ids[described]})
	plain, err := encode(doc)
	if err != nil {
		return nil, err
	}
	// A namespace is a unique URI that nothing has to be found at: section 6.5.
	doc.Namespace = "urn:uuid:" + uuid(plain)
	return encode(doc)
}

// spdx is the package of a module.
func (c *component) spdx() spdxPackage {
	p := spdxPackage{Name: c.Path, Version: c.Version, Download: noAssertion, Concluded: noAssertion, Declared: noAssertion, Copyright: noAssertion}
	if len(c.licenses) > 0 {
		p.Declared = strings.Join(c.licenses, " AND ")
	}
	if u := c.purl(); u != "" {
		p.External = append(p.External, spdxExternal{"PACKAGE-MANAGER", "purl", u})
	}
	if c.standard {
		p.External = append(p.External, spdxExternal{"SECURITY", "cpe23Type", c.cpe()})
	}
	var notes []string
	if c.Sum != "" {
		notes = append(notes, c.Sum)
	}
	if c.Dir != "" {
		notes = append(notes, "from the directory "+c.Dir)
	}
	for _, r := range c.replaces {
		notes = append(notes, "in the place of "+r)
	}
	if c.unlinked {
		notes = append(notes, "no package of it is linked")
	}
	most := slices.MaxFunc(append(c.linked, weight{}), func(a, b weight) int { return int(a.bytes - b.bytes) })
	if most.measured {
		notes = append(notes, fmt.Sprintf("%d packages with %d bytes are linked where it is most", most.packages, most.bytes))
	}
	p.Comment = strings.Join(notes, "; ")
	return p
}

// spdxName is of a name what an SPDX identifier may have.
func spdxName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, s)
}
