package recovery

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/goflags"
)

// TestDirectories rebuilds programs that were built without -trimpath, in directories
// that are not there or hold something else: those that the programs name are made up
// for the build, and only for it.
func TestDirectories(t *testing.T) {
	g := hostGo(t)
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git")
	}
	if strings.HasPrefix(os.TempDir(), "/dev/") {
		t.Skip("TMPDIR is in a directory of the system, in which no build can be shown to be")
	}
	place := testPlace(t, git)
	repo := t.TempDir()
	write(t, repo, map[string]string{
		"sub/go.mod": "module example.com/tool/sub\n\ngo 1.24\n", "sub/cmd/tool/main.go": "package main\n\nfunc main() { println(\"hello\") }\n",
		"sub/x/main.go": "package main\n\nimport \"example.com/tool/sub/lib\"\n\nfunc main() { println(lib.Name()) }\n", "sub/lib/lib.go": "package lib\n\n//go:noinline\nfunc Name() string { return \"c\" }\n",
	})
	run := func(dir string, args ...string) {
		t.Helper()
		cmd := exec.Command(git, append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	run(repo, "init", "-q")
	run(repo, "add", ".")
	run(repo, "commit", "-qm", "one")
	out := t.TempDir()
	var inputs []Input

	// By the go command alone, in a directory that is removed; and in one that now has
	// something else in it.
	for _, name := range []string{"removed", "replaced"} {
		built := filepath.Join(t.TempDir(), "built here")
		run(repo, "clone", "-q", repo, built)
		file := filepath.Join(out, name)
		cmd := exec.Command(g.Go(), "build", "-buildvcs=true", "-o", file, "./cmd/tool")
		cmd.Dir, cmd.Env = filepath.Join(built, "sub"), append(place.Env([]string{"GOOS=linux", "GOARCH=amd64"}, "off"), "CGO_ENABLED=0")
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		if err := files.RemoveTree(built); err != nil {
			t.Fatal(err)
		}
		if name == "replaced" {
			write(t, built, map[string]string{"sub/go.mod": "module other\n", "sub/cmd/tool/main.go": "package other\n", "mine": "the user's"})
			defer func() {
				if data, err := os.ReadFile(filepath.Join(built, "mine")); err != nil || string(data) != "the user's" {
					t.Errorf("%q, %v", data, err)
				}
			}()
		}
		inputs = append(inputs, Input{Name: name, Path: file})
	}
	// With directories that this machine does not have, for several systems, and of
	// named files.
	var none string // why there are none
	at := testRecipe(g, place, filepath.Join(repo, "sub"), filepath.Join(out, "views"))
	at.claim.Flags = nil
	program, err := g.Compile(t.Context(), place, filepath.Join(t.TempDir(), "m"), "mounter", confine.MounterSource)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []struct{ name, pkg, platform, source, goroot string }{
		{"linux", "./cmd/tool", "linux/amd64", "/home/runner/work/tool/tool", "/opt/hostedtoolcache/go/1.26.0/x64"},
		{"darwin", "./cmd/tool", "darwin/arm64", "/Users/runner/work/tool/tool", "/Users/runner/hostedtoolcache/go/1.26.0/arm64"},
		{"named", "./x/main.go", "linux/amd64", "/go/src/example.com/tool", "/usr/lib/go-1.26"},
	} {
		r := *at
		goos, goarch, _ := strings.Cut(p.platform, "/")
		r.claim = &Claim{Package: "example.com/tool/sub/cmd/tool", GOOS: goos, GOARCH: goarch, Env: testEnv("CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)}
		r.pkg = p.pkg
		r.at = r.at.Apart(out, "")
		r.at.View = &confine.View{Mounter: program, Mounts: []confine.Mount{{From: g.Dir, At: p.goroot}, {From: repo, At: p.source, Foreign: true}}}
		made, err := r.build(t.Context(), p.name, goflags.Flag{})
		if err != nil {
			if none = err.Error(); strings.Contains(none, "no mount") || strings.Contains(none, "on Linux only") {
				break
			}
			t.Fatal(err)
		}
		none = ""
		data, err := os.ReadFile(made.Path)
		if err != nil || !bytes.Contains(data, []byte(p.source+"/sub/")) || !bytes.Contains(data, []byte(p.goroot+"/src/runtime/proc.go")) || bytes.Contains(data, []byte(repo)) {
			t.Fatalf("%s: the directories are not in it: %v", p.name, err)
		}
		inputs = append(inputs, Input{Name: p.name, Path: made.Path})
	}
	cfg := Config{
		Place: place, Work: t.TempDir(), Source: repo, Jobs: 2,
		Fetcher: &toolchain.Fetcher{Go: g.Go(), Place: place, Settings: toolchain.Settings{GOPROXY: "off"}},
		Goroot:  func(context.Context, string) (*toolchain.Goroot, error) { return g, nil },
	}
	results, err := Rebuild(t.Context(), cfg, inputs)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if none == "" && (r.Verdict != fact.Identical || r.Directories == nil || r.Directories.Elsewhere != "") {
			d, _ := json.Marshal(r.Directories)
			t.Errorf("%s: %s (%s), %s, %q", r.Name, r.Verdict, r.Reason, d, r.Notes)
		}
		if none != "" && (r.Verdict != fact.Different || !strings.Contains(r.Reason, "and it was built in others here: ")) {
			t.Errorf("%s: %s (%s)", r.Name, r.Verdict, r.Reason)
		}
	}
	if none != "" {
		t.Skip("SKIPPED in part: " + none)
	}
}

// TestDirectoriesView: what a binary names becomes what the build sees, or the reason
// why it does not.
func TestDirectoriesView(t *testing.T) {
	top := t.TempDir()
	src := &tree{root: top, dir: filepath.Join(top, "sub", "mod")}
	for _, tt := range []struct {
		d         Directories
		installed bool
		want      []confine.Mount
		reason    string
	}{
		{Directories{Source: "/w/sub/mod", Goroot: "/go", ModCache: "/m"}, false, []confine.Mount{{From: "/goroot", At: "/go"}, {From: "/mods", At: "/m", Foreign: true}, {From: top, At: "/w", Foreign: true}}, ""},
		{Directories{Source: "/m/x@v1", Goroot: "/goroot", ModCache: "/m"}, true, []confine.Mount{{From: "/mods", At: "/m", Foreign: true}}, ""},
		{Directories{Source: top + "/sub/mod", Goroot: "/goroot"}, false, nil, ""},
		{Directories{Source: "/w", Goroot: "/go"}, false, nil, `the module is in sub/mod of its source, and was built in "/w"`},
		{Directories{Source: "C:/Users/x/sub/mod", Goroot: "C:/Go"}, false, nil, `"C:/Go" is a path of Windows, and directories are shown at other paths on Linux only`},
	} {
		v, err := tt.d.view("/goroot", "/mods", src, tt.installed)
		if tt.reason != "" {
			if err == nil || err.Error() != tt.reason {
				t.Errorf("%+v: %v, want %s", tt.d, err, tt.reason)
			}
			continue
		}
		if err != nil || !slices.Equal(v.Mounts, tt.want) {
			t.Errorf("%+v: %+v, %v", tt.d, v.Mounts, err)
		}
	}
}
