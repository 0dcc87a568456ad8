package importer

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// promuPlatforms are what promu crossbuilds where the configuration names none.
// https://github.com/prometheus/promu/blob/main/cmd/crossbuild.go
const promuPlatforms = `aix/ppc64 darwin/amd64 darwin/arm64 dragonfly/amd64 freebsd/386 freebsd/amd64 freebsd/arm64 freebsd/armv6 freebsd/armv7
	illumos/amd64 linux/386 linux/amd64 linux/arm64 linux/armv5 linux/armv6 linux/armv7 linux/mips linux/mips64 linux/mips64le linux/mipsle
	linux/ppc64le linux/riscv64 linux/s390x netbsd/386 netbsd/amd64 netbsd/arm64 netbsd/armv6 netbsd/armv7 openbsd/386 openbsd/amd64
	openbsd/arm64 openbsd/armv7 windows/amd64 windows/arm64`

// promu imports a .promu.yml.
func (im *importer) promu(data []byte) error {
	root, err := im.parse(im.Name, data)
	if err != nil {
		return err
	}
	p := &promu{importer: im, fields: im.fields(root), of: settings{}}
	im.values = map[string]string{}
	repo := im.fields(fieldOf(p.fields, "repository").value)
	for _, f := range repo {
		if f.name == "path" {
			im.say(f.key, Default, "the module's path is go.mod's")
		}
	}
	p.project = ProgramName(first(text(fieldOf(repo, "path").value), im.Module))
	p.toolchain()
	p.build()
	p.tarball()
	p.platforms()
	im.draft.top = append([]pair{{"project", value{text: quote(p.project)}}}, im.draft.top...)
	p.name()
	prof := &profileDraft{name: "release", targets: p.targets, of: map[target]settings{}, from: p.from}
	for _, t := range p.targets {
		prof.of[t] = p.of
	}
	im.draft.profiles = append(im.draft.profiles, prof)
	im.draft.comments = append(im.draft.comments, "Made of "+im.Name+" by mintmark init; what became of each of its keys: mintmark init -from="+im.Name+" -print")
	return nil
}

type promu struct {
	*importer
	fields  []field
	project string
	targets []target
	from    []any
	of      settings // the same on every platform
}

func (p *promu) toolchain() {
	for _, f := range p.importer.fields(fieldOf(p.fields, "go").value) {
		switch v := text(f.value); f.name {
		case "version":
			p.say(f.key, Changed, "the toolchain is go.mod's, or the key go with a patch release: go%s names a series of them", v)
		case "cgo":
			if v == "true" {
				p.of["cgo"] = value{text: "true", from: []any{f.key}}
				p.say(f.key, Kept, "cgo: true")
			} else {
				p.say(f.key, Default, "cgo is false")
			}
		}
	}
}

func (p *promu) build() {
	for _, f := range p.importer.fields(fieldOf(p.fields, "build").value) {
		switch v := text(f.value); f.name {
		case "binaries":
			p.binaries(f)
		case "flags":
			p.flags(f)
		case "ldflags":
			p.ldflags(f)
		case "tags":
			p.tags(f)
		case "static":
			if v != "true" {
				p.say(f.key, Default, "not static")
				break
			}
			p.say(f.key, Default, "a program without cgo is static")
			if p.of["cgo"].text == "true" {
				p.of["ldflags.extra"] = value{list: []string{"-extldflags=-static"}, from: []any{f.key}}
				p.say(f.key, Kept, "ldflags.extra")
			}
		case "prefix":
			p.say(f.key, Default, "programs are built into dist")
		}
	}
}

func (p *promu) binaries(f field) {
	var main []string
	var from []any
	binary := ""
	for _, e := range elements(f.value) {
		if text(e) == "all" {
			p.say(f.key, Kept, "main: ./cmd/...")
			main = append(main, "./cmd/...")
			continue
		}
		in := p.importer.fields(e)
		name, at := fieldOf(in, "name"), fieldOf(in, "path")
		m := "./" + strings.TrimPrefix(path.Clean("./"+text(at.value)), ".")
		if m = strings.ReplaceAll(m, "//", "/"); m == "." {
			m = "./"
		}
		main, from = append(main, m), append(from, at.key)
		p.say(at.key, Kept, "main: %s", m)
		if def := p.defaultBinary(m, ""); text(name.value) == def {
			p.say(name.key, Default, "go build calls it so")
		} else if p.format.key("binary") {
			binary += map[bool]string{true: "{{if", false: "{{else if"}[binary == ""] + " eq .Binary " + quoteText(def) + "}}" + text(name.value)
			p.of["binary"] = value{text: quote(binary + "{{else}}{{.Binary}}{{end}}"), from: []any{name.key}}
			p.say(name.key, Kept, "binary")
		} else {
			p.say(name.key, Cannot, "the program is called %s, as go build does, in this version; rename its directory", def)
		}
	}
	switch slices.Sort(main); {
	case len(main) == 1:
		p.of["main"] = value{text: quote(main[0]), from: from}
	case len(main) > 1:
		p.of["main"] = value{list: quoted(slices.Compact(main)), from: from}
	}
	if len(main) == 0 {
		p.say(f.key, Default, "none: the program in the module's directory")
	}
}

func quoteText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// flags are those of go build.
func (p *promu) flags(f field) {
	words := splitFlags(strings.Join(texts(f.value), " "))
	for i := 0; i < len(words); i++ {
		name, v, has := strings.Cut(words[i], "=")
		switch name = "-" + strings.TrimLeft(name, "-"); {
		case name == "-tags":
			if !has && i+1 < len(words) {
				i++
				v = words[i]
			}
			p.addTags(f.key, v)
		case name == "-mod" && v == "vendor":
			p.of["mod"] = value{text: "vendor", from: []any{f.key}}
			p.say(f.key, Kept, "mod: vendor")
		case name == "-trimpath", words[i] == "-mod=readonly":
			p.say(f.key, Default, "%s", words[i])
		case name == "-a" || name == "-v" || name == "-x":
			p.say(f.key, Changed, "%s decides nothing of what is built", name)
		default:
			p.say(f.key, Cannot, "%s is no key of a profile", words[i])
		}
	}
	if len(words) == 0 {
		p.say(f.key, Default, "none")
	}
}

func (p *promu) addTags(key any, text string) {
	old := p.of["tags"]
	for _, t := range strings.FieldsFunc(strings.Trim(text, `"'`), func(r rune) bool { return r == ',' || r == ' ' }) {
		if t = quote(t); !slices.Contains(old.list, t) {
			old.list = append(old.list, t)
		}
	}
	if len(old.list) > 0 {
		slices.Sort(old.list)
		old.from = append(old.from, key)
		p.of["tags"] = old
	}
	p.say(key, Kept, "tags")
}

// tags are for all platforms, or for one system each.
func (p *promu) tags(f field) {
	if f.value.Kind != yaml.MappingNode {
		for _, t := range texts(f.value) {
			p.addTags(f.key, t)
		}
		return
	}
	for _, x := range p.importer.fields(f.value) {
		switch {
		case len(texts(x.value)) == 0:
			p.say(x.key, Default, "none")
		case x.name == "all":
			for _, t := range texts(x.value) {
				p.addTags(x.key, t)
			}
		default:
			p.say(x.key, Cannot, "tags of one system stand in an override: {platforms: [%s], tags: […]}", x.name)
		}
	}
}

var promuAction = regexp.MustCompile(`{{[^{}]*}}`)

// ldflags are those of the linker; promu's templates know other things than ours.
func (p *promu) ldflags(f field) {
	var words []string
	src := strings.Join(texts(f.value), " ")
	for _, w := range splitFlags(src) {
		var bad []string
		changed := ""
		w = promuAction.ReplaceAllStringFunc(w, func(action string) string {
			switch body := strings.Trim(action, "{} -"); {
			case body == ".Version":
				return "{{.Version}}"
			case body == ".Revision":
				return "{{.Commit}}"
			case strings.HasPrefix(body, "date "):
				if layout := strings.Trim(strings.TrimPrefix(body, "date "), `"`+" `"); p.format.function("date") {
					changed = action + " is the time of the build; here it is the time of the commit"
					return `{{.CommitDate | date ` + quoteText(layout) + `}}`
				}
				changed = action + " is the time of the build; here it is the time of the commit, in RFC 3339"
				return "{{.CommitDate}}"
			default:
				bad = append(bad, action)
				return ""
			}
		})
		if changed != "" {
			p.say(f.key, Changed, "%s", changed)
		}
		if len(bad) > 0 {
			p.say(f.key, Cannot, "%s: %s does not follow from the commit; the variable keeps the value that the program gives it", first(strings.Split(w, "=")...), strings.Join(bad, ", "))
			if n := len(words); n > 0 && words[n-1] == "-X" {
				words = words[:n-1]
			}
			continue
		}
		words = append(words, w)
	}
	for i := 0; i < len(words); i++ {
		switch w := words[i]; {
		case w == "-s" || w == "-w":
		case w == "-X" && i+1 < len(words), strings.HasPrefix(w, "-X="):
			if w == "-X" {
				i++
				w = words[i]
			}
			name, v, ok := strings.Cut(strings.TrimPrefix(w, "-X="), "=")
			if !ok {
				p.say(f.key, Cannot, "%s is not NAME=VALUE", w)
				break
			}
			p.of["ldflags.set/"+name] = value{text: quote(v), from: []any{f.key}}
		case strings.HasPrefix(w, "-"):
			e := p.of["ldflags.extra"]
			if !strings.Contains(w, "=") && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
				i++
				w += "=" + words[i]
			}
			e.list, e.from = append(e.list, quote(w)), append(e.from, f.key)
			p.of["ldflags.extra"] = e
		}
	}
	p.say(f.key, Kept, "ldflags")
}

// tarball is what is in an archive.
func (p *promu) tarball() {
	v := value{list: []string{}}
	for _, f := range p.importer.fields(fieldOf(p.fields, "tarball").value) {
		switch f.name {
		case "files":
			v.from = append(v.from, f.key)
			for _, name := range texts(f.value) {
				if want := p.match(name); len(want) == 0 {
					p.say(f.key, Cannot, "%s matches no file of the module", quote(name))
				} else if list, ok := p.patterns(name, want); ok || len(list) > 0 {
					v.list = append(v.list, quoted(list)...)
					p.say(f.key, Kept, "files")
				}
			}
		case "prefix":
			p.say(f.key, Default, "archives are in dist, or what -out= names")
		}
	}
	if len(v.list) > 0 {
		p.of["files"] = v
	}
}

// platforms are those of crossbuild.
func (p *promu) platforms() {
	var named []string
	for _, f := range p.importer.fields(fieldOf(p.fields, "crossbuild").value) {
		switch f.name {
		case "platforms":
			p.from = append(p.from, f.key)
			for _, name := range texts(f.value) {
				re, err := regexp.Compile("^(?:" + name + ")")
				hits := 0
				for _, pl := range strings.Fields(promuPlatforms) {
					if err == nil && (re.MatchString(pl) && (strings.Contains(name, "/") && pl == name || re.FindString(pl) == pl || strings.HasPrefix(pl, name+"/"))) {
						named, hits = append(named, pl), hits+1
					}
				}
				if hits == 0 && strings.Contains(name, "/") {
					named, hits = append(named, name), 1
				}
				if hits == 0 {
					p.say(f.key, Cannot, "%s is no platform", quote(name))
				}
			}
			p.say(f.key, Kept, "platforms")
		default:
			p.sayAll(f, Cannot, "it is about promu's images; a cross compiler is named with env: {CC: …}")
		}
	}
	if len(named) == 0 {
		named = strings.Fields(promuPlatforms)
		p.unwritten("crossbuild.platforms", Kept, "promu's default: %d platforms", len(named))
	}
	for _, name := range named {
		goos, arch, _ := strings.Cut(name, "/")
		t := target{os: goos, arch: arch}
		if v, ok := strings.CutPrefix(arch, "armv"); ok {
			t.arch, t.variant = "arm", v
		}
		if !t.exists() {
			p.say(keys(p.from), Cannot, "%s is no platform that a profile can name", quote(name))
			continue
		}
		if !slices.Contains(p.targets, t) {
			p.targets = append(p.targets, t)
		}
	}
	slices.SortFunc(p.targets, func(a, b target) int { return strings.Compare(a.String(), b.String()) })
}

// name is how promu calls archives, and the directory in them.
func (p *promu) name() {
	p.of["name"] = value{text: quote("{{.Project}}-{{.Version}}.{{.OS}}-{{.Arch}}{{with .Variant}}v{{.}}{{end}}")}
	p.of["archive"] = value{text: "tar.gz"}
	p.unwritten("tarball", Kept, "name: as promu calls archives")
	if p.format.key("wrap") && p.format.field("Name") {
		p.of["wrap"] = value{text: quote("{{.Name}}")}
		p.unwritten("tarball", Kept, "wrap: as promu does")
	} else {
		p.unwritten("tarball", Cannot, "promu wraps files in a directory with the archive's name; archives have no top directory in this version")
	}
	if p.format.key("checksums.name") {
		p.draft.top = append(p.draft.top, pair{"checksums.name", value{text: "sha256sums.txt"}})
		p.unwritten("checksum", Kept, "checksums.name: as promu calls the list")
	} else {
		p.unwritten("checksum", Cannot, "promu calls the list of digests sha256sums.txt; it is called checksums.txt in this version")
	}
}
