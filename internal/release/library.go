package release

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/gobin"
)

// executable reports whether what the unit makes is run. Libraries and headers
// are read, and the go command does not mark them either (BuildInstallFunc in
// cmd/go/internal/work).
func executable(u *plan.Unit) bool { return !u.Mode().Library() }

// openLinked opens what the linker wrote: of a static library, the object in it
// that holds the Go program.
func openLinked(u *plan.Unit, path string) (*gobin.File, error) {
	if u.Mode() == fact.CArchive {
		return gobin.OpenStatic(path)
	}
	return gobin.Open(path)
}

// RefuseLibrary refuses to make variants of a library.
func RefuseLibrary(u *plan.Unit) error {
	if mode := u.Mode(); mode.Library() {
		return fault.Usagef("choose a profile of a program with -profile and -platform",
			"%s: buildmode %s makes a library, and variants are compared of programs", u.ID(), mode)
	}
	return nil
}

// maxHeader bounds what is read of a header to say where two differ.
const maxHeader = 16 << 20

// header is a header of a library, and which executor made it.
type header struct{ path, by string }

// headerOf is a product that is a header, as one of the executions has made it.
func (c *compared) headerOf(pr *product, execution int) header {
	return header{pr.paths[execution], c.all[execution].By}
}

// headerFinding says where two headers differ. No flag or circumstance is known
// that makes them: cgo copies them from the source, and names of it the base names
// of files alone, with -trimpath and without (measured with go1.21 to go1.27).
func headerFinding(first, second header) (f fact.Finding, err error) {
	var lines [2][][]byte
	for i, h := range []header{first, second} {
		data, err := files.Read(h.path, maxHeader)
		if err != nil {
			return f, err
		}
		lines[i] = bytes.Split(data, []byte("\n"))
	}
	f = fact.Finding{
		Cause: fact.CauseUnknown, Confidence: fact.Possible,
		Remedy: "compare the two headers: cgo copies the comments above import \"C\" and the exported functions of package main into them",
	}
	a, b := lines[0], lines[1]
	for i := range max(len(a), len(b)) {
		la, lb := line(a, i), line(b, i)
		if la == lb {
			continue
		}
		f.Evidence = []string{fmt.Sprintf("line %d: %s in the %s, %s in the %s", i+1, quoted(la), first.by, quoted(lb), second.by)}
		break
	}
	return f, nil
}

func line(lines [][]byte, i int) string {
	if i < len(lines) {
		return string(lines[i])
	}
	return ""
}

// quoted quotes the beginning of a line.
func quoted(s string) string { return fmt.Sprintf("%.200q", s) }

// OpenAny opens a binary of any kind; static says that it is the object in a
// static library.
func OpenAny(path string) (f *gobin.File, static bool, err error) {
	f, err = gobin.Open(path)
	if _, ok := errors.AsType[*gobin.NotGoError](err); ok {
		if s, err := gobin.OpenStatic(path); err == nil {
			return s, true, nil
		}
	}
	return f, false, err
}

// UnsizedLibrary says why there is no size of the parts of a static library.
const UnsizedLibrary = "a static library: which bytes of it a program has, is decided when that is linked"
