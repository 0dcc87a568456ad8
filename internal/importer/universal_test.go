package importer

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/profiles"
)

// TestUniversal: universal binaries are taken over with the builds that they are of, and
// their archives are called as GoReleaser calls them.
func TestUniversal(t *testing.T) {
	for _, tc := range []struct{ name, config, universal, file, cannot string }{
		{"replace", "universal_binaries: [{replace: true}]\n", "universal: replace", "fx_1.2.3_darwin_all", ""},
		{"beside", "universal_binaries: [{replace: false}]\n", "universal: true", "fx_1.2.3_darwin_all", ""},
		{"by id", "universal_binaries: [{id: mac, ids: [fx], replace: true}]\n", "universal: replace", "fx_1.2.3_darwin_all", ""},
		{"of another build", "universal_binaries: [{id: mac, ids: [other], replace: true}]\n", "", "", "no profile has the programs of darwin/amd64 and darwin/arm64 of these builds"},
		{"of one architecture", "universal_binaries: [{replace: true}]\nbuilds: [{goos: [linux, darwin], goarch: [amd64]}]\n", "", "", "no profile has the programs"},
		{"packed", "universal_binaries: [{replace: true}]\nupx: [{enabled: true}]\n", "", "", "no profile has the programs"},
		{"hooks", "universal_binaries: [{replace: true, hooks: {post: [codesign]}}]\n", "universal: replace", "fx_1.2.3_darwin_all", "nothing runs between a build and its archive"},
		{"name", "universal_binaries: [{replace: true}]\narchives: [{name_template: '{{ .ProjectName }}-{{ .Os }}-{{ if eq .Arch \"all\" }}universal{{ else if eq .Arch \"amd64\" }}x86_64{{ else }}{{ .Arch }}{{ end }}'}]\n", "universal: replace", "fx-darwin-universal", ""},
		{"none", "universal_binaries: []\n", "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tree := fstest.MapFS{
				"go.mod": {Data: []byte("module example.com/fx\n\ngo 1.26\n")}, "main.go": {Data: []byte("package main\n\nfunc main() {}\n")},
				".goreleaser.yaml": {Data: []byte("version: 2\nproject_name: fx\n" + tc.config)},
			}
			r, err := Import(Source{Name: ".goreleaser.yaml", Tree: tree, Module: "example.com/fx", Remote: "fx"})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for l := range strings.Lines(r.Text) {
				if strings.Contains(l, "universal: ") {
					got = strings.TrimSpace(l)
				}
			}
			if got != tc.universal {
				t.Errorf("%q, want %q, in\n%s", got, tc.universal, r.Text)
			}
			var cannot []string
			for _, l := range r.Lines {
				if l.Outcome == Cannot {
					cannot = append(cannot, l.String())
				}
			}
			if (len(cannot) > 0) != (tc.cannot != "") || !strings.Contains(strings.Join(cannot, "\n"), tc.cannot) {
				t.Errorf("%q, want %q", cannot, tc.cannot)
			}
			if tc.file == "" {
				return
			}
			f, err := profiles.Load("mintmark.yaml", []byte(r.Text))
			if err != nil {
				t.Fatal(err)
			}
			p := f.Profiles[slices.IndexFunc(f.Profiles, func(p *profiles.Profile) bool { return len(p.Platforms) > 0 })]
			v := samples()[0].vars()
			v.Version = "1.2.3"
			all := profiles.Platform{OS: "darwin", Arch: fact.AllArchs}
			s, err := p.Expand(all, v)
			if err != nil {
				t.Fatal(err)
			}
			n, err := p.Names(all, v, s, []string{"fx"})
			if err != nil || n.Name != tc.file {
				t.Errorf("%q, %v, want %q, in\n%s", n.Name, err, tc.file, r.Text)
			}
		})
	}
}
