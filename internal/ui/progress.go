package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	redraw    = 200 * time.Millisecond // of the live display
	heartbeat = time.Minute            // of silence, before a plain line says what runs
	changed   = 10 * time.Second       // of silence, before one says what is done now, if that is something else
	named     = 4                      // units that such a line names
)

// Progress shows work that runs, while it runs.
//
// On a terminal it is a live display at the bottom: a line for each running
// unit, oldest first (what it is, how long it runs, and how far it should be by
// its estimate, the estimate itself once it has passed, or what is done of it now),
// and a line for the whole. Units that are done, and everything
// else that is printed, scroll up above it. Elsewhere, as in the log of a CI
// service, there is one line for each unit that is done, and after a minute of
// silence a line that names what runs, so that it does not look hung; after ten seconds
// where something else is done of a unit than the last such line said.
//
// Its methods may be called from several goroutines. Close it with defer: what
// the display does to the cursor is undone within the same write, so even a
// crash leaves a usable terminal, but only Close wipes the display.
type Progress struct {
	t    *Terminal
	now  func() time.Time
	live bool

	stop, stopped chan struct{}
	closing       sync.Once

	// All below is guarded by t.mu.
	total, done, failed int
	running             []*work // oldest first
	left                time.Duration
	leftAt              time.Time
	phase               string
	lastLine            time.Time // when something was last written
	drawn               int       // lines of the display on the screen
}

// work is one running unit.
type work struct {
	id, what string
	step     string // what is done of it now; "" for what its estimate is about
	said     string // kind of step in the last plain line
	estimate time.Duration
	since    time.Time
}

// NewProgress starts to show work of total units; 0 means that their number is
// not known. now tells the time (nil: [time.Now]) and must not print. The first
// open Progress of a Terminal has the live display; another one that is opened
// beside it writes plain lines. Close must be called.
func NewProgress(t *Terminal, total int, now func() time.Time) *Progress {
	return newProgress(t, total, now, 0)
}

// newProgress takes how often the display is refreshed; 0 is the default.
func newProgress(t *Terminal, total int, now func() time.Time, every time.Duration) *Progress {
	if now == nil {
		now = time.Now
	}
	p := &Progress{
		t: t, now: now, total: max(total, 0), lastLine: now(),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	t.mu.Lock()
	if t.active == nil {
		t.active = p
		p.live = t.canLive
	}
	t.mu.Unlock()
	if every == 0 {
		every = redraw
		if !p.live {
			every = time.Second
		}
	}
	go func() {
		defer close(p.stopped)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-ticker.C:
				p.tick()
			}
		}
	}()
	return p
}

// Start says that a unit runs: its id, what it is in words, and how long it
// should take (0 or less: not known). If a unit of that id already runs it goes
// on to something else: what, estimate and clock are replaced.
func (p *Progress) Start(id, what string, estimate time.Duration) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	w := &work{id: id, what: CleanLine(what), estimate: estimate, since: p.now()}
	if i := p.find(id); i >= 0 {
		p.running[i] = w
		return
	}
	p.running = append(p.running, w)
}

// Step says what is being done of a running unit now, such as "comparing". Its
// estimate, which was about what came before, is not shown any more. A unit that
// does not run is left alone.
func (p *Progress) Step(id, step string) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	if i := p.find(id); i >= 0 {
		p.running[i].step = CleanLine(step)
	}
}

// Phase says what all of it is about from now on; the line for the whole says so.
func (p *Progress) Phase(text string) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	p.phase = CleanLine(text)
}

func (p *Progress) find(id string) int {
	return slices.IndexFunc(p.running, func(w *work) bool { return w.id == id })
}

// Done says that a unit has ended, well or with err, and writes a line about
// it with the note, if any. Of err only the first line is shown: the whole is
// for [Terminal.Error] at the end. A unit that was not started counts too, as
// one that needed no work.
func (p *Progress) Done(id string, err error, note string) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	what, took := CleanLine(id), ""
	if i := p.find(id); i >= 0 {
		what = p.running[i].what
		took = FormatDuration(max(p.now().Sub(p.running[i].since), 0))
		p.running = slices.Delete(p.running, i, i+1)
	}
	p.done++
	word, join, style := "done", " in ", Good
	switch {
	case errors.Is(err, context.Canceled):
		word, join, style = "cancelled", " after ", Doubt
	case err != nil:
		p.failed++
		word, join, style = "failed", " after ", Bad
	}
	if p.t.err.colour {
		word = style.paint(word, true)
	}
	if took != "" {
		word += join + took
	}
	line := fmt.Sprintf("%s%s %s: %s", program, p.count(), what, word)
	if note != "" {
		line += ", " + CleanLine(note)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		first, _, _ := strings.Cut(strings.TrimSpace(Clean(err.Error())), "\n")
		line += ": " + CleanLine(first)
	}
	if p.t.actions {
		line = disarm(line)
	}
	p.lastLine = p.now()
	p.t.logLocked(line + "\n")
}

// Lost says that work on a unit came to nothing, and writes a line about it: it has not
// ended, and will be started anew.
func (p *Progress) Lost(id string, err error) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	what, after, count := CleanLine(id), "", p.count()
	if i := p.find(id); i >= 0 {
		what, after = p.running[i].what, " after "+FormatDuration(max(p.now().Sub(p.running[i].since), 0))
		p.running = slices.Delete(p.running, i, i+1)
	}
	word := "lost"
	if p.t.err.colour {
		word = Doubt.paint(word, true)
	}
	line := fmt.Sprintf("%s%s %s: %s%s", program, count, what, word, after)
	if err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(Clean(err.Error())), "\n")
		line += ": " + CleanLine(first)
	}
	if p.t.actions {
		line = disarm(line)
	}
	p.lastLine = p.now()
	p.t.logLocked(line + "\n")
}

// count is "12/40", or "12" if the total is not known. More units than were
// announced make the total larger.
func (p *Progress) count() string {
	if p.total == 0 {
		return fmt.Sprint(p.done)
	}
	return fmt.Sprintf("%d/%d", p.done, max(p.total, p.done+len(p.running)))
}

// Remaining says how long all of the work should still take, from now on; 0 or
// less means that it is not known. The display counts down from it.
func (p *Progress) Remaining(d time.Duration) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	p.left, p.leftAt = d, p.now()
}

// Close wipes the live display, and returns when nothing of it runs any more.
// It may be called again. Units that end later are still written as lines.
func (p *Progress) Close() {
	p.closing.Do(func() {
		close(p.stop)
		<-p.stopped
		p.t.mu.Lock()
		defer p.t.mu.Unlock()
		if p.t.active != p {
			return
		}
		if wipe := p.erase(); wipe != "" {
			io.WriteString(p.t.err.w, wipe)
		}
		p.t.active = nil
		if !p.t.prompting {
			p.t.flush(len(p.t.tail))
		}
	})
}

// tick refreshes the display, or writes a line if there was none for long.
func (p *Progress) tick() {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.prompting {
		return
	}
	if p.live {
		io.WriteString(t.err.w, p.frame())
		return
	}
	now := p.now()
	silent := now.Sub(p.lastLine)
	if silent >= heartbeat || silent >= changed && slices.ContainsFunc(p.running, (*work).elsewhere) {
		p.lastLine = now
		for _, w := range p.running {
			w.said = w.kind()
		}
		line := p.heartbeat(now)
		if t.actions {
			line = disarm(line)
		}
		t.logLocked(line + "\n")
	}
}

// kind is the step without its numbers: "compile 3 of 7" is one kind with all others.
func (w *work) kind() string {
	kind, _, _ := strings.Cut(w.step, " ")
	return kind
}

// elsewhere reports whether another kind of step is done than was last said.
func (w *work) elsewhere() bool { return w.kind() != w.said }

func (p *Progress) heartbeat(now time.Time) string {
	if len(p.running) == 0 {
		return p.summary(now, 0) + ", waiting"
	}
	var names []string
	for _, w := range p.running[:min(len(p.running), named)] {
		step := ""
		if w.step != "" {
			step = ", " + w.step
		}
		names = append(names, fmt.Sprintf("%s (%s%s)", w.what, clock(now.Sub(w.since)), step))
	}
	if more := len(p.running) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return p.summary(now, 0) + "; running: " + strings.Join(names, ", ")
}

// summary is the line for the whole.
func (p *Progress) summary(now time.Time, hidden int) string {
	s := program
	if p.phase != "" {
		s += p.phase + ": "
	}
	s += p.count() + " done"
	if p.failed > 0 {
		s += fmt.Sprintf(", %d failed", p.failed)
	}
	if hidden > 0 {
		s += fmt.Sprintf(", %d more running", hidden)
	}
	if left := p.left - now.Sub(p.leftAt); p.left > 0 && left > 0 {
		s += ", about " + roughly(left) + " left"
	}
	return s
}

// Escape sequences of ECMA-48 and DEC that every terminal with a cursor knows.
// The cursor is hidden, and wrapping switched off, only from the beginning to
// the end of one write.
const (
	beginFrame = "\x1b[?25l\x1b[?7l"
	endFrame   = "\x1b[?7h\x1b[?25h"
	eraseLine  = "\x1b[K" // from the cursor to the end of the line
	eraseBelow = "\x1b[J" // from the cursor to the end of the screen
)

// erase wipes the display and leaves the cursor where it began.
func (p *Progress) erase() string {
	if p.drawn == 0 {
		return ""
	}
	s := fmt.Sprintf("\r\x1b[%dA", p.drawn) + eraseBelow
	p.drawn = 0
	return s
}

// frame draws the display over the one before and leaves the cursor on the line
// below it, so that whatever a crash prints begins on a line of its own.
func (p *Progress) frame() string {
	if !p.live {
		return ""
	}
	columns, lines := p.t.size(p.t.err)
	var b strings.Builder
	b.WriteString(beginFrame)
	b.WriteByte('\r')
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", p.drawn)
	}
	// The last column stays free: some terminals wrap when it is filled.
	display := p.display(p.now(), columns-1, lines-1)
	for _, line := range display {
		b.WriteString(line + eraseLine + "\n")
	}
	b.WriteString(eraseBelow + endFrame)
	p.drawn = len(display)
	return b.String()
}

const (
	clockCells = 11 // "59 min 59 s"
	barCells   = 20
)

// display is the lines of the live display, at most columns wide and, where
// more would run than there is room for, at most lines high: a display higher
// than the screen could not be drawn over.
func (p *Progress) display(now time.Time, columns, lines int) []string {
	shown := p.running[:min(len(p.running), max(lines-1, 0))]
	name := 0
	for _, w := range shown {
		name = max(name, Width(w.what))
	}
	rest := 2 + 2 + clockCells
	percent := columns >= 40
	if percent {
		rest += 2 + 4
	}
	// A name may end in that of a machine, which says more than a bar does.
	bar := columns >= 60 && name <= columns-rest-(2+2+barCells)
	switch {
	case bar:
		rest += 2 + 2 + barCells
	case columns >= 60:
		rest += len("  estimated 10 s") - (2 + 4)
	}
	name = min(name, max(columns-rest, 8))
	var out []string
	for _, w := range shown {
		elapsed := max(now.Sub(w.since), 0)
		line := "  " + pad(truncate(w.what, name), name, false) + "  " + pad(clock(elapsed), clockCells, true)
		switch {
		case w.step != "":
			line += "  " + w.step
		case w.estimate > 0 && elapsed >= w.estimate:
			// A bar that stands at its end says that it is nearly done, which nobody knows.
			line += "  estimated " + clock(w.estimate)
		case w.estimate > 0:
			share := float64(elapsed) / float64(w.estimate)
			if bar {
				full := int(share * barCells)
				line += "  [" + strings.Repeat("#", full) + strings.Repeat(".", barCells-full) + "]"
			}
			if percent {
				line += fmt.Sprintf("  %2d %%", int(share*100))
			}
		}
		out = append(out, truncate(line, columns))
	}
	return append(out, truncate(p.summary(now, len(p.running)-len(shown)), columns))
}
