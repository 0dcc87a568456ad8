package bindiff

import (
	"fmt"
)

// window reads a file in order with few reads.
type window struct {
	r interface {
		ReadAt([]byte, int64) (int, error)
	}
	off int64
	buf []byte
}

const windowSize = 256 << 10

// at returns n bytes at off, valid until the next call.
func (w *window) at(off, n int64) ([]byte, error) {
	if off >= w.off && off+n <= w.off+int64(len(w.buf)) {
		return w.buf[off-w.off : off-w.off+n], nil
	}
	// Ahead only when read in order, so that reading out of order costs no more.
	ahead := n
	if end := w.off + int64(len(w.buf)); off >= w.off && off <= end+64 {
		ahead = max(n, windowSize)
	}
	if int64(cap(w.buf)) < ahead {
		w.buf = make([]byte, ahead)
	}
	got, err := w.r.ReadAt(w.buf[:ahead], off)
	w.off, w.buf = off, w.buf[:got]
	if int64(got) < n {
		return nil, fmt.Errorf("file ends at %d: %w", off+int64(got), err)
	}
	return w.buf[:n], nil
}
