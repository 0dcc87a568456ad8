package toolchain

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/memo"
	"golang.org/x/mod/sumdb/dirhash"
)

// fake is a toolchain of a few files; its zip is made like the real one's.
type fakeFile struct {
	name, data string
	mode       fs.FileMode
}

var fakeFiles = []fakeFile{
	{"bin/go", "#!/bin/sh\necho fake\n", 0},
	{"bin/gofmt", "#!/bin/sh\n", 0},
	{"pkg/tool/linux_amd64/compile", "compile", 0},
	{"src/fmt/print.go", "package fmt\n", 0},
	{"src/fmt/print_test.go", "package fmt\n", 0},
	{"src/fmt/testdata/x.txt", "x", 0},
	{"src/cmd/go/main.go", "package main\n", 0},
	{"test/a.go", "package a\n", 0},
	{"VERSION", "go1.99.1\n", 0},
}

// fakeToolchain writes the zip of files and gives the toolchain with its true h1.
func fakeToolchain(t *testing.T, files []fakeFile) *Toolchain {
	t.Helper()
	tc := &Toolchain{Toolchain: fact.Toolchain{Version: "go1.99.1", Host: "linux/amd64", Module: "golang.org/toolchain@v0.0.1-go1.99.1.linux-amd64"}}
	tc.zip = filepath.Join(t.TempDir(), "toolchain.zip")
	f, err := os.Create(tc.zip)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	for _, file := range files {
		name := file.name
		if !strings.HasPrefix(name, "!") {
			name = tc.Module + "/" + name
		}
		h := &zip.FileHeader{Name: strings.TrimPrefix(name, "!"), Method: zip.Deflate}
		if file.mode != 0 {
			h.SetMode(file.mode)
		}
		m, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(m, file.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if tc.Sum, err = dirhash.HashZip(tc.zip, dirhash.Hash1); err != nil {
		t.Fatal(err)
	}
	return tc
}

func TestInstall(t *testing.T) {
	tc := fakeToolchain(t, fakeFiles)
	dir := filepath.Join(t.TempDir(), "cache", tc.DirName())
	g, err := tc.Install(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			got = append(got, filepath.ToSlash(rel))
		}
		return err
	})
	want := []string{sumsFile, "VERSION", "bin/go", "bin/gofmt", "pkg/tool/linux_amd64/compile", "src/fmt/print.go"}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("installed %q, want %q", got, want)
	}
	out, err := exec.Command(g.Go()).Output()
	if err != nil || string(out) != "fake\n" {
		t.Errorf("the installed go: %q, %v", out, err)
	}
	if err := g.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), unpackPrefix) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

func TestInstallRefuses(t *testing.T) {
	with := func(f ...fakeFile) []fakeFile { return append(slices.Clone(fakeFiles), f...) }
	for _, tt := range []struct {
		name  string
		files []fakeFile
		want  string
	}{
		{"parent", with(fakeFile{name: "../../evil", data: "x"}), "strange name"},
		{"parent in the middle", with(fakeFile{name: "src/../../evil", data: "x"}), "strange name"},
		{"unclean", with(fakeFile{name: "src/./evil.go", data: "x"}), "strange name"},
		{"absolute", with(fakeFile{name: "!/etc/evil", data: "x"}), "strange name"},
		{"absolute below", with(fakeFile{name: "/etc/evil", data: "x"}), "strange name"},
		{"other module", with(fakeFile{name: "!example.com/m@v1.0.0/a.go", data: "x"}), "strange name"},
		{"directory", with(fakeFile{name: "src/", data: ""}), "strange name"},
		{"backslash", with(fakeFile{name: `src\..\..\evil`, data: "x"}), "strange name"},
		{"symlink", with(fakeFile{name: "src/link", data: "/etc/passwd", mode: 0o777 | fs.ModeSymlink}), "not a regular file"},
		{"device", with(fakeFile{name: "src/null", data: "", mode: 0o666 | fs.ModeDevice}), "not a regular file"},
		{"twice", with(fakeFile{name: "VERSION", data: "go1.99.2\n"}), "exist"},
		{"a file as directory", with(fakeFile{name: "VERSION/x", data: "x"}), "directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := fakeToolchain(t, tt.files)
			parent := filepath.Join(t.TempDir(), "deep", "cache")
			dir := filepath.Join(parent, "tc")
			if _, err := tc.Install(t.Context(), dir, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if _, err := os.Lstat(dir); err == nil {
				t.Error("something was installed")
			}
			for _, evil := range []string{"evil", "../evil", "../../evil"} {
				if _, err := os.Lstat(filepath.Join(parent, evil)); err == nil {
					t.Errorf("%s was written outside", evil)
				}
			}
		})
	}
}

func TestInstallWrongHash(t *testing.T) {
	tc := fakeToolchain(t, fakeFiles)
	altered := slices.Clone(fakeFiles)
	for _, i := range []int{0, 6} { // a file that is installed, one that is only hashed
		altered[i].data += "\n"
		bad := fakeToolchain(t, altered)
		bad.Sum = tc.Sum
		dir := filepath.Join(t.TempDir(), "tc")
		_, err := bad.Install(t.Context(), dir, nil)
		if err == nil || !strings.Contains(err.Error(), tc.Sum) || fault.Hint(err) == "" {
			t.Errorf("%s altered: %v", altered[i].name, err)
		}
		if _, err := os.Lstat(dir); err == nil {
			t.Error("something was installed")
		}
		altered = slices.Clone(fakeFiles)
	}
	tc.Sum = ""
	if _, err := tc.Install(t.Context(), filepath.Join(t.TempDir(), "tc"), nil); err == nil {
		t.Error("a toolchain without hash was installed")
	}
}

// A zip whose directory says little and whose data is much must not fill the disk.
func TestInstallBomb(t *testing.T) {
	tc := fakeToolchain(t, fakeFiles)
	data, err := os.ReadFile(tc.zip)
	if err != nil {
		t.Fatal(err)
	}
	// Lower the size of every member in the central directory.
	n := 0
	for i := 0; i+46 < len(data); i++ {
		if string(data[i:i+4]) == "PK\x01\x02" {
			data[i+24], data[i+25], data[i+26], data[i+27] = 1, 0, 0, 0
			n++
		}
	}
	if n == 0 {
		t.Fatal("no central directory found")
	}
	if err := os.WriteFile(tc.zip, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := tc.Install(t.Context(), filepath.Join(t.TempDir(), "tc"), nil); err == nil || !strings.Contains(err.Error(), "zip") {
		t.Errorf("got %v", err)
	}
}

// damages are ways an installed toolchain can be other than it should, and what Verify says.
var damages = []struct {
	name, want string
	damage     func(t *testing.T, dir string)
}{
	{"altered", "altered", func(t *testing.T, dir string) {
		write(t, filepath.Join(dir, "src", "fmt", "print.go"), "package fmX\n")
	}},
	{"missing", "missing", func(t *testing.T, dir string) {
		remove(t, filepath.Join(dir, "VERSION"))
	}},
	{"extra file", "does not belong", func(t *testing.T, dir string) {
		write(t, filepath.Join(dir, "src", "fmt", "extra.go"), "package fmt\n")
	}},
	{"a file that was hashed only", "does not belong", func(t *testing.T, dir string) {
		write(t, filepath.Join(dir, "src", "fmt", "print_test.go"), "package fmt\n")
	}},
	{"symlink instead of a file", "does not belong", func(t *testing.T, dir string) {
		remove(t, filepath.Join(dir, "VERSION"))
		other := filepath.Join(t.TempDir(), "VERSION")
		write(t, other, "go1.99.1\n")
		if err := os.Symlink(other, filepath.Join(dir, "VERSION")); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}},
	{"sums altered", "hash", func(t *testing.T, dir string) {
		name := filepath.Join(dir, sumsFile)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		data[0] ^= 1
		write(t, name, string(data))
	}},
	{"sums emptied", "hash", func(t *testing.T, dir string) { write(t, filepath.Join(dir, sumsFile), "") }},
	{"sums malformed", "malformed", func(t *testing.T, dir string) { write(t, filepath.Join(dir, sumsFile), "x\n") }},
	{"sums missing", "no such file", func(t *testing.T, dir string) { remove(t, filepath.Join(dir, sumsFile)) }},
	{"cannot be executed", "cannot be executed", func(t *testing.T, dir string) {
		if err := os.Chmod(filepath.Join(dir, "bin", "go"), 0o644); err != nil {
			t.Fatal(err)
		}
	}},
	{"everything missing", "no such file", func(t *testing.T, dir string) {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}},
}

func TestInstallRepairs(t *testing.T) {
	for _, tt := range damages {
		t.Run(tt.name, func(t *testing.T) {
			tc := fakeToolchain(t, fakeFiles)
			dir := filepath.Join(t.TempDir(), "tc")
			g, err := tc.Install(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			tt.damage(t, dir)
			if err := g.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Verify: %v, want %q", err, tt.want)
			}
			if _, err := tc.Install(t.Context(), dir, nil); err != nil {
				t.Fatal(err)
			}
			if err := g.Verify(t.Context()); err != nil {
				t.Errorf("after installing again: %v", err)
			}
		})
	}
}

// A toolchain that is remembered as verified is verified again, and installed
// anew, when anything about it changed.
func TestInstallRemembers(t *testing.T) {
	known := &memo.Store{Dir: filepath.Join(t.TempDir(), "known"), Secret: []byte("0123456789abcdef")}
	type installed struct {
		tc  *Toolchain
		g   *Goroot
		dir string
	}
	var all []installed
	for range damages {
		i := installed{tc: fakeToolchain(t, fakeFiles), dir: filepath.Join(t.TempDir(), "tc")}
		var err error
		if i.g, err = i.tc.Install(t.Context(), i.dir, known); err != nil {
			t.Fatal(err)
		}
		all = append(all, i)
	}
	// verified reports whether an Install would have to look into the files.
	verified := func(i installed) bool {
		unknown := false
		if err := known.Checked(t.Context(), i.dir, i.tc.checkedAs(), func() error { unknown = true; return errors.New("not known") }); err == nil && unknown {
			t.Fatal("Checked has lost an error")
		}
		return !unknown
	}
	// Files have to be some time old before they are believed; the last one
	// installed is the youngest.
	for _, i := range all {
		for deadline := 0; !verified(i); deadline++ {
			if deadline == 100 {
				t.Skip("this system does not tell whether files change")
			}
			time.Sleep(100 * time.Millisecond)
			if err := i.g.Confirm(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n, tt := range damages {
		t.Run(tt.name, func(t *testing.T) {
			i := all[n]
			if err := i.g.Confirm(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := i.tc.Install(t.Context(), i.dir, known); err != nil || !verified(i) {
				t.Fatalf("not remembered: %v", err)
			}
			tt.damage(t, i.dir)
			if verified(i) {
				t.Error("believed to be unchanged")
			}
			if _, err := i.tc.Install(t.Context(), i.dir, known); err != nil {
				t.Fatal(err)
			}
			if err := i.g.Verify(t.Context()); err != nil {
				t.Errorf("after installing again: %v", err)
			}
		})
	}
	// Another hash is another toolchain, whatever is remembered of the directory.
	i := all[0]
	if err := i.g.Confirm(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := *i.tc
	other.Sum = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	if _, err := other.Install(t.Context(), i.dir, known); err == nil {
		t.Error("installed under a hash that is not its own")
	}
	if err := i.g.Verify(t.Context()); err != nil {
		t.Errorf("destroyed by an attempt to install another: %v", err)
	}
}

// An interrupted verification proves nothing: the toolchain, which another
// process may be using, must stay.
func TestInstallCancelled(t *testing.T) {
	tc := fakeToolchain(t, fakeFiles)
	dir := filepath.Join(t.TempDir(), "tc")
	g, err := tc.Install(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tc.Install(ctx, dir, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	after, err := os.Stat(dir)
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the toolchain was touched: %v", err)
	}
	if err := g.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestInstallAtOnce(t *testing.T) {
	tc := fakeToolchain(t, fakeFiles)
	for _, damaged := range []bool{false, true} {
		parent := t.TempDir()
		dir := filepath.Join(parent, "tc")
		if damaged {
			if _, err := tc.Install(t.Context(), dir, nil); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "VERSION"), "go1.98\n")
		}
		// What a killed installation leaves is swept.
		write(t, filepath.Join(parent, unpackPrefix+"dead", "bin", "go"), "half a fi")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				g, err := tc.Install(t.Context(), dir, nil)
				if err != nil {
					t.Error(err)
					return
				}
				// From now on nobody may take it away again.
				for range 20 {
					if err := g.Verify(t.Context()); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if _, err := os.Stat(filepath.Join(parent, unpackPrefix+"dead")); err == nil {
			t.Error("the remains of a killed installation are still there")
		}
	}
}

func write(t *testing.T, name, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

func TestPlatforms(t *testing.T) {
	goCmd, goroot := runningGo(t)
	g := &Goroot{Dir: goroot, Toolchain: &Toolchain{Toolchain: fact.Toolchain{Version: "go1.x"}}}
	got, err := g.Platforms()
	if err != nil {
		t.Fatal(err)
	}
	// The test process may use the user's environment; it asks the same go.
	out, err := exec.Command(goCmd, "tool", "dist", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(string(out))
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}

	old := &Goroot{Dir: t.TempDir(), Toolchain: &Toolchain{Toolchain: fact.Toolchain{Version: "go1.20"}}}
	_, err = old.Platforms()
	if fault.Hint(err) == "" {
		t.Errorf("no table: %v", err)
	}
	for _, text := range []string{"", "package platform\n", "var List = []OSArch{\n}\n", "var List = []OSArch{\n\t{\"linux\", "} {
		write(t, filepath.Join(old.Dir, "src", "internal", "platform", "zosarch.go"), text)
		if got, err := old.Platforms(); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// runningGo finds the go command that runs this test.
func runningGo(t testing.TB) (goCmd, goroot string) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot = strings.TrimSpace(string(out))
	return (&Goroot{Dir: goroot}).Go(), goroot
}
