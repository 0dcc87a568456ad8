package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// tarOwner is [Header.Owner] of what [Write] writes into a tar.
const tarOwner = "0/0 /"

// List reads an archive of size bytes back: every member with the digest of its
// content, in the archive's order. It accepts only what [Write] can write (safe
// and unique names, regular files without an owner and with no more than rights
// for their mode, and not a byte that is in no member), though from any
// compressor, and it streams: no member is held in memory.
func List(ctx context.Context, r io.ReaderAt, size int64, format string) ([]Entry, error) {
	f, err := find(format)
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	w := newWalker(ctx, r, size, listLimits(), Visitor{Member: func(h Header, _ io.Reader) error {
		if h.Type != TypeFile {
			return fmt.Errorf("not a regular file (%s)", h.Type)
		}
		// Whoever unpacks as root gets the owner and these bits.
		if special := h.Mode & (fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky); special != 0 {
			return fmt.Errorf("its mode %s is more than rights", h.Mode)
		}
		if h.Owner != "" && h.Owner != tarOwner {
			return fmt.Errorf("belongs to %q", h.Owner)
		}
		for _, k := range h.Records {
			if k != "path" && k != "size" {
				return fmt.Errorf("PAX record %q", k)
			}
		}
		return nil
	}})
	err = w.walk(f)
	if not := (*NotArchiveError)(nil); errors.As(err, &not) {
		err = tar.ErrHeader
	}
	if err == nil && len(w.out.Members) == 0 {
		err = errors.New("no members")
	}
	var entries []Entry
	if err == nil {
		var errs []error
		for _, l := range w.out.Loose {
			errs = append(errs, errors.New(l.String()))
		}
		var names []string
		for _, h := range w.out.Members {
			names = append(names, h.Name)
			entries = append(entries, Entry{Name: h.Name, Size: h.Size, SHA256: h.SHA256, Mode: h.Mode & fs.ModePerm})
		}
		err = errors.Join(append(errs, CheckNames(names))...)
	}
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return entries, nil
}
