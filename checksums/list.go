package checksums

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/exact"
	"github.com/mintmark/mintmark/internal/fact"
)

// Names of the files about a release. The first four belong to every signed
// release.
const (
	ChecksumsFile    = fact.ChecksumsFile
	ChecksumsBundle  = fact.ChecksumsBundle
	ManifestFile     = fact.ManifestFile
	ProvenanceBundle = fact.ProvenanceBundle

	// LedgerFile is the published proof ledger: what was executed of the
	// standard library and of dependencies. Others take it away from the
	// release, so it has a signature of its own.
	LedgerFile   = fact.LedgerFile
	LedgerBundle = fact.LedgerBundle
)

// MaxListSize is the most bytes a checksums.txt may have: about ten thousand
// files.
const MaxListSize = 1 << 20

// Entry is one file of a release.
type Entry struct {
	Name   string `json:"name"`   // file name, without a directory
	SHA256 string `json:"sha256"` // 64 lower-case hex digits
}

// Line is one line of a list.
type Line struct {
	Name   string // file name, without a directory
	Digest string // lower-case hex, by the list's algorithm
}

// FormatList is [FormatLines] of checksums.txt, whose digests are SHA-256.
func FormatList(entries []Entry) ([]byte, error) {
	lines := make([]Line, len(entries))
	for i, e := range entries {
		lines[i] = Line{e.Name, e.SHA256}
	}
	return FormatLines(fact.DefaultList(), lines)
}

// FormatLines returns a list of digests: a line "<hex>  <name>\n" for each file,
// sorted by name in byte order. `sha256sum -c` and `shasum -a 256 -c`, or those
// of the list's algorithm, accept it. It refuses an empty list, what [ParseLines]
// would refuse, and reports all bad lines, not just the first.
func FormatLines(list fact.DigestList, lines []Line) ([]byte, error) {
	if len(lines) == 0 {
		return nil, errors.New("checksums: no files to list")
	}
	lines = slices.Clone(lines)
	slices.SortFunc(lines, func(a, b Line) int { return strings.Compare(a.Name, b.Name) })
	if err := checkLines(list, lines); err != nil {
		return nil, fmt.Errorf("checksums: %w", err)
	}
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l.Digest)
		b.WriteString("  ")
		b.WriteString(l.Name)
		b.WriteByte('\n')
	}
	if b.Len() > MaxListSize {
		return nil, fmt.Errorf("checksums: the list has %d bytes, more than %d", b.Len(), MaxListSize)
	}
	return b.Bytes(), nil
}

// ParseList is [ParseLines] of checksums.txt, whose digests are SHA-256.
func ParseList(data []byte) ([]Entry, error) {
	lines, err := ParseLines(fact.DefaultList(), data)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(lines))
	for i, l := range lines {
		entries[i] = Entry{l.Name, l.Digest}
	}
	return entries, nil
}

// ParseLines reads a list of digests. It accepts exactly what [FormatLines] writes:
// a list has one spelling, so two people who made the same release have the
// same bytes to sign. Everything else that sha256sum would take is refused
// with the line number: blank lines, comments, CRLF, the binary marker '*',
// escaped names, upper-case digits, another order, a missing last newline.
//
// Names are base names: no directories, no "..", nothing that a Windows or
// macOS machine would read as another file (see the rules at checkName), no
// two that differ only in case.
func ParseLines(list fact.DigestList, data []byte) ([]Line, error) {
	if len(data) == 0 {
		return nil, errors.New("the list is empty")
	}
	if len(data) > MaxListSize {
		return nil, fmt.Errorf("the list has %d bytes, more than %d", len(data), MaxListSize)
	}
	if data[len(data)-1] != '\n' {
		return nil, errors.New("the last line has no newline: the list was cut short")
	}
	texts := strings.Split(string(data[:len(data)-1]), "\n")
	lines := make([]Line, 0, len(texts))
	var errs []error
	bad := func(line int, format string, args ...any) {
		// One good report is enough of a hostile file.
		if len(errs) < 20 {
			errs = append(errs, fmt.Errorf("line %d: %w", line, fmt.Errorf(format, args...)))
		}
	}
	digits := list.Algorithm.Digits()
	for i, line := range texts {
		switch {
		case line == "":
			bad(i+1, "is empty")
			continue
		case strings.HasSuffix(line, "\r"):
			bad(i+1, "ends in CRLF; the list was changed on its way (git's autocrlf, FTP in text mode)")
			continue
		case len(line) < digits+2:
			bad(i+1, "is too short for %d hex digits, two spaces and a name", digits)
			continue
		case line[digits:digits+2] == " *":
			bad(i+1, "has the binary marker '*'; two spaces wanted")
			continue
		case line[digits:digits+2] != "  ":
			bad(i+1, "has no two spaces after %d hex digits", digits)
			continue
		}
		l := Line{Name: line[digits+2:], Digest: line[:digits]}
		if err := checkDigestOf(list.Algorithm, l.Digest); err != nil {
			bad(i+1, "%w", err)
			continue
		}
		if err := checkName(l.Name); err != nil {
			bad(i+1, "%w", err)
			continue
		}
		if n := len(lines); n > 0 && l.Name < lines[n-1].Name {
			bad(i+1, "%q comes after %q; the list is not sorted", l.Name, lines[n-1].Name)
		}
		lines = append(lines, l)
	}
	if len(errs) == 0 {
		if err := checkLines(list, lines); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return lines, nil
}

// checkLines checks names, digests and uniqueness.
func checkLines(list fact.DigestList, lines []Line) error {
	var errs []error
	seen := make(map[string]string, len(lines))
	for _, l := range lines {
		if err := checkName(l.Name); err != nil {
			errs = append(errs, err)
			continue
		}
		if isUnlisted(list, l.Name) {
			errs = append(errs, fmt.Errorf("%q cannot be in the list: it is the list, or a signature beside it", l.Name))
			continue
		}
		if err := checkDigestOf(list.Algorithm, l.Digest); err != nil {
			errs = append(errs, fmt.Errorf("%q: %w", l.Name, err))
			continue
		}
		key := foldName(l.Name)
		switch other, ok := seen[key]; {
		case ok && other == l.Name:
			errs = append(errs, fmt.Errorf("%q is listed twice", l.Name))
		case ok:
			errs = append(errs, fmt.Errorf("%q and %q are one file on Windows and macOS", other, l.Name))
		}
		seen[key] = l.Name
	}
	return errors.Join(errs...)
}

// isUnlisted reports whether name is a file of a release that is not in the
// list: the list itself and what is made from it, and the ledger's signature, so
// that a release has the same list signed and unsigned.
func isUnlisted(list fact.DigestList, name string) bool {
	switch foldName(name) {
	case foldName(list.Name), foldName(list.Bundle()), foldName(ChecksumsFile), foldName(ChecksumsBundle), foldName(ProvenanceBundle), foldName(LedgerBundle):
		return true
	}
	return false
}

func checkDigestOf(a fact.Algorithm, s string) error {
	if len(s) != a.Digits() {
		return fmt.Errorf("digest has %d digits, %s has %d", len(s), a, a.Digits())
	}
	if _, ok := exact.Hex(s); !ok {
		return fmt.Errorf("digest %q is not lower-case hex", s)
	}
	return nil
}

func checkDigest(s string) error { return checkDigestOf(fact.SHA256, s) }

// checkName accepts the base name of a file that means the same file on every
// system and in every tool that reads a checksums file.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("name is empty")
	case len(name) > 255:
		return fmt.Errorf("name has %d bytes, file systems take 255", len(name))
	case !utf8.ValidString(name):
		return fmt.Errorf("name %q is not UTF-8", name)
	case name == "." || name == "..":
		return fmt.Errorf("name %q is a directory", name)
	case strings.ContainsAny(name, `/\`):
		return fmt.Errorf("name %q has a directory; only base names are listed", name)
	case strings.HasPrefix(name, "-"):
		return fmt.Errorf("name %q begins with '-', which tools read as an option", name)
	case strings.HasPrefix(name, " ") || strings.HasSuffix(name, " ") || strings.HasSuffix(name, "."):
		return fmt.Errorf("name %q begins or ends with a space or ends with a dot", name)
	case strings.ContainsAny(name, `<>:"|?*`):
		// A colon names a drive or a stream on Windows, a star marks binary mode.
		return fmt.Errorf("name %q has a character that Windows does not allow", name)
	case isDevice(name):
		return fmt.Errorf("name %q is a device on Windows", name)
	}
	for _, r := range name {
		// Not printable: control and format characters (a right-to-left
		// override shows another name than the one checked), odd spaces.
		if !unicode.IsPrint(r) {
			return fmt.Errorf("name %q has a character that does not print", name)
		}
	}
	return nil
}

// isDevice reports names such as NUL and com1.txt, which Windows opens as
// devices in any directory.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(strings.ToLower(name), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "con", "prn", "aux", "nul", "conin$", "conout$":
		return true
	}
	if rest, ok := strings.CutPrefix(base, "com"); ok {
		return isPortNumber(rest)
	}
	if rest, ok := strings.CutPrefix(base, "lpt"); ok {
		return isPortNumber(rest)
	}
	return false
}

func isPortNumber(s string) bool {
	switch s {
	case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
		return true
	}
	return false
}

// foldName maps names that differ only in case to one string, as in
// [strings.EqualFold].
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}
