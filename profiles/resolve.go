package profiles

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Value is one resolved setting and where it came from.
type Value struct {
	Key   string // its path, such as ldflags.strip or env.CC
	Value string // as it would stand in the file
	Pos   Position
}

// defaults is the layer below all others.
var defaults = sync.OnceValue(func() layer {
	l := layer{}
	for _, k := range leafKeys() {
		if k.kind == kindMap {
			continue
		}
		v := &value{text: k.def, pos: builtIn}
		switch k.kind {
		case kindBool:
			v.flag = k.def == "true"
		case kindTexts:
			v.list = []string{k.def}
		}
		l[k.name] = v
	}
	return l
})

// lineage is p and its ancestors, the oldest first.
func (p *Profile) lineage() []*Profile {
	var chain []*Profile
	for q := p; q != nil; q = q.parent {
		chain = append(chain, q)
	}
	slices.Reverse(chain)
	return chain
}

// effective applies the merge rule: a key set in a child replaces the parent's
// value; only the maps `env` and `ldflags.set` merge by key; overrides apply
// last, in order, the parents' before the child's. Since a layer holds each
// entry of those maps as a key of its own, replacing is all there is to do.
func (p *Profile) effective(pl Platform) layer {
	all := maps.Clone(defaults())
	maps.Copy(all, p.file.common)
	chain := p.lineage()
	for _, q := range chain {
		maps.Copy(all, q.own)
	}
	for _, q := range chain {
		for _, o := range q.overrides {
			if matchesAny(o.patterns, pl) {
				maps.Copy(all, o.layer)
			}
		}
	}
	return all
}

func matchesAny(patterns []Pattern, pl Platform) bool {
	return slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Match(pl) })
}

// Settings are the settings of p on one platform, independent copies of
// everything. The platform need not be one of p.Platforms.
func (p *Profile) Settings(pl Platform) Settings { return p.effective(pl).settings() }

func (l layer) settings() Settings {
	var s Settings
	for _, k := range leafKeys() {
		v := &value{}
		if k.kind == kindMap {
			v.entries = l.entries(k.name + ".")
		} else {
			*v = *l[k.name]
			v.list, v.files, v.contents = slices.Clone(v.list), slices.Clone(v.files), slices.Clone(v.contents)
		}
		k.into(&s, v)
	}
	if len(s.UPX) == 0 {
		s.UPX, s.UPXVersion, s.UPXSHA256 = nil, "", ""
	}
	if len(s.Packages.Formats) == 0 {
		s.Packages = Packages{}
	}
	return s
}

// entries collects a map's entries; it is never nil.
func (l layer) entries(prefix string) map[string]string {
	m := map[string]string{}
	for path, v := range l {
		if name, ok := strings.CutPrefix(path, prefix); ok {
			m[name] = v.text
		}
	}
	return m
}

// Pos is where the value that key has on pl was set. Keys are written as in
// [Value]; main[1] is the second element of a list, files[1].dst where that element
// says it goes, "platforms" the entry that put pl into the profile. A key that nothing sets is at the profile's own
// position, and a default at "built-in".
func (p *Profile) Pos(pl Platform, key string) Position {
	if key == "platforms" {
		if pos, ok := p.platformPos[pl]; ok {
			return pos
		}
		return p.pos
	}
	all := p.effective(pl)
	if v, ok := all[key]; ok {
		return v.pos
	}
	list, dst := strings.CutSuffix(key, "].dst")
	if dst {
		list += "]"
	}
	if name, item, ok := splitItem(list); ok {
		if v := all[name]; v != nil {
			if dst && item < len(v.dsts) {
				return v.dsts[item]
			}
			if item < len(v.items) {
				return v.items[item]
			}
			return v.pos
		}
	}
	return p.pos
}

// splitItem splits "main[1]" into "main" and 1.
func splitItem(key string) (name string, item int, ok bool) {
	name, rest, ok := strings.Cut(key, "[")
	digits, closed := strings.CutSuffix(rest, "]")
	if !ok || !closed || digits == "" || len(digits) > 6 {
		return "", 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return "", 0, false
		}
		item = item*10 + int(c-'0')
	}
	return name, item, true
}

// Pos is where a top-level key of the file was set: "go", "project",
// "untagged", "sign", "sign.key", "ledger", "ledger.publish",
// "ledger.rebuilders", "ledger.rebuilders[0]", "main", "generate[0]",
// "generate[0].outputs[1]", "checksums.name", "source.wrap" and the like. A key that is absent is
// where the map is that would hold it, at the file's first line if that is absent too, or
// "built-in" if there is no file.
func (f *File) Pos(key string) Position {
	for k := key; k != ""; k = k[:max(0, strings.LastIndexAny(k, ".["))] {
		if pos, ok := f.positions[k]; ok {
			return pos
		}
	}
	if f.Path == "" {
		return builtIn
	}
	return Position{File: f.Path, Line: 1, Column: 1}
}

// Explain lists every setting of p on pl with its origin, sorted by key.
func (p *Profile) Explain(pl Platform) []Value {
	all := p.effective(pl)
	keys := map[string]key{}
	for _, k := range leafKeys() {
		keys[k.name] = k
	}
	var list []Value
	for _, path := range slices.Sorted(maps.Keys(all)) {
		v := all[path]
		text := quoteYAML(v.text)
		switch k, leaf := keys[path]; {
		case !leaf: // an entry of a map
		case k.kind == kindOff && len(v.list) == 0:
			text = "off"
		case k.kind == kindFiles:
			text = filesYAML(v.files)
		case k.kind == kindContents:
			text = contentsYAML(v.contents)
		case k.kind == kindTexts && k.enum != nil && len(v.list) == 1:
			text = v.list[0]
		case k.kind == kindList, k.kind == kindTexts, k.kind == kindOff:
			items := v.list
			if path == "tags" {
				items = slices.Compact(slices.Sorted(slices.Values(items)))
			}
			text = listYAML(items)
		}
		list = append(list, Value{Key: path, Value: text, Pos: v.pos})
	}
	return list
}

func listYAML(items []string) string {
	var quoted []string
	for _, s := range items {
		quoted = append(quoted, quoteYAML(s))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
