package source_test

import (
	"context"
	"debug/buildinfo"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	replay "github.com/mintmark/mintmark/builds/stamp"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
)

// buildWith builds the program in dir with a program in git's place, and gives the file.
func buildWith(t *testing.T, git, dir string) (data []byte, version string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program.exe")
	p := place(t)
	p.Git = git
	_, err := toolchain.Run(context.Background(), toolchain.Command{
		Path: tool(t, "go"), Args: []string{"build", "-buildvcs=true", "-trimpath", "-ldflags=-s -w", "-o", out, "."}, Dir: dir,
		Env:     p.Env([]string{"GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH, "CGO_ENABLED=0"}, p.Proxy()),
		Confine: p.Confine(filepath.Dir(out), filepath.Dir(git)),
	})
	if err != nil {
		t.Fatal(err)
	}
	bi, err := buildinfo.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	data, err = os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data, bi.Main.Version
}

// TestClaim: of a commit's bare files, with what [source.Repo.Claim] says of it, the go
// command makes the bytes that it makes of the private clone, whatever tags there are.
func TestClaim(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	goroot := &toolchain.Goroot{Dir: filepath.Dir(filepath.Dir(tool(t, "go"))), Toolchain: toolchain.Sent(fact.Toolchain{Version: runtime.Version()}, "")}
	program, err := replay.Compile(t.Context(), goroot, place(t), filepath.Join(t.TempDir(), "stamp"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, module, dir string
		below             []string // tags of a commit below
		on                []string // tags of the commit
		elsewhere         []string // tags of a commit that is on another branch
		version           string   // a prefix
	}{
		{"several on the commit", "example.com/m", "", nil, []string{"v1.2.3", "v1.2.4", "nightly", "sub/v0.5.0", "v1.3.0-rc.1"}, nil, "v1.3.0-rc.1"},
		{"several below", "example.com/m", "", []string{"v1.2.3", "v1.4.0", "other/v9.9.9", "v2.0.0", "nightly"}, nil, nil, "v1.4.1-0.2026"},
		{"both", "example.com/m", "", []string{"v1.2.3", "v1.9.0"}, []string{"v1.3.0", "sub/v0.5.0", "1.3.0"}, nil, "v1.3.0"},
		{"foreign ones on it, versions below", "example.com/m", "", []string{"v0.1.0", "v0.2.0-beta.1"}, []string{"release-7", "sub/v1.0.0", "v3.0.0"}, nil, "v0.2.0-beta.1.0.2026"},
		{"one that is no canonical version", "example.com/m", "", []string{"v1.0.0"}, []string{"v1.1.0+meta"}, nil, "v1.1.1-0.2026"},
		{"higher ones on another branch", "example.com/m", "", []string{"v1.0.0"}, nil, []string{"v1.8.0", "v1.0.1"}, "v1.0.1-0.2026"},
		{"a nested module", "example.com/m/sub", "sub", []string{"sub/v0.1.0", "v5.0.0"}, []string{"sub/v0.2.0", "v1.9.0", "v0.7.0", "sub/nightly"}, nil, "v0.2.0"},
		{"a nested module below", "example.com/m/sub", "sub", []string{"sub/v0.1.0", "v1.5.0", "sub/v0.3.0"}, []string{"v1.9.0"}, nil, "v0.3.1-0.2026"},
		{"major version 2", "example.com/m/v2", "", []string{"v1.9.9", "v2.0.0"}, []string{"v2.1.0", "v1.99.0", "v3.0.0"}, nil, "v2.1.0"},
		{"major version 2 below", "example.com/m/v2", "", []string{"v1.9.9", "v2.0.0", "v3.1.0"}, []string{"v1.99.0"}, nil, "v2.0.1-0.2026"},
		{"a tag that begins as the commit does", "example.com/m", "", []string{"v1.0.0"}, []string{"abcdef1", "1234567"}, nil, "v1.0.1-0.2026"},
		{"none", "example.com/m", "", nil, nil, nil, "v0.0.0-2026"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRepo(t)
			if tt.dir != "" {
				r.write("go.mod", "module example.com/m\n")
			}
			r.module(tt.dir, tt.module).commit()
			r.tag(tt.below...)
			if tt.elsewhere != nil {
				r.git("checkout", "--quiet", "-b", "elsewhere")
				r.commit()
				r.tag(tt.elsewhere...)
				r.git("checkout", "--quiet", "main")
			}
			r.commit()
			r.tag(tt.on...)
			s := r.mustOpen(tt.dir)
			clone := r.checkout(s, false)
			bare := filepath.Join(t.TempDir(), "bare files")
			for name, data := range files(t, r.dir) {
				r.at(bare).write(name, data)
			}
			if err := os.Mkdir(filepath.Join(bare, ".git"), 0o755); err != nil {
				t.Fatal(err)
			}
			claim, err := s.Claim(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for what, tags := range map[string][2][]string{"on": {claim.Tags, tt.on}, "below": {claim.Below, tt.below}} {
				slices.Sort(tags[1])
				if !slices.Equal(tags[0], tags[1]) {
					t.Errorf("%s the commit are said to be %q, not %q", what, tags[0], tags[1])
				}
			}
			p, err := replay.New(program, filepath.Join(t.TempDir(), "git"), bare, claim)
			if err != nil {
				t.Fatal(err)
			}
			asked, version := buildWith(t, tool(t, "git"), clone)
			claimed, claimedVersion := buildWith(t, p.Git, filepath.Join(bare, tt.dir))
			if !strings.HasPrefix(version, tt.version) {
				t.Errorf("the clone gives %s, not %s", version, tt.version)
			}
			questions, _ := os.ReadFile(filepath.Join(filepath.Dir(p.Git), "asked"))
			if string(asked) != string(claimed) {
				t.Errorf("%s of the clone, %s of the bare files\n%s", version, claimedVersion, questions)
			}
			if u := p.Unknown(); u != nil {
				t.Errorf("no answer to %q", u)
			}
			// What stands for another commit than this one is never asked for.
			for _, line := range strings.Split(string(questions), "\n") {
				for _, tag := range tt.below {
					if f := strings.Fields(line); strings.Contains(line, "%H %ct %D") && slices.ContainsFunc(f, func(w string) bool { return w == tag || w == "refs/tags/"+tag }) {
						t.Errorf("asked of a commit below: %s", line)
					}
				}
			}
		})
	}
}
