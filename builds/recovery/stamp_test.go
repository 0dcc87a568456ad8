package recovery

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/stamp"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/goflags"
)

// hostGo is the go command that runs the tests, as an installed toolchain.
func hostGo(t testing.TB) *toolchain.Goroot {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs with the go command")
	}
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return &toolchain.Goroot{Dir: strings.TrimSpace(string(out)), Toolchain: &toolchain.Toolchain{Toolchain: fact.Toolchain{Version: runtime.Version(), Sum: "h1:0123456789abcdef0123456789"}}}
}

func testPlace(t testing.TB, git string) *toolchain.Place {
	t.Helper()
	dir := t.TempDir()
	p := execute.First(dir, filepath.Join(dir, "cache"), git)
	// What is compiled of the standard library is the same in all tests.
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	p.GoCache = strings.TrimSpace(string(out))
	if err := p.Make(); err != nil {
		t.Fatal(err)
	}
	return p
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStampReplay builds a program in a true repository, and again from its
// bare files with the stamp replayed from what the first binary says. Every
// answer of the replaying program that matters shows in the bytes.
func TestStampReplay(t *testing.T) {
	g := hostGo(t)
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git")
	}
	place := testPlace(t, git)
	program, err := stamp.Compile(t.Context(), g, place, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, module string
		tags         []string // of the first commit
		then         []string // tags of a second commit; nil for no second commit
		dirty        bool
		version      string // of the module in the binary; a prefix
		dir, root    string // of the module in the repository, and the path of the module at its top
	}{
		{"tag", "example.com/tool", []string{"v1.2.3"}, nil, false, "v1.2.3", "", ""},
		{"no tag", "example.com/tool", nil, nil, false, "v0.0.0-2026", "", ""},
		{"after a tag", "example.com/tool", []string{"v1.2.3"}, []string{}, false, "v1.2.4-0.2026", "", ""},
		{"after a prerelease", "example.com/tool", []string{"v1.3.0-rc.1"}, []string{}, false, "v1.3.0-rc.1.0.2026", "", ""},
		{"two tags", "example.com/tool", []string{"v1.2.3", "v1.2.4"}, nil, false, "v1.2.4", "", ""},
		{"major version 2", "example.com/tool/v2", []string{"v2.0.1"}, nil, false, "v2.0.1", "", ""},
		{"tag of another major version", "example.com/tool", []string{"v2.0.1"}, nil, false, "v", "", ""},
		{"changed tree", "example.com/tool", []string{"v1.2.3"}, nil, true, "v1.2.3+dirty", "", ""},
		{"nested module", "example.com/mono/sub", []string{"sub/v1.2.3", "v1.9.0"}, nil, false, "v1.2.3", "sub", "example.com/mono"},
		{"nested module after a tag", "example.com/mono/sub", []string{"sub/v1.2.3"}, []string{"v1.9.0"}, false, "v1.2.4-0.2026", "sub", "example.com/mono"},
		{"nested module of no module", "example.com/mono/sub", []string{"sub/v1.2.3"}, nil, false, "(devel)", "sub", ""},
		{"changed tree without a tag", "example.com/tool", nil, nil, true, "v0.0.0-2026", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			repo, bare := filepath.Join(t.TempDir(), "repo"), filepath.Join(t.TempDir(), "bare files")
			texts := map[string]string{"go.mod": "module " + tt.module + "\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() { println(\"hello\") }\n"}
			write(t, filepath.Join(repo, tt.dir), texts)
			if tt.root != "" {
				write(t, repo, map[string]string{"go.mod": "module " + tt.root + "\n"})
			}
			write(t, bare, texts)
			if err := os.Mkdir(filepath.Join(bare, ".git"), 0o755); err != nil {
				t.Fatal(err)
			}
			run := func(args ...string) {
				t.Helper()
				cmd := exec.Command(git, append([]string{"-C", repo, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
				cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("git %q: %v\n%s", args, err, out)
				}
			}
			run("init", "-q")
			run("add", ".")
			run("commit", "-qm", "one")
			for _, tag := range tt.tags {
				run("tag", tag)
			}
			if tt.then != nil {
				run("commit", "-q", "--allow-empty", "-m", "two")
				for _, tag := range tt.then {
					run("tag", tag)
				}
			}
			if tt.dirty {
				write(t, repo, map[string]string{"untracked": ""})
			}
			original := testRecipe(g, place, filepath.Join(repo, tt.dir), t.TempDir())
			published, err := original.build(t.Context(), "published", goflags.Flag{})
			if err != nil {
				t.Fatal(err)
			}
			f, err := gobin.Open(published.Path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			c, err := ReadClaim(f)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(c.Version, tt.version) || c.Modified != tt.dirty {
				t.Fatalf("the true build is version %s, modified %v", c.Version, c.Modified)
			}
			claim, err := c.replay()
			if err != nil {
				t.Fatal(err)
			}
			s, err := stamp.New(program, t.TempDir(), bare, claim)
			if err != nil {
				t.Fatal(err)
			}
			p := *place
			p.Git = s.Git
			again := testRecipe(g, &p, bare, t.TempDir())
			rebuilt, err := again.build(t.Context(), "rebuilt", goflags.Flag{})
			if err != nil {
				t.Fatal(err)
			}
			if published.SHA256 != rebuilt.SHA256 {
				asked, _ := os.ReadFile(filepath.Join(filepath.Dir(s.Git), "asked"))
				info := ""
				if f, err := gobin.Open(rebuilt.Path); err == nil {
					info = fmt.Sprint(f.BuildInfo.Main, f.BuildInfo.Settings)
					f.Close()
				}
				t.Errorf("%s and %s\n%s\n%s", published.SHA256, rebuilt.SHA256, asked, info)
			}
			if u := s.Unknown(); u != nil {
				t.Errorf("no answer to %q", u)
			}
		})
	}
}

// TestStampUnknown: what the program does not know fails, and is written down.
func TestStampUnknown(t *testing.T) {
	g := hostGo(t)
	program, err := stamp.Compile(t.Context(), g, testPlace(t, ""), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &Claim{VCS: "git", Revision: strings.Repeat("ab", 20), Time: "2026-01-02T03:04:05Z", Version: "v1.2.3"}
	root := t.TempDir()
	write(t, root, map[string]string{"go.mod": "module x\n"})
	claim, err := c.replay()
	if err != nil {
		t.Fatal(err)
	}
	s, err := stamp.New(program, t.TempDir(), root, claim)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		out  string // "" for failure
	}{
		{"-c log.showsignature=false log -1 --format=%H:%ct", c.Revision + ":1767323045\n"},
		{"-c log.showsignature=false show -s --format=%H:%ct", c.Revision + ":1767323045\n"},
		{"cat-file blob " + c.Revision + ":go.mod", "module x\n"},
		{"cat-file --end-of-options blob " + c.Revision + ":go.mod", "module x\n"},
		{"cat-file blob " + c.Revision + ":../../etc/passwd", ""},
		{"cat-file blob " + c.Revision + ":missing", ""},
		{"fetch origin", ""},
		{"push", ""},
		{"log -n1 --format=somethingelse", ""},
		{"-c log.showsignature=false log --no-decorate -n1 --format=format:%H_%ct_%D 1234567 --", ""},
	} {
		args := strings.Fields(tt.args)
		for i, a := range args {
			args[i] = strings.ReplaceAll(a, "_", " ")
		}
		out, err := exec.Command(s.Git, args...).Output()
		if string(out) != tt.out || (err != nil) != (tt.out == "") {
			t.Errorf("git %s: %q, %v", tt.args, out, err)
		}
	}
	if u := strings.Join(s.Unknown(), "|"); u != "fetch origin|push|log -n1 --format=somethingelse" {
		t.Errorf("unknown: %s", u)
	}
}

func TestStampClaims(t *testing.T) {
	good := Claim{VCS: "git", Revision: "0123456789", Time: "2026-01-02T03:04:05Z", Version: "v1.2.3"}
	program := filepath.Join(t.TempDir(), "git") // which is not run
	write(t, filepath.Dir(program), map[string]string{"git": ""})
	claim := func(c *Claim) error {
		r, err := c.replay()
		if err == nil {
			_, err = stamp.New(program, t.TempDir(), "/x", r)
		}
		return err
	}
	if err := claim(&good); err != nil {
		t.Error(err)
	}
	for _, change := range []func(*Claim){
		func(c *Claim) { c.VCS = "hg" },
		func(c *Claim) { c.Revision = "" },
		func(c *Claim) { c.Revision = "a\nmodified true" },
		func(c *Claim) { c.Time = "yesterday" },
	} {
		c := good
		change(&c)
		if claim(&c) == nil {
			t.Errorf("%+v is claimed", c)
		}
	}
}
