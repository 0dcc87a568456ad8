package fact

import (
	"math"
	"testing"
)

// TestMissed: what starts would have missed follows from their number.
func TestMissed(t *testing.T) {
	for _, tt := range []struct {
		starts int
		rate   float64
		want   float64
	}{{0, 0.5, 1}, {1, 1.0 / 3, 2.0 / 3}, {2, 0.5, 0.25}, {36, 1.0 / 3, 4.5784e-7}, {5, 1, 0}} {
		if got := (Starts{Starts: tt.starts}).Missed(tt.rate); math.Abs(got-tt.want) > 0.001*tt.want {
			t.Errorf("%d starts, rate %g: %g, want %g", tt.starts, tt.rate, got, tt.want)
		}
	}
}

func TestPower(t *testing.T) {
	for _, tt := range []struct {
		starts []Starts
		want   string
	}{
		{nil, ""},
		{[]Starts{{Starts: 1}}, "would have missed a crash of 1 start in 3 with probability 0.67, of 1 start in 10 with probability 0.9, of 1 start in 100 with probability 0.99"},
		// The fewest decide.
		{[]Starts{{Starts: 100}, {Variables: 500, Starts: 36}}, "would have missed a crash of 1 start in 3 with probability 4.6e-07, of 1 start in 10 with probability 0.023, of 1 start in 100 with probability 0.7"},
	} {
		if got := Power(tt.starts); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.starts, got, tt.want)
		}
	}
	if s := (Starts{Starts: 36, Failed: 11}).String(); s != "11 of 36 starts failed" {
		t.Error(s)
	}
}
