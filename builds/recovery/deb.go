package recovery

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/files"
)

const arMagic = "!<arch>\n"

// arMember is a file in an ar archive (ar(5)).
type arMember struct {
	name      string
	off, size int64
}

// readAr lists an ar archive, and what of it is in no member.
func readAr(r io.ReaderAt, size int64) (out []arMember, loose []archive.Loose, err error) {
	const header, most = 60, 1024
	at := int64(len(arMagic))
	for at < size {
		var h [header]byte
		if n, _ := r.ReadAt(h[:], at); n < header {
			return nil, nil, errors.New("truncated header")
		}
		var length int64
		if _, err := fmt.Sscanf(strings.TrimSpace(string(h[48:58])), "%d", &length); err != nil || length < 0 || string(h[58:]) != "`\n" {
			return nil, nil, errors.New("malformed header")
		}
		m := arMember{strings.TrimSuffix(strings.TrimSpace(string(h[:16])), "/"), at + header, length}
		if length > size-m.off {
			return nil, nil, fmt.Errorf("%q ends beyond its end", m.name)
		}
		if out = append(out, m); len(out) > most {
			return nil, nil, fmt.Errorf("more than %d members", most)
		}
		at = m.off + length
		if length%2 == 1 && at < size {
			var pad [1]byte
			if _, err := r.ReadAt(pad[:], at); err != nil {
				return nil, nil, err
			}
			if pad[0] != '\n' {
				loose = append(loose, archive.Loose{What: archive.LoosePadding, Member: m.name, Offset: at, Size: 1})
			}
			at++
		}
	}
	return out, loose, nil
}

// deb adds the members of a Debian package (deb(5)): an ar archive whose
// data.tar.* is installed, and whose control.tar.* has scripts that run then.
func (c *collector) deb(it item, r io.ReaderAt, size int64) error {
	name, at := it.name, it.path()
	list, loose, err := readAr(r, size)
	if err != nil {
		c.skip(name, at, KindArchive, "damaged ar archive: "+err.Error())
		return nil
	}
	data := 0
	for _, m := range list {
		if strings.HasPrefix(m.name, "data.tar") {
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
		if err := c.debMember(it, m, io.NewSectionReader(r, m.off, m.size)); err != nil {
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

func (c *collector) debMember(it item, m arMember, r *io.SectionReader) error {
	prefix := it.name + "!" + m.name
	switch {
	case !strings.HasPrefix(m.name, "data.tar") && !strings.HasPrefix(m.name, "control.tar"):
		s := &sniffer{name: m.name, h: sha256.New()}
		if _, err := io.Copy(s, files.Reader(c.ctx, r)); err != nil {
			return err
		}
		c.list(prefix, "", s.kind(), s)
		return nil
	}
	a := holder{item: item{name: prefix, member: it.member, depth: it.depth, inside: true}, prefix: prefix, control: strings.HasPrefix(m.name, "control.tar")}
	if strings.HasPrefix(m.name, "data.tar") {
		a.prefix = it.name // what the package is for
	}
	err := c.archive(a, r, m.size, append(versionsIn(it.name), it.versions...))
	if _, ok := errors.AsType[*archive.NotArchiveError](err); ok {
		c.skip(prefix, "", KindPacked, "not looked at: not a tar that this tool reads")
		return nil
	}
	return err
}
