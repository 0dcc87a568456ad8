package actions

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Account keeps the books of one release: what the second place was given of
// the ledger, what ran, and what that adds to the ledger. Its methods may be
// called for several units at the same time.
type Account struct {
	ledger        *Ledger
	first, second *goCache

	mu     sync.Mutex
	served map[ID]Proof
	ran    map[ID]bool // executed in the first place by this release
	books  map[string]*book
	claims map[ID]Claim
	alarms map[ID]Alarm
}

// Unit is what an account has to know of a unit.
type Unit struct {
	ID       string // names the unit
	Platform string
	// Unprovable says of a package that its compile reads what its action ID
	// does not hold, such as C headers: it is never taken from the ledger.
	Unprovable func(pkg string) bool
}

// book is the account of one unit.
type book struct {
	links      int
	linksAgain int
	proven     []Proof
	unprovable int
	compiled   []compiled // in the second place; by this release, since it began empty
}

// compiled is a compile of the second place.
type compiled struct {
	id  ID   // zero: not known
	ran bool // the unit's own first build executed it as well
}

// Tally says how the packages of a unit came about in the second build.
type Tally struct {
	Links      int         // run in the second place by this release, always
	LinksAgain int         // of these, run in the first place by an earlier one
	Executed   int         // compiled in both places by this release
	Again      int         // compiled in the second place by this release, in the first by an earlier one
	Proven     map[int]int // taken from the ledger: number of executions it knew → actions
	Foreign    int         // of the proven: those that rest on another rebuilder's execution
	Unprovable int         // compiled in both places, since their action IDs do not hold all inputs
}

// Alarm is an action that gave different outputs from the same inputs.
type Alarm struct {
	Unit              string // ID of the unit in which it was seen
	Package, Platform string
	Action            ID
	Outputs           [2]ID
	Where             [2]string // which place and run had which output
}

func (a Alarm) Error() string {
	return fmt.Sprintf("package %s for %s: action %s: output %s in %s, %s in %s",
		a.Package, a.Platform, a.Action.Short(), short(a.Outputs[0]), a.Where[0], short(a.Outputs[1]), a.Where[1])
}

func short(id ID) string { return id.String()[:16] }

// Account begins the account of a release whose places have these GOCACHE
// directories. The second one must be empty.
func (l *Ledger) Account(firstCache, secondCache string) *Account {
	return &Account{
		ledger: l, first: &goCache{dir: firstCache}, second: &goCache{dir: secondCache},
		served: map[ID]Proof{}, ran: map[ID]bool{}, books: map[string]*book{}, claims: map[ID]Claim{}, alarms: map[ID]Alarm{},
	}
}

// Seed puts into the second place's cache what the ledger has proven of the
// unit, whose first build left the graph g. An output is served only when it is
// also what the first place has, and its bytes are hashed again.
func (a *Account) Seed(ctx context.Context, u Unit, g Graph) error {
	for _, act := range g.compiles() {
		if u.Unprovable(act.Package) {
			continue
		}
		e, ok := a.first.find(act.ID)
		if !ok {
			continue
		}
		a.compareKnown(ctx, u, act, a.first, e)
		proof, ok := a.ledger.proven(e.Action, e.Output, a.witnessed(act, e))
		if !ok {
			continue
		}
		a.mu.Lock()
		_, done := a.served[e.Action]
		a.mu.Unlock()
		if done {
			continue
		}
		object, ok := a.ledger.fetch(ctx, e.Output, e.Size)
		if !ok {
			// Proven, but not in the store (any more): the first place has it.
			if err := a.ledger.keep(e.Output, a.first.file(e.Output, "d"), false); err != nil {
				continue
			}
			if object, ok = a.ledger.fetch(ctx, e.Output, e.Size); !ok {
				continue
			}
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		entry := a.ledger.fetchEntry(e)
		if entry == "" {
			if err := a.ledger.keepEntry(e); err == nil {
				entry = a.ledger.fetchEntry(e)
			}
		}
		// Before the file is there: a build that runs may find it at any time.
		a.mu.Lock()
		a.served[e.Action] = proof
		a.mu.Unlock()
		if err := a.second.put(e, object, entry); err != nil {
			return fmt.Errorf("%s: seeding the second place: %w", u.ID, err)
		}
	}
	return nil
}

// Settle enters both builds of a unit, and writes to the ledger what it did
// not know. What cannot be written costs the next release time; the error says
// so and nothing else.
func (a *Account) Settle(ctx context.Context, u Unit, first, second Graph) error {
	b := &book{}
	var news []*Execution
	var store []cacheEntry
	for _, act := range second.compiles() {
		one := first[act.Key()]
		if one == nil {
			continue // the builds differ, and the verdict says it
		}
		if one.ID != act.ID {
			b.compiled = append(b.compiled, compiled{ran: one.Executed}) // the same
			continue
		}
		e1, ok1 := a.first.find(one.ID)
		e2, ok2 := a.second.find(act.ID)
		a.mu.Lock()
		if ok1 && one.Executed {
			a.ran[e1.Action] = true
		}
		proof, served := a.served[e1.Action]
		a.mu.Unlock()
		served = served && ok1 && !act.Executed
		// Another unit may have been given what this one was not: they share a cache.
		if u.Unprovable(act.Package) && !served {
			b.unprovable++
			continue
		}
		if !ok1 || !ok2 || e1.Action != e2.Action {
			b.compiled = append(b.compiled, compiled{ran: one.Executed})
			continue
		}
		if e1.Output == e2.Output {
			a.mu.Lock()
			a.claims[e1.Action] = Claim{Package: act.Package, Action: e1.Action, Output: e1.Output}
			a.mu.Unlock()
		}
		ex := Execution{
			Action: e1.Action, Output: e1.Output, Size: e1.Size, Place: First,
			Platform: u.Platform, Package: act.Package, Deps: depIDs(act, second),
		}
		if one.Executed {
			ex.Run = a.ledger.cfg.Run
		}
		news = a.ledger.note(news, &ex)
		a.compareKnown(ctx, u, act, a.first, e1)
		if served {
			b.proven = append(b.proven, proof)
			continue
		}
		b.compiled = append(b.compiled, compiled{e1.Action, one.Executed})
		again := ex
		again.Output, again.Size, again.Place, again.Run = e2.Output, e2.Size, Second, a.ledger.cfg.Run
		news = a.ledger.note(news, &again)
		a.compareKnown(ctx, u, act, a.second, e2)
		if e1.Output != e2.Output {
			a.alarm(u, act, e1.Action, [2]ID{e1.Output, e2.Output}, [2]string{
				where{First, ex.Run}.String(), where{Second, again.Run}.String(),
			})
			continue
		}
		store = append(store, e2)
	}
	for key, act := range second {
		if act.Link {
			b.links++
			if one := first[key]; one != nil && !one.Executed {
				b.linksAgain++
			}
		}
	}
	a.mu.Lock()
	a.books[u.ID] = b
	a.mu.Unlock()
	// Outputs first: an entry without its output is of use to nobody.
	for _, e := range store {
		err := a.ledger.keep(e.Output, a.second.file(e.Output, "d"), true)
		if err == nil {
			err = a.ledger.keepEntry(e)
		}
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return a.ledger.write(ctx, news)
}

// witnessed reports whether the first place executed the action while this
// release or one that noted it looked on, and did not just find its output.
func (a *Account) witnessed(act *Action, e cacheEntry) bool {
	if act.Executed {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ran[e.Action]
}

// compiles are the graph's compiles, by package.
func (g Graph) compiles() []*Action {
	var out []*Action
	for _, a := range g {
		if !a.Link {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *Action) int { return strings.Compare(a.Package, b.Package) })
	return out
}

func depIDs(a *Action, g Graph) []string {
	var out []string
	for _, key := range a.deps {
		if d := g[key]; d != nil {
			out = append(out, d.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// compareKnown raises an alarm when the ledger knows other outputs of an
// action than the one it just had; not when a damaged cache says that it had it.
func (a *Account) compareKnown(ctx context.Context, u Unit, act *Action, c *goCache, e cacheEntry) {
	if en := a.ledger.entries[e.Action]; en != nil {
		for _, o := range en.outcomes {
			if o.output != e.Output && !c.damaged(ctx, e) {
				a.alarm(u, act, e.Action, [2]ID{o.output, e.Output}, [2]string{o.runs[0].String(), "this run"})
				return
			}
		}
	}
	for _, f := range a.ledger.foreign[e.Action] {
		if f.output != e.Output && !c.damaged(ctx, e) {
			a.alarm(u, act, e.Action, [2]ID{f.output, e.Output}, [2]string{"the ledger of " + f.rebuilder, "this run"})
			return
		}
	}
}

func (a *Account) alarm(u Unit, act *Action, id ID, outputs [2]ID, at [2]string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.alarms[id]; !known {
		a.alarms[id] = Alarm{Unit: u.ID, Package: act.Package, Platform: u.Platform, Action: id, Outputs: outputs, Where: at}
	}
}

// Alarms are the actions that did not give the same output each time, sorted
// by package. What depends on them is not proven either from now on.
func (a *Account) Alarms() []Alarm {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Alarm
	for _, al := range a.alarms {
		out = append(out, al)
	}
	slices.SortFunc(out, func(x, y Alarm) int {
		if c := strings.Compare(x.Package+" "+x.Platform, y.Package+" "+y.Platform); c != 0 {
			return c
		}
		return bytes.Compare(x.Action[:], y.Action[:])
	})
	return out
}

// Tally gives the counts of a unit that was settled. It is final when all units
// of the release are: units share compiles.
func (a *Account) Tally(unit string) (Tally, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.books[unit]
	if b == nil {
		return Tally{}, false
	}
	t := Tally{Links: b.links, LinksAgain: b.linksAgain, Unprovable: b.unprovable, Proven: map[int]int{}}
	for _, c := range b.compiled {
		if c.ran || a.ran[c.id] {
			t.Executed++
		} else {
			t.Again++
		}
	}
	for _, p := range b.proven {
		t.Proven[p.Executions]++
		if p.Foreign {
			t.Foreign++
		}
	}
	return t, true
}
