package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// RPMMagic is how an RPM package begins.
const RPMMagic = "\xed\xab\xee\xdb"

// RPMLead is the size of what is before the first header.
const RPMLead = 96

// RPMHeader is how a header in an RPM package begins (rpm.org, "RPM v4 file format").
const RPMHeader = "\x8e\xad\xe8\x01"

const (
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

// RPM is what the headers of an RPM package say, as far as it is looked at here.
type RPM struct {
	Version string
	Format  string   // of the payload: "cpio"
	Scripts []string // that are run, in their order
	Payload int64    // where it begins; see [WalkCPIO]
}

// ReadRPM reads the headers of an RPM package.
func ReadRPM(r io.ReaderAt, size int64) (*RPM, error) {
	p := &RPM{Format: "cpio"}
	// The first header has signatures, and is followed by padding to a multiple of 8.
	signatures, err := readRPMHeader(r, RPMLead, size, nil)
	if err != nil {
		return nil, fmt.Errorf("signatures: %w", err)
	}
	p.Payload, err = readRPMHeader(r, (signatures+7)&^7, size, func(tag, kind uint32, text string) {
		switch script := rpmScripts[tag]; {
		case script != "":
			if n := len(p.Scripts); n == 0 || p.Scripts[n-1] != script {
				p.Scripts = append(p.Scripts, script)
			}
		case tag == rpmVersion && kind == rpmString:
			p.Version = text
		case tag == rpmPayloadFormat && kind == rpmString:
			p.Format = text
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
	if n, _ := r.ReadAt(intro[:], at); n < len(intro) || string(intro[:4]) != RPMHeader {
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
