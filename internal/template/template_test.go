package template

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"text/template/parse"
)

func language() Language {
	return Language{
		Field: func(names []string) (Value, error) {
			switch strings.Join(names, ".") {
			case "OS":
				return "linux", nil
			case "None":
				return Absent{errors.New("there is none")}, nil
			case "Zero":
				return int64(0), nil
			case "Env":
				return map[string]string{"CC": "gcc"}, nil
			case "Said":
				return Raw("a \"text\""), nil
			case "Empty":
				return Raw(""), nil
			case "Nothing":
				return List{}, nil
			case "Rows":
				return List{{"A": "1", "In": List{{"B": Raw("x")}, {"B": Raw("y")}}}, {"A": "2", "In": List{}}}, nil
			case "Env.CC":
				return "gcc", nil
			case "Double":
				return Texts(1, func(s []string) (Value, error) { return s[0] + s[0], nil }), nil
			}
			return nil, errors.New("no such field")
		},
		Funcs: map[string]Func{
			"upper":   Texts(1, func(s []string) (Value, error) { return strings.ToUpper(s[0]), nil }),
			"replace": Texts(3, func(s []string) (Value, error) { return Replace(s[2], s[0], s[1]) }),
			"quote": func(args []Value) (Value, error) {
				return fmt.Sprintf("%q", args[0]), nil
			},
			"first": func(args []Value) (Value, error) { return args[0], nil },
			"large": Texts(0, func([]string) (Value, error) { return strings.Repeat("x", MaxText+1), nil }),
		},
	}
}

func nodes(t *testing.T, text string) []parse.Node {
	t.Helper()
	tree := parse.New("t")
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "", "", map[string]*parse.Tree{}); err != nil {
		t.Fatal(text, err)
	}
	return tree.Root.Nodes
}

// TestText has templates with their values; fuzz tests of the rooms that have a
// language hold them against text/template.
func TestText(t *testing.T) {
	for _, c := range []struct{ in, want, err string }{
		{"a{{.OS}}b{{.Env.CC}}{{$.OS}}", "alinuxbgcclinux", ""},
		{`{{.OS | upper}}{{upper "a"}}{{"b" | .Double}}{{.Double (upper "c")}}`, "LINUXAbbCC", ""},
		{`{{if .None}}a{{else if .Zero}}b{{else if .Env}}c{{end}}{{with .None}}d{{else}}e{{end}}{{with .OS}}{{.}}{{end}}`, "celinux", ""},
		{`{{if eq .None ""}}a{{end}}{{or .None .OS}}{{and .OS 3}}{{not .None}}{{ne .OS "x"}}{{eq .OS "x" "linux"}}{{.OS | or .None}}`, "alinux3truetruetruelinux", ""},
		{"{{or .OS .Nowhere}}{{if .None}}{{.Nowhere}}{{nosuch}}{{range .OS}}{{end}}{{end}}", "linux", ""}, // not reached
		{"{{.None}}", "", "there is none"},
		{"{{upper .None}}", "", "there is none"},
		{"{{first .None}}", "", "there is none"},
		{"{{.Nowhere}}", "", "no such field"},
		{"{{nosuch .OS}}", "", `unknown function "nosuch"`},
		{"{{upper}}", "", "number of arguments"},
		{"{{upper .OS .OS}}", "", "number of arguments"},
		{"{{eq .OS}}{{ne .OS .OS .OS}}", "", "number of arguments"},
		{"{{and}}", "", "number of arguments"},
		{"{{not}}", "", "number of arguments"},
		{"{{upper 3}}", "", "argument that is none"},
		{"{{eq .OS 3}}", "", "different kinds"},
		{"{{eq .Env .Env}}", "", "different kinds"},
		{"{{.Env}}", "", "no text"},
		{"{{.Double}}", "", "number of arguments"},
		{"{{first .Double}}", "", "no text"},
		{"{{if first .Double}}{{end}}", "", "neither true nor false"},
		{`{{.OS "x"}}`, "", "is not a function"},
		{`{{"x" | .OS}}`, "", "is not a function"},
		{"{{.}}", "", "not supported"},
		{"{{$}}", "", "not supported"},
		{"{{first nil}}", "", "not supported"},
		{"{{first 1.5}}", "", "not supported"},
		{"{{first 'a'}}", "", "not supported"},
		{"{{first upper}}", "", "not supported"},
		{"{{(.Env).CC}}", "", "not supported"},
		{"{{with .OS}}{{.OS}}{{end}}", "", "not supported"},
		{"{{$x := .OS}}", "", "not supported"},
		{"{{first ($x := .OS)}}", "", "not supported"},
		{"{{range .OS}}{{end}}", "", "wants a list"},
		{"{{range .Rows}}{{.A}}:{{range .In}}{{quote .B}}{{$.OS}}{{else}}none{{end}};{{end}}", `1:"x"linux"y"linux;2:none;`, ""},
		{"{{range .Nothing}}a{{else}}b{{.OS}}{{end}}{{if .Nothing}}c{{end}}{{with .Rows}}{{range .}}d{{end}}{{end}}", "blinuxdd", ""},
		{`{{quote .Said}}{{if .Empty}}a{{end}}{{with .Said}}{{quote .}}{{end}}{{if eq .Empty ""}}b{{end}}`, `"a \"text\"""a \"text\""b`, ""},
		{"{{.Said}}", "", "without a function"},
		{"{{with .Said}}{{.}}{{end}}", "", "without a function"},
		{"{{.Empty}}", "", "without a function"},
		{"{{upper .Said}}", "", "argument that is none"},
		{"{{range .Rows}}{{.B}}{{end}}", "", "no field .B here"},
		{"{{range .Rows}}{{.}}{{end}}", "", "no text"},
		{"{{range $i := .Rows}}{{end}}", "", "not supported"},
		{`{{template "x"}}`, "", "not supported"},
		{"{{large | first | not}}", "", ErrTooLong.Error()},
		{strings.Repeat("{{.OS}}", MaxText/5+1), "", ErrTooLong.Error()},
		{"{{" + strings.Repeat(`replace "a" "aaaaaaaaaa" (`, 40) + `"a"` + strings.Repeat(")", 40) + "}}", "", ErrTooLong.Error()},
	} {
		got, err := language().Text(nodes(t, c.in)...)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || got != c.want {
			t.Errorf("%.200s: %q, %v; want %q, %s", c.in, got, err, c.want, c.err)
		}
	}
}

// TestTrue: a condition alone has the value that it has in an if.
func TestTrue(t *testing.T) {
	for in, want := range map[string]bool{".OS": true, ".None": false, "eq .OS .OS": true, "not .OS": false} {
		n := nodes(t, "{{if "+in+"}}1{{end}}")
		got, err := language().True(n[0].(*parse.IfNode).Pipe)
		if text, _ := language().Text(n...); err != nil || got != want || (text == "1") != want {
			t.Errorf("%s: %v, %v; the if says %q", in, got, err, text)
		}
	}
	if _, err := language().True(nodes(t, "{{if .Nowhere}}{{end}}")[0].(*parse.IfNode).Pipe); err == nil {
		t.Error("a field that there is not has a truth")
	}
}
