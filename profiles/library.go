package profiles

import (
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
)

// notOffered says why a value that the go command takes is none of a key's, and
// what to do instead; "" for all others.
func notOffered(key, value string) (why, hint string) {
	switch {
	case key != "buildmode":
	case value == "plugin":
		return "a plugin loads only into a program that was built with exactly the same packages, flags and toolchain, so it is no release by itself",
			"release the program and what it would load as one program, or the library as c-shared"
	case value == "shared":
		return "it makes Go packages a library for programs built with -linkshared, and they need the standard library in the same form, which no Go release has",
			"leave it out for a program, or say c-shared for a library that C programs call"
	}
	return "", ""
}

// LibraryRules report what keeps these from being the settings of a library for C.
// It is nil for programs.
func (s Settings) LibraryRules(pl Platform) []LibraryRule {
	mode := fact.BuildMode(s.BuildMode)
	if !mode.Library() {
		return nil
	}
	var broken []LibraryRule
	add := func(key, hint, format string, args ...any) {
		broken = append(broken, LibraryRule{key, fmt.Sprintf(format, args...), hint})
	}
	switch {
	case pl.Arch == "wasm":
		add("buildmode", "an override can say buildmode: default for "+pl.String(), "buildmode %s makes no C library for %s: WebAssembly modules have no header", mode, pl)
	case !s.CGO:
		add("buildmode", "set cgo: true", "buildmode %s needs cgo, which is off for %s", mode, pl)
	}
	if s.UPX != nil {
		add("upx.flags", "leave upx out", "buildmode %s is not packed: that a packed file runs is proven by starting it, and a library does not start", mode)
	}
	if s.Budget.Startup > 0 {
		add("budget.startup", "leave it out; budget.size and budget.growth hold for libraries too", "buildmode %s has no start-up time: a library does not start by itself", mode)
	}
	return broken
}

// LibraryRule is a rule of libraries that settings break.
type LibraryRule struct{ Key, Message, Hint string }

func (r LibraryRule) Error() string { return r.Message }

// checkLibrary checks the settings of a library on one platform.
func (d *decoder) checkLibrary(pl Platform, all layer) {
	s := all.settings()
	if !fact.BuildMode(s.BuildMode).Library() {
		return
	}
	for _, r := range s.LibraryRules(pl) {
		d.errorAt(all[r.Key].pos, r.Hint, "%s", r.Message)
	}
	for _, k := range leafKeys() {
		if v := all[k.name]; strings.HasPrefix(k.name, "bench.") && v != nil && v.pos != builtIn {
			d.errorAt(v.pos, "leave bench out", "buildmode %s is not measured: bench starts programs, and a library does not start by itself", s.BuildMode)
		}
	}
}
