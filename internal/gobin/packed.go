package gobin

import (
	"bytes"
	"fmt"
	"regexp"
)

// UPX leaves its marks around its unpacker: "UPX!" in the headers it writes, and
// its version as "$Id: UPX 3.94 Copyright" (ELF, Mach-O) or "3.94\0UPX!" (PE).
const (
	upxMark = "UPX!"
	upxID   = "$Id: UPX "
)

var (
	upxIDVersion = regexp.MustCompile(`^\$Id: UPX ([0-9]+\.[0-9]+[0-9.]*) Copyright`)
	upxPEVersion = regexp.MustCompile(`([0-9]+\.[0-9]+[0-9.]*)\x00UPX!`)
)

// findPacker recognises UPX. It is asked only about files without a sign of Go,
// so that a program which knows these marks itself is not taken for packed.
func (f *File) findPacker() error {
	packed := false
	for _, s := range f.Sections {
		if f.Format == PE && (s.Name == "UPX0" || s.Name == "UPX1") {
			packed = true
		}
	}
	head, err := f.in.bytes(0, min(f.in.size, 4096))
	if err != nil {
		return err
	}
	tail := min(f.in.size, 256)
	end, err := f.in.bytes(f.in.size-tail, tail)
	if err != nil {
		return err
	}
	if f.Format != PE {
		packed = bytes.Contains(head, []byte(upxMark)) || bytes.Contains(end, []byte(upxMark))
	}
	if !packed {
		return nil
	}
	f.Packed = "UPX"
	header := head
	if f.Format != PE {
		header = end
	}
	if f.PackMethod, f.PackLevel = packMethod(header); f.PackMethod != "" {
		f.PackedMethod = fmt.Sprintf("%s level %d", f.PackMethod, f.PackLevel)
	}
	if m := upxPEVersion.FindSubmatch(head); m != nil && f.Format == PE {
		f.Packed = "UPX " + string(m[1])
		return nil
	}
	return f.try(0, f.in.size, upxID, maxSmallTries, func(o int64) (bool, error) {
		_, n := f.in.clip(o, 64)
		b, err := f.in.bytes(o, n)
		if err != nil {
			return false, err
		}
		m := upxIDVersion.FindSubmatch(b)
		if m != nil {
			f.Packed = "UPX " + string(m[1])
		}
		return m != nil, nil
	})
}

// packMethod reads the packer's header (UPX, packhead.cpp): "UPX!", then one
// byte each for version, format, method and level. In ELF and Mach-O files it
// is the last of several marks.
func packMethod(b []byte) (name string, level int) {
	i := bytes.LastIndex(b, []byte(upxMark))
	if i < 0 || len(b)-i < 8 {
		return "", 0
	}
	name = map[byte]string{
		2: "NRV2B", 3: "NRV2B", 4: "NRV2B", 5: "NRV2D", 6: "NRV2D", 7: "NRV2D", 8: "NRV2E", 9: "NRV2E", 10: "NRV2E",
		14: "LZMA", 15: "DEFLATE", 16: "ZSTD",
	}[b[i+6]]
	if level = int(b[i+7]); name == "" || level < 1 || level > 10 {
		return "", 0
	}
	return name, level
}
