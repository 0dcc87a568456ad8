// Package patch reads unified diffs strictly and applies them exactly.
//
// # Contract
//
// [Parse] takes what diff -u, git diff and git format-patch write about text files,
// with or without one directory before each name (-p1, -p0). Everything that is
// wrong is said at once, each with file:line:column. A diff may come from
// anybody: it names no file outside of the tree that it is for, and makes nothing
// but regular files.
//
// [File.Apply] takes a hunk only where all its old lines stand, in the line that
// it names or else in the only other place after the hunk before it. Nothing is
// guessed: there is no fuzz.
//
// # Exceptions
//
//   - Renames, copies, changes of mode, links, binary files, quoted names and hunks
//     without any old line (diff -U0) are refused.
//   - Text before the first file is skipped, as format-patch has it, and so is what
//     follows the line "-- " that ends a mail.
package patch

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Limits on what is read.
const (
	MaxSize  = 8 << 20 // bytes of a diff
	maxFiles = 2000
	maxFound = 20 // mistakes that are told
)

// Patch is a unified diff.
type Patch struct {
	Name   string // for messages
	SHA256 string // of its bytes, lower-case hex
	Files  []*File
}

// File is what a diff changes in one file.
type File struct {
	Path    string // slash-separated, local, without the directory that -p1 takes off
	Created bool   // there is none of that name before
	Deleted bool   // there is none of that name afterwards
	hunks   []hunk
	at      string // file:line:column of its header
}

// hunk is one place that changes. Lines have their newline, but for the last of a
// file without one.
type hunk struct {
	at       string // file:line:column
	line     int    // of the first old line, from 1
	old, new [][]byte
}

// tip is for whatever is wrong with a diff.
const tip = "write the patch with diff -u or git diff, of regular text files alone and with lines of context"

// Parse reads a diff, whose name is for messages. Its errors ask for the exit code
// of wrong usage.
func Parse(name string, data []byte) (*Patch, error) {
	if len(data) > MaxSize {
		return nil, fault.Usagef(tip, "%s: more than %d bytes", name, MaxSize)
	}
	p := &parser{name: name, lines: bytes.SplitAfter(data, []byte("\n"))}
	if n := len(p.lines); n > 0 && len(p.lines[n-1]) == 0 {
		p.lines = p.lines[:n-1]
	}
	p.parse()
	if len(p.files) == 0 && len(p.errs) == 0 {
		p.fail(0, 1, "no file is changed: neither a line that begins with \"--- \" nor one with \"diff --git \"")
	}
	if len(p.errs) > 0 {
		return nil, &fault.Error{Err: errors.Join(p.errs...), Code: fault.Usage, Tip: tip}
	}
	return &Patch{Name: name, SHA256: files.DigestBytes(data), Files: p.files}, nil
}

type parser struct {
	name  string
	lines [][]byte
	i     int // the next line
	files []*File
	errs  []error
}

func (p *parser) at(line, column int) string {
	return fmt.Sprintf("%s:%d:%d", p.name, line+1, column)
}

// fail notes a mistake in the line of that index.
func (p *parser) fail(line, column int, format string, args ...any) {
	if len(p.errs) < maxFound {
		p.errs = append(p.errs, fmt.Errorf("%s: "+format, append([]any{p.at(line, column)}, args...)...))
	}
}

// peek is the next line without its newline.
func (p *parser) peek() (string, bool) {
	if p.i >= len(p.lines) {
		return "", false
	}
	return strings.TrimSuffix(string(p.lines[p.i]), "\n"), true
}

// git's lines about a file, before its names (git-diff(1), "Generating patch text
// with -p"). Of the modes, those of regular files are nothing to do.
var (
	plainMode = regexp.MustCompile(`^(new|deleted) file mode 100(644|755)$`)
	indexLine = regexp.MustCompile(`^index [0-9a-f]+\.\.[0-9a-f]+( 100(644|755))?$`)
	refused   = []struct{ prefix, why string }{
		{"Binary files ", "a binary file"},
		{"GIT binary patch", "a binary file"},
		{"rename ", "a renamed file: write it as one that is deleted and one that is new"},
		{"copy ", "a copied file: write it as a new one"},
		{"similarity index ", "a renamed or copied file: write it as a new one"},
		{"dissimilarity index ", "a rewritten file: write its lines"},
		{"old mode ", "a changed file mode"},
		{"new mode ", "a changed file mode"},
		{"new file mode ", "neither a regular file nor an executable one (a symbolic link has mode 120000)"},
		{"deleted file mode ", "neither a regular file nor an executable one (a symbolic link has mode 120000)"},
		{"index ", "neither a regular file nor an executable one, or no line of git's"},
	}
)

func (p *parser) parse() {
	begun := false // the text before the first file is over
	git := -1      // the line "diff --git" of a file whose names have not come
	for {
		line, ok := p.peek()
		switch {
		case !ok:
			p.unnamed(git)
			return
		case strings.HasPrefix(line, "diff --git "):
			p.unnamed(git)
			begun, git = true, p.i
			p.i++
		case strings.HasPrefix(line, "--- ") && (begun || p.followed("+++ ")):
			begun = true
			p.file()
			git = -1
		case !begun:
			p.i++
		case line == "-- ":
			p.unnamed(git)
			return
		case strings.HasPrefix(line, "diff ") && git < 0: // diff -r says how it was called
			p.i++
		case git >= 0 && (plainMode.MatchString(line) || indexLine.MatchString(line)):
			p.i++
		default:
			p.stray(line)
			git = -1
			p.i++
		}
		if len(p.errs) >= maxFound {
			return
		}
		if len(p.files) > maxFiles {
			p.fail(p.i-1, 1, "more than %d files", maxFiles)
			return
		}
	}
}

// followed reports whether the line behind the next one begins so.
func (p *parser) followed(prefix string) bool {
	return p.i+1 < len(p.lines) && bytes.HasPrefix(p.lines[p.i+1], []byte(prefix))
}

// unnamed refuses what git says of a file in which nothing changes.
func (p *parser) unnamed(git int) {
	if git >= 0 {
		p.fail(git, 1, "no lines of the file change: an empty file, or its mode alone")
	}
}

// stray refuses a line that belongs to no file.
func (p *parser) stray(line string) {
	for _, r := range refused {
		if strings.HasPrefix(line, r.prefix) {
			p.fail(p.i, 1, "%s", r.why)
			return
		}
	}
	switch {
	case strings.HasPrefix(line, "@@"):
		p.fail(p.i, 1, "a hunk of no file")
	case line == "" || strings.ContainsAny(line[:1], " +-\\"):
		p.fail(p.i, 1, "more lines than the header of the hunk says")
	default:
		p.fail(p.i, 1, "%.60q is no line of a unified diff", line)
	}
}

// file reads the names of a file and its hunks.
func (p *parser) file() {
	first := p.i
	was, wasOK := p.fileName("--- ")
	p.i++
	if line, ok := p.peek(); !ok || !strings.HasPrefix(line, "+++ ") {
		p.fail(min(p.i, len(p.lines)-1), 1, "no line that begins with \"+++ \" behind that with \"--- \"")
		return
	}
	is, isOK := p.fileName("+++ ")
	p.i++
	f := &File{at: p.at(first, 1), Created: was == "", Deleted: is == ""}
	switch {
	case !wasOK || !isOK:
	case was == "" && is == "":
		p.fail(first, 5, "both names are /dev/null")
	case was != "" && is != "" && was != is && below(was) != below(is):
		p.fail(first+1, 5, "%q and %q: a renamed file; write it as one that is deleted and one that is new", was, is)
	default:
		if f.Path = is; is == "" {
			f.Path = was
		}
		if slices.ContainsFunc(p.files, func(o *File) bool { return strings.EqualFold(o.Path, f.Path) }) {
			p.fail(first, 5, "%s is changed twice", f.Path)
		}
	}
	for {
		line, ok := p.peek()
		if !ok || !strings.HasPrefix(line, "@@") {
			break
		}
		if !p.hunk(f) {
			return
		}
	}
	if len(f.hunks) == 0 {
		p.fail(first, 1, "no hunk: nothing changes")
		return
	}
	if f.Path != "" {
		p.files = append(p.files, f)
	}
}

var name = regexp.MustCompile(`^[A-Za-z0-9_+@.,=~-][A-Za-z0-9_+@.,=~/ -]*$`)

// fileName reads a name out of the next line, which begins with prefix: "" is
// /dev/null. What diff -u writes behind a tab is a time.
func (p *parser) fileName(prefix string) (string, bool) {
	line, _ := p.peek()
	s := strings.TrimPrefix(line, prefix)
	column := len(prefix) + 1
	s, _, _ = strings.Cut(s, "\t")
	fail := func(why string) (string, bool) {
		p.fail(p.i, column, "%.100q: %s", s, why)
		return "", false
	}
	switch {
	case s == "/dev/null":
		return "", true
	case s == "":
		return fail("no name")
	case strings.HasPrefix(s, `"`):
		return fail("a quoted name")
	case strings.HasPrefix(s, "/"):
		return fail("an absolute name")
	case slices.Contains(strings.Split(s, "/"), ".."):
		return fail("a name that leads upwards")
	case !name.MatchString(s) || strings.HasSuffix(s, " "):
		return fail("a name with other characters than those of Go's source files")
	case path.Clean(s) != s:
		return fail("a name that is spelled in another way than needed")
	}
	return s, true
}

// below is a name without its first directory: git writes a/NAME and b/NAME.
func below(s string) string {
	_, rest, ok := strings.Cut(s, "/")
	if !ok {
		return s
	}
	return rest
}

// At is where the file is named, as file:line:column.
func (f *File) At() string { return f.at }

// Below says that all files are below the directory dir of the tree that the diff is
// for, and takes one directory off their names where that is needed for it (a/ and
// b/, as git writes them). Otherwise its error says which are not.
func (p *Patch) Below(dir string) error {
	within := func(s string) bool { return strings.HasPrefix(s, dir+"/") }
	var errs []error
	for _, f := range p.Files {
		if !within(f.Path) && !within(below(f.Path)) {
			errs = append(errs, fmt.Errorf("%s: %q is not below %s/", f.at, f.Path, dir))
		}
	}
	if len(errs) == 0 && !slices.ContainsFunc(p.Files, func(f *File) bool { return within(f.Path) }) {
		for _, f := range p.Files { // as patch -p1 does
			f.Path = below(f.Path)
		}
		return nil
	}
	for _, f := range p.Files {
		if !within(f.Path) && len(errs) == 0 {
			errs = append(errs, fmt.Errorf("%s: %q has a directory more before it than other names of this patch", f.at, f.Path))
		}
	}
	if len(errs) > 0 {
		return &fault.Error{Err: errors.Join(errs...), Code: fault.Usage, Tip: "make the patch in the directory that " + dir + "/ is in"}
	}
	return nil
}

var hunkLine = regexp.MustCompile(`^@@ -([0-9]{1,9})(?:,([0-9]{1,9}))? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@`)

// hunk reads one hunk, and reports whether what follows can be read.
func (p *parser) hunk(f *File) bool {
	line, _ := p.peek()
	m := hunkLine.FindStringSubmatch(line)
	if m == nil {
		p.fail(p.i, 1, "malformed header of a hunk: %.60q", line)
		p.i++
		return p.skipHunk()
	}
	number := func(s string) int {
		if s == "" {
			return 1
		}
		n, _ := strconv.Atoi(s) // of nine digits at most
		return n
	}
	header := p.i
	h := hunk{at: p.at(header, 1), line: number(m[1])}
	old, added := number(m[2]), number(m[4])
	p.i++
	changes := false
	for len(h.old) < old || len(h.new) < added {
		if p.i >= len(p.lines) {
			p.fail(p.i-1, 1, "the patch ends within a hunk")
			return false
		}
		text := p.lines[p.i]
		body := text[min(1, len(text)):]
		if p.i+1 < len(p.lines) && bytes.HasPrefix(p.lines[p.i+1], []byte(`\`)) {
			body = bytes.TrimSuffix(body, []byte("\n"))
		} else if !bytes.HasSuffix(text, []byte("\n")) {
			p.fail(p.i, len(text)+1, "the patch ends within a line")
			return false
		}
		switch c := text[0]; {
		case c == ' ' && len(h.old) < old && len(h.new) < added:
			h.old, h.new = append(h.old, body), append(h.new, body)
		case c == '-' && len(h.old) < old:
			h.old, changes = append(h.old, body), true
		case c == '+' && len(h.new) < added:
			h.new, changes = append(h.new, body), true
		case c == ' ' || c == '-' || c == '+':
			p.fail(p.i, 1, "another number of lines than the header of the hunk says")
			return p.skipHunk()
		default:
			p.fail(p.i, 1, "a line of a hunk begins with a blank, + or -")
			return p.skipHunk()
		}
		p.i++
		if next, ok := p.peek(); ok && strings.HasPrefix(next, `\`) {
			if !strings.HasPrefix(next, `\ `) {
				p.fail(p.i, 1, "malformed: %.60q", next)
			}
			p.i++
		}
	}
	for i, lines := range [][][]byte{h.old, h.new} {
		for j, l := range lines {
			if !bytes.HasSuffix(l, []byte("\n")) && j < len(lines)-1 {
				p.fail(header, 1, "a line without a newline that is not the last of its file (%s)", []string{"before", "after"}[i])
			}
		}
	}
	switch {
	case !changes:
		p.fail(header, 1, "nothing changes in this hunk")
	case f.Created && (len(h.old) > 0 || len(f.hunks) > 0):
		p.fail(header, 1, "lines of a file that is new")
	case f.Deleted && (len(h.new) > 0 || len(f.hunks) > 0):
		p.fail(header, 1, "lines are left of a file that is deleted")
	case !f.Created && len(h.old) == 0:
		p.fail(header, 1, "no line of the file as it was: where this belongs is not said well enough")
	}
	f.hunks = append(f.hunks, h)
	return true
}

// skipHunk goes on to the next header.
func (p *parser) skipHunk() bool {
	for p.i < len(p.lines) {
		line, _ := p.peek()
		if strings.HasPrefix(line, "@@") || strings.HasPrefix(line, "diff ") || strings.HasPrefix(line, "--- ") && p.followed("+++ ") {
			return true
		}
		p.i++
	}
	return false
}

// Apply gives the file as it is afterwards. Of a new file data is nil; for a
// deleted one nil is returned. The error says which hunk has no place, or several.
func (f *File) Apply(data []byte) ([]byte, error) {
	if f.Created {
		return bytes.Join(f.hunks[0].new, nil), nil
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	if n := len(lines); len(lines[n-1]) == 0 {
		lines = lines[:n-1]
	}
	var out [][]byte
	done := 0 // lines of the file that are in out, or replaced
	for _, h := range f.hunks {
		at, err := h.place(lines, done)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", h.at, f.Path, err)
		}
		out = append(append(out, lines[done:at]...), h.new...)
		done = at + len(h.old)
	}
	if f.Deleted {
		if done != len(lines) || len(f.hunks[0].old) != len(lines) {
			return nil, fmt.Errorf("%s: %s: more is in the file than is deleted", f.at, f.Path)
		}
		return nil, nil
	}
	out = append(out, lines[done:]...)
	for i, l := range out {
		if i < len(out)-1 && !bytes.HasSuffix(l, []byte("\n")) {
			return nil, fmt.Errorf("%s: %s: a line without a newline comes to stand in the middle of the file", f.at, f.Path)
		}
	}
	return bytes.Join(out, nil), nil
}

// place is the index of the line that the hunk begins at, not before the index from.
func (h *hunk) place(lines [][]byte, from int) (int, error) {
	fits := func(at int) bool {
		return at >= from && at+len(h.old) <= len(lines) && slices.EqualFunc(lines[at:at+len(h.old)], h.old, bytes.Equal)
	}
	if fits(h.line - 1) {
		return h.line - 1, nil
	}
	var found []int
	for at := from; at+len(h.old) <= len(lines) && len(found) < 2; at++ {
		if fits(at) {
			found = append(found, at)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return 0, errors.New("the hunk does not apply: its old lines are not in the file")
	}
	return 0, fmt.Errorf("the hunk does not apply: its old lines are not at line %d, and at more than one other place", h.line)
}
