package report

import (
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// Page is a whole report: what is said, in the order in which it is said. The
// HTML page, the Markdown file and the terminal's text are renderings of it and
// decide nothing but how it looks. Charts repeat what tables say and are drawn
// in HTML only. Texts are as they came, from whoever wrote them: each rendering
// makes them safe.
type Page struct {
	Schema   fact.Schema  `json:"schema"`
	Title    string       `json:"title"`
	Verdict  fact.Verdict `json:"verdict"` // identical, different or unchecked: the worst of all; never identical where no signature was checked
	Headline string       `json:"headline"`
	Facts    []string     `json:"facts"` // below the headline: who signed it, what it rests on
	// Links are what texts in the facts lead to.
	Links    []TextLink `json:"links,omitempty"`
	Sections []Section  `json:"sections"`
}

// TextLink is where a text leads.
type TextLink struct {
	Text    string  `json:"text"`
	Address Address `json:"address"`
}

// split parts a text at the first of the page's links that is in it; without one all
// of it stands before.
func (p *Page) split(text string) (before string, link TextLink, after string) {
	for _, l := range p.Links {
		if before, after, ok := strings.Cut(text, l.Text); ok {
			return before, l, after
		}
	}
	return text, TextLink{}, ""
}

// Section is one part of a page.
type Section struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// NotMeasured is why the section is empty.
	NotMeasured string    `json:"not_measured,omitempty"`
	Text        []string  `json:"text,omitempty"`
	Charts      []Chart   `json:"-"`
	Tables      []Table   `json:"tables,omitempty"`
	Parts       []Part    `json:"parts,omitempty"`
	Commands    []Command `json:"commands,omitempty"`
	Notes       []string  `json:"notes,omitempty"`
	Lists       []List    `json:"lists,omitempty"` // instead of notes
}

// List is notes under a title.
type List struct {
	Title string   `json:"title"`
	Items []string `json:"items"`
}

// empty reports whether a section has nothing but the reason why.
func (s *Section) empty() bool { return s.NotMeasured != "" }

// Split parts the sections that say something from those that say only why they are
// empty: these are told together, after the others, by [Unmeasured].
func (p *Page) Split() (said []Section, unmeasured Unmeasured) {
	for _, s := range p.Sections {
		if !s.empty() {
			said = append(said, s)
			continue
		}
		unmeasured.Titles = append(unmeasured.Titles, s.Title)
		i := slices.IndexFunc(unmeasured.Reasons, func(r Reason) bool { return r.Why == s.NotMeasured })
		if i < 0 {
			i = len(unmeasured.Reasons)
			unmeasured.Reasons = append(unmeasured.Reasons, Reason{Why: s.NotMeasured})
		}
		unmeasured.Reasons[i].Titles = append(unmeasured.Reasons[i].Titles, s.Title)
		unmeasured.Notes = append(unmeasured.Notes, s.Notes...)
	}
	return said, unmeasured
}

// Unmeasured is what a page has no figures for.
type Unmeasured struct {
	Titles  []string // of the sections, in their order
	Reasons []Reason
	Notes   []string
}

// Reason is why some sections are empty.
type Reason struct {
	Titles []string
	Why    string
}

// Line is all of it in one line; "" when everything was measured.
func (u *Unmeasured) Line() string {
	if len(u.Titles) == 0 {
		return ""
	}
	return "Not measured: " + strings.Join(u.Titles, "; ")
}

// Details are the reasons, one line each.
func (u *Unmeasured) Details() []string {
	var out []string
	for _, r := range u.Reasons {
		out = append(out, strings.Join(r.Titles, "; ")+": "+r.Why)
	}
	return append(out, u.Notes...)
}

// Part is a piece of a section that can be folded away.
type Part struct {
	Title  string  `json:"title"`
	Open   bool    `json:"open"` // shown at first; the terminal shows no others
	Tables []Table `json:"tables,omitempty"`
	Charts []Chart `json:"-"`
}

// Command is one to copy.
type Command struct {
	What string `json:"what"`
	Line string `json:"line"`
}

// Table is rows of texts under a header.
type Table struct {
	Title   string     `json:"title,omitempty"`
	Columns []Column   `json:"columns"`
	Rows    [][]string `json:"rows"`
	Links   []Link     `json:"links,omitempty"`
}

// Link is where a cell of a table leads.
type Link struct {
	Row     int     `json:"row"` // from 0, as are columns
	Column  int     `json:"column"`
	Address Address `json:"address"`
}

// cell is the place of one.
type cell struct{ row, column int }

// linked are the cells that lead somewhere.
func (t *Table) linked() map[cell]Address {
	out := map[cell]Address{}
	for _, l := range t.Links {
		out[cell{l.Row, l.Column}] = l.Address
	}
	return out
}

// Column is one column of a [Table].
type Column struct {
	Title string `json:"title"`
	Kind  string `json:"kind,omitempty"` // Number, Digest, Mark or text
}

// Kinds of columns.
const (
	Number = "number"
	Digest = "digest"
	Mark   = "mark"  // a verdict, in its colour
	Short  = "short" // text that stays on one line
)

// Chart is one of several kinds of drawings.
type Chart struct {
	Label   string  // for those who cannot see it
	Treemap string  // an <svg> element of package sizes, or ""
	Strips  []Strip // lines of marks above a common axis
	Ticks   []Tick
	Legend  []Key
}

// Strip is one line of a chart.
type Strip struct {
	Name, Value string
	Marks       []Shape
}

// Shape is a mark on a strip. Places are in percent of its width.
type Shape struct {
	Kind     string // bar, range or dot
	Class    string // of pageStyle
	From, To float64
	Title    string
}

// Width is how wide the shape is.
func (s Shape) Width() float64 { return s.To - s.From }

// Tick is a place on the axis.
type Tick struct {
	At    float64
	Label string
}

// Key says what a colour means.
type Key struct{ Class, Label string }
