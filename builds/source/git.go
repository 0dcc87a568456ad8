package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/mintmark/mintmark/builds/toolchain"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
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
}

// Repo is an opened repository with the source its HEAD holds.
type Repo struct {
	Source
	cfg  Config
	root string // top of the user's work tree
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
	top, err := r.look(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		var exit *toolchain.ExitError
		if errors.As(err, &exit) && strings.Contains(exit.Output, "dubious ownership") {
			return nil, &hintError{fmt.Errorf("%s: git refuses a repository that belongs to another user", dir),
				"if you trust it: git config --global --add safe.directory " + dir}
		}
		if errors.As(err, &exit) && strings.Contains(exit.Output, "not a git repository") {
			return nil, &hintError{fmt.Errorf("%s: not a git repository", dir),
				"mintmark builds a commit: run it in a git checkout (-dir=DIR), or build a published module with -module=PATH@VERSION"}
		}
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	r.root = filepath.FromSlash(top)
	if resolved, err := filepath.EvalSymlinks(r.root); err == nil {
		r.root = resolved
	}
	rel, err := filepath.Rel(r.root, dir)
	if err != nil {
		return nil, err
	}
	if rel != "." {
		r.Dir = filepath.ToSlash(rel)
	}
	if r.Commit, err = r.look(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"); err != nil {
		return nil, &hintError{fmt.Errorf("%s: the repository has no commit yet", r.root), "commit what is to be released"}
	}
	if err := r.history(ctx); err != nil {
		return nil, err
	}
	if err := r.readGoMod(ctx); err != nil {
		return nil, err
	}
	if err := r.version(ctx); err != nil {
		return nil, err
	}
	if err := r.dirt(ctx); err != nil {
		return nil, err
	}
	return r, r.notes(ctx)
}

func (r *Repo) history(ctx context.Context) error {
	shallow, err := r.look(ctx, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return err
	}
	if shallow == "true" {
		// The version of an untagged commit depends on the tags below it, and
		// a shallow clone usually lacks tags altogether: go would stamp
		// another version than in a full clone, without a word.
		return &hintError{fmt.Errorf("%s: a shallow clone: the version cannot be told without the history and the tags", r.root),
			"git fetch --unshallow --tags (GitHub Actions: actions/checkout with fetch-depth: 0)"}
	}
	out, err := r.look(ctx, "-c", "log.showSignature=false", "show", "--no-patch", "--format=%ct %T", r.Commit)
	if err != nil {
		return err
	}
	sec, tree, _ := strings.Cut(out, " ")
	n, err := strconv.ParseInt(sec, 10, 64)
	if err != nil {
		return fmt.Errorf("git show: strange commit time %q", sec)
	}
	r.CommitTime, r.Tree = time.Unix(n, 0).UTC(), tree
	return nil
}

func (r *Repo) readGoMod(ctx context.Context) error {
	name := path.Join(r.Dir, "go.mod")
	data, err := r.look(ctx, "cat-file", "blob", r.Commit+":"+name)
	if err != nil {
		return &hintError{fmt.Errorf("%s: no go.mod in the commit", name),
			"run mintmark in the module's directory, or name it with -dir=DIR"}
	}
	return r.setGoMod(name, []byte(data+"\n"))
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
	if f.Toolchain != nil && f.Toolchain.Name != "default" {
		s.Go = f.Toolchain.Name
	}
	for _, rep := range f.Replace {
		if rep.New.Version == "" {
			s.Notes = append(s.Notes, fmt.Sprintf("go.mod replaces %s by the directory %s: it is not a published module, and its path is recorded in the binaries", rep.Old.Path, rep.New.Path))
		}
	}
	return nil
}

// version follows cmd/go/internal/modload and go.dev/ref/mod#vcs-version.
func (r *Repo) version(ctx context.Context) error {
	prefix := r.tagPrefix()
	_, pathMajor, ok := module.SplitPathVersion(r.ModulePath)
	if !ok {
		return fmt.Errorf("go.mod: module path %s has a malformed major version", r.ModulePath)
	}
	match := func(tag string) (string, bool) {
		v, ok := strings.CutPrefix(tag, prefix)
		if !ok || semver.Canonical(v) != v || module.IsPseudoVersion(v) {
			return "", false
		}
		return v, module.CheckPathMajor(v, pathMajor) == nil
	}
	at, err := r.look(ctx, "tag", "--points-at", r.Commit)
	if err != nil {
		return err
	}
	for tag := range strings.FieldsSeq(at) {
		if v, ok := match(tag); ok {
			r.Tags = append(r.Tags, tag)
			if semver.Compare(v, r.Version) > 0 {
				r.Version = v
			}
		}
	}
	sort.Strings(r.Tags)
	if r.Version != "" {
		return nil
	}
	below, err := r.look(ctx, "for-each-ref", "--format=%(refname:strip=2)", "--merged="+r.Commit, "refs/tags")
	if err != nil {
		return err
	}
	base := ""
	for tag := range strings.FieldsSeq(below) {
		if v, ok := match(tag); ok && semver.Compare(v, base) > 0 {
			base = v
		}
	}
	r.Version = module.PseudoVersion(module.PathMajorPrefix(pathMajor), base, r.CommitTime, r.Commit[:12])
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
		if !ignored {
			r.Dirty = append(r.Dirty, name)
		}
	}
	sort.Strings(r.Dirty)
	return nil
}

func (r *Repo) notes(ctx context.Context) error {
	out, err := r.git(ctx, r.root, r.cfg.Env, "ls-tree", "-r", "-z", "--full-tree", r.Commit)
	if err != nil {
		return err
	}
	for entry := range bytes.SplitSeq(out, []byte{0}) {
		meta, name, ok := strings.Cut(string(entry), "\t")
		if !ok {
			continue
		}
		if strings.HasPrefix(meta, "160000 ") {
			r.Notes = append(r.Notes, fmt.Sprintf("submodule %s is not part of the module and is not checked out", name))
		}
		if strings.HasPrefix(meta, "100755 ") {
			if r.exec == nil {
				r.exec = map[string]bool{}
			}
			r.exec[name] = true
		}
		if name == path.Join(r.Dir, "vendor/modules.txt") {
			r.Vendored = true
		}
		if path.Base(name) == ".gitattributes" {
			data, err := r.look(ctx, "cat-file", "blob", r.Commit+":"+name)
			if err == nil && strings.Contains(data, "filter=") {
				r.Notes = append(r.Notes, name+" names a filter (Git LFS?): mintmark checks out what the commit holds and runs no filter")
			}
		}
	}
	return nil
}

// Checkout makes a private clean copy of the commit in dir, which must not
// exist, and returns the module's directory in it. The copy is a full clone
// with the history and tags cmd/go needs for the version stamp; it shares no
// file with the user's tree but git's immutable objects (hard links, where the
// file system has them). sum must be what [Repo.Hash] gave, "" to skip.
func (r *Repo) Checkout(ctx context.Context, place *toolchain.Place, dir string, snapshot bool) (string, error) {
	env := place.Env(nil, "off")
	steps := [][]string{
		{"clone", "--quiet", "--local", "--no-checkout", "--template=", "--", r.root, dir},
		{"-C", dir, "config", "core.autocrlf", "false"},
		{"-C", dir, "config", "core.eol", "lf"},
		{"-C", dir, "config", "core.attributesFile", os.DevNull},
		{"-C", dir, "config", "core.excludesFile", os.DevNull},
		{"-C", dir, "config", "gc.auto", "0"},
		{"-C", dir, "remote", "remove", "origin"}, // only the objects and the tags count
		{"-C", dir, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", r.Commit},
	}
	for _, args := range steps {
		if _, err := r.git(ctx, r.cfg.Work, env, args...); err != nil {
			return "", fmt.Errorf("private checkout: %w", err)
		}
	}
	if snapshot {
		if err := r.overlay(ctx, dir); err != nil {
			return "", fmt.Errorf("private checkout: %w", err)
		}
	}
	return filepath.Join(dir, filepath.FromSlash(r.Dir)), nil
}

// overlay brings the user's uncommitted changes into a snapshot's checkout.
func (r *Repo) overlay(ctx context.Context, dir string) error {
	for _, name := range r.Dirty {
		if err := ctx.Err(); err != nil {
			return err
		}
		from, to := filepath.Join(r.root, filepath.FromSlash(name)), filepath.Join(dir, filepath.FromSlash(name))
		fi, err := os.Lstat(from)
		if errors.Is(err, os.ErrNotExist) {
			if err := os.RemoveAll(to); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		switch {
		case fi.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(from)
			if err != nil {
				return err
			}
			if err := os.Symlink(target, to); err != nil {
				return err
			}
		case fi.Mode().IsRegular():
			if err := copyFile(from, to, fi.Mode().Perm()); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Hash computes the h1 of the module zip the module proxy would make of the
// commit, and stores it in Sum. It exports the commit the way the proxy's go
// command does (git archive, with line endings as committed).
func (r *Repo) Hash(ctx context.Context, place *toolchain.Place) error {
	tmp, err := os.MkdirTemp(r.cfg.Work, "export-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	env := place.Env(nil, "off")
	zipFile := filepath.Join(tmp, "source.zip")
	if _, err := r.git(ctx, r.root, env, "-c", "core.autocrlf=input", "-c", "core.eol=lf", "archive", "--format=zip", "-0", "-o", zipFile, r.Commit); err != nil {
		return fmt.Errorf("exporting the commit: %w", err)
	}
	sum, err := hashExport(zipFile, r.Source.Dir, module.Version{Path: r.ModulePath, Version: r.Version})
	if err != nil {
		return &hintError{fmt.Errorf("the commit does not make a valid module: %w", err), "the module proxy would refuse it as well: see https://go.dev/ref/mod#zip-files"}
	}
	r.Sum = sum
	return nil
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

func (r *Repo) git(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	var clean []string
	for _, kv := range env {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "LANG", "LC_ALL", "LANGUAGE":
			// A git hook sets these, and they would point every call elsewhere.
		default:
			clean = append(clean, kv)
		}
	}
	clean = append(clean, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1")
	res, err := toolchain.Run(ctx, toolchain.Command{Path: r.cfg.Git, Args: args, Dir: dir, Env: clean})
	return res.Stdout, err
}

func hashExport(zipFile, dir string, m module.Version) (string, error) {
	files, closer, err := exported(zipFile, dir)
	if err != nil {
		return "", err
	}
	defer closer()
	checked, err := modzip.CheckFiles(files)
	if err != nil {
		return "", err
	}
	if err := checked.Err(); err != nil {
		return "", err
	}
	byName := map[string]modzip.File{}
	for _, f := range files {
		byName[f.Path()] = f
	}
	prefix := m.Path + "@" + m.Version + "/"
	var names []string
	for _, name := range checked.Valid {
		names = append(names, prefix+name)
	}
	return dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		return byName[strings.TrimPrefix(name, prefix)].Open()
	})
}
