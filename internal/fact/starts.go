package fact

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Starts is how often a program was started in one kind of environment, and
// what came of it. One start says nothing of what happens now and then: what a
// number of starts says is computed from it, by [Starts.Missed].
type Starts struct {
	Variables int `json:"variables"` // environment variables beside the declared ones
	Starts    int `json:"starts"`
	Failed    int `json:"failed,omitempty"` // of the starts
}

// Missed is the probability that none of the starts fails when each of them
// fails with the probability rate, whatever the others do.
func (s Starts) Missed(rate float64) float64 { return math.Pow(1-rate, float64(s.Starts)) }

// String is "n of m starts failed".
func (s Starts) String() string { return fmt.Sprintf("%d of %d starts failed", s.Failed, s.Starts) }

// Power says what starts of which none failed would have missed, each by itself:
// of the fewest, since that is what holds for all. "" if there are none.
func Power(all []Starts) string {
	if len(all) == 0 {
		return ""
	}
	fewest := slices.MinFunc(all, func(a, b Starts) int { return a.Starts - b.Starts })
	var parts []string
	for _, n := range []int{3, 10, 100} {
		parts = append(parts, fmt.Sprintf("of 1 start in %d with probability %s", n, probability(fewest.Missed(1/float64(n)))))
	}
	return "would have missed a crash " + strings.Join(parts, ", ")
}

// probability has two digits that say something, rounded up: it is never less
// than what was computed.
func probability(p float64) string {
	if p <= 0 || p >= 1 {
		return fmt.Sprintf("%g", p)
	}
	unit := math.Pow(10, math.Floor(math.Log10(p))-1)
	const rounding = 1e-9 // of the division, which is no digit that says something
	return fmt.Sprintf("%.2g", math.Ceil(p/unit-rounding)*unit)
}
