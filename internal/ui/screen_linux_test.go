package ui

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// screen is a small terminal emulator behind a real pseudo-terminal. It knows
// the sequences that this package writes and complains about all others.
type screen struct {
	t             *testing.T
	master, slave *os.File
	fd            int // of master; its Fd method would make reads block for good
	done          chan struct{}

	mu      sync.Mutex
	columns int
	height  int
	lines   [][]rune // all lines ever, those above the window too; wide characters take two entries
	row     int      // of the cursor, in lines
	col     int
	hidden  bool // cursor
	nowrap  bool
	styles  int // SGR sequences seen
	rest    []byte
	bad     []string
}

func newScreen(t *testing.T, columns, height int) *screen {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	s := &screen{t: t, fd: fd, master: os.NewFile(uintptr(fd), "ptmx"), done: make(chan struct{}), lines: [][]rune{nil}}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	s.slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.resize(columns, height)
	go func() {
		defer close(s.done)
		buf := make([]byte, 4096)
		for {
			n, err := s.master.Read(buf)
			s.mu.Lock()
			s.write(buf[:n])
			s.mu.Unlock()
			if err != nil { // EIO once the other end is closed
				return
			}
		}
	}()
	t.Cleanup(func() {
		if t.Failed() { // then somebody may still read from the terminal; hang up
			s.master.Close()
		}
		s.close()
		s.master.Close()
	})
	return s
}

func (s *screen) resize(columns, height int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.columns, s.height = columns, height
	ws := &unix.Winsize{Col: uint16(columns), Row: uint16(height)}
	if err := unix.IoctlSetWinsize(s.fd, unix.TIOCSWINSZ, ws); err != nil {
		s.t.Fatal(err)
	}
}

// close ends the terminal and waits until all that was written is on the screen.
func (s *screen) close() {
	s.slave.Close()
	<-s.done
	for _, b := range s.bad {
		s.t.Error(b)
	}
	s.bad = nil
}

func (s *screen) write(p []byte) {
	s.rest = append(s.rest, p...)
	for len(s.rest) > 0 {
		n := s.one(s.rest)
		if n == 0 {
			return // incomplete
		}
		s.rest = s.rest[n:]
	}
}

// one obeys the first character or sequence of p and returns its length.
func (s *screen) one(p []byte) int {
	switch p[0] {
	case '\r':
		s.col = 0
		return 1
	case '\n':
		s.row++
		if s.row == len(s.lines) {
			s.lines = append(s.lines, nil)
		}
		return 1
	case 0x1b:
		if len(p) < 2 {
			return 0
		}
		for i := 2; i < len(p); i++ {
			if p[i] >= 0x40 {
				s.csi(string(p[1:i]), p[i])
				return i + 1
			}
		}
		return 0
	}
	if p[0] < ' ' {
		s.bad = append(s.bad, fmt.Sprintf("control character %#x", p[0]))
		return 1
	}
	if !utf8.FullRune(p) {
		return 0
	}
	r, n := utf8.DecodeRune(p)
	s.put(r)
	return n
}

func (s *screen) csi(params string, final byte) {
	switch seq := params + string(final); {
	case seq == "[?25l":
		s.hidden = true
	case seq == "[?25h":
		s.hidden = false
	case seq == "[?7l":
		s.nowrap = true
	case seq == "[?7h":
		s.nowrap = false
	case seq == "[K":
		s.cut()
	case seq == "[J":
		s.cut()
		s.lines = s.lines[:s.row+1]
	case final == 'm':
		s.styles++
	case final == 'A':
		n, err := strconv.Atoi(params[1:])
		if err != nil || n < 1 {
			s.bad = append(s.bad, fmt.Sprintf("bad sequence %q", seq))
		}
		top := max(len(s.lines)-s.height, 0) // the cursor cannot leave the window
		if s.row-n < top {
			s.bad = append(s.bad, fmt.Sprintf("cursor moved %d up from line %d of a window that begins at %d", n, s.row, top))
		}
		s.row = max(s.row-n, top)
	default:
		s.bad = append(s.bad, fmt.Sprintf("unknown sequence %q", seq))
	}
}

func (s *screen) cut() {
	if line := s.lines[s.row]; len(line) > s.col {
		s.lines[s.row] = line[:s.col]
	}
}

func (s *screen) put(r rune) {
	w := runeWidth(r)
	if s.col+w > s.columns {
		if s.nowrap {
			s.bad = append(s.bad, fmt.Sprintf("line runs out of the screen at %q", r))
			return
		}
		s.one([]byte("\r"))
		s.one([]byte("\n"))
	}
	line := s.lines[s.row]
	for len(line) < s.col+w {
		line = append(line, ' ')
	}
	for i := range w {
		line[s.col+i] = -1 // second half of a wide character
	}
	line[s.col] = r
	s.col += w
	s.lines[s.row] = line
}

// text is all lines, without trailing space.
func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, line := range s.lines {
		text := strings.ReplaceAll(string(line), string(rune(-1)), "")
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// want waits until the screen shows text. Only a failure takes time.
func (s *screen) want(text string) {
	s.t.Helper()
	s.until(fmt.Sprintf("\n%s", text), func() bool { return s.text() == text })
}

func (s *screen) until(what string, ok func() bool) {
	s.t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Fatalf("the screen shows\n%s\nwanted: %s", s.text(), what)
}

// echoes reports whether the terminal shows what is typed.
func echoes(f *os.File) bool {
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil && state.Lflag&unix.ECHO != 0
}

// waiting is how many typed bytes nobody has read yet.
func (s *screen) waiting() int {
	n, err := unix.IoctlGetInt(int(s.slave.Fd()), unix.TIOCINQ)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}
