package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := benchmark(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "benchmark: %v\n", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	projects, rows   []string // names; none: all
	pairs            int
	goreleaser, work string
	samples          string
	update, quick    bool
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("benchmark", flag.ContinueOnError)
	fs.SetOutput(stderr)
	list := func(to *[]string) func(string) error {
		return func(text string) error { *to = strings.Split(text, ","); return nil }
	}
	var names []string
	for _, p := range projects() {
		names = append(names, p.name)
	}
	fs.Func("project", "measure these only, separated by commas: "+strings.Join(names, ", "), list(&o.projects))
	fs.Func("rows", "measure these rows only, separated by commas: "+strings.Join(rowNames(), ", "), list(&o.rows))
	fs.IntVar(&o.pairs, "pairs", 0, "pairs of every row (default: 1 or 2 of long ones, 5 to 10 of short ones)")
	fs.StringVar(&o.goreleaser, "goreleaser", "", "GoReleaser 2.15.2 (default: it is installed first, which takes minutes of CPU)")
	fs.StringVar(&o.work, "work", "", "an empty directory to work in, which is left as it is at the end (default: a temporary one)")
	fs.StringVar(&o.samples, "samples", "", "write everything that was measured to this file, as JSON")
	fs.BoolVar(&o.update, "update", false, "write the tables into docs/reports/benchmarks.md")
	fs.BoolVar(&o.quick, "quick", false, "one turn with the smallest program, to see that everything works; GoReleaser only with -goreleaser")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("unexpected %q", fs.Args())
	case o.update && (o.rows != nil || o.quick || o.pairs != 0):
		return o, errors.New("-update writes whole tables with the usual number of pairs: leave out -rows, -pairs and -quick")
	case o.pairs < 0:
		return o, fmt.Errorf("-pairs=%d", o.pairs)
	}
	for _, name := range o.rows {
		if !slices.Contains(rowNames(), name) {
			return o, fmt.Errorf("no row %q; there are %s", name, strings.Join(rowNames(), ", "))
		}
	}
	for _, name := range o.projects {
		if !slices.Contains(names, name) {
			return o, fmt.Errorf("no project %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	return o, nil
}

// rowNames are the names of all rows of all projects, each once.
func rowNames() []string {
	var out []string
	for _, p := range projects() {
		for _, name := range p.rows {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// benchmark is the whole program: tables go to stdout, progress to stderr.
func benchmark(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	began := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(stderr, "%7s  %s\n", time.Since(began).Round(time.Second), fmt.Sprintf(format, args...))
	}
	if o.work == "" {
		if o.work, err = os.MkdirTemp("", "mintmark-benchmark-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, removeAll(o.work)) }()
	} else if entries, rerr := os.ReadDir(o.work); rerr == nil && len(entries) > 0 {
		return fmt.Errorf("-work=%s is not empty", o.work)
	}
	if o.work, err = filepath.Abs(o.work); err != nil {
		return err
	}
	b, err := newBench(ctx, o.work, o.goreleaser, say)
	if err != nil {
		return err
	}
	defer b.log.Close()

	var runs []*run
	var total time.Duration
	for _, p := range projects() {
		if o.quick {
			p = quickProject()
		} else if o.projects != nil && !slices.Contains(o.projects, p.name) {
			continue
		}
		if o.rows != nil {
			p.rows = slices.DeleteFunc(p.rows, func(name string) bool { return !slices.Contains(o.rows, name) })
		}
		r := &run{bench: b, p: &p, pairs: o.pairs, need: needed(rowsOf(&p)), series: map[string][]sample{}}
		if o.quick {
			r.pairs = 1
			if o.goreleaser == "" {
				for _, name := range []string{goreleaserCold, goreleaserSame, goreleaserMain} {
					delete(r.need, name)
				}
			}
		}
		if len(r.need) > 0 {
			runs = append(runs, r)
			total += r.estimate()
		}
		if o.quick {
			break
		}
	}
	say("%s", b.conditions())
	say("about %s on the machine of docs/reports/benchmarks.md", total.Round(time.Minute))
	all := map[string]map[string][]sample{}
	for _, r := range runs {
		start := time.Now()
		if r.src, err = b.fetch(ctx, r.p); err != nil {
			return err
		}
		if err := r.all(ctx); err != nil {
			return err
		}
		all[r.p.name] = r.series
		text := b.report(r.p, rowsOf(r.p), r.series, r.notes, time.Since(start))
		fmt.Fprintf(stdout, "\n%s: %s", r.p.name, text)
		if o.update {
			if err := update(filepath.Join(b.root, "docs", "reports", "benchmarks.md"), r.p.name, text); err != nil {
				return err
			}
		}
	}
	if o.samples != "" {
		data, err := json.MarshalIndent(all, "", "\t")
		if err != nil {
			return err
		}
		return os.WriteFile(o.samples, append(data, '\n'), 0o644)
	}
	return nil
}

// update replaces what stands between the project's two marks in a file.
func update(file, project, text string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin, end := "<!-- benchmark "+project+" -->\n", "<!-- end of benchmark "+project+" -->"
	before, rest, ok := strings.Cut(string(data), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s: no %q with its end", file, strings.TrimSpace(begin))
	}
	return os.WriteFile(file, []byte(before+begin+text+end+after), 0o644)
}

// removeAll removes a tree even where directories are read-only.
func removeAll(dir string) error {
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(path, 0o755)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
