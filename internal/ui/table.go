package ui

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Align is the side a column's text stands on.
type Align uint8

// The two sides.
const (
	Left Align = iota
	Right
)

// Column is one column of a [Table].
type Column struct {
	Title string
	Align Align
	// Flexible marks the column whose texts are cut when the table is wider
	// than the terminal. Of several, the first counts.
	Flexible bool
	// Spare marks a column that is left out when the table is wider than the
	// terminal even with the flexible column cut to half of its width. The last
	// one goes first.
	Spare bool
}

// Cell is one field of a [Table].
type Cell struct {
	Text  string
	Style Style
}

// Table is rows of cells under a header. The zero value is an empty table.
type Table struct {
	Columns []Column
	rows    [][]Cell
}

// Row adds a row. Missing cells are empty.
func (t *Table) Row(cells ...Cell) {
	t.rows = append(t.rows, append([]Cell(nil), cells...))
}

const (
	gap         = 2 // spaces between columns
	minFlexible = 8 // a flexible column is not cut below this
)

// Write writes the table, one line per row and two spaces between columns,
// without space at the ends of lines; if no column has a title there is no
// header. Texts are made safe with [CleanLine].
//
// On a writer that is [OnTerminal] it uses colour, if that is one. If the table is too wide it leaves out
// spare columns, and cuts the flexible column in the middle (to no less than 8
// cells); a table that is still too wide, or has no such column, is wrapped by the
// terminal. On any other writer nothing is left out, cut or coloured. A row with more cells than the table has columns
// is an error, and nothing is written.
func (t *Table) Write(w io.Writer) error {
	limit, colour, actions := 0, false, false
	if tw, ok := w.(OnTerminal); ok {
		t := tw.Terminal()
		limit, colour, actions = t.Width(), t.out.colour, t.actions
	}
	text, err := t.render(limit, colour)
	if err != nil {
		return err
	}
	if actions {
		text = disarm(text)
	}
	_, err = io.WriteString(w, text)
	return err
}

func (t *Table) render(limit int, colour bool) (string, error) {
	var rows [][]Cell
	header, titled := make([]Cell, len(t.Columns)), false
	for i, c := range t.Columns {
		header[i] = Strong.Text(CleanLine(c.Title))
		titled = titled || c.Title != ""
	}
	if titled {
		rows = append(rows, header)
	}
	for i, row := range t.rows {
		if len(row) > len(t.Columns) {
			return "", fmt.Errorf("table: row %d has %d cells for %d columns", i+1, len(row), len(t.Columns))
		}
		clean := make([]Cell, len(t.Columns))
		for j, c := range row {
			clean[j] = c.Style.Text(CleanLine(c.Text))
		}
		rows = append(rows, clean)
	}

	widths, total := make([]int, len(t.Columns)), gap*(len(t.Columns)-1)
	for i := range t.Columns {
		for _, row := range rows {
			widths[i] = max(widths[i], Width(row[i].Text))
		}
		total += widths[i]
	}
	flexible := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Flexible })
	gone := make([]bool, len(t.Columns))
	if limit > 0 {
		half := 0 // of the flexible column, which may be lost before another one is
		if flexible >= 0 {
			half = widths[flexible] / 2
		}
		for i := len(t.Columns) - 1; i >= 0 && total-half > limit; i-- {
			if t.Columns[i].Spare {
				gone[i] = true
				total -= widths[i] + gap
			}
		}
		if flexible >= 0 && total > limit {
			w := widths[flexible]
			widths[flexible] = min(w, max(w-(total-limit), minFlexible))
		}
	}

	var b strings.Builder
	for _, row := range rows {
		last := len(row) - 1 // nothing follows the last text, not even its padding
		for last >= 0 && (row[last].Text == "" || gone[last]) {
			last--
		}
		first := true
		for i, cell := range row[:last+1] {
			if gone[i] {
				continue
			}
			if !first {
				b.WriteString(strings.Repeat(" ", gap))
			}
			first = false
			text := truncateMiddle(cell.Text, widths[i])
			fill := strings.Repeat(" ", max(widths[i]-Width(text), 0))
			painted := cell.Style.paint(text, colour)
			switch {
			case t.Columns[i].Align == Right:
				b.WriteString(fill + painted)
			case i == last:
				b.WriteString(painted)
			default:
				b.WriteString(painted + fill)
			}
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}
