package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/version"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/remember"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// Config says where to look and with what.
type Config struct {
	// Dir is the module's directory, or any directory inside its repository
	// that holds go.mod.
	Dir string
	// Ignore are absolute paths that do not count as dirt: the output directory.
	Ignore []string
	// Git is the git command; Env the user's environment, for looking only:
	// whether a file counts as changed depends on the user's own settings.
	Git string
	Env []string
	// Place gives neutral settings for everything but looking.
	Place *toolchain.Place
	// Work is a private directory for temporary files.
	Work string
	// Known remembers what was found out of a commit before; may be nil.
	Known *remember.Store
}

// Repo is an opened repository with the source its HEAD holds.
type Repo struct {
	Source
	cfg  Config
	root string // top of the user's work tree

	shallow   bool
	tagObject string // what the ref of Source.tag points at
	trustFile string // see neutral
}

// Open finds the repository around cfg.Dir and identifies the module at its
// HEAD. A dirty tree is not an error here: it is recorded in Dirty.
func Open(ctx context.Context, cfg Config) (*Repo, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	cfg.Dir = dir
	r := &Repo{cfg: cfg}
	r.Kind = Git
	if err := r.find(ctx); err != nil {
		return nil, err
	}
	if err := r.trust(); err != nil {
		return nil, err
	}
	if r.shallow {
		// The version of an untagged commit depends on the tags below it, and
		// a shallow clone usually lacks tags altogether: go would stamp
		// another version than in a full clone, without a word.
		return nil, &hintError{fmt.Errorf("%s: a shallow clone: the version cannot be told without the history and the tags", r.root),
			"git fetch --unshallow --tags (GitHub Actions: actions/checkout with fetch-depth: 0)"}
	}
	t, err := r.readTree(ctx)
	if err != nil {
		return nil, err
	}
	if r.CommitTime, r.Tree, err = t.commit(); err != nil {
		return nil, err
	}
	if err := r.readGoMod(t); err != nil {
		return nil, err
	}
	if err := r.version(ctx); err != nil {
		return nil, err
	}
	if err := r.dirt(ctx); err != nil {
		return nil, err
	}
	r.notes(t)
	return r, nil
}

// find asks git where the repository is and what its HEAD is.
func (r *Repo) find(ctx context.Context) error {
	// All in one, where the answer can be told apart: a path may have line ends in it.
	out, err := r.look(ctx, "rev-parse", "--show-toplevel", "--show-prefix", "--is-shallow-repository", "HEAD^{commit}")
	if lines := strings.Split(out, "\n"); err == nil && len(lines) == 4 {
		r.setRoot(lines[0], lines[1])
		r.shallow, r.Commit = lines[2] == "true", lines[3]
		return nil
	}
	// One by one: then it is known what failed.
	dir := r.cfg.Dir
	top, err := r.look(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		var exit *toolchain.ExitError
		if errors.As(err, &exit) && strings.Contains(exit.Output, "must be run in a work tree") {
			return &hintError{fmt.Errorf("%s: a git repository without a work tree", dir),
				"run mintmark in a checkout: git clone " + dir}
		}
		if errors.As(err, &exit) && strings.Contains(exit.Output, "dubious ownership") {
			return &hintError{fmt.Errorf("%s: git refuses a repository that belongs to another user", dir),
				"if you trust it: git config --global --add safe.directory " + dir}
		}
		if errors.As(err, &exit) && strings.Contains(exit.Output, "not a git repository") {
			return &hintError{fmt.Errorf("%s: not a git repository", dir),
				"mintmark builds a commit: run it in a git checkout (-dir=DIR), or build a published module with -module=PATH@VERSION"}
		}
		return fmt.Errorf("%s: %w", dir, err)
	}
	prefix, err := r.look(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	r.setRoot(top, prefix)
	if r.Commit, err = r.look(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"); err != nil {
		return &hintError{fmt.Errorf("%s: the repository has no commit yet", r.root), "commit what is to be released"}
	}
	shallow, err := r.look(ctx, "rev-parse", "--is-shallow-repository")
	r.shallow = shallow == "true"
	return err
}

func (r *Repo) setRoot(top, prefix string) {
	r.root = filepath.FromSlash(top)
	if resolved, err := filepath.EvalSymlinks(r.root); err == nil {
		r.root = resolved
	}
	r.Source.Dir = strings.TrimSuffix(prefix, "/")
}

func (r *Repo) readGoMod(t *tree) error {
	name := path.Join(r.Dir, "go.mod")
	data, ok := t.files[name]
	if !ok {
		return &hintError{fmt.Errorf("%s: no go.mod in the commit", name),
			"run mintmark in the module's directory, or name it with -dir=DIR"}
	}
	if err := r.setGoMod(name, data); err != nil {
		return &hintError{fmt.Errorf("go.mod in the commit: %w", err), "go mod tidy finds out whether go understands it"}
	}
	rootPath := r.ModulePath
	if r.Dir != "" {
		data, ok := t.files["go.mod"]
		if !ok {
			r.Unstamped = true // nor does cmd/go find a module at the top
			return nil
		}
		rootPath = modfile.ModulePath(data)
	}
	r.Unstamped = unstamped(rootPath, r.ModulePath, r.Dir)
	return nil
}

// unstamped reports whether cmd/go cannot tell the directory of the module
// modPath in dir from the path of the module at the top of the repository, and
// so stamps no version (cmd/go/internal/load.(*Package).setBuildInfo,
// cmd/go/internal/modfetch.newCodeRepo).
func unstamped(rootPath, modPath, dir string) bool {
	codeRoot, _, ok := module.SplitPathVersion(rootPath)
	prefix, major, ok2 := module.SplitPathVersion(modPath)
	if !ok || !ok2 {
		return true
	}
	if codeRoot == modPath {
		prefix = modPath
	}
	rest, ok := strings.CutPrefix(prefix, codeRoot)
	if !ok || rest != "" && rest[0] != '/' || codeRoot != modPath && !strings.HasPrefix(modPath, codeRoot+"/") {
		return true
	}
	codeDir := strings.Trim(rest, "/")
	return dir != codeDir && (!strings.HasPrefix(major, "/") || dir != path.Join(codeDir, major[1:]))
}

func (s *Source) setGoMod(name string, data []byte) error {
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		return err
	}
	if f.Module == nil {
		return fmt.Errorf("%s: no module line", name)
	}
	s.ModulePath = f.Module.Mod.Path
	if f.Go != nil {
		s.GoLine, s.Go = f.Go.Version, "go"+f.Go.Version
	}
	// A toolchain line below the go line does not count (https://go.dev/ref/mod#go-mod-file-toolchain).
	if f.Toolchain != nil && f.Toolchain.Name != "default" && version.Compare(f.Toolchain.Name, s.Go) > 0 {
		s.Go = f.Toolchain.Name
	}
	for _, rep := range f.Replace {
		if rep.New.Version == "" {
			s.outside = s.outside || leadsOut(path.Join(s.Dir, "go.mod"), filepath.ToSlash(rep.New.Path))
			s.Notes = append(s.Notes, fmt.Sprintf("go.mod replaces %s by the directory %s: it is not a published module, and its path is recorded in the binaries", rep.Old.Path, rep.New.Path))
		}
	}
	return nil
}

func (r *Repo) dirt(ctx context.Context) error {
	out, err := r.git(ctx, r.root, r.cfg.Env, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
	if err != nil {
		return err
	}
	for entry := range bytes.SplitSeq(out, []byte{0}) {
		if len(entry) < 4 {
			continue
		}
		name := string(entry[3:])
		abs := filepath.Join(r.root, filepath.FromSlash(name))
		ignored := false
		for _, ig := range r.cfg.Ignore {
			if abs == ig || strings.HasPrefix(abs, ig+string(filepath.Separator)) {
				ignored = true
			}
		}
		if !ignored && !r.keygens(ctx, string(entry[:2]), name) {
			r.Dirty = append(r.Dirty, name)
		}
	}
	sort.Strings(r.Dirty)
	return nil
}

func (r *Repo) notes(t *tree) {
	r.exec = map[string]bool{}
	for _, e := range t.entries {
		switch {
		case e.mode == "160000":
			r.Notes = append(r.Notes, fmt.Sprintf("submodule %s is not part of the module and is not checked out", e.name))
		case e.mode == "100755":
			r.exec[e.name] = true
		case e.mode == "120000" && leadsOut(e.name, string(t.files[e.name])):
			r.outside = true
		}
		if e.name == path.Join(r.Dir, "vendor/modules.txt") {
			r.Vendored = true
		}
		if path.Base(e.name) == ".gitattributes" && bytes.Contains(t.files[e.name], []byte("filter=")) {
			r.Notes = append(r.Notes, e.name+" names a filter (Git LFS?): mintmark checks out what the commit holds and runs no filter")
		}
	}
}

// look runs git for reading, as the user would, but independent of the
// settings that could hide something.
func (r *Repo) look(ctx context.Context, args ...string) (string, error) {
	out, err := r.git(ctx, r.dirOr(), r.cfg.Env, args...)
	return strings.TrimRight(string(out), "\n"), err
}

func (r *Repo) dirOr() string {
	if r.root != "" {
		return r.root
	}
	return r.cfg.Dir
}

// gitVars are the variables of git's that count. Others point git elsewhere: a
// git hook sets GIT_DIR and GIT_INDEX_FILE, and a list of what is harmful
// would never be complete.
var gitVars = []string{
	"GIT_CEILING_DIRECTORIES", "GIT_CONFIG_COUNT", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM",
	"GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH",
}

func (r *Repo) git(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	return r.feed(ctx, nil, dir, env, args...)
}

// feed is git with something to read.
func (r *Repo) feed(ctx context.Context, stdin []byte, dir string, env []string, args ...string) ([]byte, error) {
	var clean []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case name == "LANG" || name == "LC_ALL" || name == "LANGUAGE":
		case !strings.HasPrefix(name, "GIT_"), slices.Contains(gitVars, name),
			strings.HasPrefix(name, "GIT_CONFIG_KEY_"), strings.HasPrefix(name, "GIT_CONFIG_VALUE_"):
			clean = append(clean, kv)
		}
	}
	// Replacements and grafts are private views of a history: a clone has none of them.
	clean = append(clean, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1", "GIT_GRAFT_FILE="+os.DevNull)
	res, err := toolchain.Run(ctx, toolchain.Command{Path: r.cfg.Git, Args: args, Dir: dir, Env: clean, Stdin: stdin})
	return res.Stdout, err
}

// neutral is an environment for git in which nobody's settings count. It
// trusts any owner of the repository, since the user's settings, which may say
// so, have been asked before.
func (r *Repo) neutral(place *toolchain.Place) []string {
	return append(place.Env(nil, "off"), "GIT_CONFIG_GLOBAL="+r.trustFile)
}

func (r *Repo) trust() error {
	f, err := os.CreateTemp(r.cfg.Work, "gitconfig-")
	if err != nil {
		return err
	}
	_, err = f.WriteString("[safe]\n\tdirectory = *\n")
	r.trustFile = f.Name()
	return errors.Join(err, f.Close())
}
