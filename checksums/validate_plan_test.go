package checksums

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fact"
)

// TestManifestAgainstPlan: what is published and what would be built again are
// the same things, whichever of the two somebody has altered.
func TestManifestAgainstPlan(t *testing.T) {
	plan := func(old, new string) func(*Manifest) {
		return func(m *Manifest) {
			s := string(m.Plan)
			if !strings.Contains(s, old) {
				t.Fatalf("no %s in the plan", old)
			}
			m.setPlan(strings.Replace(s, old, new, 1))
		}
	}
	units := func(list string) func(*Manifest) {
		return func(m *Manifest) {
			s := string(m.Plan)
			m.setPlan(s[:strings.Index(s, `"units": `)] + `"units": ` + list + "}")
		}
	}
	const router = `{"profile": "router", "platform": "linux/arm/5", "mains": [{"package": "example.com/Demo", "binary": "demo"}], "upx": ["--best"],` +
		`"archive": "none", "name": "demo_router"}`
	more := func(change func(*Artifact), of int) func(*Manifest) {
		return func(m *Manifest) {
			a := m.Artifacts[of]
			change(&a)
			m.Artifacts = append(m.Artifacts, a)
		}
	}
	for _, tc := range []struct {
		name   string
		change func(*Manifest)
		want   []string // each a part of an error
	}{
		{"an artifact of a platform without a unit", more(func(a *Artifact) { a.Platform, a.Name, a.Published = "linux/arm64", "evil", true }, 2),
			[]string{"artifact release linux/arm64 linked evil: the plan has no unit of that profile and platform"}},
		{"an artifact of a profile without a unit", more(func(a *Artifact) { a.Profile = "other" }, 2),
			[]string{"artifact other linux/amd64 linked demo: the plan has no unit"}},
		{"another stage", more(func(a *Artifact) { a.Stage, a.Name, a.Published = "installer", "setup", true }, 2),
			[]string{`stage: is "installer"; want linked, header, packed, universal, archive`, "installer setup: the plan's unit makes no such artifact"}},
		{"an archive of a unit without one", more(func(a *Artifact) { a.Profile, a.Platform = "router", "linux/arm/5" }, 3),
			[]string{"artifact router linux/arm/5 archive demo_1.2.3_linux_amd64.tar.gz: the plan's unit makes no such artifact"}},
		{"packed without UPX", plan(`"upx": ["--best"],`, ""),
			[]string{"artifact router linux/arm/5 packed demo_router: the plan's unit makes no such artifact",
				"artifact router linux/arm/5 linked demo_router: the plan makes it, and it is not in the manifest"}},
		{"an archive that the plan lacks", plan(`"archive": "tar.gz"`, `"archive": "none"`),
			[]string{"archive demo_1.2.3_linux_amd64.tar.gz: the plan's unit makes no such artifact", "linked demo_1.2.3_linux_amd64: the plan makes it"}},
		{"a library without its header", plan(`"archive": "none"`, `"flags": ["-buildmode=c-shared"], "archive": "none"`),
			[]string{"artifact router linux/arm/5 header demo_router.h: the plan makes it, and it is not in the manifest"}},
		{"a header of a program", more(func(a *Artifact) { a.Stage, a.Name, a.Package = fact.Header, "demo.h", "" }, 2),
			[]string{"artifact release linux/amd64 header demo.h: the plan's unit makes no such artifact"}},
		{"another format", plan(`"archive": "tar.gz"`, `"archive": "zip"`), []string{"archive demo_1.2.3_linux_amd64.zip: the plan makes it"}},
		{"no units", units("[]"), []string{"plan: has no units"}},
		{"units null", units("null"), []string{"units is \"null\", not a list", "plan: has no units"}},
		{"units an object", units("{}"), []string{"not a list"}},
		{"a unit null", units("[null]"), []string{"plan: unit 1: is not a JSON object"}},
		{"no key units", plan(`"units":`, `"Units":`), []string{"plan: has no units"}},
		{"a unit without artifacts", func(m *Manifest) { m.Artifacts = m.Artifacts[:2] },
			[]string{"artifact release linux/amd64 linked demo: the plan makes it", "artifact release linux/amd64 archive demo_1.2.3_linux_amd64.tar.gz: the plan makes it"}},
		{"a stage missing", func(m *Manifest) { m.Artifacts = append(m.Artifacts[:1:1], m.Artifacts[2:]...) },
			[]string{"artifact router linux/arm/5 linked demo: the plan makes it"}},
		{"a unit twice", units("[" + router + "," + router + "]"), []string{"router linux/arm/5 is there twice"}},
		{"a unit without mains", plan(`[{"package": "example.com/Demo", "binary": "demo"}]`, "[]"), []string{"plan: unit 1, release linux/amd64: has no main packages"}},
		{"mains null", plan(`[{"package": "example.com/Demo", "binary": "demo"}]`, "null"), []string{"mains is \"null\", not a list"}},
		{"a main more", plan(`"binary": "demo"}]`, `"binary": "demo"}, {"package": "example.com/Demo/x", "binary": "x"}]`),
			[]string{"artifact release linux/amd64 linked x: the plan makes it", `by the plan it holds "x"`}},
		{"two mains of one binary", plan(`"binary": "demo"}]`, `"binary": "demo"}, {"package": "example.com/Demo/x", "binary": "demo"}]`),
			[]string{`release linux/amd64 would make two artifacts linked named "demo"`}},
		{"a main twice", plan(`"binary": "demo"}]`, `"binary": "demo"}, {"package": "example.com/Demo", "binary": "x"}]`), []string{"example.com/Demo is there twice"}},
		{"no flags for UPX", plan(`["--best"]`, "[]"), []string{"upx has no flags"}},
		{"UPX null", plan(`["--best"]`, "null"), []string{"upx is \"null\", not a list", "upx has no flags"}},
		{"an archive that is null", plan(`"archive": "none"`, `"archive": null`), []string{"archive is \"null\", not a text"}},
		{"no name", plan(`"name": "demo_router"`, `"name": ""`), []string{"router linux/arm/5: name is empty"}},
		{"another name", plan(`"name": "demo_router"`, `"name": "demo"`),
			[]string{"packed demo_router: the plan's unit makes no such artifact", "packed demo: the plan makes it"}},
		{"the linked one published", func(m *Manifest) { m.Artifacts[2].Published = true }, []string{"linked demo: published is true; by the plan it is false"}},
		{"the packed one not published", func(m *Manifest) { m.Artifacts[0].Published = false }, []string{"packed demo_router: published is false; by the plan it is true"}},
		{"another package", func(m *Manifest) { m.Artifacts[1].Package = "example.com/other" }, []string{`is of package "example.com/other"; by the plan it is of "example.com/Demo"`}},
		{"packed from another unit's", func(m *Manifest) { m.Artifacts[0].From = m.Artifacts[3].From }, []string{"packed demo_router: is made from"}},
		{"a member more", func(m *Manifest) {
			a := &m.Artifacts[3]
			a.Members = append(a.Members, Member{Name: "install.sh", SHA256: hexA, Mode: "0755"})
		}, []string{"member install.sh: by the plan it does not hold it"}},
		{"a member less", func(m *Manifest) { m.Artifacts[3].Members = m.Artifacts[3].Members[1:] }, []string{`by the plan it holds "README.md"`}},
		{"members changed about", func(m *Manifest) {
			a := &m.Artifacts[3]
			a.Members[0].SHA256, a.Members[1].SHA256 = a.Members[1].SHA256, a.Members[0].SHA256
		}, []string{"member demo: has digest"}},
		{"a directory around the files", plan(`"archive": "tar.gz"`, `"archive": "tar.gz", "wrap": "w"`), []string{`by the plan it holds "w/demo"`, "member demo: by the plan it does not hold it"}},
		{"another path of the binary", plan(`"binary": "demo"}]`, `"binary": "demo", "path": "bin/demo"}]`), []string{`by the plan it holds "bin/demo"`, "member demo: by the plan it does not hold it"}},
		{"a format more", plan(`"archive": "tar.gz"`, `"archive": "tar.gz", "more_archives": ["zip"]`), []string{"archive demo_1.2.3_linux_amd64.zip: the plan makes it"}},
		{"a format twice", plan(`"archive": "tar.gz"`, `"archive": "tar.gz", "more_archives": ["tar.gz"]`), []string{"would make two artifacts archive named"}},
		{"formats of bare binaries", plan(`"archive": "none"`, `"archive": "none", "more_archives": ["zip"]`), []string{"more_archives of no archive"}},
		{"a file more", plan(`"archive": "tar.gz"`, `"archive": "tar.gz", "placed_files": [{"src": "a", "dst": "b"}]`), []string{`by the plan it holds "b"`}},
		{"another mode", func(m *Manifest) {
			plan(`"files": ["README.md"]`, `"placed_files": [{"src": "README.md", "dst": "README.md", "mode": "0755"}]`)(m)
		}, []string{"member README.md: has mode 0644; by the plan it has 0755"}},
		{"another project", plan(`"project": "demo"`, `"project": "other"`), []string{`the project is "other" in the plan and "demo" in the manifest`}},
		{"another version", plan(`"version": "1.2.3"`, `"version": "9.9.9"`), []string{`the version is "9.9.9" in the plan`}},
		{"another toolchain", plan(`"go1.26.8"`, `"go1.25.0"`), []string{`the toolchain is "go1.25.0" in the plan`}},
		{"another commit", plan(commit('a'), commit('c')), []string{"the commit is"}},
		{"another h1", plan(h1A, h1B), []string{"the source's h1 is"}},
		{"of a snapshot", plan(`"project"`, `"snapshot": true, "project"`), []string{"plan: is that of a snapshot"}},
		{"no source", plan(`"source"`, `"sauce"`), []string{"plan: has no source"}},
		{"no plan to speak of", func(m *Manifest) { m.setPlan("{}") }, []string{"plan: has no project", "plan: has no units"}},
		{"a name that a page has", func(m *Manifest) { m.Artifacts[0].Name = "Report.html" }, []string{"belongs to a file about the release"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := testManifest()
			tc.change(m)
			err := m.Validate()
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in\n%v", want, err)
				}
			}
		})
	}
	if err := testManifest().Validate(); err != nil {
		t.Errorf("the release itself: %v", err)
	}
}

// TestManifestOfManyUnits: a plan of many units is read in a moment.
func TestManifestOfManyUnits(t *testing.T) {
	m := testManifest()
	var plan map[string]any
	if err := json.Unmarshal(m.Plan, &plan); err != nil {
		t.Fatal(err)
	}
	unit := plan["units"].([]any)[1].(map[string]any)
	var units []any
	for i := range 20000 {
		u := map[string]any{"profile": "p" + strings.Repeat("x", i%100), "platform": "linux/" + strings.Repeat("y", i/100)}
		for k, v := range unit {
			if u[k] == nil {
				u[k] = v
			}
		}
		units = append(units, u)
	}
	plan["units"] = units
	data, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	m.setPlan(string(data))
	if err := m.Validate(); err == nil {
		t.Error("accepted")
	}
}
