package sizes

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/gobin"
)

// analyzeFat analyses the slices of a universal Mach-O file one by one and puts
// the breakdowns together. gobin has checked the header: slices are in order and
// do not overlap.
func analyzeFat(ctx context.Context, file string, b []byte, f *gobin.File, opts Options) (*Breakdown, error) {
	if opts.Twin != "" {
		return nil, fault.Errorf("analyse its slices", "%s: a universal file has no twin", file)
	}
	bo := binary.BigEndian
	wide := bo.Uint32(b) == 0xcafebabf
	entry := 20
	if wide {
		entry = 32
	}
	l := &Breakdown{File: file, Size: int64(len(b)), Format: string(f.Format), Arch: f.Arch, SymbolsFrom: SymbolsNone, Modules: modulesOf(f.BuildInfo)}
	at := int64(0)
	between := func(to int64, kind Kind) {
		if to > at {
			r := Range{Offset: at, Size: to - at, Kind: kind, Confidence: Exact, Symbol: "(fat header)"}
			if kind == Padding {
				r.Symbol = ""
				if !zero(b[at:to]) {
					r = Range{Offset: at, Size: to - at, Kind: Other, Confidence: Shared, Symbol: "(between slices)"}
				}
			}
			l.Ranges = append(l.Ranges, r)
			at = to
		}
	}
	n := int(bo.Uint32(b[4:]))
	between(int64(8+n*entry), Headers)
	for i := range n {
		e := b[8+i*entry:]
		off, size := int64(bo.Uint32(e[8:])), int64(bo.Uint32(e[12:]))
		if wide {
			off, size = int64(bo.Uint64(e[8:])), int64(bo.Uint64(e[16:]))
		}
		between(off, Padding)
		s, err := analyze(ctx, file, b[off:off+size], Options{})
		if err != nil {
			var packed packedError
			if errors.As(err, &packed) || ctx.Err() != nil {
				return nil, err
			}
			l.Ranges = append(l.Ranges, Range{Offset: off, Size: size, Kind: Other, Confidence: Shared, Symbol: "(slice that is no Go binary)"})
			at = off + size
			continue
		}
		for _, r := range s.Ranges {
			r.Offset += off
			l.Ranges = append(l.Ranges, r)
		}
		l.BSS = append(l.BSS, s.BSS...)
		l.GoVersion, l.GoVersionFrom, l.SymbolsFrom = s.GoVersion, s.GoVersionFrom, s.SymbolsFrom
		for _, note := range s.Notes {
			l.Notes = append(l.Notes, s.Arch+": "+note)
		}
		at = off + size
	}
	between(int64(len(b)), Padding)
	for _, r := range l.Ranges {
		l.Totals.add(r.Confidence, r.Size)
	}
	return l, l.Check()
}
