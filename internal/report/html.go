package report

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/mintmark/mintmark/internal/ui"
)

// markup is HTML as it is written. Constants are; no text of anybody's becomes one
// without a conversion to see.
type markup string

// document is a page while it is written. Not html/template: what calls methods by
// names that it reads keeps every exported method of every type in the program,
// which was a tenth of it.
type document struct{ bytes.Buffer }

// add writes markup in which each verb %s stands for an argument: a text, which is
// made harmless, a float64, a place in percent, an [Address], or further markup. All
// of them are for elements' contents and quoted attributes that are neither scripts
// nor styles; addresses are for href, and nothing else is.
func (d *document) add(format markup, args ...any) {
	safe := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case markup:
			safe[i] = string(arg)
		case float64:
			safe[i] = fmt.Sprintf("%.2f%%", arg)
		case Address:
			safe[i] = "#"
			if arg.safe() {
				safe[i] = html.EscapeString(string(arg))
			}
		default:
			safe[i] = escaped(fmt.Sprint(arg))
		}
	}
	fmt.Fprintf(d, string(format), safe...)
}

// escaped is a text for people as HTML. The plus is for readers that take the page
// for UTF-7.
func escaped(text string) string {
	return strings.ReplaceAll(html.EscapeString(ui.CleanLine(text)), "+", "&#43;")
}

// HTML writes a page as one HTML file: no scripts, nothing loaded from
// anywhere, and a policy in it that forbids both. It is readable in light and
// dark, on a phone and on paper.
func HTML(w io.Writer, p *Page) error {
	d := &document{}
	d.add(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>%s: %s</title>
%s
</head>
<body>
<main>
<h1>%s</h1>
<div class="verdict %s"><strong>%s</strong>
<ul>`, p.Title, p.Headline, markup(pageStyle), p.Title, p.Verdict, p.Headline)
	for _, fact := range p.Facts {
		before, l, after := p.split(fact)
		if l.Address == "" {
			d.add("<li>%s</li>", fact)
			continue
		}
		d.add(`<li>%s<a href="%s">%s</a>%s</li>`, before, l.Address, l.Text, after)
	}
	d.add("</ul></div>\n<nav>")
	said, unmeasured := p.Split()
	for _, s := range said {
		d.add(`<a href="#%s">%s</a> `, s.ID, s.Title)
	}
	d.add("</nav>\n")
	for _, s := range said {
		d.section(s)
	}
	if line := unmeasured.Line(); line != "" {
		d.add("\n<details class=\"absent\"><summary>%s</summary>\n", line)
		d.notes(unmeasured.Details())
		d.add("</details>\n")
	}
	d.add("</main>\n</body>\n</html>\n\n")
	_, err := d.WriteTo(w)
	return err
}

func (d *document) section(s Section) {
	d.add("\n<section id=\"%s\">\n<h2>%s</h2>\n", s.ID, s.Title)
	for _, text := range s.Text {
		d.add("<p>%s</p>\n", text)
	}
	d.figures(s.Title, s.Charts, s.Tables)
	for _, part := range s.Parts {
		var open markup
		if part.Open {
			open = " open"
		}
		d.add("<details%s><summary>%s</summary>\n", open, part.Title)
		d.figures(part.Title, part.Charts, part.Tables)
		d.add("</details>\n")
	}
	for _, c := range s.Commands {
		d.add("<h3>%s</h3>\n<pre>%s</pre>\n", c.What, c.Line)
	}
	d.notes(s.Notes)
	for _, l := range s.Lists {
		d.add("<h3>%s</h3>\n", l.Title)
		d.notes(l.Items)
	}
	d.add("</section>\n")
}

func (d *document) notes(notes []string) {
	if len(notes) == 0 {
		return
	}
	d.add(`<ul class="notes">`)
	for _, note := range notes {
		d.add("<li>%s</li>\n", note)
	}
	d.add("</ul>\n")
}

// figures writes what stands below a title.
func (d *document) figures(title string, charts []Chart, tables []Table) {
	for _, c := range charts {
		switch {
		case c.Treemap != "":
			d.add("<figure class=\"map\">%s</figure>\n", markup(c.Treemap)) // of TreemapSVG, which escapes
		case len(c.Strips) > 0:
			d.chart(c)
		}
	}
	for _, t := range tables {
		d.table(title, t)
	}
}

// table writes a table. Where it is wider than the screen it scrolls, also for those
// who have no pointer: so it takes the focus, and has a name.
func (d *document) table(title string, t Table) {
	if t.Title != "" {
		title += ": " + t.Title
		d.add("<h3>%s</h3>\n", t.Title)
	}
	var class markup
	switch n := len(t.Columns); {
	case n > 2: // on a phone each row is a card
		class = ` class="wide"`
	case n == 2:
		class = ` class="pair"`
	}
	d.add(`<div class="scroll" role="region" aria-label="%s" tabindex="0"><table%s><thead><tr>`, title, class)
	for _, c := range t.Columns {
		d.add("<th")
		if c.Kind == Number {
			d.add(` class="number"`)
		}
		d.add(">%s</th>", c.Title)
	}
	d.add("</tr></thead>\n<tbody>\n")
	links := t.linked()
	for at, row := range t.Rows {
		d.add("<tr>")
		for i, text := range row {
			var c Column
			if i < len(t.Columns) {
				c = t.Columns[i]
			}
			d.add(`<td data-title="%s"`, c.Title)
			switch {
			case c.Kind == Mark:
				d.add(` class="%s"`, text)
			case c.Kind != "":
				d.add(` class="%s"`, c.Kind)
			}
			if to := links[cell{at, i}]; to != "" {
				d.add(`><a href="%s">%s</a></td>`, to, text)
				continue
			}
			d.add(">%s</td>", text)
		}
		d.add("</tr>\n")
	}
	d.add("</tbody></table></div>\n")
}

// chart writes one of strips.
func (d *document) chart(c Chart) {
	d.add("<figure role=\"group\" aria-label=\"%s\">\n<p class=\"legend\">", c.Label)
	for _, k := range c.Legend {
		d.add(`<span><i class="c-%s"></i>%s</span>`, k.Class, k.Label)
	}
	d.add("</p>\n")
	for _, s := range c.Strips {
		d.add(`<div class="strip"><span>%s</span><svg aria-hidden="true"><rect class="ground" width="100%%" height="100%%"/>`, s.Name)
		for _, t := range c.Ticks {
			d.add(`<line class="tick" x1="%s" x2="%s" y1="0" y2="100%%"/>`, t.At, t.At)
		}
		for _, m := range s.Marks {
			switch m.Kind {
			case "bar":
				d.add(`<rect class="c-%s" x="%s" width="%s" y="10%%" height="80%%"><title>%s</title></rect>`, m.Class, m.From, m.Width(), m.Title)
			case "range":
				d.add(`<rect class="c-%s range" x="%s" width="%s" y="42%%" height="16%%"><title>%s</title></rect>`, m.Class, m.From, m.Width(), m.Title)
			default:
				d.add(`<circle class="c-%s" cx="%s" cy="50%%" r="4"><title>%s</title></circle>`, m.Class, m.From, m.Title)
			}
		}
		d.add("</svg><span class=\"value\">%s</span></div>\n", s.Value)
	}
	if len(c.Ticks) > 0 {
		d.add(`<div class="strip axis"><span></span><svg aria-hidden="true">`)
		for _, t := range c.Ticks {
			d.add(`<text x="%s" y="70%%" text-anchor="middle">%s</text>`, t.At, t.Label)
		}
		d.add("</svg><span class=\"value\"></span></div>\n")
	}
	d.add("</figure>\n")
}

// pageStyle is how the page looks.
const pageStyle = `<style>
:root{--back:#fff;--panel:#f5f6f8;--text:#1c1e21;--faint:#5b6168;--line:#d9dce0;--good:#116b34;--bad:#b3261e;--doubt:#8a5300;--goodback:#e7f5ec;--badback:#fdecea;--doubtback:#fff4e0;
--own:#4a88cf;--dependency:#e39a3b;--std:#6fae68;--cgo:#9a78c4;--none:#a7adb5;--warm:#c2452d;--cold:#2f6fb7;--less:#6fae68;--more:#c2452d;--left:#4a88cf;--gz:#1c1e21}
@media screen and (prefers-color-scheme:dark){:root{--back:#16181b;--panel:#1f2226;--text:#e8eaed;--faint:#a3a9b1;--line:#373b41;--good:#7fd69b;--bad:#ff9a8f;--doubt:#ffc46b;--goodback:#14301f;--badback:#3b1a17;--doubtback:#38290f;
--own:#5d97da;--dependency:#c98a37;--std:#5f9a58;--cgo:#8a68b4;--none:#6c737c;--warm:#ff8b73;--cold:#7fb4ef;--less:#5f9a58;--more:#ff8b73;--left:#5d97da;--gz:#e8eaed}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1.2rem 1.2rem 4rem;background:var(--back);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:1.5rem;margin:.2rem 0 .8rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.2rem 0 .5rem;padding-top:.7rem;border-top:1px solid var(--line)}
h3,summary{font-size:.95rem;font-weight:600;margin:1rem 0 .35rem;overflow-wrap:anywhere}
summary{cursor:pointer}
p,li{max-width:62rem;overflow-wrap:anywhere}
.verdict{border-left:6px solid;border-radius:4px;padding:.7rem 1rem}
.verdict strong{display:block;font-size:1.25rem;line-height:1.35;overflow-wrap:anywhere}
.verdict ul{margin:.45rem 0 0;padding-left:1.1rem}
.verdict.identical{border-color:var(--good);background:var(--goodback)}.verdict.identical strong,td.identical{color:var(--good)}
.verdict.different{border-color:var(--bad);background:var(--badback)}.verdict.different strong,td.different{color:var(--bad);font-weight:700}
.verdict.unchecked{border-color:var(--doubt);background:var(--doubtback)}.verdict.unchecked strong,td.unchecked{color:var(--doubt);font-weight:700}
nav{margin:.9rem 0 0;font-size:.9rem}nav a{margin-right:.9rem;white-space:nowrap}
a{color:inherit}
.scroll{overflow-x:auto;margin:.3rem 0 .8rem}.scroll:focus-visible{outline:2px solid var(--cold);outline-offset:2px}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .9rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--faint);white-space:nowrap}
td{min-width:4.2rem;max-width:34rem;overflow-wrap:break-word}
table.pair td:last-child:not(.number){overflow-wrap:anywhere;max-width:50rem}
.short{white-space:nowrap}
.number{text-align:right;white-space:nowrap}
td.digest{font:.82em/1.5 ui-monospace,"DejaVu Sans Mono",monospace;max-width:none;min-width:18rem;overflow-wrap:anywhere}
pre{background:var(--panel);border:1px solid var(--line);border-radius:4px;padding:.55rem .75rem;margin:.2rem 0 .8rem;white-space:pre-wrap;overflow-wrap:anywhere;font:.86rem/1.5 ui-monospace,"DejaVu Sans Mono",monospace;user-select:all}
.absent{color:var(--faint);margin:2.2rem 0 0;padding-top:.7rem;border-top:1px solid var(--line)}.absent summary{font-weight:400}
.notes{color:var(--faint);font-size:.88rem;padding-left:1.1rem}
figure{margin:.6rem 0 1rem}
.strip{display:grid;grid-template-columns:minmax(7rem,13rem) 1fr 9.5rem;gap:.7rem;align-items:center;font-size:.9rem;min-height:1.6rem}
.strip>:first-child{overflow-wrap:anywhere}
.strip .value{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;min-width:5.5rem}
.strip svg{display:block;width:100%;height:1.3rem;overflow:visible}
.strip .ground{fill:var(--panel)}
.strip .tick{stroke:var(--line)}
.strip text{fill:var(--faint);font-size:11px}
.legend{font-size:.85rem;color:var(--faint);margin:0 0 .4rem}
.legend span{white-space:nowrap;margin-right:1rem}
.legend i{display:inline-block;width:.75rem;height:.75rem;border-radius:2px;margin-right:.3rem;vertical-align:-1px}
.c-warm.range,circle.c-warm{transform:translateY(-.27rem)}.c-cold.range,circle.c-cold{transform:translateY(.27rem)}
.c-own{fill:var(--own);background:var(--own)}.c-dependency{fill:var(--dependency);background:var(--dependency)}.c-std{fill:var(--std);background:var(--std)}.c-cgo{fill:var(--cgo);background:var(--cgo)}.c-none{fill:var(--none);background:var(--none)}
.c-warm{fill:var(--warm);background:var(--warm)}.c-cold{fill:var(--cold);background:var(--cold)}.c-less{fill:var(--less);background:var(--less)}.c-more{fill:var(--more);background:var(--more)}.c-left{fill:var(--left);background:var(--left)}.c-gz{fill:var(--gz);background:var(--gz)}
svg.treemap{border-radius:4px}
@media (max-width:40rem){body{padding:.8rem .8rem 3rem}.strip{grid-template-columns:1fr max-content;gap:0 .7rem;margin:.35rem 0}.strip svg{grid-column:1/-1;grid-row:2}.strip.axis>:first-child,.strip.axis>.value{display:none}.map{display:none}td.digest{min-width:0}
table.wide,table.wide tbody{display:block}table.wide thead{display:none}table.wide tr{display:flex;flex-wrap:wrap;gap:.1rem .9rem;padding:.45rem 0;border-bottom:1px solid var(--line)}
table.wide td{border:0;padding:0;min-width:0;max-width:100%;text-align:left;white-space:normal}table.wide td:first-child{flex:1 0 100%;font-weight:600;overflow-wrap:anywhere}table.wide td.digest{flex:1 0 100%}table.wide td:empty{display:none}
table.wide td:not(:first-child)::before{content:attr(data-title) " ";color:var(--faint);font:.85rem system-ui,"DejaVu Sans",sans-serif}}
@media print{:root{--back:#fff;--panel:#f5f6f8;--text:#000;--faint:#444;--line:#bbb}body{font-size:10pt;max-width:none;padding:0}nav{display:none}.scroll{overflow:visible}table{font-size:8pt}th,td{padding-right:.5rem}td.digest{font-size:6.5pt;min-width:0}tr,figure,pre,.verdict,.strip{break-inside:avoid}h2,h3,summary{break-after:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
</style>`
