package sbom

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/sizes"
)

var update = flag.Bool("update", false, "write the golden documents anew")

// sample is a release of two programs: one in an archive, of which everything is
// known, and one with C code that was not measured.
func sample() Input {
	digest := func(c string) string { return strings.Repeat(c, 64) }
	m := &checksums.Manifest{
		Kind: checksums.KindRelease, Project: "tool", Version: "1.2.3",
		Source:    checksums.Source{Module: "example.com/Tool/v2", Version: "v2.2.3", Sum: "h1:main", Commit: strings.Repeat("c", 40), CommitTime: "2026-01-02T03:04:05Z"},
		Toolchain: fact.Toolchain{Version: "go1.26.8"}, Builder: checksums.Builder{Name: "mintmark", Version: "v0.0.1"},
		Artifacts: []checksums.Artifact{
			{Name: "tool.tar.gz", Profile: "release", Platform: "linux/amd64", Stage: fact.Archived, Size: 7, SHA256: digest("a"), From: []string{digest("b")}, Published: true, Verdict: fact.Identical},
			{Name: "tool", Profile: "release", Platform: "linux/amd64", Stage: fact.Linked, Size: 9, SHA256: digest("b"), Package: "example.com/Tool/v2", Verdict: fact.Identical},
			{Name: "tool_windows.exe", Profile: "release", Platform: "windows/amd64", Stage: fact.Linked, Size: 8, SHA256: digest("d"), Package: "example.com/Tool/v2", Published: true, Verdict: fact.Identical},
			{Name: "lib.a", Profile: "lib", Platform: "linux/amd64", Stage: fact.Linked, Size: 8, SHA256: digest("e"), Package: "example.com/Tool/v2/lib", Published: true, Verdict: fact.Identical},
			{Name: "lib.h", Profile: "lib", Platform: "linux/amd64", Stage: fact.Header, Size: 8, SHA256: digest("9"), Published: true, Verdict: fact.Identical},
		},
	}
	info := &debug.BuildInfo{
		Main: debug.Module{Path: "example.com/Tool/v2", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "example.com/dep", Version: "v1.0.0+incompatible", Sum: "h1:dep"},
			{Path: "example.com/forked", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v1.0.1", Sum: "h1:fork"}},
			{Path: "example.com/local", Version: "v0.0.0", Replace: &debug.Module{Path: "./local", Version: "(devel)"}},
		},
	}
	smaller := &debug.BuildInfo{Main: info.Main, Deps: info.Deps[:1]}
	measured := &sizes.Summary{Groups: []sizes.Group{
		{Name: sizes.GroupOwn, Modules: []sizes.Module{{Mod: sizes.Mod{Path: "example.com/Tool/v2"}, Size: 10, Packages: make([]sizes.Package, 2)}}},
		{Name: sizes.GroupDependency, Modules: []sizes.Module{
			{Mod: sizes.Mod{Path: "example.com/dep"}, Size: 20, Packages: make([]sizes.Package, 3)},
			{Mod: sizes.Mod{Path: "example.com/forked"}, Size: 30, Packages: make([]sizes.Package, 1)},
		}},
		{Name: sizes.GroupStd, Modules: []sizes.Module{{Mod: sizes.Mod{Path: "std"}, Size: 40, Packages: make([]sizes.Package, 5)}}},
	}}
	return Input{
		Manifest: m,
		Linked: []Linked{
			{Profile: "release", Platform: "linux/amd64", Package: "example.com/Tool/v2", Info: info, Sizes: measured, GoOnly: true},
			{Profile: "release", Platform: "windows/amd64", Package: "example.com/Tool/v2", Info: smaller},
			{Profile: "lib", Platform: "linux/amd64", Package: "example.com/Tool/v2/lib"},
		},
		Required: []Module{
			{Path: "example.com/dep", Version: "v1.0.0+incompatible", Sum: "h1:dep"}, {Path: "example.com/fork", Version: "v1.0.1", Sum: "h1:fork"}, {Path: "example.com/local", Dir: "./local"},
			{Path: "example.com/unlinked", Version: "v0.3.0"},
		},
		Licenses: map[Module][]string{{Path: "example.com/dep", Version: "v1.0.0+incompatible", Sum: "h1:dep"}: {"Apache-2.0", "MIT"}},
		Main:     []string{"MIT"}, Standard: []string{"BSD-3-Clause"},
	}
}

// documents are one of each format of the release, of an archive, and of a program that is
// published by itself.
func documents() []string {
	return []string{
		"sbom.cdx.json", "sbom.spdx.json", "tool.tar.gz.cdx.json", "tool.tar.gz.spdx.json", "tool_windows.exe.cdx.json", "tool_windows.exe.spdx.json",
	}
}

// write makes a document.
func write(t *testing.T, in Input, name string) []byte {
	t.Helper()
	data, err := in.Write(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGolden(t *testing.T) {
	for _, name := range documents() {
		got := write(t, sample(), name)
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not as in testdata (%v):\n%s", name, err, got)
		}
		if strings.Contains(string(got), "(devel)") {
			t.Errorf("%s: a version (devel), which scanners match with anything", name)
		}
	}
}

// That no program has a package of a module is said only where all programs were asked,
// and none of them had nothing to say of its modules.
func TestUnlinked(t *testing.T) {
	unknown, known := sample(), sample()
	known.Manifest.Artifacts = known.Manifest.Artifacts[:3]
	for _, c := range []struct {
		in   Input
		said bool
	}{{unknown, false}, {known, true}} {
		cdx, spdx := write(t, c.in, "sbom.cdx.json"), write(t, c.in, "sbom.spdx.json")
		for _, text := range []string{`"scope": "excluded"`, `"mintmark:packages"`} {
			if strings.Contains(string(cdx), text) != c.said {
				t.Errorf("CycloneDX has %s: %v, want %v", text, !c.said, c.said)
			}
		}
		for _, text := range []string{"no package of it is linked", "OPTIONAL_DEPENDENCY_OF"} {
			if strings.Contains(string(spdx), text) != c.said {
				t.Errorf("SPDX has %s: %v, want %v", text, !c.said, c.said)
			}
		}
	}
}

// A snapshot of a changed tree is no version of its module.
func TestChangedTree(t *testing.T) {
	in := sample()
	in.Manifest.Source.Dirty = []string{"main.go"}
	for _, name := range documents() {
		if strings.Contains(string(write(t, in, name)), "v2.2.3") {
			t.Errorf("%s: it is said to be the tagged version", name)
		}
	}
}

// What is listed twice, or depends on what is not there, cannot be read by machines.
func TestRefs(t *testing.T) {
	for _, name := range documents() {
		if !strings.HasSuffix(name, ".cdx.json") {
			continue
		}
		doc := cyclone(t, sample(), name)
		seen := map[string]bool{doc.Metadata.Component.Ref: true}
		for _, c := range doc.Components {
			if seen[c.Ref] {
				t.Errorf("%s: %s is there twice", name, c.Ref)
			}
			seen[c.Ref] = true
		}
		for _, d := range doc.Dependencies {
			for _, ref := range append(d.DependsOn, d.Ref) {
				if !seen[ref] {
					t.Errorf("%s: %s depends on %s, which is not there", name, d.Ref, ref)
				}
			}
		}
		for _, c := range doc.Compositions {
			for _, ref := range c.Dependencies {
				if !seen[ref] {
					t.Errorf("%s: all of %s is there, and it is not", name, ref)
				}
			}
		}
	}
	const archive, program = "file:release:linux/amd64:archive:tool.tar.gz", "file:release:linux/amd64:linked:tool"
	doc := cyclone(t, sample(), "sbom.cdx.json")
	if !slices.ContainsFunc(doc.Dependencies, func(d cdxDependency) bool { return d.Ref == archive && slices.Contains(d.DependsOn, program) }) {
		t.Errorf("nothing says that %s is in %s", program, archive)
	}
}

func cyclone(t *testing.T, in Input, name string) (doc cdxDocument) {
	t.Helper()
	if err := json.Unmarshal(write(t, in, name), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// A file's own bill has that file at its root, and of the release nothing that the file is
// not made of.
func TestOfFile(t *testing.T) {
	windows := cyclone(t, sample(), "tool_windows.exe.cdx.json")
	root := windows.Metadata.Component
	if root.Name != "tool_windows.exe" || root.Type != "application" || root.Version != "1.2.3" || root.Hashes[0].Content != strings.Repeat("d", 64) {
		t.Errorf("it is about %+v", root)
	}
	scopes := map[string]string{}
	for _, c := range windows.Components {
		scopes[c.Name] = c.Scope
		for _, p := range c.Properties {
			if strings.HasPrefix(p.Name, "mintmark:bytes:") && !strings.HasSuffix(p.Name, root.Ref) {
				t.Errorf("%s: has %s of another file", c.Name, p.Name)
			}
		}
	}
	// Of all programs of the release one has the fork; this one does not.
	want := map[string]string{
		"example.com/Tool/v2": "required", "example.com/dep": "required", "example.com/fork": "excluded", "example.com/local": "excluded",
		"example.com/unlinked": "excluded", "stdlib": "required",
	}
	if !maps.Equal(scopes, want) {
		t.Errorf("%v, want %v", scopes, want)
	}
	for _, name := range []string{"lib.h.cdx.json", "tool.cdx.json", "other.spdx.json", "tool.json"} {
		in := sample()
		if _, err := in.Write(name); err == nil {
			t.Errorf("%s: there is a bill of what is not published, or is no program", name)
		}
	}
	m := sample().Manifest
	if list := Programs(m, "tool.tar.gz"); len(list) != 1 || list[0].Name != "tool" {
		t.Errorf("programs of an archive: %v", list)
	}
	if n := len(Programs(m, "")); n != 3 {
		t.Errorf("%d programs of the release", n)
	}
}

func TestRelationships(t *testing.T) {
	for _, name := range documents() {
		if !strings.HasSuffix(name, ".spdx.json") {
			continue
		}
		var doc spdxDocument
		if err := json.Unmarshal(write(t, sample(), name), &doc); err != nil {
			t.Fatal(err)
		}
		names := map[string]string{doc.ID: ""}
		for _, p := range doc.Packages {
			if _, twice := names[p.ID]; twice || !regexp.MustCompile(`^SPDXRef-[a-zA-Z0-9.-]+$`).MatchString(p.ID) {
				t.Errorf("%s: %q is no identifier, or is there twice", name, p.ID)
			}
			names[p.ID] = p.Name
		}
		for _, r := range doc.Relationships {
			_, from := names[r.From]
			_, to := names[r.To]
			if !from || !to {
				t.Errorf("%s: %q %s %q: one of them is not there", name, r.From, r.Type, r.To)
			}
		}
		of := strings.TrimSuffix(name, ".spdx.json")
		if of == "sbom" {
			of = "example.com/Tool/v2"
		}
		if r := doc.Relationships[0]; r.Type != "DESCRIBES" || names[r.To] != of {
			t.Errorf("%s: describes %s", name, names[r.To])
		}
	}
}

// The serial number is of the content: version 5, and another one for other content.
func TestSerial(t *testing.T) {
	serial := func(in Input) string { return cyclone(t, in, "sbom.cdx.json").Serial }
	first := serial(sample())
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(first) {
		t.Errorf("%s is no name-based UUID", first)
	}
	other := sample()
	other.Manifest.Artifacts[1].SHA256 = strings.Repeat("f", 64)
	if serial(other) == first || serial(sample()) != first {
		t.Error("the serial number does not follow the content")
	}
}

// The standard's own validator accepts what is written, and refuses what is wrong.
func TestSchema(t *testing.T) {
	if testing.Short() {
		t.Skip("installs a validator; not with -short")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("NOT VALIDATED: no npm")
	}
	if exec.Command("node", "-e", "process.exit(+process.versions.node.split('.')[0] < 20 ? 1 : 0)").Run() != nil {
		t.Skip("NOT VALIDATED: the validator needs node 20")
	}
	dir := t.TempDir()
	install := exec.Command(npm, "install", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "@cyclonedx/cyclonedx-library@10.3.0", "ajv@8", "ajv-formats", "ajv-formats-draft2019")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("NOT VALIDATED: npm install: %v\n%s", err, out)
	}
	const program = `const {Validation: {JsonStrictValidator}, Spec: {Version}} = require('@cyclonedx/cyclonedx-library');
new JsonStrictValidator(Version.v1dot6).validate(require('fs').readFileSync(process.argv[1], 'utf8')).then(e => {
  if (e !== null) { console.log(JSON.stringify(e)); process.exit(1) }
}, e => { console.log(e); process.exit(2) });`
	data := write(t, sample(), "sbom.cdx.json")
	for _, c := range []struct {
		name string
		data []byte
		want int
	}{
		{"right", data, 0},
		{"of an archive", write(t, sample(), "tool.tar.gz.cdx.json"), 0},
		{"of a program", write(t, sample(), "tool_windows.exe.cdx.json"), 0},
		{"wrong", bytes.Replace(data, []byte(`"scope": "required"`), []byte(`"scope": "sometimes"`), 1), 1},
	} {
		name := filepath.Join(dir, c.name+".json")
		if err := os.WriteFile(name, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("node", "-e", program, name)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != c.want {
			t.Errorf("%s: exit code %d, want %d\n%s", c.name, code, c.want, out)
		}
	}
}

// TestUniversal: a universal binary is of the programs for other platforms that are in it.
func TestUniversal(t *testing.T) {
	in := sample()
	program := func(platform, digest string) checksums.Artifact {
		return checksums.Artifact{Name: "tool", Profile: "release", Platform: platform, Stage: fact.Linked, SHA256: strings.Repeat(digest, 64), Verdict: fact.Identical}
	}
	amd, arm := program("darwin/amd64", "6"), program("darwin/arm64", "7")
	all := program("darwin/all", "8")
	all.Stage, all.From = fact.Universal, []string{amd.SHA256, arm.SHA256}
	in.Manifest.Artifacts = append(in.Manifest.Artifacts, all, amd, arm)
	b, err := in.compose("")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(b.files, func(f file) bool { return f.Stage == fact.Universal })
	if want := []string{fileRef(&amd), fileRef(&arm)}; !slices.Equal(b.files[i].from, want) {
		t.Errorf("%q, want %q", b.files[i].from, want)
	}
	if c := b.files[i].cdx(); c.Type != "application" {
		t.Errorf("it is no %s", c.Type)
	}
}
