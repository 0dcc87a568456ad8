package fact

// Result is what came of a test of a packed file.
type Result string

const (
	Passed   Result = "passed"
	Failed   Result = "failed"
	Untested Result = "unchecked" // it could not be made, or says nothing
)

// ProofName is what a proof tests.
type ProofName string

const (
	ProofTest        ProofName = "test"        // the packer's own test of the packed file (upx -t)
	ProofUnpack      ProofName = "unpack"      // unpacking gives the linked file back, bit for bit
	ProofRepack      ProofName = "repack"      // packing again gives the same bytes
	ProofSmoke       ProofName = "smoke"       // started, it does what the unpacked program does
	ProofEnvironment ProofName = "environment" // it does so with more and more environment variables; Starts says how many
)

// ProofNames are all proofs, in their order in an artifact.
func ProofNames() []ProofName {
	return []ProofName{ProofTest, ProofUnpack, ProofRepack, ProofSmoke, ProofEnvironment}
}

// Proof is one test of a packed file, and what came of it. Neither How nor
// Reason has a path of the machine in it that made the test.
type Proof struct {
	Name   ProofName `json:"name"`
	Result Result    `json:"result"`
	How    string    `json:"how,omitempty"`    // of passed: what was run and compared
	Reason string    `json:"reason,omitempty"` // of failed and untested
	// Starts of the packed file that a smoke or environment proof rests on, with
	// more and more environment variables; what they would have missed follows
	// from their number ([Starts.Missed]). None: it was not started, or the
	// manifest is from before starts were counted, when one of each kind was made.
	Starts []Starts `json:"starts,omitempty"`
}
