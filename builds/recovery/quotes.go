package recovery

import (
	"encoding/json"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Values of -ldflags in scripts are within quotes, often several: those of the file's
// format, of one shell or more, and of the go command. None of these languages is read
// as a whole here. A wrong reading is a candidate that is not confirmed.

const (
	maxLevels  = 4    // of quotes that are taken off
	maxScalars = 5000 // texts of a JSON or YAML file
	maxSets    = 24   // values of -X of one text
)

// decoded is a file's text, and behind it the texts that are in it by the rules of its format.
func decoded(name string, data []byte) string {
	var b strings.Builder
	b.Write(data)
	n := 0
	add := func(s string) {
		if n++; n <= maxScalars && strings.Contains(s, "-") && b.Len() < 4*maxConfigFile {
			b.WriteString("\n" + s)
		}
	}
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".json":
		var v any
		if json.Unmarshal(data, &v) == nil {
			eachString(v, add)
		}
	case ".yml", ".yaml":
		var doc yaml.Node
		if yaml.Unmarshal(data, &doc) == nil {
			eachScalar(&doc, 0, add)
		}
	}
	return b.String()
}

func eachString(v any, add func(string)) {
	switch v := v.(type) {
	case string:
		add(v)
	case []any:
		for _, e := range v {
			eachString(e, add)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			eachString(v[key], add)
		}
	}
}

func eachScalar(n *yaml.Node, depth int, add func(string)) {
	if depth > 100 {
		return
	}
	if n.Kind == yaml.ScalarNode {
		add(n.Value)
	}
	for _, c := range n.Content {
		eachScalar(c, depth+1, add)
	}
}

// unescape takes one level of quotes off what was quoted more than once.
var unescape = strings.NewReplacer(`'\''`, `'`, `'"'"'`, `'`, `\\`, `\`, `\"`, `"`, `\'`, `'`, "\\`", "`", `\$`, `$`)

// unwrapped are a line, and what each shell that it goes through would make of it.
func unwrapped(line string) []string {
	out := []string{line}
	for len(out) < maxLevels {
		next := unescape.Replace(line)
		if next == line {
			break
		}
		out, line = append(out, next), next
	}
	return out
}

// shellWord is the word that a shell reads at the beginning of s: quoted parts that touch
// are one. What a shell would compute stays as it is.
func shellWord(s string) string {
	var b strings.Builder
	var quote byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != '\'' && (c == '$' || c == '`' || c == '{'):
			if start, end := nextHole(s[i:]); start == 0 {
				b.WriteString(s[i : i+end])
				i += end - 1
				continue
			}
			b.WriteByte(c)
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != '\'' && c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case quote == 0 && strings.IndexByte(" \t;|&)<>", c) >= 0:
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return "" // a line that goes on
	}
	return b.String()
}

var (
	setName = regexp.MustCompile(`^[A-Za-z0-9_./~-]*[A-Za-z0-9_~-]\.[A-Za-z_][A-Za-z0-9_]*=`)
	// "text" + name, "text" . $name: what is added to a text that ends.
	appended = regexp.MustCompile(`^\\*["'` + "`" + `]\s*[+.]\s*\$?([A-Za-z_][A-Za-z0-9_.]*)`)
	// What other languages than shells put values in for.
	formatted  = regexp.MustCompile(`%[sv]`)
	interpol   = regexp.MustCompile(`(^|[^${])\{([A-Za-z_][A-Za-z0-9_.]*)\}`)
	powershell = regexp.MustCompile(`\$env:([A-Za-z_][A-Za-z0-9_]*)`)
)

// set is one value of -X.
type set struct{ name, value string }

// setsIn finds the values of -X in a text, whatever they are quoted with.
func setsIn(text string) (sets []set) {
	text = powershell.ReplaceAllString(text, "$${$1}")
	for len(sets) < maxSets {
		i := strings.Index(text, "-X")
		if i < 0 {
			break
		}
		before := byte(' ')
		if i > 0 {
			before = text[i-1]
		}
		text = text[i+2:]
		if isName(before) || before == '-' {
			continue
		}
		rest := strings.TrimLeft(text, "= \t,\"'`\\")
		between := text[:len(text)-len(rest)]
		name := setName.FindString(rest)
		if name == "" || between == "" {
			continue
		}
		var quote byte // within which the variable's name is
		if n := len(between); strings.IndexByte("\"'`", between[n-1]) >= 0 && !strings.Contains(between, ",") {
			quote = between[n-1]
		}
		value, end := setValue(rest[len(name):], quote)
		sets = append(sets, set{strings.TrimSuffix(name, "="), value})
		text = rest[len(name)+end:]
	}
	return sets
}

// setValue reads a value up to the end of its quotes, or of its word.
func setValue(s string, quote byte) (value string, end int) {
	var b strings.Builder
	i := 0
	if quote == 0 && s != "" && (s[0] == '\'' || s[0] == '"') && !appended.MatchString(s) {
		quote, i = s[0], 1
	}
	for i < len(s) {
		if start, end := nextHole(s[i:]); start == 0 {
			b.WriteString(s[i : i+end])
			i += end
			continue
		}
		c := s[i]
		escaped := c == '\\' && i+1 < len(s) && strings.IndexByte("\"'`\\", s[i+1]) >= 0
		if c == '\n' || escaped || c == quote || quote == 0 && strings.IndexByte(" \t\"'`;)]", c) >= 0 {
			break
		}
		b.WriteByte(c)
		i++
	}
	if m := appended.FindStringSubmatch(s[i:]); m != nil {
		b.WriteString("${" + m[1] + "}")
	}
	value = formatted.ReplaceAllString(b.String(), "$${value}")
	return interpol.ReplaceAllString(value, "$1$${$2}"), i
}

// setTemplates are values of -ldflags that set what a text sets with -X anywhere: line for
// line, and all of it. Where a name is there twice, the first is taken.
func setTemplates(text string) (out []string) {
	join := func(sets []set) {
		var words []string
		var names []string
		for _, s := range sets {
			if slices.Contains(names, s.name) || strings.Contains(s.value, "'") {
				continue
			}
			names = append(names, s.name)
			words = append(words, "-X '"+s.name+"="+s.value+"'")
		}
		if len(words) > 0 {
			out = append(out, strings.Join(words, " "))
		}
	}
	var all []set
	for line := range strings.SplitSeq(text, "\n") {
		sets := setsIn(line)
		if len(sets) > 0 {
			join(sets)
		}
		all = append(all, sets...)
	}
	if len(all) <= maxSets {
		join(all)
	}
	return out
}
