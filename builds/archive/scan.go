package archive

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mintmark/mintmark/internal/files"
)

// Header is what an archive says of a member, for comparing two archives.
type Header struct {
	Name    string
	Type    string // "file", "directory", "symbolic link", "hard link", or "other"
	Link    string // target of a link
	Size    int64
	Mode    fs.FileMode
	Time    time.Time
	Owner   string // "uid/gid user/group"; "" where the format has none
	Format  string // of the header: "USTAR", "PAX", "GNU", or the zip's method and flags
	SHA256  string // of the content of a file
	Comment string // zip: extra fields and comment, in hexadecimal
}

// Summary is what [Scan] found out about the archive as a whole.
type Summary struct {
	Format      string // "tar", "tar.gz", "tar.zst", "zip"
	Compression string // of the whole: gzip header fields; "" for zip and tar
	SHA256      string // of the uncompressed tar stream; "" for zip
	Members     []Header
}

// NotArchiveError says that a file is none of the formats [Scan] reads.
type NotArchiveError struct{ Name string }

func (e *NotArchiveError) Error() string { return e.Name + ": neither a tar nor a zip archive" }

// Scan reads an archive of anybody's making, in the order of the archive: every
// header, and the digest of every file's content. Other than [List] it refuses
// nothing but damage and excess, and trusts nothing either: names are only
// reported. When visit is not nil it gets the content of each file; it need not
// read it to the end.
func Scan(ctx context.Context, path string, visit func(Header, io.Reader) error) (*Summary, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &scanner{ctx: ctx, visit: visit, left: maxUnpacked}
	if err := s.scan(f, path); err != nil {
		var not *NotArchiveError
		if errors.As(err, &not) {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &s.out, nil
}

type scanner struct {
	ctx   context.Context
	visit func(Header, io.Reader) error
	left  int64
	out   Summary
}

func (s *scanner) scan(f *os.File, path string) error {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return s.zip(f)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(bufio.NewReader(f))
		if err != nil {
			return err
		}
		s.out.Format = "tar.gz"
		s.out.Compression = fmt.Sprintf("gzip, name %q, comment %q, time %d, system %d", z.Name, z.Comment, max(z.ModTime.Unix(), 0), z.OS)
		return s.tar(z, path)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(bufio.NewReader(f), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		defer z.Close()
		s.out.Format, s.out.Compression = "tar.zst", "zstd"
		return s.tar(z, path)
	case len(head) > 262 && string(head[257:262]) == "ustar":
		s.out.Format = "tar"
		return s.tar(bufio.NewReader(f), path)
	}
	return &NotArchiveError{path}
}

func (s *scanner) tar(r io.Reader, path string) error {
	whole := sha256.New()
	in := io.TeeReader(&contextReader{s.ctx, io.LimitReader(r, maxUnpacked)}, whole)
	t := tar.NewReader(in)
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			if len(s.out.Members) == 0 && errors.Is(err, tar.ErrHeader) {
				return &NotArchiveError{path} // a compressed file that is no tar
			}
			return err
		}
		m := Header{
			Name: h.Name, Link: h.Linkname, Size: h.Size, Mode: h.FileInfo().Mode(), Time: h.ModTime.UTC(),
			Owner: fmt.Sprintf("%d/%d %s/%s", h.Uid, h.Gid, h.Uname, h.Gname), Format: h.Format.String(), Type: "other",
		}
		switch h.Typeflag {
		case tar.TypeReg:
			m.Type = "file"
		case tar.TypeDir:
			m.Type = "directory"
		case tar.TypeSymlink:
			m.Type = "symbolic link"
		case tar.TypeLink:
			m.Type = "hard link"
		}
		if err := s.member(m, t); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, in); err != nil { // the padding at the end belongs to the stream
		return err
	}
	s.out.SHA256 = hex.EncodeToString(whole.Sum(nil))
	return nil
}

func (s *scanner) zip(f *os.File) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := zip.NewReader(&budgetReader{r: f, left: maxDirectory}, fi.Size()); err != nil {
		return err
	}
	// The directory can be read within its budget; the contents have their own.
	z, err := zip.NewReader(f, fi.Size())
	if err != nil {
		return err
	}
	s.out.Format = "zip"
	for _, e := range z.File {
		m := Header{
			Name: e.Name, Size: int64(e.UncompressedSize64), Mode: e.Mode(), Time: e.Modified.UTC(), Type: "other",
			Format:  fmt.Sprintf("method %d, flags %#x, made by %#x", e.Method, e.Flags, e.CreatorVersion),
			Comment: fmt.Sprintf("%x %q", e.Extra, e.Comment),
		}
		switch {
		case e.Mode().IsRegular():
			m.Type = "file"
		case e.Mode().IsDir():
			m.Type = "directory"
		case e.Mode()&fs.ModeSymlink != 0:
			m.Type = "symbolic link"
		}
		if m.Type != "file" {
			if err := s.member(m, nil); err != nil {
				return err
			}
			continue
		}
		r, err := e.Open()
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		err = s.member(m, r)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
	return nil
}

// member digests one member and shows it to the visitor.
func (s *scanner) member(m Header, r io.Reader) error {
	if len(s.out.Members) >= maxEntries {
		return fmt.Errorf("more than %d members", maxEntries)
	}
	if m.Type == "file" {
		h := sha256.New()
		in := &meter{r: &contextReader{s.ctx, r}, h: h, left: s.left}
		if s.visit != nil {
			if err := s.visit(m, in); err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
		}
		if _, err := io.Copy(io.Discard, in); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		s.left = in.left
		m.SHA256 = hex.EncodeToString(h.Sum(nil))
	}
	s.out.Members = append(s.out.Members, m)
	return nil
}

// meter hashes what is read and stops when too much is.
type meter struct {
	r    io.Reader
	h    hash.Hash
	left int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.h.Write(p[:n])
	if m.left -= int64(n); m.left < 0 {
		return n, fmt.Errorf("unpacks to more than %d bytes", int64(maxUnpacked))
	}
	return n, err
}
