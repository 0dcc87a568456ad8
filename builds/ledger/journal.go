package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/internal/exact"
)

// execution is one run of one action: a compile, and what it wrote.
type execution struct {
	Action, Output actions.ID
	Size           int64    // of the output, bytes
	Place          string   // where: [firstPlace] or [secondPlace]
	Run            string   // which run of mintmark, "" when no run noted it
	Platform       string   // GOOS/GOARCH[/variant], for people
	Package        string   // import path
	Deps           []string // short IDs of the compiles it depends on directly, sorted
}

// Places. Executions are independent when their places differ: the two share
// neither directory nor cache nor circumstances (see package execute).
const (
	firstPlace  = "first"
	secondPlace = "second"
)

// The journal has one line for an execution:
//
//	1 ACTION OUTPUT SIZE PLACE RUN PLATFORM PACKAGE DEPS MAC
//
// separated by tabs. MAC authenticates the line and the toolchain with the
// ledger's secret: a line that was damaged, cut off, written by somebody else
// or for another toolchain is no line. Lines are only ever appended.
const (
	lineVersion = "1"
	lineFields  = 10
	macLen      = 16
	maxLine     = 64 << 10
)

// mac computes the lines' authentication codes.
type mac struct {
	h         hash.Hash
	toolchain string
	buf       []byte
}

func newMAC(secret []byte, toolchain string) *mac {
	return &mac{h: hmac.New(sha256.New, secret), toolchain: toolchain}
}

// sum authenticates a line without its last field.
func (m *mac) sum(line []byte) []byte {
	m.h.Reset()
	m.buf = append(append(m.buf[:0], m.toolchain...), '\n')
	m.h.Write(m.buf)
	m.h.Write(line)
	m.buf = m.h.Sum(m.buf[:0])
	return m.buf[:macLen]
}

var errLine = errors.New("not a line of a ledger")

// encode writes the line of an execution, with its newline.
func (m *mac) encode(e *execution) ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t", lineVersion, e.Action, e.Output, e.Size, e.Place, e.Run, e.Platform, e.Package, strings.Join(e.Deps, ","))
	b.WriteString(hex.EncodeToString(m.sum(b.Bytes())))
	b.WriteByte('\n')
	if b.Len() > maxLine {
		return nil, fmt.Errorf("%w: %d bytes", errLine, b.Len())
	}
	return b.Bytes(), nil
}

// decode reads a line, without its newline, and refuses what encode would not
// have written with the same secret and toolchain.
func (m *mac) decode(line []byte) (*execution, error) {
	cut := bytes.LastIndexByte(line, '\t')
	if cut < 0 || len(line)-cut-1 != 2*macLen || len(line) >= maxLine {
		return nil, errLine
	}
	if got, ok := exact.Hex(string(line[cut+1:])); !ok || !hmac.Equal(got, m.sum(line[:cut+1])) {
		return nil, errLine
	}
	f := strings.Split(string(line), "\t")
	if len(f) != lineFields || f[0] != lineVersion {
		return nil, errLine // of a later version
	}
	e := &execution{Place: f[4], Run: f[5], Platform: f[6], Package: f[7]}
	var err error
	if e.Action, err = actions.ParseID(f[1]); err != nil {
		return nil, errLine
	}
	if e.Output, err = actions.ParseID(f[2]); err != nil {
		return nil, errLine
	}
	var ok bool
	if e.Size, ok = exact.Decimal(f[3]); !ok {
		return nil, errLine
	}
	if f[8] != "" {
		e.Deps = strings.Split(f[8], ",")
	}
	if e.check() != nil {
		return nil, errLine
	}
	return e, nil
}

func (e *execution) check() error {
	if e.Size < 0 || e.Place != firstPlace && e.Place != secondPlace {
		return errLine
	}
	for _, s := range []string{e.Run, e.Platform, e.Package} {
		if !printable(s) {
			return fmt.Errorf("%w: %q", errLine, s)
		}
	}
	for _, d := range e.Deps {
		if !actions.IsShort(d) {
			return fmt.Errorf("%w: %q", errLine, d)
		}
	}
	return nil
}

// printable keeps out what would break a line or a terminal.
func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }) < 0
}

// ofModule reports whether a package belongs to the module with that path.
func ofModule(module, pkg string) bool {
	return pkg == module || strings.HasPrefix(pkg, module+"/") || pkg == "command-line-arguments" || !strings.Contains(path.Clean(pkg), "/") && pkg == "main"
}
