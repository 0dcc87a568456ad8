package plan

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/goflags"
)

func samplePlan() *Plan {
	return &Plan{
		Schema: fact.PlanSchema, Project: "fx", Version: "1.2.3",
		Source: (&source.Source{
			Kind: fact.SourceGit, ModulePath: "example.com/fx", Version: "v1.2.3", Sum: "h1:abc=", Commit: strings.Repeat("a", 40),
			CommitTime: time.Date(2026, 1, 2, 4, 4, 5, 123, time.FixedZone("x", 3600)),
		}).ID(),
		Go: "go1.26.8", Env: CommonEnv(),
		Units: []*Unit{{
			Profile: "release", Platform: "linux/arm64", Env: []string{"GOOS=linux"}, Flags: []string{"-trimpath", "-ldflags=-s -w -X 'main.a=<&>'"},
			Mains: []fact.Main{{Package: "example.com/fx", Binary: "fx"}}, Archive: "tar.gz", Name: "fx_1.2.3_linux_arm64", Verify: "require",
		}},
	}
}

func TestPlanEncode(t *testing.T) {
	data, err := samplePlan().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(data, []byte("\n")) != 1 || !bytes.HasSuffix(data, []byte("}\n")) || !bytes.Contains(data, []byte("main.a=<&>")) || !bytes.Contains(data, []byte(`"commit_time":"2026-01-02T03:04:05Z"`)) {
		t.Errorf("not canonical: %s", data)
	}
	id, err := samplePlan().ID()
	if err != nil {
		t.Fatal(err)
	}
	// The encoding is a promise: a change of this ID is a change of Schema.
	if want := "113c7d8c313b0e96c6bd08c2536aa8242f7f1a57591f2a9cfb430160fe735570"; id != want {
		t.Errorf("plan ID %s, want %s\n%s", id, want, data)
	}
	back, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := back.ID(); err != nil || again != id {
		t.Errorf("read back: %s, %v", again, err)
	}
	other := samplePlan()
	other.Units[0].Flags[0] = "-trimpath=false"
	if got, _ := other.ID(); got == id {
		t.Error("two plans with one ID")
	}
}

func TestPlanDecodeRefuses(t *testing.T) {
	data, err := samplePlan().Encode()
	if err != nil {
		t.Fatal(err)
	}
	s := string(data)
	for _, bad := range []string{
		"", "{}", "null", "[]", "{", s + s, s + " ", strings.TrimSpace(s), " " + s,
		strings.Replace(s, "plan/v1", "plan/v2", 1),
		strings.Replace(s, `"project"`, `"Project"`, 1),
		strings.Replace(s, `"project":"fx"`, `"project":"fx","more":1`, 1),
		strings.Replace(s, `"project":"fx"`, `"project":"other","project":"fx"`, 1),
		strings.Replace(s, `"project":"fx"`, `"project": "fx"`, 1),
		s[:strings.Index(s, `"units":`)] + "\"units\":[null]}\n",
		strings.Replace(s, `"go":`, `"snapshot":false,"go":`, 1),
	} {
		if p, err := Decode([]byte(bad)); err == nil || !strings.HasPrefix(err.Error(), "plan: ") {
			t.Errorf("%.80q: %v, %v", bad, p, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	data, err := samplePlan().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema":"` + string(fact.PlanSchema) + `","units":[null]}`))
	if data, err = foreignPlan().Encode(); err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, change := range []string{`"mains":[]`, `"mains":null`, `"mains":[{"package":"","binary":""}]`} {
		f.Add(regexp.MustCompile(`"mains":\[[^\]]*\]`).ReplaceAll(data, []byte(change)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(data)
		if err != nil {
			return
		}
		if again, err := p.Encode(); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q becomes %q (%v)", data, again, err)
		}
		if err := p.CheckForeign(); err != nil {
			return
		}
		for _, u := range p.Units {
			if len(u.Mains) == 0 || len(p.Units) > maxUnits {
				t.Errorf("%d units, %s has %d main packages", len(p.Units), u.ID(), len(u.Mains))
			}
			for _, name := range u.Published() {
				if !filepath.IsLocal(name) || filepath.Base(name) != name {
					t.Errorf("%s publishes %q", u.ID(), name)
				}
			}
			for _, arg := range u.Command(p.Source.Kind, p.Source.Version, "OUT")[1:] {
				if strings.HasPrefix(arg, "-") && arg != "-o" {
					if _, err := goflags.ForeignFlag(arg); err != nil {
						t.Errorf("%s: %q: %v", u.ID(), arg, err)
					}
				}
			}
		}
	})
}

func TestUnit(t *testing.T) {
	u := samplePlan().Units[0]
	u.Flags = []string{"-trimpath", "-buildvcs=true", "-mod=vendor", "-tags=a,b", "-pgo=off"}
	u.Mains = []fact.Main{{Package: "example.com/fx/a", Binary: "a"}, {Package: "example.com/fx/b", Binary: "b"}}
	got := u.Command(fact.SourceGit, "v1.2.3", "OUT/")
	if want := strings.Fields("build -trimpath -buildvcs=true -mod=vendor -tags=a,b -pgo=off -o OUT/ example.com/fx/a example.com/fx/b"); !slices.Equal(got, want) {
		t.Errorf("git: %q", got)
	}
	got = u.Command(fact.SourceModule, "v1.2.3", "OUT/")
	if want := strings.Fields("install -trimpath -tags=a,b -pgo=off example.com/fx/a@v1.2.3 example.com/fx/b@v1.2.3"); !slices.Equal(got, want) {
		t.Errorf("module: %q", got)
	}
	published := func(what string, want ...string) {
		t.Helper()
		if got := u.Published(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	published("archive", "fx_1.2.3_linux_arm64.tar.gz")
	u.Archive = "none"
	published("two bare binaries", "fx_1.2.3_linux_arm64_a", "fx_1.2.3_linux_arm64_b")
	u.Platform, u.Mains = "windows/amd64", u.Mains[:1]
	published("one bare binary", "fx_1.2.3_linux_arm64.exe")
	if u.GOOS() != "windows" {
		t.Errorf("system %s", u.GOOS())
	}
}

// TestUnitLibrary: the names of libraries and headers, and the command that
// makes the library know itself by its name.
func TestUnitLibrary(t *testing.T) {
	for _, tt := range []struct{ platform, mode, archive, command, published, packaged string }{
		{"linux/arm64", "c-shared", "tar.gz", "OUT/a.b.so", "fx.tar.gz", "a.b.so a.b.h"},
		{"darwin/arm64", "c-shared", "none", "OUT/a.b.dylib", "fx.dylib fx.h", ""},
		{"windows/amd64", "c-shared", "zip", "OUT/a.b.dll", "fx.zip", "a.b.dll a.b.h"},
		{"windows/amd64", "c-archive", "none", "OUT/a.b.a", "fx.a fx.h", ""},
		{"linux/amd64", "pie", "none", "OUT/", "fx", ""},
	} {
		u := &Unit{Platform: tt.platform, Flags: []string{"-trimpath", "-buildmode=" + tt.mode}, Archive: tt.archive, Name: "fx", Mains: []fact.Main{{Package: "example.com/fx/a.b", Binary: "a.b"}}, Files: []string{"LICENSE"}}
		got := u.Command(fact.SourceGit, "v1.2.3", "OUT/")
		if want := strings.Fields("build -trimpath -buildmode=" + tt.mode + " -o " + tt.command + " example.com/fx/a.b"); !slices.Equal(got, want) {
			t.Errorf("%s %s: %q, want %q", tt.platform, tt.mode, got, want)
		}
		if got := strings.Join(u.Published(), " "); got != tt.published {
			t.Errorf("%s %s publishes %s, want %s", tt.platform, tt.mode, got, tt.published)
		}
		if got := strings.Join(u.Packaged(), " "); got != tt.packaged {
			t.Errorf("%s %s packages %s, want %s", tt.platform, tt.mode, got, tt.packaged)
		}
	}
}

// Two units in one directory would overwrite each other's binaries.
func TestUnitKeys(t *testing.T) {
	seen := map[string]string{}
	for _, profile := range []string{"a", "A", "a.b", "a_b", "a-b", "a.B"} {
		for _, platform := range []string{"linux/amd64", "linux/amd64/v3", "linux/arm/7", "linux/arm/7,softfloat", "linux/arm/7_softfloat"} {
			u := &Unit{Profile: profile, Platform: platform}
			key := u.Key()
			if strings.ContainsAny(key, `/\ ,.:`) || key != strings.ToLower(key) {
				t.Errorf("%s: %s is no good name", u.ID(), key)
			}
			if other, ok := seen[key]; ok {
				t.Errorf("%s and %s share %s", other, u.ID(), key)
			}
			seen[key] = u.ID()
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	p := &Plan{}
	for _, platform := range []string{"windows/amd64", "linux/arm64", "linux/arm/6", "linux/arm/7"} {
		p.Units = append(p.Units, &Unit{Platform: platform})
	}
	for _, tt := range [][3]string{{"linux", "arm", "linux/arm/6"}, {"linux", "arm64", "linux/arm64"}, {"linux", "amd64", "windows/amd64"}} {
		if u := p.Nearest(tt[0], tt[1]); u.Platform != tt[2] {
			t.Errorf("%s/%s: %s", tt[0], tt[1], u.Platform)
		}
	}
}
