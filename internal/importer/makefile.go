package importer

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	makeAssign = regexp.MustCompile(`^\s*(?:export\s+|override\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(::?:?=|\?=|\+=|!=|=)\s*(.*)$`)
	makeRef    = regexp.MustCompile(`\$(?:\(([A-Za-z0-9_.-]+)\)|{([A-Za-z0-9_.-]+)})`)
	goBuild    = regexp.MustCompile(`(?:^|[\s;&|(@/"'])(?:go|\$[({]GO(?:_?CMD)?[)}])["']?\s+(?:-C\s+\S+\s+)?(?:build|install)(?:\s|$)|\$[({]GO_?BUILD[)}](?:\s+build)?`)
	linkerFlag = regexp.MustCompile(`-X[ =]["']?([^\s"'=]+)=`)
	validTag   = regexp.MustCompile(`^[\p{L}\p{Nd}_.]+$`)
	isVersion  = regexp.MustCompile(`git\s+describe|git\s+tag`)
	isCommit   = regexp.MustCompile(`git\s+(?:rev-parse|log|show)`)
	isDate     = regexp.MustCompile(`\bdate\b`)
	// What git describe says with these is a commit: it knows no tag, or adds to it.
	isDescribed   = regexp.MustCompile(`git\s+describe.*--long`)
	isTagless     = regexp.MustCompile(`git\s+describe.*--(?:exclude[= ]["']?\*["']?(?:\s|\)|$)|match[= ]["']?(?i:never))`)
	namesCommit   = regexp.MustCompile(`(?i)commit|hash|revision|(?:^|git|build|[._])sha(?:1|256)?$`)
	namesNoCommit = regexp.MustCompile(`(?i)date|time|stamp|branch|count|author|message|tag|version`)
	namesVersion  = regexp.MustCompile(`(?i)^(?:app|build|cli|git|program|release)?_?version$`)
)

// makeValue is a variable of a Makefile.
type makeValue struct {
	text string
	sure string // without what a condition decides
	line int
}

// makefile imports the flags that a Makefile gives to go build: the linker's
// variables, tags, and where the program is.
func (im *importer) makefile(data []byte) error {
	m := &makefile{importer: im, vars: map[string]makeValue{}, of: settings{}, from: map[string][]any{}}
	im.values = map[string]string{}
	im.draft.top = append(im.draft.top, pair{"project", value{text: quote(ProgramName(im.Module))}})
	lines := joined(string(data))
	assigns := m.read(lines)
	for _, l := range assigns {
		a := makeAssign.FindStringSubmatch(l.text)
		if !strings.Contains(a[3], "-X ") && !strings.Contains(a[3], "-X=") {
			continue
		}
		if m.unused(a[1]) != "" {
			continue // said below, if no other build has it
		}
		m.linker(l.line, a[3], false)
	}
	for _, name := range m.rules.order {
		for _, l := range m.rules.of[name].recipe {
			if m.rules.reach[name] {
				m.command(l)
			}
		}
	}
	for _, l := range assigns {
		if a := makeAssign.FindStringSubmatch(l.text); m.unused(a[1]) != "" {
			m.skipped(l.line, m.expand(a[3], 0), m.unused(a[1]))
		}
	}
	m.extra()
	m.rest(assigns)
	m.finish()
	return nil
}

type makefile struct {
	*importer
	vars    map[string]makeValue
	rules   rules
	of      settings
	main    []string
	tags    []string
	tagged  []any // what was said of tags
	dropped []droppedFlag
	from    map[string][]any // what values of several flags come from

	sure bool // expand leaves out what a condition decides

	written  int // bytes of variables that were written out at all
	expanded int // bytes of variables that were written out for the text at hand
}

// makeLine is a line with those that it continues in.
type makeLine struct {
	text string
	line int
}

func joined(text string) (lines []makeLine) {
	n, start, buf := 0, 0, ""
	for l := range strings.SplitSeq(text, "\n") {
		n++
		if start == 0 {
			start = n
		}
		l = strings.TrimSuffix(l, "\r")
		if rest, ok := strings.CutSuffix(l, `\`); ok {
			buf += rest + " "
			continue
		}
		buf += l
		if t := strings.TrimSpace(buf); t != "" && !strings.HasPrefix(t, "#") && len(buf) < 16<<10 {
			lines = append(lines, makeLine{buf, start})
		}
		buf, start = "", 0
	}
	return lines
}

// tell says what became of a flag. A Makefile has no keys: each flag has a line, and
// a value is from what it returns.
func (m *makefile) tell(line int, flag string, o Outcome, format string, args ...any) *statement {
	l := Line{File: m.Name, Line: line, Key: flag, Outcome: o, Text: fmt.Sprintf(format, args...)}
	if i := slices.IndexFunc(m.order, func(s *statement) bool { return s.Key == l.Key && s.Text == l.Text }); i >= 0 {
		return m.order[i]
	}
	s := &statement{Line: l}
	m.order = append(m.order, s)
	return s
}

// maxExpanded is how many bytes of variables are written out for one text: some that
// name each other a few times become more than any memory holds.
const maxExpanded = 64 << 10

// maxWritten is how many bytes of variables are written out for a whole Makefile; what
// is beyond stays a reference, which no flag is taken of.
const maxWritten = 4 << 20

// expand writes out variables of the Makefile but those that the shell computes.
func (m *makefile) expand(s string, depth int) string {
	if depth == 0 {
		m.expanded = 0
	}
	s = makeRef.ReplaceAllStringFunc(s, func(ref string) string {
		name := strings.Trim(ref, "$(){}")
		v, ok := m.vars[name]
		if !ok || depth > 8 || m.expanded > maxExpanded || m.written > maxWritten || strings.Contains(v.text, "$(shell") || len(v.text) > 1<<10 {
			return ref
		}
		if developing.MatchString(name) && strings.HasPrefix(strings.TrimLeft(v.text, ` "'`), "-") {
			return ""
		}
		m.expanded += len(v.text)
		m.written += len(v.text)
		if m.sure {
			return m.expand(v.sure, depth+1)
		}
		return m.expand(v.text, depth+1)
	})
	if depth > 0 {
		return s
	}
	return wordFunctions(s)
}

// certain writes out variables without what a condition decides.
func (m *makefile) certain(s string) string {
	m.sure = true
	defer func() { m.sure = false }()
	return m.expand(s, 0)
}

// command reads the go builds of a line.
func (m *makefile) command(l makeLine) {
	text := m.expand(l.text, 0)
	at := goBuild.FindAllStringIndex(text, -1)
	if at == nil {
		return
	}
	if strings.Contains(text, "CGO_ENABLED=1") {
		m.of["cgo"] = value{text: "true", from: []any{m.tell(l.line, "CGO_ENABLED=1", Kept, "cgo: true")}}
	} else if strings.Contains(text, "CGO_ENABLED=0") {
		m.tell(l.line, "CGO_ENABLED=0", Default, "cgo is false")
	}
	certain := m.certain(l.text)
	for _, a := range at {
		m.arguments(l, shellWords(text[a[1]:]), certain)
	}
}

// arguments reads those of a go build, up to the end of the command.
func (m *makefile) arguments(l makeLine, words []string, certain string) {
	// A tool of some version is no program of this module.
	if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w[min(1, len(w)):], "@") && !strings.Contains(w, "$@") }) {
		return
	}
	for i := 0; i < len(words); i++ {
		w := words[i]
		name, v, has := strings.Cut(w, "=")
		next := func() string {
			if !has && i+1 < len(words) {
				i++
				return words[i]
			}
			return v
		}
		switch {
		case w == "&&" || w == ";" || w == "||" || w == "|" || w == "#":
			return
		case name == "-ldflags":
			m.linker(l.line, next(), true)
		case name == "-tags":
			m.tag(l.line, next(), certain)
		case name == "-o":
			m.tell(l.line, "-o "+next(), Changed, "the program is called as go build does, and lies in the archive")
		case name == "-trimpath":
			m.tell(l.line, name, Default, "trimpath is true")
		case name == "-mod" && has && v == "vendor":
			m.of["mod"] = value{text: "vendor", from: []any{m.tell(l.line, w, Kept, "mod: vendor")}}
		case name == "-buildmode":
			mode := next()
			flag := "-buildmode " + mode
			if strings.Contains(mode, "$") {
				m.tell(l.line, flag, Cannot, "whoever runs make says which; write it into buildmode")
			} else if !strings.Contains(certain, mode) {
				m.tell(l.line, flag, Cannot, "a condition of the Makefile decides on it; write it into buildmode, if a release needs it")
			} else {
				s := m.tell(l.line, flag, Kept, "buildmode")
				m.of["buildmode"] = value{text: quote(mode), from: []any{s}}
			}
		case slices.Contains([]string{"-v", "-x", "-a", "-race"}, name):
			m.tell(l.line, name, Changed, "it is for developing")
		case name == "-gcflags" || name == "-asmflags" || name == "-mod" || name == "-p":
			m.tell(l.line, name+" "+next(), Cannot, "write it into the key of that name by hand, if a release needs it")
		case strings.HasPrefix(w, "-"):
			m.tell(l.line, w, Cannot, "%s is no key of a profile", quote(w))
		case strings.HasPrefix(w, ".") || w == "main.go":
			at := w
			if strings.HasSuffix(at, ".go") {
				at = path.Dir(at)
			}
			if at = "./" + strings.TrimPrefix(path.Clean("./"+at), "."); at == "./" || strings.Trim(at, "./") == "" {
				at = "./"
			}
			if m.isMain(at) && !slices.Contains(m.main, at) {
				m.main = append(m.main, at)
				m.from["main"] = append(m.from["main"], m.tell(l.line, w, Kept, "main: %s", at))
			}
		}
	}
}

// tag takes over build tags.
func (m *makefile) tag(line int, list, certain string) {
	for _, t := range splitTags(list) {
		flag := "-tags " + t
		switch {
		case strings.Contains(t, "$"):
			m.tell(line, flag, Cannot, "whoever runs make says which; name them in tags")
		case !validTag.MatchString(t):
			m.tell(line, flag, Cannot, "it is no build tag")
		case !strings.Contains(certain, t):
			m.tell(line, flag, Cannot, "a condition of the Makefile decides on it; name it in tags, if a release needs it")
		case !slices.Contains(m.tags, t):
			m.tags = append(m.tags, t)
			m.tagged = append(m.tagged, m.tell(line, flag, Kept, "tags"))
		}
	}
}

// isMain reports whether a program is there.
func (m *makefile) isMain(at string) bool { return IsMain(m.Tree, at) }

// follows writes a value as a template, by the command that computes it, and where
// that is not known by the name of the variable that it is for.
func (m *makefile) follows(v, ident string, depth int) (out, note string) {
	out, note = m.computed(v, ident, depth)
	if out != "" || note == "" {
		return out, note
	}
	switch {
	case namesVersion.MatchString(ident):
		return "{{.Version}}", note + "; a release has the version of its tag"
	case namesCommit.MatchString(ident) && !namesNoCommit.MatchString(ident):
		return "{{.Commit}}", note + "; by its name it is the commit"
	}
	return "", note
}

// computed is follows by the command alone.
func (m *makefile) computed(v, ident string, depth int) (out, note string) {
	shell := v
	if ref := makeRef.FindStringSubmatch(v); ref != nil && ref[0] == v && depth < 8 {
		name := ref[1] + ref[2]
		def, ok := m.vars[name]
		if !ok {
			switch upper := strings.ToUpper(name); {
			case namesCommit.MatchString(name) && !namesNoCommit.MatchString(name):
				return "{{.Commit}}", "whoever runs make says " + name + "; by its name it is the commit"
			case strings.Contains(upper, "VERSION") || strings.Contains(upper, "TAG"):
				return "{{.Version}}", "whoever runs make says " + name + "; a release has the version of its tag"
			}
			return "", "whoever runs make says " + name + "; write a constant or a template into ldflags.set"
		}
		// A name on the way says as much as that of the program's variable.
		if !namesCommit.MatchString(ident) && !namesVersion.MatchString(ident) && (namesCommit.MatchString(name) || namesVersion.MatchString(name)) {
			ident = name
		}
		return m.computed(strings.TrimSpace(def.text), ident, depth+1)
	}
	computed := strings.Contains(shell, "$(shell") || strings.HasPrefix(shell, "`") || strings.HasPrefix(shell, "$$(")
	switch {
	case !computed && !strings.Contains(v, "$"):
		return v, ""
	case !computed:
		return "", quote(v) + " does not follow from the commit"
	case isVersion.MatchString(shell) && (isTagless.MatchString(shell) || namesCommit.MatchString(ident) && !namesNoCommit.MatchString(ident) || isDescribed.MatchString(shell) && !namesVersion.MatchString(ident)):
		if strings.Contains(shell, "--abbrev=40") {
			return "{{.Commit}}", ""
		}
		return "{{.ShortCommit}}", "git describe is for the commit here; the tag is {{.Tag}}"
	case isVersion.MatchString(shell) && strings.Contains(shell, "sed") && strings.Contains(shell, "v"):
		return "{{.Version}}", "git describe of a release is its tag, here without v"
	case isVersion.MatchString(shell):
		return "{{.Tag}}", "git describe of a release is its tag"
	case isCommit.MatchString(shell) && strings.Contains(shell, "abbrev-ref"):
		return "", "a commit looks the same from every branch"
	case isCommit.MatchString(shell) && (strings.Contains(shell, "%cd") || strings.Contains(shell, "%ci") || strings.Contains(shell, "%cI") || strings.Contains(shell, "%ct")):
		return "{{.CommitDate}}", "in RFC 3339"
	case isCommit.MatchString(shell) && (strings.Contains(shell, "--short") || strings.Contains(shell, "%h")):
		return "{{.ShortCommit}}", ""
	case isCommit.MatchString(shell):
		return "{{.Commit}}", ""
	case isDate.MatchString(shell):
		return "{{.CommitDate}}", "the time of the commit in the place of that of the build, in RFC 3339"
	}
	return "", quote(shell) + " is not run, and what it gives does not follow from the commit"
}

func (m *makefile) finish() {
	slices.Sort(m.main)
	switch len(m.main) {
	case 0:
	case 1:
		m.of["main"] = value{text: quote(m.main[0]), from: m.from["main"]}
	default:
		m.of["main"] = value{list: quoted(m.main), from: m.from["main"]}
	}
	if len(m.tags) > 0 {
		slices.Sort(m.tags)
		m.of["tags"] = value{list: quoted(m.tags), from: m.tagged}
	}
	m.plain(m.of)
	m.draft.comments = append(m.draft.comments, "The flags are those of "+m.Name+"; what became of each: mintmark init -from="+m.Name+" -print")
}

// shellWords parts a text at white space outside of quotes, and takes the quotes
// away. $(…) is one word.
func shellWords(s string) (words []string) {
	var b strings.Builder
	quote, depth, in := byte(0), 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if quote == '"' && c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\') {
				i++
				b.WriteByte(s[i])
			} else if c == quote {
				quote = 0
			} else {
				b.WriteByte(c)
			}
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\''):
			i++
			b.WriteByte(s[i])
		case (c == '"' || c == '\'') && depth == 0:
			quote, in = c, true
		case c == '$' && i+1 < len(s) && s[i+1] == '(':
			depth++
			i++
			b.WriteString("$(")
			in = true
		case c == '(' && depth > 0:
			depth++
			b.WriteByte(c)
		case c == ')' && depth > 0:
			depth--
			b.WriteByte(c)
		case depth == 0 && (c == ' ' || c == '\t' || c == '\n'):
			if in {
				words = append(words, b.String())
			}
			b.Reset()
			in = false
		default:
			in = true
			b.WriteByte(c)
		}
	}
	if in {
		words = append(words, b.String())
	}
	return words
}
