package recovery

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/patch"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// knownRecipes are the modifications of Go toolchains that are known, as data: the
// list, and the patches that it names. Each was read off the sources of the module,
// and gave the published bytes.
//
//go:embed recipes
var knownRecipes embed.FS

// toolchainRecipe is how the makers of a module modify the toolchain that they build
// it with.
type toolchainRecipe struct {
	fact.ToolchainRecipe
	// File of the module holds Lines where the makers do it; without these the
	// recipe is not used, whatever the version.
	File  string   `json:"file"`
	Lines []string `json:"lines"`
	// Patch is the name of the unified diff that does the same.
	Patch string `json:"patch"`

	patch *patch.Patch
}

// readRecipes reads and checks the list.
func readRecipes() ([]toolchainRecipe, error) {
	data, err := knownRecipes.ReadFile("recipes/recipes.json")
	if err != nil {
		return nil, err
	}
	return decodeRecipes(data, func(name string) ([]byte, error) { return knownRecipes.ReadFile(path.Join("recipes", name)) })
}

func decodeRecipes(data []byte, open func(name string) ([]byte, error)) ([]toolchainRecipe, error) {
	var list []toolchainRecipe
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("list of recipes: %w", err)
	}
	var errs []error
	for i := range list {
		r := &list[i]
		fail := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("recipe %d, %q: "+format, append([]any{i, r.Name}, args...)...))
		}
		if r.Name == "" || r.Source == "" {
			fail("it has no name, or says no source")
		}
		if slices.ContainsFunc(list[:i], func(o toolchainRecipe) bool { return o.Name == r.Name }) {
			fail("there is another of that name")
		}
		if err := module.CheckPath(r.Module); err != nil {
			fail("%w", err)
		}
		if !semver.IsValid(r.From) || r.To != "" && (!semver.IsValid(r.To) || semver.Compare(r.From, r.To) > 0) {
			fail("from %q to %q are no versions", r.From, r.To)
		}
		if !filepath.IsLocal(r.File) || len(r.Lines) == 0 || slices.ContainsFunc(r.Lines, func(l string) bool { return strings.TrimSpace(l) == "" }) {
			fail("it does not say which lines of which file of the module to see")
		}
		text, err := open(r.Patch)
		if err == nil {
			r.patch, err = toolchain.ParsePatch(r.Patch, text)
		}
		if err != nil {
			fail("%w", err)
		}
	}
	return list, errors.Join(errs...)
}

// of reports whether the recipe is of that version of a module. Where the version is
// not known, the source alone decides.
func (r *toolchainRecipe) of(mod, version string) bool {
	if r.Module != mod {
		return false
	}
	return !semver.IsValid(version) || semver.Compare(version, r.From) >= 0 && (r.To == "" || semver.Compare(version, r.To) <= 0)
}

// told reports whether the source in dir says that its makers do it.
func (r *toolchainRecipe) told(dir string) bool {
	data, err := files.Read(filepath.Join(dir, filepath.FromSlash(r.File)), maxConfigFile)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(r.Lines, func(l string) bool { return !bytes.Contains(data, []byte(l)) })
}
