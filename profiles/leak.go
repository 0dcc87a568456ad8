package profiles

import (
	"strings"

	"github.com/mintmark/mintmark/internal/secret"
	"go.yaml.in/yaml/v4"
)

// forgotten takes the place of a private key, so that no later message quotes it.
const forgotten = "(private key, not shown)"

const leakedHint = "name its file, or a variable that holds it (sign: {key: env://MINTMARK_KEY_PEM}), and make a new key: this one has been written down"

// leaked reports private keys in the text of the file, comments included, and
// keeps their lines out of all messages. It does not need the file to be YAML.
func (d *decoder) leaked() {
	text := strings.Join(d.src.lines, "\n")
	line, start := 0, 0 // the line that the key is in, and where that begins
	for _, k := range secret.Find(text) {
		line += strings.Count(text[start:k.Start], "\n")
		if i := strings.LastIndexByte(text[:k.Start], '\n'); i >= 0 {
			start = i + 1
		}
		d.errorAt(d.at(line+1, len([]rune(text[start:k.Start]))+1), leakedHint, "%s is in the profile file", k.Kind)
	}
	for i := range secret.Lines(text) {
		d.secret[i+1] = true
	}
}

// forget replaces the texts of the document that are private keys, whose lines
// were reported, or whose lines say nothing of it: a key can be put together of
// several.
func (d *decoder) forget(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		if kind, ok := secret.IsKey(n.Value); ok {
			if !d.secret[n.Line] && !d.secret[n.Line+1] { // of a block the first line is below
				d.errorAt(d.pos(n), leakedHint, "%s is in the profile file", kind)
			}
			d.secret[n.Line] = true
			d.keys[n] = true
			n.Value = forgotten
		}
	}
	for _, sub := range n.Content { // an alias has its content elsewhere
		d.forget(sub)
	}
}
