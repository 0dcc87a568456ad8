package sbom

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/mintmark/mintmark/internal/fact"
)

// The parts of a CycloneDX 1.6 document that are written here, after
// https://cyclonedx.org/docs/1.6/json/. Names of properties begin with "mintmark:".
type (
	cdxDocument struct {
		Schema       string           `json:"$schema"`
		Format       string           `json:"bomFormat"`
		SpecVersion  string           `json:"specVersion"`
		Serial       string           `json:"serialNumber,omitempty"`
		Version      int              `json:"version"`
		Metadata     cdxMetadata      `json:"metadata"`
		Components   []cdxComponent   `json:"components"`
		Dependencies []cdxDependency  `json:"dependencies"`
		Compositions []cdxComposition `json:"compositions"`
	}
	cdxMetadata struct {
		Timestamp string       `json:"timestamp"`
		Tools     cdxTools     `json:"tools"`
		Component cdxComponent `json:"component"`
	}
	cdxTools struct {
		Components []cdxComponent `json:"components"`
	}
	cdxComponent struct {
		Type       string        `json:"type"`
		Ref        string        `json:"bom-ref,omitempty"`
		Name       string        `json:"name"`
		Version    string        `json:"version,omitempty"`
		Scope      string        `json:"scope,omitempty"`
		Hashes     []cdxHash     `json:"hashes,omitempty"`
		Licenses   []cdxLicense  `json:"licenses,omitempty"`
		CPE        string        `json:"cpe,omitempty"`
		PURL       string        `json:"purl,omitempty"`
		Pedigree   *cdxPedigree  `json:"pedigree,omitempty"`
		Properties []cdxProperty `json:"properties,omitempty"`
	}
	cdxHash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	cdxLicense struct {
		License struct {
			ID string `json:"id"`
		} `json:"license"`
	}
	cdxPedigree struct {
		Commits []cdxCommit `json:"commits"`
	}
	cdxCommit struct {
		UID string `json:"uid"`
	}
	cdxProperty struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	cdxDependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
	cdxComposition struct {
		Aggregate    string   `json:"aggregate"`
		Dependencies []string `json:"dependencies"`
	}
)

// cycloneDX writes the bill as a CycloneDX 1.6 document in JSON.
func (b *bill) cycloneDX() ([]byte, error) {
	m := b.manifest
	kind, root := "application", b.main.ref()
	if b.of != nil {
		kind, root = "library", b.of.ref
	}
	about := b.main.cdx(kind)
	if m.Source.Commit != "" {
		about.Pedigree = &cdxPedigree{[]cdxCommit{{m.Source.Commit}}}
	}
	doc := cdxDocument{Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", SpecVersion: "1.6", Version: 1}
	all := cdxDependency{Ref: root}
	if b.of != nil {
		doc.Components = append(doc.Components, about) // the main module is one of what is in it
		about = b.of.cdx()
		about.Version = m.Version
		all.DependsOn = slices.Concat(b.of.from, b.modulesIn(b.of))
	}
	about.property("project", m.Project)
	about.property("release", m.Version)
	doc.Metadata = cdxMetadata{
		Timestamp: m.Source.CommitTime,
		Tools:     cdxTools{[]cdxComponent{{Type: "application", Name: m.Builder.Name, Version: b.toolVersion()}}},
		Component: about,
	}
	for i := range b.modules {
		doc.Components = append(doc.Components, b.modules[i].cdx("library"))
	}
	compositions := map[string][]string{}
	var edges []cdxDependency
	for i := range b.files {
		f := &b.files[i]
		if b.of == nil && f.Published {
			all.DependsOn = append(all.DependsOn, f.ref)
		}
		if f != b.of {
			doc.Components = append(doc.Components, f.cdx())
			edges = append(edges, cdxDependency{f.ref, slices.Concat(f.from, b.modulesIn(f))})
		}
		if f.Stage == fact.Linked {
			aggregate := f.aggregate()
			compositions[aggregate] = append(compositions[aggregate], f.ref)
		}
	}
	doc.Dependencies = append([]cdxDependency{all}, edges...)
	for _, aggregate := range []string{"complete", "incomplete", "unknown"} {
		if refs := compositions[aggregate]; refs != nil {
			doc.Compositions = append(doc.Compositions, cdxComposition{aggregate, refs})
		}
	}
	plain, err := encode(doc)
	if err != nil {
		return nil, err
	}
	doc.Serial = "urn:uuid:" + uuid(plain)
	return encode(doc)
}

// aggregate says in the words of CycloneDX whether all that is in a program is listed.
func (f *file) aggregate() string {
	switch {
	case !f.known:
		return "unknown"
	case !f.goOnly:
		return "incomplete"
	}
	return "complete"
}

// cdx is the component of a module.
func (c *component) cdx(kind string) cdxComponent {
	out := cdxComponent{Type: kind, Ref: c.ref(), Name: c.Path, Version: c.Version, PURL: c.purl()}
	for _, id := range c.licenses {
		l := cdxLicense{}
		l.License.ID = id
		out.Licenses = append(out.Licenses, l)
	}
	if c.standard {
		out.CPE = c.cpe()
	}
	switch {
	case kind != "library":
	case len(c.linked) > 0:
		out.Scope = "required"
	case c.unlinked:
		out.Scope = "excluded"
	}
	if c.Sum != "" {
		out.property("h1", c.Sum)
	}
	if c.Dir != "" {
		out.property("directory", c.Dir)
	}
	for _, r := range c.replaces {
		out.property("replaces", r)
	}
	if c.unlinked {
		out.property("packages", "0")
		out.property("bytes", "0")
	}
	for _, w := range c.linked {
		if w.measured {
			out.property("packages:"+w.file, strconv.Itoa(w.packages))
			out.property("bytes:"+w.file, strconv.FormatInt(w.bytes, 10))
		}
	}
	return out
}

// cdx is the component of a file.
func (f *file) cdx() cdxComponent {
	out := cdxComponent{Type: "file", Ref: f.ref, Name: f.Name, Version: "", Hashes: []cdxHash{{"SHA-256", f.SHA256}}}
	if f.Stage == fact.Linked || f.Stage == fact.Universal {
		out.Type = "application"
	}
	out.property("platform", f.Platform)
	out.property("profile", f.Profile)
	out.property("stage", string(f.Stage))
	out.property("size", strconv.FormatInt(f.Size, 10))
	out.property("verdict", string(f.Verdict))
	if f.Package != "" {
		out.property("package", f.Package)
	}
	return out
}

func (c *cdxComponent) property(name, value string) {
	c.Properties = append(c.Properties, cdxProperty{"mintmark:" + name, value})
}

// encode writes a document as it lies in a release.
func encode(doc any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(doc)
	return b.Bytes(), err
}

// namespace is the UUID of names that are URLs: RFC 9562, section 6.6.
var namespace = [16]byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}

// uuid is the name-based UUID of the content: RFC 9562, section 5.5.
func uuid(content []byte) string {
	h := sha1.New()
	h.Write(namespace[:])
	h.Write(content)
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 5<<4
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
