package sbom

import (
	"bytes"
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
