package profiles

import (
	"reflect"
	"strings"
	"testing"
)

func TestBench(t *testing.T) {
	f, err := Load("m.yaml", []byte(benchFile))
	if err != nil {
		t.Fatal(err)
	}
	if w := f.Warnings(); len(w) > 0 {
		t.Errorf("warnings: %v", w)
	}
	p := f.profile("release")
	want := Bench{
		Main: "./cmd/tool", Args: []string{"--version", "x y", "--version"}, Env: []string{"HOME=/", "A="}, Stdin: "other", Ready: "stdout:^v",
		Variants: []Variant{
			{Name: "stripped", Kind: Stripped}, {Name: "plain", Kind: Plain},
			{Name: "upx --best --lzma", Kind: WithUPX, UPX: []string{"--best", "--lzma"}}, {Name: "upx", Kind: WithUPX, UPX: []string{}},
			{Name: "pgo off", Kind: WithPGO, PGO: "off"}, {Name: "pgo auto", Kind: WithPGO}, {Name: "pgo a/b.pgo", Kind: WithPGO, PGO: "a/b.pgo"},
			{Name: "profile", Kind: AsProfile},
		},
	}
	if got := p.Settings(Platform{"linux", "amd64", ""}).Bench; !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if got := p.Settings(Platform{"windows", "amd64", ""}).Bench; len(got.Args) != 0 || got.Main != want.Main {
		t.Errorf("windows: %+v", got)
	}
	s, err := p.Expand(Platform{"linux", "amd64", ""}, Vars{Version: "1.0.0"})
	if err != nil || !reflect.DeepEqual(s.Bench, want) {
		t.Errorf("expanded: %+v, %v", s.Bench, err)
	}
	s.Bench.Args[0], s.Bench.Variants[0].Name = "x", "x"
	if got := p.Settings(Platform{"linux", "amd64", ""}).Bench; !reflect.DeepEqual(got, want) {
		t.Error("what a caller does to settings comes back")
	}
}

const benchFile = `version: 1
project: tool
profiles:
  base:
    bench:
      args: [--version, "x y", --version]
      env: [HOME=/, "A="]
      ready: "stdout:^v"
      stdin: testdata/in
      variants: [stripped, plain, upx  --best --lzma, upx, pgo off, pgo auto, pgo a/b.pgo, profile]
  release:
    inherit: base
    platforms: [linux/amd64, windows/amd64]
    bench: {main: ./cmd/tool, stdin: other}
    overrides:
      - platforms: [windows]
        bench: {args: []}
`

func TestBenchWrong(t *testing.T) {
	for text, want := range map[string]string{
		"bench: true":                     "bench wants a map",
		"bench: {arg: [x]}":               `unknown key "arg" in bench`,
		"bench: {args: x}":                `bench.args wants a list, not "x"`,
		"bench: {main: tool}":             `main "tool" is not a path`,
		"bench: {env: [A]}":               `bad environment variable "A"`,
		"bench: {env: [A-B=1]}":           `bad environment variable "A-B=1"`,
		"bench: {stdin: /etc/passwd}":     `is absolute`,
		"bench: {ready: soon}":            `unknown readiness "soon"`,
		"bench: {ready: 'exit:'}":         `unknown readiness "exit:"`,
		"bench: {ready: 'stdout:('}":      `bench.ready: error parsing regexp`,
		"bench: {ready: 'stdout:x*'}":     `matches before anything is written`,
		"bench: {ready: 'tcp:99999'}":     `has no port from 1 to 65535`,
		"bench: {variants: [brotli]}":     `unknown variant "brotli"`,
		"bench: {variants: [plain text]}": `has a word too much: "text"`,
		"bench: {variants: [upx -o x]}":   `the UPX flag "-o" is mintmark's own`,
		"bench: {variants: [pgo]}":        `wants one word after pgo`,
		"bench: {variants: [pgo /x]}":     `is absolute`,
		"bench: {variants: [' ']}":        `is empty`,
		"bench: {variants: plain}":        `bench.variants wants a list`,
		"args: [x]":                       `unknown key "args"`,
	} {
		_, err := Load("m.yaml", []byte("version: 1\nproject: tool\nprofiles:\n  release:\n    platforms: [linux/amd64]\n    "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
}

func FuzzParseVariant(f *testing.F) {
	for _, s := range []string{"plain", "stripped", "profile", "upx --best --lzma", "pgo off", "pgo auto", "pgo a.pgo"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseVariant(s)
		if err != nil {
			return
		}
		if again, err := parseVariant(v.Name); err != nil || !reflect.DeepEqual(v, again) {
			t.Errorf("%q: %+v, and again %+v, %v", s, v, again, err)
		}
	})
}

func FuzzCheckReady(f *testing.F) {
	for _, s := range []string{"exit", "first-byte", "stdout:x", "tcp:80", "tcp:[::1]:80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkReady(s) })
}
