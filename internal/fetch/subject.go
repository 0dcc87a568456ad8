package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/output"
	"github.com/mintmark/mintmark/internal/run"
	"github.com/mintmark/mintmark/profiles"
)

// ConfigName is the profile file's default name.
const ConfigName = "mintmark.yaml"

// Subject is what a run is about: a source, and what its profile file says to
// build of it.
type Subject struct {
	*run.Run
	*Tools
	Found
	File     *profiles.File
	Selected []profiles.Selected
	Version  string           // of the release, without v
	From     fact.VersionFrom // where it comes from
	Tagged   source.Tagged    // which tag of the commit says it, and which do not
	Cautions Cautions
	outputs  []string        // untracked files of the user's tree that commands are said to make
	included []source.Unseen // of a snapshot: what git ignores and builds read; it is built
}

// Found is a source, and where it is.
type Found struct {
	Repo      *source.Repo   // nil for a module from the proxy
	Source    *source.Source // both kinds
	ModuleDir string         // of a module source: the extracted zip in the first place
}

// SubjectOf is a subject of a source that was found already and of which nothing is
// selected: what is built of it is in a plan. Of file, which may be nil, only the
// rebuilders count.
func SubjectOf(r *run.Run, t *Tools, src Found, version string, file *profiles.File) *Subject {
	return &Subject{Run: r, Tools: t, Found: src, File: file, Version: version, Cautions: Cautions{Run: r}}
}

// Open finds the tools, the source and the profile file, and picks profiles and
// platforms. The caller closes the run, which is nil after an error.
func Open(ctx context.Context, cfg *run.Config) (_ *Subject, err error) {
	if err := checkModule(cfg); err != nil {
		return nil, err
	}
	r, err := run.Begin(cfg)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if err := directories(cfg); err != nil {
		return nil, err
	}
	t, err := FindTools(ctx, r, filepath.Join(cfg.Cache, "first"), cfg.Module == "")
	if err != nil {
		return nil, err
	}
	s := &Subject{Run: r, Tools: t, Cautions: Cautions{Run: r}}
	if err := s.openBoth(ctx); err != nil {
		return nil, err
	}
	s.sayMisnamed()
	if err := errors.Join(s.choose(), s.chooseVersion()); err != nil {
		return nil, err
	}
	if s.Repo != nil && len(s.File.Generate) > 0 {
		s.outputs = s.Repo.Generated(s.Generates)
	}
	if s.Snapshot { // the tree as it is: what git ignores is in it
		if s.included, err = s.FindUnseen(ctx); err != nil {
			return nil, err
		}
		s.Repo.Include(s.included)
	}
	return s, s.nameSnapshot()
}

// openBoth opens the profile file and the source. What is wrong with both is
// reported, as far as one can be opened without the other: the file of a checkout
// says where in it the module is, and that of a published module is in the module.
func (s *Subject) openBoth(ctx context.Context) error {
	if s.Module != "" {
		err := errors.Join(s.openSource(ctx), s.openConfig())
		if err == nil && s.File != nil && s.File.Dir != "" && s.ConfigFile == "" {
			p := s.File.Problem(s.File.Pos("dir"), "a published module has no other module in a directory of it", "name the module itself with -module, or its profile file with -config")
			return profiles.Problems{p}
		}
		return err
	}
	if err := s.openConfig(); err != nil {
		if _, missing := os.Stat(filepath.Join(s.Dir, "go.mod")); missing != nil {
			return err // where the module is, the file might have said
		}
		return errors.Join(s.openSource(ctx), err)
	}
	return s.openSource(ctx)
}

// checkModule refuses a -module that no proxy needs to be asked about.
func checkModule(cfg *run.Config) error {
	if cfg.Module == "" {
		return nil
	}
	if _, _, err := source.SplitModule(cfg.Module); err != nil {
		return fault.Usagef(fault.Hint(err), "-module=%s: %w", cfg.Module, err)
	}
	if cfg.AsVersion != "" {
		return fault.Usagef("leave -version out: PATH@VERSION says it", "-module and -version contradict each other")
	}
	if cfg.Snapshot {
		return fault.Usagef("leave one of them out", "-module and -snapshot contradict each other: a published module has no changes of yours")
	}
	return nil
}

// directories makes the names of the product's and the output directory whole.
func directories(c *run.Config) (err error) {
	if c.Dir == "" {
		c.Dir = "."
	}
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return err
	}
	if fi, err := os.Stat(c.Dir); err != nil || !fi.IsDir() {
		return fault.Usagef("name the product's checkout with -dir=DIR", "%s is not a directory", c.Dir)
	}
	if c.Out == "" {
		c.Out = filepath.Join(c.Dir, "dist")
		if c.Module != "" {
			c.Out = "dist" // there is no checkout to put it into
		}
	}
	if c.Out, err = files.RealPath(c.Out); err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	for i, name := range c.Parts {
		if c.Parts[i], err = files.RealPath(name); err != nil {
			return fmt.Errorf("part of a release: %w", err)
		}
	}
	return nil
}

func (s *Subject) openSource(ctx context.Context) error {
	if s.Module != "" {
		s.Phase("fetching " + s.Module)
		var err error
		if s.Source, s.ModuleDir, err = source.FetchModule(ctx, s.Fetcher, s.Module); err != nil {
			return err
		}
	} else {
		dir, err := s.moduleDir()
		if err != nil {
			return err
		}
		repo, err := source.Open(ctx, source.Config{
			Dir: dir, Ignore: slices.Concat(output.Dir{Path: s.Out}.Unfinished(), []string{s.Out}, s.Parts), Git: s.Git, Env: s.Environ, Work: s.Workspace.Dir, Known: s.Known,
		})
		if err != nil {
			return err
		}
		s.Repo, s.Source = repo, &repo.Source
	}
	for _, n := range s.Source.Notes {
		s.Cautions.Add("%s", n)
	}
	return nil
}

// MaxConfig is more bytes than any profile file has.
const MaxConfig = 4 << 20

// ReadProfileFile reads the profile file of that name.
func (c *Cautions) ReadProfileFile(name string) (*profiles.File, error) {
	data, err := files.Read(name, MaxConfig)
	if err != nil {
		return nil, fault.Usagef("-config=FILE names a profile file; without one, "+ConfigName+" in the product's directory is read", "profile file: %w", err)
	}
	file, err := profiles.Load(c.Run.Shorten(name), data)
	if err != nil {
		return nil, err
	}
	c.problems(file.Warnings())
	return file, nil
}

// openConfig reads the profile file. Without one the built-in profile serves,
// but a file that was asked for must exist.
func (s *Subject) openConfig() (err error) {
	name, asked := s.ConfigFile, s.ConfigFile != ""
	dir := s.Dir
	if !asked {
		if s.Module != "" {
			dir = s.ModuleDir
		}
		if dir == "" {
			return nil // the source could not be opened; that is reported
		}
		name = filepath.Join(dir, ConfigName)
	}
	s.File, err = s.Cautions.ReadProfileFile(name)
	if !asked && errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// choose resolves -profile and -platform. With the built-in profile, -platform
// may name any platform; with a profile file it selects from the file's.
func (s *Subject) choose() error {
	pats, err := profiles.ParsePatternList(s.Platforms)
	if err != nil {
		return fault.Usagef("platforms look like linux/arm64 or linux/arm/7", "-platform=%s: %w", s.Platforms, err)
	}
	if s.File == nil {
		project := path.Base(s.Source.PathPrefix())
		s.File = profiles.Builtin(project)
		var explicit []profiles.Platform
		for _, p := range pats {
			if pl, ok := p.Platform(); ok {
				explicit = append(explicit, pl)
			}
		}
		if len(pats) > 0 && len(explicit) == len(pats) {
			s.File = profiles.BuiltinFor(project, explicit)
			pats = nil
		}
	}
	if s.Selected, err = s.File.Select(s.Profiles, pats); err != nil {
		return &fault.Error{Err: err, Code: fault.Usage, Tip: fault.Hint(err)}
	}
	return nil
}

// moduleDir is the module's directory in the user's checkout: the product's
// directory, or what the profile file names below it.
func (s *Subject) moduleDir() (string, error) {
	if s.File == nil || s.File.Dir == "" {
		return s.Dir, nil
	}
	dir := filepath.Join(s.Dir, filepath.FromSlash(s.File.Dir))
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		return "", profiles.Problems{s.File.Problem(s.File.Pos("dir"), fmt.Sprintf("dir: there is no directory %s", s.Shorten(dir)), "name the directory that has the module's go.mod, relative to "+ConfigName)}
	}
	return dir, nil
}

// Tree is the user's directory of the module; "" where there is none.
func (s *Subject) Tree() string {
	if s.Repo == nil {
		return ""
	}
	return filepath.Join(s.Repo.Root(), filepath.FromSlash(s.Source.Dir))
}

// Cautions are what does not stop a run, but has no effect in it, or will make
// other builds of the commit differ. Each is said at once, and kept.
type Cautions struct {
	Run  *run.Run
	list []string
}

// List are all cautions so far, in the order in which they were said.
func (c *Cautions) List() []string { return slices.Clone(c.list) }

// Add says a caution and keeps it.
func (c *Cautions) Add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	c.Say(text, text)
}

// Say is Add for what is shown otherwise than recorded.
func (c *Cautions) Say(text, shown string) {
	c.list = append(c.list, text)
	c.Run.Warn("%s", shown)
}

// problems are those of the profile file that do not stop it.
func (c *Cautions) problems(list []profiles.Problem) {
	for _, w := range list {
		w.Warning = false // the event says it is one
		c.Say(w.Error(), w.Format())
	}
}
