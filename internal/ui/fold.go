package ui

import "strings"

// Fold breaks the lines of text at spaces so that none is wider than columns
// cells, as far as its words allow, and ends each with a line end. The further
// lines of one are indented by as many spaces as indent says. The spaces at a
// line's beginning, and between words on one line, stay. columns of 0 or less
// folds nothing.
func Fold(text string, columns, indent int) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		line = strings.TrimRight(line, " ")
		for columns > 0 && Width(line) > columns {
			cut := foldAt(line, columns)
			if cut < 0 {
				break
			}
			b.WriteString(strings.TrimRight(line[:cut], " ") + "\n")
			line = strings.Repeat(" ", indent) + strings.TrimLeft(line[cut:], " ")
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// foldAt is where a line too wide is broken: at the last space with at most so
// many cells before it, else at the first one; -1 if there is none behind a word.
func foldAt(line string, columns int) int {
	at, cells, before := -1, 0, ' '
	for i, r := range line {
		if r == ' ' && before != ' ' && strings.TrimLeft(line[:i], " ") != "" {
			if cells > columns {
				if at < 0 {
					at = i
				}
				return at
			}
			at = i
		}
		cells, before = cells+runeWidth(r), r
	}
	return at
}
