package gobin

import (
	"runtime/debug"
	"strings"
	"unicode"
)

// Absolute recognises the absolute paths of all systems, whichever this one is: a file
// names directories of the system that it was built on.
func Absolute(path string) bool {
	return strings.HasPrefix(path, "/") || strings.HasPrefix(path, `\\`) || drive(path)
}

// drive reports whether a path begins with a drive of Windows.
func drive(path string) bool {
	return len(path) > 2 && path[1] == ':' && (path[2] == '/' || path[2] == '\\') && path[0]|0x20 >= 'a' && path[0]|0x20 <= 'z'
}

// FindGoroot is the GOROOT that the names of source files were written with, with
// slashes and without one at its end: where package runtime is. "" is none, as with -trimpath.
func FindGoroot(names []string) string {
	for _, name := range names {
		name = strings.ReplaceAll(name, `\`, "/")
		if root, ok := strings.CutSuffix(name, "/src/runtime/proc.go"); ok && Absolute(name) {
			return root
		}
	}
	return ""
}

// FindModCache is the module cache that the names of source files were written with:
// the prefix of the files of the first dependency that has any,
// PREFIX/escaped/path@version/file.go. "" is none, as with -trimpath or a vendor directory.
func FindModCache(names []string, bi *debug.BuildInfo) string {
	if bi == nil {
		return ""
	}
	modules := append([]*debug.Module{&bi.Main}, bi.Deps...) // go install PATH@VERSION builds there
	for _, m := range modules {
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Path == "" || m.Version == "" {
			continue
		}
		dir := "/" + escapeModule(m.Path) + "@" + escapeModule(m.Version) + "/"
		for _, name := range names {
			name = strings.ReplaceAll(name, `\`, "/")
			if i := strings.Index(name, dir); i > 0 && Absolute(name) {
				return name[:i]
			}
		}
	}
	return ""
}

// escapeModule writes capitals as the module cache does (https://go.dev/ref/mod#goproxy-protocol).
func escapeModule(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsUpper(r) {
			b.WriteByte('!')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}
