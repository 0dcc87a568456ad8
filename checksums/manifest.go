package checksums

import "encoding/json"

// ManifestSchema is the value of [Manifest.Schema] this version writes and reads.
const ManifestSchema = "https://github.com/mintmark/mintmark/release/v1"

// Kinds of a manifest.
const (
	KindRelease  = "release"  // built twice from a clean commit; may be signed
	KindSnapshot = "snapshot" // from a dirty tree or asked for; never signed
	KindBuild    = "build"    // built once; nothing was checked
)

// Verdicts of a rebuild. Nothing is identical by default.
const (
	Identical = "identical"
	Different = "different"
	Unchecked = "unchecked"
)

// Stages of an artifact, each made from the one before.
const (
	StageLinked  = "linked"  // as the Go linker wrote it
	StagePacked  = "packed"  // by UPX
	StageArchive = "archive" // tar.gz, tar.zst, zip
)

// Manifest is release.json: the whole release as data. It holds no time but
// the commit's and no path of the machine it was made on, so two releases of
// one commit have the same manifest, byte for byte. The exception are findings
// of artifacts that differ (verify: report): their evidence quotes what differed.
type Manifest struct {
	Schema    string          `json:"schema"`
	Kind      string          `json:"kind"`
	Project   string          `json:"project"`
	Version   string          `json:"version"` // without the leading v
	Source    Source          `json:"source"`
	Toolchain Toolchain       `json:"toolchain"`
	Builder   Builder         `json:"builder"`
	PlanID    string          `json:"plan_id"` // SHA-256 of the canonical plan, lower-case hex
	Plan      json.RawMessage `json:"plan"`    // the canonical plan itself
	Rebuild   Rebuild         `json:"rebuild"`
	Artifacts []Artifact      `json:"artifacts"` // sorted by profile, platform, stage, name
}

// Source identifies the code that was built.
type Source struct {
	Kind       string   `json:"kind"`             // "git" or "module"
	Module     string   `json:"module"`           // module path
	Version    string   `json:"version"`          // module version, with v: a tag or Go's pseudo-version
	Sum        string   `json:"sum"`              // h1: of the module zip made from this commit
	SumDB      bool     `json:"sumdb"`            // Sum was checked against the checksum database
	Commit     string   `json:"commit,omitempty"` // full hash
	Tree       string   `json:"tree,omitempty"`   // git tree hash
	CommitTime string   `json:"commit_time"`      // RFC 3339, UTC
	Tags       []string `json:"tags,omitempty"`   // version tags on the commit, sorted
	Dir        string   `json:"dir,omitempty"`    // module's directory in the repository, "" for its root
	Dirty      []string `json:"dirty,omitempty"`  // changed files of a snapshot, sorted
}

// Toolchain is the one Go toolchain everything was built with.
type Toolchain struct {
	Version string `json:"version"` // go1.26.8
	Host    string `json:"host"`    // platform it ran on, such as linux/amd64
	Module  string `json:"module"`  // golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64
	Sum     string `json:"sum"`     // h1: of that module's zip
	SumDB   bool   `json:"sumdb"`   // Sum was checked against the checksum database
}

// Builder is the program that made the release.
type Builder struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Rebuild says what the second builds had in common with the first and what not.
type Rebuild struct {
	Executions int      `json:"executions"`       // builds of every unit: 2, or 1 when nothing was rebuilt
	Varied     []string `json:"varied,omitempty"` // what was different, sorted
	// Attempted was different too if the system permitted it. Whether it did
	// depends on the rights of whoever made the release, not on the release, so
	// the manifest does not say.
	Attempted []string `json:"attempted,omitempty"`
	Shared    []string `json:"shared,omitempty"` // what was the same although it could matter, sorted
}

// Artifact is a file with a digest. Its key is profile, platform, stage and name.
type Artifact struct {
	Name     string   `json:"name"` // file name; unique among those with Published
	Profile  string   `json:"profile"`
	Platform string   `json:"platform"`
	Stage    string   `json:"stage"`
	Size     int64    `json:"size"`
	SHA256   string   `json:"sha256"`
	From     []string `json:"from,omitempty"` // digests of the stage before, in order of the members
	// Published says that the file lies in the release directory under Name.
	Published bool   `json:"published"`
	Package   string `json:"package,omitempty"` // linked: import path of the main package
	BuildID   string `json:"build_id,omitempty"`
	Verdict   string `json:"verdict"`
	Reason    string `json:"reason,omitempty"` // of unchecked
	// Tool names what made a packed or archived file: "UPX 3.94 sha256:… --best", "klauspost/compress v1.20.3 gzip-9".
	Tool     string    `json:"tool,omitempty"`
	Findings []Finding `json:"findings,omitempty"` // of different
	Members  []Member  `json:"members,omitempty"`  // of an archive, in order
}

// Member is one file in an archive.
type Member struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Mode   string `json:"mode"` // "0644" or "0755"
}

// Finding is a cause with its evidence and remedy.
type Finding struct {
	Cause      string   `json:"cause"`
	Confidence string   `json:"confidence"` // certain, likely, possible
	Evidence   []string `json:"evidence"`
	Remedy     string   `json:"remedy"`
	Bytes      int64    `json:"bytes"`
}
