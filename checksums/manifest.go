package checksums

import (
	"encoding/json"

	"github.com/mintmark/mintmark/internal/fact"
)

// Kind says what a manifest is about.
type Kind string

const (
	KindRelease  Kind = "release"  // built at least twice from a clean commit; may be signed
	KindSnapshot Kind = "snapshot" // from a dirty tree or asked for; never signed
	KindBuild    Kind = "build"    // built once; nothing was checked
)

// Manifest is release.json: the whole release as data. It holds no time but
// the commit's and no path of the machine it was made on, so two releases of
// one commit have the same manifest, byte for byte, but for
//
//   - [Rebuild.Actions] and [Rebuild.Rebuilders]: they say what did not have to
//     run since it had run before, and so depend on what the proof ledger and
//     the first build's cache held. Where both were empty, or ignored (-full),
//     these are the same too;
//   - [Rebuild.Confinement], where the system of one of them permitted less: all
//     that permit both walls, to whomever and by whatever means, say the same;
//   - [Rebuild.Independence]: on how many machines, and of which systems, a release
//     is built is up to whoever makes it;
//   - proofs of packed files ([Artifact.Proofs]): what of them could be run
//     depends on the machine;
//   - [fact.GeneratorTool]: where a program lay on PATH, and which one it was;
//   - findings of artifacts that differ (verify: report): their evidence quotes
//     what differed.
type Manifest struct {
	Schema  fact.Schema `json:"schema"`
	Kind    Kind        `json:"kind"`
	Project string      `json:"project"`
	Version string      `json:"version"` // without the leading v
	// From says where Version comes from, where it is not Source.Version's, and Tag is
	// the tag on the commit that says it, if it is one.
	From      fact.VersionFrom `json:"version_from,omitempty"`
	Tag       string           `json:"tag,omitempty"`
	Source    Source           `json:"source"`
	Toolchain fact.Toolchain   `json:"toolchain"`
	Builder   Builder          `json:"builder"`
	PlanID    string           `json:"plan_id"` // SHA-256 of the canonical plan, lower-case hex
	Plan      json.RawMessage  `json:"plan"`    // the canonical plan itself
	Rebuild   Rebuild          `json:"rebuild"`
	// Generated is what commands made before anything was compiled; nil: nothing.
	Generated *fact.Generated `json:"generated,omitempty"`
	Artifacts []Artifact      `json:"artifacts"` // sorted by profile, platform, stage, name
	// SourceArchive is the published archive of the commit; nil if there is none.
	SourceArchive *SourceArchive `json:"source_archive,omitempty"`
	// Images are the published container images, sorted by name.
	Images []Image `json:"images,omitempty"`
	// Checksums is the list of the release's files where it is another than
	// [fact.DefaultList]; see [Manifest.List].
	Checksums *fact.DigestList `json:"checksums,omitempty"`
}

// List is the list of the release's files.
func (m *Manifest) List() fact.DigestList {
	if m.Checksums == nil {
		return fact.DefaultList()
	}
	return *m.Checksums
}

// SourceArchive is the published archive of the files of the source's commit. It is
// made of the commit and of what stands here, so whoever has the commit makes it
// again.
type SourceArchive struct {
	Name   string `json:"name"`
	Format string `json:"archive"`        // one of [fact.ArchiveFormats]
	Wrap   string `json:"wrap,omitempty"` // the directory that everything in it is in
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Made   int    `json:"made"` // how often it was made of the commit
	Tool   string `json:"tool"` // what compressed it
	// Verdict is of the times that it was made: what differs is not published.
	Verdict fact.Verdict `json:"verdict"`
}

// Source identifies the code that was built.
type Source struct {
	Kind       fact.SourceKind `json:"kind"`             // "git" or "module"
	Module     string          `json:"module"`           // module path
	Version    string          `json:"version"`          // module version, with v: a tag or Go's pseudo-version
	Sum        string          `json:"sum"`              // h1: of the module zip made from this commit
	SumDB      bool            `json:"sumdb"`            // Sum was checked against the checksum database
	Commit     string          `json:"commit,omitempty"` // full hash
	Tree       string          `json:"tree,omitempty"`   // git tree hash
	CommitTime string          `json:"commit_time"`      // RFC 3339, UTC
	Tags       []string        `json:"tags,omitempty"`   // version tags on the commit, sorted
	Dir        string          `json:"dir,omitempty"`    // module's directory in the repository, "" for its root
	// Stamp is the version that the go command wrote into the binaries of a
	// commit, "(devel)" where it found none; "" where it was told to stamp nothing,
	// and in manifests of before it was recorded.
	Stamp string `json:"stamp,omitempty"`
	// StampTags are the tags on the commit or below it that Version and Stamp were
	// made of, sorted: with them and the commit, both come out the same again.
	StampTags []string `json:"stamp_tags,omitempty"`
	Dirty     []string `json:"dirty,omitempty"` // changed files of a snapshot, sorted
}

// Builder is the program that made the release.
type Builder struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Rebuild says what the second builds had in common with the first and what not.
type Rebuild struct {
	// Executions is the number of builds of every unit: 2, or 1 when nothing was
	// rebuilt. A build is a run of `go build`; what of the packages ran again in
	// it is said by Actions.
	Executions int      `json:"executions"`
	Varied     []string `json:"varied,omitempty"` // what was different, sorted
	// Attempted was different too if the system permitted it. Whether it did
	// depends on the rights of whoever made the release, not on the release, so
	// the manifest does not say.
	Attempted []string `json:"attempted,omitempty"`
	Shared    []string `json:"shared,omitempty"` // what was the same although it could matter, sorted
	// Independence has an entry for each unit, sorted by profile and platform, or none:
	// then it was not recorded, as in releases of before, or there was one build. It is
	// derived of what the machines said of themselves.
	Independence []UnitIndependence `json:"independence,omitempty"`
	// Confinement is what held the builds while they ran, all of them together
	// with what else ran on their products (UPX). nil: the manifest does not say,
	// as those of before there was any.
	Confinement *fact.Confinement `json:"confinement,omitempty"`
	// Generation is how a rebuilder came by the generated files of a release; "" where
	// there are none, and in a manifest, which has [Manifest.Generated].
	Generation fact.Generation `json:"generation,omitempty"`
	// Actions has an entry for each unit whose account was kept, sorted by
	// profile and platform. Of a unit without one it is not known which of its
	// packages ran twice.
	Actions []UnitActions `json:"actions,omitempty"`
	// Rebuilders signed the published ledgers that were used, sorted. Those on
	// whose executions nothing came to rest are among them.
	Rebuilders []fact.SignerID `json:"rebuilders,omitempty"`
}

// UnitIndependence says how far the builds of one unit were from each other. It has
// neither names of hosts nor what else tells machines apart: a release does not
// publish the network of whoever made it, and a stranger could check none of it.
type UnitIndependence struct {
	Profile      string            `json:"profile"`
	Platform     string            `json:"platform"`
	Independence fact.Independence `json:"independence"`
	// Systems are the GOOS/GOARCH of the programs that built, sorted, where there were
	// several.
	Systems []string `json:"systems,omitempty"`
}

// Unit names the plan's unit, as output does.
func (u *UnitIndependence) Unit() string { return u.Profile + " " + u.Platform }

// UnitActions says how the packages of one unit came about in its second
// build, and thereby what its verdict rests on. The two builds run in two
// places, each with directories, caches and circumstances (Rebuild.Varied) of
// its own. Each package is in one of
// Executed, Again, Proven and Unprovable. Units share compiles, and a shared
// one counts in each of them: the sum over units is more than what ran.
type UnitActions struct {
	Profile  string `json:"profile"`
	Platform string `json:"platform"`
	// Links are the linked binaries: linked in the second place by this release, always.
	Links int `json:"links"`
	// LinksAgain are those of the Links that an earlier run linked in the
	// first place: this one's first build found them there. The others were
	// linked in both places by this release.
	LinksAgain int `json:"links_again,omitempty"`
	// Executed packages were compiled in both places by this release.
	Executed int `json:"executed"`
	// Again are packages compiled in the second place by this release, and in
	// the first by an earlier one: the first build found them in its cache.
	Again int `json:"again,omitempty"`
	// Proven packages were not compiled in the second place: it took them from
	// the proof ledger. They stand here by the number of executions known of
	// each, sorted by that.
	Proven []ProvenActions `json:"proven,omitempty"`
	// Foreign are those of the Proven one of whose executions is another
	// rebuilder's: without it they would not be proven.
	Foreign int `json:"foreign,omitempty"`
	// Unprovable packages are never taken from the ledger, since they read what
	// it does not see: C code and the like. They were compiled in the second
	// place by this release; the first build may have found them in its cache.
	Unprovable int `json:"unprovable,omitempty"`
	// ArchiveProven is the number of executions known of the unit's archive, which
	// had the same members, when it was taken from the ledger; of several archives
	// the least. 0: there is no archive, or this release wrote one twice, from the
	// files of each place.
	ArchiveProven int `json:"archive_proven,omitempty"`
	// PackageProven is the same of the unit's packages for Linux distributions, which the
	// same program had made of the same files.
	PackageProven int `json:"package_proven,omitempty"`
}

// ProvenActions counts actions of which the same number of executions is known.
type ProvenActions struct {
	// Executions had one output, in at least two places. 2 or more. The output
	// that the first build found in its cache counts as one.
	Executions int `json:"executions"`
	Actions    int `json:"actions"` // 1 or more
}

// Artifact is a file with a digest. Its key is profile, platform, stage and name.
type Artifact struct {
	Name     string     `json:"name"` // file name; unique among those with Published
	Profile  string     `json:"profile"`
	Platform string     `json:"platform"`
	Stage    fact.Stage `json:"stage"`
	Size     int64      `json:"size"`
	SHA256   string     `json:"sha256"`
	From     []string   `json:"from,omitempty"` // digests of the stage before, in order of the members
	// Published says that the file lies in the release directory under Name.
	Published bool         `json:"published"`
	Package   string       `json:"package,omitempty"` // linked: import path of the main package
	BuildID   string       `json:"build_id,omitempty"`
	Verdict   fact.Verdict `json:"verdict"`
	Reason    string       `json:"reason,omitempty"` // of unchecked
	// Tool names what made a packed or archived file: "UPX 3.94 sha256:… --best", "klauspost/compress v1.20.3 gzip-9".
	Tool     string         `json:"tool,omitempty"`
	Findings []fact.Finding `json:"findings,omitempty"` // of different
	// Proofs are what is known of a packed file beyond its bytes, one of each
	// kind, in the order of [fact.ProofNames]; none in a release of before there were
	// any. They say nothing of the verdict, and
	// the verdict nothing of them: a file may be the same in every build and
	// crash, and run although nobody built it twice.
	Proofs  []fact.Proof `json:"proofs,omitempty"`
	Members []Member     `json:"members,omitempty"` // of an archive, in order
}

// Unit names the plan's unit that makes the artifact, as output does.
func (a *Artifact) Unit() string { return a.Profile + " " + a.Platform }

// Member is one file in an archive.
type Member struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Mode   string `json:"mode"` // "0644" or "0755"
}

// ArtifactNamed is the published artifact of that name.
func (m *Manifest) ArtifactNamed(name string) (Artifact, bool) {
	for _, a := range m.Artifacts {
		if a.Published && a.Name == name {
			return a, true
		}
	}
	return Artifact{}, false
}
