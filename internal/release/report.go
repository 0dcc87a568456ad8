package release

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/remember"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/internal/sizes"
)

// measure says what a linked binary is made of. It is no reason to stop a
// release that it cannot: the report says why. One file at a time is looked at,
// since each is held in memory with some tables, which the scheduler knows
// nothing of.
func (p *pipeline) measure(ctx context.Context, u *unit, pr *product) error {
	if !p.measures {
		return nil
	}
	s := report.Sized{Profile: u.Profile, Platform: u.Platform, Name: pr.name, SHA256: pr.artifact.SHA256}
	if u.Mode() == fact.CArchive {
		s.NotMeasured = unsizedLibrary
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sized = append(p.sized, s)
		return nil
	}
	// The same bytes are made of the same, as far as the same tool can tell.
	key := remember.NewKey("sizes 1", sizes.Revision, p.Tool, pr.name, pr.artifact.SHA256)
	if !p.known.Get(key, &s.Summary) || s.Summary == nil {
		p.measuring.Lock()
		defer p.measuring.Unlock()
		l, err := sizes.Analyze(ctx, pr.path, sizes.Options{})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			// Where the file lay in this run is nobody's business, and would differ
			// from one release to the next.
			s.Summary, s.NotMeasured = nil, strings.ReplaceAll(err.Error(), pr.path, pr.name)
		} else {
			l.File = pr.name
			s.Summary = shorten(sizes.Summarize(l))
			p.known.Put(key, s.Summary)
		}
	}
	p.mu.Lock()
	p.sized = append(p.sized, s)
	p.mu.Unlock()
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

// measurements are the figures of a finished release, in the manifest's order.
func (p *pipeline) measurements(m *checksums.Manifest) (*report.Measurements, error) {
	out := &report.Measurements{Schema: fact.MeasurementsSchema, Project: m.Project, Version: m.Version, Sizes: p.sized}
	sort.SliceStable(out.Sizes, func(i, j int) bool {
		a, b := out.Sizes[i], out.Sizes[j]
		return strings.Join([]string{a.Profile, a.Platform, a.Name}, "\x00") < strings.Join([]string{b.Profile, b.Platform, b.Name}, "\x00")
	})
	for _, sel := range p.selected {
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
	if p.previous != nil && p.previous.Project != m.Project {
		return nil, usage("name the measurements of an earlier release of this project", "-against=%s is of project %q, not %q", p.Against, p.previous.Project, m.Project)
	}
	for i, x := range p.extra {
		if err := out.Add(x); err != nil {
			return nil, usage("-with takes what bench -json and size -waterfall -json print", "-with=%s: %w", p.With[i], err)
		}
	}
	return out, nil
}

// readReportInputs reads what the report shall show beside what is measured
// here, before anything is built.
func (c *Config) readReportInputs(project string) (previous *report.Measurements, extra [][]byte, err error) {
	var errs []error
	if c.Against != "" {
		previous, err = readPrevious(c.Against)
		if err == nil && project != "" && previous.Project != project {
			err = usage("name the measurements of an earlier release of this project", "-against=%s is of project %q, not %q", c.Against, previous.Project, project)
		}
		errs = append(errs, err)
	}
	for _, name := range c.With {
		data, err := files.Read(name, report.MaxMeasurements)
		if err == nil {
			err = (&report.Measurements{Project: project}).Add(data)
		}
		if err != nil {
			errs = append(errs, usage("-with takes what bench -json and size -waterfall -json print", "-with=%s: %w", name, err))
		}
		extra = append(extra, data)
	}
	return previous, extra, errors.Join(errs...)
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
		return nil, usage(hint, "-against: %w", err)
	}
	m, err := report.ParseMeasurements(data)
	if err != nil {
		return nil, usage(hint, "-against=%s: %w", name, err)
	}
	return m, nil
}

// reportFiles are the files for people of a release that is about to be signed.
func (p *pipeline) reportFiles(m *checksums.Manifest, signer *checksums.Signer) (map[string][]byte, error) {
	if !p.measures {
		return nil, nil
	}
	ms, err := p.measurements(m)
	if err != nil {
		return nil, err
	}
	in := report.Inputs{Manifest: m, Measurements: ms, Previous: p.previous}
	if signer != nil {
		in.Signed, in.SignedBy = true, signer.KeyID()
	}
	page := report.Compose(in)
	files := map[string][]byte{}
	if files[report.MeasurementsFile], err = ms.Encode(); err != nil {
		return nil, err
	}
	return files, render(page, files)
}

func render(page *report.Page, files map[string][]byte) error {
	var html, markdown bytes.Buffer
	if err := errors.Join(report.HTML(&html, page), report.Markdown(&markdown, page)); err != nil {
		return err
	}
	files[report.HTMLFile], files[report.MarkdownFile] = html.Bytes(), markdown.Bytes()
	return nil
}

// ReportConfig is what [Report] works on.
type ReportConfig struct {
	VerifyConfig          // Unsigned is implied without a key
	Against      string   // earlier release to compare sizes with: directory or measurements.json
	With         []string // documents of bench -json and size -waterfall -json
	Out          string   // directory for report.html and report.md; "" writes none
}

// Report checks a published release and makes its page: the one that is part
// of it says nothing that was measured or compared later.
func Report(ctx context.Context, cfg ReportConfig) (*report.Page, error) {
	const hint = "name the release's directory"
	switch fi, err := os.Stat(cfg.Path); {
	case err != nil:
		return nil, usage(hint, "%w", err)
	case !fi.IsDir() && filepath.Base(cfg.Path) == checksums.ManifestFile:
		return nil, usage(hint+": "+shell.Name(filepath.Dir(cfg.Path)), "%s is not a directory", cfg.Path)
	case !fi.IsDir():
		return nil, usage(hint, "%s is not a directory", cfg.Path)
	}
	vc := cfg.VerifyConfig
	vc.Unsigned = vc.Key.IsZero()
	v, err := Verify(ctx, vc)
	if err != nil {
		return nil, err
	}
	m := v.Manifest
	in := report.Inputs{Manifest: m, Signed: v.Verified(), SignedBy: v.KeyID, Checked: "signatures and files were checked before this was written", Unverified: !v.Verified()}
	if in.Unverified {
		_, err := os.Stat(filepath.Join(cfg.Path, checksums.ChecksumsBundle))
		in.Signed = err == nil
		in.Checked = "the files agree with each other, which anybody can bring about"
	}
	data, err := files.Read(filepath.Join(cfg.Path, report.MeasurementsFile), report.MaxMeasurements)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		in.NotMeasured = "the release has no " + report.MeasurementsFile
	case err != nil:
		return nil, err
	default:
		if in.Measurements, err = report.ParseMeasurements(data); err != nil {
			return nil, &codeError{fmt.Errorf("%s: %w", report.MeasurementsFile, err), ExitRefused, "it is not what mintmark writes"}
		}
		if err := belongs(in.Measurements, m); err != nil {
			return nil, err
		}
	}
	c := &Config{Against: cfg.Against, With: cfg.With}
	previous, extra, err := c.readReportInputs(m.Project)
	if err != nil {
		return nil, err
	}
	in.Previous = previous
	for _, x := range extra {
		if in.Measurements == nil {
			in.Measurements = &report.Measurements{Schema: fact.MeasurementsSchema, Project: m.Project, Version: m.Version}
		}
		if err := in.Measurements.Add(x); err != nil {
			return nil, err
		}
	}
	page := report.Compose(in)
	if cfg.Out == "" {
		return page, nil
	}
	return page, writeReport(cfg, page)
}

// belongs refuses measurements of another release, and sizes of files that are
// not this one's.
func belongs(x *report.Measurements, m *checksums.Manifest) error {
	if x.Project != m.Project || x.Version != m.Version {
		return &codeError{fmt.Errorf("%s: is about %.100q version %.100q, and this is %s %s", report.MeasurementsFile, x.Project, x.Version, m.Project, m.Version),
			ExitRefused, "it belongs to another release"}
	}
	for _, s := range x.Sizes {
		if !slices.ContainsFunc(m.Artifacts, func(a checksums.Artifact) bool {
			return a.Profile == s.Profile && a.Platform == s.Platform && a.SHA256 == s.SHA256
		}) {
			return &codeError{fmt.Errorf("%s: is about a file that the manifest does not have: %.100q %.100q %.100q sha256 %.100q", report.MeasurementsFile, s.Profile, s.Platform, s.Name, s.SHA256),
				ExitRefused, "it belongs to another release"}
		}
	}
	return nil
}

// writeReport writes the page into a directory that is not the release's: a
// file there that is not listed, or not as listed, is refused by everybody.
func writeReport(cfg ReportConfig, page *report.Page) error {
	out, err := realPath(cfg.Out)
	if err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	in, err := realPath(cfg.Path)
	if err != nil {
		return err
	}
	if out == in || strings.HasPrefix(out, in+string(filepath.Separator)) {
		return usage("name another directory with -out", "-out=%s is in the release itself, which a new file would break", cfg.Out)
	}
	pages := map[string][]byte{}
	if err := render(page, pages); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		errs = append(errs, files.WriteOver(filepath.Join(out, name), seal(pages[name]), 0o644, "is no report as mintmark wrote it", sealed))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	return nil
}

// sealText begins the last line of a page outside of a release. By it the page
// is known to be as mintmark wrote it, and may be replaced by a new one.
const sealText = "<!-- made by mintmark report; sha256 of all before this line: "

func seal(page []byte) []byte {
	if n := len(page); n > 0 && page[n-1] != '\n' {
		page = append(slices.Clip(page), '\n')
	}
	return fmt.Appendf(slices.Clip(page), "%s%x -->\n", sealText, sha256.Sum256(page))
}

func sealed(page []byte) bool {
	i := bytes.LastIndex(page, []byte(sealText))
	return i >= 0 && bytes.Equal(seal(page[:i]), page)
}
