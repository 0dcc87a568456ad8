package importer

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
	"go.yaml.in/yaml/v4"
)

// Schema is the first line of a profile file: editors complete it by that.
const Schema = "# yaml-language-server: $schema=https://raw.githubusercontent.com/mintmark/mintmark/main/docs/mintmark.schema.json\n"

// value is a value of the profile file, as written there in one line, and the keys
// of the source that it comes from.
type value struct {
	text string   // of one that is no list
	list []string // elements, as written
	from []any
	of   field // of the source, where all of it became this one value
}

func (v value) String() string {
	if v.list != nil {
		return "[" + strings.Join(v.list, ", ") + "]"
	}
	return v.text
}

// settings are keys of a profile with their values; maps are unfolded, so that
// ldflags.set/main.version is one key.
type settings map[string]value

// draft is a profile file before it is written.
type draft struct {
	comments []string // above the keys
	top      []pair   // keys of the file, in order
	profiles []*profileDraft
	trailer  []string // comment lines at the end
}

type pair struct {
	key   string
	value value
}

type profileDraft struct {
	name    string
	comment string
	targets []target
	of      map[target]settings
	from    []any // keys of the source that say the platforms
}

// settingOrder is the order of the keys of a profile in the file.
func settingOrder() []string {
	return []string{
		"dir", "main", "binary", "cgo", "trimpath", "buildvcs", "tags", "ldflags.strip", "ldflags.set", "ldflags.extra", "gcflags", "asmflags",
		"buildmode", "mod", "pgo", "env", "archive", "name", "wrap", "files", "universal",
		"packages.formats", "packages.name", "packages.release", "packages.bindir", "packages.maintainer", "packages.description", "packages.homepage",
		"packages.license", "packages.vendor", "packages.section", "packages.depends", "packages.recommends", "packages.suggests", "packages.conflicts",
		"packages.replaces", "packages.provides", "packages.contents",
		"packages.scripts.preinstall", "packages.scripts.postinstall", "packages.scripts.preremove", "packages.scripts.postremove", "upx",
	}
}

// writer writes the file, and knows which line belongs to what.
type writer struct {
	b     strings.Builder
	line  int
	owner map[int]slot
}

// slot is what can be left out of a file: a key of the file or of a profile.
type slot struct{ profile, key string }

func (w *writer) put(s slot, indent int, format string, args ...any) {
	for l := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		w.line++
		w.owner[w.line] = s
		w.b.WriteString(strings.Repeat(" ", indent) + l + "\n")
	}
}

// setting writes a key with its value, a long list with one element a line.
func (w *writer) setting(s slot, indent int, key string, v value) {
	if one := key + ": " + v.String(); len(v.list) < 2 || indent+len(one) <= 120 {
		w.put(s, indent, "%s", one)
		return
	}
	w.put(s, indent, "%s:", key)
	for _, e := range v.list {
		w.put(s, indent+2, "- %s", e)
	}
}

// finish writes the file and leaves out what this version's format does not
// accept, until it loads.
func (im *importer) finish() (string, error) {
	dropped := map[slot]bool{}
	for range 200 {
		w := im.draft.write(dropped)
		f, err := profiles.Load("mintmark.yaml", []byte(w.b.String()))
		if err == nil {
			unfit := im.unfit(f)
			if len(unfit) == 0 {
				return w.b.String(), nil
			}
			for _, s := range unfit {
				dropped[s] = true
			}
			continue
		}
		before := len(dropped)
		for _, e := range fault.Leaves(err) {
			p, ok := e.(profiles.Problem)
			if !ok || p.Warning {
				continue
			}
			s, ok := w.owner[p.Pos.Line]
			if !ok || s == (slot{}) || dropped[s] {
				continue
			}
			dropped[s] = true
			im.refused(s, p)
		}
		if len(dropped) == before {
			return "", fmt.Errorf("what was made of %s is no profile file: %w", im.Name, err)
		}
	}
	return "", fmt.Errorf("what was made of %s is no profile file", im.Name)
}

// refused says of the keys that a value comes from that they cannot be kept.
func (im *importer) refused(s slot, p profiles.Problem) {
	why := p.Message
	if p.Hint != "" {
		why += "; " + p.Hint
	}
	said := false
	tell := func(v value) {
		for _, k := range v.from {
			im.say(k, Cannot, "a profile file cannot say it: %s", why)
			said = said || written(k)
		}
	}
	if s.profile == "" {
		for _, t := range im.draft.top {
			if t.key == s.key {
				tell(t.value)
			}
		}
	}
	for _, prof := range im.draft.profiles {
		if prof.name != s.profile && s.profile != "" {
			continue
		}
		if s.key == "platforms" {
			tell(value{from: prof.from})
		}
		for _, t := range prof.targets {
			for key, v := range prof.of[t] {
				if key == s.key {
					tell(v)
				}
			}
		}
	}
	if !said {
		// Nobody wrote it into the source: it is not the source that is at fault.
		im.order = append(im.order, &statement{Line: Line{File: p.Pos.File, Key: s.key, Outcome: Cannot, Text: "a profile file cannot say it: " + why}})
	}
}

// written reports whether a key stands in the source.
func written(key any) bool {
	switch key := key.(type) {
	case keys:
		return len(key) > 0
	case *yaml.Node:
		return key != nil
	}
	return key != nil
}

func (d *draft) write(dropped map[slot]bool) *writer {
	w := &writer{owner: map[int]slot{}}
	w.put(slot{}, 0, "%s", strings.TrimSuffix(Schema, "\n"))
	for _, c := range d.comments {
		w.put(slot{}, 0, "%s", strings.TrimRight("# "+c, " "))
	}
	w.put(slot{}, 0, "version: 1")
	groups := map[string]bool{}
	for _, t := range d.top {
		s := slot{"", t.key}
		if dropped[s] {
			continue
		}
		group, name, sub := strings.Cut(t.key, ".")
		if !sub {
			w.setting(s, 0, t.key, t.value)
			continue
		}
		if !groups[group] {
			groups[group] = true
			w.put(slot{}, 0, "%s:", group)
		}
		w.setting(s, 2, name, t.value)
	}
	w.put(slot{}, 0, "profiles:")
	common := d.common(dropped)
	if len(common) > 0 {
		w.put(slot{}, 2, "base:")
		w.settings("", 4, common, nil)
	}
	for _, p := range d.profiles {
		w.profile(p, common, dropped)
	}
	for _, c := range d.trailer {
		w.put(slot{}, 0, "%s", strings.TrimRight("# "+c, " "))
	}
	return w
}

// plain are the settings that all platforms of p have with one value, or most of
// them where all have one; special are the others, by platform.
func (p *profileDraft) plain(dropped map[slot]bool) (plain settings, special map[target]settings) {
	plain, special = settings{}, map[target]settings{}
	names := map[string]bool{}
	for _, t := range p.targets {
		for key := range p.of[t] {
			names[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(names)) {
		if dropped[slot{p.name, key}] || dropped[slot{"", key}] {
			continue
		}
		counts, all := map[string]int{}, true
		var most value
		for _, t := range p.targets {
			v, ok := p.of[t][key]
			if all = all && ok; !ok {
				continue
			}
			counts[v.String()]++
			if counts[v.String()] > counts[most.String()] || most.String() == "" {
				most = v
			}
		}
		for _, t := range p.targets {
			v, ok := p.of[t][key]
			if ok && (!all || v.String() != most.String()) {
				if special[t] == nil {
					special[t] = settings{}
				}
				special[t][key] = v
			}
		}
		if all {
			plain[key] = most
		}
	}
	return plain, special
}

// common are the settings that all profiles have, if there are several.
func (d *draft) common(dropped map[slot]bool) settings {
	if len(d.profiles) < 2 {
		return nil
	}
	var common settings
	for i, p := range d.profiles {
		plain, _ := p.plain(dropped)
		if i == 0 {
			common = plain
			continue
		}
		for key, v := range common {
			if plain[key].String() != v.String() {
				delete(common, key)
			}
		}
	}
	return common
}

func (w *writer) profile(p *profileDraft, common settings, dropped map[slot]bool) {
	plain, special := p.plain(dropped)
	w.put(slot{}, 2, "%s:", quote(p.name))
	if p.comment != "" {
		w.put(slot{}, 4, "# %s", p.comment)
	}
	if len(common) > 0 {
		w.put(slot{}, 4, "inherit: base")
	}
	own := slot{p.name, "platforms"}
	os, arch, exclude, ok := matrix(p.targets)
	if ok {
		w.put(own, 4, "platforms:")
		w.setting(own, 6, "os", value{list: os})
		w.setting(own, 6, "arch", value{list: arch})
		if len(exclude) > 0 {
			w.setting(own, 6, "exclude", value{list: exclude})
		}
	} else {
		v := value{}
		for _, t := range p.targets {
			v.list = append(v.list, quote(t.String()))
		}
		w.setting(own, 4, "platforms", v)
	}
	w.settings(p.name, 4, plain, common)
	w.overrides(p, special)
}

// settings writes those of them that common has not, in their order; those of one
// map below one line for it.
func (w *writer) settings(profile string, indent int, s, common settings) {
	var above []string
	for _, order := range settingOrder() {
		for _, key := range slices.Sorted(maps.Keys(s)) {
			name, entry, isMap := strings.Cut(key, "/")
			if name != order || common != nil && common[key].String() == s[key].String() {
				continue
			}
			path := strings.Split(name, ".")
			if isMap {
				path = append(path, quote(entry))
			}
			last := len(path) - 1
			for i, part := range path[:last] {
				if i >= len(above) || above[i] != part {
					w.put(slot{}, indent+2*i, "%s:", part)
				}
			}
			above = path[:last]
			w.setting(slot{profile, key}, indent+2*last, path[last], s[key])
		}
	}
}

// overrides writes what some platforms have of their own, those with the same
// together.
func (w *writer) overrides(p *profileDraft, special map[target]settings) {
	if len(special) == 0 {
		return
	}
	w.put(slot{}, 4, "overrides:")
	done := map[target]bool{}
	same := func(a, b settings) bool {
		return maps.EqualFunc(a, b, func(a, b value) bool { return a.String() == b.String() })
	}
	for _, t := range p.targets {
		if special[t] == nil || done[t] {
			continue
		}
		var alike []target
		for _, u := range p.targets {
			if special[u] != nil && same(special[t], special[u]) {
				alike, done[u] = append(alike, u), true
			}
		}
		v := value{}
		for _, pattern := range patterns(alike, p.targets) {
			v.list = append(v.list, quote(pattern))
		}
		w.put(slot{}, 6, "- platforms: %s", v)
		w.settings(p.name, 8, special[t], nil)
	}
}

// patterns names platforms, by the system alone where all of its are among them.
func patterns(some, all []target) (list []string) {
	add := func(s string) {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	for _, t := range some {
		whole, wholeArch := true, true
		for _, u := range all {
			if in := slices.Contains(some, u); !in {
				whole = whole && u.os != t.os
				wholeArch = wholeArch && (u.os != t.os || u.arch != t.arch)
			}
		}
		switch {
		case whole:
			add(t.os)
		case wholeArch:
			add(t.os + "/" + t.arch)
		default:
			add(t.String())
		}
	}
	return list
}

// matrix writes platforms as systems × architectures without a few, if that is
// shorter than the list of them.
func matrix(targets []target) (os, arch, exclude []string, ok bool) {
	var systems, archs []string
	for _, t := range targets {
		if !slices.Contains(systems, t.os) {
			systems = append(systems, t.os)
		}
		if a := strings.TrimPrefix(t.String(), t.os+"/"); !slices.Contains(archs, a) {
			archs = append(archs, a)
		}
	}
	if len(systems) < 2 || len(archs) < 2 {
		return nil, nil, nil, false
	}
	var missing []target
	var all []target
	for _, o := range systems {
		for _, a := range archs {
			name, variant, _ := strings.Cut(a, "/")
			t := target{o, name, variant}
			all = append(all, t)
			if !slices.Contains(targets, t) {
				missing = append(missing, t)
			}
		}
	}
	exclude = patterns(missing, all)
	if len(systems)+len(archs)+len(exclude) >= len(targets) {
		return nil, nil, nil, false
	}
	for _, list := range []*[]string{&systems, &archs, &exclude} {
		for i, s := range *list {
			(*list)[i] = quote(s)
		}
	}
	return systems, archs, exclude, true
}

var plainYAML = regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./+@=~-]*$`)

// quote writes a text for YAML, in quotes where it needs them: in a list too.
func quote(s string) string {
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", ".":
	default:
		if plainYAML.MatchString(s) && !strings.HasPrefix(s, "...") {
			return s
		}
	}
	data, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(data))
}

// quoted are texts as elements of a list.
func quoted(list []string) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, quote(s))
	}
	return out
}
