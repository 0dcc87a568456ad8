package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// clockwork is a clock that goes when it is told to.
type clockwork struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clockwork) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clockwork) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func TestProgressPlain(t *testing.T) {
	term, out, log := plainTerminal()
	c := new(clockwork)
	p := newProgress(term, 5, c.now, time.Hour)
	step := func(d time.Duration) { c.pass(d); p.tick() }
	p.Start("a", "linux/amd64 build", time.Minute)
	p.Start("b", "linux/arm/7 build\x1b", 0)
	step(3 * time.Second)
	p.Done("a", nil, "")
	step(59 * time.Second) // 59 s of silence
	step(time.Second)
	step(time.Second) // a line was just written
	for i := range 5 {
		p.Start(fmt.Sprint(i), fmt.Sprintf("unit %d", i), 0)
	}
	p.Remaining(5 * time.Minute)
	step(time.Minute)
	step(59 * time.Second)
	term.Note("something else") // breaks the silence
	step(time.Second)
	p.Done("b", errors.New("exit 1\nmore\x1b"), "in\nvain")
	p.Done("0", fmt.Errorf("x: %w", context.Canceled), "")
	p.Lost("1", errors.New("gone\nwith\x1b"))
	p.Start("1", "unit 1 again", 0)
	p.Done("c", nil, "from the ledger")
	for i := 1; i < 5; i++ {
		p.Done(fmt.Sprint(i), nil, "")
	}
	step(time.Minute)
	p.Close()
	p.Close()
	p.Done("late", nil, "")
	want := `mintmark: 1/5 linux/amd64 build: done in 3.0 s
mintmark: 1/5 done; running: linux/arm/7 build\x1b (1 min 03 s)
mintmark: 1/7 done, about 4 min left; running: linux/arm/7 build\x1b (2 min 04 s), unit 0 (1 min 00 s), unit 1 (1 min 00 s), unit 2 (1 min 00 s), 2 more
mintmark: something else
mintmark: 2/7 linux/arm/7 build\x1b: failed after 3 min 04 s, in\nvain: exit 1
mintmark: 3/7 unit 0: cancelled after 2 min 00 s
mintmark: 3/7 unit 1: lost after 2 min 00 s: gone
mintmark: 4/8 c: done, from the ledger
mintmark: 5/8 unit 1 again: done in 0 s
mintmark: 6/8 unit 2: done in 2 min 00 s
mintmark: 7/8 unit 3: done in 2 min 00 s
mintmark: 8/8 unit 4: done in 2 min 00 s
mintmark: 8/8 done, 1 failed, about 2 min left, waiting
mintmark: 9/9 late: done
`
	if log.String() != want {
		t.Errorf("got\n%swant\n%s", log, want)
	}
	if out.Len() > 0 {
		t.Errorf("progress on standard output: %q", out)
	}
}

func TestDisplay(t *testing.T) {
	c := new(clockwork)
	term, _, _ := plainTerminal()
	p := newProgress(term, 40, c.now, time.Hour)
	defer p.Close()
	p.Start("a", "linux/amd64 build", 100*time.Second)
	p.Start("b", "linux/mipsle/softfloat rebuild", 0)
	p.Start("c", "大小", 10*time.Second)
	p.Start("d", "packed", time.Second)
	p.Step("d", "comparing")
	p.Step("nobody", "comparing")
	p.Phase("building")
	p.Remaining(100 * time.Second)
	c.pass(45 * time.Second)
	for _, tt := range []struct {
		columns, lines int
		want           string
	}{
		{100, 24, `
  linux/amd64 build                      45 s  [#########...........]  45 %
  linux/mipsle/softfloat rebuild         45 s
  大小                                   45 s  estimated 10 s
  packed                                 45 s  comparing
mintmark: building: 0/40 done, about 55 s left`},
		{60, 24, `
  linux/amd64 build                     45 s  45 %
  linux/mipsle/softfloat rebui…         45 s
  大小                                  45 s  estimated 10 s
  packed                                45 s  comparing
mintmark: building: 0/40 done, about 55 s left`},
		{40, 24, `
  linux/amd64 build           45 s  45 %
  linux/mipsle/softf…         45 s
  大小                        45 s  est…
  packed                      45 s  com…
mintmark: building: 0/40 done, about 55…`},
		{20, 24, `
  linux/a…         …
  linux/m…         …
  大小             …
  packed           …
mintmark: building:…`},
		{100, 3, `
  linux/amd64 build                      45 s  [#########...........]  45 %
  linux/mipsle/softfloat rebuild         45 s
mintmark: building: 0/40 done, 2 more running, about 55 s left`},
		{100, 0, `
mintmark: building: 0/40 done, 4 more running, about 55 s left`},
		{0, 24, "\n\n\n\n\n"},
	} {
		got := p.display(c.now(), tt.columns, tt.lines)
		text := "\n" + strings.Join(got, "\n")
		if tt.lines == 3 || tt.lines == 0 { // the name column is as wide as the shown names
			text = strings.Join(strings.Fields(text), " ")
			tt.want = strings.Join(strings.Fields(tt.want), " ")
		}
		if text != tt.want {
			t.Errorf("%d × %d: got%s\nwant%s", tt.columns, tt.lines, text, tt.want)
		}
		for _, line := range got {
			if Width(line) > tt.columns {
				t.Errorf("%d × %d: %q is %d wide", tt.columns, tt.lines, line, Width(line))
			}
		}
	}
}

// Nothing of a Progress runs after Close; one round alone could be luck.
func TestCloseWaits(t *testing.T) {
	term, _, _ := plainTerminal()
	for range 500 {
		p := newProgress(term, 0, nil, time.Hour)
		p.Close()
		select {
		case <-p.stopped:
		default:
			t.Fatal("a goroutine runs after Close")
		}
	}
}

// TestProgressConcurrent is for the race detector.
func TestProgressConcurrent(t *testing.T) {
	term, _, log := plainTerminal()
	hammer(term)
	if n := strings.Count(log.String(), ": done in"); n != 400 {
		t.Errorf("%d lines of units, want 400", n)
	}
}

// hammer uses all of term at once.
func hammer(term *Terminal) {
	p := newProgress(term, 400, nil, 100*time.Microsecond)
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 50 {
				id := fmt.Sprintf("%d.%d", g, i)
				p.Start(id, "unit "+id, time.Millisecond)
				p.Remaining(time.Minute)
				term.Note("note %s", id)
				if i%10 == 0 {
					term.Error(errors.New("error " + id))
					io.WriteString(term.Stdout(), "result "+id+"\n")
				}
				p.Done(id, nil, "")
			}
		})
	}
	group.Wait()
	for range 3 {
		group.Go(p.Close)
	}
	group.Wait()
}

// TestProgressSteps: without a terminal a line says that something else is done now, but
// not every time that it has gone on.
func TestProgressSteps(t *testing.T) {
	term, _, log := plainTerminal()
	c := new(clockwork)
	p := newProgress(term, 1, c.now, time.Hour)
	defer p.Close()
	p.Start("a", "tool", 0)
	for _, s := range []struct {
		step  string
		after time.Duration
	}{{"source", 3 * time.Second}, {"toolchain go1.26.8", 8 * time.Second}, {"compile 1 of 9", 10 * time.Second}, {"compile 2 of 9", 15 * time.Second}, {"link 1", 2 * time.Second}} {
		p.Step("a", s.step)
		c.pass(s.after)
		p.tick()
	}
	const want = "mintmark: 0/1 done; running: tool (11 s, toolchain go1.26.8)\nmintmark: 0/1 done; running: tool (21 s, compile 1 of 9)\nmintmark: 0/1 done; running: tool (38 s, link 1)\n"
	if got := log.String(); got != want {
		t.Errorf("got\n%s", got)
	}
}
