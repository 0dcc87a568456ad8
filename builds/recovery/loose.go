package recovery

import (
	"io"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/universal"
)

// loose gives of a universal binary what is in no slice and not padding: bytes that are not zero
// between the slices, and all that is behind the last one.
func loose(u *universal.Table, r io.ReaderAt) ([]archive.Loose, error) {
	var out []archive.Loose
	end := u.Header()
	for _, s := range u.InOrder() {
		first, last, err := notZero(r, end, s.Offset)
		if err != nil {
			return nil, err
		}
		if first >= 0 {
			out = append(out, archive.Loose{What: archive.LooseBetween, Offset: first, Size: last + 1 - first})
		}
		end = s.Offset + s.Size
	}
	if end < u.Size {
		out = append(out, archive.Loose{What: archive.LooseAfter, Offset: end, Size: u.Size - end})
	}
	return out, nil
}

// notZero finds the first and the last byte in a range that is not zero; -1 when all are.
func notZero(r io.ReaderAt, from, to int64) (first, last int64, err error) {
	first, last = -1, -1
	buf := make([]byte, 64<<10)
	for at := from; at < to; {
		b := buf[:min(int64(len(buf)), to-at)]
		if _, err := r.ReadAt(b, at); err != nil {
			return 0, 0, err
		}
		for i, c := range b {
			if c != 0 {
				if first < 0 {
					first = at + int64(i)
				}
				last = at + int64(i)
			}
		}
		at += int64(len(b))
	}
	return first, last, nil
}
