package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/ui"
)

const (
	timeID    = "time"
	timeTitle = "Where build time went"
)

// timeSection is what the builds took, where somebody asked for it.
func timeSection(in Inputs) Section {
	var now, was []BuildTime
	since := ""
	if in.Measurements == nil {
		return Section{ID: timeID, Title: timeTitle, NotMeasured: in.NotMeasured}
	}
	now = in.Measurements.BuildTime
	if in.Previous != nil {
		was, since = in.Previous.BuildTime, in.Previous.Version
	}
	return ComposeTime(now, was, since)
}

// ComposeTime is the section of a page about what builds took; was are those of an
// earlier release, of the version since.
func ComposeTime(builds, was []BuildTime, since string) Section {
	s := Section{ID: timeID, Title: timeTitle}
	if len(builds) == 0 {
		s.NotMeasured = "nobody asked for it (release -time): times are of one machine and one moment"
		return s
	}
	t := Table{Columns: []Column{{Title: "build"}, {Title: "elapsed", Kind: Number}, {Title: "CPU of tools", Kind: Number}, {Title: "of the go command", Kind: Number}, {Title: "compiled", Kind: Number}, {Title: "cached", Kind: Number}, {Title: "their last compiles", Kind: Number}, {Title: "linked", Kind: Number}, {Title: "critical path", Kind: Number}}}
	open := firstTime(builds)
	for i := range builds {
		b := &builds[i]
		label := b.label(builds)
		if b.Times == nil {
			s.Notes = append(s.Notes, label+": not measured: "+b.NotMeasured)
			continue
		}
		ran, cached := b.counts()
		own := "–"
		if b.Command > b.CPU { // else the go command was not alone, or is not known
			own = ui.FormatDuration(b.Command - b.CPU)
		}
		t.Rows = append(t.Rows, []string{label, ui.FormatDuration(b.Elapsed), ui.FormatDuration(b.CPU), own, fmt.Sprint(ran), fmt.Sprint(cached), b.spared(), b.linked(), ui.FormatDuration(b.CriticalPath.CPU)})
		s.Parts = append(s.Parts, b.part(label, i == open))
		if d, ok := b.delta(was, since, label); ok {
			d.Open = i == open
			s.Parts = append(s.Parts, d)
		}
	}
	if len(t.Rows) == 0 {
		s.NotMeasured = "no build has times"
		return s
	}
	s.Text = []string{
		"User and system time of the tools, as the go command accounts for it: one figure for all that ran in one action, such as compiler and assembler. Elapsed is from the first action to the last, on a machine that others may have used as well. The critical path is the chain of actions that took the most CPU of all in which each had to wait for the one before.",
		"A cached package was not compiled in this build: it cost nothing now and something before. What a change compiles is what depends on the package, directly or not, at most: where the change leaves a package's output as it was, nothing behind it is compiled.",
	}
	s.Tables = []Table{t}
	return s
}

// firstTime is the build that is shown in full: the first of linux/amd64, else of all.
func firstTime(all []BuildTime) int {
	best := -1
	for i, b := range all {
		if b.Times != nil && (best < 0 || all[best].Platform != "linux/amd64" && b.Platform == "linux/amd64") {
			best = i
		}
	}
	return best
}

func (b *BuildTime) counts() (ran, cached int) {
	for _, p := range b.Packages {
		if p.Ran {
			ran++
		} else {
			cached++
		}
	}
	return ran, cached
}

// spared is what the cached packages cost when they were compiled.
func (b *BuildTime) spared() string {
	_, cached := b.counts()
	switch {
	case cached == 0:
		return "–"
	case b.CachedUnknown == cached:
		return "not known"
	case b.CachedUnknown > 0:
		return fmt.Sprintf("%s, not known of %d", ui.FormatDuration(b.CachedCost.CPU), b.CachedUnknown)
	}
	return ui.FormatDuration(b.CachedCost.CPU)
}

// linked is how many binaries were linked; one that an earlier build had linked of the
// same things was not.
func (b *BuildTime) linked() string {
	if b.LinksKept == 0 {
		return fmt.Sprint(b.Links)
	}
	return fmt.Sprintf("%d, %d kept", b.Links, b.LinksKept)
}

// took is the cost of a package for people: a cached one did not cost nothing.
func took(p *actions.PackageTime) string {
	switch {
	case p.Ran:
		return ui.FormatDuration(p.CPU)
	case p.Known:
		return "cached (" + ui.FormatDuration(p.CPU) + ")"
	}
	return "cached"
}

// fan is what a change compiles and costs.
func fan(f *actions.FanOut) (what, cpu string) {
	what = fact.Count(f.Packages, "package")
	if f.Links > 0 {
		what += ", " + fact.Count(f.Links, "link")
	}
	switch {
	case f.Unknown == f.Packages+f.Links:
		return what, "not known"
	case f.Unknown > 0:
		return what, fmt.Sprintf("%s, not known of %d", ui.FormatDuration(f.CPU), f.Unknown)
	}
	return what, ui.FormatDuration(f.CPU)
}

// part is all about one build.
func (b *BuildTime) part(label string, open bool) Part {
	p := Part{Title: label, Open: open}
	p.Tables = append(p.Tables, b.byTools(), b.byModule(), b.byPackage(), b.changing(), pathTable("Critical path, by CPU", b.CriticalPath, b.CPU))
	if b.PathOfAll != nil {
		p.Tables = append(p.Tables, pathTable("Critical path with nothing cached, by the last compiles", *b.PathOfAll, b.CPU+b.CachedCost.CPU))
	}
	if b.CPU == 0 || b.Elapsed == 0 {
		return p
	}
	x := b.summary()
	p.Charts = append(p.Charts, b.timeline(label))
	p.Charts = append(p.Charts, Chart{Label: "Treemap of CPU, " + label, Treemap: treemapOf(x, label, sizes.Unit{
		Whole: func(n int64) string { return ui.FormatDuration(time.Duration(n)) + " of CPU" },
		Short: func(n int64) string { return ui.FormatDuration(time.Duration(n)) },
	})})
	return p
}

func share(n, of time.Duration) string { return percentOf(int64(n), int64(of)) }

// byTools is what ran, by which tools ran together.
func (b *BuildTime) byTools() Table {
	t := Table{Title: "By tools", Columns: []Column{{Title: "tools"}, {Title: "actions", Kind: Number}, {Title: "CPU", Kind: Number}, {Title: "share", Kind: Number}, {Title: "wall", Kind: Number}}}
	type row struct {
		kind string
		n    int
		actions.Cost
	}
	var rows []*row
	by := map[string]*row{}
	for i := range b.Steps {
		s := &b.Steps[i]
		r := by[s.Kind()]
		if r == nil {
			r = &row{kind: s.Kind()}
			by[r.kind], rows = r, append(rows, r)
		}
		r.n++
		r.CPU += s.CPU
		r.Wall += s.Wall
	}
	slices.SortFunc(rows, func(x, y *row) int { return cmp.Or(cmp.Compare(y.CPU, x.CPU), strings.Compare(x.kind, y.kind)) })
	for _, r := range rows {
		t.Rows = append(t.Rows, []string{r.kind, fmt.Sprint(r.n), ui.FormatDuration(r.CPU), share(r.CPU, b.CPU), ui.FormatDuration(r.Wall)})
	}
	return t
}

// byModule is what compiles took by whose packages they are.
func (b *BuildTime) byModule() Table {
	t := Table{Title: "Compiles by module", Columns: []Column{{Title: "module"}, {Title: "compiled", Kind: Number}, {Title: "cached", Kind: Number}, {Title: "CPU", Kind: Number}, {Title: "share", Kind: Number}, {Title: "wall", Kind: Number}, {Title: "last compiles of the cached", Kind: Number}}}
	type row struct {
		BuildTime
		name string
	}
	by := map[string]*actions.PackageTime{}
	for i := range b.Packages {
		by[b.Packages[i].Package] = &b.Packages[i]
	}
	var rows []row
	for _, m := range b.Modules {
		r := row{BuildTime{Times: &actions.Times{}}, strings.TrimSpace(m.Path + " " + m.Version)}
		if m.Group == sizes.GroupStd {
			r.name = sizes.GroupTitle(m.Group)
		}
		for _, path := range m.Packages {
			p := by[path]
			if p == nil {
				continue
			}
			r.Packages = append(r.Packages, *p)
			switch {
			case p.Ran:
				r.CPU += p.CPU
				r.Wall += p.Wall
			case p.Known:
				r.CachedCost.CPU += p.CPU
			default:
				r.CachedUnknown++
			}
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(x, y row) int {
		return cmp.Or(cmp.Compare(y.CPU, x.CPU), cmp.Compare(y.CachedCost.CPU, x.CachedCost.CPU))
	})
	for i, r := range rows {
		if i == topPackages {
			t.Rows = append(t.Rows, []string{fmt.Sprintf("%d other modules", len(rows)-i)})
			break
		}
		ran, cached := r.counts()
		t.Rows = append(t.Rows, []string{r.name, fmt.Sprint(ran), fmt.Sprint(cached), ranOnly(ran, r.CPU), ranShare(ran, r.CPU, b.CPU), ranOnly(ran, r.Wall), r.spared()})
	}
	for i := range t.Rows {
		for len(t.Rows[i]) < len(t.Columns) {
			t.Rows[i] = append(t.Rows[i], "")
		}
	}
	return t
}

// ranOnly says a time of so many that ran: of none there is nothing to say.
func ranOnly(ran int, d time.Duration) string {
	if ran == 0 {
		return "–"
	}
	return ui.FormatDuration(d)
}

func ranShare(ran int, d, of time.Duration) string {
	if ran == 0 {
		return "–"
	}
	return share(d, of)
}

// byPackage is the packages that took the most CPU now, then those that did before.
func (b *BuildTime) byPackage() Table {
	t := Table{Title: "Compiles by package", Columns: []Column{{Title: "package"}, {Title: "module"}, {Title: "CPU", Kind: Number}, {Title: "share", Kind: Number}, {Title: "wall", Kind: Number}}}
	owner := b.owner()
	list := slices.Clone(b.Packages)
	slices.SortStableFunc(list, func(x, y actions.PackageTime) int {
		return cmp.Or(-compareBool(x.Ran, y.Ran), cmp.Compare(y.CPU, x.CPU))
	})
	for i := range list {
		p := &list[i]
		if i == topPackages {
			ran, cached := (&BuildTime{Times: &actions.Times{Packages: list[i:]}}).counts()
			var rest time.Duration
			for _, q := range list[i:] {
				if q.Ran {
					rest += q.CPU
				}
			}
			name := fmt.Sprintf("%d others", ran+cached)
			if cached > 0 {
				name += fmt.Sprintf(", of them %d cached", cached)
			}
			t.Rows = append(t.Rows, []string{name, "", ranOnly(ran, rest), ranShare(ran, rest, b.CPU), ""})
			break
		}
		row := []string{p.Package, module(owner, p.Package), took(p), "–", "–"}
		if p.Ran {
			row[3], row[4] = share(p.CPU, b.CPU), ui.FormatDuration(p.Wall)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return 1
	}
	return -1
}

// module is whose a package is, in short.
func module(owner map[string]*BuildModule, pkg string) string {
	switch o := owner[pkg]; {
	case o == nil:
		return ""
	case o.Group == sizes.GroupStd || o.Group == sizes.GroupOwn:
		return sizes.GroupTitle(o.Group)
	default:
		return o.Path
	}
}

// changing is what a change compiles, of the packages that the authors can change, then
// of those that they can upgrade: the most expensive first.
func (b *BuildTime) changing() Table {
	t := Table{Title: "What a change compiles at most", Columns: []Column{{Title: "changed package"}, {Title: "module"}, {Title: "compiles"}, {Title: "CPU", Kind: Number}}}
	owner := b.owner()
	var list []actions.PackageTime
	for _, p := range b.Packages {
		if o := owner[p.Package]; o != nil && (o.Group == sizes.GroupOwn || o.Group == sizes.GroupDependency) {
			list = append(list, p)
		}
	}
	own := func(p *actions.PackageTime) bool { return owner[p.Package].Group == sizes.GroupOwn }
	slices.SortStableFunc(list, func(x, y actions.PackageTime) int {
		return cmp.Or(-compareBool(own(&x), own(&y)), cmp.Compare(y.FanOut.CPU, x.FanOut.CPU), cmp.Compare(y.FanOut.Packages, x.FanOut.Packages))
	})
	const most = 10 // of the authors' own
	named, others := 0, 0
	for i := range list {
		if len(t.Rows) == topPackages || own(&list[i]) && named == most {
			others++
			continue
		}
		if own(&list[i]) {
			named++
		}
		what, cpu := fan(&list[i].FanOut)
		t.Rows = append(t.Rows, []string{list[i].Package, module(owner, list[i].Package), what, cpu})
	}
	if others > 0 {
		t.Rows = append(t.Rows, []string{fmt.Sprintf("%d other packages", others), "", "", ""})
	}
	return t
}

func pathTable(title string, p actions.Path, of time.Duration) Table {
	t := Table{Title: title, Columns: []Column{{Title: "one after the other"}, {Title: "CPU", Kind: Number}, {Title: "of all CPU", Kind: Number}, {Title: "wall", Kind: Number}}}
	for _, s := range p.Steps {
		name := s.Package
		if s.Link {
			name = "link of " + name
		}
		wall := "–"
		if s.Wall > 0 {
			wall = ui.FormatDuration(s.Wall)
		}
		t.Rows = append(t.Rows, []string{name, ui.FormatDuration(s.CPU), share(s.CPU, of), wall})
	}
	t.Rows = append(t.Rows, []string{"all of it", ui.FormatDuration(p.CPU), share(p.CPU, of), ui.FormatDuration(p.Wall)})
	return t
}

// timeline shows when what ran: a strip for each action that ran at a time.
func (b *BuildTime) timeline(label string) Chart {
	const least = 0.2 // percent: what is narrower is not seen
	c := Chart{Label: "What ran when, " + label}
	owner := b.owner()
	lane, n := lanes(b.Steps)
	c.Strips = make([]Strip, n)
	busy := make([]time.Duration, n)
	used := map[string]bool{}
	for i := range b.Steps {
		s := &b.Steps[i]
		busy[lane[i]] += s.Wall
		group := sizes.GroupNone
		if o := owner[s.Package]; o != nil && !s.Link {
			group = o.Group
		}
		used[group] = true
		from, to := 100*float64(s.Start)/float64(b.Elapsed), 100*float64(s.Start+s.Wall)/float64(b.Elapsed)
		if to-from < least {
			continue
		}
		c.Strips[lane[i]].Marks = append(c.Strips[lane[i]].Marks, Shape{Kind: "bar", Class: group, From: from, To: to,
			Title: fmt.Sprintf("%s: %s, %s of CPU, from %s", strings.TrimSpace(s.Package+" "+s.Kind()), ui.FormatDuration(s.Wall), ui.FormatDuration(s.CPU), ui.FormatDuration(s.Start))})
	}
	for i := range c.Strips {
		c.Strips[i].Name, c.Strips[i].Value = fmt.Sprintf("%d at a time", i+1), "busy "+share(busy[i], b.Elapsed)
	}
	for _, g := range sizes.Groups() {
		switch {
		case !used[g]:
		case g == sizes.GroupNone:
			c.Legend = append(c.Legend, Key{g, "links, and what is of no package"})
		default:
			c.Legend = append(c.Legend, Key{g, sizes.GroupTitle(g)})
		}
	}
	for i := range 5 {
		c.Ticks = append(c.Ticks, Tick{25 * float64(i), ui.FormatDuration(b.Elapsed * time.Duration(i) / 4)})
	}
	return c
}

// delta is what changed against the same build of an earlier release: the packages whose
// compiles had other inputs, by their action IDs.
func (b *BuildTime) delta(was []BuildTime, since, label string) (Part, bool) {
	i := slices.IndexFunc(was, func(o BuildTime) bool {
		return o.Profile == b.Profile && o.Platform == b.Platform && o.By == b.By && o.Times != nil
	})
	if i < 0 {
		return Part{}, false
	}
	old := map[string]*actions.PackageTime{}
	for k := range was[i].Packages {
		old[was[i].Packages[k].Package] = &was[i].Packages[k]
	}
	type row struct {
		name     string
		was, now *actions.PackageTime
	}
	var rows []row
	var same []float64 // now ÷ before, of those that were compiled of the same inputs both times
	equal := 0
	for k := range b.Packages {
		p := &b.Packages[k]
		o := old[p.Package]
		delete(old, p.Package)
		if o != nil && o.Action != "" && o.Action == p.Action {
			equal++
			if o.Ran && p.Ran && o.CPU > 0 && p.CPU > 0 {
				same = append(same, float64(p.CPU)/float64(o.CPU))
			}
			continue
		}
		rows = append(rows, row{p.Package, o, p})
	}
	for name, o := range old {
		rows = append(rows, row{name, o, nil})
	}
	cost := func(p *actions.PackageTime) time.Duration {
		if p == nil {
			return 0
		}
		return p.CPU
	}
	slices.SortFunc(rows, func(x, y row) int {
		return cmp.Or(cmp.Compare((cost(y.now)-cost(y.was)).Abs(), (cost(x.now)-cost(x.was)).Abs()), strings.Compare(x.name, y.name))
	})
	p := Part{Title: fmt.Sprintf("%s, since %s: %s with other inputs, new or gone; %d as before", label, since, fact.Count(len(rows), "package"), equal)}
	t := Table{Title: "Compiles with other inputs", Columns: []Column{{Title: "package"}, {Title: "in " + since, Kind: Number}, {Title: "now", Kind: Number}, {Title: "change", Kind: Number}}}
	for k, r := range rows {
		if k == topPackages {
			t.Rows = append(t.Rows, []string{fmt.Sprintf("%d other packages", len(rows)-k), "", "", ""})
			break
		}
		line := []string{r.name, "not in it", "not in it", ""}
		if r.was != nil {
			line[1] = took(r.was)
		}
		if r.now != nil {
			line[2] = took(r.now)
		}
		if (r.was == nil || r.was.Known) && (r.now == nil || r.now.Known) {
			d := cost(r.now) - cost(r.was)
			line[3] = ui.FormatDuration(d)
			if d > 0 {
				line[3] = "+" + line[3]
			}
		}
		t.Rows = append(t.Rows, line)
	}
	p.Tables = append(p.Tables, t)
	pace := Table{Columns: []Column{{Title: "how the two runs compare"}, {Title: "", Kind: Number}}}
	pace.Rows = append(pace.Rows, []string{"packages compiled of the same inputs in both", fmt.Sprint(len(same))})
	if len(same) > 0 {
		slices.Sort(same)
		pace.Rows = append(pace.Rows, []string{"CPU of the median one, now ÷ before", fmt.Sprintf("×%.2f", same[len(same)/2])})
	}
	p.Tables = append(p.Tables, pace)
	return p, true
}
