package importer

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
	"go.yaml.in/yaml/v4"
)

// Outcome is what became of one key of the source.
type Outcome string

const (
	Kept    Outcome = "kept"    // the profile file says it
	Default Outcome = "default" // mintmark does so without a word in the file
	Changed Outcome = "changed" // it has another meaning here, or none is needed; the line says why
	Cannot  Outcome = "cannot"  // it is not taken over; the line says what to do instead
)

// rank orders outcomes by how much somebody has to look at them.
func (o Outcome) rank() int { return slices.Index([]Outcome{Default, Kept, Changed, Cannot}, o) }

// Line is what became of one key.
type Line struct {
	File    string  `json:"file"` // of the source, or one that it includes
	Line    int     `json:"line"` // 1 is the first; 0 for what the file does not write and the tool does all the same
	Key     string  `json:"key"`  // its path, such as builds[0].goos
	Outcome Outcome `json:"outcome"`
	Text    string  `json:"text"`
	// Group says that the key only holds other keys, which have lines of their own.
	// Its outcome is the one of them that needs the most attention.
	Group bool `json:"group,omitempty"`
	// Keys are those below a group that have no lines of their own, since the same
	// became of all of them as of the group; of these, the ones that hold a value.
	Keys int `json:"keys,omitempty"`

	under *yaml.Node // the key that it was said with
}

// weight is how many keys that hold a value the line is for.
func (l Line) weight() int {
	if l.Group {
		return l.Keys
	}
	return 1
}

// String is the line as it is printed.
func (l Line) String() string {
	if l.Keys > 0 {
		l.Text += " (" + fact.Count(l.Keys, "key") + ")"
	}
	at := fmt.Sprintf("%s:%d", l.File, l.Line)
	if l.Line == 0 {
		at = l.File + ": not written"
	}
	return fmt.Sprintf("%s: %s: %s: %s", at, l.Key, l.Outcome, l.Text)
}

// Source says what is imported, and what is known of the module around it.
type Source struct {
	// Name is the file's path in Tree, slash-separated.
	Name string
	// Tree is the module's directory. The files that the source includes and the
	// packages that it names are looked up in it.
	Tree fs.FS
	// Module is the module's path.
	Module string
	// Remote is the repository's name where it is cloned from: the last element of
	// the URL, without .git; "" if it is known of none.
	Remote string
	// Sign is the path of the private key, or none; "" writes nothing.
	Sign string
	// Plain is what is known of the directory without the source.
	Plain Module
}

// Result is a profile file, and where it comes from.
type Result struct {
	Tool  string `json:"tool"` // GoReleaser, promu, make
	Text  string `json:"text"` // of the profile file
	Lines []Line `json:"lines"`
}

// Count is how many keys have an outcome. Groups are not counted: their keys are.
func (r *Result) Count(o Outcome) (n int) {
	for _, count := range r.CountBy(o, func(Line) string { return "" }) {
		n += count
	}
	return n
}

// CountBy is Count for the lines of each name that of gives.
func (r *Result) CountBy(o Outcome, of func(Line) string) map[string]int {
	counts := map[string]int{}
	for _, l := range r.Lines {
		if n := l.weight(); l.Outcome == o && l.Line > 0 && n > 0 {
			counts[of(l)] += n
		}
	}
	return counts
}

// Total is how many keys there are, without groups.
func (r *Result) Total() int {
	return r.Count(Kept) + r.Count(Default) + r.Count(Changed) + r.Count(Cannot)
}

// Limits on what a source may hold; real ones are far below.
const (
	maxFile    = 1 << 20
	maxNodes   = 50_000
	maxTargets = 1000
)

// Kind says which tool a file is the configuration of, by its name; "" for none
// that can be imported.
func Kind(name string) string {
	base := path.Base(name)
	switch {
	case strings.Contains(base, "goreleaser") && (strings.HasSuffix(base, ".yml") || strings.HasSuffix(base, ".yaml")):
		return "GoReleaser"
	case base == ".promu.yml" || strings.HasPrefix(base, ".promu-") && strings.HasSuffix(base, ".yml"):
		return "promu"
	case strings.EqualFold(base, "makefile"), base == "GNUmakefile", strings.HasSuffix(base, ".mk"):
		return "make"
	}
	return ""
}

// Import reads the source. The error names the place of what cannot be read at
// all; a key that cannot be taken over is no error but a [Line].
func Import(s Source) (*Result, error) {
	if !fs.ValidPath(s.Name) {
		return nil, fmt.Errorf("%q is no path in the module", s.Name)
	}
	data, err := readFile(s.Tree, s.Name)
	if err != nil {
		return nil, err
	}
	kind := Kind(s.Name)
	if kind == "" && (strings.HasSuffix(s.Name, ".yml") || strings.HasSuffix(s.Name, ".yaml")) {
		kind = "GoReleaser" // under a name of its own
	}
	im := newImporter(s)
	switch kind {
	case "GoReleaser":
		err = im.goreleaser(data)
	case "promu":
		err = im.promu(data)
	case "make":
		err = im.makefile(data)
	default:
		return nil, fault.Usagef("name a .goreleaser.yaml, a .promu.yml or a Makefile", "%s is the configuration of no tool that can be imported", s.Name)
	}
	if err != nil {
		return nil, err
	}
	im.common()
	text, err := im.finish()
	if err != nil {
		return nil, err
	}
	lines := im.lines()
	slices.SortStableFunc(lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(min(a.Line, 1), min(b.Line, 1)), strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return &Result{Tool: kind, Text: text, Lines: lines}, nil
}

// readFile reads a regular file of the tree.
func readFile(tree fs.FS, name string) ([]byte, error) {
	fi, err := fs.Stat(tree, name)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	if fi.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", name, fi.Size(), maxFile)
	}
	return fs.ReadFile(tree, name)
}

// importer is one import.
type importer struct {
	Source
	format format
	said   map[any]*statement // by the key's node, or by what stands for a key without one
	order  []*statement       // of keys that have no node
	docs   []document         // the files that are walked for keys
	draft  *draft
	values map[string]string // what templates can name besides: Env.X, Var.X
	nodes  int
	names  []string // of the files in the tree, once they were looked for
}

func newImporter(s Source) *importer {
	return &importer{Source: s, format: newFormat(), said: map[any]*statement{}, draft: &draft{}}
}

// statement is what was said of one key.
type statement struct {
	Line
	texts []string
}

// format is what this version's profile file can say.
type format struct{ file, profile, fields, functions []string }

func newFormat() format {
	return format{profiles.Keys(), profiles.ProfileKeys(), profiles.TemplateFields(), profiles.TemplateFunctions()}
}

// key reports whether the file or a profile has the key.
func (f format) key(name string) bool {
	return slices.Contains(f.file, name) || slices.Contains(f.profile, name)
}

func (f format) field(name string) bool    { return slices.Contains(f.fields, name) }
func (f format) function(name string) bool { return slices.Contains(f.functions, name) }

// keys are several keys of the source, of which one thing is said.
type keys []any

// add adds the key of a field, if it is there.
func (k keys) add(f field) keys {
	if f.there() && !slices.Contains(k, any(f.key)) {
		k = append(k, f.key)
	}
	return k
}

// say records what became of a key, or of several. Said twice of one key, as of one
// that an alias repeats, the outcome is the one that needs more attention.
func (im *importer) say(key any, o Outcome, format string, args ...any) {
	switch key := key.(type) {
	case nil:
		return
	case keys:
		for _, k := range key {
			im.say(k, o, format, args...)
		}
		return
	case *yaml.Node:
		if key == nil {
			return
		}
	case *statement: // of a flag, which has no node
		if o.rank() > key.Outcome.rank() {
			key.Outcome, key.Text = o, fmt.Sprintf(format, args...)
		}
		return
	}
	s := im.said[key]
	if s == nil {
		s = &statement{Line: Line{Outcome: o}}
		im.said[key] = s
	}
	text := fmt.Sprintf(format, args...)
	switch {
	case o.rank() > s.Outcome.rank():
		s.Outcome, s.texts = o, nil
	case o.rank() < s.Outcome.rank():
		return
	}
	if text != "" && !slices.Contains(s.texts, text) {
		s.texts = append(s.texts, text)
	}
}

// unwritten records what the tool does without a key for it.
func (im *importer) unwritten(key string, o Outcome, format string, args ...any) {
	s := &statement{Line: Line{File: im.Name, Key: key, Outcome: o, Text: fmt.Sprintf(format, args...)}}
	if !slices.ContainsFunc(im.order, func(t *statement) bool { return t.Line == s.Line }) {
		im.order = append(im.order, s)
	}
}
