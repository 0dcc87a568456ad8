package confine

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// View is the file system as a command sees it: this machine's, with some directories
// at other paths. Nothing is written to the machine for it. There are views on Linux
// only, in a mount namespace, to which an ordinary user needs a user namespace.
type View struct {
	Mounts []Mount
	// Keep are directories that the command needs where they are.
	Keep []string
	// Base is an empty directory, which stays empty.
	Base string
	// Mounter is the program of [MounterSource], compiled for this machine.
	Mounter string
}

// Mount has the command see a directory at another path, in the place of whatever
// is there.
type Mount struct {
	From string // an absolute path on this machine
	At   string // where the command sees it
	// Foreign says that strangers wrote what is in it: no program of this machine may
	// take that for its own.
	Foreign bool
}

// Path is where the command sees a file of this machine that the view moves; any
// other is where it is.
func (v *View) Path(name string) string {
	if v == nil {
		return name
	}
	at, longest := name, -1
	for _, m := range v.Mounts {
		if rest, ok := below(name, m.From); ok && len(m.From) > longest {
			at, longest = m.At+rest, len(m.From)
		}
	}
	return at
}

// below reports whether a path is a directory or something in it, and what comes after
// the directory.
func below(name, dir string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(name, strings.TrimSuffix(dir, "/"))
	return rest, ok && (rest == "" || rest[0] == '/')
}

// ViewError is that a command cannot have its view here. Nothing of it has run.
type ViewError struct {
	Reason string
}

func (e *ViewError) Error() string { return e.Reason }

func viewErrorf(format string, args ...any) error {
	return &ViewError{fmt.Sprintf(format, args...)}
}

// Lengths of paths that Linux takes (PATH_MAX with its NUL, NAME_MAX).
const (
	maxPath = 4095
	maxName = 255
)

// system are the directories in which programs look for what they run, load or
// believe, and those that the kernel makes. Nothing takes their place, and nothing is
// put there. Below /usr it depends on what.
var system = []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/dev", "/proc", "/sys", "/run", "/boot"}

// searched are the names below /usr and /usr/local that programs look into.
var searched = []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec", "include", "share", "etc", "local", "games", "man"}

// stores are where some systems keep all of their programs.
var stores = []string{"/nix", "/gnu", "/snap"}

// check refuses a view that would take something away from the machine's programs, or
// give them something of a stranger's. All that is wrong is said.
func (v *View) check() error {
	var wrong []string
	for i, m := range v.Mounts {
		if reason := m.refused(); reason != "" {
			wrong = append(wrong, reason)
			continue
		}
		for _, keep := range v.Keep {
			if _, ok := below(keep, m.At); ok {
				wrong = append(wrong, fmt.Sprintf("%s holds %s, which the build needs where it is", m.At, keep))
				break
			}
			if _, ok := below(m.At, keep); ok {
				wrong = append(wrong, fmt.Sprintf("%s is in %s, which is no stranger's", m.At, keep))
				break
			}
		}
		for _, other := range v.Mounts[:i] {
			if other.At == m.At {
				wrong = append(wrong, fmt.Sprintf("two directories would be at %s", m.At))
			}
		}
	}
	if len(wrong) > 0 {
		return &ViewError{strings.Join(wrong, "; ")}
	}
	return nil
}

// refused says why nothing may be put at the place, wherever the rest is; "" if it may.
func (m Mount) refused() string {
	at := m.At
	shown := fmt.Sprintf("%.80q", at)
	switch {
	case len(at) > maxPath:
		return fmt.Sprintf("%s… is longer than a path can be", shown)
	case !strings.HasPrefix(at, "/"):
		return fmt.Sprintf("%s is no absolute path here", shown)
	case strings.ContainsFunc(at, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }):
		return fmt.Sprintf("%s has characters in it that no build directory has", shown)
	case path.Clean(at) != at:
		return fmt.Sprintf("%s is no path in its shortest form", shown)
	case at == "/":
		return "it is the root of the file system"
	}
	for name := range strings.SplitSeq(at[1:], "/") {
		if len(name) > maxName {
			return fmt.Sprintf("%s has a name in it that is longer than a name can be", shown)
		}
	}
	if m.system() {
		return fmt.Sprintf("%s is a directory of the system", shown)
	}
	return ""
}

// system reports whether the machine's own programs look into the place.
func (m Mount) system() bool {
	in := func(dir string) bool { _, ok := below(m.At, dir); return ok }
	if slices.ContainsFunc(system, in) || m.At == "/usr" || m.At == "/usr/local" {
		return true
	}
	for _, dir := range []string{"/usr/local", "/usr"} {
		rest, ok := below(m.At, dir)
		if !ok {
			continue
		}
		name, deeper, _ := strings.Cut(rest[1:], "/")
		// A toolchain of Go's lies in /usr/lib/go-1.19, say; it is nobody's library.
		return slices.Contains(searched, name) && (m.Foreign || deeper == "")
	}
	return m.Foreign && slices.ContainsFunc(stores, in)
}
