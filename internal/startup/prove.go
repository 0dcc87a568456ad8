package startup

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
)

// ProveConfig says how a packed program is run beside the program that it was
// made of.
type ProveConfig struct {
	Packed, Plain string
	// Workload is what both are started with; nil if nobody declared any. Its
	// Exit does not count: the packed program has to do what the other does.
	Workload *Workload
	// Emulators are the directories in which qemu is looked for, as a PATH.
	Emulators []string
	// Work is an existing directory for temporary files, absolute. Dir is the
	// programs' working directory, where they may leave files; it should be empty.
	Work, Dir string
	Counts    []int // of variables, ascending from 1 up; nil is those of [sweepCounts]
	Starts    int   // with each of them, and with none; 0 is [sweepStarts]
	// Budget is for how long starts are made for each proof; 0 is five minutes.
	// What it leaves out makes the proof unchecked. There is none that depends on
	// the machine in between: how much is proven is the same everywhere.
	Budget time.Duration
}

// Proofs are all of one packed program.
type Proofs struct {
	Smoke       fact.Proof // it does what the unpacked program does
	Environment fact.Proof // it does so with more and more environment variables
}

// undeclared are the arguments of a program when nobody declared any. Most
// programs print something and end; all that is asked is that the packed program
// does the same as the unpacked one.
func undeclared() []string { return []string{"--version"} }

// undeclaredTimeout is how long a program may take with arguments that it may
// not know: some servers ignore them and run until they are stopped.
const undeclaredTimeout = 10 * time.Second

// Prove runs a packed program and the one it was made of, natively or under
// qemu's user emulation, and compares: the exit status and standard output, or
// for other kinds of readiness whether both got ready. Then it sweeps over
// environment sizes. Both take several starts of each kind ([sweepStarts]), and
// say how many. What cannot be run, or does not run unpacked either, is
// unchecked, with the reason.
//
// Output that differs between runs of the unpacked program is not compared.
// An error means that nothing can be said at all, such as for a missing file.
func Prove(ctx context.Context, cfg ProveConfig) (*Proofs, error) {
	p := &prover{ProveConfig: cfg}
	for _, path := range []*string{&p.Packed, &p.Plain} {
		abs, err := filepath.Abs(*path)
		if err != nil {
			return nil, err
		}
		*path = abs
	}
	if p.Counts == nil {
		p.Counts = slices.DeleteFunc(sweepCounts(), func(n int) bool { return n == 0 }) // the smoke run has that
	}
	if p.Budget == 0 {
		p.Budget = 5 * time.Minute
	}
	f, err := identify(ctx, p.Plain)
	if err != nil {
		return nil, err
	}
	if !native(f.Platform) {
		if p.emulator, err = Emulator(f.Platform, cfg.Emulators); err != nil {
			return NotRun(err.Error()), nil
		}
	}
	p.work = Workload{Args: undeclared(), Timeout: undeclaredTimeout}
	if cfg.Workload != nil {
		p.work = *cfg.Workload
	}
	if p.work.Timeout == 0 {
		p.work.Timeout = 30 * time.Second
	}
	return p.prove(ctx)
}

// NotRun are the proofs of a packed program that was not run.
func NotRun(why string) *Proofs {
	p := fact.Proof{Result: fact.Untested, Reason: why}
	return named(p, p)
}

func named(smoke, environment fact.Proof) *Proofs {
	smoke.Name, environment.Name = fact.ProofSmoke, fact.ProofEnvironment
	return &Proofs{smoke, environment}
}

type prover struct {
	ProveConfig
	work     Workload
	emulator string // "" runs natively
}

func (p *prover) prove(ctx context.Context) (*Proofs, error) {
	plain, err := p.run(ctx, p.Plain)
	if why, err := p.unfit(plain, err); why != "" || err != nil {
		return NotRun(why), err
	}
	compared := "got ready (" + p.work.Ready.String() + ")"
	cfg := SweepConfig{
		Path: p.Packed, Name: filepath.Base(p.Plain), Args: p.work.Args, Env: p.work.Env, Stdin: p.work.Stdin, Ready: p.work.Ready,
		Emulator: p.emulator, Reference: p.Plain, Work: p.Work, Dir: p.Dir, Starts: p.Starts, Timeout: p.work.Timeout, Budget: p.Budget,
	}
	if p.exits() {
		cfg.Exit, _ = exitCode(plain.status) // it has one, or was unfit
		compared = plain.status + " and the same output"
	}
	cfg.Counts = []int{0}
	smoke, varies, err := p.sweep(ctx, cfg, compared)
	if err != nil {
		return nil, err
	}
	if varies {
		cfg.AnyOutput, compared = true, plain.status+"; the output of the unpacked program varies and was not compared"
		if smoke, _, err = p.sweep(ctx, cfg, compared); err != nil {
			return nil, err
		}
	}
	if smoke.Result != fact.Passed {
		// The environment has nothing to do with it.
		why := "the smoke run " + string(smoke.Result)
		if smoke.Result == fact.Untested {
			why = "the smoke run is unchecked"
		}
		return named(smoke, fact.Proof{Result: fact.Untested, Reason: why}), nil
	}
	cfg.Counts = p.Counts
	environment, _, err := p.sweep(ctx, cfg, compared)
	return named(smoke, environment), err
}

// sweep starts the packed program, and where it fails the unpacked one in the
// same environments, which may do no better: print its environment, be content
// with so much of it, or fail now and then by itself. varies says that all it
// did was to print something else.
func (p *prover) sweep(ctx context.Context, cfg SweepConfig, compared string) (_ fact.Proof, varies bool, _ error) {
	s, err := Sweep(ctx, cfg)
	var bad *failure
	switch {
	case errors.As(err, &bad):
		return fact.Proof{Result: fact.Untested, Reason: p.how() + ": the unpacked program: " + bad.what}, false, nil
	case err != nil:
		return fact.Proof{}, false, err
	case s.FirstFailure < 0 && s.Cut:
		return fact.Proof{Result: fact.Untested, Reason: fmt.Sprintf("%s: %s; for more there was no time within %v", p.how(), s, p.Budget), Starts: s.Starts()}, false, nil
	case s.FirstFailure < 0:
		return fact.Proof{Result: fact.Passed, How: fmt.Sprintf("%s: %s: %s", p.how(), compared, s), Starts: s.Starts()}, false, nil
	}
	if s.Step(s.FirstFailure).onlyLate() {
		return fact.Proof{Result: fact.Untested, Reason: fmt.Sprintf("%s: %s; a busy machine does that too", p.how(), s), Starts: s.Starts()}, false, nil
	}
	cfg.Path, cfg.Counts, cfg.Starts = p.Plain, []int{s.FirstFailure}, s.Step(s.FirstFailure).Starts.Starts
	plain, err := Sweep(ctx, cfg)
	if errors.As(err, &bad) {
		return fact.Proof{Result: fact.Untested, Reason: p.how() + ": the unpacked program: " + bad.what, Starts: s.Starts()}, false, nil
	}
	if err != nil {
		return fact.Proof{}, false, err
	}
	did := plain.Step(s.FirstFailure)
	if did.Failed > 0 {
		return fact.Proof{Result: fact.Untested, Reason: fmt.Sprintf("%s: with %s the unpacked program does something else too (%s)", p.how(), variables(s.FirstFailure), did.Starts), Starts: s.Starts()},
			p.exits() && did.printed == did.Failed && s.FirstFailure == 0, nil
	}
	return fact.Proof{Result: fact.Failed, Reason: fmt.Sprintf("%s: %s (unpacked, %s)", p.how(), s, did.Starts), Starts: s.Starts()}, false, nil
}

func (p *prover) exits() bool { return p.work.Ready.Kind() == OnExit }

// how says what is run.
func (p *prover) how() string {
	s := strings.Join(p.work.Args, " ")
	if s == "" {
		s = "no arguments"
	}
	if p.Workload == nil {
		s += " (bench declares none)"
	}
	if p.emulator != "" {
		s += " under " + filepath.Base(p.emulator)
	}
	return s
}

// unfit says why what the unpacked program did is nothing to compare with.
func (p *prover) unfit(o outcome, err error) (why string, _ error) {
	var bad *failure
	switch {
	case errors.As(err, &bad) && p.Workload == nil:
		return p.how() + ": the unpacked program does not end; declare in bench what to run", nil
	case errors.As(err, &bad):
		return p.how() + ": the unpacked program: " + bad.what, nil
	case err != nil:
		return "", err
	case !p.exits():
		return "", nil
	}
	code, ok := exitCode(o.status)
	switch {
	case !ok:
		return p.how() + ": the unpacked program is " + o.status + " too", nil
	case code != 0 && p.Workload != nil:
		return fmt.Sprintf("%s: the unpacked program ends with %s; it runs in an empty directory with the declared environment", p.how(), o.status), nil
	}
	return "", nil
}

// exitCode reads what [exitStatus] writes.
func exitCode(status string) (int, bool) {
	text, ok := strings.CutPrefix(status, "exit status ")
	n, err := strconv.Atoi(text)
	return n, ok && err == nil
}

func (p *prover) run(ctx context.Context, path string) (outcome, error) {
	l := &launch{
		path: path, args: append([]string{filepath.Base(p.Plain)}, p.work.Args...), env: p.work.Env, dir: p.Dir, stdin: p.work.Stdin,
		ready: p.work.Ready, anyExit: true, timeout: p.work.Timeout, capture: true, work: p.Work,
	}
	if p.emulator != "" {
		l.path = p.emulator
		l.args = append([]string{filepath.Base(p.emulator), path}, p.work.Args...)
	}
	return retryBusy(func() (outcome, error) { return l.run(ctx) })
}
