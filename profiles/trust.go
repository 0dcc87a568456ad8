package profiles

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/mintmark/mintmark/internal/fact"
)

// sign decodes the key that signs a release.
func (d *decoder) sign(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && !isNull(n) && !d.keys[n] {
		if n.Value == "none" {
			d.file.Sign.None = true
			return
		}
		d.errorAt(d.pos(n), "write sign: none or sign: {key: mintmark.key}", "sign wants none or a map with key, not %s", describeNode(n))
		return
	}
	entries, ok := d.mapEntries(n, "sign", "write sign: none or sign: {key: mintmark.key}")
	if !ok {
		return
	}
	keys := find(topKeys(), "sign").sub
	for _, e := range entries {
		if e.name != "key" {
			d.unknownKey(e, "sign", keys, nil)
			continue
		}
		d.file.positions["sign.key"] = d.pos(e.value)
		if s, ok := d.text(e.value, "sign.key"); ok {
			d.keyName(e.value, "sign.key", s)
			d.file.Sign.Key = s
		}
	}
	if d.file.Sign.Key == "" && len(entries) == 0 {
		d.errorAt(d.pos(n), "write sign: none or sign: {key: mintmark.key}", "sign has no key")
	}
}

// keyName reports a text that cannot be the name of a key's file, nor its URI.
func (d *decoder) keyName(n *yaml.Node, what, s string) bool {
	begin := strings.TrimSpace(s)
	switch {
	case begin == "":
		d.errorAt(d.pos(n), "", "%s is empty", what)
	case strings.HasPrefix(begin, "-----BEGIN"):
		d.errorAt(d.pos(n), "write the key into a file and name that", "%s is a key, not the name of one", what)
	case strings.Contains(s, "{{"):
		d.errorAt(d.pos(n), "", "%s cannot be a template", what)
	default:
		return true
	}
	return false
}

// ledger decodes what is told to other rebuilders, and who is believed.
func (d *decoder) ledger(n *yaml.Node) {
	const hint = "write ledger: {publish: true}, or ledger: {rebuilders: [alice.pub]}"
	entries, ok := d.mapEntries(n, "ledger", hint)
	if !ok {
		return
	}
	if len(entries) == 0 {
		d.errorAt(d.pos(n), hint, "ledger says nothing")
	}
	for _, e := range entries {
		switch e.name {
		case "publish":
			d.file.positions["ledger.publish"] = d.pos(e.value)
			if v, ok := d.boolean(e.value, "ledger.publish"); ok {
				d.file.Ledger.Publish = v
			}
		case "rebuilders":
			d.file.positions["ledger.rebuilders"] = d.pos(e.value)
			d.rebuilders(e.value)
		default:
			d.unknownKey(e, "ledger", find(topKeys(), "ledger").sub, nil)
		}
	}
}

// requirements are the values of require.
func requirements() (words []string) {
	for _, r := range fact.Requirements() {
		words = append(words, string(r))
	}
	return words
}

// require decodes what is demanded of a release besides: a word or a list of words.
func (d *decoder) require(n *yaml.Node) {
	for _, w := range d.words(n, "require", "write require: machines", requirements()) {
		d.file.Require = append(d.file.Require, fact.Requirement(w))
	}
	slices.Sort(d.file.Require)
}

// words decodes one word or a list of them, each of which is one of enum and there once.
func (d *decoder) words(n *yaml.Node, key, hint string, enum []string) (good []string) {
	words, nodes := d.oneOrMore(n, key, hint)
	for i, w := range words {
		switch pos := d.pos(nodes[i]); {
		case !d.enum(pos, key, w, enum):
		case slices.Contains(good, w):
			d.errorAt(pos, "leave one of them out", "%s: %s is there twice", key, w)
		default:
			good = append(good, w)
		}
	}
	return good
}

// Requires reports whether the file demands that of a release.
func (f *File) Requires(r fact.Requirement) bool { return slices.Contains(f.Require, r) }

func (d *decoder) rebuilders(n *yaml.Node) {
	const what = "an element of ledger.rebuilders"
	list, nodes, _ := d.texts(n, "ledger.rebuilders", "")
	first := map[string]Position{}
	for i, s := range list {
		pos := d.pos(nodes[i])
		d.file.positions[fmt.Sprintf("ledger.rebuilders[%d]", i)] = pos
		if !d.keyName(nodes[i], what, s) {
			continue
		}
		same := s
		if !strings.Contains(s, "://") {
			same = path.Clean(s)
		}
		if before, ok := first[same]; ok {
			d.errorAt(pos, fmt.Sprintf("it is in line %d already; one rebuilder counts once", before.Line), "the rebuilder %q is there twice", s)
			continue
		}
		first[same] = pos
		d.file.Ledger.Rebuilders = append(d.file.Ledger.Rebuilders, s)
	}
}

// oneOrMore decodes one text or a list of some.
func (d *decoder) oneOrMore(n *yaml.Node, key, hint string) (texts []string, nodes []*yaml.Node) {
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		if s, ok := d.text(n, key); ok {
			return []string{s}, []*yaml.Node{n}
		}
		return nil, nil
	}
	texts, nodes, ok := d.texts(n, key, hint)
	if ok && len(texts) == 0 {
		d.errorAt(d.pos(n), hint, "%s says nothing", key)
	}
	return texts, nodes
}
