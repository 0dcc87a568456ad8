package fact

// SourceKind is where a source comes from.
type SourceKind string

const (
	SourceGit    SourceKind = "git"    // a commit of a repository
	SourceModule SourceKind = "module" // the zip of a module proxy
)

// SourceID is of a source what decides the bytes of everything that is built
// from it. How far it is believed (whether the checksum database has it, what
// the repository says beside it) is no part of it: it would make the same plan two.
type SourceID struct {
	Kind       SourceKind `json:"kind"`
	Module     string     `json:"module"`           // module path
	Version    string     `json:"version"`          // module version, with v: a tag or Go's pseudo-version
	Sum        string     `json:"sum"`              // h1: of the module zip
	Commit     string     `json:"commit,omitempty"` // full hash
	CommitTime string     `json:"commit_time"`      // RFC 3339, UTC, whole seconds
	Dir        string     `json:"dir,omitempty"`    // module's directory in the repository, "" for its root
}
