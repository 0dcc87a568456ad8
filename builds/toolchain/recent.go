package toolchain

import (
	"go/build"
	"go/version"
	"strings"
)

// Oldest is the first Go release whose toolchains are modules: what mintmark builds
// with is this or newer.
const Oldest = "go1.21"

// Supported reports whether mintmark builds with a toolchain of that exact version.
func Supported(exact string) bool { return version.Compare(exact, Oldest) >= 0 }

// Recent is a Go release that there is, to propose where none is pinned: the one that
// a program was built with, whose [runtime.Version] is given. A development version or
// a candidate is no release; then it is the first of the Go release before it.
func Recent(built string) string {
	lang := ""
	for word := range strings.FieldsSeq(built) {
		v, _, custom := strings.Cut(word, "-")
		if custom && strings.HasPrefix(word, v+"-X:") {
			custom = false // experiments of a released toolchain
		}
		if !version.IsValid(v) {
			continue
		}
		if lang = version.Lang(v); !custom && !strings.HasPrefix(built, "devel") && v != lang && !strings.Contains(v, "rc") && !strings.Contains(v, "beta") {
			return v
		}
	}
	for i, tag := range build.Default.ReleaseTags { // go1.1 and all after it, the one in development too
		if i > 0 && (tag == lang || i == len(build.Default.ReleaseTags)-1) {
			lang = build.Default.ReleaseTags[i-1]
			break
		}
	}
	exact, err := Exact(lang)
	if err != nil {
		return Oldest + ".0"
	}
	return exact
}
