package profiles

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/template"
)

// expandText evaluates one template. Text without {{ is returned as it is.
// vars.Env decides which variables there are; with a nil Env, .Env is refused.
func expandText(text string, vars *Vars) (string, error) {
	scope := templateScope{fields: artifactFields}
	if vars.Env != nil {
		scope.env = func(name string) bool { _, ok := vars.Env[name]; return ok }
	}
	tree, faults := parseTemplate(text, scope)
	if len(faults) > 0 {
		return "", &faults[0]
	}
	if tree == nil {
		return text, nil
	}
	return vars.language().Text(tree.Root.Nodes...)
}

// language is that of templates; what they may use of it is checked by
// [templateChecker].
func (v *Vars) language() template.Language {
	text := template.Texts
	return template.Language{Field: v.value, Funcs: map[string]template.Func{
		"default": func(args []template.Value) (template.Value, error) {
			if there, ok := args[1].(string); ok && there != "" {
				return there, nil
			}
			return args[0], nil
		},
		"date":       text(2, func(s []string) (template.Value, error) { return date(s[0], s[1]) }),
		"title":      text(1, func(s []string) (template.Value, error) { return title(s[0]), nil }),
		"lower":      text(1, func(s []string) (template.Value, error) { return strings.ToLower(s[0]), nil }),
		"upper":      text(1, func(s []string) (template.Value, error) { return strings.ToUpper(s[0]), nil }),
		"trimprefix": text(2, func(s []string) (template.Value, error) { return strings.TrimPrefix(s[1], s[0]), nil }),
		"trimsuffix": text(2, func(s []string) (template.Value, error) { return strings.TrimSuffix(s[1], s[0]), nil }),
		"replace":    text(3, func(s []string) (template.Value, error) { return template.Replace(s[2], s[0], s[1]) }),
	}}
}

// value is that of a field: a text, or none where this source has none.
func (v *Vars) value(names []string) (template.Value, error) {
	name := names[0]
	if name == "Env" {
		return v.Env[names[1]], nil
	}
	if s := v.field(name); s != "" || !slices.Contains(absentFields, name) {
		return s, nil
	}
	return template.Absent{Err: errAbsent(name)}, nil
}

// errAbsent says why a template cannot do without a field that the source does not have.
func errAbsent(name string) error {
	switch {
	case name == "Tag":
		return fault.Errorf(`tag the commit, or write {{with .Tag}}…{{end}} or {{default "none" .Tag}}`, "%w", errNoTag)
	case slices.Contains(versionFields, name):
		return fault.Errorf("write .Version", ".%s is not known: the version is not of the form MAJOR.MINOR.PATCH", name)
	case name == "Binary":
		return fault.Errorf("write a name of its own instead, or build each program in a profile of its own", ".Binary is no one name here: several programs share the artifact")
	}
	return fault.Errorf(fmt.Sprintf("build a checkout (-dir=DIR), or write {{with .%s}}…{{end}} or {{default \"none\" .%[1]s}}", name),
		".%s is not known: the module proxy does not say which commit this module was made from", name)
}

// date writes a time of RFC 3339 in a layout.
func date(layout, s string) (string, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return "", fault.Errorf("write {{.CommitDate | date \"2006-01-02\"}}", "date wants a time such as .CommitDate, not %q", clip(s))
	}
	if err := checkLayout(layout); err != nil {
		return "", err
	}
	return t.UTC().Format(layout), nil
}

// title is the text with the first letter of each word in upper case and the
// others in lower case. Letters, digits, underscores, apostrophes and dots inside
// of it are one word.
func title(s string) string {
	var b strings.Builder
	inside := false
	for _, r := range s {
		if inside {
			b.WriteRune(unicode.ToLower(r))
		} else {
			b.WriteRune(unicode.ToTitle(r))
		}
		inside = unicode.IsLetter(r) || unicode.IsDigit(r) || inside && strings.ContainsRune("_'’.", r)
	}
	return b.String()
}

// checkLayout refuses a layout that says the same of all times, such as one of
// another language.
func checkLayout(layout string) error {
	if a, b := time.Unix(0, 0).UTC(), time.Date(2037, 11, 22, 13, 44, 55, 0, time.UTC); a.Format(layout) == b.Format(layout) {
		return fault.Errorf("it is how Go writes the time Mon Jan 2 15:04:05 2006: \"2006-01-02\", \"20060102150405\"", "the layout %q says nothing of a time", clip(layout))
	}
	return nil
}
