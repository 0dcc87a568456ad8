package source_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestEmbedIgnores: which patterns of .gitignore match what go:embed would take.
func TestEmbedIgnores(t *testing.T) {
	t.Parallel()
	const embed = "package main\n\nimport \"embed\"\n\n//go:embed %s\nvar files embed.FS\n\nfunc main() {}\n"
	for _, c := range []struct{ name, embed, ignore, want string }{
		{"an ending, anywhere", "runtime", "*.hdr\n", ".gitignore:1 *.hdr runtime/x.hdr, .gitignore:1 *.hdr runtime/syntax/x.hdr"},
		{"below the directory", "runtime", "# made\n/runtime/syntax/*.hdr\n", ".gitignore:2 /runtime/syntax/*.hdr runtime/syntax/x.hdr aimed"},
		{"a directory of its own", "runtime", "/runtime/made/\n", ".gitignore:1 /runtime/made/ runtime/made/x aimed"},
		{"a wildcard for the directory", "runtime", "/runtime/*/x[a-z]?.json \n", ".gitignore:1 /runtime/*/x[a-z]?.json runtime/x/xax.json aimed, .gitignore:1 /runtime/*/x[a-z]?.json runtime/syntax/xax.json aimed"},
		{"any directory", "runtime", "**/made/*.json\n", ".gitignore:1 **/made/*.json runtime/made/x.json, .gitignore:1 **/made/*.json runtime/syntax/made/x.json"},
		{"a file of the directory", "runtime", "/runtime/index.json\n", ".gitignore:1 /runtime/index.json runtime/index.json aimed"},
		{"brought back", "runtime", "*.hdr\n!*.hdr\n", ""},
		{"brought back in one place", "runtime", "*.hdr\n!/runtime/syntax/*.hdr\n", ".gitignore:1 *.hdr runtime/x.hdr"},
		{"elsewhere", "runtime", "/other/*.hdr\n/syntax/*.hdr\n", ""},
		{"what go:embed leaves out", "runtime", ".*.hdr\n_*.hdr\n", ""},
		{"what all: takes", "all:runtime", ".*.hdr\n", ".gitignore:1 .*.hdr runtime/.x.hdr, .gitignore:1 .*.hdr runtime/syntax/.x.hdr"},
		{"another ending", "runtime/*.txt", "*.hdr\n", ""},
		{"the ending", "runtime/*.txt", "*.txt\n", ".gitignore:1 *.txt runtime/x.txt"},
		{"a committed file", "runtime/a.txt", "a.txt\n", ""},
		{"comments and escapes", "runtime", "#*.hdr\n\\#*.hdr\n\n", ".gitignore:2 \\#*.hdr runtime/#x.hdr, .gitignore:2 \\#*.hdr runtime/syntax/#x.hdr"},
	} {
		r := newRepo(t).module("", "example.com/x")
		r.write("main.go", fmt.Sprintf(embed, c.embed)).write("runtime/a.txt", "a").write("runtime/syntax/go.yaml", "a").write(".gitignore", c.ignore)
		r.git("add", "-f", "runtime")
		r.commit()
		found, err := r.mustOpen("").EmbedIgnores(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var got []string
		for _, e := range found {
			line := fmt.Sprintf("%s:%d %s %s", e.File, e.Line, e.Pattern, e.Name)
			if e.Aimed {
				line += " aimed"
			}
			if e.By != "main.go" {
				t.Errorf("%s: by %s", c.name, e.By)
			}
			got = append(got, line)
		}
		want := strings.Split(c.want, ", ")
		slices.Sort(got)
		slices.Sort(want)
		if g, w := strings.Join(got, ", "), strings.Join(want, ", "); g != w {
			t.Errorf("%s: %q ignored, %q embedded:\n got %s\nwant %s", c.name, c.ignore, c.embed, g, w)
		}
	}
}

// TestEmbedIgnoresPlaces: a .gitignore counts for its directory, the user's own do not
// count, and a link is no directory.
func TestEmbedIgnoresPlaces(t *testing.T) {
	t.Parallel()
	r := newRepo(t).module("", "example.com/x")
	r.write("main.go", "package main\n\nimport \"embed\"\n\n//go:embed web\nvar files embed.FS\n\nfunc main() {}\n")
	r.write("web/a.txt", "a").write("web/.gitignore", "*.json\n").write("other/.gitignore", "*.hdr\n").commit()
	r.write(".git/info/exclude", "*.css\n")
	found, err := r.mustOpen("").EmbedIgnores(t.Context())
	if err != nil || len(found) != 1 || found[0].File != "web/.gitignore" || found[0].Name != "web/x.json" || !found[0].Aimed {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestNamesEnding: texts of Go code count, also of code that no build has; what only
// looks like the ending does not.
func TestNamesEnding(t *testing.T) {
	t.Parallel()
	r := newRepo(t).module("", "example.com/x").write("main.go", program)
	r.write("made/make.go", "//go:build ignore\n\npackage main\n\nconst out = \"syntax/\" + `go.hdr`\n")
	r.write("a.go", "package main\n\n// as x.css\nvar t struct{ txt, hdrs int }\nvar u, v = t.txt, \"a.jsonl\"\n")
	r.write("a_test.go", "package main\n\nconst w = \"a.png\"\n").write("sub/go.mod", "module example.com/x/sub\n").write("sub/s.go", "package sub\n\nconst x = \".svg\"\n").commit()
	s := r.mustOpen("")
	for ext, want := range map[string]bool{".hdr": true, ".css": false, ".txt": false, ".json": false, ".png": false, ".svg": false} {
		if got, err := s.NamesEnding(t.Context(), ext); got != want || err != nil {
			t.Errorf("%s: %v, %v", ext, got, err)
		}
	}
}
