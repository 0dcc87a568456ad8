package cli

import (
	"reflect"
	"regexp"
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

// TestHelpIsTheVerbsOwn: the texts of a verb's flags speak of no other verb and
// of no flag it does not have, and every text of its own is of a flag it has.
func TestHelpIsTheVerbsOwn(t *testing.T) {
	flagWord := regexp.MustCompile(`(?:^|with |without |; |\()-([a-z]+)`)
	for _, v := range Verbs() {
		for _, field := range reflect.VisibleFields(reflect.TypeFor[Flags]()) {
			name := field.Tag.Get("flag")
			if !slices.Contains(v.Flags, name) {
				if _, ok := ownMeanings()[v.Name][name]; ok {
					t.Errorf("%s has a text for -%s and not the flag", v.Name, name)
				}
				continue
			}
			text := v.text(field)
			for _, other := range Verbs() {
				if other.Name != v.Name && regexp.MustCompile(`(^|[;,] )`+other.Name+": ").MatchString(text) {
					t.Errorf("%s -%s speaks of %s: %s", v.Name, name, other.Name, text)
				}
			}
			for _, m := range flagWord.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(v.Flags, m[1]) && slices.Contains(flagNames(), m[1]) {
					t.Errorf("%s -%s speaks of -%s, which %s does not have: %s", v.Name, name, m[1], v.Name, text)
				}
			}
		}
	}
	for verb := range ownMeanings() {
		if _, ok := Find(verb); !ok {
			t.Errorf("texts of %q, which is no verb", verb)
		}
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

func flagNames() []string {
	var names []string
	rt := reflect.TypeFor[Flags]()
	for i := range rt.NumField() {
		names = append(names, rt.Field(i).Tag.Get("flag"))
	}
	return names
}
