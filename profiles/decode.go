package profiles

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/mintmark/mintmark/internal/fact"
)

// top decodes the file's own keys and its profiles.
func (d *decoder) top(root *yaml.Node) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(tooLarge); !ok {
				panic(r)
			}
			d.problems = nil // there is no end of them
			d.errorAt(d.pos(root), "", "the file has more than %d values after following its aliases", maxNodes)
		}
	}()
	entries, ok := d.mapEntries(d.follow(root), "the file", "it begins with version: 1, project: NAME and profiles:")
	if !ok {
		return
	}
	f := d.file
	seen := map[string]bool{}
	for _, e := range entries {
		seen[e.name] = true
		f.positions[e.name] = d.pos(e.value)
		switch e.name {
		case "version":
			if isNull(e.value) || e.value.Kind != yaml.ScalarNode || e.value.Value != "1" || e.value.Style != 0 {
				hint := "this mintmark reads version: 1"
				if e.value.Value == "1" {
					hint = "write version: 1, without quotes"
				}
				d.errorAt(d.pos(e.value), hint, "unknown version %s", describeNode(e.value))
			}
		case "project":
			if s, ok := d.text(e.value, "project"); ok {
				if err := checkProject(s); err != nil {
					d.err(d.pos(e.value), err)
				}
				f.Project = s
			}
		case "go":
			if s, ok := d.text(e.value, "go"); ok {
				if err := checkGoVersion(s); err != nil {
					d.err(d.pos(e.value), err)
				}
				f.Go = s
			}
		case "dir":
			d.dirOf(e.value)
		case "tag":
			d.tagFormOf(e.value)
		case "snapshot":
			d.snapshotOf(e.value)
		case "main":
			d.setting(find(settingKeys(), "main"), e, f.common)
		case "untagged":
			if s, ok := d.text(e.value, "untagged"); ok && d.enum(d.pos(e.value), "untagged", s, find(topKeys(), "untagged").enum) {
				f.Untagged = s
			}
		case "sign":
			d.sign(e.value)
		case "ledger":
			d.ledger(e.value)
		case "require":
			d.require(e.value)
		case "generate":
			d.generate(e.value)
		case "checksums":
			t := d.publishedGroup(e.name, e.value)
			f.Checksums = &Checksums{t["name"], fact.Algorithm(t["algorithm"])}
		case "source":
			t := d.publishedGroup(e.name, e.value)
			f.Source = &SourceArchive{t["archive"], t["name"], t["wrap"]}
		case "sbom":
			d.bills(e.value)
		case "channels":
			d.channels(e.value)
		case "images":
			d.images(e.value)
		case "publish":
			d.publish(e.value)
		case "profiles":
			d.profiles(e)
		default:
			meant := d.unknownKey(e, "", topKeys(), func(name string) string {
				if slices.Contains(lastNames(append(settingKeys(), structureKeys()...)), name) {
					return name + " is a key of a profile: profiles: {NAME: {" + name + ": …}}"
				}
				return ""
			})
			seen[meant] = true // it was said
		}
	}
	for _, name := range []string{"version", "project", "profiles"} {
		if !seen[name] {
			d.errorAt(d.pos(root), map[string]string{
				"version": "write version: 1", "project": "write project: NAME, the name of the release",
				"profiles": "write profiles: {release: {platforms: [linux/amd64]}}",
			}[name], "the key %q is missing", name)
		}
	}
}

// unknownKey reports a key that the table does not have. misplaced may know
// where the key belongs. It returns the key that is suggested instead, or "":
// that this one is missing need not be said as well.
func (d *decoder) unknownKey(e entry, in string, keys []key, misplaced func(string) string) (suggested string) {
	hint := ""
	if misplaced != nil {
		hint = misplaced(e.name)
	}
	if hint == "" {
		hint = didYouMean(e.name, lastNames(keys), elsewhere)
		suggested, _, _ = strings.Cut(meant(e.name, lastNames(keys), elsewhere), ":")
	}
	if in != "" {
		in = " in " + in
	}
	d.errorAt(e.pos, hint, "unknown key %q%s", e.name, in)
	return suggested
}

func (d *decoder) enum(pos Position, what, s string, enum []string) bool {
	if slices.Contains(enum, s) {
		return true
	}
	if why, hint := notOffered(what, s); why != "" {
		d.errorAt(pos, hint, "%s %s is not offered: %s", what, s, why)
		return false
	}
	d.errorAt(pos, didYouMean(s, enum, map[string]string{
		"tgz": "tar.gz", "targz": "tar.gz", "tar": "tar.gz", "gz": "tar.gz", "zst": "tar.zst", "zstd": "tar.zst", "tzst": "tar.zst", "binary": "none", "off": "none",
		"false": "none", "allow": "pseudo", "mod": "readonly", "strict": string(fact.RequireIdentical), "warn": string(fact.ReportVerdicts),
		"644": "0644", "0o644": "0644", "420": "0644", "755": "0755", "0o755": "0755", "493": "0755", "-w": "debug", "w": "debug", "dwarf": "debug", "-s": "all", "-s -w": "all",
	}), "%s wants %s, not %q", what, orList(enum), s)
	return false
}

// orList is "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func (d *decoder) profiles(e entry) {
	entries, ok := d.mapEntries(e.value, "profiles", "write profiles: {release: {platforms: [linux/amd64]}}")
	if !ok {
		return
	}
	if len(entries) == 0 {
		d.errorAt(d.pos(e.value), "write profiles: {release: {platforms: [linux/amd64]}}", "there are no profiles")
	}
	if len(entries) > maxProfiles {
		d.errorAt(d.pos(e.value), "", "there are more than %d profiles", maxProfiles)
		return
	}
	for _, p := range entries {
		if err := checkProfileName(p.name); err != nil {
			d.err(p.pos, err)
		}
		d.file.Profiles = append(d.file.Profiles, d.profile(p))
	}
}

// profile decodes one profile; what is wrong with it is reported and left out.
func (d *decoder) profile(e entry) *Profile {
	p := &Profile{Name: e.name, body: body{file: d.file, pos: e.pos, own: layer{}, platformPos: map[Platform]Position{}}}
	entries, ok := d.mapEntries(e.value, fmt.Sprintf("profile %q", e.name), "")
	if !ok {
		p.unclear = true
		return p
	}
	for _, e := range entries {
		before := len(d.problems)
		switch e.name {
		case "inherit":
			if s, ok := d.text(e.value, "inherit"); ok {
				p.Inherit, p.inheritPos = s, d.pos(e.value)
			} else {
				p.unclear = true
			}
		case "platforms":
			p.platforms = d.platforms(e)
			p.unclear = p.unclear || len(d.problems) > before
		case "overrides":
			p.overrides = d.overrides(e)
		default:
			switch d.settingOrUnknown(e, "profile "+p.Name, p.own, append(settingKeys(), structureKeys()...)) {
			case "platforms", "inherit":
				p.unclear = true
			}
		}
	}
	return p
}

func (d *decoder) overrides(e entry) []override {
	if e.value.Kind != yaml.SequenceNode || !d.plainTag(e.value, "!!seq") {
		d.errorAt(d.pos(e.value), "write overrides: and below it - platforms: [PATTERN], with further keys", "overrides wants a list, not %s", describeNode(e.value))
		return nil
	}
	if len(e.value.Content) > maxEntries {
		d.errorAt(d.pos(e.value), "", "overrides has more than %d elements", maxEntries)
		return nil
	}
	var list []override
	for _, n := range e.value.Content {
		n = d.follow(n)
		entries, ok := d.mapEntries(n, "an override", "write - platforms: [PATTERN], with further keys below")
		if !ok {
			continue
		}
		o := override{layer: layer{}}
		hasPatterns := false
		for _, e := range entries {
			switch e.name {
			case "platforms":
				hasPatterns = true
				o.patterns, o.patPos = d.patterns(e.value, "platforms of an override")
				if e.value.Kind == yaml.SequenceNode && len(e.value.Content) == 0 {
					d.errorAt(d.pos(e.value), "", "platforms of an override is empty: it applies to nothing")
				}
			case "inherit", "overrides":
				d.errorAt(e.pos, "", "an override cannot have the key %q", e.name)
			default:
				if d.settingOrUnknown(e, "an override", o.layer, append(settingKeys(), key{name: "platforms"})) == "platforms" {
					hasPatterns = true // or was to have
				}
			}
		}
		if !hasPatterns {
			d.errorAt(d.pos(n), "add platforms: [PATTERN]", "an override wants the key platforms")
		} else if len(entries) == 1 {
			d.errorAt(d.pos(n), "add a key such as archive: zip", "an override that sets nothing")
		}
		list = append(list, o)
	}
	return list
}

// patterns decodes a list of patterns; bad ones are reported and left out.
func (d *decoder) patterns(n *yaml.Node, what string) (list []Pattern, positions []Position) {
	texts, nodes, _ := d.texts(n, what, "")
	for i, s := range texts {
		p, err := parsePattern(s)
		if err != nil {
			d.err(d.pos(nodes[i]), err)
			continue
		}
		list = append(list, p)
		positions = append(positions, d.pos(nodes[i]))
	}
	return list, positions
}

// settingOrUnknown decodes a key that must be a setting.
func (d *decoder) settingOrUnknown(e entry, in string, into layer, known []key) (suggested string) {
	for _, k := range settingKeys() {
		if k.name == e.name {
			d.setting(k, e, into)
			return ""
		}
	}
	return d.unknownKey(e, in, known, func(name string) string {
		for _, k := range topKeys() {
			if k.name == name {
				return name + " is a key of the file, beside profiles"
			}
		}
		return ""
	})
}

// setting decodes the value of one setting into a layer.
func (d *decoder) setting(k key, e entry, into layer) {
	n := e.value
	v := &value{pos: d.pos(n)}
	v.at = func(item, offset int) Position { return d.inside(n, offset) }
	switch k.kind {
	case kindPack:
		if n.Kind != yaml.MappingNode {
			d.setting(find(k.sub, k.name+".flags"), e, into)
			return
		}
		fallthrough
	case kindGroup:
		entries, ok := d.mapEntries(n, k.name, groupHint(k.name))
		if !ok {
			return
		}
		for _, e := range entries {
			i := slices.IndexFunc(k.sub, func(s key) bool { return s.last() == e.name })
			if i < 0 {
				d.unknownKey(e, k.name, k.sub, nil)
				continue
			}
			d.setting(k.sub[i], e, into)
		}
		return
	case kindMap:
		d.mapSetting(k, n, into)
		return
	case kindBool:
		var ok bool
		if v.flag, ok = d.boolean(n, k.name); !ok {
			return
		}
		v.text = n.Value
	case kindText:
		var ok bool
		if v.text, ok = d.text(n, k.name); !ok {
			return
		}
		if means, ok := k.truth[v.text]; ok && n.Style == 0 {
			v.text = means
		}
		if k.enum != nil && !d.enum(v.pos, k.name, v.text, k.enum) {
			return
		}
	case kindSize:
		s, ok := d.text(n, k.name)
		if !ok {
			return
		}
		size, err := parseSize(s)
		if err != nil {
			d.err(v.pos, err)
			return
		}
		v.text, v.size = s, size
	case kindDuration:
		s, ok := d.text(n, k.name)
		if !ok {
			return
		}
		dur, err := parseDuration(s)
		if err != nil {
			d.err(v.pos, err)
			return
		}
		v.text, v.dur = s, dur
	case kindList, kindTexts, kindOff:
		if !d.listSetting(k, n, v) {
			return
		}
	case kindFiles:
		if !d.filesSetting(k, n, v) {
			return
		}
	case kindContents:
		if !d.contentsSetting(k, n, v) {
			return
		}
	}
	d.checkValue(k, v)
	into[k.name] = v
}

func groupHint(name string) string {
	switch name {
	case "upx":
		return "write upx: [--best, --lzma], or upx: {flags: [--best, --lzma], version: \"3.94\", sha256: …}"
	case "packages":
		return "write packages: {formats: [deb, rpm], maintainer: Jo Doe <jo@example.org>, description: WHAT IT IS}"
	case "packages.scripts":
		return "write scripts: {postinstall: FILE}"
	case "bench":
		return "write bench: {args: [--version], variants: [stripped, plain]}"
	case "ldflags":
		return "write ldflags: {strip: all, set: {main.version: \"{{.Version}}\"}, extra: [-FLAG]}"
	}
	return "write budget: {size: 8MiB, growth: 200KiB, startup: 300ms}"
}

func (d *decoder) listSetting(k key, n *yaml.Node, v *value) bool {
	scalar := n.Kind == yaml.ScalarNode && !isNull(n)
	switch {
	case k.kind == kindOff && scalar && n.Value == "off":
		v.text = "off"
		return true
	case k.kind == kindOff && scalar && slices.Contains([]string{"true", "on", "yes"}, n.Value):
		d.errorAt(v.pos, "write [--best]", "%s wants a list of flags or off, not %s", k.name, describeNode(n))
		return false
	case k.kind == kindTexts && scalar:
		s, ok := d.text(n, k.name)
		v.list, v.items = []string{s}, []Position{v.pos}
		return ok
	}
	hint := ""
	switch {
	case k.name == "tags" && scalar && strings.ContainsAny(n.Value, ", "):
		hint = "write " + listYAML(strings.FieldsFunc(n.Value, func(r rune) bool { return r == ',' || r == ' ' }))
	case k.kind == kindOff && scalar:
		hint = "write a list of flags such as [--best], or off"
	}
	list, nodes, ok := d.texts(n, k.name, hint)
	v.list = list
	for _, item := range nodes {
		v.items = append(v.items, d.pos(item))
	}
	v.at = func(item, offset int) Position {
		if item >= 0 && item < len(nodes) {
			return d.inside(nodes[item], offset)
		}
		return v.pos
	}
	return ok
}

// mapSetting decodes env and ldflags.set: each entry is a value of its own.
func (d *decoder) mapSetting(k key, n *yaml.Node, into layer) {
	hint := "write " + k.last() + ": {NAME: VALUE}"
	entries, ok := d.mapEntries(n, k.name, hint)
	if !ok {
		return
	}
	for _, e := range entries {
		s, ok := d.text(e.value, k.name+"."+e.name)
		if !ok || !d.checkEntryName(k, e) {
			continue
		}
		v := &value{text: s, pos: d.pos(e.value)}
		v.at = func(_, offset int) Position { return d.inside(e.value, offset) }
		d.checkEntry(k, e.name, v)
		into[k.name+"."+e.name] = v
	}
}
