package sizes

import (
	"path"
	"runtime/debug"
	"slices"
	"strings"
)

// PackageOf gives the import path of the package a symbol belongs to, by the
// rules of cmd/internal/objabi for symbol names: dots in the last element of a
// path are written %2e, type arguments stand in brackets, and what the compiler
// makes for a type is named after the type. It is "" for symbols of the linker
// and for types without a package.
func PackageOf(name string) string {
	if rest, ok := strings.CutPrefix(name, "type:."); ok { // since Go 1.20
		return packageOfGenerated(rest)
	}
	if rest, ok := strings.CutPrefix(name, "type.."); ok {
		return packageOfGenerated(rest)
	}
	for _, p := range []string{"go:itab.", "go.itab."} {
		if rest, ok := strings.CutPrefix(name, p); ok {
			// "go:itab.*os.File,io.Reader" is the code of the type's package.
			of, _, _ := strings.Cut(rest, ",")
			return packageOfType(of)
		}
	}
	if strings.HasPrefix(name, "go:main.") {
		return "main"
	}
	if strings.HasPrefix(name, "go:") || strings.HasPrefix(name, "type:") || strings.HasPrefix(name, "go.shape.") {
		return ""
	}
	return packageOfName(name)
}

// packageOfGenerated is the package of "eq.TYPE" or "hash.TYPE".
func packageOfGenerated(rest string) string {
	if _, of, ok := strings.Cut(rest, "."); ok {
		return packageOfType(of)
	}
	return ""
}

// packageOfType is the package of a type with a name, or of an array of such
// or a pointer to one.
func packageOfType(name string) string {
	for {
		if rest, ok := strings.CutPrefix(name, "*"); ok {
			name = rest
			continue
		}
		if strings.HasPrefix(name, "[") {
			if i := strings.IndexByte(name, ']'); i >= 0 {
				name = name[i+1:]
				continue
			}
		}
		break
	}
	for _, p := range []string{"struct {", "struct{", "interface {", "func(", "map[", "chan ", "go.shape."} {
		if strings.HasPrefix(name, p) {
			return ""
		}
	}
	return packageOfName(name)
}

// packageOfName is what stands before the dot of PACKAGE.NAME[TYPES].
func packageOfName(name string) string {
	name, _, _ = strings.Cut(name, "[")
	slash := strings.LastIndexByte(name, '/') + 1
	dot := strings.IndexByte(name[slash:], '.')
	if dot <= 0 {
		return ""
	}
	return unescape(name[:slash+dot])
}

// unescape undoes objabi.PathToPrefix.
func unescape(p string) string {
	if !strings.Contains(p, "%") {
		return p
	}
	hex := func(c byte) int { return strings.IndexByte("0123456789abcdef", c) }
	var b []byte
	for i := 0; i < len(p); i++ {
		if p[i] == '%' && i+2 < len(p) && hex(p[i+1]) >= 0 && hex(p[i+2]) >= 0 {
			b = append(b, byte(hex(p[i+1])<<4|hex(p[i+2])))
			i += 2
			continue
		}
		b = append(b, p[i])
	}
	return string(b)
}

// Groups of packages.
const (
	GroupOwn        = "own"        // the main module
	GroupDependency = "dependency" // another module
	GroupStd        = "std"        // the standard library, its vendored modules included
	GroupC          = "cgo"        // C code and its data: [CCode]
	GroupNone       = "none"       // the linker and the format, and what several packages share
)

// Groups are the groups, in the order of a table.
func Groups() []string { return []string{GroupOwn, GroupDependency, GroupStd, GroupC, GroupNone} }

// Modules tells whose a package is.
type Modules struct {
	Known    bool   // from build information; else by the look of the paths
	MainPath string // import path of package main, "" when not known
	Main     Mod
	Deps     []Mod // sorted by path
}

// Mod is a module in a binary. Version is what the binary says, after replacement.
type Mod struct {
	Path    string `json:"path"`
	Version string `json:"version,omitempty"`
}

func modulesOf(bi *debug.BuildInfo) Modules {
	if bi == nil || bi.Main.Path == "" && len(bi.Deps) == 0 {
		return Modules{}
	}
	m := Modules{Known: true, MainPath: bi.Path, Main: Mod{bi.Main.Path, bi.Main.Version}}
	for _, d := range bi.Deps {
		v := d.Version
		if r := d.Replace; r != nil {
			v = strings.TrimSpace(r.Path + " " + r.Version)
			if r.Path == d.Path {
				v = r.Version
			}
		}
		m.Deps = append(m.Deps, Mod{d.Path, v})
	}
	slices.SortFunc(m.Deps, func(a, b Mod) int { return strings.Compare(a.Path, b.Path) })
	return m
}

// Of gives the group and the module of a package. The module of a package of
// the standard library is "std".
func (m *Modules) Of(pkg string) (group string, mod Mod) {
	if pkg == "" {
		return GroupNone, Mod{}
	}
	if pkg == CCode {
		return GroupC, Mod{}
	}
	if pkg == "main" || pkg == "command-line-arguments" {
		return GroupOwn, m.Main
	}
	pkg = strings.TrimSuffix(pkg, "_test")
	if m.Known {
		// The longest path that the package is in: modules can lie in one another.
		group, mod = "", Mod{}
		if within(pkg, m.Main.Path) {
			group, mod = GroupOwn, m.Main
		}
		for p := pkg; p != "." && p != "/" && len(p) > len(mod.Path); p = path.Dir(p) {
			if i, ok := slices.BinarySearchFunc(m.Deps, p, func(d Mod, p string) int { return strings.Compare(d.Path, p) }); ok {
				return GroupDependency, m.Deps[i]
			}
		}
		if group != "" {
			return group, mod
		}
	}
	first, _, _ := strings.Cut(pkg, "/")
	if !strings.Contains(first, ".") {
		return GroupStd, Mod{Path: "std"}
	}
	return GroupDependency, Mod{Path: guessModule(pkg)}
}

// guessModule takes the usual number of elements of the hosts everybody uses.
func guessModule(pkg string) string {
	e := strings.Split(pkg, "/")
	n := 2
	switch e[0] {
	case "github.com", "gitlab.com", "bitbucket.org", "golang.org":
		n = 3
	}
	return strings.Join(e[:min(n, len(e))], "/")
}

func within(pkg, dir string) bool {
	return dir != "" && (pkg == dir || strings.HasPrefix(pkg, dir) && pkg[len(dir)] == '/')
}
