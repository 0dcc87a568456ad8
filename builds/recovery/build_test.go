package recovery

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/goflags"
)

func testFlag(flag string) goflags.Flag {
	f, err := goflags.ForeignFlag(flag)
	if err != nil {
		panic(err)
	}
	return f
}

func testFlags(flags ...string) (list []goflags.Flag) {
	for _, f := range flags {
		list = append(list, testFlag(f))
	}
	return list
}

func testEnv(vars ...string) (list []goflags.Variable) {
	for _, kv := range vars {
		v, err := goflags.ForeignVariable(kv)
		if err != nil {
			panic(err)
		}
		list = append(list, v)
	}
	return list
}

// A binary's build information is its maker's word, and so are the flags of a
// configuration in the source: neither must become a command on the machine of
// whoever looks at it.
func TestHarmless(t *testing.T) {
	claim := func(kv ...string) (*Claim, error) {
		path, mod := "example.com/tool", debug.Module{Path: "example.com/tool", Version: "v1.2.3"}
		var list []debug.BuildSetting
		for _, s := range settings(append([]string{"CGO_ENABLED", "0", "GOARCH", "amd64", "GOOS", "linux"}, kv...)...) {
			switch s.Key {
			case "path":
				path = s.Value
			case "module":
				mod.Path, path = s.Value, s.Value
			case "version":
				mod.Version = s.Value
			default:
				list = append(list, s)
			}
		}
		return ReadClaim(&gobin.File{Format: gobin.ELF, BuildInfo: &debug.BuildInfo{GoVersion: "go1.25.5", Path: path, Main: mod, Settings: list}})
	}
	for _, tc := range []struct {
		key, value string
		want       string // the argument that it becomes; "" for a refusal
	}{
		{"-tags", "netgo,osusergo", "-tags=netgo,osusergo"},
		{"-gcflags", "all=-l", "-gcflags=all=-l"},
		{"-gcflags", "all=-N  -l", "-gcflags=all=-N  -l"}, // recorded as it is, and read in one way only
		{"-race", "true", "-race=true"},
		{"-buildmode", "pie", "-buildmode=pie"},
		{"-gcflags", "-extldflags=-static", ""},
		{"-gcflags", "-cpuprofile=/etc/passwd", ""},
		{"-gcflags", " -cpuprofile=-d=/../../x/y", ""},
		{"-gcflags", "\u00a0-o=-d=/../../x/y", ""},
		{"-gcflags", "-d=ssa/all/dump", ""},
		{"-asmflags", "-I/etc", ""},
		{"-tags", "a b", ""},
		{"-buildmode", "shared", ""},
		{"CGO_LDFLAGS", "-fplugin=x.so", ""},
		{"CGO_CFLAGS", "-fdump-rtl-all", ""},
		{"GOFIPS140", "../x", ""},
		{"GOEXPERIMENT", "x y", ""},
		{"GOOS", "../linux", ""},
		{"GOAMD64", "v9", ""},
		{"vcs.revision", "--upload-pack=x", ""},
		{"path", "-toolexec=/bin/sh", ""},
		{"module", "-modfile=/x", ""},
		{"version", "-C=/", ""},
		{"path", "example.com/tool/../../x", ""},
		{"-ldflags", "-extld=/bin/sh", ""},
		{"-ldflags", "-s -extld=/tmp/x", ""},
		{"-ldflags", "-X=main.a=b @/etc/passwd", ""},
		{"-ldflags", "-extldflags '-fplugin=x.so'", ""},
		{"-ldflags", "-extldflags=-static,-fplugin=x.so", ""},
		{"-ldflags", "-extldflags -static-libgcc -extld=x", ""},
		{"-ldflags", "-extldflags", ""},
		{"-ldflags", "'-s", ""},
		{"-ldflags", "-s\n  -w", "-ldflags=-s\n  -w"},
		{"-ldflags", "-s -w -extldflags '-static' -linkmode external", "-ldflags=-s -w -extldflags '-static' -linkmode external"},
	} {
		c, err := claim(tc.key, tc.value)
		if (err == nil) != (tc.want != "") {
			t.Errorf("%s=%q: %v", tc.key, tc.value, err)
			continue
		}
		if err != nil {
			continue
		}
		args := (&recipe{claim: c, at: &execute.Local{Kind: fact.SourceGit}}).unit(c.LDFlags).Flags
		if !strings.Contains("\x00"+strings.Join(args, "\x00")+"\x00", "\x00"+tc.want+"\x00") {
			t.Errorf("%s=%q: %q", tc.key, tc.value, args)
		}
	}
	for text, fine := range map[string]bool{
		"-s -w -X main.version=1": true, "-extldflags=-static -X main.a=b": true, "": true, "-X 'main.a=b c'": true,
		"-s -extld=/tmp/x": false, "-cpuprofile=x": false, "@x": false, "-X @x": false, "-s x": false, "--s": false,
	} {
		flags, err := goflags.Split(text)
		if err != nil {
			t.Fatal(err)
		}
		if f, err := (candidate{Flags: flags}).flag(); (err == nil) != fine {
			t.Errorf("%q: %q, %v", text, f, err)
		}
	}
}

// TestHostileBinary builds a program with the flag that overwrites a file, and
// sees the file overwritten. Then it has the program rebuilt.
func TestHostileBinary(t *testing.T) {
	g := hostGo(t)
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module example.com/tool\n\ngo 1.18\n", "-d=/x": "",
		// Compiled for the first time, or the compiler is not run.
		"main.go": "package main\n\n// " + dir + "\nfunc main() {}\n"})
	hit := filepath.Join(dir, "hit")
	place := testPlace(t, "")
	build := func(flag string) string {
		file := filepath.Join(t.TempDir(), "tool")
		cmd := exec.Command(g.Go(), "build", "-trimpath", flag, "-o", file, ".")
		cmd.Dir, cmd.Env = dir, append(place.Env(nil, "off"), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return file
	}
	file := build("-gcflags= -cpuprofile=-d=/../hit")
	if _, err := os.Stat(hit); err != nil {
		t.Fatal("the flag does no harm: ", err)
	}
	if err := os.WriteFile(hit, []byte("the user's"), 0o644); err != nil {
		t.Fatal(err)
	}
	results, err := Rebuild(t.Context(), Config{
		Place: place, Work: t.TempDir(), Source: dir, Fetcher: &toolchain.Fetcher{Go: g.Go(), Place: place, Settings: toolchain.Settings{GOPROXY: "off"}},
		Goroot: func(context.Context, string) (*toolchain.Goroot, error) {
			t.Error("something was fetched for it")
			return nil, errors.New("no")
		},
	}, []Input{{Name: "tool", Path: file}})
	if err != nil {
		t.Fatal(err)
	}
	if r := results[0]; r.Verdict != fact.Unchecked || !strings.Contains(r.Reason, "-gcflags: compile -cpuprofile is none of the flags known to name no program and no file") {
		t.Errorf("%s: %s", r.Verdict, r.Reason)
	}
	if data, err := os.ReadFile(hit); err != nil || string(data) != "the user's" {
		t.Errorf("%q, %v", data, err)
	}
}
