package profiles

import (
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
)

// File is one parsed, inherited and checked mintmark.yaml.
type File struct {
	// Path is the file's name as given to Load; empty for the built-in profile.
	Path string
	// Project names the release; it is part of every artifact's name.
	Project string
	// Go is the exact toolchain, such as "go1.26.8"; empty means the one go.mod names.
	Go string
	// Untagged says what to do with a commit that carries no version tag:
	// "refuse" (the default) or "pseudo" (release it under Go's pseudo-version).
	Untagged string
	// Dir is the module's directory below that of the profile file,
	// slash-separated; "" for that itself.
	Dir string
	// Tag is how the tags that say versions are written; nil is by Go's rules.
	Tag *fact.TagForm
	// Snapshot is the template of a snapshot's version; "" is the default. See
	// [File.SnapshotVersion].
	Snapshot string
	// Sign is the signing key, if the file says anything about one.
	Sign Sign
	// Ledger is what the file says about the published ledgers of proofs.
	Ledger Ledger
	// Require is what the file demands of a release besides, sorted, without
	// duplicates. It is a policy of whoever releases and in no plan.
	Require []fact.Requirement
	// Generate are the commands that make files before anything is compiled, in order.
	Generate []Generate
	// Checksums is what the file says of the list of digests; nil if nothing.
	Checksums *Checksums
	// Source is the published archive of the commit; nil if there is none.
	Source *SourceArchive
	// Bills are the formats of the bills of materials, sorted; nil if the file says
	// nothing, see [File.BillFormats].
	Bills []fact.BillFormat
	// BillPerFile says that each published file has a bill of its own in these formats.
	BillPerFile bool
	// Channels are the package managers that a release has files for, in the order of
	// [fact.Channels].
	Channels []Channel
	// Images are the container images that a release has, sorted by [fact.Image.File].
	Images []fact.Image
	// Publish is where mintmark publish brings a release, in that order, without
	// duplicates. What is no target is for others to say.
	Publish []Placed
	// Profiles are all profiles, in the order of the file.
	Profiles []*Profile

	src       *source
	warnings  []Problem
	positions map[string]Position // of the top-level keys; see Pos
	common    layer               // top-level settings, below all profiles
}

// Placed is a text of the profile file, and where it stands.
type Placed struct {
	Text string
	Pos  Position
}

// Sign is the top-level key `sign`: either `none`, or a map with `key`.
type Sign struct {
	// None is set by `sign: none`: a release may be left unsigned.
	None bool
	// Key is a path (relative to the profile file) or a KMS URI.
	Key string
}

// Ledger is the top-level key `ledger`: what of the executed compiles is told
// to others, and who is believed.
type Ledger struct {
	// Publish makes a release write what it executed of the standard library
	// and of dependencies. Default: false.
	Publish bool
	// Rebuilders are the public keys whose published ledgers count: paths
	// (relative to the profile file) or KMS URIs, as written and in order,
	// without duplicates. That two of them are one key under two names is not
	// seen here.
	Rebuilders []string
}

// Profile is one named, inherited profile.
type Profile struct {
	Name      string
	Inherit   string     // name of the parent, or ""
	Platforms []Platform // expanded, sorted, without duplicates; empty: only inherited from

	body
}

// body is what Load knows of a profile beyond its platforms.
type body struct {
	file       *File
	parent     *Profile
	pos        Position // of its name
	inheritPos Position
	own        layer
	overrides  []override // its own; the parents' come before

	unclear     bool         // platforms or inherit are wrong: what follows from them is not reported
	platforms   *platformSet // what the key says; nil if the key is absent
	resolved    *platformSet // its own or the nearest ancestor's
	platformPos map[Platform]Position
}

// override is one entry of `overrides`.
type override struct {
	patterns []Pattern
	patPos   []Position
	layer    layer
}

// Settings are the resolved settings of one profile on one platform.
// Strings may still hold templates; see [Settings.Expand].
type Settings struct {
	Main      []string          // package patterns, "./", "./cmd/..."
	CGO       bool              // default false
	Trimpath  bool              // default true
	BuildVCS  bool              // default true
	Tags      []string          // sorted, without duplicates
	Strip     string            // ldflags.strip: StripAll (default), StripDebug, or "" for neither
	Set       map[string]string // ldflags.set: -X importpath.name=value
	LDFlags   []string          // ldflags.extra: further linker flags, in order
	GCFlags   []string
	ASMFlags  []string
	BuildMode string // "" is the default of the platform
	Mod       string // "readonly" (default) or "vendor"
	PGO       string // "" means default.pgo of the main package if there is one; "off"; or a path in the commit
	Env       map[string]string
	Archive   []string   // formats, sorted, without duplicates, or "none" alone; default "tar.gz"
	Wrap      string     // template of the directory that the files of an archive lie in; "" is none
	Files     []FileRule // further files for the archive
	Binary    string     // template of the program's path in an archive, without extension
	Name      string     // template of the artifact's name without extension
	// Universal says whether universal binaries are published for macOS.
	Universal fact.UniversalPolicy
	Packages  Packages // for Linux distributions
	UPX       []string // flags of UPX; nil: not packed
	// UPXVersion and UPXSHA256 pin the UPX executable: the version it must say,
	// the digest its file must have. "" is any, and always without UPX flags.
	UPXVersion string
	UPXSHA256  string
	Budget     Budget
	Bench      Bench
	Verify     fact.VerifyPolicy // default: require
}

// What ldflags.strip leaves out of a binary.
const (
	StripAll   = "all"   // -s -w: symbol table and debug information
	StripDebug = "debug" // -w: debug information
	StripNone  = "none"  // "" in Settings
)

// FileRule is an element of the key files: files of the commit that go into archives.
type FileRule struct {
	Src string // glob of their paths in the module
	// Dst is where they go in the archive, or a template of that. Of a Src that is
	// no pattern it is the file's path there, or its directory if it ends in a
	// slash. Of a pattern it is a directory, in which files lie as they lie below
	// the directory that the pattern begins with. "" leaves them where they are.
	Dst  string
	Mode string // one of fact.Modes; "" is the commit's
}

// Pattern reports whether Src stands for any number of files.
func (f FileRule) Pattern() bool { return strings.ContainsAny(f.Src, patternChars) }

// patternChars are the characters that make a path a pattern.
const patternChars = `*?[\`

// Budget limits what a binary may cost. Zero means no limit.
type Budget struct {
	Size    int64 // bytes
	Growth  int64 // bytes more than in the release before
	Startup time.Duration
}

// value is what one key was set to, and where.
type value struct {
	flag     bool
	text     string     // as written; also of bools, sizes and durations
	list     []string   // of lists; of files their globs
	files    []FileRule // of files
	contents []ContentRule
	size     int64
	dur      time.Duration
	// entries are those of a map, put together for settings; nil in a layer.
	entries map[string]string
	pos     Position
	items   []Position // of the elements of list
	dsts    []Position // of what an element of files calls dst, where it has one
	// at finds the position of a byte offset in the text, or in element
	// item of the list (item -1 is the text).
	at func(item, offset int) Position
}

// textUnless is the text, or "" where it is what stands for nothing.
func (v *value) textUnless(nothing string) string {
	if v.text == nothing {
		return ""
	}
	return v.text
}

// layer holds the settings of one block of the file by path. The entries of
// the two maps are values of their own: env.CC, ldflags.set.main.version.
type layer map[string]*value
