package checksums

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// maxDirEntries bounds how much of a directory is read. A list of the greatest
// size has some ten thousand files.
const maxDirEntries = 20000

// open opens a regular file of the directory. It looks before and after it
// opens, so that a symbolic link, a pipe or a device is refused even when it
// is put there in between.
func (v *verification) open(name string) (*os.File, error) {
	f, err := files.OpenIn(v.root, name)
	if e, ok := errors.AsType[*files.NotRegularError](err); ok {
		return nil, notRegular(e.Mode)
	}
	return f, err
}

func notRegular(mode fs.FileMode) error {
	return fmt.Errorf("is %s; a release has only regular files", files.Kind(mode))
}

// reason is an error without the operation and the path, which a refusal has
// in its name.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return "cannot be read: " + pathErr.Err.Error()
	}
	return err.Error()
}

// files compares every listed file, and refuses every other one. It returns the
// listed files by their SHA-256: the list's, or, of a list of other digests, that
// of the file; "" of one that is not here or refused.
func (v *verification) files(ctx context.Context, lines []Line, m *Manifest) ([]Entry, error) {
	sizes := sizesOf(m)
	listed := map[string]bool{v.list.Name: true, v.list.Bundle(): true, ProvenanceBundle: true}
	artifacts, missing := 0, 0
	entries := make([]Entry, len(lines))
	for i, l := range lines {
		entries[i].Name = l.Name
		if v.list.Algorithm == fact.SHA256 {
			entries[i].SHA256 = l.Digest
		}
		v.out.Checks.Open(fact.Digest, l.Name, "were not reached")
	}
	for i, l := range lines {
		listed[l.Name] = true
		size, known := sizes[l.Name]
		if !known {
			size = -1
		}
		check, err := v.file(ctx, l, size, m)
		if err != nil {
			return nil, err
		}
		v.out.Files = append(v.out.Files, check)
		switch check.Status {
		case FileVerified:
			entries[i].SHA256 = check.SHA256
			v.out.Checks.Done(fact.Digest, l.Name, v.list.Name)
			if known {
				artifacts++
			} else if m != nil && l.Name != ManifestFile && l.Name != LedgerFile && !(l.Name == fact.GeneratedArchive && m.Generated != nil) {
				v.undescribed(l.Name)
			}
		case FileMissing:
			v.out.Checks.Open(fact.Digest, l.Name, "are not here")
			missing++
		case FileSigned:
			v.out.Checks.Open(fact.Digest, l.Name, "have a code signature that the release does not have, and what else is in them was not compared")
		default:
			v.out.Checks.Open(fact.Digest, l.Name, "are refused")
		}
		if l.Name == LedgerFile {
			listed[LedgerBundle] = true
			v.ledger(entries[i], check.Status)
		}
	}
	v.listed(entries)
	if missing > 0 && v.cfg.AllowMissing && artifacts == 0 {
		v.refuse("", "download at least one file of the release", "no artifact of the release is here; nothing was verified")
	}
	if m != nil {
		for _, a := range m.Published() {
			if len(a.Members) > 0 {
				v.out.Checks.Open(fact.Members, a.Name, "only the archives' own digests were compared")
			}
		}
		for _, a := range m.Artifacts {
			if a.Stage == fact.Universal {
				v.out.Checks.Open(fact.Slices, a.Key(), "only its own digest was compared")
			}
		}
		if m.Generated != nil {
			v.out.Checks.Open(fact.Members, fact.GeneratedArchive, "only the archives' own digests were compared")
			if !listed[fact.GeneratedArchive] && lines != nil {
				v.refuse(v.list.Name, "", "does not list %s, and the manifest has generated files", fact.GeneratedArchive)
			}
		}
		if a := m.SourceArchive; a != nil {
			v.out.Checks.Open(fact.FromCommit, a.Name, "the publisher states it, -rebuild with -source= makes it again")
		}
		for _, i := range m.Images {
			v.out.Checks.Open(fact.InImage, i.Name, "only the images' own digests were compared")
		}
	}
	if lines == nil {
		// Nothing can be said about files without a list.
		return nil, nil
	}
	return entries, v.unlisted(listed)
}

// undescribed says of a listed file that the manifest does not say what is in it.
func (v *verification) undescribed(name string) {
	if fact.Package(name) {
		v.out.Checks.Open(fact.Packaged, name, "only the packages' own digests were compared")
		return
	}
	v.out.Checks.Open(fact.Content, name, "the manifest does not describe it; only the digest was compared")
}

// sizesOf are the sizes that the manifest has of published files; it may be nil.
func sizesOf(m *Manifest) map[string]int64 {
	sizes := map[string]int64{}
	if m == nil {
		return sizes
	}
	for _, a := range m.Published() {
		sizes[a.Name] = a.Size
	}
	if a := m.SourceArchive; a != nil {
		sizes[a.Name] = a.Size
	}
	for _, i := range m.Images {
		sizes[i.Name] = i.Size
	}
	return sizes
}

// listed notes which files the release has, those about it left out.
func (v *verification) listed(files []Entry) {
	for _, e := range files {
		if v.list.KindOf(e.Name) != fact.About {
			v.out.Listed = append(v.out.Listed, e)
		}
	}
}

// codeSigned reports who has signed a binary of the manifest, which may be nil, after it
// was listed; "" for nobody.
func (v *verification) codeSigned(name string, m *Manifest) string {
	if v.cfg.CodeSigned == nil || m == nil {
		return ""
	}
	if !slices.ContainsFunc(m.Published(), func(a Artifact) bool { return a.Name == name && a.Stage == fact.Linked }) {
		return ""
	}
	return v.cfg.CodeSigned(name)
}

// file compares one listed file. size is what the manifest m says, or -1.
func (v *verification) file(ctx context.Context, e Line, size int64, m *Manifest) (FileCheck, error) {
	check := FileCheck{Name: e.Name, Status: FileRefused}
	if v.list.Algorithm == fact.SHA256 {
		check.SHA256 = e.Digest
	}
	if err := ctx.Err(); err != nil {
		return check, err
	}
	f, err := v.open(e.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		check.Status = FileMissing
		// The manifest is refused where it is read.
		if !v.cfg.AllowMissing && e.Name != ManifestFile {
			v.refuse(e.Name, "download it as well; -partial accepts that listed files are missing", "is missing")
		}
		return check, nil
	case err != nil:
		if e.Name != ManifestFile {
			v.refuse(e.Name, "", "%s", reason(err))
		}
		return check, nil
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		v.refuse(e.Name, "", "%s", reason(err))
		return check, nil
	}
	another := func(format string, args ...any) FileCheck {
		remedy := "it was changed or not downloaded in full"
		if signer := v.codeSigned(e.Name, m); signer != "" {
			if v.cfg.AcceptSigned {
				check.Status, check.Signer, check.Size = FileSigned, signer, fi.Size()
				return check
			}
			remedy = fmt.Sprintf("it was changed; it has a code signature that names %q, which nobody has checked: verify -rebuild of the release's directory says whether all else is as built", signer)
		}
		v.refuse(e.Name, remedy, format, args...)
		return check
	}
	if size >= 0 && fi.Size() != size {
		return another("has %d bytes, the manifest says %d", fi.Size(), size), nil
	}
	sum, got, n, err := digestsOf(ctx, v.list.Algorithm, f)
	if ctx.Err() != nil {
		return check, ctx.Err()
	}
	if err != nil {
		v.refuse(e.Name, "", "%s", reason(err))
		return check, nil
	}
	check.Size = n
	if got != e.Digest {
		if e.Name != ManifestFile {
			return another("has digest %s, %s says %s", got, v.list.Name, e.Digest), nil
		}
		return check, nil
	}
	check.Status, check.SHA256 = FileVerified, sum
	return check, nil
}

// digestsOf is the SHA-256 of everything that r still has, and its digest by a.
func digestsOf(ctx context.Context, a fact.Algorithm, r io.Reader) (sum, other string, size int64, err error) {
	if a == fact.SHA256 {
		sum, size, err = files.DigestOf(ctx, r)
		return sum, sum, size, err
	}
	h := a.New()
	sum, size, err = files.DigestOf(ctx, io.TeeReader(r, h))
	return sum, hex.EncodeToString(h.Sum(nil)), size, err
}

// unlisted refuses what lies in the directory and is not listed: whoever takes
// the directory for verified would take that file for verified.
func (v *verification) unlisted(listed map[string]bool) error {
	d, err := v.root.Open(".")
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	defer d.Close()
	found, err := d.ReadDir(maxDirEntries + 1)
	if err != nil && err != io.EOF {
		return fmt.Errorf("verify: %w", err)
	}
	if len(found) > maxDirEntries {
		v.refuse("", "", "the directory has more than %d entries", maxDirEntries)
		return nil
	}
	slices.SortFunc(found, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, f := range found {
		if listed[f.Name()] {
			continue
		}
		if strings.HasSuffix(f.Name(), StatementSuffix) && f.Type().IsRegular() {
			v.out.Statements = append(v.out.Statements, f.Name())
			continue
		}
		v.out.Files = append(v.out.Files, FileCheck{Name: f.Name(), Status: FileUnlisted})
		what := "file"
		if f.IsDir() {
			what = "directory"
		}
		v.refuse(f.Name(), "remove it, or verify the release in a directory of its own", "is a %s that %s does not list", what, v.list.Name)
	}
	slices.SortFunc(v.out.Files, func(a, b FileCheck) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// published compares the files that the manifest publishes with the listed ones. Of
// one that is not here no SHA-256 may be known; the record has it.
func (v *verification) published(entries []Entry, m *Manifest) {
	digests := map[string]string{}
	for _, e := range entries {
		digests[e.Name] = e.SHA256
	}
	compare := func(name, sum string) {
		switch d, ok := digests[name]; {
		case !ok:
			v.refuse(v.list.Name, "", "does not list %s, which the manifest publishes", name)
		case d != "" && d != sum && v.list.Algorithm == fact.SHA256:
			v.refuse(ManifestFile, "", "says digest %s for %s, %s says %s", sum, name, v.list.Name, d)
		case d != "" && d != sum:
			v.refuse(ManifestFile, "", "says digest %s for %s, whose SHA-256 is %s", sum, name, d)
		}
	}
	for _, a := range m.Published() {
		compare(a.Name, a.SHA256)
	}
	for _, e := range m.once() {
		compare(e.Name, e.SHA256)
	}
}
