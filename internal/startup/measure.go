package startup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/stats"
)

// bench is one measurement under way.
type bench struct {
	*Config
	res      *Result
	measured []int // indices of the programs that this machine runs
	rng      *rand.Rand
	copies   int
}

// Measure measures all programs. An error means that there is no result: a
// program that does not do what the workload says, for one. What this machine
// cannot measure is no error but says so in the result.
func Measure(ctx context.Context, cfg Config) (*Result, error) {
	b := &bench{Config: &cfg}
	if err := b.defaults(); err != nil {
		return nil, err
	}
	b.rng = rand.New(rand.NewPCG(cfg.Seed, 0))
	b.res = &Result{
		Schema: fact.StartupReport, Workload: cfg.Workload, Ready: cfg.Workload.Ready.String(), Seed: cfg.Seed, Realtime: cfg.Realtime, Confidence: cfg.Confidence,
		Host: Host{Platform: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Kernel: kernel()},
	}
	if v, ok := load(); ok {
		b.res.Host.Load = append(b.res.Host.Load, v)
	}
	if err := b.look(ctx); err != nil {
		return nil, err
	}
	if len(b.measured) > 0 {
		if err := b.tryOut(ctx); err != nil {
			return nil, err
		}
		for _, cache := range []string{Warm, Cold} {
			run, err := b.rounds(ctx, cache)
			if err != nil {
				return nil, err
			}
			b.res.Runs = append(b.res.Runs, *run)
		}
		if err := b.memories(ctx); err != nil {
			return nil, err
		}
	}
	if v, ok := load(); ok && len(b.res.Host.Load) > 0 {
		b.res.Host.Load = append(b.res.Host.Load, v)
	}
	return b.res, nil
}

func (b *bench) defaults() error {
	if len(b.Programs) == 0 {
		return errors.New("no program to measure")
	}
	seen := map[string]bool{}
	for _, p := range b.Programs {
		if p.Name == "" || seen[p.Name] {
			return fmt.Errorf("two programs are named %q", p.Name)
		}
		seen[p.Name] = true
	}
	if b.Workload.Args == nil {
		b.Workload.Args = []string{} // a list in JSON
	}
	if b.Workload.Env == nil {
		b.Workload.Env = []string{}
	}
	if b.Rule == (stats.Rule{}) {
		b.Rule = stats.Rule{HalfWidth: 0.02, Least: 20, Most: 1000}
	}
	if b.Time == 0 {
		b.Time = 20 * time.Second
	}
	if b.Confidence == 0 {
		b.Confidence = stats.Confidence
	}
	if b.MemoryRuns == 0 {
		b.MemoryRuns = 5
	}
	if b.Workload.Timeout == 0 {
		b.Workload.Timeout = 30 * time.Second
	}
	if !(b.Confidence > 0 && b.Confidence < 1) {
		return fmt.Errorf("confidence %v is not between 0 and 1", b.Confidence)
	}
	for _, kv := range b.Workload.Env {
		if i := strings.IndexByte(kv, '='); i < 1 || strings.Contains(kv, "\x00") {
			return fault.Errorf("write NAME=VALUE", "environment %q", kv)
		}
	}
	return b.Rule.Check()
}

func (b *bench) event(format string, args ...any) {
	if b.Event != nil {
		b.Event(fmt.Sprintf(format, args...))
	}
}

// look identifies all programs, and runs those of other platforms once if an
// emulator is there.
func (b *bench) look(ctx context.Context) error {
	for i, p := range b.Programs {
		f, err := identify(ctx, p.Path)
		if err != nil {
			return err
		}
		s := Subject{Name: p.Name, File: f}
		if native(f.Platform) {
			b.measured = append(b.measured, i)
			if b.Plugin != "" && f.Platform != "script" {
				if emulator, err := Emulator(f.Platform, b.Emulators); err != nil {
					b.note("%s: emulated instructions: not measured: %v", p.Name, err)
				} else if s.Smoke, err = b.emulate(ctx, emulator, p); err != nil {
					return err
				}
			}
		} else if s.NotMeasured, s.Smoke, err = b.foreign(ctx, p, f); err != nil {
			return err
		}
		for _, earlier := range b.res.Programs {
			if earlier.SHA256 == s.SHA256 {
				b.note("%s and %s are the same file, bit for bit", earlier.Name, s.Name)
				break
			}
		}
		b.res.Programs = append(b.res.Programs, s)
	}
	return nil
}

// launch is how a copy of a program is started.
func (b *bench) launch(path string) *launch {
	w := b.Workload
	return &launch{
		path: path, args: append([]string{filepath.Base(path)}, w.Args...), env: w.Env, dir: b.Dir, work: b.Work,
		stdin: w.Stdin, ready: w.Ready, exit: w.Exit, timeout: w.Timeout, realtime: b.Realtime,
	}
}

// tryOut runs every program once with nobody timing it, and compares what they
// print: two programs that do different things are not worth a comparison.
func (b *bench) tryOut(ctx context.Context) error {
	paths, err := b.copy(nil)
	if err != nil {
		return err
	}
	defer b.remove(paths)
	var first []byte
	for n, i := range b.measured {
		l := b.launch(paths[n])
		l.capture = true
		o, err := retryBusy(func() (outcome, error) { return l.run(ctx) })
		if err != nil {
			if errors.Is(err, syscall.ENOEXEC) || errors.Is(err, syscall.EACCES) {
				err = &fault.Error{Err: err, Tip: "is it built for this machine, and may programs be started from the directory for temporary files?"}
			}
			return fmt.Errorf("%s: %w", b.Programs[i].Name, err)
		}
		if n == 0 {
			first = o.stdout
		} else if b.Workload.Ready.Kind() == OnExit && !bytes.Equal(first, o.stdout) {
			b.note("%s does not print what %s prints: do they do the same?", b.Programs[i].Name, b.Programs[b.measured[0]].Name)
		}
	}
	return nil
}

func (b *bench) note(format string, args ...any) {
	b.res.Notes = append(b.res.Notes, fmt.Sprintf(format, args...))
}

// retryBusy repeats a launch of a file that another process is about to start
// was well, and holds open for writing until its execve: ETXTBSY.
func retryBusy[T any](f func() (T, error)) (v T, err error) {
	for range 50 {
		if v, err = f(); !errors.Is(err, syscall.ETXTBSY) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return v, err
}

// copy replaces old copies by new ones of all measured programs, and of the
// base once more as the last. They are on the disk when it returns. Paths are
// of one length and end in the base's name.
func (b *bench) copy(old []string) ([]string, error) {
	b.remove(old)
	measured := append(slices.Clone(b.measured), b.measured[0])
	name := filepath.Base(b.Programs[b.measured[0]].Path)
	order := b.rng.Perm(len(measured)) // the order on the disk
	paths := make([]string, len(measured))
	for _, n := range order {
		dir := filepath.Join(b.Work, fmt.Sprintf("copy%05d-%03d", b.copies%100000, n))
		paths[n] = filepath.Join(dir, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		if err := copyFile(b.Programs[measured[n]].Path, paths[n]); err != nil {
			return nil, err
		}
	}
	b.copies++
	return paths, nil
}

func (b *bench) remove(paths []string) {
	for _, p := range paths {
		files.RemoveTree(filepath.Dir(p))
	}
}

func copyFile(from, to string) error {
	r, err := files.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	return files.Create(to, 0o755, func(w *os.File) error {
		_, err := io.Copy(w, r)
		return errors.Join(err, w.Sync())
	})
}

// rounds starts all programs again and again until the rule is content.
func (b *bench) rounds(ctx context.Context, cache string) (*Run, error) {
	run := &Run{Cache: cache}
	if cache == Cold && b.SkipCold {
		run.NotMeasured = "not asked for"
		return run, nil
	}
	paths, err := b.copy(nil)
	if err != nil {
		return nil, err
	}
	defer func() { b.remove(paths) }()
	if cache == Cold {
		if err := evictable(paths[0]); err != nil {
			run.NotMeasured = err.Error()
			return run, nil
		}
	}
	t := &table{walls: make([][]float64, len(paths)), samples: make([][]Sample, len(paths))}
	began := time.Now()
	told := began
	for {
		round := run.Rounds
		if round%copyRounds == 0 {
			if round > 0 {
				if paths, err = b.copy(paths); err != nil {
					return nil, err
				}
			}
			for n, path := range paths { // the first run of a copy is not like the others
				if _, err := retryBusy(func() (outcome, error) { return b.launch(path).run(ctx) }); err != nil {
					return nil, fmt.Errorf("%s: %w", b.name(n), err)
				}
			}
		}
		if err := b.round(ctx, cache, round, paths, t); err != nil {
			return nil, err
		}
		run.Rounds++
		late := time.Since(began) >= b.Time
		if run.Rounds%5 != 0 && !late && run.Rounds != b.Rule.Most {
			continue // looking costs more than a round of small programs
		}
		ratios, err := t.ratios(b.Confidence)
		if err != nil {
			return nil, err
		}
		if why, done := b.Rule.Done(run.Rounds, late, ratios...); done {
			run.Stopped = why
			break
		}
		if w := widest(ratios); !math.IsInf(w, 0) && time.Since(told) > 2*time.Second {
			b.event("%s: %d rounds, intervals up to ±%s", cache, run.Rounds, percent(w))
			told = time.Now()
		}
	}
	return run, b.summarize(run, t)
}

// name is that of the program behind the n-th path.
func (b *bench) name(n int) string {
	if n == len(b.measured) {
		n = 0 // the control
	}
	return b.Programs[b.measured[n]].Name
}

// round starts every program once.
func (b *bench) round(ctx context.Context, cache string, round int, paths []string, t *table) error {
	// The size of the environment moves the stack, and with it what falls into
	// one line of a cache: the same for all of a round, another in each
	// (Mytkowicz et al., Producing Wrong Data Without Doing Anything Obviously Wrong).
	pad := "MINTMARK_PAD=" + strings.Repeat("x", b.rng.IntN(4096))
	for place, n := range b.rng.Perm(len(paths)) {
		l := b.launch(paths[n])
		l.env = append(slices.Clone(l.env), pad)
		if cache == Cold {
			if err := evict(paths[n]); err != nil {
				return err
			}
		}
		o, err := l.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name(n), err)
		}
		if b.took != nil {
			o.took = b.took(b.name(n), round)
		}
		s := Sample{
			Program: b.name(n), Control: n == len(b.measured), Cache: cache, Round: round, Place: place, Copy: b.copies - 1,
			Wall: o.took.Nanoseconds(), CPU: o.cpu.Nanoseconds(), Minor: o.minor, Major: o.major,
		}
		b.res.Samples = append(b.res.Samples, s)
		t.samples[n] = append(t.samples[n], s)
		t.walls[n] = append(t.walls[n], float64(max(s.Wall, 1)))
	}
	return nil
}

// table is the samples of one run by program; the last is the control.
type table struct {
	walls   [][]float64
	samples [][]Sample
}

// ratios are those of all others to the base, the control's included.
func (t *table) ratios(confidence float64) ([]stats.Ratio, error) {
	var out []stats.Ratio
	for _, w := range t.walls[1:] {
		r, err := stats.PairedRatio(t.walls[0], w, confidence)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func widest(ratios []stats.Ratio) float64 {
	w := 0.0
	for _, r := range ratios {
		w = max(w, r.HalfWidth())
	}
	return w
}

func percent(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) + " %" }

// memories reads every program's memory, in runs that nobody times.
func (b *bench) memories(ctx context.Context) error {
	if b.SkipMemory {
		return nil
	}
	paths, err := b.copy(nil)
	if err != nil {
		return err
	}
	defer b.remove(paths)
	for n, i := range b.measured {
		b.event("memory of %s", b.Programs[i].Name)
		l := b.launch(paths[n])
		var all []Memory
		for range b.MemoryRuns {
			m, err := retryBusy(func() (Memory, error) { return l.memory(ctx) })
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				b.res.Programs[i].Memory = &Memory{NotMeasured: err.Error()}
				all = nil
				break
			}
			all = append(all, m)
		}
		if len(all) > 0 {
			m := medians(all)
			b.res.Programs[i].Memory = &m
		}
	}
	return nil
}
