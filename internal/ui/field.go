package ui

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Block is text of several lines that mintmark itself has put together, such as
// a help text or a profile in YAML. It is the only kind of argument of
// [Terminal.Printf] whose line ends are line ends: everybody else's would let a
// file's name write lines of its own, such as a verdict.
type Block string

// maxField is how many bytes of one argument are shown. Command lines are long;
// what is longer still is nothing that anybody reads.
const maxField = 64 << 10

// fields makes arguments safe inside a line: what they print has no line ends
// and nothing else that [CleanLine] escapes. The line ends of a result are those
// of its format, which is mintmark's own.
func fields(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		switch a := arg.(type) {
		case nil, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, uintptr, float32, float64:
			out[i] = a // also the width of %*d
		case string:
			out[i] = field(a) // before its width is counted
		case Block:
			out[i] = Clean(string(a))
		default:
			out[i] = formatted{a}
		}
	}
	return out
}

func field(s string) string {
	if len(s) > maxField {
		cut := maxField
		for cut > maxField-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "… (and " + strconv.Itoa(len(s)-cut) + " bytes)"
	}
	return CleanLine(s)
}

// formatted is a value that is made safe once it is formatted.
type formatted struct{ value any }

// Format writes the value as fmt would, on one line.
func (f formatted) Format(s fmt.State, verb rune) {
	fmt.Fprint(s, field(fmt.Sprintf(fmt.FormatString(s, verb), f.value)))
}

// EscapeJSON writes characters that a terminal could obey, or that a reader
// could not see, as JSON's escapes; in JSON they mean the same. It does so as
// well with what the log of GitHub Actions takes for an order.
func EscapeJSON(data []byte) []byte {
	text := strings.ReplaceAll(string(data), "##[", `#\u0023[`)
	var b strings.Builder
	for i, r := range text {
		switch {
		case harmless(r, true) && r != utf8.RuneError || r == utf8.RuneError && strings.HasPrefix(text[i:], "\ufffd"):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return []byte(b.String())
}
