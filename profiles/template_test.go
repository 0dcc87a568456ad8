package profiles

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	texttemplate "text/template"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/template"
)

var sample = Vars{
	Project: "tool", Version: "1.2.3", Tag: "v1.2.3", Commit: "0123456789012345678901234567890123456789", ShortCommit: "0123456",
	CommitDate: "2026-01-02T03:04:05Z", CommitTimestamp: "1767323045", Profile: "release", OS: "linux", Arch: "arm", Variant: "7,softfloat",
	Summary: "v1.2.3", Binary: "prog", Name: "artifact",
	Env: map[string]string{"CC": "gcc", "EMPTY": ""},
}

// TestVars keeps the three lists of fields the same.
func TestVars(t *testing.T) {
	v := sample
	typ := reflect.TypeOf(v)
	var names []string
	for i := range typ.NumField() {
		if name := typ.Field(i).Name; name != "Env" {
			names = append(names, name)
			if got, want := v.field(name), reflect.ValueOf(v).Field(i).String(); got != want || got == "" {
				t.Errorf("field %s is %q, want %q", name, got, want)
			}
		}
	}
	names = slices.Insert(names, slices.Index(names, "Summary")+1, "Major", "Minor", "Patch", "Prerelease") // of the version
	if !slices.Equal(names, varNames) {
		t.Errorf("varNames %v, want %v", varNames, names)
	}
}

func TestTemplate(t *testing.T) {
	untagged := sample
	untagged.Tag = ""
	for in, want := range map[string]string{
		"plain":                                  "plain",
		"{{.Version}}":                           "1.2.3",
		"a{{- .OS -}} b":                         "alinuxb",
		defaultName:                              "tool_1.2.3_linux_arm_7,softfloat",
		"{{.Env.CC}}":                            "gcc",
		"{{$.Env.CC}}":                           "gcc",
		"{{lower \"A\"}}":                        "a",
		"{{.OS | upper}}":                        "LINUX",
		`{{.Version | replace "." "-"}}`:         "1-2-3",
		`{{trimprefix "v" .Tag}}`:                "1.2.3",
		`{{trimsuffix ".3" .Version}}`:           "1.2",
		`{{default "none" .Env.EMPTY}}`:          "none",
		`{{if eq .OS "linux"}}y{{else}}n{{end}}`: "y",
		`{{if and (eq .OS "linux") (ne .Arch "arm")}}y{{else}}n{{end}}`: "n",
		`{{if not .Env.EMPTY}}y{{end}}`:                                 "y",
		`{{with .Variant}}{{.}}{{else}}none{{end}}`:                     "7,softfloat",
		`{{with .Env.EMPTY}}x{{else with .OS}}{{.}}-{{$.Arch}}{{end}}`:  "linux-arm",
		`{{or .Env.EMPTY .OS}}`:                                         "linux",
		`{{/* note */}}x`:                                               "x",
		`{{eq .OS "linux"}}`:                                            "true",
		`{{(.OS)}}`:                                                     "linux",
	} {
		got, err := expandText(in, &sample)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		`{{with .Tag}}{{.}}{{else}}none{{end}}`:        "none",
		`{{if .Tag}}{{.Tag}}{{else}}none{{end}}`:       "none",
		`{{default "none" .Tag}}`:                      "none",
		`{{or .Tag "none"}}`:                           "none",
		`{{if eq .Tag ""}}none{{else}}{{.Tag}}{{end}}`: "none",
		`{{.Tag}}`:                                           "error",
		`{{.Tag | trimprefix "v"}}`:                          "error",
		`{{if .Version}}{{upper .Tag}}{{end}}`:               "error",
		`{{if not .Tag}}{{.Version}}{{end}}`:                 "1.2.3",
		`{{with $.Tag}}{{else}}{{default .OS $.Tag}}{{end}}`: "linux",
	} {
		got, err := expandText(in, &untagged)
		if want == "error" {
			if err == nil || !strings.Contains(err.Error(), "no version tag") || fault.Hint(err) == "" {
				t.Errorf("untagged %s: %q, %v", in, got, err)
			}
		} else if err != nil || got != want {
			t.Errorf("untagged %s: %q, %v, want %q", in, got, err, want)
		}
	}
}

// TestTemplateNoCommit: a module zip may not say which commit it was made from.
func TestTemplateNoCommit(t *testing.T) {
	bare := sample
	bare.Commit, bare.ShortCommit = "", ""
	for _, in := range []string{"{{.Commit}}", "{{upper .ShortCommit}}"} {
		if got, err := expandText(in, &bare); err == nil || !strings.Contains(err.Error(), "does not say which commit") || fault.Hint(err) == "" {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	if got, err := expandText(`{{default "none" .Commit}}`, &bare); err != nil || got != "none" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestFunctions keeps the two lists of functions the same: what the checker lets
// pass is there, and the other way round.
func TestFunctions(t *testing.T) {
	language := sample.language()
	for name := range templateFuncs() {
		if !language.Has(name) {
			t.Errorf("%s is checked, and there is no such function", name)
		}
	}
	for name := range language.Funcs {
		if _, ok := templateFuncs()[name]; !ok {
			t.Errorf("%s is not checked", name)
		}
	}
}

// TestTemplateBounds: a short template cannot make a long text.
func TestTemplateBounds(t *testing.T) {
	long := `.Commit`
	for range 40 {
		long = `replace "0" "0000000000" (` + long + `)`
	}
	if _, err := expandText("{{"+long+"}}", &sample); !errors.Is(err, template.ErrTooLong) {
		t.Errorf("replace: %v", err)
	}
	if _, err := expandText(strings.Repeat("{{.Commit}}", 500), &sample); err == nil {
		t.Error("output is not bounded")
	}
	if _, err := expandText("{{"+strings.Repeat("(", 2000)+".OS"+strings.Repeat(")", 2000)+"}}", &sample); err != nil {
		t.Error(err)
	}
	if _, err := expandText("{{"+strings.Repeat("x", maxTemplate)+"}}", &sample); err == nil {
		t.Error("input is not bounded")
	}
}

// TestVersionParts: they are those of the version, and one that it does not have
// is no empty text.
func TestVersionParts(t *testing.T) {
	for version, want := range map[string]string{
		"1.2.3": "1 2 3 -", "10.0.7-rc.1": "10 0 7 rc.1-", "1.2.4-0.20260102030405-0123456789ab": "1 2 4 0.20260102030405-0123456789ab-",
		"2.0.0+incompatible": "2 0 0 -", "1.2.3-rc.1+meta": "1 2 3 rc.1-", "1.2": "error", "2026": "error", "nightly": "error",
	} {
		v := sample
		v.Version = version
		got, err := expandText("{{.Major}} {{.Minor}} {{.Patch}} {{.Prerelease}}-", &v)
		if want == "error" {
			if err == nil || !strings.Contains(err.Error(), ".Major is not known") || fault.Hint(err) == "" {
				t.Errorf("%s: %q, %v", version, got, err)
			}
		} else if err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", version, got, err, want)
		}
	}
}

// TestTemplateDate: it is of a time, in UTC, in Go's layout, and of nothing else.
func TestTemplateDate(t *testing.T) {
	for in, want := range map[string]string{
		`{{.CommitDate | date "2006-01-02"}}`:                    "2026-01-02",
		`{{date "20060102150405" .CommitDate}}`:                  "20260102030405",
		`{{date "Jan _2 2006 MST" "2026-01-02T03:04:05+09:00"}}`: "Jan  1 2026 UTC",
		`{{date "YYYY-MM-DD" .CommitDate}}`:                      "the layout \"YYYY-MM-DD\" says nothing of a time",
		`{{date (lower "%Y") .CommitDate}}`:                      "says nothing of a time",
		`{{date "2006" .Version}}`:                               "date wants a time",
		`{{date "2006"}}`:                                        "date has 1 arguments",
	} {
		got, err := expandText(in, &sample)
		if err != nil {
			if !strings.Contains(err.Error(), want) || fault.Hint(err) == "" {
				t.Errorf("%s: %v", in, err)
			}
		} else if got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestTemplateTitle(t *testing.T) {
	for in, want := range map[string]string{
		"linux": "Linux", "DARWIN": "Darwin", "x86_64": "X86_64", "my tool-box": "My Tool-Box", "it's a.b c": "It's A.b C", "élan": "Élan", "": "",
	} {
		v := sample
		v.Project = in
		if got, err := expandText("{{title .Project}}", &v); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestExpand(t *testing.T) {
	s := Settings{
		Name: defaultName, Binary: defaultBinary,
		Files:   []FileRule{{Src: "a", Dst: "{{.OS}}/{{.Variant}}/"}},
		Set:     map[string]string{"main.v": "{{.Version}}", "main.cc": "{{.Env.CC}}"},
		LDFlags: []string{"-extldflags=-Wl,{{.Env.CC}}"},
		Env:     map[string]string{"CC": "gcc-{{.Arch}}"},
	}
	got, err := s.Expand(sample)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := got.Names(sample, []string{"x"}); err != nil || n.Name != "tool_1.2.3_linux_arm_7_softfloat" {
		t.Errorf("%+v, %v", n, err)
	}
	if got.Files[0].Dst != "linux/7_softfloat/" || got.Set["main.cc"] != "gcc-arm" || got.LDFlags[0] != "-extldflags=-Wl,gcc-arm" || got.Env["CC"] != "gcc-arm" {
		t.Errorf("%+v", got)
	}
	if s.Env["CC"] != "gcc-{{.Arch}}" || !strings.Contains(s.Files[0].Dst, "{{") || s.LDFlags[0] != "-extldflags=-Wl,{{.Env.CC}}" {
		t.Error("Expand changed its receiver")
	}
	s = Settings{Files: []FileRule{{}, {Dst: "{{.Tag}}"}}, Set: map[string]string{"main.a": "{{.Tag}}", "main.b": `it's "{{.OS}}"`}, Env: map[string]string{"A": "{{.Tag}}"}}
	v := sample
	v.Tag = ""
	_, err = s.Expand(v)
	for _, key := range []string{"env.A: ", "ldflags.set.main.a: ", "ldflags.set.main.b: ", "files[1].dst: "} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("no error for %s in %v", key, err)
		}
	}
}

func TestProfileExpand(t *testing.T) {
	f, err := Load("m.yaml", []byte("version: 1\nproject: tool\nprofiles:\n  a:\n    platforms: [linux/amd64]\n    name: 'x-{{.Tag}}'\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, pl, v := f.Profiles[0], Platform{"linux", "amd64", ""}, Vars{Version: "0.0.0-2026"}
	s, err := p.Expand(pl, v)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Names(pl, v, s, []string{"tool"})
	problems, ok := err.(Problems)
	if !ok || len(problems) != 1 || problems[0].Pos.String() != "m.yaml:6:11" || problems[0].Hint == "" || problems[0].Excerpt == "" {
		t.Errorf("%v", err)
	}
}

func TestCheckName(t *testing.T) {
	for _, good := range []string{"a", "tool_1.2.3_linux_arm_7", "v1.2.3+incompatible", "a~b@c=d", "console", "com10"} {
		if err := CheckName(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{
		"", ".a", "-a", "a.", "a/b", `a\b`, "a b", "a:b", "a*", "é", "a\x00", "..", "CON", "nul.txt", "com1", "Lpt9.x",
		"checksums.txt", "RELEASE.json", "ledger.json", "Ledger.json.sigstore.json", "sbom.cdx.json", "tool.CDX.json", "tool.spdx.json", "report.md", strings.Repeat("a", 201),
	} {
		if CheckName(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// FuzzTemplate: what the checker accepts, the evaluator evaluates without
// panic or unbounded output, and text/template agrees with it.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{
		defaultName, "{{.Env.CC}}", "{{.Major}}.{{.Prerelease}} {{title .Binary}}", `{{.CommitDate | date "2006"}}`, `{{if and (eq .OS "linux") (not .Tag)}}a{{else if .Arch}}b{{end}}`, `{{with .Tag}}{{.}}{{else}}{{$.OS}}{{end}}`,
		`{{.Version | replace "." "-" | upper}}`, `{{default "x" .Env.EMPTY}}`, `{{or .Tag "a" | lower}}`, "{{range .X}}{{end}}", `{{define "a"}}{{end}}`,
		"{{$x := 1}}", "{{1 | not}}", "{{nil}}", "{{.Env}}", "{{- .OS -}}", "{{/* */}}", "{{(.Env).CC}}", "{{true}}", `{{eq true false}}`, "{{break}}", "{{with true}}{{.}}{{end}}",
	} {
		f.Add(s)
	}
	funcs := texttemplate.FuncMap{
		"lower": strings.ToLower, "upper": strings.ToUpper, "title": title,
		"date": func(layout, s string) string {
			t, _ := time.Parse(time.RFC3339, s)
			return t.UTC().Format(layout)
		},
		"replace":    func(old, new, s string) string { return strings.ReplaceAll(s, old, new) },
		"trimprefix": func(p, s string) string { return strings.TrimPrefix(s, p) },
		"trimsuffix": func(p, s string) string { return strings.TrimSuffix(s, p) },
		"default": func(d, s string) string {
			if s == "" {
				return d
			}
			return s
		},
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := expandText(s, &sample)
		if err != nil {
			var fault *templateFault
			if errors.As(err, &fault) && (fault.offset < 0 || fault.offset > len(s)) {
				t.Errorf("%q: fault at %d", s, fault.offset)
			}
			return
		}
		if !strings.Contains(s, "{{") {
			return
		}
		if len(got) > template.MaxText {
			t.Fatalf("%q: %d bytes", s, len(got))
		}
		tmpl, err := texttemplate.New("t").Option("missingkey=error").Funcs(funcs).Parse(s)
		if err != nil {
			t.Fatalf("%q: we accept, text/template: %v", s, err)
		}
		var want strings.Builder
		data := struct {
			Vars
			Major, Minor, Patch, Prerelease string
		}{sample, "1", "2", "3", ""}
		if err := tmpl.Execute(&want, data); err != nil {
			t.Fatalf("%q: we say %q, text/template: %v", s, got, err)
		}
		if got != want.String() {
			t.Errorf("%q: %q, text/template says %q", s, got, want.String())
		}
	})
}
