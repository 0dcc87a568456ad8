package importer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"go.yaml.in/yaml/v4"
)

const (
	nameSuffix    = `{{ .Version }}_{{ .Os }}_{{ .Arch }}{{ with .Arm }}v{{ . }}{{ end }}{{ with .Mips }}_{{ . }}{{ end }}{{ if not (eq .Amd64 "v1") }}{{ .Amd64 }}{{ end }}`
	archiveName   = "{{ .ProjectName }}_" + nameSuffix // GoReleaser's defaults
	binaryName    = "{{ .Binary }}_" + nameSuffix
	binaryFormat  = "binary"
	nothingFormat = "none"
)

// archive is one of GoReleaser's archives.
type archive struct {
	id, name, wrap string // templates of GoReleaser's
	ids            []string
	formats        []string
	overrides      []formatOverride
	files          field
	aliases        map[string]string
	base           bool // strip_binary_directory
	different      bool // allow_different_binary_count
	keys           struct{ id, name, wrap, formats, overrides *yaml.Node }
}

type formatOverride struct {
	goos    string
	formats []string
}

// unit is what makes one artifact for each of its platforms.
type unit struct {
	archive *archive
	bare    bool
	builds  map[target][]*build
	formats map[target][]string
	targets []target // in order
}

// archives reads the archives, and joins them with builds.
func (g *goreleaser) archives() {
	list := elements(g.field("archives").value)
	if a := g.field("archive"); a.there() {
		list = append(list, a.value)
	}
	if len(list) == 0 {
		list = []*yaml.Node{nil}
		g.unwritten("archives", Kept, "GoReleaser's default: one tar.gz for each platform, with LICENSE*, README* and CHANGELOG*")
	}
	for _, n := range list {
		fields := g.importer.fields(n)
		if truth(fieldOf(fields, "meta").value) {
			for _, f := range fields {
				g.sayAll(f, Cannot, "an archive without programs is not made; source makes one of the commit")
			}
			continue
		}
		g.join(g.archive(fields))
	}
	if f := g.field("archives"); f.there() && len(elements(f.value)) == 0 {
		g.say(f.key, Default, "one archive for each platform")
	}
}

func (g *goreleaser) archive(fields []field) *archive {
	a := &archive{id: "default", files: fieldOf(fields, "files")}
	for _, f := range fields {
		switch v := text(f.value); f.name {
		case "id":
			a.id, a.keys.id = first(v, a.id), f.key
			g.say(f.key, Kept, "the profile's name, where there are several")
		case "ids", "builds":
			a.ids = append(a.ids, texts(f.value)...)
			g.say(f.key, Kept, "a profile for these builds")
			for _, id := range texts(f.value) {
				if !slices.ContainsFunc(g.all, func(b *build) bool { return b.id == id }) && !g.isUniversal(id) {
					g.say(f.key, Changed, "there is no build %s, or it is skipped", quote(id))
				}
			}
		case "format", "formats":
			a.formats = append(a.formats, texts(f.value)...)
			a.keys.formats = f.key
		case "format_overrides":
			a.keys.overrides = f.key
			for _, e := range elements(f.value) {
				g.formatOverride(a, g.importer.fields(e))
			}
		case "name_template":
			a.name, a.keys.name = v, f.key
		case "wrap_in_directory":
			a.wrap, a.keys.wrap = v, f.key
		case "strip_binary_directory", "strip_parent_binary_folder":
			a.base = truth(f.value)
			g.say(f.key, map[bool]Outcome{true: Kept, false: Default}[a.base], "%s", map[bool]string{true: "binary without its directory", false: "the program has the place that binary says"}[a.base])
		case "allow_different_binary_count":
			a.different = truth(f.value)
			g.say(f.key, Default, "how many programs are in an archive is for each platform to say")
		case "builds_info":
			g.buildsInfo(f)
		case "replacements": // of version 1
			a.aliases = map[string]string{}
			for _, r := range g.importer.fields(f.value) {
				a.aliases[r.name] = text(r.value)
				g.say(r.key, Kept, "written out in name")
			}
		case "rlcp":
			g.say(f.key, Default, "paths in an archive are relative to the module")
		case "hooks", "templated_files":
			g.sayAll(f, Cannot, "nothing runs while archives are made; generate the files before the build")
		}
	}
	if len(a.formats) == 0 {
		a.formats = []string{fact.TarGz}
	}
	if a.name == "" {
		if a.name = archiveName; slices.Contains(a.formats, binaryFormat) {
			a.name = binaryName
		}
	}
	return a
}

// isUniversal reports whether an id is that of a universal binary.
func (g *goreleaser) isUniversal(id string) bool {
	for _, e := range elements(g.field("universal_binaries").value) {
		if text(fieldOf(g.importer.fields(e), "id").value) == id {
			return true
		}
	}
	return false
}

func (g *goreleaser) formatOverride(a *archive, fields []field) {
	o := formatOverride{goos: text(fieldOf(fields, "goos").value)}
	for _, f := range fields {
		if f.name == "format" || f.name == "formats" {
			o.formats = append(o.formats, texts(f.value)...)
		}
		if f.name == "format" || f.name == "formats" || f.name == "goos" {
			g.say(f.key, Kept, "overrides: archive")
		}
	}
	if o.goos != "" && len(o.formats) > 0 {
		a.overrides = append(a.overrides, o)
	}
}

// buildsInfo is owner, mode and time of the programs in an archive.
func (g *goreleaser) buildsInfo(f field) {
	for _, x := range g.importer.fields(f.value) {
		switch v := text(x.value); {
		case x.name == "mode":
			g.say(x.key, Default, "programs have 0755, as GoReleaser sets it whatever is written")
		case (x.name == "owner" || x.name == "group") && (v == "root" || v == ""):
			g.say(x.key, Default, "files belong to 0")
		case x.name == "owner" || x.name == "group":
			g.say(x.key, Changed, "files belong to 0 and to no name")
		case x.name == "mtime":
			g.commitTime(x)
		}
	}
	if len(g.importer.fields(f.value)) == 0 {
		g.say(f.key, Default, "none")
	}
}

// commitTime is about a time of files in archives.
func (g *goreleaser) commitTime(x field) {
	if v := strings.ReplaceAll(text(x.value), " ", ""); v == "{{.CommitDate}}" || v == "" {
		g.say(x.key, Default, "files in archives have the commit's time")
	} else {
		g.say(x.key, Changed, "files in archives have the commit's time")
	}
}

// of are the formats for a system.
func (a *archive) of(goos string) []string {
	for _, o := range a.overrides {
		if strings.HasPrefix(goos, o.goos) {
			return o.formats
		}
	}
	return a.formats
}

// join finds the builds of an archive for each platform, as GoReleaser does, and
// makes units of them: programs of one archive are built alike.
func (g *goreleaser) join(a *archive) {
	var targets []target
	by := map[target][]*build{}
	for _, b := range g.all {
		// A universal binary replaces the builds of its own id.
		if len(a.ids) > 0 && !slices.Contains(a.ids, b.id) {
			continue
		}
		for _, t := range b.targets {
			if len(by[t]) == 0 {
				targets = append(targets, t)
			}
			by[t] = append(by[t], b)
		}
	}
	if len(targets) == 0 {
		for _, k := range []*yaml.Node{a.keys.id, a.keys.name, a.keys.wrap, a.keys.formats, a.keys.overrides} {
			g.say(k, Cannot, "nothing that is imported is in this archive")
		}
		return
	}
	units := map[string]*unit{}
	var order []string
	put := func(key string, bare bool, t target, builds []*build, formats []string) {
		u := units[key]
		if u == nil {
			u = &unit{archive: a, bare: bare, builds: map[target][]*build{}, formats: map[target][]string{}}
			units[key] = u
			order = append(order, key)
		}
		u.targets = append(u.targets, t)
		u.builds[t], u.formats[t] = builds, formats
	}
	for _, t := range targets {
		var packed []string
		for _, f := range a.of(t.os) {
			switch f {
			case binaryFormat:
				for i, b := range by[t] {
					put(fmt.Sprintf("bare %d", i), true, t, []*build{b}, []string{fact.NoArchive})
				}
			case nothingFormat:
				g.say(a.keys.overrides, Kept, "%s has no archive", t.os)
			default:
				if f = g.formatName(a, f); !slices.Contains(packed, f) {
					packed = append(packed, f)
				}
			}
		}
		if len(packed) == 0 {
			continue
		}
		for i, builds := range g.alike(a, t, by[t]) {
			put(fmt.Sprintf("packed %d", i), false, t, builds, packed)
		}
	}
	g.say(a.keys.formats, Kept, "archive")
	g.say(a.keys.overrides, Kept, "overrides: archive")
	for _, key := range order {
		g.merge(units[key])
	}
}

// formatName is the format as a profile names it.
func (g *goreleaser) formatName(a *archive, f string) string {
	if slices.Contains(fact.ArchiveFormats(), f) {
		return f
	}
	key := a.keys.formats
	if slices.ContainsFunc(a.overrides, func(o formatOverride) bool { return slices.Contains(o.formats, f) }) {
		key = a.keys.overrides
	}
	if f == "tgz" {
		g.say(key, Changed, "tgz is called tar.gz")
	} else {
		g.say(key, Cannot, "no %s is made; it is tar.gz (formats: %s)", quote(f), strings.Join(fact.ArchiveFormats(), ", "))
	}
	return fact.TarGz
}

// alike puts builds for one platform together that differ in nothing but the
// program.
func (g *goreleaser) alike(a *archive, t target, builds []*build) (classes [][]*build) {
	var keys []string
	for _, b := range builds {
		key := b.dir + "\n" + g.raw(b, t)
		if i := slices.Index(keys, key); i >= 0 {
			classes[i] = append(classes[i], b)
		} else {
			keys, classes = append(keys, key), append(classes, []*build{b})
		}
	}
	if len(classes) > 1 {
		g.say(a.keys.id, Cannot, "programs of one archive are built with the same flags, tags and environment: %s is in an artifact of its own", quote(classes[1][0].id))
	}
	return classes
}

// raw are all details of a build for a platform, as they are written.
func (g *goreleaser) raw(b *build, t target) string {
	d := b.parts[t]
	var parts []string
	for _, f := range []field{d.ldflags, d.flags, d.tags, d.gcflags, d.asmflags, d.env, d.buildmode} {
		parts = append(parts, strings.Join(texts(f.value), "\x00"))
	}
	flags, _ := g.packs(b, t)
	return strings.Join(append(parts, strings.Join(flags, " ")), "\n")
}

// merge adds a unit, to one that is called and filled the same if there is one.
func (g *goreleaser) merge(u *unit) {
	for _, v := range g.units {
		if v.bare != u.bare || v.archive.name != u.archive.name || v.archive.wrap != u.archive.wrap || v.archive.base != u.archive.base ||
			len(v.archive.aliases)+len(u.archive.aliases) > 0 || !slices.Equal(g.globs(v.archive), g.globs(u.archive)) {
			continue
		}
		if slices.ContainsFunc(u.targets, func(t target) bool {
			return v.builds[t] != nil && (u.bare || !slices.Equal(v.builds[t], u.builds[t]))
		}) {
			continue
		}
		for _, t := range u.targets {
			if v.builds[t] == nil {
				v.targets = append(v.targets, t)
			}
			v.builds[t] = u.builds[t]
			for _, f := range u.formats[t] {
				if !slices.Contains(v.formats[t], f) {
					v.formats[t] = append(v.formats[t], f)
				}
			}
		}
		return
	}
	g.units = append(g.units, u)
}

// globs is what the archive says of files, as one list to compare.
func (g *goreleaser) globs(a *archive) (list []string) {
	for _, e := range elements(a.files.value) {
		line := text(e)
		for _, f := range g.importer.fields(e) {
			line += "\n" + f.name + "=" + text(f.value)
			for _, x := range g.importer.fields(f.value) {
				line += "\n" + x.name + "=" + text(x.value)
			}
		}
		list = append(list, line)
	}
	return list
}
