package importer

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// packageTexts are the keys of GoReleaser's nfpms that are a text here, and packageLists
// those that are a list.
func packageTexts() map[string]string {
	return map[string]string{
		"package_name": "name", "vendor": "vendor", "homepage": "homepage", "maintainer": "maintainer", "description": "description",
		"license": "license", "section": "section", "bindir": "bindir", "release": "release",
	}
}

func packageLists() map[string]string {
	return map[string]string{
		"dependencies": "depends", "depends": "depends", "provides": "provides", "recommends": "recommends", "suggests": "suggests",
		"conflicts": "conflicts", "replaces": "replaces",
	}
}

// packages takes over what the file says of packages for Linux distributions.
func (g *goreleaser) packages() {
	taken := false
	for _, name := range []string{"nfpms", "nfpm"} {
		f := g.field(name)
		list := elements(f.value)
		if f.there() && len(list) == 0 {
			g.sayAll(f, Default, "none")
		}
		for _, e := range list {
			fields := g.importer.fields(e)
			if taken {
				for _, x := range fields {
					g.sayAll(x, Cannot, "one package of a profile is made, and that is the first")
				}
				continue
			}
			taken = g.packagesOf(field{f.name, f.key, e}, fields)
		}
	}
}

// packagesOf puts one of them into the profile of its programs, if there is one that a
// package can be made of.
func (g *goreleaser) packagesOf(f field, fields []field) bool {
	var ids []string
	for _, name := range []string{"ids", "builds"} {
		ids = append(ids, texts(fieldOf(fields, name).value)...)
	}
	holds := func(i int) bool {
		u := g.units[i]
		return slices.ContainsFunc(u.targets, func(t target) bool {
			return t.os == "linux" && slices.ContainsFunc(u.builds[t], func(b *build) bool { return len(ids) == 0 || slices.Contains(ids, b.id) })
		})
	}
	at := slices.IndexFunc(g.draft.profiles, func(p *profileDraft) bool { return holds(slices.Index(g.draft.profiles, p)) })
	p := &packageDraft{g: g, set: settings{}}
	if at >= 0 {
		p.read(fields)
	}
	why := p.missing()
	if at < 0 {
		why = "nothing that is imported is in this package"
	}
	if why != "" {
		for _, x := range fields {
			p.g.forget(x)
			g.sayAll(x, Cannot, "no packages are made: %s", why)
		}
		return false
	}
	profile := g.draft.profiles[at]
	for key, v := range p.set {
		v.from = append(v.from, f.key)
		for _, t := range profile.targets {
			profile.of[t]["packages."+key] = v
		}
	}
	p.once(profile)
	for _, name := range []string{"ids", "builds"} {
		if x := fieldOf(fields, name); x.there() {
			g.sayAll(x, Kept, "packages of profile %s", profile.name)
		}
	}
	return true
}

// once leaves of targets whose architectures a format calls alike, such as Debian does
// those of arm/6 and arm/7, one with packages of that format: that of arm/7, and of other
// architectures what all machines can run. Two packages of one name cannot be published.
func (p *packageDraft) once(profile *profileDraft) {
	left := map[target][]string{}
	for _, format := range p.formats {
		by := map[string]target{} // "" are those that have no packages of that format
		for _, t := range profile.targets {
			arch := fact.PackageArch(format, t.String())
			if first, ok := by[arch]; !ok || (t.arch == "arm") == (t.variant > first.variant) {
				by[arch] = t
			}
		}
		for _, t := range profile.targets {
			arch := fact.PackageArch(format, t.String())
			if first := by[arch]; arch != "" && first != t {
				left[t] = append(left[t], format)
				p.g.unwritten("nfpms.formats", Changed, "no %s for %s: its architecture is called as that of %s", format, t, first)
			}
		}
	}
	for t, out := range left {
		v := p.set["formats"]
		v.list = quoted(slices.DeleteFunc(slices.Clone(p.formats), func(f string) bool { return slices.Contains(out, f) }))
		if len(v.list) == 0 {
			v.list = []string{"none"}
		}
		profile.of[t]["packages.formats"] = v
	}
}

// forget takes back what was said of a key and of those in it.
func (g *goreleaser) forget(f field) {
	delete(g.said, any(f.key))
	for _, e := range elements(f.value) {
		for _, x := range g.importer.fields(e) {
			g.forget(x)
		}
	}
	for _, x := range g.importer.fields(f.value) {
		g.forget(x)
	}
}

// packageDraft is the key packages in the making.
type packageDraft struct {
	g       *goreleaser
	set     settings
	formats []string
}

// missing says what keeps all formats from being made; "" if one can be. The formats
// that lack something are left out.
func (p *packageDraft) missing() string {
	if p.set["description"].text == "" {
		return "a package needs a description"
	}
	for format, key := range map[string]string{fact.Deb: "maintainer", fact.RPM: "license"} {
		if i := slices.Index(p.formats, format); i >= 0 && p.set[key].text == "" {
			p.g.unwritten("nfpms.formats", Cannot, "no %s: it needs packages.%s", format, key)
			p.formats = slices.Delete(p.formats, i, i+1)
		}
	}
	if len(p.formats) == 0 {
		return "there is no format of them here"
	}
	v := p.set["formats"]
	v.list = quoted(p.formats)
	p.set["formats"] = v
	return ""
}

func (p *packageDraft) read(fields []field) {
	for _, f := range fields {
		if key, ok := packageTexts()[f.name]; ok {
			p.text(key, f)
			continue
		}
		if key, ok := packageLists()[f.name]; ok {
			p.list(key, f)
			continue
		}
		g := p.g
		switch f.name {
		case "id":
			g.say(f.key, Default, "a profile has one package")
		case "ids", "builds":
		case "formats":
			p.readFormats(f)
		case "file_name_template":
			g.say(f.key, Changed, "packages are called by the conventions of their formats")
		case "contents":
			p.contents(f)
		case "scripts":
			for _, x := range g.importer.fields(f.value) {
				p.script(x)
			}
		case "mtime", "umask":
			g.sayAll(f, Changed, "files in packages have the commit's time, and the modes that the profile says")
		case "priority":
			if text(f.value) == "optional" {
				g.say(f.key, Default, "it is optional")
			} else {
				g.sayAll(f, Cannot, "the priority is optional")
			}
		case "overrides", "deb", "rpm", "apk", "archlinux", "ipk", "msix":
			g.sayAll(f, Cannot, "all formats have the same values")
		case "epoch", "prerelease", "version_metadata":
			g.sayAll(f, Cannot, "the version is the release's, as each format writes it")
		default:
			g.sayAll(f, Cannot, "packages have no such key")
		}
	}
}

func (p *packageDraft) text(key string, f field) {
	tr, err := p.g.ofProject(text(f.value))
	switch {
	case err != nil:
		p.g.say(f.key, Cannot, "%v", err)
	case tr.text == "":
		p.g.say(f.key, Default, "none")
	case strings.Contains(tr.text, "{{"):
		p.g.say(f.key, Cannot, "it is one text for all versions; write it out in packages.%s", key)
	default:
		p.set[key] = value{text: quote(strings.TrimSpace(tr.text)), from: []any{f.key}}
		p.g.keep(f.key, tr.changes, "packages.%s", key)
	}
}

func (p *packageDraft) list(key string, f field) {
	if list := texts(f.value); len(list) > 0 {
		p.set[key] = value{list: quoted(list), from: []any{f.key}}
		p.g.sayAll(f, Kept, "packages.%s", key)
		return
	}
	p.g.sayAll(f, Default, "none")
}

func (p *packageDraft) readFormats(f field) {
	var others []string
	for _, format := range texts(f.value) {
		if slices.Contains(fact.PackageFormats(), format) {
			p.formats = append(p.formats, format)
		} else {
			others = append(others, format)
		}
	}
	p.set["formats"] = value{from: []any{f.key}}
	if len(others) > 0 {
		p.g.sayAll(f, Cannot, "no %s is made (formats: %s)", quote(strings.Join(others, ", ")), strings.Join(fact.PackageFormats(), ", "))
	} else {
		p.g.sayAll(f, Kept, "packages.formats")
	}
}

func (p *packageDraft) script(f field) {
	key := "scripts." + f.name
	if !slices.Contains([]string{"preinstall", "postinstall", "preremove", "postremove"}, f.name) {
		p.g.sayAll(f, Cannot, "packages have no such script")
		return
	}
	name, err := p.file(text(f.value))
	if err != nil {
		p.g.say(f.key, Cannot, "%v", err)
		return
	}
	p.set[key] = value{text: quote(name), from: []any{f.key}}
	p.g.say(f.key, Kept, "packages.%s", key)
}

// file is a path or glob of the configuration's as one of the module's, which has files.
func (p *packageDraft) file(src string) (string, error) {
	tr, err := p.g.ofProject(src)
	if err == nil && strings.Contains(tr.text, "{{") {
		err = fmt.Errorf("%s is a template", quote(src))
	}
	if err != nil {
		return "", err
	}
	name := path.Clean(tr.text)
	if len(p.g.match(name)) == 0 {
		return "", fmt.Errorf("%s is no file of the commit; commit it, or make it in generate", quote(src))
	}
	if dir := path.Clean(p.g.dir); dir != "." {
		inside, ok := strings.CutPrefix(name, dir+"/")
		if !ok {
			return "", fmt.Errorf("%s is not in the module in %s", quote(src), dir)
		}
		name = inside
	}
	return name, nil
}

// contents takes over the list of files.
func (p *packageDraft) contents(f field) {
	var list []string
	for _, e := range elements(f.value) {
		fields := p.g.importer.fields(e)
		one, err := p.content(fields)
		for _, x := range fields {
			switch {
			case err != nil:
				p.g.sayAll(x, Cannot, "%v", err)
			case x.name == "file_info":
				p.g.sayAll(x, Kept, "mode, owner and group in packages.contents; the time is the commit's")
			default:
				p.g.sayAll(x, Kept, "packages.contents")
			}
		}
		if err == nil {
			list = append(list, one)
		}
	}
	if len(list) > 0 {
		p.set["contents"] = value{list: list, from: []any{f.key}}
	}
}

// content is an element of it, as written in a profile file.
func (p *packageDraft) content(fields []field) (string, error) {
	g := p.g
	of := func(name string) string { return text(fieldOf(fields, name).value) }
	for _, name := range []string{"packager", "expand"} {
		if x := fieldOf(fields, name); x.there() && text(x.value) != "false" {
			return "", fmt.Errorf("%s has no meaning here: all formats have the same contents", name)
		}
	}
	dst, err := g.ofProject(of("dst"))
	if err == nil && strings.Contains(dst.text, "{{") {
		err = fmt.Errorf("dst is a template")
	}
	if err != nil {
		return "", err
	}
	to := dst.text
	if !strings.HasPrefix(to, "/") {
		to = "/" + to
	}
	parts := []string{}
	add := func(key, s string) {
		if s != "" {
			parts = append(parts, key+": "+quote(s))
		}
	}
	kind, src := of("type"), of("src")
	switch kind {
	case "", "file", "doc", "license", "licence", "readme", "tree", "config", "config|noreplace":
		if src, err = p.file(src); err != nil {
			return "", err
		}
		if fi, err := fs.Stat(g.Tree, path.Clean(path.Join(path.Clean(g.dir), src))); kind == "tree" || err == nil && fi.IsDir() {
			src, to = path.Join(src, "**"), strings.TrimSuffix(to, "/")+"/"
		}
		if strings.HasPrefix(kind, "config") {
			add("type", kind)
		}
	case "dir":
		add("type", kind)
		src = ""
	case "symlink":
		add("type", kind)
	default:
		return "", fmt.Errorf("%s is not offered as a type", quote(kind))
	}
	add("src", src)
	add("dst", to)
	for _, x := range g.importer.fields(fieldOf(fields, "file_info").value) {
		switch x.name {
		case "owner", "group":
			add(x.name, text(x.value))
		case "mode":
			mode, err := strconv.ParseUint(strings.TrimPrefix(text(x.value), "0o"), 8, 12)
			if err != nil || mode > 0o777 {
				return "", fmt.Errorf("the mode %s is more than rights", quote(text(x.value)))
			}
			if kind != "symlink" {
				parts = append(parts, fmt.Sprintf(`mode: "%04o"`, mode))
			}
		}
	}
	return "{" + strings.Join(parts, ", ") + "}", nil
}
