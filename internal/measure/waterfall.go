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
	var list []variant
	var at []int // of the step that each is
	for _, step := range savingSteps(sel.Profile.Settings(pl)) {
		saving := report.Saving{Name: step.name, NotMeasured: step.absent}
		if step.absent == "" {
			v, err := planVariant(ctx, s, step.name, step.change)
			if err != nil {
				return nil, err
			}
			if step.pgo && len(v.unit().PGO) == 0 {
				saving.NotMeasured = "the profile has no PGO profile, and there is no default.pgo"
			} else {
				list, at = append(list, v), append(at, len(out.Steps))
			}
		}
		out.Steps = append(out.Steps, saving)
	}
	built, err := buildVariants(ctx, s, list)
	if err != nil {
		return nil, err
	}
	for i, a := range built {
		out.Project = a.planned.Plan.Project
		x := &out.Steps[at[i]]
		fi, err := os.Stat(a.path)
		if err != nil {
			return nil, err
		}
		x.Size = fi.Size()
		if x.Gzip, err = archivedSize(ctx, a.path, archive.TarGz); err != nil {
			return nil, err
		}
		if x.Zstd, err = archivedSize(ctx, a.path, archive.TarZst); err != nil {
			return nil, err
		}
	}
	if set := sel.Profile.Settings(pl); set.Strip != profiles.StripAll {
		out.Notes = append(out.Notes, unstripped(set.Strip))
	}
	out.Notes = append(out.Notes, "each variant was built once: nothing was compared with a second build, and nothing is published")
	return out, nil
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
	pgo    bool   // only known after planning whether there is a profile
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
			s.Trimpath, s.Strip, s.Tags, s.PGO, s.UPX = false, "", nil, "off", nil
			for _, c := range all {
				c(s)
			}
		}
	}
	steps := []savingStep{{name: "plain", change: add(nil)}}
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
	step("tags "+strings.Join(want.Tags, ","), len(want.Tags) > 0, "the profile has no tags", func(s *profiles.Settings) { s.Tags = want.Tags })
	step("PGO", want.PGO != "off", "the profile says pgo: off", func(s *profiles.Settings) { s.PGO = want.PGO })
	steps[len(steps)-1].pgo = true
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
