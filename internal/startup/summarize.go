package startup

import (
	"math"
	"slices"

	"github.com/mintmark/mintmark/internal/stats"
)

// summarize fills in a run from its samples.
func (b *bench) summarize(run *Run, t *table) error {
	last := len(b.measured)
	for n := range last {
		run.Times = append(run.Times, summary(b.name(n), t.walls[n], t.samples[n], b.Confidence))
	}
	control, ratio, err := compare(b.name(0), b.name(0)+" (fresh copy)", t.walls[0], t.walls[last], b.Confidence)
	if err != nil {
		return err
	}
	// The control is not judged: it says what the others are judged by.
	control.Verdict = stats.NoDifference
	if !ratio.Enough {
		control.Verdict = stats.TooFew
	}
	run.Control = &control
	floor := stats.NoiseFloor(ratio)
	if !math.IsInf(floor, 0) {
		run.NoiseFloor = &floor
	}
	for i := range last {
		for j := i + 1; j < last; j++ {
			c, ratio, err := compare(b.name(i), b.name(j), t.walls[i], t.walls[j], b.Confidence)
			if err != nil {
				return err
			}
			c.Verdict = stats.Judge(ratio, floor)
			run.Comparisons = append(run.Comparisons, c)
		}
	}
	return nil
}

func compare(base, program string, a, b []float64, confidence float64) (Comparison, stats.Ratio, error) {
	r, err := stats.PairedRatio(a, b, confidence)
	if err != nil {
		return Comparison{}, r, err
	}
	second, err := stats.HodgesLehmann(a, b)
	if err != nil {
		return Comparison{}, r, err
	}
	extra := make([]float64, len(a))
	for i := range a {
		extra[i] = b[i] - a[i]
	}
	c := Comparison{
		Base: base, Program: program, Ratio: r.Ratio, Pairs: r.Pairs,
		HodgesLehmann: second, Extra: stats.Median(extra),
	}
	if r.Enough {
		c.Low, c.High = r.Low, r.High
	}
	return c, r, nil
}

func summary(program string, walls []float64, samples []Sample, confidence float64) Summary {
	of := func(get func(Sample) int64) float64 {
		xs := make([]float64, len(samples))
		for i, s := range samples {
			xs[i] = float64(get(s))
		}
		return stats.Median(xs)
	}
	s := Summary{
		Program: program, Median: stats.Median(walls), MAD: stats.MAD(walls), Min: slices.Min(walls),
		CPU:         of(func(s Sample) int64 { return s.CPU }),
		MinorFaults: of(func(s Sample) int64 { return s.Minor }),
		MajorFaults: of(func(s Sample) int64 { return s.Major }),
	}
	if iv, ok := stats.MedianInterval(walls, confidence); ok {
		s.Low, s.High = iv.Low, iv.High
	}
	return s
}
