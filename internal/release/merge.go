package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/execute/parcel"
	"github.com/mintmark/mintmark/builds/execute/worker"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/lint"
	"github.com/mintmark/mintmark/internal/run"
)

// Merge makes a release of parts that [Part] has made of the same commit: of each unit
// one execution in each of the two places. What it does with them is what [Release]
// does with what it has built. Everything wrong with any of the parts is reported, and
// nothing is made then.
//
// A directory stands for the tars in it.
func Merge(ctx context.Context, cfg run.Config, names []string) (*Result, error) {
	parts, err := partFiles(names)
	if err != nil {
		return nil, err
	}
	cfg.Parts = slices.Clone(parts)
	return produce(ctx, cfg, cfg.ReleaseKind(), origin{
		doing:  "comparing",
		builds: func(*plan.Plan) []*plan.Unit { return nil },
		prepare: func(ctx context.Context, l *lint.Linted, _ checksums.Kind) (*Prepared, error) {
			m := &merging{Linted: l, toolchains: map[string]fact.Toolchain{thisSystem: l.GoToolchain.Toolchain}}
			arrived, err := m.read(ctx, parts)
			if err != nil {
				return nil, err
			}
			// What goes into archives beside programs is taken from two copies of the
			// source, as in every release.
			p, err := Prepare(ctx, l.Planned, Places{Second: true})
			if err != nil {
				return nil, err
			}
			p.arrived = true
			for i, a := range arrived {
				p.Executors[i].Executor = a
			}
			return p, nil
		},
	})
}

// partFiles are the files that names stand for.
func partFiles(names []string) (list []string, err error) {
	var errs []error
	for _, name := range names {
		if files.IsDir(name) != nil {
			list = append(list, name)
			continue
		}
		entries, err := os.ReadDir(name)
		before := len(list)
		for _, e := range entries {
			if filepath.Ext(e.Name()) == ".tar" {
				list = append(list, filepath.Join(name, e.Name()))
			}
		}
		if err == nil && len(list) == before {
			err = fault.Usagef("name the files that mintmark release -shard has written, or a directory with them", "%s: there is no .tar in it", name)
		}
		errs = append(errs, err)
	}
	return list, errors.Join(errs...)
}

// arrived is an executor of builds that were done elsewhere, and lie here.
type arrived struct {
	build   string
	entries map[*plan.Unit]*found
}

func (a *arrived) Name() string { return a.build }

// Build gives the outcome that has arrived.
func (a *arrived) Build(_ context.Context, u *plan.Unit, _ execute.Pace) (*execute.Outcome, error) {
	return a.entries[u].Outcome(a.build)
}

// found is an outcome and the file that it came in.
type found struct {
	*parcel.Entry
	file string
}

// merging reads the parts of a plan.
type merging struct {
	*lint.Linted
	toolchains map[string]fact.Toolchain // by the system that they run on
	places     []*arrived
	nonces     map[string]*found
	// refused are builds that are in parts which were refused: that they are missing is
	// not said as well.
	refused map[expected]bool
	errs    []error
}

// expected is one build of one unit.
type expected struct {
	unit  *plan.Unit
	build string
}

// read reads all parts: in the order of the places, what has arrived for each.
func (m *merging) read(ctx context.Context, names []string) ([]*arrived, error) {
	m.Phase("reading " + fact.Count(len(names), "part"))
	m.nonces, m.refused = map[string]*found{}, map[expected]bool{}
	for _, place := range []string{PlaceA, PlaceB} {
		m.places = append(m.places, &arrived{buildIn(place), map[*plan.Unit]*found{}})
	}
	shards := 0
	for i, name := range names {
		shown := m.Shorten(name)
		h, err := m.part(ctx, name, shown, filepath.Join(m.Workspace.Dir, "parts", strconv.Itoa(i)))
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if h != nil && h.Plan == m.PlanID {
			shards = max(shards, h.Shards)
		}
		for _, e := range fault.Leaves(err) {
			m.errs = append(m.errs, &fault.Error{Err: fmt.Errorf("%s%s: %w", shown, aboutPart(h), e), Tip: fault.Hint(e), Code: fault.ExitCode(e)})
		}
	}
	for _, a := range m.places {
		m.complete(a, shards)
	}
	return m.places, errors.Join(m.errs...)
}

// aboutPart says which part a file is, behind its name; "" where that is not known.
func aboutPart(h *parcel.Header) string {
	if h == nil {
		return ""
	}
	return fmt.Sprintf(" (shard %s, place %s)", h.Of(), placeOf(h.Build))
}

// Hints about parts.
const (
	sameCommit = "build all parts, and merge them, in checkouts of one commit, with the same profile file and flags"
	buildAgain = "build that part again, or fetch it again from where it was kept"
)

// part reads one part into dir. Its header is returned as well where it can be read.
func (m *merging) part(ctx context.Context, name, shown, dir string) (*parcel.Header, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := parcel.OpenPart(files.Reader(ctx, f), m.Tool)
	if errors.Is(err, parcel.ErrNoPart) {
		return nil, fault.Usagef("mintmark release -shard=1/5 -place=a -out=FILE makes one", "%w", err)
	}
	if other, ok := errors.AsType[*parcel.OtherVersionError](err); ok {
		return nil, fault.Usagef(other.Hint(), "%w", other)
	}
	if err != nil {
		return nil, fault.Refusedf(buildAgain, "%w", err)
	}
	if err := m.header(ctx, &p.Header); err != nil {
		return &p.Header, err
	}
	entries, err := p.Read(ctx, m.Plan, dir)
	if err != nil {
		var errs []error
		for _, e := range fault.Leaves(err) {
			errs = append(errs, fault.Refusedf(buildAgain, "%w", e))
		}
		return &p.Header, errors.Join(errs...)
	}
	for _, u := range p.Of().Units(m.Plan) {
		delete(m.refused, expected{u, p.Build})
	}
	var errs []error
	for _, e := range entries {
		errs = append(errs, m.take(&found{e, shown}))
	}
	return &p.Header, errors.Join(errs...)
}

// header checks that a part is one of this plan. What it is to have counts as refused
// until it is read.
func (m *merging) header(ctx context.Context, h *parcel.Header) error {
	if h.Build != worker.First && h.Build != worker.Second {
		return fault.Refusedf(buildAgain, "it has %.40q builds, and a part has those of place %s or %s", h.Build, PlaceA, PlaceB)
	}
	switch own := m.Plan.Source; {
	case h.Source != own:
		return fault.Usagef(sameCommit, "built from %s, and this is %s", sourceName(h.Source), sourceName(own))
	case h.Plan != m.PlanID:
		return fault.Usagef(sameCommit, "built by plan %.12s, and this is plan %.12s of the same source", h.Plan, m.PlanID)
	case h.Generated != m.GeneratedDigest():
		return fault.NotReproduciblef("mintmark release without -shard runs the commands in two places and says which files differ", "the files that its commands generated before it was built are not those that they make here")
	}
	for _, u := range h.Of().Units(m.Plan) {
		m.refused[expected{u, h.Build}] = true
	}
	want, err := m.toolchain(ctx, h.Toolchain.Host)
	if err != nil {
		return err
	}
	if h.Toolchain.Version != want.Version || h.Toolchain.Module != want.Module || h.Toolchain.Sum != want.Sum {
		return fault.Refusedf("build that part with a toolchain that the checksum database knows", "built by the toolchain %.100q %.100q for %s; that of the checksum database is %s %s", h.Toolchain.Version, h.Toolchain.Sum, want.Host, want.Version, want.Sum)
	}
	return nil
}

// sourceName names a source in a sentence.
func sourceName(s fact.SourceID) string {
	if s.Commit != "" {
		return fmt.Sprintf("%.200q at commit %.12s, files %.100s", s.Module, s.Commit, s.Sum)
	}
	return fmt.Sprintf("%.200q %.100q, files %.100s", s.Module, s.Version, s.Sum)
}

// toolchain is the release's toolchain for a system, as the checksum database knows it.
func (m *merging) toolchain(ctx context.Context, system string) (fact.Toolchain, error) {
	if t, ok := m.toolchains[system]; ok {
		return t, nil
	}
	goos, goarch, ok := strings.Cut(system, "/")
	if strings.Trim(goos+goarch, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || !ok {
		return fact.Toolchain{}, fault.Refusedf(buildAgain, "built on %.40q, which is no system", system)
	}
	t, err := m.Fetcher.ToolchainFor(ctx, m.GoToolchain.Version, system)
	if err != nil {
		return fact.Toolchain{}, err
	}
	m.toolchains[system] = t.Toolchain
	return t.Toolchain, nil
}

// take takes an outcome, which may be there only once.
func (m *merging) take(f *found) error {
	if m.nonces[f.Nonce] != nil {
		return fault.Usagef("give each part once", "%s: the same execution is in %s", f.Unit(), m.nonces[f.Nonce].file)
	}
	m.nonces[f.Nonce] = f
	i := slices.IndexFunc(m.places, func(a *arrived) bool { return a.build == f.Build })
	have := m.places[i].entries
	if other := have[f.PlanUnit()]; other != nil {
		return fault.Usagef("give one part of each shard and place, all of them with the same number of shards", "%s: another build of it in place %s is in %s", f.Unit(), placeOf(f.Build), other.file)
	}
	have[f.PlanUnit()] = f
	if f.Confinement != nil {
		m.Confined.Add(*f.Confinement)
	}
	return nil
}

// complete notes what is missing of a place. shards is how many shards there are, by
// the parts; 0: not known.
func (m *merging) complete(a *arrived, shards int) {
	in := map[*plan.Unit]int{}
	if shards > 0 {
		for i, units := range m.Plan.Split(shards) {
			for _, u := range units {
				in[u] = i + 1
			}
		}
	}
	for _, u := range m.Plan.Units {
		if a.entries[u] != nil || m.refused[expected{u, a.build}] {
			continue
		}
		place := placeOf(a.build)
		which, hint := "", "build the part with it: mintmark release -shard=NUMBER/ALL -place="+place+" -out=FILE"
		if n := in[u]; n > 0 {
			s := plan.Shard{Number: n, Of: shards}
			which = fmt.Sprintf(" (shard %s)", s)
			hint = fmt.Sprintf("give its part as well, or build it: mintmark release -shard=%s -place=%s -out=FILE", s, place)
		}
		m.errs = append(m.errs, fault.Usagef(hint, "no part has %s in place %s%s", u.ID(), place, which))
	}
}
