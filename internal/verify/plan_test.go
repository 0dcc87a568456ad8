package verify

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// TestReadPlan: what a signed plan breaks is refused with its exit code; a plan
// of another version of mintmark is not known to be wrong.
func TestReadPlan(t *testing.T) {
	good := func() *plan.Plan {
		return &plan.Plan{
			Schema: fact.PlanSchema, Project: "fx", Version: "1.2.3", Go: "go1.26.8", Env: plan.CommonEnv(),
			Source: fact.SourceID{Kind: "git", Module: "example.com/fx", Version: "v1.2.3", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Commit: strings.Repeat("a", 40), CommitTime: "2026-01-02T03:04:05Z"},
			Units: []*plan.Unit{{
				Profile: "release", Platform: "linux/amd64", Env: []string{"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED=0"},
				Flags: []string{"-trimpath", "-buildvcs=true", "-mod=readonly"}, Mains: []fact.Main{{Package: "example.com/fx", Binary: "fx"}},
				Archive: "tar.gz", Name: "fx_1.2.3_linux_amd64", Verify: "require",
			}},
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*plan.Plan, *checksums.Manifest)
		code   int
		want   []string
	}{
		{"good", func(*plan.Plan, *checksums.Manifest) {}, 0, nil},
		{"no mains", func(p *plan.Plan, _ *checksums.Manifest) { p.Units[0].Mains = []fact.Main{} }, fault.Refused, []string{"release.json: release linux/amd64: no main package"}},
		{"blank first", func(p *plan.Plan, _ *checksums.Manifest) {
			p.Units[0].Flags = append(p.Units[0].Flags, "-gcflags= -cpuprofile=-d=/../../x/y")
		}, fault.Refused, []string{"release.json: release linux/amd64: the flags", "not in the form in which mintmark writes them"}},
		{"cpu profile", func(p *plan.Plan, _ *checksums.Manifest) {
			p.Units[0].Flags = append(p.Units[0].Flags, "-gcflags=-cpuprofile=x")
		}, fault.Refused, []string{"release.json: release linux/amd64: flag", "compile -cpuprofile is none of the flags known"}},
		{"two things", func(p *plan.Plan, _ *checksums.Manifest) { p.Units[0].Name, p.Go = "../x", "latest" }, fault.Refused, []string{"the name \"../x\" begins with", "toolchain"}},
		{"schema", func(p *plan.Plan, _ *checksums.Manifest) { p.Schema = "x" }, fault.Failed, []string{"another schema"}},
		{"environment", func(p *plan.Plan, _ *checksums.Manifest) { p.Env = nil }, fault.Failed, []string{"another build environment"}},
	} {
		p := good()
		m := &checksums.Manifest{Project: p.Project, Version: p.Version}
		m.Toolchain.Version = p.Go
		m.Source = checksums.Source{Kind: p.Source.Kind, Module: p.Source.Module, Version: p.Source.Version, Sum: p.Source.Sum, Commit: p.Source.Commit, CommitTime: p.Source.CommitTime}
		tt.change(p, m)
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		m.Plan = bytes.TrimSuffix(data, []byte("\n"))
		_, err = readPlan(m)
		if got := fault.ExitCode(err); got != tt.code {
			t.Errorf("%s: exit code %d, want %d: %v", tt.name, got, tt.code, err)
		}
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %q", tt.name, err, want)
			}
		}
	}
}
