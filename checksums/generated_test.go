package checksums

import (
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// generatedManifest is testManifest with commands and what they made.
func generatedManifest() *Manifest {
	m := testManifest()
	sum := files.DigestBytes([]byte("x"))
	m.setPlan(strings.Replace(hostilePlan, `"units": [`, `"generate": [`+
		`{"command": ["protoc"], "outputs": ["**/*.pb.go"], "fetch": [{"url": "https://example.com/a.proto", "sha256": "`+sum+`", "path": "a.proto"}]},`+
		`{"command": ["go", "tool", "stringer"], "outputs": ["*_string.go", "out/**"]}], "units": [`, 1))
	m.Generated = &fact.Generated{
		Executions: 2, Verdict: fact.Identical, Varied: []string{"directory"},
		Tools: []fact.GeneratorTool{
			{Command: 1, Name: "protoc", Path: "/usr/bin/protoc", SHA256: sum},
			{Command: 2, Name: "go", Inputs: sum},
			{Command: 2, Name: "example.com/stringer", Module: "example.com/stringer@v1.0.0", Sum: h1B},
		},
		Files: []fact.GeneratedFile{
			{Name: "api/a.pb.go", Size: 1, SHA256: sum, Mode: "0644", Command: 1},
			{Name: "out/deep/x", Size: 1, SHA256: sum, Mode: "0755", Command: 2},
		},
	}
	return m
}

func TestGenerated(t *testing.T) {
	m := generatedManifest()
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseManifest(data)
	if err != nil || len(again.Generated.Files) != 2 || again.Generated.Tools[0].Path != "/usr/bin/protoc" {
		t.Fatalf("%+v, %v", again, err)
	}
	st, err := NewStatement(m, listOf(m))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Resource{}
	for _, r := range st.Predicate.BuildDefinition.ResolvedDependencies {
		got[r.Name] = r
	}
	if r := got["generate/1/fetch/a.proto"]; r.URI != "https://example.com/a.proto" || r.Digest["sha256"] == "" {
		t.Errorf("what was fetched: %+v", r)
	}
	if r := got["generate/1/protoc"]; r.Annotations["path"] != "/usr/bin/protoc" || r.Digest["sha256"] == "" {
		t.Errorf("a program: %+v", r)
	}
	if r := got["generate/2/example.com/stringer"]; r.URI != "pkg:golang/example.com/stringer@v1.0.0" || r.Annotations["h1"] != h1B {
		t.Errorf("a program of another module: %+v", r)
	}
	if len(got) != 5 { // source, toolchain, and these
		t.Errorf("%d dependencies: %+v", len(got), got)
	}
}

// listOf is a list of files that has the published ones.
func listOf(m *Manifest) (list []Entry) {
	for _, a := range m.Published() {
		list = append(list, Entry{Name: a.Name, SHA256: a.SHA256})
	}
	return list
}

// TestGeneratedRefused: what a manifest says of generated files belongs to its plan.
func TestGeneratedRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(m *Manifest)
		want   string
	}{
		{"left out", func(m *Manifest) { m.Generated = nil }, "generated: is missing, and the plan has commands"},
		{"no commands", func(m *Manifest) { m.setPlan(hostilePlan) }, "the plan has no command that generates files"},
		{"no output", func(m *Manifest) { m.Generated.Files[0].Name = "api/a.go" }, "is no output of command 1"},
		{"of another command", func(m *Manifest) { m.Generated.Files[0].Command = 2 }, "api/a.pb.go: is no output of command 2"},
		{"of no command", func(m *Manifest) { m.Generated.Files[0].Command = 3 }, "is of command 3, and the plan has 2"},
		{"outside", func(m *Manifest) { m.Generated.Files[1].Name = "out/../../x" }, "is not a clean relative path"},
		{"of git", func(m *Manifest) { m.Generated.Files[1].Name = "out/.GIT/config" }, "git's directory is not part of the source"},
		{"of the module", func(m *Manifest) { m.Generated.Files[1].Name = "out/go.sum" }, "which modules are built with"},
		{"digest", func(m *Manifest) { m.Generated.Files[1].SHA256 = "00" }, "generated file out/deep/x"},
		{"mode", func(m *Manifest) { m.Generated.Files[1].Mode = "4755" }, `is "4755"`},
		{"order", func(m *Manifest) {
			m.Generated.Files[0], m.Generated.Files[1] = m.Generated.Files[1], m.Generated.Files[0]
		}, "is not in the order of the names"},
		{"twice", func(m *Manifest) { m.Generated.Files = append(m.Generated.Files, m.Generated.Files[1]) }, "is there twice"},
		{"once", func(m *Manifest) { m.Generated.Executions = 1 }, "identical after 1 execution"},
		{"unchecked", func(m *Manifest) { m.Generated.Verdict, m.Generated.Reason = fact.Unchecked, "why" }, "a release has only what came out identical"},
		{"no program", func(m *Manifest) { m.Generated.Tools = m.Generated.Tools[1:] }, "no program is named for command 1"},
		{"text", func(m *Manifest) { m.Generated.Tools[0].Path = "/bin/\x1b[2J" }, "does not print"},
		{"said of itself as of a rebuild", func(m *Manifest) { m.Rebuild.Generation = fact.GenerationTaken }, "is said by generated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := generatedManifest()
			c.change(m)
			if err := m.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nlacks %s", err, c.want)
			}
		})
	}
}

// TestGeneratedStatement: a rebuilder says how he came by generated files, and of a
// release without any nothing.
func TestGeneratedStatement(t *testing.T) {
	for _, c := range []struct {
		m   *Manifest
		how fact.Generation
		ok  bool
	}{
		{generatedManifest(), fact.GenerationTaken, true}, {generatedManifest(), fact.GenerationExecuted, true}, {generatedManifest(), "", false},
		{generatedManifest(), "guessed", false}, {testManifest(), fact.GenerationTaken, false}, {testManifest(), "", true},
	} {
		st, err := NewRebuildStatement(c.m, someManifest, c.m.Toolchain, c.m.Builder, rebuiltAll(c.m), Rebuild{Executions: 1, Generation: c.how})
		if (err == nil) != c.ok {
			t.Errorf("%q, generated %t: %v", c.how, c.m.Generated != nil, err)
		}
		if err == nil && st.Predicate.BuildDefinition.InternalParameters.Rebuild.Generation != c.how {
			t.Errorf("the statement says %q", st.Predicate.BuildDefinition.InternalParameters.Rebuild.Generation)
		}
	}
}
