package ui

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fault"
)

// hinter is an error that knows what the user can do about it.
type hinter interface{ Hint() string }

// formatter is an error that has a better form for people than its one-line
// text, such as a configuration problem with excerpt and caret.
type formatter interface{ Format() string }

// warner is something found beside errors that is perhaps none itself. Its form
// and its text do not say so: the label does.
type warner interface{ IsWarning() bool }

// Error prints every error of err, each with its own prefix and each followed
// by what can be done about it. A nil err prints nothing.
//
// An error made of several (errors.Join, or any other with Unwrap() []error)
// is printed as those, unless its own text already tells all of them in other
// words, as fmt.Errorf("%w, and then %w") does. An error that wraps another is
// printed as one. Where it wraps several and its text ends in theirs, as
// fmt.Errorf("linux/arm: %w", errors.Join(a, b)) does, the text before them
// stands in front of each. An error with Format() string, anywhere in the tree,
// is printed in that form, and then without the text of what wraps it.
//
// A hint is the outermost non-empty Hint() string of an error. A hint that
// several errors share is printed once, after the last of them; one that the
// error's own text contains is left out.
func (t *Terminal) Error(err error) {
	reports := collect(nil, err, "")
	var b strings.Builder
	for i, r := range reports {
		if r.warning {
			b.WriteString(t.message("warning: ", Doubt, r.text))
		} else {
			b.WriteString(t.message("error: ", Bad, r.text))
		}
		for j, hint := range r.hints {
			again := slices.Contains(r.hints[:j], hint) || slices.ContainsFunc(reports[i+1:], func(later report) bool {
				return slices.Contains(later.hints, hint)
			})
			if !again {
				b.WriteString(t.message(hintLabel, Strong, hint))
			}
		}
	}
	if b.Len() > 0 {
		t.log(b.String())
	}
}

// report is one error as it is printed.
type report struct {
	text    string
	warning bool
	hints   []string
}

func collect(to []report, err error, prefix string) []report {
	if err == nil {
		return to
	}
	if f, ok := err.(formatter); ok {
		r := newReport(f.Format(), err)
		if w, ok := err.(warner); ok {
			r.warning = w.IsWarning()
		}
		return append(to, r)
	}
	start := len(to)
	if parts := unwrapSeveral(err); parts != nil {
		for _, part := range parts {
			to = collect(to, part, prefix)
		}
	} else if inner := errors.Unwrap(err); inner != nil && splits(inner) {
		before, ends := strings.CutSuffix(err.Error(), inner.Error())
		switch {
		case ends:
			to = collect(to, inner, prefix+before)
		case hasFormat(inner):
			to = collect(to, inner, prefix)
		default:
			return append(to, newReport(prefix+err.Error(), err))
		}
	} else {
		return append(to, newReport(prefix+err.Error(), err))
	}
	// A hint of the whole belongs after the last of its parts, unless it is made
	// of theirs.
	if h, ok := err.(hinter); ok && h.Hint() != "" && len(to) > start && !madeOf(h.Hint(), to[start:]) {
		to[len(to)-1].hints = append(to[len(to)-1].hints, h.Hint())
	}
	return to
}

// madeOf reports whether every line of hint is one of the parts' hints.
func madeOf(hint string, parts []report) bool {
	for line := range strings.SplitSeq(hint, "\n") {
		if !slices.ContainsFunc(parts, func(r report) bool { return slices.Contains(r.hints, line) || strings.Contains(r.text, line) }) {
			return false
		}
	}
	return true
}

func newReport(text string, err error) report {
	if strings.TrimSpace(text) == "" {
		text = fmt.Sprintf("%T without a text", err)
	}
	r := report{text: text}
	for _, h := range fault.Hints(err) {
		if !strings.Contains(text, h) {
			r.hints = append(r.hints, h)
		}
	}
	return r
}

// unwrapSeveral returns the parts of err if it is to be printed as its parts.
func unwrapSeveral(err error) []error {
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var parts []error
	var texts []string
	for _, part := range several.Unwrap() {
		if part != nil {
			parts = append(parts, part)
			texts = append(texts, part.Error())
		}
	}
	whole := err.Error()
	if whole == strings.Join(texts, "\n") || slices.ContainsFunc(parts, hasFormat) {
		return parts
	}
	for _, text := range texts {
		if !strings.Contains(whole, text) {
			return parts
		}
	}
	return nil
}

// splits reports whether collect makes something else of err than its text.
func splits(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if _, ok := err.(formatter); ok || unwrapSeveral(err) != nil {
			return true
		}
	}
	return false
}

func hasFormat(err error) bool {
	var f formatter
	return errors.As(err, &f)
}
