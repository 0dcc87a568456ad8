package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/measure"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/sizes"
	"github.com/mintmark/mintmark/internal/ui"
)

// defaultTop is how many rows a list has unless -top says otherwise.
const defaultTop = 20

func runSize(ctx context.Context, d *Door, f Flags, args []string) error {
	if yes(f.Waterfall) {
		return d.waterfall(ctx, f, args[0])
	}
	top := defaultTop
	if f.Top != nil {
		if top = *f.Top; top < 0 {
			return fault.Usagef("a number of rows; 0 is all", "-top=%d", top)
		}
	}
	by := str(f.By)
	switch by {
	case "", "package", "module", "kind", "function", "file":
	default:
		return fault.Usagef("package, module, kind, function or file", "-by=%s", by)
	}
	if st, err := os.Stat(args[0]); err == nil && st.IsDir() {
		if f.Old != nil || f.Twin != nil || f.SQL != nil || f.SVG != nil || f.By != nil {
			return fault.Usagef("-old, -twin, -sql, -svg and -by are about one file", "%s is a directory", args[0])
		}
		return d.sizeDir(ctx, f, args[0])
	}
	l, err := measure.Size(ctx, args[0], str(f.Twin), d.getenv("PATH"))
	if err != nil {
		return err
	}
	if f.SQL != nil {
		if err := writeFile(*f.SQL, func(w *bufio.Writer) error { return sizes.WriteSQL(w, l) }); err != nil {
			return err
		}
	}
	s := sizes.Summarize(l)
	if f.SVG != nil {
		if err := writeFile(*f.SVG, func(w *bufio.Writer) error { _, err := w.WriteString(sizes.TreemapSVG(s) + "\n"); return err }); err != nil {
			return err
		}
	}
	if f.Old != nil {
		old, err := measure.Size(ctx, *f.Old, "", d.getenv("PATH"))
		if err != nil {
			return err
		}
		delta := sizes.Compare(old, l)
		if yes(f.JSON) {
			return report.WriteJSON(d.stdout(), delta)
		}
		return d.sizeDelta(delta, top)
	}
	if yes(f.JSON) {
		if f.Top == nil {
			top = 100
		}
		if top > 0 && len(s.Functions) > top {
			s.Functions = s.Functions[:top]
		}
		return report.WriteJSON(d.stdout(), s)
	}
	return d.size(s, by, top)
}

// writeFile writes a file as a whole, or leaves what was there. A file that
// does not begin as the new one does is something else, such as a source whose
// name was typed by mistake, and is not replaced.
func writeFile(name string, write func(*bufio.Writer) error) error {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	if err := errors.Join(write(w), w.Flush()); err != nil {
		return err
	}
	const begin = 12
	return files.WriteOver(name, b.Bytes(), 0o644, "is of another kind than what is to be written", func(old []byte) bool {
		return len(old) == 0 || bytes.HasPrefix(old, b.Bytes()[:min(begin, b.Len())])
	})
}

func share(n, of int64) string {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// size prints a summary for people.
func (d *Door) size(s *sizes.Summary, by string, top int) error {
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

func (d *Door) sizeNotes(s *sizes.Summary) {
	for _, n := range s.Notes {
		d.printf("note: %s\n", n)
	}
}

func (d *Door) write(t *ui.Table) error {
	err := t.Write(d.stdout())
	d.printf("\n")
	return err
}

func text(s string) ui.Cell { return ui.Cell{Text: s} }

func (d *Door) sizeModules(s *sizes.Summary, top int) error {
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

func (d *Door) sizePackages(s *sizes.Summary, top int) error {
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

func (d *Door) sizeKinds(s *sizes.Summary) error {
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

func (d *Door) sizeFunctions(s *sizes.Summary, top int) error {
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
func (d *Door) sizeSections(s *sizes.Summary, top int) error {
	t := ui.Table{Columns: []ui.Column{{Title: "section", Flexible: true}, {Title: "kind"}, {Title: "bytes", Align: ui.Right}, {Title: "share", Align: ui.Right}}}
	for k := range first(&t, "", s.Sections, top) {
		t.Row(text(k.Name), text(k.Kind), text(fmt.Sprint(k.Size)), text(share(k.Size, s.Size)))
	}
	return d.write(&t)
}

// sizeFiles lists the embedded files.
func (d *Door) sizeFiles(s *sizes.Summary, top int) error {
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

func (d *Door) sizeDelta(x *sizes.Delta, top int) error {
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

// sizeDir is the sizes of all Go binaries in a directory and below.
func (d *Door) sizeDir(ctx context.Context, f Flags, dir string) error {
	var all []*sizes.Summary
	skipped := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		l, err := measure.Size(ctx, path, "", d.getenv("PATH"))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if fault.ExitCode(err) != fault.Usage { // a Go binary, but not readable
				d.Term.Warn("%v", err)
			}
			skipped++
			return nil
		}
		s := sizes.Summarize(l)
		s.Functions = nil
		all = append(all, s)
		return nil
	})
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fault.Usagef("archives must be unpacked first", "%s: no Go binary in it", dir)
	}
	if yes(f.JSON) {
		return report.WriteJSON(d.stdout(), all)
	}
	t := ui.Table{Columns: []ui.Column{{Title: "file", Flexible: true}, {Title: "bytes", Align: ui.Right}, {Title: "own", Align: ui.Right}, {Title: "dependencies", Align: ui.Right}, {Title: "std", Align: ui.Right}, {Title: "C", Align: ui.Right}, {Title: "none", Align: ui.Right}, {Title: "go"}}}
	for _, s := range all {
		by := map[string]int64{}
		for _, g := range s.Groups {
			by[g.Name] = g.Size
		}
		name, err := filepath.Rel(dir, s.File)
		if err != nil {
			name = s.File
		}
		t.Row(text(name), text(fmt.Sprint(s.Size)), text(fmt.Sprint(by[sizes.GroupOwn])), text(fmt.Sprint(by[sizes.GroupDependency])), text(fmt.Sprint(by[sizes.GroupStd])), text(fmt.Sprint(by[sizes.GroupC])), text(fmt.Sprint(by[sizes.GroupNone])), text(strings.TrimPrefix(s.GoVersion, "go")))
	}
	if err := d.write(&t); err != nil {
		return err
	}
	if skipped > 0 {
		d.printf("not looked at: %d other files, which are no Go binaries or could not be read\n", skipped)
	}
	return nil
}
