package recovery

import (
	"iter"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/goflags"
)

// template is a value of -ldflags with holes, as a release configuration has it.
type template struct {
	From  string // file and place, for people
	parts []part
}

type part struct {
	text string
	hole bool
}

const (
	maxTemplate = 16 << 10
	maxHoles    = 8
	// maxExpanded bounds what one template is expanded to: it is a product of
	// what its holes can be.
	maxExpanded = 60_000
)

// newTemplate splits a text at its holes: {{…}}, ${…}, $(…), `…` and $NAME.
// resolve may know what a variable stands for.
func newTemplate(from, text string, resolve func(name string) (string, bool)) (template, bool) {
	t := template{From: from}
	if len(text) > maxTemplate {
		return t, false
	}
	text = expandNames(text, resolve, 0)
	if len(text) > maxTemplate {
		return t, false
	}
	lit := func(s string) {
		if s == "" {
			return
		}
		if n := len(t.parts); n > 0 && !t.parts[n-1].hole {
			t.parts[n-1].text += s
			return
		}
		t.parts = append(t.parts, part{s, false})
	}
	holes := map[string]bool{}
	for text != "" {
		start, end := nextHole(text)
		if start < 0 {
			lit(text)
			break
		}
		lit(text[:start])
		hole := text[start:end]
		t.parts = append(t.parts, part{hole, true})
		holes[hole] = true
		text = text[end:]
	}
	return t, len(holes) <= maxHoles
}

// nextHole finds the first hole in s; start is negative when there is none.
func nextHole(s string) (start, end int) {
	for i := 0; i < len(s); i++ {
		rest := s[i:]
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "${{"): // Go's, and that of workflows
			if n := strings.Index(rest, "}}"); n > 0 {
				return i, i + n + 2
			}
		case strings.HasPrefix(rest, "${"):
			if n := strings.Index(rest, "}"); n > 0 {
				return i, i + n + 1
			}
		case strings.HasPrefix(rest, "$("):
			depth := 0
			for j := 1; j < len(rest); j++ {
				switch rest[j] {
				case '(':
					depth++
				case ')':
					depth--
				}
				if depth == 0 {
					return i, i + j + 1
				}
			}
		case rest[0] == '`':
			if n := strings.IndexByte(rest[1:], '`'); n > 0 {
				return i, i + n + 2
			}
		case rest[0] == '$' || rest[0] == '%' && strings.Count(rest, "%") > 1:
			j := 1
			for j < len(rest) && isName(rest[j]) {
				j++
			}
			if j > 1 {
				if rest[0] == '%' {
					if j == len(rest) || rest[j] != '%' {
						continue
					}
					j++
				}
				return i, i + j
			}
		}
	}
	return -1, 0
}

func isName(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// holeName is the variable a hole stands for, "" if it is not that simple.
func holeName(hole string) string {
	name := strings.Trim(hole, "${}()%")
	if name == "" || strings.HasPrefix(hole, "{{") || strings.HasPrefix(hole, "`") || strings.ContainsFunc(name, func(r rune) bool { return r > 127 || !isName(byte(r)) }) {
		return ""
	}
	return name
}

// expandNames replaces variables by what they are defined as.
func expandNames(text string, resolve func(string) (string, bool), depth int) string {
	if resolve == nil || depth > 8 || len(text) > maxTemplate {
		return text
	}
	var b strings.Builder
	for text != "" {
		start, end := nextHole(text)
		if start < 0 {
			break
		}
		b.WriteString(text[:start])
		hole := text[start:end]
		if value, ok := resolve(holeName(hole)); ok && holeName(hole) != "" && !strings.Contains(value, hole) {
			b.WriteString(expandNames(value, resolve, depth+1))
		} else {
			b.WriteString(hole)
		}
		text = text[end:]
		if b.Len() > maxTemplate {
			return b.String()
		}
	}
	return b.String() + text
}

// expand gives the flags for every combination of values of the holes; with
// present, only of values that occur in the binary. A hole that is there twice
// has the same value twice.
func (t template) expand(v *Values, present bool) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		var holes []string
		var domains [][]string
		for _, p := range t.parts {
			if !p.hole || slices.Contains(holes, p.text) {
				continue
			}
			d := v.of(p.text)
			if present {
				d = slices.DeleteFunc(slices.Clone(d), func(s string) bool { return !v.has(s) })
			}
			if len(d) == 0 {
				d = []string{""}
			}
			holes, domains = append(holes, p.text), append(domains, d)
		}
		if len(holes) > maxHoles {
			return
		}
		at := make([]int, len(holes))
		for n := 0; n < maxExpanded; n++ {
			var b strings.Builder
			for _, p := range t.parts {
				if p.hole {
					i := slices.Index(holes, p.text)
					b.WriteString(domains[i][at[i]])
				} else {
					b.WriteString(p.text)
				}
			}
			if flags, err := goflags.Split(b.String()); err == nil && !yield(flags) {
				return
			}
			i := 0
			for ; i < len(at); i++ {
				if at[i]++; at[i] < len(domains[i]) {
					break
				}
				at[i] = 0
			}
			if i == len(at) {
				return
			}
		}
	}
}
