package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/childenv"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/secret"
	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/profiles"
)

// Main does what a command line says, the words after the program's name, and
// returns the exit code.
func Main(ctx context.Context, args []string) int {
	d := &app{term: ui.New(os.Stdin, os.Stdout, os.Stderr, os.Getenv), env: os.Environ()}
	return d.main(ctx, args)
}

// app is the process as a verb sees it.
type app struct {
	term *ui.Terminal
	env  []string

	outErr error // the first failure to write a line of a result
}

func (d *app) main(ctx context.Context, args []string) int {
	if len(args) == 0 {
		return d.fail(fault.Usagef("mintmark -help lists them", "no verb"), false)
	}
	// Also a command line that cannot be read has a result for machines.
	asJSON := slices.ContainsFunc(args, func(a string) bool {
		return slices.Contains([]string{"-json", "--json", "-json=true", "--json=true"}, a)
	})
	switch args[0] {
	case "-h", "-help", "--help", "help":
		return d.help(args[1:], asJSON)
	case "-version", "--version":
		args = append([]string{"version"}, args[1:]...)
	case completeRequest:
		return d.print(d.complete(args[1:]))
	}
	v, ok := Find(args[0])
	if !ok {
		return d.fail(noVerb(args[0]), asJSON)
	}
	inv, help, err := v.parse(args[1:])
	if help {
		return d.print(v.help())
	}
	if err != nil {
		return d.fail(err, asJSON)
	}
	return d.run(ctx, inv)
}

// run does a verb to its end, prints its result or its errors, and returns the
// exit code. Interrupt, SIGTERM and SIGHUP cancel it: every process it started
// is killed and nothing half-written stays. A second one ends the process.
func (d *app) run(ctx context.Context, inv *invocation) int {
	ctx, stop := catch(ctx)
	defer stop()
	ctx = checksums.WithPlugins(ctx, checksums.Plugins{
		Env: func(name string) []string { return childenv.Plugin(name, d.env) },
		Say: func(name, line string) { d.term.Note("%s says: %s", name, line) },
	})
	err := inv.refuse()
	if err == nil {
		err = await(ctx, grace, func() error { return inv.flags.run(ctx, d) })
	}
	if err == nil {
		err = d.outErr
	}
	if err == nil {
		return 0
	}
	if ctx.Err() != nil || errors.Is(err, ui.ErrInterrupted) {
		_, builds := inv.verb.flag("jobs")
		err = stopped(context.Cause(ctx), builds)
	}
	return d.fail(err, inv.on("json"))
}

func (d *app) print(text string) int {
	d.printf("%s", ui.Block(text))
	if d.outErr != nil {
		return d.fail(d.outErr, false)
	}
	return 0
}

// help is the text about everything, or about the verbs that are named.
func (d *app) help(args []string, asJSON bool) int {
	text := ""
	for _, name := range args {
		if strings.HasPrefix(name, "-") {
			continue // -json: there is no such document
		}
		v, ok := Find(name)
		if !ok {
			return d.fail(noVerb(name), asJSON)
		}
		text += v.help()
	}
	if text == "" {
		text = usage()
	}
	return d.print(text)
}

// printf prints lines of a result. What cannot be written fails the verb in
// the end: a result nobody could read is none.
func (d *app) printf(format string, args ...any) {
	d.unprinted(d.term.Printf(format, args...))
}

// prose prints sentences of a result, which are folded on a terminal. What somebody
// pastes is printed by printf, and never folded.
func (d *app) prose(format string, args ...any) {
	d.unprinted(d.term.Prose(format, args...))
}

// stdout is standard output for tables and documents. Whoever read it may have
// seen enough, as head does: that is no error, whatever writes to it.
func (d *app) stdout() io.Writer { return result{d} }

type result struct{ d *app }

var _ ui.OnTerminal = result{} // so that tables fit

// Terminal is where the result is read.
func (r result) Terminal() *ui.Terminal { return r.d.term }

func (r result) Write(p []byte) (int, error) {
	_, err := r.d.term.Stdout().Write(p)
	r.d.unprinted(err)
	return len(p), nil
}

// unprinted takes note of a failure to print.
func (d *app) unprinted(err error) {
	if err != nil && d.outErr == nil && !closedPipe(err) {
		d.outErr = fmt.Errorf("the result could not be printed: %w", err)
	}
}

func noVerb(name string) error {
	var names []string
	for _, v := range Verbs() {
		names = append(names, v.Name)
	}
	return fault.Usagef(meant(name, names, "mintmark %s", "mintmark -help lists them"), "there is no verb %q", name)
}

// meant is the hint for a word that is none of known: the way to write the
// nearest of them, else otherwise.
func meant(word string, known []string, format, otherwise string) string {
	if w := profiles.Nearest(word, known); w != "" {
		return "did you mean " + fmt.Sprintf(format, w) + "?"
	}
	return otherwise
}

// fail prints an error, for machines as well if they asked, and returns its exit code.
func (d *app) fail(err error, asJSON bool) int {
	code := fault.ExitCode(err)
	var shown *shownError
	if asJSON && !errors.As(err, &shown) {
		doc := report.Error{Schema: fact.ErrorReport, ExitCode: code}
		for _, e := range fault.Leaves(err) {
			p := report.Problem{Message: secret.Redact(e.Error()), Hint: secret.Redact(fault.Hint(e))}
			var problem profiles.Problem
			if errors.As(e, &problem) {
				p.Hint = problem.Hint
			}
			doc.Errors = append(doc.Errors, p)
		}
		report.WriteJSON(d.stdout(), doc)
	}
	d.term.Error(err)
	return code
}

// shownError is an error whose JSON document has been printed.
type shownError struct{ error }

func (e *shownError) Unwrap() error { return e.error }
