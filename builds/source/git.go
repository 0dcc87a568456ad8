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

	"github.com/mintmark/mintmark/builds/git"
	"github.com/mintmark/mintmark/builds/toolchain"
	"github.com/mintmark/mintmark/internal/fact"
	"github.com/mintmark/mintmark/internal/fault"
	"github.com/mintmark/mintmark/internal/memo"
	"github.com/mintmark/mintmark/internal/shell"
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
	// Git is the git command; Env the user's environment. Whether a file counts
	// as changed depends on the user's own settings; see builds/git for which.
	Git string
	Env []string
	// Work is a private directory for temporary files.
	Work string
	// Known remembers what was found out of a commit before; may be nil.
	Known *memo.Store
	// Hashed says that the repository was made by [CloneAt]: its objects are what
	// they are called, and what is found out of them holds in every repository.
	// Of another one it is remembered for this place alone, since whoever wrote
	// its object database chose what the hashes lead to.
	Hashed bool
	// OneTag has private checkouts get the tag that decides the version and no
	// other, as all did that were built from before records said what a stamp is
	// made of ([Repo.StampTags]).
	OneTag bool
}

// Repo is an opened repository with the source its HEAD holds.
type Repo struct {
	Source
	cfg  Config
	root string // top of the user's work tree
	git  *git.Repo
	base git.Tag // the tag of Source.tag
	// names are those of all files in the commit, sorted as git sorts them: by bytes.
	names []string
	// vendor are the vendored files that git ignores, if it ignores vendor/modules.txt.
	vendor []string
}

// Open finds the repository around cfg.Dir and identifies the module at its
// HEAD. A dirty tree is not an error here: it is recorded in Dirty.
func Open(ctx context.Context, cfg Config) (_ *Repo, err error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	cfg.Dir = dir
	r := &Repo{cfg: cfg}
	defer func() { err = r.partial(err) }()
	r.Kind = fact.SourceGit
	at, err := r.find(ctx)
	if err != nil {
		return nil, err
	}
	if at.Shallow {
		// The version of an untagged commit depends on the tags below it, and
		// a shallow clone usually lacks tags altogether: go would stamp
		// another version than in a full clone, without a word.
		return nil, fault.Errorf("git fetch --unshallow --tags (GitHub Actions: actions/checkout with fetch-depth: 0)",
			"%s: a shallow clone: the version cannot be told without the history and the tags", r.root)
	}
	if r.git, err = git.New(cfg.Git, cfg.Env, cfg.Work).Open(ctx, at); err != nil {
		return nil, err
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
	if err := r.dirt(ctx, t); err != nil {
		return nil, err
	}
	r.notes(t)
	return r, nil
}

// find asks git where the repository is and what its HEAD is.
func (r *Repo) find(ctx context.Context) (*git.Location, error) {
	dir := r.cfg.Dir
	at, err := git.New(r.cfg.Git, r.cfg.Env, r.cfg.Work).Find(ctx, dir)
	if err != nil {
		var exit *toolchain.ExitError
		message := ""
		if errors.As(err, &exit) {
			message = exit.Output
		}
		switch {
		case errors.Is(err, git.ErrElsewhere):
			return nil, fault.Errorf("mintmark does not follow it: run it in an ordinary clone of the repository (git clone "+shell.Name(dir)+")", "%s: %w", dir, err)
		case strings.Contains(message, "must be run in a work tree"):
			return nil, fault.Errorf("run mintmark in a checkout: git clone "+shell.Name(dir), "%s: a git repository without a work tree", dir)
		case strings.Contains(message, "dubious ownership"):
			return nil, fault.Errorf("if you trust it: git config --global --add safe.directory "+shell.Word(dir), "%s: git refuses a repository that belongs to another user", dir)
		case strings.Contains(message, "not a git repository"):
			return nil, fault.Errorf("mintmark builds a commit: run it in a git checkout (-dir=DIR), or build a published module with -module=PATH@VERSION", "%s: not a git repository", dir)
		}
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	r.root, r.Source.Dir, r.Commit = at.Root, at.Prefix, at.Head
	if !r.cfg.Hashed {
		r.believed = at.Root
	}
	if r.Commit == "" {
		return nil, fault.Errorf("commit what is to be released", "%s: the repository has no commit yet", r.root)
	}
	return at, nil
}

// partial says what to do about an error of git's in a partial clone, where it
// may be that an object is missing. Errors that say themselves what to do are others.
func (r *Repo) partial(err error) error {
	if err == nil || r.git == nil || !r.git.Partial || fault.Hint(err) != "" {
		return err
	}
	return fault.Errorf("make it complete with git fetch --refetch --no-filter, or clone without --filter", "%w (this is a partial clone, and mintmark fetches nothing into it)", err)
}

func (r *Repo) readGoMod(t *tree) error {
	name := path.Join(r.Dir, "go.mod")
	data, ok := t.files[name]
	if !ok {
		return fault.Errorf(r.moduleHint(t), "%s: no go.mod in the commit", name)
	}
	if err := r.setGoMod(name, data); err != nil {
		return fault.Errorf("go mod tidy finds out whether go understands it", "go.mod in the commit: %w", err)
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

// moduleHint names the modules of the commit: that around the directory, else
// those there are.
func (r *Repo) moduleHint(t *tree) string {
	for dir := r.Dir; dir != "" && dir != "."; {
		dir = strings.TrimPrefix(path.Dir(dir), ".")
		if _, ok := t.files[path.Join(dir, "go.mod")]; ok {
			return "it is in the module above: run mintmark there, or with -dir=" + shell.Word(filepath.Join(r.root, filepath.FromSlash(dir)))
		}
	}
	var dirs []string
	for _, e := range t.entries {
		if name := e.name; path.Base(name) == "go.mod" && !strings.Contains("/"+name, "/testdata/") && !strings.Contains("/"+name, "/vendor/") {
			dirs = append(dirs, filepath.Join(r.root, filepath.FromSlash(path.Dir(name))))
		}
	}
	slices.Sort(dirs)
	first := ""
	if len(dirs) > 0 {
		first = dirs[0]
	}
	for i, dir := range dirs {
		dirs[i] = shell.Word(dir)
	}
	const most = 5
	switch {
	case len(dirs) == 0:
		return "make a module (go mod init example.com/name) and commit its go.mod"
	case len(dirs) > most:
		dirs = append(dirs[:most], "…")
	}
	hint := "the commit's modules can be named with -dir=" + strings.Join(dirs, ", -dir=")
	if rel, err := filepath.Rel(r.cfg.Dir, first); err == nil && filepath.IsLocal(rel) {
		hint += " (or, in a profile file here, with dir: " + filepath.ToSlash(rel) + ")"
	}
	return hint
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
			out := leadsOut(path.Join(s.Dir, "go.mod"), filepath.ToSlash(rep.New.Path))
			s.outside = s.outside || out
			if !out {
				s.locals = append(s.locals, path.Join(".", s.Dir, filepath.ToSlash(rep.New.Path)))
			}
			s.Notes = append(s.Notes, fmt.Sprintf("go.mod replaces %s by the directory %s: it is not a published module, and its path is recorded in the binaries", rep.Old.Path, rep.New.Path))
		}
	}
	return nil
}

func (r *Repo) dirt(ctx context.Context, t *tree) error {
	// What changed inside of a submodule is not asked for: git would be started
	// there, with its configuration, and no submodule is part of the module.
	out, err := r.git.InTree(ctx, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=dirty")
	if err != nil {
		return err
	}
	unwatched, err := r.unwatched(ctx)
	if err != nil {
		return err
	}
	for entry := range bytes.SplitSeq(append(out, unwatched...), []byte{0}) {
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
		if !ignored && string(entry[:3]) == " M " {
			if ignored, err = r.stored(ctx, t, name); err != nil {
				return err
			}
		}
		if !ignored && !r.keygens(ctx, string(entry[:2]), name) {
			r.Dirty = append(r.Dirty, name)
		}
	}
	sort.Strings(r.Dirty)
	r.Dirty = slices.Compact(r.Dirty)
	return nil
}

// unwatched is git's status of the files that it was told not to look at. Those
// that a sparse checkout leaves out are not changed by being absent.
func (r *Repo) unwatched(ctx context.Context) ([]byte, error) {
	names, assumed, err := r.git.Unwatched(ctx)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		_, err := os.Lstat(r.file(name))
		return err != nil && !assumed[name]
	})
	if len(names) == 0 {
		return nil, nil
	}
	return r.git.Compare(ctx, r.Commit, names)
}

func (r *Repo) notes(t *tree) {
	r.exec = map[string]bool{}
	for _, e := range t.entries {
		r.names = append(r.names, e.name)
		switch {
		case e.mode == "160000":
			r.Notes = append(r.Notes, fmt.Sprintf("submodule %s is not part of the module and is not checked out", e.name))
		case e.mode == "100755":
			r.exec[e.name] = true
		case e.mode == "120000" && leadsOut(e.name, string(t.files[e.name])):
			r.outside = true
		}
		if e.name == r.modulesTxt() {
			r.Vendored = true
		}
		if path.Base(e.name) == ".gitattributes" && bytes.Contains(t.files[e.name], []byte("filter=")) {
			r.Notes = append(r.Notes, e.name+" names a filter (Git LFS?): mintmark checks out what the commit holds and runs no filter")
		}
	}
}
