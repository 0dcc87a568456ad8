package door

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		verb string
		args string
		want string // of the error; "" for none
	}{
		{"release", "-platform=linux -jobs=3 -json", ""},
		{"release", "-jobs 3", ""},
		{"release", "-jobs=3x", "want a number"},
		{"release", "-json=maybe", "want true or false"},
		{"release", "-nosuch", "nosuch"},
		{"release", "-key=x", "not defined"},
		{"release", "dist", `unexpected argument "dist"`},
		{"verify", "-key=x dist", ""},
		{"verify", "dist -key=x", ""},
		{"verify", "-key=x", "missing argument: path"},
		{"verify", "a b", `unexpected argument "b"`},
		{"diff", "a", "missing argument: b"},
		{"diff", "a -json b", ""},
	} {
		v, ok := Find(c.verb)
		if !ok {
			t.Fatal(c.verb)
		}
		f, words, help, err := v.Parse(strings.Fields(c.args))
		if help || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %q", c.verb, c.args, err, c.want)
		}
		if err == nil && len(words) != len(v.Args) {
			t.Errorf("%s %s: words %q", c.verb, c.args, words)
		}
		if c.args == "-platform=linux -jobs=3 -json" && (str(f.Platform) != "linux" || *f.Jobs != 3 || !yes(f.JSON) || f.Out != nil) {
			t.Errorf("%+v", f)
		}
	}
	if _, _, help, err := (Verb{Name: "x"}).Parse([]string{"-help"}); !help || err != nil {
		t.Errorf("help %v, %v", help, err)
	}
}

// TestHelp: every flag of every verb has a text, and no flag is of no verb.
func TestHelp(t *testing.T) {
	var used []string
	for _, v := range Verbs() {
		help := v.Help()
		for _, f := range v.Flags {
			used = append(used, f)
			if !strings.Contains(help, "\n  -"+f) {
				t.Errorf("%s: no help for -%s", v.Name, f)
			}
		}
		if !strings.Contains(Usage(), "  "+v.Name) {
			t.Errorf("%s is not in the usage text", v.Name)
		}
	}
	for _, name := range flagNames() {
		if !slices.Contains(used, name) {
			t.Errorf("no verb has -%s", name)
		}
	}
}

func TestRefuseEmpty(t *testing.T) {
	empty, full := "", "x"
	f := Flags{Version: &empty, Module: &empty, Key: &full}
	err := f.refuseEmpty()
	if err == nil || !strings.Contains(err.Error(), "-version=") || !strings.Contains(err.Error(), "-module=") || strings.Contains(err.Error(), "-key=") {
		t.Errorf("%v", err)
	}
}

func TestShellJoin(t *testing.T) {
	if got, want := shellJoin([]string{"go", "build", "-ldflags=-s -w", "it's"}), `go build '-ldflags=-s -w' 'it'\''s'`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func flagNames() []string {
	var names []string
	rt := reflect.TypeFor[Flags]()
	for i := range rt.NumField() {
		names = append(names, rt.Field(i).Tag.Get("flag"))
	}
	return names
}
