package importer

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// build is one of GoReleaser's builds.
type build struct {
	id      string
	fields  []field
	targets []target // as GoReleaser has them, each with its literal variant
	parts   map[target]details
	main    []string
	dir     string
	binary  string // a template of GoReleaser's
	keys    struct{ main, dir, binary, id *yaml.Node }
}

// details are what overrides of a build can set.
type details struct {
	ldflags, flags, tags, gcflags, asmflags, env field
	buildmode                                    field
}

func (g *goreleaser) builds() {
	list := elements(g.field("builds").value)
	if b := g.field("build"); b.there() { // of version 1
		list = append(list, b.value)
	}
	if len(list) == 0 {
		list = []*yaml.Node{nil}
		g.unwritten("builds", Kept, "GoReleaser's default: the program in the module's directory for linux, darwin and windows")
	}
	for _, n := range list {
		b := &build{fields: g.importer.fields(n), parts: map[target]details{}}
		if g.skipped(b) {
			continue
		}
		g.program(b)
		g.targets(b)
		g.details(b)
		g.leftover(b)
		if len(b.targets) > 0 {
			g.all = append(g.all, b)
		}
	}
	g.oneModule()
	if f := g.field("builds"); f.there() && len(elements(f.value)) == 0 {
		g.say(f.key, Default, "none: the program in the module's directory")
	}
}

// oneModule keeps the builds of one module, if a file of this version is about one.
func (g *goreleaser) oneModule() {
	if len(g.all) == 0 || slices.Contains(g.format.profile, "dir") {
		return
	}
	dir := g.all[0].dir
	g.all = slices.DeleteFunc(g.all, func(b *build) bool {
		if b.dir == dir {
			return false
		}
		for _, f := range b.fields {
			g.sayAll(f, Cannot, "a profile file is about one module: run init -dir=%s for this one", first(b.dir, "."))
		}
		return true
	})
	if dir != "" {
		g.dir = dir
		g.draft.top = append(g.draft.top, pair{"dir", value{text: quote(dir), from: []any{g.all[0].keys.dir}}})
	}
}

// skipped says of the keys of a build that is not a build of Go that they are not
// taken over.
func (g *goreleaser) skipped(b *build) bool {
	why, outcome := "", Cannot
	skip, builder := fieldOf(b.fields, "skip"), fieldOf(b.fields, "builder")
	switch {
	case isTrue(text(skip.value)):
		why, outcome = "the build is skipped", Default
	case strings.Contains(text(skip.value), "{{"):
		why = "whether it is built depends on a template; put the platforms into a profile of its own, and choose it with -profile="
	case text(builder.value) != "" && text(builder.value) != "go":
		why = "only Go programs are built; " + text(builder.value) + " stays with the tool that builds it now"
	case text(fieldOf(b.fields, "command").value) == "test":
		why = "test binaries are not released"
	default:
		return false
	}
	for _, f := range b.fields {
		g.sayAll(f, outcome, "%s", why)
	}
	return true
}

// program reads what is built and what it is called.
func (g *goreleaser) program(b *build) {
	id := fieldOf(b.fields, "id")
	b.id, b.keys.id = first(text(id.value), g.name), id.key
	g.say(id.key, Changed, "builds are joined with archives here: profiles have the names of archives, and of builds where they differ")
	dir, main := fieldOf(b.fields, "dir"), fieldOf(b.fields, "main")
	d, m := path.Clean(first(text(dir.value), ".")), first(text(main.value), ".")
	b.keys.main, b.keys.dir = main.key, dir.key
	at := path.Join(d, m)
	if strings.HasSuffix(m, ".go") {
		if path.Base(m) != "main.go" && g.alone(at) {
			g.say(main.key, Changed, "the whole package is built, not the one file")
		}
		at = path.Dir(at)
	}
	if up := g.nested(at); up != "." { // a module of its own
		if !g.format.key("dir") {
			g.say(dir.key, Cannot, "%s is a module of its own; run mintmark there", up)
			g.say(main.key, Cannot, "%s is a module of its own; run mintmark there", up)
		} else {
			b.dir = up
			at = strings.TrimPrefix(strings.TrimPrefix(at, up), "/")
		}
	}
	b.main = []string{"./" + strings.TrimPrefix(path.Clean("./"+at), ".")}
	b.main[0] = strings.TrimSuffix(b.main[0], "/")
	if b.main[0] == "." || at == "" || at == "." {
		b.main[0] = "./"
	}
	g.say(main.key, Kept, "main: %s", b.main[0])
	switch {
	case !dir.there():
	case b.dir != "":
		g.say(dir.key, Kept, "dir: %s", b.dir)
	default:
		g.say(dir.key, Kept, "main: %s", b.main[0])
	}
	bin := fieldOf(b.fields, "binary")
	b.binary, b.keys.binary = first(text(bin.value), g.name), bin.key
}

// alone reports whether a directory has more Go files than the one.
func (g *goreleaser) alone(file string) bool {
	names, err := fs.Glob(g.Tree, path.Join(path.Dir(path.Clean(file)), "*.go"))
	return err == nil && len(names) > 1
}

// nested is the directory of the module that dir belongs to, "." for that at the top.
func (im *importer) nested(dir string) string {
	for dir = path.Clean(dir); dir != "." && dir != "/" && fs.ValidPath(dir); dir = path.Dir(dir) {
		if fi, err := fs.Stat(im.Tree, path.Join(dir, "go.mod")); err == nil && fi.Mode().IsRegular() {
			return dir
		}
	}
	return "."
}

// defaultBinary is the name that go build gives to a program.
func (im *importer) defaultBinary(main string, dir string) string {
	at := path.Join(dir, main)
	if at != "." && (dir == "" || path.Clean(main) != ".") {
		return path.Base(at)
	}
	module := im.Module
	if dir != "" {
		if data, err := readFile(im.Tree, path.Join(dir, "go.mod")); err == nil {
			module = ModulePath(data)
		}
	}
	return ProgramName(module)
}

// ProgramName is the last element of an import path that is no major version.
func ProgramName(importPath string) string {
	base := path.Base(importPath)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" && path.Dir(importPath) != "." {
		base = path.Base(path.Dir(importPath))
	}
	return base
}

// ModulePath is the path that a go.mod declares.
func ModulePath(data []byte) string {
	for l := range strings.SplitSeq(string(data), "\n") {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(l), "module"); ok {
			return strings.Trim(strings.TrimSpace(strings.Split(rest, "//")[0]), `"`+"`")
		}
	}
	return ""
}

// targets finds the platforms of a build as GoReleaser does.
func (g *goreleaser) targets(b *build) {
	if f := fieldOf(b.fields, "targets"); len(elements(f.value)) > 0 {
		g.listed(b, f)
		return
	}
	list := func(key string, def ...string) []string {
		f := fieldOf(b.fields, key)
		if l := texts(f.value); len(l) > 0 {
			g.say(f.key, Kept, "platforms")
			return l
		}
		g.say(f.key, Default, "none is named, so GoReleaser's default: %s", strings.Join(def, ", "))
		return def
	}
	systems, archs := list("goos", "linux", "darwin", "windows"), list("goarch", "amd64", "arm64", "386")
	all := map[string][]string{}
	for _, v := range variants() {
		all[v.key] = list(v.key, v.def)
		if f := fieldOf(b.fields, v.key); f.there() && !slices.ContainsFunc(archs, func(a string) bool { return variants()[a].key == v.key }) {
			g.say(f.key, Changed, "no architecture of the build has such a variant")
		}
	}
	missing := []string{}
	for _, goos := range systems {
		for _, goarch := range archs {
			v, ok := variants()[goarch]
			names := []string{""}
			if ok {
				names = all[v.key]
			}
			for _, name := range names {
				t := target{goos, goarch, name}
				switch {
				case len(b.targets) >= maxTargets:
				case !t.exists():
					missing = append(missing, strings.TrimSuffix(t.String(), "/"+variants()[t.arch].def))
				case !g.ignored(b, t) && !slices.Contains(b.targets, t):
					b.targets = append(b.targets, t)
				}
			}
		}
	}
	if len(missing) > 0 {
		f := fieldOf(b.fields, "goarch")
		g.say(f.key, Kept, "without %s, which GoReleaser does not build either", brief(missing))
	}
}

// brief names the first of many.
func brief(names []string) string {
	const most = 4
	if len(names) <= most+1 {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + " and others"
}

// listed reads builds.targets, beside which nothing else counts.
func (g *goreleaser) listed(b *build, f field) {
	for _, s := range texts(f.value) {
		names := []string{s}
		if s == "go_first_class" || s == "go_118_first_class" {
			names = strings.Fields("darwin_amd64 darwin_arm64 linux_386 linux_amd64 linux_arm linux_arm64 windows_386 windows_amd64")
		}
		for _, name := range names {
			parts := strings.SplitN(name, "_", 3)
			if len(parts) < 2 {
				g.say(f.key, Cannot, "%s is no platform", quote(name))
				continue
			}
			t := target{os: parts[0], arch: parts[1]}
			if t.variant = variants()[t.arch].def; len(parts) > 2 {
				t.variant = parts[2]
			}
			if _, ok := variants()[t.arch]; !ok && t.variant != "" || !t.exists() {
				g.say(f.key, Cannot, "%s is no platform that a profile can name", quote(name))
				continue
			}
			if !slices.Contains(b.targets, t) && len(b.targets) < maxTargets {
				b.targets = append(b.targets, t)
			}
		}
	}
	slices.SortFunc(b.targets, func(a, b target) int { return strings.Compare(a.String(), b.String()) }) // GoReleaser has them in no order
	g.say(f.key, Kept, "platforms")
	for _, f := range b.fields {
		if f.name == "goos" || f.name == "goarch" || f.name == "ignore" || slices.ContainsFunc([]string{"386", "amd64", "arm", "arm64", "mips", "ppc64", "riscv64"}, func(a string) bool { return variants()[a].key == f.name }) {
			g.sayAll(f, Default, "GoReleaser ignores it beside targets")
		}
	}
}

// ignored reports whether an entry of ignore leaves the target out.
func (g *goreleaser) ignored(b *build, t target) (out bool) {
	f := fieldOf(b.fields, "ignore")
	g.say(f.key, Kept, "platforms.exclude")
	for _, e := range elements(f.value) {
		fields, match := g.importer.fields(e), true
		for _, x := range fields {
			want := text(x.value)
			switch {
			case want == "":
			case x.name == "goos":
				match = match && want == t.os
			case x.name == "goarch":
				match = match && want == t.arch
			default:
				v, ok := variants()[t.arch]
				known := slices.ContainsFunc([]string{"386", "amd64", "arm", "arm64", "mips", "ppc64", "riscv64"}, func(a string) bool { return variants()[a].key == x.name })
				if !known {
					continue
				}
				match = match && ok && v.key == x.name && want == t.variant
			}
			g.say(x.key, Kept, "platforms.exclude")
		}
		out = out || match && len(fields) > 0
	}
	return out
}

// details reads flags and environment of a build, and what overrides change.
func (g *goreleaser) details(b *build) {
	read := func(fields []field) details {
		return details{
			ldflags: fieldOf(fields, "ldflags"), flags: fieldOf(fields, "flags"), tags: fieldOf(fields, "tags"),
			gcflags: fieldOf(fields, "gcflags"), asmflags: fieldOf(fields, "asmflags"), env: fieldOf(fields, "env"), buildmode: fieldOf(fields, "buildmode"),
		}
	}
	own := read(b.fields)
	for _, t := range b.targets {
		b.parts[t] = own
	}
	f, taken := fieldOf(b.fields, "overrides"), map[target]bool{}
	if f.there() && len(elements(f.value)) == 0 {
		g.say(f.key, Default, "none")
	}
	for _, e := range elements(f.value) {
		fields := g.importer.fields(e)
		over := read(fields)
		hit, late := false, false
		for _, t := range b.targets {
			match := text(fieldOf(fields, "goos").value) == t.os && text(fieldOf(fields, "goarch").value) == t.arch
			if v, ok := variants()[t.arch]; ok {
				match = match && first(text(fieldOf(fields, v.key).value), v.def) == t.variant
			}
			if !match {
				continue
			}
			if taken[t] {
				late = true
				continue
			}
			hit, taken[t] = true, true
			d := b.parts[t]
			for _, p := range []struct{ to, from *field }{
				{&d.ldflags, &over.ldflags}, {&d.flags, &over.flags}, {&d.tags, &over.tags}, {&d.gcflags, &over.gcflags},
				{&d.asmflags, &over.asmflags}, {&d.buildmode, &over.buildmode},
			} {
				if len(texts(p.from.value)) > 0 {
					*p.to = *p.from
				}
			}
			if over.env.there() { // it is added to the build's
				both := append(slices.Clone(elements(own.env.value)), elements(over.env.value)...)
				d.env = field{over.env.name, over.env.key, &yaml.Node{Kind: yaml.SequenceNode, Content: both}}
				g.say(own.env.key, Kept, "env")
			}
			b.parts[t] = d
		}
		for _, x := range fields {
			if x.name == "goos" || x.name == "goarch" || strings.HasPrefix(x.name, "go") {
				g.say(x.key, Kept, "overrides.platforms")
			}
			switch {
			case hit:
			case late:
				g.sayAll(x, Changed, "an override before it is of the same platform, and GoReleaser takes the first alone")
			default:
				g.sayAll(x, Changed, "the override matches no platform of the build")
			}
		}
		if hit {
			g.say(f.key, Kept, "overrides")
		}
	}
}

// leftover says what becomes of the keys that decide nothing of what is built.
func (g *goreleaser) leftover(b *build) {
	for _, f := range b.fields {
		switch f.name {
		case "mod_timestamp":
			g.modTimestamp(f)
		case "no_unique_dist_dir", "no_main_check", "skip", "command", "builder":
			g.say(f.key, Default, "about GoReleaser's own directories and checks")
		case "gobinary", "tool":
			g.say(f.key, Changed, "the toolchain is a release of Go by its version: the key go of the file, else go.mod's")
		case "hooks":
			for _, h := range g.importer.fields(f.value) {
				g.sayAll(h, Cannot, "nothing runs between a build and its archive, or it would not be what was compared: sign or notarize programs where they are used, pack with upx, and generate files before the build")
			}
			if len(g.importer.fields(f.value)) == 0 {
				g.say(f.key, Default, "none")
			}
		}
	}
}

// modTimestamp is about times of files: they are the commit's here.
func (g *goreleaser) modTimestamp(f field) {
	if v := strings.ReplaceAll(text(f.value), " ", ""); v == "{{.CommitTimestamp}}" || v == "" {
		g.say(f.key, Default, "every file of an archive has the commit's time")
	} else {
		g.say(f.key, Changed, "every file of an archive has the commit's time")
	}
}

// pack is one entry of upx.
type pack struct {
	ids, goos, goarch, goarm, goamd64 []string
	flags                             []string
	key                               *yaml.Node
}

func (g *goreleaser) upx() {
	f := g.field("upx", "upxs")
	for _, e := range elements(f.value) {
		in := g.importer.fields(e)
		enabled := fieldOf(in, "enabled")
		if !isTrue(text(enabled.value)) {
			for _, x := range in {
				g.sayAll(x, Default, "not enabled")
			}
			if strings.Contains(text(enabled.value), "{{") {
				g.say(enabled.key, Cannot, "whether it packs depends on a template; put the platforms into a profile of its own")
			}
			continue
		}
		p := pack{key: enabled.key}
		for _, x := range in {
			switch v := text(x.value); x.name {
			case "ids":
				p.ids = texts(x.value)
			case "goos":
				p.goos = texts(x.value)
			case "goarch":
				p.goarch = texts(x.value)
			case "goarm":
				p.goarm = texts(x.value)
			case "goamd64":
				p.goamd64 = texts(x.value)
			case "compress":
				if v != "" {
					p.flags = append(p.flags, map[bool]string{true: "--best", false: "-" + v}[v == "best"])
				}
			case "lzma", "brute":
				if truth(x.value) {
					p.flags = append(p.flags, "--"+x.name)
				}
			case "binary":
				g.say(x.key, Changed, "upx is looked for on the PATH; pin it with upx: {version: …, sha256: …}")
				continue
			case "enabled":
			default:
				continue
			}
			g.sayAll(x, Kept, "upx")
		}
		if len(p.flags) == 0 {
			p.flags = []string{"-7"} // upx's own default for files below 512 KiB; it takes a flag here
			g.say(enabled.key, Changed, "upx: [-7], the default of upx, is written out")
		}
		g.packed = append(g.packed, p)
	}
}

// packs are the flags of upx for a target of a build.
func (g *goreleaser) packs(b *build, t target) (flags []string, key *yaml.Node) {
	in := func(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }
	for _, p := range g.packed {
		if in(p.ids, b.id) && in(p.goos, t.os) && in(p.goarch, t.arch) && (t.arch != "arm" || in(p.goarm, t.variant)) && (t.arch != "amd64" || in(p.goamd64, t.variant)) {
			return p.flags, p.key
		}
	}
	return nil, nil
}
