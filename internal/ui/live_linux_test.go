package ui

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func (s *screen) terminal(env ...string) *Terminal {
	return New(s.slave, s.slave, s.slave, variables(append(env, "TERM=xterm")...))
}

func TestLive(t *testing.T) {
	s := newScreen(t, 70, 10)
	term := s.terminal("NO_COLOR=1")
	c := new(clockwork)
	p := newProgress(term, 4, c.now, time.Hour)
	p.Start("a", "linux/amd64 build", 100*time.Second)
	p.Start("b", "linux/arm/7 build", 0)
	p.tick()
	s.want(`  linux/amd64 build          0 s  [....................]   0 %
  linux/arm/7 build          0 s
mintmark: 0/4 done
`)
	c.pass(50 * time.Second)
	p.Remaining(2 * time.Minute)
	p.tick()
	s.want(`  linux/amd64 build         50 s  [##########..........]  50 %
  linux/arm/7 build         50 s
mintmark: 0/4 done, about 2 min left
`)
	p.Done("a", nil, "8.4 MiB")
	s.want(`mintmark: 1/4 linux/amd64 build: done in 50 s, 8.4 MiB
  linux/arm/7 build         50 s
mintmark: 1/4 done, about 2 min left
`)
	term.Note("a long note that does not fit into the width of the screen is folded")
	term.Error(errors.New("broken\nin two lines"))
	term.Printf("a result and half ")
	term.Printf("a line\nand the")
	s.want(`mintmark: 1/4 linux/amd64 build: done in 50 s, 8.4 MiB
mintmark: a long note that does not fit into the width of the screen
    is folded
mintmark: error: broken
    in two lines
a result and half a line
  linux/arm/7 build         50 s
mintmark: 1/4 done, about 2 min left
`)
	p.Done("b", errors.New("exit 1"), "")
	p.Start("c", "windows/amd64 build", 0)
	p.tick()
	term.Printf(" rest\n")
	term.Printf("unfinished")
	p.Close()
	s.close()
	want := `mintmark: 1/4 linux/amd64 build: done in 50 s, 8.4 MiB
mintmark: a long note that does not fit into the width of the screen
    is folded
mintmark: error: broken
    in two lines
a result and half a line
mintmark: 2/4 linux/arm/7 build: failed after 50 s: exit 1
and the rest
unfinished
`
	if got := s.text(); got != want {
		t.Errorf("in the end the screen shows\n%s\nwant\n%s", got, want)
	}
	if s.hidden || s.nowrap {
		t.Errorf("terminal left with cursor hidden %v, wrapping off %v", s.hidden, s.nowrap)
	}
	if s.styles > 0 {
		t.Errorf("NO_COLOR is set, but there were %d colours", s.styles)
	}
}

// More units than lines: the display must not be higher than the window, or
// the cursor could not go back to its beginning.
func TestLiveSmallWindow(t *testing.T) {
	s := newScreen(t, 30, 5)
	term := s.terminal()
	c := new(clockwork)
	p := newProgress(term, 0, c.now, time.Hour)
	for i := range 12 {
		p.Start(fmt.Sprint(i), fmt.Sprintf("unit %d 大小大小大小", i), time.Minute)
	}
	p.tick()
	s.want(`  unit 0 大小大…          0 s
  unit 1 大小大…          0 s
  unit 2 大小大…          0 s
mintmark: 0 done, 9 more run…
`)
	s.resize(24, 4)
	p.erase() // as if wiped: what a re-wrapping terminal leaves is not tested here
	s.mu.Lock()
	s.lines, s.row, s.col = [][]rune{nil}, 0, 0
	s.mu.Unlock()
	p.tick()
	s.want(`  unit 0 …          0 s
  unit 1 …          0 s
mintmark: 0 done, 10 m…
`)
	for i := range 12 {
		p.Done(fmt.Sprint(i), nil, "")
	}
	p.Close()
	s.close()
	if got := strings.Count(s.text(), "\n"); got != 24 || strings.Contains(s.text(), "0 s\n  unit") {
		t.Errorf("%d lines, want two for each of 12 units:\n%s", got, s.text())
	}
	if s.styles == 0 {
		t.Error("no colour on a terminal that has it")
	}
}

// The display of a program that crashes stays, but the terminal is usable and
// what the crash prints has a line of its own.
func TestLiveCrash(t *testing.T) {
	s := newScreen(t, 70, 10)
	p := newProgress(s.terminal(), 0, new(clockwork).now, time.Hour)
	p.Start("a", "unit", 0)
	p.tick()
	fmt.Fprint(s.slave, "panic: x\n")
	s.want("  unit          0 s\nmintmark: 0 done\npanic: x\n")
	s.mu.Lock()
	if s.hidden || s.nowrap {
		t.Errorf("terminal left with cursor hidden %v, wrapping off %v", s.hidden, s.nowrap)
	}
	s.mu.Unlock()
	p.Close()

	// And one that cleans up wipes it.
	s = newScreen(t, 70, 10)
	func() {
		defer func() { recover() }()
		p := newProgress(s.terminal(), 0, new(clockwork).now, time.Hour)
		defer p.Close()
		p.Start("a", "unit", 0)
		p.tick()
		panic("x")
	}()
	fmt.Fprint(s.slave, "panic: x\n")
	s.want("panic: x\n")
}

// The display refreshes itself.
func TestLiveRefresh(t *testing.T) {
	s := newScreen(t, 70, 10)
	c := new(clockwork)
	p := NewProgress(s.terminal(), 0, c.now)
	defer p.Close()
	p.Start("a", "unit", 0)
	s.want("  unit          0 s\nmintmark: 0 done\n")
	c.pass(time.Second)
	s.want("  unit          1 s\nmintmark: 0 done\n")
}

func TestLiveConcurrent(t *testing.T) {
	s := newScreen(t, 80, 12)
	hammer(s.terminal())
	s.close()
	counts := map[string]int{": done in": 400, "mintmark: note ": 400, "mintmark: error: error ": 40, "result ": 40}
	lines := strings.Split(strings.TrimSpace(s.text()), "\n")
	for _, line := range lines {
		for part := range counts {
			if strings.Contains(line, part) {
				counts[part]--
			}
		}
	}
	for part, n := range counts {
		if n != 0 {
			t.Errorf("%d lines with %q are missing", n, part)
		}
	}
	if len(lines) != 880 {
		t.Errorf("%d lines, want 880: the display left something behind", len(lines))
	}
}

func TestSecondProgressIsPlain(t *testing.T) {
	s := newScreen(t, 70, 10)
	term := s.terminal("NO_COLOR=1")
	p := newProgress(term, 0, new(clockwork).now, time.Hour)
	q := newProgress(term, 0, new(clockwork).now, time.Hour)
	p.Start("a", "first", 0)
	q.Start("b", "second", 0)
	p.tick()
	q.tick()
	q.Done("b", nil, "")
	q.Close()
	s.want("mintmark: 1 second: done in 0 s\n  first          0 s\nmintmark: 0 done\n")
	p.Close()
}

func TestWhereLive(t *testing.T) {
	s := newScreen(t, 70, 10)
	for _, tt := range []struct {
		env          string
		live, colour bool
	}{
		{"TERM=xterm", true, true}, {"TERM=dumb", false, false}, {"TERM=", false, false},
		{"TERM=xterm NO_COLOR=1", true, false}, {"TERM=xterm CI=true", false, true},
	} {
		term := New(s.slave, s.slave, s.slave, variables(strings.Fields(tt.env)...))
		if term.canLive != tt.live || term.err.colour != tt.colour || term.out.colour != tt.colour {
			t.Errorf("%s: live %v, colour %v", tt.env, term.canLive, term.err.colour)
		}
		if !term.StdoutIsTerminal() || !term.StderrIsTerminal() {
			t.Errorf("%s: not seen as a terminal", tt.env)
		}
	}
	var out bytes.Buffer
	term := New(s.slave, &out, s.slave, variables("TERM=xterm"))
	if term.Width() != 0 || term.out.colour || !term.canLive {
		t.Errorf("standard output is no terminal: width %d, colour %v, live %v", term.Width(), term.out.colour, term.canLive)
	}
}

func TestWidthOfTerminal(t *testing.T) {
	s := newScreen(t, 70, 10)
	term := s.terminal("COLUMNS=55")
	for _, w := range []int{70, 33} {
		s.resize(w, 10)
		if got := term.Width(); got != w {
			t.Errorf("width %d after the window became %d wide", got, w)
		}
	}
	s.resize(0, 0)
	if got := term.Width(); got != 55 {
		t.Errorf("width %d of a terminal that does not tell, COLUMNS is 55", got)
	}
	for _, bad := range []string{"", "0", "-4", "x", "99999999999"} {
		if got := s.terminal("COLUMNS=" + bad).Width(); got != 80 {
			t.Errorf("width %d with COLUMNS=%s", got, bad)
		}
	}
}

func TestTableOnTerminal(t *testing.T) {
	s := newScreen(t, 54, 10)
	if err := artifacts().Write(s.terminal().Stdout()); err != nil {
		t.Fatal(err)
	}
	s.close()
	want, _ := artifacts().render(54, false)
	if got := s.text(); got != want || s.styles == 0 {
		t.Errorf("%d colours, got\n%swant\n%s", s.styles, got, want)
	}
}

func TestPassword(t *testing.T) {
	s := newScreen(t, 70, 10)
	term := s.terminal("NO_COLOR=1")
	p := newProgress(term, 0, new(clockwork).now, time.Hour)
	p.Start("a", "unit", 0)
	p.tick()
	for i, secret := range []string{"geheim", ""} {
		answer := ask(term, "pass\x1bphrase: ")
		s.until("the question", func() bool {
			return strings.Count(s.text(), "mintmark: pass\\x1bphrase:\n") == i+1 && s.silent()
		})
		p.tick() // must not draw
		term.Note("held back")
		term.Printf("result\n")
		s.master.WriteString(secret + "\n")
		if got := <-answer; got.err != nil || string(got.line) != secret {
			t.Errorf("got %q, %v, want %q", got.line, got.err, secret)
		}
	}
	s.want(strings.Repeat("mintmark: pass\\x1bphrase:\nmintmark: held back\nresult\n", 2) + "  unit          0 s\nmintmark: 0 done\n")
	p.Close()
}

// silent reports whether the terminal hides what is typed.
func (s *screen) silent() bool { return !echoes(s.slave) }

type answer struct {
	line []byte
	err  error
}

func ask(t *Terminal, prompt string) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		line, err := t.Password(prompt)
		answers <- answer{line, err}
	}()
	return answers
}

func TestPasswordInterrupted(t *testing.T) {
	s := newScreen(t, 70, 10)
	answer := ask(s.terminal(), "passphrase: ")
	s.until("the question", func() bool { return s.text() == "mintmark: passphrase:\n" && s.silent() })
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if got := <-answer; !errors.Is(got.err, ErrInterrupted) {
		t.Errorf("got %q, %v, want ErrInterrupted", got.line, got.err)
	}
	if s.silent() {
		t.Error("the terminal still hides what is typed")
	}
	// Let the goroutine go that still waits for the line.
	s.master.WriteString("\n")
	s.until("the line to be read", func() bool { return s.waiting() == 0 })
}
