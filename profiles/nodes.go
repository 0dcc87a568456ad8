package profiles

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// follow counts a visit of n and returns the node it stands for. Aliases are
// followed, so that a problem is reported where the text stands; that they
// cannot be used to make a small file large is seen to by the count, and a
// node inside itself by the fixed depth of the format.
func (d *decoder) follow(n *yaml.Node) *yaml.Node {
	if d.nodes++; d.nodes > maxNodes {
		panic(tooLarge{})
	}
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// describeNode names what a value is, for messages.
func describeNode(n *yaml.Node) string {
	switch {
	case n.Value == forgotten:
		return "a private key"
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	text := n.Value
	if utf8.RuneCountInString(text) > 60 {
		text = string([]rune(text)[:60]) + "…"
	}
	return strconv.Quote(text)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// entry is one key of a map with its value.
type entry struct {
	name  string
	pos   Position // of the key
	value *yaml.Node
}

// mapEntries returns the entries of a map, without duplicates and merge keys,
// which it reports; false if n is no map. what names the value in messages.
func (d *decoder) mapEntries(n *yaml.Node, what, hint string) ([]entry, bool) {
	if n.Kind != yaml.MappingNode || !d.plainTag(n, "!!map") {
		if n.Kind != yaml.MappingNode {
			d.errorAt(d.pos(n), hint, "%s wants a map, not %s", what, describeNode(n))
		}
		return nil, false
	}
	if len(n.Content)/2 > maxEntries {
		d.errorAt(d.pos(n), "", "%s has more than %d entries", what, maxEntries)
		return nil, false
	}
	first := map[string]Position{}
	var list []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := d.follow(n.Content[i])
		pos := d.pos(n.Content[i])
		value := d.follow(n.Content[i+1])
		switch {
		case k.Kind != yaml.ScalarNode:
			d.errorAt(pos, "", "a key of %s wants a text, not %s", what, describeNode(k))
			continue
		case d.keys[k]: // reported
			continue
		case k.ShortTag() == "!!merge":
			d.errorAt(pos, "use inherit", "merge keys (<<) are not supported")
			continue
		}
		if before, ok := first[k.Value]; ok {
			d.errorAt(pos, fmt.Sprintf("it was set in line %d already", before.Line), "key %q is there twice", k.Value)
			continue
		}
		first[k.Value] = pos
		list = append(list, entry{k.Value, pos, value})
	}
	return list, true
}

// plainTag reports a node that carries a tag other than want.
func (d *decoder) plainTag(n *yaml.Node, want string) bool {
	if n.Style&yaml.TaggedStyle == 0 || n.ShortTag() == want {
		return true
	}
	d.errorAt(d.pos(n), "leave the tag out", "the YAML tag %s is not supported", n.ShortTag())
	return false
}

// text returns the text of a scalar, exactly as written: 1.10 stays 1.10.
func (d *decoder) text(n *yaml.Node, what string) (string, bool) {
	switch {
	case d.keys[n]: // reported
		return "", false
	case isNull(n):
		d.errorAt(d.pos(n), "give it a value or leave the key out", "%s has no value", what)
		return "", false
	case n.Kind != yaml.ScalarNode:
		hint := ""
		if n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 && strings.Contains(d.src.line(n.Line), "{{") {
			hint = "a text that begins with {{ needs quotes"
		}
		d.errorAt(d.pos(n), hint, "%s wants one text, not %s", what, describeNode(n))
		return "", false
	case !d.plainTag(n, "!!str"):
		return "", false
	case len(n.Value) > maxText:
		d.errorAt(d.pos(n), "", "%s has %d bytes, more than %d", what, len(n.Value), maxText)
		return "", false
	}
	return n.Value, true
}

// texts returns the elements of a list of texts and their nodes; elements that
// are no texts are reported and left out.
func (d *decoder) texts(n *yaml.Node, what, hint string) (list []string, nodes []*yaml.Node, ok bool) {
	if isNull(n) {
		d.errorAt(d.pos(n), "give it a value, or [] for none, or leave the key out", "%s has no value", what)
		return nil, nil, false
	}
	if n.Kind != yaml.SequenceNode {
		if hint == "" && n.Kind == yaml.ScalarNode && len(n.Value) < 60 {
			hint = listHint(what, n.Value)
		}
		or := ""
		if what == "main" || what == "require" || what == "publish" {
			or = "one text or "
		}
		d.errorAt(d.pos(n), hint, "%s wants %sa list, not %s", what, or, describeNode(n))
		return nil, nil, false
	}
	if !d.plainTag(n, "!!seq") {
		return nil, nil, false
	}
	if len(n.Content) > maxEntries {
		d.errorAt(d.pos(n), "", "%s has more than %d elements", what, maxEntries)
		return nil, nil, false
	}
	ok = true
	for _, item := range n.Content {
		item = d.follow(item)
		text, good := d.text(item, "an element of "+what)
		if !good {
			ok = false
			continue
		}
		list = append(list, text)
		nodes = append(nodes, item)
	}
	return list, nodes, ok
}

// boolean accepts true and false in this spelling only.
func (d *decoder) boolean(n *yaml.Node, what string) (value, ok bool) {
	if n.Kind == yaml.ScalarNode && n.Style == 0 && (n.Value == "true" || n.Value == "false") {
		return n.Value == "true", true
	}
	hint := ""
	if n.Kind == yaml.ScalarNode {
		switch strings.ToLower(n.Value) {
		case "yes", "on", "y", "1":
			hint = "write true"
		case "no", "off", "n", "0":
			hint = "write false"
		case "true", "false":
			hint = "write " + strings.ToLower(n.Value) + ", without quotes or capitals"
		}
	}
	if isNull(n) {
		hint = "give it a value or leave the key out"
	}
	d.errorAt(d.pos(n), hint, "%s wants true or false, not %s", what, describeNode(n))
	return false, false
}

// quoteYAML quotes a text if YAML would take it for something else.
func quoteYAML(s string) string {
	if s == "" {
		return `""`
	}
	for i, r := range s {
		if isAlnum(r) || strings.ContainsRune("_./+", r) || i > 0 && strings.ContainsRune("-=@~", r) || i > 0 && r == ' ' && i < len(s)-1 {
			continue
		}
		if r == '-' && len(s) > 1 && s[1] != ' ' {
			continue
		}
		return strconv.Quote(s)
	}
	return s
}

// inside maps a byte offset in n's value to the position of that character in
// the file. Where the text is written with escapes or over several lines, and
// the two cannot be matched with certainty, it is the position of n.
func (d *decoder) inside(n *yaml.Node, offset int) Position {
	pos := d.pos(n)
	if d.builtin || offset <= 0 && n.Style == 0 {
		return pos
	}
	if n.Style&yaml.LiteralStyle != 0 {
		return d.insideLiteral(n, offset)
	}
	line := []rune(d.src.line(n.Line))
	i := n.Column - 1
	for i >= 0 && i < len(line) && (line[i] == '&' || line[i] == '!') { // an anchor or tag comes first
		for i < len(line) && line[i] != ' ' {
			i++
		}
		for i < len(line) && line[i] == ' ' {
			i++
		}
	}
	if i < 0 || i >= len(line) {
		return pos
	}
	quote := rune(0)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		quote = line[i]
		i++
	}
	for done, want := 0, n.Value; i < len(line) && want != ""; i++ {
		if done >= offset {
			return d.at(n.Line, i+1)
		}
		r, size := utf8.DecodeRuneInString(want)
		start := i
		switch {
		case quote == '\'' && line[i] == '\'', quote == '"' && line[i] == '\\':
			i++ // two characters for one
			if i >= len(line) {
				return pos
			}
			if quote == '"' && strings.ContainsRune("xuU", line[i]) {
				i += map[rune]int{'x': 2, 'u': 4, 'U': 8}[line[i]]
			}
		case line[i] != r:
			return d.at(n.Line, start+1)
		}
		done += size
		want = want[size:]
	}
	return pos
}

// insideLiteral is inside for a block scalar after "|", whose lines are as
// written but for the indentation.
func (d *decoder) insideLiteral(n *yaml.Node, offset int) Position {
	before := n.Value[:min(offset, len(n.Value))]
	down := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:])
	var want string
	if lines := strings.Split(n.Value, "\n"); down < len(lines) {
		want = lines[down]
	}
	line := d.src.line(n.Line + 1 + down)
	if want == "" || !strings.HasSuffix(line, want) {
		return d.pos(n)
	}
	return d.at(n.Line+1+down, utf8.RuneCountInString(line)-utf8.RuneCountInString(want)+column+1)
}
