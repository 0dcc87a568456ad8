package recovery

import (
	"errors"
	"io"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/files"
)

// rpm adds the members of an RPM package, and the scripts that are run with it.
func (c *collector) rpm(it item, r io.ReaderAt, size int64) error {
	p, err := archive.ReadRPM(r, size)
	if err != nil {
		c.skip(it.name, it.path(), KindArchive, "damaged RPM package: "+err.Error())
		return nil
	}
	before := len(c.Inputs)
	for _, s := range p.Scripts {
		c.skip(it.name+"!("+s+")", "", KindScript, KindScript.why())
	}
	versions := append(versionsIn(it.name), it.versions...)
	if versionForm.MatchString(p.Version) {
		versions = append([]string{"v" + p.Version}, versions...)
	}
	a := holder{item: it, prefix: it.name, of: "rpm", whole: r, wholeSize: size}
	a.walk = archive.WalkCPIO
	if strings.ToLower(p.Format) != "cpio" {
		err = &archive.NotArchiveError{}
	} else {
		err = c.archive(a, io.NewSectionReader(r, p.Payload, size-p.Payload), size-p.Payload, versions)
	}
	if _, ok := errors.AsType[*archive.NotArchiveError](err); ok {
		c.skip(it.name, it.path(), KindPacked, "not looked at: its payload is no cpio archive, or is compressed in a way that this tool does not read")
		digest, _, err := files.DigestOf(c.ctx, io.NewSectionReader(r, 0, size))
		if err != nil {
			return err
		}
		c.Holders = append(c.Holders, Holder{Name: it.name, Format: "rpm", SHA256: digest, Size: size})
		return nil
	}
	if err == nil && len(c.Inputs) == before && it.named {
		c.skip(it.name, it.path(), KindArchive, "no executable in this package")
	}
	return err
}
