package archive

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Limits of [List] on archives from outside. They bound memory and, for small
// files that claim to unpack to huge ones, time.
const (
	maxEntries   = 1 << 16
	maxUnpacked  = 64 << 30 // bytes of all members together
	maxDirectory = 32 << 20 // bytes of a zip's central directory
	maxWindow    = 64 << 20 // bytes of zstd history
)

// List reads an archive of size bytes back: every member with the digest of its
// content, in the archive's order. It accepts only what [Write] can write (safe
// and unique names, regular files, nothing after the end), though from any
// compressor, and it streams: no member is held in memory.
func List(ctx context.Context, r io.ReaderAt, size int64, format string) ([]Entry, error) {
	l := &lister{ctx: ctx, left: maxUnpacked}
	var err error
	switch format {
	case Zip:
		err = l.zip(r, size)
	case TarGz, TarZst:
		err = l.tar(io.NewSectionReader(r, 0, size), format)
	default:
		err = &hintError{fmt.Errorf("unknown archive format %q", format), "use tar.gz, tar.zst or zip"}
	}
	if err == nil && len(l.entries) == 0 {
		err = errors.New("no members")
	}
	if err == nil {
		var names []string
		for _, e := range l.entries {
			names = append(names, e.Name)
		}
		err = CheckNames(names)
	}
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return l.entries, nil
}

type lister struct {
	ctx     context.Context
	entries []Entry
	left    int64 // bytes that may still be unpacked
}

// add reads one member from r. It must have size bytes.
func (l *lister) add(name string, mode fs.FileMode, size int64, r io.Reader) error {
	if len(l.entries) >= maxEntries {
		return fmt.Errorf("more than %d members", maxEntries)
	}
	if size < 0 || size > l.left {
		return fmt.Errorf("%s: unpacks to more than %d bytes", name, int64(maxUnpacked))
	}
	h := sha256.New()
	n, err := io.Copy(h, &contextReader{l.ctx, io.LimitReader(r, size+1)})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if n != size {
		return fmt.Errorf("%s: content is not of the %d bytes its header says", name, size)
	}
	l.left -= size
	l.entries = append(l.entries, Entry{Name: name, Size: size, SHA256: hex.EncodeToString(h.Sum(nil)), Mode: mode})
	return nil
}

func (l *lister) tar(r io.Reader, format string) error {
	br := bufio.NewReader(r) // a ByteReader, so that gzip reads no further than its end
	var in io.Reader
	if format == TarZst {
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		defer z.Close()
		in = z
	} else {
		z, err := gzip.NewReader(br)
		if err != nil {
			return err
		}
		z.Multistream(false)
		in = z
	}
	// PAX headers and padding count as unpacked bytes too.
	in = &contextReader{l.ctx, io.LimitReader(in, maxUnpacked)}
	t := tar.NewReader(in)
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			return fmt.Errorf("%s: not a regular file (type %q)", h.Name, h.Typeflag)
		}
		for k := range h.PAXRecords {
			if k != "path" && k != "size" {
				return fmt.Errorf("%s: PAX record %q", h.Name, k)
			}
		}
		if err := l.add(h.Name, fs.FileMode(h.Mode)&fs.ModePerm, h.Size, t); err != nil {
			return err
		}
	}
	// After the end there may be zero blocks, and nothing else.
	var buf [4096]byte
	for {
		n, err := in.Read(buf[:])
		for _, b := range buf[:n] {
			if b != 0 {
				return errors.New("data after the end of the tar")
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if _, err := br.ReadByte(); err != io.EOF {
		return errors.Join(errors.New("data after the end of the compressed stream"), err)
	}
	return nil
}

func (l *lister) zip(r io.ReaderAt, size int64) error {
	dir := &budgetReader{r: r, left: maxDirectory}
	z, err := zip.NewReader(dir, size)
	if err != nil {
		return err
	}
	dir.left = -1 // from here on members are read, each with its own limit
	for _, f := range z.File {
		if !f.Mode().IsRegular() {
			return fmt.Errorf("%s: not a regular file", f.Name)
		}
		if f.UncompressedSize64 > maxUnpacked {
			return fmt.Errorf("%s: unpacks to more than %d bytes", f.Name, int64(maxUnpacked))
		}
		m, err := f.Open()
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		err = l.add(f.Name, f.Mode().Perm(), int64(f.UncompressedSize64), m)
		if err := errors.Join(err, m.Close()); err != nil {
			return err
		}
	}
	return nil
}

// budgetReader reads at most left bytes, or without limit when left is negative.
type budgetReader struct {
	r    io.ReaderAt
	left int64
}

func (b *budgetReader) ReadAt(p []byte, off int64) (int, error) {
	if b.left >= 0 {
		if int64(len(p)) > b.left {
			return 0, fmt.Errorf("zip directory of more than %d bytes", int64(maxDirectory))
		}
		b.left -= int64(len(p))
	}
	return b.r.ReadAt(p, off)
}
