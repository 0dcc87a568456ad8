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
	goBuild    = regexp.MustCompile(`(?:^|[\s;&|(@])(?:\$\([A-Z_]+\)\s+|[A-Za-z_0-9]+=\S*\s+)*(?:go|\$\(GO\)|\$\{GO\}|\$\(GOCMD\)|\$\(GOBUILD\))\s*(?:build|install)?\s`)
	isVersion  = regexp.MustCompile(`git\s+describe|git\s+tag`)
	isCommit   = regexp.MustCompile(`git\s+(?:rev-parse|log|show)`)
	isDate     = regexp.MustCompile(`\bdate\b`)
)

// makeValue is a variable of a Makefile.
type makeValue struct {
	text string
	line int
}

// makefile imports the flags that a Makefile gives to go build: the linker's
// variables, tags, and where the program is.
func (im *importer) makefile(data []byte) error {
	m := &makefile{importer: im, vars: map[string]makeValue{}, of: settings{}, from: map[string][]any{}}
	im.values = map[string]string{}
	im.draft.top = append(im.draft.top, pair{"project", value{text: quote(ProgramName(im.Module))}})
	lines := joined(string(data))
	for _, l := range lines {
		if a := makeAssign.FindStringSubmatch(l.text); a != nil && !strings.HasPrefix(l.text, "\t") {
			v := m.vars[a[1]]
			if a[2] == "+=" {
				v.text += " " + a[3]
			} else if a[2] == "!=" {
				v.text = "$(shell " + a[3] + ")"
			} else if a[2] != "?=" || v.text == "" {
				v.text = a[3]
			}
			v.line = l.line
			m.vars[a[1]] = v
		}
	}
	for _, l := range lines {
		if strings.HasPrefix(l.text, "\t") && goBuild.MatchString(l.text) && !strings.Contains(l.text, "go test") && !strings.Contains(l.text, "go run") {
			m.command(l)
		} else if a := makeAssign.FindStringSubmatch(l.text); a != nil && strings.Contains(a[3], "-X ") {
			m.linker(l.line, a[3])
		}
	}
	m.finish()
	return nil
}

type makefile struct {
	*importer
	vars map[string]makeValue
	of   settings
	main []string
	tags []string
	from map[string][]any // what values of several flags come from

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

// expand writes out variables of the Makefile but those that the shell computes.
func (m *makefile) expand(s string, depth int) string {
	if depth == 0 {
		m.expanded = 0
	}
	return makeRef.ReplaceAllStringFunc(s, func(ref string) string {
		name := strings.Trim(ref, "$(){}")
		v, ok := m.vars[name]
		if !ok || depth > 8 || m.expanded > maxExpanded || strings.Contains(v.text, "$(shell") || len(v.text) > 1<<10 {
			return ref
		}
		m.expanded += len(v.text)
		return m.expand(v.text, depth+1)
	})
}

// command reads a go build.
func (m *makefile) command(l makeLine) {
	text := m.expand(l.text, 0)
	_, args, ok := strings.Cut(text, "build ")
	if !ok {
		return
	}
	if strings.Contains(text, "CGO_ENABLED=1") {
		m.of["cgo"] = value{text: "true", from: []any{m.tell(l.line, "CGO_ENABLED=1", Kept, "cgo: true")}}
	} else if strings.Contains(text, "CGO_ENABLED=0") {
		m.tell(l.line, "CGO_ENABLED=0", Default, "cgo is false")
	}
	words := shellWords(args)
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
			m.linker(l.line, next())
		case name == "-tags":
			for _, t := range strings.FieldsFunc(next(), func(r rune) bool { return r == ',' || r == ' ' }) {
				if makeRef.MatchString(t) {
					m.tell(l.line, "-tags "+t, Cannot, "whoever runs make says which; name them in tags")
				} else if !slices.Contains(m.tags, t) {
					m.tags = append(m.tags, t)
					m.from["tags"] = append(m.from["tags"], m.tell(l.line, "-tags "+t, Kept, "tags"))
				}
			}
		case name == "-o":
			m.tell(l.line, "-o "+next(), Changed, "the program is called as go build does, and lies in the archive")
		case name == "-trimpath":
			m.tell(l.line, name, Default, "trimpath is true")
		case name == "-mod" && has && v == "vendor":
			m.of["mod"] = value{text: "vendor", from: []any{m.tell(l.line, w, Kept, "mod: vendor")}}
		case name == "-buildmode":
			m.of["buildmode"] = value{text: quote(next()), from: []any{m.tell(l.line, name, Kept, "buildmode")}}
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

// isMain reports whether a program is there.
func (m *makefile) isMain(at string) bool { return IsMain(m.Tree, at) }

// linker reads flags of the linker.
func (m *makefile) linker(line int, text string) {
	text = strings.Trim(m.expand(text, 0), `"'`)
	words := shellWords(text)
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case w == "-ldflags" || strings.HasPrefix(w, "-ldflags="):
			m.linker(line, strings.TrimPrefix(strings.TrimPrefix(w, "-ldflags"), "="))
		case w == "-s" || w == "-w":
			m.tell(line, w, Default, "ldflags.strip is all")
		case w == "-X" && i+1 < len(words), strings.HasPrefix(w, "-X="):
			if w == "-X" {
				i++
				w = words[i]
			}
			m.variable(line, strings.TrimPrefix(w, "-X="))
		}
	}
}

// variable sets one of the linker's variables, if its value follows from the commit.
func (m *makefile) variable(line int, text string) {
	name, v, ok := strings.Cut(strings.Trim(text, `"'`), "=")
	name, flag := strings.Trim(name, `"'`), "-X "+name
	v = strings.Trim(v, `"'`)
	if _, done := m.of["ldflags.set/"+name]; done {
		return
	}
	dot := strings.LastIndex(name, ".")
	if !ok || dot < 0 || strings.Contains(name, "$") {
		m.tell(line, "-X "+text, Cannot, "which variable it is follows from no constant; write it into ldflags.set")
		return
	}
	main := "./"
	if len(m.main) > 0 {
		main = m.main[0]
	}
	if pkg := name[:dot]; pkg != "main" && !m.declares(pkg, name[dot+1:], "", main) {
		m.tell(line, flag, Changed, "there is no such variable with a text, so that it did nothing")
		return
	}
	out, note := m.follows(v, 0)
	if note != "" && out == "" {
		m.tell(line, flag, Cannot, "%s", note)
		return
	}
	var said *statement
	if note != "" {
		said = m.tell(line, flag, Changed, "ldflags.set: %s; %s", out, note)
	} else {
		said = m.tell(line, flag, Kept, "ldflags.set: %s", out)
	}
	m.of["ldflags.set/"+name] = value{text: quote(out), from: []any{said}}
}

// follows writes a value as a template, by the command that computes it.
func (m *makefile) follows(v string, depth int) (out, note string) {
	shell := v
	if ref := makeRef.FindStringSubmatch(v); ref != nil && ref[0] == v && depth < 8 {
		name := ref[1] + ref[2]
		def, ok := m.vars[name]
		if !ok {
			switch upper := strings.ToUpper(name); {
			case strings.Contains(upper, "VERSION") || strings.Contains(upper, "TAG"):
				return "{{.Version}}", "whoever runs make says " + name + "; a release has the version of its tag"
			}
			return "", "whoever runs make says " + name + "; write a constant or a template into ldflags.set"
		}
		return m.follows(strings.TrimSpace(def.text), depth+1)
	}
	computed := strings.Contains(shell, "$(shell") || strings.HasPrefix(shell, "`") || strings.HasPrefix(shell, "$$(")
	switch {
	case !computed && !strings.Contains(v, "$"):
		return v, ""
	case !computed:
		return "", quote(v) + " does not follow from the commit"
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
		m.of["tags"] = value{list: quoted(m.tags), from: m.from["tags"]}
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
			if c == quote {
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
