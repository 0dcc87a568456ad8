package profiles

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/secret"
	"go.yaml.in/yaml/v4"
)

// Limits on what a profile file may hold. They are far above what people write
// and keep the work on a hostile file small.
const (
	maxFile      = 1 << 20 // bytes
	maxNodes     = 20_000  // YAML values after following aliases
	maxProfiles  = 256
	maxEntries   = 1000 // of one list or map
	maxPlatforms = 2000 // of all profiles together
	maxProblems  = 100  // reported
	maxText      = 16 << 10
)

// Load reads, inherits and checks a profile file. The path is only a name for
// messages; data is the file's content. If anything is wrong the error is
// [Problems], with all that was found, warnings included; otherwise the
// warnings are at [File.Warnings].
func Load(path string, data []byte) (*File, error) { return load(path, data, false) }

func load(path string, data []byte, isBuiltin bool) (*File, error) {
	d := &decoder{src: newSource(path, nil), builtin: isBuiltin, secret: map[int]bool{}, keys: map[*yaml.Node]bool{}}
	d.file = &File{Path: path, Untagged: "refuse", positions: map[string]Position{}, common: layer{}}
	if len(data) > maxFile {
		d.errorAt(Position{File: path}, "", "the file has %d bytes, more than %d", len(data), maxFile)
		return nil, d.problems
	}
	d.src = newSource(path, data)
	if !isBuiltin {
		d.file.src = d.src
	}
	d.leaked()
	if root := d.parse(data); root != nil {
		d.forget(root)
		d.top(root)
		d.resolve()
	}
	problems := d.finish()
	errs, warnings := problems.split()
	if len(errs) > 0 {
		return nil, problems
	}
	d.file.warnings = warnings
	return d.file, nil
}

// decoder turns YAML nodes into a File and collects what is wrong.
type decoder struct {
	file     *File
	src      *source
	builtin  bool
	nodes    int // visited
	problems Problems
	dropped  int
	secret   map[int]bool        // lines that no message may quote
	keys     map[*yaml.Node]bool // texts that were private keys, and are gone
}

// tooLarge is panicked when aliases make the file larger than maxNodes, and
// recovered in top.
type tooLarge struct{}

func (d *decoder) report(pos Position, warning bool, hint, message string) {
	if len(d.problems) >= 4*maxProblems {
		d.dropped++
		return
	}
	p := Problem{Pos: pos, Message: message, Hint: hint, Warning: warning}
	if !d.builtin {
		p.Excerpt = d.src.line(pos.Line)
	}
	d.problems = append(d.problems, p)
}

func (d *decoder) errorAt(pos Position, hint, format string, args ...any) {
	d.report(pos, false, hint, fmt.Sprintf(format, args...))
}

func (d *decoder) warnAt(pos Position, hint, format string, args ...any) {
	d.report(pos, true, hint, fmt.Sprintf(format, args...))
}

// err reports err, with its hint.
func (d *decoder) err(pos Position, err error) { d.errorAt(pos, fault.Hint(err), "%v", err) }

// finish sorts the problems and limits their number. Warnings give way to
// errors.
func (d *decoder) finish() Problems {
	all := d.problems.tidy()
	for i := range all {
		if d.secret[all[i].Pos.Line] {
			all[i].Excerpt = ""
		}
		all[i].Message, all[i].Hint, all[i].Excerpt = secret.Redact(all[i].Message), secret.Redact(all[i].Hint), secret.Redact(all[i].Excerpt)
	}
	more := d.dropped
	if len(all) > maxProblems {
		errs, warnings := all.split()
		keep := append(errs, warnings...)[:maxProblems]
		more += len(all) - maxProblems
		all = keep.tidy()
	}
	if more > 0 {
		all = append(all, Problem{Pos: Position{File: d.src.path}, Message: fmt.Sprintf("%d more problems", more)})
	}
	return all
}

// parse reads the one YAML document of the file. It returns nil after
// reporting why there is none.
func (d *decoder) parse(data []byte) *yaml.Node {
	if !d.checkText(data) {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithUniqueKeys(false))
	if err != nil {
		d.errorAt(Position{File: d.src.path}, "", "%v", err)
		return nil
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		d.errorAt(d.at(1, 1), "it begins with version: 1, project: NAME and profiles:", "the file is empty")
		return nil
	case err != nil:
		d.syntax(err)
		return nil
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(err)
		return nil
	default:
		d.errorAt(d.at(second.Line, second.Column), "write one document, without ---", "more than one YAML document")
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		d.errorAt(d.at(1, 1), "", "the file is empty")
		return nil
	}
	return doc.Content[0]
}

// checkText refuses bytes that YAML or a terminal would take differently from
// what an editor shows.
func (d *decoder) checkText(data []byte) bool {
	const bom = "\ufeff"
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		d.errorAt(d.at(1, 1), "save it as UTF-8", "the file is UTF-16")
		return false
	}
	good := true
	for i, line := range d.src.lines {
		column := 0
		for rest := line; rest != ""; {
			r, size := utf8.DecodeRuneInString(rest)
			rest = rest[size:]
			column++
			switch {
			case r == utf8.RuneError && size == 1:
				d.errorAt(d.at(i+1, column), "save it as UTF-8", "the file is not UTF-8")
			case r == 0x85 || r == 0x2028 || r == 0x2029:
				d.errorAt(d.at(i+1, column), "", "the line separator %U cannot be seen", r)
			case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
				d.errorAt(d.at(i+1, column), "", "the direction mark %U makes text look different from what it is", r)
			case string(r) == bom:
				d.errorAt(d.at(i+1, column), "", "byte order mark inside the file")
			case r < ' ' && r != '\t' || r == 0x7f || r > 0x7f && r < 0xa0:
				d.errorAt(d.at(i+1, column), "", "control character %U", r)
			default:
				continue
			}
			good = false
			break
		}
	}
	return good
}

// syntax reports an error of the YAML library in this package's form.
func (d *decoder) syntax(err error) {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		d.errorAt(Position{File: d.src.path}, "", "%v", err)
		return
	}
	line, column := le.Mark.Line, le.Mark.Column
	if line == 0 {
		d.errorAt(Position{File: d.src.path}, "", "bad YAML: %s", le.Message)
		return
	}
	msg, hint := le.Message, ""
	if le.ContextMsg != "" {
		msg += " (" + le.ContextMsg + ")"
	}
	text := []rune(d.src.line(line))
	var here rune
	if column >= 1 && column <= len(text) {
		here = text[column-1]
	}
	switch {
	case here == '\t':
		msg, hint = "tab in the indentation", "YAML wants spaces"
	case here == '@' || here == '`' || here == '%':
		msg, hint = fmt.Sprintf("a text cannot begin with %c", here), "put it in quotes"
	case strings.HasPrefix(msg, "mapping values are not allowed"):
		hint = "a text that contains \": \" needs quotes"
	case strings.Contains(msg, "did not find expected key"):
		hint = "the lines of one map have the same indentation; a text that begins with a quote, [ or { ends there"
	case strings.Contains(msg, "expected ',' or ']'"), strings.Contains(msg, "expected ',' or '}'"), strings.Contains(msg, "expected node content"):
		hint = "is a bracket not closed? a text with { or [ in it needs quotes"
	}
	if strings.Contains(d.src.line(line), ": {{") {
		hint = "a text that begins with {{ needs quotes"
	}
	d.errorAt(d.at(line, column), hint, "bad YAML: %s", msg)
	if c := le.ContextMark; c.Line > 0 && c.Line != line {
		last := &d.problems[len(d.problems)-1]
		last.Message += fmt.Sprintf("; it begins in line %d", c.Line)
	}
}

// at is a position in the file.
func (d *decoder) at(line, column int) Position {
	if d.builtin {
		return builtIn
	}
	return Position{File: d.src.path, Line: line, Column: column}
}

func (d *decoder) pos(n *yaml.Node) Position { return d.at(n.Line, n.Column) }
