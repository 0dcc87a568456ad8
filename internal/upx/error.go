package upx

import (
	"fmt"
	"regexp"
	"strings"
)

// Exceptions that UPX reports by name (its src/except.h).
const (
	alreadyPacked  = "AlreadyPackedException"
	cantPack       = "CantPackException"
	cantUnpack     = "CantUnpackException"
	notCompressed  = "NotCompressibleException"
	notPacked      = "NotPackedException"
	unknownFormat  = "UnknownExecutableFormatException"
	overlayTrouble = "OverlayException"
)

// Error is a refusal by UPX.
type Error struct {
	File      string // base name of the input
	Op        string // "pack", "test" or "unpack"
	Exception string // UPX's name of the error, such as [cantPack]; "" when it gave none
	Text      string // UPX's explanation, often empty
	ExitCode  int    // 1 is an error; 2, a warning of UPX, means that nothing was done
}

func (e *Error) Error() string {
	s := fmt.Sprintf("upx: %s: %s: %s", e.File, e.Op, e.meaning())
	var detail []string
	if e.Exception != "" {
		detail = append(detail, e.Exception)
	}
	if e.Text != "" {
		detail = append(detail, e.Text)
	}
	if len(detail) == 0 {
		return s
	}
	return s + " (" + strings.Join(detail, ": ") + ")"
}

func (e *Error) meaning() string {
	switch e.Exception {
	case alreadyPacked:
		return "already packed"
	case cantPack:
		return "cannot be packed"
	case cantUnpack:
		return "cannot be unpacked"
	case notCompressed:
		return "does not get smaller"
	case notPacked:
		return "not packed by upx"
	case unknownFormat:
		return "upx does not know this executable format"
	case overlayTrouble:
		return "has data after its end"
	}
	return fmt.Sprintf("exit status %d", e.ExitCode)
}

// Hint says what to do about it.
func (e *Error) Hint() string {
	switch {
	case e.Exception == alreadyPacked:
		return "pack the file the linker wrote; is UPX run by another step as well?"
	case e.Exception == unknownFormat, e.Exception == cantPack:
		return "remove upx for this platform with an override in the profile"
	case e.Exception == notCompressed:
		return "the file is too small to pack; remove upx for it"
	case e.Op != "pack":
		return "do not release the packed file; try another version of UPX"
	}
	return ""
}

// exceptionLine is "upx: FILE: NameException: text", with the name that the
// executable was started by.
var exceptionLine = regexp.MustCompile(`(?m)^[^:\n]+: (?:[^:\n]+): (\w*Exception)(?:: ([^\r\n]*))?\r?$`)

func newError(file, op string, code int, output string) *Error {
	e := &Error{File: file, Op: op, ExitCode: code}
	if m := exceptionLine.FindStringSubmatch(output); m != nil {
		e.Exception, e.Text = m[1], strings.TrimSpace(m[2])
	} else {
		e.Text = firstLine(output)
	}
	return e
}
