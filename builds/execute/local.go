package execute

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mintmark/mintmark/builds/actions"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/schedule"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/host"
)

// Local builds in a place on this machine that was made ready: a toolchain, a
// checkout, caches. Its exported fields do not change once it is used.
type Local struct {
	Label    string // its name
	Goroot   *toolchain.Goroot
	Place    *toolchain.Place
	Dir      string // the module's directory: in the private checkout, or extracted in the module cache
	Out      string // where binaries go, one directory a unit
	Hostname string
	SetUmask bool
	Kind     fact.SourceKind // of the source
	Version  string          // of the module
	// Origin is what the source in Dir was made from, by whoever put it there: a
	// git clone, by its directory, or a module zip, by its h1.
	Origin fact.Circumstances
	Linked *Linked // what earlier builds have linked; nil: everything is linked anew
	Care   Care
	// View is where its commands see the directories of the toolchain, the source and the
	// module cache, if not where they are; nil: where they are. Base and Keep are the
	// place's to say.
	View *confine.View

	damage damage
}

// Name is the label.
func (l *Local) Name() string { return l.Label }

// BuildCache implements [Cached].
func (l *Local) BuildCache() string { return l.Place.GoCache }

// Apart is the same place for builds whose products go elsewhere, with the build
// cache goCache unless that is "". Nothing that was linked here is used there.
func (l *Local) Apart(out, goCache string) *Local {
	place := *l.Place
	if goCache != "" {
		place.GoCache = goCache
	}
	return &Local{
		Label: l.Label, Goroot: l.Goroot, Place: &place, Dir: l.Dir, Out: out, Hostname: l.Hostname, SetUmask: l.SetUmask,
		Kind: l.Kind, Version: l.Version, Origin: l.Origin, Care: l.Care, View: l.View,
	}
}

// seen is the place as its commands see it.
func (l *Local) seen() *toolchain.Place {
	place := *l.Place
	place.ModCache = l.View.Path(place.ModCache)
	return &place
}

// confine are the limits of a command in the place, and what it sees there.
func (l *Local) confine(write ...string) confine.Limits {
	limits := l.Place.Confine(write...)
	if l.View != nil {
		v := *l.View
		v.Base = l.Place.Empty
		v.Keep = slices.Concat(v.Keep, limits.Write, []string{l.Place.Empty, l.Out})
		if l.Place.Git != "" {
			v.Keep = append(v.Keep, filepath.Dir(l.Place.Git))
		}
		limits.View = &v
	}
	return limits
}

// Sees runs the toolchain's go command as a build would be run. The error is a
// [confine.ViewError] where there is no view to be had.
func (l *Local) Sees(ctx context.Context) error {
	_, err := toolchain.Run(ctx, toolchain.Command{
		Path: l.View.Path(l.Goroot.Go()), Args: []string{"version"}, Dir: l.View.Path(l.Dir), Env: l.seen().Env(nil, "off"), Confine: l.confine(),
	})
	return err
}

// output is the unit's directory in the site.
func (l *Local) output(u *plan.Unit) string { return filepath.Join(l.Out, u.Key()) }

// graph is the file with the go command's account of the unit's last build
// here: what -debug-actiongraph writes; see package actions.
func (l *Local) graph(u *plan.Unit) string { return l.output(u) + ".actions.json" }

// clear removes what the unit's last build here has made: the go command does
// not link anew what lies where its output goes, if it was made of the same things.
func (l *Local) clear(u *plan.Unit) error { return files.RemoveTree(l.output(u)) }

// command is the unit's one go command in this site.
func (l *Local) command(u *plan.Unit, pace Pace) toolchain.Command {
	out := l.output(u)
	args := u.Command(l.Kind, l.Version, out+string(filepath.Separator))
	args = append([]string{args[0], "-p=" + strconv.Itoa(pace.P), "-modcacherw", "-debug-actiongraph=" + l.graph(u)}, args[1:]...)
	// Not GOPROXY=off: with that the go command does not ask git for the version
	// of a commit of which it has ever made a pseudo-version, and stamps that one
	// although the commit has got a tag since (cmd/go/internal/modfetch,
	// readDiskStat). The place's own downloads need no network either.
	place := l.seen()
	proxy, dir := place.Proxy(), l.View.Path(l.Dir)
	if l.Kind == fact.SourceModule {
		// The command runs outside of the module, which the PGO profile is in.
		for i, a := range args {
			if name, ok := strings.CutPrefix(a, "-pgo="); ok && name != "off" && name != "auto" && !filepath.IsAbs(name) {
				args[i] = "-pgo=" + filepath.Join(dir, filepath.FromSlash(name))
			}
		}
		// go install asks for the module's list of versions; the place's own
		// download directory answers, not the network.
		dir = place.Empty
	}
	for i, a := range args {
		if name, ok := strings.CutPrefix(a, "-pgo="); ok {
			args[i] = "-pgo=" + l.View.Path(name)
		}
	}
	env := place.Env(u.Env, proxy)
	if l.Kind == fact.SourceModule {
		env = append(env, "GOPATH="+out)
	}
	env = append(env, toolchain.Roomy(pace.Room)...)
	write := []string{l.Out}
	if slices.Contains(u.Flags, "-mod=mod") {
		write = append(write, l.Dir) // go.mod and go.sum, in the place's own checkout
	}
	return toolchain.Command{
		Path: l.View.Path(l.Goroot.Go()), Args: args, Dir: dir, Env: env, Confine: l.confine(write...),
		SetUmask: l.SetUmask, Umask: l.Place.Umask, Hostname: l.Hostname,
	}
}

// HashInputs runs the unit's command once more, with what is compiled already
// in the cache, and returns what the go command says it hashes into the action
// IDs of the given actions (keys as in package actions). The products go
// elsewhere: those that were compared stay as they are.
func (l *Local) HashInputs(ctx context.Context, u *plan.Unit, keys []actions.Key) (map[actions.Key][]string, error) {
	aside := l.Apart(l.Out+"-again", "")
	if err := os.MkdirAll(aside.output(u), 0o755); err != nil {
		return nil, err
	}
	cmd := aside.command(u, Pace{P: 1})
	cmd.Env = append(cmd.Env, "GODEBUG=gocachehash=1")
	cmd.Limit = 512 << 20 // a line for every file of every package
	res, err := toolchain.Run(ctx, cmd)
	if err != nil {
		return nil, fmt.Errorf("%s: asking go for the inputs of its actions: %w", u.ID(), err)
	}
	return actions.HashInputs(res.Stderr, keys), nil
}

// Build runs the unit's one go command in the place. If it fails, and something
// that it may have been made from is damaged, it is built once more without that.
func (l *Local) Build(ctx context.Context, u *plan.Unit, pace Pace) (*Outcome, error) {
	kept := l.Linked.take(ctx, l, u)
	out, err := l.build(ctx, u, pace)
	out.Kept = kept
	if err == nil || ctx.Err() != nil {
		return out, err
	}
	return l.buildMended(ctx, u, pace, out, err)
}

// build is one run of the unit's go command.
func (l *Local) build(ctx context.Context, u *plan.Unit, pace Pace) (*Outcome, error) {
	o := &Outcome{By: l.Label, Ran: fact.Execution{Host: host.Identify(), Here: true}}
	dir := l.output(u)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return o, fmt.Errorf("%s: %w", u.ID(), err)
	}
	cmd := l.command(u, pace)
	o.Circumstances = l.circumstances(u, cmd, o.Ran.Host)
	if pace.Compiling != nil {
		cmd.Args = append([]string{cmd.Args[0], "-v"}, cmd.Args[1:]...)
		cmd.Said = func(line string) {
			if importPath(line) {
				pace.Compiling(line)
			}
		}
	}
	res, err := toolchain.Run(ctx, cmd)
	o.Cost = schedule.Cost{CPU: res.CPU, MaxRSS: res.MaxRSS}
	if err != nil {
		var exit *toolchain.ExitError
		if errors.As(err, &exit) {
			// Only the compiler's own lines, with paths a reader knows.
			exit.Output = toolchain.Relative(exit.Output, l.View.Path(l.Dir))
			if pace.Compiling != nil {
				exit.Output = withoutPaths(exit.Output)
			}
			if err = toolchain.Explain(exit); ctx.Err() == nil && noSpace(exit.Output) {
				err = &fault.Error{Err: exit, Tip: "the disk that holds mintmark's cache directory is full; MINTMARK_CACHE can name another"}
			}
		}
		return o, fmt.Errorf("%s (%s build): %w", u.ID(), l.Label, err)
	}
	var errs []error
	for _, m := range u.Mains {
		made, err := l.products(ctx, u, m)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s (%s build): %w", u.ID(), l.Label, err))
		}
		o.Products = append(o.Products, made...)
	}
	if o.Actions, o.Timing, err = actions.LoadTimed(l.graph(u)); err != nil {
		errs = append(errs, fmt.Errorf("%s (%s build): %w", u.ID(), l.Label, err))
	}
	return o, errors.Join(errs...)
}

// importPath reports whether a line is one of those that -v gives: nothing else that the go
// command and its tools say is one word without a colon.
func importPath(line string) bool { return line != "" && !strings.ContainsAny(line, " \t:") }

// withoutPaths leaves out what -v has said.
func withoutPaths(output string) string {
	var b strings.Builder
	for line := range strings.Lines(output) {
		if !importPath(strings.TrimRight(line, "\n")) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// products are the files that were made of a main package.
func (l *Local) products(ctx context.Context, u *plan.Unit, m fact.Main) ([]Product, error) {
	name := ""
	if m.Binary != "" {
		name = u.File(m)
	}
	path, err := find(l.output(u), name)
	if err != nil {
		return nil, err
	}
	list := []Product{{Main: m, Path: path}}
	if u.Mode().Library() {
		h, err := header(path)
		if err != nil {
			return nil, err
		}
		list = append(list, Product{Main: m, Header: true, Path: h})
	}
	for i := range list {
		if list[i].SHA256, list[i].Size, err = files.Digest(ctx, list[i].Path); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func noSpace(output string) bool {
	return strings.Contains(output, "no space left on device") || strings.Contains(output, "not enough space")
}

// find looks for the binary below dir: go install puts those of a foreign
// platform into a directory of that name. Without a name it is the one file that
// is there, as for units whose binary only the go command has a name for.
func find(dir, name string) (string, error) {
	var found string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (d.Name() == name || name == "") {
			if found != "" {
				return fault.Errorf("one is left of an earlier run, which is a mistake in mintmark: -full uses nothing of earlier runs", "%s and %s: which one did go make?", found, path)
			}
			found = path
		}
		return err
	})
	if err == nil && found == "" {
		err = errors.New(strings.TrimSuffix("go made no file "+name, " "))
	}
	return found, err
}

// header is the file that go writes beside a library: it replaces the extension
// (addInstallHeaderAction in cmd/go/internal/work).
func header(library string) (string, error) {
	name := strings.TrimSuffix(library, filepath.Ext(library)) + ".h"
	if fi, err := os.Lstat(name); err != nil || !fi.Mode().IsRegular() {
		return "", fmt.Errorf("go made no header %s: no function is exported to C", filepath.Base(name))
	}
	return name, nil
}
