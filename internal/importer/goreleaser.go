package importer

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// goreleaser imports a configuration of GoReleaser.
func (im *importer) goreleaser(data []byte) error {
	root, err := im.parse(im.Name, data)
	if err != nil {
		return err
	}
	g := &goreleaser{importer: im, fields: im.fields(root)}
	im.values = map[string]string{}
	g.include()
	g.project()
	g.variables()
	g.environment()
	g.builds()
	g.universal()
	g.upx()
	g.archives()
	g.profiles()
	g.universalLeft()
	if len(g.draft.profiles) == 0 {
		return fault.Usagef("mintmark init -from=FILE imports another one; without the file, init looks at the programs", "%s: no build in it makes a program of Go that is archived or published: all are skipped, of other languages, or for no platform that is known", im.Name)
	}
	g.checksum()
	g.source()
	g.bills()
	g.snapshot()
	g.hooks()
	g.git()
	g.packages()
	g.channels()
	g.rest()
	g.head()
	return nil
}

// goreleaser is an import from GoReleaser.
type goreleaser struct {
	*importer
	fields []field
	name   string // of the project
	env    []envEntry
	all    []*build
	packed []pack
	joined []*combined
	units  []*unit
	dir    string // of the one module, below that of the file
}

func (g *goreleaser) field(names ...string) field { return fieldOf(g.fields, names...) }

// scope is what templates see that are about no program.
func (g *goreleaser) scope() scope { return scope{project: g.name} }

// include reads the files that the configuration includes: lists are added to, and
// of keys the including file's count.
func (g *goreleaser) include() {
	f := g.field("includes")
	for _, e := range elements(f.value) {
		for _, inc := range g.importer.fields(e) {
			name := text(fieldOf(g.importer.fields(inc.value), "path").value)
			switch {
			case inc.name == "from_url":
				url := text(fieldOf(g.importer.fields(inc.value), "url").value)
				g.sayAll(inc, Cannot, "nothing is fetched; put %s into the repository and write from_file: {path: …} here, then run init again", quote(url))
				g.sayAll(f, Cannot, "of what is included, what lies elsewhere is not read")
			case inc.name == "from_file" && name != "":
				name = path.Join(path.Dir(g.Name), name)
				data, err := readFile(g.Tree, path.Clean(name))
				if err == nil {
					err = g.includeFile(path.Clean(name), data)
				}
				if err != nil {
					g.sayAll(inc, Cannot, "it is not read: %v", err)
					continue
				}
				g.sayAll(inc, Kept, "%s is read as if it stood here", name)
			}
		}
	}
	if f.there() && len(elements(f.value)) == 0 {
		g.say(f.key, Default, "nothing is included")
	}
}

func (g *goreleaser) includeFile(name string, data []byte) error {
	for _, d := range g.docs {
		if d.name == name {
			return fmt.Errorf("%s includes itself", name)
		}
	}
	root, err := g.parse(name, data)
	if err != nil {
		return err
	}
	for _, f := range g.importer.fields(root) {
		i := slices.IndexFunc(g.fields, func(h field) bool { return h.name == f.name })
		if i < 0 {
			g.fields = append(g.fields, f)
			continue
		}
		mine := *g.fields[i].value
		if list := f.value; mine.Kind == list.Kind && len(list.Content) > 0 {
			mine.Content = append(slices.Clone(mine.Content), list.Content...) // of maps the first of two keys counts
			g.fields[i].value = &mine
			g.say(f.key, Kept, "added to what %s has", g.Name)
			continue
		}
		g.sayAll(f, Default, "%s has the key, and that counts", g.Name)
	}
	return nil
}

// project finds the name of the release as GoReleaser does.
func (g *goreleaser) project() {
	f := g.field("project_name")
	if g.name = text(f.value); f.there() && g.name != "" {
		if err := profiles.CheckProject(g.name); err != nil {
			g.say(f.key, Cannot, "%v; project is what the project would be called without the key", err)
			g.name = ""
		} else {
			g.say(f.key, Kept, "project")
		}
	}
	if g.name == "" {
		rel := g.importer.fields(g.field("release").value)
		for _, forge := range []string{"github", "gitlab", "gitea"} {
			if n := text(fieldOf(g.importer.fields(fieldOf(rel, forge).value), "name").value); profiles.CheckProject(n) == nil && g.name == "" {
				g.name = n
			}
		}
	}
	if g.name == "" {
		if g.name = g.Remote; profiles.CheckProject(g.name) != nil {
			g.name = path.Base(g.Module)
		}
		g.unwritten("project_name", Kept, "project: %s, the name of the repository where it is cloned from, else of the module", g.name)
	}
	g.draft.top = append(g.draft.top, pair{"project", value{text: quote(g.name), from: []any{f.key}}})
	if f := g.field("version"); f.there() {
		g.say(f.key, Changed, "the format of the configuration; a profile file has version: 1")
	}
	if f := g.field("pro"); f.there() {
		g.say(f.key, Changed, "about GoReleaser; no key here needs an edition")
	}
}

// variables are texts that templates name.
func (g *goreleaser) variables() {
	f := g.field("variables")
	for _, v := range g.importer.fields(f.value) {
		g.values["Var."+v.name] = text(v.value)
		g.sayAll(v, Changed, "written out where it is used")
	}
	if f.there() && len(g.importer.fields(f.value)) == 0 {
		g.say(f.key, Default, "none")
	}
}

// envEntry is one variable of an env.
type envEntry struct {
	name, text string
	key        any // of the env
}

// environment reads env of the file: variables that templates name, and those
// that reach a build.
func (g *goreleaser) environment() {
	f := g.field("env")
	for _, kv := range texts(f.value) {
		name, text, _ := strings.Cut(kv, "=")
		g.env = append(g.env, envEntry{name, text, f.key})
		if tr, err := g.translate(text, []target{{"linux", "amd64", ""}}, g.scope()); err == nil {
			g.values["Env."+name] = tr.text
		}
	}
	if f.there() && len(g.env) == 0 {
		g.say(f.key, Default, "none")
	}
	if f := g.field("env_files"); f.there() {
		g.sayAll(f, Cannot, "tokens are for what publishes; nothing of a build is secret. Give them to mintmark publish")
	}
}

// snapshot is the version of a snapshot.
func (g *goreleaser) snapshot() {
	f := g.field("snapshot")
	in := g.importer.fields(f.value)
	t := fieldOf(in, "name_template", "version_template")
	if other := fieldOf(in, "version_template"); text(t.value) == "" && other.there() {
		t = other // an empty one is as none
	}
	for _, x := range in {
		if (x.name == "name_template" || x.name == "version_template") && x.key != t.key {
			g.say(x.key, Default, "the other template counts")
		}
	}
	const def = "{{ .Version }}-SNAPSHOT-{{ .ShortCommit }}"
	from := any(t.key)
	src := text(t.value)
	if src == "" {
		src, from = def, nil
	}
	if !g.format.key("snapshot") {
		if t.there() {
			g.say(t.key, Cannot, "the version of a snapshot is not set in this version's files: it is VERSION-snapshot.COMMIT")
		}
		return
	}
	text := regexp.MustCompile(`{{\s*inc(patch|minor|major)\s+\.Version\s*}}`).ReplaceAllString(src, "{{ .Version }}")
	tr, err := g.translate(text, []target{{"linux", "amd64", ""}}, g.scope())
	if err != nil {
		g.say(t.key, Cannot, "%v; snapshot takes a template of the commit", err)
		return
	}
	g.draft.top = append(g.draft.top, pair{"snapshot", value{text: quote(tr.text), from: []any{from}}})
	switch {
	case !t.there():
		g.unwritten("snapshot.version_template", Kept, "snapshot: %s, GoReleaser's default", tr.text)
	case text != src:
		g.say(t.key, Changed, "snapshot: %s; the version is not counted up, since .Version is that of the tag", tr.text)
	default:
		g.keep(t.key, tr.changes, "snapshot")
	}
}

// keep says that a key is kept, or what is different about it.
func (im *importer) keep(key any, changes []string, format string, args ...any) {
	im.say(key, Kept, format, args...)
	for _, c := range changes {
		im.say(key, Changed, "%s", c)
	}
}

// checksum is the name and kind of the list of digests.
func (g *goreleaser) checksum() {
	f := g.field("checksum", "checksums")
	in := g.importer.fields(f.value)
	name, algo := fieldOf(in, "name_template"), fieldOf(in, "algorithm")
	def := "{{ .ProjectName }}_{{ .Version }}_checksums.txt"
	src, from := text(name.value), any(name.key)
	if src == "" {
		src, from = def, nil
	}
	tr, err := g.translate(src, []target{{"linux", "amd64", ""}}, g.scope())
	isSame := tr.text == "checksums.txt"
	switch {
	case err != nil:
		g.say(name.key, Cannot, "%v; the list is called checksums.txt", err)
	case isSame:
		g.say(name.key, Default, "checksums.txt is its name")
	case !g.format.key("checksums.name"):
		if name.there() {
			g.say(name.key, Cannot, "the list is called checksums.txt in this version; tell your users")
		} else {
			g.unwritten("checksum.name_template", Cannot, "GoReleaser calls the list %s; it is called checksums.txt in this version", tr.text)
		}
	default:
		g.draft.top = append(g.draft.top, pair{"checksums.name", value{text: quote(tr.text), from: []any{from}}})
		if name.there() {
			g.keep(name.key, tr.changes, "checksums.name")
		} else {
			g.unwritten("checksum.name_template", Kept, "checksums.name: %s, GoReleaser's default", tr.text)
		}
	}
	switch a := text(algo.value); {
	case a == "" && !algo.there():
	case a == "" || a == "sha256":
		g.say(algo.key, Default, "sha256")
	case a == "sha512" && g.format.key("checksums.algorithm"):
		g.draft.top = append(g.draft.top, pair{"checksums.algorithm", value{text: a, from: []any{algo.key}}})
		g.say(algo.key, Kept, "checksums.algorithm")
	default:
		g.say(algo.key, Cannot, "no list of %s digests is made; the list has sha256", quote(a))
	}
	for _, x := range in {
		switch x.name {
		case "disable":
			if truth(x.value) {
				g.say(x.key, Cannot, "a release has a list of its digests; it is what is signed")
			} else {
				g.say(x.key, Default, "there is a list")
			}
		case "split":
			if truth(x.value) {
				g.say(x.key, Cannot, "there is one list of all files; sha256sum --ignore-missing -c checks one of them")
			} else {
				g.say(x.key, Default, "there is one list")
			}
		case "ids":
			g.sayAll(x, Changed, "the list has all files of the release")
		case "extra_files":
			g.sayAll(x, Cannot, "the list has what the release built; publish digests of other files in a list of their own")
		}
	}
}

// source is the archive of the source.
func (g *goreleaser) source() {
	f := g.field("source")
	in := g.importer.fields(f.value)
	enabled := fieldOf(in, "enabled")
	if !f.there() {
		return
	}
	if !truth(enabled.value) {
		g.sayAll(f, Default, "no archive of the source is made")
		return
	}
	if !g.format.key("source.archive") && !g.format.key("source") {
		g.sayAll(f, Cannot, "no archive of the source is made in this version; git archive --format=tar.gz makes one, and forges offer one for every tag")
		return
	}
	g.say(enabled.key, Kept, "source")
	format := text(fieldOf(in, "format").value)
	switch format {
	case "", "tar.gz", "zip":
		g.draft.top = append(g.draft.top, pair{"source.archive", value{text: first(format, "tar.gz"), from: []any{enabled.key, fieldOf(in, "format").key}}})
		g.say(fieldOf(in, "format").key, Kept, "source.archive")
	default:
		g.draft.top = append(g.draft.top, pair{"source.archive", value{text: "tar.gz", from: []any{enabled.key}}})
		g.say(fieldOf(in, "format").key, Cannot, "no %s is made; it is tar.gz", quote(format))
	}
	for _, part := range []struct{ key, of, def string }{{"source.name", "name_template", "{{ .ProjectName }}-{{ .Version }}"}, {"source.wrap", "prefix_template", ""}} {
		x := fieldOf(in, part.of)
		src := first(text(x.value), part.def)
		if src == "" {
			g.say(x.key, Default, "none")
			continue
		}
		tr, err := g.translate(src, []target{{"linux", "amd64", ""}}, g.scope())
		if err != nil {
			g.say(x.key, Cannot, "%v", err)
			continue
		}
		if part.key == "source.wrap" {
			if !strings.HasSuffix(tr.text, "/") {
				g.say(x.key, Cannot, "%s is no directory but the beginning of names; end it with /", quote(src))
				continue
			}
			tr.text = strings.TrimSuffix(tr.text, "/")
		}
		g.draft.top = append(g.draft.top, pair{part.key, value{text: quote(tr.text), from: []any{x.key}}})
		g.keep(x.key, tr.changes, "%s", part.key)
	}
	if x := fieldOf(in, "files"); x.there() {
		g.sayAll(x, Cannot, "it has what is in the commit, and what generate makes; commit these files or name them there")
	}
}

// git is which tags count.
func (g *goreleaser) git() {
	f := g.field("git")
	for _, x := range g.importer.fields(f.value) {
		switch x.name {
		case "tag_sort", "prerelease_suffix":
			g.sayAll(x, Changed, "of several version tags on a commit the highest counts, a release before its prereleases")
		case "ignore_tags", "ignore_tag_prefixes":
			g.sayAll(x, Changed, "a tag that is no version does not count, and is named with the reason")
		}
	}
	f = g.field("monorepo")
	for _, x := range g.importer.fields(f.value) {
		switch x.name {
		case "tag_prefix":
			prefix := text(x.value)
			if !g.format.key("tag") || strings.Contains(prefix, "{{") {
				g.say(x.key, Cannot, "in this version the tags of a module below the top begin with its directory, as the go command has it")
				break
			}
			g.draft.top = append(g.draft.top, pair{"tag", value{text: quote(strings.TrimSuffix(prefix, "v") + "v{{.Version}}"), from: []any{x.key}}})
			g.say(x.key, Kept, "tag")
		case "dir":
			dir := path.Clean(text(x.value))
			if !g.format.key("dir") {
				g.say(x.key, Cannot, "run mintmark in %s", dir)
				break
			}
			g.draft.top = append(g.draft.top, pair{"dir", value{text: quote(dir), from: []any{x.key}}})
			g.say(x.key, Kept, "dir")
		}
	}
	if f := g.field("gomod"); f.there() {
		for _, x := range g.importer.fields(f.value) {
			switch {
			case x.name == "proxy" && truth(x.value):
				g.say(x.key, Changed, "built from the commit in a checkout; mintmark release -module=PATH@VERSION builds what the module proxy serves")
			case x.name == "mod" && slices.Contains([]string{"readonly", "vendor"}, text(x.value)):
				g.say(x.key, Default, "mod is readonly, or vendor where the builds say so")
			default:
				g.sayAll(x, Changed, "about GoReleaser's proxy build; modules are fetched with the network's settings of the go command")
			}
		}
	}
}

// first is the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
