package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/ui"
)

// topPackages is how many packages a table names.
const topPackages = 15

func percentOf(n, of int64) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// name is how a binary is called in tables: its platform, with what else is
// needed to tell it from the others.
func (s *Sized) label(all []Sized) string {
	profile, name := false, false
	for _, o := range all {
		profile = profile || o.Profile != s.Profile
		name = name || o.Platform == s.Platform && o.Profile == s.Profile && o.Name != s.Name
	}
	parts := []string{s.Platform}
	if profile {
		parts = append([]string{s.Profile}, parts...)
	}
	if name {
		parts = append(parts, s.Name)
	}
	return strings.Join(parts, " ")
}

// noSizes: the release has none, whatever else was measured of it.
func noSizes(in Inputs) bool {
	return in.Measurements == nil || len(in.Measurements.Sizes) == 0 && in.NotMeasured != ""
}

func sizesSection(in Inputs) Section {
	s := Section{ID: "sizes", Title: "What the binaries are made of"}
	if noSizes(in) {
		s.NotMeasured = in.NotMeasured
		return s
	}
	all := in.Measurements.Sizes
	t := Table{Columns: []Column{{Title: "binary"}, {Title: "size", Kind: Number}, {Title: "own", Kind: Number}, {Title: "dependencies", Kind: Number}, {Title: "std", Kind: Number}, {Title: "C", Kind: Number}, {Title: "none", Kind: Number},
		{Title: "exact", Kind: Number}, {Title: "inferred", Kind: Number}, {Title: "shared", Kind: Number}}}
	stack := Chart{Label: "Bytes of each binary by origin"}
	for _, g := range sizes.Groups() {
		stack.Legend = append(stack.Legend, Key{g, sizes.GroupTitle(g)})
	}
	var largest int64
	for _, b := range all {
		if b.Summary != nil {
			largest = max(largest, b.Summary.Size)
		}
	}
	open := first(all)
	for i, b := range all {
		x, label := b.Summary, b.label(all)
		if x == nil {
			s.Notes = append(s.Notes, label+": not measured: "+b.NotMeasured)
			continue
		}
		by := map[string]int64{}
		for _, g := range x.Groups {
			by[g.Name] = g.Size
		}
		t.Rows = append(t.Rows, []string{label, ui.FormatBytes(x.Size), ui.FormatBytes(by[sizes.GroupOwn]), ui.FormatBytes(by[sizes.GroupDependency]), ui.FormatBytes(by[sizes.GroupStd]), ui.FormatBytes(by[sizes.GroupC]), ui.FormatBytes(by[sizes.GroupNone]),
			percentOf(x.Totals.Exact, x.Size), percentOf(x.Totals.Inferred, x.Size), percentOf(x.Totals.Shared, x.Size)})
		strip := Strip{Name: label, Value: ui.FormatBytes(x.Size)}
		at := int64(0)
		for _, g := range sizes.Groups() {
			if by[g] > 0 {
				strip.Marks = append(strip.Marks, Shape{Kind: "bar", Class: g, From: 100 * float64(at) / float64(largest), To: 100 * float64(at+by[g]) / float64(largest),
					Title: fmt.Sprintf("%s: %s (%s)", sizes.GroupTitle(g), ui.FormatBytes(by[g]), percentOf(by[g], x.Size))})
			}
			at += by[g]
		}
		stack.Strips = append(stack.Strips, strip)
		s.Parts = append(s.Parts, Part{Title: label + partsOf(x), Open: i == open, Tables: []Table{packagesTable(x)}, Charts: []Chart{{Label: "Treemap of " + label, Treemap: treemap(x, label)}}})
		for _, n := range x.Notes {
			s.Notes = append(s.Notes, label+": "+n)
		}
	}
	if len(t.Rows) == 0 {
		s.NotMeasured = "no linked binary could be analysed"
		return s
	}
	s.Text = []string{"Bytes of the linked files, before packing and archiving. Every byte is counted once: exact means that the file itself or a symbol table says whose it is, inferred that only one package refers to it, shared that several do or nobody was found. Of stripped files data is inferred."}
	s.Charts, s.Tables = []Chart{stack}, []Table{t}
	return s
}

// first is the binary that is shown in full: that of linux/amd64, which most
// people can compare with others, else the first that was measured.
func first(all []Sized) int {
	best := -1
	for i, b := range all {
		if b.Summary != nil && (best < 0 || all[best].Platform != "linux/amd64" && b.Platform == "linux/amd64") {
			best = i
		}
	}
	return best
}

func packagesTable(x *sizes.Summary) Table {
	t := Table{Columns: []Column{{Title: "package"}, {Title: "origin"}, {Title: "size", Kind: Number}, {Title: "share", Kind: Number}}}
	type row struct {
		group, path string
		size        int64
	}
	var rows []row
	var rest int64
	if len(x.Sections) > 0 { // no packages are known
		t.Columns[0].Title, t.Columns[1].Title = "section", "kind"
		for i, a := range x.Sections {
			if i == topPackages {
				break
			}
			t.Rows = append(t.Rows, []string{a.Name, a.Kind, ui.FormatBytes(a.Size), percentOf(a.Size, x.Size)})
		}
		if n := len(x.Sections) - len(t.Rows); n > 0 {
			for _, a := range x.Sections[len(t.Rows):] {
				rest += a.Size
			}
			t.Rows = append(t.Rows, []string{fmt.Sprintf("%d other sections", n), "", ui.FormatBytes(rest), percentOf(rest, x.Size)})
		}
		return t
	}
	for _, g := range x.Groups {
		for _, m := range g.Modules {
			for _, p := range m.Packages {
				if p.Path == "" {
					continue
				}
				rows = append(rows, row{g.Name, p.Path, p.Size})
				rest += p.Size
			}
		}
	}
	// Own code and dependencies first: of these the authors can decide, and beside a
	// standard library they are soon too small to be among the largest.
	const most = 5 // of each
	order := sizes.Groups()
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(min(slices.Index(order, a.group), 2), min(slices.Index(order, b.group), 2)), cmp.Compare(b.size, a.size), cmp.Compare(a.path, b.path))
	})
	named := map[string]int{}
	for _, r := range rows {
		if len(t.Rows) == topPackages || named[r.group] == most && (r.group == sizes.GroupOwn || r.group == sizes.GroupDependency) {
			continue
		}
		named[r.group]++
		rest -= r.size
		t.Rows = append(t.Rows, []string{r.path, sizes.GroupTitle(r.group), ui.FormatBytes(r.size), percentOf(r.size, x.Size)})
	}
	if others := len(rows) - len(t.Rows); others > 0 {
		t.Rows = append(t.Rows, []string{fmt.Sprintf("%d other packages", others), "", ui.FormatBytes(rest), percentOf(rest, x.Size)})
	}
	for _, g := range x.Groups {
		if g.Name == sizes.GroupNone {
			t.Rows = append(t.Rows, []string{"no single package", "", ui.FormatBytes(g.Size), percentOf(g.Size, x.Size)})
		}
	}
	return t
}

// partsOf is what the bytes of a binary are told apart by.
func partsOf(x *sizes.Summary) string {
	if len(x.Sections) > 0 {
		return " by section"
	}
	return " by package"
}

// treemap draws a summary with texts that are safe in a line.
func treemap(x *sizes.Summary, label string) string {
	return sizes.TreemapSVG(cleaned(x, label))
}

// treemapOf is the same of another amount.
func treemapOf(x *sizes.Summary, label string, unit sizes.Unit) string {
	return sizes.TreemapOf(cleaned(x, label), unit)
}

// cleaned is a summary with texts that are safe in a line.
func cleaned(x *sizes.Summary, label string) *sizes.Summary {
	c := *x
	c.File = ui.CleanLine(label)
	c.Groups = slices.Clone(c.Groups)
	for i := range c.Groups {
		g := &c.Groups[i]
		g.Modules = slices.Clone(g.Modules)
		for j := range g.Modules {
			m := &g.Modules[j]
			m.Path, m.Version = ui.CleanLine(m.Path), ui.CleanLine(m.Version)
			m.Packages = slices.Clone(m.Packages)
			for k := range m.Packages {
				p := &m.Packages[k]
				p.Path = ui.CleanLine(p.Path)
				p.Kinds = slices.Clone(p.Kinds)
				for l := range p.Kinds {
					p.Kinds[l].Name = ui.CleanLine(p.Kinds[l].Name)
				}
			}
		}
	}
	c.Embedded = slices.Clone(c.Embedded)
	for i := range c.Embedded {
		f := &c.Embedded[i]
		f.Name, f.Package = ui.CleanLine(f.Name), ui.CleanLine(f.Package)
	}
	return &c
}
