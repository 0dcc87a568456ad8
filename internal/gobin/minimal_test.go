package gobin

import (
	"encoding/binary"
)

// minimalMachO makes an arm64 Mach-O file of one segment with one section that
// starts with a build ID.
func minimalMachO() []byte {
	le := binary.LittleEndian
	text := buildIDPrefix + `"a/b/c/d"` + buildIDSuffix
	const cmd = 72 + 80
	out := le.AppendUint32(nil, 0xfeedfacf)
	for _, v := range []uint32{0x0100000c, 0, 2, 1, cmd, 0, 0} {
		out = le.AppendUint32(out, v)
	}
	seg := make([]byte, cmd)
	le.PutUint32(seg, machSegment64)
	le.PutUint32(seg[4:], cmd)
	copy(seg[8:], "__TEXT")
	le.PutUint32(seg[64:], 1)
	copy(seg[72:], "__text")
	copy(seg[88:], "__TEXT")
	le.PutUint64(seg[72+40:], uint64(len(text)))
	le.PutUint32(seg[72+48:], 32+cmd)
	le.PutUint32(seg[72+64:], 0x80000400)
	return append(append(out, seg...), text...)
}

// minimalPE makes a windows/amd64 file of one code section with a build ID.
func minimalPE() []byte {
	le := binary.LittleEndian
	text := buildIDPrefix + `"a/b/c/d"` + buildIDSuffix
	out := make([]byte, 64+24+240+40)
	copy(out, "MZ")
	le.PutUint32(out[0x3c:], 64)
	copy(out[64:], "PE\x00\x00")
	le.PutUint16(out[68:], 0x8664)
	le.PutUint16(out[70:], 1)
	le.PutUint16(out[84:], 240)
	le.PutUint16(out[88:], 0x20b)
	le.PutUint32(out[88+108:], 16)
	s := out[64+24+240:]
	copy(s, ".text")
	le.PutUint32(s[16:], uint32(len(text)))
	le.PutUint32(s[20:], uint32(len(out)))
	le.PutUint32(s[36:], 0x60000020)
	return append(out, text...)
}

// minimalWasm makes a module of the build ID section and a data section.
func minimalWasm() []byte {
	section := func(id byte, body string) []byte {
		return append(binary.AppendUvarint([]byte{id}, uint64(len(body))), body...)
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	out = append(out, section(0, "\x0ago:buildid"+buildIDPrefix+`"a/b/c/d"`+buildIDSuffix)...)
	return append(out, section(11, modInfoStart+"path\tx\nmod\tx\t(devel)\t\n"+modInfoEnd+"go1.26.8\x00")...)
}
