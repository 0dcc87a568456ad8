package scaffold

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// TestSeveralModules: where the programs are in several modules below, there is no
// profile file, and the hint has the commands for those that are for users.
func TestSeveralModules(t *testing.T) {
	var text strings.Builder
	for _, dir := range []string{"api", "cmd/config", "cmd/old", "big", "examples/x", "hack", "plugin/y", "test/e2e", "zed"} {
		text.WriteString("-- " + dir + "/go.mod --\nmodule example.com/big/" + dir + "\n\ngo 1.26.0\n-- " + dir + "/main.go --\npackage main\n")
	}
	text.WriteString("-- Makefile --\nall:\n\tgo build -ldflags '-X main.version=1' ./big\n")
	tags := "0123456789012345678901234567890123456789 refs/tags/"
	make := func(extra string) string {
		dir := repo(t, text.String()+extra)
		for name, data := range map[string]string{
			"config":      "[remote \"origin\"]\n\turl = https://example.com/x/big.git\n",
			"packed-refs": tags + "cmd/config/v0.9.0\n" + tags + "cmd/config/v0.10.0\n" + tags + "zed/v0.9.5\n" + tags + "hack/v9.0.0\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, ".git", name), []byte(data), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for _, c := range []struct{ extra, want string }{
		{"", "several with programs below it"},
		{"-- go.mod --\nmodule example.com/big\n-- lib.go --\npackage big\n", "has no program, and modules below it have"},
	} {
		dir := make(c.extra)
		t.Chdir(dir)
		p, err := Propose(Config{CI: "github", Host: profiles.Platform{OS: "linux", Arch: "amd64"}})
		if err == nil {
			t.Fatalf("a file for several modules:\n%s", p.Files[0].Text)
		}
		var want []string
		for _, dir := range []string{"big", "cmd/config", "zed", "api", "cmd/old"} {
			want = append(want, "mintmark init -dir="+dir+" -ci=github")
		}
		if got := fault.Hint(err); got != strings.Join(want, "\n") {
			t.Errorf("hint\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "examples/x, hack, plugin/y, test/e2e") || fault.ExitCode(err) != 1 {
			t.Errorf("%d: %v", fault.ExitCode(err), err)
		}
		t.Chdir(filepath.Dir(dir))
		if _, err := Propose(Config{Dir: filepath.Base(dir)}); !strings.HasPrefix(fault.Hint(err), "mintmark init -dir="+filepath.Base(dir)+"/big\n") {
			t.Errorf("from above: %s", fault.Hint(err))
		}
	}
}

// TestToolchain: the file names a toolchain where go.mod names none that can build.
func TestToolchain(t *testing.T) {
	recent := toolchain.Recent(runtime.Version())
	for lines, pinned := range map[string]bool{
		"go 1.16": true, "go 1.20": true, "": true, "go 1.16\n\ntoolchain default": true, "go 1.21": false, "go 1.26.0": false, "go 1.20\n\ntoolchain go1.24.1": false,
	} {
		for _, conf := range []string{"", "-- .goreleaser.yaml --\nversion: 2\n"} {
			p := propose(t, Config{Dir: repo(t, strings.Replace(tool, "go 1.26.0", lines, 1)+conf)})
			f, err := profiles.Load(ProfileFile, []byte(p.Files[0].Text))
			if err != nil {
				t.Fatal(err)
			}
			notes := strings.Join(p.Notes, "\n")
			if pinned && (f.Go != recent || !strings.Contains(notes, "go: "+recent+", since go.mod names ")) || !pinned && (f.Go != "" || notes != "") {
				t.Errorf("%q: go: %q, notes %q", lines, f.Go, notes)
			}
		}
	}
}

// TestCheckedBeforeTagged: what check finds is mended before there is a tag, but
// where the file needs one.
func TestCheckedBeforeTagged(t *testing.T) {
	for makefile, want := range map[string]string{
		"": "mintmark check -version=1.0.0, git tag v1.0.0, mintmark release",
		"-- Makefile --\nall:\n\tgo build -ldflags \"-X main.v=$(shell git describe)\" .\n": "git tag v1.0.0, mintmark check, mintmark release",
	} {
		var steps []string
		for _, s := range propose(t, Config{Dir: repo(t, strings.Replace(tool, "package main\n", "package main\n\nvar v string\n", 1)+makefile)}).Next() {
			steps = append(steps, s.Command)
		}
		if got := strings.Join(steps, ", "); !strings.Contains(got, want) {
			t.Errorf("%s\nin the place of %s", got, want)
		}
	}
	dir := repo(t, tool)
	if err := os.WriteFile(filepath.Join(dir, ".git", "packed-refs"), []byte("0123456789012345678901234567890123456789 refs/tags/release-1.4.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if p := propose(t, Config{Dir: dir}); p.version != "1.4.1" || p.Tag != "release-1.4.1" {
		t.Errorf("%s, %s", p.version, p.Tag)
	}
}

// TestWorkspace: a module that go.work alone finds is none of a release.
func TestWorkspace(t *testing.T) {
	const work = "-- go.work --\ngo 1.26.0\n\nuse (\n\t./app\n\t./lib\n\t./lib/v2\n)\n-- lib/go.mod --\nmodule example.com/lib\n-- lib/v2/go.mod --\nmodule example.com/lib/v2\n-- app/main.go --\npackage main\n-- app/go.mod --\nmodule example.com/app\n\ngo 1.26.0\n\n"
	const note = "go.work is not used: "
	for _, c := range []struct{ require, tag, dir, want string }{
		{"require example.com/other v1.0.0\n", "", "", ""},
		{"require example.com/lib v0.0.0\n", "lib/v0.1.0", "", "app/go.mod requires example.com/lib v0.0.0, which is no tag of this repository (lib/v0.0.0), so that it is found by go.work alone; tag it and require that version, or go mod edit -replace=example.com/lib=../lib"},
		{"require example.com/lib v0.0.0\n", "", "app", "go.mod requires example.com/lib v0.0.0, "},
		{"require example.com/lib v0.1.0\n", "lib/v0.1.0", "", ""},
		{"require example.com/lib/v2 v2.1.0\n", "lib/v2.1.0", "", ""},
		{"require example.com/lib v0.0.0-20260102030405-0123456789ab\n", "", "", ""},
		{"require example.com/lib v0.0.0\n\nreplace example.com/lib => ../lib\n", "", "", ""},
	} {
		dir := repo(t, work+c.require)
		if c.tag != "" {
			name := filepath.Join(dir, ".git", "refs", "tags", filepath.FromSlash(c.tag))
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte("0123\n"), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		notes := propose(t, Config{Dir: filepath.Join(dir, c.dir)}).Notes
		if len(notes) == 0 || !strings.HasPrefix(notes[0], note) {
			t.Errorf("%q: %q", c.require, notes)
			continue
		}
		if rest := strings.Join(notes[1:], "\n"); c.want == "" && rest != "" || !strings.HasPrefix(rest, c.want) {
			t.Errorf("%q with %q: %q, want %q", c.require, c.tag, rest, c.want)
		}
	}
}
