// Command rebuilds keeps docs/reports/rebuilds.md: it fetches the published packages
// that docs/reports/rebuilds.txt lists, has mintmark rebuild every Go binary in them,
// and writes what came of each.
//
//	go run ./tools/rebuilds -update                  # everything, which takes hours
//	go run ./tools/rebuilds -update -changed         # what has no result yet
//	go run ./tools/rebuilds -update -run='no source' # by name, verdict or reason
//	go run ./tools/rebuilds -check=10                # ten again: fails if a verdict is another one
//	go run ./tools/rebuilds -run=REGEXP -checked='how'
//
// Results are kept in docs/reports/rebuilds.json after each package, so a run that is
// stopped keeps what it has; the page is made of them alone, and -update -changed makes
// it anew when there is nothing to run.
//
// A line of the list that has no digest yet gets that of what is served; from then on,
// nothing else is taken for that package.
//
// Whether a reason is true, a person has to find out: -checked writes down how that
// was done for the binaries that -run selects, together with the reason as it was then.
// With another reason the mark lapses.
//
// Packages are fetched with npm and apt-get, whose settings say from where. What is
// served may differ elsewhere.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
)

const (
	listFile = "docs/reports/rebuilds.txt"
	dataFile = "docs/reports/rebuilds.json"
	pageFile = "docs/reports/rebuilds.md"
)

// options are the command line.
type options struct {
	update, changed bool
	run             *regexp.Regexp // nil selects everything
	check           int
	checked         string
}

func main() {
	var o options
	flag.BoolVar(&o.update, "update", false, "rebuild, and write "+dataFile+" and "+pageFile)
	flag.BoolVar(&o.changed, "changed", false, "only packages without a result, or with one of another file")
	flag.Func("run", "only packages of which a name, verdict or reason matches this `regexp`", func(s string) (err error) {
		o.run, err = regexp.Compile(s)
		return err
	})
	flag.IntVar(&o.check, "check", 0, "rebuild this many again, small ones, and fail if a verdict is another one")
	flag.StringVar(&o.checked, "checked", "", "write down `how` a person checked the reasons of the binaries that -run selects")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "rebuilds:", err)
		os.Exit(1)
	}
}

func (o *options) do(ctx context.Context) error {
	text, err := os.ReadFile(listFile)
	if err != nil {
		return fmt.Errorf("%w (run it at the repository's root)", err)
	}
	list, err := parseList(listFile, string(text))
	if err != nil {
		return err
	}
	data, err := load(dataFile)
	if err != nil {
		return err
	}
	data.follow(list)
	switch {
	case o.checked != "":
		if o.run == nil {
			return errors.New("-checked needs -run=REGEXP: a reason is checked for certain binaries")
		}
		n := data.markChecked(o.run, o.checked)
		fmt.Fprintf(os.Stderr, "%d binaries marked\n", n)
		return data.save(dataFile, pageFile)
	case o.check > 0:
		return check(ctx, data.sample(o.check))
	case o.update:
		return o.rebuildAll(ctx, list, data)
	}
	_, err = os.Stdout.WriteString(data.page())
	return err
}

// rebuildAll rebuilds what is selected of the list. What the list no longer names is
// dropped; a package that could not be fetched or run keeps no result, and the error
// says so in the end.
func (o *options) rebuildAll(ctx context.Context, list []entry, data *results) error {
	var selected []entry
	for _, e := range list {
		old := data.of(e)
		if o.changed && old != nil && old.SHA256 == e.SHA256 || o.run != nil && !o.run.MatchString(e.String()) && !old.matches(o.run) {
			continue
		}
		selected = append(selected, e)
	}
	if len(selected) == 0 {
		return data.save(dataFile, pageFile)
	}
	m, err := newMintmark(ctx)
	if err != nil {
		return err
	}
	defer m.close()
	var errs []error
	for _, e := range selected {
		p, err := m.rebuild(ctx, e)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			errs = append(errs, err)
			continue
		}
		p.say()
		if e.SHA256 == "" {
			if err := pin(e, p.SHA256); err != nil {
				return err
			}
		}
		data.put(p)
		data.follow(list)
		if err := data.save(dataFile, pageFile); err != nil {
			return err
		}
	}
	return errors.Join(append(errs, data.save(dataFile, pageFile))...)
}

// check rebuilds packages again and compares the verdicts of their binaries.
func check(ctx context.Context, sample []*pack) error {
	if len(sample) == 0 {
		return errors.New(dataFile + " has no results that could be checked")
	}
	m, err := newMintmark(ctx)
	if err != nil {
		return err
	}
	defer m.close()
	var errs []error
	same := 0
	for _, old := range sample {
		p, err := m.rebuild(ctx, old.entry)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		p.say()
		changes := old.changes(p)
		errs = append(errs, changes...)
		if len(changes) == 0 {
			same++
		}
	}
	fmt.Fprintf(os.Stderr, "%d of %d packages ended as %s says\n", same, len(sample), dataFile)
	return errors.Join(errs...)
}
