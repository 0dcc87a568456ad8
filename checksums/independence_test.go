package checksums

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// apart are entries for both units of testManifest, out of order.
func apart(amd64, arm fact.Independence) []UnitIndependence {
	return []UnitIndependence{
		{Profile: "router", Platform: "linux/arm/5", Independence: arm, Systems: []string{"windows/amd64", "linux/amd64"}},
		{Profile: "release", Platform: "linux/amd64", Independence: amd64},
	}
}

// TestIndependenceRoundTrip: how far builds were apart has one spelling, in the manifest
// as in the record, and a rebuilder's statement says it of the rebuilder's own builds.
func TestIndependenceRoundTrip(t *testing.T) {
	r := newRelease()
	r.m.Rebuild.Independence = apart(fact.OneMachine, fact.TwoMachines)
	data, err := r.m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseManifest(data)
	if err != nil {
		t.Fatal(err)
	}
	want := []UnitIndependence{
		{Profile: "release", Platform: "linux/amd64", Independence: fact.OneMachine},
		{Profile: "router", Platform: "linux/arm/5", Independence: fact.TwoMachines, Systems: []string{"linux/amd64", "windows/amd64"}},
	}
	if !reflect.DeepEqual(m.Rebuild.Independence, want) {
		t.Errorf("%+v", m.Rebuild.Independence)
	}
	if r.m.Rebuild.Independence[0].Systems[0] != "windows/amd64" {
		t.Error("Encode changed the manifest")
	}
	slices.Reverse(r.m.Rebuild.Independence)
	slices.Reverse(r.m.Rebuild.Independence[1].Systems)
	if again, err := r.m.Encode(); err != nil || !bytes.Equal(again, data) {
		t.Errorf("another order gives other bytes (%v)", err)
	}
	st, err := NewStatement(r.m, testFiles(r.m))
	if err != nil {
		t.Fatal(err)
	}
	if got := st.Predicate.BuildDefinition.InternalParameters.Rebuild.Independence; !reflect.DeepEqual(got, want) {
		t.Errorf("the record says %+v", got)
	}
	a := m.Artifacts[0]
	rebuilt := []RebuiltArtifact{{Profile: a.Profile, Platform: a.Platform, Stage: a.Stage, Name: a.Name, SHA256: a.SHA256, Rebuilt: a.SHA256, Verdict: fact.Identical}}
	how := Rebuild{Executions: 2, Independence: want[:1]} // of a part of the plan
	st, err = NewRebuildStatement(m, files.DigestBytes(data), m.Toolchain, m.Builder, rebuilt, how)
	if err != nil {
		t.Fatal(err)
	}
	if got := st.Predicate.BuildDefinition.InternalParameters.Rebuild.Independence; !reflect.DeepEqual(got, want[:1]) {
		t.Errorf("the statement says %+v", got)
	}
	how.Independence = apart("three machines", fact.OneMachine)
	if _, err = NewRebuildStatement(m, files.DigestBytes(data), m.Toolchain, m.Builder, rebuilt, how); err == nil {
		t.Error("a statement with a word of its own")
	}
}

// TestIndependenceRules: all units are there, once, or none, in words that there are.
func TestIndependenceRules(t *testing.T) {
	unchecked := func(m *Manifest) {
		for i := range m.Artifacts {
			m.Artifacts[i].Verdict, m.Artifacts[i].Reason = fact.Unchecked, "x"
		}
	}
	for _, tt := range []struct {
		name, want string // "" is none
		change     func(m *Manifest)
	}{
		{"not recorded", "", func(m *Manifest) { m.Rebuild.Independence = nil }},
		{"all", "", func(m *Manifest) {}},
		{"a unit is missing", "router linux/arm/5: is missing", func(m *Manifest) { m.Rebuild.Independence = m.Rebuild.Independence[1:] }},
		{"a unit twice", "is there twice", func(m *Manifest) { m.Rebuild.Independence = append(m.Rebuild.Independence, m.Rebuild.Independence[0]) }},
		{"a unit of no plan", "the plan has no unit", func(m *Manifest) {
			m.Rebuild.Independence = append(m.Rebuild.Independence, UnitIndependence{Profile: "release", Platform: "linux/386", Independence: fact.OneMachine})
		}},
		{"another word", `is "three machines"`, func(m *Manifest) { m.Rebuild.Independence[0].Independence = "three machines" }},
		{"no word", `is ""`, func(m *Manifest) { m.Rebuild.Independence[0].Independence = "" }},
		{"built once", "independence after 1 execution", func(m *Manifest) { unchecked(m); m.Rebuild.Executions = 1 }},
		{"unproven and identical", "unproven, and release/linux/amd64/linked/demo is called identical", func(m *Manifest) { m.Rebuild.Independence[1].Independence = fact.Unproven }},
		{"unproven and unchecked", "", func(m *Manifest) { unchecked(m); m.Rebuild.Independence[1].Independence = fact.Unproven }},
		{"one system", "one system", func(m *Manifest) { m.Rebuild.Independence[1].Systems = []string{"linux/amd64"} }},
		{"a system twice", "is there twice", func(m *Manifest) { m.Rebuild.Independence[1].Systems = []string{"linux/amd64", "linux/amd64"} }},
		{"a host's name", "want GOOS/GOARCH", func(m *Manifest) { m.Rebuild.Independence[1].Systems = []string{"linux/amd64", "build.example.com"} }},
	} {
		m := testManifest()
		m.Rebuild.Independence = apart(fact.OneMachine, fact.TwoMachines)
		tt.change(m)
		err := m.Validate()
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestDemandMachines: two machines can be demanded of every unit that is looked at, and
// what does not say that it was built so is refused.
func TestDemandMachines(t *testing.T) {
	s := newSigner(t)
	release := func(list []UnitIndependence) string {
		r := newRelease()
		r.m.Rebuild.Independence = list
		return r.write(t, s)
	}
	before, mixed, two := release(nil), release(apart(fact.TwoMachines, fact.OneMachine)), release(apart(fact.TwoMachines, fact.TwoMachines))
	for _, tt := range []struct {
		name, dir, file string
		only            []string // files that are there; nil: all
		refused         string   // "" is accepted
		units           int
	}{
		{"all", two, "", nil, "", 2},
		{"one unit not", mixed, "", nil, "router linux/arm/5: two places on one machine; two machines are demanded", 2},
		{"not recorded", before, "", nil, "does not say on how many machines", 0},
		{"a file of a unit", mixed, oneFile, nil, "", 1},
		{"a file of another unit", mixed, "demo_router", nil, "router linux/arm/5: two places", 1},
		{"a file without a manifest", two, oneFile, []string{oneFile, ChecksumsFile, ChecksumsBundle}, "nothing here says on how many machines", 0},
	} {
		dir := tt.dir
		if tt.only != nil {
			dir = keep(t, dir, tt.only...)
		}
		check := func(cfg VerifyConfig) (*Verification, error) {
			if tt.file == "" {
				return VerifyRelease(t.Context(), dir, cfg)
			}
			return VerifyFile(t.Context(), dir+"/"+tt.file, dir, fact.DefaultList(), cfg)
		}
		if v, err := check(VerifyConfig{Trust: s.Trust()}); err != nil || len(v.Independence) != tt.units {
			t.Errorf("%s, not demanded: %+v, %v", tt.name, v.Independence, err)
		}
		v, err := check(VerifyConfig{Trust: s.Trust(), Machines: 2})
		if (err != nil) != (tt.refused != "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.refused)
		}
		if err == nil && !v.Checks.All(fact.Machines) {
			t.Errorf("%s: not all checked: %+v", tt.name, v.Checks.Answers())
		}
	}
	other := t.TempDir()
	put(t, other, "tool.tar.gz", []byte("x"))
	put(t, other, ChecksumsFile, []byte(files.DigestBytes([]byte("x"))+"  tool.tar.gz\n"))
	l, err := Look(other, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyOther(t.Context(), other, "", l, VerifyConfig{AllowUnsigned: true, Machines: 2}); err == nil || !strings.Contains(err.Error(), "on how many machines") {
		t.Errorf("another tool's release: %v", err)
	}
}
