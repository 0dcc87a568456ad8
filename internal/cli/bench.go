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

// benchFlags are what mintmark bench takes.
type benchFlags struct {
	Files    []string `flag:"files" reads:"name programs that were built" help:"programs, separated by commas; the first is the base (default: the checkout's profile with bench:, its variants)"`
	Args     string   `flag:"args" help:"arguments of every program, as in a shell"`
	Env      string   `flag:"env" help:"the programs' whole environment, as in a shell: 'A=1 B=\"x y\"'"`
	Stdin    string   `flag:"stdin" reads:"name the file that standard input comes from" help:"file that their standard input comes from (default: empty)"`
	Ready    string   `flag:"ready" values:"exit first-byte stdout: tcp:" help:"when they count as started: exit (default), first-byte, stdout:REGEXP, tcp:PORT"`
	Time     string   `flag:"time" help:"how long the rounds may take, warm and cold each, such as 1m (default: 20s)"`
	Within   string   `flag:"within" help:"stop earlier when all ratios are known to so many percent (default: 2)"`
	Cold     bool     `flag:"cold" help:"also start with the program out of the page cache (default: true)"`
	Memory   bool     `flag:"memory" help:"also read their memory (default: true)"`
	Sweep    bool     `flag:"sweep" help:"also start them with 0 to 1000 environment variables: packed programs can crash there"`
	Realtime bool     `flag:"realtime" help:"run them before everything else on a busy machine (Linux, root)"`
	Seed     *int     `flag:"seed" help:"order of the rounds (default: another each time)"`
	Samples  string   `flag:"samples" takes:"file" help:"write every start to this file, one JSON object per line"`
	Format   string   `flag:"format" values:"table markdown gobench" help:"table (default), markdown, or gobench for benchstat"`
	Config   string   `flag:"config" takes:"file" help:"without -files: profile file (default: mintmark.yaml in the product's directory, else the built-in profile)"`
	Profile  []string `flag:"profile" takes:"profile" help:"without -files: profiles, separated by commas (default: all that have platforms)"`
	Platform string   `flag:"platform" help:"without -files: platforms or patterns, separated by commas, such as linux/amd64"`
	Jobs     *int     `flag:"jobs" help:"without -files: build actions at a time (default: the number of processors)"`
	jsonFlag
	Dir       string   `flag:"dir" takes:"dir" help:"without -files: the product's directory in its git checkout (default: the current one)"`
	Module    string   `flag:"module" help:"without -files: take the source from the module proxy: PATH@VERSION"`
	Toolchain string   `flag:"toolchain" help:"without -files: exact toolchain, such as go1.26.8 (default: the profile file's, else go.mod's)"`
	Snapshot  bool     `flag:"snapshot" help:"without -files: build the tree as it is, committed or not"`
	Programs  []string `arg:"file?"`
}

// run measures files, or the variants of a checkout's profile.
func (f *benchFlags) run(ctx context.Context, d *app) error {
	show, err := f.show()
	if err != nil {
		return err
	}
	c, err := f.measure(d)
	if err != nil {
		return err
	}
	if err := unreadAll(f.Programs, "name programs that were built; without any, the checkout's profile is measured"); err != nil {
		return err
	}
	files := append(f.Files, f.Programs...)
	var res *measure.Benched
	if len(files) > 0 {
		if name := f.buildFlag(); name != "" {
			return fault.Usagef("leave out one or the other", "bench: -%s is about a checkout, and files are given", name)
		}
		c.Programs = programs(files)
		res, err = measure.BenchFiles(ctx, c, f.Sweep)
	} else {
		cfg, cerr := d.config(selectFlags{f.Config, f.Profile, f.Platform}, jobsFlag{f.Jobs}, dirFlag{f.Dir}, moduleFlag{f.Module}, treeFlags{f.Toolchain, f.Snapshot})
		if cerr != nil {
			return cerr
		}
		stop := d.watch(&cfg)
		res, err = measure.Bench(ctx, cfg, c, f.Sweep)
		stop()
	}
	if err != nil {
		return err
	}
	if f.Samples != "" {
		if err := writeSamples(f.Samples, res.Result); err != nil {
			return err
		}
	}
	return show(d, res)
}

// buildFlag is a flag that was given and that only builds need.
func (f *benchFlags) buildFlag() string {
	switch {
	case f.Config != "":
		return "config"
	case f.Profile != nil:
		return "profile"
	case f.Platform != "":
		return "platform"
	case f.Dir != "":
		return "dir"
	case f.Module != "":
		return "module"
	case f.Toolchain != "":
		return "toolchain"
	case f.Snapshot:
		return "snapshot"
	case f.Jobs != nil:
		return "jobs"
	}
	return ""
}

// show is how the result is shown.
func (f *benchFlags) show() (func(*app, *measure.Benched) error, error) {
	table := func(d *app, r *measure.Benched) error { return d.benchTable(r) }
	if f.JSON {
		if f.Format != "" {
			return nil, fault.Usagef("leave one of them out", "bench: -json and -format contradict each other")
		}
		return func(d *app, r *measure.Benched) error { return report.WriteJSON(d.stdout(), r) }, nil
	}
	switch f.Format {
	case "markdown":
		return func(d *app, r *measure.Benched) error { return d.benchMarkdown(r) }, nil
	case "gobench":
		return func(d *app, r *measure.Benched) error { return r.WriteGoBench(d.stdout()) }, nil
	}
	return table, nil
}

// measure is what the flags say of how to measure.
func (f *benchFlags) measure(d *app) (c startup.Config, err error) {
	var errs []error
	bad := func(name, value string, err error, hint string) {
		errs = append(errs, fault.Usagef(hint, "bench: -%s=%s: %v", name, value, err))
	}
	const quoting = "separate words by spaces, and quote those that hold some"
	if f.Args != "" {
		if c.Workload.Args, err = splitWords(f.Args); err != nil {
			bad("args", f.Args, err, quoting)
		}
	}
	if f.Env != "" {
		if c.Workload.Env, err = splitWords(f.Env); err != nil {
			bad("env", f.Env, err, quoting)
		}
		for _, kv := range c.Workload.Env {
			if strings.IndexByte(kv, '=') < 1 {
				bad("env", f.Env, fmt.Errorf("%q is not NAME=VALUE", kv), quoting)
			}
		}
	}
	c.Workload.Stdin = f.Stdin
	if f.Ready != "" {
		if c.Workload.Ready, err = startup.ParseReady(f.Ready); err != nil {
			errs = append(errs, fault.Usagef("-ready is exit, first-byte, stdout:REGEXP, tcp:PORT or tcp:HOST:PORT", "%s", "bench: "+err.Error()))
		}
	}
	if f.Time != "" {
		if c.Time, err = time.ParseDuration(f.Time); err != nil || c.Time <= 0 {
			bad("time", f.Time, errors.New("want a time"), "such as 30s or 2m")
		}
	}
	if f.Within != "" {
		p, err := strconv.ParseFloat(f.Within, 64)
		if err != nil || !(p > 0 && p < 100) {
			bad("within", f.Within, errors.New("want percent"), "such as 2, for ±2 %")
		}
		c.Rule.HalfWidth, c.Rule.Least, c.Rule.Most = p/100, 20, 1000
	}
	c.SkipCold = !f.Cold
	c.SkipMemory = !f.Memory
	c.Realtime = f.Realtime
	c.Seed = uint64(rand.Uint32())
	if f.Seed != nil {
		c.Seed = uint64(*f.Seed)
	}
	c.Plugin = d.getenv("MINTMARK_QEMU_PLUGIN")
	c.Emulators = filepath.SplitList(d.getenv("PATH"))
	c.Event = func(text string) { d.term.Note("%s", text) }
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
