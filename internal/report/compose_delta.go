package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

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
	found := map[int]bool{}
	open := first(all)
	for at, b := range all {
		label := b.label(all)
		i := slices.IndexFunc(in.Previous.Sizes, func(o Sized) bool {
			return o.Profile == b.Profile && o.Platform == b.Platform && o.Name == b.Name
		})
		switch {
		case i < 0:
			s.Notes = append(s.Notes, label+": is not in "+in.Previous.Version)
			continue
		case b.Summary == nil || in.Previous.Sizes[i].Summary == nil:
			found[i] = true
			s.Notes = append(s.Notes, label+": not measured in both")
			continue
		}
		found[i] = true
		was, now := in.Previous.Sizes[i].Summary, b.Summary
		t.Rows = append(t.Rows, []string{label, ui.FormatBytes(was.Size), ui.FormatBytes(now.Size), change(now.Size - was.Size), relative(was.Size, now.Size)})
		d := difference(was, now)
		p := Part{Title: label + ": " + change(now.Size-was.Size), Open: at == open}
		causes := Table{Title: "By cause", Columns: []Column{{Title: "cause"}, {Title: "change", Kind: Number}}}
		for _, c := range d.causes {
			causes.Rows = append(causes.Rows, []string{c.Name, change(c.Grown())})
		}
		packages := Table{Title: "By package", Columns: []Column{{Title: "package"}, {Title: "cause"}, {Title: "before", Kind: Number}, {Title: "now", Kind: Number}, {Title: "change", Kind: Number}}}
		for i, c := range d.packages {
			if i == topPackages {
				break
			}
			packages.Rows = append(packages.Rows, []string{c.Name, c.Cause, ui.FormatBytes(c.Old), ui.FormatBytes(c.New), change(c.Grown())})
		}
		p.Tables = []Table{causes, packages}
		if len(d.packages) == 0 {
			p.Tables = nil
		} else {
			p.Charts = []Chart{changeChart(d.causes)}
		}
		s.Parts = append(s.Parts, p)
	}
	for i, o := range in.Previous.Sizes {
		if !found[i] {
			s.Notes = append(s.Notes, o.label(in.Previous.Sizes)+": only in "+in.Previous.Version)
		}
	}
	s.Text = []string{"Against " + in.Previous.Project + " " + in.Previous.Version + ". A package that was moved counts as one lost and one gained."}
	if len(t.Rows) > 0 {
		s.Tables = []Table{t}
	}
	return s
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
}

// difference compares two summaries package by package.
func difference(was, now *sizes.Summary) differing {
	type place struct {
		group, module, version string
		size                   int64
	}
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
	versions := func(s *sizes.Summary) map[string]string {
		out := map[string]string{}
		for _, g := range s.Groups {
			for _, m := range g.Modules {
				out[m.Path] = m.Version
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
	return d
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
