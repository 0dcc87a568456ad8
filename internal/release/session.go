package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mintmark/mintmark/builds/compare"
	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/builds/plan"
	"github.com/mintmark/mintmark/builds/source"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/confine"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/filelock"
	"github.com/mintmark/mintmark/internal/files"
	"github.com/mintmark/mintmark/internal/remember"
	"github.com/mintmark/mintmark/internal/shell"
	"github.com/mintmark/mintmark/profiles"
)

// configName is the profile file's default name.
const configName = "mintmark.yaml"

// session is one run of a verb: what was asked for, resolved step by step.
type session struct {
	*Config
	ws       *workspace
	known    *remember.Store // what earlier runs found out
	locks    []*filelock.Lock
	confined *confine.Log // what held the commands that were not of the fetch phase
	goCmd    string
	git      string
	place    *toolchain.Place // of the first build
	settings toolchain.Settings
	fetcher  *toolchain.Fetcher

	repo      *source.Repo   // git sources
	source    *source.Source // both kinds
	moduleDir string         // of a module source: the extracted zip in the first place

	file     *profiles.File
	selected []profiles.Selected
	tc       *toolchain.Toolchain
	goroot   *toolchain.Goroot
	version  string             // of the release, without v
	checkout string             // module directory of the first private copy
	origin   fact.Circumstances // what that was made from
	loader   *plan.Loader
	// putSource puts the source into a place, as the directory dir, where there
	// is no repository to clone and no module to fetch; nil if there is.
	putSource func(place *toolchain.Place, dir string) error
	settle    []func() error // what lets the next run rely on what this one unpacked
	mended    []string       // damage in our caches, for the result
	planner   *plan.Planner
	plan      *plan.Plan
	planID    string

	builds bool            // something is compiled in this run
	unseen []source.Unseen // what git ignores and builds read; nil: not looked for
	said   []string        // cautions
}

// open finds the tools, the source, the profile file and the toolchain.
func open(ctx context.Context, cfg *Config) (_ *session, err error) {
	if err := checkModule(cfg); err != nil {
		return nil, err
	}
	s, err := begin(cfg)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if cfg.Dir == "" {
		cfg.Dir = "."
	}
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, err
	}
	if fi, err := os.Stat(cfg.Dir); err != nil || !fi.IsDir() {
		return nil, usage("name the product's checkout with -dir=DIR", "%s is not a directory", cfg.Dir)
	}
	if cfg.Out == "" {
		cfg.Out = filepath.Join(cfg.Dir, "dist")
		if cfg.Module != "" {
			cfg.Out = "dist" // there is no checkout to put it into
		}
	}
	if cfg.Out, err = realPath(cfg.Out); err != nil {
		return nil, fmt.Errorf("output directory: %w", err)
	}
	if err := s.findTools(ctx, filepath.Join(cfg.Cache, "first"), cfg.Module == ""); err != nil {
		return nil, err
	}

	// The profile file and the source are independent of each other: report
	// what is wrong with both.
	if err := errors.Join(s.openSource(ctx), s.openConfig()); err != nil {
		return nil, err
	}
	if s.Snapshot { // the tree as it is: what git ignores is in it
		if err := s.findUnseen(ctx); err != nil {
			return nil, err
		}
		s.repo.Include(s.unseen)
	}
	return s, nil
}

// begin opens a run's private directory.
func begin(cfg *Config) (*session, error) {
	s := &session{Config: cfg, confined: new(confine.Log), known: &remember.Store{Dir: filepath.Join(cfg.Cache, "known"), Secret: cfg.Secret, Full: cfg.Full}}
	err := checkCache(cfg.Cache)
	if err == nil {
		s.ws, err = openWorkspace(cfg.Cache)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// findTools finds go and git, and makes the first place, whose caches outlive
// the run below the directory cache.
func (s *session) findTools(ctx context.Context, cache string, needGit bool) (err error) {
	if s.goCmd, err = toolchain.LookPath("go", s.env("PATH")); err != nil {
		return hinted("install Go (https://go.dev/dl) and put it on PATH; mintmark uses it to fetch the exact toolchain", "no go command on PATH")
	}
	if s.git, err = toolchain.LookPath("git", s.env("PATH")); err != nil && needGit {
		return hinted("install git: the source is a commit, and the go command asks git for the version stamp", "no git command on PATH")
	}
	s.place = compare.First(filepath.Join(s.ws.dir, "first"), cache, s.git)
	s.place.Confined = s.confined
	if err := s.place.Make(); err != nil {
		return cacheError(err)
	}
	if s.settings, err = toolchain.UserSettings(ctx, s.goCmd, s.place.Empty, s.Environ); err != nil {
		return err
	}
	if s.git != "" {
		quiet, err := git.New(s.git, s.Environ, s.ws.dir).Quiet(ctx, s.settings.Network)
		if err != nil && needGit {
			return fmt.Errorf("asking git for the user's settings: %w", err)
		}
		if err == nil { // else no git of the fetch phase starts either
			s.settings.Network = quiet
		}
	}
	s.fetcher = &toolchain.Fetcher{Go: s.goCmd, Place: s.place, Settings: s.settings}
	return nil
}

// checkModule refuses a -module that no proxy needs to be asked about.
func checkModule(cfg *Config) error {
	if cfg.Module == "" {
		return nil
	}
	if _, _, err := source.SplitModule(cfg.Module); err != nil {
		return usage(hintOf(err), "-module=%s: %w", cfg.Module, err)
	}
	if cfg.Snapshot {
		return usage("leave one of them out", "-module and -snapshot contradict each other: a published module has no changes of yours")
	}
	return nil
}

// resolve picks profiles and platforms, fetches the toolchain and makes the
// first private copy of the source.
func (s *session) resolve(ctx context.Context) error {
	if err := s.choose(); err != nil {
		return err
	}
	return s.fetch(ctx)
}

// Close ends the run. What was unpacked in it is checked once more, so that the
// next run need not: that can wait until nobody waits for it, and whether it
// went well only the next run needs to know.
func (s *session) Close() {
	if held := s.confinement(); held != nil && !held.Held() {
		s.warn("%s", held)
	}
	for _, settle := range s.settle {
		settle()
	}
	for _, l := range s.locks {
		l.Release()
	}
	s.known.Prune()
	s.ws.Close()
}

// confinement is what held everything that ran after the fetch phase; nil if
// nothing did.
func (s *session) confinement() *fact.Confinement {
	if s.confined.Runs() == 0 {
		return nil
	}
	held := s.confined.State()
	return &held
}

func (s *session) openSource(ctx context.Context) error {
	if s.Module != "" {
		s.phase("fetching " + s.Module)
		var err error
		if s.source, s.moduleDir, err = source.FetchModule(ctx, s.fetcher, s.Module); err != nil {
			return err
		}
	} else {
		repo, err := source.Open(ctx, source.Config{
			Dir: s.Dir, Ignore: append(unfinished(s.Out), s.Out), Git: s.git, Env: s.Environ, Work: s.ws.dir, Known: s.known,
		})
		if err != nil {
			return err
		}
		s.repo, s.source = repo, &repo.Source
	}
	for _, n := range s.source.Notes {
		s.caution("%s", n)
	}
	return nil
}

// maxProfileFile is more bytes than any profile file has.
const maxProfileFile = 4 << 20

// openConfig reads the profile file. Without one the built-in profile serves,
// but a file that was asked for must exist.
func (s *session) openConfig() error {
	name, asked := s.ConfigFile, s.ConfigFile != ""
	dir := s.Dir
	if !asked {
		if s.Module != "" {
			dir = s.moduleDir
		}
		if dir == "" {
			return nil // the source could not be opened; that is reported
		}
		name = filepath.Join(dir, configName)
	}
	data, err := files.Read(name, maxProfileFile)
	switch {
	case err == nil:
		s.file, err = profiles.Load(s.shorten(name), data)
		if err != nil {
			return err
		}
		s.remarked(s.file.Warnings())
		if !asked {
			s.sayMisnamed(dir, configName)
		}
		return nil
	case !asked && errors.Is(err, os.ErrNotExist):
		s.sayMisnamed(dir, "")
		return nil
	default:
		return usage("-config=FILE names a profile file; without one, "+configName+" in the product's directory is read", "profile file: %w", err)
	}
}

// shorten makes a path below the working directory relative, for messages.
func (s *session) shorten(name string) string {
	wd, err := os.Getwd()
	if err != nil {
		return name
	}
	if rel, err := filepath.Rel(wd, name); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return name
}

// choose resolves -profile and -platform. With the built-in profile, -platform
// may name any platform; with a profile file it selects from the file's.
func (s *session) choose() error {
	pats, err := profiles.ParsePatternList(s.Platforms)
	if err != nil {
		return usage("platforms look like linux/arm64 or linux/arm/7", "-platform=%s: %w", s.Platforms, err)
	}
	if s.file == nil {
		project := path.Base(s.source.PathPrefix())
		s.file = profiles.Builtin(project)
		var explicit []profiles.Platform
		for _, p := range pats {
			if pl, ok := p.Platform(); ok {
				explicit = append(explicit, pl)
			}
		}
		if len(pats) > 0 && len(explicit) == len(pats) {
			s.file = profiles.BuiltinFor(project, explicit)
			pats = nil
		}
	}
	if s.selected, err = s.file.Select(s.Profiles, pats); err != nil {
		return &codeError{err, ExitUsage, hintOf(err)}
	}
	s.version = strings.TrimPrefix(s.source.Version, "v")
	if s.Snapshot {
		short := s.source.Commit
		if len(short) > 7 {
			short = short[:7]
		}
		s.version += "-snapshot"
		if short != "" {
			s.version += "." + short
		}
		if len(s.source.Dirty) > 0 {
			s.version += ".dirty"
		}
	}
	return nil
}

func (s *session) fetchToolchain(ctx context.Context) error {
	want, from := s.Toolchain, "-toolchain"
	if want == "" {
		want, from = s.file.Go, s.file.Pos("go").String()
	}
	if want == "" {
		want, from = s.source.Go, "go.mod"
	}
	if want == "" {
		return usage("pin one: go: go1.26.8 in "+configName+", or -toolchain=go1.26.8", "no toolchain: neither the profile file nor go.mod names one")
	}
	exact, err := toolchain.Exact(want)
	if err != nil {
		return usage("write the toolchain as a release, such as go1.26.8", "%s: %w", from, err)
	}
	if older(exact, "go1.21") {
		return usage("pin a newer one: go: go1.26.8 in "+configName+", or -toolchain=go1.26.8", "%s names the toolchain %s; mintmark builds with go1.21 or newer", from, exact)
	}
	return s.useToolchain(ctx, exact, filepath.Join(s.Cache, "first", "go"))
}

// useToolchain fetches the toolchain of that version and unpacks it below dir.
func (s *session) useToolchain(ctx context.Context, exact, dir string) (err error) {
	s.phase("toolchain " + exact)
	if s.tc, err = s.fetcher.Toolchain(ctx, exact); err != nil {
		return err
	}
	if !s.tc.SumDB {
		s.warn("toolchain %s was not checked against the checksum database (GOSUMDB=off with a file proxy): its hash is what the proxy served", exact)
	}
	s.goroot, err = s.tc.Install(ctx, filepath.Join(dir, s.tc.DirName()), s.known)
	if err == nil {
		s.settle = append(s.settle, func() error { return s.goroot.Settle(ctx) })
	}
	return err
}

// refuseDirty is the gate for everything that calls itself a release.
func (s *session) refuseDirty() error {
	if s.Snapshot || len(s.source.Dirty) == 0 {
		return nil
	}
	list := slices.Clone(s.source.Dirty)
	var errs []error
	if s.repo != nil {
		if keys := s.repo.WithKeys(list); len(keys) > 0 {
			// Apart from the others, whose hint says to commit them.
			list = slices.DeleteFunc(list, func(name string) bool { return slices.Contains(keys, name) })
			errs = append(errs, hinted("move them out of the tree, or name them in .gitignore and, if git tracks them, git rm --cached "+shell.Names(keys)+". What has been committed and pushed is public: make a new key then",
				"changed or untracked files with private keys in them:\n%s", strings.Join(keys, "\n")))
		}
	}
	const show = 20
	more := ""
	if len(list) > show {
		more = fmt.Sprintf("\n… and %d more", len(list)-show)
		list = list[:show]
	}
	if len(list) == 0 {
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, hinted("commit what belongs to the release, and name in .gitignore, or put aside with git stash -u, what does not; or build the tree as it is with -snapshot (never signed)",
		"the tree is not the commit; changed or untracked:\n%s%s", strings.Join(list, "\n"), more))...)
}

func hintOf(err error) string { return fault.Hint(err) }

// tree is the user's directory of the module; "" where there is none.
func (s *session) tree() string {
	if s.repo == nil {
		return ""
	}
	return filepath.Join(s.repo.Root(), filepath.FromSlash(s.source.Dir))
}
