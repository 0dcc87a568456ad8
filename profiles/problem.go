package profiles

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/fault"
)

// Position is a place in a profile file. Line and Column count from 1, columns
// in characters. Values that no file sets have the File "built-in" and no line.
type Position struct {
	File         string
	Line, Column int
}

// builtIn is the position of the defaults.
var builtIn = Position{File: "built-in"}

// String is file:line:column, without what is not known.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is one thing wrong with a profile file.
type Problem struct {
	Pos     Position
	Message string
	Hint    string // what to do about it; may be empty
	Warning bool   // the file can be used all the same
	Excerpt string // the line of Pos, or empty
}

// Error is the message with its position, in one line, without the hint.
func (p Problem) Error() string {
	severity := ""
	if p.Warning {
		severity = "warning: "
	}
	if p.Pos.File == "" && p.Pos.Line == 0 {
		return severity + p.Message
	}
	return p.Pos.String() + ": " + severity + p.Message
}

// excerptWidth limits how much of a line Format shows.
const excerptWidth = 120

// Exit is that of wrong usage.
func (p Problem) Exit() int { return fault.Usage }

// IsWarning reports whether the file can be used all the same.
func (p Problem) IsWarning() bool { return p.Warning }

// Format is the problem for people, in several lines without a final newline:
// the message, the line it is about with a caret below the column, and the
// hint. That it is a warning is for whoever prints it to say.
func (p Problem) Format() string {
	return p.format(Problem{Pos: p.Pos, Message: p.Message}.Error())
}

// format is head, and below it the excerpt and the hint.
func (p Problem) format(head string) string {
	var b strings.Builder
	b.WriteString(head)
	if p.Excerpt != "" {
		line, column := []rune(p.Excerpt), p.Pos.Column
		if len(line) > excerptWidth { // show what is around the column
			from := min(max(0, column-excerptWidth/2), len(line)-excerptWidth)
			line, column = line[from:from+excerptWidth], column-from
		}
		var caret strings.Builder
		for i := 0; i < column-1; i++ {
			if i < len(line) && line[i] == '\t' {
				caret.WriteByte('\t') // as wide as the tab above it
			} else {
				caret.WriteByte(' ')
			}
		}
		fmt.Fprintf(&b, "\n    %s", printable(line))
		if column > 0 {
			fmt.Fprintf(&b, "\n    %s^", caret.String())
		}
	}
	if p.Hint != "" {
		b.WriteString("\nhint: " + p.Hint)
	}
	return b.String()
}

// printable keeps terminal control characters of the file out of the message.
func printable(line []rune) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return utf8.RuneError
		}
		return r
	}, string(line))
}

// Problems is the error that [Load] returns: everything it found, sorted by
// position. At least one of them is not a warning.
type Problems []Problem

// Error formats all problems, one after the other.
func (ps Problems) Error() string {
	var parts []string
	for _, p := range ps {
		parts = append(parts, p.format(p.Error()))
	}
	return strings.Join(parts, "\n")
}

// Unwrap gives errors.As access to each problem.
func (ps Problems) Unwrap() []error {
	var errs []error
	for _, p := range ps {
		errs = append(errs, p)
	}
	return errs
}

func (ps Problems) split() (errs, warnings Problems) {
	for _, p := range ps {
		if p.Warning {
			warnings = append(warnings, p)
		} else {
			errs = append(errs, p)
		}
	}
	return errs, warnings
}

// tidy sorts problems by position and drops repetitions.
func (ps Problems) tidy() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(ps, func(a, b Problem) bool { return a.Pos == b.Pos && a.Message == b.Message })
}

// source is the text of a profile file, for excerpts.
type source struct {
	path  string
	lines []string
}

func newSource(path string, data []byte) *source {
	text := strings.TrimPrefix(string(data), "\ufeff")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	return &source{path, strings.Split(text, "\n")}
}

// line returns the line with this number, or "".
func (s *source) line(n int) string {
	if s == nil || n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// Problem makes a problem at pos with the line it is about, for checks that
// need more than the file: a main package that does not exist, a platform that
// the toolchain lacks, two artifacts with one name.
func (f *File) Problem(pos Position, message, hint string) Problem {
	p := Problem{Pos: pos, Message: message, Hint: hint}
	if f.src != nil && pos.File == f.src.path {
		p.Excerpt = f.src.line(pos.Line)
	}
	return p
}

// Warnings are the problems that did not keep the file from loading.
func (f *File) Warnings() []Problem { return slices.Clone(f.warnings) }
