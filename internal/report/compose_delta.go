package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/ui"
)

// deltaSection compares each binary with that of the same profile, platform and
// name in the previous release.
func deltaSection(in Inputs) Section {
	s := Section{ID: "delta", Title: "What changed in size"}
	switch {
	case noSizes(in):
		s.NotMeasured = in.NotMeasured
		return s
	case in.Previous == nil:
		s.NotMeasured = "no earlier release was given to compare with (-against=DIR or its " + MeasurementsFile + ")"
		return s
	}
	all := in.Measurements.Sizes
	t := Table{Columns: []Column{{Title: "binary"}, {Title: "before", Kind: Number}, {Title: "now", Kind: Number}, {Title: "change", Kind: Number}, {Title: "relative", Kind: Number}}}
	found := map[*Sized]bool{}
	open := first(all)
	for at, b := range all {
		label := b.label(all)
		before := in.Previous.find(&b)
		switch {
		case before == nil:
			s.Notes = append(s.Notes, label+": is not in "+in.Previous.Version)
			continue
		case b.Summary == nil || before.Summary == nil:
			found[before] = true
			s.Notes = append(s.Notes, label+": not measured in both")
			continue
		}
		found[before] = true
		was, now := before.Summary, b.Summary
		t.Rows = append(t.Rows, []string{label, ui.FormatBytes(was.Size), ui.FormatBytes(now.Size), change(now.Size - was.Size), relative(was.Size, now.Size)})
		d := difference(before, &b)
		p := Part{Title: label + ": " + change(now.Size-was.Size), Open: at == open}
		if !d.importsKnown {
			s.Notes = append(s.Notes, label+": "+importsUnknown)
		}
		packages := Table{Title: "By package", Columns: []Column{{Title: "package"}, {Title: "cause"}, {Title: "before", Kind: Number}, {Title: "now", Kind: Number}, {Title: "change", Kind: Number}}}
		for i, c := range d.packages {
			if i == topPackages {
				break
			}
			packages.Rows = append(packages.Rows, []string{c.Name, c.Cause, ui.FormatBytes(c.Old), ui.FormatBytes(c.New), change(c.Grown())})
		}
		if len(d.packages) > 0 {
			p.Charts = []Chart{changeChart(d.causes)}
		}
		if len(d.packages)+len(d.imports) > 0 {
			p.Tables = append(p.Tables, d.byCause())
		}
		if len(d.packages) > 0 {
			p.Tables = append(p.Tables, packages)
		}
		if len(d.modules) > 0 {
			t := Table{Title: "By module", Columns: []Column{{Title: "module"}, {Title: "before"}, {Title: "now"}, {Title: "change", Kind: Number}}}
			for _, m := range d.modules {
				t.Rows = append(t.Rows, []string{m.path, cmp.Or(m.was, "–"), cmp.Or(m.now, "–"), change(m.grown)})
			}
			p.Tables = append(p.Tables, t)
		}
		s.Parts = append(s.Parts, p)
	}
	for i := range in.Previous.Sizes {
		if o := &in.Previous.Sizes[i]; !found[o] {
			s.Notes = append(s.Notes, o.label(in.Previous.Sizes)+": only in "+in.Previous.Version)
		}
	}
	s.Text = []string{"Against " + in.Previous.Project + " " + in.Previous.Version + ". A package that was moved counts as one lost and one gained."}
	if len(t.Rows) > 0 {
		s.Tables = []Table{t}
	}
	return s
}

// find is the binary of the same profile, platform and name; nil if there is none.
func (m *Measurements) find(b *Sized) *Sized {
	i := slices.IndexFunc(m.Sizes, func(o Sized) bool {
		return o.Profile == b.Profile && o.Platform == b.Platform && o.Name == b.Name
	})
	if i < 0 {
		return nil
	}
	return &m.Sizes[i]
}

func change(n int64) string {
	if n > 0 {
		return "+" + ui.FormatBytes(n)
	}
	return ui.FormatBytes(n)
}

func relative(was, now int64) string {
	if was == 0 {
		return "–"
	}
	return fmt.Sprintf("%+.2f %%", 100*float64(now-was)/float64(was))
}

type differing struct {
	causes, packages []sizes.Change // by how much they changed; none that did not
	modules          []moduleChange // of another version, added or removed, the toolchain first; sorted by path
	imports          []newImport
	importsKnown     bool // both have an import tree
}

const importsUnknown = "which imports are new is not known: the measurements of one of the releases do not have them"

// moduleChange is a module of which the two programs have different versions.
type moduleChange struct {
	path, was, now string // versions; "" for none
	grown          int64  // bytes of its packages
}

// byCause are the causes of change, each with the new imports behind it as sentences.
// An import that brought no bytes may have a cause with no change.
func (d *differing) byCause() Table {
	t := Table{Title: "By cause", Columns: []Column{{Title: "cause"}, {Title: "change", Kind: Number}, {Title: "imports that are new"}}}
	causes := slices.Clone(d.causes)
	for _, n := range d.imports {
		if !slices.ContainsFunc(causes, func(c sizes.Change) bool { return c.Name == n.cause }) {
			causes = append(causes, sizes.Change{Name: n.cause})
		}
	}
	for _, c := range causes {
		var imports []string
		for _, n := range d.imports {
			if n.cause == c.Name {
				imports = append(imports, n.String())
			}
		}
		t.Rows = append(t.Rows, []string{c.Name, change(c.Grown()), strings.Join(imports, "; ")})
	}
	if len(d.imports) == 0 {
		t.Columns = t.Columns[:2]
		for i := range t.Rows {
			t.Rows[i] = t.Rows[i][:2]
		}
	}
	return t
}

// place is where the bytes of a package belong.
type place struct {
	group, module, version string
	size                   int64
}

// versions are those of the dependencies of a program.
func versions(s *sizes.Summary) map[string]string {
	out := map[string]string{}
	for _, g := range s.Groups {
		for _, m := range g.Modules {
			if g.Name == sizes.GroupDependency {
				out[m.Path] = m.Version
			}
		}
	}
	return out
}

// difference compares two measured programs package by package.
func difference(before, after *Sized) differing {
	was, now := before.Summary, after.Summary
	sections := len(was.Sections)+len(now.Sections) > 0 // packages would be compared with nothing
	read := func(s *sizes.Summary) map[string]place {
		out := map[string]place{}
		if sections {
			return map[string]place{"": {group: sizes.GroupNone, size: s.Size}}
		}
		for _, g := range s.Groups {
			for _, m := range g.Modules {
				for _, p := range m.Packages {
					out[p.Path] = place{g.Name, m.Path, m.Version, out[p.Path].size + p.Size}
				}
			}
		}
		return out
	}
	old, young, oldVersions, youngVersions := read(was), read(now), versions(was), versions(now)
	cause := func(p place) string {
		if sections {
			return sizes.CauseUntold
		}
		switch p.group {
		case sizes.GroupOwn:
			return sizes.CauseOwn
		case sizes.GroupStd:
			if was.GoVersion != now.GoVersion && was.GoVersion != "" && now.GoVersion != "" {
				return sizes.CauseToolchain
			}
			return sizes.CauseStd
		case sizes.GroupC:
			return sizes.CauseC
		case sizes.GroupDependency:
			before, had := oldVersions[p.module]
			after, has := youngVersions[p.module]
			switch {
			case !had:
				return sizes.CauseAdded
			case !has:
				return sizes.CauseRemoved
			case before != after:
				return sizes.CauseUpgrade
			}
			return sizes.CauseDependency
		}
		return sizes.CauseShared
	}
	var d differing
	causes := map[string]*sizes.Change{}
	paths := map[string]bool{}
	for path := range old {
		paths[path] = true
	}
	for path := range young {
		paths[path] = true
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		p, ok := young[path]
		if !ok {
			p = old[path]
		}
		c := sizes.Change{Name: path, Group: p.group, Cause: cause(p), Old: old[path].size, New: young[path].size}
		if c.Old == c.New {
			continue
		}
		if path == "" {
			c.Name = sizes.GroupTitle(sizes.GroupNone)
		}
		d.packages = append(d.packages, c)
		if causes[c.Cause] == nil {
			causes[c.Cause] = &sizes.Change{Name: c.Cause, Group: c.Group}
		}
		causes[c.Cause].Old += c.Old
		causes[c.Cause].New += c.New
	}
	for _, name := range slices.Sorted(maps.Keys(causes)) {
		d.causes = append(d.causes, *causes[name])
	}
	for _, list := range [][]sizes.Change{d.causes, d.packages} {
		slices.SortStableFunc(list, func(a, b sizes.Change) int { return cmp.Compare(size(b.Grown()), size(a.Grown())) })
	}
	d.modules = changedModules(was, now, oldVersions, youngVersions)
	if d.importsKnown = len(before.Imports) > 0 && len(after.Imports) > 0; d.importsKnown {
		of := modules(now)
		d.imports = newImports(before, after, func(pkg string) string {
			p, ok := young[pkg]
			if !ok {
				group, mod := of.Of(pkg)
				p = place{group: group, module: mod.Path}
			}
			return cause(p)
		})
	}
	return d
}

// changedModules are the toolchain and the dependencies of which the two programs
// have different versions.
func changedModules(was, now *sizes.Summary, old, young map[string]string) []moduleChange {
	var out []moduleChange
	grown := func(group, path string) int64 {
		n := int64(0)
		for sign, s := range map[int64]*sizes.Summary{-1: was, 1: now} {
			for _, g := range s.Groups {
				for _, m := range g.Modules {
					if g.Name == group && m.Path == path {
						n += sign * m.Size
					}
				}
			}
		}
		return n
	}
	if was.GoVersion != now.GoVersion && was.GoVersion != "" && now.GoVersion != "" {
		out = append(out, moduleChange{"std", was.GoVersion, now.GoVersion, grown(sizes.GroupStd, "std")})
	}
	paths := map[string]bool{}
	for _, versions := range []map[string]string{old, young} {
		for path := range versions {
			paths[path] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if a, b := old[path], young[path]; a != b {
			out = append(out, moduleChange{path, a, b, grown(sizes.GroupDependency, path)})
		}
	}
	return out
}

func size(n int64) int64 { return max(n, -n) }

// changeChart draws what shrank to the left of a middle line and what grew to its right.
func changeChart(list []sizes.Change) Chart {
	c := Chart{Label: "Change in bytes by cause", Legend: []Key{{"less", "smaller"}, {"more", "larger"}}}
	var most int64 = 1
	for _, x := range list {
		most = max(most, size(x.Grown()))
	}
	for _, x := range list {
		n := x.Grown()
		part := 48 * float64(size(n)) / float64(most)
		m := Shape{Kind: "bar", Class: "more", From: 50, To: 50 + part, Title: x.Name + ": " + change(n)}
		if n < 0 {
			m.Class, m.From, m.To = "less", 50-part, 50
		}
		c.Strips = append(c.Strips, Strip{Name: x.Name, Value: change(n), Marks: []Shape{m}})
	}
	c.Ticks = []Tick{{50, "0"}}
	return c
}
