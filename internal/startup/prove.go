package startup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
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
	Counts    []int // of variables; see [SweepConfig]. None is 0 to 1000 in six steps.
}

// Results of a [Proof].
const (
	Passed    = "passed"
	Failed    = "failed"
	Unchecked = "unchecked"
)

// Proof is what came of one test of a packed program. Neither How nor Reason
// has a path of this machine in it.
type Proof struct {
	Result string
	How    string // of passed: what was run and compared
	Reason string // of failed and unchecked
}

// Proofs are all of one packed program.
type Proofs struct {
	Smoke       Proof // it does what the unpacked program does
	Environment Proof // it does so with up to 1000 environment variables
}

// Undeclared are the arguments of a program when nobody declared any. Most
// programs print something and end; all that is asked is that the packed program
// does the same as the unpacked one.
func Undeclared() []string { return []string{"--version"} }

// undeclaredTimeout is how long a program may take with arguments that it may
// not know: some servers ignore them and run until they are stopped.
const undeclaredTimeout = 10 * time.Second

// Prove runs a packed program and the one it was made of, natively or under
// qemu's user emulation, and compares: the exit status and standard output, or
// for other kinds of readiness whether both got ready. Then it sweeps over
// environment sizes. What cannot be run, or does not run unpacked either, is
// unchecked, with the reason.
//
// Output that differs between two runs of the unpacked program is not compared.
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
		p.Counts = []int{0, 100, 300, 500, 700, 1000}
	}
	f, err := identify(p.Plain)
	if err != nil {
		return nil, err
	}
	if !native(f.Platform) {
		if p.emulator, err = Emulator(f.Platform, cfg.Emulators); err != nil {
			return both(Proof{Result: Unchecked, Reason: err.Error()}), nil
		}
	}
	p.work = Workload{Args: Undeclared(), Timeout: undeclaredTimeout}
	if cfg.Workload != nil {
		p.work = *cfg.Workload
	}
	if p.work.Timeout == 0 {
		p.work.Timeout = 30 * time.Second
	}
	return p.prove(ctx)
}

func both(p Proof) *Proofs { return &Proofs{Smoke: p, Environment: p} }

type prover struct {
	ProveConfig
	work     Workload
	emulator string // "" runs natively
}

func (p *prover) prove(ctx context.Context) (*Proofs, error) {
	plain, err := p.run(ctx, p.Plain)
	if why, err := p.unfit(plain, err); why != "" || err != nil {
		return both(Proof{Result: Unchecked, Reason: why}), err
	}
	packed, err := p.run(ctx, p.Packed)
	var bad *failure
	switch {
	case errors.As(err, &bad):
		return p.failed(bad.what), nil
	case err != nil:
		return nil, err
	}
	compared := "got ready (" + p.work.Ready.String() + ")"
	anyOutput := false
	if p.exits() {
		compared = plain.status + " and the same output"
		if packed.status != plain.status {
			return p.failed(packed.status + "; unpacked it is " + plain.status), nil
		}
		if !bytes.Equal(packed.stdout, plain.stdout) {
			again, err := p.run(ctx, p.Plain)
			if why, err := p.unfit(again, err); why != "" || err != nil {
				return both(Proof{Result: Unchecked, Reason: why}), err
			}
			if bytes.Equal(again.stdout, plain.stdout) {
				return p.failed("it printed something else than the unpacked program"), nil
			}
			anyOutput, compared = true, plain.status+"; the output of the unpacked program varies and was not compared"
		}
	}
	res := &Proofs{Smoke: Proof{Result: Passed, How: p.how() + ": " + compared}}
	cfg := SweepConfig{
		Path: p.Packed, Args: p.work.Args, Env: p.work.Env, Stdin: p.work.Stdin, Ready: p.work.Ready, AnyOutput: anyOutput,
		Emulator: p.emulator, Reference: p.Plain, Work: p.Work, Dir: p.Dir, Counts: p.Counts, Timeout: p.work.Timeout,
	}
	if p.exits() {
		cfg.Exit, _ = exitCode(plain.status) // it has one, or was unfit
	}
	s, err := Sweep(ctx, cfg)
	if errors.As(err, &bad) {
		res.Environment = Proof{Result: Unchecked, Reason: p.how() + ": the unpacked program: " + bad.what}
		return res, nil
	}
	if err != nil {
		return nil, err
	}
	most := p.Counts[len(p.Counts)-1]
	res.Environment = Proof{Result: Passed, How: fmt.Sprintf("%s: 0 to %d environment variables in %d steps", p.how(), most, len(s.Tried))}
	if s.FirstFailure >= 0 {
		// Perhaps it does what it should: print its environment, or be content
		// with so much of it.
		cfg.Path, cfg.Counts = p.Plain, []int{s.FirstFailure}
		plain, err := Sweep(ctx, cfg)
		if err != nil && !errors.As(err, &bad) {
			return nil, err
		}
		if err != nil || plain.FirstFailure >= 0 {
			res.Environment = Proof{Result: Unchecked, Reason: fmt.Sprintf("%s: with %d environment variables the unpacked program does something else too", p.how(), s.FirstFailure)}
			return res, nil
		}
		i := slices.IndexFunc(s.Tried, func(t SweepStep) bool { return t.Variables == s.FirstFailure })
		what, _, _ := strings.Cut(s.Tried[i].Failure, "; it wrote: ")
		res.Environment = Proof{Result: Failed, Reason: fmt.Sprintf("%s: with %d environment variables or more: %s", p.how(), s.FirstFailure, what)}
	}
	return res, nil
}

// failed is a smoke run that went wrong. The environment has nothing to do with it.
func (p *prover) failed(what string) *Proofs {
	return &Proofs{
		Smoke:       Proof{Result: Failed, Reason: p.how() + ": " + what},
		Environment: Proof{Result: Unchecked, Reason: "the smoke run failed"},
	}
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
