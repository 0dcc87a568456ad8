package fact

import (
	"reflect"
	"strings"
	"testing"
)

const smallPlan = `{"project":"p","version":"1","go":"go1.26.8","source":{"kind":"git","module":"m","version":"v1","sum":"h1:x","commit":"c","commit_time":"t"},` +
	`"units":[{"profile":"r","platform":"windows/amd64","mains":[{"package":"m/a","binary":"a"},{"package":"m/b","binary":"b"}],"upx":["--best"],"archive":"zip","name":"n","files":["f"],"later":1}]}`

func TestReadPlan(t *testing.T) {
	p, err := ReadPlan([]byte(smallPlan))
	if err != nil {
		t.Fatal(err)
	}
	want := &PlanShape{Project: "p", Version: "1", Go: "go1.26.8", Source: SourceID{Kind: SourceGit, Module: "m", Version: "v1", Sum: "h1:x", Commit: "c", CommitTime: "t"},
		Units: []UnitShape{{Profile: "r", Platform: "windows/amd64", Mains: []Main{{"m/a", "a"}, {"m/b", "b"}}, Packed: true, Archive: "zip", Name: "n", Files: []string{"f"}}}}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got %+v", p)
	}
	for _, tc := range []struct{ old, new, want string }{
		{`"p"`, `"p","project":"q"`, `has the key "project" twice`},
		{`"name":"n"`, `"name":"n","name":"o"`, `plan: unit 1: has the key "name" twice`},
		{`"name":"n"`, `"NAME":"n"`, "has no name"},
		{`"p"`, `"p","snapshot":false`, "true or not there"},
		{`"p"`, `"p","snapshot":null`, "true or not there"},
		{`["f"]`, `["f",null]`, `files: element 2 is "null", not a text`},
		{`["f"]`, `null`, `files is "null", not a list`},
		{`"commit":"c"`, `"commit":""`, "commit is empty"},
		{`"binary":"a"`, `"binary":1`, `binary is "1", not a text`},
		{`"profile":"r"`, `"profile":"\u001b[2J\n"`, ""},
		{`"later":1}]}`, `"later":1}]} {}`, "after its end"},
		{`"later":1`, `"flags":null`, ""}, // as plans without flags have it
		{`"later":1`, `"flags":["-trimpath","-buildmode=pie"]`, ""},
		{`"later":1`, `"flags":"-buildmode=c-shared"`, "flags is"},
		{`"later":1`, `"flags":["-buildmode=pie","-buildmode=c-shared"]`, "2 build modes; a unit has one"},
	} {
		if !strings.Contains(smallPlan, tc.old) {
			t.Fatalf("no %s", tc.old)
		}
		_, err := ReadPlan([]byte(strings.Replace(smallPlan, tc.old, tc.new, 1)))
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %q", tc.new, err, tc.want)
		}
	}
	for _, bad := range []string{"", "null", "[]", "{", `{"units":[{}]`, `{"a"}`, smallPlan + "}"} {
		if _, err := ReadPlan([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// TestArtifacts: what a unit makes, in all combinations.
func TestArtifacts(t *testing.T) {
	one, two := []Main{{"m/a", "a"}}, []Main{{"m/a", "a"}, {"m/b", "b"}}
	for _, tc := range []struct {
		unit UnitShape
		want string
	}{
		{UnitShape{Mains: one, Archive: NoArchive, Name: "n", Platform: "linux/amd64"}, "linked n*"},
		{UnitShape{Mains: one, Archive: NoArchive, Name: "n", Platform: "windows/amd64"}, "linked n.exe*"},
		{UnitShape{Mains: two, Archive: NoArchive, Name: "n", Platform: "windows/amd64"}, "linked n_a.exe* linked n_b.exe*"},
		{UnitShape{Mains: one, Packed: true, Archive: NoArchive, Name: "n", Platform: "linux/amd64"}, "linked a packed n*<0"},
		{UnitShape{Mains: two, Archive: "zip", Name: "n", Platform: "windows/amd64", Files: []string{"f"}}, "linked a.exe linked b.exe archive n.zip*<0<1[a.exe b.exe f]"},
		{UnitShape{Mains: two, Packed: true, Archive: "zip", Name: "n", Platform: "linux/amd64"}, "linked a packed a<0 linked b packed b<2 archive n.zip*<1<3[a b]"},
		{UnitShape{Mode: CShared, Mains: one, Archive: NoArchive, Name: "n", Platform: "linux/amd64"}, "linked n.so* header n.h*"},
		{UnitShape{Mode: CShared, Mains: one, Archive: "zip", Name: "n", Platform: "windows/amd64", Files: []string{"f"}}, "linked a.dll header a.h archive n.zip*<0<1[a.dll a.h f]"},
		{UnitShape{Mode: CShared, Mains: one, Archive: "zip", Name: "n", Platform: "darwin/arm64"}, "linked a.dylib header a.h archive n.zip*<0<1[a.dylib a.h]"},
		{UnitShape{Mode: CArchive, Mains: one, Archive: "zip", Name: "n", Platform: "windows/amd64"}, "linked a.a header a.h archive n.zip*<0<1[a.a a.h]"},
		{UnitShape{Mode: "pie", Mains: one, Archive: NoArchive, Name: "n", Platform: "windows/amd64"}, "linked n.exe*"},
	} {
		var got []string
		for _, e := range tc.unit.Artifacts() {
			s := string(e.Stage) + " " + e.Name
			if e.Published {
				s += "*"
			}
			for _, i := range e.From {
				s += "<" + string(rune('0'+i))
			}
			if e.Members != nil {
				s += "[" + strings.Join(e.Members, " ") + "]"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%+v: %s, want %s", tc.unit, s, tc.want)
		}
	}
}

// FuzzReadPlan: what is read has at least one unit, each with a main package,
// and makes at least one published artifact per unit.
func FuzzReadPlan(f *testing.F) {
	f.Add([]byte(smallPlan))
	f.Add([]byte(`{"units":[null]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadPlan(data)
		if err != nil {
			return
		}
		if len(p.Units) == 0 {
			t.Error("no units")
		}
		for _, u := range p.Units {
			published := 0
			for _, e := range u.Artifacts() {
				if e.Published {
					published++
				}
			}
			if len(u.Mains) == 0 || published == 0 {
				t.Errorf("%+v publishes nothing", u)
			}
		}
	})
}

func TestKindOf(t *testing.T) {
	for name, want := range map[string]FileKind{
		"release.json": About, "Report.HTML": Report, "ledger.json": Ledger, "measurements.json": Measured, "install.sh": Unknown, "": Unknown,
	} {
		if k := KindOf(name); k != want || (k.NotBuilt() == "") != (want == Unknown) {
			t.Errorf("%s: %s, %q", name, k, k.NotBuilt())
		}
	}
}
