package profiles

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// GoReleaserFiles are the names of GoReleaser's configuration, in the order in
// which it looks for one (https://goreleaser.com/customization/).
func GoReleaserFiles() []string {
	return []string{
		".config/goreleaser.yml", ".config/goreleaser.yaml", ".goreleaser.yml", ".goreleaser.yaml", "goreleaser.yml", "goreleaser.yaml",
	}
}

// GoReleaser is what a configuration of GoReleaser says of which programs there
// are and how they are built, as far as a profile can say it too.
type GoReleaser struct {
	Project  string
	Builds   []GoReleaserBuild
	Archives []GoReleaserArchive
	Proxy    bool // gomod.proxy: it builds what the module proxy serves
}

// GoReleaserArchive is one of its archives.
type GoReleaserArchive struct {
	Formats []string // none: tar.gz
	Wrap    string   // wrap_in_directory: "", true or a template
	Files   []string // what they are taken from; none: README*, LICENSE*, CHANGELOG*
}

// GoReleaserBuild is one of its builds.
type GoReleaserBuild struct {
	ID, Dir, Main, Binary string
	Set                   []string // variables that -X sets, as import/path.Name; templates stand as written
	DefaultSet            bool     // no ldflags: GoReleaser sets version, commit, date and builtBy in main
	Keeps                 string   // what the linker is not told to leave out, as a phrase; "" if nothing
	Tags                  []string
	CGO                   bool // CGO_ENABLED=1
	OS, Arch              []string
	Other                 []string // what is left, as phrases
}

var (
	projectName = regexp.MustCompile(`{{-?\s*\.ProjectName\s*-?}}`)
	linkerSet   = regexp.MustCompile(`-X[ \t=]+['"]?((?:{{[^{}]*}}|[^\s='"{}])+)=`)
	modulePath  = regexp.MustCompile(`{{-?\s*\.ModulePath\s*-?}}`)
)

// ReadGoReleaser reads a configuration of GoReleaser as data: nothing of it is
// run, and templates stay as they are.
func ReadGoReleaser(data []byte) (*GoReleaser, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(data), maxFile)
	}
	type build struct {
		ID, Dir, Main, Binary     string
		LDFlags, Flags, Tags, Env yaml.Node
		GCFlags, ASMFlags         yaml.Node
		GOOS, GOARCH, Targets     yaml.Node
		Skip, Hooks               yaml.Node
		Builder, Buildmode        string
	}
	var file struct {
		Project string `yaml:"project_name"`
		Builds  []build
		Build   *build
		GoMod   struct{ Proxy yaml.Node }

		Archives []struct {
			Formats, Format, Files yaml.Node
			Wrap                   yaml.Node `yaml:"wrap_in_directory"`
		}
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.Build != nil {
		file.Builds = append(file.Builds, *file.Build)
	}
	if len(file.Builds) == 0 {
		file.Builds = []build{{}} // it builds the module's directory then
	}
	g := &GoReleaser{Project: file.Project, Proxy: file.GoMod.Proxy.Value == "true"}
	for _, b := range file.Builds[:min(len(file.Builds), maxEntries)] {
		if b.Skip.Value == "true" || b.Builder != "" && b.Builder != "go" && b.Builder != "prebuilt" {
			continue
		}
		one := GoReleaserBuild{ID: b.ID, Dir: b.Dir, Main: b.Main, Binary: b.Binary, Tags: nodeTexts(&b.Tags)}
		flags := nodeTexts(&b.LDFlags)
		one.DefaultSet = len(flags) == 0
		one.Keeps = keeps(flags)
		for _, m := range linkerSet.FindAllStringSubmatch(strings.Join(flags, " "), maxEntries) {
			if !slices.Contains(one.Set, m[1]) {
				one.Set = append(one.Set, m[1])
			}
		}
		one.OS, one.Arch = nodeTexts(&b.GOOS), nodeTexts(&b.GOARCH)
		for _, target := range nodeTexts(&b.Targets) {
			if parts := strings.Split(target, "_"); len(parts) > 1 {
				one.OS, one.Arch = append(one.OS, parts[0]), append(one.Arch, parts[1])
			}
		}
		one.flags(nodeTexts(&b.Flags))
		if b.Buildmode != "" {
			one.Other = append(one.Other, "buildmode "+b.Buildmode)
		}
		for _, o := range []struct {
			name  string
			texts []string
		}{{"gcflags ", nodeTexts(&b.GCFlags)}, {"asmflags ", nodeTexts(&b.ASMFlags)}} {
			if len(o.texts) > 0 {
				one.Other = append(one.Other, o.name+strings.Join(o.texts, " "))
			}
		}
		if len(b.Hooks.Content) > 0 {
			one.Other = append(one.Other, "hooks")
		}
		one.CGO = slices.Contains(nodeTexts(&b.Env), "CGO_ENABLED=1")
		g.Builds = append(g.Builds, one)
	}
	for _, a := range file.Archives[:min(len(file.Archives), maxEntries)] {
		one := GoReleaserArchive{Formats: append(nodeTexts(&a.Formats), nodeTexts(&a.Format)...), Files: fileTexts(&a.Files)}
		if w := nodeTexts(&a.Wrap); len(w) == 1 && w[0] != "false" {
			one.Wrap = w[0]
		}
		g.Archives = append(g.Archives, one)
	}
	return g, nil
}

// keeps says what ldflags leave in a binary; "" where the default ldflags do not, or
// where a template may say anything.
func keeps(ldflags []string) string {
	var words []string
	for _, word := range strings.Fields(strings.NewReplacer(`"`, " ", `'`, " ").Replace(strings.Join(ldflags, " "))) {
		words = append(words, word)
		if strings.HasPrefix(word, "{{") {
			return ""
		}
	}
	switch {
	case len(words) == 0 || slices.Contains(words, "-s"): // which the linker takes for -w as well
		return ""
	case slices.Contains(words, "-w"):
		return "the symbol table"
	}
	return "the symbol table and debug information"
}

// fileTexts are the sources of files, each a text or a map.
func fileTexts(n *yaml.Node) (texts []string) {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	for _, e := range n.Content {
		if e.Kind == yaml.AliasNode && e.Alias != nil {
			e = e.Alias
		}
		if len(texts) >= maxEntries || n.Kind != yaml.SequenceNode {
			break
		}
		switch e.Kind {
		case yaml.ScalarNode:
			texts = append(texts, e.Value)
		case yaml.MappingNode:
			for i := 0; i+1 < len(e.Content); i += 2 {
				if e.Content[i].Value == "src" {
					texts = append(texts, e.Content[i+1].Value)
				}
			}
		}
	}
	return texts
}

// flags takes the flags of go build apart: an element may hold a flag with its
// value, or the value be the next one.
func (b *GoReleaserBuild) flags(elements []string) {
	tags := false
	for _, word := range strings.Fields(strings.NewReplacer(`"`, " ", `'`, " ").Replace(strings.Join(elements, " "))) {
		name, value, _ := strings.Cut(word, "=")
		switch flag := strings.TrimLeft(name, "-"); {
		case flag == name:
			value = word // of the flag before it
		case flag == "tags":
			tags = true
		default:
			tags = false
			if flag != "trimpath" && flag != "v" && flag != "x" { // which every profile has, and what only prints
				b.Other = append(b.Other, word)
			}
		}
		if tags {
			b.Tags = append(b.Tags, strings.FieldsFunc(value, func(r rune) bool { return r == ',' })...)
		}
	}
}

// nodeTexts are the texts of a list, or the one text.
func nodeTexts(n *yaml.Node) (texts []string) {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.ScalarNode:
		texts = append(texts, n.Value)
	case yaml.SequenceNode:
		for _, e := range n.Content {
			if e.Kind == yaml.AliasNode && e.Alias != nil {
				e = e.Alias
			}
			if e.Kind == yaml.ScalarNode && len(texts) < maxEntries {
				texts = append(texts, e.Value)
			}
		}
	}
	return texts
}

// builtinHas reports whether the archives of the built-in profile have such files.
func builtinHas(src string) bool {
	for _, glob := range builtinFiles() {
		if ok, _ := path.Match(glob, src); ok || src == "none*" { // as GoReleaser is told to have none
			return true
		}
	}
	return false
}

// BuiltIn is what the built-in profile builds of a module.
type BuiltIn struct {
	Project, Module string
	// Variables are those of the main package in the module's directory: a default
	// -X of GoReleaser's sets some that are there.
	Variables []string
	Platforms []Platform
}

// Dropped is what the built-in profile does without of what g says, as phrases.
func (g *GoReleaser) Dropped(in BuiltIn) (phrases []string) {
	var mains, set, tags, systems, archs, other, kept, formats, wraps, more []string
	add := func(to *[]string, texts ...string) {
		for _, t := range texts {
			if t != "" && !slices.Contains(*to, t) {
				*to = append(*to, t)
			}
		}
	}
	var names []string
	if g.Project != "" && g.Project != in.Project {
		add(&names, "project_name "+g.Project)
	}
	cgo := false
	for _, b := range g.Builds {
		if main := path.Join(b.Dir, b.Main); main != "" && main != "." && path.Clean(main) != "main.go" {
			add(&mains, main)
		}
		name := projectName.ReplaceAllLiteralString(b.Binary, cmp.Or(g.Project, in.Project))
		if name != "" && name != in.Project {
			add(&names, "binary "+name)
		}
		add(&kept, b.Keeps)
		for _, v := range b.Set {
			add(&set, modulePath.ReplaceAllLiteralString(v, in.Module))
		}
		for _, goos := range b.OS {
			if !slices.ContainsFunc(in.Platforms, func(p Platform) bool { return p.OS == goos }) {
				add(&systems, goos)
			}
		}
		for _, goarch := range b.Arch {
			if !slices.ContainsFunc(in.Platforms, func(p Platform) bool { return p.Arch == goarch }) {
				add(&archs, goarch)
			}
		}
		add(&other, b.Other...)
		if b.DefaultSet {
			for _, v := range []string{"version", "commit", "date", "builtBy"} {
				if slices.Contains(in.Variables, v) {
					add(&set, "main."+v)
				}
			}
		}
		add(&tags, b.Tags...)
		cgo = cgo || b.CGO
	}
	list := func(what string, texts []string) {
		if len(texts) > 0 {
			phrases = append(phrases, what+strings.Join(texts, ", "))
		}
	}
	list("main ", mains)
	list("-X ", set)
	list("tags ", tags)
	list("goos ", systems)
	list("goarch ", archs)
	list("", names)
	for _, a := range g.Archives {
		for _, f := range a.Formats {
			if f != "tar.gz" && f != "tgz" { // what the built-in profile has
				add(&formats, f)
			}
		}
		add(&wraps, a.Wrap)
		for _, f := range a.Files {
			if !builtinHas(f) {
				add(&more, f)
			}
		}
	}
	list("", kept)
	list("archive format ", formats)
	list("wrap_in_directory ", wraps)
	list("files ", more)
	if g.Proxy {
		add(&other, "gomod.proxy")
	}
	list("", other)
	if cgo {
		phrases = append(phrases, "CGO_ENABLED=1")
	}
	return phrases
}
