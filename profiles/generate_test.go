package profiles

import (
	"reflect"
	"strings"
	"testing"
)

const generateHead = "version: 1\nproject: p\nprofiles: {release: {platforms: [linux/amd64]}}\ngenerate:\n"

func TestGenerate(t *testing.T) {
	f, err := Load("m.yaml", []byte(generateHead+`
- command: [go, run, ./cmd/x, "--version={{.Version}}"]
  inputs: [api/*.proto]
  outputs: [man/**, "*_gen.go"]
  env: {B: "2", A: "{{.Project}} {{.Commit}}"}
  fetch:
    - {url: "https://example.com/x", sha256: `+strings.Repeat("a", 64)+`, path: tools/x, mode: "0755"}
    - {url: "http://example.com/y", sha256: `+strings.Repeat("b", 64)+`, path: y, mode: "0644"}
`))
	if err != nil {
		t.Fatal(err)
	}
	g, err := f.Generate[0].Expand(f, Vars{Version: "1.2.3", Commit: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"go", "run", "./cmd/x", "--version=1.2.3"}; !reflect.DeepEqual(g.Command, want) {
		t.Errorf("command %q", g.Command)
	}
	if want := []string{"A=p abc", "B=2"}; !reflect.DeepEqual(g.Variables(), want) {
		t.Errorf("variables %q", g.Variables())
	}
	if g.Fetch[0].Mode != "0755" || g.Fetch[1].Mode != "" { // the default has one spelling
		t.Errorf("fetch %+v", g.Fetch)
	}
	if err := CheckGenerate(g.Command, g.Inputs, g.Outputs, g.Variables(), g.Fetch); err != nil {
		t.Errorf("what a file can say is refused in a plan: %v", err)
	}
	if !f.Uses("Commit") || f.Uses("Summary") {
		t.Error("which fields its templates have is not known")
	}
	if pos := f.Pos("generate[0].outputs[1]"); pos.Line != 8 || pos.Column != 21 {
		t.Errorf("position %v", pos)
	}
}

// TestGenerateRefused: each in a file with its place, and in a stranger's plan.
func TestGenerateRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"generate: make", "m.yaml:4:11: generate wants a list"},
		{"generate: [{outputs: [x]}]", "m.yaml:4:12: an element of generate wants the key command"},
		{"generate: [{command: [x]}]", "m.yaml:4:12: an element of generate wants the key outputs"},
		{"generate: [{command: [], outputs: []}]", "the command is empty\noutputs is empty"},
		{"generate: [{command: [x], output: [x]}]", `m.yaml:4:27: unknown key "output" in generate`},
		{"generate: [{command: [make all], outputs: [x]}]", `m.yaml:4:23: the program "make all" has spaces`},
		{"generate: [{command: [/usr/bin/make], outputs: [x]}]", "is absolute"},
		{"generate: [{command: [../make], outputs: [x]}]", "leaves the source tree"},
		{"generate: [{command: [x, '{{.Date}}'], outputs: [x]}]", "m.yaml:4:29: unknown field .Date"},
		{"generate: [{command: [x, '{{.Arch}}'], outputs: [x]}]", "m.yaml:4:29: a command runs once for all platforms, and knows no .Arch"},
		{"generate: [{command: [x, '{{.Binary}}'], outputs: [x]}]", "m.yaml:4:29: "},
		{"generate: [{command: [x], outputs: ['**']}]", "every file of the module"},
		{"generate: [{command: [x], outputs: [.git/config]}]", "is git's"},
		{"generate: [{command: [x], outputs: [web/]}]", "is a directory"},
		{"generate: [{command: [x], outputs: [a**/b]}]", "** stands for directories"},
		{"generate: [{command: [x], outputs: [y], inputs: ['[']}]", "bad glob"},
		{"generate: [{command: [x], outputs: [y], env: {PATH: /x}}]", "env cannot set PATH"},
		{"generate: [{command: [x], outputs: [y], env: {A_TOKEN: x}}]", "looks like a secret"},
		{"generate: [{command: [x], outputs: [y], fetch: [{url: 'https://u:p@example.com/', sha256: x, path: ../x}]}]", "holds a user or a password\nsha256 wants 64\nleaves the source tree"},
		{"generate: [{command: [x], outputs: [y], fetch: [{url: file:///x}]}]", "is no http or https address\nwants the key sha256\nwants the key path"},
		{"profiles: {release: {platforms: [linux/amd64], generate: []}}", "generate is a key of the file"},
	} {
		text := strings.TrimSuffix(generateHead, "generate:\n") + c.text
		if strings.HasPrefix(c.text, "profiles") {
			text = "version: 1\nproject: p\n" + c.text
		}
		_, err := Load("m.yaml", []byte(text))
		for _, want := range strings.Split(c.want, "\n") {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s\n%v\nlacks %s", c.text, err, want)
			}
		}
	}
	for _, c := range []struct {
		command, outputs []string
		fetch            []Fetch
	}{
		{nil, []string{"x"}, nil}, {[]string{"x"}, nil, nil}, {[]string{"x"}, []string{"../x"}, nil}, {[]string{"/bin/x"}, []string{"x"}, nil},
		{[]string{"x", "a\x1bb"}, []string{"x"}, nil}, {[]string{"x"}, []string{"y"}, []Fetch{{URL: "https://example.com", SHA256: "a", Path: "x"}}},
		{[]string{"x"}, []string{"y"}, []Fetch{{URL: "https://example.com", SHA256: strings.Repeat("a", 64), Path: "/etc/x"}}},
		{[]string{"x"}, []string{"y"}, []Fetch{{URL: "https://example.com", SHA256: strings.Repeat("a", 64), Path: "x", Mode: "4755"}}},
	} {
		if CheckGenerate(c.command, nil, c.outputs, nil, c.fetch) == nil {
			t.Errorf("%+v passes", c)
		}
	}
}
