package profiles

import (
	"slices"
	"testing"
)

func TestGoReleaserDropped(t *testing.T) {
	const defaults = "builds:\n  - {}\n"
	for _, c := range []struct {
		name, yaml string
		vars       []string
		want       []string
	}{
		{"nothing to drop", "project_name: tool\nbuilds:\n  - main: .\n    binary: tool\n    ldflags: -s -w\n    env: [CGO_ENABLED=0]\n", []string{"version"}, nil},
		{"no builds", "version: 2\n", []string{"version", "other"}, []string{"-X main.version"}},
		{"default ldflags without a variable", defaults, nil, nil},
		{"main, by dir too", "builds:\n  - main: ./cmd/a\n    ldflags: [-s]\n  - dir: cli\n    main: ./b\n    ldflags: [-s]\n", nil, []string{"main cmd/a, cli/b"}},
		{"-X in all its spellings", "builds:\n  - ldflags:\n    - -s -w -X main.version={{.Version}} -X 'main.built at={{ .Date }}'\n    - -X=example.com/x/v2/internal.Commit={{.Commit}}\n", nil,
			[]string{"-X main.version, example.com/x/v2/internal.Commit"}},
		{"-X of templates", "builds:\n  - ldflags:\n    - -X {{ .ModulePath }}/internal/version.V={{.Version}} -X {{.Env.PKG}}.V=1 -X '{{.ModulePath}}.W={{ .Date }}'\n", nil,
			[]string{"-X example.com/tool/internal/version.V, {{.Env.PKG}}.V, example.com/tool.W"}},
		{"flags and their values", "builds:\n  - ldflags: [-s]\n    flags: [-tags, 'netgo,osusergo', -trimpath, -race, '-tags \"a b\"', -mod=vendor]\n", nil, []string{"tags netgo, osusergo, a, b", "-race, -mod=vendor"}},
		{"platforms", "builds:\n  - ldflags: [-s]\n    goos: [linux, freebsd]\n    goarch: [amd64, s390x]\n  - ldflags: [-s]\n    targets: [openbsd_arm64_v8.0]\n", nil, []string{"goos freebsd, openbsd", "goarch s390x, arm64"}},
		{"what else it says", "gomod: {proxy: true}\nbuilds:\n  - ldflags: [-s]\n    buildmode: c-shared\n    gcflags: [all=-l]\n    hooks: {pre: go generate}\n", nil, []string{"buildmode c-shared, gcflags all=-l, hooks, gomod.proxy"}},
		{"tags as list and flag", "builds:\n  - ldflags: [-s]\n    tags: [netgo]\n    flags: [-trimpath, '-tags=osusergo,static']\n", nil, []string{"tags netgo, osusergo, static"}},
		{"names", "project_name: gh\nbuilds:\n  - binary: bin/hub\n    ldflags: [-s]\n", nil, []string{"project_name gh, binary bin/hub"}},
		{"a name that follows from the project's", "builds:\n  - binary: '{{ .ProjectName }}'\n    ldflags: [-s]\n  - binary: '{{.ProjectName}}-{{.Os}}'\n    ldflags: [-s]\n", nil, []string{"binary tool-{{.Os}}"}},
		{"symbols", "builds:\n  - ldflags: [-w]\n  - ldflags: -X main.v=1\n  - ldflags: ['{{.Env.LDFLAGS}}']\n  - ldflags: -s\n", nil, []string{"-X main.v", "the symbol table, the symbol table and debug information"}},
		{"archives", "builds:\n  - ldflags: [-s]\narchives:\n  - format: zip\n    wrap_in_directory: true\n    files: [README.md, LICENSE*, CHANGELOG.md, {src: 'docs/*', dst: x}]\n  - formats: [tar.gz, binary]\n    wrap_in_directory: false\n    files: [none*]\n", nil,
			[]string{"archive format zip, binary", "wrap_in_directory true", "files CHANGELOG.md, docs/*"}},
		{"cgo, by an alias", "x: &e [CGO_ENABLED=1]\nbuilds:\n  - env: *e\n    ldflags: [-s]\n", nil, []string{"CGO_ENABLED=1"}},
		{"skipped, and of another language", "builds:\n  - skip: true\n    main: ./a\n  - builder: rust\n    main: ./b\n", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := ReadGoReleaser([]byte(c.yaml))
			if err != nil {
				t.Fatal(err)
			}
			if got := g.Dropped(BuiltIn{Project: "tool", Module: "example.com/tool", Variables: c.vars, Platforms: []Platform{{OS: "linux", Arch: "amd64"}}}); !slices.Equal(got, c.want) {
				t.Errorf("dropped %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzReadGoReleaser(f *testing.F) {
	f.Add([]byte("project_name: x\nbuilds:\n  - main: ./cmd/x\n    ldflags: [-X main.v=1]\n    tags: [a]\n"))
	f.Add([]byte("a: &a [*a]\nbuild: {env: *a, skip: true}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := ReadGoReleaser(data)
		if (g == nil) == (err == nil) {
			t.Fatalf("%v and %v", g, err)
		}
		if g != nil {
			g.Dropped(BuiltIn{Project: "x", Variables: []string{"version"}})
		}
	})
}
