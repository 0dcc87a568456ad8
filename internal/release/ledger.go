package release

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/ledger"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/run"
)

// keepUnused is how long the ledger keeps outputs that no release uses.
const keepUnused = 90 * 24 * time.Hour

// ledgerDir holds the proof ledgers of all toolchains.
func ledgerDir(cache string) string { return filepath.Join(cache, "ledger") }

// linked is what first builds of the module have linked. Like the build cache it
// is told apart by the toolchain's content.
func linked(c *fetch.Copied) *execute.Linked {
	if len(c.Secret) == 0 {
		return nil // nothing could be checked
	}
	return &execute.Linked{Dir: linkedDir(c.Cache), Known: c.Known, Scope: c.GoToolchain.Sum + " " + c.Source.ModulePath}
}

func linkedDir(cache string) string { return filepath.Join(cache, "first", "linked") }

// openLedger opens the ledger of the toolchain. A ledger that cannot
// be read costs time, and a warning says so.
func openLedger(c *fetch.Copied) *ledger.Ledger {
	l, err := ledger.Open(ledgerConfig(c.Run, c.GoToolchain.DirName(), c.GoToolchain.Sum))
	if err != nil {
		c.Warn("nothing is taken from the proof ledger: %v", err)
		return nil
	}
	return l
}

func ledgerConfig(r *run.Run, name, sum string) ledger.Config {
	dir, secret := ledgerDir(r.Cache), r.Secret
	if len(secret) == 0 {
		// A ledger for this run alone: what is executed is recorded all the same.
		dir, secret = ledgerDir(r.Workspace.Dir), []byte("of this run and of no other: "+r.Workspace.Dir)
	}
	return ledger.Config{
		Dir: dir, Toolchain: name, Sum: sum, Secret: secret,
		Run: r.Now.UTC().Format("2006-01-02T15:04:05Z") + " " + r.Workspace.Name(), Now: r.Now,
	}
}

// ReleaseLedger is the proof ledger as one release uses it: what one of its places
// is given of what another has, and what is added. nil: there is no ledger.
type ReleaseLedger struct {
	ledger   *ledger.Ledger
	recorder *ledger.Recorder
	// from and to are the executors that it is about, by their index: what is proven
	// of what from has compiled is given to to. All others compile everything.
	from, to int
	seeding  bool
	// made is what [openMade] gives. What is in none of them is made anew each time.
	made map[fact.Stage]*ledger.Ledger
	// rebuilders are those whose ledgers are used, sorted.
	rebuilders []fact.SignerID
	units      func(*plan.Unit) ledger.Unit
	warn       func(format string, args ...any)
}

// useLedger begins the record of a release. It returns nil when there is no
// ledger, or nothing here that it could be of use to: it is about two places whose
// build caches are on this machine.
func (p *Prepared) useLedger(open *ledger.Ledger) *ReleaseLedger {
	var at []int
	var caches []string
	for i, e := range p.Executors {
		if c, ok := e.Executor.(execute.Cached); ok {
			at, caches = append(at, i), append(caches, c.BuildCache())
		}
	}
	if open == nil || len(at) < 2 {
		return nil
	}
	return &ReleaseLedger{
		ledger: open, from: at[0], to: at[1], seeding: !p.Of.Full, recorder: open.NewRecorder(caches[0], caches[1]),
		units: func(u *plan.Unit) ledger.Unit { return ledgerUnit(p.Of, u) }, warn: p.Of.Warn, made: openMade(p.Of.Run),
	}
}

// openMade opens the ledgers of the files that are made by a recipe, one for each stage.
// They are of no toolchain: what makes such a file is in its recipe.
func openMade(r *run.Run) map[fact.Stage]*ledger.Ledger {
	list := map[fact.Stage]*ledger.Ledger{}
	for _, stage := range []fact.Stage{fact.Archived, fact.PackageStage} {
		l, err := ledger.Open(ledgerConfig(r, string(stage)+"s", string(stage)+"s"))
		if err != nil {
			r.Warn("no %s is taken from the proof ledger: %v", stage, err)
			continue
		}
		list[stage] = l
	}
	return list
}

// ledgerUnit is what the ledger has to know of a unit.
func ledgerUnit(p *fetch.Planned, u *plan.Unit) ledger.Unit {
	all := !u.Provable()
	c := p.Planner.C(u)
	return ledger.Unit{
		ID: u.ID(), Platform: u.Platform,
		Unprovable: func(pkg string) bool { return all || c[pkg] },
	}
}

// copyMade copies the file of that recipe from the ledger, and says how often it was
// made; 0 if it is not there, or not proven.
func (l *ReleaseLedger) copyMade(ctx context.Context, k *making, to string) (info archive.Info, executions int) {
	if l == nil || l.made[k.stage] == nil || !l.seeding {
		return info, 0
	}
	file, proof, ok := l.made[k.stage].Lookup(ctx, k.of[0].recipe)
	if !ok {
		return info, 0
	}
	sum, size, err := files.Copy(ctx, file, to, 0o644)
	if err != nil || sum != proof.Output.String() {
		os.Remove(to)
		return info, 0
	}
	return archive.Info{Size: size, SHA256: sum}, proof.Executions
}

// addMade adds a file that was just made once of each list of its ingredients, with one
// digest. What cannot be added costs the next release time.
func (l *ReleaseLedger) addMade(ctx context.Context, k *making, file string, info archive.Info) {
	if l == nil || l.made[k.stage] == nil {
		return
	}
	output, err := actions.ParseID(info.SHA256)
	if err == nil {
		err = l.made[k.stage].Add(ctx, k.name, k.platform, k.of[0].recipe, output, info.Size, file)
	}
	if err != nil && ctx.Err() == nil {
		l.warn("%s: the next release will make it again: %v", k.name, err)
	}
}

// waits reports whether one build of a unit has something to gain from waiting for
// another: then the ledger may spare it most of its work.
func (l *ReleaseLedger) waits(u *plan.Unit) bool {
	return l != nil && l.seeding && u.Provable() && l.ledger.HasProofs(u.Platform)
}

// seeds reports whether the builds of that executor may be spared anything.
func (l *ReleaseLedger) seeds(executor int) bool { return l != nil && executor == l.to }

// seed gives the place to what is proven of the unit, after it was built in the
// place from.
func (l *ReleaseLedger) seed(ctx context.Context, u *plan.Unit, made []*execute.Outcome) error {
	return l.recorder.Seed(ctx, l.units(u), made[l.from].Actions)
}

// enter enters the executions of a unit into the ledger.
func (l *ReleaseLedger) enter(ctx context.Context, u *plan.Unit, made []*execute.Outcome) error {
	if l == nil {
		return nil
	}
	err := l.recorder.Record(ctx, l.units(u), made[l.from].Actions, made[l.to].Actions)
	if _, accounted := l.recorder.Counts(u.ID()); err != nil && ctx.Err() == nil && (accounted || !l.waits(u)) {
		l.warn("%s: the next release will compile more than it had to: %v", u.ID(), err)
		return nil
	}
	return err // what was taken from the ledger must be accounted for
}

// UnitActions is the ledger's account of every unit, for the manifest.
func (l *ReleaseLedger) UnitActions(made []*UnitResult) []checksums.UnitActions {
	if l == nil {
		return nil
	}
	var out []checksums.UnitActions
	for _, r := range made {
		u := r.unit
		t, ok := l.recorder.Counts(u.ID())
		if !ok {
			continue
		}
		ua := checksums.UnitActions{
			Profile: u.Profile, Platform: u.Platform, Links: t.Links, LinksAgain: t.LinksAgain,
			Executed: t.Executed, Again: t.Again, Foreign: t.Foreign, Unprovable: t.Unprovable,
			ArchiveProven: r.archivesBefore, PackageProven: r.packagesBefore,
		}
		for _, n := range slices.Sorted(maps.Keys(t.Proven)) {
			ua.Proven = append(ua.Proven, checksums.ProvenActions{Executions: n, Actions: t.Proven[n]})
		}
		out = append(out, ua)
	}
	slices.SortFunc(out, func(a, b checksums.UnitActions) int {
		return strings.Compare(a.Profile+"\x00"+a.Platform, b.Profile+"\x00"+b.Platform)
	})
	return out
}

// Alarms is the error of actions that gave another output than they once did, even
// if the builds of today agree. Where the profile says verify: report it is a
// warning.
func (l *ReleaseLedger) Alarms(units []*plan.Unit) error {
	if l == nil {
		return nil
	}
	report := map[string]bool{}
	for _, u := range units {
		report[u.ID()] = u.Verify == fact.ReportVerdicts
	}
	var stop []string
	for _, a := range l.recorder.Disputes() {
		if report[a.Unit] {
			l.warn("not deterministic: %v", a)
		} else {
			stop = append(stop, a.Error())
		}
	}
	if len(stop) == 0 {
		return nil
	}
	return fault.NotReproduciblef("what was proven of these packages and of all that depend on them does not count any more; look for what the compile reads besides its sources, or for a defect of this machine or that compiler. `mintmark ledger` lists them; `mintmark ledger -forget` begins anew", "not deterministic: the same inputs gave different outputs\n%s", strings.Join(stop, "\n"))
}

// tidyLedgers forgets from time to time what no release has used for long, be it
// proven or linked.
func tidyLedgers(ctx context.Context, r *run.Run) {
	if r.Now.IsZero() || len(r.Secret) == 0 {
		return
	}
	const every = 7 * 24 * time.Hour
	mark := filepath.Join(ledgerDir(r.Cache), "tidied")
	if fi, err := os.Lstat(mark); err == nil && r.Now.Sub(fi.ModTime()) < every {
		return
	}
	if err := files.Write(mark, nil, 0o644); err != nil {
		return // there is no ledger yet
	}
	before := r.Now.Add(-keepUnused)
	list, err := ledger.OpenAll(ledgerConfig(r, "", ""))
	for _, l := range list {
		_, _, perr := l.Prune(ctx, before)
		err = errors.Join(err, perr)
	}
	err = errors.Join(err, (&execute.Linked{Dir: linkedDir(r.Cache)}).Prune(before))
	if err != nil && ctx.Err() == nil {
		r.Warn("the proof ledger was not tidied: %v", err)
	}
}
