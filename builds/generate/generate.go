// Package generate runs the commands by which a project makes files before anything
// is compiled, and says what they made.
//
// # What holds
//
// A command runs in a copy of the commit that nothing is built from and that has no
// git directory, in the hermetic environment of a place, without the network and
// confined to that copy ([internal/confine] says what a system permits). From the
// copy only declared outputs are taken, so that a build sees the commit's files as
// they are, and the generated ones beside them. A command that makes, changes or
// removes anything else is refused, and so is one whose declared output does not
// come, is no regular file, or is a file of the commit with other content.
//
// Each place makes its own copy. [Compare] holds what came of two of them against
// each other, bit for bit.
//
// # Exceptions
//
// Reading is not limited: a command may read what is not among its inputs, and no
// wall keeps it from what the machine's programs and files happen to be. Of the
// programs that ran the first is known, and what the go command ran for it; not
// what they start in turn. A file of the commit that is declared as output, and that
// a command leaves as it is, cannot be told from one that the command found to be
// up to date: it is not among the generated files.
package generate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/archive"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
)

// Limits of what the commands of a release may make.
const (
	MaxFiles = 20_000
	MaxBytes = 512 << 20 // of all files together
)

// Place is where commands run.
type Place struct {
	Name   string // tells it from the others, for messages: "first place"
	Goroot *toolchain.Goroot
	Place  *toolchain.Place // directories that are the commands' alone but for the module cache, which they only read
	Source string           // top of a private copy of the source, which stays as it is
	Module string           // the module's directory in it, slash-separated, "" for the top
	Work   string           // a directory that does not exist: the copy that commands run in
	Path   string           // the user's PATH: the toolchain's own programs come before it
	// SetUmask and Hostname are as in [toolchain.Command].
	SetUmask bool
	Hostname string
}

// Source is what commands know of the commit.
type Source struct {
	// Tracked reports whether the commit has a file, a path in the module's directory.
	Tracked func(name string) bool
	Time    time.Time         // of the commit
	Fetched map[string]string // files that were fetched, by digest
}

// Made is what the commands made in one place.
type Made struct {
	Place         string               // its name
	Dir           string               // the module's directory in the copy: Files are below it; "" where only digests are known
	Files         []fact.GeneratedFile // sorted by name
	Tools         []fact.GeneratorTool
	Circumstances fact.Circumstances
}

// Run runs the commands in their order. All that is wrong with the first command
// that fails is reported.
func (p *Place) Run(ctx context.Context, commands []plan.Generate, src Source) (*Made, error) {
	if err := copyTree(ctx, p.Source, p.Work, src.Time); err != nil {
		return nil, fmt.Errorf("copying the source for the commands that generate files: %w", err)
	}
	if err := p.Place.Make(); err != nil {
		return nil, err
	}
	r := &run{Place: p, src: src, made: &Made{Place: p.Name, Dir: filepath.Join(p.Work, filepath.FromSlash(p.Module))}, by: map[string]fact.GeneratedFile{}}
	for i, c := range commands {
		if err := r.command(ctx, i+1, c); err != nil {
			return nil, fmt.Errorf("%s, in the %s: %w", Title(i+1, c), p.Name, err)
		}
	}
	var names []string
	for name, f := range r.by {
		r.made.Files, names = append(r.made.Files, f), append(names, name)
	}
	if err := archive.CheckNames(names); err != nil {
		return nil, fmt.Errorf("generated files: %w", err)
	}
	slices.SortFunc(r.made.Files, func(a, b fact.GeneratedFile) int { return strings.Compare(a.Name, b.Name) })
	return r.made, nil
}

// Title names a command, which is the n-th.
func Title(n int, c plan.Generate) string {
	text := strings.Join(c.Command, " ")
	if len(text) > 60 {
		text = text[:60] + "…"
	}
	return fmt.Sprintf("generate: command %d (%s)", n, text)
}

// run is the commands of a place while they run.
type run struct {
	*Place
	src   Source
	made  *Made
	by    map[string]fact.GeneratedFile // what was made so far, by name
	bytes int64
}

func (r *run) command(ctx context.Context, n int, c plan.Generate) error {
	fetched, err := r.placeFetched(ctx, c)
	if err != nil {
		return err
	}
	inputs, err := r.inputs(ctx, c)
	if err != nil {
		return err
	}
	if err := r.age(c); err != nil {
		return err
	}
	before, err := scan(ctx, r.Work)
	if err != nil {
		return err
	}
	env := r.env(c)
	path, tools, err := r.tools(ctx, n, c, env)
	if err != nil {
		return err
	}
	tools[0].Inputs = inputs
	r.made.Tools = append(r.made.Tools, tools...)
	if err := r.start(ctx, path, c, env); err != nil {
		return err
	}
	if err := r.take(ctx, n, c, before); err != nil {
		return err
	}
	var errs []error
	for _, name := range fetched {
		errs = append(errs, os.Remove(name))
	}
	return errors.Join(errs...)
}

// placeFetched puts what a command needs and the commit has not where it looks for it.
func (r *run) placeFetched(ctx context.Context, c plan.Generate) (names []string, err error) {
	for _, f := range c.Fetch {
		name := filepath.Join(r.made.Dir, filepath.FromSlash(f.Path))
		if _, err := os.Lstat(name); err == nil {
			return nil, fault.Errorf("name a path that nothing has", "fetch: %s is there already", f.Path)
		}
		if _, err := files.MakeDir(r.made.Dir, filepath.Dir(filepath.FromSlash(f.Path))); err != nil {
			return nil, fmt.Errorf("fetch: %w", err)
		}
		mode := os.FileMode(0o644)
		if f.Mode == "0755" {
			mode = 0o755
		}
		sum, _, err := files.Copy(ctx, r.src.Fetched[f.SHA256], name, mode)
		if err != nil {
			return nil, fmt.Errorf("fetch: %s: %w", f.Path, err)
		}
		if sum != f.SHA256 {
			return nil, fmt.Errorf("fetch: %s has digest %s, and %s was fetched", f.Path, sum, f.SHA256)
		}
		names = append(names, name)
	}
	return names, nil
}

// inputs is the digest of what the command's inputs match. Each has to match
// something, or it says something else than was meant.
func (r *run) inputs(ctx context.Context, c plan.Generate) (string, error) {
	if len(c.Inputs) == 0 {
		return "", nil
	}
	tree, err := scan(ctx, r.made.Dir)
	if err != nil {
		return "", err
	}
	var list strings.Builder
	matched := make([]bool, len(c.Inputs))
	for _, name := range tree.names() {
		hit := false
		for i, glob := range c.Inputs {
			if files.Match(clean(glob), name) {
				hit, matched[i] = true, true
			}
		}
		if hit && tree[name].sum != "" {
			fmt.Fprintf(&list, "%s  %s\n", tree[name].sum, name)
		}
	}
	var errs []error
	for i, ok := range matched {
		if !ok {
			errs = append(errs, fault.Errorf("name files of the commit, of commands before this one, or what it fetches", "inputs: %s matches no file", c.Inputs[i]))
		}
	}
	return files.DigestBytes([]byte(list.String())), errors.Join(errs...)
}

// env is the whole environment of a command.
func (r *run) env(c plan.Generate) []string {
	env := r.Place.Place.Env(nil, r.Place.Place.Proxy())
	path := strings.Join([]string{filepath.Dir(r.Goroot.Go()), absolute(r.Path)}, string(os.PathListSeparator))
	env = append(env, "PATH="+path, "CGO_ENABLED=0",
		// The time that reproducible-builds.org has tools take for that of the build.
		"SOURCE_DATE_EPOCH="+strconv.FormatInt(r.src.Time.Unix(), 10))
	return append(env, c.Env...)
}

// absolute leaves out what of a PATH depends on the working directory.
func absolute(path string) string {
	dirs := slices.DeleteFunc(filepath.SplitList(path), func(dir string) bool { return !filepath.IsAbs(dir) })
	return strings.Join(dirs, string(os.PathListSeparator))
}

// start runs the command to its end.
func (r *run) start(ctx context.Context, path string, c plan.Generate, env []string) error {
	cmd := toolchain.Command{
		Path: path, Args: c.Command[1:], Dir: r.made.Dir, Env: env, Confine: r.Place.Place.Confine(r.Work),
		SetUmask: r.SetUmask, Umask: r.Place.Place.Umask, Hostname: r.Hostname,
	}
	r.made.Circumstances = r.circumstances(env)
	res, err := toolchain.Run(ctx, cmd)
	if exit, ok := errors.AsType[*toolchain.ExitError](err); ok {
		// Tools for other languages say on their output what went wrong.
		out := strings.TrimSpace(string(res.Stdout) + "\n" + exit.Output)
		exit.Output = tail(toolchain.Relative(out, r.made.Dir))
		return explain(exit, res.Confined)
	}
	return err
}

// circumstances are what is true of the runs here, read off what they are given.
func (r *run) circumstances(env []string) fact.Circumstances {
	set := map[string]string{}
	for _, kv := range env { // the last one counts
		name, value, _ := strings.Cut(kv, "=")
		set[name] = value
	}
	in := fact.Circumstances{fact.Goroot: r.Goroot.Dir, fact.Directory: r.made.Dir, fact.HostName: r.Place.Place.Hostname}
	for _, name := range fact.Variables() {
		in[name] = set[string(name)]
	}
	in[fact.Path] = absolute(r.Path) // before it come the toolchain's programs, which are the same in all places
	if runtime.GOOS != "windows" {
		in[fact.Umask] = ""
		if r.SetUmask {
			in[fact.Umask] = strconv.FormatInt(int64(r.Place.Place.Umask), 8)
		}
	}
	if here, err := os.Hostname(); err == nil {
		in[fact.Machine], in[fact.Kernel], in[fact.Clock] = here, here, here
	}
	return in
}

// tail is the end of what a command said, where it says why it failed.
func tail(out string) string {
	const lines, bytes = 40, 8 << 10
	if len(out) > bytes {
		out = "…" + out[len(out)-bytes:]
	}
	if all := strings.Split(out, "\n"); len(all) > lines {
		out = "…\n" + strings.Join(all[len(all)-lines:], "\n")
	}
	return out
}

// needsNetwork and needsGit are what programs say that miss one of them, in small
// letters.
var (
	needsNetwork = []string{
		"no such host", "network is unreachable", "could not resolve", "name resolution", "enotfound", "eai_again", "enetunreach",
		"couldn't connect", "connection refused", "connect: permission denied", "connect eacces", "cannot assign requested address", "lookup ", "dial tcp",
	}
	needsGit = []string{"not a git repository"}
)

// explain adds what is known to be missing to the error of a command that failed.
func explain(err *toolchain.ExitError, held fact.Confinement) error {
	output := strings.ToLower(err.Output)
	says := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(output, w) })
	}
	switch {
	case says(needsGit):
		return fault.Errorf("the copy of the commit that commands run in has no git directory; templates in command and env have {{.Version}}, {{.Commit}} and {{.CommitDate}}", "%w", err)
	case held.Network.Held && says(needsNetwork):
		return fault.Errorf("commands run without the network: name what it needs under fetch, with its sha256", "%w", err)
	}
	return toolchain.Explain(err)
}
