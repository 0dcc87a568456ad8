package channels

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/template"
)

// format is how texts are written in a kind of file.
type format struct {
	// quote writes a text as a value of the format.
	quote func(s string) (string, error)
	// others are further functions for a text of the format.
	others map[string]func(s string) (string, error)
	// finish reads what a template gave, and lays it out; nil: it is right as it is.
	finish func(data []byte) ([]byte, error)
}

// funcs are the functions of templates of the format. Each makes a string of a
// [template.Raw], and of nothing else.
func (f format) funcs() map[string]template.Func {
	funcs := map[string]template.Func{"quote": written(f.quote)}
	for name, write := range f.others {
		funcs[name] = written(write)
	}
	return funcs
}

func written(write func(string) (string, error)) template.Func {
	return func(args []template.Value) (template.Value, error) {
		if len(args) != 1 {
			return nil, errors.New("one text is written at a time")
		}
		raw, ok := args[0].(template.Raw)
		if !ok {
			return nil, errors.New("what is written is no text of the release")
		}
		return write(string(raw))
	}
}

// oneLine accepts a text that stays on the line that it begins on, whoever reads it.
func oneLine(s string) (string, error) {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return "", fmt.Errorf("%q cannot be in one line of text", s)
		}
	}
	return s, nil
}

// jsonFormat is JSON, and a text of JavaScript.
func jsonFormat() format {
	return format{quote: quoteJSON, finish: func(data []byte) ([]byte, error) {
		var b bytes.Buffer
		if err := json.Indent(&b, bytes.TrimSpace(data), "", "  "); err != nil {
			return nil, err
		}
		return append(b.Bytes(), '\n'), nil
	}}
}

func scriptFormat() format { return format{quote: quoteJSON} }

func quoteJSON(s string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // it is in no page
	if err := e.Encode(s); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// yamlFormat is YAML 1.1 and 1.2. A text is in double quotes, in which it is no number,
// truth or date, and a character that YAML has no place for is escaped.
func yamlFormat() format { return format{quote: quoteYAML} }

func quoteYAML(s string) (string, error) {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String(), nil
}

// rubyFormat is Ruby. A text is in double quotes, in which # would begin an expression.
func rubyFormat() format {
	return format{quote: quoteRuby, others: map[string]func(string) (string, error){
		"constant": constant, "license": rubyLicense, "line": oneLine,
	}}
}

func quoteRuby(s string) (string, error) {
	s = strings.ToValidUTF8(s, "\ufffd")
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		rest := s[i+utf8.RuneLen(r):]
		switch {
		case r == '"' || r == '\\' || r == '#' && strings.HasPrefix(rest, "{") || r == '#' && strings.HasPrefix(rest, "$") || r == '#' && strings.HasPrefix(rest, "@"):
			b.WriteString(`\` + string(r))
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
	}
	b.WriteByte('"')
	return b.String(), nil
}

// constant is the class of a formula of that name, as Homebrew makes it
// (Formulary.class_s).
func constant(name string) (string, error) {
	s := strings.ToLower(name)
	if s != "" {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	s = regexp.MustCompile(`[-_.]([a-z0-9])`).ReplaceAllStringFunc(s, func(m string) string { return strings.ToUpper(m[1:]) })
	s = strings.ReplaceAll(s, "+", "x")
	s = regexp.MustCompile(`(.)@([0-9])`).ReplaceAllString(s, "${1}AT${2}")
	if !regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`).MatchString(s) {
		return "", fmt.Errorf("no class of Ruby can be called after %q", name)
	}
	return s, nil
}

// rubyLicense is an SPDX expression as Homebrew's license takes it.
func rubyLicense(s string) (string, error) {
	for word, list := range map[string]string{" OR ": "any_of", " AND ": "all_of"} {
		ids := strings.Split(s, word)
		if len(ids) < 2 {
			continue
		}
		var quoted []string
		for _, id := range ids {
			if strings.ContainsAny(id, " ()") {
				return ":cannot_represent", nil // in these words
			}
			q, err := quoteRuby(id)
			if err != nil {
				return "", err
			}
			quoted = append(quoted, q)
		}
		return list + ": [" + strings.Join(quoted, ", ") + "]", nil
	}
	if id, exception, ok := strings.Cut(s, " WITH "); ok && !strings.ContainsAny(id+exception, " ()") {
		a, err := quoteRuby(id)
		b, err2 := quoteRuby(exception)
		return a + " => { with: " + b + " }", errors.Join(err, err2)
	}
	if strings.ContainsAny(s, " ()") {
		return ":cannot_represent", nil
	}
	return quoteRuby(s)
}

// shellFormat is the shell's: a text is in single quotes, in which nothing is expanded.
func shellFormat() format {
	return format{quote: quoteShell, others: map[string]func(string) (string, error){"line": oneLine}}
}

func quoteShell(s string) (string, error) {
	if strings.ContainsRune(s, 0) {
		return "", fmt.Errorf("%q cannot be a text of the shell", s)
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", nil
}

// lineFormat is lines of KEY = VALUE, without any quotes.
func lineFormat() format { return format{quote: oneLine} }

// records is a list for range, in which each knows whether it is the last.
func records(list ...template.Record) template.List {
	for i, r := range list {
		r["Last"] = i == len(list)-1
	}
	return template.List(list)
}

// texts is a list of texts, each as Text.
func texts(list []string) template.List {
	var out []template.Record
	for _, s := range list {
		out = append(out, template.Record{"Text": template.Raw(s)})
	}
	return records(out...)
}
