package recovery

import (
	"fmt"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/universal"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
)

// Input is one file to rebuild.
type Input struct {
	Name string // for people: the path, and a member after "!"; nothing may be read out of it
	// Member is the name inside of the archive, "" for a file that is in none.
	Member string
	Path   string // of the file, or of a private copy of the member
	// Versions are module versions that something beside the binary names: the
	// package.json of an npm package, the name of the archive.
	Versions []string
	// Skip says why the file cannot be looked at; it is then unchecked.
	Skip string
	Kind Kind // what the file is

	// Of a universal binary: its table, what of it is in no slice, and the
	// inputs that are its slices.
	universal *universal.Table
	loose     []archive.Loose
	parts     []int
}

// Stamps a build can have.
const (
	StampNone     = "none"
	StampReplayed = "replayed from the binary's claim"
	StampGit      = "from the git checkout"
	StampInstall  = "module version (go install PATH@VERSION)"
)

// Result is what came of rebuilding one file. Fields are what was found out
// before it ended; a zero field was not.
type Result struct {
	Name   string `json:"name"`
	Member string `json:"member,omitempty"` // as in [Input]
	Kind   Kind   `json:"kind"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	// Verdict is about all bytes of the file: identical, different or unchecked.
	Verdict fact.Verdict `json:"verdict"`
	Reason  string       `json:"reason,omitempty"` // of all but identical
	// Signature is what of the file was not made here, but taken from it: its signature,
	// without which all its bytes came out. "" if all was made here. Nobody has checked it.
	Signature string `json:"identical_but_for_signature,omitempty"`
	// Signer is whose it is, by the certificate that is in it.
	Signer string `json:"signer,omitempty"`
	// Packed is what it was packed by. What it unpacks to has a verdict of its
	// own: it can be identical though the packed bytes could not be made again.
	Packed          string       `json:"packed,omitempty"`
	Unpacked        string       `json:"unpacked_sha256,omitempty"`
	UnpackedVerdict fact.Verdict `json:"unpacked_verdict,omitempty"`
	Packer          *fact.Packer `json:"packer,omitempty"`  // that made the packed bytes again
	Project         string       `json:"project,omitempty"` // name for the release: the last element of the module's path
	Package         string       `json:"package,omitempty"`
	Platform        string       `json:"platform,omitempty"` // GOOS/GOARCH[/variant]
	Untouched       string       `json:"untouched,omitempty"`
	// Distribution is whose package of Go made the file, with what in the file says so.
	Distribution string `json:"distribution,omitempty"`

	Source    Origin    `json:"source"`
	Toolchain Toolchain `json:"toolchain"`
	Stamp     string    `json:"stamp,omitempty"`
	// Directories are those that a binary without -trimpath was built in; nil of one with.
	Directories *Directories `json:"directories,omitempty"`
	Command     []string     `json:"command,omitempty"` // of the closest build, without -o
	Env         []string     `json:"env,omitempty"`     // what the platform and settings decide
	LDFlags     string       `json:"ldflags"`           // of the closest build
	Spelled     int          `json:"spellings_tried"`   // of -ldflags, by action ID
	Relinks     int          `json:"links"`             // that were run
	Rebuilt     string       `json:"rebuilt_sha256,omitempty"`
	Different   int64        `json:"different_bytes,omitempty"`
	Parts       []string     `json:"build_id_parts_that_differ,omitempty"`
	Findings    []Finding    `json:"findings,omitempty"`
	Notes       []string     `json:"notes,omitempty"`
	Profile     string       `json:"profile,omitempty"` // the recovered profile file
	Seconds     float64      `json:"seconds,omitempty"` // the caller's measurement
	// Earlier says that all of this is of an earlier run ([Config.Earlier]): nothing was
	// built or compared in this one but the file's digest.
	Earlier bool `json:"earlier,omitempty"`
	// Confinement is what held the builds, and the packer that unpacked the file;
	// nil if nothing was run.
	Confinement *fact.Confinement `json:"confinement,omitempty"`
	kept        string            // the closest build
	made        string            // a file with the bytes of the one that was named, made here
	diff        *bindiff.Diff
}

// Reproduced is what of the file was made here byte for byte: all of it (part ""), all
// but its signature ("unsigned"), what it unpacks to ("unpacked"), or nothing: then there
// is no digest.
func (r *Result) Reproduced() (sha256, part string) {
	switch {
	case r.Verdict == fact.Identical && r.Signature != "":
		return r.Rebuilt, "unsigned"
	case r.Verdict == fact.Identical:
		return r.SHA256, ""
	case r.UnpackedVerdict == fact.Identical:
		return r.Unpacked, "unpacked"
	}
	return "", ""
}

// Outcome is the verdict in words, and with what was not made here.
func (r *Result) Outcome() string {
	text := string(r.Verdict)
	if r.Verdict == fact.Identical && r.Signature != "" {
		text = fmt.Sprintf("%s but for the signature of %s", r.Verdict, r.Signer)
	}
	if r.Earlier {
		text += " (in an earlier run)"
	}
	return text
}

// Go reports whether the file is known to be a binary of Go.
func (r *Result) Go() bool { return r.Untouched != "" || r.Packed != "" }

// ReasonKind is how the reason begins, up to where it says which, for counting. Of a
// file that was changed, and could not be built besides, both.
func (r *Result) ReasonKind() string {
	kind, rest, _ := strings.Cut(r.Reason, "; ")
	if strings.HasPrefix(kind, changedAfter) && r.Verdict == fact.Unchecked {
		rest, _, _ = strings.Cut(rest, "; ")
		return beginning(kind) + "; " + beginning(rest)
	}
	return beginning(kind)
}

// changedAfter is how the reasons of files begin that are not as their linker left them.
const changedAfter = "the file was changed after it was linked"

// beginning is a text up to where it says which.
func beginning(text string) string {
	if i := strings.IndexAny(text, ":("); i > 0 {
		text = text[:i]
	}
	return strings.TrimSpace(text)
}

// Finding is a [fact.Finding] without the bytes it covers, which the document
// has never had.
type Finding struct {
	fact.Finding
	Bytes *int64 `json:"bytes,omitempty"` // always nil: takes the place of the embedded one
}

// Origin is the source a binary was rebuilt from, as far as it is known. It is no
// [fact.SourceID]: Revision and Time are what the binary claims until somebody
// confirms them, and where a checkout was built there is no zip whose hash is known.
type Origin struct {
	Kind     fact.SourceKind `json:"kind,omitempty"` // module or git
	Module   string          `json:"module,omitempty"`
	Version  string          `json:"version,omitempty"` // of the module's zip; of a checkout, the binary's
	Sum      string          `json:"sum,omitempty"`     // h1 of the zip
	SumDB    bool            `json:"sumdb"`
	Revision string          `json:"revision,omitempty"` // claimed, or of the checkout
	Time     string          `json:"time,omitempty"`
	// Confirmed says that somebody other than the binary connects the revision
	// with the source: "proxy" or "git".
	Confirmed string `json:"confirmed,omitempty"`
	// Other says that the version is of another time than the binary claims: only
	// identical bytes can show that it is its source all the same.
	Other bool `json:"other_time,omitempty"`
}

// Toolchain is the Go release it was rebuilt with.
type Toolchain struct {
	Claimed string `json:"claimed,omitempty"` // as the binary says it
	fact.Toolchain
	Modified *fact.Modification `json:"modified,omitempty"` // nil: as it was released
}

func (r *Result) note(text string) {
	for _, n := range r.Notes {
		if n == text {
			return
		}
	}
	r.Notes = append(r.Notes, text)
}

func (r *Result) unchecked(reason string) {
	r.Verdict, r.Reason = fact.Unchecked, oneLine(reason)
}

// oneLine joins the lines of a message of other tools.
func oneLine(s string) string {
	var parts []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// Kept is the file of the closest build; it lives as long as the work directory.
func (r *Result) Kept() string { return r.kept }
