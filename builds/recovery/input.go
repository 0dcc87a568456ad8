package recovery

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Limits on what is read and copied in one run.
const (
	maxMembers = 4096      // programs of one archive
	maxMember  = 2 << 30   // bytes of one of them
	maxCopied  = 8 << 30   // bytes of all copies together
	maxFiles   = 1 << 16   // of one directory
	maxLooking = 64 << 30  // bytes of texts and the like in directories
	copyShare  = int64(2)  // half of the free disk at most
	noShare    = int64(-1) // what freeSpace says when it cannot tell
)

// Found is everything that was named. Each file, member and leftover is in one
// of the lists, or in the entry that stands for where it was found.
type Found struct {
	// Inputs are to be rebuilt, or cannot be, with the reason.
	Inputs []Input
	// Listed was looked at, runs nothing and holds nothing: there is nothing to rebuild.
	Listed []Listed
	// Holders are the directories and archives that the others were found in.
	Holders []Holder
}

// Listed is a file that is no program.
type Listed struct {
	Name   string `json:"name"`
	Kind   Kind   `json:"kind"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Holder is a directory or archive. Of an archive the members are rebuilt; its
// own bytes, which are headers and compression, are not made again.
type Holder struct {
	Name    string `json:"name"`
	Format  string `json:"format"` // directory, deb, tar, tar.gz, tar.zst, zip
	SHA256  string `json:"sha256,omitempty"`
	Size    int64  `json:"size,omitempty"`
	Members int    `json:"members"` // directories are none
}

// Collect finds the programs in what was named: a binary, a universal binary,
// an archive (tar, tar.gz, tar.zst, zip, npm package, .deb) or a directory of
// any of these. Members are copied into work. Archives in archives are not
// looked into, links not followed; they, and everything else that may be a
// program or hold one, are inputs with a reason to skip them.
func Collect(ctx context.Context, names []string, work string) (*Found, error) {
	c := &collector{ctx: ctx, work: work, copies: maxCopied, looking: maxLooking, manuals: maxAllManual}
	if free := freeSpace(work); free != noShare {
		c.copies = min(c.copies, free/copyShare)
	}
	for _, name := range names {
		fi, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		switch {
		case fi.IsDir():
			err = c.directory(name)
		case !fi.Mode().IsRegular():
			c.skip(name, "", KindSpecial, KindSpecial.why()) // opening a pipe would wait for somebody
		default:
			err = c.file(name, name, fi.Mode(), true)
			if p, ok := errors.AsType[*fs.PathError](err); ok && p.Path == name && ctx.Err() == nil {
				c.skip(name, "", KindUnknown, "not looked at: "+cause(err)) // the others can be
				err = nil
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return &c.Found, nil
}

type collector struct {
	Found
	ctx     context.Context
	work    string
	n       int
	copies  int64 // bytes that may still be copied
	looking int64 // bytes of files in directories that may still be read
	manuals int64 // bytes that texts may still unpack to
}

// skip adds what is not looked at, or not to its end.
func (c *collector) skip(name, at string, kind Kind, reason string) {
	c.Inputs = append(c.Inputs, Input{Name: name, Path: at, Kind: kind, Skip: reason})
}

// directory adds what lies in a directory and below. Links are not followed,
// so there are no loops.
func (c *collector) directory(name string) error {
	root, err := filepath.EvalSymlinks(name) // the one that was named may be a link
	if err != nil {
		return err
	}
	before, n, members := len(c.Inputs), 0, 0
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		shown := name
		if rel, relErr := filepath.Rel(root, p); relErr == nil && rel != "." {
			shown = filepath.Join(name, rel)
		}
		if err != nil {
			c.skip(shown, "", KindDirectory, "not looked at: "+cause(err))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if n++; n > maxFiles {
			c.skip(name, "", KindDirectory, fmt.Sprintf("not looked at to its end: more than %d files", maxFiles))
			return fs.SkipAll
		}
		switch {
		case d.IsDir():
			return c.ctx.Err()
		case d.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(p)
			c.skip(shown, "", KindLink, fmt.Sprintf("not looked at: a symbolic link, to %q", target))
		case !d.Type().IsRegular():
			c.skip(shown, "", KindSpecial, KindSpecial.why())
		default:
			info, err := d.Info()
			if err == nil {
				err = c.file(shown, p, info.Mode(), false)
			}
			if err != nil && c.ctx.Err() == nil {
				c.skip(shown, "", KindUnknown, "not looked at: "+cause(err))
				err = nil
			}
			members++
			return err
		}
		members++
		return c.ctx.Err()
	})
	if err != nil {
		return err
	}
	c.Holders = append(c.Holders, Holder{Name: name, Format: string(KindDirectory), Members: members})
	if len(c.Inputs) == before {
		c.skip(name, "", KindDirectory, "no executable and no archive with one in this directory")
	}
	return nil
}

// cause is an error about a file, without its name.
func cause(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Op + ": " + p.Err.Error()
	}
	return err.Error()
}

// file adds a file by its content. at is where it lies.
func (c *collector) file(name, at string, mode fs.FileMode, named bool) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	f, err := files.Open(at)
	if err != nil {
		return err
	}
	defer f.Close()
	head, err := readHead(f)
	if err != nil {
		return err
	}
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	switch {
	case isFat(head):
		return c.universal(name, "", at, f, fi.Size(), versionsIn(name))
	case isExecutable(head):
		c.Inputs = append(c.Inputs, Input{Name: name, Path: at, Kind: KindProgram, Versions: versionsIn(name)})
		return nil
	case hasMagic(head, arMagic):
		return c.deb(name, at, f, fi.Size(), named)
	}
	err = c.archive(holder{name: name, prefix: name, at: at, named: named}, f, fi.Size(), versionsIn(name))
	var not *archive.NotArchiveError
	if !errors.As(err, &not) {
		return err
	}
	if done, err := c.compressed(name, f, fi.Size()); done || err != nil {
		return err
	}
	if named {
		c.skip(name, at, KindUnknown, "neither an executable nor an archive that this tool reads")
		return nil
	}
	return c.plain(name, at, f, mode)
}

// compressed adds a program that is compressed by itself, and reports whether it is one.
func (c *collector) compressed(name string, f *os.File, size int64) (bool, error) {
	to, left := c.temp("uncompressed"), c.copies
	drop := func() { os.Remove(to); c.copies = left }
	var sum *archive.Summary
	var head bytes.Buffer
	err := files.Create(to, 0o600, func(out *os.File) (err error) {
		most := min(maxMember, c.copies)
		sum, err = archive.Uncompress(c.ctx, f, size, writerFunc(func(p []byte) (int, error) {
			if n := 16 - head.Len(); n > 0 {
				head.Write(p[:min(n, len(p))])
			}
			if most -= int64(len(p)); most < 0 {
				return 0, &archive.LimitError{Reason: "more than this tool unpacks in one run"}
			}
			return out.Write(p)
		}))
		c.copies = max(most, 0)
		return err
	})
	program := isExecutable(head.Bytes()) || isFat(head.Bytes())
	switch {
	case c.ctx.Err() != nil:
		return false, context.Cause(c.ctx)
	case !program: // whatever it is, and whatever is wrong with it, others say
		drop()
		return false, nil
	case err != nil:
		drop()
		c.skip(name, "", KindPacked, "not unpacked: "+err.Error())
		return true, nil
	}
	inner := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	for _, l := range sum.Loose {
		c.skip(name, "", KindRest, "not all of it is in what it unpacks to: "+l.String())
	}
	digest, _, err := files.DigestOf(c.ctx, io.NewSectionReader(f, 0, size))
	if err != nil {
		return false, err
	}
	c.Holders = append(c.Holders, Holder{Name: name, Format: sum.Format, SHA256: digest, Size: size, Members: 1})
	if isExecutable(head.Bytes()) {
		c.Inputs = append(c.Inputs, Input{Name: name + "!" + inner, Member: inner, Path: to, Kind: KindProgram, Versions: versionsIn(name)})
		return true, nil
	}
	u, err := files.Open(to)
	if err != nil {
		return false, err
	}
	defer u.Close()
	fi, err := u.Stat()
	if err != nil {
		return false, err
	}
	return true, c.universal(name+"!"+inner, inner, to, u, fi.Size(), versionsIn(name))
}

// writerFunc is a function that takes what is written.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// plain adds a file of a directory that is no program and no archive.
func (c *collector) plain(name, at string, f *os.File, mode fs.FileMode) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s := &sniffer{name: name, mode: mode, h: sha256.New()}
	n, err := io.Copy(s, io.LimitReader(files.Reader(c.ctx, f), c.looking+1))
	if err != nil {
		return err
	}
	if c.looking -= n; c.looking < 0 {
		c.looking = 0
		c.skip(name, at, KindUnknown, "not looked at to its end: too much to read in one run")
		return nil
	}
	kind := s.kind()
	if kind == KindPacked && c.manual(f, name) {
		kind = KindManual
	}
	c.list(name, at, kind, s)
	return nil
}

// manual reports whether a file is compressed text.
func (c *collector) manual(f io.ReadSeeker, name string) bool {
	_, err := f.Seek(0, io.SeekStart)
	return err == nil && compressedText(name, f, &c.manuals)
}

// list adds a file whose kind is known: to what was looked at, or to what costs.
func (c *collector) list(name, at string, kind Kind, s *sniffer) {
	if kind.inert() {
		c.Listed = append(c.Listed, Listed{Name: name, Kind: kind, Size: s.size, SHA256: hex.EncodeToString(s.h.Sum(nil))})
		return
	}
	c.skip(name, at, kind, kind.why())
}

// universal adds the slices of a universal binary, each a binary of its own, and
// behind them the whole, which is compared when they have been.
func (c *collector) universal(name, member, at string, r io.ReaderAt, size int64, versions []string) error {
	u, err := readUniversal(r, size)
	if err != nil {
		c.skip(name, at, KindUniversal, err.Error())
		return nil
	}
	loose, err := u.loose(r)
	if err != nil {
		return err
	}
	whole := Input{Name: name, Member: member, Path: at, Kind: KindUniversal, Versions: versions, universal: u, loose: loose}
	for _, s := range u.slices {
		in := Input{Name: name + "!" + s.arch(), Member: member, Kind: KindProgram, Versions: versions}
		part := io.NewSectionReader(r, s.off, s.size)
		head, err := readHead(part)
		if err != nil {
			return err
		}
		switch {
		case gobin.FormatOf(head) != gobin.MachO:
			in.Skip = "not looked at: the slice is no Mach-O file"
		case s.size > maxMember || s.size > c.copies:
			in.Skip = "not looked at: larger than what this tool unpacks in one run"
		default:
			if in.Path, err = c.copy("slice", io.NewSectionReader(r, s.off, s.size)); err != nil {
				return err
			}
		}
		whole.parts = append(whole.parts, len(c.Inputs))
		c.Inputs = append(c.Inputs, in)
	}
	c.Inputs = append(c.Inputs, whole)
	return nil
}

func (c *collector) temp(kind string) string {
	c.n++
	return filepath.Join(c.work, fmt.Sprintf("%s-%d", kind, c.n))
}

// copy writes a private copy, of no more than may still be copied.
func (c *collector) copy(kind string, r io.Reader) (name string, err error) {
	name = c.temp(kind)
	most := min(maxMember, c.copies)
	return name, files.Create(name, 0o600, func(f *os.File) error {
		n, err := io.Copy(f, io.LimitReader(files.Reader(c.ctx, r), most+1))
		if err == nil && n > most {
			err = &archive.LimitError{Reason: fmt.Sprintf("a file of more than %d bytes", most)}
		}
		c.copies -= min(n, c.copies)
		return err
	})
}

func readHead(r io.Reader) ([]byte, error) {
	head := make([]byte, 16)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}

var versionInName = regexp.MustCompile(`[-_@v]([0-9]+\.[0-9]+\.[0-9]+(?:-(?:alpha|beta|rc|pre)[0-9A-Za-z.]*)?)`)

// versionsIn are module versions that a file's name suggests.
func versionsIn(name string) []string {
	var out []string
	for _, m := range versionInName.FindAllStringSubmatch(filepath.Base(name), 4) {
		v := strings.TrimSuffix(m[1], ".")
		for _, ext := range []string{".tar", ".tgz", ".zip", ".deb", ".exe"} {
			v = strings.TrimSuffix(v, ext)
		}
		out = append(out, "v"+v)
	}
	return out
}
