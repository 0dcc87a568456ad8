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
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/universal"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
)

// Limits on what is read and copied in one run.
const (
	maxMembers = 4096     // programs of one archive
	maxMember  = 2 << 30  // bytes of one of them
	maxCopied  = 8 << 30  // bytes of all copies together
	maxFiles   = 1 << 16  // of one directory
	maxLooking = 64 << 30 // bytes of texts and the like in directories
	// MaxDepth is how many archives an archive may be in to be opened.
	MaxDepth     = 3
	maxNested    = 10_000    // of them
	maxUnpacking = 32 << 30  // bytes that they unpack to
	copyShare    = int64(2)  // half of the free disk at most
	noShare      = int64(-1) // what freeSpace says when it cannot tell
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
	Format  string `json:"format"` // directory, deb, rpm, apk, tar, tar.gz, tar.xz, zip and so on; of an OCI image, behind "OCI image, "
	SHA256  string `json:"sha256,omitempty"`
	Size    int64  `json:"size,omitempty"`
	Members int    `json:"members"` // directories are none
}

// Collect finds the programs in what was named: a binary, a universal binary,
// an archive (tar, also compressed; zip, such as a wheel; npm, Debian, RPM and Alpine
// packages; the tar of an OCI image) or a directory of any of these. Members are copied
// into work. Archives in archives are opened as well, such as the layers of an image, to
// the depth [MaxDepth]. Links are not followed; they, what is deeper, and everything
// else that may be a program or hold one, are inputs with a reason to skip them.
func Collect(ctx context.Context, names []string, work string) (*Found, error) {
	c := &collector{ctx: ctx, work: work, copies: maxCopied, looking: maxLooking, manuals: maxAllManual, nested: maxNested, unpacking: maxUnpacking}
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
			err = c.file(item{name: name, at: name, mode: fi.Mode(), named: true})
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

	nested    int   // archives in archives that may still be opened
	unpacking int64 // bytes that they may still unpack to
}

// item is a file to look at.
type item struct {
	name     string // for people
	member   string // its name inside of what was named, "" for a file in a directory
	at       string // where it lies
	mode     fs.FileMode
	named    bool     // by the user, who then expects a program in it
	depth    int      // archives that it is in
	inside   bool     // it is part of a package, whose depth it has
	versions []string // that the archives it is in suggest
}

// path is where the file lies, if it stays there.
func (it item) path() string {
	if it.depth > 0 || it.inside {
		return ""
	}
	return it.at
}

// spend counts what is unpacked of an archive in archives.
func (c *collector) spend(depth int) func(int64) error {
	if depth == 0 {
		return nil
	}
	return func(n int64) error {
		if c.unpacking -= n; c.unpacking < 0 {
			c.unpacking = 0
			return &archive.LimitError{Reason: "more than this tool unpacks of archives in archives in one run"}
		}
		return nil
	}
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
				err = c.file(item{name: shown, at: p, mode: info.Mode()})
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

// file adds a file by its content.
func (c *collector) file(it item) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	f, err := files.Open(it.at)
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
		return c.universal(it.name, "", it.at, f, fi.Size(), versionsIn(it.name))
	case isExecutable(head):
		c.Inputs = append(c.Inputs, Input{Name: it.name, Path: it.at, Kind: KindProgram, Versions: versionsIn(it.name)})
		return nil
	case hasMagic(head, archive.ArMagic):
		return c.deb(it, f, fi.Size())
	case hasMagic(head, archive.RPMMagic):
		return c.rpm(it, f, fi.Size())
	}
	err = c.archive(holder{item: it, prefix: it.name}, f, fi.Size(), append(versionsIn(it.name), it.versions...))
	var not *archive.NotArchiveError
	if !errors.As(err, &not) {
		return err
	}
	if done, err := c.compressed(it, f, fi.Size()); done || err != nil {
		return err
	}
	if it.named {
		c.skip(it.name, it.at, KindUnknown, "neither an executable nor an archive that this tool reads")
		return nil
	}
	return c.plain(it, f)
}

// compressed adds a program that is compressed by itself, and reports whether it is one.
func (c *collector) compressed(it item, f *os.File, size int64) (bool, error) {
	name := it.name
	spend := c.spend(it.depth)
	to, left := c.temp("uncompressed"), c.copies
	drop := func() { os.Remove(to); c.copies = left }
	var sum *archive.Summary
	var head bytes.Buffer
	var wrong error // with what was compressed, not with where it is written
	err := files.Create(to, 0o600, func(out *os.File) (err error) {
		most := min(maxMember, c.copies)
		sum, wrong = archive.Uncompress(c.ctx, f, size, writerFunc(func(p []byte) (int, error) {
			if n := 16 - head.Len(); n > 0 {
				head.Write(p[:min(n, len(p))])
			}
			if most -= int64(len(p)); most < 0 {
				return 0, &archive.LimitError{Reason: "more than this tool unpacks in one run"}
			}
			if spend != nil {
				if err := spend(int64(len(p))); err != nil {
					return 0, err
				}
			}
			n, failed := out.Write(p)
			err = failed
			return n, failed
		}))
		c.copies = max(most, 0)
		return err
	})
	program := isExecutable(head.Bytes()) || isFat(head.Bytes())
	switch {
	case c.ctx.Err() != nil:
		return false, context.Cause(c.ctx)
	case err != nil:
		drop()
		return false, fmt.Errorf("%s: %w", name, err)
	case !program: // whatever it is, and whatever is wrong with it, others say
		drop()
		return false, nil
	case wrong != nil:
		drop()
		c.skip(name, "", KindPacked, "not unpacked: "+wrong.Error())
		return true, nil
	}
	inner := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	member := inner
	if it.member != "" {
		inner = path.Base(strings.TrimSuffix(it.member, path.Ext(it.member)))
		member = it.member + "!" + inner
	}
	versions := append(versionsIn(name), it.versions...)
	for _, l := range sum.Loose {
		c.skip(name, "", KindRest, "not all of it is in what it unpacks to: "+l.String())
	}
	digest, _, err := files.DigestOf(c.ctx, io.NewSectionReader(f, 0, size))
	if err != nil {
		return false, err
	}
	c.Holders = append(c.Holders, Holder{Name: name, Format: sum.Format, SHA256: digest, Size: size, Members: 1})
	if isExecutable(head.Bytes()) {
		c.Inputs = append(c.Inputs, Input{Name: name + "!" + inner, Member: member, Path: to, Kind: KindProgram, Versions: versions})
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
	return true, c.universal(name+"!"+inner, member, to, u, fi.Size(), versions)
}

// writerFunc is a function that takes what is written.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// plain adds a file of a directory that is no program and no archive.
func (c *collector) plain(it item, f *os.File) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s := &sniffer{name: it.name, mode: it.mode, h: sha256.New()}
	n, err := io.Copy(s, io.LimitReader(files.Reader(c.ctx, f), c.looking+1))
	if err != nil {
		return err
	}
	if c.looking -= n; c.looking < 0 {
		c.looking = 0
		c.skip(it.name, it.path(), KindUnknown, "not looked at to its end: too much to read in one run")
		return nil
	}
	kind := s.kind()
	if kind == KindPacked && c.manual(f, it.name) {
		kind = KindManual
	}
	c.list(it.name, it.path(), kind, s)
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
	u, err := universal.Read(r, size)
	if err != nil {
		c.skip(name, at, KindUniversal, err.Error())
		return nil
	}
	rest, err := loose(u, r)
	if err != nil {
		return err
	}
	whole := Input{Name: name, Member: member, Path: at, Kind: KindUniversal, Versions: versions, universal: u, loose: rest}
	for _, s := range u.Slices {
		in := Input{Name: name + "!" + s.Arch(), Member: member, Kind: KindProgram, Versions: versions}
		part := s.Part(r)
		head, err := readHead(part)
		if err != nil {
			return err
		}
		switch {
		case gobin.FormatOf(head) != gobin.MachO:
			in.Skip = "not looked at: the slice is no Mach-O file"
		case s.Size > maxMember || s.Size > c.copies:
			in.Skip = "not looked at: larger than what this tool unpacks in one run"
		default:
			if in.Path, err = c.copy("slice", s.Part(r)); err != nil {
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

// readHead reads what tells the kind of a file: a tar says so at 257.
func readHead(r io.Reader) ([]byte, error) {
	head := make([]byte, 512)
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
		for _, ext := range []string{".tar", ".tgz", ".zip", ".deb", ".rpm", ".apk", ".whl", ".exe"} {
			v = strings.TrimSuffix(v, ext)
		}
		out = append(out, "v"+v)
	}
	return out
}
