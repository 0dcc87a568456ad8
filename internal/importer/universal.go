package importer

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// combined is one entry of universal_binaries: the builds whose programs for macOS are in
// universal binaries.
type combined struct {
	ids     []string
	replace bool
	key     *yaml.Node
	fields  []field
	used    bool // a profile has them
}

// universal reads what universal binaries there are.
func (g *goreleaser) universal() {
	f := g.field("universal_binaries")
	for _, e := range elements(f.value) {
		in := g.importer.fields(e)
		j := &combined{ids: texts(fieldOf(in, "ids").value), replace: truth(fieldOf(in, "replace").value), key: f.key, fields: in}
		if len(j.ids) == 0 {
			j.ids = []string{first(text(fieldOf(in, "id").value), g.name)}
		}
		g.joined = append(g.joined, j)
	}
}

// text is the value of universal.
func (j *combined) text() string {
	if j.replace {
		return "replace"
	}
	return "true"
}

// universal sets whether a profile has universal binaries: if it has the programs of
// both architectures, all of builds that are joined.
func (f filler) universal() {
	for _, j := range f.g.joined {
		both, packed := map[string]bool{}, false
		of := true
		for _, t := range f.profile.targets {
			if t.os != "darwin" {
				continue
			}
			both[t.arch] = true
			of = of && !slices.ContainsFunc(f.builds(t), func(b *build) bool { return !slices.Contains(j.ids, b.id) })
			packed = packed || f.profile.of[t]["upx"].list != nil
		}
		if !of || packed || !both["amd64"] || !both["arm64"] {
			continue
		}
		j.used = true
		for _, t := range f.profile.targets {
			f.set(t, "universal", value{text: j.text(), from: []any{j.key}})
		}
	}
}

// universalLeft says what became of all universal binaries in the end.
func (g *goreleaser) universalLeft() {
	for _, j := range g.joined {
		outcome, what := Kept, "universal: "+j.text()
		if !j.used {
			outcome, what = Cannot, "no profile has the programs of darwin/amd64 and darwin/arm64 of these builds, unpacked and in one archive each: there is no universal binary of them"
		}
		if len(j.fields) == 0 {
			g.say(j.key, outcome, "%s", what)
		}
		for _, x := range j.fields {
			switch x.name {
			case "name_template":
				g.say(x.key, Changed, "the program in it is called as it is for one architecture")
			case "mod_timestamp":
				g.modTimestamp(x)
			case "hooks":
				g.sayAll(x, Cannot, "nothing runs between a build and its archive, or it would not be what was compared: sign or notarize programs where they are used")
			default:
				g.sayAll(x, outcome, "%s", what)
			}
		}
	}
	if f := g.field("universal_binaries"); f.there() && len(g.joined) == 0 {
		g.say(f.key, Default, "none")
	}
}
