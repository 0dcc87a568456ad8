package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// imported is what becomes of a configuration with these keys of its one build and
// one archive; outcome is by key.
func imported(t *testing.T, build, archive, rest string) (text string, outcome map[string]Line) {
	t.Helper()
	tree := fstest.MapFS{
		"go.mod":    {Data: []byte("module example.com/tool\n")},
		"main.go":   {Data: []byte("package main\n\nvar a, b string\n")},
		"README.md": {}, "run.sh": {Mode: 0o755}, "LICENSEaaa": {},
	}
	conf := "project_name: tool\nbuilds:\n  - env: [CGO_ENABLED=0]\n    goos: [linux]\n    goarch: [amd64]\n"
	for l := range strings.Lines(build) {
		conf += "    " + l
	}
	conf += "\narchives:\n  - id: all\n"
	for l := range strings.Lines(archive) {
		conf += "    " + l
	}
	tree[".goreleaser.yaml"] = &fstest.MapFile{Data: []byte(conf + "\n" + rest)}
	r, err := Import(Source{Name: ".goreleaser.yaml", Tree: tree, Module: "example.com/tool"})
	if err != nil {
		t.Fatalf("%v\n%s", err, conf)
	}
	outcome = map[string]Line{}
	for _, l := range r.Lines {
		outcome[l.Key] = l
	}
	return r.Text, outcome
}

// TestSameMeaning: what is kept means what it means to GoReleaser, and to the go
// command that it gives its flags to.
func TestSameMeaning(t *testing.T) {
	for _, c := range []struct {
		build, archive, rest string
		want                 []string // of the file
		not                  string   // is nowhere in it
		key                  string
		outcome              Outcome
	}{
		// The go command takes quotes off a whole word alone.
		{build: `ldflags: ['-X main.a="{{.Version}}"']`, want: []string{`main.a: "\"{{.Version}}\""`}, key: "builds[0].ldflags", outcome: Kept},
		{build: `ldflags: ["-X 'main.a={{.Version}} x'"]`, want: []string{`main.a: "{{.Version}} x"`}, key: "builds[0].ldflags", outcome: Kept},
		{build: `ldflags: ['-X="main.a=1"']`, not: "main.a", key: "builds[0].ldflags", outcome: Cannot},
		{build: `flags: [-trimpath=0, -buildvcs=F]`, want: []string{"trimpath: false", "buildvcs: false"}, key: "builds[0].flags", outcome: Kept},
		{build: `flags: [-trimpath=1, -buildvcs=true]`, not: "trimpath:", key: "builds[0].flags", outcome: Default},
		// Each text is a -gcflags by itself.
		{build: `gcflags: [-N, -l]`, want: []string{`gcflags: ["-l"]`}, key: "builds[0].gcflags", outcome: Changed},
		{build: `gcflags: ["-N -l", "all=-B -l"]`, want: []string{`gcflags: ["-N", "-l", all=-B, "-l"]`}, key: "builds[0].gcflags", outcome: Kept},
		{build: `gcflags: [all=-N, -l]`, want: []string{`gcflags: [all=-N]`}, key: "builds[0].gcflags", outcome: Cannot},
		// A mode is kept also where the commit has another, and is octal with a zero.
		{archive: "files: [{src: run.sh, dst: bin/run.sh, info: {mode: 0644}}]", want: []string{`{src: run.sh, dst: bin/run.sh, mode: "0644"}`}, key: "archives[0].files[0].info.mode", outcome: Kept},
		{archive: "files: [{src: run.sh, dst: bin/run.sh, info: {mode: 0o755}}]", want: []string{`mode: "0755"`}, key: "archives[0].files[0].info.mode", outcome: Kept},
		{archive: "files: [{src: run.sh, dst: bin/run.sh, info: {mode: 644}}]", not: "mode:", key: "archives[0].files[0].info.mode", outcome: Changed},
		// Words for true.
		{archive: "files: [{src: run.sh, dst: bin, strip_parent: yes}]", want: []string{"dst: bin/run.sh"}, key: "archives[0].files[0].strip_parent", outcome: Kept},
		{build: "id: one\nskip: True", archive: "ids: [two]", rest: "build: {id: two, main: ./cmd/two}", want: []string{"main: ./cmd/two"}, key: "builds[0].skip", outcome: Default},
		{rest: "checksum: {disable: True}", key: "checksum.disable", outcome: Cannot},
		// An environment of an override is added, and the first override alone counts.
		{build: "overrides:\n  - {goos: linux, goarch: amd64, env: [CGO_CFLAGS=-O1]}\n  - {goos: linux, goarch: amd64, env: [CGO_CFLAGS=-O2]}\n", rest: "env: [CC=zig]",
			want: []string{"CC: zig", `CGO_CFLAGS: "-O1"`}, not: "-O2", key: "builds[0].overrides[1].env", outcome: Changed},
		{build: "overrides: [{goos: linux, goarch: amd64, env: [CC=zig]}]", not: "cgo: true", want: []string{"CC: zig"}, key: "builds[0].env", outcome: Kept},
		// An empty template is as none.
		{rest: `snapshot: {name_template: "", version_template: "{{.Version}}-next"}`, want: []string{`snapshot: "{{.Version}}-next"`}, key: "snapshot.version_template", outcome: Kept},
	} {
		text, lines := imported(t, c.build, c.archive, c.rest)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("of %s%s%s no %s in\n%s", c.build, c.archive, c.rest, want, text)
			}
		}
		if c.not != "" && strings.Contains(text, c.not) {
			t.Errorf("of %s%s%s there is %s in\n%s", c.build, c.archive, c.rest, c.not, text)
		}
		if l := lines[c.key]; l.Outcome != c.outcome {
			t.Errorf("of %s%s%s: %s, want %s", c.build, c.archive, c.rest, l, c.outcome)
		}
	}
}

// TestAlternatives: braces are written out, but not without end.
func TestAlternatives(t *testing.T) {
	if got, want := alternatives("{a,b}/x.{c,d}"), []string{"a/x.c", "a/x.d", "b/x.c", "b/x.d"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, pattern := range []string{"a", "a{b", "a}b{", "}{a,b}"} {
		if got := alternatives(pattern); len(got) > 2 {
			t.Errorf("%s: %q", pattern, got)
		}
	}
	var alts []string
	for i := range 3000 {
		alts = append(alts, fmt.Sprint("a", i))
	}
	many := "LICENSE" + strings.Repeat("{"+strings.Join(alts, ",")+",a}", 3)
	if got := alternatives(many); len(got) != 1 {
		t.Fatalf("%d patterns", len(got))
	}
	text, lines := imported(t, "", "files: ['"+many+"']", "")
	if l := lines["archives[0].files"]; l.Outcome != Changed || !strings.Contains(text, "files: [LICENSEaaa]") {
		t.Errorf("%.200s\n%s", l, text)
	}
}

// TestOverridesAdd: what a build says of its environment holds beside an override's.
func TestOverridesAdd(t *testing.T) {
	tree := fstest.MapFS{".goreleaser.yaml": {Data: []byte("project_name: tool\nbuilds:\n  - env: [CC=zig, CGO_ENABLED=0]\n    goos: [linux]\n    goarch: [amd64]\n    overrides: [{goos: linux, goarch: amd64, env: [CGO_ENABLED=1]}]\n")}}
	r, err := Import(Source{Name: ".goreleaser.yaml", Tree: tree, Module: "example.com/tool"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"cgo: true", "CC: zig"} {
		if !strings.Contains(r.Text, want) {
			t.Errorf("no %s in\n%s", want, r.Text)
		}
	}
}

// TestNoProject: a name that no project can have is replaced and said, and a
// configuration without a program is an error that names it.
func TestNoProject(t *testing.T) {
	for _, c := range []struct{ conf, remote, want string }{
		{`project_name: "{{ .Env.P }}"`, "", "project: tool\n"},
		{"project_name: a/b\nrelease: {github: {name: mine}}", "", "project: mine\n"},
		{"release: {github: {name: '{{.Env.N}}'}}", "a b", "project: tool\n"},
	} {
		r, err := Import(Source{Name: ".goreleaser.yaml", Tree: fstest.MapFS{".goreleaser.yaml": {Data: []byte(c.conf)}}, Module: "example.com/tool", Remote: c.remote})
		if err != nil || !strings.Contains(r.Text, c.want) {
			t.Errorf("%s: %v, want %s", c.conf, err, c.want)
			continue
		}
		if i := slices.IndexFunc(r.Lines, func(l Line) bool { return l.Key == "project_name" && l.Line > 0 }); i >= 0 && r.Lines[i].Outcome != Cannot {
			t.Error(r.Lines[i])
		}
	}
	_, err := Import(Source{Name: ".goreleaser.yaml", Tree: fstest.MapFS{".goreleaser.yaml": {Data: []byte("builds: [{skip: true}]")}}, Module: "example.com/tool"})
	if err == nil || !strings.Contains(err.Error(), "no build in it") {
		t.Error(err)
	}
}

// TestProposedWhole: nothing that was found of a module is left out without a word.
func TestProposedWhole(t *testing.T) {
	m := Module{Path: "example.com/tool", Part: Part{Path: "example.com/tool", Main: []string{"./cmd/a", "./cmd/b c\n"}}}
	if text, err := Propose(m, "none"); err == nil || !strings.Contains(err.Error(), "main: a profile file cannot say it") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestMakeVariables: variables that name each other many times are not written out
// without end.
func TestMakeVariables(t *testing.T) {
	m := &makefile{vars: map[string]makeValue{}}
	for i := range 8 {
		m.vars[fmt.Sprint("A", i)] = makeValue{text: strings.Repeat(fmt.Sprintf("$(A%d)", i+1), 100)}
	}
	if got := m.expand("$(A0)", 0); len(got) > 16*maxExpanded {
		t.Errorf("%d bytes", len(got))
	}
	m.vars["B"] = makeValue{text: "x"}
	if got := m.expand("$(B)$(B)", 0); got != "xx" {
		t.Errorf("%q", got)
	}
}

// TestOwnRejection: what a profile file cannot hold is said at the line of the
// Makefile that has it; what nobody wrote there is not said of the Makefile.
func TestOwnRejection(t *testing.T) {
	const text = "all:\n\tgo build -buildmode=nonsense .\n"
	r, err := Import(Source{Name: "Makefile", Tree: fstest.MapFS{"Makefile": {Data: []byte(text)}}, Module: "example.com/tool",
		Plain: Module{Part: Part{Dir: "../x"}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range r.Lines {
		if l.Outcome == Cannot {
			got = append(got, fmt.Sprintf("%s:%d %s", l.File, l.Line, l.Key))
		}
	}
	if want := []string{"mintmark.yaml:0 dir", "Makefile:2 -buildmode nonsense"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q in\n%v\n%s", got, want, r.Lines, r.Text)
	}
}

// TestEmbedded: -X for a variable that is embedded from a file replaces what is in the
// file, and that is said whichever configuration does it.
func TestEmbedded(t *testing.T) {
	const main = "package main\n\nimport _ \"embed\"\n\n//go:embed VERSION\nvar version string\n\nvar (\n\t// Made.\n\t//go:embed a/b.txt\n\tother string\n\n\tcommit string\n)\n\n//go:embed x\nvar files string\n"
	for name, conf := range map[string]string{
		"Makefile":         "build:\n\tgo build -ldflags '-X main.version=1 -X main.commit=2 -X main.other=3' .\n",
		".goreleaser.yaml": "builds:\n  - goos: [linux]\n    goarch: [amd64]\n    ldflags: -X main.version=1 -X main.commit=2 -X main.other=3\n",
	} {
		r, err := Import(Source{Name: name, Tree: fstest.MapFS{name: {Data: []byte(conf)}, "main.go": {Data: []byte(main)}}, Module: "example.com/tool"})
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, l := range r.Lines {
			said = append(said, l.String())
		}
		all := strings.Join(said, "\n")
		for _, want := range []string{"main.version is embedded from VERSION, and -X puts another text in its place", "main.other is embedded from a/b.txt, "} {
			if !strings.Contains(all, want) {
				t.Errorf("%s: no %q in\n%s", name, want, all)
			}
		}
		if strings.Contains(all, "main.commit is embedded") || !strings.Contains(r.Text, "main.version: ") {
			t.Errorf("%s: %s\n%s", name, all, r.Text)
		}
	}
}

// TestPackageManagers: what a configuration says of a package manager is a channel, if
// check would find nothing wrong with it, and each of its keys has what became of it.
func TestPackageManagers(t *testing.T) {
	const conf = `
metadata: {homepage: "https://example.com/{{ .ProjectName }}", license: MIT, maintainers: [Jo]}
release: {github: {owner: acme, name: tool}}
brews:
  - name: "{{ .ProjectName }}"
    description: "Greets: the world"
    repository: {owner: acme, name: homebrew-tap, token: "{{ .Env.TAP_TOKEN }}"}
    test: |
      system "#{bin}/tool", "--version"
    install: bin.install "tool"
    dependencies: [{name: git}]
    ids: [all]
  - name: other
scoops: [{description: Greets, license: Apache2}]
aurs: [{name: tool, description: Greets, private_key: key}]
krews: [{name: tool, short_description: Greets, description: Greets at length, skip_upload: true}]
winget: [{name: tool, publisher: Acme Ltd, license: MIT, short_description: Greets, url_template: "https://example.com/{{ .Tag }}/{{ .ArtifactName }}"}]
homebrew_casks: [{name: tool}]
nix: [{name: tool}]
`
	text, lines := imported(t, "", "formats: [zip]", conf)
	for _, want := range []string{
		"channels:\n  url: https://github.com/acme/tool/releases/download/{{.Tag}}\n", "  homepage: \"https://example.com/tool\"\n", "  license: MIT\n", "  maintainers: [Jo]\n",
		`  homebrew: {name: tool, description: "Greets: the world", test: ["--version"]}` + "\n",
		"  aur: {name: tool-bin, description: Greets}\n", "  krew: {name: tool, description: Greets}\n",
		`  winget: {name: AcmeLtd.tool, license: MIT, url: "https://example.com/{{.Tag}}", publisher: "Acme Ltd", description: Greets}` + "\n",
	} {
		if !strings.Contains(strings.ReplaceAll(text, `"https://github.com/acme/tool/releases/download/{{.Tag}}"`, "https://github.com/acme/tool/releases/download/{{.Tag}}"), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for _, not := range []string{"scoop:", "cask:", "nix"} {
		if strings.Contains(text, not) {
			t.Errorf("there is %s in\n%s", not, text)
		}
	}
	for key, want := range map[string]string{
		"brews[0].test": "kept: channels.homebrew.test", "brews[0].repository": "cannot: nothing is sent to anybody", "brews[0].install": "default: all programs",
		"brews[0].dependencies": "cannot: NAME.homebrew.rb has nothing of it", "brews[0].ids": "changed: which file it is", "brews[1].name": "cannot: one homebrew of a release",
		"scoops": `cannot: no file is made for it: channels.scoop.license: SPDX has no licence "Apache2"; its names are at`, "homebrew_casks": "cannot: no file is made for it: it needs description",
		"krews[0].description": "changed: channels.krew.description is what the other key says", "aurs[0].private_key": "cannot: nothing is sent", "winget[0].url_template": "kept: channels.winget.url",
		"metadata.license": "kept: channels.license", "nix": "cannot: no file is made for this package manager",
	} {
		if l := lines[key]; !strings.Contains(l.String(), want) {
			t.Errorf("%s: %s, want %s", key, l, want)
		}
	}
	// Without a channel that is whole, nothing is said of any.
	text, lines = imported(t, "", "", "metadata: {license: MIT}\nscoops: [{homepage: 'https://example.com'}]\n")
	if strings.Contains(text, "channels") || lines["metadata.license"].Outcome != Cannot || lines["scoops"].Outcome != Cannot {
		t.Errorf("%s\n%s\n%s", text, lines["metadata.license"], lines["scoops"])
	}
}

// TestBills: what GoReleaser has syft write is written by the release, in the same formats.
func TestBills(t *testing.T) {
	for _, c := range []struct{ sboms, want string }{
		{"", ""},
		{"[{artifacts: archive}]", "sbom: [spdx, per-file]"}, // GoReleaser's own arguments
		{"[{}]", "sbom: [spdx, per-file]"},
		{"[{artifacts: archive, disable: 'true'}]", ""},
		{"[{artifacts: binary, cmd: syft, args: [$artifact, --file, '${document}', --output, cyclonedx-json], documents: ['x.sbom']}]", "sbom: [cyclonedx, per-file]"},
		{"[{cmd: ../bin/syft, args: [$artifact, --output, spdx-json=$document, --enrich, all]}]", "sbom: [spdx, per-file]"},
		{"[{artifacts: package, cmd: ./syft, args: [scan, $artifact, --output, json=$document]}]", "sbom: [cyclonedx, per-file]"},
		{"[{artifacts: archive}, {artifacts: package, id: p, ids: [all], args: [-o, cyclonedx-json=$document]}]", "sbom: [cyclonedx, spdx, per-file]"},
		{"[{artifacts: source, documents: ['{{ .ProjectName }}_sbom.spdx.json']}]", "sbom: [spdx]"},
		{"[{artifacts: any, cmd: ./make-sbom, documents: [bom.cdx.json], env: [A=b]}]", ""},
	} {
		rest := ""
		if c.sboms != "" {
			rest = "sboms: " + c.sboms + "\n"
		}
		text, lines := imported(t, "", "", rest)
		i := strings.Index(text, "sbom:")
		got := ""
		if i >= 0 {
			got, _, _ = strings.Cut(text[i:], "\n")
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.sboms, got, c.want)
		}
		for key, l := range lines {
			if strings.HasPrefix(key, "sboms[") && l.Text == "" || strings.Contains(l.Text, "unknown to the importer") {
				t.Errorf("%s: %s: %s", c.sboms, key, l)
			}
		}
	}
	_, lines := imported(t, "", "", "sboms: [{artifacts: archive, documents: [x.json], ids: [all], args: ['spdx-json=$document'], cmd: ./syft}]\n")
	for key, want := range map[string]Outcome{
		"sboms[0].artifacts": Kept, "sboms[0].documents": Cannot, "sboms[0].ids": Changed, "sboms[0].args": Changed, "sboms[0].cmd": Changed,
	} {
		if lines[key].Outcome != want {
			t.Errorf("%s: %s, want %s", key, lines[key], want)
		}
	}
}
