// Package execute builds units. An execution is one go build of one unit in one
// place, and does not know that there are others.
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
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/files"
)

// Site is a place made ready for building: a toolchain, a checkout, caches.
type Site struct {
	Name     string // "first" or "second", for messages
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
}

// Built is one linked binary.
type Built struct {
	Main   fact.Main
	Path   string
	Header string             // of a C library, beside it; "" of a program
	In     fact.Circumstances // of the execution that left it there
}

// Files are all files that the build made of the main package.
func (b *Built) Files() []string {
	if b.Header == "" {
		return []string{b.Path}
	}
	return []string{b.Path, b.Header}
}

// output is the unit's directory in the site.
func (s *Site) output(u *plan.Unit) string { return filepath.Join(s.Out, u.Key()) }

// Graph is the file with the go command's account of the unit's last build
// here: what -debug-actiongraph writes; see package actions.
func (s *Site) Graph(u *plan.Unit) string { return s.output(u) + ".actions.json" }

// Clear removes what the unit's last build here has made: the go command does
// not link anew what lies where its output goes, if it was made of the same things.
func (s *Site) Clear(u *plan.Unit) error { return files.RemoveTree(s.output(u)) }

// Pace is how much of the machine a build may take.
type Pace struct {
	P    int   // actions at a time
	Room int64 // for [toolchain.Roomy]: of the go command and of each of its tools; 0: none
}

// command is the unit's one go command in this site.
func (s *Site) command(u *plan.Unit, pace Pace) toolchain.Command {
	out := s.output(u)
	args := u.Command(s.Kind, s.Version, out+string(filepath.Separator))
	args = append([]string{args[0], "-p=" + strconv.Itoa(pace.P), "-modcacherw", "-debug-actiongraph=" + s.Graph(u)}, args[1:]...)
	// Not GOPROXY=off: with that the go command does not ask git for the version
	// of a commit of which it has ever made a pseudo-version, and stamps that one
	// although the commit has got a tag since (cmd/go/internal/modfetch,
	// readDiskStat). The place's own downloads need no network either.
	proxy, dir := s.Place.Proxy(), s.Dir
	if s.Kind == fact.SourceModule {
		// The command runs outside of the module, which the PGO profile is in.
		for i, a := range args {
			if name, ok := strings.CutPrefix(a, "-pgo="); ok && name != "off" && name != "auto" && !filepath.IsAbs(name) {
				args[i] = "-pgo=" + filepath.Join(s.Dir, filepath.FromSlash(name))
			}
		}
		// go install asks for the module's list of versions; the place's own
		// download directory answers, not the network.
		dir = s.Place.Empty
	}
	env := s.Place.Env(u.Env, proxy)
	if s.Kind == fact.SourceModule {
		env = append(env, "GOPATH="+out)
	}
	env = append(env, toolchain.Roomy(pace.Room)...)
	write := []string{s.Out}
	if slices.Contains(u.Flags, "-mod=mod") {
		write = append(write, s.Dir) // go.mod and go.sum, in the place's own checkout
	}
	return toolchain.Command{
		Path: s.Goroot.Go(), Args: args, Dir: dir, Env: env, Confine: s.Place.Confine(write...),
		SetUmask: s.SetUmask, Umask: s.Place.Umask, Hostname: s.Hostname,
	}
}

// HashInputs runs the unit's command once more, with what is compiled already
// in the cache, and returns what the go command says it hashes into the action
// IDs of the given actions (keys as in package actions). The products go
// elsewhere: those that were compared stay as they are.
func (s *Site) HashInputs(ctx context.Context, u *plan.Unit, keys []string) (map[string][]string, error) {
	aside := *s
	aside.Out = s.Out + "-again"
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

// Build runs the unit's one go command in the site.
func (s *Site) Build(ctx context.Context, u *plan.Unit, pace Pace) ([]Built, schedule.Cost, error) {
	out := s.output(u)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, schedule.Cost{}, fmt.Errorf("%s: %w", u.ID(), err)
	}
	cmd := s.command(u, pace)
	in := s.circumstances(u, cmd)
	res, err := toolchain.Run(ctx, cmd)
	cost := schedule.Cost{CPU: res.CPU, MaxRSS: res.MaxRSS}
	if err != nil {
		var exit *toolchain.ExitError
		if errors.As(err, &exit) {
			// Only the compiler's own lines, with paths a reader knows.
			exit.Output = toolchain.Relative(exit.Output, s.Dir)
			if err = toolchain.Explain(exit); ctx.Err() == nil && noSpace(exit.Output) {
				err = &toolchain.Error{Err: exit, Tip: "the disk that holds mintmark's cache directory is full; MINTMARK_CACHE can name another"}
			}
		}
		return nil, cost, fmt.Errorf("%s (%s build): %w", u.ID(), s.Name, err)
	}
	var built []Built
	var errs []error
	for _, m := range u.Mains {
		path, err := find(out, u.File(m))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s (%s build): %w", u.ID(), s.Name, err))
			continue
		}
		b := Built{Main: m, Path: path, In: in}
		if u.Mode().Library() {
			if b.Header, err = header(path); err != nil {
				errs = append(errs, fmt.Errorf("%s (%s build): %w", u.ID(), s.Name, err))
				continue
			}
		}
		built = append(built, b)
	}
	return built, cost, errors.Join(errs...)
}

func noSpace(output string) bool {
	return strings.Contains(output, "no space left on device") || strings.Contains(output, "not enough space")
}

// find looks for the binary below dir: go install puts those of a foreign
// platform into a directory of that name.
func find(dir, name string) (string, error) {
	var found string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() == name {
			if found != "" {
				return &toolchain.Error{Err: fmt.Errorf("%s and %s: which one did go make?", found, path), Tip: "one is left of an earlier run, which is a mistake in mintmark: -full uses nothing of earlier runs"}
			}
			found = path
		}
		return err
	})
	if err == nil && found == "" {
		err = fmt.Errorf("go made no file %s", name)
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
