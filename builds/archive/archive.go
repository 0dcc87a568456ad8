// Package archive writes release archives whose bytes depend on nothing but
// their members and the time that is passed in, and reads them back.
//
// # Contract
//
// [Write] gives the same bytes for the same members, format and time: whatever
// the order of the members, the machine, the time zone, the number of CPUs and
// the Go version it was compiled with. How:
//
//   - Members are sorted by name. Only regular files are members, no directories but
//     those of layers of images ([Member.Directory]).
//     Symbolic links are members of archives of a source alone ([Member.Link]), and
//     [List] refuses them.
//   - Every member's time is the time passed in, in whole seconds of UTC.
//   - Owner and group are 0, their names empty. The mode is 0755 for
//     executables and 0644 for everything else.
//   - tar headers are USTAR (POSIX.1-1988). A member whose name does not fit
//     USTAR (not ASCII, or too long to split) or that is 8 GiB or larger gets a
//     PAX header that carries only what did not fit. No other format is written.
//   - The gzip header has no name, no time (0) and the operating system 255
//     (unknown); the level is 8. The zstd level is klauspost's "best", with one
//     encoder goroutine.
//   - zip members are deflated at level 8 by klauspost/compress, not by
//     compress/flate, whose bytes changed with Go 1.27. They carry Unix modes
//     and the time twice: as UTC in the DOS fields (even seconds; clamped to
//     1980..2107) and exactly in the extended timestamp field 0x5455, which
//     unpackers prefer and which has no time zone. Beyond the 32 bits of that
//     field (2038) it is left out.
//
// The compressor is therefore part of the recipe: [Tool] names it with its
// version for the manifest, and a test pins the digests of all formats, so an
// upgrade that changes bytes is noticed.
//
// Names that would unpack differently on another system are refused, see
// [CheckNames].
//
// # Honest exceptions
//
//   - Names that differ only in Unicode normalisation are not recognised as
//     duplicates.
//   - A member that is changed in place, keeping its size, while it is read is
//     noticed only if [Member.SHA256] is set.
package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// The formats that [Write] writes.
const (
	TarGz  = fact.TarGz
	TarZst = fact.TarZst
	Zip    = fact.Zip
)

// format is one of them: all that is known of it is here.
type format struct {
	name   string
	tool   string   // the compressor with version and level
	begins []string // one of these is how a file begins
	write  func(ctx context.Context, w io.Writer, members []Member, modTime time.Time) ([]Entry, error)
	read   func(w *walker) error
}

func formats() []format {
	const by = "klauspost/compress " + compressVersion
	return []format{
		{TarGz, by + " gzip -8", []string{"\x1f\x8b"}, tarThrough(gzipWriter), (*walker).gzip},
		{TarZst, by + " zstd best", []string{zstdMagic}, tarThrough(zstdWriter), (*walker).zstd},
		{Zip, by + " deflate -8", []string{"PK\x03\x04", "PK\x05\x06"}, writeZip, (*walker).zip},
	}
}

// foreign are formats that others write. They are read, and not written.
func foreign() []format {
	return []format{
		{name: "tar.xz", begins: []string{xzMagic}, read: (*walker).xz},
		{name: "tar.bz2", begins: []string{"BZh"}, read: (*walker).bzip2},
	}
}

// Formats returns the names of all formats that are written, sorted.
func Formats() (names []string) {
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// find is the format of that name.
func find(name string) (format, error) {
	all := formats()
	if i := slices.IndexFunc(all, func(f format) bool { return f.name == name }); i >= 0 {
		return all[i], nil
	}
	names := Formats()
	last := len(names) - 1
	return format{}, fault.Errorf("use "+strings.Join(names[:last], ", ")+" or "+names[last], "unknown archive format %q", name)
}

// compressVersion is the version of klauspost/compress in go.mod; a test keeps
// the two equal. The version that the build information of the running program
// names is not used: a program that imports mintmark can select another one,
// and [Tool] must name what the digests were pinned for.
const compressVersion = "v1.20.3"

// level is for gzip and deflate. Every archive is written twice, and level 9
// takes four times the CPU of level 8 to make the archive of a Go program
// 0.3 % smaller.
const level = 8

// Tool names the compressor of a format with version and level, for the
// manifest; "" for an unknown format.
func Tool(format string) string {
	f, _ := find(format)
	return f.tool
}

// Member is one file of an archive.
type Member struct {
	Name       string // slash-separated path in the archive
	Executable bool
	// Link says that it is a symbolic link: its content is where it leads. Whoever
	// writes one knows that it leads to nothing outside of the archive.
	Link bool
	// Directory says that it is one, which has no content. Only tars for layers of
	// images have some: what unpacks these may make one that is not there for its owner
	// alone.
	Directory bool

	// SHA256 is the digest the content must have, in lower-case hex; "" when it
	// is not known. Set it for everything that was verified before.
	SHA256 string

	// Open opens the content and says how many bytes it has.
	Open func() (io.ReadCloser, int64, error)
}

// Mode returns the mode the archive records.
func (m Member) Mode() fs.FileMode {
	if m.Link {
		return fs.ModeSymlink | 0o777
	}
	if m.Executable || m.Directory {
		return 0o755
	}
	return 0o644
}

// Entry is a member as it stands in an archive.
type Entry struct {
	Name   string
	Size   int64
	SHA256 string // of the content, lower-case hex
	Mode   fs.FileMode
}

// Info describes an archive that was written.
type Info struct {
	Format  string
	Tool    string
	Size    int64
	SHA256  string  // of the whole archive, lower-case hex
	Entries []Entry // sorted by name
}

// Times outside are refused: before 1970 it is a forgotten time rather than a
// commit's, after 2242 it does not fit a USTAR header.
var (
	minTime = time.Unix(0, 0)
	maxTime = time.Unix(1<<33-1, 0)
)

// Write writes an archive of members to w. Problems with the arguments are all
// reported at once, before anything is written. After any later error, what w
// has got is not an archive: the caller throws it away.
func Write(ctx context.Context, w io.Writer, format string, members []Member, modTime time.Time) (Info, error) {
	f, err := find(format)
	return f.writeAll(ctx, w, members, modTime, err)
}

// WriteTar is [Write] of a tar that is not compressed, in the format [Tar].
func WriteTar(ctx context.Context, w io.Writer, members []Member, modTime time.Time) (Info, error) {
	plain := func(w io.Writer) (io.WriteCloser, error) { return uncompressed{w}, nil }
	return format{name: Tar, write: tarThrough(plain)}.writeAll(ctx, w, members, modTime, nil)
}

// uncompressed is a compressor that is none.
type uncompressed struct{ io.Writer }

func (uncompressed) Close() error { return nil }

// writeAll writes an archive, unless something is wrong with it; wrong is what is known of
// that.
func (f format) writeAll(ctx context.Context, w io.Writer, members []Member, modTime time.Time, wrong error) (Info, error) {
	members, large := readable(members)
	errs := []error{CheckNames(names(members)), wrong, large}
	if len(members) == 0 {
		errs = append(errs, errors.New("no members"))
	}
	modTime = modTime.UTC().Truncate(time.Second)
	if modTime.Before(minTime) || modTime.After(maxTime) {
		errs = append(errs, fmt.Errorf("time %s is not between %s and %s", modTime.Format(time.RFC3339), minTime.UTC().Format(time.RFC3339), maxTime.UTC().Format(time.RFC3339)))
	}
	if err := errors.Join(errs...); err != nil {
		return Info{}, fmt.Errorf("archive: %w", err)
	}
	members = slices.SortedFunc(slices.Values(members), func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })

	sum := &digest{w: w, h: sha256.New()}
	entries, err := f.write(ctx, sum, members, modTime)
	if err != nil {
		return Info{}, fmt.Errorf("archive: %w", err)
	}
	return Info{Format: f.name, Tool: f.tool, Size: sum.n, SHA256: hex.EncodeToString(sum.h.Sum(nil)), Entries: entries}, nil
}

// names are those of members that are no directories.
func names(members []Member) []string {
	var names []string
	for _, m := range members {
		if !m.Directory {
			names = append(names, m.Name)
		}
	}
	return names
}

// tarThrough writes a tar through a compressor.
func tarThrough(compressor func(io.Writer) (io.WriteCloser, error)) func(context.Context, io.Writer, []Member, time.Time) ([]Entry, error) {
	return func(ctx context.Context, w io.Writer, members []Member, modTime time.Time) ([]Entry, error) {
		c, err := compressor(w)
		if err != nil {
			return nil, err
		}
		return writeTar(ctx, c, members, modTime)
	}
}

func writeTar(ctx context.Context, c io.WriteCloser, members []Member, modTime time.Time) ([]Entry, error) {
	t := tar.NewWriter(c)
	var entries []Entry
	for _, m := range members {
		if m.Directory {
			h := &tar.Header{Typeflag: tar.TypeDir, Name: m.Name + "/", Mode: int64(m.Mode()), ModTime: modTime, Format: tar.FormatUSTAR}
			if err := writeHeader(t, h); err != nil {
				return nil, fmt.Errorf("%s: %w", m.Name, err)
			}
			continue
		}
		var target bytes.Buffer // of a link
		header := func(size int64) error {
			h := &tar.Header{
				Typeflag: tar.TypeReg, Name: m.Name, Size: size,
				Mode: int64(m.Mode().Perm()), ModTime: modTime, Format: tar.FormatUSTAR,
			}
			if m.Link {
				h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target.String(), 0
			}
			return writeHeader(t, h)
		}
		e, err := copyMember(ctx, m, func(size int64) (io.Writer, error) {
			if m.Link {
				return &target, nil
			}
			return t, header(size)
		})
		if err == nil && m.Link {
			err = header(0)
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	return entries, c.Close()
}

// writeHeader writes a header as USTAR, or with a PAX header if it does not fit.
func writeHeader(t *tar.Writer, h *tar.Header) error {
	err := t.WriteHeader(h)
	if err != nil {
		// Nothing is written of a header that does not fit.
		h.Format = tar.FormatPAX
		err = t.WriteHeader(h)
	}
	return err
}

func zstdWriter(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
}

func gzipWriter(w io.Writer) (io.WriteCloser, error) {
	z, err := gzip.NewWriterLevel(w, level)
	if err != nil {
		return nil, err
	}
	// Unlike compress/gzip, klauspost's writer stores the zero time.Time as
	// 0x886e0900 and not as "no time available", which is 0 (RFC 1952).
	z.Header = gzip.Header{ModTime: time.Unix(0, 0), OS: 255}
	return z, nil
}

func writeZip(ctx context.Context, w io.Writer, members []Member, modTime time.Time) ([]Entry, error) {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, level)
	})
	var entries []Entry
	for _, m := range members {
		if m.Directory {
			return nil, fmt.Errorf("%s: is a directory", m.Name)
		}
		e, err := copyMember(ctx, m, func(int64) (io.Writer, error) {
			h := &zip.FileHeader{Name: m.Name, Method: zip.Deflate, Extra: extendedTime(modTime)}
			h.SetMode(m.Mode())
			// The deprecated fields, because Modified would not clamp, and would
			// add an extended timestamp that wraps around.
			//lint:ignore SA1019 see above
			h.ModifiedDate, h.ModifiedTime = dosTime(modTime)
			return z.CreateHeader(h)
		})
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, z.Close()
}

// dosTime is t in the fields of MS-DOS, which count from 1980 to 2107 in steps
// of two seconds and know no time zone.
func dosTime(t time.Time) (date, clock uint16) {
	first := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	if t.Before(first) {
		t = first
	} else if t.After(last) {
		t = last
	}
	date = uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day())
	clock = uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
	return date, clock
}

// extendedTime is Info-ZIP's extra field 0x5455 with the modification time
// alone; nil when the time does not fit its 32 bits.
func extendedTime(t time.Time) []byte {
	if t.Unix() > 1<<31-1 {
		return nil
	}
	b := binary.LittleEndian.AppendUint16(nil, 0x5455)
	b = binary.LittleEndian.AppendUint16(b, 5)
	b = append(b, 1)
	return binary.LittleEndian.AppendUint32(b, uint32(t.Unix()))
}

// copyMember copies one member to the writer that header returns for its size.
func copyMember(ctx context.Context, m Member, header func(size int64) (io.Writer, error)) (e Entry, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", m.Name, err)
		}
	}()
	if err := ctx.Err(); err != nil {
		return e, context.Cause(ctx)
	}
	r, size, err := m.Open()
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if size < 0 {
		return e, fmt.Errorf("size %d", size)
	}
	w, err := header(size)
	if err != nil {
		return e, err
	}
	h := sha256.New()
	// One byte more than the size shows a file that has grown.
	n, err := io.Copy(io.MultiWriter(&limited{w: w, left: size}, h), files.Reader(ctx, io.LimitReader(r, size+1)))
	if errors.Is(err, errGrown) || err == nil && n != size {
		found := "more"
		if err == nil {
			found = fmt.Sprint(n)
		}
		return e, fault.Errorf("let nothing write to the file during the release", "changed while it was read: %d bytes were announced, %s were there", size, found)
	}
	if err != nil {
		return e, err
	}
	e = Entry{Name: m.Name, Size: size, SHA256: hex.EncodeToString(h.Sum(nil)), Mode: m.Mode()}
	if m.SHA256 != "" && m.SHA256 != e.SHA256 {
		return e, fault.Errorf("the file is not the one that was verified; build again and let nothing write to it", "content has sha256 %s, %s was expected", e.SHA256, m.SHA256)
	}
	return e, nil
}

var errGrown = errors.New("more bytes than announced")

// limited passes left bytes on and fails on the next.
type limited struct {
	w    io.Writer
	left int64
}

func (l *limited) Write(b []byte) (int, error) {
	if int64(len(b)) > l.left {
		return 0, errGrown
	}
	l.left -= int64(len(b))
	return l.w.Write(b)
}

// digest counts and hashes what passes through to w.
type digest struct {
	w io.Writer
	h hash.Hash
	n int64
}

func (d *digest) Write(b []byte) (int, error) {
	n, err := d.w.Write(b)
	d.h.Write(b[:n])
	d.n += int64(n)
	return n, err
}
