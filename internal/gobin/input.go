package gobin

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
)

// Limits on what is read into memory from one file. Real Go binaries stay far
// below each of them.
const (
	maxSections    = 8192
	maxSectionName = 128
	maxCommands    = 1 << 20  // bytes of Mach-O load commands
	maxModInfo     = 1 << 20  // bytes of modinfo text
	maxFileTable   = 16 << 20 // bytes of the file names in a pclntab
	maxSlices      = 32       // of a fat file
	scanChunk      = 1 << 20
	maxBigTries    = 64   // needles followed up by reading up to maxModInfo
	maxSmallTries  = 4096 // needles followed up by reading a few bytes
)

// malformed is a broken rule of a file format; Parse turns it into a FormatError.
type malformed string

func (m malformed) Error() string { return string(m) }

func malformedf(format string, args ...any) error { return malformed(fmt.Sprintf(format, args...)) }

// input is a range of a file: the file itself, or one slice of a fat file.
type input struct {
	r    io.ReaderAt
	base int64
	size int64
}

// readAt fills b from offset off and treats a short file as malformed.
func (in input) readAt(b []byte, off int64) error {
	if !in.has(off, int64(len(b))) {
		return malformedf("needs %d bytes at offset %d of %d", len(b), off, in.size)
	}
	n, err := in.r.ReadAt(b, in.base+off)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return malformedf("file ends at %d, %d bytes were expected", off+int64(n), in.size)
	}
	return err
}

// bytes reads n bytes at off; the caller has limited n.
func (in input) bytes(off, n int64) ([]byte, error) {
	if !in.has(off, n) {
		return nil, malformedf("needs %d bytes at offset %d of %d", n, off, in.size)
	}
	b := make([]byte, n)
	return b, in.readAt(b, off)
}

// has reports whether n bytes at off lie inside the file.
func (in input) has(off, n int64) bool {
	return off >= 0 && n >= 0 && off <= in.size && n <= in.size-off
}

// clip shortens [off, off+n) to what the file has.
func (in input) clip(off, n int64) (int64, int64) {
	off = min(max(off, 0), in.size)
	return off, min(max(n, 0), in.size-off)
}

// cstring reads a NUL-terminated name at off, at most maxSectionName bytes.
func (in input) cstring(off, limit int64) (string, error) {
	n := min(limit, maxSectionName)
	off, n = in.clip(off, n)
	b, err := in.bytes(off, n)
	if err != nil {
		return "", err
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b), nil
}

// scan calls found for every occurrence of needle in [off, off+n), with its
// offset and what of the file is in memory from there on, until found returns
// false. It reads in chunks. The sections of a hostile file can overlap, so the
// bytes scanned for one File have a budget.
func (f *File) scan(off, n int64, needle []byte, found func(off int64, rest []byte) bool) error {
	in := f.in
	off, n = in.clip(off, n)
	if f.scanned += n; f.scanned > 16*(in.size+scanChunk) {
		return malformed("too many overlapping sections")
	}
	keep := len(needle) - 1
	buf := make([]byte, 0, min(int64(scanChunk), n)+int64(keep))
	start := off // offset of buf[0]
	for pos, end := off, off+n; pos < end; {
		c := int(min(scanChunk, end-pos))
		old := len(buf)
		buf = buf[:old+c]
		if err := in.readAt(buf[old:], pos); err != nil {
			return err
		}
		pos += int64(c)
		for from := 0; ; {
			i := bytes.Index(buf[from:], needle)
			if i < 0 {
				break
			}
			if !found(start+int64(from+i), buf[from+i:]) {
				return nil
			}
			from += i + 1
		}
		tail := min(keep, len(buf))
		start += int64(len(buf) - tail)
		copy(buf, buf[len(buf)-tail:])
		buf = buf[:tail]
	}
	return nil
}

// try is scan for a callback that reads what follows a needle: at most limit
// times, so that a file full of needles costs no more than a file with one.
func (f *File) try(off, n int64, needle string, limit int, found func(off int64) (done bool, err error)) error {
	var inner error
	err := f.scan(off, n, []byte(needle), func(o int64, _ []byte) bool {
		var done bool
		done, inner = found(o)
		limit--
		return !done && inner == nil && limit > 0
	})
	return cmp.Or(inner, err)
}

// addSection appends a section after checking that the file holds it.
func (f *File) addSection(s Section) error {
	if len(f.Sections) >= maxSections {
		return malformedf("more than %d sections", maxSections)
	}
	if s.Kind == KindBSS {
		s.Size = 0
		s.Offset, _ = f.in.clip(s.Offset, 0)
	}
	if !f.in.has(s.Offset, s.Size) {
		return malformedf("section %q (%d bytes at %d) ends beyond the file's %d bytes", s.Name, s.Size, s.Offset, f.in.size)
	}
	f.Sections = append(f.Sections, s)
	return nil
}

// sortSections puts the sections into file order, an enclosing one before the nested.
func (f *File) sortSections() {
	slices.SortStableFunc(f.Sections, func(a, b Section) int {
		nested := func(s Section) int {
			if s.Nested {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(nested(a), nested(b)))
	})
}
