package recovery

import (
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/internal/goflags"
)

func testValues() *Values {
	commit := "0123456789abcdef0123456789abcdef01234567"
	return &Values{
		Versions: []string{"1.2.3"}, Tags: []string{"v1.2.3"}, Commits: []string{commit}, Shorts: []string{commit[:7], commit[:8]},
		Dates: []string{"2026-01-02T03:04:05Z"}, Project: "tool", Module: "example.com/tool", GOOS: "linux", GOARCH: "amd64", Go: "go1.26.8",
		data: []byte("\x001.2.3\x00v1.2.3\x00" + commit + "\x002026-01-02T03:04:05Z\x00"), present: map[string]bool{},
	}
}

// TestScriptTemplates: of each text, one of the expansions is what the build
// would have passed.
func TestScriptTemplates(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, tt := range []struct{ name, text, want string }{
		{"Makefile", "VERSION := $(shell git describe --tags)\nLDFLAGS := -s -w -X main.version=$(VERSION)\nbuild:\n\tgo build -trimpath -ldflags \"$(LDFLAGS)\" ./cmd/x\n", "-s -w -X main.version=v1.2.3"},
		{"Makefile", "LDFLAGS = -s -w \\\n  -X main.commit=$(COMMIT) \\\n  -X main.date=$(DATE)\n", "-s -w -X main.commit=" + commit + " -X main.date=2026-01-02T03:04:05Z"},
		{"Makefile", "LDFLAGS = -s -w\nLDFLAGS += -X main.v=$(VERSION)\n", "-s -w -X main.v=1.2.3"},
		{"build.sh", "go build -ldflags=\"-w -s -X example.com/tool/v.Commit=$(git rev-parse --short HEAD)\" .\n", "-w -s -X example.com/tool/v.Commit=0123456"},
		{"build.sh", "ldflags='-X main.commit='\"`git rev-parse HEAD`\"\ngo build -ldflags '-s -w'\n", "-s -w"},
		{"ci.yml", "    - run: go build -trimpath -ldflags \"-s -w -X main.Version=${{ github.ref_name }}\" -o x\n", "-s -w -X main.Version=v1.2.3"},
		{"build.js", `execSync("go", ["build", "-ldflags", "-s -w -X main.version=` + "${version}" + `"])`, "-s -w -X main.version=1.2.3"},
		{"Dockerfile", "RUN go build -ldflags='-extldflags \"-static\" -s' .\n", `-extldflags -static -s`},
	} {
		var all []string
		found := false
		for _, tmpl := range scriptTemplates(tt.name, tt.text) {
			for flags := range tmpl.expand(testValues(), false) {
				text := strings.Join(flags, " ")
				all = append(all, text)
				found = found || text == tt.want
			}
		}
		if !found {
			t.Errorf("%s: %q\nwant %q\ngot %q", tt.name, tt.text, tt.want, all[:min(len(all), 20)])
		}
	}
}

func TestGoreleaserTemplates(t *testing.T) {
	const file = `
version: 2
builds:
  - id: list
    ldflags:
      - -s -w
      - -X main.version={{.Version}} -X main.commit={{ .Commit }}
  - id: text
    ldflags: -s -w -X main.date={{.CommitDate}}
  - id: none
    flags: [-trimpath]
`
	got := goreleaserTemplates(".goreleaser.yaml", []byte(file))
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []string{"-s -w -X main.version=1.2.3 -X main.commit=0123456789abcdef0123456789abcdef01234567", "-s -w -X main.date=2026-01-02T03:04:05Z"} {
		first := ""
		for flags := range got[i].expand(testValues(), true) {
			first = strings.Join(flags, " ")
			break
		}
		if first != want {
			t.Errorf("%s: %q first, want %q", got[i].From, first, want)
		}
	}
	if got := goreleaserTemplates("x", []byte("builds: {")); got != nil {
		t.Errorf("%+v", got)
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
		ok   bool
	}{
		{"", nil, true},
		{" -s  -w\t", []string{"-s", "-w"}, true},
		{`-X 'main.a=b c' -w`, []string{"-X", "main.a=b c", "-w"}, true},
		{`-X "main.a=it's"`, []string{"-X", "main.a=it's"}, true},
		{`-X=main.a="b`, []string{`-X=main.a="b`}, true}, // a quote inside a word does not count
		{`'-s`, nil, false},
	} {
		got, err := goflags.Split(tt.text)
		if !slices.Equal(got, tt.want) || (err == nil) != tt.ok {
			t.Errorf("%q: %q, %v", tt.text, got, err)
		}
		if err != nil {
			continue
		}
		if again, err := goflags.Split(candidate{Flags: got}.Text()); err != nil || !slices.Equal(again, got) {
			t.Errorf("%q written as %q reads as %q", got, candidate{Flags: got}.Text(), again)
		}
	}
}

// TestExpandBound: the product of many holes ends.
func TestExpandBound(t *testing.T) {
	tmpl, ok := newTemplate("x", strings.Repeat("-X main.a=${A} -X main.b=${B} -X main.c=${C} -X main.d=${D} ", 2)+"-X main.e=${E} -X main.f=${F}", nil)
	if !ok {
		t.Fatal("refused")
	}
	n := 0
	for range tmpl.expand(testValues(), false) {
		n++
	}
	if n != maxExpanded {
		t.Errorf("%d", n)
	}
	if _, ok := newTemplate("x", "$A$B$C$D$E$F$G$H$I", nil); ok {
		t.Error("nine holes accepted")
	}
	loop, _ := newTemplate("x", "-s $(A)", func(name string) (string, bool) { return "$(B) $(A) $(A)", true })
	if len(loop.parts) > maxTemplate {
		t.Error("no end")
	}
}

func FuzzTemplates(f *testing.F) {
	for _, s := range []string{"LDFLAGS := -s $(shell x)", "go build -ldflags \"-X a=`b`\"", "${{", "$(((", "%A%", "A=$A$A\nA+=$(A)\nldflags=-s $A", goreleaserDefault} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		for _, tmpl := range append(scriptTemplates("x", text), goreleaserTemplates("y", []byte(text))...) {
			n := 0
			for flags := range tmpl.expand(testValues(), true) {
				if again, err := goflags.Split(candidate{Flags: flags}.Text()); err == nil && !slices.ContainsFunc(flags, func(s string) bool { return strings.ContainsAny(s, "'\"") }) && !slices.Equal(again, flags) {
					t.Fatalf("%q", flags)
				}
				if n++; n > 100 {
					break
				}
			}
		}
	})
}
