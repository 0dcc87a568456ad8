package recovery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/stamp"
	"github.com/mintmark/mintmark/builds/universal"
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
		d, err := b.compare(ctx, a)
		if err != nil {
			return err
		}
		b.Verdict = fact.Different
		b.explain(d, a)
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
		b.Reason = changedAfter + ": the rebuilt one has the same build ID, which covers all inputs and the linked file itself; " + where
	case b.changed():
		b.Reason = b.changedReason() + "; what was built from that differs: " + where
	case same(0, 1, 2) && b.untouched.State == gobin.UntouchedYes:
		b.Reason = "the same inputs (all action IDs agree) gave another file, which is as its linker left it: the linker was another one; " + where
	case same(0, 1, 2):
		b.Reason = "the same inputs (all action IDs agree) gave another file: the file was changed after it was linked, or the linker was another one; " + where
	case b.Source.Other:
		b.Verdict = fact.Unchecked
		b.Reason = fmt.Sprintf("no source of the claimed revision %s (%s): %s %s, which is of another time, gives another binary: %s; %s; -source= takes the repository itself",
			c.Revision, c.Time, b.Source.Module, b.Source.Version, b.compiled(d, same(1, 2)), where)
	case c.Modified && same(1, 2):
		b.Verdict = fact.Unchecked
		b.Reason = "built from a changed tree (+dirty), but for package main the changes made no difference; " + b.compiled(d, true) + "; " + where
	case c.Modified:
		b.Verdict = fact.Unchecked
		b.Reason = "built from a changed tree (+dirty): the changes are not published, and the unchanged source gives another binary; " + where
	case b.Directories != nil && b.Directories.Elsewhere != "":
		b.Reason = "built without -trimpath: the directories of the build are part of it, and it was built in others here: " + b.Directories.Elsewhere + "; " + where
	case b.Directories != nil && same(1, 2):
		b.Reason = "all that is compiled is the same, in the directories that it names; the link differs; " + where
	default:
		b.Reason = b.compiled(d, same(1, 2)) + "; " + where
	}
	if b.noID && b.hostIDOf(b.file) != "" && b.hostIDOf(b.file) == b.hostIDOf(a.file) {
		b.Reason = changedAfter + ": its Go build ID was removed, and the system's own build ID, which the linker makes of that, is the one of the rebuilt file; " + where
	}
	if c.Distribution != "" {
		b.Reason += "; it was made by " + c.Distribution
	}
}

// hostIDOf is the system's own build ID of a file, "" for none.
func (b *subject) hostIDOf(name string) string {
	f, err := gobin.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	id, err := f.HostID()
	if err != nil {
		return ""
	}
	return id
}

// changed reports whether the file is not as the linker left it, which is more than
// another signature. Then nothing that it says of its making can be relied on.
func (b *subject) changed() bool {
	return b.untouched.State == gobin.UntouchedNo && !b.untouched.Resigned
}

// giveUp makes the file unchecked for a reason, behind what is to be known before it.
func (b *subject) giveUp(reason string) {
	if b.changed() {
		reason = b.changedReason() + "; " + reason
	}
	if b.Distribution != "" {
		reason += "; it was made by " + b.Distribution
	}
	b.unchecked(reason)
}

func (b *subject) changedReason() string {
	return changedAfter + " (" + b.untouched.Reason + "), and what it says of its making may have been changed with it"
}

// compiled says how far what was compiled is known to be the same, by the build IDs and
// the functions: no more than they tell. sameMain is that package main was compiled from
// the same inputs, which are its files and what it needs of the packages it imports.
func (b *subject) compiled(d *bindiff.Diff, sameMain bool) string {
	code := d.Code
	var list []string
	if code != nil {
		list = code.Program
		if sameMain { // by its content too: its code mentions a variable that the linker has put elsewhere
			list = slices.DeleteFunc(slices.Clone(list), func(p string) bool { return p == "main" })
		}
	}
	switch {
	case code != nil && len(list) == 0 && slices.ContainsFunc(code.Standard, func(p string) bool { return b.cgo() == "" || !slices.Contains(withC, p) }):
		// The standard library has no version but the toolchain's.
		return "functions of the standard library differ (" + someOf(code.Standard) + ") and none of the program's: made by another Go that calls itself " + b.claim.Go + ", most likely, such as a distribution's"
	case len(list) > 0 && sameMain:
		return "package main was compiled from the same inputs, and what it imports differs: " + b.packages(list)
	case len(list) > 0 && b.noID && len(list) == len(code.Operands):
		return "it has no build ID to tell by, and instructions differ, but no function's size or lines, in " + b.packages(list) + ": another source, or variables that -X sets"
	case len(list) > 0:
		return "what is compiled differs: " + b.packages(list)
	case code != nil && code.Same && sameMain:
		return "all that is compiled is the same; the linker's flags were not found"
	case code != nil && code.Same && b.noID:
		return fmt.Sprintf("it has no build ID, and the code of all %d functions is the same: the linker's flags were not found, or it was changed after it was linked", code.Functions)
	case code != nil && code.Same:
		return fmt.Sprintf("the code of all %d functions is the same, and the inputs of package main are not, by the build IDs: data, a flag or the toolchain differs", code.Functions)
	case sameMain:
		return "package main was compiled from the same inputs; whether all else was is not known, and the linker's flags were not found"
	case b.noID:
		return "it has no build ID, so it is not known whether what is compiled differs"
	}
	return "what is compiled differs, by the build IDs" + b.cgo()
}

// withC are the packages of the standard library with C code, which another C compiler
// makes otherwise.
var withC = []string{"runtime/cgo", "net", "os/user", "plugin", "runtime/race"}

// packages names those whose functions differ, and what may be why.
func (b *subject) packages(list []string) string {
	what := "package"
	if len(list) > 1 {
		what = "packages"
	}
	return what + " " + someOf(list) + b.cgo()
}

// cgo says that C code is in the binary, whose compiler nobody records. A binary that was
// only built with cgo enabled has none.
func (b *subject) cgo() string {
	used, err := b.bin.Cgo()
	if err != nil || !used.Linked {
		return ""
	}
	if len(used.Packages) == 0 {
		return "; C code is linked into it (runtime/cgo), whose compiler and libraries are not recorded"
	}
	return "; it calls C (" + someOf(used.Packages) + "), whose compiler and libraries are not recorded"
}

// someOf is a list that is cut where it is long.
func someOf(list []string) string {
	const most = 4
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
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
	slices, closeAll, err := universal.Open(files)
	if err != nil {
		return err
	}
	defer closeAll()
	h := sha256.New()
	if err := in.universal.Assemble(h, slices); err != nil {
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
