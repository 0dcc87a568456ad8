package fact

import (
	"reflect"
	"slices"
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
		Units: []UnitShape{{Profile: "r", Platform: "windows/amd64", Mains: []Main{{Package: "m/a", Binary: "a"}, {Package: "m/b", Binary: "b"}}, Packed: true, Archives: []string{"zip"}, Name: "n", Files: []File{{Src: "f", Dst: "f"}}}}}
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
		{`"later":1`, `"more_archives":null`, "more_archives is"},
		{`"later":1`, `"wrap":""`, "wrap is empty"},
		{`"later":1`, `"wrap":"w","more_archives":["tar.gz"],"placed_files":[{"src":"a","dst":"b","mode":"0755"}]`, ""},
		{`"later":1`, `"placed_files":[{"src":"a","dst":null}]`, "placed file 1: dst is"},
		{`"later":1`, `"placed_files":[{"src":"a","dst":"b","mode":""}]`, "mode is empty"},
		{`"archive":"zip"`, `"archive":"none","more_archives":["zip"]`, "more_archives of no archive"},
		{`"name":"n"`, `"name":""`, "name is empty"},
		{`"binary":"a"`, `"binary":"a","name":""`, "main 1: name is empty"},
		{`"binary":"a"`, `"binary":"a","path":1`, "main 1: path is"},
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
	own := strings.NewReplacer(`"binary":"a"`, `"binary":"a","name":"x"`, `"archive":"zip","name":"n"`, `"archive":"none","name":""`).Replace(smallPlan)
	if _, err := ReadPlan([]byte(own)); err == nil || !strings.Contains(err.Error(), "name is empty") {
		t.Errorf("one of two programs has a name: %v", err)
	}
	own = strings.Replace(own, `"binary":"b"`, `"binary":"b","name":"y"`, 1)
	if p, err := ReadPlan([]byte(own)); err != nil || p.Units[0].Name != "" || p.Units[0].Mains[1].Name != "y" {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []string{"", "null", "[]", "{", `{"units":[{}]`, `{"a"}`, smallPlan + "}"} {
		if _, err := ReadPlan([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// TestArtifacts: what a unit makes, in all combinations.
func TestArtifacts(t *testing.T) {
	one, two := []Main{{Package: "m/a", Binary: "a"}}, []Main{{Package: "m/a", Binary: "a"}, {Package: "m/b", Binary: "b"}}
	placed, named := slices.Clone(two), slices.Clone(two)
	placed[0].Path, placed[1].Path = "bin/tool", "sbin/b"
	named[0].Name, named[1].Name = "a_1.0", "b_1.0"
	files := []File{{Src: "f", Dst: "f"}}
	moved := append(files, File{Src: "docs/x", Dst: "man/x", Mode: "0755"})
	zip, both := []string{"zip"}, []string{"tar.gz", "zip"}
	for _, tc := range []struct {
		unit UnitShape
		want string
	}{
		{UnitShape{Mains: one, Name: "n", Platform: "linux/amd64"}, "linked n*"},
		{UnitShape{Mains: one, Name: "n", Platform: "windows/amd64"}, "linked n.exe*"},
		{UnitShape{Mains: two, Name: "n", Platform: "windows/amd64"}, "linked n_a.exe* linked n_b.exe*"},
		{UnitShape{Mains: one, Packed: true, Name: "n", Platform: "linux/amd64"}, "linked a packed n*<0"},
		{UnitShape{Mains: two, Archives: zip, Name: "n", Platform: "windows/amd64", Files: files}, "linked a.exe linked b.exe archive n.zip*<0<1[a.exe b.exe f]"},
		{UnitShape{Mains: two, Packed: true, Archives: zip, Name: "n", Platform: "linux/amd64"}, "linked a packed a<0 linked b packed b<2 archive n.zip*<1<3[a b]"},
		{UnitShape{Mode: CShared, Mains: one, Name: "n", Platform: "linux/amd64"}, "linked n.so* header n.h*"},
		{UnitShape{Mode: CShared, Mains: one, Archives: zip, Name: "n", Platform: "windows/amd64", Files: files}, "linked a.dll header a.h archive n.zip*<0<1[a.dll a.h f]"},
		{UnitShape{Mode: CShared, Mains: one, Archives: zip, Name: "n", Platform: "darwin/arm64"}, "linked a.dylib header a.h archive n.zip*<0<1[a.dylib a.h]"},
		{UnitShape{Mode: CArchive, Mains: one, Archives: zip, Name: "n", Platform: "windows/amd64"}, "linked a.a header a.h archive n.zip*<0<1[a.a a.h]"},
		{UnitShape{Mains: placed, Archives: zip, Name: "n", Wrap: "n-1.0", Platform: "windows/amd64", Files: moved},
			"linked a.exe linked b.exe archive n.zip*<0<1[n-1.0/bin/tool.exe n-1.0/sbin/b.exe n-1.0/f n-1.0/man/x:0755]"},
		{UnitShape{Mains: one, Packed: true, Archives: both, Name: "n", Platform: "linux/amd64"}, "linked a packed a<0 archive n.tar.gz*<1[a] archive n.zip*<1[a]"},
		{UnitShape{Mains: named, Platform: "windows/amd64"}, "linked a_1.0.exe* linked b_1.0.exe*"},
		{UnitShape{Mode: CShared, Mains: placed[:1], Archives: zip, Name: "n", Platform: "linux/amd64"}, "linked tool.so header tool.h archive n.zip*<0<1[bin/tool.so bin/tool.h]"},
		{UnitShape{Mode: CShared, Mains: placed[:1], Name: "n", Platform: "linux/amd64"}, "linked n.so* header n.h*"},
		{UnitShape{Mode: "pie", Mains: one, Name: "n", Platform: "windows/amd64"}, "linked n.exe*"},
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
				list := slices.Clone(e.Members)
				for i, mode := range e.Modes {
					if mode != "" {
						list[i] += ":" + mode
					}
				}
				s += "[" + strings.Join(list, " ") + "]"
			}
			if e.Format != "" && e.Name != tc.unit.Name+"."+e.Format {
				t.Errorf("%s is %s", e.Name, e.Format)
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
		"sbom.cdx.json": Bill, "tool.tar.gz.CDX.json": Bill, "tool.spdx.json": Bill, ".cdx.json": Unknown, "tool.json": Unknown,
	} {
		if k := KindOf(name); k != want || (k.NotBuilt() == "" && k.Again() == "") != (want == Unknown) {
			t.Errorf("%s: %s, %q, %q", name, k, k.NotBuilt(), k.Again())
		}
	}
}
