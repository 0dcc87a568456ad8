package cli

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/measure"
	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/ui"
)

func share(n, of int64) string {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// size prints a summary for people.
func (d *app) size(s *sizes.Summary, by string, top int) error {
	d.printf("%s: %s (%s), %s %s", s.File, fact.Count(int(s.Size), "byte"), ui.FormatBytes(s.Size), s.Format, s.Arch)
	if s.GoVersion != "" {
		d.printf(", %s", s.GoVersion)
		if s.VersionFrom != "buildinfo" {
			d.printf(" (from %s)", s.VersionFrom)
		}
	}
	d.printf("\n")
	if s.Packed != "" {
		d.printf("packed by %s: %s (%s) on disk; the rest is about the unpacked file\n", s.Packed, fact.Count(s.PackedSize, "byte"), ui.FormatBytes(s.PackedSize))
	}
	d.printf("exact %s, inferred %s, shared or unknown %s; symbols: %s", share(s.Totals.Exact, s.Size), share(s.Totals.Inferred, s.Size), share(s.Totals.Shared, s.Size), s.SymbolsFrom)
	if s.BSS > 0 {
		d.printf("; and %s of memory that takes no bytes of the file", ui.FormatBytes(s.BSS))
	}
	d.printf("\n\n")
	var err error
	if len(s.Sections) > 0 { // there is nothing else to list
		switch by {
		case "":
			err = errors.Join(d.sizeSections(s, top), d.sizeKinds(s))
		case "kind":
			err = d.sizeKinds(s)
		default:
			err = d.sizeSections(s, top)
		}
		d.sizeNotes(s)
		return err
	}
	switch by {
	case "":
		err = errors.Join(d.sizeModules(s, top), d.sizePackages(s, top), d.sizeKinds(s))
		if len(s.Embedded) > 0 {
			err = errors.Join(err, d.sizeFiles(s, top))
		}
	case "module":
		err = d.sizeModules(s, top)
	case "package":
		err = d.sizePackages(s, top)
	case "kind":
		err = d.sizeKinds(s)
	case "function":
		err = d.sizeFunctions(s, top)
	case "file":
		err = d.sizeFiles(s, top)
	}
	d.sizeNotes(s)
	return err
}

func (d *app) sizeNotes(s *sizes.Summary) {
	if len(s.Lookups) > 0 {
		var names []string
		for _, x := range s.Lookups {
			if !slices.Contains(names, x.Function) {
				names = append(names, x.Function)
			}
		}
		calls := "calls"
		if len(names) > 1 {
			calls = "call"
		}
		if n := len(names); n > 5 {
			names = append(names[:5], fmt.Sprintf("%d more", n-5))
		}
		d.printf("note: %s %s for methods by reflection, and unless the name is a constant, the linker keeps every exported method for that: mintmark why reflect, in the checkout, says what it costs\n", strings.Join(names, ", "), calls)
	}
	for _, n := range s.Notes {
		d.printf("note: %s\n", n)
	}
}

func (d *app) write(t *ui.Table) error {
	err := t.Write(d.stdout())
	d.printf("\n")
	return err
}

func text(s string) ui.Cell { return ui.Cell{Text: s} }

func (d *app) sizeModules(s *sizes.Summary, top int) error {
	t := ui.Table{Columns: []ui.Column{{Title: "origin", Flexible: true}, {Title: "version"}, {Title: "bytes", Align: ui.Right}, {Title: "share", Align: ui.Right}}}
	for _, g := range s.Groups {
		t.Row(text(sizes.GroupTitle(g.Name)), text(""), text(fmt.Sprint(g.Size)), text(share(g.Size, s.Size)))
		if g.Name != sizes.GroupDependency {
			continue
		}
		for m := range first(&t, "  ", g.Modules, top) {
			t.Row(text("  "+m.Path), text(m.Version), text(fmt.Sprint(m.Size)), text(share(m.Size, s.Size)))
		}
	}
	return d.write(&t)
}

func (d *app) sizePackages(s *sizes.Summary, top int) error {
	t := ui.Table{Columns: []ui.Column{{Title: "package", Flexible: true}, {Title: "bytes", Align: ui.Right}, {Title: "share", Align: ui.Right}, {Title: "code", Align: ui.Right}, {Title: "tables", Align: ui.Right}, {Title: "types", Align: ui.Right}, {Title: "data", Align: ui.Right}}}
	list := slices.DeleteFunc(s.Packages(), func(p sizes.Package) bool { return p.Path == "" })
	for p := range first(&t, "", list, top) {
		var code, tables, types, data int64
		for _, k := range p.Kinds {
			switch k.Name {
			case "text", "code":
				code += k.Size
			case "func-record", "func-name", "pctab", "funcdata", "file-table", "findfunc":
				tables += k.Size
			case "type", "type-name", "itab", "gcbits", "type-links":
				types += k.Size
			default:
				data += k.Size
			}
		}
		t.Row(text(p.Path), text(fmt.Sprint(p.Size)), text(share(p.Size, s.Size)), text(fmt.Sprint(code)), text(fmt.Sprint(tables)), text(fmt.Sprint(types)), text(fmt.Sprint(data)))
	}
	return d.write(&t)
}

func (d *app) sizeKinds(s *sizes.Summary) error {
	t := ui.Table{Columns: []ui.Column{{Title: "kind"}, {Title: "bytes", Align: ui.Right}, {Title: "share", Align: ui.Right}}}
	for _, k := range s.Kinds {
		t.Row(text(k.Name), text(fmt.Sprint(k.Size)), text(share(k.Size, s.Size)))
	}
	return d.write(&t)
}

// first are the first entries of a list, all for top 0; the table gets a row that
// says how many are left.
func first[T any](t *ui.Table, indent string, list []T, top int) iter.Seq[T] {
	return func(yield func(T) bool) {
		for i, x := range list {
			if top > 0 && i == top {
				t.Row(text(fmt.Sprintf("%sand %d more", indent, len(list)-top)))
				return
			}
			if !yield(x) {
				return
			}
		}
	}
}

func (d *app) sizeFunctions(s *sizes.Summary, top int) error {
	t := ui.Table{Columns: []ui.Column{{Title: "function", Flexible: true}, {Title: "bytes", Align: ui.Right}}}
	for k := range first(&t, "", s.Functions, top) {
		name := k.Name
		if name == sizes.SeveralFunctions {
			name = k.Package + " " + name
		}
		t.Row(text(name), text(fmt.Sprint(k.Size)))
	}
	return d.write(&t)
}

// sizeSections lists the sections of a file of which no more is known.
func (d *app) sizeSections(s *sizes.Summary, top int) error {
	t := ui.Table{Columns: []ui.Column{{Title: "section", Flexible: true}, {Title: "kind"}, {Title: "bytes", Align: ui.Right}, {Title: "share", Align: ui.Right}}}
	for k := range first(&t, "", s.Sections, top) {
		t.Row(text(k.Name), text(k.Kind), text(fmt.Sprint(k.Size)), text(share(k.Size, s.Size)))
	}
	return d.write(&t)
}

// sizeFiles lists the embedded files.
func (d *app) sizeFiles(s *sizes.Summary, top int) error {
	t := ui.Table{Columns: []ui.Column{{Title: "embedded file", Flexible: true}, {Title: "package"}, {Title: "bytes", Align: ui.Right}, {Title: "share", Align: ui.Right}}}
	for f := range first(&t, "", s.Embedded, top) {
		t.Row(text(f.Name), text(f.Package), text(fmt.Sprint(f.Size)), text(share(f.Size, s.Size)))
	}
	if len(s.Embedded) == 0 {
		d.printf("no file of an embed.FS was found; what //go:embed puts into a string or a []byte is a variable without the file's name, counted for its package\n")
		return nil
	}
	return d.write(&t)
}

// signed is a change with its sign.
func signed(n int64) string { return fmt.Sprintf("%+d", n) }

func (d *app) sizeDelta(x *sizes.Delta, top int) error {
	d.printf("%s -> %s: %d -> %s, %s (%+.2f %%)\n", x.Old, x.New, x.OldSize, fact.Count(x.NewSize, "byte"), signed(x.NewSize-x.OldSize), 100*float64(x.NewSize-x.OldSize)/float64(max(x.OldSize, 1)))
	if x.OldGo != x.NewGo {
		d.printf("toolchain: %s -> %s\n", cmp.Or(x.OldGo, "not known"), cmp.Or(x.NewGo, "not known"))
	}
	d.printf("\n")
	table := func(title string, list []sizes.Change, top int) error {
		t := ui.Table{Columns: []ui.Column{{Title: title, Flexible: true}, {Title: "old", Align: ui.Right}, {Title: "new", Align: ui.Right}, {Title: "change", Align: ui.Right}}}
		for c := range first(&t, "", list, top) {
			name := c.Name
			if name == "" {
				name = "(no single package)"
			}
			if c.Was != "" {
				name += " (was " + c.Was + ")"
			}
			if c.From != "" {
				name += " (probably from " + c.From + ")"
			}
			t.Row(text(name), text(fmt.Sprint(c.Old)), text(fmt.Sprint(c.New)), text(signed(c.Grown())))
		}
		return d.write(&t)
	}
	m := ui.Table{Columns: []ui.Column{{Title: "dependency", Flexible: true}, {Title: "old"}, {Title: "new"}, {Title: "change", Align: ui.Right}}}
	for c := range first(&m, "", x.Modules, top) {
		m.Row(text(c.Path), text(c.OldVersion), text(c.NewVersion), text(signed(c.New-c.Old)))
	}
	err := table("cause", x.Causes, 0)
	if len(x.Modules) > 0 {
		err = errors.Join(err, d.write(&m))
	}
	if len(x.Packages) > 0 {
		err = errors.Join(err, table("package", x.Packages, top))
	}
	err = errors.Join(err, table("kind", x.Kinds, 0))
	for _, n := range x.Notes {
		d.printf("note: %s\n", n)
	}
	return err
}

// sizeModulesOf prints what the modules of a checkout are needed for.
func (d *app) sizeModulesOf(x *measure.ModuleSizes, top int) error {
	d.printf("%s: %s, %s of %s required, bytes of %s; uses in %s\n\n", x.Unit, fact.Count(x.Size, "byte"), fact.Count(len(x.Modules), "module"), "go.mod", fact.Count(len(x.Programs), "program"), fact.Count(x.Units, "unit"))
	t := ui.Table{Columns: []ui.Column{{Title: "module", Flexible: true}, {Title: "version"}, {Title: "for"}, {Title: "packages", Align: ui.Right}, {Title: "bytes", Align: ui.Right}, {Title: "share", Align: ui.Right}, {Title: "license"}}}
	for m := range first(&t, "", x.Modules, top) {
		use := string(m.Use)
		if m.Indirect {
			use += ", indirect"
		}
		t.Row(text(m.Path), text(m.Version), text(use), text(fmt.Sprint(m.Packages)), text(fmt.Sprint(m.Bytes)), text(share(m.Bytes, x.Size)), text(m.License))
	}
	err := d.write(&t)
	for _, m := range x.Modules {
		if m.Replaced != "" {
			d.printf("- %s is replaced with %s\n", m.Path, m.Replaced)
		}
		if len(m.Retracted) > 0 {
			d.printf("- %s %s is retracted: %s\n", m.Path, m.Version, ui.CleanLine(strings.Join(m.Retracted, "; ")))
		}
		if m.Deprecated != "" {
			d.printf("- %s is deprecated: %s\n", m.Path, ui.CleanLine(m.Deprecated))
		}
		if len(m.Majors) > 0 {
			d.printf("- %s is in a program beside %s\n", m.Path, strings.Join(m.Majors, ", "))
		}
	}
	if x.Tidy != "" {
		d.printf("- go mod tidy would change go.mod or go.sum: mintmark check -modules says what\n")
	}
	if v := x.Vendor; v != nil {
		d.printf("- vendor has %s, %s; no program links %d of them, %s", fact.Count(v.Packages, "package"), ui.FormatBytes(v.Bytes), len(v.Idle), ui.FormatBytes(v.IdleBytes()))
		for i, p := range v.Idle {
			if i == 5 {
				d.printf(", and %d more", len(v.Idle)-i)
				break
			}
			sep := ", "
			if i == 0 {
				sep = ": "
			}
			d.printf("%s%s", sep, p.Path)
		}
		d.printf("\n")
		if n := len(v.Differs); n > 0 {
			d.printf("- %s of vendor would be changed by go mod vendor\n", fact.Count(n, "file"))
		}
	}
	for _, n := range x.NotChecked {
		d.printf("- not checked: %s\n", ui.CleanLine(n))
	}
	return err
}
