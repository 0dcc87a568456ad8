package sizes

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode/utf8"
)

// Treemap sizes, in CSS pixels of the SVG's own coordinates.
const (
	treemapWidth  = 960
	treemapHeight = 600
	treemapBar    = 18 // title of a group or module
)

// TreemapSVG draws a summary as a treemap: groups, in them modules, in them
// packages, in them embedded files; areas are bytes. What its authors chose comes
// first: their own code, then what it depends on, then the standard library. No two
// names in it are the same, however short. It is one <svg> element to be put inline
// into HTML, with a style of its own for light and dark, no script and nothing from
// elsewhere. The same summary gives the same text.
func TreemapSVG(s *Summary) string {
	return TreemapOf(s, Unit{
		Whole: func(n int64) string { return fmt.Sprintf("%d bytes", n) },
		Short: size,
	})
}

// Unit says amounts of what a treemap is of.
type Unit struct {
	Whole func(int64) string // where there is room
	Short func(int64) string // in the drawing
}

// TreemapOf is [TreemapSVG] of another amount than bytes, which stands in the place of
// the sizes.
func TreemapOf(s *Summary, unit Unit) string {
	t := &treemap{total: s.Size, unit: unit}
	fmt.Fprintf(&t.b, `<svg class="treemap" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s" font-family="system-ui,sans-serif" font-size="11">`,
		treemapWidth, treemapHeight, escaped(fmt.Sprintf("Treemap of %s, %s", s.File, unit.Whole(s.Size))))
	t.b.WriteString(`<style>.treemap{width:100%;height:auto;background:#fff;color:#1c1e21}.treemap rect{stroke:#fff;stroke-width:1}.treemap text{fill:#15181b;pointer-events:none}` +
		`.treemap .own{fill:#7fb0e6}.treemap .dependency{fill:#f2bf7c}.treemap .std{fill:#a9cfa4}.treemap .cgo{fill:#c9b3e0}.treemap .none{fill:#cfd2d6}.treemap .frame{fill:none;stroke:#55595f;stroke-width:1.2}` +
		`@media (prefers-color-scheme:dark){.treemap{background:#16181b;color:#e8eaed}.treemap rect{stroke:#16181b}.treemap text{fill:#f1f3f5}.treemap .own{fill:#2b5c93}.treemap .dependency{fill:#8a5a17}.treemap .std{fill:#356a30}.treemap .cgo{fill:#5d4680}.treemap .none{fill:#4a4e54}.treemap .frame{stroke:#9aa0a6}}</style>`)
	// Two halves: what its authors chose, and what every program has.
	chosen, common := item{}, item{}
	for _, name := range Groups() {
		i := slices.IndexFunc(s.Groups, func(g Group) bool { return g.Name == name })
		if i < 0 {
			continue
		}
		half := &chosen
		if name == GroupStd || name == GroupNone {
			half = &common
		}
		half.parts = append(half.parts, item{name: GroupTitle(name), size: s.Groups[i].Size, group: name, parts: moduleItems(s.Groups[i], s.Embedded)})
		half.size += s.Groups[i].Size
	}
	t.names(append(slices.Clone(chosen.parts), common.parts...))
	line([]item{chosen, common}, rect{0, 0, treemapWidth, treemapHeight}, func(half item, r rect) {
		line(half.parts, r, func(it item, r rect) { t.box(it, r) })
	})
	t.b.WriteString("</svg>")
	return t.b.String()
}

// line lays items side by side, in their order, along the longer side of r.
func line(items []item, r rect, draw func(item, rect)) {
	var total int64
	for _, it := range items {
		total += it.size
	}
	if total <= 0 {
		return
	}
	at := 0.0
	for _, it := range items {
		part := float64(it.size) / float64(total)
		if r.w >= r.h {
			draw(it, rect{r.x + at*r.w, r.y, part * r.w, r.h})
		} else {
			draw(it, rect{r.x, r.y + at*r.h, r.w, part * r.h})
		}
		at += part
	}
}

func moduleItems(g Group, embedded []Amount) []item {
	var out []item
	for _, m := range g.Modules {
		it := item{name: m.Path, version: m.Version, size: m.Size, group: g.Name}
		if g.Name == GroupNone { // kinds, since there are no packages
			for _, p := range m.Packages {
				for _, k := range p.Kinds {
					it.parts = append(it.parts, item{name: k.Name, size: k.Size, group: g.Name})
				}
			}
			out = append(out, it.parts...)
			continue
		}
		for _, p := range m.Packages {
			it.parts = append(it.parts, item{name: p.Path, size: p.Size, group: g.Name, parts: fileItems(p, g.Name, embedded)})
		}
		if len(g.Modules) == 1 && g.Name != GroupDependency {
			return it.parts
		}
		if len(it.parts) == 1 {
			it.parts = it.parts[0].parts
		}
		out = append(out, it)
	}
	return out
}

// fileItems are the embedded files of a package and the rest of it; nil when there
// are none. The small files are one item.
func fileItems(p Package, group string, embedded []Amount) (out []item) {
	const most = 24
	rest, others := p.Size, int64(0)
	for _, f := range embedded { // by size
		if f.Package != p.Path {
			continue
		}
		rest -= f.Size
		if len(out) == most {
			others += f.Size
			continue
		}
		out = append(out, item{name: f.Name, size: f.Size, group: group})
	}
	if len(out) == 0 {
		return nil
	}
	for _, it := range []item{{name: "other embedded files", size: others, group: group}, {name: "code and other data", size: rest, group: group}} {
		if it.size > 0 {
			out = append(out, it)
		}
	}
	slices.SortStableFunc(out, func(a, b item) int { return cmp.Compare(b.size, a.size) })
	return out
}

// escaped is a text for an element or a quoted attribute. The plus is for readers that
// take what the drawing is put into for UTF-7.
func escaped(text string) string { return strings.ReplaceAll(html.EscapeString(text), "+", "&#43;") }

type item struct {
	name, version, group string
	size                 int64
	parts                []item
}

// title is the whole name.
func (it *item) title() string { return strings.TrimSpace(it.name + " " + it.version) }

type rect struct{ x, y, w, h float64 }

type treemap struct {
	b     strings.Builder
	total int64
	unit  Unit
	short map[string]string // name → the end of it that no other name has
}

// names finds a short name for each path: as many of its last elements as it takes
// to tell it from all others. A path that is itself the end of another stays whole.
func (t *treemap) names(items []item) {
	t.short = map[string]string{}
	var walk func(items []item)
	walk = func(items []item) {
		for _, it := range items {
			t.short[it.name] = it.name
			walk(it.parts)
		}
	}
	walk(items)
	ends := map[string]int{}
	for name := range t.short {
		for end := name; ; {
			ends[end]++
			_, after, ok := strings.Cut(end, "/")
			if !ok {
				break
			}
			end = after
		}
	}
	for name := range t.short {
		for i := strings.LastIndexByte(name, '/'); i >= 0; i = strings.LastIndexByte(name[:i], '/') {
			if end := name[i+1:]; ends[end] == 1 && !majorVersion(end) {
				t.short[name] = end
				break
			}
		}
	}
}

// majorVersion reports whether the last element of a path says nothing but which
// version of a module it is.
func majorVersion(end string) bool {
	return len(end) > 1 && end[0] == 'v' && strings.Trim(end[1:], "0123456789") == ""
}

// draw lays items out in r by the squarified algorithm (Bruls, Huizing, van
// Wijk: Squarified Treemaps, 2000): rows along the shorter side, each filled as
// long as its worst aspect ratio gets better. Items are sorted by size, the
// largest first.
func (t *treemap) draw(items []item, r rect) {
	var total int64
	for _, it := range items {
		total += it.size
	}
	if total <= 0 || r.w < 1 || r.h < 1 {
		return
	}
	scale := r.w * r.h / float64(total) // area of a byte
	for len(items) > 0 {
		side := min(r.w, r.h)
		if side < 0.5 {
			return
		}
		n, sum, best := 0, 0.0, 0.0
		for n < len(items) {
			a := float64(items[n].size) * scale
			worst := aspect(float64(items[0].size)*scale, a, sum+a, side)
			if n > 0 && worst > best {
				break
			}
			best, sum = worst, sum+a
			n++
		}
		thick, at := sum/side, 0.0
		for _, it := range items[:n] {
			length := float64(it.size) * scale / thick
			c := rect{r.x + at, r.y, length, thick}
			if r.w >= r.h {
				c = rect{r.x, r.y + at, thick, length}
			}
			t.box(it, c)
			at += length
		}
		if r.w >= r.h {
			r.x, r.w = r.x+thick, r.w-thick
		} else {
			r.y, r.h = r.y+thick, r.h-thick
		}
		items = items[n:]
	}
}

// aspect is the worst aspect ratio of a row of areas from small to large that
// add up to sum, along a side.
func aspect(large, small, sum, side float64) float64 {
	if small <= 0 || sum <= 0 {
		return 1e18
	}
	s2 := sum * sum
	w2 := side * side
	return max(w2*large/s2, s2/(w2*small))
}

func (t *treemap) box(it item, r rect) {
	if r.w < 0.8 || r.h < 0.8 {
		return // too small to be seen
	}
	title := fmt.Sprintf("%s: %s, %.1f %%", it.title(), t.unit.Whole(it.size), 100*float64(it.size)/float64(t.total))
	fmt.Fprintf(&t.b, `<g><title>%s</title><rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, escaped(title), escaped(it.group), r.x, r.y, r.w, r.h)
	if len(it.parts) == 0 || r.w <= 40 || r.h <= 2*treemapBar {
		if it.group == GroupOwn || it.group == GroupDependency {
			t.label(r, "", t.short[it.name])
		} else {
			t.label(r, "", it.name, t.short[it.name])
		}
		t.b.WriteString("</g>")
		return
	}
	short := item{name: t.short[it.name], version: it.version}
	t.label(r, ` font-weight="600"`, it.title()+" "+t.unit.Short(it.size), short.title()+" "+t.unit.Short(it.size), short.title(), short.name)
	t.b.WriteString("</g>")
	t.draw(it.parts, rect{r.x + 2, r.y + treemapBar, r.w - 4, r.h - treemapBar - 2})
	fmt.Fprintf(&t.b, `<rect class="frame" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, r.x, r.y, r.w, r.h)
}

// label writes the first of some texts that fits, else the beginning of the last
// one, if half of it fits and no other name begins so.
func (t *treemap) label(r rect, style string, texts ...string) {
	const charWidth = 6.2
	room := int((r.w - 6) / charWidth)
	if r.h < 13 || room < 3 {
		return
	}
	fits := func(text string) bool { return utf8.RuneCountInString(text) <= room }
	i := slices.IndexFunc(texts, fits)
	text := ""
	if i >= 0 {
		text = texts[i]
	} else {
		last := []rune(texts[len(texts)-1])
		if 2*(room-1) < len(last) {
			return
		}
		start := string(last[:room-1])
		like := 0
		for _, other := range t.short {
			if strings.HasPrefix(other, start) {
				like++
			}
		}
		if like > 1 {
			return
		}
		text = start + "…"
	}
	fmt.Fprintf(&t.b, `<text x="%.1f" y="%.1f"%s>%s</text>`, r.x+4, r.y+12.5, style, escaped(text))
}

// size is bytes for people, in units of 1024.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
