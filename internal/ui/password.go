package ui

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/mintmark/mintmark/internal/fault"
	"golang.org/x/term"
)

// ErrInterrupted is returned by [Terminal.Password] when the user ended the
// question with ctrl-C, or the process was asked to end.
var ErrInterrupted = errors.New("interrupted")

// Password asks for a line on standard error and reads it from standard input
// without showing it. The answer has no line end; an empty one is allowed, and
// left to the caller to judge. It is an error, with a hint, if standard input
// is not a terminal.
//
// While the question is open nothing else is written: notes, warnings, errors
// and the live display wait for the answer. After [ErrInterrupted] the terminal
// shows what is typed again, but a goroutine still waits for the rest of the
// line: the caller should end the program.
func (t *Terminal) Password(prompt string) ([]byte, error) {
	f, ok := t.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, fault.Errorf("run it in a terminal, or put the passphrase into the variable MINTMARK_PASSWORD (empty for none)",
			"cannot ask for a passphrase: standard input is not a terminal")
	}
	t.prompts.Lock()
	defer t.prompts.Unlock()
	fd := int(f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, fmt.Errorf("cannot ask for a passphrase: %w", err)
	}
	// Without this, ctrl-C would end the program and leave the terminal silent,
	// or, where the program catches it, do nothing until the line is finished.
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupt)

	t.hold(CleanLine(prompt))
	defer t.release()

	type answer struct {
		line []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(fd)
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			return nil, fmt.Errorf("cannot read the passphrase: %w", a.err)
		}
		return a.line, nil
	case <-interrupt:
		term.Restore(fd, before)
		return nil, ErrInterrupted
	}
}

// hold puts a question on the screen and holds all other output back.
func (t *Terminal) hold(prompt string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active != nil {
		io.WriteString(t.err.w, t.active.erase())
	}
	t.prompting = true
	io.WriteString(t.err.w, program+prompt)
}

// release ends the line of the question and writes what was held back.
func (t *Terminal) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prompting = false
	text := "\n" + string(t.held) // the newline that ended the answer was not shown either
	t.held = nil
	io.WriteString(t.err.w, text)
	if t.active != nil && t.active.live {
		t.flushLines()
		io.WriteString(t.err.w, t.active.frame())
	} else {
		t.flush(len(t.tail))
	}
}
