package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mintmark/mintmark/builds/compare"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/upx"
)

// pipeline takes every unit from two builds to published files.
type pipeline struct {
	*session
	sites *sites
	stage string // directory of the files to publish
	upx   *upx.Tool
	costs *schedule.Costs
	books *bookkeeping // nil: nothing is rebuilt, or there is no ledger
	// linked is what earlier first builds have linked. nil: everything is linked anew.
	linked *execute.Linked
	// judge gives a linked binary its verdict by what was published, unless two
	// builds differed already. nil: nothing is published yet.
	judge func(*checksums.Artifact)
	care  care

	mu        sync.Mutex
	tasks     []schedule.Task
	progress  map[string]schedule.Progress // of tasks, by ID
	began     map[string]time.Time         // tasks that run
	artifacts []checksums.Artifact
	ran       [][]fact.Circumstances // the executions of each unit that came to its end
	products  map[string]string      // digest → file, of the first build's linked binaries
	different []string               // directories where differing files were kept
	over      []error                // budgets
	stamped   string                 // the version go wrote into the binaries of a commit; "" for none
	finals    []final                // what the budgets are about
	cpu       time.Duration

	measures  bool // sizes for the report
	measuring sync.Mutex
	sized     []report.Sized
	previous  *report.Measurements // of the release that the report compares with
	extra     [][]byte             // what else the report shows
	port      sync.Mutex           // held while programs run that listen on a declared port
}

// unit is one unit on its way.
type unit struct {
	*plan.Unit
	mu     sync.Mutex
	builds [2][]execute.Built
	done   int
}

// run builds, compares, packs and archives all units.
func (p *pipeline) run(ctx context.Context) error {
	p.progress, p.began = map[string]schedule.Progress{}, map[string]time.Time{}
	var tasks [2][]schedule.Task
	for _, u := range p.plan.Units {
		u := &unit{Unit: u}
		for i, site := range []*execute.Site{p.sites.first, p.sites.second} {
			if site == nil {
				continue
			}
			tasks[i] = append(tasks[i], p.task(u, i, site))
		}
	}
	// Both builds are one queue: the machine is never idle between them.
	all := slices.Concat(tasks[0], tasks[1])
	p.event(Event{Kind: Total, N: len(all)})
	p.tasks = all
	err := schedule.Run(ctx, schedule.Budget{CPUs: p.Jobs}, all)
	if serr := p.costs.Save(); serr != nil {
		p.note("estimates were not saved: %v", serr)
	}
	return err
}

func (p *pipeline) task(u *unit, i int, site *execute.Site) schedule.Task {
	id := u.ID() + " · " + site.Name + " build"
	key := p.source.ModulePath + " " + id
	known := p.books.waits(u.Unit)
	seeded := i == 1 && known
	if seeded {
		key += ", seeded" // costs a fraction of a whole one
	}
	cost := p.costs.Get(key)
	t := schedule.Task{ID: id, CPU: cost.CPU, Group: site.Name + " " + u.CompileKey()}
	if cost.MaxRSS > 0 {
		t.Memory = cost.MaxRSS + cost.MaxRSS/2 // the largest process and the go command beside it
	}
	if seeded {
		t.After = []string{u.ID() + " · " + p.sites.first.Name + " build"}
	}
	pace := execute.Pace{}
	if known { // then most of it is compiled, in both places
		pace.Room = schedule.Budget{CPUs: p.Jobs}.Room()
	}
	t.Run = func(ctx context.Context, n int) error {
		pace.P = n
		p.event(Event{Kind: Start, ID: id, Text: id, Estimate: cost.CPU})
		p.moved(id, schedule.Progress{P: n})
		if seeded {
			if err := p.seed(ctx, u.Unit); err != nil {
				return err
			}
		}
		taken := i == 0 && p.linked.Take(ctx, site, u.Unit)
		built, spent, err := p.buildUnit(ctx, u.Unit, site, pace)
		if err == nil {
			if taken { // a link, when there is one again, takes the memory it took
				spent.MaxRSS = max(spent.MaxRSS, cost.MaxRSS)
			}
			p.costs.Set(key, spent)
		}
		text := ""
		if err == nil {
			text, err = p.built(ctx, u, i, built)
		}
		p.event(Event{Kind: Done, ID: id, Text: text, Err: err})
		p.moved(id, schedule.Progress{P: n, Done: true, CPU: spent.CPU})
		return err
	}
	return t
}

// moved notes how far a task is and says how long everything will take.
func (p *pipeline) moved(id string, now schedule.Progress) {
	p.mu.Lock()
	p.cpu += now.CPU
	if now.Done {
		delete(p.began, id)
	} else {
		p.began[id] = time.Now()
	}
	p.progress[id] = now
	for id, at := range p.began {
		running := p.progress[id]
		running.Ran = time.Since(at)
		p.progress[id] = running
	}
	left, known := schedule.Remaining(schedule.Budget{CPUs: p.Jobs}, p.tasks, p.progress)
	p.mu.Unlock()
	if known {
		p.event(Event{Kind: Remaining, Estimate: left})
	}
}

// built notes one build of a unit; the last one to be done carries on with it.
func (p *pipeline) built(ctx context.Context, u *unit, i int, b []execute.Built) (string, error) {
	u.mu.Lock()
	u.builds[i] = b
	u.done++
	last := u.done == 2 || p.sites.second == nil
	u.mu.Unlock()
	if !last {
		return "", nil
	}
	// First of all: what was made from damage must not get into the ledger.
	err := p.mend(ctx, u)
	if err == nil {
		err = p.settle(ctx, u.Unit)
	}
	verdict := ""
	if err == nil {
		verdict, err = p.finish(ctx, u)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", u.ID(), err)
	}
	return verdict, nil
}

// finish compares the two builds of a unit and makes its published files.
func (p *pipeline) finish(ctx context.Context, u *unit) (string, error) {
	p.executed(u)
	verdict := fact.Identical
	made := u.products()
	var linked []*product
	for _, pr := range made {
		if err := p.compare(ctx, u, pr); err != nil {
			return "", err
		}
		if pr.artifact.Verdict != fact.Identical {
			verdict = pr.artifact.Verdict
		}
		if !pr.header {
			linked = append(linked, pr)
		}
	}
	var errs []error
	for _, pr := range linked {
		if err := p.checkStamp(u, pr); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	if verdict == fact.Different && u.Verify != "report" {
		for _, pr := range made {
			p.add(pr.artifact)
		}
		return string(verdict), nil // nothing is made of it; the gate stops the release
	}
	p.keepLinked(u, linked)
	for _, pr := range linked {
		if err := p.measure(ctx, u, pr); err != nil {
			return "", err
		}
	}
	if u.UPX != nil {
		for _, pr := range linked {
			if err := p.pack(ctx, u, pr); err != nil {
				return "", err
			}
		}
	}
	p.keepFinals(u, linked)
	if err := p.makeFiles(ctx, u, made); err != nil {
		return "", err
	}
	return string(verdict), nil
}

// keepLinked lets the next first build find what this one has linked, once
// nobody needs the files any more.
func (p *pipeline) keepLinked(u *unit, linked []*product) {
	if p.linked == nil || slices.ContainsFunc(linked, func(pr *product) bool { return pr.artifact.Verdict == fact.Different }) {
		return
	}
	sums := map[string]string{}
	for _, pr := range linked {
		sums[pr.path] = pr.artifact.SHA256
	}
	p.atEnd(func() error { return p.linked.Keep(p.sites.first, u.Unit, sums) })
}

// product is one binary of a unit, at the latest stage it has reached, or the
// header of a library.
type product struct {
	main         fact.Main
	header       bool
	name         string // with extension
	path, second string // of the two builds; equal paths after packing
	artifact     checksums.Artifact
	linked       checksums.Artifact // the stage before packing, if there was one
}

// products are what both builds made, in the order of the plan's artifacts.
func (u *unit) products() []*product {
	var list []*product
	for i, m := range u.Mains {
		first, second := u.builds[0][i], execute.Built{}
		if u.builds[1] != nil {
			second = u.builds[1][i]
		}
		list = append(list, &product{main: m, name: u.File(m), path: first.Path, second: second.Path})
		if first.Header != "" {
			list = append(list, &product{main: m, header: true, name: u.Header(m), path: first.Header, second: second.Header})
		}
	}
	return list
}

// compare gives a linked binary, or a header, its digest and its verdict.
func (p *pipeline) compare(ctx context.Context, u *unit, pr *product) error {
	sum, size, err := files.Digest(ctx, pr.path)
	if err != nil {
		return err
	}
	pr.artifact = checksums.Artifact{
		Name: pr.name, Profile: u.Profile, Platform: u.Platform, Stage: fact.Linked,
		Size: size, SHA256: sum, Package: pr.main.Package,
		Verdict: fact.Unchecked, Reason: "built once",
	}
	if pr.header {
		pr.artifact.Stage, pr.artifact.Package = fact.Header, ""
	} else if bin, err := openLinked(u, pr); err == nil {
		pr.artifact.BuildID = bin.BuildID
		bin.Close()
	}
	p.mu.Lock()
	if p.products == nil {
		p.products = map[string]string{}
	}
	p.products[sum] = pr.path
	p.mu.Unlock()
	var v compare.Result
	if pr.second != "" {
		if v, err = compare.Check(ctx, pr.path, pr.second, bindiff.AllKnown()); err != nil {
			return err
		}
		pr.artifact.Verdict, pr.artifact.Reason = v.Verdict, v.Reason
	}
	if v.Diff != nil && pr.header {
		f, err := headerFinding(pr.path, pr.second)
		if err != nil {
			return err
		}
		pr.artifact.Findings = []fact.Finding{f}
		return p.keep(ctx, u, pr)
	}
	if v.Diff != nil {
		risks, err := p.planner.CRisks(ctx, u.Unit)
		if err != nil {
			p.warn("%s: its C code was not looked at: %v", u.ID(), err)
		}
		blamed, err := compare.Blame(ctx, p.sites.first, p.sites.second, u.Unit, compare.C{Packages: p.planner.C(u.Unit), Risks: risks})
		if err != nil {
			p.warn("%s: the action graphs say nothing: %v", u.ID(), err)
		}
		pr.artifact.Findings = compare.Findings(blamed, v.Diff)
		return p.keep(ctx, u, pr)
	}
	if p.judge != nil {
		p.judge(&pr.artifact)
	}
	return nil
}

// keep saves two differing files for whoever wants to look at them.
func (p *pipeline) keep(ctx context.Context, u *unit, pr *product) error {
	below := filepath.Join("different", p.plan.Project+"-"+p.version, u.Key())
	dir := filepath.Join(p.Cache, below)
	for i, from := range []string{pr.path, pr.second} {
		to, err := files.MakeDir(p.Cache, below, []string{"first", "second"}[i])
		if err != nil {
			return err
		}
		if _, _, err := files.Copy(ctx, from, filepath.Join(to, pr.name), 0o755); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.different, dir) {
		p.different = append(p.different, dir)
	}
	return nil
}

func (p *pipeline) add(a ...checksums.Artifact) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.artifacts = append(p.artifacts, a...)
}

// checkStamp holds what go wrote into the binary against the source. go stamps
// nothing, without a word, when it does not find the repository it expects. Which
// version it finds is noted: it is what go finds in any clone of the commit.
func (p *pipeline) checkStamp(u *unit, pr *product) error {
	bin, err := openLinked(u, pr)
	if err != nil {
		return fmt.Errorf("%s: %w", pr.name, err)
	}
	defer bin.Close()
	bi := bin.BuildInfo
	if bi == nil {
		return nil // formats go writes no build information into
	}
	if bi.GoVersion != p.tc.Version {
		return fmt.Errorf("%s: built by %s, not %s", pr.name, bi.GoVersion, p.tc.Version)
	}
	set := map[string]string{}
	for _, kv := range bi.Settings {
		set[kv.Key] = kv.Value
	}
	want := p.source.Version
	if p.source.Kind == fact.SourceModule {
		if bi.Main.Version != want || bi.Main.Sum != p.source.Sum {
			return fmt.Errorf("%s: stamped %s %s, not %s %s", pr.name, bi.Main.Version, bi.Main.Sum, want, p.source.Sum)
		}
		return nil
	}
	if !slices.Contains(u.Flags, "-buildvcs=true") {
		return nil
	}
	if set["vcs.revision"] != p.source.Commit {
		return hinted("say buildvcs: false if the version stamp is not wanted", "%s: go stamped the revision %q, not %s", pr.name, set["vcs.revision"], p.source.Commit)
	}
	dirty, changed := set["vcs.modified"] == "true", len(p.source.Dirty) > 0
	if dirty != changed && (dirty || len(p.source.Included) < len(p.source.Dirty)) {
		return fmt.Errorf("%s: go stamped vcs.modified=%s", pr.name, set["vcs.modified"])
	}
	return p.noteStamp(pr.name, bi.Main.Version)
}

// pack runs UPX; what it makes is checked by unpacking it again.
func (p *pipeline) pack(ctx context.Context, u *unit, pr *product) error {
	out := filepath.Join(p.ws.dir, "packed", u.Key(), pr.name)
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	res, err := p.upx.Pack(ctx, pr.path, out, u.UPX)
	if err != nil {
		return err
	}
	pr.linked = pr.artifact
	pr.artifact.Stage, pr.artifact.From = fact.Packed, []string{pr.linked.SHA256}
	pr.artifact.Size, pr.artifact.SHA256 = res.OutSize, res.OutSHA256
	pr.artifact.BuildID, pr.artifact.Package = "", ""
	pr.artifact.Tool = fmt.Sprintf("UPX %s sha256:%s %s", res.Version, res.ToolSHA256, strings.Join(u.UPX, " "))
	if len(res.NotRestored) > 0 && pr.artifact.Verdict == fact.Identical {
		pr.artifact.Verdict = fact.Unchecked
		pr.artifact.Reason = "UPX does not restore " + strings.Join(res.NotRestored, ", ") + ": that the packed file is the linked one was checked only for the rest"
	}
	linked := pr.path
	pr.path, pr.second = out, out
	return p.prove(ctx, u, pr, res, linked)
}
