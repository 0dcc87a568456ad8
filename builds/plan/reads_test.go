package plan

import (
	"maps"
	"slices"
	"testing"
)

// local is a module in app/ that is built with another one of the same commit.
func local(t *testing.T) *fixture {
	f := newFixture(t, map[string]string{
		"app/go.mod":         "module example.com/fx\n\ngo 1.23\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ../lib\n",
		"app/cmd/a/main.go":  "package main\n\nimport \"example.com/lib\"\n\nfunc main() { println(lib.D) }\n",
		"lib/go.mod":         "module example.com/lib\n\ngo 1.23\n",
		"lib/lib.go":         "package lib\n\nimport _ \"embed\"\n\n//go:embed data.txt\nvar D string\n",
		"lib/data.txt":       "x",
		"lib/broken.go":      "package lib\n\nfunc broken( {\n",
		"lib/other/other.go": "package other\n",
		"app/tool/main.go":   "package main\n\nfunc main() {}\n",
	})
	f.Source.Dir, f.Top, f.Dir = "app", f.Dir, f.Dir+"/app"
	return f
}

// TestLocalModule: a package of the checkout is the product's own, whichever module has it.
func TestLocalModule(t *testing.T) {
	f := local(t)
	pl := f.planned("profiles:\n  release:\n    platforms: [linux/amd64]\n    main: [./cmd/a]\n")
	if got, want := pl.Embedded(), []string{"../lib/data.txt"}; !slices.Equal(got, want) {
		t.Errorf("embedded: %q, want %q", got, want)
	}
	if got, want := errorLines(pl.Syntax(t.Context())), []string{"../lib/broken.go:3:14: syntax error: expected ')', found '{'"}; !slices.Equal(got, want) {
		t.Errorf("syntax: %q, want %q", got, want)
	}
}

// TestReads: what a build reads lies in the directory of a package that is
// planned, and its constraints hold.
func TestReads(t *testing.T) {
	f := local(t)
	pl := f.planned("profiles:\n  release:\n    platforms: [linux/amd64, linux/arm64]\n    main: [./cmd/..., example.com/fx/tool]\n    tags: [netgo]\n")
	read := map[string]string{ // what only the user's tree has
		"lib/local.go":              "package lib\n",
		"lib/x_linux.go":            "package lib\n",
		"lib/x_arm64.go":            "package lib\n",
		"lib/tagged.go":             "//go:build netgo && go1.21\n\npackage lib\n",
		"lib/x.s":                   "",
		"lib/x.h":                   "",
		"app/cmd/a/default.pgo":     "",
		"app/cmd/b/main.go":         "package main\n\nimport _ \"example.com/fx/gen/deep\"\n",
		"app/gen/deep/deep.go":      "package deep\n",
		"app/tool/more.go":          "package main\n",
		"app/cmd/b/more_amd64.go":   "package main\n",
		"app/cmd/a/generated_go.go": "package main\n",
	}
	unread := map[string]string{
		"lib/gen.go":            "//go:build ignore\n\npackage main\n",
		"lib/w.go":              "//go:build windows\n\npackage lib\n",
		"lib/w_windows.go":      "package lib\n",
		"lib/later.go":          "//go:build go1.999\n\npackage lib\n",
		"lib/c.go":              "package lib\n\nimport \"C\"\n",
		"lib/x.c":               "",
		"lib/default.pgo":       "",
		"lib/other/local.go":    "package other\n",
		"app/cmd/a/x.h":         "",
		"app/cmd/lib/lib.go":    "package lib\n",
		"app/scratch/main.go":   "package main\n",
		"app/cmd/a/_hidden.go":  "package main\n",
		"app/cmd/windows_a.c":   "",
		"app/tool/sub/main.go":  "package main\n",
		"app/cmdx/main.go":      "package main\n",
		"app/gen/main.go":       "package main\n",
		"elsewhere/cmd/main.go": "package main\n",
	}
	all := maps.Clone(read)
	maps.Copy(all, unread)
	for name, data := range all {
		f.At(f.Top).Write(name, data)
	}
	got := slices.Sorted(maps.Keys(pl.Reads(f.Top, slices.Sorted(maps.Keys(all)))))
	if want := slices.Sorted(maps.Keys(read)); !slices.Equal(got, want) {
		for _, name := range got {
			if _, ok := read[name]; !ok {
				t.Errorf("%s is read", name)
			}
		}
		for _, name := range want {
			if !slices.Contains(got, name) {
				t.Errorf("%s is not read", name)
			}
		}
	}
}
