package profiles

import (
	"slices"
	"strings"
	"testing"
)

// TestMachines: everything wrong with the file of machines is reported with its place.
func TestMachines(t *testing.T) {
	on, err := LoadMachines("m.yaml", []byte("on:\n  - here\n  - ssh://me@host:22\n"))
	if err != nil || !slices.Equal(on, []string{"here", "ssh://me@host:22"}) {
		t.Fatalf("%q %v", on, err)
	}
	for text, want := range map[string][]string{
		"":                                   {"m.yaml"},
		"on: here\n":                         {"m.yaml:1:5: "},
		"on: []\n":                           {"m.yaml:1:5: on names no machine"},
		"{}\n":                               {"m.yaml:1:1: the file names no machines"},
		"- here\n":                           {"m.yaml:1:1: "},
		"on: [here, '']\nno: 1\n":            {"m.yaml:1:12: ", "m.yaml:2:1: unknown key \"no\""},
		"on: [here]\non: [here]\n":           {"m.yaml:2:1: "},
		"on: [here, [ssh://host]]\n":         {"m.yaml:1:12: "},
		"on: &a [here]\nx: [*a, *a]\ny: 1\n": {"m.yaml:2:1: ", "m.yaml:3:1: "},
	} {
		on, err := LoadMachines("m.yaml", []byte(text))
		if err == nil || on != nil {
			t.Errorf("%q: %q %v", text, on, err)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %q is not in %v", text, w, err)
			}
		}
	}
}
