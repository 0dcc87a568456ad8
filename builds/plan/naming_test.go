package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/buildstest"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/profiles"
)

// TestMembers: what is in an archive, and under which name, is what the profile says.
func TestMembers(t *testing.T) {
	files := buildstest.Sample()
	files["docs/deep/y.md"], files["run.sh"] = "y", "x"
	f := newFixture(t, files)
	f.deps = false
	yaml := head + `
main: ./cmd/...
profiles:
  release:
    platforms: [windows/amd64, "linux/arm/7,softfloat"]
    archive: [zip, tar.gz]
    wrap: "{{.Name}}/{{.Summary}}"
    binary: "bin/{{.Binary}}-{{.Major}}"
    files:
      - LICENSE
      - {src: docs/**, dst: "man/{{.OS}}"}
      - {src: "docs/**/*.md", dst: "man/{{.OS}}"}
      - {src: README.md, dst: READ.ME}
      - {src: README.md, dst: copies/}
      - {src: run.sh, mode: 0755}
      - {src: LICENSE, dst: LICENSE}
`
	pl := f.planner(yaml)
	pl.Summary = "v1.2.3"
	plan, err := pl.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range plan.Units {
		for _, e := range u.Shape().Artifacts() {
			if e.Stage != fact.Archived {
				continue
			}
			list := slices.Clone(e.Members)
			for i, mode := range e.Modes {
				list[i] = strings.TrimPrefix(list[i], u.Name+"/v1.2.3/") + mode
			}
			got = append(got, e.Name+": "+strings.Join(list, " "))
		}
	}
	members := func(os, ext string) string {
		return fmt.Sprintf("bin/a-1%[2]s bin/b-1%[2]s LICENSE READ.ME copies/README.md man/%[1]s/deep/y.md man/%[1]s/x.md run.sh0755", os, ext)
	}
	want := []string{
		"fx_1.2.3_linux_arm_7_softfloat.tar.gz: " + members("linux", ""), "fx_1.2.3_linux_arm_7_softfloat.zip: " + members("linux", ""),
		"fx_1.2.3_windows_amd64.tar.gz: " + members("windows", ".exe"), "fx_1.2.3_windows_amd64.zip: " + members("windows", ".exe"),
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestPublishedNames: each program is published under the name that the profile gives it.
func TestPublishedNames(t *testing.T) {
	f := newFixture(t, buildstest.Sample())
	f.deps = false
	for settings, want := range map[string]string{
		"archive: none": "fx_1.2.3_windows_amd64_a.exe fx_1.2.3_windows_amd64_b.exe",
		`archive: none, name: "{{.Binary}}-{{.OS}}"`:                "a-windows.exe b-windows.exe",
		`archive: none, main: ./cmd/b, name: "{{.Binary}}-x"`:       "b-x.exe",
		`main: ./cmd/b, name: "{{.Binary}}-x"`:                      "b-x.tar.gz",
		`main: ./cmd/b, binary: bin/z, name: "{{.Binary}}-x"`:       "b-x.tar.gz",
		`archive: [zip, tar.zst], name: x`:                          "x.tar.zst x.zip",
		`archive: none, name: "{{with .Binary}}{{.}}{{end}}-x"`:     "a-x.exe b-x.exe",
		`name: "{{with .Binary}}{{.}}{{else}}several{{end}}-x"`:     "several-x.tar.gz",
		`archive: none, binary: "x/{{.Binary}}", wrap: "{{.Name}}"`: "fx_1.2.3_windows_amd64_a.exe fx_1.2.3_windows_amd64_b.exe",
	} {
		plan, err := f.plan(head + "main: ./cmd/...\nprofiles:\n  release: {platforms: [windows/amd64], " + settings + "}\n")
		if err != nil {
			t.Errorf("%s: %v", settings, err)
			continue
		}
		if got := strings.Join(plan.Units[0].Published(), " "); got != want {
			t.Errorf("%s: %s, want %s", settings, got, want)
		}
		if err := plan.Check(); err != nil {
			t.Errorf("%s: %v", settings, err)
		}
	}
}

// TestNamesCollide: two things of one name are found before anything is built, each
// with its place.
func TestNamesCollide(t *testing.T) {
	f := newFixture(t, buildstest.Sample())
	f.deps = false
	for settings, want := range map[string]string{
		"binary: tool":                 "m:6:13 example.com/fx/cmd/a and example.com/fx/cmd/b would both be tool in the archive",
		`binary: "{{lower .Project}}"`: "m:6:13 example.com/fx/cmd/a and example.com/fx/cmd/b would both be fx in the archive",
		`binary: '{{if eq .Binary "a"}}x{{else}}x/y{{end}}'`:                                        `m:6:13 "x" is a file and the directory of "x/y"`,
		`name: "{{.Binary}}"`:                                                                       "m:6:11 release: linux/amd64: name: .Binary is no one name here: several programs share the artifact",
		`wrap: "{{.Binary}}"`:                                                                       "m:6:11 release: linux/amd64: wrap: .Binary is no one name here: several programs share the artifact",
		`name: "{{with .Binary}}x{{end}}"` + "\n    archive: none":                                  "m:6:11 release linux/amd64 would publish two files named x",
		`name: '{{if eq .Binary "a"}}a/{{else}}b{{end}}'` + "\n    archive: none":                   `m:6:11 release: linux/amd64: name: the name "a/" contains '/'`,
		"files: [{src: LICENSE, dst: a}]":                                                           "m:6:33 LICENSE would be a in the archive, which is the name of a binary or its header",
		"binary: 'bin/{{.Binary}}'\n    files: [LICENSE, {src: LICENSE, dst: BIN/A}]":               "m:7:42 LICENSE would be BIN/A in the archive, which is the name of a binary or its header",
		"files: [LICENSE, {src: README.md, dst: licence}, {src: docs/x.md, dst: LICENCE}]":          "m:6:76 README.md and docs/x.md would both be LICENCE in the archive",
		"files: [{src: LICENSE, dst: x/}, {src: 'R*', dst: x}, {src: docs/x.md, dst: x/README.md}]": "m:6:81 README.md and docs/x.md would both be x/README.md in the archive",
		"files: [LICENSE, {src: LICENSE, mode: 0755}]":                                              "m:6:28 LICENSE would be in the archive twice, with different modes",
		"files: [LICENSE, {src: README.md, dst: LICENSE/x}]":                                        `m:6:12 "LICENSE" is a file and the directory of "LICENSE/x"`,
		"files: [{src: nothing.md, dst: x}]":                                                        "m:6:19 no file nothing.md in the commit",
		"files: [{src: 'docs', dst: x}]":                                                            "m:6:19 docs is not a file",
	} {
		f.T = t
		file := head + "profiles:\n  release:\n    platforms: [linux/amd64]\n    " + settings + "\n    main: ./cmd/...\n"
		_, err := f.plan(file)
		var ps profiles.Problems
		if !errors.As(err, &ps) {
			t.Errorf("%s: %v, want %s", settings, err, want)
			continue
		}
		var got []string
		for _, p := range ps {
			got = append(got, fmt.Sprintf("m:%d:%d %s", p.Pos.Line, p.Pos.Column, p.Message))
			if p.Hint == "" {
				t.Errorf("%s: no hint: %s", settings, p.Message)
			}
		}
		if s := strings.Join(got, "\n"); s != want {
			t.Errorf("%s:\n%s\nwant %s", settings, s, want)
		}
	}
	// Between profiles and formats.
	for settings, want := range map[string]string{
		"a: {platforms: [linux/amd64], archive: [tar.gz, zip], name: x}\n  b: {platforms: [linux/amd64], archive: none, main: ./cmd/a, name: X.zip}": "a linux/amd64 and b linux/amd64 would both publish X.zip",
		"a: {platforms: [linux/amd64], archive: [tar.gz, zip], name: x}\n  b: {platforms: [linux/amd64], archive: [tar.zst, zip], name: x}":          "a linux/amd64 and b linux/amd64 would both publish x.zip",
		"a: {platforms: [linux/amd64, linux/arm64], archive: none, name: '{{.Binary}}'}":                                                             "a linux/amd64 and a linux/arm64 would both publish a",
	} {
		_, err := f.plan(head + "main: ./cmd/...\nprofiles:\n  " + settings + "\n")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ":6:") && !strings.Contains(err.Error(), ":5:") {
			t.Errorf("%s: %v", settings, err)
		}
	}
}

// TestNamesWithoutArchive: what has no effect is said.
func TestNamesWithoutArchive(t *testing.T) {
	f := newFixture(t, buildstest.Sample())
	f.deps = false
	var got []string
	for _, p := range f.planned("profiles:\n  release:\n    platforms: [linux/amd64, windows/amd64]\n    main: ./cmd/a\n    archive: none\n    wrap: x\n    binary: y\n").Remarks() {
		got = append(got, fmt.Sprintf("%d: %s", p.Pos.Line, p.Message))
	}
	want := []string{"8: wrap has no effect: archive: none publishes the programs alone, under name", "9: binary has no effect: archive: none publishes the programs alone, under name"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
