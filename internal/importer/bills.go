package importer

import (
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// bills are the bills of materials. What GoReleaser has another program find in single
// artifacts is what the published files' own bills say.
func (g *goreleaser) bills() {
	f := g.field("sboms")
	perFile := false
	var formats []string
	var from []any
	for _, e := range elements(f.value) {
		in := g.importer.fields(e)
		if off := fieldOf(in, "disable"); isTrue(text(off.value)) {
			for _, x := range in {
				g.sayAll(x, Default, "none is made, line %d says", off.key.Line)
			}
			continue
		}
		asked, said := billFormats(in)
		for _, format := range asked {
			if !slices.Contains(formats, format) {
				formats = append(formats, format)
			}
		}
		from = append(from, f.key)
		switch of := first(text(fieldOf(in, "artifacts").value), "archive"); of {
		case "archive", "package", "binary":
			perFile = true
			if !fieldOf(in, "documents").there() {
				g.unwritten("sboms.documents", Changed, "a bill is called %s; by GoReleaser's default its name ends in .sbom.json", fact.BillFormat(asked[0]).FileOf("FILE"))
			}
		}
		for _, x := range in {
			g.bill(x, asked, said)
		}
	}
	if len(from) == 0 {
		if f.there() {
			g.say(f.key, Default, "a release has a bill of materials, dist/sbom.cdx.json; sbom: none leaves it out")
		}
		return
	}
	slices.Sort(formats)
	words := formats
	if perFile {
		words = append(words, "per-file")
	}
	if slices.Equal(words, fact.BillFormats()[:1]) {
		g.say(f.key, Default, "a release has a bill of materials, dist/sbom.cdx.json")
		return
	}
	v := value{list: words, from: from}
	g.draft.top = append(g.draft.top, pair{"sbom", v})
	g.say(f.key, Kept, "sbom: %s", v)
}

// bill says what became of a key of an entry, of which a bill in these formats is made; said
// is whether its arguments say so.
func (g *goreleaser) bill(x field, formats []string, said bool) {
	switch x.name {
	case "artifacts":
		switch of := text(x.value); of {
		case "archive", "package", "binary":
			g.say(x.key, Kept, "sbom: per-file: each archive, package, and program that is published by itself has one")
		case "source":
			g.say(x.key, Changed, "the archive of the source has none of its own; that of the release has what go.mod requires")
		default:
			g.say(x.key, Changed, "what a command finds in any files is not known here; there is that of the release")
		}
	case "args":
		if said {
			g.sayAll(x, Changed, "sbom: %s; no program is run, and what else it is told is of no use", strings.Join(formats, ", "))
			return
		}
		fallthrough
	case "cmd", "env":
		g.sayAll(x, Changed, "no program is run: a bill is made of what was built")
	case "documents":
		g.sayAll(x, Cannot, "it is called as the file that it is of, with .cdx.json or .spdx.json")
	case "ids":
		g.sayAll(x, Changed, "each published file has one")
	case "id", "disable":
		g.say(x.key, Default, "of no use here")
	}
}

// billFormats are those that an entry asks for, and whether its arguments do: else it is
// GoReleaser's default, which has syft write spdx-json=$document
// (https://goreleaser.com/customization/sbom/), or the names of documents say it, or nothing.
func billFormats(in []field) (formats []string, said bool) {
	cmd := text(fieldOf(in, "cmd").value)
	for _, key := range []string{"args", "documents"} {
		words := strings.Join(texts(fieldOf(in, key).value), " ")
		if key == "args" && words == "" && (cmd == "" || cmd == "syft") {
			return []string{string(fact.SPDX)}, false
		}
		for _, format := range []struct {
			name  fact.BillFormat
			marks []string
		}{{fact.CycloneDX, []string{"cyclonedx", ".cdx."}}, {fact.SPDX, []string{"spdx"}}} {
			if slices.ContainsFunc(format.marks, func(mark string) bool { return strings.Contains(words, mark) }) {
				formats = append(formats, string(format.name))
			}
		}
		if formats != nil {
			return formats, key == "args"
		}
	}
	return fact.BillFormats()[:1], false
}
