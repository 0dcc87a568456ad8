package archive

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/mintmark/mintmark/internal/fault"
)

// Limits bound what reading one archive of anybody's making may cost. What an
// archive says of itself is not believed: bytes are counted as they are
// unpacked, before whoever reads them can write them anywhere.
type Limits struct {
	Members  int   // entries of every kind
	Unpacked int64 // bytes that all members unpack to together
	// Ratio is how many bytes each byte of the archive may unpack to. The first
	// Free bytes are not held against it, so that small archives of much the
	// same byte are read.
	Ratio, Free int64
	// Headers bounds the bytes of names, link targets and comments, which are
	// held in memory.
	Headers int64
}

// scanLimits are those of [Scan]. Go binaries compress to a third or fourth,
// texts to a tenth; 200 is far beyond both.
func scanLimits() Limits {
	return Limits{Members: 1 << 16, Unpacked: 16 << 30, Ratio: 200, Free: 64 << 20, Headers: 32 << 20}
}

// listLimits are those of [List], which writes nothing: whatever deflate can
// make of a release's own files (1032 to 1) is read back.
func listLimits() Limits {
	l := scanLimits()
	l.Ratio = 1100
	return l
}

// readable are members as they are written: no more, and with no more in them, than [List]
// reads back. A stranger's plan can have one file of a commit under many names.
func readable(members []Member) ([]Member, error) {
	const hint = "leave files out: an archive of more is refused when it is read"
	l := listLimits()
	if len(members) > l.Members {
		return nil, fault.Errorf(hint, "%d members, more than %d", len(members), l.Members)
	}
	left := l.Unpacked
	members = slices.Clone(members)
	for i, m := range members {
		if m.Open == nil { // a directory
			continue
		}
		members[i].Open = func() (io.ReadCloser, int64, error) {
			r, size, err := m.Open()
			if err != nil {
				return nil, 0, err
			}
			if left -= size; left < 0 {
				r.Close()
				return nil, 0, fault.Errorf(hint, "the members hold more than %d bytes", l.Unpacked)
			}
			return r, size, nil
		}
	}
	return members, nil
}

// LimitError says that an archive was not read to its end, since it asks for
// more than the limits allow: mostly it is made to fill a disk.
type LimitError struct{ Reason string }

func (e *LimitError) Error() string { return e.Reason }

// Hint says what to do about it.
func (e *LimitError) Hint() string {
	return "is the archive what its publisher says? If so, unpack it with a tool and a disk that can take it, and name the files"
}

// budget counts what reading one archive has cost.
type budget struct {
	ctx context.Context
	Limits
	size    int64 // of the archive
	used    int64
	headers int64
	members int
	spent   func(int64) error // as in [Visitor]
}

func (b *budget) spend(n int64) error {
	if err := b.ctx.Err(); err != nil {
		return context.Cause(b.ctx)
	}
	b.used += n
	if b.spent != nil {
		if err := b.spent(n); err != nil {
			return err
		}
	}
	switch {
	case b.used > b.Unpacked:
		return &LimitError{fmt.Sprintf("unpacks to more than %d bytes", b.Unpacked)}
	case b.used > b.Free && (b.used-b.Free)/b.Ratio > b.size:
		return &LimitError{fmt.Sprintf("its %d bytes unpack to more than %d times as many", b.size, b.Ratio)}
	}
	return nil
}

// member counts one entry and what is kept of its header.
func (b *budget) member(h Header) error {
	if b.members++; b.members > b.Members {
		return &LimitError{fmt.Sprintf("more than %d members", b.Members)}
	}
	b.headers += int64(len(h.Name) + len(h.Link) + len(h.Owner) + len(h.Comment))
	for _, r := range h.Records {
		b.headers += int64(len(r))
	}
	if b.headers > b.Headers {
		return &LimitError{fmt.Sprintf("more than %d bytes of names and comments", b.Headers)}
	}
	return nil
}

// reader counts all that is read of r.
func (b *budget) reader(r io.Reader) io.Reader { return &meter{b, r} }

type meter struct {
	*budget
	r io.Reader
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if over := m.spend(int64(n)); over != nil {
		return 0, over
	}
	return n, err
}
