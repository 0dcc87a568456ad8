package archive

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// tarOwner is [Header.Owner] of what [Write] writes into a tar.
const tarOwner = "0/0 /"

// List reads an archive of size bytes back: every member with the digest of its
// content, in the archive's order. It accepts only what [Write] can write (safe
// and unique names, regular files without an owner and with no more than rights
// for their mode, and not a byte that is in no member), though from any
// compressor, and it streams: no member is held in memory.
func List(ctx context.Context, r io.ReaderAt, size int64, format string) ([]Entry, error) {
	entries, _, _, err := list(ctx, r, size, format, false)
	return entries, err
}

// ListLayer is [List] for a layer of an image in that format, which may have directories
// with the mode 0755: dirs are their names. sum is the SHA-256 of the tar, lower-case hex.
func ListLayer(ctx context.Context, r io.ReaderAt, size int64, format string) (entries []Entry, dirs []string, sum string, err error) {
	return list(ctx, r, size, format, true)
}

func list(ctx context.Context, r io.ReaderAt, size int64, format string, layer bool) (entries []Entry, dirs []string, sum string, err error) {
	f, err := find(format)
	if err != nil {
		return nil, nil, "", fmt.Errorf("archive: %w", err)
	}
	w := newWalker(ctx, r, size, listLimits(), Visitor{Member: func(h Header, _ io.Reader) error {
		directory := layer && h.Type == TypeDirectory
		if h.Type != TypeFile && !directory {
			return fmt.Errorf("not a regular file (%s)", h.Type)
		}
		if directory && h.Mode != fs.ModeDir|0o755 {
			return fmt.Errorf("its mode %s is not that of a directory for all", h.Mode)
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
	if err == nil {
		var errs []error
		for _, l := range w.out.Loose {
			errs = append(errs, errors.New(l.String()))
		}
		var names []string
		for _, h := range w.out.Members {
			if name, ok := strings.CutSuffix(h.Name, "/"); ok && h.Type == TypeDirectory {
				if why := unsafe(name); why != "" || slices.Contains(dirs, name) {
					errs = append(errs, fmt.Errorf("directory %q: %s", name, cmp.Or(why, "is there twice")))
				}
				dirs = append(dirs, name)
				continue
			}
			names = append(names, h.Name)
			entries = append(entries, Entry{Name: h.Name, Size: h.Size, SHA256: h.SHA256, Mode: h.Mode & fs.ModePerm})
		}
		err = errors.Join(append(errs, CheckNames(names))...)
	}
	if err != nil {
		return nil, nil, "", fmt.Errorf("archive: %w", err)
	}
	return entries, dirs, w.out.SHA256, nil
}
