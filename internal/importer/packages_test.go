package importer

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mintmark/mintmark/profiles"
)

const nfpmsOf = `version: 2
project_name: greet
builds:
  - goos: [linux, darwin]
    goarch: [amd64, arm64]
nfpms:
  - id: default
    formats: [deb, rpm, termux.deb]
    package_name: greet
    maintainer: Jo Doe <jo@example.org>
    description: |-
      Greets.
      More of it.
    homepage: https://example.org
    license: MIT
    vendor: Acme
    dependencies: [git, "libc6 (>= 2.31)"]
    bindir: /usr/local/bin
    contents:
      - src: init/greet.service
        dst: /usr/lib/systemd/system/greet.service
      - src: docs
        dst: /usr/share/doc/greet
        type: tree
      - dst: /var/lib/greet
        type: dir
        file_info: {mode: 0750}
      - src: /usr/bin/greet
        dst: /usr/bin/hello
        type: symlink
      - src: ./completions/greet.bash
        dst: /etc/bash_completion.d/greet
      - src: greet.conf
        dst: /etc/greet.conf
        type: config
        packager: deb
    scripts:
      postinstall: post.sh
    rpm:
      compression: zstd
`

// TestPackages: what a profile can say of nfpms is in it, and of the rest it is said why
// not.
func TestPackages(t *testing.T) {
	tree := fstest.MapFS{"main.go": {Data: []byte("package main\n")}}
	for _, name := range []string{"init/greet.service", "docs/a.md", "docs/b.md", "greet.conf", "post.sh"} {
		tree[name] = &fstest.MapFile{Data: []byte("x\n")}
	}
	run := func(conf string) *Result {
		tree[".goreleaser.yaml"] = &fstest.MapFile{Data: []byte(conf)}
		r, err := Import(Source{Name: ".goreleaser.yaml", Tree: tree, Module: "example.com/greet"})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := run(nfpmsOf)
	const want = `    packages:
      formats: [deb, rpm]
      name: greet
      bindir: /usr/local/bin
      maintainer: "Jo Doe <jo@example.org>"
      description: "Greets.\nMore of it."
      homepage: "https://example.org"
      license: MIT
      vendor: Acme
      depends: [git, "libc6 (>= 2.31)"]
      contents:
        - {src: init/greet.service, dst: /usr/lib/systemd/system/greet.service}
        - {src: "docs/**", dst: /usr/share/doc/greet/}
        - {type: dir, dst: /var/lib/greet, mode: "0750"}
        - {type: symlink, src: /usr/bin/greet, dst: /usr/bin/hello}
      scripts:
        postinstall: post.sh
`
	if !strings.Contains(r.Text, want) {
		t.Errorf("got\n%s\nwant in it\n%s", r.Text, want)
	}
	outcome := func(r *Result, key string) Line {
		for _, l := range r.Lines {
			if l.Key == key {
				return l
			}
		}
		return Line{}
	}
	for key, want := range map[string]Outcome{
		"nfpms[0].id": Default, "nfpms[0].formats": Cannot, "nfpms[0].maintainer": Kept, "nfpms[0].contents[0].src": Kept, "nfpms[0].contents[2].file_info": Kept,
		"nfpms[0].contents[4].src": Cannot, "nfpms[0].contents[5].packager": Cannot, "nfpms[0].scripts.postinstall": Kept, "nfpms[0].rpm": Cannot,
	} {
		if got := outcome(r, key); got.Outcome != want {
			t.Errorf("%s: %+v, want %s", key, got, want)
		}
	}
	r = run(strings.Replace(nfpmsOf, "    license: MIT\n", "", 1))
	if !strings.Contains(r.Text, "formats: [deb]\n") {
		t.Errorf("an RPM package without a license: %s", r.Text)
	}
	r = run(strings.Replace(nfpmsOf, "description: |-\n      Greets.\n      More of it.\n", "description: \"\"\n", 1))
	if got := outcome(r, "nfpms[0].contents"); strings.Contains(r.Text, "packages:") || got.Outcome != Cannot || got.Text != "no packages are made: a package needs a description" {
		t.Errorf("without a description: %+v\n%s", got, r.Text)
	}
	r = run(nfpmsOf + "  - formats: [apk]\n    description: another\n")
	if got := outcome(r, "nfpms[1]"); got.Outcome == Kept || strings.Count(r.Text, "packages:") != 1 {
		t.Errorf("a second one: %+v\n%s", got, r.Text)
	}
}

// TestPackagesOnce: of targets that a format calls alike one has a package of it.
func TestPackagesOnce(t *testing.T) {
	conf := "version: 2\nproject_name: greet\nbuilds:\n  - goos: [darwin, linux]\n    goarch: [amd64, arm, mips]\n    goarm: [5, 6, 7]\n" +
		"nfpms:\n  - formats: [deb, rpm, apk]\n    maintainer: GitHub\n    description: Greets.\n    license: MIT\n"
	tree := fstest.MapFS{"main.go": {Data: []byte("package main\n")}, ".goreleaser.yaml": {Data: []byte(conf)}}
	r, err := Import(Source{Name: ".goreleaser.yaml", Tree: tree, Module: "example.com/greet"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := profiles.Load("mintmark.yaml", []byte(r.Text))
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Text)
	}
	want := map[string]string{
		"darwin/amd64": "apk deb rpm", "linux/mips/hardfloat": "apk deb rpm", "linux/amd64": "apk deb rpm", "linux/arm/5": "apk deb rpm", // none is made where a format has none
		"linux/arm/6": "apk rpm", "linux/arm/7": "apk deb rpm",
	}
	for _, p := range f.Profiles {
		for _, at := range p.Platforms {
			if got := strings.Join(p.Settings(at).Packages.Formats, " "); got != want[at.String()] {
				t.Errorf("%s: %q, want %q\n%s", at, got, want[at.String()], r.Text)
			}
			delete(want, at.String())
		}
	}
	if len(want) > 0 {
		t.Errorf("no %v\n%s", want, r.Text)
	}
}
