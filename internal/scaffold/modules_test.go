package scaffold

import (
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
