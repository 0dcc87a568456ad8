package builds

import (
	"slices"
	"strings"
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
			for _, word := range flagWords(value) {
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

// provableLinks reports whether the action IDs of the unit's links hold all that
// they read: no C compiler links it, and no flag names a file.
func (u *Unit) provableLinks() bool {
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
			for _, word := range flagWords(value) {
				if flag, ok := strings.CutPrefix(word, "-"); ok && !slices.Contains(linkFlags, strings.TrimPrefix(flag, "-")) {
					return false
				}
			}
		}
	}
	return true
}

// flagWords are the flags in the value of -ldflags and the like, and the words
// of their values: a flag that is not among them is not there.
func flagWords(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\n='\"", r) })
}
