package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
)

// Finished is a plan whose units were all built, compared and made.
type Finished struct {
	*Prepared
	Made []*UnitResult // in the order of the plan
	// Universal is what was made of several units, in the order of the plan.
	Universal []*UnitResult
	Ledger    *ReleaseLedger
	CPU       time.Duration // of all go commands
}

// described is a finished plan and its manifest: all that is known of a release
// before it is published.
type described struct {
	*Finished
	manifest *checksums.Manifest
}

// Finish builds, compares and makes all units. by is what was published, if it was.
func (m *Maker) Finish(ctx context.Context, by Published) (*Finished, error) {
	units := m.Of.Plan.Units
	f := &Finished{Prepared: m.Prepared, Ledger: m.Ledger, Made: make([]*UnitResult, len(units))}
	err := m.build(ctx, units, m.Ledger, func(ctx context.Context, o *outcomes) (string, error) {
		if len(o.all) > 1 {
			o.doing("comparing")
		}
		c, err := m.compare(ctx, o, by)
		if err == nil {
			err = m.Ledger.enter(ctx, o.unit, o.all)
		}
		if err != nil {
			return "", err
		}
		r, err := m.make(ctx, c)
		f.Made[slices.Index(units, o.unit)] = r // each once
		return string(c.verdict()), err
	})
	if err != nil {
		return nil, err
	}
	apart(f.Made, by != nil)
	if f.Universal, err = m.universal(ctx, f.Made); err != nil {
		return nil, err
	}
	for _, r := range f.Made {
		f.CPU += r.cpu
	}
	return f, nil
}

// Artifacts are those of all units, and of what was made of several.
func (f *Finished) Artifacts() (list []checksums.Artifact) {
	for _, r := range slices.Concat(f.Made, f.Universal) {
		list = append(list, r.Artifacts...)
	}
	return list
}

// Linked is the file with that digest that the first execution linked, or that was made
// of such files; "" for none.
func (f *Finished) Linked(digest string) string {
	for _, r := range slices.Concat(f.Made, f.Universal) {
		if name := r.linked[digest]; name != "" {
			return name
		}
	}
	return ""
}

// describe makes the manifest of a release, snapshot or build.
func (f *Finished) describe(ctx context.Context, kind checksums.Kind) (*described, error) {
	p := f.Of
	data, err := p.Plan.Encode()
	if err != nil {
		return nil, err
	}
	stamp, err := stamped(f.Made)
	if err != nil {
		return nil, err
	}
	var stampTags []string
	if stamp != "" {
		if stampTags, err = p.Repo.StampTags(ctx, stamp); err != nil {
			return nil, err
		}
		stampTags = slices.DeleteFunc(stampTags, func(t string) bool { return !checksums.Recordable(t) }) // of no release: see package lint
	}
	m := &checksums.Manifest{
		Schema: fact.ManifestSchema, Kind: kind, Project: p.Plan.Project, Version: p.Version,
		From: p.Plan.From, Tag: p.Plan.Tag,
		Source: checksums.Source{
			Kind: p.Source.Kind, Module: p.Source.ModulePath, Version: p.Source.Version, Sum: p.Source.Sum, SumDB: p.Source.SumDB,
			Commit: p.Source.Commit, Tree: p.Source.Tree, CommitTime: p.Source.ID().CommitTime, Tags: p.Source.Tags, Dir: p.Source.Dir,
			Stamp: stamp, StampTags: stampTags, Dirty: p.Source.Dirty,
		},
		Toolchain: p.GoToolchain.Toolchain,
		Builder:   checksums.Builder{Name: "mintmark", Version: p.Tool},
		PlanID:    p.PlanID, Plan: data,
		Rebuild:   Executions(f.Made, p.Confinement()),
		Generated: generated(p.Copied),
		Artifacts: f.Artifacts(),
	}
	if f.Ledger != nil {
		m.Rebuild.Actions, m.Rebuild.Rebuilders = f.Ledger.UnitActions(f.Made), f.Ledger.rebuilders
	}
	sort.SliceStable(m.Artifacts, func(i, j int) bool {
		a, b := m.Artifacts[i], m.Artifacts[j]
		ka := strings.Join([]string{a.Profile, a.Platform, string(a.Stage), a.Name}, "\x00")
		kb := strings.Join([]string{b.Profile, b.Platform, string(b.Stage), b.Name}, "\x00")
		return ka < kb
	})
	return &described{f, m}, nil
}

// Executions says how often every unit was built, how far the builds of each were
// apart, and what was different and what the same when it was: what the executions
// that there were have in common.
func Executions(made []*UnitResult, held *fact.Confinement) checksums.Rebuild {
	r := checksums.Rebuild{Confinement: held}
	var all [][]fact.Circumstances
	for i, one := range made {
		n := len(one.circumstances)
		if i == 0 || n < r.Executions {
			r.Executions = n
		}
		all = append(all, one.circumstances)
	}
	if r.Executions > 1 { // else there is a unit of which nothing can be said
		c := fact.Compare(all)
		r.Varied, r.Attempted, r.Shared = c.Varied, c.Attempted, c.Shared
		r.Independence = independences(made)
	}
	return r
}

// damage are the lines about what was mended, sorted.
func (f *Finished) damage() []string {
	list := slices.Clone(f.Of.Mended)
	for _, r := range f.Made {
		list = append(list, r.mended...)
	}
	slices.Sort(list)
	return list
}

// kept are the directories with both files of every difference, sorted.
func (f *Finished) kept() (dirs []string) {
	for _, r := range f.Made {
		if r.kept != "" {
			dirs = append(dirs, r.kept)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// gate stops what must not be published: what differs or was not checked,
// unless the profile says verify: report, and what is over a budget. Nothing has
// been signed yet.
func (f *described) gate(over []error) error {
	report := map[string]bool{}
	for _, u := range f.Of.Plan.Units {
		if u.Verify == fact.ReportVerdicts {
			report[u.ID()] = true
		}
	}
	for _, x := range f.Of.Plan.Universal {
		report[x.ID()] = slices.ContainsFunc(x.Of(f.Of.Plan), func(u *plan.Unit) bool { return report[u.ID()] })
	}
	var differ, unchecked []string
	var enforced []checksums.Artifact
	for _, a := range f.manifest.Artifacts {
		if report[a.Unit()] {
			continue
		}
		enforced = append(enforced, a)
		switch {
		case f.manifest.Kind == checksums.KindBuild:
		case a.Verdict == fact.Different:
			differ = append(differ, artifactLine(a))
		case a.Verdict != fact.Identical:
			unchecked = append(unchecked, artifactLine(a)+": "+a.Reason)
		}
	}
	errs := append(over, f.Ledger.Alarms(f.Of.Plan.Units))
	if len(differ) > 0 {
		errs = append(errs, f.notReproducible(differ))
	}
	if failed, _ := Unproven(enforced); len(failed) > 0 {
		errs = append(errs, fault.NotReproduciblef("set upx: off for this platform in an override, or pin another version of UPX; verify: report publishes them, and the manifest says that they fail", "packed files that do not run, so not published:\n%s", strings.Join(failed, "\n")))
	}
	if len(unchecked) > 0 {
		errs = append(errs, fault.NotReproduciblef("verify: report in the profile publishes them, and the manifest says that they are unchecked", "not checked, so not published:\n%s", strings.Join(unchecked, "\n")))
	}
	return errors.Join(append(errs, f.notOnTwoMachines())...)
}

// artifactLine names an artifact in an error.
func artifactLine(a checksums.Artifact) string {
	return fmt.Sprintf("%s %s: %s (%s)", a.Profile, a.Platform, a.Name, a.Stage)
}

// differences is the error of everything that differs, whatever the profile says.
func (f *described) differences() error {
	var differ []string
	for _, a := range f.manifest.Artifacts {
		if a.Verdict == fact.Different {
			differ = append(differ, artifactLine(a))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return f.notReproducible(differ)
}

func (f *Finished) notReproducible(differ []string) error {
	hint := "the findings say what differs and what to change"
	if kept := f.kept(); len(kept) > 0 {
		hint += "; the files that differ are kept in " + strings.Join(kept, " and ")
	}
	return fault.NotReproduciblef(hint, "not reproducible: %s of the same plan differ\n%s", fact.Builds(len(f.Executors)), strings.Join(differ, "\n"))
}
