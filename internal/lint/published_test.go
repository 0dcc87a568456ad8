package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/run"
)

// TestUploads: names that a forge would change are known before anything is built.
func TestUploads(t *testing.T) {
	l := &Linted{cautions: fetch.Cautions{Run: &run.Run{Config: &run.Config{}}}, Published: &Published{Units: []string{"tool_1.0.0_linux_amd64.tar.gz", "tool 1.0.0.zip"}, List: fact.DefaultList()}}
	l.uploads()
	if got := l.cautions.List(); len(got) != 1 || !strings.Contains(got[0], `"tool 1.0.0.zip" has the character ' '`) {
		t.Errorf("%q", got)
	}
}

// TestTargets: where a release is published is read of the profile file, in its order, and
// everything that is no target is said with its place.
func TestTargets(t *testing.T) {
	name := filepath.Join(t.TempDir(), "mintmark.yaml")
	for _, tt := range []struct{ text, want string }{
		{"github:acme/tool", "github:acme/tool"},
		{"[github:acme/tool, dir:out]", "github:acme/tool dir:out"},
		{"\"oci:\"", "mintmark.yaml:4:10: publish: \"oci:\" is for container images, and there are none"},
		{"[acme/tool, gitea:acme/tool]", "mintmark.yaml:4:11: publish: target \"acme/tool\": does not begin with the kind of the place\nmintmark.yaml:4:22: publish: target \"gitea:acme/tool\": gitea has no host of its own"},
		{"[dir:a, dir:a]", "mintmark.yaml:4:18: publish: dir:a is there twice"},
		{"[]", "publish says nothing"},
		{"{to: dir:a}", "publish wants one text or a list, not a map"},
	} {
		text := "version: 1\nproject: tool\nprofiles: {release: {platforms: [linux/amd64]}}\npublish: " + tt.text + "\n"
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		list, err := Targets(name)
		got := strings.Join(list, " ")
		if err != nil {
			got = ""
			for _, e := range fault.Leaves(err) {
				first, _, _ := strings.Cut(e.Error(), "\n")
				got += strings.TrimPrefix(first, filepath.Dir(name)+string(filepath.Separator)) + "\n"
			}
		}
		if err == nil && got != tt.want || err != nil && !says(got, tt.want) {
			t.Errorf("%s: got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// says reports whether each line of want is in a line of got.
func says(got, want string) bool {
	for line := range strings.Lines(want) {
		if !strings.Contains(got, strings.TrimSpace(line)) {
			return false
		}
	}
	return true
}
