package fact

// Changes are the commits of a module since the version tag before a release: what
// people wrote about them, so anything at all. The release's own record has none of
// it.
type Changes struct {
	Since string // the tag
	// Subjects are the first lines of the commits' messages, the newest first, without
	// merges and with at most [MaxSubject] bytes each; no more than [MaxSubjects].
	Subjects []string
	More     int // how many more commits there are
}

// Bounds of [Changes].
const (
	MaxSubjects = 50
	MaxSubject  = 200
)
