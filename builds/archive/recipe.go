package archive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Recipe hashes everything that decides the bytes that [Write] would write:
// equal recipes make equal archives. The entries are those of the archive.
// Members whose SHA256 is given are taken at their word, as the caller has just
// read them; all others are read.
func Recipe(ctx context.Context, format string, members []Member, modTime time.Time) (key [sha256.Size]byte, entries []Entry, err error) {
	members, large := readable(members)
	if err := errors.Join(CheckNames(names(members)), large); err != nil {
		return key, nil, fmt.Errorf("archive: %w", err)
	}
	members = slices.SortedFunc(slices.Values(members), func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
	h := sha256.New()
	fmt.Fprintf(h, "archive recipe 1\n%s\n%s\n%d\n", format, Tool(format), modTime.UTC().Unix())
	for _, m := range members {
		e, err := entryOf(ctx, m)
		if err != nil {
			return key, nil, fmt.Errorf("archive: %w", err)
		}
		entries = append(entries, e)
		fmt.Fprintf(h, "%q %d %s %o\n", e.Name, e.Size, e.SHA256, e.Mode)
	}
	h.Sum(key[:0])
	return key, entries, nil
}

func entryOf(ctx context.Context, m Member) (Entry, error) {
	if m.SHA256 == "" {
		return copyMember(ctx, m, func(int64) (io.Writer, error) { return io.Discard, nil })
	}
	r, size, err := m.Open()
	if err != nil {
		return Entry{}, fmt.Errorf("%s: %w", m.Name, err)
	}
	return Entry{Name: m.Name, Size: size, SHA256: m.SHA256, Mode: m.Mode()}, r.Close()
}
