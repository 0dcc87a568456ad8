package archive

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/klauspost/compress/flate"
)

const (
	maxDirectory = 32 << 20 // bytes of a zip's central directory
	maxLink      = 4096     // bytes of a link's target
)

// zip reads a zip. Its directory is read twice, by archive/zip and here: here to
// know where everything lies, so that no two members share bytes and none are
// left over. The two readings have to agree.
func (w *walker) zip() error {
	d, err := w.zipDirectory()
	if err != nil {
		return err
	}
	z, err := zip.NewReader(w.in, w.size)
	if err != nil {
		return err
	}
	if err := w.zipLayout(d, z.File); err != nil {
		return err
	}
	var at *Header // the member that is being decompressed
	z.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser {
		br := bufio.NewReader(r)
		return &inflater{ReadCloser: flate.NewReader(br), br: br, w: w, name: at.Name}
	})
	for _, e := range z.File {
		m := zipHeader(e)
		at = &m
		if err := w.zipMember(e, m); err != nil {
			return err
		}
	}
	return nil
}

func zipHeader(e *zip.File) Header {
	m := Header{
		Name: e.Name, Size: int64(e.UncompressedSize64), Mode: e.Mode(), Time: e.Modified.UTC(), Type: TypeOther,
		Format:  fmt.Sprintf("method %d, flags %#x, made by %#x", e.Method, e.Flags, e.CreatorVersion),
		Comment: fmt.Sprintf("%x %q", e.Extra, e.Comment),
	}
	switch mode := e.Mode(); {
	case mode.IsRegular():
		m.Type = TypeFile
	case mode.IsDir():
		m.Type = TypeDirectory
	case mode&fs.ModeSymlink != 0:
		m.Type = TypeSymlink
	}
	return m
}

func (w *walker) zipMember(e *zip.File, m Header) error {
	if m.Type == TypeDirectory && e.UncompressedSize64|e.CompressedSize64 != 0 {
		at, _ := e.DataOffset()
		w.out.loose(Loose{What: LooseDirectory, Member: m.Name, Offset: at, Size: int64(e.CompressedSize64)})
	}
	if m.Type != TypeFile && m.Type != TypeSymlink {
		return w.member(m, nil)
	}
	if e.Flags&0x41 != 0 {
		return w.unreadable(m, &UnreadableError{"encrypted"})
	}
	if e.UncompressedSize64 > 1<<62 {
		return fmt.Errorf("%s: %w", m.Name, &LimitError{fmt.Sprintf("says that it unpacks to %d bytes", e.UncompressedSize64)})
	}
	r, err := e.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return w.unreadable(m, &UnreadableError{fmt.Sprintf("compressed by method %d, which is not read here", e.Method)})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	in := w.reader(r)
	if m.Type == TypeSymlink {
		var link []byte
		link, err = io.ReadAll(io.LimitReader(in, maxLink))
		m.Link = string(link)
		in = nil
	}
	if err == nil && in != nil {
		return errors.Join(w.member(m, in), r.Close())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", m.Name, err), r.Close())
	}
	return errors.Join(w.member(m, nil), r.Close())
}

// inflater notes what is left of a member's bytes when its data have ended.
type inflater struct {
	io.ReadCloser
	br   *bufio.Reader
	w    *walker
	name string
	done bool
}

func (i *inflater) Read(p []byte) (int, error) {
	n, err := i.ReadCloser.Read(p)
	if err == io.EOF && !i.done {
		i.done = true
		if left, _ := io.Copy(io.Discard, i.br); left > 0 {
			i.w.out.loose(Loose{What: LooseCompressed, Member: i.name, Size: left})
		}
	}
	return n, err
}

// zipRecord is a member as the directory has it (APPNOTE.TXT, 4.3.12).
type zipRecord struct {
	name                    []byte
	flags, method           uint16
	crc                     uint32
	packed, unpacked, local int64
}

// zipDir is where a zip's directory lies.
type zipDir struct {
	start, end int64 // of the records
	tail       int64 // where the records at the end begin
	last       int64 // the end of the zip
	base       int64 // what offsets count from
	records    []zipRecord
}

var errZip = errors.New("not a valid zip")

func zipErrorf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errZip, fmt.Sprintf(format, args...))
}

// zipEnd finds the record at the end as archive/zip does: the last signature
// behind which there is room for the comment that it announces.
func (w *walker) zipEnd() (at int64, rec []byte, err error) {
	n := min(w.size, 22+0xffff)
	b := make([]byte, n)
	if _, err := w.in.ReadAt(b, w.size-n); err != nil && err != io.EOF {
		return 0, nil, err
	}
	for i := len(b) - 22; i >= 0; i-- {
		if bytes.HasPrefix(b[i:], []byte("PK\x05\x06")) && int(binary.LittleEndian.Uint16(b[i+20:])) <= len(b)-i-22 {
			return w.size - n + int64(i), b[i : i+22], nil
		}
	}
	return 0, nil, zipErrorf("no end of a directory")
}

func (w *walker) zipDirectory() (*zipDir, error) {
	le := binary.LittleEndian
	tail, rec, err := w.zipEnd()
	if err != nil {
		return nil, err
	}
	d := &zipDir{tail: tail, last: tail + 22 + int64(le.Uint16(rec[20:]))}
	count, size, offset := uint64(le.Uint16(rec[10:])), uint64(le.Uint32(rec[12:])), uint64(le.Uint32(rec[16:]))
	// archive/zip asks for 64 bits at 0xffff directory bytes; so has this reading.
	if count == 0xffff || size == 0xffff || size == 0xffffffff || offset == 0xffffffff {
		if at, r64, ok := w.zip64(tail); ok {
			d.tail = at
			count, size, offset = le.Uint64(r64[32:]), le.Uint64(r64[40:]), le.Uint64(r64[48:])
		}
	}
	if count > uint64(w.Members) {
		return nil, &LimitError{fmt.Sprintf("more than %d members", w.Members)}
	}
	if size > maxDirectory {
		return nil, &LimitError{fmt.Sprintf("zip directory of more than %d bytes", int64(maxDirectory))}
	}
	if offset > uint64(d.tail) || size > uint64(d.tail) {
		return nil, zipErrorf("its directory lies outside of it")
	}
	if d.base = d.tail - int64(size) - int64(offset); d.base < 0 {
		return nil, zipErrorf("its directory overlaps its end")
	}
	d.start, d.end = d.base+int64(offset), d.tail
	b := make([]byte, size)
	if _, err := w.in.ReadAt(b, d.start); err != nil {
		return nil, err
	}
	for range count {
		r, n, err := zipRecordAt(b)
		if err != nil {
			return nil, err
		}
		d.records = append(d.records, r)
		b = b[n:]
	}
	d.end = d.tail - int64(len(b))
	return d, nil
}

// zip64 finds the 64-bit end record through its locator, right before the other.
func (w *walker) zip64(tail int64) (at int64, rec []byte, ok bool) {
	le := binary.LittleEndian
	var loc [20]byte
	if tail < 20 {
		return 0, nil, false
	}
	if _, err := w.in.ReadAt(loc[:], tail-20); err != nil || !bytes.HasPrefix(loc[:], []byte("PK\x06\x07")) {
		return 0, nil, false
	}
	off := le.Uint64(loc[8:])
	if off > uint64(tail) {
		return 0, nil, false
	}
	rec = make([]byte, 56)
	if _, err := w.in.ReadAt(rec, int64(off)); err != nil || !bytes.HasPrefix(rec, []byte("PK\x06\x06")) {
		return 0, nil, false
	}
	return int64(off), rec, true
}

func zipRecordAt(b []byte) (r zipRecord, n int, err error) {
	le := binary.LittleEndian
	if len(b) < 46 || !bytes.HasPrefix(b, []byte("PK\x01\x02")) {
		return r, 0, zipErrorf("its directory has fewer members than it says")
	}
	nameLen, extraLen, commentLen := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	n = 46 + nameLen + extraLen + commentLen
	if n > len(b) {
		return r, 0, zipErrorf("its directory ends within a member")
	}
	r = zipRecord{name: b[46 : 46+nameLen], flags: le.Uint16(b[8:]), method: le.Uint16(b[10:]), crc: le.Uint32(b[16:])}
	sizes := [3]uint64{uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[42:]))}
	if !zip64Extra(b[46+nameLen:46+nameLen+extraLen], sizes[:]) {
		return r, 0, zipErrorf("%q: its sizes are missing", r.name)
	}
	for _, s := range sizes {
		if s > 1<<62 {
			return r, 0, zipErrorf("%q: a size of %d", r.name, s)
		}
	}
	r.unpacked, r.packed, r.local = int64(sizes[0]), int64(sizes[1]), int64(sizes[2])
	return r, n, nil
}

// zip64Extra replaces values of 32 bits that are all ones by those of the extra
// field 1, where they stand in the same order (APPNOTE.TXT, 4.5.3).
func zip64Extra(extra []byte, values []uint64) bool {
	need := slices.ContainsFunc(values, func(v uint64) bool { return v == 0xffffffff })
	le := binary.LittleEndian
	for need && len(extra) >= 4 {
		tag, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return false
		}
		if field := extra[:n]; tag == 1 {
			for i, v := range values {
				if v != 0xffffffff {
					continue
				}
				if len(field) < 8 {
					return false
				}
				values[i], field = le.Uint64(field), field[8:]
			}
			return true
		}
		extra = extra[n:]
	}
	return !need
}

// zipLayout holds the directory against archive/zip's reading of it and against
// the members' own headers, and accounts for every byte.
func (w *walker) zipLayout(d *zipDir, files []*zip.File) error {
	if len(files) != len(d.records) {
		return zipErrorf("its directory has %d members or %d, depending on who reads it", len(d.records), len(files))
	}
	type span struct {
		from, to int64
		name     string
	}
	var spans []span
	for i, r := range d.records {
		f := files[i]
		data, err := f.DataOffset()
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		local := d.base + r.local
		if f.Name != string(r.name) || f.Method != r.method || f.Flags != r.flags || f.CRC32 != r.crc || int64(f.CompressedSize64) != r.packed || int64(f.UncompressedSize64) != r.unpacked {
			return zipErrorf("%q: its entry in the directory has two readings", f.Name)
		}
		end, err := w.zipLocal(r, local, data)
		if err != nil {
			return err
		}
		spans = append(spans, span{local, end, f.Name})
	}
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	at := int64(0)
	gap := func(to int64, what string) {
		if at < to {
			w.out.loose(Loose{What: what, Offset: at, Size: to - at})
		}
	}
	for i, s := range spans {
		if s.from < at {
			return zipErrorf("%q shares bytes with another member", s.name)
		}
		what := LooseBetween
		if i == 0 {
			what = LooseBefore
		}
		gap(s.from, what)
		at = s.to
	}
	if at > d.start {
		return zipErrorf("a member shares bytes with the directory")
	}
	gap(d.start, LooseBetween)
	at = d.end
	gap(d.tail, LooseBetween)
	at = d.last
	gap(w.size, LooseAfter)
	return nil
}

// zipLocal reads a member's own header, which unpackers that do not wait for
// the directory go by, and gives the end of the member.
func (w *walker) zipLocal(r zipRecord, local, data int64) (end int64, err error) {
	le := binary.LittleEndian
	var h [30]byte
	if local < 0 || local > w.size-30 {
		return 0, zipErrorf("%q lies outside of it", r.name)
	}
	if _, err := w.in.ReadAt(h[:], local); err != nil {
		return 0, err
	}
	nameLen, extraLen := int64(le.Uint16(h[26:])), int64(le.Uint16(h[28:]))
	if !bytes.HasPrefix(h[:], []byte("PK\x03\x04")) || data != local+30+nameLen+extraLen {
		return 0, zipErrorf("%q has no header of its own where the directory says", r.name)
	}
	if data > w.size || r.packed > w.size-data {
		return 0, zipErrorf("%q ends beyond the end of the file", r.name)
	}
	if err := w.spend(nameLen + extraLen); err != nil {
		return 0, err
	}
	rest := make([]byte, nameLen+extraLen)
	if _, err := w.in.ReadAt(rest, local+30); err != nil && err != io.EOF {
		return 0, err
	}
	crc, sizes := le.Uint32(h[14:]), []uint64{uint64(le.Uint32(h[22:])), uint64(le.Uint32(h[18:]))}
	same := bytes.Equal(rest[:nameLen], r.name) && le.Uint16(h[6:]) == r.flags && le.Uint16(h[8:]) == r.method && zip64Extra(rest[nameLen:], sizes)
	described := r.flags&8 != 0 // sizes and checksum follow the data
	same = same && (described && crc == 0 || crc == r.crc)
	for i, v := range []int64{r.unpacked, r.packed} {
		same = same && (described && sizes[i] == 0 || sizes[i] == uint64(v))
	}
	if !same {
		w.out.loose(Loose{What: LooseLocalHeader, Member: string(r.name), Offset: local, Size: data - local})
	}
	end = data + r.packed
	if described {
		n, err := w.zipDescriptor(r, end)
		return end + n, err
	}
	return end, nil
}

// zipDescriptor is the length of what follows a member's data (APPNOTE.TXT,
// 4.3.9): checksum and sizes of 32 or 64 bits, with or without a signature.
func (w *walker) zipDescriptor(r zipRecord, at int64) (int64, error) {
	le := binary.LittleEndian
	b := make([]byte, min(24, w.size-at))
	if _, err := w.in.ReadAt(b, at); err != nil && err != io.EOF {
		return 0, err
	}
	body := le.AppendUint32(nil, r.crc)
	short := le.AppendUint32(le.AppendUint32(slices.Clone(body), uint32(r.packed)), uint32(r.unpacked))
	long := le.AppendUint64(le.AppendUint64(slices.Clone(body), uint64(r.packed)), uint64(r.unpacked))
	for _, want := range [][]byte{append([]byte("PK\x07\x08"), long...), append([]byte("PK\x07\x08"), short...), long, short} {
		if bytes.HasPrefix(b, want) {
			return int64(len(want)), nil
		}
	}
	return 0, nil // the bytes belong to nobody, and are noted as that
}
