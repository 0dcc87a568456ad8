package foreign

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/files"
)

// Limits on what is taken out of one archive.
const (
	maxMembers = 4096
	maxMember  = 2 << 30 // bytes of one binary
)

// Collect finds the executables in what was named: a binary, an archive (tar,
// tar.gz, tar.zst, zip, npm package, .deb) or a directory of any of these.
// Members are copied into work. A file that was named and is none of these is
// an Input with a reason to skip it; others in directories and archives are
// left out when they are no executables.
func Collect(ctx context.Context, names []string, work string) ([]Input, error) {
	c := &collector{ctx: ctx, work: work}
	for _, name := range names {
		fi, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		if !fi.IsDir() {
			if err := c.file(name, name, true); err != nil {
				return nil, err
			}
			continue
		}
		before := len(c.out)
		err = filepath.WalkDir(name, func(p string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			return c.file(p, p, false)
		})
		if err != nil {
			return nil, err
		}
		if len(c.out) == before {
			c.out = append(c.out, Input{Name: name, Path: name, Skip: "no executable and no archive with one in this directory"})
		}
	}
	return c.out, nil
}

type collector struct {
	ctx  context.Context
	work string
	n    int
	out  []Input
}

// file adds a file by its content. named files that are nothing we know are
// reported, others left out.
func (c *collector) file(name, at string, named bool) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	head, err := readHead(at)
	if err != nil {
		return err
	}
	switch {
	case isFat(head):
		return c.fat(name, at)
	case isExecutable(head):
		c.out = append(c.out, Input{Name: name, Path: at, Versions: versionsIn(name)})
		return nil
	case bytes.HasPrefix(head, []byte("!<arch>\n")):
		return c.deb(name, at, named)
	}
	found, err := c.archive(name, at)
	var not *archive.NotArchiveError
	if errors.As(err, &not) {
		if named {
			c.out = append(c.out, Input{Name: name, Path: at, Skip: "neither an executable nor an archive that this tool reads"})
		}
		return nil
	}
	if err != nil {
		c.out = append(c.out, Input{Name: name, Path: at, Skip: "damaged archive: " + err.Error()})
		return nil
	}
	if found == 0 && named {
		c.out = append(c.out, Input{Name: name, Path: at, Skip: "no executable in this archive"})
	}
	return nil
}

// archive adds the executables of a tar or zip.
func (c *collector) archive(name, at string) (found int, err error) {
	versions := versionsIn(name)
	start := len(c.out)
	_, err = archive.Scan(c.ctx, at, func(h archive.Header, r io.Reader) error {
		if path.Base(h.Name) == "package.json" && h.Size < 1<<20 {
			data, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			var pkg struct{ Version string }
			if json.Unmarshal(data, &pkg) == nil && pkg.Version != "" {
				versions = append([]string{"v" + pkg.Version}, versions...)
			}
			return nil
		}
		head := make([]byte, 16)
		n, err := io.ReadFull(r, head)
		if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		head = head[:n]
		if !isExecutable(head) && !isFat(head) {
			return nil
		}
		member := name + "!" + strings.TrimPrefix(h.Name, "./")
		if len(c.out)-start >= maxMembers || h.Size > maxMember {
			c.out = append(c.out, Input{Name: member, Skip: "more or larger executables in one archive than this tool unpacks"})
			return nil
		}
		to := c.temp("member")
		if err := copyTo(to, io.MultiReader(bytes.NewReader(head), r)); err != nil {
			return err
		}
		if isFat(head) {
			return c.fat(member, to)
		}
		c.out = append(c.out, Input{Name: member, Path: to})
		return nil
	})
	for i := start; i < len(c.out); i++ {
		c.out[i].Versions = slices.Clone(versions)
	}
	return len(c.out) - start, err
}

func (c *collector) temp(kind string) string {
	c.n++
	return filepath.Join(c.work, fmt.Sprintf("%s-%d", kind, c.n))
}

// deb adds the executables of a Debian package: an ar archive with data.tar.*
// in it (deb(5)).
func (c *collector) deb(name, at string, named bool) error {
	skip := func(reason string) error {
		c.out = append(c.out, Input{Name: name, Path: at, Skip: reason})
		return nil
	}
	f, err := files.Open(at)
	if err != nil {
		return err
	}
	defer f.Close()
	member, data, err := findAr(f, "data.tar")
	switch {
	case err != nil:
		return skip("damaged ar archive: " + err.Error())
	case member == "":
		if named {
			return skip("an ar archive that is no Debian package")
		}
		return nil
	case strings.HasSuffix(member, ".xz"), strings.HasSuffix(member, ".lzma"), strings.HasSuffix(member, ".bz2"):
		return skip("its content is compressed as " + path.Ext(member)[1:] + ", which this tool does not read; unpack it (dpkg-deb -x) and name the binaries")
	}
	to := c.temp("deb")
	if err := copyTo(to, data); err != nil {
		return skip("damaged ar archive: " + err.Error())
	}
	before := len(c.out)
	if _, err := c.archive(name, to); err != nil {
		c.out = c.out[:before]
		return skip(member + ": " + err.Error())
	}
	if len(c.out) == before && named {
		return skip("no executable in this package")
	}
	return nil
}

// findAr finds the member of an ar archive whose name begins so; "" when there is none.
func findAr(r io.ReaderAt, prefix string) (name string, data *io.SectionReader, err error) {
	const magic, header = 8, 60
	for off := int64(magic); ; {
		var h [header]byte
		if n, err := r.ReadAt(h[:], off); n == 0 && err == io.EOF {
			return "", nil, nil
		} else if n < header {
			return "", nil, errors.New("truncated header")
		}
		var size int64
		if _, err := fmt.Sscanf(strings.TrimSpace(string(h[48:58])), "%d", &size); err != nil || size < 0 || size > maxMember*4 || string(h[58:]) != "`\n" {
			return "", nil, errors.New("malformed header")
		}
		name := strings.TrimSuffix(strings.TrimSpace(string(h[:16])), "/")
		if strings.HasPrefix(name, prefix) {
			return name, io.NewSectionReader(r, off+header, size), nil
		}
		off += header + size + size%2
	}
}

// fat adds the slices of a universal Mach-O binary, each a binary of its own.
func (c *collector) fat(name, at string) error {
	f, err := files.Open(at)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 8+20*32)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	head = head[:n]
	count := int(binary.BigEndian.Uint32(head[4:]))
	for i := range count {
		e := head[min(8+20*i, len(head)):]
		if len(e) < 20 {
			c.out = append(c.out, Input{Name: name, Path: at, Skip: "damaged universal binary"})
			return nil
		}
		arch := map[uint32]string{0x01000007: "amd64", 0x0100000c: "arm64"}[binary.BigEndian.Uint32(e)]
		if arch == "" {
			arch = fmt.Sprintf("machine-%d", binary.BigEndian.Uint32(e))
		}
		to := c.temp("slice")
		if err := copyTo(to, io.NewSectionReader(f, int64(binary.BigEndian.Uint32(e[8:])), int64(binary.BigEndian.Uint32(e[12:])))); err != nil {
			return err
		}
		c.out = append(c.out, Input{Name: name + "!" + arch, Path: to, Versions: versionsIn(name)})
	}
	return nil
}

func readHead(name string) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}

// isExecutable goes by the first bytes; whether it is Go's is seen later.
func isExecutable(b []byte) bool {
	for _, magic := range []string{
		"\x7fELF", "MZ", "\x00asm", "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe", "\x01\xdf", "\x01\xf7",
		"\x00\x00\x8a\x97", "\x00\x00\x06\x47", "\x00\x00\x01\xeb", // Plan 9
	} {
		if bytes.HasPrefix(b, []byte(magic)) {
			return true
		}
	}
	return false
}

// isFat tells universal binaries from Java classes, whose version is where the
// number of slices would be.
func isFat(b []byte) bool {
	return len(b) >= 8 && bytes.HasPrefix(b, []byte("\xca\xfe\xba\xbe")) && binary.BigEndian.Uint32(b[4:]) < 20 && binary.BigEndian.Uint32(b[4:]) > 0
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

func copyTo(name string, r io.Reader) error {
	return files.Create(name, 0o600, func(f *os.File) error {
		n, err := io.Copy(f, io.LimitReader(r, maxMember+1))
		if err == nil && n > maxMember {
			err = fmt.Errorf("more than %d bytes", int64(maxMember))
		}
		return err
	})
}
