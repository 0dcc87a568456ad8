package gobin

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// newestGo is the newest minor version of Go 1 whose function table is known here.
const newestGo = 27

// UnknownTableError says that a file has what only Go's linker writes, and a
// function table that cannot be read. It is an [ErrNoPCLNTab].
type UnknownTableError struct {
	Magic     uint32 // the first word of the table; 0 when there is no section for it
	Missing   bool   // there is none where it is expected
	GoVersion string // as the build information says; "" when it says nothing
}

func (e *UnknownTableError) Error() string {
	what := fmt.Sprintf("the function table begins with %#08x, which no known Go writes", e.Magic)
	if e.Missing {
		what = "sections of Go's linker, but no function table"
	}
	switch e.Magic {
	case 0xfffffffb:
		return "the function table is that of Go 1.2 to 1.15; those of Go 1.18 and later can be read"
	case 0xfffffffa:
		return "the function table is that of Go 1.16 and 1.17; those of Go 1.18 and later can be read"
	case 0xfffffff0, 0xfffffff1:
		what = "the function table has a known beginning, but not what has to follow it"
	}
	minor := minorOf(e.GoVersion)
	switch {
	case minor > newestGo:
		return fmt.Sprintf("%s: the file says %s, and Go is known up to 1.%d", what, e.GoVersion, newestGo)
	case minor >= 18:
		return fmt.Sprintf("%s: obfuscated or changed after it was linked, since the file says %s, whose table is known", what, e.GoVersion)
	case minor > 0:
		return fmt.Sprintf("%s: the file says %s, and Go is known from 1.18 on", what, e.GoVersion)
	}
	return fmt.Sprintf("%s: obfuscated (as by garble), or of a Go newer than 1.%d; the file does not say which Go built it", what, newestGo)
}

// Is makes it an [ErrNoPCLNTab].
func (e *UnknownTableError) Is(target error) bool { return target == ErrNoPCLNTab }

// Hint says what can still be known.
func (e *UnknownTableError) Hint() string {
	return "functions and packages are in no other table: ask for a build that is not obfuscated, or use a newer mintmark"
}

var goMinor = regexp.MustCompile(`go1\.([0-9]{1,3})`)

// minorOf is the minor version of Go that a text names; 0 when it names none.
func minorOf(version string) int {
	m := goMinor.FindStringSubmatch(version)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

// unknownTable is the error for a file without a function table that can be read:
// an *[UnknownTableError] if Go's linker wrote the file, else [ErrNoPCLNTab].
func (f *File) unknownTable() error {
	if f.PtrSize == 0 {
		return ErrNoPCLNTab
	}
	e := &UnknownTableError{}
	if f.BuildInfo != nil {
		e.GoVersion = f.BuildInfo.GoVersion
	}
	for _, s := range f.Sections {
		if s.Kind != KindPCLNTab || s.Size < int64(8+8*f.PtrSize) {
			continue
		}
		b, err := f.in.bytes(s.Offset, 4)
		if err != nil {
			return err
		}
		e.Magic = f.order().Uint32(b)
		return e
	}
	if magic, err := f.unknownMagic(); magic != 0 || err != nil {
		e.Magic = magic
		if err != nil {
			return err
		}
		return e
	}
	if !slices.ContainsFunc(f.Sections, func(s Section) bool {
		return s.Size > 0 && (s.Kind == KindBuildInfo || s.Name == ".note.go.buildid")
	}) {
		return ErrNoPCLNTab
	}
	e.Missing = true
	return e
}

// unknownMagic finds a header that is one in everything but its magic, in files
// whose function table has no section of its own; 0 when there is none.
func (f *File) unknownMagic() (magic uint32, err error) {
	// The names of the functions follow the header: its fourth word is its size.
	const head = 8
	size := uint64(head + 8*f.PtrSize)
	needle := make([]byte, f.PtrSize)
	f.putWord(needle, size)
	before := int64(head + 3*f.PtrSize)
	for _, s := range f.Sections {
		if s.Kind != KindROData && s.Kind != KindData || s.Nested {
			continue
		}
		err := f.try(s.Offset, s.Size, string(needle), maxBigTries, func(o int64) (bool, error) {
			at := o - before
			if at < s.Offset || (at-s.Offset)%int64(f.PtrSize) != 0 {
				return false, nil
			}
			b, err := f.in.bytes(at, 4)
			if err != nil {
				return false, err
			}
			t, err := f.headerAt(at, s.Offset+s.Size-at)
			if t == nil || err != nil || t.NumFuncs < 8 || t.NumFiles < 1 || t.FuncNames-at != int64(size) {
				return false, err
			}
			magic = f.order().Uint32(b)
			return magic != 0, nil
		})
		if magic != 0 || err != nil {
			return magic, err
		}
	}
	return 0, nil
}
