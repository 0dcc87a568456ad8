package fact

// Confidence is how sure a finding is.
type Confidence string

// Confidences, strongest first.
const (
	Certain  Confidence = "certain"  // recorded in the files or proven
	Likely   Confidence = "likely"   // fits everything seen, but is not proven
	Possible Confidence = "possible" // one of several explanations
)

// Rank orders confidences: 0 is the strongest, and what is none comes last.
func (c Confidence) Rank() int {
	switch c {
	case Certain:
		return 0
	case Likely:
		return 1
	case Possible:
		return 2
	}
	return 3
}

// Cause names why two files differ: a stable name, which docs/causes.md explains.
// Each is spelled where it is found; here are those that several rooms name.
type Cause string

const (
	CauseSource            Cause = "source"             // the files were made of other source files
	CauseVCSRevision       Cause = "vcs-revision"       // they were built from other commits
	CauseVersionStamp      Cause = "version-stamp"      // other versions were stamped into them
	CauseToolchainVersion  Cause = "toolchain-version"  // other releases of Go built them
	CauseToolchainModified Cause = "toolchain-modified" // the same release, with other bytes
	CauseUnknown           Cause = "unknown"            // nothing was found that explains it
)

// Finding is one explanation of a difference.
type Finding struct {
	Cause      Cause      `json:"cause"`
	Confidence Confidence `json:"confidence"`
	Evidence   []string   `json:"evidence"`
	Remedy     string     `json:"remedy"`
	Bytes      int64      `json:"bytes"` // of the difference that the evidence covers by itself
}
