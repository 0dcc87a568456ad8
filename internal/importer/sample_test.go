package importer

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	texttemplate "text/template"
	"text/template/parse"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzOriginal: a template of GoReleaser's that is evaluated has the value that
// text/template gives, with which GoReleaser evaluates it.
func FuzzOriginal(f *testing.F) {
	list, err := filepath.Glob("testdata/goreleaser/*.txtar")
	if err != nil || len(list) == 0 {
		f.Fatal("no configurations", err)
	}
	for _, name := range list {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, text := range regexp.MustCompile(`.*{{.*`).FindAllString(string(a.Files[0].Data), -1) {
			f.Add(text)
		}
	}
	for _, s := range []string{
		`{{ .Now.Format "2006-01-02" }}`, `{{ "2006" | .Now.Format }}`, `{{ time "06" }}`, "{{ .Now }}", "{{ .Now.Format }}", `{{ .Os "x" }}`, `{{ "x" | .Os }}`,
		`{{ index .Env "SET" }}{{ index .Env "NOT" }}{{ .Env.SET }}`, "{{ .Env.NOT }}", "{{ if .Env }}a{{ end }}", "{{ .Env }}", "{{ with .Env }}{{ .SET }}{{ end }}",
		"{{ slice .Os 0 3 }}{{ slice .Os 2 }}{{ slice .Os }}", "{{ slice .Os 3 1 }}", "{{ slice .Os -1 }}", "{{ slice .Os 0 99 }}", "{{ slice .Os 010 }}", "{{ slice .Os 1.0 }}", "{{ slice .Os '\\x01' }}",
		`{{ eq .Os "windows" "linux" }}`, "{{ eq .Os 3 }}", "{{ eq 3 3 }}", "{{ eq .CommitTimestamp 3 }}{{ ne true false }}", `{{ ne .Os "a" "b" }}`, "{{ eq .Env .Env }}", "{{ eq 1 }}", "{{ eq 1 1.0 }}",
		`{{ or .Arm "a" | tolower }}`, "{{ .Os | and .Arm }}", "{{ and }}", "{{ not }}", "{{ not .Arm }}", "{{ or .Arm .Env.NOT }}", "{{ or .Os .Env.NOT }}",
		"{{ with .Arm }}v{{ . }}{{ else }}{{ $.Os }}{{ end }}", "{{ with .Os }}{{ .Arch }}{{ end }}", "{{ . }}", "{{ $ }}", "{{ nil }}", "{{ with 0 }}a{{ else with 1 }}{{ . }}{{ end }}",
		"{{ .CommitTimestamp }}{{ if .Timestamp }}x{{ end }}", "{{ tolower 3 }}", "{{ tolower true }}", "{{ isEnvSet .Os }}", `{{ if isEnvSet "A" }}a{{ else }}b{{ end }}`, `{{ envOrDefault "A" "b" }}`,
		`{{ replace .Version "." "_" | trimprefix "1" }}`, `{{ trimsuffix .Version "3" }}`, `{{ title "abc DEF" }}{{ dir "a/b" }}{{ base "a/b" }}{{ trim " a " }}`, `{{ contains .Os "win" }}`,
		`{{- .Os -}} {{/* x */}}`, `{{ (.Env).SET }}`, `{{ ("x") }}`, `{{ .Os.Foo }}`, "{{ tolower }}", "{{ tolower .Os .Os }}", "{{ toupper (tolower .Os) }}", `{{ print 1 }}`, `{{ range .Os }}{{ end }}`, `{{ $x := 1 }}`,
	} {
		f.Add(s)
	}
	im := newImporter(Source{Module: "example.com/m"})
	im.values = map[string]string{"Env.SET": "x{{.Version}}", "Var.name": "fixed"}
	f.Fuzz(func(t *testing.T, text string) {
		tree := parse.New("t")
		tree.Mode = parse.SkipFuncCheck
		if _, err := tree.Parse(text, "", "", map[string]*parse.Tree{}); err != nil || len(text) > 4<<10 || supported(tree.Root) != nil {
			return
		}
		for _, target := range []target{{"linux", "amd64", "v1"}, {"windows", "arm", "6"}} {
			for _, s := range samples() {
				l, err := im.original(target, s, scope{project: "p"})
				if err != nil {
					t.Fatal(err)
				}
				got, err := l.Text(tree.Root.Nodes...)
				if err != nil {
					continue
				}
				fields, err := im.seen(target, s, scope{project: "p"})
				if err != nil {
					t.Fatal(err)
				}
				data := map[string]any{"Now": s.when}
				for name, v := range fields {
					data[name] = v
				}
				var want strings.Builder
				tm, err := texttemplate.New("t").Option("missingkey=error").Funcs(goreleaserFuncs(s)).Parse(text)
				if err == nil {
					err = tm.Execute(&want, data)
				}
				if err != nil || got != want.String() {
					t.Errorf("%q: %q, text/template says %q, %v", text, got, want.String(), err)
				}
			}
		}
	})
}

// goreleaserFuncs are the functions as GoReleaser gives them to text/template.
func goreleaserFuncs(s sample) texttemplate.FuncMap {
	return texttemplate.FuncMap{
		"replace": strings.ReplaceAll, "contains": strings.Contains,
		"tolower": strings.ToLower, "toupper": strings.ToUpper, "trim": strings.TrimSpace,
		"trimprefix": strings.TrimPrefix, "trimsuffix": strings.TrimSuffix, "title": title,
		"dir": path.Dir, "base": path.Base, "time": s.when.Format,
		"envOrDefault": func(_, text string) string { return text },
		"isEnvSet":     func(string) bool { return false },
	}
}
