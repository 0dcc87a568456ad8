package report

import (
	"html/template"
	"io"
	"strconv"

	"github.com/mintmark/mintmark/internal/ui"
)

// HTML writes a page as one HTML file: no scripts, nothing loaded from
// anywhere, and a policy in it that forbids both. It is readable in light and
// dark, on a phone and on paper.
func HTML(w io.Writer, p *Page) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"line": ui.CleanLine,
		"svg":  func(s string) template.HTML { return template.HTML(s) }, // of TreemapSVG, which escapes
		"at":   func(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) + "%" },
		"wide": func(t Table) bool { return len(t.Columns) > 4 }, // on a phone each row is a card
		"pair": func(t Table) bool { return len(t.Columns) == 2 },
		"title": func(t Table, i int) string {
			if i < len(t.Columns) {
				return t.Columns[i].Title
			}
			return ""
		},
		"column": func(t Table, i int) string {
			if i < len(t.Columns) {
				return t.Columns[i].Kind
			}
			return ""
		},
	}).Parse(pageTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}

// pageTemplate draws what the page says, and decides nothing else.
const pageTemplate = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{{line .Title}}: {{line .Headline}}</title>
<style>
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
.scroll{overflow-x:auto;margin:.3rem 0 .8rem}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .9rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--faint);white-space:nowrap}
td{min-width:4.2rem;max-width:34rem;overflow-wrap:break-word}
table.pair td:last-child:not(.number){overflow-wrap:anywhere;max-width:50rem}
.short{white-space:nowrap}
.number{text-align:right;white-space:nowrap}
td.digest{font:.82em/1.5 ui-monospace,"DejaVu Sans Mono",monospace;max-width:none;min-width:18rem;overflow-wrap:anywhere}
pre{background:var(--panel);border:1px solid var(--line);border-radius:4px;padding:.55rem .75rem;margin:.2rem 0 .8rem;white-space:pre-wrap;overflow-wrap:anywhere;font:.86rem/1.5 ui-monospace,"DejaVu Sans Mono",monospace;user-select:all}
.absent{color:var(--faint);font-style:italic}
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
svg.treemap{min-width:40rem;max-width:100%;border-radius:4px}
@media (max-width:40rem){body{padding:.8rem .8rem 3rem}.strip{grid-template-columns:1fr max-content;gap:0 .7rem;margin:.35rem 0}.strip svg{grid-column:1/-1;grid-row:2}.strip.axis>:first-child,.strip.axis>.value{display:none}svg.treemap{max-width:none}td.digest{min-width:0}
table.wide,table.wide tbody{display:block}table.wide thead{display:none}table.wide tr{display:flex;flex-wrap:wrap;gap:.1rem .9rem;padding:.45rem 0;border-bottom:1px solid var(--line)}
table.wide td{border:0;padding:0;min-width:0;max-width:100%;text-align:left;white-space:normal}table.wide td:first-child{flex:1 0 100%;font-weight:600;overflow-wrap:anywhere}table.wide td.digest{flex:1 0 100%}
table.wide td:not(:first-child)::before{content:attr(data-title) " ";color:var(--faint);font:.85rem system-ui,"DejaVu Sans",sans-serif}}
@media print{:root{--back:#fff;--panel:#f5f6f8;--text:#000;--faint:#444;--line:#bbb}body{font-size:10pt;max-width:none;padding:0}nav{display:none}.scroll{overflow:visible}table{font-size:8pt}th,td{padding-right:.5rem}td.digest{font-size:6.5pt;min-width:0}tr,figure,pre,.verdict,.strip{break-inside:avoid}h2,h3,summary{break-after:avoid}svg.treemap{min-width:0}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
</style>
</head>
<body>
<main>
<h1>{{line .Title}}</h1>
<div class="verdict {{.Verdict}}"><strong>{{line .Headline}}</strong>
<ul>{{range .Facts}}<li>{{line .}}</li>{{end}}</ul></div>
<nav>{{range .Sections}}<a href="#{{.ID}}">{{line .Title}}</a> {{end}}</nav>
{{range .Sections}}
<section id="{{.ID}}">
<h2>{{line .Title}}</h2>
{{if .NotMeasured}}<p class="absent">Not measured: {{line .NotMeasured}}.</p>
{{end}}{{range .Text}}<p>{{line .}}</p>
{{end}}{{range .Charts}}{{template "chart" .}}{{end}}{{range .Tables}}{{template "table" .}}{{end}}
{{- range .Parts}}<details{{if .Open}} open{{end}}><summary>{{line .Title}}</summary>
{{range .Charts}}{{template "chart" .}}{{end}}{{range .Tables}}{{template "table" .}}{{end}}</details>
{{end}}{{range .Commands}}<h3>{{line .What}}</h3>
<pre>{{line .Line}}</pre>
{{end}}{{if .Notes}}<ul class="notes">{{range .Notes}}<li>{{line .}}</li>
{{end}}</ul>
{{end}}</section>
{{end}}</main>
</body>
</html>
{{define "table"}}{{$t := .}}{{if .Title}}<h3>{{line .Title}}</h3>
{{end}}<div class="scroll"><table{{if wide .}} class="wide"{{else if pair .}} class="pair"{{end}}><thead><tr>{{range .Columns}}<th{{if eq .Kind "number"}} class="number"{{end}}>{{line .Title}}</th>{{end}}</tr></thead>
<tbody>
{{range .Rows}}<tr>{{range $i, $c := .}}{{$k := column $t $i}}<td data-title="{{line (title $t $i)}}"{{if eq $k "mark"}} class="{{$c}}"{{else if $k}} class="{{$k}}"{{end}}>{{line $c}}</td>{{end}}</tr>
{{end}}</tbody></table></div>
{{end}}
{{define "chart"}}{{$c := .}}{{if .Treemap}}<figure class="scroll">{{svg .Treemap}}</figure>
{{else if .Strips}}<figure role="group" aria-label="{{line .Label}}">
<p class="legend">{{range .Legend}}<span><i class="c-{{.Class}}"></i>{{line .Label}}</span>{{end}}</p>
{{range .Strips}}<div class="strip"><span>{{line .Name}}</span><svg aria-hidden="true"><rect class="ground" width="100%" height="100%"/>{{range $c.Ticks}}<line class="tick" x1="{{at .At}}" x2="{{at .At}}" y1="0" y2="100%"/>{{end}}
{{- range .Marks}}{{if eq .Kind "bar"}}<rect class="c-{{.Class}}" x="{{at .From}}" width="{{at .Width}}" y="10%" height="80%"><title>{{line .Title}}</title></rect>
{{- else if eq .Kind "range"}}<rect class="c-{{.Class}} range" x="{{at .From}}" width="{{at .Width}}" y="42%" height="16%"><title>{{line .Title}}</title></rect>
{{- else}}<circle class="c-{{.Class}}" cx="{{at .From}}" cy="50%" r="4"><title>{{line .Title}}</title></circle>{{end}}{{end}}</svg><span class="value">{{line .Value}}</span></div>
{{end}}{{if .Ticks}}<div class="strip axis"><span></span><svg aria-hidden="true">{{range .Ticks}}<text x="{{at .At}}" y="70%" text-anchor="middle">{{line .Label}}</text>{{end}}</svg><span class="value"></span></div>
{{end}}</figure>
{{end}}{{end}}`
