package recovery

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/internal/files"
)

const rpmMagic = "\xed\xab\xee\xdb"

// Of a header in an RPM package (rpm.org, "RPM v4 file format").
const (
	rpmLead      = 96
	rpmHeader    = "\x8e\xad\xe8\x01"
	maxRPMTags   = 1 << 16
	maxRPMHeader = 64 << 20 // bytes
)

// rpmScripts are the tags of what rpm runs when it installs or removes a package, or
// another one that this one watches (rpmtag.h).
var rpmScripts = map[uint32]string{
	1023: "prein", 1024: "postin", 1025: "preun", 1026: "postun", 1065: "trigger", 1079: "verifyscript", 1151: "pretrans", 1152: "posttrans",
	5066: "filetrigger", 5076: "transfiletrigger", 5101: "preuntrans", 5102: "postuntrans",
	1085: "prein", 1086: "postin", 1087: "preun", 1088: "postun", 1092: "trigger", 1091: "verifyscript", 1153: "pretrans", 1154: "posttrans", // their interpreters
	5067: "filetrigger", 5077: "transfiletrigger", 5103: "preuntrans", 5104: "postuntrans",
}

const (
	rpmVersion       = 1001
	rpmPayloadFormat = 1124
	rpmString        = 6 // type of a tag
)

// rpmFile is what of an RPM package is looked at here.
type rpmFile struct {
	version string
	format  string   // of the payload: "cpio"
	scripts []string // that are run, in their order
	payload int64    // where it begins
}

// readRPM reads the headers of a package.
func readRPM(r io.ReaderAt, size int64) (*rpmFile, error) {
	p := &rpmFile{format: "cpio"}
	// The first header has signatures, and is followed by padding to a multiple of 8.
	signatures, err := readRPMHeader(r, rpmLead, size, nil)
	if err != nil {
		return nil, fmt.Errorf("signatures: %w", err)
	}
	p.payload, err = readRPMHeader(r, (signatures+7)&^7, size, func(tag, kind uint32, text string) {
		switch script := rpmScripts[tag]; {
		case script != "":
			if n := len(p.scripts); n == 0 || p.scripts[n-1] != script {
				p.scripts = append(p.scripts, script)
			}
		case tag == rpmVersion && kind == rpmString:
			p.version = text
		case tag == rpmPayloadFormat && kind == rpmString:
			p.format = text
		}
	})
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return p, nil
}

// readRPMHeader reads one header, tells each tag with the first string of its data, and
// gives the offset behind it.
func readRPMHeader(r io.ReaderAt, at, size int64, tell func(tag, kind uint32, text string)) (int64, error) {
	var intro [16]byte
	if n, _ := r.ReadAt(intro[:], at); n < len(intro) || string(intro[:4]) != rpmHeader {
		return 0, errors.New("it does not begin as one")
	}
	tags, length := int64(binary.BigEndian.Uint32(intro[8:])), int64(binary.BigEndian.Uint32(intro[12:]))
	data := at + int64(len(intro)) + 16*tags
	end := data + length
	if tags > maxRPMTags || length > maxRPMHeader || end > size {
		return 0, fmt.Errorf("%d tags of %d bytes", tags, length)
	}
	if tell == nil {
		return end, nil
	}
	index, values := make([]byte, 16*tags), make([]byte, length)
	for _, part := range []struct {
		b  []byte
		at int64
	}{{index, at + int64(len(intro))}, {values, data}} {
		if n, err := r.ReadAt(part.b, part.at); n < len(part.b) {
			return 0, err
		}
	}
	for ; len(index) > 0; index = index[16:] {
		tag, kind, off := binary.BigEndian.Uint32(index), binary.BigEndian.Uint32(index[4:]), int64(binary.BigEndian.Uint32(index[8:]))
		if off > length {
			return 0, fmt.Errorf("tag %d is beyond its end", tag)
		}
		text, _, _ := bytes.Cut(values[off:], []byte{0})
		tell(tag, kind, string(text[:min(len(text), 256)]))
	}
	return end, nil
}

// rpm adds the members of an RPM package, and the scripts that are run with it.
func (c *collector) rpm(it item, r io.ReaderAt, size int64) error {
	p, err := readRPM(r, size)
	if err != nil {
		c.skip(it.name, it.path(), KindArchive, "damaged RPM package: "+err.Error())
		return nil
	}
	before := len(c.Inputs)
	for _, s := range p.scripts {
		c.skip(it.name+"!("+s+")", "", KindScript, KindScript.why())
	}
	versions := append(versionsIn(it.name), it.versions...)
	if versionForm.MatchString(p.version) {
		versions = append([]string{"v" + p.version}, versions...)
	}
	a := holder{item: it, prefix: it.name, of: "rpm", whole: r, wholeSize: size}
	a.walk = archive.WalkCPIO
	if strings.ToLower(p.format) != "cpio" {
		err = &archive.NotArchiveError{}
	} else {
		err = c.archive(a, io.NewSectionReader(r, p.payload, size-p.payload), size-p.payload, versions)
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
