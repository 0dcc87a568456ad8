package fact

// Verdict is what is known of a file that was built more than once. Only a
// comparison of all bytes makes it Identical: nothing is that by default, and
// the zero value is no verdict at all.
type Verdict string

const (
	Identical Verdict = "identical" // all bytes were compared and are the same
	Different Verdict = "different" // a byte differs; findings say why
	Unchecked Verdict = "unchecked" // it was not compared; a reason says why
)

// VerifyPolicy says what becomes of a unit whose files differ or were not checked:
// the value of verify in a profile, and in a plan.
type VerifyPolicy string

const (
	RequireIdentical VerifyPolicy = "require" // nothing is published
	ReportVerdicts   VerifyPolicy = "report"  // it is published, and the manifest says so
)

// Verdicts counts files by their verdict. The zero value has none.
type Verdicts struct {
	Identical int `json:"identical"`
	Different int `json:"different"`
	Unchecked int `json:"unchecked"`
}

// Count counts one more. What is no verdict was not checked.
func (n *Verdicts) Count(v Verdict) {
	switch v {
	case Identical:
		n.Identical++
	case Different:
		n.Different++
	default:
		n.Unchecked++
	}
}

// All is how many were counted.
func (n Verdicts) All() int { return n.Identical + n.Different + n.Unchecked }

// Worst is the verdict of all of them together: one that differs makes them
// Different, and else one that is not checked Unchecked. Without any, nothing
// was compared.
func (n Verdicts) Worst() Verdict {
	switch {
	case n.Different > 0:
		return Different
	case n.Unchecked > 0 || n.Identical == 0:
		return Unchecked
	}
	return Identical
}
