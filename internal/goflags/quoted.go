package goflags

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// separators are what the go command splits at (cmd/internal/quoted.isSpaceByte).
const separators = " \t\n\r"

// Split splits text into words as the go command does (cmd/internal/quoted.Split):
// at blanks, tabs and line ends; a word that begins with a quote ends at the next
// one, and nothing is escaped. Quotes further inside a word do not count.
func Split(text string) ([]string, error) {
	var words []string
	for {
		text = strings.TrimLeft(text, separators)
		if text == "" {
			return words, nil
		}
		if q := text[0]; q == '"' || q == '\'' {
			end := strings.IndexByte(text[1:], q)
			if end < 0 {
				return nil, fmt.Errorf("unterminated %c string", q)
			}
			words, text = append(words, text[1:1+end]), text[2+end:]
			continue
		}
		end := strings.IndexAny(text, separators)
		if end < 0 {
			end = len(text)
		}
		words, text = append(words, text[:end]), text[end:]
	}
}

// Join is the one spelling of words that [Split] takes apart again. The error is
// a word that cannot be spelled: one with both kinds of quotes.
func Join(words []string) (string, error) {
	quoted := make([]string, len(words))
	for i, w := range words {
		if strings.Contains(w, `'`) && strings.Contains(w, `"`) {
			return "", fmt.Errorf("%q has both kinds of quotes, and the go command no way to write it", w)
		}
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " "), nil
}

// Quote is a word as it stands between others: in quotes only if it is empty, or
// if something in it would end it. Spaces other than the go command's separators
// end no word, but at the end of a text they are trimmed.
func Quote(word string) string {
	switch {
	case word != "" && !strings.ContainsFunc(word, func(r rune) bool { return r == '\'' || r == '"' || unicode.IsSpace(r) }):
		return word
	case !strings.Contains(word, "'"):
		return "'" + word + "'"
	}
	return `"` + word + `"`
}

// clean refuses text that one reader takes for something else than another:
// control characters, bytes that are no UTF-8, and spaces at an end that the go
// command trims although they separate nothing.
func clean(text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("%q is not UTF-8", text)
	}
	for _, r := range text {
		if unicode.IsControl(r) && !strings.ContainsRune(separators, r) {
			return fmt.Errorf("%q has the control character %q", text, r)
		}
	}
	if strings.TrimSpace(text) != strings.Trim(text, separators) {
		return fmt.Errorf("%q begins or ends with a space that separates nothing", text)
	}
	return nil
}

// plain reports whether text is of ASCII letters, signs and separators only.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (r < ' ' || r > '~') && !strings.ContainsRune(separators, r)
	})
}
