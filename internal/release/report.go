package release

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/fetch"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/memo"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/sizes"
)

// measure says what a linked binary is made of. It is no reason to stop a
// release that it cannot: the report says why. One file at a time is looked at,
// since each is held in memory with some tables, which the scheduler knows
// nothing of.
func (m *Maker) measure(ctx context.Context, u *plan.Unit, p *product) (report.Sized, error) {
	path := p.paths[0]
	s := report.Sized{Profile: u.Profile, Platform: u.Platform, Name: p.name, SHA256: p.artifact.SHA256}
	if u.Mode() == fact.CArchive {
		s.NotMeasured = UnsizedLibrary
		return s, nil
	}
	// The same bytes are made of the same, as far as the same tool can tell.
	key := memo.NewKey("sizes 1", sizes.Revision, m.Of.Tool, p.name, p.artifact.SHA256)
	if m.Of.Known.Get(key, &s.Summary) && s.Summary != nil {
		return s, nil
	}
	m.measuring.Lock()
	defer m.measuring.Unlock()
	l, err := sizes.Analyze(ctx, path, sizes.Options{})
	if ctx.Err() != nil {
		return s, ctx.Err()
	}
	if err != nil {
		// Where the file lay in this run is nobody's business, and would differ
		// from one release to the next.
		s.Summary, s.NotMeasured = nil, strings.ReplaceAll(err.Error(), path, p.name)
		return s, nil
	}
	l.File = p.name
	s.Summary = shorten(sizes.Summarize(l))
	m.Of.Known.Put(key, s.Summary)
	return s, nil
}

// imports say how each package came into a product; nothing where no execution's
// account has its main package.
func (o *outcomes) imports(p *product) report.ImportTree {
	for _, x := range o.all {
		imports := x.Actions.Imports()
		if _, ok := imports[p.main.Package]; ok {
			return report.NewImportTree(imports, p.main.Package)
		}
	}
	return nil
}

// shorten drops what measurements.json does not hold: functions, all but the
// largest embedded files, and the kinds of bytes of each package. Those of all
// packages together, and of what has no package, stay.
func shorten(s *sizes.Summary) *sizes.Summary {
	const embedded = 100
	s.Functions, s.Embedded = nil, s.Embedded[:min(len(s.Embedded), embedded)]
	for _, g := range s.Groups {
		if g.Name == sizes.GroupNone {
			continue
		}
		for _, m := range g.Modules {
			for i := range m.Packages {
				m.Packages[i].Kinds = nil
			}
		}
	}
	return s
}

// Shown is what the report shows beside what is measured here.
type Shown struct {
	Previous *report.Measurements // of the release that it compares with; nil for none
	Extra    [][]byte             // documents of bench and size -waterfall
	Changes  *fact.Changes        // since the version tag before; nil: not known, or there is none
}

// changes are the commits since the version tag before. A history that is not all here
// is no reason to stop a release.
func changes(ctx context.Context, s *fetch.Subject) (*fact.Changes, error) {
	if s.Repo == nil {
		return nil, nil
	}
	c, err := s.Repo.Changes(ctx, s.File.Tag)
	if err != nil && ctx.Err() == nil {
		s.Warn("the report does not say what changed since the last version tag: %v", err)
		return nil, nil
	}
	return c, err
}

// measurements are the figures of a finished release, in the manifest's order.
func (p *publication) measurements() (*report.Measurements, error) {
	m, of := p.manifest, p.Of
	out := &report.Measurements{Schema: fact.MeasurementsSchema, Project: m.Project, Version: m.Version}
	for _, u := range p.Made {
		out.Sizes = append(out.Sizes, u.sized...)
	}
	sort.SliceStable(out.Sizes, func(i, j int) bool {
		a, b := out.Sizes[i], out.Sizes[j]
		return strings.Join([]string{a.Profile, a.Platform, a.Name}, "\x00") < strings.Join([]string{b.Profile, b.Platform, b.Name}, "\x00")
	})
	out.BuildTime = p.buildTimes()
	for _, sel := range of.Selected {
		for _, pl := range sel.Platforms {
			b := sel.Profile.Settings(pl).Bench
			if (len(b.Args)+len(b.Env)+len(b.Variants) > 0 || b.Ready+b.Stdin+b.Main != "") && !slices.Contains(out.BenchDeclared, sel.Profile.Name) {
				out.BenchDeclared = append(out.BenchDeclared, sel.Profile.Name)
			}
		}
	}
	slices.Sort(out.BenchDeclared)
	// Both were looked at before anything was built, but the project has its name
	// from the plan where the profile file gives none.
	if old := p.shown.Previous; old != nil && old.Project != m.Project {
		return nil, fault.Usagef("name the measurements of an earlier release of this project", "-against=%s is of project %q, not %q", of.Against, old.Project, m.Project)
	}
	for i, x := range p.shown.Extra {
		if err := out.Add(x); err != nil {
			return nil, fault.Usagef("-with takes what bench, size -waterfall and size -retained print with -json", "-with=%s: %w", of.With[i], err)
		}
	}
	return out, nil
}

// ReadReportInputs reads what the report shall show beside what is measured
// here, before anything is built.
func ReadReportInputs(c *run.Config, project string) (in Shown, err error) {
	var errs []error
	if c.Against != "" {
		in.Previous, err = readPrevious(c.Against)
		if err == nil && project != "" && in.Previous.Project != project {
			err = fault.Usagef("name the measurements of an earlier release of this project", "-against=%s is of project %q, not %q", c.Against, in.Previous.Project, project)
		}
		errs = append(errs, err)
	}
	for _, name := range c.With {
		data, err := files.Read(name, report.MaxMeasurements)
		if err == nil {
			err = (&report.Measurements{Project: project}).Add(data)
		}
		if err != nil {
			errs = append(errs, fault.Usagef("-with takes what bench, size -waterfall and size -retained print with -json", "-with=%s: %w", name, err))
		}
		in.Extra = append(in.Extra, data)
	}
	return in, errors.Join(errs...)
}

// readPrevious reads the measurements of an earlier release: the file, or the
// directory that it is in.
func readPrevious(name string) (*report.Measurements, error) {
	const hint = "-against takes the directory of an earlier release, or its " + report.MeasurementsFile
	if fi, err := os.Stat(name); err == nil && fi.IsDir() {
		name = filepath.Join(name, report.MeasurementsFile)
	}
	data, err := files.Read(name, report.MaxMeasurements)
	if err != nil {
		return nil, fault.Usagef(hint, "-against: %w", err)
	}
	m, err := report.ParseMeasurements(data)
	if err != nil {
		return nil, fault.Usagef(hint, "-against=%s: %w", name, err)
	}
	return m, nil
}

// reportFiles are the files for people of a release that is about to be signed.
func (p *publication) reportFiles() (map[string][]byte, error) {
	ms, err := p.measurements()
	if err != nil {
		return nil, err
	}
	in := report.Inputs{Manifest: p.manifest, Beside: true, Measurements: ms, Previous: p.shown.Previous, Changes: p.shown.Changes}
	if p.signer != nil {
		in.Signed, in.SignedBy = true, p.signer.ID()
	}
	made := map[string][]byte{}
	if made[report.MeasurementsFile], err = ms.Encode(); err != nil {
		return nil, err
	}
	return made, Render(in, made)
}

// Render makes report.html, and report.md, which is short.
func Render(in report.Inputs, files map[string][]byte) error {
	var html, markdown bytes.Buffer
	page := report.Compose(in)
	if err := errors.Join(report.HTML(&html, page), report.Markdown(&markdown, report.ComposeShort(in, page))); err != nil {
		return err
	}
	files[report.HTMLFile], files[report.MarkdownFile] = html.Bytes(), markdown.Bytes()
	return nil
}
