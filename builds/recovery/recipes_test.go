package recovery

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mintmark/mintmark/builds/buildstest"
	"github.com/mintmark/mintmark/internal/fact"
)

// The list is data, and each patch of it applies to the sources of a release.
func TestRecipes(t *testing.T) {
	list, err := readRecipes()
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	goroot := buildstest.Goroot(t).Dir
	for _, r := range list {
		for _, f := range r.patch.Files {
			data, err := os.ReadFile(filepath.Join(goroot, filepath.FromSlash(f.Path)))
			if err != nil {
				t.Skip("this Go has no sources of its own programs")
			}
			if out, err := f.Apply(data); err != nil || string(out) == string(data) {
				t.Errorf("%s: %v", r.Name, err)
			}
		}
	}
}

// The lines that a recipe is known by are those of its makers.
const esbuildMakefile = "go/$(GO_VERSION):\n\tcd go/$(GO_VERSION)/go/src/cmd/link/internal/ld && sed \"s/ctxt.buildinfo/\\\\/\\\\/ctxt.buildinfo/\" main.go > temp && mv temp main.go\n"

func TestChanges(t *testing.T) {
	dir, bare := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(esbuildMakefile), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		module, version, dir string
		modified             bool
		want                 []string
	}{
		"known":             {"github.com/evanw/esbuild", "v0.27.7", dir, true, []string{"esbuild-no-buildinfo"}},
		"made by a release": {"github.com/evanw/esbuild", "v0.27.7", dir, false, []string{"", "esbuild-no-buildinfo"}},
		"later":             {"github.com/evanw/esbuild", "v1.0.0", dir, true, []string{"esbuild-no-buildinfo"}},
		"of no version":     {"github.com/evanw/esbuild", "(devel)", dir, true, []string{"esbuild-no-buildinfo"}},
		"earlier":           {"github.com/evanw/esbuild", "v0.25.12", dir, true, []string{""}},
		"another module":    {"example.com/esbuild", "v0.27.7", dir, true, []string{""}},
		"not told":          {"github.com/evanw/esbuild", "v0.27.7", bare, true, []string{""}},
	} {
		b := &subject{engine: &engine{}, Result: &Result{}, claim: &Claim{Module: c.module, ModifiedGo: c.modified}}
		list, err := b.changes(&tree{Origin: Origin{Version: c.version}, dir: c.dir})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, how := range list {
			if how.recipe == nil {
				got = append(got, "")
				continue
			}
			got = append(got, how.recipe.Name)
		}
		if !slices.Equal(got, c.want) || (name == "not told") != (len(b.Notes) == 1) {
			t.Errorf("%s: %q, notes %q", name, got, b.Notes)
		}
	}
}

func TestDecodeRecipes(t *testing.T) {
	const patch = "--- a/src/x.go\n+++ b/src/x.go\n@@ -1 +1 @@\n-a\n+b\n"
	open := func(string) ([]byte, error) { return []byte(patch), nil }
	good := `{"name": "x", "module": "example.com/x", "from": "v1.0.0", "source": "Makefile", "file": "Makefile", "lines": ["x"], "patch": "x.patch"}`
	if _, err := decodeRecipes([]byte("["+good+"]"), open); err != nil {
		t.Error(err)
	}
	for old, new := range map[string]string{
		`"v1.0.0"`: `"1.0.0"`, `"lines": ["x"]`: `"lines": []`, `["x"]`: `[" "]`, `"file": "Makefile"`: `"file": "../Makefile"`, `example.com/x`: `/x`, `"name": "x"`: `"nam": "x"`, `"source": "Makefile"`: `"source": ""`,
	} {
		if _, err := decodeRecipes([]byte("["+strings.Replace(good, old, new, 1)+"]"), open); err == nil {
			t.Errorf("%s was taken", new)
		}
	}
	if _, err := decodeRecipes([]byte("["+good+","+good+"]"), open); err == nil {
		t.Error("two of one name")
	}
	if _, err := decodeRecipes([]byte("["+good+"]"), func(string) ([]byte, error) { return []byte(strings.ReplaceAll(patch, "src/", "bin/")), nil }); err == nil {
		t.Error("a patch of programs")
	}
}

// What a profile cannot say is said beside it.
func TestProfileOfModified(t *testing.T) {
	r := &Result{Name: "x", Verdict: fact.Identical, Toolchain: Toolchain{Modified: &fact.Modification{Patch: "0123"}}}
	text, err := profileFile(r, &Claim{Go: "go1.26.5", GOOS: "linux", GOARCH: "amd64", Module: "example.com/x", Package: "example.com/x"}, nil)
	if err != nil || !strings.Contains(text, "# go: the toolchain was modified (patch sha256 0123)") {
		t.Error(err, text)
	}
}
