package recovery

import (
	"bytes"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
	"go.yaml.in/yaml/v4"
)

// goreleaserDefault is what GoReleaser links with when its configuration says
// nothing (https://goreleaser.com/customization/builds/go/, ldflags).
const goreleaserDefault = "-s -w -X main.version={{.Version}} -X main.commit={{.Commit}} -X main.date={{.Date}} -X main.builtBy=goreleaser"

// Limits on what is read of a source for its release configuration.
const (
	maxConfigFile  = 256 << 10
	maxConfigFiles = 5000
	maxTemplates   = 200
)

// findTemplates finds the values of -ldflags in the release configuration of a
// source: GoReleaser's and mintmark's files, which are read as data, then the
// texts of build scripts and documentation. Nothing of it is run. dir is the
// top of the source, c says for which platform.
func findTemplates(dir string, c *Claim, v *Values) []template {
	var goreleaser, ours, others []template
	n := 0
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read gives no candidate
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return nil
		}
		rel = filepath.ToSlash(rel)
		base := d.Name()
		if d.IsDir() {
			if base == ".git" || base == "node_modules" || base == "testdata" || base == "vendor" || strings.Count(rel, "/") > 5 {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !configName(rel) {
			return nil
		}
		if n++; n > maxConfigFiles {
			return fs.SkipAll
		}
		fi, err := d.Info()
		if err != nil || fi.Size() > maxConfigFile {
			return nil
		}
		data, err := files.Read(name, maxConfigFile)
		if err != nil {
			return nil
		}
		switch {
		case base == "mintmark.yaml":
			ours = append(ours, mintmarkTemplates(rel, data, c, v)...)
		case strings.Contains(base, "goreleaser") && isYAML(base):
			goreleaser = append(goreleaser, goreleaserTemplates(rel, data)...)
		case slices.ContainsFunc([]string{"ldflags", "LDFLAGS", "LdFlags", "ldFlags", "-X"}, func(s string) bool { return bytes.Contains(data, []byte(s)) }):
			others = append(others, scriptTemplates(rel, decoded(rel, data))...)
		}
		return nil
	})
	out := slices.Concat(ours, goreleaser)
	if t, ok := newTemplate("GoReleaser's default", goreleaserDefault, nil); ok {
		out = append(out, t)
	}
	out = append(out, others...)
	return out[:min(len(out), maxTemplates)]
}

func isYAML(base string) bool {
	ext := path.Ext(base)
	return ext == ".yml" || ext == ".yaml"
}

// configName reports whether a file can hold linker flags.
func configName(rel string) bool {
	base := strings.ToLower(path.Base(rel))
	switch path.Ext(base) {
	case ".yml", ".yaml", ".mk", ".mak", ".sh", ".bash", ".ps1", ".bat", ".cmd", ".js", ".mjs", ".ts", ".py", ".toml", ".nix", ".md", ".json", ".just", ".bazel", ".bzl", ".spec", ".rb", ".txt":
		return true
	case ".go": // magefiles and build programs
		return strings.Contains(rel, "mage") || strings.Contains(base, "make") || strings.Contains(base, "build") || strings.Contains(base, "release") ||
			strings.HasPrefix(rel, "scripts/") || strings.HasPrefix(rel, "script/") || strings.HasPrefix(rel, "ci/") || strings.HasPrefix(rel, "build/") || strings.HasPrefix(rel, "tools/")
	case "":
		return true // Makefile, Dockerfile, justfile, scripts without an extension
	}
	return strings.HasPrefix(base, "makefile") || strings.HasPrefix(base, "dockerfile")
}

// goreleaserTemplates reads the builds of a GoReleaser file.
func goreleaserTemplates(name string, data []byte) (out []template) {
	type build struct {
		LDFlags yaml.Node `yaml:"ldflags"`
		Base    string    `yaml:"base"`
	}
	var file struct {
		Builds []build   `yaml:"builds"`
		Build  yaml.Node `yaml:"build"`
		Env    []string  `yaml:"env"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil
	}
	var single build
	if file.Build.Kind != 0 && file.Build.Decode(&single) == nil {
		file.Builds = append(file.Builds, single)
	}
	for i, b := range file.Builds {
		var text string
		n := b.LDFlags
		if n.Kind == yaml.AliasNode && n.Alias != nil {
			n = *n.Alias
		}
		switch n.Kind {
		case yaml.ScalarNode:
			text = n.Value
		case yaml.SequenceNode:
			var parts []string
			for _, e := range n.Content {
				parts = append(parts, e.Value)
			}
			text = strings.Join(parts, " ")
		default:
			continue
		}
		env := func(name string) (string, bool) { return "", false }
		from := name + ", builds[" + itoa(int64(i)) + "]"
		if i == 0 {
			from = name + ", the first of builds"
		}
		if t, ok := newTemplate(from, text, env); ok {
			out = append(out, t)
		}
	}
	return out
}

// mintmarkTemplates reads this tool's own file. The values of its variables
// are known as far as the binary tells them.
func mintmarkTemplates(name string, data []byte, c *Claim, v *Values) (out []template) {
	file, err := profiles.Load(name, data)
	if err != nil {
		return nil
	}
	selected, err := file.Select(nil, nil)
	if err != nil {
		return nil
	}
	first := func(list []string) string {
		if len(list) == 0 {
			return ""
		}
		return list[0]
	}
	for _, sel := range selected {
		for _, pl := range sel.Platforms {
			if pl.OS != c.GOOS || pl.Arch != c.GOARCH {
				continue
			}
			s, err := sel.Profile.Expand(pl, profiles.Vars{
				Version: first(v.Versions), Tag: first(v.Tags), Commit: first(v.Commits), ShortCommit: first(v.Shorts),
				CommitDate: first(v.Dates), CommitTimestamp: first(v.Dates),
			})
			if err != nil {
				continue
			}
			if t, ok := newTemplate(name+", profile "+sel.Profile.Name, s.LinkerFlags(), nil); ok {
				out = append(out, t)
			}
		}
	}
	return out
}

var (
	// NAME := value, NAME="value", name: value, name = "value"; continued lines were joined.
	assignment = regexp.MustCompile(`(?m)^[ \t]*(?:export |local |override |readonly |ARG |ENV |const |var |let |set |\$)?[ \t]*"?([A-Za-z_][A-Za-z0-9_]*)"?[ \t]*(\+?[:?]{0,3}=|:)[ \t]*(.*?)[ \t]*$`)
	ldflagsArg = regexp.MustCompile(`-ldflags(?:=|[ \t]+|["'][ \t]*,[ \t]*)(.*)$`)
)

// scriptTemplates takes the values of -ldflags, and of variables whose name has
// LDFLAGS in it, out of a Makefile, script, workflow or document. Variables are
// replaced by what the same file defines them as.
func scriptTemplates(name, text string) (out []template) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = regexp.MustCompile(`[ \t]*\\\n[ \t]*`).ReplaceAllString(text, " ")
	defined := map[string]string{}
	for _, m := range assignment.FindAllStringSubmatch(text, 5000) {
		key, op, value := m[1], m[2], unquote(m[3])
		if strings.HasPrefix(op, "+") && defined[key] != "" {
			value = defined[key] + " " + value
		} else if old, ok := defined[key]; ok && strings.HasPrefix(op, "?") {
			value = old
		} else if ok && strings.Contains(value, "$"+key) || strings.Contains(value, "${"+key+"}") || strings.Contains(value, "$("+key+")") {
			value = strings.NewReplacer("${"+key+"}", old, "$("+key+")", old, "$"+key, old).Replace(value)
		}
		defined[key] = value
	}
	resolve := func(name string) (string, bool) {
		value, ok := defined[name]
		// A value that is computed is a hole by its own text: it says more
		// ($(git rev-parse HEAD)) than the name.
		return value, ok && value != ""
	}
	seen := map[string]bool{}
	add := func(value, where string) {
		value = strings.TrimSpace(value)
		if value == "" || seen[value] {
			return
		}
		seen[value] = true
		if t, ok := newTemplate(name+", "+where, value, resolve); ok && (t.mentions("-s") || t.mentions("-w") || t.mentions("-X") || t.mentions("-buildid") || t.mentions("-ext") || t.mentions("-link")) {
			out = append(out, t)
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		for _, line := range unwrapped(line) {
			for rest := line; ; {
				m := ldflagsArg.FindStringSubmatch(rest)
				if m == nil {
					break
				}
				value := strings.TrimSpace(m[1])
				add(unquotePrefix(value), "-ldflags")
				add(shellWord(value), "-ldflags")
				rest = m[1]
			}
		}
	}
	for key, value := range defined {
		if k := strings.ToLower(key); strings.Contains(k, "ldflags") || strings.Contains(k, "ld_flags") {
			// -ldflags may be part of the variable.
			if m := ldflagsArg.FindStringSubmatch(value); m != nil {
				value = unquotePrefix(strings.TrimSpace(m[1]))
			}
			add(value, key)
		}
	}
	slices.SortStableFunc(out, func(a, b template) int { return strings.Compare(a.From, b.From) })
	for _, value := range setTemplates(text) {
		add(value, "its -X")
	}
	return out
}

func (t template) mentions(s string) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return !p.hole && strings.Contains(p.text, s) })
}

// unquote takes quotes off that enclose a whole value.
func unquote(s string) string {
	s = strings.TrimSuffix(strings.TrimSpace(s), ";")
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] && strings.Count(s, s[:1]) == 2 {
		return s[1 : len(s)-1]
	}
	return s
}

// unquotePrefix gives the quoted text that s begins with, or its first word.
func unquotePrefix(s string) string {
	s = strings.TrimPrefix(s, `\`)
	if s == "" {
		return ""
	}
	if q := s[0]; q == '"' || q == '\'' || q == '`' {
		for i := 1; i < len(s); i++ {
			if s[i] == q && s[i-1] != '\\' {
				return strings.ReplaceAll(s[1:i], `\`+string(q), string(q))
			}
		}
		return ""
	}
	if start, end := nextHole(s); start == 0 {
		return s[:end]
	}
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		s = s[:i]
	}
	return s
}
