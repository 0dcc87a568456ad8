package profiles

import (
	"path"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"go.yaml.in/yaml/v4"
)

const tagHint = "write the whole tag, with one {{.Version}} in it: \"release-{{.Version}}\""

// tagFormOf reads the key `tag`.
func (d *decoder) tagFormOf(n *yaml.Node) {
	s, ok := d.text(n, "tag")
	if !ok {
		return
	}
	form, err := parseTagForm(s)
	if err != nil {
		d.err(d.pos(n), err)
		return
	}
	d.file.Tag = &form
}

// parseTagForm reads a template of tags. It has to be read backwards, from a tag to
// the version in it, so there is one {{.Version}} and text around it.
func parseTagForm(s string) (fact.TagForm, error) {
	if !strings.Contains(s, "{{") {
		return fact.TagForm{}, fault.Errorf(tagHint, "tag %q has no {{.Version}}: every release has another tag", s)
	}
	tree, faults := parseTemplate(s, templateScope{env: func(string) bool { return true }})
	if len(faults) > 0 {
		return fact.TagForm{}, fault.Errorf(faults[0].hint, "tag: %s", faults[0].msg)
	}
	var form fact.TagForm
	versions := 0
	for _, n := range tree.Root.Nodes {
		switch text, ok := n.(*parse.TextNode); {
		case ok && versions == 0:
			form.Before += string(text.Text)
		case ok:
			form.After += string(text.Text)
		case n.String() == "{{.Version}}":
			versions++
		default:
			return form, fault.Errorf(tagHint, "tag %q: %s cannot be read back from a tag", s, n)
		}
	}
	if versions != 1 {
		return form, fault.Errorf(tagHint, "tag %q has {{.Version}} %d times", s, versions)
	}
	switch tag := form.Tag("1.2.3"); {
	case digitBeside(form):
		return form, fault.Errorf("write a letter, a hyphen or a slash between them", "tag %q: the digits beside {{.Version}} could be the version's", s)
	case !fact.TagSays(tag, "1.2.3"):
		return form, fault.Errorf("leave it to {{.Version}}, which may end in -rc.1 and the like, or set it off with a slash or an underscore", "tag %q: the text beside {{.Version}} would make it another version", s)
	}
	if form.Version(form.Tag("1.2.3")) != "1.2.3" || !IsTag(form.Tag("1.2.3")) {
		return form, fault.Errorf("git check-ref-format says what a tag can be called", "%q can be no tag of git's", form.Tag("1.2.3"))
	}
	return form, nil
}

// digitBeside reports whether a number goes on beside the version.
func digitBeside(f fact.TagForm) bool {
	before, after := strings.TrimSuffix(f.Before, "."), strings.TrimPrefix(f.After, ".")
	isDigit := func(c byte) bool { return c >= '0' && c <= '9' }
	return before != "" && isDigit(before[len(before)-1]) || after != "" && isDigit(after[0])
}

// IsTag reports whether git permits a tag of that name, all in characters that
// print (https://git-scm.com/docs/git-check-ref-format).
func IsTag(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`~^:?*[\`, r) }) &&
		!strings.Contains(s, "..") && !strings.Contains(s, "@{") && !strings.HasPrefix(s, "-") && !strings.HasSuffix(s, ".") &&
		!slices.ContainsFunc(strings.Split(s, "/"), func(e string) bool {
			return e == "" || strings.HasPrefix(e, ".") || strings.HasSuffix(e, ".lock")
		})
}

// defaultSnapshot is the default of the key `snapshot`.
const defaultSnapshot = `{{.Version}}-snapshot{{with .ShortCommit}}.{{.}}{{end}}`

// snapshotOf reads the key `snapshot`, and makes the version of an invented commit
// of it.
func (d *decoder) snapshotOf(n *yaml.Node) {
	s, ok := d.text(n, "snapshot")
	if !ok {
		return
	}
	v := &value{text: s, pos: d.pos(n)}
	v.at = func(_, offset int) Position { return d.inside(n, offset) }
	before := len(d.problems)
	d.checkTemplate(find(topKeys(), "snapshot"), v, -1, s)
	d.file.Snapshot = s
	if len(d.problems) > before {
		return
	}
	const hint = "use .Version, .Tag, .Commit, .ShortCommit, .CommitDate, .CommitTimestamp or .Project"
	if strings.Contains(s, ".Env") {
		d.errorAt(v.pos, hint, "snapshot: env is a profile's, and the version is that of all")
		return
	}
	one, other := sampleVars(), sampleVars()
	one.Profile, one.OS, one.Arch, one.Variant = "a", "a", "a", "a"
	other.Profile, other.OS, other.Arch, other.Variant = "b", "b", "b", "b"
	first, err := expandText(s, &one)
	second, err2 := expandText(s, &other)
	if err == nil && err2 == nil && first != second {
		d.errorAt(v.pos, hint, "snapshot: profile and platform are an artifact's, and the version is that of all")
		return
	}
	if _, err := d.file.SnapshotVersion(sampleVars()); err != nil {
		d.err(v.pos, err)
	}
}

// sampleVars are those of an invented commit.
func sampleVars() Vars {
	return Vars{
		Version: "1.2.3", Tag: "v1.2.3", Commit: strings.Repeat("0123456789", 4), ShortCommit: "0123456",
		CommitDate: "2006-01-02T15:04:05Z", CommitTimestamp: "1136214245",
	}
}

// SnapshotVersion is the version of a snapshot of the commit that v is about: the
// value of the key `snapshot`, without the v that may stand before its number.
// Only what follows from the commit is used of v.
func (f *File) SnapshotVersion(v Vars) (string, error) {
	v.Project, v.Env = f.Project, nil
	text := f.Snapshot
	if text == "" {
		text = defaultSnapshot
	}
	s, err := expandText(text, &v)
	if err != nil {
		return "", fault.Errorf(fault.Hint(err), "snapshot: %w", err)
	}
	if len(s) > 1 && s[0] == 'v' && s[1] >= '0' && s[1] <= '9' {
		s = s[1:]
	}
	switch {
	case s == v.Version:
		return "", fault.Errorf("add something to it, such as \"{{.Version}}-next\"", "snapshot: the version would be %s, as of the release", s)
	case CheckVersion(s) != nil:
		return "", fault.Errorf("use letters, digits and any of . _ - + ~, a letter or digit first", "snapshot: %q can be no version: it is a part of files' names", s)
	}
	return s, nil
}

// CheckVersion reports whether a text can be a version of a release or snapshot,
// which is a part of file names.
func CheckVersion(s string) error {
	switch {
	case s == "" || !isAlnum(rune(s[0])), len(s) > fact.MaxVersion, len(s) > 1 && s[0] == 'v' && s[1] >= '0' && s[1] <= '9':
		return fault.Errorf("such as 1.2.3 or 2026.11.3", "%.100q can be no version", s)
	}
	return CheckName("v" + s)
}

// dirOf reads the key `dir`.
func (d *decoder) dirOf(n *yaml.Node) {
	s, ok := d.text(n, "dir")
	if !ok {
		return
	}
	dir, err := cleanDir(s)
	if err != nil {
		d.err(d.pos(n), err)
		return
	}
	d.file.Dir = dir
}

// cleanDir is a directory below the profile file's, slash-separated; "" is that
// itself.
func cleanDir(s string) (string, error) {
	if err := CheckFile("dir", s); err != nil {
		return "", fault.Errorf("write the module's directory, relative to this file, such as cmd/tool", "%v", err)
	}
	if s = path.Clean(s); s == "." {
		return "", nil
	}
	return s, nil
}
