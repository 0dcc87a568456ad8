package bindiff

import (
	"context"
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// sameSlices reports whether both are fat files of the same architectures in
// the same order.
func sameSlices(a, b *gobin.File) bool {
	return a.Format == gobin.FatMachO && b.Format == gobin.FatMachO &&
		slices.EqualFunc(a.Slices, b.Slices, func(x, y *gobin.File) bool { return x.Arch == y.Arch })
}

// slice makes a side of one slice of a fat file.
func (s *side) slice(i int) *side {
	f := s.file.Slices[i]
	return &side{path: s.path + " (" + f.Arch + ")", r: f.Reader(gobin.Section{Size: f.Size}), size: f.Size, file: f}
}

// explainSlices compares fat files slice by slice. Findings of one cause and
// confidence become one, whose evidence names the slices.
func explainSlices(ctx context.Context, d *Diff, a, b *side, known Known) error {
	for i, x := range a.file.Slices {
		sub, err := compare(ctx, a.slice(i), b.slice(i), known)
		if err != nil {
			return err
		}
		if sub.Equal {
			continue
		}
		for _, s := range sub.Sections {
			s.Name = x.Arch + ":" + s.Name
			d.Sections = append(d.Sections, s)
		}
		if d.BuildIDParts == nil {
			d.BuildIDParts = sub.BuildIDParts
		}
		if d.BuildInfo == nil {
			d.BuildInfo = sub.BuildInfo
		}
		for _, f := range sub.Findings {
			for i, e := range f.Evidence {
				f.Evidence[i] = x.Arch + ": " + e
			}
			at := slices.IndexFunc(d.Findings, func(g fact.Finding) bool { return g.Cause == f.Cause && g.Confidence == f.Confidence })
			if at < 0 {
				d.Findings = append(d.Findings, f)
				continue
			}
			g := &d.Findings[at]
			g.Evidence, g.Bytes = append(g.Evidence, f.Evidence...), g.Bytes+f.Bytes
		}
		d.UnexplainedBytes += sub.UnexplainedBytes
		d.Notes = append(d.Notes, sub.Notes...)
	}
	if len(d.Findings) == 0 { // only the headers or the padding between the slices
		d.UnexplainedBytes = d.DifferentBytes
		d.Findings = []fact.Finding{unknown(&pair{ctx: ctx, a: a, b: b, diff: d, known: known})}
	}
	sortFindings(d.Findings)
	return nil
}
