package checksums

import (
	"encoding/base64"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/exact"
	"github.com/mintmark/mintmark/internal/fact"
)

func is[T ~string](s T, allowed ...T) error {
	if slices.Contains(allowed, s) {
		return nil
	}
	return fmt.Errorf("is %q; want %s", s, listed(allowed))
}

func listed[T ~string](words []T) string {
	text := make([]string, len(words))
	for i, w := range words {
		text[i] = string(w)
	}
	return strings.Join(text, ", ")
}

// checkSigner accepts the kinds of signers that there are, and names as they have
// them.
func checkSigner(id fact.SignerID) error {
	if raw, ok := exact.Base64(base64.StdEncoding, id.Name); !ok || len(raw) != 32 || id.Kind != fact.KeySigner {
		return fmt.Errorf("%q is not a key ID, a SHA-256 in base64", id.Text())
	}
	return nil
}

// checkWord accepts a non-empty string of printing characters without spaces.
func checkWord(s string) error {
	if s == "" {
		return errors.New("is empty")
	}
	if strings.Contains(s, " ") {
		return fmt.Errorf("%q has a space", s)
	}
	return checkText(s)
}

// checkText refuses what would make a terminal or a reader show something else.
func checkText(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%q is not UTF-8", s)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%q has a character that does not print", s)
		}
	}
	return nil
}

// Recordable reports whether a manifest and a record can hold the name of a tag. Git
// permits characters in it that do not print, such as spaces other than the usual one.
func Recordable(tag string) bool { return checkText(tag) == nil }

// checkPath accepts a clean relative slash-separated path.
func checkPath(s string) error {
	if err := checkText(s); err != nil {
		return err
	}
	if s == "" || s == "." || s == ".." || path.Clean(s) != s || path.IsAbs(s) ||
		strings.HasPrefix(s, "../") || strings.ContainsAny(s, `\:`) {
		return fmt.Errorf("%q is not a clean relative path", s)
	}
	return nil
}

// checkGitHash accepts a full SHA-1 or SHA-256 object name.
func checkGitHash(s string) error {
	if len(s) != 40 && len(s) != 64 {
		return fmt.Errorf("%q is not a full git hash", s)
	}
	if _, ok := exact.Hex(s); !ok {
		return fmt.Errorf("%q is not lower-case hex", s)
	}
	return nil
}

// decodeH1 returns the bytes of a Go module hash "h1:" + base64 (SHA-256 of
// the sorted list of files; golang.org/x/mod/sumdb/dirhash.Hash1).
func decodeH1(sum string) ([]byte, error) {
	b64, ok := strings.CutPrefix(sum, "h1:")
	if !ok {
		return nil, fmt.Errorf("%q is not an h1: hash", sum)
	}
	raw, ok := exact.Base64(base64.StdEncoding, b64)
	if !ok || len(raw) != 32 {
		return nil, fmt.Errorf("%q is not h1: and a SHA-256 in base64", sum)
	}
	return raw, nil
}
