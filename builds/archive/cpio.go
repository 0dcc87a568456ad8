package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// WalkCPIO is [WalkReader] for what RPM packages hold: a cpio archive (the portable
// format of SVR4, "newc"), compressed in one of the ways that tars are or not at all.
// It has a function of its own, since nobody publishes one by itself.
func WalkCPIO(ctx context.Context, r io.ReaderAt, size int64, v Visitor) (*Summary, error) {
	w := newWalker(ctx, r, size, scanLimits(), v)
	w.body = (*walker).cpio
	f, err := w.detect()
	switch compressor, ok := strings.CutPrefix(f.name, Tar+"."); {
	case err == nil && ok:
		f.name = "cpio." + compressor
	case w.startsCPIO():
		f = format{name: "cpio", read: (*walker).plainTar}
	default:
		return nil, &NotArchiveError{}
	}
	if err := w.walk(f); err != nil {
		return nil, err
	}
	return &w.out, nil
}

const (
	cpioMagic    = "070701"
	cpioChecksum = "070702" // with a sum of each file's bytes, which says nothing that the package's digests do not
	cpioEnd      = "TRAILER!!!"
	maxCPIOName  = 1 << 16
)

func (w *walker) startsCPIO() bool {
	head := make([]byte, len(cpioMagic))
	n, _ := w.in.ReadAt(head, 0)
	return n == len(head) && (string(head) == cpioMagic || string(head) == cpioChecksum)
}

// cpioField is a number of a header, of which each has eight hexadecimal digits
// (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
type cpioField int

const (
	cpioMode     cpioField = 1
	cpioUID      cpioField = 2
	cpioGID      cpioField = 3
	cpioLinks    cpioField = 4
	cpioTime     cpioField = 5
	cpioSize     cpioField = 6
	cpioNameSize cpioField = 11
)

const cpioHeader = 110

// cpio reads a stream of members. What follows the last has to be zero.
func (w *walker) cpio(r io.Reader) error {
	in := &tarStream{r: w.reader(r), w: w, h: discard{}}
	for {
		var h [cpioHeader]byte
		if _, err := io.ReadFull(in, h[:]); err != nil {
			if len(w.out.Members) == 0 {
				return &NotArchiveError{}
			}
			return fmt.Errorf("cpio: header: %w", unexpected(err))
		}
		if magic := string(h[:6]); magic != cpioMagic && magic != cpioChecksum {
			if len(w.out.Members) == 0 {
				return &NotArchiveError{}
			}
			return fmt.Errorf("cpio: %.6q is no header", magic)
		}
		var bad error
		number := func(f cpioField) int64 {
			at := 6 + 8*(int(f))
			n, err := strconv.ParseUint(string(h[at:at+8]), 16, 32)
			bad = errors.Join(bad, err)
			return int64(n)
		}
		size, length := number(cpioSize), number(cpioNameSize)
		mode, links, uid, gid, modified := number(cpioMode), number(cpioLinks), number(cpioUID), number(cpioGID), number(cpioTime)
		if bad != nil {
			return fmt.Errorf("cpio: malformed header: %w", bad)
		}
		if length < 1 || length > maxCPIOName {
			return fmt.Errorf("cpio: a name of %d bytes", length)
		}
		b := make([]byte, length)
		if _, err := io.ReadFull(in, b); err != nil {
			return fmt.Errorf("cpio: name: %w", unexpected(err))
		}
		name, rest, _ := strings.Cut(string(b), "\x00")
		if rest != "" || len(name) != len(b)-1 {
			return fmt.Errorf("cpio: %q is no name", b)
		}
		if err := in.pad(name, -(cpioHeader+length)&3); err != nil {
			return err
		}
		if name == cpioEnd {
			if size != 0 {
				return errors.New("cpio: its end has content")
			}
			in.allZero("", -1)
			in.odd.What = LooseInCPIO
			_, err := io.Copy(io.Discard, in)
			in.flush()
			return err
		}
		// An RPM package is unpacked at the root, whether its names begin there or with
		// "./", as those of rpmbuild do.
		if strings.HasPrefix(name, "/") {
			name = "." + name
		}
		m := Header{Name: name, Size: size, Mode: cpioFileMode(mode), Time: time.Unix(modified, 0).UTC(), Owner: fmt.Sprintf("%d/%d", uid, gid), Format: string(h[:6]), Type: TypeOther}
		content := io.LimitReader(in, size)
		switch {
		case m.Mode.IsRegular() && links > 1 && size == 0:
			m.Type, m.Link = TypeHardLink, "another member, which has the content" // by its inode
		case m.Mode.IsRegular():
			m.Type = TypeFile
		case m.Mode.IsDir():
			m.Type = TypeDirectory
		case m.Mode&fs.ModeSymlink != 0:
			m.Type = TypeSymlink
			target, err := io.ReadAll(io.LimitReader(content, maxCPIOName))
			if err != nil {
				return fmt.Errorf("cpio: %s: %w", name, err)
			}
			m.Link = string(target)
		}
		var body io.Reader
		if m.Type == TypeFile {
			body = &whole{content, size}
		} else if m.Type == TypeDirectory && size > 0 {
			w.out.loose(Loose{What: LooseDirectory, Member: name, Size: size})
		}
		if err := w.member(m, body); err != nil {
			return err
		}
		if n, err := io.Copy(io.Discard, content); err != nil {
			return err
		} else if m.Type == TypeOther && n > 0 {
			w.out.loose(Loose{What: LooseBetween, Member: name, Size: n})
		}
		if err := in.pad(name, -size&3); err != nil {
			return err
		}
	}
}

// unexpected is an end of the stream where more was announced.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// whole is content of which so many bytes are left; an earlier end is an error.
type whole struct {
	r    io.Reader
	left int64
}

func (c *whole) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.left -= int64(n); err == io.EOF && c.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// pad skips bytes that have to be zero.
func (s *tarStream) pad(member string, n int64) error {
	if n == 0 {
		return nil
	}
	s.allZero(member, n)
	_, err := io.CopyN(io.Discard, s, n)
	s.allZero("", 0)
	return unexpected(err)
}

// discard is a hash of nothing: a cpio stream has no name of its own.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Sum(b []byte) []byte         { return b }
func (discard) Reset()                      {}
func (discard) Size() int                   { return 0 }
func (discard) BlockSize() int              { return 1 }

// cpioFileMode turns a mode of Unix (stat.h) into Go's.
func cpioFileMode(mode int64) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode & 0o170000 {
	case 0o100000:
	case 0o040000:
		m |= fs.ModeDir
	case 0o120000:
		m |= fs.ModeSymlink
	default:
		m |= fs.ModeIrregular
	}
	for bit, with := range map[int64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if mode&bit != 0 {
			m |= with
		}
	}
	return m
}
