package checksums

import (
	"context"
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

// files compares every listed file, and refuses every other one.
func (v *verification) files(ctx context.Context, entries []Entry, m *Manifest) error {
	sizes := map[string]int64{}
	if m != nil {
		for _, a := range m.Published() {
			sizes[a.Name] = a.Size
		}
	}
	listed := map[string]bool{ChecksumsFile: true, ChecksumsBundle: true, ProvenanceBundle: true}
	artifacts, missing := 0, 0
	v.listed(entries)
	for _, e := range entries {
		v.out.Checks.Open(fact.Digest, e.Name, "were not reached")
	}
	for _, e := range entries {
		listed[e.Name] = true
		size, known := sizes[e.Name]
		if !known {
			size = -1
		}
		check, err := v.file(ctx, e, size)
		if err != nil {
			return err
		}
		v.out.Files = append(v.out.Files, check)
		switch check.Status {
		case FileVerified:
			v.out.Checks.Done(fact.Digest, e.Name, "")
			if known {
				artifacts++
			} else if m != nil && e.Name != ManifestFile && e.Name != LedgerFile && !(e.Name == fact.GeneratedArchive && m.Generated != nil) {
				v.out.Checks.Open(fact.Content, e.Name, "the manifest does not describe it; only the digest was compared")
			}
		case FileMissing:
			v.out.Checks.Open(fact.Digest, e.Name, "are not here")
			missing++
		default:
			v.out.Checks.Open(fact.Digest, e.Name, "are refused")
		}
		if e.Name == LedgerFile {
			listed[LedgerBundle] = true
			v.ledger(e, check.Status)
		}
	}
	if missing > 0 && v.cfg.AllowMissing && artifacts == 0 {
		v.refuse("", "download at least one file of the release", "no artifact of the release is here; nothing was verified")
	}
	if m != nil {
		for _, a := range m.Published() {
			if len(a.Members) > 0 {
				v.out.Checks.Open(fact.Members, a.Name, "only the archives' own digests were compared")
			}
		}
		if m.Generated != nil {
			v.out.Checks.Open(fact.Members, fact.GeneratedArchive, "only the archives' own digests were compared")
			if !listed[fact.GeneratedArchive] && entries != nil {
				v.refuse(ChecksumsFile, "", "does not list %s, and the manifest has generated files", fact.GeneratedArchive)
			}
		}
	}
	if entries == nil {
		// Nothing can be said about files without a list.
		return nil
	}
	return v.unlisted(listed)
}

// listed notes which files the release has, those about it left out.
func (v *verification) listed(files []Entry) {
	for _, e := range files {
		if fact.KindOf(e.Name) != fact.About {
			v.out.Listed = append(v.out.Listed, e.Name)
		}
	}
}

// file compares one listed file. size is what the manifest says, or -1.
func (v *verification) file(ctx context.Context, e Entry, size int64) (FileCheck, error) {
	check := FileCheck{Name: e.Name, Status: FileRefused, SHA256: e.SHA256}
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
	if size >= 0 && fi.Size() != size {
		v.refuse(e.Name, "it was changed or not downloaded in full", "has %d bytes, the manifest says %d", fi.Size(), size)
		return check, nil
	}
	got, n, err := files.DigestOf(ctx, f)
	if ctx.Err() != nil {
		return check, ctx.Err()
	}
	if err != nil {
		v.refuse(e.Name, "", "%s", reason(err))
		return check, nil
	}
	check.Size = n
	if got != e.SHA256 {
		if e.Name != ManifestFile {
			v.refuse(e.Name, "it was changed or not downloaded in full", "has digest %s, %s says %s", got, ChecksumsFile, e.SHA256)
		}
		return check, nil
	}
	check.Status = FileVerified
	return check, nil
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
		v.refuse(f.Name(), "remove it, or verify the release in a directory of its own", "is a %s that %s does not list", what, ChecksumsFile)
	}
	slices.SortFunc(v.out.Files, func(a, b FileCheck) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// published compares the artifacts of the manifest with the list.
func (v *verification) published(entries []Entry, m *Manifest) {
	digests := map[string]string{}
	for _, e := range entries {
		digests[e.Name] = e.SHA256
	}
	for _, a := range m.Published() {
		switch d, ok := digests[a.Name]; {
		case !ok:
			v.refuse(ChecksumsFile, "", "does not list %s, which the manifest publishes", a.Name)
		case d != a.SHA256:
			v.refuse(ManifestFile, "", "says digest %s for %s, %s says %s", a.SHA256, a.Name, ChecksumsFile, d)
		}
	}
}
