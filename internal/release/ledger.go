package release

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/ledger"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/files"
)

// keepUnused is how long the ledger keeps outputs that no release uses.
const keepUnused = 90 * 24 * time.Hour

// ledgerDir holds the proof ledgers of all toolchains.
func ledgerDir(cache string) string { return filepath.Join(cache, "ledger") }

// useCaches gives the first place the build cache of its toolchain: cmd/go
// itself tells toolchains apart by version only, not by content. With -full it
// gets an empty one.
func (s *session) useCaches() error {
	if s.Full {
		s.place.GoCache = filepath.Join(s.ws.dir, "first", "objects")
		return cacheErrorOrNil(os.MkdirAll(s.place.GoCache, 0o755))
	}
	dir, err := files.MakeDir(s.Cache, "first", "gocache", s.tc.DirName())
	if err != nil {
		return cacheError(err)
	}
	s.place.GoCache = dir
	return checkBuildCache(dir)
}

// keptLinks are the binaries that first builds of the module have linked. Like
// the build cache they are told apart by the toolchain's content.
func (s *session) keptLinks() *execute.Linked {
	if len(s.Secret) == 0 {
		return nil // nothing could be checked
	}
	return &execute.Linked{Dir: linkedDir(s.Cache), Known: s.known, Scope: s.tc.Sum + " " + s.source.ModulePath}
}

func linkedDir(cache string) string { return filepath.Join(cache, "first", "linked") }

func cacheErrorOrNil(err error) error {
	if err == nil {
		return nil
	}
	return cacheError(err)
}

// openLedger opens the ledger of the session's toolchain. A ledger that cannot
// be read costs time, and a warning says so.
func (s *session) openLedger() *ledger.Ledger {
	l, err := ledger.Open(s.ledgerConfig(s.tc.DirName(), s.tc.Sum))
	if err != nil {
		s.warn("nothing is taken from the proof ledger: %v", err)
		return nil
	}
	return l
}

func (s *session) ledgerConfig(name, sum string) ledger.Config {
	dir, secret := ledgerDir(s.Cache), s.Secret
	if len(secret) == 0 {
		// A ledger for this run alone: the books are kept all the same.
		dir, secret = ledgerDir(s.ws.dir), []byte("of this run and of no other: "+s.ws.dir)
	}
	return ledger.Config{
		Dir: dir, Toolchain: name, Sum: sum, Secret: secret,
		Run: s.Now.UTC().Format("2006-01-02T15:04:05Z") + " " + s.ws.name(), Now: s.Now,
	}
}

// bookkeeping connects a pipeline with the ledger.
type bookkeeping struct {
	ledger  *ledger.Ledger
	account *ledger.Recorder
	seeding bool
	// archives remembers archives by recipe. nil: each is made twice.
	archives *ledger.Ledger

	mu       sync.Mutex
	recalled map[string]int // unit ID → executions known of its archive
	// rebuilders are the key IDs of those whose ledgers are used, sorted.
	rebuilders []string
}

// keepBooks begins the account of the release. It returns nil when there is no ledger.
func (s *session) keepBooks(l *ledger.Ledger, st *sites) *bookkeeping {
	if l == nil || st.second == nil {
		return nil
	}
	b := &bookkeeping{
		ledger: l, seeding: !s.Full, recalled: map[string]int{},
		account: l.NewRecorder(st.first.Place.GoCache, st.second.Place.GoCache),
	}
	// What is asked of a compiler's hash for compiles is the compressor's
	// version for archives: it is part of mintmark, and in the recipe as well.
	if l, err := ledger.Open(s.ledgerConfig("archives", "archives")); err == nil {
		b.archives = l
	}
	return b
}

// recallArchive copies the archive of that recipe from the ledger to name,
// fills in its digest, and reports whether there was one.
func (b *bookkeeping) recallArchive(ctx context.Context, u *plan.Unit, recipe actions.ID, name string, a *checksums.Artifact) bool {
	if b == nil || b.archives == nil || !b.seeding {
		return false
	}
	file, proof, ok := b.archives.Lookup(ctx, recipe)
	if !ok {
		return false
	}
	sum, size, err := files.Copy(ctx, file, name, 0o644)
	if err != nil || sum != proof.Output.String() {
		os.Remove(name)
		return false
	}
	a.Size, a.SHA256 = size, sum
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recalled[u.ID()] = proof.Executions
	return true
}

// rememberArchive adds an archive that was just made twice.
func (b *bookkeeping) rememberArchive(ctx context.Context, u *plan.Unit, recipe actions.ID, name string, a *checksums.Artifact) error {
	if b == nil || b.archives == nil {
		return nil
	}
	output, err := actions.ParseID(a.SHA256)
	if err != nil {
		return err
	}
	return b.archives.Add(ctx, a.Name, u.Platform, recipe, output, a.Size, name)
}

// waits reports whether the second build of a unit has something to gain from
// waiting for the first: then the ledger may spare it most of its work.
func (b *bookkeeping) waits(u *plan.Unit) bool {
	return b != nil && b.seeding && u.Provable() && b.ledger.HasProofs(u.Platform)
}

// seed gives the second place what is proven of the unit, after its first build.
func (p *pipeline) seed(ctx context.Context, u *plan.Unit) error {
	g, err := actions.Load(p.sites.first.Graph(u))
	if err != nil {
		p.warn("%s: everything is compiled again: %v", u.ID(), err)
		return nil
	}
	return p.books.account.Seed(ctx, p.accountUnit(u), g)
}

// settle enters both builds of a unit into the ledger.
func (p *pipeline) settle(ctx context.Context, u *plan.Unit) error {
	if p.books == nil {
		return nil
	}
	a, errA := actions.Load(p.sites.first.Graph(u))
	b, errB := actions.Load(p.sites.second.Graph(u))
	err := errors.Join(errA, errB)
	if err == nil {
		err = p.books.account.Record(ctx, p.accountUnit(u), a, b)
	}
	if _, accounted := p.books.account.Counts(u.ID()); err != nil && ctx.Err() == nil && (accounted || !p.books.waits(u)) {
		p.warn("%s: the next release will compile more than it had to: %v", u.ID(), err)
		return nil
	}
	return err // what was taken from the ledger must be accounted for
}

func (p *pipeline) accountUnit(u *plan.Unit) ledger.Unit {
	all := !u.Provable()
	c := p.planner.C(u)
	return ledger.Unit{
		ID: u.ID(), Platform: u.Platform,
		Unprovable: func(pkg string) bool { return all || c[pkg] },
	}
}

// unitActions is the ledger's account of every unit, for the manifest.
func (p *pipeline) unitActions() []checksums.UnitActions {
	if p.books == nil {
		return nil
	}
	var out []checksums.UnitActions
	for _, u := range p.plan.Units {
		t, ok := p.books.account.Counts(u.ID())
		if !ok {
			continue
		}
		ua := checksums.UnitActions{
			Profile: u.Profile, Platform: u.Platform, Links: t.Links, LinksAgain: t.LinksAgain,
			Executed: t.Executed, Again: t.Again, Foreign: t.Foreign, Unprovable: t.Unprovable,
		}
		ua.ArchiveProven = p.books.recalled[u.ID()]
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

// alarms stops a release when an action gave another output than it once did,
// even if the two builds of today agree. Where the profile says verify: report
// it is a warning.
func (p *pipeline) alarms() error {
	if p.books == nil {
		return nil
	}
	report := map[string]bool{}
	for _, u := range p.plan.Units {
		report[u.ID()] = u.Verify == "report"
	}
	var stop []string
	for _, a := range p.books.account.Disputes() {
		if report[a.Unit] {
			p.warn("not deterministic: %v", a)
		} else {
			stop = append(stop, a.Error())
		}
	}
	if len(stop) == 0 {
		return nil
	}
	return &codeError{fmt.Errorf("not deterministic: the same inputs gave different outputs\n%s", strings.Join(stop, "\n")), ExitNotReproducible,
		"what was proven of these packages and of all that depend on them does not count any more; look for what the compile reads besides its sources, or for a defect of this machine or that compiler. `mintmark ledger` lists them; `mintmark ledger -forget` begins anew"}
}

// tidyLedgers forgets from time to time what no release has used for long, be it
// proven or linked.
func (s *session) tidyLedgers(ctx context.Context) {
	if s.Now.IsZero() || len(s.Secret) == 0 {
		return
	}
	const every = 7 * 24 * time.Hour
	mark := filepath.Join(ledgerDir(s.Cache), "tidied")
	if fi, err := os.Lstat(mark); err == nil && s.Now.Sub(fi.ModTime()) < every {
		return
	}
	if err := files.Write(mark, nil, 0o644); err != nil {
		return // there is no ledger yet
	}
	before := s.Now.Add(-keepUnused)
	list, err := ledger.OpenAll(s.ledgerConfig("", ""))
	for _, l := range list {
		_, _, perr := l.Prune(ctx, before)
		err = errors.Join(err, perr)
	}
	err = errors.Join(err, (&execute.Linked{Dir: linkedDir(s.Cache)}).Prune(before))
	if err != nil && ctx.Err() == nil {
		s.warn("the proof ledger was not tidied: %v", err)
	}
}
