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
	all, err := b.judge(t.walls)
	if err != nil {
		return err
	}
	run.Control, run.NoiseFloor, run.Comparisons = all.Control, all.NoiseFloor, all.Comparisons
	run.CPU = b.cpu(t)
	return nil
}

// cpu compares the user and system time of the same starts. A system that counts it in
// ticks can have none for a start: of that there is no ratio.
func (b *bench) cpu(t *table) *CPU {
	values := make([][]float64, len(t.samples))
	for n, list := range t.samples {
		for _, s := range list {
			if s.CPU <= 0 {
				return &CPU{NotMeasured: "the system counted no time at all for some starts: they are shorter than what it counts in"}
			}
			values[n] = append(values[n], float64(s.CPU))
		}
	}
	c, err := b.judge(values)
	if err != nil {
		return &CPU{NotMeasured: err.Error()}
	}
	return c
}

// judge compares values of the programs, in pairs of one round each: the last are those
// of the control, a fresh copy of the first.
func (b *bench) judge(values [][]float64) (*CPU, error) {
	last := len(b.measured)
	control, ratio, err := compare(b.name(0), b.name(0)+" (fresh copy)", values[0], values[last], b.Confidence)
	if err != nil {
		return nil, err
	}
	// The control is not judged: it says what the others are judged by.
	control.Verdict = stats.NoDifference
	if !ratio.Enough {
		control.Verdict = stats.TooFew
	}
	out := &CPU{Control: &control}
	floor := stats.NoiseFloor(ratio)
	if !math.IsInf(floor, 0) {
		out.NoiseFloor = &floor
	}
	for i := range last {
		for j := i + 1; j < last; j++ {
			c, ratio, err := compare(b.name(i), b.name(j), values[i], values[j], b.Confidence)
			if err != nil {
				return nil, err
			}
			c.Verdict = stats.Judge(ratio, floor)
			out.Comparisons = append(out.Comparisons, c)
		}
	}
	return out, nil
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
	if iv, ok := stats.MedianInterval(extra, confidence); ok {
		c.ExtraLow, c.ExtraHigh = iv.Low, iv.High
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
