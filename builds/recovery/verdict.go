package recovery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/mintmark/mintmark/builds/compare"
	"github.com/mintmark/mintmark/builds/stamp"
	"github.com/mintmark/mintmark/internal/bindiff"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
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
	b.Command = a.how.command(a.how.unit(flag))
	b.Env = goflags.Environ(c.Env)
	repacked, err := b.repack(ctx, a)
	if err != nil {
		return err
	}
	resigned, err := b.resigned(ctx, a)
	if err != nil {
		return err
	}
	if len(a.flags.Flags) > 0 && !c.HasLDFlags {
		b.note("-ldflags is not recorded; it was recovered from " + a.flags.From + b.confirmation(a, repacked || resigned))
	}
	if b.Stamp == StampReplayed {
		s := &stamp.Stamp{Git: a.how.at.Place.Git}
		for _, q := range s.Unknown() {
			b.note("the go command asked git something the replayed stamp has no answer to: git " + q)
		}
	}
	if a.sum == b.sum || repacked || resigned {
		b.identical(a, repacked)
		if resigned {
			b.made = b.resignedFile()
		}
		if c.Modified {
			b.note("the binary says that it was built from a changed tree (+dirty); the unchanged one gives the same bytes, so what was changed did not matter")
		}
	} else {
		// What the file says of its source and toolchain is a claim, not known.
		v, err := compare.Files(ctx, []string{b.file, a.file}, bindiff.Known{})
		if err == nil && v.Diff == nil {
			err = errors.New("a file changed while it was compared")
		}
		if err != nil {
			return err
		}
		b.Verdict = fact.Different
		b.explain(v.Diff, a)
		if b.Packed != "" {
			b.UnpackedVerdict = b.Verdict
		}
	}
	if b.Profile, err = profileFile(b.Result, c, a.flags.Flags); err != nil {
		b.note(err.Error())
		b.Profile = ""
	}
	return nil
}

// identical sets the verdict of a file whose bytes, or whose unpacked bytes, came out.
func (b *subject) identical(a *attempt, repacked bool) {
	b.made = a.file
	switch {
	case b.Packed == "":
		b.Verdict = fact.Identical
		return
	case a.sum == b.sum:
		b.UnpackedVerdict = fact.Identical
	default: // the packed bytes are those of the build here: so is what they unpack to
		b.UnpackedVerdict = fact.Unchecked
		b.note(b.Packed + " does not restore what it packs exactly; the packed bytes are those of the rebuilt file, packed")
	}
	if repacked {
		b.Verdict, b.made = fact.Identical, b.repackedFile()
		return
	}
	b.unchecked("only what it unpacks to is identical; the packed bytes were not made again: " + b.notRepacked)
}

func (b *subject) repackedFile() string { return filepath.Join(b.work, "repacked") }

// repack packs what was built as the file was packed, and reports whether that
// gave the file. An error is about this machine or the end of ctx.
func (b *subject) repack(ctx context.Context, a *attempt) (bool, error) {
	switch {
	case b.Packed == "":
		return false, nil
	case a.sum != b.sum && b.format != gobin.PE:
		return false, nil
	case b.engine.Repack == nil:
		b.notRepacked = "no packer"
		return false, nil
	}
	p := b.packing
	p.Linked = a.file
	packer, err := b.engine.Repack(ctx, p, b.repackedFile())
	if err != nil {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		b.notRepacked = oneLine(err.Error())
		return false, nil
	}
	sum, _, err := files.Digest(ctx, b.repackedFile())
	if err != nil {
		return false, err
	}
	if sum != b.SHA256 {
		b.notRepacked = "the file changed meanwhile"
		return false, nil
	}
	b.Packer = packer
	return true, nil
}

func (b *subject) resignedFile() string { return filepath.Join(b.work, "resigned") }

// resigned puts the signature of a signed file onto what was built, and reports whether
// that gave the file.
func (b *subject) resigned(ctx context.Context, a *attempt) (bool, error) {
	if a.sum == b.sum || b.Packed != "" {
		return false, nil
	}
	sig, err := Resign(ctx, b.file, a.file, b.resignedFile())
	if err != nil {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if !errors.Is(err, errUnsigned) {
			b.note("its signature does not fit what was built: " + err.Error())
		}
		return false, nil
	}
	sum, _, err := files.Digest(ctx, b.resignedFile())
	if err != nil || sum != b.sum {
		return false, err
	}
	if sig.Signer == "" { // anything can be put where a signature belongs
		b.note("all but what is in the place of a signature is the same, and nobody's name can be read there")
		return false, nil
	}
	b.Signature, b.Signer = sig.String(), sig.Signer
	return true, nil
}

func (b *subject) confirmation(a *attempt, made bool) string {
	switch {
	case a.sum == b.sum || made:
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
		b.Findings = append(b.Findings, Finding{Finding: f})
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
	case c.ModifiedGo && b.Toolchain.Modified == nil:
		b.Verdict = fact.Unchecked
		b.Reason = "made by a modified Go toolchain that calls itself " + b.Toolchain.Claimed + ": no linker of an unchanged release leaves out the section of the build information (.go.buildinfo)"
		if same(0, 1, 2) {
			b.Reason += "; all that the unchanged release compiles is the same, only the link differs"
		}
		b.Reason += "; -patch=FILE builds with what its makers say they changed"
	case b.Packed != "" && b.format == gobin.PE:
		b.Verdict = fact.Unchecked
		b.Reason = "packed by " + b.Packed + ", which does not restore PE files exactly; what it unpacks to differs from the rebuilt file (" + where + "), and the packed bytes were not made again: " + b.notRepacked
	case same(0, 1, 2, 3):
		b.Reason = "the file was changed after it was linked: the rebuilt one has the same build ID, which covers all inputs and the linked file itself; " + where
	case same(0, 1, 2):
		b.Reason = "the same inputs (all action IDs agree) gave another file: the file was changed after it was linked, or the linker was another one; " + where
	case c.Modified:
		b.Verdict = fact.Unchecked
		b.Reason = "built from a changed tree (+dirty): the changes are not published, and the unchanged source gives another binary; " + where
	case b.Directories != nil && b.Directories.Elsewhere != "":
		b.Reason = "built without -trimpath: the directories of the build are part of it, and it was built in others here: " + b.Directories.Elsewhere + "; " + where
	case b.Directories != nil && same(1, 2):
		b.Reason = "all that is compiled is the same, in the directories that it names; the link differs; " + where
	case same(1, 2):
		b.Reason = "all that is compiled is the same; the linker's flags were not found; " + where
	case c.Cgo:
		b.Reason = "what is compiled differs; the binary was built with cgo, whose C compiler and libraries are not recorded; " + where
	default:
		b.Reason = "what is compiled differs; " + where
	}
}

// whole gives a universal binary its verdict: the worst of its slices', or, when
// all are identical, what comes of writing it anew from the rebuilt ones.
func (r *Result) whole(ctx context.Context, in Input, parts []*Result) error {
	var err error
	if r.SHA256, r.Size, err = files.Digest(ctx, in.Path); err != nil {
		return err
	}
	var odd, files []string
	for _, l := range in.loose {
		odd = append(odd, l.String())
	}
	for _, p := range parts {
		switch {
		case p.Verdict != fact.Identical:
			odd = append(odd, fmt.Sprintf("the slice %q is %s", p.Name, p.Verdict))
		default:
			files = append(files, p.made)
		}
		if p.Verdict == fact.Different || len(in.loose) > 0 {
			r.Verdict = fact.Different
		}
	}
	if len(odd) > 0 {
		if r.Verdict == "" {
			r.Verdict = fact.Unchecked
		}
		r.Reason = "not all of it was made again: " + strings.Join(odd, "; ")
		return ctx.Err()
	}
	h := sha256.New()
	if err := in.universal.assemble(h, files); err != nil {
		r.Verdict, r.Reason = fact.Different, "its slices are identical, but it is laid out as no tool does: "+err.Error()
		return nil
	}
	if r.Rebuilt = hex.EncodeToString(h.Sum(nil)); r.Rebuilt != r.SHA256 {
		r.Verdict, r.Reason = fact.Different, "its slices are identical, and nothing else is in it, but its header or padding is not what puts these slices together"
		return nil
	}
	r.Verdict = fact.Identical
	return nil
}
