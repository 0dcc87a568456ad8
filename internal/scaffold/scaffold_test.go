package scaffold

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v4"

	"github.com/mintmark/mintmark/profiles"
)

// repo writes files into a directory with a .git.
func repo(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(text)).Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, ".git", "refs", "tags"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func propose(t *testing.T, cfg Config) *Proposal {
	t.Helper()
	cfg.Host = profiles.Platform{OS: "linux", Arch: "amd64"}
	p, err := Propose(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := profiles.Load(ProfileFile, []byte(p.Files[0].Text)); err != nil {
		t.Fatalf("%v\n%s", err, p.Files[0].Text)
	}
	return p
}

const tool = "-- go.mod --\nmodule example.com/tool\n\ngo 1.26.0\n-- main.go --\npackage main\n"

// TestTags: the next tag and the key `tag` follow from the tags that are there.
func TestTags(t *testing.T) {
	for _, c := range []struct {
		module, tags, next, key string
	}{
		{"example.com/tool", "", "v1.0.0", ""},
		{"example.com/tool/v3", "", "v3.0.0", ""},
		{"example.com/tool", "v1.2.3 v1.10.0 nightly", "v1.10.1", ""},
		{"example.com/tool", "v1.0.0-rc.1", "v1.0.0", ""},
		{"example.com/tool", "2.0.45 2.0.46", "2.0.47", "{{.Version}}"},
		{"example.com/tool", "v2.1.2", "v2.1.3", "v{{.Version}}"},
		{"example.com/tool", "release-1.4.0 release-1.5.0 old-1.0", "release-1.5.1", "release-{{.Version}}"},
		{"example.com/tool", "2026.11.3", "2026.11.4", "{{.Version}}"},
		{"example.com/tool", "1.0 v1.0.0", "v1.0.1", ""},
		// Of other modules of the repository.
		{"example.com/tool", "lib/v0.9.0 lib/v0.9.1", "v1.0.0", ""},
		{"example.com/tool", "old/v2.1.0", "v1.0.0", ""},
		{"example.com/tool", "rel/v1.5.0", "rel/v1.5.1", "rel/v{{.Version}}"},
	} {
		dir := repo(t, strings.Replace(tool, "example.com/tool", c.module, 1)+"-- lib/go.mod --\nmodule example.com/lib\n-- old/v2/go.mod --\nmodule example.com/old/v2\n")
		packed := "# pack-refs with: peeled fully-peeled sorted\n"
		for i, tag := range strings.Fields(c.tags) {
			if i == 0 {
				name := filepath.Join(dir, ".git", "refs", "tags", filepath.FromSlash(tag))
				if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte("0123\n"), 0o644)); err != nil {
					t.Fatal(err)
				}
				continue
			}
			packed += "0123456789012345678901234567890123456789 refs/tags/" + tag + "\n^0123456789012345678901234567890123456789\n"
		}
		if err := os.WriteFile(filepath.Join(dir, ".git", "packed-refs"), []byte(packed), 0o644); err != nil {
			t.Fatal(err)
		}
		p := propose(t, Config{Dir: dir})
		if p.Tag != c.next || p.tagKey() != c.key {
			t.Errorf("%s: %q: %s, tag: %s; want %s, %s", c.module, c.tags, p.Tag, p.tagKey(), c.next, c.key)
		}
		if written := strings.Contains(p.Files[0].Text, "\ntag: "); written != (c.key != "" && slices.Contains(profiles.Keys(), "tag")) {
			t.Errorf("%q:\n%s", c.tags, p.Files[0].Text)
		}
	}
}

// TestPrograms: what is released of a module, and what is left aside.
func TestPrograms(t *testing.T) {
	for _, c := range []struct{ name, files, want, aside string }{
		{"top and cmd", tool + "-- cmd/b/main.go --\npackage main\n-- tools/gen/main.go --\npackage main\n", "main: [./, ./cmd/b]", "tools/gen"},
		{"a generator that no build has", tool + "-- gen.go --\n//go:build ignore\n\npackage main\n", "main: ./\n", ""},
		{"deep", "-- go.mod --\nmodule example.com/tool\n\ngo 1.26.0\n-- app/server/main.go --\npackage main\n-- examples/x/main.go --\npackage main\n", "main: ./app/server", "not released, since they look like tools or examples: examples/x"},
		{"only examples", "-- go.mod --\nmodule example.com/tool\n\ngo 1.26.0\n-- examples/x/main.go --\npackage main\n", "main: ./examples/x", "released, though they look like tools or examples, since there is no other program: examples/x"},
		{"beside cmd", tool + "-- cmd/b/main.go --\npackage main\n-- server/main.go --\npackage main\n", "main: [./, ./cmd/b]", "not released, since those in the module's directory and below cmd come first: server; "},
		{"imported", tool + "-- hack/x/main.go --\npackage main\n-- server/main.go --\npackage main\n-- .goreleaser.yaml --\nbuilds: [{main: ./hack/x, goos: [linux], goarch: [amd64]}]\n", "main: ./hack/x", "not released, since they are not in main: ., server; "},
		{"imported, all", tool + "-- hack/x/main.go --\npackage main\n-- .goreleaser.yaml --\nbuilds: [{main: ./hack/x, goos: [linux], goarch: [amd64]}, {id: b, goos: [linux], goarch: [amd64]}]\n", "main: [./, ./hack/x]", ""},
		{"tests are none", tool + "-- cmd/x/main_test.go --\npackage main\n", "main: ./\n", ""},
		{"nested", tool + "-- sub/go.mod --\nmodule example.com/tool/sub\n-- sub/main.go --\npackage main\n", "main: ./\n", "not released, since they are in modules of their own, each of which takes a file of its own: sub (mintmark init -dir="},
		{"below", "-- sub/go.mod --\nmodule example.com/tool/sub\n\ngo 1.26.0\n-- sub/cmd/x/main.go --\npackage main\n", "dir: sub\n", ""},
	} {
		p := propose(t, Config{Dir: repo(t, c.files)})
		if !strings.Contains(p.Files[0].Text, c.want) {
			t.Errorf("%s: no %q in\n%s", c.name, c.want, p.Files[0].Text)
		}
		if notes := strings.Join(p.Notes, "\n"); c.aside != "" && !strings.Contains(notes, c.aside) || c.aside == "" && notes != "" {
			t.Errorf("%s: %s", c.name, notes)
		}
	}
}

// TestModuleBelow: what is said of files and vendored modules is that of the module's
// directory, and the license above it is missed.
func TestModuleBelow(t *testing.T) {
	const sub = "-- a/sub/go.mod --\nmodule example.com/tool/sub\n\ngo 1.26.0\n-- a/sub/main.go --\npackage main\n"
	const above = "-- LICENSE --\n-- README.md --\n-- vendor/modules.txt --\n"
	for _, c := range []struct{ files, dir, has, not, note string }{
		{sub + above, "", "dir: a/sub\n", "    files:", "LICENSE is in no archive: files takes what lies in the module's directory; copy it to a/sub/LICENSE, commit that, and name it in files: [\"LICENSE*\"]"},
		{sub + above, "", "dir: a/sub\n", "mod: vendor", "LICENSE is in no archive"},
		{sub + above, "a/sub", "main: ./\n", "    files:", "../../LICENSE is in no archive: files takes what lies in the module's directory; copy it to LICENSE, "},
		{sub + above + "-- a/COPYING --\n", "a", "dir: sub\n", "    files:", "COPYING is in no archive: files takes what lies in the module's directory; copy it to sub/COPYING, "},
		{sub + above + "-- a/sub/LICENSE.md --\n-- a/sub/vendor/modules.txt --\n", "", "files: [\"LICENSE*\"]", "README", ""},
		{sub + above + "-- a/sub/LICENSE.md --\n-- a/sub/vendor/modules.txt --\n", "", "mod: vendor", "README", ""},
		{tool + above, "", "files: [\"LICENSE*\", \"README*\"]", "dir:", ""},
		{sub, "", "dir: a/sub\n", "    files:", ""},
	} {
		p := propose(t, Config{Dir: filepath.Join(repo(t, c.files), filepath.FromSlash(c.dir))})
		text, notes := p.Files[0].Text, strings.Join(p.Notes, "\n")
		if !strings.Contains(text, c.has) || strings.Contains(text, c.not) {
			t.Errorf("-dir=%s: want %q, not %q:\n%s", c.dir, c.has, c.not, text)
		}
		if !strings.HasPrefix(notes, c.note) || c.note == "" && notes != "" {
			t.Errorf("-dir=%s: notes %q, want %q", c.dir, notes, c.note)
		}
	}
}

// TestNothingIsOverwritten: all that is there is named, and nothing of the rest is
// written.
func TestNothingIsOverwritten(t *testing.T) {
	dir := repo(t, tool+"-- mintmark.yaml --\nmine\n-- magefiles/magefile.go --\nmine\n-- .gitignore --\n*.o")
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*.o"), 0o644); err != nil {
		t.Fatal(err) // txtar ends every file with a line end
	}
	p := propose(t, Config{Dir: dir, Mage: true, CI: "gitlab"})
	err := p.Write()
	if err == nil || !strings.Contains(err.Error(), "mintmark.yaml, magefiles/magefile.go") {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"mintmark.yaml": "mine\n", ".gitignore": "*.o"} {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != want {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ".gitlab-ci.yml")); err == nil {
		t.Error("the workflow was written")
	}
	for _, name := range []string{"mintmark.yaml", "magefiles/magefile.go"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Write(); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(filepath.Join(dir, ".gitignore")); string(data) != "*.o\n/dist/\n/.mintmark-cache/\n" {
		t.Errorf(".gitignore: %q", data)
	}
	if again := propose(t, Config{Dir: dir}); slices.ContainsFunc(again.Files, func(f File) bool { return f.Adds }) {
		t.Error("the line of .gitignore is proposed twice")
	}
}

// TestTakenBack: what was written before a failure is removed again.
func TestTakenBack(t *testing.T) {
	dir := repo(t, tool+"-- magefiles --\na file in the place of the directory\n")
	p := propose(t, Config{Dir: dir, Mage: true, CI: "github"})
	if err := p.Write(); err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"mintmark.yaml", ".github", ".gitignore"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is left", name)
		}
	}
}

// TestWorkflows are YAML, with the steps in an order that works.
func TestWorkflows(t *testing.T) {
	for _, ci := range CIs() {
		p := propose(t, Config{Dir: repo(t, tool), CI: ci, Key: true})
		text := p.Files[len(p.Files)-1].Text
		var doc map[string]any
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("%s: %v\n%s", ci, err, text)
		}
		at := 0
		steps := []string{"mintmark@latest", "mintmark release", "dist"}
		if ci == "github" {
			steps = []string{"mintmark@latest", "mintmark release", "checksums.txt", "mintmark publish dist ", "-key=mintmark.pub", "GITHUB_TOKEN: ${{ github.token }}"}
		}
		for _, want := range steps {
			i := strings.Index(text[at:], want)
			if i < 0 {
				t.Errorf("%s: no %q behind the steps before it in\n%s", ci, want, text)
			}
			at += max(i, 0)
		}
		if !strings.Contains(text, "MINTMARK_KEY: env://MINTMARK_KEY_PEM") {
			t.Errorf("%s: the key is not named:\n%s", ci, text)
		}
	}
}

// TestPageOfWorkflows: docs/ci.md shows what init writes.
func TestPageOfWorkflows(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, ci := range CIs() {
		p := propose(t, Config{Dir: repo(t, tool), CI: ci, Key: true})
		if text := p.Files[len(p.Files)-1].Text; !strings.Contains(string(page), "```yaml\n"+text+"```") {
			t.Errorf("docs/ci.md does not have, for %s,\n%s", ci, text)
		}
	}
}

// TestLinks: no link of a repository leads init to another place, neither to write
// there nor to bring what is there into the repository.
func TestLinks(t *testing.T) {
	for _, link := range []string{".gitignore", ".github", "magefiles", ".github/workflows"} {
		t.Run(link, func(t *testing.T) {
			dir, outside := repo(t, tool), t.TempDir()
			private := filepath.Join(outside, "private")
			if err := os.WriteFile(private, []byte("token\n/dist/\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			to, name := outside, filepath.Join(dir, filepath.FromSlash(link))
			if link == ".gitignore" {
				to = private
			}
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(to, name); err != nil {
				t.Skip(err)
			}
			p := propose(t, Config{Dir: dir, CI: "github", Mage: true})
			if err := p.Write(); err == nil || !strings.Contains(err.Error(), filepath.FromSlash(link)) {
				t.Errorf("%v does not name %s", err, link)
			}
			if fi, err := os.Lstat(name); err != nil || fi.Mode()&os.ModeSymlink == 0 {
				t.Errorf("the link was replaced: %v %v", fi, err)
			}
			if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
				t.Errorf("outside there are %v %v", entries, err)
			}
			if _, err := os.Lstat(filepath.Join(dir, ProfileFile)); err == nil {
				t.Error("files were made all the same")
			}
		})
	}
}

// TestHostileNames: names of tags and directories are names in everything that init
// writes, whatever else they would be to YAML, to git or to a shell.
func TestHostileNames(t *testing.T) {
	for _, tag := range []string{`a","x"]}'#v1.0.0`, "!a+v1.0.0", "$(touch)`id`;v1.0.0"} {
		dir := repo(t, tool)
		if err := os.WriteFile(filepath.Join(dir, ".git", "packed-refs"), []byte("0123456789012345678901234567890123456789 refs/tags/"+tag+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		p := propose(t, Config{Dir: dir, CI: "github"})
		var doc struct {
			On struct{ Push struct{ Tags []string } }
		}
		text := p.Files[len(p.Files)-1].Text
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		want := strings.NewReplacer("!", `\!`, "+", `\+`, "]", `\]`).Replace(strings.TrimSuffix(tag, "1.0.0")) + "[0-9]*"
		if !slices.Equal(doc.On.Push.Tags, []string{want}) {
			t.Errorf("%q, want %q", doc.On.Push.Tags, want)
		}
	}
	for _, tag := range []string{"-d1.0.0", "a\x1b[31mv1.0.0", "{{.Env}}v1.0.0", "a bv1.0.0", "a\u0085v1.0.0"} {
		dir := repo(t, tool)
		if err := os.WriteFile(filepath.Join(dir, ".git", "packed-refs"), []byte("0123456789012345678901234567890123456789 refs/tags/"+tag+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if p := propose(t, Config{Dir: dir}); p.Tag != "v1.0.0" || len(p.Notes) > 0 {
			t.Errorf("%q: %q, %q", tag, p.Tag, p.Notes)
		}
	}
	for _, name := range []string{"a*b", "sub $(touch y): #x", "n\n*", "${{ secrets.X }}", "a,b", "a:", "-rf"} {
		root := repo(t, "")
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Skip(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/tool\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, ci := range CIs() {
			if p, err := Propose(Config{Dir: dir, CI: ci}); err == nil {
				t.Errorf("%q is in a workflow:\n%s", name, p.Files[len(p.Files)-1].Text)
			}
		}
		p, err := Propose(Config{Dir: dir})
		if strings.Contains(name, "\n") {
			if err == nil {
				t.Errorf("%q: %+v", name, p.Files)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		want := "/" + strings.NewReplacer("*", `\*`, " ", `\ `).Replace(name) + "/dist/\n"
		if f := p.Files[len(p.Files)-1]; f.Text != want {
			t.Errorf("%q, want %q", f.Text, want)
		}
	}
	if ignores("dist/\n!dist/\n", "/dist/") || !ignores("!x\ndist/\n", "/dist/") {
		t.Error("a line that brings back what was ignored")
	}
}

// TestNamesOfPrograms: a directory that the go command cannot name is left out, and
// said; the programs beside it are released all the same.
func TestNamesOfPrograms(t *testing.T) {
	dir := repo(t, strings.Replace(tool, "package main", "package tool", 1)+"-- cmd/a/a.go --\npackage main\n-- cmd/b/b.go --\npackage main\n-- cmd/$(id)/c.go --\npackage main\n-- cmd/a b/c.go --\npackage main\n")
	p := propose(t, Config{Dir: dir})
	if !strings.Contains(p.Files[0].Text, "main: [./cmd/a, ./cmd/b]") {
		t.Errorf("in\n%s", p.Files[0].Text)
	}
	if note := strings.Join(p.Notes, "\n"); !strings.Contains(note, "cmd/$(id)") || !strings.Contains(note, "cmd/a b") {
		t.Errorf("%q", p.Notes)
	}
	for _, path := range []string{`"ex ample/../$(x)"`, "-rf", "../../x", "example.com/x;y", "("} {
		dir := repo(t, strings.Replace(tool, "example.com/tool", path, 1))
		if _, err := Propose(Config{Dir: dir, Mage: true}); err == nil || !strings.Contains(err.Error(), "go.mod: the module's path") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
