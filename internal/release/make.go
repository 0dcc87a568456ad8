package release

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/execute"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/sbom"
	"github.com/mintmark/mintmark/internal/upx"
)

// Maker makes of compared units what is published of them.
type Maker struct {
	*Prepared
	Stage  string    // directory of the files to publish
	UPX    *upx.Tool // nil when no unit is packed
	Ledger *ReleaseLedger
	NotRun string // why packed programs are not run; "" if they are
	Sizes  bool   // measure what binaries are made of, for the report
	// Bills says that bills of materials are made of what programs say of their modules.
	Bills bool

	measuring sync.Mutex // held while a file is measured: each is held in memory
	port      sync.Mutex // held while programs run that listen on a declared port
}

// UnitResult is what became of one unit.
type UnitResult struct {
	unit          *plan.Unit
	circumstances []fact.Circumstances // of each execution
	ran           []fact.Execution     // where each was
	independence  fact.Independence    // of all of them; see apart
	doubt         string               // as in compared
	Artifacts     []checksums.Artifact
	linked        map[string]string // digest → file, of what the first execution linked
	finals        []final           // what budgets are about
	sized         []report.Sized
	contents      []sbom.Linked
	times         []report.BuildTime // of each execution, if asked for
	programs      []*item            // as they are published; nil: nothing was made of them
	// archivesBefore and packagesBefore are how often the archives and the packages were
	// made before, the least of them; 0: one was made now, or there is none.
	archivesBefore, packagesBefore int
	stamp                          string        // as in compared
	kept                           string        // as in compared
	mended                         []string      // as in compared
	cpu                            time.Duration // of all go commands
}

// final is a binary as it will be published, by itself or in an archive.
type final struct {
	u       *plan.Unit
	name    string
	pkg     string // import path
	linked  string // digest before packing
	path    string
	size    int64
	several bool // the unit has other programs as well
}

// item is a product on its way to a published file.
type item struct {
	*product
	paths    []string            // equal ones after packing
	artifact checksums.Artifact  // of the stage that it has reached
	before   *checksums.Artifact // the stage before; nil if there was none
}

// unitStep is one stage between linked binaries and published files of a unit.
type unitStep struct {
	stage fact.Stage // of the artifacts that it makes
	doing string     // what is said while it runs
	needs func(u *plan.Unit) bool
	make  func(ctx context.Context, r *UnitResult, items []*item) error
}

// steps are all of them, in their order.
func (m *Maker) steps() []unitStep {
	return []unitStep{
		{fact.Packed, "packing", func(u *plan.Unit) bool { return u.UPX != nil }, m.packAll},
		{fact.Archived, "archiving", func(u *plan.Unit) bool { return u.Archive != fact.NoArchive }, m.archives},
		{fact.Linked, "copying", func(u *plan.Unit) bool { return u.Archive == fact.NoArchive && !u.Replaced }, m.copyOut},
		{fact.Linked, "keeping", func(u *plan.Unit) bool { return u.Replaced }, m.leaveOut},
		{fact.PackageStage, "packaging", func(u *plan.Unit) bool { return u.Packages != nil }, m.packages},
	}
}

// make makes the published files of a unit. Where its executions differ nothing is
// made, unless the profile says verify: report; the gate stops the release.
func (m *Maker) make(ctx context.Context, c *compared) (*UnitResult, error) {
	r := &UnitResult{unit: c.unit, circumstances: c.circumstances(), ran: c.ran(), doubt: c.doubt, linked: map[string]string{}, stamp: c.stamp, kept: c.kept, mended: c.mended, cpu: c.cpu()}
	var items []*item
	for _, p := range c.products {
		r.linked[p.artifact.SHA256] = p.paths[0]
		items = append(items, &item{product: p, paths: p.paths, artifact: p.artifact})
	}
	if c.verdict() == fact.Different && c.unit.Verify != fact.ReportVerdicts {
		for _, it := range items {
			r.Artifacts = append(r.Artifacts, it.artifact)
		}
		return r, nil
	}
	m.keepLinked(c)
	r.times = m.times(c)
	if m.Sizes {
		c.doing("measuring sizes")
		for _, p := range c.linked() {
			s, err := m.measure(ctx, c.unit, p)
			if err != nil {
				return nil, err
			}
			s.Imports = c.imports(p)
			r.sized = append(r.sized, s)
		}
	}
	if m.Bills {
		r.contents = r.contentsOf(c.linked())
	}
	for _, s := range m.steps() {
		if s.needs(c.unit) {
			c.doing(s.doing)
			if err := s.make(ctx, r, items); err != nil {
				return nil, err
			}
		}
	}
	linked := programs(items)
	r.programs = linked
	for _, it := range linked {
		r.finals = append(r.finals, final{c.unit, it.name, it.main.Package, it.product.artifact.SHA256, it.paths[0], it.artifact.Size, len(linked) > 1})
	}
	return r, nil
}

// programs are the items that are no headers.
func programs(items []*item) []*item {
	return slices.DeleteFunc(slices.Clone(items), func(it *item) bool { return it.header })
}

// keepLinked lets the next first build find what this one has linked, once
// nobody needs the files any more.
func (m *Maker) keepLinked(c *compared) {
	keeper, ok := m.Executors[0].Executor.(execute.Keeper)
	if !ok || slices.ContainsFunc(c.linked(), func(p *product) bool { return p.artifact.Verdict == fact.Different }) {
		return
	}
	sums := map[string]string{}
	for _, p := range c.linked() {
		sums[p.paths[0]] = p.artifact.SHA256
	}
	m.Of.AtEnd(func() error { return keeper.Keep(c.unit, sums) })
}

// packAll runs UPX on the programs.
func (m *Maker) packAll(ctx context.Context, r *UnitResult, items []*item) error {
	for _, it := range programs(items) {
		if err := m.pack(ctx, r.unit, it); err != nil {
			return err
		}
	}
	return nil
}

// pack runs UPX; what it makes is checked by unpacking it again.
func (m *Maker) pack(ctx context.Context, u *plan.Unit, it *item) error {
	out := filepath.Join(m.Of.Workspace.Dir, "packed", u.Key(), it.name)
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	linked := it.paths[0]
	res, err := m.UPX.Pack(ctx, linked, out, u.UPX)
	if err != nil {
		return err
	}
	before := it.artifact
	it.before = &before
	a := &it.artifact
	a.Stage, a.From = fact.Packed, []string{before.SHA256}
	a.Size, a.SHA256 = res.OutSize, res.OutSHA256
	a.BuildID, a.Package = "", ""
	a.Tool = fmt.Sprintf("UPX %s sha256:%s %s", res.Version, res.ToolSHA256, strings.Join(u.UPX, " "))
	if len(res.NotRestored) > 0 && a.Verdict == fact.Identical {
		a.Verdict = fact.Unchecked
		a.Reason = "UPX does not restore " + strings.Join(res.NotRestored, ", ") + ": that the packed file is the linked one was checked only for the rest"
	}
	it.paths = slices.Repeat([]string{out}, len(it.paths))
	return m.prove(ctx, u, it, res, linked)
}

// copyOut publishes what was linked, or packed, as it is.
func (m *Maker) copyOut(ctx context.Context, r *UnitResult, items []*item) error {
	r.addBefore(items)
	names := r.unit.Published()
	for i, it := range items {
		it.artifact.Name, it.artifact.Published = names[i], true
		mode := os.FileMode(0o644)
		if executable(r.unit) {
			mode = 0o755
		}
		sum, _, err := files.Copy(ctx, it.paths[0], filepath.Join(m.Stage, it.artifact.Name), mode)
		if err != nil {
			return err
		}
		if sum != it.artifact.SHA256 {
			return fmt.Errorf("%s changed while it was copied", it.name)
		}
		r.Artifacts = append(r.Artifacts, it.artifact)
	}
	return nil
}

// leaveOut publishes nothing of the items: they are in archives, or in universal
// binaries.
func (m *Maker) leaveOut(_ context.Context, r *UnitResult, items []*item) error {
	r.addBefore(items)
	for _, it := range items {
		r.Artifacts = append(r.Artifacts, it.artifact)
	}
	return nil
}

// addBefore adds the stages that items have left behind.
func (r *UnitResult) addBefore(items []*item) {
	for _, it := range items {
		if it.before != nil {
			r.Artifacts = append(r.Artifacts, *it.before)
		}
	}
}

// archives publishes the unit's archives, one of each format.
func (m *Maker) archives(ctx context.Context, r *UnitResult, items []*item) error {
	if err := m.leaveOut(ctx, r, items); err != nil {
		return err
	}
	var before []int
	for _, e := range r.unit.Shape().Artifacts() {
		if e.Stage != fact.Archived {
			continue
		}
		a, n, err := m.archive(ctx, r.unit, e, items)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		r.Artifacts, before = append(r.Artifacts, a), append(before, n)
	}
	r.archivesBefore = leastOf(before)
	return nil
}

// archive publishes one of them, made once for each place, from the files of that place.
// before is as in [made].
func (m *Maker) archive(ctx context.Context, u *plan.Unit, e fact.Expected, items []*item) (_ checksums.Artifact, before int, err error) {
	a := holder(u, e, archive.Tool(e.Format), items)
	k := newArchiving(e.Name, u.Platform, e.Format, m.Of.Source.CommitTime)
	for place := range m.Executors {
		if err := k.add(ctx, m.copyName(place), m.members(u, e, items, place)); err != nil {
			return a, 0, err
		}
	}
	a.Members = membersOf(k.of[0].entries)
	before, err = m.publishMade(ctx, &a, &k.making)
	return a, before, err
}

// holder is the artifact of a file that a tool makes of the items and of others.
func holder(u *plan.Unit, e fact.Expected, tool string, items []*item) checksums.Artifact {
	a := checksums.Artifact{
		Name: e.Name, Profile: u.Profile, Platform: u.Platform, Stage: e.Stage,
		Published: true, Verdict: fact.Identical, Tool: tool,
	}
	for _, it := range items {
		a.From = append(a.From, it.artifact.SHA256)
		if it.artifact.Verdict != fact.Identical {
			a.Verdict, a.Reason = it.artifact.Verdict, it.artifact.Reason
		}
	}
	return a
}

// members lists an archive's files from one of the places.
func (m *Maker) members(u *plan.Unit, as fact.Expected, items []*item, place int) []archive.Member {
	var list []archive.Member
	for i, it := range items {
		sum := ""
		if it.artifact.Verdict == fact.Identical {
			sum = it.artifact.SHA256 // what was compared is what goes in
		}
		list = append(list, archive.Member{Name: as.Members[i], Executable: executable(u), SHA256: sum, Open: archive.Opener(it.paths[place])})
	}
	for i, f := range u.Shape().Files {
		executable := m.Of.Source.Executable(path.Join(m.Of.Source.Dir, f.Src))
		if f.Mode != "" {
			executable = f.Mode == fact.ModeRun
		}
		list = append(list, archive.Member{
			Name: as.Members[len(items)+i], Executable: executable,
			Open: archive.Opener(filepath.Join(m.Executors[place].Copy, filepath.FromSlash(f.Src))),
		})
	}
	return list
}

// memberFinding says what differs of that two files were made of.
func memberFinding(a, b []archive.Entry) fact.Finding {
	f := fact.Finding{
		Cause: fact.CauseSource, Confidence: fact.Certain,
		Remedy: "a file that goes into it is not the same in two clean checkouts: look for filters and line-ending attributes in .gitattributes",
	}
	byName := map[string]archive.Entry{}
	for _, e := range b {
		byName[e.Name] = e
	}
	for _, e := range a {
		if other := byName[e.Name]; other.SHA256 != e.SHA256 {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s: sha256 %s and %s", e.Name, e.SHA256, other.SHA256))
		}
	}
	if len(f.Evidence) == 0 {
		f.Cause, f.Confidence, f.Remedy = fact.CauseUnknown, fact.Possible, "report this to mintmark: equal members should make equal files"
		f.Evidence = []string{"all members are equal"}
	}
	return f
}
