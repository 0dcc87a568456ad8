package recovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/patch"
)

// change is how the toolchain that a binary was made with may differ from the release
// that it names. The zero value is no difference.
type change struct {
	patch  *patch.Patch
	recipe *fact.ToolchainRecipe // nil for a patch of the user's
}

// changes are those to build with, in their order, until the bytes agree.
func (b *subject) changes(src *tree) ([]change, error) {
	if b.Patch != nil {
		return []change{{patch: b.Patch}}, nil
	}
	recipes, err := readRecipes()
	if err != nil {
		return nil, err
	}
	var known []change
	for _, r := range recipes {
		switch {
		case !r.of(b.claim.Module, src.Version):
		case !r.told(src.dir):
			b.note(fmt.Sprintf("the makers of %s are known to modify their Go toolchain (%s), but this source does not say so", r.Module, r.Name))
		default:
			known = append(known, change{patch: r.patch, recipe: &r.ToolchainRecipe})
		}
	}
	if b.claim.ModifiedGo && len(known) > 0 {
		return known, nil // the release does not make such a file
	}
	return append([]change{{}}, known...), nil
}

// modifiedGoroot is a toolchain that was modified, and what held its making.
type modifiedGoroot struct {
	*toolchain.Goroot
	log *confine.Log
}

// modify makes the toolchain that differs from a release by a change.
func (e *engine) modify(ctx context.Context, release *toolchain.Goroot, how change) (modifiedGoroot, error) {
	return share(e, "modified "+release.Dir+" "+how.patch.SHA256, func(dir string) (m modifiedGoroot, err error) {
		m.log = e.Confined.Part()
		place := *e.Place
		place.GoCache = filepath.Join(place.GoCache, release.Toolchain.DirName())
		place.Confined = m.log
		if err := errors.Join(place.Make(), place.Check()); err != nil {
			return m, err
		}
		m.Goroot, err = release.Toolchain.Modify(ctx, dir, how.patch, &place)
		return m, err
	})
}

// byToolchain builds the binary from a source, with each toolchain that it may have
// been made with, until it is identical. If it is with none, the first one counts.
func (b *subject) byToolchain(ctx context.Context, release *toolchain.Goroot, src *tree) error {
	list, err := b.changes(src)
	if err != nil {
		return err
	}
	before, work := *b.Result, b.work
	defer func() { b.work = work }()
	restore := func(r Result) {
		links, spelled := b.Relinks, b.Spelled
		*b.Result = r
		b.Result.Notes = slices.Clone(r.Notes)
		b.Relinks, b.Spelled = links, spelled
	}
	type end struct {
		result Result
		err    error
	}
	var ends []end
	for i, how := range list {
		if i > 0 {
			restore(before)
			b.work = filepath.Join(work, fmt.Sprintf("modified-%d", i))
			if err := os.MkdirAll(b.work, 0o755); err != nil {
				return err
			}
		}
		err := b.with(ctx, release, how, src)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil && b.Verdict == fact.Identical {
			return nil
		}
		ends = append(ends, end{*b.Result, err})
	}
	if len(ends) > 1 {
		restore(ends[0].result)
		for i, e := range ends[1:] {
			b.note(fmt.Sprintf("built with the toolchain of the recipe %s as well: %s", list[i+1].recipe.Name, oneLine(cmp.Or(e.result.Reason, fmt.Sprint(e.err)))))
		}
	}
	return ends[0].err
}

// goroot is the toolchain to build with; it is noted in the result.
func (b *subject) goroot(ctx context.Context, release *toolchain.Goroot, how change) (*toolchain.Goroot, error) {
	b.Toolchain.Toolchain = release.Toolchain.Toolchain
	if how.patch == nil {
		return release, nil
	}
	m, err := b.modify(ctx, release, how)
	b.modifying = m.log
	if err != nil {
		return nil, err
	}
	mod := *m.Toolchain.Modification()
	mod.Recipe = how.recipe
	b.Toolchain.Modified = &mod
	return m.Goroot, nil
}
