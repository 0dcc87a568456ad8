// Command retained holds what `mintmark size -retained` says against the truth: the
// programs in testdata are built, and built again with a module cut out of their
// source by hand, for each module in testdata/cuts. A cut is the files that replace
// those of the same name: the least that does without the module.
//
//	go run ./tools/retained
//	go run ./tools/retained -platform=linux/arm64 -only=agent
//
// It prints a table in Markdown, and fails if an estimate is further from its cut than
// -within percent of the cut. It needs git and the network.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/internal/measure"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/retained"
	"github.com/mintmark/mintmark/internal/run"
)

const testdata = "tools/retained/testdata"

func main() {
	var t truth
	flag.StringVar(&t.platform, "platform", "linux/amd64", "which of the programs' platforms")
	flag.StringVar(&t.only, "only", "", "only programs and modules whose name contains this")
	flag.Float64Var(&t.within, "within", 7, "percent of a cut that an estimate may be off")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := t.all(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "retained:", err)
		os.Exit(1)
	}
}

// truth is one run.
type truth struct {
	platform, only string
	within         float64
	work, cache    string
}

// cut is a module that was cut out of a program.
type cut struct{ program, module, dir string }

func (t *truth) all(ctx context.Context) (err error) {
	cuts, err := t.cuts()
	if err != nil {
		return err
	}
	if t.cache = os.Getenv("MINTMARK_CACHE"); t.cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		t.cache = filepath.Join(dir, "mintmark")
	}
	if t.work, err = os.MkdirTemp("", "mintmark-retained-"); err != nil {
		return err
	}
	defer os.RemoveAll(t.work)
	fmt.Print("| program | module | own bytes | cut | size -retained | off |\n|---|---|---:|---:|---:|---:|\n")
	var errs []error
	for len(cuts) > 0 {
		n := slices.IndexFunc(cuts, func(c cut) bool { return c.program != cuts[0].program })
		if n < 0 {
			n = len(cuts)
		}
		errs = append(errs, t.program(ctx, cuts[:n]))
		cuts = cuts[n:]
	}
	return errors.Join(errs...)
}

// cuts finds what is in testdata/cuts: PROGRAM/MODULE/*.go.
func (t *truth) cuts() (list []cut, err error) {
	top := filepath.Join(testdata, "cuts")
	err = filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		dir := filepath.Dir(name)
		rel, err := filepath.Rel(top, dir)
		if err != nil {
			return err
		}
		program, module, _ := strings.Cut(filepath.ToSlash(rel), "/")
		c := cut{program, module, dir}
		if strings.Contains(program+" "+module, t.only) && !slices.Contains(list, c) {
			list = append(list, c)
		}
		return nil
	})
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("no cut matches %q", t.only)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (run it at the repository's root)", err)
	}
	return list, err
}

// program holds the cuts of one program against what is measured.
func (t *truth) program(ctx context.Context, cuts []cut) error {
	name := cuts[0].program
	source := filepath.Join(testdata, name)
	cfg, err := t.commit(ctx, name, source)
	if err != nil {
		return err
	}
	var with measure.RetainedWith
	for _, c := range cuts {
		with.Only = append(with.Only, c.module)
	}
	said, err := measure.Retained(ctx, cfg, with)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	full, err := measure.Program(ctx, cfg)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var errs []error
	for i, c := range cuts {
		cfg, err := t.commit(ctx, fmt.Sprintf("%s-%d", name, i), source, c.dir)
		if err != nil {
			return err
		}
		without, err := measure.Program(ctx, cfg)
		if err != nil {
			return fmt.Errorf("%s without %s: %w", name, c.module, err)
		}
		for _, m := range without.Modules.Deps {
			if m.Path == c.module {
				return fmt.Errorf("%s without %s still has it", name, c.module)
			}
		}
		d := said.Dependencies[slices.IndexFunc(said.Dependencies, func(d report.Dependency) bool { return d.Module == c.module })]
		if d.Cost == nil {
			errs = append(errs, fmt.Errorf("%s: %s: not measured: %s", name, c.module, d.NotMeasured))
			fmt.Printf("| %s | %s | | | not measured | |\n", name, c.module)
			continue
		}
		truth := retained.Content(full) - retained.Content(without)
		off := 100 * (float64(d.Retained)/float64(truth) - 1)
		fmt.Printf("| %s | %s | %d | %d | %d | %+.1f %% |\n", name, c.module, d.Own, truth, d.Retained, off)
		if math.Abs(off) > t.within {
			errs = append(errs, fmt.Errorf("%s: %s: %d bytes leave, %d are said to: off by %.1f %%", name, c.module, truth, d.Retained, off))
		}
	}
	return errors.Join(errs...)
}

// commit copies directories over each other and commits what comes of it; only
// commits are built.
func (t *truth) commit(ctx context.Context, name string, from ...string) (run.Config, error) {
	dir := filepath.Join(t.work, name)
	for _, d := range from {
		entries, err := os.ReadDir(d)
		if err != nil {
			return run.Config{}, err
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(d, e.Name()))
			if err == nil {
				err = os.MkdirAll(dir, 0o755)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, e.Name()), data, 0o644)
			}
			if err != nil {
				return run.Config{}, err
			}
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "program"}} {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return run.Config{}, fmt.Errorf("git %s: %w\n%s", args[0], err, out)
		}
	}
	return run.Config{
		Dir: dir, Cache: t.cache, Environ: os.Environ(), Platforms: t.platform, AsVersion: "1.0.0",
		Event: func(e run.Event) {
			if e.Kind == run.Phase {
				fmt.Fprintf(os.Stderr, "%s: %s\n", name, e.Text)
			}
		},
	}, nil
}
