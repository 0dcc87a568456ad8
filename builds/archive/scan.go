package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/files"
)

// Type is what a member of an archive is.
type Type string

// Types of members.
const (
	TypeFile      Type = "file"
	TypeDirectory Type = "directory"
	TypeSymlink   Type = "symbolic link"
	TypeHardLink  Type = "hard link"
	// TypeSparse is a file whose header says which parts of it are holes: not
	// every unpacker makes the same of it.
	TypeSparse Type = "sparse file"
	// TypeGlobal is a tar header about all members that follow it.
	TypeGlobal Type = "header for all members"
	TypeOther  Type = "other" // devices, FIFOs, what nobody knows
)

// Header is what an archive says of a member.
type Header struct {
	Name    string
	Type    Type
	Link    string // target of a link
	Size    int64
	Mode    fs.FileMode
	Time    time.Time
	Owner   string // "uid/gid user/group"; "" where the format has none
	Format  string // of the header: "USTAR", "PAX", "GNU", or the zip's method and flags
	SHA256  string // of the content of a file that was read
	Offset  int64  // of a file's content in the uncompressed stream of a tar
	Comment string // zip: extra fields and comment, in hexadecimal
	// Records are the keys of a tar header's PAX records, sorted.
	Records []string
}

// What of an archive is in no member.
const (
	LooseBefore      = "bytes before the first member"
	LooseBetween     = "bytes between members"
	LooseAfter       = "bytes after the end of the archive"
	LooseInTar       = "bytes after the end of the tar"
	LooseInCPIO      = "bytes after the end of the cpio archive"
	LoosePadding     = "padding that is not zero"
	LooseCompressed  = "bytes after the end of a member's compressed data"
	LooseLocalHeader = "a member's own header, which disagrees with the zip's directory"
	LooseDirectory   = "a directory that has content"
	LooseStream      = "a further compressed stream"
	LooseFrame       = "a zstd frame that unpackers skip"
	LooseSameName    = "two members that are one file on some systems"
	LooseOutside     = "a name that leads out of the directory it is unpacked in"
)

// Loose is a range of an archive that is in no member, or something else about
// it that lets two who unpack it see different files.
type Loose struct {
	What   string // one of the Loose constants
	Member string // where it belongs to one
	Offset int64  // in the file; of what is in a tar, in the uncompressed stream
	Size   int64
}

func (l Loose) String() string {
	s := l.What
	if l.Member != "" {
		s += fmt.Sprintf(" (%q)", l.Member)
	}
	if l.Size > 0 {
		s += fmt.Sprintf(": %d bytes at offset %d", l.Size, l.Offset)
	}
	return s
}

const maxLoose = 64 // that are told apart

// Summary is what [Scan] found out about the archive as a whole.
type Summary struct {
	Format      string // "tar", "tar.gz", "tar.zst", "tar.xz", "tar.bz2", "zip"
	Compression string // of the whole: gzip header fields; "" for zip and tar
	SHA256      string // of the uncompressed tar stream; "" for zip
	Members     []Header
	Loose       []Loose
}

// loose notes a range; of very many, the last stands for the rest.
func (s *Summary) loose(l Loose) {
	if len(s.Loose) < maxLoose {
		s.Loose = append(s.Loose, l)
	}
}

// NotArchiveError says that a file is none of the formats [Scan] reads.
type NotArchiveError struct{ Name string } // Name may be empty

func (e *NotArchiveError) Error() string {
	return strings.TrimPrefix(e.Name+": neither a tar nor a zip archive", ": ")
}

// UnreadableError is why the content of one member cannot be read, though that
// of the others can: it is encrypted, or compressed in a way that is not known.
type UnreadableError struct{ Reason string }

func (e *UnreadableError) Error() string { return e.Reason }

// Visitor is told of the members of an archive in its order.
type Visitor struct {
	// Member gets a header and the content: nil for what is no file. It need
	// not read to the end. May be nil.
	Member func(Header, io.Reader) error
	// Unreadable gets the members whose content cannot be read. When it is nil
	// the first of them is an error.
	Unreadable func(Header, *UnreadableError) error
	// Spend is told how many bytes were unpacked, as they are; its error ends the
	// reading. It is for whoever reads several archives. May be nil.
	Spend func(n int64) error
}

// Scan reads an archive of anybody's making, in the order of the archive: every
// header, and the digest of every file's content. Other than [List] it refuses
// nothing but damage, excess ([LimitError]) and members that share their bytes,
// and trusts nothing either: names are only reported. What lies outside of the
// members is in [Summary.Loose]. When visit is not nil it gets the content of
// each file.
func Scan(ctx context.Context, path string, visit func(Header, io.Reader) error) (*Summary, error) {
	v := Visitor{}
	if visit != nil {
		v.Member = func(h Header, r io.Reader) error {
			if r == nil {
				return nil
			}
			return visit(h, r)
		}
	}
	return Walk(ctx, path, v)
}

// Walk is [Scan] for those who need to know of every member.
func Walk(ctx context.Context, path string, v Visitor) (*Summary, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	sum, err := WalkReader(ctx, f, fi.Size(), v)
	var not *NotArchiveError
	switch {
	case errors.As(err, &not):
		return nil, &NotArchiveError{path}
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return sum, nil
}

// WalkReader is [Walk] for an archive that is part of something else.
func WalkReader(ctx context.Context, r io.ReaderAt, size int64, v Visitor) (*Summary, error) {
	w := newWalker(ctx, r, size, scanLimits(), v)
	format, err := w.detect()
	if err != nil {
		return nil, err
	}
	if err := w.walk(format); err != nil {
		return nil, err
	}
	return &w.out, nil
}

// Uncompress writes what a compressed file holds that is no archive. The summary has no
// members. A file that is not compressed is a [NotArchiveError].
func Uncompress(ctx context.Context, r io.ReaderAt, size int64, to io.Writer) (*Summary, error) {
	w := newWalker(ctx, r, size, scanLimits(), Visitor{})
	w.raw = to
	f, err := w.detect()
	if err != nil {
		return nil, err
	}
	compressor, ok := strings.CutPrefix(f.name, Tar+".")
	if !ok {
		return nil, &NotArchiveError{}
	}
	f.name = compressor
	if err := w.walk(f); err != nil {
		return nil, err
	}
	return &w.out, nil
}

// walker reads one archive.
type walker struct {
	budget
	in    io.ReaderAt
	visit Visitor
	names map[string]bool                // of files, as a system may take them
	raw   io.Writer                      // gets what is compressed, whatever it is; nil: it is a tar
	body  func(*walker, io.Reader) error // reads what is compressed, if it is no tar
	out   Summary
}

func newWalker(ctx context.Context, in io.ReaderAt, size int64, limits Limits, v Visitor) *walker {
	return &walker{budget: budget{ctx: ctx, Limits: limits, size: size, spent: v.Spend}, in: in, visit: v, names: map[string]bool{}}
}

// Tar is the format of an archive that is not compressed. [WriteTar] writes it, and no
// profile names it.
const Tar = "tar"

// detect tells the format by the first bytes. A zip that begins with something
// else, as self-extracting ones do, is not taken for one: what begins as a program
// is one.
func (w *walker) detect() (format, error) {
	head := make([]byte, 512)
	n, err := w.in.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return format{}, err
	}
	head = head[:n]
	for _, f := range append(formats(), foreign()...) {
		if slices.ContainsFunc(f.begins, func(b string) bool { return bytes.HasPrefix(head, []byte(b)) }) {
			return f, nil
		}
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return format{name: Tar, read: (*walker).plainTar}, nil
	}
	return format{}, &NotArchiveError{}
}

func (w *walker) walk(f format) error {
	w.out.Format = f.name
	return f.read(w)
}

func (w *walker) plainTar() error { return w.tar(io.NewSectionReader(w.in, 0, w.size)) }

// entry counts a member and looks at its name.
func (w *walker) entry(h Header) error {
	if err := w.budget.member(h); err != nil {
		return err
	}
	if h.Type == TypeGlobal {
		return nil
	}
	if leadsOut(h.Name) {
		w.out.loose(Loose{What: LooseOutside, Member: h.Name})
	}
	if name := fold(path.Clean(strings.ReplaceAll(h.Name, `\`, "/"))); h.Type != TypeDirectory {
		if w.names[name] {
			w.out.loose(Loose{What: LooseSameName, Member: h.Name})
		}
		w.names[name] = true
	}
	return nil
}

// member digests one member and shows it to the visitor. r is nil for what has
// no content to read.
func (w *walker) member(h Header, r io.Reader) error {
	if err := w.entry(h); err != nil {
		return err
	}
	if r != nil {
		sum := sha256.New()
		in := io.TeeReader(r, sum)
		if w.visit.Member != nil {
			if err := w.visit.Member(h, in); err != nil {
				return fmt.Errorf("%s: %w", h.Name, err)
			}
		}
		if _, err := io.Copy(io.Discard, in); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
		h.SHA256 = hex.EncodeToString(sum.Sum(nil))
	} else if w.visit.Member != nil {
		if err := w.visit.Member(h, nil); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
	w.out.Members = append(w.out.Members, h)
	return nil
}

// unreadable notes a member whose content cannot be read.
func (w *walker) unreadable(h Header, why *UnreadableError) error {
	if err := w.entry(h); err != nil {
		return err
	}
	err := error(why)
	if w.visit.Unreadable != nil {
		err = w.visit.Unreadable(h, why)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", h.Name, err)
	}
	w.out.Members = append(w.out.Members, h)
	return nil
}
