package bindiff

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/mintmark/mintmark/internal/gobin"
)

// piece is a range of a file: a section, or what lies between two. The pieces
// of a file cover it without overlap.
type piece struct {
	gobin.Section
	nested []gobin.Section // of it, in order
	gap    bool            // it lies between sections, or after all
}

// maxNested bounds the work for a hostile file; real sections have one or two.
const maxNested = 16

// pieces cuts a file into sections and the gaps between them.
func pieces(f *gobin.File) []piece {
	sections := slices.Clone(f.Sections)
	slices.SortStableFunc(sections, func(a, b gobin.Section) int { return cmp.Compare(a.Offset, b.Offset) })
	var out []piece
	end := int64(0)
	gap := func(to int64) {
		if to <= end {
			return
		}
		name := "(start)"
		if len(out) > 0 {
			name = "(after " + out[len(out)-1].Name + ")"
		}
		out = append(out, piece{Section: gobin.Section{Name: name, Kind: gobin.KindOther, Offset: end, Size: to - end}, gap: len(out) > 0})
		end = to
	}
	for _, s := range sections {
		if s.Nested || s.Size == 0 {
			continue
		}
		gap(s.Offset)
		if s.Offset < end { // overlaps: only in odd files
			s.Size -= end - s.Offset
			s.Offset = end
		}
		if s.Size <= 0 {
			continue
		}
		out = append(out, piece{Section: s})
		end = s.Offset + s.Size
	}
	gap(f.Size)
	for _, s := range sections {
		if !s.Nested {
			continue
		}
		i, _ := slices.BinarySearchFunc(out, s.Offset, func(p piece, off int64) int { return cmp.Compare(p.Offset+p.Size, off+1) })
		if i < len(out) && len(out[i].nested) < maxNested && out[i].Offset <= s.Offset && s.Offset+s.Size <= out[i].Offset+out[i].Size {
			out[i].nested = append(out[i].nested, s)
		}
	}
	return out
}

// compareSections compares the pieces of the same name. Differences inside a
// nested section are counted there and not in the section around it.
func compareSections(ctx context.Context, a, b *side) ([]SectionDiff, error) {
	pa, pb := pieces(a.file), pieces(b.file)
	type key struct {
		name string
		n    int // the n-th of that name
	}
	keys := func(ps []piece) []key {
		seen := map[string]int{}
		ks := make([]key, len(ps))
		for i, p := range ps {
			ks[i] = key{p.Name, seen[p.Name]}
			seen[p.Name]++
		}
		return ks
	}
	inB := map[key]piece{}
	for i, k := range keys(pb) {
		inB[k] = pb[i]
	}
	var out []SectionDiff
	for i, k := range keys(pa) {
		p := pa[i]
		q, ok := inB[k]
		if !ok {
			out = append(out, SectionDiff{Name: p.Name, Kind: p.Kind, Bytes: p.Size, SizeA: p.Size, OnlyIn: "a", gap: p.gap})
			continue
		}
		delete(inB, k)
		d, err := comparePiece(ctx, a, b, p, q)
		if err != nil {
			return nil, err
		}
		out = append(out, d...)
	}
	for _, k := range keys(pb) {
		if q, ok := inB[k]; ok {
			out = append(out, SectionDiff{Name: q.Name, Kind: q.Kind, Bytes: q.Size, SizeB: q.Size, OnlyIn: "b", gap: q.gap})
		}
	}
	return out, nil
}

func comparePiece(ctx context.Context, a, b *side, p, q piece) ([]SectionDiff, error) {
	common := min(p.Size, q.Size)
	own := max(p.Size, q.Size) - common
	for _, s := range q.nested { // that A has not, so that both ways round give the same
		s.Offset += p.Offset - q.Offset
		inA := slices.ContainsFunc(p.nested, func(x gobin.Section) bool { return x.Name == s.Name })
		if !inA && s.Offset+s.Size <= p.Offset+common && len(p.nested) < 2*maxNested {
			p.nested = append(slices.Clone(p.nested), s)
		}
	}
	nested := make([]int64, len(p.nested))
	err := differences(ctx, a.r, b.r, p.Offset, q.Offset, common, func(off, n int64) {
		// A run can cross the edges of nested sections.
		off += p.Offset
		for i, s := range p.nested {
			in := min(off+n, s.Offset+s.Size) - max(off, s.Offset)
			if in > 0 {
				nested[i] += in
				own -= in
			}
		}
		own += n
	})
	if err != nil {
		return nil, fmt.Errorf("section %s: %w", p.Name, err)
	}
	var out []SectionDiff
	for i, s := range p.nested {
		if nested[i] > 0 {
			out = append(out, SectionDiff{Name: s.Name, Kind: s.Kind, Bytes: nested[i], SizeA: s.Size, SizeB: s.Size})
		}
	}
	if own > 0 {
		out = append(out, SectionDiff{Name: p.Name, Kind: p.Kind, Bytes: own, SizeA: p.Size, SizeB: q.Size, gap: p.gap})
	}
	return out, nil
}
