package profiles

import (
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
	Project string
	Builds  []GoReleaserBuild
}

// GoReleaserBuild is one of its builds.
type GoReleaserBuild struct {
	ID, Dir, Main, Binary string
	Set                   []string // variables that -X sets, as import/path.Name
	DefaultSet            bool     // no ldflags: GoReleaser sets version, commit, date and builtBy in main
	Tags                  []string
	CGO                   bool // CGO_ENABLED=1
}

var (
	linkerSet  = regexp.MustCompile(`-X[ \t=]+['"]?([^\s='"{}]+)=`)
	tagsFlag   = regexp.MustCompile(`^--?tags[ =]["']?([^"']*)["']?$`)
	templateIn = regexp.MustCompile(`{{[^{}]*}}`)
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
		Skip                      yaml.Node
		Builder                   string
	}
	var file struct {
		Project string `yaml:"project_name"`
		Builds  []build
		Build   *build
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
	g := &GoReleaser{Project: file.Project}
	for _, b := range file.Builds[:min(len(file.Builds), maxEntries)] {
		if b.Skip.Value == "true" || b.Builder != "" && b.Builder != "go" && b.Builder != "prebuilt" {
			continue
		}
		one := GoReleaserBuild{ID: b.ID, Dir: b.Dir, Main: b.Main, Binary: b.Binary, Tags: nodeTexts(&b.Tags)}
		flags := nodeTexts(&b.LDFlags)
		one.DefaultSet = len(flags) == 0
		for _, m := range linkerSet.FindAllStringSubmatch(templateIn.ReplaceAllString(strings.Join(flags, " "), "x"), maxEntries) {
			if !slices.Contains(one.Set, m[1]) {
				one.Set = append(one.Set, m[1])
			}
		}
		for _, f := range nodeTexts(&b.Flags) {
			if m := tagsFlag.FindStringSubmatch(strings.TrimSpace(f)); m != nil {
				one.Tags = append(one.Tags, strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' })...)
			}
		}
		one.CGO = slices.Contains(nodeTexts(&b.Env), "CGO_ENABLED=1")
		g.Builds = append(g.Builds, one)
	}
	return g, nil
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

// Dropped is what the built-in profile for a project does without of what g
// says, as phrases; vars are the variables of the main package in the module's
// directory that a default -X of GoReleaser's would set.
func (g *GoReleaser) Dropped(project string, vars []string) (phrases []string) {
	var mains, set, tags []string
	add := func(to *[]string, texts ...string) {
		for _, t := range texts {
			if t != "" && !slices.Contains(*to, t) {
				*to = append(*to, t)
			}
		}
	}
	var names []string
	if g.Project != "" && g.Project != project {
		add(&names, "project_name "+g.Project)
	}
	cgo := false
	for _, b := range g.Builds {
		if main := path.Join(b.Dir, b.Main); main != "" && main != "." && path.Clean(main) != "main.go" {
			add(&mains, main)
		}
		if name := path.Base(b.Binary); b.Binary != "" && name != project && !strings.Contains(name, "{{") {
			add(&names, "binary "+name)
		}
		add(&set, b.Set...)
		if b.DefaultSet {
			for _, v := range []string{"version", "commit", "date", "builtBy"} {
				if slices.Contains(vars, v) {
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
	list("", names)
	if cgo {
		phrases = append(phrases, "CGO_ENABLED=1")
	}
	return phrases
}
