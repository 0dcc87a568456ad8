package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

const maxWindow = 64 << 20 // bytes of zstd history

// tar reads a tar stream, which has not been counted yet.
func (w *walker) tar(r io.Reader) error {
	if w.raw != nil {
		_, err := io.Copy(w.raw, w.reader(r))
		return err
	}
	if w.body != nil {
		return w.body(w, r)
	}
	in := &tarStream{r: w.reader(r), h: sha256.New(), w: w}
	t := tar.NewReader(in)
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			if len(w.out.Members) == 0 && (errors.Is(err, tar.ErrHeader) || in.end && in.n < 512) {
				return &NotArchiveError{} // a compressed file that is no tar
			}
			return err
		}
		in.allZero("", 0)
		m := tarHeader(h)
		m.Offset = in.n // a tar reader reads no further than the header
		if m.Type != TypeFile {
			if err := w.member(m, nil); err != nil {
				return err
			}
			continue
		}
		if err := w.member(m, t); err != nil {
			return err
		}
		in.allZero(h.Name, -h.Size&511)
	}
	// The padding at the end belongs to the stream.
	in.allZero("", -1)
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	in.flush()
	w.out.SHA256 = hex.EncodeToString(in.h.Sum(nil))
	return nil
}

func tarHeader(h *tar.Header) Header {
	m := Header{
		Name: h.Name, Link: h.Linkname, Size: h.Size, Mode: h.FileInfo().Mode(), Time: h.ModTime.UTC(),
		Owner: fmt.Sprintf("%d/%d %s/%s", h.Uid, h.Gid, h.Uname, h.Gname), Format: h.Format.String(), Type: TypeOther,
	}
	sparse := h.Typeflag == tar.TypeGNUSparse
	for k := range h.PAXRecords {
		sparse = sparse || strings.HasPrefix(k, "GNU.sparse.")
		m.Records = append(m.Records, k)
	}
	slices.Sort(m.Records)
	switch {
	case sparse:
		m.Type = TypeSparse
	case h.Typeflag == tar.TypeReg:
		m.Type = TypeFile
	case h.Typeflag == tar.TypeDir:
		m.Type = TypeDirectory
	case h.Typeflag == tar.TypeSymlink:
		m.Type = TypeSymlink
	case h.Typeflag == tar.TypeLink:
		m.Type = TypeHardLink
	case h.Typeflag == tar.TypeXGlobalHeader:
		m.Type = TypeGlobal
	}
	return m
}

// tarStream is an uncompressed tar: it digests what passes, and looks at the
// bytes that a tar reader skips.
type tarStream struct {
	r    io.Reader
	h    hash.Hash
	w    *walker
	n    int64 // bytes so far
	end  bool  // there are no more
	zero int64 // bytes from here on that have to be zero; negative for all
	of   string
	odd  Loose // the range in which one was not
}

// allZero says that so many bytes from here on have to be zero.
func (s *tarStream) allZero(member string, n int64) {
	s.flush()
	s.of, s.zero = member, n
	s.odd = Loose{What: LoosePadding, Member: member}
	if n < 0 {
		s.odd.What = LooseInTar
	}
}

func (s *tarStream) flush() {
	if s.odd.Size > 0 {
		s.w.out.loose(s.odd)
	}
	s.odd = Loose{}
}

func (s *tarStream) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.h.Write(p[:n])
	s.end = err == io.EOF
	if s.zero != 0 {
		b := p[:n]
		if s.zero > 0 {
			b = b[:min(int64(n), s.zero)]
			s.zero -= int64(len(b))
		}
		if i := slices.IndexFunc(b, func(c byte) bool { return c != 0 }); i >= 0 {
			if s.odd.Size == 0 {
				s.odd.Offset = s.n + int64(i)
			}
			s.odd.Size = s.n + int64(len(bytes.TrimRight(b, "\x00"))) - s.odd.Offset
		}
	}
	s.n += int64(n)
	return n, err
}

// gzip reads a compressed tar. gunzip takes several streams for one, so all are
// read as one; that there are several, or something else behind them, is noted.
func (w *walker) gzip() error {
	count := &counter{r: io.NewSectionReader(w.in, 0, w.size)}
	br := bufio.NewReader(count) // a ByteReader, so that gzip reads no further than its end
	z, err := gzip.NewReader(br)
	if err != nil {
		return err
	}
	z.Multistream(false)
	w.out.Compression = fmt.Sprintf("gzip, name %q, comment %q, time %d, system %d", z.Name, z.Comment, max(z.ModTime.Unix(), 0), z.OS)
	return w.tar(&gzipStreams{w: w, z: z, br: br, count: count})
}

type gzipStreams struct {
	w     *walker
	z     *gzip.Reader
	br    *bufio.Reader
	count *counter
	end   bool
}

func (g *gzipStreams) Read(p []byte) (int, error) {
	for !g.end {
		n, err := g.z.Read(p)
		if n > 0 || err != io.EOF {
			if err == io.EOF {
				err = nil
			}
			return n, err
		}
		at := g.count.n - int64(g.br.Buffered())
		if at == g.w.size {
			g.end = true
			break
		}
		l := Loose{What: LooseStream, Offset: at, Size: g.w.size - at}
		if magic, _ := g.br.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
			l.What, g.end = LooseAfter, true
			g.w.out.loose(l)
			break
		}
		g.w.out.loose(l)
		// Streams without content cost time all the same.
		if err := g.w.spend(64); err != nil {
			return 0, err
		}
		if err := g.z.Reset(g.br); err != nil {
			return 0, err
		}
		g.z.Multistream(false)
	}
	return 0, io.EOF
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (w *walker) zstd() error {
	end := w.zstdFrames()
	z, err := zstd.NewReader(bufio.NewReader(io.NewSectionReader(w.in, 0, end)), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return err
	}
	defer z.Close()
	w.out.Compression = "zstd"
	return w.tar(z)
}

const xzMagic = "\xfd7zXZ\x00"

// xz reads a tar in one xz stream; bytes behind its end are an error. What a block wants
// of memory is made when it begins, and used as it is filled: that of the first one is
// looked at before.
func (w *walker) xz() error {
	if size, err := w.xzDictionary(); err != nil {
		return err
	} else if size > maxWindow {
		return &LimitError{Reason: fmt.Sprintf("its xz dictionary has %d bytes, more than %d", size, maxWindow)}
	}
	z, err := xz.ReaderConfig{SingleStream: true}.NewReader(bufio.NewReader(io.NewSectionReader(w.in, 0, w.size)))
	if err != nil {
		return err
	}
	w.out.Compression = "xz"
	return w.tar(z)
}

// xzDictionary is the size of the dictionary that the first block asks for (The .xz File
// Format 1.2.1, sections 3.1 and 5.3.1); 0 if there is none, or another filter.
func (w *walker) xzDictionary() (int64, error) {
	head := make([]byte, 12+1024) // a stream's header, and the longest of a block
	n, err := w.in.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return 0, err
	}
	if head = head[:n]; len(head) < 12+2 || head[12] == 0 {
		return 0, nil
	}
	flags, rest := head[13], head[14:]
	number := func() uint64 {
		v, n := binary.Uvarint(rest)
		rest = rest[max(n, 0):]
		return v
	}
	for _, has := range []byte{0x40, 0x80} { // the sizes of the block
		if flags&has != 0 {
			number()
		}
	}
	for range flags&3 + 1 {
		id, length := number(), number()
		if length > uint64(len(rest)) {
			break
		}
		if id == 0x21 && length == 1 {
			bits := rest[0]
			if bits > 40 {
				return 0, errors.New("the xz stream has a dictionary of no size")
			}
			return int64(2|bits&1) << (bits/2 + 11), nil
		}
		rest = rest[length:]
	}
	return 0, nil
}

// bzip2 reads a tar in bzip2 streams, which are taken for one; anything else behind them
// is an error.
func (w *walker) bzip2() error {
	w.out.Compression = "bzip2"
	return w.tar(bzip2.NewReader(bufio.NewReader(io.NewSectionReader(w.in, 0, w.size))))
}

const zstdMagic = "\x28\xb5\x2f\xfd"

// zstdFrames walks over the frames of a zstd file (RFC 8878, section 3.1) and
// notes what an unpacker does not show: a second frame, one that is skipped,
// and bytes behind the last. It gives the end of what there is to decompress;
// of a damaged file that is all, so that the decompressor can say what is wrong.
func (w *walker) zstdFrames() (end int64) {
	var at int64
	for n := 0; at < w.size; n++ {
		next, skipped, ok := w.zstdFrame(at)
		switch {
		case !ok && n == 0:
			return w.size
		case !ok:
			w.out.loose(Loose{What: LooseAfter, Offset: at, Size: w.size - at})
			return at
		case skipped:
			w.out.loose(Loose{What: LooseFrame, Offset: at, Size: next - at})
		case n > 0:
			w.out.loose(Loose{What: LooseStream, Offset: at, Size: next - at})
		}
		if w.spend(0) != nil { // the end of the context
			return w.size
		}
		at = next
	}
	return at
}

// zstdFrame finds the end of the frame at that offset.
func (w *walker) zstdFrame(at int64) (next int64, skipped, ok bool) {
	var b [4]byte
	word := func(n int64) bool {
		clear(b[:])
		if at+n > w.size {
			return false
		}
		_, err := w.in.ReadAt(b[:n], at)
		at += n
		return err == nil || err == io.EOF
	}
	if !word(4) {
		return 0, false, false
	}
	if magic := binary.LittleEndian.Uint32(b[:]); magic&^0xf == 0x184d2a50 {
		if !word(4) {
			return 0, false, false
		}
		at += int64(binary.LittleEndian.Uint32(b[:]))
		return at, true, at <= w.size
	}
	if string(b[:]) != zstdMagic || !word(1) {
		return 0, false, false
	}
	flags := b[0]
	single := flags&0x20 != 0
	at += []int64{0, 1, 2, 4}[flags&3] // dictionary
	size := []int64{0, 2, 4, 8}[flags>>6]
	switch {
	case !single:
		at++ // window
	case size == 0:
		size = 1
	}
	at += size
	for {
		if !word(3) {
			return 0, false, false
		}
		block := binary.LittleEndian.Uint32(b[:])
		length := int64(block >> 3)
		if block>>1&3 == 1 { // one byte, repeated
			length = 1
		}
		at += length
		if block&1 != 0 {
			break
		}
	}
	if flags&4 != 0 {
		at += 4 // checksum
	}
	return at, false, at <= w.size
}
