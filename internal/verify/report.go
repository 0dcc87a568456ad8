package verify

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
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/internal/shell"
)

// ReportConfig is what [Report] works on.
type ReportConfig struct {
	Config           // Unsigned is implied without a key
	Against string   // earlier release to compare sizes with: directory or measurements.json
	With    []string // documents that bench, size -waterfall and size -retained print with -json
	Out     string   // directory for report.html and report.md; "" writes none
}

// Report checks a published release and makes its page: the one that is part
// of it says nothing that was measured or compared later.
func Report(ctx context.Context, cfg ReportConfig) (*report.Page, error) {
	const hint = "name the release's directory"
	switch fi, err := os.Stat(cfg.Path); {
	case err != nil:
		return nil, fault.Usagef(hint, "%w", err)
	case !fi.IsDir() && filepath.Base(cfg.Path) == checksums.ManifestFile:
		return nil, fault.Usagef(hint+": "+shell.Name(filepath.Dir(cfg.Path)), "%s is not a directory", cfg.Path)
	case !fi.IsDir():
		return nil, fault.Usagef(hint, "%s is not a directory", cfg.Path)
	}
	vc := cfg.Config
	vc.Unsigned = vc.Key.IsZero()
	v, err := Release(ctx, vc)
	if err != nil {
		return nil, err
	}
	m := v.Manifest
	in := report.Inputs{Manifest: m, Signed: v.Verified(), SignedBy: v.Signer, Checked: "signatures and files were checked before this was written", Unverified: !v.Verified()}
	if in.Unverified {
		_, err := os.Stat(filepath.Join(cfg.Path, m.List().Bundle()))
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
			return nil, fault.Refusedf("it is not what mintmark writes", "%s: %w", report.MeasurementsFile, err)
		}
		if err := belongs(in.Measurements, m); err != nil {
			return nil, err
		}
	}
	c := &run.Config{Against: cfg.Against, With: cfg.With}
	beside, err := release.ReadReportInputs(c, m.Project)
	if err != nil {
		return nil, err
	}
	in.Previous = beside.Previous
	for _, x := range beside.Extra {
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
	return page, writeReport(cfg, in)
}

// belongs refuses measurements of another release, and sizes of files that are
// not this one's.
func belongs(x *report.Measurements, m *checksums.Manifest) error {
	if x.Project != m.Project || x.Version != m.Version {
		return fault.Refusedf("it belongs to another release", "%s: is about %.100q version %.100q, and this is %s %s", report.MeasurementsFile, x.Project, x.Version, m.Project, m.Version)
	}
	for _, s := range x.Sizes {
		if !slices.ContainsFunc(m.Artifacts, func(a checksums.Artifact) bool {
			return a.Profile == s.Profile && a.Platform == s.Platform && a.SHA256 == s.SHA256
		}) {
			return fault.Refusedf("it belongs to another release", "%s: is about a file that the manifest does not have: %.100q %.100q %.100q sha256 %.100q", report.MeasurementsFile, s.Profile, s.Platform, s.Name, s.SHA256)
		}
	}
	return nil
}

// writeReport writes the page into a directory that is not the release's: a
// file there that is not listed, or not as listed, is refused by everybody.
func writeReport(cfg ReportConfig, in report.Inputs) error {
	out, err := files.RealPath(cfg.Out)
	if err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	of, err := files.RealPath(cfg.Path)
	if err != nil {
		return err
	}
	if out == of || strings.HasPrefix(out, of+string(filepath.Separator)) {
		return fault.Usagef("name another directory with -out", "-out=%s is in the release itself, which a new file would break", cfg.Out)
	}
	pages := map[string][]byte{}
	if err := release.Render(in, pages); err != nil {
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
