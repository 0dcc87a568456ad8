package ui

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/term"
)

// program is the prefix of every line on standard error.
const program = "mintmark: "

// Terminal is where people read: standard output for results, standard error
// for everything else. Its methods may be called from several goroutines.
type Terminal struct {
	stdin io.Reader
	out   device
	err   device
	cells struct{ columns, lines int } // COLUMNS and LINES, 0 if not set

	canLive bool // standard error can show a live display
	ci      bool
	actions bool // the log is read by the runner of GitHub Actions

	prompts sync.Mutex // one question at a time

	mu        sync.Mutex // all below, and every write
	active    *Progress  // the progress that owns the screen, if any
	prompting bool       // a question is on the screen: nothing else is written
	held      []byte     // text for standard error that waits for the answer
	tail      []byte     // text for standard output that waits for its line to end
	outErr    error      // failure to write tail, returned by the next write
}

// device is one of the two outputs.
type device struct {
	w      io.Writer
	fd     int
	tty    bool
	colour bool
}

// New makes the Terminal of a process from its three standard files and its
// environment. A writer that is not an *os.File on a terminal gets plain text.
// The variables read are NO_COLOR, TERM, CI, GITHUB_ACTIONS, and COLUMNS and
// LINES for terminals that do not tell their size; env may be nil.
//
// On Windows, New switches the console to escape sequences, and takes one that
// cannot as a terminal without colour and live display.
func New(stdin io.Reader, stdout, stderr io.Writer, env func(string) string) *Terminal {
	if env == nil {
		env = func(string) string { return "" }
	}
	t := &Terminal{stdin: stdin}
	t.actions = env("GITHUB_ACTIONS") == "true"
	switch strings.ToLower(env("CI")) {
	case "", "0", "false":
		t.ci = t.actions
	default:
		t.ci = true
	}
	t.cells.columns = cells(env("COLUMNS"))
	t.cells.lines = cells(env("LINES"))
	dumb := env("TERM") == "dumb" || env("TERM") == "" && runtime.GOOS != "windows"
	open := func(w io.Writer) (d device, escapes bool) {
		d.w = w
		f, ok := w.(interface{ Fd() uintptr })
		if !ok {
			return d, false
		}
		d.fd = int(f.Fd())
		d.tty = term.IsTerminal(d.fd)
		escapes = d.tty && !dumb && enableEscapes(f.Fd())
		d.colour = escapes && env("NO_COLOR") == ""
		return d, escapes
	}
	t.out, _ = open(stdout)
	var escapes bool
	t.err, escapes = open(stderr)
	t.canLive = escapes && !t.ci
	return t
}

func cells(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 10_000 {
		return 0
	}
	return n
}

// CI reports whether the process runs for a machine and not for a person: CI
// is set to something other than "0" and "false", or GITHUB_ACTIONS is "true".
func (t *Terminal) CI() bool { return t.ci }

// StdoutIsTerminal reports whether results are read on a terminal.
func (t *Terminal) StdoutIsTerminal() bool { return t.out.tty }

// StderrIsTerminal reports whether progress and errors are read on a terminal.
func (t *Terminal) StderrIsTerminal() bool { return t.err.tty }

// Width is the width of standard output in cells as it is now, or 0 if that is
// not a terminal and a line may have any length. A terminal that does not tell
// has the width of COLUMNS, else 80.
func (t *Terminal) Width() int {
	w, _ := t.size(t.out)
	return w
}

// size is asked anew each time: a window can change at any moment, and asking
// is cheaper than listening for it.
func (t *Terminal) size(d device) (columns, lines int) {
	if !d.tty {
		return 0, 0
	}
	columns, lines, err := term.GetSize(d.fd)
	if err != nil || columns <= 0 {
		columns = t.cells.columns
	}
	if err != nil || lines <= 0 {
		lines = t.cells.lines
	}
	if columns == 0 {
		columns = 80
	}
	if lines == 0 {
		lines = 24
	}
	return columns, lines
}

// Note tells the user something, on standard error.
func (t *Terminal) Note(format string, args ...any) {
	t.log(t.message("", Plain, fmt.Sprintf(format, args...)))
}

// Warn tells the user something that may need to be dealt with, on standard error.
func (t *Terminal) Warn(format string, args ...any) {
	t.log(t.message("warning: ", Doubt, fmt.Sprintf(format, args...)))
}

// Printf writes a result for people to standard output. It adds nothing: end
// with a newline. Lines end where the format says, or an argument of the type
// [Block]; all other arguments are made safe with [CleanLine].
func (t *Terminal) Printf(format string, args ...any) error {
	text := Clean(fmt.Sprintf(format, fields(args)...))
	if t.actions {
		text = disarm(text)
	}
	_, err := io.WriteString(t.Stdout(), text)
	return err
}

// Prose is Printf for sentences: on a terminal, lines are folded at its width. A
// further line is indented as far as the second column of the one it belongs to, or
// as its beginning.
func (t *Terminal) Prose(format string, args ...any) error {
	text := foldLines(Clean(fmt.Sprintf(format, fields(args)...)), t.Width())
	if t.actions {
		text = disarm(text)
	}
	_, err := io.WriteString(t.Stdout(), text)
	return err
}

// hintLabel is the label of what may hold a command to paste.
const hintLabel = "hint: "

// message makes the lines of one message: the prefix, the label, and the text,
// whose further lines are indented, so that none of them can look like a message
// or a verdict of its own.
func (t *Terminal) message(label string, style Style, text string) string {
	text = strings.TrimRight(Clean(text), "\n")
	lines := strings.Split(text, "\n")
	var b strings.Builder
	first := lines[0]
	if columns, _ := t.size(t.err); columns > 0 && label != hintLabel { // who pastes a hint wants one line
		const indent = 4
		before := strings.Repeat("x", len(program+label)) // never broken
		first = strings.TrimSuffix(Fold(before+first, columns, indent), "\n")[len(before):]
	}
	b.WriteString(program)
	b.WriteString(style.paint(label, t.err.colour))
	b.WriteString(first + "\n")
	for _, line := range lines[1:] {
		if line != "" {
			b.WriteString("    " + line)
		}
		b.WriteByte('\n')
	}
	if t.actions {
		return disarm(b.String())
	}
	return b.String()
}

// log writes whole lines to standard error, above the live display.
func (t *Terminal) log(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.logLocked(text)
}

func (t *Terminal) logLocked(text string) {
	if t.prompting {
		t.held = append(t.held, text...)
		return
	}
	if p := t.active; p != nil {
		p.lastLine = p.now()
		text = p.erase() + text + p.frame()
	}
	io.WriteString(t.err.w, text)
}

// Stdin is standard input, for what is no answer to a question.
func (t *Terminal) Stdin() io.Reader { return t.stdin }

// Stdout is standard output for results that are not lines for people, such as
// JSON: the bytes are passed on as they are. On a terminal with a live display
// a line is shown once it is complete, at the latest when the display closes.
func (t *Terminal) Stdout() *Writer { return &Writer{t} }

// Writer is the standard output of a [Terminal].
type Writer struct{ t *Terminal }

// OnTerminal is a writer whose text goes to the standard output of a [Terminal].
type OnTerminal interface {
	io.Writer
	Terminal() *Terminal
}

// Terminal is the one it writes to.
func (w *Writer) Terminal() *Terminal { return w.t }

// Write writes p; its error is that of standard output.
func (w *Writer) Write(p []byte) (int, error) {
	t := w.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.outErr; err != nil {
		t.outErr = nil
		return 0, err
	}
	live := t.active != nil && t.active.live
	if !t.out.tty || !live && !t.prompting {
		return t.out.w.Write(p)
	}
	t.tail = append(t.tail, p...)
	if t.prompting || bytes.IndexByte(p, '\n') < 0 {
		return len(p), nil
	}
	io.WriteString(t.err.w, t.active.erase())
	t.flushLines()
	io.WriteString(t.err.w, t.active.frame())
	if err := t.outErr; err != nil {
		t.outErr = nil
		return 0, err
	}
	return len(p), nil
}

// flushLines writes the complete lines of tail.
func (t *Terminal) flushLines() {
	t.flush(bytes.LastIndexByte(t.tail, '\n') + 1)
}

func (t *Terminal) flush(n int) {
	if n == 0 {
		return
	}
	if _, err := t.out.w.Write(t.tail[:n]); err != nil {
		t.outErr = err
	}
	t.tail = append([]byte(nil), t.tail[n:]...)
}
