package report

import "github.com/mintmark/mintmark/internal/fact"

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
	Sections []Section    `json:"sections"`
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
