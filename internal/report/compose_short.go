package report

import (
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/ui"
)

// shortRows is how many rows and notes a short page has at most, so that it stays
// below 60 lines whatever the size of the release. It has more where nothing differs,
// which takes noDifferences lines less, and fewer where there are commits, whose
// heading and sentence are changesLines.
const (
	shortRows     = 22
	noDifferences = 5
	changesLines  = 4
	shortSubjects = 6  // lines of commits at most
	quietSubjects = 10 // the same where nothing differs
)

// ComposeShort makes the page of a release in less than 60 lines of Markdown, for release
// notes: the verdict, what changed since the version tag before and since the release
// that it is compared with, the files, and how to check them. What is left out is
// counted. Whole is the page that has it, of the same inputs.
func ComposeShort(in Inputs, whole *Page) *Page {
	p := &Page{Schema: fact.PageReport, Title: in.Manifest.Project + " " + in.Manifest.Version}
	p.verdict(in)
	rest, subjects := shortRows, shortSubjects
	if s := shortDifferences(in.Manifest, &rest); len(s.Tables) > 0 {
		p.Sections = append(p.Sections, s)
	} else {
		rest, subjects = rest+noDifferences, quietSubjects
	}
	if in.Changes != nil {
		rest -= changesLines
		s := changesSection(in.Changes, subjects)
		p.Sections, rest = append(p.Sections, s), rest-s.lines()
	}
	if s, ok := shortChanges(in, &rest); ok {
		p.Sections = append(p.Sections, s)
	}
	p.Sections = append(p.Sections, shortFiles(in.Manifest, &rest))
	check := Section{ID: "check", Title: "How to check it"}
	if in.Manifest.Kind == checksums.KindRelease {
		check.Commands = commands(in)[:1]
	}
	more := "Everything else is in " + HTMLFile
	if _, unmeasured := whole.Split(); len(unmeasured.Titles) > 0 {
		more += ", also why there are no figures for these: " + strings.Join(unmeasured.Titles, "; ")
	}
	check.Notes = []string{more}
	p.Sections = append(p.Sections, check)
	return p
}

// cut keeps of a table what there is room for, and counts the others in a row.
func (t *Table) cut(rest *int, most int, what string) {
	most = max(min(most, *rest), 1)
	if n := len(t.Rows); n > most {
		row := make([]string, len(t.Columns))
		row[0] = fmt.Sprintf("%d more %s", n-most+1, what)
		t.Rows = append(t.Rows[:most-1:most-1], row)
	}
	*rest -= len(t.Rows)
}

func shortDifferences(m *checksums.Manifest, rest *int) Section {
	s := Section{ID: "different", Title: "What is not identical"}
	t := Table{Columns: []Column{{Title: "file"}, {Title: "platform"}, {Title: "verdict", Kind: Mark}, {Title: "why"}}}
	for _, a := range m.Artifacts {
		if a.Verdict == fact.Identical {
			continue
		}
		why := []string{}
		if a.Reason != "" {
			why = append(why, a.Reason)
		}
		for _, f := range a.Findings {
			why = append(why, fmt.Sprintf("%s (%s)", f.Cause, f.Confidence))
		}
		t.Rows = append(t.Rows, []string{a.Name, a.Platform, string(a.Verdict), strings.Join(why, "; ")})
	}
	if len(t.Rows) > 0 {
		t.cut(rest, 5, "such files")
		s.Tables = []Table{t}
	}
	return s
}

// shortChanges is what changed since an earlier release: modules and imports of the
// binary that is shown in full, and the size of all of them. False without such a
// release.
func shortChanges(in Inputs, rest *int) (Section, bool) {
	if in.Previous == nil || noSizes(in) {
		return Section{}, false
	}
	s := Section{ID: "delta", Title: "What changed since " + in.Previous.Version}
	all := in.Measurements.Sizes
	t := Table{Columns: []Column{{Title: "binary"}, {Title: "before", Kind: Number}, {Title: "now", Kind: Number}, {Title: "change", Kind: Number}, {Title: "most of it"}}}
	open := first(all)
	for i := range all {
		b := &all[i]
		before := in.Previous.find(b)
		if before == nil || before.Summary == nil || b.Summary == nil {
			continue
		}
		d := difference(before, b)
		most := ""
		if len(d.causes) > 0 {
			most = d.causes[0].Name + " " + change(d.causes[0].Grown())
		}
		was, now := before.Summary.Size, b.Summary.Size
		t.Rows = append(t.Rows, []string{b.label(all), ui.FormatBytes(was), ui.FormatBytes(now), change(now - was), most})
		if i == open {
			s.Notes = shortNotes(&d, rest)
			if len(s.Notes) > 0 && len(all) > 1 {
				s.Text = []string{"Modules and imports are those of " + b.label(all) + "."}
			}
		}
	}
	if len(t.Rows) == 0 {
		return s, false
	}
	t.cut(rest, 6, "binaries")
	s.Tables = []Table{t}
	return s, true
}

// shortNotes are the modules and imports that changed, as sentences.
func shortNotes(d *differing, rest *int) []string {
	most := min(8, max(*rest-4, 2)) // some are for what comes after them
	var out []string
	for _, m := range d.modules {
		switch {
		case m.was == "":
			out = append(out, fmt.Sprintf("%s %s is new: %s", m.path, m.now, change(m.grown)))
		case m.now == "":
			out = append(out, fmt.Sprintf("%s %s is gone: %s", m.path, m.was, change(m.grown)))
		default:
			out = append(out, fmt.Sprintf("%s %s, before %s: %s", m.path, m.now, m.was, change(m.grown)))
		}
	}
	for _, n := range d.imports {
		out = append(out, n.String())
	}
	if !d.importsKnown {
		out = append(out, importsUnknown)
	}
	if n := len(out); n > most {
		out = append(out[:most-1:most-1], fmt.Sprintf("%d more such changes", n-most+1))
	}
	*rest -= len(out)
	return out
}

func shortFiles(m *checksums.Manifest, rest *int) Section {
	s := Section{ID: "artifacts", Title: "Files"}
	t := Table{Columns: []Column{{Title: "file"}, {Title: "platform"}, {Title: "size", Kind: Number}}}
	for _, a := range m.Artifacts {
		if a.Published {
			t.Rows = append(t.Rows, []string{a.Name, a.Platform, ui.FormatBytes(a.Size)})
		}
	}
	for _, i := range m.Images {
		t.Rows = append(t.Rows, []string{i.Name, imagePlatforms(i), ui.FormatBytes(i.Size)})
	}
	if len(t.Rows) == 0 {
		s.Text = []string{"Nothing was published."}
		return s
	}
	t.cut(rest, len(t.Rows), "files: "+checksums.ChecksumsFile+" has all of them")
	s.Tables = []Table{t}
	return s
}
