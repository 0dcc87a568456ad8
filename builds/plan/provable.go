package plan

import (
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/goflags"
)

// readsFiles are flags of the compiler and the assembler that make them read
// files which are not part of the action ID, or write where nobody looks.
var readsFiles = []string{"-I", "-D", "-importcfg", "-embedcfg", "-symabis", "-linkobj", "-importmap", "-pgoprofile", "-toolexec", "-overlay", "-pkgdir"}

// Provable reports whether cmd/go's action IDs hold everything that the unit's
// compiles read, apart from C code.
func (u *Unit) Provable() bool {
	for _, f := range u.Flags {
		name, value, _ := strings.Cut(f, "=")
		switch name {
		case "-toolexec", "-overlay", "-pkgdir", "-compiler", "-gccgoflags":
			return false
		case "-gcflags", "-asmflags":
			p, err := goflags.ParsePerPackage(value)
			if err != nil || slices.ContainsFunc(p.Words, isResponse) {
				return false
			}
			for _, word := range p.Words {
				if slices.ContainsFunc(readsFiles, func(flag string) bool {
					return strings.HasPrefix("-"+strings.TrimLeft(word, "-"), flag)
				}) {
					return false
				}
			}
		}
	}
	return true
}

// linkFlags are those of the linker that make it read nothing further. -buildid
// is not among them: with it a program could carry the action ID of another.
var linkFlags = []string{"s", "w", "X", "B", "H"}

// isResponse reports whether a tool puts the lines of a file in the place of a
// word (cmd/internal/objabi.expandArgs), which no action ID holds.
func isResponse(word string) bool { return strings.HasPrefix(word, "@") }

// ProvableLinks reports whether the action IDs of the unit's links hold all that
// they read: no C compiler links it, and no flag names a file.
func (u *Unit) ProvableLinks() bool {
	if !u.Provable() || !slices.Contains(u.Env, "CGO_ENABLED=0") {
		return false
	}
	for _, f := range u.Flags {
		name, value, _ := strings.Cut(f, "=")
		switch name {
		case "-linkshared":
			return false
		case "-buildmode": // others may need the C compiler's linker
			if value != "exe" && value != "default" {
				return false
			}
		case "-ldflags":
			p, err := goflags.ParsePerPackage(value)
			if err != nil || p.Pattern != "" || slices.ContainsFunc(p.Words, isResponse) {
				return false
			}
			for _, word := range p.Words {
				name, _, _ := strings.Cut(word, "=")
				if name, ok := strings.CutPrefix(name, "-"); ok && !slices.Contains(linkFlags, strings.TrimPrefix(name, "-")) {
					return false
				}
			}
		}
	}
	return true
}
