package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/internal/verify"
)

// rebuildFlags are what mintmark rebuild takes.
type rebuildFlags struct {
	Source string     `flag:"source" takes:"dir" help:"git repository to take the source from, a directory or a URL (default: the module proxy)"`
	Like   string     `flag:"like" reads:"name a binary of the same release" help:"settings for binaries that record none: those of this binary of the same release"`
	Patch  string     `flag:"patch" takes:"file" help:"unified diff against GOROOT: how the toolchain that the binaries were made with differs from the release that it names"`
	Keep   string     `flag:"keep" takes:"dir" help:"directory for the recovered profiles and the rebuilt files that differ"`
	Key    privateKey `flag:"key" help:"your own private key, to sign what came out identical: file, env://NAME or KMS URI"`
	Audit  bool       `flag:"audit" help:"one line for each binary, the worst first, and how many there are of each reason"`
	Resume string     `flag:"resume" takes:"file" help:"file of results: those that it has are not made again, and each new one is added"`
	Pages  string     `flag:"pages" takes:"dir" help:"directory for a page and a document of each file, named by its digest, and an index: to be published"`
	jobsFlag
	jsonFlag
	Binaries []string `arg:"binaries" help:"a binary, an archive with binaries, or a directory of these"`
}

func (f *rebuildFlags) run(ctx context.Context, d *app) error {
	c, err := d.config(f.jobsFlag)
	if err != nil {
		return err
	}
	stop := d.watch(&c)
	res, err := verify.Binaries(ctx, c, verify.BinariesConfig{Names: f.Binaries, Source: f.Source, Like: f.Like, Patch: f.Patch, Keep: f.Keep, Key: f.Key.ref(d), Resume: f.Resume, Pages: f.Pages, WorstFirst: f.Audit})
	stop()
	if err != nil {
		return err
	}
	if f.JSON {
		if err := report.WriteJSON(d.stdout(), res); err != nil {
			return err
		}
	} else if f.Audit {
		if err := d.audited(res); err != nil {
			return err
		}
	} else {
		d.rebuilt(res)
	}
	if res.Verdict == fact.Identical {
		return nil
	}
	text := counts(res)
	if err = errors.New(text); res.Different > 0 {
		err = fault.NotReproduciblef("", "%s", text) // a difference was found; else something is only not known
	}
	if f.JSON {
		return &shownError{err}
	}
	return err
}

// rebuilt prints what came of each binary.
func (d *app) rebuilt(res *verify.BinariesResult) {
	for i, r := range res.Results {
		if i > 0 {
			d.printf("\n")
		}
		d.printf("%s %s\n", r.Outcome(), r.Name)
		line := func(key, format string, args ...any) {
			if text := strings.TrimSpace(fmt.Sprintf(format, args...)); text != "" {
				d.printf("  %-10s %s\n", key, text)
			}
		}
		line("reason", "%s", r.Reason)
		if r.SHA256 != "" {
			line("sha256", "%s (%s)", r.SHA256, ui.FormatBytes(r.Size))
		}
		if r.Signature != "" {
			line("signature", "%s: not checked, and taken from the file; all other bytes were made here", r.Signature)
		}
		switch {
		case r.Unpacked != "":
			line("packed", "%s", r.Packed)
			line("unpacked", "%s sha256 %s", r.UnpackedVerdict, r.Unpacked)
			if p := r.Packer; p != nil {
				line("packer", "%s %s %s", p.Name, p.Version, shell.Words(p.Flags))
			}
		default:
			line("packed", "%s", r.Packed)
		}
		if strings.HasPrefix(r.Untouched, "no") {
			line("untouched", "%s", r.Untouched)
		}
		line("package", "%s", strings.TrimSpace(r.Package+" "+r.Platform))
		if s := r.Source; s.Module != "" {
			line("source", "%s", strings.TrimSpace(s.Module+" "+s.Version+" "+s.Sum)+checked(s.Sum, s.SumDB))
			if s.Revision != "" {
				who := map[string]string{"": "the binary alone says so", "proxy": "the module proxy says the same", "git": "checked out"}[s.Confirmed]
				line("revision", "%s (%s)", s.Revision, who)
			}
		}
		line("stamp", "%s", r.Stamp)
		if d := r.Directories; d != nil && d.Elsewhere == "" {
			line("built in", "%s", d)
		}
		line("made by", "%s", r.Distribution)
		if t := r.Toolchain; t.Version != "" {
			if m := t.Modified; m != nil {
				line("toolchain", "%s, modified: sha256 %s; the release is %s%s", t.Version, m.Patch, t.Sum, checked(t.Sum, t.SumDB))
				line("modified", "%s", modified(m))
				if k := m.Recipe; k != nil {
					line("recipe", "%s, known of %s %s: %s", k.Name, k.Module, k.Versions(), k.Source)
				}
			} else {
				line("toolchain", "%s %s%s", t.Version, t.Sum, checked(t.Sum, t.SumDB))
			}
		} else {
			line("toolchain", "%s", t.Claimed)
		}
		if len(r.Command) > 0 {
			line("command", "%s %s", shell.Env(r.Env), goCommand(r.Command))
			line("tried", "%s, %s of -ldflags", fact.Count(r.Relinks, "link"), fact.Count(r.Spelled, "spelling"))
		}
		if r.Confinement != nil {
			line("built", "%s", r.Confinement)
		}
		if r.Seconds > 0 {
			line("took", "%.1f s", r.Seconds)
		}
		for _, n := range r.Notes {
			line("note", "%s", n)
		}
		for _, f := range r.Findings {
			d.printf("  %s (%s)\n", f.Cause, f.Confidence)
			for _, e := range f.Evidence {
				d.printf("      %s\n", e)
			}
		}
		if r.Profile != "" && len(res.Results) == 1 {
			d.printf("\n%s", ui.Block(r.Profile))
		}
	}
	for _, name := range res.Statements {
		d.printf("\n%s  signed by %s\n", name, res.SignedBy)
	}
	d.beside(res)
	// Else it is the error, or there is nothing to add up.
	if res.Verdict == fact.Identical && len(res.Results)+len(res.Listed) > 1 {
		d.printf("\n%s\n", counts(res))
	}
}

// audited prints a line for each binary of Go, and counts.
func (d *app) audited(res *verify.BinariesResult) error {
	t := ui.Table{Columns: []ui.Column{{Title: "verdict"}, {Title: "took", Align: ui.Right}, {Title: "toolchain", Spare: true}, {Title: "file", Flexible: true}, {Title: "reason"}}}
	left := 0
	for _, r := range res.Results {
		if r.Toolchain.Claimed == "" && r.Verdict == fact.Unchecked && !r.Go() {
			left++ // counted below
			continue
		}
		took := ""
		if r.Seconds > 0 && !r.Earlier {
			took = fmt.Sprintf("%.1f s", r.Seconds)
		}
		style := ui.Doubt
		switch r.Verdict {
		case fact.Identical:
			style = ui.Good
		case fact.Different:
			style = ui.Bad
		}
		t.Row(ui.Cell{Text: r.Outcome(), Style: style}, ui.Cell{Text: took}, ui.Cell{Text: r.Toolchain.Claimed}, ui.Cell{Text: r.Name}, ui.Cell{Text: r.ReasonKind()})
	}
	if left < len(res.Results) {
		if err := t.Write(d.stdout()); err != nil {
			return err
		}
		d.printf("\n")
	}
	counted := ui.Table{Columns: []ui.Column{{Title: "files", Align: ui.Right}, {Title: "verdict"}, {Title: "reason", Flexible: true}}}
	for _, c := range res.Reasons {
		counted.Row(ui.Cell{Text: fmt.Sprint(c.Count)}, ui.Cell{Text: string(c.Verdict)}, ui.Cell{Text: c.Reason})
	}
	if err := counted.Write(d.stdout()); err != nil {
		return err
	}
	if left > 0 {
		d.printf("%s not in the first table: no binaries of Go\n", fact.Count(left, "file"))
	}
	for _, name := range res.Statements {
		d.printf("%s  signed by %s\n", name, res.SignedBy)
	}
	return nil
}

// beside prints what was looked at and has no verdict: files that are no
// programs, and what everything was found in.
func (d *app) beside(res *verify.BinariesResult) {
	if len(res.Listed) > 0 {
		d.printf("\n")
	}
	for _, l := range res.Listed {
		d.printf("not a program: %s (%s, %s)\n", l.Name, l.Kind, ui.FormatBytes(l.Size))
	}
	for _, h := range res.Holders {
		if h.SHA256 != "" {
			d.printf("\narchive %s (%s, %s)\n  %-10s %s (%s)\n  %-10s %s\n", h.Name, h.Format, fact.Count(h.Members, "member"),
				"sha256", h.SHA256, ui.FormatBytes(h.Size), "note", "its members were looked at one by one; its headers and compression were not made again")
		}
	}
}

// modified says what of a toolchain was changed and built anew.
func modified(m *fact.Modification) string {
	text := strings.Join(m.Files, ", ")
	if len(m.Tools) > 0 {
		text += "; built anew: " + strings.Join(m.Tools, ", ")
	}
	if len(m.Left) > 0 {
		text += "; left alone, since no build reads it: " + strings.Join(m.Left, ", ")
	}
	return text
}

// counts says how everything that was found ended.
func counts(res *verify.BinariesResult) string {
	s := fmt.Sprintf("%d identical, %d different, %d not checked", res.Identical, res.Different, res.Unchecked)
	if n := len(res.Listed); n > 0 {
		s += ", " + fact.Count(n, "other file")
	}
	return s
}

// checked says whether a hash was checked against the checksum database.
func checked(sum string, db bool) string {
	switch {
	case sum == "":
		return ""
	case db:
		return " (checksum database agrees)"
	}
	return " (NOT checked against the checksum database)"
}
