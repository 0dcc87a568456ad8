package plan

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// What go list said of one commit holds for another that has the same outline,
// and for no other.
func TestListOutlined(t *testing.T) {
	f, p := withDependency(t)
	f.Write("cmd/a/text.go", "package main\n\nimport (\n\t\"embed\"\n)\n\n//go:embed a.txt\nvar files embed.FS\n")
	f.Write("cmd/a/a.txt", "a")
	f.Write("cmd/a/b.txt", "b")
	f.Write("cmd/a/asm_arm64.s", "// empty\n")
	f.Write("cmd/a/no.go", "//go:build never\n\npackage main\n")
	env, patterns := []string{"GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0"}, []string{"./cmd/a"}
	const main, text = "package main\n\nimport _ \"example.com/dep\"\n\nvar version string\n\nfunc main() {}\n",
		"package main\n\nimport (\n\t\"embed\"\n)\n\n//go:embed a.txt\nvar files embed.FS\n"
	for _, tt := range []struct {
		what, file, data string
		same             bool
	}{
		{"nothing", "", "", true},
		{"a function", "cmd/a/main.go", main + "func f() { println(1) }\n", true},
		{"a comment after the imports", "cmd/a/main.go", strings.Replace(main, "var", "// import \"os\"\nvar", 1), true},
		{"what does not even compile", "cmd/a/main.go", main + "func f() { nonsense }}\n", true},
		{"an import", "cmd/a/main.go", strings.Replace(main, "dep\"", "dep\"\nimport _ \"os\"", 1), false},
		{"the name", "cmd/a/main.go", strings.Replace(main, "package main", "package lib", 1), false},
		{"a constraint", "cmd/a/main.go", "//go:build linux\n\n" + main, false},
		{"a constraint elsewhere", "cmd/a/no.go", "//go:build ever\n\npackage main\n", false},
		{"a file that is embedded", "cmd/a/text.go", strings.Replace(text, "a.txt", "*.txt", 1), false},
		{"a function in a file that embeds", "cmd/a/text.go", text + "func f() { println(`//go:embed b.txt`) }\n", true},
		{"one more embedded file", "cmd/a/text.go", text + "//go:embed b.txt\nvar b string\n", false},
		{"an embedded file less", "cmd/a/text.go", strings.Replace(text, "//go:embed", "/*\n//go:embed", 1) + "*/\n", false},
		{"where go:embed stands", "cmd/a/text.go", strings.Replace(text, "\n//go:embed", "; //go:embed", 1), false},
		{"a file that embeds and has an error", "cmd/a/text.go", text + "`\n", false},
		{"a header that cannot be parsed", "cmd/a/main.go", "package main\nimport \"example.com/dep\nfunc main() {}\n", false},
		{"what is read", "README.md", "read again\n", true},
		{"another Markdown file", "MORE.md", "more\n", false},
		{"another file", "cmd/a/c.txt", "c", false},
		{"an embedded file", "cmd/a/a.txt", "A", false},
		{"another Go file", "cmd/a/c.go", "package main\n", false},
		{"a name", "cmd/a/b.txt", "=> cmd/a/bb.txt", false},
		{"another directory", "cmd/c/main.go", "package main\n", false},
		{"an assembler file", "cmd/a/asm_arm64.s", "//go:build amd64\n", false},
		{"go.mod", "go.mod", "module example.com/fx\n\ngo 1.17\n\nrequire example.com/dep v1.0.0\n", false},
		{"go.sum", "go.sum", p.sum.String() + "\n", false},
		{"a module within", "cmd/b/go.mod", "module example.com/b\n", false},
	} {
		known := memory(t)
		if _, err := lister(f, p, known, false).List(t.Context(), env, nil, patterns, true); err != nil {
			t.Fatal(err)
		}
		restore := func() {}
		if tt.file != "" {
			name := filepath.Join(f.Dir, filepath.FromSlash(tt.file))
			if old, err := os.ReadFile(name); err == nil {
				restore = func() { f.Write(tt.file, string(old)) }
			} else {
				restore = func() {
					if err := os.RemoveAll(name); err != nil {
						t.Fatal(err)
					}
					os.Remove(filepath.Dir(name)) // if it is empty
				}
			}
			if to, ok := strings.CutPrefix(tt.data, "=> "); ok {
				to = filepath.Join(f.Dir, filepath.FromSlash(to))
				if err := os.Rename(name, to); err != nil {
					t.Fatal(err)
				}
				restore = func() {
					if err := os.Rename(to, name); err != nil {
						t.Fatal(err)
					}
				}
			} else {
				f.Write(tt.file, tt.data)
			}
		}
		other := lister(f, p, known, false)
		other.Source = "git of another commit "
		goroot := other.Goroot.Dir
		other.Goroot.Dir = filepath.Join(t.TempDir(), "no go")
		got, err := other.List(t.Context(), env, nil, patterns, true)
		if (err == nil) != tt.same {
			t.Errorf("%s changed: %v", tt.what, err)
		}
		if tt.same && err == nil {
			// go would have said the same.
			fresh := lister(f, p, nil, false)
			want, err := fresh.List(t.Context(), env, nil, patterns, true)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				want[i].Dir = strings.Replace(want[i].Dir, goroot, other.Goroot.Dir, 1)
				want[i].Target, got[i].Target = filepath.Base(want[i].Target), filepath.Base(got[i].Target)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s changed: remembered %d packages, go says %d others", tt.what, len(got), len(want))
			}
			// From now on that commit is known itself.
			away := lister(f, p, known, true)
			away.Source = other.Source
			if _, err := away.List(t.Context(), env, nil, patterns, true); err != nil {
				t.Errorf("%s changed: %v", tt.what, err)
			}
		}
		restore()
	}
}

// A module that leads out of its directory has no outline.
func TestNoOutline(t *testing.T) {
	write := func(dir, name, data string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		mod string
		ok  bool
	}{
		{"module m\n\ngo 1.20\n", true},
		{"module m\n\nreplace example.com/a => example.com/b v1.0.0\n", true},
		{"module m\n\nreplace example.com/a => ../a\n", false},
		{"module m\n\nreplace (\n\texample.com/b => example.com/c v1.0.0\n\texample.com/a v1.0.0 => ./a\n)\n", false},
		{"module m\n\nsomething new\n", false},
	} {
		dir := t.TempDir()
		write(dir, "go.mod", tt.mod)
		if _, err := outline(t.Context(), dir); (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.mod, err)
		}
	}
	dir := t.TempDir()
	write(dir, "go.mod", "module m\n")
	if err := os.Symlink("go.mod", filepath.Join(dir, "a.go")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if _, err := outline(t.Context(), dir); err == nil {
		t.Error("a link was followed")
	}
}
