// Package measure says what programs cost: at start-up and in memory ([Bench]), in
// bytes ([Size]), and what each setting of a profile saves ([Savings]). What it
// builds for that is built once, and never published.
package measure

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/startup"
	"github.com/mintmark/mintmark/internal/workspace"
	"github.com/mintmark/mintmark/profiles"
)

// Benched is the result of [Bench].
type Benched struct {
	report.Startup
	// Sweeps are the programs' starts in larger and larger environments, if asked for.
	Sweeps []Swept `json:"sweeps,omitempty"`
	// BuildCosts are of the variants that are about the optimiser's profile, each
	// built from an empty cache: a profile makes everything be compiled anew, the
	// standard library too.
	BuildCosts []BuildCost `json:"build_costs,omitempty"`
}

// Swept is one program's sweep over sizes of the environment.
type Swept struct {
	Program string `json:"program"`
	// NotSwept is why there is no result.
	NotSwept string `json:"not_swept,omitempty"`
	*startup.SweepResult
}

// BuildCost is what building one variant took.
type BuildCost struct {
	Program string        `json:"program"`
	CPU     time.Duration `json:"cpu_ns"` // of all processes
}

// packStarts are the numbers of starts per transfer that accounts are made for.
func packStarts() []int { return []int{1, 10, 100} }

// BenchFiles measures programs as they are. opt.Work is made here.
func BenchFiles(ctx context.Context, opt startup.Config, sweep bool) (_ *Benched, err error) {
	work, err := os.MkdirTemp("", "mintmark-bench-")
	if err != nil {
		return nil, err
	}
	defer files.RemoveTree(work)
	return bench(ctx, work, opt, sweep)
}

func bench(ctx context.Context, work string, opt startup.Config, sweep bool) (_ *Benched, err error) {
	if opt.Work, err = filepath.Abs(work); err != nil {
		return nil, err
	}
	b := &Benched{}
	if b.Result, err = startup.Measure(ctx, opt); err != nil {
		return nil, err
	}
	if b.Packing, err = packingAccounts(ctx, b.Result, opt.Programs, packStarts()...); err != nil || !sweep {
		return b, err
	}
	b.Sweeps, err = sweepAll(ctx, b.Result, opt)
	return b, err
}

// sweepAll starts every program in environments of many sizes, under emulation
// where this machine does not run it.
func sweepAll(ctx context.Context, res *startup.Result, opt startup.Config) ([]Swept, error) {
	var all []Swept
	for i, s := range res.Programs {
		if opt.Event != nil {
			opt.Event("environments of " + s.Name)
		}
		one := Swept{Program: s.Name}
		cfg := startup.SweepConfig{
			Path: opt.Programs[i].Path, Args: opt.Workload.Args, Exit: opt.Workload.Exit, Dir: opt.Dir, Work: opt.Work, Timeout: opt.Workload.Timeout,
		}
		var err error
		if s.NotMeasured != "" {
			if cfg.Emulator, err = startup.Emulator(s.Platform, opt.Emulators); err != nil {
				one.NotSwept = err.Error()
			}
		}
		switch {
		case opt.Workload.Ready.Kind() != startup.OnExit:
			one.NotSwept = "only programs that end by themselves are swept, and ready is " + opt.Workload.Ready.String()
		case len(opt.Workload.Env) > 0 || opt.Workload.Stdin != "":
			one.NotSwept = "only programs that need no environment and no input are swept"
		}
		if one.NotSwept == "" {
			if one.SweepResult, err = startup.Sweep(ctx, cfg); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Name, err)
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// Bench builds the variants that a profile's bench names, once each, for one
// platform of this machine, and measures them. Nothing is published. What opt
// says of the workload goes before what the profile says.
func Bench(ctx context.Context, cfg run.Config, opt startup.Config, sweep bool) (_ *Benched, err error) {
	defer func() { err = run.ExplainFull(err) }()
	var settings profiles.Settings
	s, err := openOne(ctx, &cfg, func(s *fetch.Subject) (sel profiles.Selected, err error) {
		sel, settings, err = chooseBench(s)
		return sel, err
	})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var costs []BuildCost
	if opt.Programs, costs, err = benchVariants(ctx, s, settings); err != nil {
		return nil, err
	}
	if err := release.Workload(s.Checkout, &opt, settings.Bench); err != nil {
		return nil, err
	}
	work := filepath.Join(s.Workspace.Dir, "bench")
	if err := os.Mkdir(work, 0o755); err != nil {
		return nil, workspace.Error(err)
	}
	s.Phase("measuring")
	b, err := bench(ctx, work, opt, sweep)
	if err != nil {
		return nil, err
	}
	b.BuildCosts = costs
	b.Profile, b.Platform = s.Selected[0].Profile.Name, s.Selected[0].Platforms[0].String()
	return b, nil
}

// chooseBench finds the one profile and platform to measure: a platform that
// this machine runs, of a profile with bench if there is one.
func chooseBench(s *fetch.Subject) (profiles.Selected, profiles.Settings, error) {
	type choice struct {
		profiles.Selected
		settings profiles.Settings
	}
	var runs, declared []choice
	for _, sel := range s.Selected {
		for _, pl := range sel.Platforms {
			if pl.OS != runtime.GOOS || pl.Arch != runtime.GOARCH {
				continue
			}
			c := choice{profiles.Selected{Profile: sel.Profile, Platforms: []profiles.Platform{pl}}, sel.Profile.Settings(pl)}
			runs = append(runs, c)
			if b := c.settings.Bench; len(b.Args)+len(b.Env)+len(b.Variants) > 0 || b.Ready+b.Stdin+b.Main != "" {
				declared = append(declared, c)
			}
		}
	}
	if len(declared) > 0 {
		runs = declared
	}
	switch len(runs) {
	case 0:
		return profiles.Selected{}, profiles.Settings{}, fault.Usagef("choose among the profiles with -profile and -platform, or add the platform to one",
			"no selected profile builds for %s/%s, which is what can be measured here", runtime.GOOS, runtime.GOARCH)
	case 1:
		return runs[0].Selected, runs[0].settings, nil
	}
	var names []string
	for _, r := range runs {
		names = append(names, r.Profile.Name+" "+r.Platforms[0].String())
	}
	return profiles.Selected{}, profiles.Settings{}, fault.Usagef("choose one with -profile and -platform, or write bench: into one of them",
		"there is more than one to measure: %s", strings.Join(names, ", "))
}

// defaultVariants are compared where the profile names none.
func defaultVariants(s profiles.Settings) []profiles.Variant {
	list := []profiles.Variant{{Name: profiles.Stripped, Kind: profiles.Stripped}, {Name: profiles.Plain, Kind: profiles.Plain}}
	if s.UPX != nil {
		list = append(list, profiles.Variant{Name: profiles.AsProfile, Kind: profiles.AsProfile})
	}
	return list
}

// alter makes the settings of a variant of those of the profile.
func alter(v profiles.Variant, s *profiles.Settings) {
	if s.Bench.Main != "" {
		s.Main = []string{s.Bench.Main}
	}
	switch v.Kind {
	case profiles.Plain:
		s.Strip, s.UPX = "", nil
	case profiles.Stripped:
		s.Strip, s.UPX = profiles.StripAll, nil
	case profiles.WithUPX:
		s.UPX = append([]string{}, v.UPX...)
	case profiles.WithPGO:
		s.PGO, s.UPX = v.PGO, nil
	}
}

// benchVariants builds and packs every variant, in the first place.
func benchVariants(ctx context.Context, s *fetch.Copied, settings profiles.Settings) (programs []startup.Program, costs []BuildCost, err error) {
	variants := settings.Bench.Variants
	if len(variants) == 0 {
		variants = defaultVariants(settings)
	}
	var list []variant
	for i, v := range variants {
		if slices.ContainsFunc(variants[:i], func(o profiles.Variant) bool { return o.Name == v.Name }) {
			return nil, nil, fault.Usagef("leave one out", "bench.variants has %q twice", v.Name)
		}
		x, err := planVariant(ctx, s, v.Name, func(set *profiles.Settings) { alter(v, set) })
		if err != nil {
			return nil, nil, err
		}
		x.alone = v.Kind == profiles.WithPGO
		list = append(list, x)
	}
	built, err := buildVariants(ctx, s, list)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range built {
		if p.alone {
			costs = append(costs, BuildCost{p.name, p.cpu})
		}
		programs = append(programs, startup.Program{Name: p.name, Path: p.path})
	}
	return programs, costs, nil
}
