package bindiff

import (
	"slices"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/gobin"
)

// unexplained counts the bytes that no finding explains, as an upper bound: the
// smaller of two bounds that each hold.
//
// The first is the sum of all sections' differences less what the findings
// cover by themselves. The second leaves out whole sections that follow from
// any certain finding: the build ID, the build information and the signature
// always do; code, tables of the runtime, symbols, DWARF and headers do when
// all functions are the same in both files but for addresses, or when a certain
// finding of "source" names those that are not. Data never does:
// that its words are addresses which moved is likely, but not proven.
func unexplained(d *Diff, code func() *codeDiff) int64 {
	if len(d.Sections) == 0 {
		n := d.DifferentBytes
		for _, f := range d.Findings {
			n -= f.Bytes
		}
		return max(n, 0)
	}
	var covered, moved, total int64
	for _, f := range d.Findings {
		covered += f.Bytes
	}
	certain := slices.ContainsFunc(d.Findings, func(f fact.Finding) bool { return f.Confidence == fact.Certain })
	named := slices.ContainsFunc(d.Findings, func(f fact.Finding) bool { return f.Confidence == fact.Certain && f.Cause == fact.CauseSource })
	var same func() bool
	for _, s := range d.Sections {
		total += s.Bytes
		if !certain {
			continue
		}
		switch s.Kind {
		case gobin.KindBuildID, gobin.KindBuildInfo, gobin.KindSignature:
			moved += s.Bytes
		case gobin.KindROData, gobin.KindData:
		default:
			if same == nil {
				answer := false
				if code != nil {
					c := code()
					answer = c.same() || named && c != nil && c.unread == 0
				}
				same = func() bool { return answer }
			}
			if same() {
				moved += s.Bytes
			}
		}
	}
	return max(0, min(total-covered, total-moved))
}
