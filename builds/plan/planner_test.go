package plan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/buildstest"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/profiles"
)

// fixture is a module in a directory and a planner for it.
type fixture struct {
	*buildstest.Module
	deps  bool
	units []*Unit // of the last plan
}

func newFixture(t *testing.T, files map[string]string) *fixture {
	t.Helper()
	return &fixture{Module: buildstest.New(t, files), deps: true}
}

func (f *fixture) planner(yaml string) *Planner {
	f.T.Helper()
	file, err := profiles.Load("mintmark.yaml", []byte(yaml))
	if err != nil {
		f.T.Fatal(err)
	}
	selected, err := file.Select(nil, nil)
	if err != nil {
		f.T.Fatal(err)
	}
	g := buildstest.Goroot(f.T)
	return &Planner{
		File: file, Selected: selected, Source: &f.Source, Version: "1.2.3", Tag: f.Source.Tag(), Go: g.Toolchain.Version, Deps: f.deps,
		Loader: &Loader{Goroot: g, Place: f.Place, Settings: toolchain.Settings{GOPROXY: "off", GOSUMDB: "off"}, Dir: f.Dir, Kind: f.Source.Kind},
	}
}

func (f *fixture) plan(yaml string) (*Plan, error) { return f.planner(yaml).Plan(f.T.Context()) }

const head = `version: 1
project: fx
`

func TestPlanTwoMains(t *testing.T) {
	f := newFixture(t, buildstest.Sample())
	pl := f.planner(head + `
main: ./cmd/...
profiles:
  release:
    platforms: [windows/amd64, linux/arm/7, linux/amd64]
    files: [README*, LICENSE, docs/*]
    env: {CC: gcc}
    ldflags:
      set:
        main.version: "{{.Version}} {{.Commit}} {{.CommitDate}} {{.Tag}}"
        example.com/fx/lib.Name: "{{.OS}}/{{.Arch}}/{{.Variant}}"
`)
	plan, err := pl.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, u := range plan.Units {
		ids = append(ids, u.ID())
	}
	if want := []string{"release linux/amd64", "release linux/arm/7", "release windows/amd64"}; !slices.Equal(ids, want) {
		t.Fatalf("units %q", ids)
	}
	u := plan.Units[1]
	if !slices.Equal(u.Mains, []fact.Main{{Package: "example.com/fx/cmd/a", Binary: "a"}, {Package: "example.com/fx/cmd/b", Binary: "b"}}) {
		t.Errorf("mains %v", u.Mains)
	}
	if !slices.Equal(u.Files, []string{"LICENSE", "README.md", "docs/x.md"}) {
		t.Errorf("files %q", u.Files)
	}
	if want := []string{"GOOS=linux", "GOARCH=arm", "GOARM=7", "CGO_ENABLED=0", "CC=gcc"}; !slices.Equal(u.Env, want) {
		t.Errorf("env %q", u.Env)
	}
	ld := "-ldflags=-s -w -X example.com/fx/lib.Name=linux/arm/7 -X 'main.version=1.2.3 " + f.Source.Commit + " 2026-01-02T03:04:05Z v1.2.3'"
	if want := []string{"-trimpath", "-buildvcs=true", "-mod=readonly", ld}; !slices.Equal(u.Flags[:min(4, len(u.Flags))], want) {
		t.Errorf("flags %q", u.Flags)
	}
	if len(pl.Modules()) != 0 {
		t.Errorf("modules %q", pl.Modules())
	}
	data, err := plan.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, leak := range []string{f.Dir, f.Place.Home, buildstest.Goroot(t).Dir} {
		if strings.Contains(string(data), leak) {
			t.Errorf("the plan knows %s", leak)
		}
	}
}

// The same plan in two directories, whatever the environment.
func TestPlanIsTheSameEverywhere(t *testing.T) {
	yaml := head + "main: [./cmd/b, ./cmd/a]\nprofiles:\n  z: {platforms: [linux/amd64]}\n  release: {platforms: [linux/arm64, darwin/arm64]}\n"
	var ids []string
	if _, err := buildstest.Host(); err != nil { // before the environment is poisoned
		t.Fatal(err)
	}
	for i := range 2 {
		f := newFixture(t, buildstest.Sample())
		if i == 1 {
			f.deps = false
			for _, kv := range [][2]string{{"GOFLAGS", "-tags=x"}, {"GOEXPERIMENT", "nosuch"}, {"GOOS", "plan9"}, {"GOARCH", "386"}, {"CGO_ENABLED", "1"}, {"GOWORK", "/nowhere"},
				{"TZ", "Pacific/Chatham"}, {"LANG", "de_DE.UTF-8"}, {"GOENV", "/nowhere"}, {"GOAMD64", "v4"}, {"GOTOOLCHAIN", "go1.1"}} {
				t.Setenv(kv[0], kv[1])
			}
		}
		plan, err := f.plan(yaml)
		if err != nil {
			t.Fatal(err)
		}
		id, err := plan.ID()
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if ids[0] != ids[1] {
		t.Errorf("plan IDs %q", ids)
	}
}

func TestPlanProblems(t *testing.T) {
	type where map[string]string // position → part of the message
	for _, tt := range []struct {
		name  string
		yaml  string
		files map[string]string
		want  where
	}{
		{"unknown platform", "main: ./cmd/a\nprofiles:\n  release:\n    platforms:\n      - linux/amd64\n      - windows/mips\n",
			nil, where{"8:9": "cannot build for windows/mips"}},
		{"a broken port", "main: ./cmd/a\nprofiles:\n  release:\n    platforms:\n      - freebsd/riscv64\n",
			nil, where{"7:9": "cannot build for freebsd/riscv64"}},
		{"no such directory", "main:\n  - ./cmd/a\n  - ./cmd/nosuch\nprofiles:\n  release: {platforms: [linux/amd64, linux/arm64]}\n",
			nil, where{"5:5": "./cmd/nosuch"}},
		{"no such pattern", "main: ./nosuch/...\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
			nil, where{"3:7": "./nosuch/..."}},
		{"no Go files", "main: ./docs\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
			nil, where{"3:7": "no Go files"}},
		{"not for this platform", "main: [./cmd/a, ./cmd/win]\nprofiles:\n  release: {platforms: [linux/amd64, windows/amd64]}\n",
			map[string]string{"cmd/win/main_windows.go": "package main\n\nfunc main() {}\n"}, where{"3:17": "build constraints exclude all Go files"}},
		{"not a main", "main: [./cmd/a, ./lib]\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
			nil, where{"3:7": "example.com/fx/lib is package lib, not a program"}},
		{"no main in a pattern", "main: ./lib/...\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
			nil, where{"3:7": "no main package in ./lib/..."}},
		{"variables", "main: ./cmd/a\nprofiles:\n  release:\n    platforms: [linux/amd64, linux/arm64]\n    ldflags:\n      set:\n        main.verison: x\n        main.fixed: x\n" +
			"        example.com/fx/lib.Nmae: x\n        example.com/fx/lib.Computed: x\n        example.com/fx/unused.Name: x\n        example.com/fx/cmd/a.version: x\n",
			nil, where{"9:23": "no such variable", "10:21": "a constant", "11:34": "no such variable", "12:38": "a call", "13:37": "imports example.com/fx/unused", "14:39": "own package as main"}},
		{"pgo missing", "main: ./cmd/a\nprofiles:\n  release: {platforms: [linux/amd64], pgo: default.pgo}\n",
			nil, where{"5:44": "default.pgo: not in the commit"}},
		{"pgo empty", "main: ./cmd/a\nprofiles:\n  release: {platforms: [linux/amd64], pgo: cpu.pgo}\n",
			map[string]string{"cpu.pgo": ""}, where{"5:44": "cpu.pgo: is empty"}},
		{"pgo garbage", "main: ./cmd/a\nprofiles:\n  release: {platforms: [linux/amd64], pgo: cpu.pgo}\n",
			map[string]string{"cpu.pgo": "garbage"}, where{"5:44": "cpu.pgo: is no CPU profile of pprof, or damaged: byte 0"}},
		{"default.pgo empty", "main: ./cmd/a\nprofiles:\n  release: {platforms: [linux/amd64]}\n",
			map[string]string{"cmd/a/default.pgo": ""}, where{"built-in": "cmd/a/default.pgo: is empty"}},
		{"pgo is a directory", "main: ./cmd/a\nprofiles:\n  release: {platforms: [linux/amd64], pgo: docs}\n",
			nil, where{"5:44": "not a regular file"}},
		{"file missing", "main: ./cmd/a\nprofiles:\n  release: {platforms: [linux/amd64], archive: zip, files: [README.md, NOTICE, docs, MISSING*]}\n",
			nil, where{"5:72": "no file NOTICE", "5:80": "docs is not a file"}},
		{"a place without a value beside missing files", "main: ./cmd/a\nprofiles:\n  release:\n    platforms: [linux/amd64, linux/arm64]\n    archive: zip\n    files:\n      - NOTICE\n      - {src: README.md, dst: '{{if eq .ShortCommit \"0123456\"}}x{{else}}../x{{end}}'}\n      - {src: docs, dst: x}\n  b: {inherit: release, platforms: [windows/amd64]}\n",
			nil, where{"9:9": "no file NOTICE", "10:31": "leads out of the archive", "11:15": "docs is not a file"}},
		{"a file named like the binary", "main: ./cmd/a\nprofiles:\n  release: {platforms: [linux/amd64], archive: zip, files: [a]}\n",
			map[string]string{"a": "x"}, where{"5:60": "a is the name of a file and of a binary"}},
		{"colliding names", "main: ./cmd/a\nprofiles:\n  one: {platforms: [linux/amd64], name: same}\n  two: {inherit: one, platforms: [linux/arm64]}\n",
			nil, where{"5:41": "one linux/amd64 and two linux/arm64 would both publish same"}},
		{"names that differ in case", "main: ./cmd/a\nprofiles:\n  one: {platforms: [linux/amd64], name: Same}\n  two: {platforms: [linux/arm64], name: same}\n",
			nil, where{"6:41": "would both publish same"}},
		{"two mains of one name", "main: ./...\nprofiles:\n  one: {platforms: [linux/amd64]}\n",
			map[string]string{"tools/A/main.go": "package main\n\nfunc main() {}\n"}, where{"3:7": "both make a binary named"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := buildstest.Sample()
			for name, data := range tt.files {
				files[name] = data
			}
			f := newFixture(t, files)
			_, err := f.plan(head + tt.yaml)
			var problems profiles.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("no problems: %v", err)
			}
			if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 1 {
				t.Errorf("more than the problems: %v", err)
			}
			got := map[string]string{}
			for _, p := range problems {
				pos := p.Pos.File
				if p.Pos.Line > 0 {
					pos = fmt.Sprintf("%d:%d", p.Pos.Line, p.Pos.Column)
				}
				if got[pos] != "" {
					t.Errorf("twice at %s: %s", pos, p.Message)
				}
				got[pos] = p.Message
				if !strings.Contains(p.Message, tt.want[pos]) || tt.want[pos] == "" {
					t.Errorf("%s: %s; want %q", pos, p.Message, tt.want[pos])
				}
				if p.Hint == "" && !strings.Contains(p.Message, "no such variable") && !strings.Contains(p.Message, "imports") {
					t.Errorf("no hint: %s", p.Message)
				}
				if strings.Contains(p.Message, f.Dir) {
					t.Errorf("a path of this machine: %s", p.Message)
				}
			}
			for pos, want := range tt.want {
				if got[pos] == "" {
					t.Errorf("nothing at %s, want %q", pos, want)
				}
			}
		})
	}
}

// An error in a dependency is reported once, with all others, not once per platform.
func TestPlanErrors(t *testing.T) {
	files := buildstest.Sample()
	files["lib/lib.go"] = "package lib\n\nimport (\n\t_ \"example.com/fx/missing\"\n\t_ \"example.com/fx/cycle\"\n)\n\nfunc Do(string) {}\n"
	files["cycle/c.go"] = "package cycle\n\nimport _ \"example.com/fx/lib\"\n"
	f := newFixture(t, files)
	_, err := f.plan(head + "main: ./cmd/...\nprofiles:\n  release: {platforms: [linux/amd64, linux/arm64, darwin/arm64, windows/amd64]}\n")
	if err == nil {
		t.Fatal("no error")
	}
	text := err.Error()
	for _, want := range []string{"lib/lib.go:4:2: ", "example.com/fx/missing", "import cycle not allowed"} {
		if n := strings.Count(text, want); n < 1 || want != "example.com/fx/missing" && n != 1 {
			t.Errorf("%d times %q in %s", n, want, text)
		}
	}
	if !strings.HasPrefix(text, "release ") || strings.Contains(text, f.Dir) {
		t.Errorf("got %s", text)
	}

	f = newFixture(t, buildstest.Sample())
	f.Write("go.mod", "module example.com/fx\n\ngo 1.23\n\nrequire example.com/dep v1.0.0\n")
	f.Write("lib/lib.go", "package lib\n\nimport _ \"example.com/dep\"\n\nfunc Do(string) {}\n")
	_, err = f.plan(head + "main: ./cmd/...\nprofiles:\n  release: {platforms: [linux/amd64, linux/arm64]}\n")
	if err == nil || strings.Count(err.Error(), "missing go.sum entry") != 1 || !strings.Contains(fault.Hint(err), "go mod tidy") {
		t.Errorf("missing go.sum: %v", err)
	}

	f = newFixture(t, buildstest.Sample())
	f.Write("go.mod", "module example.com/fx\n\ngo 1.999\n")
	_, err = f.plan(head + "main: ./cmd/...\nprofiles:\n  release: {platforms: [linux/amd64, linux/arm64]}\n")
	if err == nil || strings.Count(err.Error(), "requires go >= 1.999") != 1 || !strings.Contains(fault.Hint(err), "newer toolchain") || strings.Contains(err.Error(), f.Dir) {
		t.Errorf("too new: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f = newFixture(t, buildstest.Sample())
	if _, err := f.planner(head + "main: ./cmd/a\nprofiles:\n  release: {platforms: [linux/amd64]}\n").Plan(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A symbolic link in the commit must not bring a file of this machine into an archive.
func TestPlanFilesOutside(t *testing.T) {
	f := newFixture(t, buildstest.Sample())
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"NOTICE": secret, "SECRETS": "../../x", "COPYING": "LICENSE", "linked": filepath.Dir(secret)} {
		if err := os.Symlink(target, filepath.Join(f.Dir, name)); err != nil {
			t.Skip("SKIPPED: no symbolic links here:", err)
		}
	}
	yaml := func(files string) string {
		return head + "main: ./cmd/a\nprofiles:\n  release: {platforms: [linux/amd64], archive: zip, files: [" + files + "]}\n"
	}
	for _, files := range []string{"NOTICE", "SECRET*", "linked/secret"} {
		if plan, err := f.plan(yaml(files)); err == nil {
			t.Errorf("%s: %q", files, plan.Units[0].Files)
		}
	}
	plan, err := f.plan(yaml("COPYING, 'linked/*', README*"))
	if err != nil || !slices.Equal(plan.Units[0].Files, []string{"COPYING", "README.md"}) {
		t.Errorf("got %v, %v", plan, err)
	}
}

func TestPlanVendor(t *testing.T) {
	f := newFixture(t, buildstest.Sample())
	f.Write("vendor/modules.txt", "")
	f.Source.Vendored = true
	yaml := head + "main: ./cmd/a\nprofiles:\n  release: {platforms: [linux/amd64]}\n"
	for goLine, want := range map[string]bool{"1.23": true, "1.14": true, "1.13": false, "": false} {
		f.Source.GoLine = goLine
		plan, err := f.plan(yaml)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(plan.Units[0].Flags, "-mod=vendor"); got != want {
			t.Errorf("go %s: -mod=vendor is %v", goLine, got)
		}
	}
}

func TestPGO(t *testing.T) {
	f := newFixture(t, buildstest.Sample())
	f.Write("cmd/a/default.pgo", buildstest.CPUProfile("main.main", "runtime.main"))
	f.Write("perf/cpu.pgo", buildstest.CPUProfile("main.other", "runtime.main"))
	plan, err := f.plan(head + "main: ./cmd/...\nprofiles:\n  auto: {platforms: [linux/amd64]}\n  named: {platforms: [linux/arm64], pgo: perf/cpu.pgo}\n  off: {platforms: [linux/386], pgo: off}\n")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, u := range plan.Units {
		for _, p := range u.PGO {
			got[u.Profile+" "+p.Path] = len(p.SHA256)
		}
	}
	if len(got) != 2 || got["auto cmd/a/default.pgo"] != 64 || got["named perf/cpu.pgo"] != 64 {
		t.Errorf("got %v", got)
	}
}

func TestExplain(t *testing.T) {
	for text, want := range map[string]string{
		"go: example.com/x@v1: Get \"https://proxy\": dial tcp: lookup proxy: no such host": "network",
		"go: updates to go.mod needed":                     "go mod tidy",
		"verifying x: checksum mismatch\n\tSECURITY ERROR": "do not release",
		"reading https://proxy/x: 404 Not Found":           "module proxy",
		"go: inconsistent vendoring in x":                  "go mod vendor",
		"module lookup disabled by GOPROXY=off":            "GOPROXY",
		"go: go.mod requires go >= 1.99 (running go 1.26)": "newer toolchain",
		"lib/lib.go:3:21: undefined: nonsense":             "",
	} {
		err := toolchain.Explain(errors.New(text))
		got := fault.Hint(err)
		if (got == "") != (want == "") || !strings.Contains(got, want) || err.Error() != text {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestPlanIsChecked: a planner makes no plan that a stranger would refuse. What
// its own messages do not name, the rules of plans do.
func TestPlanIsChecked(t *testing.T) {
	f := newFixture(t, buildstest.Sample())
	const yaml = head + "main: [./cmd/a]\nprofiles:\n  release:\n    platforms: [linux/amd64]\n    files: [docs/*]\n"
	if runtime.GOOS == "linux" { // elsewhere they are one file
		f.Write("docs/X.md", "x")
		if _, err := f.plan(yaml); err == nil || !strings.Contains(err.Error(), `mintmark.yaml:7:12: "docs/X.md" and "docs/x.md" differ only in case`) {
			t.Error(err)
		}
		if err := os.Remove(filepath.Join(f.Dir, "docs", "X.md")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.plan(yaml); err != nil {
		t.Error(err)
	}
	f.Source.Sum = "h1:x="
	_, err := f.plan(yaml)
	var broken *RuleError
	if !errors.As(err, &broken) || !strings.Contains(err.Error(), "h1:x=") {
		t.Error(err)
	}
}
