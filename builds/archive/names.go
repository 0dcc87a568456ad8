package archive

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mintmark/mintmark/internal/fault"
)

const maxName = 1024 // bytes

// CheckNames reports every name that cannot be in an archive, and every pair of
// names that cannot be in one archive together. The rules are the strictest of
// the systems an archive may be unpacked on: relative slash-separated UTF-8
// paths without "." and ".." elements, characters that Windows forbids, or
// device names; no two names equal when case is ignored; and no name that is
// also the directory of another.
func CheckNames(names []string) error {
	var errs []error
	files := map[string]string{} // folded name → name
	for _, n := range names {
		if why := unsafe(n); why != "" {
			errs = append(errs, fault.Errorf("rename the member in the profile's archive section", "unsafe name %q: %s", n, why))
			continue
		}
		if other, ok := files[fold(n)]; ok {
			if other == n {
				errs = append(errs, fmt.Errorf("two members are named %q", n))
			} else {
				errs = append(errs, fmt.Errorf("%q and %q differ only in case", other, n))
			}
			continue
		}
		files[fold(n)] = n
	}
	for _, n := range names {
		for i, c := range n {
			if c != '/' {
				continue
			}
			if file, ok := files[fold(n[:i])]; ok {
				errs = append(errs, fmt.Errorf("%q is a file and the directory of %q", file, n))
			}
		}
	}
	return errors.Join(errs...)
}

// fold maps names to one value that a case-insensitive file system takes for
// one: upper case first, since some lower-case letters share one upper case.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// leadsOut reports whether a name, taken by any system, can be that of a file
// outside of the directory it is unpacked in.
func leadsOut(name string) bool {
	name = strings.ReplaceAll(name, `\`, "/")
	return strings.HasPrefix(name, "/") || len(name) > 1 && name[1] == ':' || strings.Contains(name, "\x00") ||
		slices.Contains(strings.Split(name, "/"), "..")
}

// unsafe says why a name is refused; "" when it is not.
func unsafe(name string) string {
	switch {
	case name == "":
		return "empty"
	case len(name) > maxName:
		return fmt.Sprintf("longer than %d bytes", maxName)
	case !utf8.ValidString(name):
		return "not UTF-8"
	case name[0] == '/':
		return "absolute"
	}
	for _, r := range name {
		if unicode.IsControl(r) || strings.ContainsRune(`\:<>"|?*`, r) || !unicode.IsGraphic(r) {
			return fmt.Sprintf("contains %q", r)
		}
	}
	for e := range strings.SplitSeq(name, "/") {
		switch {
		case e == "":
			return "empty path element"
		case e == "." || e == "..":
			return "path element " + e
		case strings.HasSuffix(e, ".") || strings.HasSuffix(e, " "):
			return "path element ends with a dot or space, which Windows removes"
		case device(e):
			return e + " is a device on Windows"
		}
	}
	return ""
}

// device reports whether Windows takes the path element for a device: the
// device names with any extension.
func device(e string) bool {
	base, _, _ := strings.Cut(e, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if p, ok := strings.CutPrefix(base, "COM"); ok || strings.HasPrefix(base, "LPT") {
		if !ok {
			p = base[3:]
		}
		switch p {
		case "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
			return true
		}
	}
	return false
}
