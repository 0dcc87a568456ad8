package measure

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/upx"
	"github.com/mintmark/mintmark/profiles"
)

// Savings builds one platform of one profile again and again, each time with
// one more of the profile's settings that make a program smaller, and says what
// each saves: in the file, and in the archives that a user transfers. Nothing
// is built twice, and nothing is published.
func Savings(ctx context.Context, cfg run.Config) (_ *report.Savings, err error) {
	defer func() { err = run.ExplainFull(err) }()
	s, err := openOne(ctx, &cfg, chooseOne)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	sel := s.Selected[0]
	pl := sel.Platforms[0]
	out := &report.Savings{Schema: fact.SavingsReport, Version: s.Version, Profile: sel.Profile.Name, Platform: pl.String()}
	packers := map[string]*upx.Tool{}
	var failed error // the first step that could not be built
	measured := 0
	for i, step := range savingSteps(sel.Profile.Settings(pl)) {
		x := report.Saving{Name: step.name, NotMeasured: step.absent}
		if step.absent == "" {
			project, err := step.measure(ctx, s, i, packers, &x)
			switch {
			case ctx.Err() != nil:
				return nil, context.Cause(ctx)
			case err != nil:
				// What cannot be built here says nothing of the other steps.
				if failed == nil {
					failed = err
				}
				line, _, _ := strings.Cut(err.Error(), "\n")
				x = report.Saving{Name: step.name, NotMeasured: strings.TrimPrefix(strings.TrimSpace(line), step.name+": ")}
			case x.NotMeasured == "":
				out.Project = project
				measured++
			}
		}
		out.Steps = append(out.Steps, x)
	}
	if measured == 0 && failed != nil {
		return nil, failed
	}
	if set := sel.Profile.Settings(pl); set.Strip != profiles.StripAll {
		out.Notes = append(out.Notes, unstripped(set.Strip))
	}
	out.Notes = append(out.Notes, "each variant was built once: nothing was compared with a second build, and nothing is published")
	return out, nil
}

// measure builds the n-th step and weighs it: as it is, and in the archives of a
// release. It returns what the project is called.
func (step *savingStep) measure(ctx context.Context, c *fetch.Copied, n int, packers map[string]*upx.Tool, x *report.Saving) (project string, err error) {
	v, err := planVariant(ctx, c, step.name, step.change)
	if err != nil {
		return "", err
	}
	if step.needs != nil {
		if x.NotMeasured = step.needs(v); x.NotMeasured != "" {
			return "", nil
		}
	}
	p, err := buildVariant(ctx, c, n, v, packers)
	if err != nil {
		return "", err
	}
	fi, err := os.Stat(p.path)
	if err != nil {
		return "", err
	}
	x.Size = fi.Size()
	if x.Gzip, err = archivedSize(ctx, p.path, archive.TarGz); err != nil {
		return "", err
	}
	if x.Zstd, err = archivedSize(ctx, p.path, archive.TarZst); err != nil {
		return "", err
	}
	return v.planned.Plan.Project, nil
}

// unstripped says what the profile leaves in.
func unstripped(strip string) string {
	if strip == profiles.StripDebug {
		return "the profile keeps the symbol table: -s is what it could save"
	}
	return "the profile does not strip: -w and -s are what it could save"
}

// savingStep is one more setting than the step before.
type savingStep struct {
	name   string
	absent string // why the step is left out
	// needs says of the planned variant why the step is left out all the same; nil if
	// there is nothing that only a plan tells.
	needs  func(variant) string
	change func(*profiles.Settings)
}

// savingSteps are the steps from a plain build to what the profile says.
func savingSteps(want profiles.Settings) []savingStep {
	var done []func(*profiles.Settings)
	add := func(change func(*profiles.Settings)) func(*profiles.Settings) {
		if change != nil {
			done = append(done, change)
		}
		all := slices.Clone(done)
		return func(s *profiles.Settings) {
			if want.Bench.Main != "" {
				s.Main = []string{want.Bench.Main}
			}
			s.Trimpath, s.Strip, s.Tags, s.GCFlags, s.PGO, s.UPX = false, "", nil, nil, "off", nil
			for _, c := range all {
				c(s)
			}
		}
	}
	// The other setting of cgo comes first: what plain go build does depends on the machine.
	plain := add(nil)
	other := savingStep{name: "plain with cgo", change: func(s *profiles.Settings) {
		plain(s)
		s.CGO = !want.CGO
	}}
	if want.CGO {
		other.name = "plain without cgo"
	} else {
		other.needs = func(v variant) string {
			if len(v.planned.Planner.C(v.unit())) == 0 {
				return "no package of the program has C code for this platform, so that cgo changes nothing"
			}
			return ""
		}
	}
	steps := []savingStep{other, {name: "plain", change: plain}}
	step := func(name string, has bool, absent string, change func(*profiles.Settings)) {
		x := savingStep{name: name, absent: absent}
		if has {
			x.absent, x.change = "", add(change)
		}
		steps = append(steps, x)
	}
	step("-trimpath", want.Trimpath, "the profile does not trim paths", func(s *profiles.Settings) { s.Trimpath = true })
	step("-w (no DWARF)", true, "", func(s *profiles.Settings) { s.Strip = profiles.StripDebug })
	step("-s (no symbols)", true, "", func(s *profiles.Settings) { s.Strip = profiles.StripAll })
	if len(want.Tags) == 0 {
		step("tags", false, "the profile has no tags", nil)
	}
	for i, tag := range want.Tags {
		step("tag "+tag, true, "", func(s *profiles.Settings) { s.Tags = want.Tags[:i+1] })
	}
	step("gcflags "+strings.Join(want.GCFlags, " "), len(want.GCFlags) > 0, "the profile has no flags of the compiler", func(s *profiles.Settings) { s.GCFlags = want.GCFlags })
	step("PGO", want.PGO != "off", "the profile says pgo: off", func(s *profiles.Settings) { s.PGO = want.PGO })
	steps[len(steps)-1].needs = func(v variant) string {
		if len(v.unit().PGO) == 0 {
			return "the profile has no PGO profile, and there is no default.pgo"
		}
		return ""
	}
	step("UPX "+strings.Join(want.UPX, " "), want.UPX != nil, "the profile does not pack", func(s *profiles.Settings) { s.UPX = want.UPX })
	for i := range steps {
		steps[i].name = strings.TrimSpace(steps[i].name)
	}
	return steps
}

// chooseOne finds the one profile and platform that was asked for.
func chooseOne(s *fetch.Subject) (profiles.Selected, error) {
	var all []profiles.Selected
	var names []string
	for _, sel := range s.Selected {
		for _, pl := range sel.Platforms {
			all = append(all, profiles.Selected{Profile: sel.Profile, Platforms: []profiles.Platform{pl}})
			names = append(names, sel.Profile.Name+" "+pl.String())
		}
	}
	if len(all) != 1 {
		return profiles.Selected{}, fault.Usagef("choose one with -profile and -platform", "a waterfall is of one platform of one profile, not of %d: %s", len(all), strings.Join(names, ", "))
	}
	return all[0], nil
}
