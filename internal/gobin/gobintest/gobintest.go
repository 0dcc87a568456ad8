// Package gobintest makes small Go binaries that no toolchain has linked, for tests
// of who reads them. Only tests import it.
package gobintest

import (
	"encoding/binary"
	"strings"
)

// What encloses the linker's record (cmd/go/internal/modload.ModInfoData), and the
// flags of sections.
const (
	begin = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6"
	end   = "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
	write = 1
	alloc = 2
)

// ELF makes an ELF file of three sections: notes with the build ID,
// .data with the linker's record, and the section names. Empty arguments leave
// the contents out.
func ELF(id, mod string) []byte {
	le := binary.LittleEndian
	names := "\x00.note.go.buildid\x00.data\x00.shstrtab\x00"
	var note, data []byte
	if id != "" {
		note = le.AppendUint32(note, 4)
		note = le.AppendUint32(note, uint32(len(id)))
		note = le.AppendUint32(note, 4)
		note = append(append(note, "Go\x00\x00"...), id...)
		note = append(note, make([]byte, -len(note)&3)...)
	}
	if mod != "" {
		data = append(data, "\xff Go buildinf:"...)
		data = append(data, 8, 2)
		data = append(data, make([]byte, 16)...)
		data = binary.AppendUvarint(data, 8)
		data = append(data, "go1.26.8"...)
		text := begin + mod + end
		data = binary.AppendUvarint(data, uint64(len(text)))
		data = append(data, text...)
	}
	const table = 64
	h := make([]byte, 64)
	copy(h, "\x7fELF\x02\x01\x01")
	le.PutUint16(h[16:], 2)
	le.PutUint16(h[18:], 62)
	le.PutUint64(h[40:], table)
	le.PutUint16(h[52:], 64)
	le.PutUint16(h[54:], 56)
	le.PutUint16(h[58:], 64)
	le.PutUint16(h[60:], 4)
	le.PutUint16(h[62:], 3)
	off := uint64(table + 4*64)
	body := []byte{}
	section := func(name, typ uint32, flags uint64, b []byte) []byte {
		s := make([]byte, 64)
		le.PutUint32(s, name)
		le.PutUint32(s[4:], typ)
		le.PutUint64(s[8:], flags)
		le.PutUint64(s[24:], off+uint64(len(body)))
		le.PutUint64(s[32:], uint64(len(b)))
		body = append(body, b...)
		return s
	}
	out := append(h, make([]byte, 64)...) // section 0
	// The names come before .data, so that a test can append to .data.
	n := section(uint32(strings.Index(names, ".shstrtab")), 3, 0, []byte(names))
	a := section(1, 7, alloc, note)
	d := section(uint32(strings.Index(names, ".data")), 1, alloc|write, data)
	out = append(append(append(out, a...), d...), n...)
	return append(out, body...)
}
