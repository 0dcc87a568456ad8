package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(b)) }

// upTo is 1, 2, …, n, shuffled: what is returned must not depend on the order.
func upTo(n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = float64(i + 1)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
	return xs
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		xs          []float64
		median, mad float64
	}{
		{[]float64{7}, 7, 0},
		{[]float64{3, 1}, 2, 1},
		{[]float64{9, 1, 2}, 2, 1},
		{[]float64{4, 1, 3, 2}, 2.5, 1},
		{[]float64{1, 1, 2, 2, 4, 6, 9}, 2, 1},
		{[]float64{1, 2, 3, 4, 1e9}, 3, 1},
	} {
		before := slices.Clone(c.xs)
		if m, d := Median(c.xs), MAD(c.xs); m != c.median || d != c.mad {
			t.Errorf("%v: median %v, MAD %v, want %v, %v", c.xs, m, d, c.median, c.mad)
		}
		if !slices.Equal(before, c.xs) {
			t.Errorf("%v was reordered to %v", before, c.xs)
		}
	}
	if !math.IsNaN(Median(nil)) || !math.IsNaN(MAD(nil)) {
		t.Error("a median of nothing")
	}
}

// TestMedianInterval compares with the tables of the sign test: ranks and
// coverage of the exact 95 % and 99 % intervals (Conover, Practical
// Nonparametric Statistics, table A3, gives the same binomial sums).
func TestMedianInterval(t *testing.T) {
	for _, c := range []struct {
		n          int
		confidence float64
		rank       int // 0: none
		coverage   float64
	}{
		{0, 0.95, 0, 0},
		{5, 0.95, 0, 0}, // 0.9375 at most
		{6, 0.95, 1, 1 - 2.0/64},
		{8, 0.95, 1, 1 - 2.0/256},
		{9, 0.95, 2, 1 - 2*10.0/512},
		{10, 0.95, 2, 1 - 2*11.0/1024},
		{20, 0.95, 6, 0.958610534667969},
		{30, 0.95, 10, 0.957226043567061},
		{50, 0.95, 18, 0.967160862435},
		{100, 0.95, 40, 0.964799799782},
		{7, 0.99, 0, 0},
		{8, 0.99, 1, 1 - 2.0/256},
		{20, 0.99, 4, 0.997423171997},
		{5, 0.9, 1, 1 - 2.0/32},
	} {
		iv, ok := MedianInterval(upTo(c.n), c.confidence)
		want := Interval{float64(c.rank), float64(c.n + 1 - c.rank), c.coverage}
		if c.rank == 0 {
			want = Interval{}
		}
		if ok != (c.rank > 0) || iv.Low != want.Low || iv.High != want.High || math.Abs(iv.Coverage-want.Coverage) > 1e-6 {
			t.Errorf("n=%d, %v: %+v %v, want %+v", c.n, c.confidence, iv, ok, want)
		}
	}
	// 2^-n underflows from n = 1075 on.
	if iv, ok := MedianInterval(upTo(5000), 0.95); !ok || iv.Coverage < 0.95 || iv.Coverage > 0.953 || iv.Low+iv.High != 5001 {
		t.Errorf("n=5000: %+v %v", iv, ok)
	}
}

// TestCoverage draws samples of a lopsided distribution with heavy tails and a
// known median: the interval must hold it as often as it says.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const n, times = 30, 4000
	hits, coverage := 0, 0.0
	for range times {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = math.Exp(3 * rng.NormFloat64()) // median 1, mean 90
		}
		iv, ok := MedianInterval(xs, Confidence)
		if !ok {
			t.Fatal("no interval")
		}
		coverage = iv.Coverage
		if iv.Low <= 1 && 1 <= iv.High {
			hits++
		}
	}
	if got := float64(hits) / times; math.Abs(got-coverage) > 0.012 {
		t.Errorf("%.3f of the intervals hold the median, they say %.3f", got, coverage)
	}
}

func TestPairedRatio(t *testing.T) {
	// Every round has its own mood; within a round the other takes 1.25 times as long.
	base := []float64{1, 2, 4, 100, 0.5, 3, 8, 9}
	other := make([]float64, len(base))
	for i, x := range base {
		other[i] = 1.25 * x
	}
	r, err := PairedRatio(base, other, Confidence)
	if err != nil || !near(r.Ratio, 1.25) || !near(r.Low, 1.25) || !near(r.High, 1.25) || r.Pairs != 8 || !r.Enough || r.HalfWidth() > 1e-9 {
		t.Errorf("%+v, %v", r, err)
	}
	// One spoilt round of eight moves the mean ratio to 13, the median not at all.
	other[0] *= 100
	if r, err := PairedRatio(base, other, 0.9); err != nil || !near(r.Ratio, 1.25) || !near(r.High, 1.25) {
		t.Errorf("%+v, %v", r, err)
	}
	// Both ways round are each other's inverse.
	back, err := PairedRatio(other, base, Confidence)
	there, _ := PairedRatio(base, other, Confidence)
	if err != nil || !near(back.Ratio*there.Ratio, 1) || !near(back.Low*there.High, 1) {
		t.Errorf("%+v and %+v, %v", there, back, err)
	}
	if r, err := PairedRatio(base[:3], other[:3], Confidence); err != nil || r.Enough || !math.IsInf(r.HalfWidth(), 1) {
		t.Errorf("three pairs: %+v, %v", r, err)
	}
	for _, bad := range [][2][]float64{
		{nil, nil}, {{1}, {1, 2}}, {{0}, {1}}, {{1}, {-1}}, {{math.NaN()}, {1}}, {{1}, {math.Inf(1)}},
	} {
		if r, err := PairedRatio(bad[0], bad[1], Confidence); err == nil {
			t.Errorf("%v: %+v", bad, r)
		}
	}
}

func TestHodgesLehmann(t *testing.T) {
	a, err := HodgesLehmann([]float64{1, 1, 1}, []float64{math.Exp(1), math.Exp(2), math.Exp(6)})
	if err != nil || !near(a, math.Exp(2.75)) {
		t.Errorf("%v %v, want exp 2.75", a, err)
	}
	if _, err := HodgesLehmann([]float64{1}, []float64{0}); err == nil {
		t.Error("no ratio to 0")
	}
	// Walsh averages of 1, 2, 6: 1, 1.5, 3.5, 2, 4, 6; their median is 2.75.
	if got := pseudoMedian([]float64{6, 1, 2}); got != 2.75 {
		t.Errorf("%v, want 2.75", got)
	}
	if got := pseudoMedian(upTo(5000)); math.IsNaN(got) {
		t.Error("no pseudo-median of many values")
	}
}

func TestJudge(t *testing.T) {
	ratio := func(r, low, high float64) Ratio {
		return Ratio{Ratio: r, Low: low, High: high, Pairs: 50, Enough: true}
	}
	for _, c := range []struct {
		name    string
		r       Ratio
		control []Ratio
		want    Verdict
	}{
		{"far above", ratio(2, 1.9, 2.1), []Ratio{ratio(1, 0.98, 1.02)}, More},
		{"far below", ratio(0.5, 0.45, 0.55), []Ratio{ratio(1, 0.98, 1.02)}, Less},
		{"interval holds 1", ratio(1.1, 0.99, 1.2), []Ratio{ratio(1, 0.99, 1.01)}, NoDifference},
		{"below the floor", ratio(1.02, 1.01, 1.03), []Ratio{ratio(1, 0.97, 1.03)}, NoDifference},
		{"floor on the other side", ratio(0.98, 0.97, 0.99), []Ratio{ratio(1.01, 1, 1.03)}, NoDifference},
		{"just above the floor", ratio(1.04, 1.01, 1.06), []Ratio{ratio(1, 0.97, 1.03)}, More},
		{"the worst control counts", ratio(1.04, 1.01, 1.06), []Ratio{ratio(1, 0.99, 1.01), ratio(1.02, 1, 1.05)}, NoDifference},
		{"no control", ratio(9, 8, 10), nil, NoDifference},
		{"control without interval", ratio(9, 8, 10), []Ratio{{Ratio: 1, Pairs: 3}}, NoDifference},
		{"too few", Ratio{Ratio: 9, Pairs: 3}, []Ratio{ratio(1, 0.99, 1.01)}, TooFew},
	} {
		if got := Judge(c.r, NoiseFloor(c.control...)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if f := NoiseFloor(ratio(0.98, 0.8, 1.1)); !near(f, 0.25) {
		t.Errorf("floor %v, want 0.25: 0.8 is as far from 1 as 1.25", f)
	}
}

// TestAA: of two copies of one distribution hardly ever is one called slower.
func TestAA(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	draw := func(mood float64) float64 { return mood * math.Exp(0.1*rng.NormFloat64()) }
	wrong := 0
	const times = 1000
	for range times {
		var a, b, c []float64
		for range 40 {
			mood := math.Exp(2 * rng.NormFloat64())
			a, b, c = append(a, draw(mood)), append(b, draw(mood)), append(c, draw(mood))
		}
		control, _ := PairedRatio(a, b, Confidence)
		r, _ := PairedRatio(a, c, Confidence)
		if Judge(r, NoiseFloor(control)) != NoDifference {
			wrong++
		}
	}
	if wrong > times/50 {
		t.Errorf("%d of %d A/A comparisons were called a difference", wrong, times)
	}
}

func TestRule(t *testing.T) {
	rule := Rule{HalfWidth: 0.02, Least: 10, Most: 100}
	narrow := Ratio{Ratio: 2, Low: 1.98, High: 2.02, Enough: true}
	wide := Ratio{Ratio: 1, Low: 0.9, High: 1.1, Enough: true}
	for _, c := range []struct {
		name   string
		rounds int
		late   bool
		ratios []Ratio
		why    string
	}{
		{"too early", 9, false, []Ratio{narrow}, ""},
		{"tight", 10, false, []Ratio{narrow, narrow}, Tight},
		{"one is wide", 10, false, []Ratio{narrow, wide}, ""},
		{"enough", 100, false, []Ratio{narrow, wide}, Rounds},
		{"late", 20, true, []Ratio{wide}, Time},
		{"late and early", 3, true, []Ratio{wide}, Time},
		{"late before the first", 0, true, nil, ""},
		{"late, narrow, but few", 3, true, []Ratio{narrow}, Time},
		{"no interval", 50, false, []Ratio{{Ratio: 1}}, ""},
		{"nothing to compare", 10, false, nil, Tight},
	} {
		why, done := rule.Done(c.rounds, c.late, c.ratios...)
		if why != c.why || done != (c.why != "") {
			t.Errorf("%s: %q %v, want %q", c.name, why, done, c.why)
		}
	}
	for _, bad := range []Rule{{}, {HalfWidth: 0.02}, {HalfWidth: 1, Least: 1}, {HalfWidth: 0.1, Least: 5, Most: 4}, {HalfWidth: math.NaN(), Least: 1}} {
		if bad.Check() == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
	if err := rule.Check(); err != nil {
		t.Error(err)
	}
}
