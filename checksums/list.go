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

// Entry is one line of checksums.txt.
type Entry struct {
	Name   string `json:"name"`   // file name, without a directory
	SHA256 string `json:"sha256"` // 64 lower-case hex digits
}

// FormatList returns checksums.txt: a line "<hex>  <name>\n" for each entry,
// sorted by name in byte order. `sha256sum -c` and `shasum -a 256 -c` accept
// it. It refuses an empty list, what [ParseList] would refuse, and reports all
// bad entries, not just the first.
func FormatList(entries []Entry) ([]byte, error) {
	if len(entries) == 0 {
		return nil, errors.New("checksums: no files to list")
	}
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	if err := checkEntries(entries); err != nil {
		return nil, fmt.Errorf("checksums: %w", err)
	}
	var b bytes.Buffer
	for _, e := range entries {
		b.WriteString(e.SHA256)
		b.WriteString("  ")
		b.WriteString(e.Name)
		b.WriteByte('\n')
	}
	if b.Len() > MaxListSize {
		return nil, fmt.Errorf("checksums: the list has %d bytes, more than %d", b.Len(), MaxListSize)
	}
	return b.Bytes(), nil
}

// ParseList reads checksums.txt. It accepts exactly what [FormatList] writes:
// a list has one spelling, so two people who made the same release have the
// same bytes to sign. Everything else that sha256sum would take is refused
// with the line number: blank lines, comments, CRLF, the binary marker '*',
// escaped names, upper-case digits, another order, a missing last newline.
//
// Names are base names: no directories, no "..", nothing that a Windows or
// macOS machine would read as another file (see the rules at checkName), no
// two that differ only in case.
func ParseList(data []byte) ([]Entry, error) {
	if len(data) == 0 {
		return nil, errors.New("the list is empty")
	}
	if len(data) > MaxListSize {
		return nil, fmt.Errorf("the list has %d bytes, more than %d", len(data), MaxListSize)
	}
	if data[len(data)-1] != '\n' {
		return nil, errors.New("the last line has no newline: the list was cut short")
	}
	lines := strings.Split(string(data[:len(data)-1]), "\n")
	entries := make([]Entry, 0, len(lines))
	var errs []error
	bad := func(line int, format string, args ...any) {
		// One good report is enough of a hostile file.
		if len(errs) < 20 {
			errs = append(errs, fmt.Errorf("line %d: %w", line, fmt.Errorf(format, args...)))
		}
	}
	for i, line := range lines {
		switch {
		case line == "":
			bad(i+1, "is empty")
			continue
		case strings.HasSuffix(line, "\r"):
			bad(i+1, "ends in CRLF; the list was changed on its way (git's autocrlf, FTP in text mode)")
			continue
		case len(line) < 66:
			bad(i+1, "is too short for 64 hex digits, two spaces and a name")
			continue
		case line[64:66] == " *":
			bad(i+1, "has the binary marker '*'; two spaces wanted")
			continue
		case line[64:66] != "  ":
			bad(i+1, "has no two spaces after 64 hex digits")
			continue
		}
		e := Entry{Name: line[66:], SHA256: line[:64]}
		if err := checkDigest(e.SHA256); err != nil {
			bad(i+1, "%w", err)
			continue
		}
		if err := checkName(e.Name); err != nil {
			bad(i+1, "%w", err)
			continue
		}
		if n := len(entries); n > 0 && e.Name < entries[n-1].Name {
			bad(i+1, "%q comes after %q; the list is not sorted", e.Name, entries[n-1].Name)
		}
		entries = append(entries, e)
	}
	if len(errs) == 0 {
		if err := checkEntries(entries); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return entries, nil
}

// checkEntries checks names, digests and uniqueness.
func checkEntries(entries []Entry) error {
	var errs []error
	seen := make(map[string]string, len(entries))
	for _, e := range entries {
		if err := checkName(e.Name); err != nil {
			errs = append(errs, err)
			continue
		}
		if isUnlisted(e.Name) {
			errs = append(errs, fmt.Errorf("%q cannot be in the list: it is the list, or a signature beside it", e.Name))
			continue
		}
		if err := checkDigest(e.SHA256); err != nil {
			errs = append(errs, fmt.Errorf("%q: %w", e.Name, err))
			continue
		}
		key := foldName(e.Name)
		switch other, ok := seen[key]; {
		case ok && other == e.Name:
			errs = append(errs, fmt.Errorf("%q is listed twice", e.Name))
		case ok:
			errs = append(errs, fmt.Errorf("%q and %q are one file on Windows and macOS", other, e.Name))
		}
		seen[key] = e.Name
	}
	return errors.Join(errs...)
}

// isUnlisted reports whether name is a file of a release that is not in the
// list: the list itself and what is made from it, and the ledger's signature, so
// that a release has the same list signed and unsigned.
func isUnlisted(name string) bool {
	switch foldName(name) {
	case foldName(ChecksumsFile), foldName(ChecksumsBundle), foldName(ProvenanceBundle), foldName(LedgerBundle):
		return true
	}
	return false
}

func checkDigest(s string) error {
	if len(s) != 64 {
		return fmt.Errorf("digest has %d digits, SHA-256 has 64", len(s))
	}
	if _, ok := exact.Hex(s); !ok {
		return fmt.Errorf("digest %q is not lower-case hex", s)
	}
	return nil
}

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
