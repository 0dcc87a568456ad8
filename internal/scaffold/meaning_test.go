package scaffold

import (
	"strings"
	"testing"
)

// TestCompilers: what cgo asks for is said wherever the file has it, and wherever the
// file has it not and a program does.
func TestCompilers(t *testing.T) {
	const (
		withC   = "-- go.mod --\nmodule example.com/tool\n\ngo 1.26.0\n-- main.go --\npackage main\n\nimport \"C\"\n"
		named   = "profile release has cgo: true, and names no C compiler for "
		needs   = ". has C code that it cannot do without: "
		goos    = "-- .goreleaser.yaml --\nbuilds:\n  - goos: [linux, windows]\n    goarch: [amd64]\n"
		targets = "-- Makefile --\nbuild:\n\tCGO_ENABLED=1 go build -ldflags '-X main.version=1.0'\n"
	)
	for _, c := range []struct{ name, files, want string }{
		{"nothing of C", tool, ""},
		{"found", withC, needs + "the file has cgo: true and the platform of this machine; others need"},
		{"a Makefile", tool + targets, named + "darwin/amd64, darwin/arm64, linux/arm64, windows/amd64, windows/arm64: that of this machine, which is linux/amd64,"},
		{"a Makefile of what is for this machine", withC + targets, needs + "the file has cgo: true and the platform of this machine; others need"},
		{"GoReleaser", tool + goos + "    env: [CGO_ENABLED=1]\n", named + "windows/amd64: "},
		{"a compiler", tool + goos + "    env: [CGO_ENABLED=1, CC=zig cc]\n", ""},
		{"GoReleaser and C", withC + goos + "    env: [CGO_ENABLED=1]\n", needs + "the file has cgo: true\n" + named + "windows/amd64: "},
		{"without C, which it needs", withC + goos + "    env: [CGO_ENABLED=0]\n", needs + "the file, made of .goreleaser.yaml, has cgo: false, and there is no program; set cgo: true"},
		{"with C for one", withC + goos + "    env: [CGO_ENABLED=0]\n    overrides: [{goos: linux, goarch: amd64, env: [CGO_ENABLED=1]}]\n", needs + "the file has cgo: true for some platforms, and no program for the others"},
	} {
		p := propose(t, Config{Dir: repo(t, c.files)})
		notes := strings.Join(p.Notes, "\n")
		if c.want == "" && notes != "" || !strings.Contains(notes, c.want) || c.want != "" && !strings.HasPrefix(notes, c.want) {
			t.Errorf("%s: notes %q, want %q\n%s", c.name, notes, c.want, p.Files[0].Text)
		}
		if strings.Contains(c.want, named) != strings.Contains(notes, named) || strings.Contains(notes, named) && !strings.Contains(notes, "env: {CC: …} in overrides of profiles.release") {
			t.Errorf("%s: %s", c.name, notes)
		}
	}
}

// TestEmbeddedVersion: what the program takes from a file stays so without a
// configuration that says otherwise, and is said.
func TestEmbeddedVersion(t *testing.T) {
	const program = tool + "-- v.go --\npackage main\n\nimport _ \"embed\"\n\n//go:embed VERSION\nvar version string\n\nvar commit string\n"
	const note = "main.version is embedded from VERSION, and stays so"
	p := propose(t, Config{Dir: repo(t, program)})
	if text := p.Files[0].Text; strings.Contains(text, "main.version") || !strings.Contains(text, "main.commit: ") || !strings.Contains(strings.Join(p.Notes, "\n"), note) {
		t.Errorf("%s\n%s", p.Notes, text)
	}
	p = propose(t, Config{Dir: repo(t, program+"-- Makefile --\nbuild:\n\tgo build -ldflags '-X main.version=1' .\n")})
	if text := p.Files[0].Text; !strings.Contains(text, "main.version: 1") || strings.Contains(strings.Join(p.Notes, "\n"), note) {
		t.Errorf("%s\n%s", p.Notes, text)
	}
}
