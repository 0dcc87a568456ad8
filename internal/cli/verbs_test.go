package cli

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/ui"
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
		{"pgo", "merge", "missing argument: out"},
		{"pgo", "merge out a b", ""},
		{"rebuild", "", "missing argument: binaries"},
		{"rebuild", "a b c", ""},
		{"size", "-json", "missing argument: file"},
	} {
		v, ok := Find(c.verb)
		if !ok {
			t.Fatal(c.verb)
		}
		_, help, err := v.parse(strings.Fields(c.args))
		if help || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %q", c.verb, c.args, err, c.want)
		}
		if _, help, err := v.parse([]string{"-help"}); !help || err != nil {
			t.Errorf("%s -help: %v, %v", c.verb, help, err)
		}
	}
}

// TestParseValues: what is given arrives in the verb's struct, and what is not
// given leaves the default there.
func TestParseValues(t *testing.T) {
	three := 3
	build := func(f buildFlags) *releaseFlags { return &releaseFlags{buildFlags: f, Report: true} }
	for line, want := range map[string]runner{
		"release": build(buildFlags{}),
		"release -platform=linux -jobs=3 -json": build(buildFlags{
			selectFlags: selectFlags{Platform: "linux"}, jobsFlag: jobsFlag{&three}, jsonFlag: jsonFlag{true}}),
		"release -profile=a,b -profile=c,,d": build(buildFlags{selectFlags: selectFlags{Profile: []string{"c", "d"}}}),
		"release -report=false":              &releaseFlags{},
		"report -with=a,b x -with c":         &reportFlags{compareFlags: compareFlags{With: []string{"a", "b", "c"}}, Path: "x"},
		"verify -rebuilder=a -threshold=3 -rebuilder=b,c d": &verifyFlags{
			releasedFlags: releasedFlags{Rebuilder: publicKeys{"a", "b", "c"}, Threshold: 3}, Path: "d"},
		"size b":           &sizeFlags{File: "b"},
		"size a b":         &sizeFlags{fileFlags: fileFlags{Old: "a"}, File: "b"},
		"size -old=a b":    &sizeFlags{fileFlags: fileFlags{Old: "a"}, File: "b"},
		"rebuild a b":      &rebuildFlags{Binaries: []string{"a", "b"}},
		"pgo merge a -- b": &pgoFlags{Command: "merge", Out: "a", Inputs: []string{"b"}},
		"diff -- -a -- -b": &diffFlags{A: "-a", B: "-b"},
	} {
		name, rest, _ := strings.Cut(line, " ")
		v, ok := Find(name)
		if !ok {
			t.Fatal(name)
		}
		inv, _, err := v.parse(strings.Fields(rest))
		if err != nil {
			t.Errorf("%s: %v", line, err)
		} else if !reflect.DeepEqual(inv.flags, want) {
			t.Errorf("%s: %+v, want %+v", line, inv.flags, want)
		}
	}
}

// TestVerbs: what the tags of every verb's struct must be.
func TestVerbs(t *testing.T) {
	for _, v := range Verbs() {
		seen := map[string]bool{}
		for _, f := range v.Flags() {
			if seen[f.Name] {
				t.Errorf("%s has -%s twice", v.Name, f.Name)
			}
			seen[f.Name] = true
			for _, m := range f.meanings {
				if m.text == "" {
					t.Errorf("%s: -%s has no text", v.Name, f.Name)
				}
			}
		}
		for _, f := range v.Flags() {
			for _, p := range f.partners() {
				if !seen[p] {
					t.Errorf("%s: -%s goes with -%s, which is no flag", v.Name, f.Name, p)
				}
			}
		}
		for i, a := range v.Args() {
			last := i == len(v.Args())-1
			if a.Optional && !seen[a.Name] && !seen[a.Name+"s"] {
				t.Errorf("%s: no flag takes what the argument %s does, which Mage's target lacks", v.Name, a.Name)
			}
			if a.many && !last || a.Optional && i > 0 && !last {
				t.Errorf("%s: argument %s has no place there", v.Name, a.Name)
			}
		}
	}
}

// TestHelpIsTheVerbsOwn: the texts of a verb's flags speak of no other verb and
// of no flag it does not have.
func TestHelpIsTheVerbsOwn(t *testing.T) {
	flagWord := regexp.MustCompile(`(?:^|with |without |; |\()-([a-z]+)`)
	all := map[string]bool{}
	for _, v := range Verbs() {
		for _, f := range v.Flags() {
			all[f.Name] = true
		}
	}
	for _, v := range Verbs() {
		for _, f := range v.Flags() {
			text := f.Help()
			for _, other := range Verbs() {
				if other.Name != v.Name && regexp.MustCompile(`(^|[;,] )`+other.Name+": ").MatchString(text) {
					t.Errorf("%s -%s speaks of %s: %s", v.Name, f.Name, other.Name, text)
				}
			}
			for _, m := range flagWord.FindAllStringSubmatch(text, -1) {
				if _, ok := v.flag(m[1]); !ok && all[m[1]] {
					t.Errorf("%s -%s speaks of -%s, which %s does not have: %s", v.Name, f.Name, m[1], v.Name, text)
				}
			}
		}
	}
}

// TestHelp: every flag of every verb is in its help, and every verb in the usage;
// no line is wider than 80 columns.
func TestHelp(t *testing.T) {
	for _, v := range Verbs() {
		help := v.help()
		for _, f := range v.Flags() {
			if !strings.Contains(help, "\n  -"+f.Name) {
				t.Errorf("%s: no help for -%s", v.Name, f.Name)
			}
		}
		for line := range strings.Lines(help + usage()) {
			if n := ui.Width(line); n > 80 {
				t.Errorf("%s: %d wide: %s", v.Name, n, line)
			}
		}
		if !strings.Contains(usage(), "  "+v.Name) {
			t.Errorf("%s is not in the usage text", v.Name)
		}
	}
}

func TestRefuseEmpty(t *testing.T) {
	v, _ := Find("verify")
	inv, _, err := v.parse([]string{"-version=", "-module", "", "-key=x", "dist"})
	if err != nil {
		t.Fatal(err)
	}
	err = inv.refuseEmpty()
	if err == nil || !strings.Contains(err.Error(), "-version=") || !strings.Contains(err.Error(), "-module=") || strings.Contains(err.Error(), "-key=") {
		t.Errorf("%v", err)
	}
}
