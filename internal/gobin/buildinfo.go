package gobin

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"regexp"
	"runtime/debug"
	"strings"
)

// The linker's record (cmd/link/internal/ld.(*Link).buildinfo) is a 32-byte
// header, then the version and the module information, each a length and text. Before
// Go 1.18 the header ended in pointers to two strings of the program instead.
// The module information is framed by two 16-byte markers
// (cmd/go/internal/modload), which also frame runtime.modinfo.
const (
	buildInfoMagic  = "\xff Go buildinf:"
	buildInfoHeader = 32
	flagBig         = 1 // the byte order of the pointers
	flagInline      = 2 // the strings follow the header: Go 1.18 and later
	modInfoStart    = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6"
	modInfoEnd      = "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
	maxVersion      = 256
)

func (f *File) findBuildInfo() error {
	if f.Format == Wasm {
		// No sections of data to look into: everything is one data section.
		return f.scanBuildInfo(false)
	}
	for _, kind := range []Kind{KindBuildInfo, KindData} {
		for _, s := range f.Sections {
			if s.Kind != kind || s.Nested {
				continue
			}
			if ok, err := f.buildInfoIn(s.Offset, s.Size, FromSection); ok || err != nil {
				return err
			}
		}
	}
	return f.scanBuildInfo(true)
}

// scanBuildInfo searches the whole file, first for the linker's record and then
// for the text of runtime.modinfo.
func (f *File) scanBuildInfo(record bool) error {
	if record {
		if ok, err := f.buildInfoIn(0, f.in.size, FromScan); ok || err != nil {
			return err
		}
	}
	err := f.try(0, f.in.size, modInfoStart, maxBigTries, func(o int64) (bool, error) {
		start := o + int64(len(modInfoStart))
		_, n := f.in.clip(start, maxModInfo)
		b, err := f.in.bytes(start, n)
		if err != nil {
			return false, err
		}
		text, _, ok := bytes.Cut(b, []byte(modInfoEnd))
		if !ok || !bytes.HasPrefix(text, []byte("path\t")) && !bytes.HasPrefix(text, []byte("mod\t")) {
			return false, nil
		}
		bi, err := debug.ParseBuildInfo(string(text))
		if err != nil {
			return false, nil
		}
		f.BuildInfo, f.BuildInfoFrom = bi, FromModInfo
		return true, nil
	})
	if err != nil || f.BuildInfo == nil {
		return err
	}
	f.BuildInfo.GoVersion, err = f.guessVersion()
	return err
}

// buildInfoIn looks for the linker's record in [off, off+n). The magic alone
// proves nothing: every program that reads build information contains it.
func (f *File) buildInfoIn(off, n int64, from string) (bool, error) {
	err := f.try(off, n, buildInfoMagic, maxBigTries, func(o int64) (bool, error) {
		bi, err := f.buildInfoAt(o)
		if bi != nil {
			f.BuildInfo, f.BuildInfoFrom = bi, from
		}
		return bi != nil, err
	})
	return f.BuildInfo != nil, err
}

func (f *File) buildInfoAt(off int64) (*debug.BuildInfo, error) {
	if !f.in.has(off, buildInfoHeader) {
		return nil, nil
	}
	h, err := f.in.bytes(off, buildInfoHeader)
	if err != nil {
		return nil, err
	}
	var version, mod string
	if h[15]&flagInline == 0 {
		version, mod, err = f.pointedStrings(h)
	} else {
		version, mod, err = f.inlineStrings(off + buildInfoHeader)
	}
	if err != nil || !strings.HasPrefix(version, "go") && !strings.HasPrefix(version, "devel") {
		return nil, err
	}
	bi := &debug.BuildInfo{}
	if len(mod) >= 33 && mod[len(mod)-17] == '\n' { // framed by the markers
		if bi, err = debug.ParseBuildInfo(mod[16 : len(mod)-16]); err != nil {
			return nil, nil
		}
	}
	bi.GoVersion = version
	return bi, nil
}

// RecordedVersion is the text that the linker's record has in the place of the version
// of Go, whatever it is: garble writes "unknown" there, which makes the record no build
// information. It is "" for formats in which the record has no section of its own.
func (f *File) RecordedVersion() (string, error) {
	for _, s := range f.Sections {
		if s.Kind != KindBuildInfo || s.Nested || s.Size < buildInfoHeader {
			continue
		}
		h, err := f.in.bytes(s.Offset, buildInfoHeader)
		if err != nil || string(h[:len(buildInfoMagic)]) != buildInfoMagic || h[15]&flagInline == 0 {
			return "", err
		}
		version, _, err := f.lenString(s.Offset+buildInfoHeader, maxVersion)
		return version, err
	}
	return "", nil
}

// inlineStrings reads the version and the module information that are at off.
func (f *File) inlineStrings(off int64) (version, mod string, err error) {
	version, next, err := f.lenString(off, maxVersion)
	if err != nil || version == "" {
		return "", "", err
	}
	mod, _, err = f.lenString(next, maxModInfo)
	return version, mod, err
}

// pointedStrings reads those that a header of before Go 1.18 points to. They are "" where
// the loader fills the pointers in, as in position-independent programs.
func (f *File) pointedStrings(h []byte) (version, mod string, err error) {
	if int(h[14]) != f.PtrSize || (h[15]&flagBig != 0) != f.Big {
		return "", "", nil
	}
	if version, err = f.stringAt(f.Word(h[16:]), maxVersion); err != nil || version == "" {
		return "", "", err
	}
	mod, err = f.stringAt(f.Word(h[16+f.PtrSize:]), maxModInfo)
	return version, mod, err
}

// stringAt reads a variable of type string: address and length of its text.
func (f *File) stringAt(addr uint64, limit int64) (string, error) {
	s, off := f.At(addr)
	if s == nil || s.Kind == KindBSS || !f.in.has(off, int64(2*f.PtrSize)) {
		return "", nil
	}
	b, err := f.in.bytes(off, int64(2*f.PtrSize))
	if err != nil {
		return "", err
	}
	length := f.Word(b[f.PtrSize:])
	s, off = f.At(f.Word(b))
	if s == nil || s.Kind == KindBSS || length > uint64(limit) || !f.in.has(off, int64(length)) {
		return "", nil
	}
	b, err = f.in.bytes(off, int64(length))
	return string(b), err
}

// lenString reads a varint length and that many bytes. A length beyond limit
// gives "": what is there is not the linker's record.
func (f *File) lenString(off, limit int64) (s string, next int64, err error) {
	_, n := f.in.clip(off, binary.MaxVarintLen64)
	b, err := f.in.bytes(off, n)
	if err != nil {
		return "", 0, err
	}
	l, w := binary.Uvarint(b)
	off += int64(w)
	if w <= 0 || l > uint64(limit) || !f.in.has(off, int64(l)) {
		return "", off, nil
	}
	b, err = f.in.bytes(off, int64(l))
	return string(b), off + int64(l), err
}

// versionText is what runtime.buildVersion can be, with the NUL the linker
// ends its strings with.
var versionText = regexp.MustCompile(`^go1\.[0-9]+(\.[0-9]+|rc[0-9]+|beta[0-9]+)?([-+ ][ -~]*)?\x00`)

// guessVersion looks for the text of runtime.buildVersion. It returns "" unless
// exactly one version is found.
func (f *File) guessVersion() (string, error) {
	version, unique := "", true
	var inner error
	err := f.scan(0, f.in.size, []byte("go1."), func(o int64, b []byte) bool {
		if len(b) < 64 {
			_, n := f.in.clip(o, 64)
			if b, inner = f.in.bytes(o, n); inner != nil {
				return false
			}
		}
		if m := versionText.Find(b[:min(len(b), 64)]); m != nil {
			v := string(m[:len(m)-1])
			unique = unique && (version == "" || version == v)
			version = v
		}
		return unique
	})
	if !unique {
		version = ""
	}
	return version, cmp.Or(inner, err)
}
