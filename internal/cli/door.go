package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mintmark/mintmark/checksums"
	"github.com/mintmark/mintmark/internal/childenv"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/release"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/secret"
	"github.com/mintmark/mintmark/internal/ui"
	"github.com/mintmark/mintmark/profiles"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Door is the process as a verb sees it.
type Door struct {
	Term *ui.Terminal
	Env  []string

	outErr error // the first failure to write a line of a result
}

// printf prints lines of a result. What cannot be written fails the verb in
// the end: a result nobody could read is none.
func (d *Door) printf(format string, args ...any) {
	d.unprinted(d.Term.Printf(format, args...))
}

// stdout is standard output for tables and documents. Whoever read it may have
// seen enough, as head does: that is no error, whatever writes to it.
func (d *Door) stdout() io.Writer { return result{d} }

type result struct{ d *Door }

func (r result) Write(p []byte) (int, error) {
	_, err := r.d.Term.Stdout().Write(p)
	r.d.unprinted(err)
	return len(p), nil
}

// unprinted takes note of a failure to print.
func (d *Door) unprinted(err error) {
	if err != nil && d.outErr == nil && !closedPipe(err) {
		d.outErr = fmt.Errorf("the result could not be printed: %w", err)
	}
}

// Open is the door of this process.
func Open() *Door {
	return &Door{Term: ui.New(os.Stdin, os.Stdout, os.Stderr, os.Getenv), Env: os.Environ()}
}

func (d *Door) getenv(name string) string {
	v, _ := d.lookupEnv(name)
	return v
}

func (d *Door) lookupEnv(name string) (value string, ok bool) {
	for _, kv := range d.Env {
		if n, v, _ := strings.Cut(kv, "="); n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// Run does a verb to its end, prints its result or its errors, and returns the
// exit code. Interrupt, SIGTERM and SIGHUP cancel it: every process it started
// is killed and nothing half-written stays. A second one ends the process.
func (d *Door) Run(ctx context.Context, name string, f Flags, args ...string) int {
	v, ok := Find(name)
	if !ok {
		return d.fail(noVerb(name), yes(f.JSON))
	}
	ctx, stop := catch(ctx)
	defer stop()
	ctx = checksums.WithPlugins(ctx, checksums.Plugins{
		Env: func(name string) []string { return childenv.Plugin(name, d.Env) },
		Say: func(name, line string) { d.Term.Note("%s says: %s", name, line) },
	})
	err := errors.Join(f.refuseEmpty(), f.refuseKeys(v, args))
	if err == nil {
		err = errors.Join(f.refuseAlone(v), f.refuseUnread())
	}
	if err == nil {
		err = await(ctx, grace, func() error { return v.run(ctx, d, f, args) })
	}
	if err == nil {
		err = d.outErr
	}
	if err == nil {
		return 0
	}
	if ctx.Err() != nil || errors.Is(err, ui.ErrInterrupted) {
		err = stopped(context.Cause(ctx), slices.Contains(v.Flags, "jobs"))
	}
	return d.fail(err, yes(f.JSON))
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
func (d *Door) fail(err error, asJSON bool) int {
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
	d.Term.Error(err)
	return code
}

// catch gives a context that a signal ends. The process ends at once only on a
// further signal some time later, for when something does not listen to the
// context: timeout(1), for one, sends the first one twice.
//
// A closed pipe on standard error is no reason to die amid a build: with
// SIGPIPE caught, writing to it is an error like others.
func catch(ctx context.Context) (context.Context, context.CancelFunc) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup(1) ignores it for us
		signals = append(signals, syscall.SIGHUP)
	}
	letPipe := catchPipe()
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, func() {
		time.Sleep(2 * time.Second)
		stop()
	})
	return ctx, func() {
		stop()
		letPipe()
	}
}

// grace is how long a verb may take to end after it was told to: to kill what
// it started and to remove what it made.
const grace = 10 * time.Second

// await runs a verb until it ends, or until it has not ended for that long
// after ctx did: a read from a server that does not answer any more listens to
// nobody. What the verb leaves then is what a killed one leaves, and the next
// run removes it.
func await(ctx context.Context, grace time.Duration, run func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- run() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(grace):
		return context.Cause(ctx)
	}
}

// stopped is what is said when somebody stopped us, amid a verb that builds or another.
func stopped(cause error, builds bool) error {
	hint, text := "", "stopped"
	if builds {
		hint = "nothing was published; what the first builds compiled is in the cache"
	}
	if cause != nil && !errors.Is(cause, context.Canceled) {
		text += ": " + cause.Error()
	}
	return fault.Errorf(hint, "%s", text)
}

// shownError is an error whose JSON document has been printed.
type shownError struct{ error }

func (e *shownError) Unwrap() error { return e.error }

// WithParent gives a context that ends when the parent process does. Mage does
// not pass SIGTERM on: when it is killed, the compiled magefile would go on
// building with nobody waiting. Where a process keeps its parent's number for
// life (Windows) this does nothing.
func WithParent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	parent := os.Getppid()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(250 * time.Millisecond):
				if os.Getppid() != parent {
					cancel(errors.New("mage is gone"))
					return
				}
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// config makes the pipeline's configuration of the flags and the environment.
func (d *Door) config(f Flags) (c release.Config, err error) {
	cache := d.getenv("MINTMARK_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return release.Config{}, fault.Usagef("set MINTMARK_CACHE to an absolute path", "no cache directory: %v", err)
		}
		cache = filepath.Join(dir, "mintmark")
	}
	if !filepath.IsAbs(cache) {
		return release.Config{}, fault.Usagef("set it to an absolute path", "MINTMARK_CACHE=%s is not an absolute path", cache)
	}
	if err := d.cacheDir(cache); err != nil {
		return release.Config{}, err
	}
	c = release.Config{
		Dir: str(f.Dir), ConfigFile: str(f.Config), Module: str(f.Module), Toolchain: str(f.Toolchain),
		Platforms: str(f.Platform), Out: str(f.Out), Snapshot: f.Snapshot != nil && *f.Snapshot,
		Cache: cache, Environ: d.Env, Key: d.keyRef(d.getenv("MINTMARK_KEY")), Password: d.password, Tool: Version(),
		Full: yes(f.Full), Now: time.Now(),
	}
	if p, ok := d.givenPassword(); ok {
		c.Given = func() ([]byte, error) { return p, nil }
	}
	if c.Secret, err = d.ledgerSecret(); err != nil {
		d.Term.Warn("nothing that was proven or checked before is used: %v", err)
	}
	c.NoReport, c.Against, c.With = f.Report != nil && !*f.Report, str(f.Against), words(f.With)
	c.Ledgers, c.Profiles = words(f.Ledgers), words(f.Profile)
	if f.Jobs != nil {
		if *f.Jobs < 1 {
			return release.Config{}, fault.Usagef("at least one", "-jobs=%d", *f.Jobs)
		}
		c.Jobs = *f.Jobs
	}
	return c, nil
}

// cacheDir refuses a cache directory that is none, or is below something that is none.
func (d *Door) cacheDir(cache string) error {
	for at := cache; ; at = filepath.Dir(at) {
		switch fi, err := os.Stat(at); {
		case err == nil && fi.IsDir(), at == filepath.Dir(at):
			return nil // or it can be made there
		case err != nil:
			continue
		}
		what := at
		if at == cache && d.getenv("MINTMARK_CACHE") != "" {
			what = "MINTMARK_CACHE=" + at
		}
		return fault.Usagef("set MINTMARK_CACHE to a directory, or to one that can be made: an absolute path", "%s is a file, not a directory", what)
	}
}

// keyRef reads the name of a key. It may be env://NAME: only a door reads the
// environment.
func (d *Door) keyRef(text string) checksums.KeyRef { return checksums.NewKeyRef(text, d.lookupEnv) }

func (d *Door) keyRefs(list *string) (refs []checksums.KeyRef) {
	for _, text := range words(list) {
		refs = append(refs, d.keyRef(text))
	}
	return refs
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func yes(b *bool) bool { return b != nil && *b }

// password asks for the passphrase of the signing key. An empty one in the
// environment is an answer.
func (d *Door) password() ([]byte, error) {
	if p, ok := d.givenPassword(); ok {
		return p, nil
	}
	p, err := d.Term.Password("passphrase of the signing key: ")
	if err != nil {
		return nil, err
	}
	if p == nil {
		p = []byte{} // nil would mean: not asked
	}
	return p, nil
}

// givenPassword is the passphrase in the environment.
func (d *Door) givenPassword() ([]byte, bool) {
	for _, name := range []string{"MINTMARK_PASSWORD", "COSIGN_PASSWORD"} {
		if v, ok := d.lookupEnv(name); ok {
			return []byte(v), true
		}
	}
	return nil, false
}

// Version is mintmark's own version, for the manifest: a release's, or (devel).
// The stamp of a checkout is left out: it says +dirty while mage compiles, and
// nothing with GOFLAGS=-buildvcs=false, so two releases of one commit would
// differ in it.
func Version() string {
	const self = "github.com/mintmark/mintmark"
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)"
	}
	m := &bi.Main
	if m.Path != self {
		m = nil
		for _, dep := range bi.Deps {
			if dep.Path == self {
				m = dep
			}
		}
		if m == nil || m.Replace != nil || m.Version == "" {
			return "(devel)"
		}
		return m.Version
	}
	if !semver.IsValid(m.Version) || semver.Build(m.Version) != "" || module.IsPseudoVersion(m.Version) {
		return "(devel)"
	}
	return m.Version
}
