package startup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
)

// SweepConfig is a sweep over sizes of the environment.
type SweepConfig struct {
	Path  string   // the program
	Name  string   // what it is told that it is called; "" is the file's name
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
	// Counts of variables to try, ascending; nil is [sweepCounts].
	Counts []int
	// Starts with each of them; 0 is [sweepStarts].
	Starts  int
	Timeout time.Duration // of one start; 0 is 30 s
	// Budget is for how long starts are made that have to be well; 0 is without
	// end. The starts that it cuts off are missing in the result.
	Budget time.Duration
}

// sweepStarts is how often a program is started with each number of variables:
// a crash of one start in three is missed less than once in a million times
// then, (2/3)³⁶.
const sweepStarts = 36

// sweepCounts are the numbers of variables of a sweep, from none to as many as a
// cluster with some 150 services gives to its containers.
func sweepCounts() []int { return []int{0, 100, 300, 500, 700, 1000} }

const (
	// confirming is how many failures with one number of variables are enough:
	// a program that always fails need not do so many more times.
	confirming = 5
	// searching is how often a program is started with a number of variables at
	// which the smallest one that fails is searched for. Those that always fail
	// are searched for only, so one would do if lengths did not matter.
	searching = 3
)

// SweepResult is what came of a sweep.
type SweepResult struct {
	Emulator string `json:"emulator,omitempty"` // file name
	// Tried are all counts that were tried, ascending.
	Tried []SweepStep `json:"tried"`
	// FirstFailure is the smallest count with which a start failed; -1 if none
	// of those tried did. Where all starts with it failed, smaller ones were tried.
	FirstFailure int `json:"first_failure"`
	// Cut says that the budget was over before all starts were made.
	Cut bool `json:"cut,omitempty"`
}

// SweepStep is the starts with one number of variables, each with values of
// another length.
type SweepStep struct {
	fact.Starts
	Failure string `json:"failure,omitempty"` // of the first start that failed
	late    int    // of the failed ones, those that were not ready in time
	printed int    // of the failed ones, those that only printed something else
}

// onlyLate reports whether all that went wrong is that one start of several was
// not ready in time. A program that hangs does that, and so does a busy machine.
func (t SweepStep) onlyLate() bool { return t.Failed == 1 && t.late == 1 && t.Starts.Starts > 1 }

// Step is what came of the starts with n variables.
func (r *SweepResult) Step(n int) SweepStep {
	for _, t := range r.Tried {
		if t.Variables == n {
			return t
		}
	}
	return SweepStep{Starts: fact.Starts{Variables: n}}
}

// Starts are those of all steps.
func (r *SweepResult) Starts() []fact.Starts {
	var all []fact.Starts
	for _, t := range r.Tried {
		all = append(all, t.Starts)
	}
	return all
}

// String says for people what came of the sweep, in numbers.
func (r *SweepResult) String() string {
	if r.FirstFailure >= 0 {
		bad := r.Step(r.FirstFailure)
		s := fmt.Sprintf("%s with %s", bad.Starts, variables(bad.Variables))
		if i := slices.IndexFunc(r.Tried, func(t SweepStep) bool { return t.Variables == r.FirstFailure }); i > 0 {
			s += fmt.Sprintf(", %d of %d with %d", r.Tried[i-1].Failed, r.Tried[i-1].Starts.Starts, r.Tried[i-1].Variables)
		}
		what, _, _ := strings.Cut(bad.Failure, wrote)
		return s + ": " + what
	}
	fewest, most := 0, 0
	var counts []string
	for i, t := range r.Tried {
		if n := t.Starts.Starts; i == 0 || n < fewest {
			fewest = n
		}
		most = max(most, t.Starts.Starts)
		counts = append(counts, fmt.Sprint(t.Variables))
	}
	starts := fmt.Sprintf("%d starts", fewest)
	switch {
	case most != fewest:
		starts = fmt.Sprintf("%d to %d starts", fewest, most)
	case most == 1:
		starts = "1 start"
	}
	each := ""
	if most := r.Tried[len(r.Tried)-1].Variables; most > 0 {
		list := fmt.Sprint(most)
		if n := len(counts) - 1; n > 0 {
			list = strings.Join(counts[:n], ", ") + " and " + list
		}
		starts, each = starts+" with each of "+list+" environment variables of various lengths", "each of "
	}
	return fmt.Sprintf("%s, none failed, %swhich %s", starts, each, fact.Power(r.Starts()))
}

func variables(n int) string {
	if n == 1 {
		return "1 environment variable"
	}
	return fmt.Sprintf("%d environment variables", n)
}

// Sweep starts a program with more and more environment variables, as a cluster
// gives them to a container: one for each service. The start-up code of UPX is
// on some platforms not up to that, and the packed program crashes where the
// plain one runs, always or now and then. So there are several starts with each
// number, no two with values of the same length, and they are made in rounds of
// one for each number: what is certain to fail fails soon.
//
// After a failure the starts with that number go on until it is known how often
// it fails. When it always does, the first number that fails is searched for
// below it. What fails now and then has no such number.
//
// An error means that the sweep could not be made, not that the program fails.
func Sweep(ctx context.Context, cfg SweepConfig) (*SweepResult, error) {
	if cfg.Counts == nil {
		cfg.Counts = sweepCounts()
	}
	if len(cfg.Counts) == 0 || !slices.IsSorted(cfg.Counts) || cfg.Counts[0] < 0 {
		return nil, fmt.Errorf("environment sweep: counts %v are not ascending", cfg.Counts)
	}
	if cfg.Starts < 0 {
		return nil, fmt.Errorf("environment sweep: %d starts", cfg.Starts)
	}
	if cfg.Starts == 0 {
		cfg.Starts = sweepStarts
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Dir == "" {
		cfg.Dir = cfg.Work
	}
	s := &sweep{cfg: cfg, res: &SweepResult{FirstFailure: -1}, steps: map[int]*SweepStep{}}
	err := s.prepare(ctx)
	if err == nil {
		err = s.rounds(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("environment sweep: %w", err)
	}
	for _, t := range s.steps {
		s.res.Tried = append(s.res.Tried, *t)
	}
	slices.SortFunc(s.res.Tried, func(a, b SweepStep) int { return a.Variables - b.Variables })
	return s.res, nil
}

type sweep struct {
	cfg   SweepConfig
	res   *SweepResult
	steps map[int]*SweepStep
	path  string
	want  []byte // on standard output
}

// prepare finds out what the program should print.
func (s *sweep) prepare(ctx context.Context) (err error) {
	if s.path, err = filepath.Abs(s.cfg.Path); err != nil {
		return err
	}
	f, err := identify(ctx, s.path)
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
	o, err := s.run(ctx, reference, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", s.cfg.Reference, err)
	}
	s.want = o.stdout
	return nil
}

// rounds makes the starts, one with each number of variables in each round,
// until one of them fails.
func (s *sweep) rounds(ctx context.Context) error {
	began := time.Now()
	for round := range s.cfg.Starts {
		if round > 0 && s.cfg.Budget > 0 && time.Since(began) > s.cfg.Budget {
			s.res.Cut = true
			return nil
		}
		for _, n := range s.cfg.Counts {
			if err := s.try(ctx, n); err != nil {
				return err
			}
			if s.step(n).Failed > 0 {
				return s.failed(ctx, n)
			}
		}
	}
	return nil
}

// failed finds out how often the program fails with n variables; when it always
// does, also with how few it does.
func (s *sweep) failed(ctx context.Context, n int) error {
	s.res.FirstFailure = n
	if err := s.confirm(ctx, n); err != nil {
		return err
	}
	if step := s.step(n); step.Failed < step.Starts.Starts {
		return nil
	}
	good := -1
	for m := range s.steps {
		if m < n {
			good = max(good, m)
		}
	}
	for s.res.FirstFailure-good > 1 {
		middle := good + (s.res.FirstFailure-good)/2
		for range searching {
			if err := s.try(ctx, middle); err != nil {
				return err
			}
			if s.step(middle).Failed > 0 {
				break
			}
		}
		if s.step(middle).Failed > 0 {
			s.res.FirstFailure = middle
		} else {
			good = middle
		}
	}
	return s.confirm(ctx, s.res.FirstFailure)
}

// confirm makes the other starts with n variables, as far as they tell something
// that is not known yet. Two that wait for their end are enough.
func (s *sweep) confirm(ctx context.Context, n int) error {
	for t := s.step(n); t.Starts.Starts < s.cfg.Starts && t.Failed < confirming && t.late < 2; {
		if err := s.try(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (s *sweep) step(n int) *SweepStep {
	if s.steps[n] == nil {
		s.steps[n] = &SweepStep{Starts: fact.Starts{Variables: n}}
	}
	return s.steps[n]
}

// try starts the program with n variables and notes what came of it.
func (s *sweep) try(ctx context.Context, n int) error {
	t := s.step(n)
	o, err := s.run(ctx, s.path, sweepEnv(n, t.Starts.Starts))
	what := ""
	var bad *failure
	switch {
	case errors.As(err, &bad):
		what = bad.Error()
		if bad.late {
			t.late++
		}
	case err != nil:
		return err
	case s.cfg.AnyOutput || s.cfg.Ready.Kind() != OnExit:
	case s.want == nil:
		s.want = append([]byte{}, o.stdout...)
	case !bytes.Equal(s.want, o.stdout):
		what = "it printed something else than it should"
		t.printed++
	}
	t.Starts.Starts++
	if what != "" {
		t.Failed++
		if t.Failure == "" {
			t.Failure = what
		}
	}
	return nil
}

func (s *sweep) run(ctx context.Context, path string, env []string) (outcome, error) {
	name := s.cfg.Name
	if name == "" {
		name = filepath.Base(path)
	}
	l := &launch{
		path: path, args: append([]string{name}, s.cfg.Args...), env: append(slices.Clone(s.cfg.Env), env...),
		dir: s.cfg.Dir, stdin: s.cfg.Stdin, ready: s.cfg.Ready, exit: s.cfg.Exit, timeout: s.cfg.Timeout, capture: true, work: s.cfg.Work,
	}
	if s.cfg.Emulator != "" {
		l.path = s.cfg.Emulator
		l.args = append([]string{filepath.Base(s.cfg.Emulator), path}, s.cfg.Args...)
	}
	return retryBusy(func() (outcome, error) { return l.run(ctx) })
}

// sweepEnv are n variables like those that Kubernetes sets for services. Those
// of another start have other lengths: all of them by some bytes, which moves
// the end of the whole by kilobytes, and the last by up to a page, which moves
// it to another place in its page and in its line of the cache.
func sweepEnv(n, start int) []string {
	env := make([]string, n)
	for i := range env {
		env[i] = fmt.Sprintf("SERVICE_%04d_PORT_8080_TCP_ADDR=10.96.%d.%d", i, i/256, i%256) + strings.Repeat("0", start%4*8)
	}
	if n > 0 {
		env[n-1] += strings.Repeat("0", start*113%4096)
	}
	return env
}
