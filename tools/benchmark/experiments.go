package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// run is the measuring of one project.
type run struct {
	*bench
	p      *project
	src    *sources
	pairs  int // 0: what fits each experiment
	need   map[string]bool
	series map[string][]sample
	notes  []string
}

// side is something to be measured.
type side struct {
	name    string // of the series
	prepare func() error
	run     func() (sample, error)
}

// turns runs the sides that are needed n times. Each turn begins with another
// side, so that none always comes after the same one.
func (r *run) turns(ctx context.Context, n int, before func() error, sides ...side) error {
	sides = slices.DeleteFunc(sides, func(s side) bool { return !r.need[s.name] })
	if r.pairs > 0 {
		n = r.pairs
	}
	if len(sides) == 0 {
		return nil
	}
	for i := range n {
		if before != nil {
			if err := before(); err != nil {
				return err
			}
		}
		for k := range sides {
			s := sides[(i+k)%len(sides)]
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			if s.prepare != nil {
				if err := s.prepare(); err != nil {
					return fmt.Errorf("%s: %s: %w", r.p.name, s.name, err)
				}
			}
			sm, err := s.run()
			if err != nil {
				return fmt.Errorf("%s: %s: %w", r.p.name, s.name, err)
			}
			r.say("%s: %s, %d of %d: CPU %s, wall %s, peak memory %s, others %s", r.p.name, s.name, i+1, n,
				seconds(sm.CPU.Seconds()), seconds(sm.Wall.Seconds()), mebibytes(float64(sm.Peak)), percent(sm.Others))
			r.series[s.name] = append(r.series[s.name], sm)
		}
	}
	return nil
}

func (r *run) needs(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return r.need[n] })
}

// all runs every experiment that a row of the project needs.
func (r *run) all(ctx context.Context) error {
	for _, e := range []func(context.Context) error{r.builds, r.releases, r.growth, r.tool} {
		if err := e(ctx); err != nil {
			return err
		}
	}
	return nil
}

// builds are the cold builds and everything after a first release.
func (r *run) builds(ctx context.Context) error {
	if !r.needs(buildCold, goreleaserCold, handCold, releaseFirst) {
		return nil
	}
	var sides []side
	if r.need[buildCold] {
		m, err := r.newMintmark(ctx, r.src, "build")
		if err != nil {
			return err
		}
		sides = append(sides, side{buildCold, func() error { return cool(m.cache) }, func() (sample, error) { return m.run(ctx, "build", "none") }})
	}
	if r.need[goreleaserCold] {
		g, err := r.newGoReleaser(ctx, r.src)
		if err != nil {
			return err
		}
		sides = append(sides, side{goreleaserCold, func() error { return os.RemoveAll(g.cache) }, func() (sample, error) { return g.run(ctx, "build") }})
	}
	if r.need[handCold] {
		times := 1
		if r.needs(releaseFirst, releaseSame, releaseMain, releaseLarge) {
			times = 2
		}
		sides = append(sides, side{handCold, nil, func() (sample, error) { return r.byHand(ctx, r.src, times) }})
	}
	if r.need[releaseFirst] {
		m, err := r.newMintmark(ctx, r.src, "release")
		if err != nil {
			return err
		}
		sides = append(sides, side{releaseFirst, func() error { return cool(m.cache) }, func() (sample, error) { return m.run(ctx, "release", "none") }})
	}
	if err := r.turns(ctx, r.p.coldPairs, nil, sides...); err != nil {
		return err
	}
	r.compareProducts()
	return nil
}

// compareProducts says whether the sides made the same binaries: then they did
// the same work.
func (r *run) compareProducts() {
	hand := r.series[handCold]
	if len(hand) == 0 {
		return
	}
	for _, x := range []struct{ name, command string }{
		{buildCold, "mintmark build"}, {releaseFirst, "mintmark release"}, {goreleaserCold, "goreleaser build"},
	} {
		if len(r.series[x.name]) == 0 {
			continue
		}
		same := 0
		for _, d := range hand[0].Digests {
			if slices.Contains(r.series[x.name][0].Digests, d) {
				same++
			}
		}
		r.notes = append(r.notes, fmt.Sprintf("Of the loop's %d binaries, `%s` made %d with the same bytes.", len(hand[0].Digests), x.command, same))
	}
}

// releases are those after the first: short ones, if verification is nearly free.
func (r *run) releases(ctx context.Context) error {
	ours := []string{releaseSame, releaseMain, releaseLarge, releaseTarSame, releaseTarMain, planWarm}
	theirs := []string{goreleaserSame, goreleaserMain}
	if !r.needs(append(ours, theirs...)...) {
		return nil
	}
	cache := filepath.Join(r.work, r.p.name, "mintmark-cache-release")
	var m *mintmarkSide
	if _, err := os.Stat(cache); err == nil { // a first release has just filled it
		m = &mintmarkSide{r.bench, r.p, r.src.dirs["mintmark"], cache}
	} else if m, err = r.newMintmark(ctx, r.src, "release"); err != nil {
		return err
	}
	var g *goreleaserSide
	if r.needs(theirs...) {
		var err error
		if g, err = r.newGoReleaser(ctx, r.src); err != nil {
			return err
		}
		r.say("%s: a release of GoReleaser, so that its cache is warm", r.p.name)
		if _, err := g.run(ctx, "release"); err != nil {
			return err
		}
	}
	if r.needs(ours[:5]...) {
		r.say("%s: a release of mintmark, so that its cache is warm", r.p.name)
		if _, err := m.run(ctx, "release", "tar.gz"); err != nil {
			return err
		}
	}
	changed := func(file string) func() error { return func() error { return r.change(ctx, r.src, file) } }
	release := func(name, archive string) side {
		return side{name, nil, func() (sample, error) { return m.run(ctx, "release", archive) }}
	}
	unverified := func(name string) side {
		return side{name, nil, func() (sample, error) { return g.run(ctx, "release") }}
	}
	if r.need[planWarm] {
		if _, err := m.run(ctx, "plan", "tar.gz"); err != nil {
			return err
		}
	}
	if err := r.turns(ctx, 10, nil, side{planWarm, nil, func() (sample, error) { return m.run(ctx, "plan", "tar.gz") }}); err != nil {
		return err
	}
	if err := r.turns(ctx, 5, nil, release(releaseTarSame, "tar.gz"), unverified(goreleaserSame)); err != nil {
		return err
	}
	if err := r.turns(ctx, 5, nil, release(releaseSame, "none")); err != nil {
		return err
	}
	if err := r.turns(ctx, 5, changed(r.p.main), release(releaseTarMain, "tar.gz"), unverified(goreleaserMain)); err != nil {
		return err
	}
	if err := r.turns(ctx, 5, changed(r.p.main), release(releaseMain, "none")); err != nil {
		return err
	}
	return r.turns(ctx, 5, changed(r.p.large), release(releaseLarge, "none"))
}

// growth is one run of many units against several runs of few.
func (r *run) growth(ctx context.Context) error {
	if !r.needs(platformsOnce, profilesOnce) {
		return nil
	}
	m, err := r.newMintmark(ctx, r.src, "build")
	if err != nil {
		return err
	}
	cold := func(more ...string) (sample, error) {
		if err := cool(m.cache); err != nil {
			return sample{}, err
		}
		return m.run(ctx, "build", "none", more...)
	}
	var eights, profiles []string
	for part := range slices.Chunk(r.p.platforms, 8) {
		eights = append(eights, "-platform="+strings.Join(part, ","))
	}
	for i := range growthProfiles {
		profiles = append(profiles, fmt.Sprintf("-profile=p%d", i+1))
	}
	each := func(parts []string, more ...string) func() (sample, error) {
		return func() (sample, error) {
			var sum sample
			for _, part := range parts {
				s, err := cold(append(more, part)...)
				if err != nil {
					return sample{}, err
				}
				sum.CPU, sum.Wall, sum.InGo = sum.CPU+s.CPU, sum.Wall+s.Wall, sum.InGo+s.InGo
				sum.Peak, sum.Anon, sum.Others = max(sum.Peak, s.Peak), max(sum.Anon, s.Anon), max(sum.Others, s.Others)
			}
			return sum, nil
		}
	}
	err = r.turns(ctx, r.p.coldPairs, nil,
		side{platformsOnce, nil, func() (sample, error) { return cold("-profile=release") }},
		side{platformsBatches, nil, each(eights, "-profile=release")})
	if err != nil {
		return err
	}
	return r.turns(ctx, r.p.coldPairs, nil,
		side{profilesOnce, nil, func() (sample, error) { return cold("-profile=p1,p2,p3,p4,p5,p6") }},
		side{profilesBatches, nil, each(profiles)})
}

// tool measures what a user waits for before anything is built.
func (r *run) tool(ctx context.Context) error {
	if !r.needs(mageWarm, mageCold, compileCold) {
		return nil
	}
	if _, err := r.output(ctx, r.tree, r.userEnv(), r.goCmd, "mod", "download"); err != nil {
		return err
	}
	cache, mage := filepath.Join(r.work, "tool", "gocache"), filepath.Join(r.work, "tool", "mage")
	clean := func() error {
		for _, dir := range []string{cache, mage} {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		return nil
	}
	measure := func(args ...string) func() (sample, error) {
		return func() (sample, error) {
			s, _, err := r.measure(ctx, job{r.tree, r.goEnv(cache, "MAGEFILE_CACHE="+mage), append([]string{r.goCmd}, args...)})
			return s, err
		}
	}
	list := measure("tool", "mage", "-l")
	compile := measure("build", "-o", filepath.Join(r.work, "tool", "mintmark"), "./cmd/mintmark")
	targets := measure("tool", "mage", "-compile", filepath.Join(r.work, "tool", "targets")) // -l compiles none
	if err := r.turns(ctx, r.p.coldPairs, nil, side{compileCold, clean, compile}, side{mageCold, clean, targets}); err != nil {
		return err
	}
	if !r.need[mageWarm] {
		return nil
	}
	if _, err := list(); err != nil {
		return err
	}
	return r.turns(ctx, 10, nil, side{mageWarm, nil, list})
}

// estimate is about how long the project takes on the machine of
// docs/reports/benchmarks.md, when verification is nearly free.
func (r *run) estimate() time.Duration {
	n := func(of int) float64 {
		if r.pairs > 0 {
			of = r.pairs
		}
		return float64(of)
	}
	loops := map[string]float64{ // in cold loops
		buildCold: 1, goreleaserCold: 0.9 * float64(len(r.p.mains)), handCold: 2, releaseFirst: 2,
		platformsOnce: 1.1, platformsBatches: 1.1, profilesOnce: 1.1, profilesBatches: 1.1, compileCold: 1, mageCold: 1,
	}
	short := map[string]float64{
		releaseSame: 0.03, releaseMain: 0.04, releaseLarge: 0.3, releaseTarSame: 0.04, releaseTarMain: 0.05, goreleaserSame: 0.03, goreleaserMain: 0.04,
	}
	total := 15 * time.Second
	for name := range r.need {
		total += time.Duration((loops[name]*n(r.p.coldPairs) + short[name]*n(5)) * r.p.loopCPU / 1.8 * float64(time.Second))
	}
	if !r.need[releaseFirst] && r.needs(releaseSame, releaseMain, releaseLarge, releaseTarSame, releaseTarMain) {
		total += time.Duration(2 * r.p.loopCPU / 1.8 * float64(time.Second)) // to warm the cache
	}
	return total
}
