package release

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/remember"
)

// What a build takes from earlier runs it takes on its word: the outputs in a
// build cache by their names, toolchains and modules because the file system says
// that nothing has changed. A disk or a memory that errs, and whoever writes
// there, alter them all the same. So two builds that differ, and builds that
// fail, are reason enough to read everything again that they may have been made
// from. What is damaged is dropped, and the unit is built once more; only then
// does a difference say anything about the source or the compiler.

// care is what a run knows of damage in its build caches.
type care struct {
	mu sync.Mutex // held while something is mended: two units may meet the same damage
	// bad are the actions, by short ID, whose output was damaged: what was compiled
	// from it is wrong under a right name.
	bad   map[string]map[string]bool // of a build cache
	lines []string                   // what happened, for the result
	// toolsSound and modulesSound: they were read again in this run.
	toolsSound, modulesSound bool
}

// badKey is where the damage of earlier runs in a build cache is remembered:
// what was compiled from it may be there still.
func badKey(cache string) remember.Key { return remember.NewKey("damaged 1", cache) }

// known gives the damaged actions of a build cache, those of earlier runs included.
func (c *care) known(s *session, cache string) map[string]bool {
	if c.bad == nil {
		c.bad = map[string]map[string]bool{}
	}
	if c.bad[cache] == nil {
		c.bad[cache] = map[string]bool{}
		var earlier []string
		if s.known.Get(badKey(cache), &earlier) {
			for _, id := range earlier {
				c.bad[cache][id] = true
			}
		}
	}
	return c.bad[cache]
}

// maxBad bounds what is remembered of damage. A cache with more of it is better
// left behind.
const maxBad = 10_000

// note remembers damage that was found in a build cache.
func (c *care) note(s *session, cache string, found []actions.Damage) {
	bad := c.known(s, cache)
	for _, d := range found {
		for _, id := range d.Actions {
			bad[id] = true
		}
	}
	list := sortedKeys(bad)
	s.known.Put(badKey(cache), list[:min(len(list), maxBad)])
}

// damage are the lines for the result, sorted.
func (p *pipeline) damage() []string {
	p.care.mu.Lock()
	defer p.care.mu.Unlock()
	return slices.Sorted(slices.Values(slices.Concat(p.mended, p.care.lines)))
}

// damageError is damage that came back, or that no second build mends.
func damageError(hint, format string, args ...any) error {
	return &codeError{fmt.Errorf(format, args...), ExitError, hint}
}

const badMachine = "what was just written cannot be read back as it was: the disk or the memory of this machine is at fault. Check both; MINTMARK_CACHE can name a directory on another disk"

// mend looks for damage when the two builds of a unit differ, and builds the
// unit again from what is sound. Without damage it leaves everything as it is: the
// difference is then what it seems to be.
func (p *pipeline) mend(ctx context.Context, u *unit) error {
	if p.sites.second == nil {
		return nil
	}
	differ, err := p.differ(ctx, u)
	if err != nil || differ == nil {
		return err
	}
	p.care.mu.Lock()
	defer p.care.mu.Unlock()
	if err := p.examineTools(ctx); err != nil {
		return err
	}
	if err := p.examineModules(ctx); err != nil {
		return err
	}
	var lines []string
	for i, site := range []*execute.Site{p.sites.first, p.sites.second} {
		found, err := actions.FindDamage(ctx, site.Place.GoCache, nil)
		if err != nil {
			return err
		}
		shorts, err := actions.LookedUp(site.Graph(u.Unit))
		if err != nil {
			return err
		}
		if len(found) == 0 && !p.touches(site, shorts) {
			continue
		}
		// What came out different was made from the damage: its name fits, and
		// what it holds is wrong.
		line, err := p.drop(u.Unit, site, found, differ.actions)
		if err != nil {
			return err
		}
		lines = append(lines, line)
		built, cost, err := p.rebuild(ctx, u.Unit, site)
		p.mu.Lock()
		p.cpu += cost.CPU
		p.mu.Unlock()
		if err != nil {
			return p.unlessDamaged(ctx, u.Unit, site, err)
		}
		u.builds[i] = built
	}
	if len(lines) == 0 {
		return nil
	}
	if differ, err = p.differ(ctx, u); err != nil {
		return err
	}
	if differ != nil {
		for _, site := range []*execute.Site{p.sites.first, p.sites.second} {
			if err := p.unlessDamaged(ctx, u.Unit, site, nil); err != nil {
				return err
			}
		}
	}
	how := "both builds are the same now"
	if differ != nil {
		how = "the builds differ all the same, and not because of the damage"
	}
	for _, line := range lines {
		p.care.lines = append(p.care.lines, fmt.Sprintf("%s; %s was built once more: %s", line, u.ID(), how))
	}
	return nil
}

// difference is what two builds of a unit differ in.
type difference struct {
	actions []string // short IDs of the compiles that gave different outputs
}

// differ compares the two builds: nil when their binaries are the same, and all
// compiles from the same inputs.
func (p *pipeline) differ(ctx context.Context, u *unit) (*difference, error) {
	a, errA := actions.Load(p.sites.first.Graph(u.Unit))
	b, errB := actions.Load(p.sites.second.Graph(u.Unit))
	if err := errors.Join(errA, errB); err != nil {
		return nil, err
	}
	d := &difference{}
	differ := false
	for _, x := range actions.Compare(a, b) {
		if x.Kind == actions.Nondeterministic && !x.A.Link {
			differ = true
			d.actions = append(d.actions, x.A.ID)
		}
	}
	for i := range u.Mains {
		if differ {
			break
		}
		second := u.builds[1][i].Files()
		for k, first := range u.builds[0][i].Files() {
			same, err := sameContent(ctx, first, second[k])
			if err != nil {
				return nil, err
			}
			differ = differ || !same
		}
	}
	if !differ {
		return nil, nil
	}
	return d, nil
}

func sameContent(ctx context.Context, a, b string) (bool, error) {
	sumA, _, errA := files.Digest(ctx, a)
	sumB, _, errB := files.Digest(ctx, b)
	return sumA == sumB, errors.Join(errA, errB)
}

// touches reports whether a build looked up what is known to have been damaged.
func (p *pipeline) touches(site *execute.Site, shorts []string) bool {
	bad := p.care.known(p.session, site.Place.GoCache)
	return slices.ContainsFunc(shorts, func(id string) bool { return bad[id] })
}

// drop removes damage from the build cache of a site, and the outputs of further
// actions, which were made from it. It says what it did.
func (p *pipeline) drop(u *plan.Unit, site *execute.Site, found []actions.Damage, made []string) (string, error) {
	p.care.note(p.session, site.Place.GoCache, found)
	if err := errors.Join(actions.Drop(found), actions.Forget(site.Place.GoCache, made)); err != nil {
		return "", cacheError(err)
	}
	line := fmt.Sprintf("the build cache of the %s place was damaged earlier, and what was made from it is removed now", site.Name)
	if len(found) > 0 {
		line = p.describe(u, site, found)
	}
	p.warn("%s: %s; building once more", u.ID(), line)
	return line, nil
}

// describe names what is damaged, by the packages where they are known.
func (p *pipeline) describe(u *plan.Unit, site *execute.Site, found []actions.Damage) string {
	names := map[string]string{} // short ID → package
	if g, err := actions.Load(site.Graph(u)); err == nil {
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
	return fmt.Sprintf("the build cache of the %s place was damaged, and the damage is removed: %s", site.Name, strings.Join(list, ", "))
}

// rebuild builds a unit again, with nothing left of its last build: a binary that
// lies there is not linked anew.
func (p *pipeline) rebuild(ctx context.Context, u *plan.Unit, site *execute.Site) ([]execute.Built, schedule.Cost, error) {
	if err := site.Clear(u); err != nil {
		return nil, schedule.Cost{}, cacheError(err)
	}
	width := p.Jobs
	if width <= 0 {
		width = runtime.NumCPU()
	}
	return site.Build(ctx, u, execute.Pace{P: width})
}

// unlessDamaged gives err back, which came of a build from a cache that had just
// been mended, unless the cache is damaged again.
func (p *pipeline) unlessDamaged(ctx context.Context, u *plan.Unit, site *execute.Site, err error) error {
	if ctx.Err() != nil {
		return err
	}
	found, ferr := actions.FindDamage(ctx, site.Place.GoCache, nil)
	if ferr != nil {
		return errors.Join(err, ferr)
	}
	if len(found) == 0 {
		return err
	}
	return damageError(badMachine, "%s: after it was mended and built from once more, %s", u.ID(), p.describe(u, site, found))
}

// buildUnit is a unit's build in a site. If it fails, and something that it
// may have been made from is damaged, it is built once more without that.
func (p *pipeline) buildUnit(ctx context.Context, u *plan.Unit, site *execute.Site, pace execute.Pace) ([]execute.Built, schedule.Cost, error) {
	built, cost, err := site.Build(ctx, u, pace)
	if err == nil || ctx.Err() != nil {
		return built, cost, err
	}
	p.care.mu.Lock()
	defer p.care.mu.Unlock()
	if err := p.examineTools(ctx); err != nil {
		return nil, cost, err
	}
	shorts, gerr := actions.LookedUp(site.Graph(u))
	if gerr != nil {
		return nil, cost, err // it did not come so far
	}
	found, ferr := actions.FindDamage(ctx, site.Place.GoCache, shorts)
	if ferr != nil {
		return nil, cost, errors.Join(err, ferr)
	}
	if len(found) == 0 && !p.touches(site, shorts) {
		return nil, cost, err
	}
	line, derr := p.drop(u, site, found, executed(site.Graph(u)))
	if derr != nil {
		return nil, cost, errors.Join(err, derr)
	}
	built, more, err := p.rebuild(ctx, u, site)
	more.CPU += cost.CPU
	if err != nil {
		return nil, more, p.unlessDamaged(ctx, u, site, err)
	}
	p.care.lines = append(p.care.lines, fmt.Sprintf("%s; %s, which could not be built with it, was built once more", line, u.ID()))
	return built, more, nil
}

// executed are the actions that a build has run, by its action graph.
func executed(file string) []string {
	g, err := actions.Load(file)
	if err != nil {
		return nil
	}
	var out []string
	for _, a := range g {
		if a.Executed && !a.Link {
			out = append(out, a.ID)
		}
	}
	return out
}

// mendIndex removes damaged indexes of packages from the build cache, after the
// go command could not list them or listed what is not there, and reports
// whether there were any.
func (s *session) mendIndex(ctx context.Context) bool {
	found, err := actions.DamagedIndex(ctx, s.place.GoCache)
	if err != nil || len(found) == 0 || actions.Drop(found) != nil {
		return false
	}
	line := fmt.Sprintf("the build cache of the first place was damaged: %d indexes of packages, such as %s, which are removed", len(found), found[0].File)
	s.warn("%s; listing the packages once more", line)
	s.mended = append(s.mended, line+"; the packages were listed once more")
	return true
}

// examineTools reads the toolchains of both places again. They are known to be
// unchanged by what the file system says of them, and a disk that decays says nothing.
func (p *pipeline) examineTools(ctx context.Context) error {
	if p.care.toolsSound {
		return nil
	}
	for _, site := range []*execute.Site{p.sites.first, p.sites.second} {
		if site == nil {
			continue
		}
		err := site.Goroot.Verify(ctx)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		// When nobody uses it any more. What it has compiled has right names.
		remove := []string{site.Goroot.Dir, site.Place.GoCache}
		if site == p.sites.first {
			remove = append(remove, linkedDir(p.Cache))
		}
		p.atEnd(func() error {
			var errs []error
			for _, dir := range remove {
				errs = append(errs, files.RemoveTree(dir))
			}
			return errors.Join(errs...)
		})
		return damageError("run it again: the toolchain is unpacked anew, and everything compiled anew. If it happens again, the disk or the memory of this machine is at fault",
			"the toolchain of the %s place is damaged: %w; it is removed, with all that it has compiled", site.Name, err)
	}
	p.care.toolsSound = true
	return nil
}

// examineModules reads the modules that both places were built from again.
func (p *pipeline) examineModules(ctx context.Context) error {
	if p.care.modulesSound || p.planner == nil {
		return nil
	}
	for _, site := range []*execute.Site{p.sites.first, p.sites.second} {
		if site == nil {
			continue
		}
		damaged, err := plan.DamagedModules(ctx, site.Place, site.Dir, p.planner.Modules(), p.source)
		if err != nil {
			return err
		}
		if len(damaged) == 0 {
			continue
		}
		p.atEnd(func() error { return plan.DiscardModules(site.Place, damaged) })
		var names []string
		for _, m := range damaged {
			names = append(names, m.String())
		}
		return damageError("run it again: they are downloaded anew. If it happens again, the disk or the memory of this machine is at fault",
			"modules in the %s place are not what go.sum says: %s; they are removed", site.Name, strings.Join(names, ", "))
	}
	p.care.modulesSound = true
	return nil
}

// atEnd has something done when the run ends and nobody builds any more.
func (p *pipeline) atEnd(f func() error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.session.settle = append(p.session.settle, f)
}
