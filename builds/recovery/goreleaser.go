package recovery

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// GoReleaserTraps are what a GoReleaser configuration says that makes its
// builds differ from ours and from each other, each with its line: LINE: what.
// It reads the values that reach a binary (env, the builds, the hooks before
// them), not the text: a token's template and a comment are no traps.
func GoReleaserTraps(data []byte) []string {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content) != 1 {
		return nil // GoReleaser says what is wrong with it
	}
	t := &traps{}
	root := doc.Content[0]
	env := envOf(child(root, "env"))
	builds := elementsOf(child(root, "builds"))
	if b := child(root, "build"); b != nil {
		builds = append(builds, b)
	}
	hooks := hooksOf(child(child(root, "before"), "hooks"))
	for _, b := range builds {
		if skip := child(b, "skip"); skip != nil && skip.Value == "true" {
			continue
		}
		for _, key := range []string{"pre", "post"} {
			hooks = append(hooks, hooksOf(child(child(b, "hooks"), key))...)
		}
		own := envOf(child(b, "env"))
		for _, e := range own {
			t.value(e.node, e.node.Value, nil)
		}
		for _, key := range []string{"ldflags", "flags", "tags", "gcflags", "asmflags", "binary", "main", "dir"} {
			walkScalars(child(b, key), func(n *yaml.Node) { t.value(n, n.Value, append(slices.Clone(env), own...)) })
		}
	}
	for _, h := range hooks {
		t.hook(h)
	}
	return t.found
}

type traps struct{ found []string }

func (t *traps) add(n *yaml.Node, format string, args ...any) {
	text := fmt.Sprintf("%d: %s", n.Line, fmt.Sprintf(format, args...))
	if !slices.Contains(t.found, text) {
		t.found = append(t.found, text)
	}
}

var (
	templateAction = regexp.MustCompile(`{{[^}]*}}`)
	templateTime   = regexp.MustCompile(`\.(Date|Now|Timestamp)\b|\btime\b`)
	templateEnv    = regexp.MustCompile(`\.Env\.(\w+)|\benvOrDefault\s+"(\w+)"|index\s+\.Env\s+"(\w+)"`)
)

// value looks at the templates of one value. A variable that the file itself
// sets is what the file says, whose templates are looked at.
func (t *traps) value(n *yaml.Node, text string, env []envVar) {
	for _, action := range templateAction.FindAllString(text, -1) {
		if templateTime.MatchString(action) {
			t.add(n, "%s is the time of the build; .CommitDate is the same always", action)
		}
		for _, m := range templateEnv.FindAllStringSubmatch(action, -1) {
			name := m[1] + m[2] + m[3]
			i := slices.IndexFunc(env, func(e envVar) bool { return e.name == name })
			if i < 0 {
				t.add(n, "%s is of the environment of whoever builds", action)
				continue
			}
			t.value(env[i].node, env[i].value, nil)
		}
	}
}

// harmless are commands that change nothing a build reads.
var harmless = regexp.MustCompile(`^(go (mod (download|verify)|vet|test|version|env|list)|golangci-lint|gofmt -l|echo|true|test|git (status|diff|describe|log)|ls|cat)\b`)

// hook looks at a command that runs before or between the builds.
func (t *traps) hook(n *yaml.Node) {
	if cmd := strings.TrimSpace(n.Value); cmd != "" && (!harmless.MatchString(cmd) || strings.ContainsAny(cmd, ">|;&")) {
		t.add(n, "the hook %q can change the tree before the build, and then what is built is not the commit; commit what it makes", cmd)
	}
}

// hooksOf are the commands of a list of hooks, which are texts or have the key cmd.
func hooksOf(n *yaml.Node) (list []*yaml.Node) {
	for _, h := range elementsOf(n) {
		if h.Kind == yaml.MappingNode {
			h = child(h, "cmd")
		}
		if h != nil && h.Kind == yaml.ScalarNode {
			list = append(list, h)
		}
	}
	return list
}

// envVar is a variable that the file sets.
type envVar struct {
	name, value string
	node        *yaml.Node
}

func envOf(n *yaml.Node) (list []envVar) {
	for _, e := range elementsOf(n) {
		if name, value, ok := strings.Cut(e.Value, "="); ok {
			list = append(list, envVar{name, value, e})
		}
	}
	return list
}

// child is the value of a key of a map, through aliases, or nil.
func child(n *yaml.Node, key string) *yaml.Node {
	if n = resolveAlias(n); n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolveAlias(n.Content[i+1])
		}
	}
	return nil
}

func resolveAlias(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// elementsOf are the elements of a list; anything else is a list of itself.
func elementsOf(n *yaml.Node) (list []*yaml.Node) {
	switch n = resolveAlias(n); {
	case n == nil:
	case n.Kind == yaml.SequenceNode:
		for _, e := range n.Content {
			if e = resolveAlias(e); e != nil {
				list = append(list, e)
			}
		}
	default:
		list = []*yaml.Node{n}
	}
	return list
}

// walkScalars visits the texts of a value: it, or the elements of a list.
func walkScalars(n *yaml.Node, visit func(*yaml.Node)) {
	for _, e := range elementsOf(n) {
		if e.Kind == yaml.ScalarNode {
			visit(e)
		}
	}
}
