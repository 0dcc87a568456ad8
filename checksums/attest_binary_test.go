package checksums

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

func TestBinaryRebuild(t *testing.T) {
	good := BinaryRebuild{
		Name: "tool", SHA256: someManifest, Package: "example.com/tool", Platform: "linux/amd64",
		Command: []string{"build", "-trimpath", "-ldflags=-s -w"}, Env: []string{"GOOS=linux", "GOARCH=amd64"}, Stamp: "replayed",
		Source:    Source{Module: "example.com/Tool", Version: "v1.2.3", Sum: h1A, SumDB: true, Commit: commit('a')},
		Toolchain: testManifest().Toolchain, Builder: Builder{Name: "mintmark", Version: "1"},
	}
	data, err := good.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var s binaryStatement
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	d := s.Predicate.BuildDefinition
	if s.Subject[0].Digest["sha256"] != someManifest || d.BuildType != BinaryRebuildType || !slices.Equal(d.ExternalParameters.Command, good.Command) ||
		d.ResolvedDependencies[0].Digest["gitCommit"] != good.Source.Commit || d.ResolvedDependencies[1].Annotations["h1"] != h1B {
		t.Errorf("%s", data)
	}
	// Whoever reads no more than what it was built with sees that it was not the release.
	modified := good
	modified.Modified = &fact.Modification{Patch: someManifest, Files: []string{"src/x.go"}, Recipe: &fact.ToolchainRecipe{Name: "r"}}
	if data, err = modified.Encode(); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	d = s.Predicate.BuildDefinition
	if m := d.ExternalParameters.Modified; m == nil || m.Patch != someManifest || m.Recipe.Name != "r" ||
		d.ResolvedDependencies[1].Annotations["modified"] != "sha256:"+someManifest || d.ResolvedDependencies[2].Digest["sha256"] != someManifest {
		t.Errorf("%s", data)
	}
	// It can be taken neither for a record nor for the rebuild of a release.
	for _, parse := range []func([]byte) (*Statement, error){ParseStatement, parseRebuildStatement} {
		if _, err := parse(data); err == nil || !strings.Contains(err.Error(), "build type") {
			t.Errorf("%v", err)
		}
	}
	for name, change := range map[string]func(*BinaryRebuild){
		"digest":    func(b *BinaryRebuild) { b.SHA256 = "x" },
		"source":    func(b *BinaryRebuild) { b.Source.Sum = "h1:x" },
		"no source": func(b *BinaryRebuild) { b.Source.Sum, b.Source.Commit = "", "" },
		"patch":     func(b *BinaryRebuild) { b.Modified = &fact.Modification{Patch: "x"} },
		"toolchain": func(b *BinaryRebuild) { b.Toolchain.Sum = "" },
	} {
		b := good
		change(&b)
		if _, err := b.Encode(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
