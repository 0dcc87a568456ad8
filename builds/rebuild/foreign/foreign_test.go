package foreign

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/rebuild"
	"github.com/mintmark/mintmark/builds/toolchain"
)

// TestRebuildSideBySide rebuilds several binaries of one repository at the same
// time: they share source and toolchain, and every one gets its own verdict.
func TestRebuildSideBySide(t *testing.T) {
	g := hostGo(t)
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git")
	}
	place := testPlace(t, git)
	repo := t.TempDir()
	write(t, repo, map[string]string{
		"go.mod": "module example.com/tool\n\ngo 1.24\n", "a/main.go": "package main\n\nfunc main() { println(\"a\") }\n", "b/main.go": "package main\n\nfunc main() { println(\"b\") }\n",
	})
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "one"}, {"tag", "v1.0.0"}} {
		if out, err := exec.Command(git, append([]string{"-C", repo}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	dir := t.TempDir()
	var inputs []Input
	for _, pkg := range []string{"./a", "./b"} {
		for _, arch := range []string{"amd64", "arm64"} {
			j := job{claim: &Claim{Flags: testFlags("-trimpath"), Env: testEnv("CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)}, place: place, goroot: g, dir: repo, out: dir, pkg: pkg, vcs: true}
			file, _, err := j.build(t.Context(), pkg+arch, testFlag("-ldflags=-w"))
			if err != nil {
				t.Fatal(err)
			}
			inputs = append(inputs, Input{Name: pkg + arch, Path: file})
		}
	}
	altered := filepath.Join(dir, "altered")
	data, err := os.ReadFile(inputs[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(altered, data, 0o755); err != nil {
		t.Fatal(err)
	}
	inputs = append(inputs, Input{Name: "altered", Path: altered}, Input{Name: "skipped", Skip: "for a reason"}, Input{Name: "text", Path: filepath.Join(repo, "go.mod")})

	installs, done := 0, map[string]string{}
	cfg := Config{
		Place: place, Work: t.TempDir(), Source: repo, Jobs: 4,
		// Nothing is downloaded: the toolchain is that of the test.
		Fetcher: &toolchain.Fetcher{Go: g.Go(), Place: place, Settings: toolchain.Settings{GOPROXY: "off"}},
		Goroot: func(ctx context.Context, version string) (*toolchain.Goroot, error) {
			installs++
			return g, nil
		},
		Event: func(name string, r *Result) {
			if r != nil {
				done[name] = r.Verdict
			}
		},
	}
	results, err := Rebuild(t.Context(), cfg, inputs)
	if err != nil {
		t.Fatal(err)
	}
	if installs != 1 || len(done) != len(inputs) {
		t.Errorf("%d installations, %d events of %d", installs, len(done), len(inputs))
	}
	for i, r := range results {
		want := map[string]string{"altered": rebuild.Different, "skipped": rebuild.Unchecked, "text": rebuild.Unchecked}[r.Name]
		if want == "" {
			want = rebuild.Identical
		}
		if r.Name != inputs[i].Name || r.Verdict != want || done[r.Name] != want || (r.Reason == "") != (want == rebuild.Identical) {
			t.Errorf("%s: %s (%s), want %s; %q", r.Name, r.Verdict, r.Reason, want, r.Notes)
		}
		if want == rebuild.Identical && (r.LDFlags != "-w" || r.Stamp != StampGit || r.Source.Confirmed != "git" || !strings.HasPrefix(r.Platform, "linux/")) {
			t.Errorf("%+v", r)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg.Work = t.TempDir()
	if _, err := Rebuild(ctx, cfg, inputs); err == nil {
		t.Error("a cancelled run gave results")
	}
}
