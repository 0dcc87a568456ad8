package bindiff

import (
	"bytes"
	"runtime/debug"
	"slices"
	"strings"
)

// Names of what belongs to no package of the source.
const (
	noPackage    = "(made by the linker)"
	typesPackage = "(types)"
)

// packageOf returns the import path of a function's package. Type arguments are
// cut off first, since they contain slashes and dots of their own.
func packageOf(name []byte) string {
	if bytes.HasPrefix(name, []byte("type:")) || bytes.HasPrefix(name, []byte("type.")) {
		return typesPackage
	}
	if bytes.HasPrefix(name, []byte("go:")) || bytes.HasPrefix(name, []byte("go.")) {
		return noPackage
	}
	if i := bytes.IndexByte(name, '['); i >= 0 {
		name = name[:i]
	}
	slash := bytes.LastIndexByte(name, '/')
	dot := bytes.IndexByte(name[slash+1:], '.')
	if dot < 0 {
		return noPackage // C functions and assembly without a package
	}
	return clip(strings.ReplaceAll(string(name[:slash+1+dot]), "%2e", "."), 200)
}

// standard reports whether a package is of the standard library: no package of
// a module that is recorded, be it the main one or one it needs, and no dot in the
// first element.
func standard(pkg string, p *pair) bool {
	if pkg == "main" || pkg == noPackage || pkg == typesPackage {
		return false
	}
	first, _, _ := strings.Cut(pkg, "/")
	if strings.Contains(first, ".") {
		return false
	}
	return !slices.ContainsFunc(p.undotted(), func(module string) bool {
		return pkg == module || strings.HasPrefix(pkg, module+"/")
	})
}

// undotted are the recorded modules whose paths look like those of the standard library.
func (p *pair) undotted() []string {
	if p.undottedDone {
		return p.undottedModules
	}
	p.undottedDone = true
	for _, s := range []*side{p.a, p.b} {
		bi := s.file.BuildInfo
		if bi == nil {
			continue
		}
		for _, m := range append([]*debug.Module{&bi.Main}, bi.Deps...) {
			first, _, _ := strings.Cut(m.Path, "/")
			if first != "" && !strings.Contains(first, ".") && !slices.Contains(p.undottedModules, m.Path) {
				p.undottedModules = append(p.undottedModules, m.Path)
			}
		}
	}
	return p.undottedModules
}
