package startup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// SweepConfig is a sweep over sizes of the environment.
type SweepConfig struct {
	Path  string   // the program
	Args  []string // without its name
	Env   []string // NAME=VALUE, beside those of the sweep
	Stdin string   // file; "" is an empty input
	Ready Ready    // what has to happen; its exit by default
	Exit  int      // the exit status it has to end with, where that is its exit
	// AnyOutput does not compare what it prints. That is done for the exit only.
	AnyOutput bool
	// Emulator runs the program where this machine cannot; see [Emulator].
	Emulator string
	// Reference is a program that has to print the same, such as the unpacked
	// one; "" is the program itself with no variables.
	Reference string
	// Work is an existing directory for temporary files, absolute; Dir is the
	// working directory, "" for Work, where crashes may leave their dumps.
	Work, Dir string
	// Counts of variables to try, ascending; none is 0 to 1000 in steps of 50.
	Counts  []int
	Timeout time.Duration // of one start; 0 is 30 s
}

// SweepResult is what came of a sweep.
type SweepResult struct {
	Emulator string `json:"emulator,omitempty"` // file name
	// Tried are all counts that were tried, ascending.
	Tried []SweepStep `json:"tried"`
	// FirstFailure is the smallest count that is known to fail; -1 if none of
	// those tried did. The next smaller count was tried, and was well.
	FirstFailure int `json:"first_failure"`
}

// SweepStep is one start.
type SweepStep struct {
	Variables int    `json:"variables"`
	Failure   string `json:"failure,omitempty"` // "" when all was well
}

// Sweep starts a program with more and more environment variables, as a cluster
// gives them to a container: one for each service. The start-up code of UPX is
// on some platforms not up to that, and the packed program crashes where the
// plain one runs. The first count that fails is then searched for between the
// last good one and it.
//
// An error means that the sweep could not be made, not that the program fails.
func Sweep(ctx context.Context, cfg SweepConfig) (*SweepResult, error) {
	if cfg.Counts == nil {
		for n := 0; n <= 1000; n += 50 {
			cfg.Counts = append(cfg.Counts, n)
		}
	}
	if len(cfg.Counts) == 0 || !slices.IsSorted(cfg.Counts) || cfg.Counts[0] < 0 {
		return nil, fmt.Errorf("environment sweep: counts %v are not ascending", cfg.Counts)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Dir == "" {
		cfg.Dir = cfg.Work
	}
	s := &sweep{cfg: cfg, res: &SweepResult{FirstFailure: -1}}
	if err := s.prepare(ctx); err != nil {
		return nil, fmt.Errorf("environment sweep: %w", err)
	}
	good := -1
	for _, n := range cfg.Counts {
		ok, err := s.try(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("environment sweep: %w", err)
		}
		if ok {
			good = n
			continue
		}
		s.res.FirstFailure = n
		for s.res.FirstFailure-good > 1 {
			middle := good + (s.res.FirstFailure-good)/2
			ok, err := s.try(ctx, middle)
			if err != nil {
				return nil, fmt.Errorf("environment sweep: %w", err)
			}
			if ok {
				good = middle
			} else {
				s.res.FirstFailure = middle
			}
		}
		break
	}
	slices.SortFunc(s.res.Tried, func(a, b SweepStep) int { return a.Variables - b.Variables })
	return s.res, nil
}

type sweep struct {
	cfg  SweepConfig
	res  *SweepResult
	path string
	want []byte // on standard output
}

// prepare finds out what the program should print.
func (s *sweep) prepare(ctx context.Context) (err error) {
	if s.path, err = filepath.Abs(s.cfg.Path); err != nil {
		return err
	}
	f, err := identify(s.path)
	if err != nil {
		return err
	}
	if s.cfg.Emulator != "" {
		s.res.Emulator = filepath.Base(s.cfg.Emulator)
	} else if !native(f.Platform) {
		return fmt.Errorf("%s is for %s, this machine is %s/%s: an emulator is needed", s.cfg.Path, f.Platform, runtime.GOOS, runtime.GOARCH)
	}
	if s.cfg.Reference == "" {
		return nil
	}
	reference, err := filepath.Abs(s.cfg.Reference)
	if err != nil {
		return err
	}
	o, err := s.run(ctx, reference, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", s.cfg.Reference, err)
	}
	s.want = o.stdout
	return nil
}

// try starts the program with n variables and notes what came of it.
func (s *sweep) try(ctx context.Context, n int) (ok bool, err error) {
	o, err := s.run(ctx, s.path, n)
	step := SweepStep{Variables: n}
	var bad *failure
	switch {
	case errors.As(err, &bad):
		step.Failure = bad.Error()
	case err != nil:
		return false, err
	case s.cfg.AnyOutput || s.cfg.Ready.Kind() != OnExit:
	case s.want == nil:
		s.want = append([]byte{}, o.stdout...)
	case !bytes.Equal(s.want, o.stdout):
		step.Failure = "it printed something else than it should"
	}
	s.res.Tried = append(s.res.Tried, step)
	return step.Failure == "", nil
}

func (s *sweep) run(ctx context.Context, path string, n int) (outcome, error) {
	l := &launch{
		path: path, args: append([]string{filepath.Base(path)}, s.cfg.Args...), env: append(slices.Clone(s.cfg.Env), sweepEnv(n)...),
		dir: s.cfg.Dir, stdin: s.cfg.Stdin, ready: s.cfg.Ready, exit: s.cfg.Exit, timeout: s.cfg.Timeout, capture: true, work: s.cfg.Work,
	}
	if s.cfg.Emulator != "" {
		l.path = s.cfg.Emulator
		l.args = append([]string{filepath.Base(s.cfg.Emulator), path}, s.cfg.Args...)
	}
	return retryBusy(func() (outcome, error) { return l.run(ctx) })
}

// sweepEnv are n variables like those that Kubernetes sets for services.
func sweepEnv(n int) []string {
	env := make([]string, n)
	for i := range env {
		env[i] = fmt.Sprintf("SERVICE_%04d_PORT_8080_TCP_ADDR=10.96.%d.%d", i, i/256, i%256)
	}
	return env
}
