package execute

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/memo"
)

// What a build takes from earlier runs it takes on its word: the outputs in a
// build cache by their names, toolchains and modules because the file system says
// that nothing has changed. A disk or a memory that errs, and whoever writes
// there, alter them all the same. So a build that fails, and one that comes out
// different from another, are reason enough to read everything again that it may
// have been made from. What is damaged is dropped, and the unit is built once more;
// only then does a difference say anything about the source or the compiler.

// Care is what a place needs to know to look after what it builds from. With the
// zero value it does not: a build that fails has failed.
type Care struct {
	Known   *memo.Store    // remembers damage: what was compiled from it may be there still
	Modules []plan.Needed  // that the source needs
	Source  *source.Source // nil: modules are not looked at
	// AtEnd has something done when the run ends and nobody builds any more.
	AtEnd func(func() error)
	// Warn is told what is mended before it is built from again. May be nil.
	Warn func(format string, args ...any)
}

// damage is what a place knows of damage in its caches.
type damage struct {
	mu     sync.Mutex      // held while something is mended: two units may meet the same damage
	cache  string          // that bad is of
	bad    map[string]bool // actions, by short ID, whose output was damaged: what was compiled from it is wrong under a right name
	tools  bool            // the toolchain was read again in this run, and is sound
	module bool            // and so were the modules
}

// badKey is where the damage of earlier runs in a build cache is remembered.
func badKey(cache string) memo.Key { return memo.NewKey("damaged 1", cache) }

// suspect are the damaged actions of the build cache, those of earlier runs included.
func (l *Local) suspect() map[string]bool {
	d := &l.damage
	if d.bad == nil || d.cache != l.Place.GoCache {
		d.bad, d.cache = map[string]bool{}, l.Place.GoCache
		var earlier []string
		if l.Care.Known.Get(badKey(d.cache), &earlier) {
			for _, id := range earlier {
				d.bad[id] = true
			}
		}
	}
	return d.bad
}

// maxBad bounds what is remembered of damage. A cache with more of it is better
// left behind.
const maxBad = 10_000

// note remembers damage that was found in the build cache.
func (l *Local) note(found []actions.Damage) {
	bad := l.suspect()
	for _, d := range found {
		for _, id := range d.Actions {
			bad[id] = true
		}
	}
	list := slices.Sorted(maps.Keys(bad))
	l.Care.Known.Put(badKey(l.Place.GoCache), list[:min(len(list), maxBad)])
}

// touches reports whether a build looked up what is known to have been damaged.
func (l *Local) touches(shorts []string) bool {
	bad := l.suspect()
	return slices.ContainsFunc(shorts, func(id string) bool { return bad[id] })
}

const badMachine = "what was just written cannot be read back as it was: the disk or the memory of this machine is at fault. Check both; MINTMARK_CACHE can name a directory on another disk"

// Mend implements [Mender].
func (l *Local) Mend(ctx context.Context, u *plan.Unit, suspects []string) (did string, err error) {
	if l.Care.Known == nil {
		return "", nil
	}
	l.damage.mu.Lock()
	defer l.damage.mu.Unlock()
	if err := errors.Join(l.examineTools(ctx), l.examineModules(ctx)); err != nil {
		return "", err
	}
	found, err := actions.FindDamage(ctx, l.Place.GoCache, nil)
	if err != nil {
		return "", err
	}
	shorts, err := actions.LookedUp(l.graph(u))
	if err != nil {
		return "", err
	}
	if len(found) == 0 && !l.touches(shorts) {
		return "", nil
	}
	did, err = l.drop(u, found, suspects)
	// What lies where the output goes is not linked anew.
	return did, errors.Join(err, cleared(l.clear(u)))
}

func cleared(err error) error {
	if err == nil {
		return nil
	}
	return cacheError(err)
}

func cacheError(err error) error {
	return fault.Errorf("MINTMARK_CACHE can name another directory", "cache directory: %w", err)
}

// drop removes damage from the build cache, and the outputs of further actions,
// which were made from it. It says what it did.
func (l *Local) drop(u *plan.Unit, found []actions.Damage, made []string) (string, error) {
	l.note(found)
	if err := errors.Join(actions.Drop(found), actions.Forget(l.Place.GoCache, made)); err != nil {
		return "", cacheError(err)
	}
	line := fmt.Sprintf("the build cache of the %s place was damaged earlier, and what was made from it is removed now", l.Label)
	if len(found) > 0 {
		line = l.describe(u, found)
	}
	if l.Care.Warn != nil {
		l.Care.Warn("%s: %s; building once more", u.ID(), line)
	}
	return line, nil
}

// describe names what is damaged, by the packages where they are known.
func (l *Local) describe(u *plan.Unit, found []actions.Damage) string {
	names := map[string]string{} // short ID → package
	if g, err := actions.Load(l.graph(u)); err == nil {
		for _, a := range g {
			names[a.ID] = a.Package
		}
	}
	const show = 3
	var list []string
	for i, d := range found {
		if i == show {
			list = append(list, fmt.Sprintf("%d more", len(found)-show))
			break
		}
		what := "output"
		for _, id := range d.Actions {
			if names[id] != "" {
				what = "package " + names[id]
			}
		}
		list = append(list, fmt.Sprintf("%s in %s (%s)", what, d.File, d.Reason))
	}
	return fmt.Sprintf("the build cache of the %s place was damaged, and the damage is removed: %s", l.Label, strings.Join(list, ", "))
}

// Sound implements [Mender].
func (l *Local) Sound(ctx context.Context, u *plan.Unit) error {
	found, err := actions.FindDamage(ctx, l.Place.GoCache, nil)
	if err != nil || len(found) == 0 {
		return err
	}
	return fault.Errorf(badMachine, "%s: after it was mended and built from once more, %s", u.ID(), l.describe(u, found))
}

// buildMended is what comes of a build that failed with err: another one, if
// something that it may have been made from is damaged.
func (l *Local) buildMended(ctx context.Context, u *plan.Unit, pace Pace, failed *Outcome, err error) (*Outcome, error) {
	if l.Care.Known == nil {
		return failed, err
	}
	l.damage.mu.Lock()
	defer l.damage.mu.Unlock()
	if err := l.examineTools(ctx); err != nil {
		return failed, err
	}
	shorts, gerr := actions.LookedUp(l.graph(u))
	if gerr != nil {
		return failed, err // it did not come so far
	}
	found, ferr := actions.FindDamage(ctx, l.Place.GoCache, shorts)
	if ferr != nil {
		return failed, errors.Join(err, ferr)
	}
	if len(found) == 0 && !l.touches(shorts) {
		return failed, err
	}
	did, derr := l.drop(u, found, l.executed(u))
	if derr = errors.Join(derr, cleared(l.clear(u))); derr != nil {
		return failed, errors.Join(err, derr)
	}
	out, err := l.build(ctx, u, pace)
	out.Cost.CPU += failed.Cost.CPU
	if err != nil {
		if damaged := l.Sound(ctx, u); damaged != nil && ctx.Err() == nil {
			err = damaged
		}
		return out, err
	}
	out.Mended = append(out.Mended, fmt.Sprintf("%s; %s, which could not be built with it, was built once more", did, u.ID()))
	return out, nil
}

// executed are the compiles that the unit's last build has run.
func (l *Local) executed(u *plan.Unit) (shorts []string) {
	g, err := actions.Load(l.graph(u))
	if err != nil {
		return nil
	}
	for _, a := range g {
		if a.Executed && !a.Link {
			shorts = append(shorts, a.ID)
		}
	}
	return shorts
}

const runAgain = "run it again: %s anew. If it happens again, the disk or the memory of this machine is at fault"

// examineTools reads the toolchain again. It is known to be unchanged by what the
// file system says of it, and a disk that decays says nothing.
func (l *Local) examineTools(ctx context.Context) error {
	if l.damage.tools {
		return nil
	}
	err := l.Goroot.Verify(ctx)
	if err == nil {
		l.damage.tools = true
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// When nobody uses it any more. What it has compiled has right names.
	remove := []string{l.Goroot.Dir, l.Place.GoCache}
	if l.Linked != nil {
		remove = append(remove, l.Linked.Dir)
	}
	l.Care.AtEnd(func() error {
		var errs []error
		for _, dir := range remove {
			errs = append(errs, files.RemoveTree(dir))
		}
		return errors.Join(errs...)
	})
	return fault.Errorf(fmt.Sprintf(runAgain, "the toolchain is unpacked anew, and everything compiled"),
		"the toolchain of the %s place is damaged: %w; it is removed, with all that it has compiled", l.Label, err)
}

// examineModules reads the modules again.
func (l *Local) examineModules(ctx context.Context) error {
	if l.damage.module || l.Care.Source == nil {
		return nil
	}
	damaged, err := plan.DamagedModules(ctx, l.Place, l.Dir, l.Care.Modules, l.Care.Source)
	if err != nil {
		return err
	}
	if len(damaged) == 0 {
		l.damage.module = true
		return nil
	}
	l.Care.AtEnd(func() error { return plan.DiscardModules(l.Place, damaged) })
	var names []string
	for _, m := range damaged {
		names = append(names, m.String())
	}
	return fault.Errorf(fmt.Sprintf(runAgain, "they are downloaded"),
		"modules in the %s place are not what go.sum says: %s; they are removed", l.Label, strings.Join(names, ", "))
}
