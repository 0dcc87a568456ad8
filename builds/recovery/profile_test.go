package recovery

import (
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/goflags"
	"github.com/mintmark/mintmark/profiles"
)

// TestProfileFile: what is written is a profile file, and on the same commit it
// comes to the flags that were found.
func TestProfileFile(t *testing.T) {
	commit := strings.Repeat("0123456789", 4)
	base := Claim{
		Go: "go1.25.5", Package: "example.com/tool/cmd/x", Module: "example.com/tool/v2", Version: "v2.3.4", GOOS: "linux", GOARCH: "arm", Variant: "6",
		Revision: commit, Time: "2026-01-02T03:04:05Z", Trimpath: true, Env: testEnv("CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm", "GOARM=6"),
	}
	for _, tt := range []struct {
		name   string
		change func(c *Claim)
		flags  []string
		want   string // of -ldflags that the profile comes to
		remark string
	}{
		{"plain", func(c *Claim) {}, []string{"-s", "-w"}, "-s -w", ""},
		{"nothing stripped", func(c *Claim) {}, nil, "", ""},
		{"another order", func(c *Claim) {}, []string{"-w", "-s"}, "-s -w", `the binary has "-w -s", this profile spells it "-s -w"`},
		{"-w alone", func(c *Claim) {}, []string{"-w"}, "-w", ""},
		{"values", func(c *Claim) {}, []string{"-s", "-w", "-X", "main.a=" + commit, "-X", "main.b=2.3.4", "-X", "main.c=v2.3.4"}, "-s -w -X main.a=" + commit + " -X main.b=2.3.4 -X main.c=v2.3.4", ""},
		{"odd value", func(c *Claim) {}, []string{"-s", "-w", "-X", "main.a={{.Env.HOME}}"}, "-s -w -X main.a={{.Env.HOME}}", ""},
		{"value with blanks", func(c *Claim) {}, []string{"-s", "-w", "-X", "main.a=b: c # d"}, "-s -w -X 'main.a=b: c # d'", ""},
		{"build ID", func(c *Claim) {}, []string{"-s", "-w", "-buildid="}, "-s -w", "-buildid= is left out"},
		{"extra", func(c *Claim) {}, []string{"-s", "-w", "-checklinkname=0"}, "-s -w -checklinkname=0", ""},
		{"settings", func(c *Claim) {
			c.Tags, c.BuildMode, c.Cgo, c.Trimpath, c.Revision, c.Flags = []string{"b", "a"}, "pie", true, false, "", testFlags("-gcflags=all=-l -B")
			c.Env = append(c.Env, testEnv("GOEXPERIMENT=jsonv2", "GOFIPS140=v1.0.0", "CGO_CFLAGS=-O2")...)
		}, []string{"-s", "-w"}, "-s -w", "tags: mintmark sorts them"},
		{"files", func(c *Claim) { c.Package = "command-line-arguments" }, []string{"-s", "-w"}, "-s -w", "built from named files"},
		{"odd name", func(c *Claim) { c.Module = "example.com/ä: {x}\n" }, []string{"-s", "-w"}, "-s -w", ""},
	} {
		c := base
		c.Env = slices.Clone(base.Env)
		tt.change(&c)
		text, err := profileFile(&Result{Name: "a\nb: [", SHA256: "00", Verdict: "identical"}, &c, tt.flags)
		if err != nil {
			t.Errorf("%s: %v\n%s", tt.name, err, text)
			continue
		}
		if !strings.Contains(text, tt.remark) {
			t.Errorf("%s: no remark %q in\n%s", tt.name, tt.remark, text)
		}
		f, err := profiles.Load("x.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		selected, err := f.Select(nil, nil)
		if err != nil || len(selected) != 1 || len(selected[0].Platforms) != 1 {
			t.Fatalf("%s: %+v, %v", tt.name, selected, err)
		}
		pl := selected[0].Platforms[0]
		s, err := selected[0].Profile.Expand(pl, profiles.Vars{Version: "2.3.4", Tag: "v2.3.4", Commit: commit, ShortCommit: commit[:7], CommitDate: base.Time, CommitTimestamp: "1767323045"})
		if err != nil {
			t.Errorf("%s: %v\n%s", tt.name, err, text)
			continue
		}
		if got := s.LinkerFlags(); got != tt.want || pl.String() != "linux/arm/6" || f.Go != "go1.25.5" || s.CGO != c.Cgo || s.Trimpath != c.Trimpath || s.BuildVCS != (c.Revision != "") || s.BuildMode != c.BuildMode {
			t.Errorf("%s: %q for %s, want %q\n%s", tt.name, got, pl, tt.want, text)
		}
	}
}

func TestMoveTo(t *testing.T) {
	c := Claim{Package: "example.com/x", Module: "example.com/x", GOOS: "linux", GOARCH: "amd64", Variant: "v1", Env: testEnv("CGO_ENABLED=0", "GOARCH=amd64", "GOOS=linux", "GOAMD64=v1")}
	if err := c.moveTo(&gobin.File{Format: gobin.XCOFF, Arch: "ppc64"}); err != nil {
		t.Error(err)
	}
	if c.Platform() != "aix/ppc64" || strings.Join(goflags.Environ(c.Env), " ") != "CGO_ENABLED=0 GOOS=aix GOARCH=ppc64" {
		t.Errorf("%s, %q", c.Platform(), c.Env)
	}
	if err := c.moveTo(&gobin.File{Format: gobin.Wasm, Arch: "wasm"}); err != nil {
		t.Error(err)
	}
	if c.Platform() != "js/wasm" {
		t.Error(c.Platform())
	}
}
