package bindiff

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Values of settings and variables can be of any length. Evidence shows where
// two of them part.

const (
	maxValue    = 160 // bytes of a value that are shown whole
	maxEvidence = 600 // bytes of a sentence
	around      = 24  // bytes of a long value before and after where they part
)

// change describes two values of one thing. Of long ones it says how long they
// are, where they first differ, and what is there.
func change(what, a, b string) string {
	if len(a) <= maxValue && len(b) <= maxValue {
		return fmt.Sprintf("%s: %s in A, %s in B", what, quoted(a), quoted(b))
	}
	at := commonPrefix(a, b)
	return fmt.Sprintf("%s: %s in A, %s in B; they first differ at byte %d", what, excerpt(a, at), excerpt(b, at), at)
}

func quoted(s string) string {
	if s == "" {
		return "absent"
	}
	return fmt.Sprintf("%q", s)
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// excerpt shows a value around an offset.
func excerpt(s string, at int) string {
	if len(s) <= maxValue {
		return quoted(s)
	}
	from, to := max(0, min(at, len(s))-around), min(len(s), at+around)
	for from > 0 && !utf8.RuneStart(s[from]) {
		from--
	}
	for to < len(s) && !utf8.RuneStart(s[to]) {
		to++
	}
	before, after := "…", "…"
	if from == 0 {
		before = ""
	}
	if to == len(s) {
		after = ""
	}
	return fmt.Sprintf("%s%q%s (%d bytes)", before, s[from:to], after, len(s))
}

// bounded shortens sentences that something long got into.
func bounded(evidence []string) []string {
	for i, e := range evidence {
		if len(e) > maxEvidence {
			cut := maxEvidence
			for !utf8.RuneStart(e[cut]) {
				cut--
			}
			evidence[i] = fmt.Sprintf("%s… (%d bytes)", strings.TrimSpace(e[:cut]), len(e))
		}
	}
	return evidence
}

// Excerpt shortens a line so that what tells it from the most similar of others
// is still there.
func Excerpt(line string, others []string) string {
	if len(line) <= maxEvidence {
		return line
	}
	at := 0
	for _, o := range others {
		// Lines of two lists begin with the names of these.
		if n := commonPrefix(line[1:], o[min(1, len(o)):]) + 1; o != line && n > at {
			at = n
		}
	}
	const head = 40
	at = max(at, head)
	from, to := max(head, at-2*around), min(len(line), at+2*around)
	for from < to && !utf8.RuneStart(line[from]) {
		from++
	}
	for to < len(line) && !utf8.RuneStart(line[to]) {
		to++
	}
	end := head
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return fmt.Sprintf("%s…%s… (%d bytes)", line[:end], line[from:to], len(line))
}
