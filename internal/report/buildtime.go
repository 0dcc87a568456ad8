package report

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/internal/sizes"
)

// BuildTime is what one build of a unit took.
type BuildTime struct {
	Profile  string `json:"profile"`
	Platform string `json:"platform"`
	By       string `json:"by"` // which of the unit's builds: the executor's name
	// NotMeasured is why there are no times.
	NotMeasured string `json:"not_measured,omitempty"`
	// Command is the CPU of the go command with all its tools, however often it was run.
	Command time.Duration `json:"command_cpu_ns,omitempty"`
	// Modules are whose the packages are, sorted by group and path.
	Modules []BuildModule `json:"modules,omitempty"`
	*actions.Times
	Began time.Time `json:"-"` // when the first action began; not after reading it from a file
}

// BuildModule is the packages of one module.
type BuildModule struct {
	Group string `json:"group"` // as in package sizes
	sizes.Mod
	Packages []string `json:"packages"` // sorted
}

// maxTime is the most that one build may be said to have taken, so that no sum of a
// page is too large.
const maxTime = 1000 * time.Hour

// check refuses times that contradict each other.
func (b *BuildTime) check() error {
	t := b.Times
	switch {
	case t == nil && b.NotMeasured == "":
		return fmt.Errorf("neither measured nor a reason why not")
	case t == nil:
		return nil
	}
	within := func(list ...time.Duration) bool {
		return !slices.ContainsFunc(list, func(d time.Duration) bool { return d < 0 || d > maxTime })
	}
	if !within(b.Command, t.Elapsed, t.CPU, t.Wall, t.CachedCost.CPU, t.CachedCost.Wall, t.CriticalPath.CPU, t.CriticalPath.Wall) || min(t.Links, t.LinksKept, t.CachedUnknown) < 0 {
		return fmt.Errorf("a time is below zero or too large")
	}
	var sum actions.Cost
	for _, s := range t.Steps {
		if !within(s.CPU, s.Wall, s.Start) || s.Start+s.Wall > t.Elapsed || len(s.Tools) == 0 {
			return fmt.Errorf("a step of %q has no place in the build", s.Package)
		}
		sum.CPU += s.CPU
		sum.Wall += s.Wall
	}
	if sum != t.Cost {
		return fmt.Errorf("steps add up to %s of %s", sum.CPU, t.CPU)
	}
	for i, p := range t.Packages {
		f := p.FanOut
		if !within(p.CPU, p.Wall) || min(f.Packages, f.Links, f.Unknown) < 0 || f.CPU < 0 || i > 0 && p.Package <= t.Packages[i-1].Package || p.Ran && !p.Known {
			return fmt.Errorf("package %q is not possible", p.Package)
		}
	}
	for _, m := range b.Modules {
		if !slices.Contains(sizes.Groups(), m.Group) {
			return fmt.Errorf("unknown group %q", m.Group)
		}
	}
	paths := []actions.Path{t.CriticalPath}
	if t.PathOfAll != nil {
		paths = append(paths, *t.PathOfAll)
	}
	for _, p := range paths {
		var sum actions.Cost
		for _, s := range p.Steps {
			if !within(s.CPU, s.Wall) {
				return fmt.Errorf("critical path: %q is not possible", s.Package)
			}
			sum.CPU += s.CPU
			sum.Wall += s.Wall
		}
		if sum != p.Cost {
			return fmt.Errorf("the critical path adds up to %s of %s", sum.CPU, p.CPU)
		}
	}
	return nil
}

// owner gives whose each package is.
func (b *BuildTime) owner() map[string]*BuildModule {
	out := map[string]*BuildModule{}
	for i := range b.Modules {
		for _, p := range b.Modules[i].Packages {
			out[p] = &b.Modules[i]
		}
	}
	return out
}

// NewBuildModules sorts packages by whose they are.
func NewBuildModules(packages []actions.PackageTime, of func(pkg string) (group string, mod sizes.Mod)) []BuildModule {
	type key struct {
		group string
		mod   sizes.Mod
	}
	found := map[key][]string{}
	for _, p := range packages {
		group, mod := of(p.Package)
		k := key{group, mod}
		found[k] = append(found[k], p.Package)
	}
	var out []BuildModule
	for k, list := range found {
		slices.Sort(list)
		out = append(out, BuildModule{k.group, k.mod, list})
	}
	order := sizes.Groups()
	slices.SortFunc(out, func(a, b BuildModule) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Group), slices.Index(order, b.Group)), strings.Compare(a.Path, b.Path), strings.Compare(a.Version, b.Version))
	})
	return out
}

// label names a build: its unit, and which of several it was.
func (b *BuildTime) label(all []BuildTime) string {
	parts := []string{b.Platform}
	if slices.ContainsFunc(all, func(o BuildTime) bool { return o.Profile != b.Profile }) {
		parts = append([]string{b.Profile}, parts...)
	}
	return strings.Join(parts, " ") + ", " + b.By + " build"
}

// maxLanes is more than a machine has processors. What would need more shares the last.
const maxLanes = 1024

// lanes gives each step the first lane that is free when it begins, of as many as it
// takes; steps are sorted by the time they began.
func lanes(steps []actions.Ran) (lane []int, n int) {
	var free []time.Duration
	for _, s := range steps {
		i := slices.IndexFunc(free, func(at time.Duration) bool { return at <= s.Start })
		switch {
		case i < 0 && len(free) == maxLanes:
			i = maxLanes - 1
		case i < 0:
			i, free = len(free), append(free, 0)
		}
		free[i] = s.Start + s.Wall
		lane = append(lane, i)
	}
	return lane, len(free)
}

// traceEvent is one of the Trace Event Format, as Chrome and Perfetto read it. Times
// are in microseconds.
type traceEvent struct {
	Name  string         `json:"name"`
	Cat   string         `json:"cat,omitempty"`
	Phase string         `json:"ph"`
	TS    float64        `json:"ts"`
	Dur   float64        `json:"dur,omitempty"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	Args  map[string]any `json:"args,omitempty"`
}

// WriteTrace writes builds in the Trace Event Format: one process a build, one thread
// for each action that it ran at a time. They stand where they were in time; those of
// which that is not known begin at zero.
func WriteTrace(w io.Writer, builds []BuildTime) error {
	var began time.Time
	for _, b := range builds {
		if !b.Began.IsZero() && (began.IsZero() || b.Began.Before(began)) {
			began = b.Began
		}
	}
	out := bufio.NewWriter(w)
	out.WriteString("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")
	first := true
	write := func(e traceEvent) error {
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		out.WriteByte('\n')
		out.Write(data)
		return nil
	}
	micros := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	for i := range builds {
		b := &builds[i]
		if b.Times == nil {
			continue
		}
		at := time.Duration(0)
		if !b.Began.IsZero() {
			at = b.Began.Sub(began)
		}
		if err := write(traceEvent{Name: "process_name", Phase: "M", PID: i + 1, Args: map[string]any{"name": b.label(builds)}}); err != nil {
			return err
		}
		owner := b.owner()
		lane, _ := lanes(b.Steps)
		for k, s := range b.Steps {
			args := map[string]any{"tools": s.Kind(), "cpu_ms": float64(s.CPU) / float64(time.Millisecond)}
			group := sizes.GroupNone
			if o := owner[s.Package]; o != nil {
				group, args["module"] = o.Group, strings.TrimSpace(o.Path+" "+o.Version)
			}
			e := traceEvent{Name: strings.TrimSpace(s.Kind() + " " + s.Package), Cat: group, Phase: "X", TS: micros(at + s.Start), Dur: micros(s.Wall), PID: i + 1, TID: lane[k] + 1, Args: args}
			if err := write(e); err != nil {
				return err
			}
		}
	}
	out.WriteString("\n]}\n")
	return out.Flush()
}

// summary is the CPU of what ran as a breakdown to be drawn: links and what was done
// for several packages are of none.
func (b *BuildTime) summary() *sizes.Summary {
	s := &sizes.Summary{}
	cost := map[string]int64{}
	for _, p := range b.Packages {
		if p.Ran && p.CPU > 0 {
			cost[p.Package] = int64(p.CPU)
		}
	}
	rest := map[string]int64{} // by what ran
	var restSum int64
	for i := range b.Steps {
		if r := &b.Steps[i]; r.CPU > 0 && (r.Link || cost[r.Package] == 0) {
			rest[r.Kind()] += int64(r.CPU)
			restSum += int64(r.CPU)
		}
	}
	groups := map[string]*sizes.Group{}
	for _, m := range b.Modules {
		mod := sizes.Module{Mod: m.Mod}
		for _, p := range m.Packages {
			if cost[p] > 0 {
				mod.Packages = append(mod.Packages, sizes.Package{Path: p, Size: cost[p]})
				mod.Size += cost[p]
			}
		}
		if mod.Size == 0 {
			continue
		}
		slices.SortStableFunc(mod.Packages, func(a, b sizes.Package) int { return cmp.Compare(b.Size, a.Size) })
		g := groups[m.Group]
		if g == nil {
			g = &sizes.Group{Name: m.Group}
			groups[m.Group] = g
		}
		g.Modules, g.Size = append(g.Modules, mod), g.Size+mod.Size
	}
	if restSum > 0 {
		var kinds []sizes.Amount
		for _, kind := range slices.Sorted(maps.Keys(rest)) {
			kinds = append(kinds, sizes.Amount{Name: kind, Size: rest[kind]})
		}
		slices.SortStableFunc(kinds, func(a, b sizes.Amount) int { return cmp.Compare(b.Size, a.Size) })
		groups[sizes.GroupNone] = &sizes.Group{Name: sizes.GroupNone, Size: restSum, Modules: []sizes.Module{{Size: restSum, Packages: []sizes.Package{{Size: restSum, Kinds: kinds}}}}}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		g := groups[name]
		slices.SortStableFunc(g.Modules, func(a, b sizes.Module) int { return cmp.Compare(b.Size, a.Size) })
		s.Groups, s.Size = append(s.Groups, *g), s.Size+g.Size
	}
	return s
}
