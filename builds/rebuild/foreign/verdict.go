package foreign

import (
	"context"
	"errors"
	"fmt"

	"github.com/mintmark/mintmark/builds/rebuild"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/gobin"
	"github.com/mintmark/mintmark/internal/goflags"
)

// verdict says what came of the closest attempt.
func (b *subject) verdict(ctx context.Context, a *attempt) error {
	c := b.claim
	b.Rebuilt, b.kept, b.LDFlags = a.sum, a.file, a.flags.Text()
	flag, err := a.flags.flag()
	if err != nil {
		return err
	}
	b.Command = append(append([]string{"go"}, a.job.args(flag)...), a.job.target())
	b.Env = goflags.Environ(c.Env)
	if len(a.flags.Flags) > 0 && !c.HasLDFlags {
		b.note("-ldflags is not recorded; it was recovered from " + a.flags.From + b.confirmation(a))
	}
	if b.Stamp == StampReplayed {
		s := &Stamp{Git: a.job.place.Git}
		for _, q := range s.unknown() {
			b.note("the go command asked git something the replayed stamp has no answer to: git " + q)
		}
	}
	if a.sum == b.sum {
		b.Verdict = rebuild.Identical
		if c.Modified {
			b.note("the binary says that it was built from a changed tree (+dirty); the unchanged one gives the same bytes, so what was changed did not matter")
		}
	} else {
		v, err := rebuild.Check(ctx, b.file, a.file)
		if err == nil && v.Diff == nil {
			err = errors.New("a file changed while it was compared")
		}
		if err != nil {
			return err
		}
		b.Verdict = rebuild.Different
		b.explain(v.Diff, a)
	}
	if b.Profile, err = profileFile(b.Result, c, a.flags.Flags); err != nil {
		b.note(err.Error())
		b.Profile = ""
	}
	return nil
}

func (b *subject) confirmation(a *attempt) string {
	switch {
	case a.sum == b.sum:
		return ", confirmed by the bytes"
	case a.id[0] == b.id[0] && !b.noID:
		return ", confirmed by the action ID of the link"
	}
	return ", and is not confirmed"
}

// explain turns a difference into reason and findings.
func (b *subject) explain(d *bindiff.Diff, a *attempt) {
	c := b.claim
	b.diff, b.Different, b.Parts = d, d.DifferentBytes, d.BuildIDParts
	for _, f := range d.Findings {
		b.Findings = append(b.Findings, Finding{Cause: f.Cause, Confidence: string(f.Confidence), Evidence: f.Evidence, Remedy: f.Remedy})
	}
	for _, n := range d.Notes {
		b.note("not looked at: " + n)
	}
	same := func(parts ...int) bool {
		for _, i := range parts {
			if b.id[i] == "" || a.id[i] != b.id[i] {
				return false
			}
		}
		return true
	}
	where := fmt.Sprintf("%d bytes differ, the first at offset %d", d.DifferentBytes, d.FirstOffset)
	switch {
	case c.ModifiedGo:
		b.Verdict = rebuild.Unchecked
		b.Reason = "made by a modified Go toolchain that calls itself " + b.Toolchain.Claimed + ": no linker of an unchanged release leaves out the section of the build information (.go.buildinfo)"
		if same(0, 1, 2) {
			b.Reason += "; all that the unchanged release compiles is the same, only the link differs"
		}
	case b.Packed != "" && b.format == gobin.PE:
		b.Verdict = rebuild.Unchecked
		b.Reason = "packed by " + b.Packed + ", which does not restore PE files exactly; what it unpacks to differs from the rebuilt file: " + where
	case same(0, 1, 2, 3):
		b.Reason = "the file was changed after it was linked: the rebuilt one has the same build ID, which covers all inputs and the linked file itself; " + where
	case same(0, 1, 2):
		b.Reason = "the same inputs (all action IDs agree) gave another file: the file was changed after it was linked, or the linker was another one; " + where
	case c.Modified:
		b.Verdict = rebuild.Unchecked
		b.Reason = "built from a changed tree (+dirty): the changes are not published, and the unchanged source gives another binary; " + where
	case !c.Trimpath:
		b.Reason = "built without -trimpath: the directories of the build are part of it; " + where
	case same(1, 2):
		b.Reason = "all that is compiled is the same; the linker's flags were not found; " + where
	case c.Cgo:
		b.Reason = "what is compiled differs; the binary was built with cgo, whose C compiler and libraries are not recorded; " + where
	default:
		b.Reason = "what is compiled differs; " + where
	}
}
