// Package stats has the estimators of mintmark's measurements: medians of
// paired log-ratios with exact order-statistic intervals.
//
// # Why these
//
// Start-up times have heavy tails, and the tails are the machine's, not the
// program's. Two programs measured in the same round share most of the
// machine's mood, so what is estimated is the ratio within a round, never the
// ratio of two averages. The median of the log-ratios with an interval made of
// two of the observed values needs no assumption about how they are
// distributed, no random resampling (so a report can be computed again from
// its samples), and it does not move when one round in ten is spoilt. A mean
// is given nowhere.
//
// # Contract
//
// Everything here is a pure function of its arguments: no clock, no
// randomness, no input or output. Arguments are never modified. A confidence
// is the least coverage wanted; the coverage that an interval really has is
// returned with it, since order statistics come in steps.
package stats

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Confidence is the coverage of an interval where nobody asks for another.
const Confidence = 0.95

// Median is the middle value, or the mean of the two middle ones; NaN of none.
func Median(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(xs))
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return s[n/2-1] + (s[n/2]-s[n/2-1])/2
}

// MAD is the median of the distances from the median: a measure of spread, in
// the unit of the values, that a few wild ones do not move. NaN of none.
func MAD(xs []float64) float64 {
	m := Median(xs)
	d := make([]float64, len(xs))
	for i, x := range xs {
		d[i] = math.Abs(x - m)
	}
	return Median(d)
}

// Interval is a confidence interval.
type Interval struct {
	Low, High float64
	// Coverage is the probability with which such an interval holds the true
	// value; at least what was asked for.
	Coverage float64
}

// MedianInterval is the exact interval of the median of independent values of
// any distribution: the values of rank r and n+1-r, for the largest r whose
// coverage 1-2·P(X<r), X binomial with n trials of probability ½, is at least
// the confidence. ok is false when so few values (below 6 for 95 %) allow no
// such interval.
func MedianInterval(xs []float64, confidence float64) (iv Interval, ok bool) {
	n := len(xs)
	r, tail := 0, 0.0 // tail is P(X < r)
	for k := 0; k < (n+1)/2; k++ {
		next := tail + binomialHalf(n, k)
		if 1-2*next < confidence {
			break
		}
		r, tail = k+1, next
	}
	if r == 0 {
		return Interval{}, false
	}
	s := slices.Sorted(slices.Values(xs))
	return Interval{s[r-1], s[n-r], 1 - 2*tail}, true
}

// binomialHalf is the probability of k in n trials of probability ½.
func binomialHalf(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return math.Exp(a - b - c - float64(n)*math.Ln2)
}

// Ratio is how one quantity compares with another that was measured beside it.
// A Ratio of 1.05 is 5 % more than the base's.
type Ratio struct {
	Ratio     float64 // exp of the median log-ratio
	Low, High float64 // interval of Ratio; meaningless unless Enough
	Coverage  float64 // of the interval
	Pairs     int
	// Enough is false when there are too few pairs for an interval.
	Enough bool
}

// PairedRatio compares other[i] with base[i], for all i. All values must be
// positive and finite.
func PairedRatio(base, other []float64, confidence float64) (Ratio, error) {
	logs, err := logRatios(base, other)
	if err != nil {
		return Ratio{}, err
	}
	r := Ratio{Ratio: math.Exp(Median(logs)), Pairs: len(logs)}
	if iv, ok := MedianInterval(logs, confidence); ok {
		r.Enough, r.Low, r.High, r.Coverage = true, math.Exp(iv.Low), math.Exp(iv.High), iv.Coverage
	}
	return r, nil
}

func logRatios(base, other []float64) ([]float64, error) {
	if len(base) != len(other) || len(base) == 0 {
		return nil, fmt.Errorf("paired ratio of %d and %d values", len(base), len(other))
	}
	logs := make([]float64, len(base))
	for i := range base {
		for _, x := range []float64{base[i], other[i]} {
			if !(x > 0) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("paired ratio: value %v of pair %d is not a positive number", x, i)
			}
		}
		logs[i] = math.Log(other[i]) - math.Log(base[i])
	}
	return logs, nil
}

// HodgesLehmann is a second opinion on [PairedRatio]: exp of the pseudo-median
// of the log-ratios. It uses more of the data and suffers more from heavy tails;
// where it leaves the interval, the log-ratios are lopsided. Its cost is
// quadratic; see the limit of a thousand pairs below.
func HodgesLehmann(base, other []float64) (float64, error) {
	logs, err := logRatios(base, other)
	if err != nil {
		return 0, err
	}
	return math.Exp(pseudoMedian(logs)), nil
}

// most is how many values the pseudo-median looks at: their pairs are a
// quadratic number.
const most = 1000

// pseudoMedian is the Hodges-Lehmann estimate: the median of the means of all
// pairs, each value with itself included. Of more than a thousand values the
// first thousand are used.
func pseudoMedian(xs []float64) float64 {
	xs = xs[:min(len(xs), most)]
	means := make([]float64, 0, len(xs)*(len(xs)+1)/2)
	for i, x := range xs {
		for _, y := range xs[i:] {
			means = append(means, x+(y-x)/2)
		}
	}
	return Median(means)
}

// HalfWidth is how far the interval reaches from the ratio, the farther of its
// ends, relative to the ratio: 0.02 is ±2 %. Infinite without an interval.
func (r Ratio) HalfWidth() float64 {
	if !r.Enough {
		return math.Inf(1)
	}
	return max(r.High/r.Ratio, r.Ratio/r.Low) - 1
}

// Verdict is what may be said of a ratio.
type Verdict string

// The verdicts.
const (
	More         Verdict = "more"          // than the base's, beyond noise
	Less         Verdict = "less"          // than the base's, beyond noise
	NoDifference Verdict = "no difference" // beyond the noise floor; a smaller one may exist
	TooFew       Verdict = "too few"       // pairs for an interval: nothing can be said
)

// NoiseFloor is what an A/A control leaves possible between two copies of one
// file: the end of a control's interval that is farthest from 1, relative, over
// all controls. 0.03 is 3 %. It is infinite without a control that has an
// interval, so that nothing is called an effect where nobody looked for noise.
//
// Copies of one file really differ, by about 1 % (where they lie in the page
// cache), which more samples of the same copies do not average out.
func NoiseFloor(controls ...Ratio) float64 {
	floor, any := 0.0, false
	for _, c := range controls {
		if !c.Enough {
			return math.Inf(1)
		}
		any = true
		floor = max(floor, math.Exp(max(math.Abs(math.Log(c.Low)), math.Abs(math.Log(c.High))))-1)
	}
	if !any {
		return math.Inf(1)
	}
	return floor
}

// Judge calls a ratio an effect only if its interval leaves out 1 and the ratio
// is farther from 1 than the noise floor (see [NoiseFloor]).
func Judge(r Ratio, floor float64) Verdict {
	switch {
	case !r.Enough:
		return TooFew
	case r.Low <= 1 && r.High >= 1, math.Abs(math.Log(r.Ratio)) <= math.Log1p(floor):
		return NoDifference
	case r.Ratio > 1:
		return More
	}
	return Less
}

// Rule says when to stop measuring. It looks at how wide intervals are and
// never at where they lie: to stop when a difference shows would find one in
// the end between any two files.
type Rule struct {
	HalfWidth float64 // stop when every ratio's is at most this; 0.02 is ±2 %
	Least     int     // rounds, before anything else is looked at
	Most      int     // rounds; 0 for no limit
}

// Why a measurement ended.
const (
	Tight  = "tight"  // all intervals are as narrow as wanted
	Rounds = "rounds" // Rule.Most was reached
	Time   = "time"   // the time was over
)

// Done says whether to stop after so many rounds, and why. late is true when
// the time that was given is over.
func (s Rule) Done(rounds int, late bool, ratios ...Ratio) (why string, done bool) {
	if rounds < s.Least && !(late && rounds > 0) {
		return "", false
	}
	tight := rounds >= s.Least
	for _, r := range ratios {
		tight = tight && r.HalfWidth() <= s.HalfWidth
	}
	switch {
	case tight:
		return Tight, true
	case late:
		return Time, true
	case s.Most > 0 && rounds >= s.Most:
		return Rounds, true
	}
	return "", false
}

// Check reports a rule that would never end or means nothing.
func (s Rule) Check() error {
	var errs []error
	if !(s.HalfWidth > 0) || s.HalfWidth >= 1 {
		errs = append(errs, fmt.Errorf("half-width %v is not between 0 and 1", s.HalfWidth))
	}
	if s.Least < 1 || s.Most != 0 && s.Most < s.Least {
		errs = append(errs, fmt.Errorf("from %d to %d rounds", s.Least, s.Most))
	}
	return errors.Join(errs...)
}
