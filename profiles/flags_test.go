package profiles

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// splitQuoted splits like cmd/internal/quoted: words between spaces, or all
// between two equal quotes.
func splitQuoted(s string) (words []string, ok bool) {
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			return words, true
		}
		end, skip := strings.IndexAny(s, " \t\r\n"), 0
		if s[0] == '\'' || s[0] == '"' {
			quote := s[:1]
			s = s[1:]
			end, skip = strings.Index(s, quote), 1
			if end < 0 {
				return nil, false
			}
		}
		if end < 0 {
			end = len(s)
		}
		words = append(words, s[:end])
		s = s[min(end+skip, len(s)):]
	}
}

func TestLinkerFlags(t *testing.T) {
	for _, test := range []struct {
		s    Settings
		want string
	}{
		{Settings{}, ""},
		{Settings{Strip: StripAll}, "-s -w"},
		{Settings{Set: map[string]string{"main.b": "2", "main.a": "1"}}, "-X main.a=1 -X main.b=2"},
		{Settings{Strip: StripAll, Set: map[string]string{"main.a": ""}, LDFlags: []string{"-z", "-a"}}, "-s -w -X main.a= -z -a"},
		{Settings{Set: map[string]string{"main.a": "x y"}}, "-X 'main.a=x y'"},
		{Settings{Set: map[string]string{"main.a": "it's"}}, `-X "main.a=it's"`},
		{Settings{Set: map[string]string{"main.a": `say "x"`}}, `-X 'main.a=say "x"'`},
		{Settings{LDFlags: []string{"-extldflags=-static -s"}}, "-extldflags '-static -s'"},
		{Settings{LDFlags: []string{"-extldflags", "-static -s"}}, "-extldflags '-static -s'"},
	} {
		got := test.s.LinkerFlags()
		if got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestBuildFlags(t *testing.T) {
	f, err := Load("m.yaml", []byte(`version: 1
project: tool
profiles:
  a:
    platforms: [linux/amd64]
    tags: [b, a, b]
    ldflags: {set: {main.v: "1"}, extra: [-H=windowsgui]}
    gcflags: [-l, -B, all=-N, -l, ./lib=-S]
    asmflags: [-S]
    buildmode: pie
    mod: vendor
    pgo: pgo/cpu.pprof
  b:
    inherit: a
    tags: []
    gcflags: []
    asmflags: []
    ldflags: {strip: false, extra: []}
    trimpath: false
    buildvcs: false
    buildmode: default
    mod: readonly
    pgo: off
  c:
    inherit: b
    pgo: auto
`))
	if err != nil {
		t.Fatal(err)
	}
	pl := Platform{"linux", "amd64", ""}
	for _, test := range []struct{ profile, version, want string }{
		{"a", "go1.26.8", "-trimpath|-buildvcs=true|-mod=vendor|-tags=a,b|-gcflags=-l -B|-gcflags=all=-N -l|-gcflags=./lib=-S|-asmflags=-S|-ldflags=-s -w -X main.v=1 -H=windowsgui|-pgo=pgo/cpu.pprof|-buildmode=pie"},
		{"b", "go1.26.8", "-buildvcs=false|-mod=readonly|-ldflags=-X main.v=1|-pgo=off"},
		{"b", "", "-buildvcs=false|-mod=readonly|-ldflags=-X main.v=1|-pgo=off"},
		{"b", "go1.20", "-buildvcs=false|-mod=readonly|-ldflags=-X main.v=1|-pgo=off"},
		{"b", "go1.19.13", "-buildvcs=false|-mod=readonly|-ldflags=-X main.v=1"},
		{"b", "go1.17rc1", "-mod=readonly|-ldflags=-X main.v=1"},
		{"c", "go1.26.8", "-buildvcs=false|-mod=readonly|-ldflags=-X main.v=1"},
	} {
		got := strings.Join(f.profile(test.profile).Settings(pl).BuildFlags(test.version), "|")
		if got != test.want {
			t.Errorf("%s %s:\n got %s\nwant %s", test.profile, test.version, got, test.want)
		}
	}
}

// TestGoAcceptsFlags builds a program with values that need quoting, and asks
// it what arrived.
func TestGoAcceptsFlags(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	s := Settings{
		Trimpath: true, BuildVCS: true, Strip: StripAll, Mod: "readonly", Tags: []string{"b", "a"}, PGO: "off",
		Set: map[string]string{
			"main.a": "it's", "main.b": `say "x"  y`, "main.c": "", "main.d": "-X main.a=no", "example.com/m/v2.x.V": "deep", "main.e": "'q'",
		},
		LDFlags: []string{"-extldflags=-static -s"},
		GCFlags: []string{"-l", "-B", "all=-C"},
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":    "module example.com/m\n\ngo 1.21\n",
		"v2.x/v.go": "package v\n\nvar V string\n",
		"main.go": `package main

import "example.com/m/v2.x"

var a, b, c, d, e string

func main() { print(a, "|", b, "|", c, "|", d, "|", e, "|", v.V) }
`,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.BuildVCS = false // the directory is no repository
	exe := filepath.Join(dir, "m.exe")
	cmd := exec.Command("go", slices.Concat([]string{"build", "-o", exe}, s.BuildFlags(""), []string{"."})...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(exe).CombinedOutput()
	if want := `it's|say "x"  y||-X main.a=no|'q'|deep`; err != nil || string(out) != want {
		t.Errorf("got %s, %v, want %s", out, err, want)
	}
}
