package ledger

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/mintmark/mintmark/builds/actions"
)

// Recorder records the builds of one release: what the second place was given of
// the ledger, what ran, and what that adds to the ledger. Its methods may be
// called for several units at the same time.
type Recorder struct {
	ledger        *Ledger
	first, second *actions.Cache

	mu       sync.Mutex
	seeded   map[actions.ID]Proof
	ran      map[actions.ID]bool // executed in the first place by this release
	units    map[string]*record  // by unit ID
	claims   map[actions.ID]Claim
	disputes map[actions.ID]Dispute
}

// Unit is what a recorder has to know of a unit.
type Unit struct {
	ID       string // names the unit
	Platform string
	// Unprovable says of a package that its compile reads what its action ID
	// does not hold, such as C headers: it is never taken from the ledger.
	Unprovable func(pkg string) bool
}

// record is what is known of one unit's builds.
type record struct {
	links      int
	linksAgain int
	proven     []Proof
	unprovable int
	compiled   []compiled // in the second place; by this release, since it began empty
}

// compiled is a compile of the second place.
type compiled struct {
	id  actions.ID // zero: not known
	ran bool       // the unit's own first build executed it as well
}

// Counts says how the packages of a unit came about in the second build.
type Counts struct {
	Links      int         // run in the second place by this release, always
	LinksAgain int         // of these, run in the first place by an earlier one
	Executed   int         // compiled in both places by this release
	Again      int         // compiled in the second place by this release, in the first by an earlier one
	Proven     map[int]int // taken from the ledger: number of executions it knew → actions
	Foreign    int         // of the proven: those that rest on another rebuilder's execution
	Unprovable int         // compiled in both places, since their action IDs do not hold all inputs
}

// Dispute is an action that gave different outputs from the same inputs.
type Dispute struct {
	Unit              string // ID of the unit in which it was seen
	Package, Platform string
	Action            actions.ID
	Outputs           [2]actions.ID
	Where             [2]string // which place and run had which output
}

func (d Dispute) Error() string {
	return fmt.Sprintf("package %s for %s: action %s: output %s in %s, %s in %s",
		d.Package, d.Platform, d.Action.Short(), short(d.Outputs[0]), d.Where[0], short(d.Outputs[1]), d.Where[1])
}

func short(id actions.ID) string { return id.String()[:16] }

// NewRecorder begins the record of a release whose places have these GOCACHE
// directories. The second one must be empty.
func (l *Ledger) NewRecorder(firstCache, secondCache string) *Recorder {
	return &Recorder{
		ledger: l, first: &actions.Cache{Dir: firstCache}, second: &actions.Cache{Dir: secondCache},
		seeded: map[actions.ID]Proof{}, ran: map[actions.ID]bool{}, units: map[string]*record{},
		claims: map[actions.ID]Claim{}, disputes: map[actions.ID]Dispute{},
	}
}

// Seed puts into the second place's cache what the ledger has proven of the
// unit, whose first build left the graph g. An output is served only when it is
// also what the first place has, and its bytes are hashed again.
func (r *Recorder) Seed(ctx context.Context, u Unit, g actions.Graph) error {
	for _, act := range g.Compiles() {
		if u.Unprovable(act.Package) {
			continue
		}
		e, ok := r.first.Find(act.ID)
		if !ok {
			continue
		}
		r.compareKnown(ctx, u, act, r.first, e)
		proof, ok := r.ledger.proven(e.Action, e.Output, r.witnessed(act, e))
		if !ok {
			continue
		}
		r.mu.Lock()
		_, done := r.seeded[e.Action]
		r.mu.Unlock()
		if done {
			continue
		}
		object, ok := r.ledger.output(ctx, e.Output, e.Size)
		if !ok {
			// Proven, but not in the store (any more): the first place has it.
			if err := r.ledger.save(e.Output, r.first.Output(e.Output), false); err != nil {
				continue
			}
			if object, ok = r.ledger.output(ctx, e.Output, e.Size); !ok {
				continue
			}
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		entry := r.ledger.entryOf(e)
		if entry == "" {
			if err := r.ledger.saveEntry(e); err == nil {
				entry = r.ledger.entryOf(e)
			}
		}
		// Before the file is there: a build that runs may find it at any time.
		r.mu.Lock()
		r.seeded[e.Action] = proof
		r.mu.Unlock()
		if err := r.second.Put(e, object, entry); err != nil {
			return fmt.Errorf("%s: seeding the second place: %w", u.ID, err)
		}
	}
	return nil
}

// Record enters both builds of a unit, and writes to the ledger what it did
// not know. What cannot be written costs the next release time; the error says
// so and nothing else.
func (r *Recorder) Record(ctx context.Context, u Unit, first, second actions.Graph) error {
	rec := &record{}
	var news []*execution
	var store []actions.Entry
	for _, a2 := range second.Compiles() {
		a1 := first[a2.Key()]
		if a1 == nil {
			continue // the builds differ, and the verdict says it
		}
		if a1.ID != a2.ID {
			rec.compiled = append(rec.compiled, compiled{ran: a1.Executed}) // the same
			continue
		}
		e1, ok1 := r.first.Find(a1.ID)
		e2, ok2 := r.second.Find(a2.ID)
		r.mu.Lock()
		if ok1 && a1.Executed {
			r.ran[e1.Action] = true
		}
		proof, served := r.seeded[e1.Action]
		r.mu.Unlock()
		served = served && ok1 && !a2.Executed
		// Another unit may have been given what this a1 was not: they share a cache.
		if u.Unprovable(a2.Package) && !served {
			rec.unprovable++
			continue
		}
		if !ok1 || !ok2 || e1.Action != e2.Action {
			rec.compiled = append(rec.compiled, compiled{ran: a1.Executed})
			continue
		}
		if e1.Output == e2.Output {
			r.mu.Lock()
			r.claims[e1.Action] = Claim{Package: a2.Package, Action: e1.Action, Output: e1.Output}
			r.mu.Unlock()
		}
		ex := execution{
			Action: e1.Action, Output: e1.Output, Size: e1.Size, Place: firstPlace,
			Platform: u.Platform, Package: a2.Package, Deps: second.Deps(a2),
		}
		if a1.Executed {
			ex.Run = r.ledger.cfg.Run
		}
		news = r.ledger.appendNew(news, &ex)
		r.compareKnown(ctx, u, a2, r.first, e1)
		if served {
			rec.proven = append(rec.proven, proof)
			continue
		}
		rec.compiled = append(rec.compiled, compiled{e1.Action, a1.Executed})
		again := ex
		again.Output, again.Size, again.Place, again.Run = e2.Output, e2.Size, secondPlace, r.ledger.cfg.Run
		news = r.ledger.appendNew(news, &again)
		r.compareKnown(ctx, u, a2, r.second, e2)
		if e1.Output != e2.Output {
			r.dispute(u, a2, e1.Action, [2]actions.ID{e1.Output, e2.Output}, [2]string{
				where{firstPlace, ex.Run}.String(), where{secondPlace, again.Run}.String(),
			})
			continue
		}
		store = append(store, e2)
	}
	for key, a2 := range second {
		if a2.Link {
			rec.links++
			if a1 := first[key]; a1 != nil && !a1.Executed {
				rec.linksAgain++
			}
		}
	}
	r.mu.Lock()
	r.units[u.ID] = rec
	r.mu.Unlock()
	// Outputs first: an entry without its output is of use to nobody.
	for _, e := range store {
		err := r.ledger.save(e.Output, r.second.Output(e.Output), true)
		if err == nil {
			err = r.ledger.saveEntry(e)
		}
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return r.ledger.write(ctx, news)
}

// witnessed reports whether the first place executed the action while this
// release or one that noted it looked on, and did not just find its output.
func (r *Recorder) witnessed(act *actions.Action, e actions.Entry) bool {
	if act.Executed {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ran[e.Action]
}

// compareKnown raises a dispute when the ledger knows other outputs of an
// action than the one it just had; not when a damaged cache says that it had it.
func (r *Recorder) compareKnown(ctx context.Context, u Unit, act *actions.Action, c *actions.Cache, e actions.Entry) {
	if en := r.ledger.entries[e.Action]; en != nil {
		for _, o := range en.outcomes {
			if o.output != e.Output && !c.Damaged(ctx, e) {
				r.dispute(u, act, e.Action, [2]actions.ID{o.output, e.Output}, [2]string{o.runs[0].String(), "this run"})
				return
			}
		}
	}
	for _, f := range r.ledger.foreign[e.Action] {
		if f.output != e.Output && !c.Damaged(ctx, e) {
			r.dispute(u, act, e.Action, [2]actions.ID{f.output, e.Output}, [2]string{"the ledger of " + f.rebuilder, "this run"})
			return
		}
	}
}

func (r *Recorder) dispute(u Unit, act *actions.Action, id actions.ID, outputs [2]actions.ID, at [2]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.disputes[id]; !known {
		r.disputes[id] = Dispute{Unit: u.ID, Package: act.Package, Platform: u.Platform, Action: id, Outputs: outputs, Where: at}
	}
}

// Disputes are the actions that did not give the same output each time, sorted
// by package. What depends on them is not proven either from now on.
func (r *Recorder) Disputes() []Dispute {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.SortedFunc(maps.Values(r.disputes), func(x, y Dispute) int {
		return cmp.Or(strings.Compare(x.Package+" "+x.Platform, y.Package+" "+y.Platform), bytes.Compare(x.Action[:], y.Action[:]))
	})
}

// Counts gives the counts of a unit that was recorded. They are final when all
// units of the release are: units share compiles.
func (r *Recorder) Counts(unit string) (Counts, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.units[unit]
	if rec == nil {
		return Counts{}, false
	}
	c := Counts{Links: rec.links, LinksAgain: rec.linksAgain, Unprovable: rec.unprovable, Proven: map[int]int{}}
	for _, done := range rec.compiled {
		if done.ran || r.ran[done.id] {
			c.Executed++
		} else {
			c.Again++
		}
	}
	for _, p := range rec.proven {
		c.Proven[p.Executions]++
		if p.Foreign {
			c.Foreign++
		}
	}
	return c, true
}
