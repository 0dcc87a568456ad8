package profiles

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/fault"
)

const family = `version: 1
project: tool
main: ./cmd/tool
profiles:
  child:                       # before its parent: the order does not matter
    inherit: base
    tags: []
    ldflags:
      set: {main.b: child, main.c: child}
    env: {B: child}
    platforms: [linux/amd64, linux/arm64, windows/amd64]
    overrides:
      - platforms: [linux]
        archive: tar.zst
        env: {B: override}
      - platforms: [linux/arm64]
        archive: none
        main: [./a, ./b]
  base:
    tags: [x]
    archive: zip
    ldflags:
      strip: false
      set: {main.a: base, main.b: base}
      extra: [-z]
    env: {A: base, B: base}
    budget: {size: 8MiB, startup: 1s}
    upx: [--best]
    overrides:
      - platforms: [linux]
        archive: tar.gz
        verify: report
      - platforms: [windows]
        upx: off
  grandchild:
    inherit: child
    budget: {startup: 2s}
    platforms: {os: [linux], arch: [arm64]}
`

func loadFamily(t *testing.T) *File {
	t.Helper()
	f, err := Load("m.yaml", []byte(family))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMerge(t *testing.T) {
	f := loadFamily(t)
	child := f.profile("child")
	amd64 := child.Settings(Platform{"linux", "amd64", ""})
	want := Settings{
		Main: []string{"./cmd/tool"}, Trimpath: true, BuildVCS: true, Tags: nil,
		Set:     map[string]string{"main.a": "base", "main.b": "child", "main.c": "child"},
		LDFlags: []string{"-z"}, Mod: "readonly", Env: map[string]string{"A": "base", "B": "override"},
		Archive: []string{"tar.zst"}, Binary: defaultBinary, Name: defaultName, UPX: []string{"--best"}, Budget: Budget{Size: 8 << 20, Startup: 1e9}, Verify: "report",
	}
	if !reflect.DeepEqual(amd64, want) {
		t.Errorf("linux/amd64:\n got %+v\nwant %+v", amd64, want)
	}
	arm64 := child.Settings(Platform{"linux", "arm64", ""})
	if arm64.Archive[0] != "none" || !slices.Equal(arm64.Main, []string{"./a", "./b"}) {
		t.Errorf("linux/arm64: %+v", arm64)
	}
	windows := child.Settings(Platform{"windows", "amd64", ""})
	if windows.Archive[0] != "zip" || windows.UPX != nil || windows.Verify != "require" || windows.Env["B"] != "child" {
		t.Errorf("windows: %+v", windows)
	}
	g := f.profile("grandchild")
	s := g.Settings(Platform{"linux", "arm64", ""})
	if s.Archive[0] != "none" || s.Budget != (Budget{Size: 8 << 20, Startup: 2e9}) || s.Env["B"] != "override" {
		t.Errorf("grandchild: %+v", s)
	}
	if got := platformStrings(g.Platforms); !slices.Equal(got, []string{"linux/arm64"}) {
		t.Errorf("grandchild: %v", got)
	}
	if len(f.profile("base").Platforms) != 0 {
		t.Error("base has platforms")
	}
}

// TestCopies: what a caller does to settings stays with the caller.
func TestCopies(t *testing.T) {
	child := loadFamily(t).profile("child")
	pl := Platform{"linux", "arm64", ""}
	before := fmt.Sprintf("%+v", child.Settings(pl))
	s := child.Settings(pl)
	s.Main[0], s.LDFlags[0], s.UPX[0] = "x", "x", "x"
	s.Set["main.a"], s.Env["A"] = "x", "x"
	if after := fmt.Sprintf("%+v", child.Settings(pl)); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
}

func TestPos(t *testing.T) {
	f := loadFamily(t)
	child := f.profile("child")
	for _, test := range []struct{ platform, key, want string }{
		{"linux/amd64", "archive", "m.yaml:14:18"},
		{"linux/arm64", "archive", "m.yaml:17:18"},
		{"windows/amd64", "archive", "m.yaml:21:14"},
		{"linux/amd64", "ldflags.set.main.a", "m.yaml:24:21"},
		{"linux/amd64", "ldflags.set.main.b", "m.yaml:9:21"},
		{"linux/amd64", "env.B", "m.yaml:15:18"},
		{"linux/amd64", "main", "m.yaml:3:7"},
		{"linux/amd64", "main[0]", "m.yaml:3:7"},
		{"linux/arm64", "main[1]", "m.yaml:18:21"},
		{"linux/arm64", "main[9]", "m.yaml:18:15"},
		{"linux/amd64", "pgo", "built-in"},
		{"windows/amd64", "platforms", "m.yaml:11:43"},
		{"plan9/386", "platforms", "m.yaml:5:3"},
		{"linux/amd64", "no.such.key", "m.yaml:5:3"},
	} {
		pl, err := ParsePlatform(test.platform)
		if err != nil {
			t.Fatal(err)
		}
		if got := child.Pos(pl, test.key).String(); got != test.want {
			t.Errorf("%s %s: %s, want %s", test.platform, test.key, got, test.want)
		}
	}
	if got := f.Pos("project").String(); got != "m.yaml:2:10" {
		t.Errorf("project: %s", got)
	}
	if got := f.Pos("project.key[2].of").String(); got != "m.yaml:2:10" { // of what would hold it
		t.Errorf("inside of project: %s", got)
	}
	if got := f.Pos("go").String(); got != "m.yaml:1:1" {
		t.Errorf("go: %s", got)
	}
	p := f.Problem(f.Pos("project"), "bad", "good")
	if want := "m.yaml:2:10: bad\n    project: tool\n             ^\nhint: good"; p.Format() != want {
		t.Errorf("%s", p.Format())
	}
}

func TestExplain(t *testing.T) {
	var b strings.Builder
	for _, v := range loadFamily(t).profile("child").Explain(Platform{"windows", "amd64", ""}) {
		fmt.Fprintf(&b, "%s: %s  # %s\n", v.Key, v.Value, v.Pos)
	}
	golden(t, "testdata/explain.txt", b.String())
}

func TestSelect(t *testing.T) {
	f := loadFamily(t)
	show := func(names, pats string) string {
		list, err := ParsePatternList(pats)
		if err != nil {
			t.Fatal(err)
		}
		sel, err := f.Select(strings.Fields(names), list)
		if err != nil {
			return "error: " + err.Error() + " hint: " + fault.Hint(err)
		}
		var out []string
		for _, s := range sel {
			out = append(out, s.Profile.Name+"="+strings.Join(platformStrings(s.Platforms), "+"))
		}
		return strings.Join(out, " ")
	}
	for _, test := range []struct{ names, pats, want string }{
		{"", "", "child=linux/amd64+linux/arm64+windows/amd64 grandchild=linux/arm64"},
		{"grandchild", "", "grandchild=linux/arm64"},
		{"child", "linux,linux/amd64", "child=linux/amd64+linux/arm64"}, // both match one platform
		{"grandchild child", "*/arm64", "child=linux/arm64 grandchild=linux/arm64"},
		{"", "windows", "child=windows/amd64"},
		{"chidl", "", `error: no profile "chidl" hint: did you mean child?`},
		{"base", "", `error: profile "base" has no platforms: it is only inherited from hint: known: child, grandchild`},
		{"grandchild", "windows", `error: no platform of profile grandchild matches "windows" hint: the file has windows/amd64`},
		{"", "linux,plan9", `error: no platform of any profile matches "plan9" hint: the file has linux/amd64, linux/arm64, windows/amd64`},
	} {
		if got := show(test.names, test.pats); got != test.want {
			t.Errorf("%s %s:\n got %s\nwant %s", test.names, test.pats, got, test.want)
		}
	}
}

func TestBuiltin(t *testing.T) {
	f := Builtin("tool")
	if f.Path != "" || f.Project != "tool" || len(f.Profiles) != 1 || len(f.Warnings()) > 0 {
		t.Fatalf("%+v", f)
	}
	p := f.Profiles[0]
	if got := strings.Join(platformStrings(p.Platforms), " "); p.Name != "release" || got != "darwin/amd64 darwin/arm64 linux/amd64 linux/arm64 windows/amd64 windows/arm64" {
		t.Errorf("%s: %s", p.Name, got)
	}
	linux, windows := p.Settings(Platform{"linux", "amd64", ""}), p.Settings(Platform{"windows", "arm64", ""})
	if linux.CGO || !linux.Trimpath || linux.Strip != StripAll || linux.Archive[0] != "tar.gz" || windows.Archive[0] != "zip" || linux.Verify != "require" ||
		!slices.Equal(linux.Files, []FileRule{{Src: "README*"}, {Src: "LICENSE*"}}) {
		t.Errorf("linux %+v\nwindows %+v", linux, windows)
	}
	for _, key := range []string{"archive", "platforms", "name", "x"} {
		if got := p.Pos(Platform{"linux", "amd64", ""}, key); got != builtIn {
			t.Errorf("%s: %v", key, got)
		}
	}
	if got := f.Problem(f.Pos("go"), "m", ""); got.Format() != "built-in: m" {
		t.Errorf("%q", got.Format())
	}
	for in, want := range map[string]string{"": "project", "a b/c": "a_b_c", "..": "project", "-x": "x", "{{.X}}": "X", strings.Repeat("a", 300): strings.Repeat("a", maxProject), "é": "project"} {
		if got := Builtin(in).Project; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	some := BuiltinFor("tool", []Platform{{"linux", "arm", "7,softfloat"}, {"linux", "amd64", "v1"}, {"linux", "amd64", ""}, {"no", "such", ""}})
	if got := strings.Join(platformStrings(some.Profiles[0].Platforms), " "); got != "linux/amd64 linux/arm/7,softfloat" {
		t.Errorf("BuiltinFor: %s", got)
	}
	if none := BuiltinFor("tool", nil); len(none.Profiles[0].Platforms) != 0 {
		t.Error("platforms from nowhere")
	}
}

// TestLimits: a small file cannot make much work, and many problems not many
// messages.
func TestLimits(t *testing.T) {
	bomb := "version: 1\nproject: tool\nprofiles:\n  a0: &p\n    platforms: &l [" + strings.Repeat("linux/amd64, ", 200) + "]\n    overrides:\n"
	bomb += "    - &o {platforms: *l, tags: *l}\n" + strings.Repeat("    - *o\n", 200)
	for i := range 200 {
		bomb += fmt.Sprintf("  b%d: *p\n", i)
	}
	many := "version: 1\nproject: tool\nprofiles:\n  a:\n    platforms: [linux/amd64]\n"
	for i := range 900 {
		many += fmt.Sprintf("    key%d: x\n", i)
	}
	self := "version: 1\nproject: tool\nprofiles: &p\n  a: *p\n  b: &l [*l]\n"
	deep := "version: 1\nproject: " + strings.Repeat("[", 200000)
	chain := "version: 1\nproject: tool\nprofiles:\n  p0: {platforms: [linux/amd64]}\n"
	for i := 1; i < maxProfiles; i++ {
		chain += fmt.Sprintf("  p%d: {inherit: p%d}\n", i, i-1)
	}
	for name, text := range map[string]string{"bomb": bomb, "many": many, "self": self, "deep": deep, "long": strings.Repeat("#", maxFile+1)} {
		_, err := Load("m.yaml", []byte(text))
		ps, ok := err.(Problems)
		if !ok || len(ps) == 0 || len(ps) > maxProblems+1 || len(ps.Error()) > 1<<20 {
			t.Errorf("%s: %d problems, %d bytes", name, len(ps), len(fmt.Sprint(err)))
		}
		if name == "many" && !strings.HasSuffix(ps.Error(), "m.yaml: 800 more problems") {
			t.Errorf("many: ends with %q", ps[len(ps)-1].Error())
		}
		if name == "bomb" && !strings.Contains(fmt.Sprint(err), "after following its aliases") {
			t.Errorf("bomb: %.500v", err)
		}
	}
	if f, err := Load("m.yaml", []byte(chain)); err != nil || len(f.Profiles[maxProfiles-1].Platforms) != 1 {
		t.Errorf("chain: %v", err)
	}
}

func TestFormat(t *testing.T) {
	long := Problem{Pos: Position{"m.yaml", 1, 500}, Message: "bad", Excerpt: strings.Repeat("a", 499) + "X" + strings.Repeat("b", 500)}
	lines := strings.Split(long.Format(), "\n")
	if len(lines) != 3 || len(lines[1]) != excerptWidth+4 || lines[1][strings.Index(lines[2], "^")] != 'X' {
		t.Errorf("%s", long.Format())
	}
	tab := Problem{Pos: Position{"m.yaml", 1, 3}, Message: "bad", Excerpt: "\té\x1b[0m"}
	if got := tab.Format(); got != "m.yaml:1:3: bad\n    \té\ufffd[0m\n    \t ^" {
		t.Errorf("%q", got)
	}
}

// TestTagForm: a form of tags is one that versions can be read out of again.
func TestTagForm(t *testing.T) {
	for form, want := range map[string]string{
		"v{{.Version}}": "", "a/v2/{{.Version}}": "", "r-{{.Version}}-ce": "", "{{.Version}}.Final": "",
		"v1{{.Version}}": "digits beside", "v1.{{.Version}}": "digits beside", "{{.Version}}0": "digits beside", "{{.Version}}.0": "digits beside",
		"v{{.Version}}-rc.1": "would make it another", "{{.Version}}-beta": "would make it another", "v1.2-{{.Version}}": "would make it another",
		"v": "has no {{.Version}}", "{{.Version}}{{.Version}}": "2 times", "{{.Commit}}-{{.Version}}": "cannot be read back", "-{{.Version}}": "can be no tag",
	} {
		if _, err := parseTagForm(form); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", form, err, want)
		}
	}
}
