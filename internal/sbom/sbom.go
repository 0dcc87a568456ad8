package sbom

import (
	"cmp"
	"fmt"
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
	Profile, Platform, Package string
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

// Write writes the document of that name, as [fact.BillOf] reads it: of the release, or of
// one file that it publishes.
func (in *Input) Write(name string) ([]byte, error) {
	format, of, ok := fact.BillOf(name)
	if !ok {
		return nil, fmt.Errorf("%s is the name of no bill of materials", name)
	}
	b, err := in.compose(of)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if format == fact.SPDX {
		return b.spdx()
	}
	return b.cycloneDX()
}

// Programs are the linked programs that a bill is about: of the published file of, "" for
// all of the release. There are none of what is no such file.
func Programs(m *checksums.Manifest, of string) (list []*checksums.Artifact) {
	files, err := filesOf(m, of)
	if err != nil {
		return nil
	}
	for _, f := range files {
		if f.Stage == fact.Linked {
			list = append(list, f.Artifact)
		}
	}
	return list
}

// bill is the content of a document, whatever its format.
type bill struct {
	manifest *checksums.Manifest
	main     component
	modules  []component // sorted by path and version, the standard library among them
	files    []file      // in the manifest's order
	of       *file       // that the document is about, one of these; nil: the release
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

// filesOf are the files that a document is about, with what each was made of: those of the
// release, or the published file of and what that was made of.
func filesOf(m *checksums.Manifest, of string) (files []file, err error) {
	key := func(a *checksums.Artifact, sum string) string { // of what it is made of
		if a.Stage == fact.Universal {
			return a.Profile + " " + sum // programs for other platforms
		}
		return a.Profile + " " + a.Platform + " " + sum
	}
	byDigest := map[string][]string{} // a later stage may stand before what it was made of
	var about []string
	for i := range m.Artifacts {
		a := &m.Artifacts[i]
		ref := fileRef(a)
		for _, k := range []string{a.Profile + " " + a.SHA256, a.Profile + " " + a.Platform + " " + a.SHA256} {
			byDigest[k] = append(byDigest[k], ref)
		}
		if a.Published && a.Name == of && a.Stage.Programs() {
			about = append(about, ref)
		}
	}
	from := map[string][]string{}
	for i := range m.Artifacts {
		f := file{Artifact: &m.Artifacts[i], ref: fileRef(&m.Artifacts[i])}
		for _, sum := range f.From {
			f.from = append(f.from, byDigest[key(f.Artifact, sum)]...)
		}
		f.from = slices.Compact(slices.Sorted(slices.Values(f.from)))
		from[f.ref] = f.from
		files = append(files, f)
	}
	if of == "" {
		return files, nil
	}
	if len(about) != 1 {
		return nil, fmt.Errorf("the release publishes no program, archive or package %q", of)
	}
	needed := map[string]bool{}
	for len(about) > 0 {
		ref := about[0]
		about = about[1:]
		if !needed[ref] {
			needed[ref] = true
			about = append(about, from[ref]...)
		}
	}
	return slices.DeleteFunc(files, func(f file) bool { return !needed[f.ref] }), nil
}

// compose works out what the document says: of all files of the release, or of the
// published one of that name alone.
func (in *Input) compose(of string) (*bill, error) {
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
	var err error
	if b.files, err = filesOf(m, of); err != nil {
		return nil, err
	}
	for i := range b.files {
		f := &b.files[i]
		if of != "" && f.Published && f.Name == of {
			b.of = f
		}
		l := in.linked(f.Artifact)
		if l == nil || l.Info == nil {
			continue
		}
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
	return b, nil
}

// modulesIn are the refs of the modules in a file. The main module is among them where the
// document is about a file and not about that module.
func (b *bill) modulesIn(f *file) []string {
	return slices.DeleteFunc(slices.Clone(f.modules), func(ref string) bool { return b.of == nil && ref == b.main.ref() })
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
		return l.Profile == a.Profile && l.Platform == a.Platform && l.Package == a.Package
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
