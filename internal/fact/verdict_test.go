package fact

import "testing"

// TestWorst: nothing is identical by default, and one file is enough to lose it.
func TestWorst(t *testing.T) {
	for _, tt := range []struct {
		verdicts []Verdict
		want     Verdict
	}{
		{nil, Unchecked},
		{[]Verdict{Identical, Identical}, Identical},
		{[]Verdict{Identical, Unchecked}, Unchecked},
		{[]Verdict{Unchecked, Different, Identical}, Different},
		{[]Verdict{Identical, ""}, Unchecked},
		{[]Verdict{Identical, "verified"}, Unchecked},
	} {
		var n Verdicts
		for _, v := range tt.verdicts {
			n.Count(v)
		}
		if n.Worst() != tt.want || n.All() != len(tt.verdicts) {
			t.Errorf("%q: %s of %+v, want %s", tt.verdicts, n.Worst(), n, tt.want)
		}
	}
}

// TestRank: the strongest comes first, and what is no confidence last.
func TestRank(t *testing.T) {
	for i, c := range []Confidence{Certain, Likely, Possible, "sure"} {
		if c.Rank() != i {
			t.Errorf("%s: %d, want %d", c, c.Rank(), i)
		}
	}
}
