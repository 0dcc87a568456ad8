package bindiff

import (
	"context"
	"hash/maphash"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/gobin"
)

// Texts of the data: what ends with NUL (as the linker ends the values of -X),
// and lines. Texts are compared as sets, since a longer one moves all others.

const (
	minText   = 2
	maxText   = 512     // longer runs of printable bytes are not taken for a value
	maxTexts  = 1 << 20 // per file and kind
	maxListed = 64      // texts that only one file has and a variable holds
	maxFound  = 1 << 14 // texts that only one file has: most are numbers and addresses that look like texts
	minLine   = 6       // bytes; numbers look like shorter lines
	lineKey   = 12      // bytes of a line that tell it from others: the start can run into a neighbour
)

// textDiff is what the data of both files says in different words.
type textDiff struct {
	onlyA, onlyB []string // texts that end with NUL and that a variable of Go holds, sorted
	more         bool     // not all are listed or compared

	// Lines that end with \r\n in one file and with \n in the other, and whether
	// there are lines that differ otherwise.
	crlfA, crlfB int
	otherLines   bool
}

// texts compares the texts of both files, once for all passes; nil when they
// could not be read.
func (p *pair) texts() *textDiff {
	if p.textDone {
		return p.textDiff
	}
	p.textDone = true
	if p.a.r == nil || p.b.r == nil {
		return nil
	}
	seed := maphash.MakeSeed()
	a, b := &textSet{seed: seed}, &textSet{seed: seed}
	for _, x := range []struct {
		set  *textSet
		side *side
	}{{a, p.a}, {b, p.b}} {
		if err := x.set.read(p.ctx, x.side, nil); err != nil {
			p.note(x.side, err)
			return nil
		}
		x.set.sort()
	}
	d := &textDiff{more: a.full || b.full}
	list := func(s *side, other *textSet) (out []string) {
		again := &textSet{seed: seed}
		held := newHolders(s)
		err := again.read(p.ctx, s, func(text []byte, addr uint64, h uint64) {
			if _, ok := slices.BinarySearch(other.texts, h); ok {
				return
			}
			if len(held.texts) >= maxFound {
				d.more = true
				return
			}
			held.add(addr, string(text))
		})
		if err == nil {
			out, err = held.find(p.ctx)
		}
		if err != nil {
			p.note(s, err)
		}
		if len(out) > maxListed {
			d.more = true
			out = out[:maxListed]
		}
		return out
	}
	d.onlyA, d.onlyB = list(p.a, b), list(p.b, a)
	d.crlfA, d.crlfB = a.lines.endings(b.lines), b.lines.endings(a.lines)
	d.otherLines = a.lines.others(b.lines) || b.lines.others(a.lines)
	p.textDiff = d
	return d
}

// lineSet holds hashes of lines; the lowest bit says how they end.
type lineSet []uint64

const crlfBit = 1

// endings counts the lines that end with \r\n here and only with \n in o.
func (l lineSet) endings(o lineSet) int {
	n := 0
	for _, h := range l {
		if h&crlfBit == 0 {
			continue
		}
		_, same := slices.BinarySearch(o, h)
		if _, lf := slices.BinarySearch(o, h&^crlfBit); lf && !same {
			n++
		}
	}
	return n
}

// others reports whether there are lines here that o has with no ending.
func (l lineSet) others(o lineSet) bool {
	return slices.ContainsFunc(l, func(h uint64) bool {
		_, lf := slices.BinarySearch(o, h&^crlfBit)
		_, crlf := slices.BinarySearch(o, h|crlfBit)
		return !lf && !crlf
	})
}

type textSet struct {
	seed  maphash.Seed
	texts []uint64
	lines lineSet
	full  bool
}

func (t *textSet) sort() {
	slices.Sort(t.texts)
	t.texts = slices.Compact(t.texts)
	slices.Sort(t.lines)
	t.lines = slices.Compact(t.lines)
}

// holdsTexts says which sections have the texts of the program: those that
// compilers and Go's linker put data into, and not the tables of dynamic linking
// or of exceptions, whose numbers look like texts.
func holdsTexts(s gobin.Section) bool {
	if s.Nested || s.Size == 0 || s.Kind != gobin.KindROData && s.Kind != gobin.KindData {
		return false
	}
	name := s.Name
	if strings.HasPrefix(name, "__") { // Mach-O: segment and section
		_, name, _ = strings.Cut(name, ",__")
		return slices.Contains([]string{"rodata", "data", "noptrdata", "const", "cstring"}, name)
	}
	if !strings.HasPrefix(name, ".") {
		return true // formats whose sections have no such names, files without them
	}
	for _, prefix := range []string{".rodata", ".rdata", ".data", ".noptrdata"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// read goes through the data of a file. With each it only calls that for the
// NUL-terminated texts; without, it keeps the hashes.
func (t *textSet) read(ctx context.Context, s *side, each func(text []byte, addr, h uint64)) error {
	buf := make([]byte, windowSize)
	budget := 4 * s.size // the sections of a hostile file overlap
	var run [maxText]byte
	for _, sec := range s.file.Sections {
		if !holdsTexts(sec) {
			continue
		}
		if budget -= sec.Size; budget < 0 {
			t.full = true
			return nil
		}
		r := s.file.Reader(sec)
		at := int64(0)  // of buf in the section
		n, tail := 0, 0 // of the run of printable bytes; of the line, in run
		tooLong := false
		for {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			got, err := r.Read(buf)
			for i, c := range buf[:got] {
				switch {
				case c >= 0x20 && c <= 0x7e || c == '\t' || c == '\r':
					if n == maxText { // keep the end, for the line
						copy(run[:], run[maxText-2*lineKey:])
						n, tail, tooLong = 2*lineKey, 0, true
					}
					run[n] = c
					n++
					continue
				case c == '\n':
					if each == nil && n > tail {
						t.line(run[tail:n])
					}
					if n == maxText {
						n, tooLong = 0, true
					}
					run[n] = c
					n++
					tail = n
					continue
				case c == 0 && n >= minText && !tooLong && tail == 0:
					h := maphash.Bytes(t.seed, run[:n])
					if each != nil {
						each(run[:n], sec.Addr+uint64(at+int64(i-n)), h)
					} else if len(t.texts) < maxTexts {
						t.texts = append(t.texts, h)
					} else {
						t.full = true
					}
				}
				n, tail, tooLong = 0, 0, false
			}
			at += int64(got)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *textSet) line(b []byte) {
	end := uint64(0)
	if b[len(b)-1] == '\r' {
		b, end = b[:len(b)-1], crlfBit
	}
	if len(b) < minLine {
		return
	}
	if len(b) > lineKey {
		b = b[len(b)-lineKey:]
	}
	if len(t.lines) >= maxTexts {
		t.full = true
		return
	}
	t.lines = append(t.lines, maphash.Bytes(t.seed, b)&^crlfBit|end)
}

// shapes of values that do not belong into a release, and what to call them.
var shapes = []struct {
	name string
	re   *regexp.Regexp
}{
	{"a date", regexp.MustCompile(`^\d{4}-\d\d-\d\d([T_ -]\d\d[:.-]?\d\d([:.-]?\d\d)?([.]\d+)?( ?(Z|UTC|[+-]\d\d:?\d\d))?)?$`)},
	{"a date", regexp.MustCompile(`^\d{8}([T_.-]?\d{6}Z?|[T_-]\d{2}:\d{2}:\d{2})?$`)},
	{"a date", regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun),? .*\d\d:\d\d(:\d\d)?.*$`)},
	{"a date", regexp.MustCompile(`^\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{4}.*$`)},
	{"a time in Unix seconds", regexp.MustCompile(`^1\d{9}$`)},
	{"a commit", regexp.MustCompile(`^[0-9a-f]{7,40}(-dirty|\+dirty)?$`)},
	{"a path", regexp.MustCompile(`^(/[\w.@+-]+){2,}/?$|^[A-Za-z]:[\\/]`)},
	{"a user and a host name", regexp.MustCompile(`^[a-z_][a-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*$`)},
	{"a version", regexp.MustCompile(`^v?\d+\.\d+(\.\d+)?([-+.][0-9A-Za-z.+-]*)?$`)},
	{"a host name", regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?){1,}$|^[a-z]+(-[a-z0-9]+)*-?\d+$|^[0-9a-f]{12}$|^(localhost|DESKTOP-[A-Z0-9]+|[A-Za-z0-9-]+\.local)$`)},
	{"a user name", regexp.MustCompile(`^(root|runner|builder|build|jenkins|ubuntu|vscode|circleci|gitlab-runner|travis|admin|user)$`)},
}

// shape says what a value looks like, or "".
func shape(s string) string {
	if len(s) > 200 {
		return ""
	}
	for _, x := range shapes {
		if x.re.MatchString(s) {
			if x.name == "a commit" && !letterAndDigit(s) {
				continue
			}
			return x.name
		}
	}
	return ""
}

// letterAndDigit tells a hash from a number and from a word.
func letterAndDigit(s string) bool {
	letter, digit := false, false
	for _, c := range s {
		letter = letter || c >= 'a' && c <= 'f'
		digit = digit || c >= '0' && c <= '9'
	}
	return letter && digit
}
