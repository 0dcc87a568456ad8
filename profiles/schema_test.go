package profiles

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// TestSchema keeps docs/mintmark.schema.json what the key table says.
func TestSchema(t *testing.T) {
	var schema struct {
		Properties map[string]any
		Defs       struct {
			Profile struct{ Properties map[string]any }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(profileSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	for _, k := range topKeys() {
		if schema.Properties[k.name] == nil {
			t.Errorf("no %s", k.name)
		}
	}
	for _, k := range append(settingKeys(), structureKeys()...) {
		if schema.Defs.Profile.Properties[k.name] == nil {
			t.Errorf("no %s in a profile", k.name)
		}
	}
	golden(t, "../docs/mintmark.schema.json", string(profileSchema()))
}

// TestReference: docs/profiles.md has every key, variable and function, and
// what it says about defaults is true.
func TestReference(t *testing.T) {
	data, err := os.ReadFile("../docs/profiles.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(data)
	want := func(what, s string) {
		if !strings.Contains(doc, "`"+s+"`") {
			t.Errorf("docs/profiles.md lacks the %s `%s`", what, s)
		}
	}
	all := append(append(topKeys(), leafKeys()...), structureKeys()...)
	for _, k := range all {
		want("key", k.name)
		for _, sub := range k.sub {
			want("key", sub.name)
		}
		for _, e := range k.enum {
			want("value", e)
		}
		if k.def != "" && k.def != "0" {
			want("default", k.def)
		}
	}
	for _, name := range varNames {
		want("variable", "."+name)
	}
	for name, f := range templateFuncs() {
		want("function "+name, f.usage)
	}
	for _, a := range archVariants {
		if a.variable != "" {
			want("variable", a.variable)
		}
	}
	for _, name := range fact.AboutFiles() {
		want("reserved name", name)
	}
	if !strings.Contains(doc, "A key set in a child replaces the parent's value; only the maps `env` and `ldflags.set` merge by key; overrides apply last, in order.") {
		t.Error("docs/profiles.md lacks the merge rule")
	}
}

// TestReferenceExamples loads every YAML example of the reference that is a
// whole file.
func TestReferenceExamples(t *testing.T) {
	data, err := os.ReadFile("../docs/profiles.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for i, part := range strings.Split(string(data), "```yaml\n") {
		text, _, ok := strings.Cut(part, "```")
		if i == 0 || !ok || !strings.Contains(text, "version: 1") {
			continue
		}
		count++
		if f, err := Load("example.yaml", []byte(text)); err != nil {
			t.Errorf("example %d: %v", i, err)
		} else if w := f.Warnings(); len(w) > 0 {
			t.Errorf("example %d: %v", i, w)
		}
	}
	if count == 0 {
		t.Error("no examples")
	}
}
