package recovery

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/bindiff"
)

// TestLearned: what a comparison says of -X leads to the flags, wherever else they came from.
func TestLearned(t *testing.T) {
	made, _ := newTemplate("Makefile", "-s -w -X main.commit={{.Commit}} -X main.version={{.Version}}", nil)
	strips := Stripped{}.spellings()
	for _, tt := range []struct {
		name      string
		diff      bindiff.Diff
		templates []template
		vars      []variable
		want      string
		first     int // among how many it is found
	}{
		{"a value that nothing suggests, at the place that a template has", bindiff.Diff{Values: []bindiff.Value{{Name: "main.version", A: "secret", InA: true}, {Name: "main.commit", A: "odd one", InA: true}}},
			[]template{made}, nil, "-s -w -X main.commit=odd one -X main.version=secret", 1},
		{"names that no template has", bindiff.Diff{Values: []bindiff.Value{{Name: "example.com/a.B", A: "x", B: "y", InA: true, InB: true}}}, nil, nil, "-s -w -X example.com/a.B=x", 1},
		{"one word", bindiff.Diff{Values: []bindiff.Value{{Name: "example.com/a.B", A: "x", InA: true}}}, nil, nil, "-s -w -X=example.com/a.B=x", 20},
		{"a dot in a package", bindiff.Diff{Values: []bindiff.Value{{Name: "gopkg.in/a%2ev2.B", A: "x", InA: true}}}, nil, nil, "-s -w -X gopkg.in/a.v2.B=x", 1},
		{"another order", bindiff.Diff{Values: []bindiff.Value{{Name: "main.a", A: "1", InA: true}, {Name: "main.b", A: "2", InA: true}, {Name: "main.c", A: "3", InA: true}}}, nil, nil, "-s -w -X main.c=3 -X main.a=1 -X main.b=2", 200},
		{"texts, by the names of the source", bindiff.Diff{OnlyA: []string{"nightly", "abc"}}, nil, []variable{{"main.usage", "use it"}, {"main.version", ""}, {"example.com/a.Channel", "dev"}}, "-s -w -X main.version=abc -X example.com/a.Channel=nightly", 4},
		{"texts, in a template", bindiff.Diff{OnlyA: []string{"abc"}}, []template{made}, nil, "-s -w -X main.commit=abc -X main.version=abc", 50},
	} {
		n, found := 0, false
		for c := range learn(&tt.diff).candidates(strips, tt.templates, testValues(), tt.vars) {
			if n++; strings.Join(c.Flags, " ") == tt.want {
				found = true
				break
			}
		}
		if !found || n > tt.first {
			t.Errorf("%s: %t among %d", tt.name, found, n)
		}
	}
	if !learn(&bindiff.Diff{}).empty() {
		t.Error("something was learned of nothing")
	}
}

// TestSettable: of the source's variables, those that -X can set.
func TestSettable(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.go":         "package main\n\nvar version, commit string\nvar a = \"x\" + f()\nvar (\n\tdate = `now`\n\tn int\n\tp *string\n)\nconst c = \"c\"\nfunc f() string { var local string; return local }\n",
		"internal/v/v.go": "package v\n\nvar Channel string = \"dev\"\n",
		"x_test.go":       "package main\n\nvar tested string\n",
		"vendor/a/a.go":   "package a\n\nvar A string\n",
		"bad.go":          "package",
	} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := settable(dir, "example.com/m")
	want := []variable{{"example.com/m/internal/v.Channel", "dev"}, {"main.version", ""}, {"main.commit", ""}, {"main.date", "now"}}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if names := likely(append(got, variable{"main.usage", "gone"}), []string{"gone"}); !slices.Equal(names, []string{"main.usage", "main.version", "main.commit", "example.com/m/internal/v.Channel", "main.date"}) {
		t.Errorf("%q", names)
	}
}
