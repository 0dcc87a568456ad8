package gobin

import (
	"errors"
	"io"
	"strconv"
	"strings"
)

// A static library is an ar archive. The linker writes into it the object of the
// Go program, under this name, then those of the C code ((*Link).archive in
// cmd/link/internal/ld).
const (
	arMagic    = "!<arch>\n"
	arHeader   = 60
	arEnd      = "`\n"
	goObject   = "go.o"
	maxMembers = 100_000
)

// OpenStatic reads the Go program in the static library at path, which go build
// -buildmode=c-archive wrote. Of the program it is known what the object says of
// itself: its build information, and its build ID where the format has a place
// for it. Offsets are within the object.
func OpenStatic(path string) (*File, error) { return open(path, parseStatic) }

// parseStatic is [OpenStatic] of the size bytes behind r.
func parseStatic(r io.ReaderAt, size int64) (*File, error) {
	off, n, err := findMember(input{r: r, size: size}, goObject)
	if err != nil {
		return nil, err
	}
	in := input{r: io.NewSectionReader(r, off, n), size: n}
	f, err := parse(in, false)
	if err == nil {
		return f, nil
	}
	if _, ok := errors.AsType[*NotGoError](err); !ok {
		return nil, err
	}
	// The objects of Windows have no header that tells them from other files.
	f = &File{Size: n, in: in}
	if err := f.scanBuildInfo(true); err != nil {
		return nil, err
	}
	if f.BuildInfo == nil {
		return nil, &NotGoError{}
	}
	return f, nil
}

// findMember finds the content of a member of an ar archive.
func findMember(in input, want string) (off, n int64, err error) {
	if !in.has(0, int64(len(arMagic))) {
		return 0, 0, &NotGoError{}
	}
	if magic, err := in.bytes(0, int64(len(arMagic))); err != nil || string(magic) != arMagic {
		return 0, 0, errors.Join(err, &NotGoError{})
	}
	at := int64(len(arMagic))
	for range maxMembers {
		if !in.has(at, arHeader) {
			return 0, 0, &NotGoError{}
		}
		h, err := in.bytes(at, arHeader)
		if err != nil {
			return 0, 0, err
		}
		at += arHeader
		n, err := strconv.ParseInt(strings.TrimRight(string(h[48:58]), " "), 10, 64)
		if err != nil || n < 0 || string(h[58:]) != arEnd || !in.has(at, n) {
			return 0, 0, &FormatError{Format: "ar", Reason: "a member's header is none"}
		}
		name := strings.TrimSuffix(strings.TrimRight(string(h[:16]), " "), "/")
		inside := int64(0) // BSD keeps longer names, or those with blanks, before the content
		if length, ok := strings.CutPrefix(name, "#1/"); ok {
			inside, err = strconv.ParseInt(length, 10, 64)
			if err != nil || inside < 0 || inside > n || inside > 1<<10 {
				return 0, 0, &FormatError{Format: "ar", Reason: "a member's name is none"}
			}
			long, err := in.bytes(at, inside)
			if err != nil {
				return 0, 0, err
			}
			name = strings.TrimRight(string(long), "\x00")
		}
		if name == want {
			return at + inside, n - inside, nil
		}
		at += n + n%2
	}
	return 0, 0, &FormatError{Format: "ar", Reason: "too many members"}
}
