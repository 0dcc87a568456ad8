// Package report turns results into rows and JSON documents for the doors. It
// holds no logic: whatever it says is in the manifest already.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/ui"
)

// Verdicts counts the verdicts of a manifest.
func Verdicts(m *checksums.Manifest) fact.Verdicts {
	var n fact.Verdicts
	for _, a := range m.Artifacts {
		n.Count(a.Verdict)
	}
	return n
}

// Release is the JSON document of the verbs release and build.
type Release struct {
	Schema    fact.Schema         `json:"schema"`
	Out       string              `json:"out,omitempty"` // where it lies; absent when nothing was published
	SignedBy  fact.SignerID       `json:"signed_by,omitzero"`
	Verdicts  fact.Verdicts       `json:"verdicts"`
	Kept      []string            `json:"kept,omitempty"`       // both files of every difference
	Damage    []string            `json:"damage,omitempty"`     // in mintmark's own caches, and how it was mended
	BuildTime []BuildTime         `json:"build_time,omitempty"` // of each build of each unit, when asked for
	Manifest  *checksums.Manifest `json:"manifest"`
}

// Check is the JSON document of the verb check.
type Check struct {
	Schema fact.Schema `json:"schema"`
	PlanID string      `json:"plan_id"`
	Plan   *plan.Plan  `json:"plan"`
	Dirty  []string    `json:"dirty,omitempty"`
	Key    string      `json:"key,omitempty"`
	// Tag is that which the version is of, and OtherTags are the others on the commit.
	Tag       string          `json:"tag,omitempty"`
	OtherTags []fact.OtherTag `json:"other_tags,omitempty"`
	// Skipped are platforms that the toolchain does not know and that are left out.
	Skipped []fact.Skipped `json:"skipped,omitempty"`
	// Types is what -types looked at; absent when it was not asked for.
	Types *plan.Typed `json:"types,omitempty"`
	// Modules is what -modules found; absent when it was not asked for.
	Modules *plan.Dependencies `json:"modules,omitempty"`
	// Warnings are what has no effect, or will make other builds of the commit differ.
	Warnings []string `json:"warnings,omitempty"`
}

// Verify is the JSON document of the verb verify.
type Verify struct {
	Schema   fact.Schema `json:"schema"`
	Verified bool        `json:"verified"` // signed by the given key, and nothing was refused, different or unchecked
	Refusals []Refusal   `json:"refusals,omitempty"`
	*checksums.Verification
	// Checked and NotChecked say in sentences what Checks say to machines.
	Checked    []string `json:"checked"`
	NotChecked []string `json:"not_checked"`
	// Statement is the file of the rebuild statement that attest wrote, SignedBy
	// who signed it, Attested what it vouches for.
	Statement string        `json:"statement,omitempty"`
	SignedBy  fact.SignerID `json:"signed_by,omitzero"`
	Attested  []string      `json:"attested,omitempty"`
}

// Standing says in a word what a verification without an error comes to: that
// files agree with each other is all that can be said where no key was given.
func Standing(v *checksums.Verification) string {
	if v.Verified() {
		return "verified"
	}
	return "consistent; NOT verified: no signature was checked"
}

// NewVerify is the document of a verification, which may be nil, and of the
// error that came with it. Verified is what was found to be signed and well.
func NewVerify(v *checksums.Verification, err error) Verify {
	doc := Verify{Schema: fact.VerifyReport, Verification: v, Checked: []string{}, NotChecked: []string{}}
	if v != nil {
		doc.Verified = err == nil && v.Verified()
		doc.Checked, doc.NotChecked = v.Checks.Sentences()
	}
	return doc
}

// Refusal is one reason not to trust a release.
type Refusal struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
	Hint   string `json:"hint,omitempty"`
}

// Error is the JSON document of a verb that failed.
type Error struct {
	Schema   fact.Schema `json:"schema"`
	ExitCode int         `json:"exit_code"`
	Errors   []Problem   `json:"errors"`
}

// Problem is one error and what to do about it.
type Problem struct {
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// WriteJSON writes a document for machines: indented, and nothing escaped but
// what a terminal could obey or a reader could not see.
func WriteJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(ui.EscapeJSON(b.Bytes()))
	return err
}

// Again says in one sentence how those builds came about that the proof ledger may
// spare compiles, of so many builds of each unit; "" when nothing was rebuilt or
// nothing is known of it. artifacts are those of the units.
func Again(executions int, units []checksums.UnitActions, artifacts []checksums.Artifact) string {
	var links, executed, proven, foreign, unprovable int
	least := 0 // executions that something rests on
	archives, packages := newEarlier(fact.Archived, artifacts), newEarlier(fact.PackageStage, artifacts)
	for _, u := range units {
		links += u.Links
		executed += u.Executed + u.Again
		foreign += u.Foreign
		unprovable += u.Unprovable
		archives.add(u, u.ArchiveProven)
		packages.add(u, u.PackageProven)
		for _, p := range u.Proven {
			proven += p.Actions
			if least == 0 || p.Executions < least {
				least = p.Executions
			}
		}
	}
	if len(units) == 0 {
		return ""
	}
	which := "the second builds"
	switch {
	case executions > 2:
		which = "one of " + fact.Builds(executions) + " of each unit"
	case len(units) == 1:
		which = "the second build"
	}
	text := fmt.Sprintf("%s compiled %s", which, fact.Count(executed, "package"))
	if unprovable > 0 {
		text += fmt.Sprintf(", and %s that are never taken as proven (C code),", fact.Count(unprovable, "more package"))
	}
	text += fmt.Sprintf(" and linked %s", fact.Count(links, "binary"))
	if proven > 0 {
		text += fmt.Sprintf("; %s proven earlier, by at least %s with one output", fact.Count(proven, "package"), fact.Count(least, "execution"))
	}
	if foreign > 0 {
		text += fmt.Sprintf(" (%d of them rest on another rebuilder's)", foreign)
	}
	return text + archives.text("archive") + packages.text("distribution package")
}

// earlier counts the files of a stage that were made by earlier releases.
type earlier struct {
	of    map[string]int // files of each unit
	files int
	least int // times that one was made
}

func newEarlier(stage fact.Stage, artifacts []checksums.Artifact) *earlier {
	e := &earlier{of: map[string]int{}}
	for _, a := range artifacts {
		if a.Stage == stage {
			e.of[a.Unit()]++
		}
	}
	return e
}

// add counts the files of a unit, which were made so often; 0: by this release.
func (e *earlier) add(u checksums.UnitActions, times int) {
	if times == 0 {
		return
	}
	e.files += e.of[u.Profile+" "+u.Platform]
	if e.least == 0 || times < e.least {
		e.least = times
	}
}

// text goes on in a sentence; "" if there are none.
func (e *earlier) text(thing string) string {
	if e.files == 0 {
		return ""
	}
	return fmt.Sprintf("; %s made %s earlier", fact.Count(e.files, thing), fact.Times(e.least))
}
