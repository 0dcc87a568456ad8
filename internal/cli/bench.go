package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/measure"
	"github.com/mintmark/mintmark/internal/report"
	"github.com/mintmark/mintmark/internal/startup"
)

// runBench measures files, or the variants of a checkout's profile.
func runBench(ctx context.Context, d *Door, f Flags, args []string) error {
	show, err := benchFormat(f)
	if err != nil {
		return err
	}
	c, err := d.benchConfig(f)
	if err != nil {
		return err
	}
	if err := unreadAll(args, "name programs that were built; without any, the checkout's profile is measured"); err != nil {
		return err
	}
	files := append(words(f.Files), args...)
	var res *measure.Benched
	if len(files) > 0 {
		if name := f.buildFlag(); name != "" {
			return fault.Usagef("leave out one or the other", "bench: -%s is about a checkout, and files are given", name)
		}
		c.Programs = programs(files)
		res, err = measure.BenchFiles(ctx, c, yes(f.Sweep))
	} else {
		cfg, cerr := d.config(f)
		if cerr != nil {
			return cerr
		}
		stop := d.watch(&cfg)
		res, err = measure.Bench(ctx, cfg, c, yes(f.Sweep))
		stop()
	}
	if err != nil {
		return err
	}
	if f.Samples != nil {
		if err := writeSamples(*f.Samples, res.Result); err != nil {
			return err
		}
	}
	return show(d, res)
}

// buildFlag is a flag that was given and that only builds need.
func (f *Flags) buildFlag() string {
	switch {
	case f.Config != nil:
		return "config"
	case f.Profile != nil:
		return "profile"
	case f.Platform != nil:
		return "platform"
	case f.Dir != nil:
		return "dir"
	case f.Module != nil:
		return "module"
	case f.Toolchain != nil:
		return "toolchain"
	case f.Snapshot != nil:
		return "snapshot"
	case f.Jobs != nil:
		return "jobs"
	}
	return ""
}

// benchFormat is how the result is shown.
func benchFormat(f Flags) (func(*Door, *measure.Benched) error, error) {
	table := func(d *Door, r *measure.Benched) error { return d.benchTable(r) }
	if yes(f.JSON) {
		if f.Format != nil {
			return nil, fault.Usagef("leave one of them out", "bench: -json and -format contradict each other")
		}
		return func(d *Door, r *measure.Benched) error { return report.WriteJSON(d.stdout(), r) }, nil
	}
	switch str(f.Format) {
	case "", "table":
		return table, nil
	case "markdown":
		return func(d *Door, r *measure.Benched) error { return d.benchMarkdown(r) }, nil
	case "gobench":
		return func(d *Door, r *measure.Benched) error { return r.WriteGoBench(d.stdout()) }, nil
	}
	return nil, fault.Usagef("it is table, markdown or gobench", "bench: unknown -format=%s", *f.Format)
}

// benchConfig is what the flags say of how to measure.
func (d *Door) benchConfig(f Flags) (c startup.Config, err error) {
	var errs []error
	bad := func(name, value string, err error, hint string) {
		errs = append(errs, fault.Usagef(hint, "bench: -%s=%s: %v", name, value, err))
	}
	const quoting = "separate words by spaces, and quote those that hold some"
	if f.Args != nil {
		if c.Workload.Args, err = splitWords(*f.Args); err != nil {
			bad("args", *f.Args, err, quoting)
		}
	}
	if f.Env != nil {
		if c.Workload.Env, err = splitWords(*f.Env); err != nil {
			bad("env", *f.Env, err, quoting)
		}
		for _, kv := range c.Workload.Env {
			if strings.IndexByte(kv, '=') < 1 {
				bad("env", *f.Env, fmt.Errorf("%q is not NAME=VALUE", kv), quoting)
			}
		}
	}
	c.Workload.Stdin = str(f.Stdin)
	if f.Ready != nil {
		if c.Workload.Ready, err = startup.ParseReady(*f.Ready); err != nil {
			errs = append(errs, fault.Usagef("-ready is exit, first-byte, stdout:REGEXP, tcp:PORT or tcp:HOST:PORT", "bench: %v", err))
		}
	}
	if f.Time != nil {
		if c.Time, err = time.ParseDuration(*f.Time); err != nil || c.Time <= 0 {
			bad("time", *f.Time, errors.New("want a time"), "such as 30s or 2m")
		}
	}
	if f.Within != nil {
		p, err := strconv.ParseFloat(*f.Within, 64)
		if err != nil || !(p > 0 && p < 100) {
			bad("within", *f.Within, errors.New("want percent"), "such as 2, for ±2 %")
		}
		c.Rule.HalfWidth, c.Rule.Least, c.Rule.Most = p/100, 20, 1000
	}
	c.SkipCold = f.Cold != nil && !*f.Cold
	c.SkipMemory = f.Memory != nil && !*f.Memory
	c.Realtime = yes(f.Realtime)
	c.Seed = uint64(rand.Uint32())
	if f.Seed != nil {
		c.Seed = uint64(*f.Seed)
	}
	c.Plugin = d.getenv("MINTMARK_QEMU_PLUGIN")
	c.Emulators = filepath.SplitList(d.getenv("PATH"))
	c.Event = func(text string) { d.Term.Note("%s", text) }
	return c, errors.Join(errs...)
}

// programs names files by the shortest ends of their paths that tell them apart.
func programs(files []string) []startup.Program {
	var out []startup.Program
	for depth := 1; ; depth++ {
		out = out[:0]
		seen, unique := map[string]bool{}, true
		for _, file := range files {
			parts := strings.Split(filepath.ToSlash(filepath.Clean(file)), "/")
			name := strings.Join(parts[max(0, len(parts)-depth):], "/")
			unique = unique && !seen[name]
			seen[name] = true
			out = append(out, startup.Program{Name: name, Path: file})
		}
		if unique {
			return out
		}
		if depth > 64 { // the same file twice
			for i := range out {
				out[i].Name = fmt.Sprintf("%d:%s", i+1, filepath.Base(files[i]))
			}
			return out
		}
	}
}

func writeSamples(name string, res *startup.Result) error {
	return writeFile(name, func(w *bufio.Writer) error { return res.WriteSamples(w) })
}

// splitWords splits a text into words as a shell does, with ' and " and \ as
// quotes and nothing else special.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	in, quote := false, rune(0)
	escaped := false
	for _, c := range s {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, in = true, true
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word.WriteRune(c)
			}
		case c == '\'' || c == '"':
			quote, in = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if in {
				words = append(words, word.String())
				word.Reset()
			}
			in = false
		default:
			word.WriteRune(c)
			in = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote does not end")
	}
	if in {
		words = append(words, word.String())
	}
	return words, nil
}
