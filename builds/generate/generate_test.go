//go:build unix

package generate

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/profiles"
)

// committed is the commit of all tests: its files in the module sub.
var committed = map[string]string{
	"top.txt": "top\n", "sub/go.mod": "module x\n", "sub/a.txt": "a\n", "sub/kept_gen.go": "package x\n", "sub/.git-not": "",
}

// place is a place in a directory of its own, with the commit's files.
func place(t *testing.T, name string) *Place {
	t.Helper()
	root := t.TempDir()
	for name, text := range committed {
		file := filepath.Join(root, "src", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := &toolchain.Place{
		Home: filepath.Join(root, "home"), Tmp: filepath.Join(root, "tmp"), Empty: filepath.Join(root, "empty"),
		GoCache: filepath.Join(root, "objects"), ModCache: filepath.Join(root, "modules"), TimeZone: "UTC", Language: "C",
	}
	if err := p.Make(); err != nil {
		t.Fatal(err)
	}
	return &Place{
		Name: name, Goroot: &toolchain.Goroot{Dir: filepath.Join(root, "goroot")}, Place: p, Source: filepath.Join(root, "src"), Module: "sub",
		Work: filepath.Join(root, "work"), Path: "/usr/bin:/bin",
	}
}

func source() Source {
	return Source{
		Time:    time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Tracked: func(name string) bool { _, ok := committed["sub/"+name]; return ok },
	}
}

// script is a command that runs a line of shell.
func script(line string, outputs ...string) plan.Generate {
	return plan.Generate{Command: []string{"sh", "-c", line}, Outputs: outputs}
}

func TestRun(t *testing.T) {
	made, err := place(t, "first place").Run(t.Context(), []plan.Generate{
		script("mkdir -p out/deep && cat a.txt ../top.txt >out/deep/b && echo $SOURCE_DATE_EPOCH >out/c && chmod 700 out/c && echo scratch >$TMPDIR/x", "out/**"),
		script("cat out/c >later.txt; cp kept_gen.go n && cat n >kept_gen.go && rm n", "later.txt", "*_gen.go"),
	}, source())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]fact.GeneratedFile{}
	for _, f := range made.Files {
		got[f.Name] = f
	}
	for _, want := range []struct{ name, text, mode string }{
		{"out/deep/b", "a\ntop\n", "0644"}, {"out/c", "1767323045\n", "0755"}, {"later.txt", "1767323045\n", "0644"},
		{"kept_gen.go", "package x\n", "0644"}, // of the commit, and written anew
	} {
		f := got[want.name]
		if f.SHA256 != files.DigestBytes([]byte(want.text)) || f.Mode != want.mode || f.Size != int64(len(want.text)) {
			t.Errorf("%s: %+v", want.name, f)
		}
	}
	if len(made.Files) != 4 || !slices.IsSortedFunc(made.Files, func(a, b fact.GeneratedFile) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("files %+v", made.Files)
	}
	if len(made.Tools) != 2 || made.Tools[0].Path == "" || len(made.Tools[0].SHA256) != 64 || made.Tools[1].Command != 2 {
		t.Errorf("tools %+v", made.Tools)
	}
}

// TestUntouched: a file of the commit that a command leaves as it is is not one that
// it made, and its output is there all the same.
func TestUntouched(t *testing.T) {
	made, err := place(t, "first place").Run(t.Context(), []plan.Generate{script("true", "*_gen.go")}, source())
	if err != nil || len(made.Files) != 0 {
		t.Errorf("%+v, %v", made, err)
	}
}

func TestRefused(t *testing.T) {
	inputs := script("echo x >out", "out")
	inputs.Inputs = []string{"a.txt", "none/*"}
	missing := plan.Generate{Command: []string{"no-such-program"}, Outputs: []string{"out"}}
	for _, c := range []struct {
		name     string
		commands []plan.Generate
		want     []string // of the error
		hint     string
	}{
		{"outside", []plan.Generate{script("echo x >out; echo y >other; echo z >../top2", "out")}, []string{"wrote outside of its outputs:\nsub/other\ntop2"}, "declare them under outputs"},
		{"changed", []plan.Generate{script("echo x >out; echo b >a.txt", "out")}, []string{"sub/a.txt (changed)"}, "declare"},
		{"same size and time", []plan.Generate{script("echo x >out; cp -p a.txt t; echo b >a.txt; touch -r t a.txt; rm t", "out")}, []string{"sub/a.txt (changed)"}, "declare"},
		{"removed", []plan.Generate{script("echo x >out; rm a.txt", "out")}, []string{"sub/a.txt (removed)"}, "declare"},
		{"not come", []plan.Generate{script("echo x >out", "out", "more/**")}, []string{"the output more/** did not come"}, "relative to the module's directory"},
		{"link out of the tree", []plan.Generate{script("ln -s /etc/passwd out", "out")}, []string{"out is a symbolic link, and outputs are regular files"}, "have the command write files"},
		{"below a link", []plan.Generate{script("mkdir d; ln -s d dir; echo x >dir/out", "dir/*")}, []string{"sub/d/out", "did not come"}, ""},
		{"pipe", []plan.Generate{script("mkfifo out", "out")}, []string{"out is a pipe"}, ""},
		{"huge", []plan.Generate{script("truncate -s 600M out", "out")}, []string{"makes more than 536870912 bytes"}, "narrow outputs"},
		{"twice", []plan.Generate{script("echo x >out", "out"), script("echo y >out", "o*")}, []string{"out is made by command 1 and by command 2"}, "let one command"},
		{"inputs", []plan.Generate{inputs}, []string{"inputs: none/* matches no file"}, ""},
		{"no program", []plan.Generate{missing}, []string{"no program no-such-program on PATH"}, "install it"},
		{"git", []plan.Generate{script("git rev-parse HEAD || { echo 'fatal: not a git repository' >&2; exit 1; }", "out")}, []string{"not a git repository", "command 1 (sh -c git", "in the first place"}, "{{.Version}}"},
		{"says it on stdout", []plan.Generate{script("echo what went wrong; exit 7", "out")}, []string{"what went wrong", "exit status 7"}, ""},
		{"git's own", []plan.Generate{script("mkdir d d/.git; echo x >d/.git/config", "d/**")}, []string{"d/.git/config cannot be generated: git's directory"}, "narrow outputs"},
		{"modules", []plan.Generate{script("echo x >d.go; echo >go.sum", "d.go", "go.*")}, []string{"go.sum cannot be generated: which modules"}, "narrow outputs"},
		{"case", []plan.Generate{script("echo x >out; echo y >OUT", "out", "OUT")}, []string{"OUT", "out"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := place(t, "first place").Run(t.Context(), c.commands, source())
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %s", err, want)
				}
			}
			if hints := strings.Join(fault.Hints(err), "\n"); !strings.Contains(hints, c.hint) {
				t.Errorf("hints %q", hints)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	run := func(name, line string) *Made {
		t.Helper()
		made, err := place(t, name).Run(t.Context(), []plan.Generate{script("echo same >s; "+line, "*")}, source())
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	first := run("first place", "printf 'a\\nbc' >x; echo 1 >only1; echo m >m")
	if differ, err := Compare(t.Context(), first, first); err != nil || len(differ) > 0 {
		t.Errorf("%v, %v", differ, err)
	}
	second := run("second place", "printf 'a\\nbd' >x; echo 1 >only2; echo m >m; chmod +x m")
	differ, err := Compare(t.Context(), first, second)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, d := range differ {
		lines = append(lines, d.String())
	}
	got := strings.Join(lines, "\n")
	for _, want := range []string{
		"x: sha256 " + files.DigestBytes([]byte("a\nbc")) + " in the first place, " + files.DigestBytes([]byte("a\nbd")) + " in the second place; they first differ at byte 3 (line 2)",
		"m: mode 0644 in the first place, 0755 in the second place", "only1: only in the first place", "only2: only in the second place",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	if len(differ) != 4 {
		t.Errorf("%d differences", len(differ))
	}
}

// TestInstall: the commit's files stay as they are, and nothing leads elsewhere.
func TestInstall(t *testing.T) {
	from, to, elsewhere := t.TempDir(), t.TempDir(), t.TempDir()
	write := func(dir, name, text string) fact.GeneratedFile {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return fact.GeneratedFile{Name: name, Size: int64(len(text)), SHA256: files.DigestBytes([]byte(text)), Mode: "0644", Command: 1}
	}
	tracked := func(name string) bool { return strings.HasPrefix(name, "tracked") }
	list := []fact.GeneratedFile{write(from, "new/x", "x"), write(from, "tracked", "same")}
	write(to, "tracked", "same")
	added, err := Install(t.Context(), from, list, to, tracked)
	if err != nil || !slices.Equal(added, []string{"new/x"}) {
		t.Errorf("%v, %v", added, err)
	}
	write(to, "tracked", "other")
	if _, err := Install(t.Context(), from, list, to, tracked); err == nil || !strings.Contains(err.Error(), "tracked is in the commit, and command 1 makes another") {
		t.Errorf("a file of the commit with other content: %v", err)
	}
	write(to, "tracked", "same")
	if err := os.Symlink(elsewhere, filepath.Join(to, "dir")); err != nil {
		t.Fatal(err)
	}
	if _, err := Install(t.Context(), from, []fact.GeneratedFile{write(from, "dir/x", "x")}, to, tracked); err == nil {
		t.Error("a link of the commit was followed")
	}
	for _, name := range []string{".git/config", "d/.Git/hooks/x", "vendor/modules.txt", "sub/go.work"} {
		if _, err := Install(t.Context(), from, []fact.GeneratedFile{write(from, name, "x")}, to, tracked); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	write(from, "new/x", "changed")
	if _, err := Install(t.Context(), from, list, to, tracked); err == nil || !strings.Contains(err.Error(), "has digest") {
		t.Errorf("a file that changed since it was compared: %v", err)
	}
}

// TestPack: what is packed comes out again, and nothing else.
func TestPack(t *testing.T) {
	made, err := place(t, "first place").Run(t.Context(), []plan.Generate{script("mkdir d; echo x >d/x; echo y >y; chmod +x y", "d/*", "y")}, source())
	if err != nil {
		t.Fatal(err)
	}
	when := source().Time
	pack := func() []byte {
		var b bytes.Buffer
		if err := Pack(t.Context(), &b, made.Dir, made.Files, when); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	data := pack()
	if !bytes.Equal(data, pack()) {
		t.Error("not deterministic")
	}
	name := filepath.Join(t.TempDir(), fact.GeneratedArchive)
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	if err := Unpack(t.Context(), name, made.Files, to); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(to, "d", "x")); err != nil || string(data) != "x\n" {
		t.Errorf("%q, %v", data, err)
	}
	other := slices.Clone(made.Files)
	other[0].SHA256 = files.DigestBytes(nil)
	for what, list := range map[string][]fact.GeneratedFile{
		"one too many": made.Files[1:], "one too few": append(slices.Clone(made.Files), fact.GeneratedFile{Name: "z"}), "another digest": other,
	} {
		if err := Unpack(t.Context(), name, list, t.TempDir()); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func TestFetch(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path == "/gone" {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte("#!/bin/sh\necho tool >out\n"))
	}))
	defer server.Close()
	sum := files.DigestBytes([]byte("#!/bin/sh\necho tool >out\n"))
	f := &Fetcher{Client: server.Client(), Dir: filepath.Join(t.TempDir(), "fetched")}
	c := plan.Generate{
		Command: []string{"./tools/it"}, Outputs: []string{"out"}, Inputs: []string{"tools/it"},
		Fetch: []profiles.Fetch{{URL: server.URL + "/it", SHA256: sum, Path: "tools/it", Mode: "0755"}},
	}
	src := source()
	for range 2 { // the second time nobody is asked
		got, err := f.Fetch(t.Context(), []plan.Generate{c})
		if err != nil || asked != 1 {
			t.Fatalf("%v, asked %d times", err, asked)
		}
		src.Fetched = got
	}
	made, err := place(t, "first place").Run(t.Context(), []plan.Generate{c}, src)
	if err != nil || len(made.Files) != 1 || made.Tools[0].SHA256 != sum || made.Tools[0].Path != "" {
		t.Errorf("%+v, %v", made, err)
	}
	if _, err := os.Lstat(filepath.Join(made.Dir, "tools", "it")); err == nil {
		t.Error("what was fetched is left, as if it had been made")
	}
	// What was changed in the cache is fetched again.
	if err := os.WriteFile(src.Fetched[sum], []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Fetch(t.Context(), []plan.Generate{c}); err != nil || asked != 2 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	c.Fetch[0].SHA256 = files.DigestBytes([]byte("another"))
	if _, err := f.Fetch(t.Context(), []plan.Generate{c}); err == nil || !strings.Contains(err.Error(), "sha256 is "+sum) {
		t.Errorf("another digest: %v", err)
	}
	c.Fetch[0].URL = server.URL + "/gone"
	if _, err := f.Fetch(t.Context(), []plan.Generate{c}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a file that is not there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Fetch(ctx, []plan.Generate{c}); err == nil {
		t.Error("fetched after the end")
	}
}
