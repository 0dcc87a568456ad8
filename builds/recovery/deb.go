package recovery

import (
	"crypto/sha256"
	"errors"
	"io"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/files"
)

// deb adds the members of a Debian package (deb(5)): an ar archive whose
// data.tar.* is installed, and whose control.tar.* has scripts that run then.
func (c *collector) deb(it item, r io.ReaderAt, size int64) error {
	name, at := it.name, it.path()
	list, loose, err := archive.ReadAr(r, size)
	if err != nil {
		c.skip(name, at, KindArchive, "damaged ar archive: "+err.Error())
		return nil
	}
	data := 0
	for _, m := range list {
		if strings.HasPrefix(m.Name, "data.tar") {
			data++
		}
	}
	if data != 1 {
		c.skip(name, at, KindCode, "an ar archive that is no Debian package")
		return nil
	}
	before, members := len(c.Inputs), 0
	for _, l := range loose {
		c.skip(name, at, KindRest, "not all of the archive is in its members: "+l.String())
	}
	for _, m := range list {
		if err := c.debMember(it, m, io.NewSectionReader(r, m.Offset, m.Size)); err != nil {
			return err
		}
		members++
	}
	digest, _, err := files.DigestOf(c.ctx, io.NewSectionReader(r, 0, size))
	if err != nil {
		return err
	}
	c.Holders = append(c.Holders, Holder{Name: name, Format: "deb", SHA256: digest, Size: size, Members: members})
	if len(c.Inputs) == before && it.named {
		c.skip(name, at, KindArchive, "no executable in this package")
	}
	return nil
}

func (c *collector) debMember(it item, m archive.ArMember, r *io.SectionReader) error {
	prefix := it.name + "!" + m.Name
	switch {
	case !strings.HasPrefix(m.Name, "data.tar") && !strings.HasPrefix(m.Name, "control.tar"):
		s := &sniffer{name: m.Name, h: sha256.New()}
		if _, err := io.Copy(s, files.Reader(c.ctx, r)); err != nil {
			return err
		}
		c.list(prefix, "", s.kind(), s)
		return nil
	}
	a := holder{item: item{name: prefix, member: it.member, depth: it.depth, inside: true}, prefix: prefix, control: strings.HasPrefix(m.Name, "control.tar")}
	if strings.HasPrefix(m.Name, "data.tar") {
		a.prefix = it.name // what the package is for
	}
	err := c.archive(a, r, m.Size, append(versionsIn(it.name), it.versions...))
	if _, ok := errors.AsType[*archive.NotArchiveError](err); ok {
		c.skip(prefix, "", KindPacked, "not looked at: not a tar that this tool reads")
		return nil
	}
	return err
}
