package plan

import (
	"reflect"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// TestPlanShape: who checks a release reads of a plan what who builds it means.
// The keys are spelled in both rooms, and this holds them together.
func TestPlanShape(t *testing.T) {
	plan := &Plan{
		Schema: fact.PlanSchema, Project: "p", Version: "1.0.0", Snapshot: true, Go: "go1.26.8", Env: CommonEnv(),
		Source: fact.SourceID{Kind: "git", Module: "example.com/p", Version: "v1.0.0", Sum: "h1:x", Commit: "c", CommitTime: "2026-01-01T00:00:00Z", Dir: "sub"},
		Units: []*Unit{
			{Profile: "a", Platform: "linux/amd64", Mains: []fact.Main{{Package: "example.com/p", Binary: "p"}}, Archive: "none", Name: "n", Verify: "strict"},
			{Profile: "a", Platform: "linux/arm64", Flags: []string{"-trimpath", "-buildmode=c-shared"}, Mains: []fact.Main{{Package: "example.com/p", Binary: "p"}}, Archive: "zip", Name: "l", Verify: "strict"},
			{Profile: "b", Platform: "windows/arm/7", Mains: []fact.Main{{Package: "example.com/p", Binary: "p"}, {Package: "example.com/p/q", Binary: "q"}}, UPX: []string{"--best"}, Archive: "zip", Name: "m", Files: []string{"LICENSE"}},
			{Profile: "c", Platform: "linux/amd64", Mains: []fact.Main{{Package: "example.com/p", Binary: "p", Path: "bin/q"}}, Archive: "tar.gz", MoreArchives: []string{"tar.zst", "zip"}, Name: "o", Wrap: "w",
				Files: []string{"LICENSE"}, PlacedFiles: []fact.File{{Src: "docs/x", Dst: "man/x"}, {Src: "run", Dst: "run", Mode: "0755"}}},
			{Profile: "d", Platform: "linux/amd64", Mains: []fact.Main{{Package: "example.com/p", Binary: "p", Name: "p1"}, {Package: "example.com/q", Binary: "q", Name: "q1"}}, Archive: "none"},
		},
	}
	data, err := plan.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := fact.ReadPlan(data)
	if err != nil {
		t.Fatal(err)
	}
	want := &fact.PlanShape{
		Project: plan.Project, Version: plan.Version, Go: plan.Go, Snapshot: plan.Snapshot,
		Source: plan.Source,
		Units:  []fact.UnitShape{plan.Units[0].Shape(), plan.Units[1].Shape(), plan.Units[2].Shape(), plan.Units[3].Shape(), plan.Units[4].Shape()},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if u := got.Units[1]; u.Mode != fact.CShared || u.File(u.Mains[0]) != "p.so" {
		t.Errorf("%+v", u)
	}
	if u := got.Units[2]; !u.Packed || len(u.Mains) != 2 || u.Mode.Library() {
		t.Errorf("%+v", u)
	}
}
