package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// TestLibraryRules: a plan breaks no rule of libraries unseen, whoever made it.
func TestLibraryRules(t *testing.T) {
	unit := func(mode string) *Unit {
		return &Unit{
			Profile: "release", Platform: "linux/amd64", Env: []string{"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED=1", "CC=gcc"},
			Flags: []string{"-trimpath", "-buildvcs=true", "-mod=readonly", "-buildmode=" + mode}, Mains: []fact.Main{{Package: "example.com/fx", Binary: "fx"}},
			Archive: "tar.gz", Name: "fx", Verify: "require",
		}
	}
	for _, tt := range []struct {
		name, mode string
		change     func(*Plan, *Unit)
		want       string // "" for none
	}{
		{"shared", "c-shared", nil, ""},
		{"static", "c-archive", nil, ""},
		{"without cgo", "c-shared", func(_ *Plan, u *Unit) { u.Env[3] = "CGO_ENABLED=0" }, "needs cgo"},
		{"two", "c-archive", func(_ *Plan, u *Unit) { u.Mains = append(u.Mains, fact.Main{Package: "example.com/fx/b", Binary: "b"}) }, "makes one library, and there are 2 main packages"},
		{"packed", "c-shared", func(_ *Plan, u *Unit) { u.UPX = []string{"--best"} }, "is not packed"},
		{"a start-up budget", "c-shared", func(_ *Plan, u *Unit) { u.MaxStartup = 1 }, "has no start-up time"},
		{"WebAssembly", "c-shared", func(_ *Plan, u *Unit) {
			u.Platform, u.Env = "wasip1/wasm", []string{"GOOS=wasip1", "GOARCH=wasm", "GOWASM=", "CGO_ENABLED=1"}
		}, "makes no C library for wasip1/wasm"},
		{"installed", "c-shared", func(p *Plan, u *Unit) {
			p.Source.Kind, u.Flags = fact.SourceModule, []string{"-trimpath", "-buildmode=c-shared"}
		}, "installs programs only"},
		{"static, installed", "c-archive", func(p *Plan, u *Unit) {
			p.Source.Kind, u.Flags = fact.SourceModule, []string{"-trimpath", "-buildmode=c-archive"}
		}, "installs programs only"},
		{"a file named like the header", "c-shared", func(_ *Plan, u *Unit) { u.Files = []string{"fx.h"} }, "fx.h"},
		{"plugin", "plugin", nil, "a plugin loads only into a program that was built with exactly the same packages"},
		{"of Go packages", "shared", nil, "need the standard library in the same form"},
	} {
		p := foreignPlan()
		u := unit(tt.mode)
		p.Units = []*Unit{u}
		if tt.change != nil {
			tt.change(p, u)
		}
		err := p.Check()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestExports: what cgo exports, and nothing else, makes a header.
func TestExports(t *testing.T) {
	for _, tt := range []struct {
		name, source string
		want         bool
	}{
		{"exported", "package main\n\nimport \"C\"\n\n//export F\nfunc F() {}\n", true},
		{"below a text", "package main\n\nimport \"C\"\n\n// F does.\n//\n//export F\nfunc F() {}\n", true},
		{"a blank more", "package main\n\nimport \"C\"\n\n// export F\nfunc F() {}\n", false},
		{"of a variable", "package main\n\nimport \"C\"\n\n//export V\nvar V int\n", false},
		{"above nothing", "package main\n\nimport \"C\"\n\n//export F\n\nfunc F() {}\n", false},
		{"in a text", "package main\n\nimport \"C\"\n\nvar s = `\n//export F\nfunc F() {}`\n", false},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte(tt.source), 0o644); err != nil {
			t.Fatal(err)
		}
		p := &Package{ImportPath: "example.com/fx", Dir: dir, CgoFiles: []string{"a.go"}}
		if got, err := p.exports(); got != tt.want || err != nil {
			t.Errorf("%s: %t, %v", tt.name, got, err)
		}
	}
	p := &Package{ImportPath: "example.com/fx", Dir: t.TempDir(), CgoFiles: []string{"none.go"}}
	if _, err := p.exports(); err == nil {
		t.Error("a file that is not there was read")
	}
}
