package profiles

import (
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

func TestRequire(t *testing.T) {
	for _, test := range []struct {
		text, want string // "" is machines
		none       bool
	}{
		{"", "", true},
		{"require: machines", "", false},
		{"require: [machines]", "", false},
		{"x: &r machines\nrequire: *r", `m.yaml:3:1: unknown key "x"`, false},
		{"require: []", "m.yaml:3:10: require says nothing", false},
		{"require:", "m.yaml:3:9: require has no value", false},
		{"require: {machines: 2}", "m.yaml:3:10: require wants one text or a list, not a map", false},
		{"require: two", `m.yaml:3:10: require wants machines, not "two"`, false},
		{"require: [machines, machines]", "m.yaml:3:21: require: machines is there twice", false},
		{"require: [machines, keys, [x]]", `m.yaml:3:21: require wants machines, not "keys"`, false},
		{"require: [[x], machines]", "m.yaml:3:11: an element of require wants one text, not a list", false},
		{"machines: 2", `m.yaml:3:1: unknown key "machines"`, false},
	} {
		f, err := Load("m.yaml", []byte("version: 1\nproject: tool\n"+test.text+"\nprofiles: {release: {platforms: [linux/amd64]}}\n"))
		if err != nil {
			if first, _, _ := strings.Cut(err.Error(), "\n"); first != test.want {
				t.Errorf("%s:\n got %s\nwant %s", test.text, first, test.want)
			}
			continue
		}
		if test.want != "" || f.Requires(fact.RequireMachines) == test.none {
			t.Errorf("%s: %q", test.text, f.Require)
		}
		if want := strings.Count(test.text, "\n") + 3; !test.none && f.Pos("require").Line != want {
			t.Errorf("%s: at %v", test.text, f.Pos("require"))
		}
	}
}
