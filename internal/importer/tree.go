package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"go.yaml.in/yaml/v4"
)

// document is one YAML file of the source.
type document struct {
	name string
	root *yaml.Node
}

// field is one key of a map, with its value.
type field struct {
	name  string
	key   *yaml.Node
	value *yaml.Node
}

// there reports whether the key is there.
func (f field) there() bool { return f.key != nil }

// parse reads the first document of a YAML file; the error has the place.
func (im *importer) parse(name string, data []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithUniqueKeys(false))
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		doc = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode, Line: 1, Column: 1}}}
	case err != nil:
		var le *yaml.LoadError
		if errors.As(err, &le) && le.Mark.Line > 0 {
			return nil, fault.Usagef("mend the file, or leave it aside with -from=", "%s:%d:%d: bad YAML: %s", name, le.Mark.Line, max(le.Mark.Column, 1), le.Message)
		}
		return nil, fault.Usagef("mend the file, or leave it aside with -from=", "%s: bad YAML: %w", name, err)
	}
	if len(doc.Content) != 1 {
		return nil, fault.Usagef("mend the file, or leave it aside with -from=", "%s:1:1: there is nothing in it", name)
	}
	root := doc.Content[0]
	if isNull(root) {
		root = &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	}
	if root.Kind != yaml.MappingNode {
		return nil, fault.Usagef("it is a map of keys", "%s:%d:%d: not a map", name, root.Line, root.Column)
	}
	if err := im.checkTree(name, root, 0); err != nil {
		return nil, err
	}
	im.docs = append(im.docs, document{name, root})
	return root, nil
}

// checkTree counts the nodes, following aliases, so that a small file cannot be a
// large one, and finds an alias inside of what it stands for.
func (im *importer) checkTree(name string, n *yaml.Node, depth int) error {
	if im.nodes++; im.nodes > maxNodes || depth > 100 {
		return fault.Usagef("write out what its aliases repeat", "%s:%d:%d: more than %d values with what aliases repeat, or too deep", name, n.Line, n.Column, maxNodes)
	}
	for _, c := range follow(n).Content {
		if err := im.checkTree(name, c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// follow returns the node that an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// fields are the keys of a map, those that `<<` brings behind its own; of two with
// one name the first counts. The `<<` itself is said to be followed.
func (im *importer) fields(n *yaml.Node) (list []field) {
	n = follow(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	add := func(f field) {
		for _, g := range list {
			if g.name == f.name {
				if f.key != g.key {
					im.say(f.key, Default, "the key is there once more, in line %d, and that one counts", g.key.Line)
				}
				return
			}
		}
		list = append(list, f)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; follow(k).Value != "<<" {
			add(field{follow(k).Value, k, follow(n.Content[i+1])})
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if follow(k).Value != "<<" {
			continue
		}
		merged := []*yaml.Node{follow(n.Content[i+1])}
		if merged[0].Kind == yaml.SequenceNode {
			merged = merged[0].Content
		}
		for _, m := range merged {
			im.say(k, Kept, "the keys of line %d hold here too", follow(m).Line)
			for _, f := range im.fields(m) {
				add(f)
			}
		}
	}
	return list
}

// fieldOf is the field of that name, or of the first of several names.
func fieldOf(fields []field, names ...string) field {
	for _, name := range names {
		for _, f := range fields {
			if f.name == name {
				return f
			}
		}
	}
	return field{}
}

// elements are those of a list, or the one value.
func elements(n *yaml.Node) []*yaml.Node {
	n = follow(n)
	switch {
	case isNull(n):
		return nil
	case n.Kind != yaml.SequenceNode:
		return []*yaml.Node{n}
	}
	var list []*yaml.Node
	for _, e := range n.Content {
		list = append(list, follow(e))
	}
	return list
}

// texts are the texts of a list, or the one text.
func texts(n *yaml.Node) (list []string) {
	for _, e := range elements(n) {
		if e.Kind == yaml.ScalarNode && !isNull(e) {
			list = append(list, e.Value)
		}
	}
	return list
}

// text is the text of a scalar; "" of anything else.
func text(n *yaml.Node) string {
	if n = follow(n); isNull(n) || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// truth is what GoReleaser reads of a key that is true or false: YAML 1.1 has more
// words for it than the one.
func truth(n *yaml.Node) bool {
	return slices.Contains([]string{"true", "True", "TRUE", "y", "Y", "yes", "on"}, text(n))
}

// isTrue is the same of a key that may be a template: a text, in any case.
func isTrue(s string) bool { return strings.EqualFold(strings.TrimSpace(s), "true") }

// lines has one line for each key of every file, in the order of the files.
func (im *importer) lines() (list []Line) {
	for _, s := range im.order {
		list = append(list, s.Line)
	}
	for _, d := range im.docs {
		list = append(list, im.walk(d.name, "", d.root)...)
	}
	return list
}

// walk makes the lines of the keys in n. It does not follow aliases: a key has the
// line of where it is written.
func (im *importer) walk(file, path string, n *yaml.Node) (list []Line) {
	switch n.Kind {
	case yaml.SequenceNode:
		for i, e := range n.Content {
			list = append(list, im.walk(file, fmt.Sprintf("%s[%d]", path, i), e)...)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			at := strings.TrimPrefix(path+"."+follow(k).Value, ".")
			below := im.walk(file, at, v)
			l := Line{File: file, Line: k.Line, Key: at, Outcome: Cannot, Text: "unknown to the importer; look up what it does, and write it into the file by hand"}
			switch s := im.said[k]; {
			case s != nil:
				l.Outcome, l.Text, l.under = s.Outcome, strings.Join(s.texts, "; "), s.under
				// What became of the whole is one line, not one for each key in it.
				for _, b := range below {
					if b.under == k && b.Outcome == l.Outcome {
						l.Keys += b.weight()
					}
				}
				below = slices.DeleteFunc(below, func(b Line) bool { return b.under == k && b.Outcome == l.Outcome })
				l.Group = l.Keys > 0
			case len(below) > 0:
				l.Outcome, l.Text = summary(below)
			}
			l.Group = l.Group || len(below) > 0
			list = append(append(list, l), below...)
		}
	}
	return list
}

// summary is the outcome of a key that holds others.
func summary(below []Line) (worst Outcome, text string) {
	worst = Default
	var parts []string
	for _, o := range []Outcome{Kept, Default, Changed, Cannot} {
		n := 0
		for _, l := range below {
			if l.Outcome == o {
				n += l.weight()
			}
		}
		if n == 0 {
			continue
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, o))
		if o.rank() > worst.rank() {
			worst = o
		}
	}
	return worst, "of its keys " + strings.Join(parts, ", ")
}

// sayAll says of a key and of all keys in it what became of them together; those
// of which something was said already keep that.
func (im *importer) sayAll(f field, o Outcome, format string, args ...any) {
	im.say(f.key, o, format, args...)
	im.sayBelow(f.value, o, f)
}

func (im *importer) sayBelow(n *yaml.Node, o Outcome, whole field) {
	if n == nil {
		return
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if im.said[n.Content[i]] == nil {
				im.say(n.Content[i], o, "as %s in line %d", whole.name, whole.key.Line)
				im.said[n.Content[i]].under = whole.key
			}
		}
	}
	for _, c := range n.Content { // not through aliases: what they stand for is said where it stands
		im.sayBelow(c, o, whole)
	}
}
