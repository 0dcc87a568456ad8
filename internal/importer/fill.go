package importer

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/profiles"
)

// profiles makes a profile of each unit.
func (g *goreleaser) profiles() {
	names := map[string]bool{}
	for i, u := range g.units {
		p := &profileDraft{of: map[target]settings{}}
		switch {
		case len(g.units) == 1:
			p.name = "release"
		default:
			p.name = u.archive.id
			if names[p.name] || p.name == "base" || profiles.CheckProfileName(p.name) != nil {
				p.name = first(u.archive.id, "profile") + "-" + u.builds[u.targets[0]][0].id
			}
			if names[p.name] || p.name == "base" || profiles.CheckProfileName(p.name) != nil {
				p.name = fmt.Sprintf("profile%d", i+1)
			}
		}
		names[p.name] = true
		literal := u.targets
		spelled := spell(literal)
		of := map[target]target{} // spelled → literal
		for _, t := range literal {
			for _, s := range spelled {
				if s.os == t.os && s.arch == t.arch && s.literal() == t.literal() {
					of[s] = t
				}
			}
		}
		slices.SortFunc(spelled, func(a, b target) int { return strings.Compare(a.String(), b.String()) })
		p.targets = spelled
		for _, t := range spelled {
			p.of[t] = settings{}
		}
		for _, b := range g.all {
			for _, k := range []string{"targets", "goos", "goarch"} {
				if f := fieldOf(b.fields, k); f.there() {
					p.from = append(p.from, f.key)
				}
			}
		}
		f := filler{g: g, unit: u, profile: p, literal: of, number: i}
		f.fill()
		g.draft.profiles = append(g.draft.profiles, p)
	}
}

// filler gives the platforms of a profile their settings.
type filler struct {
	g       *goreleaser
	unit    *unit
	profile *profileDraft
	literal map[target]target
	number  int
}

func (f filler) builds(t target) []*build { return f.unit.builds[f.literal[t]] }

func (f filler) details(t target) details { return f.builds(t)[0].parts[f.literal[t]] }

// keys are those of a detail in all builds for these platforms.
func (f filler) keys(targets []target, of func(d details) field) (list keys) {
	for _, t := range targets {
		for _, b := range f.builds(t) {
			list = list.add(of(b.parts[f.literal[t]]))
		}
	}
	return list
}

func (f filler) set(t target, key string, v value) { f.profile.of[t][key] = v }

// each calls fill for the platforms that raw is the same of, all at once; where
// that fails, for each by itself. The last error is the answer.
func (f filler) each(raw func(t target) string, fill func(targets []target) error) (err error) {
	var keys []string
	groups := map[string][]target{}
	for _, t := range f.profile.targets {
		key := raw(t)
		if groups[key] == nil {
			keys = append(keys, key)
		}
		groups[key] = append(groups[key], t)
	}
	for _, key := range keys {
		if fill(groups[key]) == nil {
			continue
		}
		for _, t := range groups[key] {
			if e := fill([]target{t}); e != nil {
				err = e
			}
		}
	}
	return err
}

func (f filler) fill() {
	f.mains()
	f.environment()
	f.flags()
	f.ldflags()
	f.names()
	f.files()
	for _, t := range f.profile.targets {
		v := value{from: []any{f.unit.archive.keys.formats, f.unit.archive.keys.overrides}}
		if formats := f.unit.formats[f.literal[t]]; len(formats) > 1 {
			v.list = quoted(formats)
		} else {
			v.text = quote(formats[0])
		}
		f.set(t, "archive", v)
		if flags, key := f.g.packs(f.builds(t)[0], f.literal[t]); len(flags) > 0 {
			f.set(t, "upx", value{list: quoted(flags), from: []any{key}})
		}
	}
	f.universal()
}

// mains are the main packages, and what the programs are called.
func (f filler) mains() {
	f.each(func(t target) string {
		key := ""
		for _, b := range f.builds(t) {
			key += b.dir + "\n" + strings.Join(b.main, "\n") + "\n" + b.binary + "\n"
		}
		return key
	}, func(targets []target) error {
		builds := f.builds(targets[0])
		main, from := []string{}, []any{}
		for _, b := range builds {
			main = append(main, b.main...)
		}
		for _, t := range targets {
			for _, b := range f.builds(t) {
				from = append(from, b.keys.main, b.keys.dir)
			}
		}
		v := value{text: quote(main[0]), from: from}
		if len(main) > 1 {
			v = value{list: quoted(slices.Compact(slices.Sorted(slices.Values(main)))), from: from}
		}
		for _, t := range targets {
			f.set(t, "main", v)
			if d := builds[0].dir; d != "" && f.g.dir == "" {
				f.set(t, "dir", value{text: quote(d), from: []any{builds[0].keys.dir}})
			}
		}
		return f.binary(targets, builds)
	})
}

// binary sets the name of the program, where go build would give another.
func (f filler) binary(targets []target, builds []*build) error {
	g := f.g
	type named struct{ def, text string }
	var names []named
	var from []any
	differ := false
	for i, b := range builds {
		def := g.defaultBinary(b.main[0], b.dir)
		key := keys{}
		for _, t := range targets {
			if k := f.builds(t)[i].keys.binary; k != nil && !slices.Contains(key, any(k)) {
				key = append(key, k)
			}
		}
		tr, err := g.translate(b.binary, targets, g.scope())
		if err != nil {
			g.say(key, Cannot, "%v; the program is called %s", err, def)
			return err
		}
		if tr.text = path.Clean(tr.text); f.unit.archive.base {
			tr.text = tr.text[strings.LastIndex(tr.text, "/")+1:]
		}
		if f.unit.bare {
			g.say(key, Kept, "name: the file that is published")
			continue
		}
		names, from = append(names, named{def, tr.text}), append(from, key)
		differ = differ || tr.text != def
		if tr.text == def {
			g.say(key, Default, "go build calls it so")
			continue
		}
		g.keep(key, tr.changes, "binary")
		if len(key) == 0 {
			g.unwritten("builds.binary", Kept, "binary: %s, since GoReleaser calls a program as the project", tr.text)
		}
	}
	if !differ {
		return nil
	}
	if !g.format.key("binary") {
		for i, n := range names {
			if n.def != n.text {
				g.say(from[i], Cannot, "the program is called %s, as go build does, in this version; rename its directory", n.def)
			}
		}
		return nil
	}
	text := names[0].text
	if len(names) > 1 {
		text = ""
		for i, n := range names[1:] {
			text += map[bool]string{true: "{{if", false: "{{else if"}[i == 0] + fmt.Sprintf(" eq .Binary %q}}%s", n.def, n.text)
		}
		text += "{{else}}" + names[0].text + "{{end}}"
	}
	for _, t := range targets {
		f.set(t, "binary", value{text: quote(text), from: from})
	}
	return nil
}

// names are those of the artifact and of the directory in it.
func (f filler) names() {
	g, a := f.g, f.unit.archive
	scopeOf := func(targets []target) scope {
		sc := g.scope()
		sc.aliases = a.aliases
		b := f.builds(targets[0])[0]
		if tr, err := g.translate(b.binary, targets, sc); err == nil {
			sc.binary = tr.text[strings.LastIndex(tr.text, "/")+1:]
		}
		return sc
	}
	binaryOf := func(t target) string { return f.builds(t)[0].binary }
	key := a.keys.name
	if f.g.usesBinary(a.name) && !f.unit.bare && len(f.builds(f.profile.targets[0])) > 1 {
		g.say(key, Changed, ".Binary of several programs is the one that GoReleaser has built first, now %s", quote(binaryOf(f.profile.targets[0])))
	}
	var nameErr error
	f.each(binaryOf, func(targets []target) error {
		tr, err := g.translate(a.name, targets, scopeOf(targets))
		nameErr = err
		if err != nil {
			return err
		}
		for _, t := range targets {
			f.set(t, "name", value{text: quote(tr.text), from: []any{key}})
		}
		g.keep(key, tr.changes, "name")
		return nil
	})
	if nameErr != nil {
		g.say(key, Cannot, "%v; the artifact has the default name", nameErr)
		if key == nil {
			g.unwritten("archives.name_template", Cannot, "%v", nameErr)
		}
	} else if key == nil {
		g.unwritten("archives.name_template", Kept, "name, GoReleaser's default")
	}
	f.wrap(scopeOf)
}

// usesBinary reports whether a template names the program.
func (g *goreleaser) usesBinary(text string) bool { return strings.Contains(text, ".Binary") }

func (f filler) wrap(scopeOf func(targets []target) scope) {
	g, a := f.g, f.unit.archive
	src := a.wrap
	switch {
	case src == "" || src == "false":
		g.say(a.keys.wrap, Default, "nothing is wrapped")
		return
	case f.unit.bare:
		g.say(a.keys.wrap, Default, "there is no archive")
		return
	case !g.format.key("wrap"):
		g.say(a.keys.wrap, Cannot, "archives have no top directory in this version")
		return
	case src == "true" && g.format.field("Name"):
		for _, t := range f.profile.targets {
			f.set(t, "wrap", value{text: quote("{{.Name}}"), from: []any{a.keys.wrap}})
		}
		g.say(a.keys.wrap, Kept, "wrap: {{.Name}}")
		return
	case src == "true":
		src = a.name
	}
	err := f.each(func(t target) string { return f.builds(t)[0].binary }, func(targets []target) error {
		tr, err := g.translate(src, targets, scopeOf(targets))
		if err != nil {
			return err
		}
		for _, t := range targets {
			f.set(t, "wrap", value{text: quote(tr.text), from: []any{a.keys.wrap}})
		}
		g.keep(a.keys.wrap, tr.changes, "wrap")
		return nil
	})
	if err != nil {
		g.say(a.keys.wrap, Cannot, "%v; archives have no top directory", err)
	}
}
