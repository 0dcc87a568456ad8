package sbom

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Differences are named by the component, whatever else has moved with them.
func TestDifferences(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		want           []string
	}{
		{"sbom.cdx.json", `"version": "go1.26.8"`, `"version": "go1.26.7"`, []string{`pkg:golang/stdlib@1.26.8: version is "go1.26.7", here "go1.26.8"`}},
		{"sbom.cdx.json", `"scope": "required"`, `"scope": "excluded"`, []string{`pkg:golang/example.com/dep@v1.0.0%2Bincompatible: scope is "excluded", here "required"`}},
		{"sbom.cdx.json", `"name": "mintmark:bytes:file:release:linux/amd64:linked:tool",
          "value": "20"`, `"name": "mintmark:bytes:file:release:linux/amd64:linked:tool",
          "value": "21"`, []string{`pkg:golang/example.com/dep@v1.0.0%2Bincompatible: property mintmark:bytes:file:release:linux/amd64:linked:tool is "21", here "20"`}},
		{"sbom.cdx.json", `        "file:release:linux/amd64:linked:tool"
`, `        "file:release:linux/amd64:linked:other"
`, []string{
			"file:release:linux/amd64:archive:tool.tar.gz: dependsOn file:release:linux/amd64:linked:other is in the published document alone",
			"file:release:linux/amd64:archive:tool.tar.gz: dependsOn file:release:linux/amd64:linked:tool is not in the published document",
		}},
		{"sbom.cdx.json", `"bom-ref": "pkg:golang/example.com/unlinked@v0.3.0"`, `"bom-ref": "pkg:golang/example.com/x@v0.3.0"`, []string{
			"pkg:golang/example.com/unlinked@v0.3.0: is not in the published document", "pkg:golang/example.com/x@v0.3.0: is in the published document alone",
		}},
		{"sbom.cdx.json", "  \"version\": 1,\n", "  \"version\": 1, ", []string{"it says the same, in other bytes"}},
		{"sbom.cdx.json", "urn:uuid:", "urn:uuid:0", []string{`its serial number is "urn:uuid:0`}},
		{"sbom.cdx.json", "{", "", []string{"the published document cannot be read: "}},
		{"sbom.cdx.json", `"name": "stdlib"`, `"name": "std\u001blib"`, []string{`pkg:golang/stdlib@1.26.8: name is "std\u001blib", here "stdlib"`}},
		{"sbom.spdx.json", `"licenseDeclared": "Apache-2.0 AND MIT"`, `"licenseDeclared": "MIT"`, []string{`pkg:golang/example.com/dep@v1.0.0%2Bincompatible: licenseDeclared is "MIT", here "Apache-2.0 AND MIT"`}},
	} {
		in := sample()
		made := write(t, in, c.name)
		published := bytes.Replace(made, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(made, published) {
			t.Errorf("%s has no %s", c.name, c.old)
			continue
		}
		got := Differences(published, made)
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s, %s: %q, want %q", c.name, c.new, got, c.want)
		}
	}
	if got := Differences(write(t, sample(), "tool.tar.gz.cdx.json"), write(t, sample(), "sbom.cdx.json")); len(got) < 3 || len(got) > maxDifferences+1 {
		t.Errorf("%q", got)
	}
}

// TestDifferencesHostile: what somebody publishes to harm who compares it takes little
// memory, and what it says twice, or where nothing is written here, is no form of the same.
func TestDifferencesHostile(t *testing.T) {
	made := write(t, sample(), "sbom.cdx.json")
	spdx := write(t, sample(), "sbom.spdx.json")
	insert := func(in []byte, before, what string) string {
		if !bytes.Contains(in, []byte(before)) {
			t.Fatalf("there is no %s", before)
		}
		return string(bytes.Replace(in, []byte(before), []byte(what+before), 1))
	}
	long := strings.Repeat("k", 1<<20)
	many := func(s string) string { return "[" + strings.TrimSuffix(strings.Repeat(s+",", 2000), ",") + "]" }
	for name, c := range map[string]struct {
		made      []byte
		published string
		want      string
	}{
		"a long name of many values":    {made, `{"` + long + `":` + many(`1`) + `}`, "is not in the published document"},
		"a long name of a component":    {made, `{"bom-ref":"` + long + `","a":` + many(`{"b":1}`) + `}`, "is not in the published document"},
		"a long name in a bill of SPDX": {spdx, `{"packages":[{"SPDXID":"a","name":"` + long + `","a":` + many(`{"b":1}`) + `}]}`, "is not in the published document"},
		"a long aggregate":              {made, `{"compositions":[{"aggregate":["` + long + `"],"dependencies":` + many(`"a"`) + `}]}`, "is not in the published document"},
		"many values":                   {made, `{"a":[` + strings.Repeat("[],", 1<<20) + `1]}`, "it has many times the values"},
		"deep":                          {made, strings.Repeat(`{"a":`, 1<<16) + "1" + strings.Repeat("}", 1<<16), "it is nested deeper"},
		"nothing":                       {made, `[]`, "it is no object"},
		"a second document":             {made, string(made) + "{}", "there is something behind it"},
		"said twice":                    {made, insert(made, `"components": [`, `"components": [], `), "components, again at byte "},
		"more of a property":            {made, insert(made, `"name": "mintmark:project"`, `"evil": 1, `), "evil is 1"},
		"more of a composition":         {made, insert(made, `"aggregate": "`, `"evil": 1, `), "evil is 1"},
		"more of a relationship":        {spdx, insert(spdx, `"relationshipType": "`, `"comment": "evil", `), `comment is "evil"`},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := Differences([]byte(c.published), c.made)
		runtime.ReadMemStats(&after)
		if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, c.want) }) {
			t.Errorf("%s: %q, want %s", name, got, c.want)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 200<<20 {
			t.Errorf("%s: took %d bytes of memory", name, took)
		}
	}
}

// FuzzDifferences: whatever a stranger publishes is told from what was made here, or is
// the same.
func FuzzDifferences(f *testing.F) {
	in := sample()
	made, err := in.Write("sbom.cdx.json")
	if err != nil {
		f.Fatal(err)
	}
	spdx, err := in.Write("sbom.spdx.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(made)
	f.Add(spdx)
	f.Add([]byte(`{"components":[{"bom-ref":"a","bom-ref":"b"},{"ref":1}],"relationships":[{"spdxElementId":[]}],"compositions":[{"aggregate":{}}]}`))
	f.Fuzz(func(t *testing.T, published []byte) {
		lines := Differences(published, made)
		if len(lines) == 0 || len(lines) > maxDifferences+1 {
			t.Errorf("%d lines", len(lines))
		}
		if again := Differences(published, made); !slices.Equal(lines, again) {
			t.Errorf("%q, then %q", lines, again)
		}
	})
}
