package sbom

import (
	"cmp"
	"maps"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/sizes"
)

// Module is a module in one version.
type Module struct {
	Path    string
	Version string // "" where a directory stands in its place
	Sum     string // h1: of its zip; "" where the go command checked none
	Dir     string // that go.mod has in its place; "" for none
}

// Linked is a program of a release as it was linked, before it was packed or archived.
type Linked struct {
	Profile, Platform, Name string
	// Info is what the go command wrote into it; nil: nothing.
	Info *debug.BuildInfo
	// Sizes is what it is made of; nil: not measured.
	Sizes *sizes.Summary
	// GoOnly says that nothing but Go packages is in it: no C code, and no runtime/cgo.
	GoOnly bool
}

// Input is what a bill is made of.
type Input struct {
	Manifest *checksums.Manifest
	Linked   []Linked
	Required []Module // by go.mod of the main module, as it replaces them
	// Licenses are the SPDX identifiers of what is recognised for sure, of modules that
	// are linked; Main and Standard are those of the main module and the standard library.
	Licenses       map[Module][]string
	Main, Standard []string
}

// Modules are those that the linked programs have, after replacement, the main module
// and the standard library left out; each once, in no order.
func (in *Input) Modules() []Module {
	all := map[Module]bool{}
	for _, l := range in.Linked {
		if l.Info != nil {
			for _, d := range l.Info.Deps {
				all[linkedModule(d)] = true
			}
		}
	}
	return slices.Collect(maps.Keys(all))
}

// bill is the content of a document, whatever its format.
type bill struct {
	manifest *checksums.Manifest
	main     component
	modules  []component // sorted by path and version, the standard library among them
	files    []file      // in the manifest's order
}

// component is a module, the main one, or the standard library.
type component struct {
	Module
	standard bool
	licenses []string
	replaces []string // PATH@VERSION that go.mod names, where this stands in its place
	linked   []weight // in the order of the files; none: no program has a package of it
	// unlinked says that no program has a package of it: all of them were asked.
	unlinked bool
}

// weight is what a program has of a module.
type weight struct {
	file     string // its ref
	measured bool
	packages int
	bytes    int64
}

// file is an artifact of the release.
type file struct {
	*checksums.Artifact
	ref     string
	modules []string // refs, sorted; of a linked program
	from    []string // refs of the files that it was made of
	known   bool     // modules are all of the Go modules in it
	goOnly  bool     // and nothing else is
}

// ref identifies the component in the document.
func (c *component) ref() string {
	if c.standard || c.Version != "" {
		return c.purl()
	}
	return "module:" + c.Path
}

// purl is the package URL of a module; "" for one without a version.
func (c *component) purl() string {
	switch {
	case c.standard:
		return "pkg:golang/stdlib@" + strings.TrimPrefix(c.Version, "go")
	case c.Version == "":
		return ""
	}
	parts := strings.Split(c.Path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "pkg:golang/" + path.Join(parts...) + "@" + strings.ReplaceAll(url.PathEscape(c.Version), "+", "%2B")
}

// cpe is the name under which advisories about the standard library are filed.
func (c *component) cpe() string {
	return "cpe:2.3:a:golang:go:" + strings.TrimPrefix(c.Version, "go") + ":-:*:*:*:*:*:*"
}

// fileRef identifies an artifact in the document.
func fileRef(a *checksums.Artifact) string {
	return strings.Join([]string{"file", a.Profile, a.Platform, string(a.Stage), a.Name}, ":")
}

// compose works out what the document says.
func compose(in Input) *bill {
	m := in.Manifest
	b := &bill{manifest: m, main: component{Module: Module{Path: m.Source.Module, Version: m.Source.Version, Sum: m.Source.Sum}}}
	if b.main.Path == "" {
		b.main.Path = m.Project
	}
	if len(m.Source.Dirty) > 0 {
		b.main.Version, b.main.Sum = "", "" // those of the commit, which a changed tree is not
	}
	b.main.licenses = in.Main
	all := map[Module]*component{}
	add := func(x Module) *component {
		c := all[x]
		if c == nil {
			c = &component{Module: x, licenses: in.Licenses[x]}
			all[x] = c
		}
		return c
	}
	std := &component{Module: Module{Path: "stdlib", Version: m.Toolchain.Version}, standard: true, licenses: in.Standard}
	digestOf := func(a *checksums.Artifact, sum string) string { return a.Profile + " " + a.Platform + " " + sum }
	byDigest := map[string][]string{} // a later stage may stand before what it was made of
	linked := map[string][]string{}   // of any platform: what universal binaries are made of
	for i := range m.Artifacts {
		a := &m.Artifacts[i]
		key := digestOf(a, a.SHA256)
		byDigest[key] = append(byDigest[key], fileRef(a))
		linked[a.Profile+" "+a.SHA256] = append(linked[a.Profile+" "+a.SHA256], fileRef(a))
	}
	for i := range m.Artifacts {
		f := file{Artifact: &m.Artifacts[i], ref: fileRef(&m.Artifacts[i])}
		for _, sum := range f.From {
			if f.Stage == fact.Universal {
				f.from = append(f.from, linked[f.Profile+" "+sum]...)
			} else {
				f.from = append(f.from, byDigest[digestOf(f.Artifact, sum)]...)
			}
		}
		f.from = slices.Compact(slices.Sorted(slices.Values(f.from)))
		if l := in.linked(f.Artifact); l != nil && l.Info != nil {
			f.known, f.goOnly = true, l.GoOnly
			note := func(c *component, path string) {
				c.linked = append(c.linked, l.weight(f.ref, path, c.standard))
				f.modules = append(f.modules, c.ref())
			}
			note(std, "")
			note(&b.main, l.Info.Main.Path)
			for _, d := range l.Info.Deps {
				x := linkedModule(d)
				c := add(x)
				if d.Replace != nil && c.Dir == "" {
					c.replace(d.Path + "@" + d.Version)
				}
				note(c, d.Path)
			}
			f.modules = slices.Compact(slices.Sorted(slices.Values(f.modules)))
		}
		b.files = append(b.files, f)
	}
	for _, x := range in.Required {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(y Module) bool { return x.Path == y.Path && x.Version == y.Version && x.Dir == y.Dir }) {
			add(x)
		}
	}
	known := !slices.ContainsFunc(b.files, func(f file) bool { return f.Stage == fact.Linked && !f.known })
	for _, c := range all {
		c.unlinked = known && len(c.linked) == 0
		b.modules = append(b.modules, *c)
	}
	b.modules = append(b.modules, *std)
	slices.SortFunc(b.modules, func(x, y component) int {
		return cmp.Or(strings.Compare(x.Path, y.Path), strings.Compare(x.Version, y.Version), strings.Compare(x.Sum, y.Sum))
	})
	return b
}

// replace notes what a module stands in the place of.
func (c *component) replace(what string) {
	if !slices.Contains(c.replaces, what) {
		c.replaces = append(c.replaces, what)
		slices.Sort(c.replaces)
	}
}

// devel is what the go command says of what has no version.
const devel = "(devel)"

// toolVersion is that of what made the release; "" where it has none.
func (b *bill) toolVersion() string {
	if v := b.manifest.Builder.Version; v != devel {
		return v
	}
	return ""
}

// linkedModule is the module that a program really has, after replacement.
func linkedModule(d *debug.Module) Module {
	if r := d.Replace; r != nil {
		if r.Version == "" || r.Version == devel {
			return Module{Path: d.Path, Dir: r.Path}
		}
		d = r
	}
	if d.Version == devel {
		return Module{Path: d.Path}
	}
	return Module{Path: d.Path, Version: d.Version, Sum: d.Sum}
}

// linked is the program of that artifact; nil if it is none, or nothing is known of it.
func (in *Input) linked(a *checksums.Artifact) *Linked {
	if a.Stage != fact.Linked {
		return nil
	}
	i := slices.IndexFunc(in.Linked, func(l Linked) bool {
		return l.Profile == a.Profile && l.Platform == a.Platform && l.Name == a.Name
	})
	if i < 0 {
		return nil
	}
	return &in.Linked[i]
}

// weight is what the program has of a module, which it names by that path.
func (l *Linked) weight(ref, modPath string, standard bool) weight {
	w := weight{file: ref, measured: l.Sizes != nil}
	if l.Sizes == nil {
		return w
	}
	for _, g := range l.Sizes.Groups {
		for _, m := range g.Modules {
			if standard && g.Name == sizes.GroupStd || !standard && g.Name != sizes.GroupStd && m.Path == modPath {
				w.packages += len(m.Packages)
				w.bytes += m.Size
			}
		}
	}
	return w
}
