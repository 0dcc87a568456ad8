package importer

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v4"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// readTree reads an archive of files.
func readTree(t *testing.T, name string) (tree fstest.MapFS, want string) {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	tree = fstest.MapFS{}
	for _, f := range a.Files {
		if f.Name == "want" {
			want = string(f.Data)
			continue
		}
		tree[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return tree, want
}

func moduleOf(tree fstest.MapFS) string { return ModulePath(tree["go.mod"].Data) }

// TestGoReleaser holds names of artifacts, members of archives and names of other
// files against what GoReleaser 2.15.2 made of the same configurations: the section
// want is its dist/artifacts.json, of release --snapshot --skip=publish with the
// version of the tag as that of the snapshot.
func TestGoReleaser(t *testing.T) {
	list, err := filepath.Glob("testdata/goreleaser/*.txtar")
	if err != nil || len(list) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, name := range list {
		t.Run(filepath.Base(name), func(t *testing.T) {
			tree, want := readTree(t, name)
			module := moduleOf(tree)
			source := ""
			for _, n := range profiles.GoReleaserFiles() {
				if tree[n] != nil {
					source = n
				}
			}
			r, err := Import(Source{Name: source, Tree: tree, Module: module, Remote: ProgramName(module)})
			if err != nil {
				t.Fatal(err)
			}
			want = without(want)
			got := published(t, r.Text, tree, module)
			if got != want {
				t.Errorf("of\n%s\ngot\n%s\nwant\n%s", r.Text, got, want)
			}
			for _, l := range r.Lines {
				if l.Outcome == Cannot && !l.Group && !missing(l.Key) {
					t.Errorf("%s", l)
				}
			}
		})
	}
}

// missing reports whether a key of GoReleaser's has no key in this version's format.
func missing(key string) bool {
	return strings.HasPrefix(key, "checksum") && !slices.Contains(profiles.Keys(), "checksums.name") ||
		strings.HasPrefix(key, "source") && !slices.Contains(profiles.Keys(), "source.archive")
}

// without leaves out of what is wanted what the format has no keys for.
func without(want string) string {
	var lines []string
	for l := range strings.Lines(want) {
		if what, _, ok := strings.Cut(l, " "); !ok || !missing(what) {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "")
}

// published is what a release of the file would publish, as the tests have it.
func published(t *testing.T, text string, tree fstest.MapFS, module string) string {
	t.Helper()
	f, err := profiles.Load("mintmark.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	v := samples()[0].vars()
	v.Version, v.Tag = "1.2.3", "v1.2.3"
	if strings.HasSuffix(module, "/v2") {
		v.Version, v.Tag = "2.3.4", "v2.3.4"
	}
	selected, err := f.Select(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, sel := range selected {
		for _, pl := range sel.Platforms {
			lines = append(lines, unitLines(t, sel.Profile, pl, v, tree, module)...)
		}
	}
	lines = append(lines, besides(t, text, v, f.Project)...)
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// besides are the list of digests and the archive of the source, where the format has
// keys for them.
func besides(t *testing.T, text string, v profiles.Vars, project string) (lines []string) {
	t.Helper()
	var file struct {
		Checksums struct{ Name string }
		Source    struct{ Archive, Name string }
	}
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	v.Project = project
	add := func(what, name, ext string) {
		name, err := profiles.ExpandText(name, v)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, what+" "+name+ext)
	}
	if slices.Contains(profiles.Keys(), "checksums.name") {
		if file.Checksums.Name == "" {
			file.Checksums.Name = "checksums.txt"
		}
		add("checksums", file.Checksums.Name, "")
	}
	if file.Source.Archive != "" {
		add("source", file.Source.Name, "."+file.Source.Archive)
	}
	return lines
}

func unitLines(t *testing.T, p *profiles.Profile, pl profiles.Platform, v profiles.Vars, tree fstest.MapFS, module string) (lines []string) {
	t.Helper()
	s, err := p.Expand(pl, v)
	if err != nil {
		t.Fatal(err)
	}
	var binaries []string
	for _, main := range s.Main {
		binaries = append(binaries, (&importer{Source: Source{Module: module}}).defaultBinary(main, ""))
	}
	n, err := p.Names(pl, v, s, binaries)
	if err != nil {
		t.Fatal(err)
	}
	ext := ""
	if pl.OS == "windows" {
		ext = ".exe"
	}
	if slices.Equal(s.Archive, []string{fact.NoArchive}) {
		for i := range binaries {
			name := n.Programs[i].Name
			if name == "" {
				if name = n.Name; len(binaries) > 1 {
					name += "_" + binaries[i]
				}
			}
			lines = append(lines, name+ext)
		}
		return lines
	}
	var members []string
	for _, prog := range n.Programs {
		members = append(members, path.Join(n.Wrap, prog.Path+ext))
	}
	for _, f := range s.Files {
		for _, name := range slices.Sorted(treeNames(tree)) {
			if files.Match(path.Clean(f.Src), name) {
				members = append(members, path.Join(n.Wrap, place(f, name)))
			}
		}
	}
	slices.Sort(members)
	for _, format := range s.Archive {
		lines = append(lines, n.Name+"."+format+": "+strings.Join(slices.Compact(members), " "))
	}
	return lines
}

func treeNames(tree fstest.MapFS) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for name := range tree {
			if !yield(name) {
				return
			}
		}
	}
}

// place is where a file lies in an archive, as docs/profiles.md has it.
func place(f profiles.FileRule, name string) string {
	switch {
	case f.Dst == "":
		return name
	case strings.ContainsAny(f.Src, "*?["):
		return path.Join(f.Dst, strings.TrimPrefix(strings.TrimPrefix(name, staticDir(f.Src)), "/"))
	case strings.HasSuffix(f.Dst, "/"):
		return path.Join(f.Dst, path.Base(name))
	}
	return f.Dst
}

// TestEveryKeyHasALine: each key of a source has one line, or is counted in that of the
// key around it, of which all is said; and one that nobody knows is not passed over.
func TestEveryKeyHasALine(t *testing.T) {
	tree := fstest.MapFS{".goreleaser.yaml": {Data: []byte(`version: 2
frobnicate: {deeply: [{nested: true}]}
builds:
  - goos: [linux]
    goarch: [amd64]
    gootch: [arm64]
snapcrafts:
  - formats: [deb]
    scripts: {preinstall: a.sh, postinstall: b.sh}
  - formats: [rpm]
release:
  name_template: x
before:
  hooks: [go mod tidy]
`)}, "main.go": {Data: []byte("package main\n")}}
	r, err := Import(Source{Name: ".goreleaser.yaml", Tree: tree, Module: "example.com/tool"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]Line{}
	for _, l := range r.Lines {
		if _, again := seen[l.Key]; again && l.Line > 0 {
			t.Errorf("%s has two lines", l.Key)
		}
		seen[l.Key] = l
	}
	for key, want := range map[string]Outcome{
		"version": Changed, "frobnicate": Cannot, "frobnicate.deeply": Cannot, "frobnicate.deeply[0].nested": Cannot, "builds": Cannot,
		"builds[0].goos": Kept, "builds[0].gootch": Cannot, "snapcrafts": Cannot, "release": Cannot, "before.hooks": Changed,
	} {
		if seen[key].Outcome != want || seen[key].Line == 0 {
			t.Errorf("%s: %+v, want %s", key, seen[key], want)
		}
	}
	if !strings.Contains(seen["builds[0].gootch"].Text, "unknown to the importer") {
		t.Error(seen["builds[0].gootch"])
	}
	if n := seen["snapcrafts"].Keys; n != 4 || !strings.HasSuffix(seen["snapcrafts"].String(), " (4 keys)") {
		t.Errorf("%d keys: %s", n, seen["snapcrafts"])
	}
	if l := seen["release"].String(); !strings.HasSuffix(l, " (1 key)") {
		t.Error(l)
	}
	for _, key := range []string{"snapcrafts[0].formats", "snapcrafts[0].scripts", "snapcrafts[0].scripts.preinstall", "release.name_template"} {
		if l, ok := seen[key]; ok {
			t.Errorf("%s is said twice: %s", key, l)
		}
	}
	// Keys are counted as before: those that hold a value.
	if got := r.CountBy(Cannot, func(l Line) string { return l.Key }); r.Count(Cannot) != 7 || got["snapcrafts"] != 4 || got["release"] != 1 || r.Total() != 11 {
		t.Errorf("%d cannot, %v, of %d: %v", r.Count(Cannot), got, r.Total(), r.Lines)
	}
}

// TestNoNetwork: what is included from elsewhere is not fetched, and what lies in the
// tree is read.
func TestIncludes(t *testing.T) {
	tree := fstest.MapFS{
		".goreleaser.yaml":  {Data: []byte("version: 2\nincludes:\n  - from_url: {url: example/meta/full.yaml}\n  - from_file: {path: ./build/common.yaml}\nbuilds:\n  - id: one\n    main: ./cmd/one\n    goos: [linux]\n    goarch: [amd64]\n")},
		"build/common.yaml": {Data: []byte("project_name: common\nbuilds:\n  - id: two\n    main: ./cmd/two\n    goos: [linux]\n    goarch: [amd64]\narchives:\n  - name_template: x_{{ .Os }}\n")},
		"cmd/one/main.go":   {Data: []byte("package main\n")}, "cmd/two/main.go": {Data: []byte("package main\n")},
	}
	r, err := Import(Source{Name: ".goreleaser.yaml", Tree: tree, Module: "example.com/tool"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"project: common\n", "main: [./cmd/one, ./cmd/two]", `x_{{.OS}}`} {
		if !strings.Contains(r.Text, want) {
			t.Errorf("no %q in\n%s", want, r.Text)
		}
	}
	said := false
	for _, l := range r.Lines {
		said = said || strings.Contains(l.Text, "nothing is fetched; put example/meta/full.yaml into the repository") && l.Outcome == Cannot
		if l.Key == "project_name" && l.File != "build/common.yaml" {
			t.Errorf("%+v", l)
		}
	}
	if !said {
		t.Error("nothing is said of the URL")
	}
}

// TestOldKeys reads what version 1 of GoReleaser had.
func TestOldKeys(t *testing.T) {
	tree := fstest.MapFS{
		"goreleaser.yml": {Data: []byte("project_name: old\nbuild:\n  main: main.go\n  goos: [linux, darwin]\n  goarch: [amd64, 386]\n  ignore:\n    - {goos: darwin, goarch: 386}\narchive:\n  format: zip\n  replacements: {darwin: macOS, 386: i386, amd64: x86_64}\n  files: [none*]\nsnapshot:\n  name_template: SNAPSHOT-{{ .Commit }}\n")},
		"main.go":        {Data: []byte("package main\n")}, "go.mod": {Data: []byte("module example.com/old\n")},
	}
	r, err := Import(Source{Name: "goreleaser.yml", Tree: tree, Module: "example.com/old"})
	if err != nil {
		t.Fatal(err)
	}
	want := "checksums old_1.2.3_checksums.txt\nold_1.2.3_linux_i386.zip: old\nold_1.2.3_linux_x86_64.zip: old\nold_1.2.3_macOS_x86_64.zip: old\n"
	if got := published(t, r.Text, tree, "example.com/old"); got != want {
		t.Errorf("got\n%s\nof\n%s", got, r.Text)
	}
}

// TestTranslate has templates and what they are in a profile.
func TestTranslate(t *testing.T) {
	im := newImporter(Source{Module: "example.com/m"})
	im.values = map[string]string{"Env.SET": "x{{.Version}}", "Var.name": "fixed"}
	all := spell([]target{{"linux", "amd64", "v1"}, {"linux", "arm", "6"}, {"windows", "amd64", "v1"}, {"darwin", "arm64", "v8.0"}})
	for _, c := range []struct{ in, want, err string }{
		{"plain", "plain", ""},
		{"{{ .ProjectName }}_{{ .Os }}", "{{.Project}}_{{.OS}}", ""},
		{"{{ .Arch }}{{ with .Arm }}v{{ . }}{{ end }}{{ if .Mips }}_{{ .Mips }}{{ end }}", `{{.Arch}}{{if eq .Arch "arm"}}v{{.Variant}}{{end}}`, ""},
		{`{{ if not (eq .Amd64 "v1") }}{{ .Amd64 }}{{ end }}`, "", ""},
		{`{{ .Env.SET }}-{{ .Var.name }}-{{ .ModulePath }}`, "x{{.Version}}-fixed-example.com/m", ""},
		{`{{ if .IsSnapshot }}snap{{ else }}{{ .Version }}{{ end }}`, "{{.Version}}", ""},
		{`{{ .FullCommit }} {{ .Date }} {{ .Timestamp }}`, "{{.Commit}} {{.CommitDate}} {{.CommitTimestamp}}", ""},
		{`{{ replace .Version "." "-" }}{{ .Tag | trimprefix "v" }}`, `{{replace "." "-" .Version}}{{trimprefix .Tag "v"}}`, ""}, // as it is: the tag is taken off "v"
		{`{{ trimprefix .Tag "v" }}`, `{{trimprefix "v" .Tag}}`, ""},
		{`{{ time "2006-01-02" }}`, `{{.CommitDate | date "2006-01-02"}}`, ""},
		{`{{ .Env.HOME }}`, "", "takes HOME out of the environment"},
		{`{{ envOrDefault "X" "d" }}`, "d", ""},
		{`{{ index .Env "DEBUG" }}`, "", ""},
		{`{{ .Branch }}`, "", "has no value that follows from the commit"},
		{`{{ .Runtime.Goos }}`, "", "has no value that follows"},
		{`{{ readFile "x" }}`, "", "no template of a profile has the function readFile"},
		{`{{ if .IsSnapshot }}{{ readFile "x" }}{{ else }}a{{ end }}`, "", "no template of a profile has the function readFile"}, // also where it is not reached
		{`{{ index (split .Version ".") 0 }}`, "", "no template of a profile has the function split"},
		{`{{ range .X }}{{ end }}`, "", "loops"},
		{`{{ define "x" }}{{ end }}`, "", "loops"},
		{`{{ .Os`, "", "bad template"},
		{`{{ if contains .Os "win" }}W{{ else }}U{{ end }}`, `{{if eq .OS "linux"}}U{{else}}W{{end}}`, ""},
		{`{{ slice .Os 0 3 }}`, `{{if eq .OS "windows"}}win{{else if eq .OS "darwin"}}dar{{else}}lin{{end}}`, ""},
	} {
		tr, err := im.translate(c.in, all, scope{project: "p"})
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || err == nil && tr.text != c.want {
			t.Errorf("%s: %q, %v; want %q, %s", c.in, tr.text, err, c.want, c.err)
		}
	}
}

// FuzzImport: whatever a configuration holds, the importer ends, and what it makes
// loads and has a line for each key.
func FuzzImport(f *testing.F) {
	list, err := filepath.Glob("testdata/goreleaser/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range list {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(a.Files[0].Data), uint8(0))
	}
	f.Add("go: {version: 1.2, cgo: true}\nrepository: {path: a.b/c}\nbuild:\n  binaries: [{name: c, path: ./cmd/c}]\n  ldflags: -X a.b={{.Version}}\ncrossbuild: {platforms: [linux/armv7]}\n", uint8(1))
	f.Add("V := $(shell git describe --tags)\nall:\n\tgo build -ldflags \"-X main.version=$(V)\" ./cmd/x\n", uint8(2))
	f.Add("builds: &a\n  - <<: *a\n", uint8(0))
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		name := []string{".goreleaser.yml", ".promu.yml", "Makefile"}[kind%3]
		tree := fstest.MapFS{name: {Data: []byte(text)}, "main.go": {Data: []byte("package main\nvar version string\n")}, "README.md": {}, "cmd/x/main.go": {Data: []byte("package main\n")}}
		r, err := Import(Source{Name: name, Tree: tree, Module: "example.com/x/tool/v2", Sign: "none"})
		if err != nil {
			return
		}
		if _, err := profiles.Load("mintmark.yaml", []byte(r.Text)); err != nil {
			t.Errorf("%v\n%s", err, r.Text)
		}
		seen := map[string]int{}
		for _, l := range r.Lines {
			if l.Line > 0 {
				seen[fmt.Sprint(l.File, l.Line, l.Key)]++
			}
			if l.Outcome.rank() < 0 {
				t.Errorf("%+v", l)
			}
		}
	})
}

var _ fs.FS = fstest.MapFS{}

// TestProposedGenerate: a step before the build is proposed as an entry of generate,
// which is one as soon as somebody says what it makes.
func TestProposedGenerate(t *testing.T) {
	tree := fstest.MapFS{
		"go.mod": {Data: []byte("module example.com/x\n")}, "main.go": {Data: []byte("package main\n\nfunc main() {}\n")},
		".goreleaser.yaml": {Data: []byte("version: 2\nbefore:\n  hooks:\n    - go mod tidy\n    - go generate ./...\n")},
	}
	r, err := Import(Source{Name: ".goreleaser.yaml", Tree: tree, Module: "example.com/x", Remote: "x"})
	if err != nil {
		t.Fatal(err)
	}
	said := slices.ContainsFunc(r.Lines, func(l Line) bool {
		return l.Key == "before.hooks" && l.Outcome == Cannot && strings.Contains(l.String(), "complete the entry of generate")
	})
	text := string(r.Text)
	at := strings.Index(text, "# generate:\n")
	if !said || at < 0 {
		t.Fatalf("%v\n%s", r.Lines, text)
	}
	if f, err := profiles.Load("m.yaml", []byte(text)); err != nil || len(f.Generate) > 0 {
		t.Errorf("as a comment: %v", err)
	}
	entry := strings.ReplaceAll(strings.TrimPrefix(strings.ReplaceAll(text[at:], "\n# ", "\n"), "# "), "outputs: []", "outputs: ['*_gen.go']")
	f, err := profiles.Load("m.yaml", []byte(text[:at]+entry))
	if err != nil || len(f.Generate) != 1 || !slices.Equal(f.Generate[0].Command, []string{"go", "generate", "./..."}) {
		t.Errorf("%v\n%s", err, entry)
	}
}
