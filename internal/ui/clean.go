package ui

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/secret"
)

// Clean makes a block of text from outside safe to print. Tabs and newlines
// stay, and a carriage return before a newline goes. What a terminal could obey,
// or a reader could not see, is replaced by its Go escape, such as \x1b or
// \u202e:
//
//   - control characters (C0, DEL and C1) and bytes that are not UTF-8;
//   - format characters, among them those that reverse the direction of text
//     (CVE-2021-42574); only the two joiners U+200C and U+200D stay, because
//     scripts and emoji need them;
//   - the line and paragraph separators U+2028 and U+2029.
//
// Secrets that can be recognised ([secret.Redact]) are left out first: whatever
// a message quotes, a private key is not printed. That is the second wall; who
// makes a message of a key's name or an address leaves them out already.
//
// A backslash is not escaped: the result is for reading, not for parsing.
// Clean(Clean(s)) equals Clean(s).
func Clean(s string) string { return clean(s, true) }

// CleanLine is like [Clean] for text that has to stay on one line: tabs,
// newlines and carriage returns are escaped too.
func CleanLine(s string) string { return clean(s, false) }

func clean(s string, block bool) string {
	s = secret.Redact(s)
	var b strings.Builder
	done := 0 // s[:done] is in b
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		bad := r == utf8.RuneError && size == 1
		if !bad && harmless(r, block) {
			i += size
			continue
		}
		b.WriteString(s[done:i])
		switch {
		case bad:
			b.WriteString(`\x` + hexByte(s[i]))
		case r == '\r' && block && strings.HasPrefix(s[i+1:], "\n"):
			// The line end of Windows; the newline follows.
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
		done = i
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

func hexByte(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}

// harmless reports whether r may be printed as it is.
func harmless(r rune, block bool) bool {
	switch {
	case r == '\n' || r == '\t':
		return block
	case r >= ' ' && r < 0x7f:
		return true
	case r == 0x200c || r == 0x200d:
		return true
	}
	return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// disarm makes workflow commands of GitHub Actions harmless. The runner obeys
// lines of standard output and standard error that begin with "::", white space
// before it not counting, and the older form "##[" anywhere in a line
// (ActionCommand.cs in github.com/actions/runner). Indenting is therefore not
// enough. Characters without width are skipped as well, since the runner may
// compare by the rules of a language, which ignore them.
func disarm(s string) string {
	s = strings.ReplaceAll(s, "##[", `##\[`)
	lines := strings.SplitAfter(s, "\n")
	for i, line := range lines {
		rest := strings.TrimLeftFunc(line, func(r rune) bool { return unicode.IsSpace(r) || runeWidth(r) == 0 })
		if colons := strings.TrimLeftFunc(rest, func(r rune) bool { return r == ':' || runeWidth(r) == 0 }); strings.Count(rest[:len(rest)-len(colons)], ":") >= 2 {
			lines[i] = line[:len(line)-len(rest)] + `\` + rest
		}
	}
	return strings.Join(lines, "")
}
