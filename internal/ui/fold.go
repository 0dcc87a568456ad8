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

// foldLines folds every line by itself, with the indent that its words have.
func foldLines(text string, columns int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if whole := strings.TrimSuffix(line, "\n"); whole == line || columns <= 0 {
			b.WriteString(line)
		} else {
			b.WriteString(Fold(whole, columns, hanging(whole)))
		}
	}
	return b.String()
}

// hanging is how far what follows a folded line is indented: to its second column,
// which two spaces or more set apart from the first, else as the line is.
func hanging(line string) int {
	words := strings.TrimLeft(line, " ")
	indent := len(line) - len(words)
	if first, rest, ok := strings.Cut(words, "  "); ok && Width(first) <= 16 {
		indent += Width(first) + 2 + len(rest) - len(strings.TrimLeft(rest, " "))
	}
	return indent
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
