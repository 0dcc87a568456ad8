package profiles

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template/parse"

	"go.yaml.in/yaml/v4"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// Checksums is the top-level key `checksums`: what the list of digests is called,
// and what its digests are.
type Checksums struct {
	Name      string // template
	Algorithm fact.Algorithm
}

// SourceArchive is the top-level key `source`: the archive of the commit's files that
// is published with a release.
type SourceArchive struct {
	Format string // one of [fact.ArchiveFormats]
	Name   string // template; of the file, without the extension
	Wrap   string // template; the directory that everything in it is in, "" for none
}

// Defaults of the templates.
const (
	defaultSourceName = "{{.Project}}_{{.Version}}_source"
	defaultSourceWrap = "{{.Project}}-{{.Version}}"
)

// publishedKeys are the keys of the file about what a release publishes once, for all
// platforms.
func publishedKeys() []key {
	return []key{
		{name: "checksums", kind: kindGroup, doc: "The list of the digests of all files of a release.", sub: []key{
			{name: "checksums.name", kind: kindText, template: true, def: fact.ChecksumsFile, doc: "Name of the list; its signature is called so too, with .sigstore.json."},
			{name: "checksums.algorithm", kind: kindText, enum: fact.Algorithms(), def: string(fact.SHA256), doc: "What the digests of the list are; those of the manifest are SHA-256."},
		}},
		{name: "source", kind: kindGroup, doc: "An archive of the files of the commit, as they are in it, published with the release.", sub: []key{
			{name: "source.archive", kind: kindText, enum: fact.ArchiveFormats(), def: fact.TarGz, doc: "Its format."},
			{name: "source.name", kind: kindText, template: true, def: defaultSourceName, doc: "Its name, without the extension."},
			{name: "source.wrap", kind: kindText, template: true, def: defaultSourceWrap, doc: "The directory that everything in it is in; empty for none."},
		}},
		{name: "sbom", kind: kindTexts, enum: append(fact.BillFormats(), billPerFile, noBill), def: string(fact.CycloneDX), doc: "Formats of the bill of materials (SBOM) that a release has, or none; per-file: each published file has one of its own as well."},
		channelsKey(),
		{name: "images", kind: kindOther, doc: "Container images of a release, by name.", sub: imageKeys()},
		{name: "publish", kind: kindTexts, doc: "Where mintmark publish brings a release, unless -to says it: github:OWNER/REPO, and so on; oci: is for container images."},
	}
}

// Words beside the formats of bills of materials.
const (
	noBill      = "none"     // a release without one
	billPerFile = "per-file" // beside the release's, one of each published file
)

// BillFormats are the formats in which a release says which modules are in it.
func (f *File) BillFormats() []fact.BillFormat {
	if f.Bills == nil {
		return []fact.BillFormat{fact.CycloneDX}
	}
	return f.Bills
}

// bills decodes `sbom`.
func (d *decoder) bills(n *yaml.Node) {
	words := d.words(n, "sbom", "write sbom: "+string(fact.CycloneDX), find(publishedKeys(), "sbom").enum)
	if slices.Contains(words, noBill) && len(words) > 1 {
		d.errorAt(d.pos(n), "leave out "+noBill+", or all other words", "sbom: %s stands beside another word", noBill)
	}
	d.file.Bills = []fact.BillFormat{}
	for _, w := range words {
		switch w {
		case noBill:
		case billPerFile:
			d.file.BillPerFile = true
		default:
			d.file.Bills = append(d.file.Bills, fact.BillFormat(w))
		}
	}
	if d.file.BillPerFile && len(d.file.Bills) == 0 {
		d.file.Bills = nil // the default
	}
	slices.Sort(d.file.Bills)
}

// publish decodes the top-level key.
func (d *decoder) publish(n *yaml.Node) {
	texts, nodes := d.oneOrMore(n, "publish", "write publish: github:OWNER/REPO")
	for i, text := range texts {
		pos := d.pos(nodes[i])
		if slices.ContainsFunc(d.file.Publish, func(p Placed) bool { return p.Text == text }) {
			d.errorAt(pos, "leave one of them out", "publish: %s is there twice", text)
			continue
		}
		d.file.Publish = append(d.file.Publish, Placed{text, pos})
	}
}

// List is the list of a release's digests, for that commit and version.
func (f *File) List(v Vars) (fact.DigestList, error) {
	if f.Checksums == nil {
		return fact.DefaultList(), nil
	}
	name, err := f.published("checksums.name", f.Checksums.Name, v, checkListName)
	return fact.DigestList{Name: name, Algorithm: f.Checksums.Algorithm}, err
}

// SourceArchive is the archive of the commit for that commit and version: Name with
// the extension; nil if there is none.
func (f *File) SourceArchive(v Vars) (*SourceArchive, error) {
	if f.Source == nil {
		return nil, nil
	}
	name, err := f.published("source.name", f.Source.Name, v, CheckName)
	wrap, werr := f.published("source.wrap", f.Source.Wrap, v, checkWrap)
	return &SourceArchive{Format: f.Source.Format, Name: name + "." + f.Source.Format, Wrap: wrap}, errors.Join(err, werr)
}

// published expands a template of the whole release.
func (f *File) published(key, text string, v Vars, check func(string) error) (string, error) {
	v.Project, v.Env = f.Project, nil
	value, err := expandText(text, &v)
	if err == nil {
		err = check(value)
	}
	if err != nil {
		return "", f.Problem(f.Pos(key), fmt.Sprintf("%s: %v", key, err), fault.Hint(err))
	}
	return value, nil
}

// checkListName accepts the usual name, and any that no other file of a release has.
func checkListName(s string) error {
	if s == fact.ChecksumsFile {
		return nil
	}
	if err := CheckName(s); err != nil {
		return err
	}
	if b := (fact.DigestList{Name: s}).Bundle(); fact.KindOf(b) != fact.Unknown {
		return fmt.Errorf("the signature of %q would be %q, which is another file of the release", s, b)
	}
	return nil
}

// checkWrap accepts "" and the name of a directory.
func checkWrap(s string) error {
	if s == "" {
		return nil
	}
	return CheckName(s)
}

// publishedGroup decodes `checksums` or `source`; what is wrong is reported, and ""
// is returned for it. texts has a value for each key of the group.
func (d *decoder) publishedGroup(name string, n *yaml.Node) (texts map[string]string) {
	group := find(publishedKeys(), name)
	texts = map[string]string{}
	for _, k := range group.sub {
		texts[k.last()] = k.def
	}
	entries, ok := d.mapEntries(n, name, "write "+name+": {"+group.sub[0].last()+": …}")
	if !ok {
		return texts
	}
	for _, e := range entries {
		i := slices.IndexFunc(group.sub, func(k key) bool { return k.last() == e.name })
		if i < 0 {
			d.unknownKey(e, name, group.sub, nil)
			continue
		}
		k := group.sub[i]
		d.file.positions[k.name] = d.pos(e.value)
		text, ok := d.text(e.value, k.name)
		if !ok || k.enum != nil && !d.enum(d.pos(e.value), k.name, text, k.enum) {
			continue
		}
		texts[e.name] = text
		if k.template {
			d.publishedTemplate(k, e.value, text)
		}
	}
	return texts
}

// publishedTemplate reports what is wrong with a template of the whole release, for
// an invented commit: one platform's variables have no value in it.
func (d *decoder) publishedTemplate(k key, n *yaml.Node, text string) {
	if tree, _, err := parseTree(text); err == nil {
		for _, f := range templateFields(tree.Root) {
			if slices.Contains([]string{"OS", "Arch", "Variant", "Profile", "Binary", "Name"}, f) {
				d.errorAt(d.pos(n), "use .Project, .Version, .Tag or .Commit", "%s is of the whole release, which has no .%s", k.name, f)
				return
			}
		}
	}
	value, err := expandText(text, &Vars{
		Project: d.file.Project, Version: "1.2.3", Tag: "v1.2.3", Commit: strings.Repeat("0123456789", 4), ShortCommit: "0123456",
		CommitDate: "2006-01-02T15:04:05Z", CommitTimestamp: "1136214245",
	})
	if err == nil && checkProject(d.file.Project) != nil {
		return // project is missing, comes later, or is wrong
	}
	check := CheckName
	switch {
	case k.name == "checksums.name":
		check = checkListName
	case k.name == "source.wrap":
		check = checkWrap
	case k.last() == "url":
		check = checkDownloads
	case k.last() == "tags" || k.last() == "moving":
		check = checkImageTag
	case k.kind == kindMap: // labels and annotations
		check = checkEnvValue
	}
	if err == nil {
		err = check(value)
	}
	var f *templateFault
	switch {
	case errors.As(err, &f):
		d.errorAt(d.inside(n, f.offset), f.hint, "%s", f.msg)
	case err != nil:
		d.errorAt(d.pos(n), fault.Hint(err), "%s: %v", k.name, err)
	}
}

// templateFields are the names of the fields that a template uses.
func templateFields(n parse.Node) (names []string) {
	each := func(nodes ...parse.Node) {
		for _, n := range nodes {
			names = append(names, templateFields(n)...)
		}
	}
	branch := func(b *parse.BranchNode) {
		each(b.Pipe)
		for _, l := range []*parse.ListNode{b.List, b.ElseList} {
			if l != nil {
				each(l)
			}
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		each(n.Nodes...)
	case *parse.ActionNode:
		each(n.Pipe)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			each(c.Args...)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.FieldNode:
		names = append(names, n.Ident[0])
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			names = append(names, n.Ident[1])
		}
	}
	return names
}
